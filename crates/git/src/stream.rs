//! A pair of streams to one client, which may disconnect at any time.

use std::io::{self, Read, Write};

use crate::output::{FilePart, Output};

/// One direction of a connection; remembers whether it has ended.
pub(crate) struct Stream<S> {
    inner: S,
    /// Whether the client has closed the stream, or it has failed.
    has_ended: bool,
}

impl<S> Stream<S> {
    pub(crate) fn new(inner: S) -> Self {
        Self { inner, has_ended: false }
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.has_ended
    }

    /// Records the end of the stream if `result` is a failure.
    fn watch<T>(&mut self, result: io::Result<T>) -> io::Result<T> {
        self.has_ended |= result.as_ref().is_err_and(|error| error.kind() != io::ErrorKind::Interrupted);
        result
    }
}

impl Read for Stream<&mut dyn Read> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let result = self.inner.read(buffer);
        self.has_ended |= matches!(result, Ok(0)) && !buffer.is_empty();
        self.watch(result)
    }
}

impl Write for Stream<&mut dyn Output> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let result = self.inner.write(bytes);
        self.watch(result)
    }

    fn write_vectored(&mut self, slices: &[io::IoSlice<'_>]) -> io::Result<usize> {
        let result = self.inner.write_vectored(slices);
        self.watch(result)
    }

    fn flush(&mut self) -> io::Result<()> {
        let result = self.inner.flush();
        self.watch(result)
    }
}

impl Output for Stream<&mut dyn Output> {
    fn part(&mut self, part: FilePart) -> io::Result<()> {
        let result = self.inner.part(part);
        self.watch(result)
    }
}

/// Writes bytes that the client waits for.
pub(crate) fn send(output: &mut dyn Output, bytes: &[u8]) -> io::Result<()> {
    if bytes.is_empty() {
        return Ok(());
    }
    output.write_all(bytes)?;
    output.flush()
}
