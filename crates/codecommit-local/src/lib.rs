//! AWS CodeCommit on one machine, with its audit trail: the library that embeds the server in a test or another program.
//!
//! The server serves AWS's JSON API and Git over HTTP at one endpoint, and records every call as AWS CloudTrail does.
//! In a program that uses tokio:
//!
//! ```
//! use codecommit_local::{Server, Settings};
//!
//! # #[tokio::main(flavor = "multi_thread")]
//! # async fn main() -> Result<(), codecommit_local::StartError> {
//! let server = Server::start(Settings::ephemeral()).await?;
//! println!("AWS_ENDPOINT_URL_CODECOMMIT={}", server.endpoint());
//! server.stop().await;
//! # Ok(())
//! # }
//! ```
//!
//! And without tokio:
//!
//! ```
//! use codecommit_local::{Settings, blocking::Server};
//!
//! # fn main() -> Result<(), codecommit_local::StartError> {
//! let server = Server::start(Settings::ephemeral())?;
//! println!("git clone {}/v1/repos/MyDemoRepo", server.endpoint());
//! # Ok(())
//! # }
//! ```
//!
//! Both compile the server, by the feature `server`, which is a default one. Without it, the crate has no dependency but `serde_json`,
//! and [`blocking::Server::spawn`] starts the installed program; the methods of the server are the same.

pub mod blocking;
#[cfg(feature = "server")]
pub mod options;
mod records;
#[cfg(feature = "server")]
mod server_events;

#[cfg(feature = "server")]
pub use options::Options;
pub use records::Records;
#[cfg(feature = "server")]
pub use server::{MoveError, Moved, MovedObjects, Server, Settings, StartError, move_to_file, move_to_server};
#[cfg(feature = "server")]
pub use server_events::ServerEvents;

/// The README's example compiles.
#[cfg(all(doctest, feature = "server"))]
#[doc = include_str!("../../../README.md")]
struct Readme;
