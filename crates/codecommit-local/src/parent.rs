//! The end of the parent process, which the server sees as the end of its standard input.

use std::fs::File;
use std::io::{Error, sink, stdin};
use std::os::fd::AsFd;
use std::os::unix::fs::FileTypeExt;

use tokio::task::JoinHandle;

/// What to do about a standard input that does not tell the end of a parent.
const ADVICE: &str = "start the server with a pipe as its standard input, and keep the other end open for as long as \
     it is to run; or leave out --exit-with-parent";

/// A watch on the other end of the standard input, which the parent process holds.
pub(crate) struct Parent(Option<JoinHandle<()>>);

impl Parent {
    /// Starts to watch the parent. A pipe or a socket is required: `/dev/null` and files end at once, and a terminal, which a
    /// parent can pass on, does not end with the parent.
    ///
    /// Must be called in a runtime.
    pub(crate) fn watch() -> Result<Self, String> {
        let input = stdin().as_fd().try_clone_to_owned().map(File::from).map_err(|error| unreadable(&error))?;
        let kind = input.metadata().map_err(|error| unreadable(&error))?.file_type();
        if !kind.is_fifo() && !kind.is_socket() {
            return Err(format!("--exit-with-parent: standard input is no pipe; {ADVICE}"));
        }
        // The data is dropped. An error is an end, too: a socket is reset if its other end is closed with data unread.
        Ok(Self(Some(tokio::task::spawn_blocking(move || drop(std::io::copy(&mut &input, &mut sink()))))))
    }

    /// Watches no parent.
    pub(crate) fn ignored() -> Self {
        Self(None)
    }

    /// Returns an error if the parent has closed its end already.
    pub(crate) fn check(&self) -> Result<(), String> {
        if self.0.as_ref().is_some_and(JoinHandle::is_finished) {
            return Err(format!("--exit-with-parent: standard input ended before the server was ready; {ADVICE}"));
        }
        Ok(())
    }

    /// Waits for the end of the parent; for ever, if none is watched.
    pub(crate) async fn ended(&mut self) {
        match &mut self.0 {
            Some(reading) => drop(reading.await),
            None => std::future::pending().await,
        }
    }
}

fn unreadable(error: &Error) -> String {
    format!("--exit-with-parent: cannot read standard input: {error}; {ADVICE}")
}
