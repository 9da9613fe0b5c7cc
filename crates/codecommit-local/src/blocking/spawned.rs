//! The server as a process of the installed program.
//!
//! **Invariant:** the process ends with this one, because it watches the pipe of its standard input.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader};
use std::net::SocketAddr;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use super::{Backend, Error, binary, local_request};
use crate::records::POLL_INTERVAL;

/// Prefix of the environment variables that are settings of the program.
const SETTINGS_PREFIX: &str = "CODECOMMIT_LOCAL_";

/// Bytes of the log that an error shows: its end.
const LOG_BYTES_MAX: u64 = 16 << 10;

/// How to start the installed program.
#[derive(Clone, Debug)]
pub struct SpawnOptions {
    /// Path of the program; `None` searches it.
    pub binary: Option<PathBuf>,
    /// Data folder, which stays; `None` is a temporary one that is removed at the end.
    pub data_dir: Option<PathBuf>,
    /// Further flags, such as `--identities` and its file. The settings of environment variables do not count.
    pub arguments: Vec<String>,
    /// Time after which the start has failed.
    pub start_timeout: Duration,
    /// Time after which a stopping program is killed.
    pub stop_timeout: Duration,
}

impl Default for SpawnOptions {
    fn default() -> Self {
        Self {
            binary: None,
            data_dir: None,
            arguments: Vec::new(),
            start_timeout: Duration::from_secs(30),
            stop_timeout: Duration::from_secs(10),
        }
    }
}

/// A process of the program.
pub(super) struct Spawned {
    process: Process,
    endpoint: String,
    address: SocketAddr,
    data_folder: PathBuf,
    trail_folder: PathBuf,
}

/// A child process, which stops when this is dropped.
struct Process {
    child: Child,
    log: Log,
    stop_timeout: Duration,
}

impl Spawned {
    pub(super) fn start(options: SpawnOptions) -> Result<Self, Error> {
        let SpawnOptions { binary, data_dir, arguments, start_timeout, stop_timeout } = options;
        let program = binary.map_or_else(binary::find, Ok)?;
        let failed =
            |reason: &dyn std::fmt::Display| Error::new(format!("cannot start {}: {reason}", program.display()));
        let log = Log::create().map_err(|error| failed(&error))?;
        let mut command = Command::new(&program);
        let settings = std::env::vars_os().map(|(name, _)| name);
        for name in settings.filter(|name| name.to_string_lossy().starts_with(SETTINGS_PREFIX)) {
            command.env_remove(name);
        }
        command.args(["--listen", "127.0.0.1:0", "--quiet", "--allow-reset", "--exit-with-parent"]);
        match &data_dir {
            Some(folder) => command.arg("--data-dir").arg(folder),
            None => command.arg("--ephemeral"),
        };
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped());
        command.stderr(log.writer().map_err(|error| failed(&error))?);
        let child = command.spawn().map_err(|error| failed(&error))?;
        let mut process = Process { child, log, stop_timeout };
        let line = process.first_line(start_timeout).map_err(|reason| failed(&reason).with_log(process.log.end()))?;
        Self::ready(process, &line).map_err(|(error, log)| error.with_log(log))
    }

    /// Asks a process for its folders; `line` is its first line, `ready URL`.
    fn ready(process: Process, line: &str) -> Result<Self, (Error, String)> {
        let started = || {
            let unexpected = || Error::new(format!("the program printed '{line}' instead of 'ready URL'"));
            let endpoint = line.strip_prefix("ready ").ok_or_else(unexpected)?.to_owned();
            let address =
                endpoint.rsplit('/').next().and_then(|address| address.parse().ok()).ok_or_else(unexpected)?;
            let folders = local_request::send(&endpoint, "GET", "/_local/folders")?;
            let folder = |name: &str| {
                let path = folders[name].as_str().map(PathBuf::from);
                path.ok_or_else(|| {
                    Error::new(format!("the server does not name its {name} folder; use a program of this version"))
                })
            };
            Ok((endpoint, address, folder("data")?, folder("trail")?))
        };
        match started() {
            Ok((endpoint, address, data_folder, trail_folder)) => {
                Ok(Self { process, endpoint, address, data_folder, trail_folder })
            }
            Err(error) => Err((error, process.log.end())),
        }
    }

    fn post(&self, path: &str) -> Result<(), Error> {
        let sent = local_request::send(&self.endpoint, "POST", path);
        sent.map(drop).map_err(|error| error.with_log(self.process.log.end()))
    }
}

impl Backend for Spawned {
    fn endpoint(&self) -> String {
        self.endpoint.clone()
    }

    fn addresses(&self) -> &[SocketAddr] {
        std::slice::from_ref(&self.address)
    }

    fn authority_file(&self) -> Option<PathBuf> {
        let file = self.data_folder.join("ca.pem");
        file.is_file().then_some(file)
    }

    fn data_folder(&self) -> &Path {
        &self.data_folder
    }

    fn trail_folder(&self) -> &Path {
        &self.trail_folder
    }

    fn reset(&self) -> Result<(), Error> {
        self.post("/_local/reset")
    }

    fn snapshot(&self, name: &str) -> Result<(), Error> {
        self.post(&format!("/_local/snapshots/{}", local_request::segment(name)))
    }

    fn restore(&self, name: &str) -> Result<(), Error> {
        self.post(&format!("/_local/snapshots/{}/restore", local_request::segment(name)))
    }
}

impl Process {
    /// Waits for the first line of standard output; fails with the reason why there is none.
    fn first_line(&mut self, timeout: Duration) -> Result<String, String> {
        let stdout = self.child.stdout.take().ok_or("standard output is not piped")?;
        let (sender, lines) = mpsc::channel();
        // It ends with the process, which closes its standard output.
        thread::spawn(move || read_lines(stdout, &sender));
        match lines.recv_timeout(timeout) {
            Ok(line) => Ok(line),
            Err(mpsc::RecvTimeoutError::Timeout) => Err(format!("it was not ready after {timeout:?}")),
            Err(mpsc::RecvTimeoutError::Disconnected) => {
                let ended = self.child.wait().map(|status| status.to_string());
                Err(format!("it ended before it was ready: {}", ended.unwrap_or_else(|error| error.to_string())))
            }
        }
    }

    /// Returns whether the process has ended within a time.
    fn ends_within(&mut self, timeout: Duration) -> bool {
        let end = Instant::now() + timeout;
        while Instant::now() < end {
            if matches!(self.child.try_wait(), Ok(Some(_))) {
                return true;
            }
            thread::sleep(POLL_INTERVAL);
        }
        false
    }
}

/// Sends the first line of a stream, and discards the others.
fn read_lines(stdout: ChildStdout, first: &mpsc::Sender<String>) {
    for line in BufReader::new(stdout).lines().map_while(Result::ok) {
        // Later lines have no receiver.
        drop(first.send(line));
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // The end of its standard input stops the server.
        drop(self.child.stdin.take());
        if !self.ends_within(self.stop_timeout) {
            // It can have ended meanwhile.
            drop(self.child.kill());
            drop(self.child.wait());
        }
    }
}

/// The log of a process, in a file without a name.
struct Log(File);

impl Log {
    fn create() -> io::Result<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("codecommit-local-{}-{}.log", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        let file = File::options().read(true).append(true).create_new(true).open(&path)?;
        fs::remove_file(path)?;
        Ok(Self(file))
    }

    /// Returns the file as the standard error of a process.
    fn writer(&self) -> io::Result<Stdio> {
        self.0.try_clone().map(Stdio::from)
    }

    /// Returns the end of the log.
    fn end(&self) -> String {
        let length = self.0.metadata().map_or(0, |metadata| metadata.len());
        let start = length.saturating_sub(LOG_BYTES_MAX);
        let mut bytes = vec![0; usize::try_from(length - start).unwrap_or_default()];
        match self.0.read_exact_at(&mut bytes, start) {
            Ok(()) => String::from_utf8_lossy(&bytes).into_owned(),
            Err(error) => format!("(the log cannot be read: {error})"),
        }
    }
}
