//! The program as a process of its own, for what only a process can do: be killed, be told by flags, print.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};

/// The program, running; it is killed when the test is done with it.
pub struct Running {
    child: Child,
    endpoint: String,
    _stdout: BufReader<ChildStdout>,
}

impl Running {
    /// Starts the program with a free port and the given arguments, and waits until it is ready.
    pub fn start(arguments: &[&str]) -> Self {
        let mut command = Command::new(path());
        command.env_clear().args(["--listen", "127.0.0.1:0"]).args(arguments);
        Self::start_command(command)
    }

    /// Starts the program as the test says, and waits until it is ready.
    pub fn start_command(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("the program is built");
        let mut stdout = BufReader::new(child.stdout.take().expect("it is piped"));
        let mut line = String::new();
        stdout.read_line(&mut line).expect("it prints text");
        let endpoint = line.trim_end().strip_prefix("ready ").unwrap_or_else(|| panic!("it printed {line:?}"));
        Self { child, endpoint: endpoint.to_owned(), _stdout: stdout }
    }

    /// The URL that it printed.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// The id of the process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Kills it as `kill -9` does.
    pub fn kill(mut self) {
        self.child.kill().expect("it runs");
        self.child.wait().expect("it is ours to wait for");
    }

    /// Asks it to end as `kill` does.
    pub fn signal(&self) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().expect("kill is there").success());
    }

    /// Asks it to end as `kill` does, and returns its exit status.
    pub fn terminate(self) -> Option<i32> {
        self.signal();
        self.wait()
    }

    /// Waits until it has ended, and returns its exit status.
    pub fn wait(mut self) -> Option<i32> {
        self.child.wait().expect("it is ours to wait for").code()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The program that was built beside the tests.
///
/// # Panics
///
/// If it was not built: the tests' own crate cannot depend on another crate's binary, so the scripts build it first.
pub fn path() -> PathBuf {
    beside("codecommit-local")
}

/// A program that was built beside the tests, by its name.
///
/// # Panics
///
/// If it was not built.
pub fn beside(name: &str) -> PathBuf {
    let tests = std::env::current_exe().expect("a test knows its own path");
    let folder = tests.ancestors().nth(2).expect("it is in the folder `deps` of a profile");
    let program = folder.join(name);
    assert!(program.exists(), "{} is not there: scripts/check builds what the tests start", program.display());
    program
}
