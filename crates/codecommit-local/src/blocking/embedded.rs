//! The server in this process: it runs on its own threads.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use tokio::runtime::{Builder, Runtime};

use super::{Backend, Error};
use crate::{Settings, StartError};

/// Requests of Git clients that are served at the same time; an idle thread costs little.
const THREADS_MAX: usize = 1024;

/// A server and its threads.
pub(super) struct Embedded {
    /// `None` once it is stopped.
    server: Option<server::Server>,
    runtime: Runtime,
}

impl Embedded {
    pub(super) fn start(settings: Settings) -> Result<Self, StartError> {
        let runtime = runtime().map_err(StartError::Threads)?;
        let server = Some(runtime.block_on(server::Server::start(settings))?);
        Ok(Self { server, runtime })
    }

    fn running(&self) -> &server::Server {
        self.server.as_ref().expect("only drop takes the server")
    }
}

impl Backend for Embedded {
    fn endpoint(&self) -> String {
        self.running().endpoint()
    }

    fn addresses(&self) -> &[SocketAddr] {
        self.running().addresses()
    }

    fn authority_file(&self) -> Option<PathBuf> {
        self.running().authority_file()
    }

    fn data_folder(&self) -> &Path {
        self.running().data_folder()
    }

    fn trail_folder(&self) -> &Path {
        self.running().trail_folder()
    }

    fn reset(&self) -> Result<(), Error> {
        self.runtime.block_on(self.running().reset()).map_err(|error| Error::new(error.to_string()))
    }

    fn snapshot(&self, name: &str) -> Result<(), Error> {
        self.runtime.block_on(self.running().snapshot(name)).map_err(|error| Error::new(error.to_string()))
    }

    fn restore(&self, name: &str) -> Result<(), Error> {
        self.runtime.block_on(self.running().restore(name)).map_err(|error| Error::new(error.to_string()))
    }
}

impl Drop for Embedded {
    fn drop(&mut self) {
        if let Some(server) = self.server.take() {
            self.runtime.block_on(server.stop());
        }
    }
}

/// Creates a tokio runtime with enough threads for the server: each running request of a Git client takes one.
pub fn runtime() -> io::Result<Runtime> {
    Builder::new_multi_thread().max_blocking_threads(THREADS_MAX).enable_all().build()
}
