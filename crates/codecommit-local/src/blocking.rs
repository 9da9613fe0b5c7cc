//! The server for programs without tokio: it runs on its own threads.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use tokio::runtime::{Builder, Runtime};

use crate::{Settings, StartError};

/// Requests of Git clients that are served at the same time; an idle thread costs little.
const THREADS_MAX: usize = 1024;

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
pub struct Server {
    /// `None` once it is stopped.
    server: Option<server::Server>,
    runtime: Runtime,
}

impl Server {
    /// Starts a server, and returns when it accepts connections.
    pub fn start(settings: Settings) -> Result<Self, StartError> {
        let runtime = runtime().map_err(StartError::Threads)?;
        let server = Some(runtime.block_on(server::Server::start(settings))?);
        Ok(Self { server, runtime })
    }

    /// Returns the URL to give clients as `AWS_ENDPOINT_URL_CODECOMMIT`.
    pub fn endpoint(&self) -> String {
        self.running().endpoint()
    }

    /// Returns all addresses that the server listens on, in the order of the settings.
    pub fn addresses(&self) -> &[SocketAddr] {
        self.running().addresses()
    }

    /// Returns the file with the certificate of the local certificate authority, which clients trust to use https.
    ///
    /// Returns `None` if TLS is off or has a certificate of its own.
    pub fn authority_file(&self) -> Option<PathBuf> {
        self.running().authority_file()
    }

    /// Returns the folder of the repositories and the database.
    pub fn data_folder(&self) -> &Path {
        self.running().data_folder()
    }

    /// Returns the folder of the trail: `events.ndjson`, log files and digests.
    pub fn trail_folder(&self) -> &Path {
        self.running().trail_folder()
    }

    /// Stops accepting, finishes running requests within [`Settings::stop_timeout`], and delivers the log files.
    pub fn stop(mut self) {
        self.close();
    }

    fn running(&self) -> &server::Server {
        self.server.as_ref().expect("only stop and drop take the server")
    }

    fn close(&mut self) {
        if let Some(server) = self.server.take() {
            self.runtime.block_on(server.stop());
        }
    }
}

/// Creates a tokio runtime with enough threads for the server: each running request of a Git client takes one.
pub fn runtime() -> io::Result<Runtime> {
    Builder::new_multi_thread().max_blocking_threads(THREADS_MAX).enable_all().build()
}

impl Drop for Server {
    fn drop(&mut self) {
        self.close();
    }
}
