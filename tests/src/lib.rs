//! The test harness: a server inside the test, real clients for it, and its trail.
//!
//! **Invariant:** a test uses its own server on a free port, its own folders and its own environment.

pub mod binary;
pub mod bomb;
pub mod clients;
pub mod clock;
pub mod database;
pub mod database_server;
pub mod destination;
pub mod digests;
pub mod event_stream;
pub mod gate;
pub mod haproxy;
pub mod lfs;
pub mod model;
pub mod moto;
pub mod process;
pub mod push;
pub mod sdk;
pub mod seaweedfs;
pub mod signing;
pub mod ssh;
pub mod sts;
pub mod wire;

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Value;
use server::settings::GitAuth;
use server::{Server, Settings};
use tempfile::TempDir;
use tokio::runtime::Runtime;

pub use crate::clock::SteppingClock;
use crate::database::Schema;
pub use crate::wire::Reply;

/// Maximum time that a test waits for background work of the server.
const TIMEOUT: Duration = Duration::from_mins(1);

/// Time between two checks of a condition that a test waits for.
const CHECK_INTERVAL: Duration = Duration::from_millis(3);

/// Maximum size of a record and its newline, in bytes.
const RECORD_BYTES_MAX: u64 = 256 * 1024 + 1;

/// A running server and the folder of a test.
pub struct World {
    server: Option<Server>,
    runtime: Runtime,
    folder: TempDir,
    settings: Settings,
    /// Continues over restarts, so that no id occurs twice.
    clock: Arc<SteppingClock>,
    /// The database, if it is on a server.
    _schema: Option<Schema>,
}

impl Default for World {
    fn default() -> Self {
        Self::new()
    }
}

impl World {
    /// Starts a server with the default settings and a clock that moves with the calls only.
    pub fn new() -> Self {
        Self::with(|_settings| ())
    }

    /// Starts a server with changed settings.
    pub fn with(change: impl FnOnce(&mut Settings)) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be created");
        let runtime = Runtime::new().expect("threads can be started");
        let schema = Schema::take();
        let mut settings = Settings {
            listen: vec![([127, 0, 0, 1], 0).into()],
            data_dir: Some(folder.path().join("data")),
            database: schema.as_ref().map(Schema::settings),
            signing_key: Some(digests::signing_key()),
            ..Settings::default()
        };
        change(&mut settings);
        let mut world = Self { server: None, runtime, folder, settings, clock: Arc::default(), _schema: schema };
        world.start();
        world
    }

    /// Starts a server with an identities file.
    pub fn with_identities(file: &str) -> Self {
        Self::with(|settings| {
            let data = settings.data_dir.as_ref().expect("the harness sets a data folder");
            let path = data.with_file_name("identities.toml");
            std::fs::write(&path, file).expect("the folder is writable");
            settings.identities = Some(path);
            // Git commands without credentials are those of the default user.
            settings.git.auth = Some(GitAuth::Never);
        })
    }

    /// Restarts the server on its folders.
    pub fn restart(&mut self) {
        self.stop();
        self.start();
    }

    /// Restarts the server on its folders with changed settings.
    pub fn restart_with(&mut self, change: impl FnOnce(&mut Settings)) {
        self.stop();
        change(&mut self.settings);
        self.start();
    }

    /// Stops the server and keeps its folders.
    pub fn stop(&mut self) {
        if let Some(server) = self.server.take() {
            self.runtime.block_on(server.stop());
        }
    }

    fn start(&mut self) {
        // A start with an identities file reads the clock, which moves with the calls only.
        let (clock, position) = (Arc::clone(&self.clock), self.clock.position());
        let started = self.runtime.block_on(Server::start_with_clock(self.settings.clone(), clock));
        self.server = Some(started.expect("the server starts with these settings"));
        if self.settings.identities.is_some() {
            self.clock.set_position(position);
        }
    }

    /// Moves the clock of the server by a number of seconds; a negative number moves it back.
    pub fn move_clock(&self, seconds: i64) {
        self.clock.advance(seconds);
    }

    /// Returns the clock of the server.
    pub fn clock(&self) -> &SteppingClock {
        &self.clock
    }

    /// Returns the URL of the server.
    pub fn endpoint(&self) -> String {
        self.server().endpoint()
    }

    /// Returns the URL of the server with https.
    pub fn tls_endpoint(&self) -> String {
        self.endpoint().replace("http://", "https://")
    }

    /// Returns the file with the server's certificate authority.
    pub fn authority_file(&self) -> PathBuf {
        self.server().authority_file().expect("the server has a certificate authority")
    }

    /// Returns the addresses that the server listens on.
    pub fn addresses(&self) -> &[SocketAddr] {
        self.server().addresses()
    }

    /// Returns the port of the server.
    pub fn port(&self) -> u16 {
        self.server().address().port()
    }

    /// Returns the folder of the test.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Returns the folder of the trail.
    pub fn trail_folder(&self) -> PathBuf {
        self.settings.trail_dir.clone().unwrap_or_else(|| self.folder.path().join("data/trail"))
    }

    /// Returns the database of the server.
    pub fn store(&self) -> Arc<store::Store> {
        self.server().store()
    }

    /// Returns the URL of a repository in the default account and region.
    pub fn repository_url(&self, name: &str) -> String {
        format!("{}/v1/repos/{name}", self.endpoint())
    }

    /// Returns the access key of the administrator if the last start created it.
    pub fn new_administrator_key(&self) -> Option<server::settings::AccessKey> {
        self.server().new_administrator_key().cloned()
    }

    /// Returns the records in `events.ndjson` in their order.
    pub fn events(&self) -> Vec<Value> {
        read_events(&self.trail_folder())
    }

    /// Returns the last record in `events.ndjson`; only the end of the file is read, which holds it whole.
    pub fn last_event(&self) -> Value {
        let mut file = File::open(self.trail_folder().join("events.ndjson")).expect("events.ndjson exists");
        let length = file.metadata().expect("the file has a length").len();
        file.seek(SeekFrom::Start(length.saturating_sub(RECORD_BYTES_MAX))).expect("the position is in the file");
        let mut end = Vec::new();
        file.read_to_end(&mut end).expect("the file is readable");
        let line = end.trim_ascii_end().rsplit(|byte| *byte == b'\n').next().expect("a call was recorded");
        serde_json::from_slice(line).expect("every line is a record")
    }

    /// Runs a future of the SDK.
    pub fn run<F: Future>(&self, future: F) -> F::Output {
        self.runtime.block_on(future)
    }

    fn server(&self) -> &Server {
        self.server.as_ref().expect("the test has not stopped the server")
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Waits until a condition holds that background work of the server brings about; checks it every few milliseconds.
///
/// # Panics
///
/// If the condition does not hold within a minute.
pub fn wait_until(condition: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < TIMEOUT, "not within {TIMEOUT:?}: {condition}");
        // A short pause leaves the processor to the server.
        std::thread::park_timeout(CHECK_INTERVAL);
    }
}

/// Lists all files below a folder.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        // A file that the server removes meanwhile is skipped.
        for path in std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()) {
            if path.is_dir() { folders.push(path) } else { found.push(path) }
        }
    }
    found.sort();
    found
}

/// Returns the root folder of the workspace.
pub fn workspace() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// Reads `events.ndjson` in a trail folder. A server may be writing its last line, which is waited for.
pub fn read_events(folder: &Path) -> Vec<Value> {
    let mut text = Vec::new();
    wait_until("the last line of events.ndjson is complete", || {
        text = std::fs::read(folder.join("events.ndjson")).expect("events.ndjson exists");
        text.last().is_none_or(|last| *last == b'\n')
    });
    let lines = text.split_inclusive(|byte| *byte == b'\n');
    lines.map(|line| serde_json::from_slice(line).expect("every line is a record")).collect()
}

/// Reads the records of all log files in a trail folder, in no particular order; skips files that are still being written.
pub fn read_log_files(folder: &Path) -> Vec<Value> {
    let mut records = Vec::new();
    for path in log_files(folder).into_iter().filter(|path| path.extension().is_some_and(|end| end == "gz")) {
        let file = File::open(&path).expect("the file was listed");
        let content: Value =
            serde_json::from_reader(flate2::read::GzDecoder::new(file)).expect("a log file is JSON in one gzip member");
        records.extend(content["Records"].as_array().expect("a log file has records").clone());
    }
    records
}

/// Lists the log files of a trail folder, sorted.
pub fn log_files(folder: &Path) -> Vec<PathBuf> {
    let all = files(&folder.join("AWSLogs"));
    all.into_iter().filter(|path| !digests::is_digest(path)).collect()
}
