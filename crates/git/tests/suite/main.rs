//! Tests with the real git against the `serve` example, and with crafted requests against the library.

#[path = "../../examples/serve"]
mod serve {
    mod advertisements;
    mod body;
    pub mod config;
    mod configuration;
    mod connection;
    mod dumb;
    mod hidden;
    mod keys;
    mod path;
    mod references;
    mod reply;
    pub mod repositories;
    pub mod service;
    mod stamp;
}

#[path = "../../fuzz/entries.rs"]
mod entries;

mod bench;
mod bombs;
mod cache;
mod checks;
mod clone;
mod compare;
mod corpus;
mod craft;
mod exchange;
mod fetch;
mod filter;
mod graph;
mod hostile;
mod http;
mod maintenance;
mod merge;
mod origins;
mod parity;
mod peer;
mod pipe;
mod push;
mod random;
mod receive;
mod shallow;
mod storage;
mod versions;
mod walks;
