//! A server with PostgreSQL that a test has for itself, and can end.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use crate::workspace;

/// Prints the URL of the server, then runs `pg_ctl` for each line of the input as the user that the server belongs to.
const CONTROL: &str = r#"
echo "$CODECOMMIT_LOCAL_TEST_DATABASE"
data=${CODECOMMIT_LOCAL_TEST_DATABASE##*host=}/data
owner=()
if ((EUID == 0)); then owner=(runuser -u postgres -- env "PATH=$PATH"); fi
cd /
while read -r action; do
    "${owner[@]}" pg_ctl --pgdata="$data" --log="${data%/data}/server.log" --silent --wait $action </dev/null >&2
    echo done
done
"#;

/// A running server; it is ended when this value is dropped.
pub struct DatabaseServer {
    child: Child,
    url: String,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl DatabaseServer {
    /// Starts a server.
    pub fn start() -> Self {
        let mut command = Command::new(workspace().join("scripts/postgres"));
        command.args(["bash", "-euc", CONTROL]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().expect("the script is there");
        let input = child.stdin.take();
        let output = BufReader::new(child.stdout.take().expect("standard output is piped"));
        let mut server = Self { child, url: String::new(), input, output };
        server.url = server.line();
        server
    }

    /// Returns the URL for the flag `--database`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Ends all processes of the server at once, as a crash does, and starts it again.
    pub fn crash(&mut self) {
        let input = self.input.as_mut().expect("the input is open until the end");
        writeln!(input, "--mode=immediate restart").expect("the script reads");
        assert_eq!(self.line(), "done");
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).expect("the script prints text");
        line.trim_end().to_owned()
    }
}

impl Drop for DatabaseServer {
    fn drop(&mut self) {
        // The script removes the folder at the end of its input.
        drop(self.input.take());
        let _ = self.child.wait();
    }
}
