//! The start of the program: its errors, its commands, and the warnings of its log.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};

use tests::binary::Running;

use crate::settings::{folder, printed, program, refused};

#[test]
fn an_error_at_the_start_names_the_directory_the_reason_and_the_setting() {
    let folder = folder();
    fs::write(folder.path().join("file"), "").expect("the folder is writable");
    for (arguments, expected) in [
        (
            &["--data-dir", "file"][..],
            "data directory 'file': it is a file; move it away, or choose another with --data-dir",
        ),
        (
            &["--data-dir", "file/x"],
            "data directory 'file/x': 'file' is a file; move it away, or choose another with --data-dir",
        ),
        (
            &["--ephemeral", "--trail-dir", "file"],
            "trail directory 'file': it is a file; move it away, or choose another with --trail-dir",
        ),
        (
            &["--ephemeral", "--buckets-dir", "file"],
            "buckets directory 'file': it is a file; move it away, or choose another with --buckets-dir",
        ),
    ] {
        assert_eq!(refused(&folder, arguments), format!("codecommit-local: cannot open the {expected}\n"));
    }
    assert!(refused(&folder, &["--ephemeral", "--git-packs", "0"]).contains("git-packs: "));
    fs::write(folder.path().join("settings.toml"), "lisen = \"127.0.0.1:0\"\n").expect("the folder is writable");
    let message = refused(&folder, &["--config", "settings.toml"]);
    assert!(message.contains("settings.toml: line 1: unknown setting 'lisen'; did you mean 'listen'?"), "{message}");
}

#[test]
fn serve_is_the_same_as_no_command_and_version_the_same_as_its_flag() {
    let folder = folder();
    let mut command = program(folder.path());
    command.args(["serve", "--listen", "127.0.0.1:0", "--ephemeral", "true"]);
    assert_eq!(Running::start_command(command).terminate(), Some(0));
    assert_eq!(printed(&["version"]), printed(&["--version"]));
}

#[test]
fn the_log_warns_of_an_address_for_the_network_and_of_tls() {
    let folder = folder();
    let mut command = program(folder.path());
    command
        .args(["--listen", "0.0.0.0:0", "--ephemeral", "--tls", "off"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().expect("the program is built");
    let mut ready = String::new();
    BufReader::new(child.stdout.take().expect("the output is piped"))
        .read_line(&mut ready)
        .expect("the output is UTF-8");
    let (_, port) = ready.trim_end().rsplit_once(':').expect("the program is ready");
    let mut client = TcpStream::connect(format!("127.0.0.1:{port}")).expect("the program listens");
    client.write_all(&[22, 3, 1, 0, 5, 1, 0, 0, 1, 0]).expect("the program reads");
    client.read_to_end(&mut Vec::new()).expect("the program closes the connection");
    let killed = Command::new("kill").args(["-TERM", &child.id().to_string()]).status();
    assert!(killed.expect("kill is installed").success());
    let output = child.wait_with_output().expect("the program ends");
    let log = String::from_utf8(output.stderr).expect("the output is UTF-8");
    assert!(log.contains("everyone in the network can read and change all repositories"), "{log}");
    assert!(log.contains("received a TLS handshake"), "{log}");
    assert!(log.contains(&format!("AWS_ENDPOINT_URL_CODECOMMIT=http://127.0.0.1:{port}")), "{log}");
}

#[test]
fn several_servers_run_at_once_and_share_nothing() {
    let folder = folder();
    let start = &|number: usize| {
        let data = format!("data-{number}");
        let flags = if number.is_multiple_of(2) { vec!["--ephemeral"] } else { vec!["--data-dir", &data] };
        let mut command = program(folder.path());
        command.args(["--listen", "127.0.0.1:0", "--ssh-listen", "127.0.0.1:0"]).args(flags);
        Running::start_command(command)
    };
    let servers: Vec<_> = std::thread::scope(|scope| {
        let starts: Vec<_> = (0..8).map(|number| scope.spawn(move || start(number))).collect();
        starts.into_iter().map(|start| start.join().expect("the server starts")).collect()
    });
    let call = |server: &Running, operation: &str, body: &str| {
        let request = ureq::post(server.endpoint()).header("x-amz-target", format!("CodeCommit_20150413.{operation}"));
        request.send(body).expect("the call succeeds").body_mut().read_to_string().expect("the reply is text")
    };
    for (number, server) in servers.iter().enumerate() {
        call(server, "CreateRepository", &format!("{{\"repositoryName\":\"repository-{number}\"}}"));
    }
    for (number, server) in servers.iter().enumerate() {
        let listed = call(server, "ListRepositories", "{}");
        assert!(listed.contains(&format!("repository-{number}\"")), "{listed}");
        assert_eq!(listed.matches("repositoryName").count(), 1, "{listed}");
    }
    for server in servers {
        assert_eq!(server.terminate(), Some(0));
    }
}
