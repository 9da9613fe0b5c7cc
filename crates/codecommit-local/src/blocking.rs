//! The server for programs without tokio, in this process or as a process of its own; both are used in the same way.

mod binary;
#[cfg(feature = "server")]
mod embedded;
mod error;
mod local_request;
mod spawned;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::Records;
use crate::records::POLL_INTERVAL;
#[cfg(feature = "server")]
pub use embedded::runtime;
pub use error::Error;
pub use spawned::SpawnOptions;

/// A running server; dropping it stops it. Start and drop it outside asynchronous code.
///
/// ```
/// use codecommit_local::{Settings, blocking::Server};
///
/// # fn main() -> Result<(), codecommit_local::StartError> {
/// let server = Server::start(Settings::ephemeral())?;
/// assert!(server.endpoint().starts_with("http://127.0.0.1:"));
/// # Ok(())
/// # }
/// ```
///
/// The same with an installed program, which needs no feature of this crate:
///
/// ```no_run
/// use codecommit_local::blocking::{Server, SpawnOptions};
///
/// # fn main() -> Result<(), codecommit_local::blocking::Error> {
/// let server = Server::spawn(SpawnOptions::default())?;
/// // ... create a repository at server.endpoint() ...
/// assert_eq!(server.events()?.name("CreateRepository").len(), 1);
/// server.reset()?;
/// # Ok(())
/// # }
/// ```
pub struct Server {
    backend: Box<dyn Backend + Send + Sync>,
}

/// A server in this process or in another one. Dropping it stops it.
trait Backend {
    fn endpoint(&self) -> String;

    fn addresses(&self) -> &[SocketAddr];

    fn authority_file(&self) -> Option<PathBuf>;

    fn data_folder(&self) -> &Path;

    fn trail_folder(&self) -> &Path;

    fn reset(&self) -> Result<(), Error>;

    fn snapshot(&self, name: &str) -> Result<(), Error>;

    fn restore(&self, name: &str) -> Result<(), Error>;
}

impl Server {
    /// Starts a server in this process, and returns when it accepts connections.
    #[cfg(feature = "server")]
    pub fn start(settings: crate::Settings) -> Result<Self, crate::StartError> {
        Ok(Self { backend: Box::new(embedded::Embedded::start(settings)?) })
    }

    /// Starts the installed program, and returns when it accepts connections.
    ///
    /// The program is that of the options, of the environment variable `CODECOMMIT_LOCAL_BINARY`, beside the running program (a
    /// test's is in `target/debug/deps`, and the folder above counts, too), or in a folder of `PATH`. It stops with this process,
    /// however that ends.
    pub fn spawn(options: SpawnOptions) -> Result<Self, Error> {
        Ok(Self { backend: Box::new(spawned::Spawned::start(options)?) })
    }

    /// Returns the URL to give clients as `AWS_ENDPOINT_URL_CODECOMMIT`.
    pub fn endpoint(&self) -> String {
        self.backend.endpoint()
    }

    /// Returns all addresses that the server listens on, in the order of the settings; of a program the first one.
    pub fn addresses(&self) -> &[SocketAddr] {
        self.backend.addresses()
    }

    /// Returns the file with the certificate of the local certificate authority, which clients trust to use https.
    ///
    /// Returns `None` if TLS is off or has a certificate of its own.
    pub fn authority_file(&self) -> Option<PathBuf> {
        self.backend.authority_file()
    }

    /// Returns the folder of the repositories and the database.
    pub fn data_folder(&self) -> &Path {
        self.backend.data_folder()
    }

    /// Returns the folder of the trail: `events.ndjson`, log files and digests.
    pub fn trail_folder(&self) -> &Path {
        self.backend.trail_folder()
    }

    /// Returns the records of all calls so far; a call is recorded before its reply is sent.
    pub fn events(&self) -> Result<Records, Error> {
        Records::read(self.trail_folder()).map_err(|error| Error::new(error.to_string()))
    }

    /// Waits for the record of an event, such as `GitPush`, and returns the first one.
    ///
    /// Fails after the timeout, with the names of the events that there are.
    pub fn wait_for(&self, name: &str, timeout: Duration) -> Result<Value, Error> {
        let end = Instant::now() + timeout;
        loop {
            let events = self.events()?;
            if let Some(record) = events.first_of(name) {
                return Ok(record.clone());
            }
            if Instant::now() >= end {
                return Err(Error::new(events.without(name, timeout)));
            }
            thread::sleep(POLL_INTERVAL);
        }
    }

    /// Removes all data and records.
    pub fn reset(&self) -> Result<(), Error> {
        self.backend.reset()
    }

    /// Saves all data under a name, for [`restore`](Self::restore).
    pub fn snapshot(&self, name: &str) -> Result<(), Error> {
        self.backend.snapshot(name)
    }

    /// Replaces all data by those of a snapshot; what came after it is removed, records included.
    pub fn restore(&self, name: &str) -> Result<(), Error> {
        self.backend.restore(name)
    }

    /// Stops accepting, finishes running requests within the stop timeout of the settings, and delivers the log files.
    pub fn stop(self) {
        drop(self);
    }
}
