//! A socket between a store and the server, which can lose what it forwards.

use std::fs;
use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::thread;

use parking_lot::Mutex;
use tempfile::TempDir;

/// What the proxy does with the next COMMIT.
const FORWARD: u8 = 0;
const LOSE_ANSWER: u8 = 1;
const LOSE_COMMIT: u8 = 2;

pub(super) struct Proxy {
    folder: TempDir,
    server: PathBuf,
    mode: Arc<AtomicU8>,
    clients: Arc<Mutex<Vec<UnixStream>>>,
}

impl Proxy {
    /// Starts a proxy for the socket of a URL; returns the URL of the proxy, too.
    pub(super) fn start(url: &str) -> (Self, String) {
        let (head, rest) = url.split_once("host=").expect("the tests use a socket");
        let (host, rest) = rest.split_once('&').expect("the URL names a schema");
        let folder = tempfile::tempdir().expect("a temporary folder can be created");
        let through = format!("{head}host={}&{rest}", folder.path().display());
        let proxy = Self {
            folder,
            server: PathBuf::from(host).join(".s.PGSQL.5432"),
            mode: Arc::default(),
            clients: Arc::default(),
        };
        proxy.accept();
        (proxy, through)
    }

    /// Ends the connection after the next COMMIT, and does not forward its answer.
    pub(super) fn lose_answer_of_commit(&self) {
        self.mode.store(LOSE_ANSWER, Ordering::SeqCst);
    }

    /// Ends the connection before the next COMMIT.
    pub(super) fn lose_commit(&self) {
        self.mode.store(LOSE_COMMIT, Ordering::SeqCst);
    }

    /// Refuses connections, and ends those that it has.
    pub(super) fn refuse(&self) {
        fs::remove_file(self.socket()).expect("the socket exists");
        for client in self.clients.lock().drain(..) {
            // It may have ended already.
            drop(client.shutdown(Shutdown::Both));
        }
    }

    /// Accepts connections.
    pub(super) fn accept(&self) {
        self.mode.store(FORWARD, Ordering::SeqCst);
        let listener = UnixListener::bind(self.socket()).expect("the folder is writable");
        let (server, mode, clients) = (self.server.clone(), Arc::clone(&self.mode), Arc::clone(&self.clients));
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let Ok(server) = UnixStream::connect(&server) else { continue };
                clients.lock().push(client.try_clone().expect("a socket can be cloned"));
                let mode = Arc::clone(&mode);
                thread::spawn(move || forward(client, server, &mode));
            }
        });
    }

    fn socket(&self) -> PathBuf {
        self.folder.path().join(".s.PGSQL.5432")
    }
}

/// Forwards between a client and the server until one of them ends, or a COMMIT is lost.
fn forward(client: UnixStream, server: UnixStream, mode: &Arc<AtomicU8>) {
    let (answers, to_client) =
        (server.try_clone().expect("a socket can be cloned"), client.try_clone().expect("a socket can be cloned"));
    let answers_mode = Arc::clone(mode);
    // The answer of COMMIT has the name of the command.
    let answering = thread::spawn(move || copy(answers, to_client, &answers_mode, LOSE_ANSWER));
    copy(client, server, mode, LOSE_COMMIT);
    answering.join().expect("the thread does not panic");
}

/// Forwards in one direction until an end is closed, or a COMMIT is lost in this mode; then closes both ends.
fn copy(mut from: UnixStream, mut to: UnixStream, mode: &AtomicU8, losing: u8) {
    let mut buffer = vec![0; 65_536];
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        if mode.load(Ordering::SeqCst) == losing && contains(&buffer[..count], b"COMMIT\0") {
            mode.store(FORWARD, Ordering::SeqCst);
            break;
        }
        if to.write_all(&buffer[..count]).is_err() {
            break;
        }
    }
    drop((from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both)));
}

fn contains(bytes: &[u8], text: &[u8]) -> bool {
    bytes.windows(text.len()).any(|window| window == text)
}
