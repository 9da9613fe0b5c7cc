//! A way to a server that a test can close, or pause as a network does that loses everything.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;

use parking_lot::{Condvar, Mutex, MutexGuard};

/// The place of a server.
#[derive(Clone)]
pub enum Target {
    /// A host and a port.
    Tcp(String),
    /// The path of a socket.
    Socket(PathBuf),
}

/// A port of this machine whose connections are forwarded to a server.
pub struct Gate {
    port: u16,
    way: Arc<Way>,
}

struct Way {
    state: Mutex<State>,
    resumed: Condvar,
}

struct State {
    /// The connections to the server; `None` while the way is closed.
    connections: Option<Vec<Stream>>,
    /// Bytes that may still go to the server, before the way closes.
    bytes: u64,
    is_paused: bool,
}

enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Target {
    fn connect(&self) -> std::io::Result<Stream> {
        match self {
            Self::Tcp(address) => TcpStream::connect(address).map(Stream::Tcp),
            Self::Socket(path) => UnixStream::connect(path).map(Stream::Unix),
        }
    }
}

impl Gate {
    /// Opens a way to a server.
    pub fn start(target: Target) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port is free");
        let port = listener.local_addr().expect("the listener is bound").port();
        let way = Arc::new(Way { state: Mutex::new(State::open()), resumed: Condvar::new() });
        let open = Arc::clone(&way);
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok).map(Stream::Tcp) {
                // A server that has ended accepts nothing.
                if let (Some(connections), Ok(server)) = (&mut open.state.lock().connections, target.connect()) {
                    connections.push(client.clone());
                    forward(client.clone(), server.clone(), Arc::clone(&open), true);
                    forward(server, client, Arc::clone(&open), false);
                }
            }
        });
        Self { port, way }
    }

    /// Returns the port, on 127.0.0.1.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Ends the connections, and refuses others.
    pub fn close(&self) {
        self.way.state.lock().close();
    }

    /// Closes the way once a number of bytes have gone to the server.
    pub fn close_after(&self, bytes: u64) {
        self.way.state.lock().bytes = bytes;
    }

    /// Returns whether the way is closed.
    pub fn is_closed(&self) -> bool {
        self.way.state.lock().connections.is_none()
    }

    /// Opens the way again.
    pub fn open(&self) {
        *self.way.state.lock() = State::open();
    }

    /// Stops forwarding in both directions, and ends no connection.
    pub fn pause(&self) {
        self.way.state.lock().is_paused = true;
    }

    /// Forwards what waits, and goes on.
    pub fn resume(&self) {
        self.way.state.lock().is_paused = false;
        self.way.resumed.notify_all();
    }
}

impl Way {
    /// Waits until the way is not paused.
    fn running(&self) -> MutexGuard<'_, State> {
        let mut state = self.state.lock();
        self.resumed.wait_while(&mut state, |state| state.is_paused);
        state
    }
}

impl State {
    const fn open() -> Self {
        Self { connections: Some(Vec::new()), bytes: u64::MAX, is_paused: false }
    }

    fn close(&mut self) {
        for connection in self.connections.take().into_iter().flatten() {
            connection.shut_down(Shutdown::Both);
        }
    }
}

impl Stream {
    fn clone(&self) -> Self {
        let cloned = match self {
            Self::Tcp(stream) => stream.try_clone().map(Self::Tcp),
            Self::Unix(stream) => stream.try_clone().map(Self::Unix),
        };
        cloned.expect("the process may open more files")
    }

    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.read(buffer),
            Self::Unix(stream) => stream.read(buffer),
        }
    }

    fn write_all(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        match self {
            Self::Tcp(stream) => stream.write_all(bytes),
            Self::Unix(stream) => stream.write_all(bytes),
        }
    }

    /// Ends a connection, which may have ended already.
    fn shut_down(&self, how: Shutdown) {
        let _ = match self {
            Self::Tcp(stream) => stream.shutdown(how),
            Self::Unix(stream) => stream.shutdown(how),
        };
    }
}

/// Copies what one end of a connection sends to the other one, until either ends or the way is closed.
fn forward(mut from: Stream, mut to: Stream, way: Arc<Way>, is_counted: bool) {
    thread::spawn(move || {
        let mut buffer = [0; 1 << 14];
        // A connection may be closed at any time.
        while let Ok(count @ 1..) = from.read(&mut buffer) {
            let mut state = way.running();
            if is_counted {
                match state.bytes.checked_sub(count as u64) {
                    Some(rest) => state.bytes = rest,
                    None => state.close(),
                }
            }
            drop(state);
            if to.write_all(&buffer[..count]).is_err() {
                break;
            }
        }
        to.shut_down(Shutdown::Write);
    });
}
