//! `--exit-with-parent`: the server ends with the process that started it, however that ends.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use tests::{binary, wait_until};

use crate::settings::{folder, program};

/// Starts the program with a pipe as its standard input; returns it with its ready line.
fn start(command: &mut Command) -> (Child, ChildStdin, String) {
    let child = command.args(["--listen", "127.0.0.1:0", "--ephemeral", "--quiet"]);
    let mut child = child.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the program is built");
    let input = child.stdin.take().expect("standard input is piped");
    let line = line(&mut BufReader::new(child.stdout.take().expect("standard output is piped")));
    (child, input, line)
}

fn line(output: &mut BufReader<ChildStdout>) -> String {
    let mut line = String::new();
    output.read_line(&mut line).expect("the program prints text");
    line.trim_end().to_owned()
}

fn is_empty(folder: &Path) -> bool {
    fs::read_dir(folder).expect("the folder exists").next().is_none()
}

#[test]
fn the_server_ends_with_a_parent_that_is_killed() {
    let folder = folder();
    let script = "coproc server { exec \"$0\" --exit-with-parent --ephemeral --quiet --listen 127.0.0.1:0; }
        echo \"$server_PID\"
        head --lines=1 <&\"${server[0]}\"
        read -r _ <&\"${server[0]}\"";
    let mut parent = Command::new("bash");
    parent.args(["-c", script]).arg(binary::path()).env("TMPDIR", folder.path()).stdout(Stdio::piped());
    let mut parent = parent.spawn().expect("bash is installed");
    let mut output = BufReader::new(parent.stdout.take().expect("standard output is piped"));
    let [id, ready] = [line(&mut output), line(&mut output)];
    let address = ready.strip_prefix("ready http://").expect("the server starts").to_owned();
    TcpStream::connect(&address).expect("the server listens");
    assert!(!is_empty(folder.path()));

    parent.kill().expect("the parent runs");
    parent.wait().expect("the parent is a child of this process");
    // A process that has ended, and for which its new parent has not waited yet, has no command line.
    let command_line = format!("/proc/{id}/cmdline");
    wait_until("the server ends", || {
        fs::read(&command_line).is_ok_and(|line| line.is_empty()) || !Path::new(&command_line).exists()
    });
    assert!(TcpStream::connect(&address).is_err());
    assert!(is_empty(folder.path()), "the temporary folder is removed");
}

#[test]
fn the_end_of_standard_input_is_a_clean_stop() {
    let folder = folder();
    let (mut child, mut input, line) = start(program(folder.path()).env("CODECOMMIT_LOCAL_EXIT_WITH_PARENT", "true"));
    assert!(line.starts_with("ready "), "{line}");
    input.write_all(b"What is written there means nothing.\n").expect("the server reads its standard input");
    assert_eq!(child.try_wait().expect("it is a child of this process"), None);
    drop(input);
    assert_eq!(child.wait().expect("it is a child of this process").code(), Some(0));
    assert!(is_empty(folder.path()));
}

#[test]
fn without_the_setting_the_server_survives_the_end_of_standard_input() {
    let folder = folder();
    let (mut child, input, line) = start(&mut program(folder.path()));
    drop(input);
    let address = line.strip_prefix("ready http://").expect("the server starts");
    TcpStream::connect(address).expect("the server listens");
    child.kill().expect("the server runs");
    child.wait().expect("it is a child of this process");
}

#[test]
fn a_standard_input_that_tells_no_end_is_refused_with_a_remedy() {
    let folder = folder();
    let ended = || {
        let (input, output) = std::io::pipe().expect("pipes can be made");
        drop(output);
        Stdio::from(input)
    };
    let file = || fs::File::open("/proc/self/status").expect("the file exists").into();
    for (input, reason) in [(Stdio::null(), "is no pipe"), (file(), "is no pipe"), (ended(), "ended before")] {
        let mut command = program(folder.path());
        command.args(["--listen", "127.0.0.1:0", "--ephemeral", "--quiet", "--exit-with-parent"]).stdin(input);
        let output = command.output().expect("the program is built");
        let message = String::from_utf8(output.stderr).expect("the message is text");
        assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0), "{message}");
        assert!(message.contains(reason) && message.contains("start the server with a pipe"), "{message}");
        assert!(is_empty(folder.path()));
    }
}
