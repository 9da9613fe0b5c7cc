//! OpenSSH's client, as `git` runs it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use tempfile::TempDir;

use crate::World;
use crate::clients::{Outcome, git_command, outcome};

/// The id of the key of the tests' user.
pub const KEY_ID: &str = "APKAEIBAERJR2EXAMPLE";

/// Two key pairs for all tests of the process, as generating one takes time.
static KEYS: LazyLock<TempDir> = LazyLock::new(|| {
    let folder = tempfile::tempdir().expect("a temporary folder can be created");
    for name in ["declared", "other"] {
        let mut command = Command::new("ssh-keygen");
        command.args(["-q", "-t", "rsa", "-b", "2048", "-N", "", "-C", "mary@example.com", "-f"]);
        outcome(command.arg(folder.path().join(name))).ok();
    }
    folder
});

/// Returns the file of a private key: `declared` or `other`.
pub fn key_file(name: &str) -> PathBuf {
    KEYS.path().join(name)
}

/// Returns an identities file with a user, who has the key `declared`.
pub fn identities() -> String {
    let key = fs::read_to_string(key_file("declared.pub")).expect("the file was created");
    format!(
        "[[account]]\nid = \"111122223333\"\n[[account.user]]\nname = \"Li_Juan\"\n\
         ssh_public_keys = [{{ id = \"{KEY_ID}\", key = \"{}\" }}]\n",
        key.trim_end()
    )
}

/// Returns the options of OpenSSH's client with a key; the host key is checked with a line for `known_hosts`, which is written to a
/// folder.
pub fn options(folder: &Path, known_host: &str, key: &str) -> Vec<String> {
    let known_hosts = folder.join("known_hosts");
    fs::write(&known_hosts, format!("{known_host}\n")).expect("the folder is writable");
    let option = |name: &str, value: &Path| format!("{name}={}", value.display());
    [
        ["-F", "none"].map(str::to_owned),
        ["-i".to_owned(), key_file(key).display().to_string()],
        ["-o".to_owned(), option("UserKnownHostsFile", &known_hosts)],
        ["-o", "GlobalKnownHostsFile=/dev/null"].map(str::to_owned),
        ["-o", "StrictHostKeyChecking=yes"].map(str::to_owned),
        ["-o", "IdentitiesOnly=yes"].map(str::to_owned),
        ["-o", "BatchMode=yes"].map(str::to_owned),
    ]
    .concat()
}

impl World {
    /// Starts a server with SSH and the user of [`identities`], with changed settings.
    pub fn with_ssh(change: impl FnOnce(&mut server::Settings)) -> Self {
        Self::with(|settings| {
            let data = settings.data_dir.as_ref().expect("the harness sets a data folder");
            let path = data.with_file_name("identities.toml");
            fs::write(&path, identities()).expect("the folder is writable");
            settings.identities = Some(path);
            settings.git.auth = Some(server::settings::GitAuth::Never);
            settings.ssh_listen = Some(([127, 0, 0, 1], 0).into());
            change(settings);
        })
    }

    /// Returns the port of SSH.
    pub fn ssh_port(&self) -> u16 {
        self.server().ssh_address().expect("SSH is on").port()
    }

    /// Returns the URL of a repository over SSH.
    pub fn ssh_url(&self, name: &str) -> String {
        format!("ssh://{KEY_ID}@127.0.0.1:{}/v1/repos/{name}", self.ssh_port())
    }

    /// Returns the options of OpenSSH's client with a key; the host key is checked.
    pub fn ssh_options(&self, key: &str) -> Vec<String> {
        options(self.folder(), &self.server().known_hosts("127.0.0.1").expect("SSH is on"), key)
    }

    /// Returns the command of OpenSSH's client for a login name.
    pub fn ssh_command(&self, key: &str, login: &str) -> Command {
        let mut command = Command::new("ssh");
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("HOME", self.folder());
        command.args(self.ssh_options(key)).args(["-p", &self.ssh_port().to_string()]);
        command.arg(format!("{login}@127.0.0.1"));
        command
    }

    /// Runs OpenSSH's client with the declared key.
    pub fn ssh(&self, arguments: &[&str]) -> Outcome {
        outcome(self.ssh_command("declared", KEY_ID).args(arguments))
    }

    /// Runs `git` over SSH with a key, in a folder below that of the test.
    pub fn git_over_ssh(&self, program: &str, key: &str, folder: &str, arguments: &[&str]) -> Outcome {
        let template = git_command(&self.folder().join(folder), arguments);
        let mut command = Command::new(program);
        command.args(arguments).current_dir(self.folder().join(folder)).env_clear();
        command.envs(template.get_envs().filter_map(|(name, value)| Some((name, value?))));
        command.env("GIT_SSH_COMMAND", format!("ssh {}", self.ssh_options(key).join(" ")));
        outcome(&mut command)
    }
}
