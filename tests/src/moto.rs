//! moto's server, which stands in for the other services of AWS.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use crate::clients::python_folder;

/// moto, running; it is killed when the test is done with it.
pub struct Moto {
    child: Child,
    url: String,
}

impl Moto {
    /// Starts it on a free port, and waits until it is ready.
    pub fn start() -> Self {
        let mut command = Command::new(python_folder().join("moto_server"));
        command.args(["--host", "127.0.0.1", "--port", "0"]).env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        let spawned = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
        let mut child = spawned.expect("scripts/clients installs what the tests need");
        let mut log = BufReader::new(child.stderr.take().expect("it is piped")).lines().map_while(Result::ok);
        let url = log.find_map(|line| Some(line.split_once("Running on ")?.1.trim().to_owned()));
        // What it says later is read too, or it would wait for that.
        std::thread::spawn(move || log.for_each(drop));
        Self { child, url: url.expect("it says where it listens") }
    }

    /// The URL of all of its services.
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
