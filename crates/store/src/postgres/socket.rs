//! A socket to the server, for the thread that waits for an answer: nothing else reads or writes.

use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::sockopt;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Maximum time to connect to an address.
const CONNECT_TIME_MAX: Duration = Duration::from_secs(5);

/// Time without traffic after which the system asks whether the server is there, and time between its questions.
const KEEPALIVE: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(2));

/// Questions of the system without an answer after which the connection is lost.
const KEEPALIVE_QUESTIONS: u32 = 3;

/// Time in milliseconds after which sent bytes that were not acknowledged end the connection.
#[cfg(target_os = "linux")]
const UNACKNOWLEDGED_TIME_MAX: u32 = 15_000;

/// A connected socket; clones are of the same one.
///
/// It never blocks. A future that finds it not ready is not woken; whoever polls the future then calls [`Socket::wait`].
#[derive(Clone)]
pub(super) struct Socket(Arc<Shared>);

struct Shared {
    stream: Stream,
    /// Whether something could not be written at once.
    is_full: AtomicBool,
}

enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Socket {
    /// Connects to the first address of a host that answers.
    pub(super) fn connect(host: &str, port: u16) -> io::Result<Self> {
        let mut last = io::Error::new(io::ErrorKind::NotFound, "the host has no address");
        for address in (host, port).to_socket_addrs()? {
            match TcpStream::connect_timeout(&address, CONNECT_TIME_MAX) {
                Ok(stream) => return Self::over_tcp(stream),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    fn over_tcp(stream: TcpStream) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        let (idle, interval) = KEEPALIVE;
        sockopt::set_socket_keepalive(&stream, true)?;
        sockopt::set_tcp_keepidle(&stream, idle)?;
        sockopt::set_tcp_keepintvl(&stream, interval)?;
        sockopt::set_tcp_keepcnt(&stream, KEEPALIVE_QUESTIONS)?;
        #[cfg(target_os = "linux")]
        sockopt::set_tcp_user_timeout(&stream, UNACKNOWLEDGED_TIME_MAX)?;
        Ok(Self::over(Stream::Tcp(stream)))
    }

    /// Connects to the socket of a server in a folder.
    pub(super) fn connect_within_machine(folder: &Path, port: u16) -> io::Result<Self> {
        let stream = UnixStream::connect(folder.join(format!(".s.PGSQL.{port}")))?;
        stream.set_nonblocking(true)?;
        Ok(Self::over(Stream::Unix(stream)))
    }

    fn over(stream: Stream) -> Self {
        Self(Arc::new(Shared { stream, is_full: AtomicBool::new(false) }))
    }

    /// Blocks the thread until the socket is ready for what was not, or the time has passed.
    pub(super) fn wait(&self, time: Duration) -> io::Result<()> {
        let mut events = PollFlags::IN;
        if self.0.is_full.load(Ordering::Relaxed) {
            events |= PollFlags::OUT;
        }
        let mut descriptors = [match &self.0.stream {
            Stream::Tcp(stream) => PollFd::new(stream, events),
            Stream::Unix(stream) => PollFd::new(stream, events),
        }];
        let time = Timespec::try_from(time).map_err(io::Error::other)?;
        match poll(&mut descriptors, Some(&time)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

/// Repeats a system call that a signal has interrupted.
fn attempt<R>(mut call: impl FnMut() -> io::Result<R>) -> Poll<io::Result<R>> {
    loop {
        match call() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Poll::Pending,
            result => return Poll::Ready(result),
        }
    }
}

impl AsyncRead for Socket {
    fn poll_read(self: Pin<&mut Self>, _context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let read = attempt(|| match &self.0.stream {
            Stream::Tcp(stream) => (&*stream).read(buffer.initialize_unfilled()),
            Stream::Unix(stream) => (&*stream).read(buffer.initialize_unfilled()),
        });
        read.map_ok(|length| buffer.advance(length))
    }
}

impl AsyncWrite for Socket {
    fn poll_write(self: Pin<&mut Self>, _context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = attempt(|| match &self.0.stream {
            Stream::Tcp(stream) => (&*stream).write(bytes),
            Stream::Unix(stream) => (&*stream).write(bytes),
        });
        self.0.is_full.store(written.is_pending(), Ordering::Relaxed);
        written
    }

    fn poll_flush(self: Pin<&mut Self>, _context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(match &self.0.stream {
            Stream::Tcp(stream) => stream.shutdown(std::net::Shutdown::Write),
            Stream::Unix(stream) => stream.shutdown(std::net::Shutdown::Write),
        })
    }
}
