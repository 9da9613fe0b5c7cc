//! The real git against the `serve` example, and crafted requests against the functions.

#[path = "../../examples/serve/connection.rs"]
mod connection;
#[path = "../../examples/serve/references.rs"]
mod references;
#[path = "../../examples/serve/service.rs"]
mod service;

mod bench;
mod clone;
mod craft;
mod exchange;
mod fetch;
mod filter;
mod graph;
mod hostile;
mod maintenance;
mod push;
mod random;
mod shallow;
mod storage;
mod version2;
