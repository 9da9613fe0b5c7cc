//! The program as a process, for tests of signals, flags and output.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};

use tempfile::NamedTempFile;

/// Bytes of a log that are shown.
const LOG_BYTES_MAX: u64 = 16_384;

/// The running program; it is killed when this value is dropped.
pub struct Running {
    child: Child,
    endpoint: String,
    /// What the program writes to standard error, which is shown when the test fails.
    ///
    /// The file has a name, as tests count the files of the program that have none.
    log: NamedTempFile,
    _stdout: BufReader<ChildStdout>,
}

impl Running {
    /// Starts the program on a free port with arguments, and waits until it is ready.
    pub fn start(arguments: &[&str]) -> Self {
        let mut command = Command::new(path());
        command.env_clear().args(["--listen", "127.0.0.1:0"]).args(arguments);
        Self::start_command(command)
    }

    /// Starts the program with a command, and waits until it is ready.
    pub fn start_command(mut command: Command) -> Self {
        let log = NamedTempFile::new().expect("the disk has space");
        let stderr = log.reopen().expect("the file is there");
        let mut child = command.stdout(Stdio::piped()).stderr(stderr).spawn().expect("the program is built");
        let mut stdout = BufReader::new(child.stdout.take().expect("standard output is piped"));
        let mut line = String::new();
        stdout.read_line(&mut line).expect("the program prints text");
        let endpoint = line.trim_end().strip_prefix("ready ").unwrap_or_else(|| {
            panic!("the program printed {line:?} instead of its URL, and {}", last_part(log.as_file()))
        });
        Self { child, endpoint: endpoint.to_owned(), log, _stdout: stdout }
    }

    /// Returns the URL that the program printed.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Returns the process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends SIGKILL and waits for the end of the process.
    pub fn kill(mut self) {
        self.child.kill().expect("the program runs");
        self.child.wait().expect("the program is a child of this process");
    }

    /// Sends SIGTERM.
    pub fn signal(&self) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().expect("kill is installed").success());
    }

    /// Sends SIGTERM, waits for the end of the process and returns its exit status.
    pub fn terminate(self) -> Option<i32> {
        self.signal();
        self.wait()
    }

    /// Waits for the end of the process and returns its exit status.
    pub fn wait(mut self) -> Option<i32> {
        self.child.wait().expect("the program is a child of this process").code()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // The process may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("the program at {} printed {}", self.endpoint, last_part(self.log.as_file()));
        }
    }
}

/// Returns the last part of what a program wrote to standard error.
fn last_part(mut log: &File) -> String {
    let mut bytes = Vec::new();
    let end = log.seek(SeekFrom::End(0)).expect("a file has an end");
    log.seek(SeekFrom::Start(end.saturating_sub(LOG_BYTES_MAX))).expect("the position is within the file");
    log.read_to_end(&mut bytes).expect("the file is readable");
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Returns the path of the program that was built with the tests.
///
/// # Panics
///
/// If it was not built: a crate of tests cannot depend on the binary of another crate, so the scripts build it first.
pub fn path() -> PathBuf {
    beside("codecommit-local")
}

/// Returns the path of a program that was built with the tests.
///
/// # Panics
///
/// If it was not built.
pub fn beside(name: &str) -> PathBuf {
    let tests = std::env::current_exe().expect("the path of a test is known");
    let folder = tests.ancestors().nth(2).expect("a test is in the folder `deps` of a profile");
    let program = folder.join(name);
    assert!(
        program.exists(),
        "{} does not exist: run scripts/check, which builds the programs that tests start",
        program.display()
    );
    program
}
