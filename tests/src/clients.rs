//! Real clients: `git`, other Git clients, the AWS CLI and Python, in an environment without settings of the machine.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use crate::{World, binary};

/// The output and the result of a client.
#[derive(Debug)]
pub struct Outcome {
    /// Whether the client succeeded.
    pub success: bool,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl Outcome {
    /// Returns standard output without its last newline; fails the test if the client failed.
    pub fn ok(self) -> String {
        assert!(self.success, "the client failed\n{}\n{}", self.out, self.err);
        self.out.trim_end().to_owned()
    }

    /// Returns standard error; fails the test if the client succeeded.
    pub fn failed(self) -> String {
        assert!(!self.success, "the client succeeded\n{}\n{}", self.out, self.err);
        self.err
    }
}

impl World {
    /// Runs `git` in a folder below that of the test.
    pub fn git(&self, folder: &str, arguments: &[&str]) -> Outcome {
        git(&self.folder().join(folder), arguments)
    }

    /// Creates a repository with one commit in a folder below that of the test, and returns the id of the commit.
    pub fn git_repository(&self, folder: &str) -> String {
        self.git(".", &["init", "--quiet", "--initial-branch=main", folder]).ok();
        self.git_commit(folder, "README.md", "A demonstration.\n")
    }

    /// Commits a file and returns the id of the commit.
    pub fn git_commit(&self, folder: &str, file: &str, content: &str) -> String {
        let path = self.folder().join(folder).join(file);
        std::fs::create_dir_all(path.parent().expect("the file is in a folder")).expect("the folder is writable");
        std::fs::write(path, content).expect("the folder is writable");
        self.git(folder, &["add", "--all"]).ok();
        self.git(folder, &["commit", "--quiet", "--message", file]).ok();
        self.git(folder, &["rev-parse", "HEAD"]).ok()
    }

    /// Runs the AWS CLI against the server.
    pub fn aws(&self, arguments: &[&str]) -> Outcome {
        aws(self.folder(), &self.endpoint(), arguments)
    }

    /// Runs a Python program against the server.
    pub fn python(&self, program: &str) -> Outcome {
        outcome(python_environment("python", self.folder(), &self.endpoint()).args(["-c", program]))
    }
}

/// Runs the AWS CLI in a folder, against an endpoint.
pub fn aws(folder: &Path, endpoint: &str, arguments: &[&str]) -> Outcome {
    outcome(python_environment("aws", folder, endpoint).args(arguments))
}

/// Returns the command of a program of the pinned Python environment, as a client of an endpoint.
pub fn python_environment(program: &str, folder: &Path, endpoint: &str) -> Command {
    let mut command = Command::new(python_folder().join(program));
    command
        .current_dir(folder)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", folder)
        .env("AWS_ENDPOINT_URL", endpoint)
        .env("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
        .env("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
        .env("AWS_DEFAULT_REGION", "us-east-1")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("AWS_PAGER", "");
    command
}

/// Git clients other than `git`; each has a program in `tests/clients`, all with the same commands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GitClient {
    /// Git in Python.
    Dulwich,
    /// libgit2 with its Python bindings.
    Pygit2,
    /// Git in JavaScript.
    IsomorphicGit,
    /// Git in Rust.
    Gix,
}

impl World {
    /// Runs the program of a Git client in the folder of the test.
    pub fn git_client(&self, client: GitClient, arguments: &[&str]) -> Outcome {
        let program = |path| Path::new(env!("CARGO_MANIFEST_DIR")).join("clients").join(path);
        let mut command = match client {
            GitClient::Dulwich => interpreted(python_folder().join("python"), program("dulwich/client.py")),
            GitClient::Pygit2 => interpreted(python_folder().join("python"), program("pygit2/client.py")),
            GitClient::IsomorphicGit => interpreted("node".into(), program("isomorphic-git/client.mjs")),
            GitClient::Gix => Command::new(binary::beside("gix-client")),
        };
        command
            .args(arguments)
            .current_dir(self.folder())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.folder());
        outcome(&mut command)
    }
}

fn interpreted(interpreter: PathBuf, program: PathBuf) -> Command {
    let mut command = Command::new(interpreter);
    command.arg(program);
    command
}

/// Runs `git` in a folder.
pub fn git(folder: &Path, arguments: &[&str]) -> Outcome {
    outcome(&mut git_command(folder, arguments))
}

/// Runs `git` with an input and returns its output; fails the test if `git` fails.
pub fn git_fed(folder: &Path, arguments: &[&str], input: &[u8]) -> Vec<u8> {
    let mut command = git_command(folder, arguments);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("git is installed");
    child.stdin.take().expect("standard input is piped").write_all(input).expect("git reads its input");
    let output = child.wait_with_output().expect("git ends");
    assert!(output.status.success(), "{arguments:?}");
    output.stdout
}

/// Returns the command that runs `git` in a folder.
pub fn git_command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new("git");
    command
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", folder)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("LC_ALL", "C");
    for role in ["AUTHOR", "COMMITTER"] {
        command
            .env(format!("GIT_{role}_NAME"), "Mary Major")
            .env(format!("GIT_{role}_EMAIL"), "mary_major@example.com")
            .env(format!("GIT_{role}_DATE"), "1481739554 +0000");
    }
    command
}

/// Runs a program.
pub fn outcome(command: &mut Command) -> Outcome {
    let Output { status, stdout, stderr } = command.output().unwrap_or_else(|error| {
        panic!(
            "cannot run {}: {error}; run scripts/clients, which installs the clients of the tests",
            command.get_program().display()
        )
    });
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Outcome { success: status.success(), out: text(stdout), err: text(stderr) }
}

/// Returns the folder of programs of the pinned Python environment, which `scripts/clients` creates.
pub fn python_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../.venv/bin")
}
