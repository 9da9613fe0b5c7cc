//! Settings of the program in flags, environment variables and a file, and its output.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;
use tests::binary::{self, Running};
use tests::{wire, workspace};
use ureq::http::Request;

/// Returns the flags in a text, without `--help` and `--version`.
fn flags(text: &str) -> BTreeSet<String> {
    let words = text.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '-');
    let flags = words.filter_map(|word| word.strip_prefix("--")).filter(|flag| !flag.is_empty());
    flags.filter(|flag| !["help", "version"].contains(flag)).map(str::to_owned).collect()
}

/// Returns the flags in the table of settings in the README of the program.
fn promised() -> BTreeSet<String> {
    let readme = fs::read_to_string(workspace().join("crates/codecommit-local/README.md")).expect("the file exists");
    let (_, part) = readme.split_once("\n## Settings\n").expect("the README describes the settings");
    let part = part.split("\n## ").next().expect("there is a first part");
    let names = part.lines().filter_map(|line| line.strip_prefix("| `--")?.split(" | ").next());
    names.flat_map(|names| flags(&format!("--{names}"))).collect()
}

/// Returns a command that runs the program in a folder with an empty environment.
pub(crate) fn program(folder: &Path) -> Command {
    let mut command = Command::new(binary::path());
    command.env_clear().current_dir(folder).env("TMPDIR", folder);
    command
}

pub(crate) fn folder() -> TempDir {
    tempfile::tempdir().expect("a temporary folder can be created")
}

fn variable(flag: &str) -> String {
    format!("CODECOMMIT_LOCAL_{}", flag.to_uppercase().replace('-', "_"))
}

/// Starts the program on a free port with arguments, variables and the lines of a configuration file.
fn start(folder: &TempDir, arguments: &[&str], variables: &[(&str, &str)], file: &str) -> Running {
    let mut command = program(folder.path());
    command.args(["--listen", "127.0.0.1:0"]).args(arguments);
    for (flag, value) in variables {
        command.env(variable(flag), value);
    }
    if !file.is_empty() {
        fs::write(folder.path().join("settings.toml"), file).expect("the folder is writable");
        command.args(["--config", "settings.toml"]);
    }
    Running::start_command(command)
}

fn call(endpoint: &str, operation: &str, input: &Value) -> (u16, Value) {
    let reply = wire::send(wire::request(endpoint, operation, input));
    (reply.status, reply.json())
}

/// Returns the account and region of a repository that is created without credentials.
fn place(endpoint: &str, name: &str) -> String {
    let (_, created) = call(endpoint, "CreateRepository", &json!({ "repositoryName": name }));
    created["repositoryMetadata"]["Arn"].as_str().expect("the name is free").to_owned()
}

/// Asserts that the program fails; returns its error.
pub(crate) fn refused(folder: &TempDir, arguments: &[&str]) -> String {
    let output = program(folder.path())
        .args(["--listen", "127.0.0.1:0"])
        .args(arguments)
        .output()
        .expect("the program is built");
    failure(&output)
}

fn failure(output: &Output) -> String {
    assert!(!output.status.success(), "{output:?}");
    assert!(output.stdout.is_empty(), "{output:?}");
    String::from_utf8(output.stderr.clone()).expect("the output is UTF-8")
}

#[test]
fn a_flag_wins_over_a_variable_and_a_variable_over_the_file() {
    let file = "account = \"333333333333\"\nregion = \"eu-west-3\"\nrepository-limit = 1\n";
    let variables = [("account", "222222222222"), ("region", "eu-west-2")];
    let folder = folder();
    let running = start(&folder, &["--account", "111111111111"], &variables, file);
    assert_eq!(place(running.endpoint(), "MyDemoRepo"), "arn:aws:codecommit:eu-west-2:111111111111:MyDemoRepo");
    let (_, refused) = call(running.endpoint(), "CreateRepository", &json!({ "repositoryName": "MySecondRepo" }));
    assert_eq!(refused["__type"], "RepositoryLimitExceededException");
}

#[test]
fn flags_variables_and_the_file_set_the_same_settings() {
    let given = [
        ("data-dir", "data"),
        ("trail-dir", "the-trail"),
        ("account", "444455556666"),
        ("region", "us-east-2"),
        ("log-interval", "1h"),
        ("log-size", "1KB"),
        ("event-version", "1.11"),
        ("console-events", "client"),
        ("max-body", "2KB"),
        ("durability", "full"),
        ("git-capabilities", "full"),
        ("repository-limit", "2"),
        ("trail-limit", "2"),
        ("allow-reset", "true"),
        ("log-format", "json"),
    ];
    let flags: Vec<String> = given.iter().map(|(flag, value)| format!("--{flag}={value}")).collect();
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    let lines = given.iter().map(|(flag, value)| match *value {
        "2" | "true" => format!("{flag} = {value}\n"),
        _ => format!("{flag} = \"{value}\"\n"),
    });
    let file: String = lines.collect();
    for (arguments, variables, file) in [(&flags[..], &[][..], ""), (&[], &given, ""), (&[], &[], &file)] {
        let folder = folder();
        let running = start(&folder, arguments, variables, file);
        assert_eq!(place(running.endpoint(), "a"), "arn:aws:codecommit:us-east-2:444455556666:a");
        let (status, _) = call(running.endpoint(), "GetRepository", &json!({ "repositoryName": "a".repeat(3_000) }));
        assert_eq!(status, 413);
        place(running.endpoint(), "b");
        let (_, third) = call(running.endpoint(), "CreateRepository", &json!({ "repositoryName": "c" }));
        assert_eq!(third["__type"], "RepositoryLimitExceededException");
        let trail =
            |name: &str| call(running.endpoint(), "CreateTrail", &json!({ "Name": name, "S3BucketName": "my-logs" })).1;
        let made = ["one", "two", "three"].map(|name| trail(name)["__type"].clone());
        assert_eq!(made, [Value::Null, Value::Null, json!("MaximumNumberOfTrailsExceededException")]);
        let events = tests::read_events(&folder.path().join("the-trail"));
        assert_eq!((events.len(), &events[0]["eventVersion"]), (7, &json!("1.11")));
        assert!(folder.path().join("data/codecommit.db").exists());
        let refs = format!("{}/v1/repos/a/info/refs?service=git-upload-pack", running.endpoint());
        let reply = wire::send(Request::get(refs).body(Vec::new()).expect("the request is well formed"));
        assert!(reply.text().contains("agent="), "{}", reply.text());
        let reset = format!("{}/_local/reset", running.endpoint());
        assert_eq!(wire::send(Request::post(reset).body(Vec::new()).expect("the request is well formed")).status, 200);
        assert_eq!(running.terminate(), Some(0));
    }
}

#[test]
fn the_file_can_simulate_what_the_flags_cannot() {
    let file = "[simulate]\ncreate_repository_not_allowed = true\n";
    let folder = folder();
    let running = start(&folder, &["--ephemeral"], &[], file);
    let (_, refused) = call(running.endpoint(), "CreateRepository", &json!({ "repositoryName": "MyDemoRepo" }));
    assert_eq!(refused["__type"], "OperationNotAllowedException");
}

#[test]
fn the_file_can_make_calls_fail() {
    let file = "[[simulate.failure]]\noperation = \"List*\"\nerror = \"ThrottlingException\"\ntimes = 1\n";
    let folder = folder();
    let running = start(&folder, &["--ephemeral"], &[], file);
    let list = || call(running.endpoint(), "ListRepositories", &json!({})).1;
    assert_eq!(list()["__type"], "ThrottlingException");
    assert_eq!(list(), json!({ "repositories": [] }));
}

#[test]
fn an_invalid_setting_is_refused_with_a_remedy() {
    let mut silent = Vec::new();
    for (setting, value, advice) in [
        ("listen", "nowhere", "127.0.0.1:4599"),
        ("ssh-listen", "2222", "127.0.0.1:4599"),
        ("account", "12", "111122223333"),
        ("region", "Ohio", "us-east-1"),
        ("log-interval", "soon", "5s"),
        ("log-interval", "0s", "5s"),
        ("log-size", "much", "5MB"),
        ("digest-interval", "often", "5s"),
        ("digest-interval", "500ms", "1s"),
        ("signing-key", "nothing.pem", "nothing.pem"),
        ("key-rotation", "never", "5s"),
        ("max-body", "-1", "5MB"),
        ("event-version", "2", "1.05"),
        ("console-events", "browser", "aws-internal"),
        ("durability", "some", "normal"),
        ("git-capabilities", "most", "aws"),
        ("git-max-pack", "huge", "5MB"),
        ("git-max-object", "0", "5MB"),
        ("git-timeout", "never", "5s"),
        ("git-cache", "some", "5MB"),
        ("cache-memory", "0", "5MB"),
        ("cache-idle", "never", "5s"),
        ("git-prune-age", "old", "5s"),
        ("git-lfs", "yes", "on"),
        ("lfs-max-object", "0", "5MB"),
        ("lfs-quota", "much", "5MB"),
        ("lfs-cache", "some", "5MB"),
        ("lfs-check", "true", "on"),
        ("lfs-archives", "files", "pointers"),
        ("lfs-events", "none", "off"),
        ("log-format", "xml", "json"),
        ("config", "nothing.toml", "nothing.toml"),
        ("identities", "nothing.toml", "nothing.toml"),
    ] {
        let folder = folder();
        let mut refused = |argument: &str| {
            let output = program(folder.path()).args([argument, "--ephemeral"]).output().expect("the program is built");
            let message = failure(&output);
            if !message.contains(advice) {
                silent.push(format!("{setting} by {argument} does not say {advice}: {message}"));
            }
        };
        refused(&format!("--{setting}={value}"));
        if setting != "config" {
            let line = format!("{setting} = \"{value}\"\n");
            fs::write(folder.path().join("settings.toml"), line).expect("the folder is writable");
            refused("--config=settings.toml");
        }
    }
    assert!(silent.is_empty(), "{}", silent.join("\n"));
}

#[test]
fn the_flag_ephemeral_takes_precedence_over_a_folder_in_a_variable_or_the_file() {
    for (variables, file) in [(&[("data-dir", "kept")][..], ""), (&[], "data-dir = \"kept\"\n")] {
        let folder = folder();
        let given = if file.is_empty() { Vec::new() } else { vec!["--config", "settings.toml"] };
        fs::write(folder.path().join("settings.toml"), file).expect("the folder is writable");
        let mut command = program(folder.path());
        command.args(["--listen", "127.0.0.1:0", "--ephemeral"]).args(given);
        command.envs(variables.iter().map(|(flag, value)| (variable(flag), *value)));
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program is built");
        let mut ready = String::new();
        BufReader::new(child.stdout.take().expect("the stream is piped"))
            .read_line(&mut ready)
            .expect("the output is UTF-8");
        // The process may have ended already.
        let _ = child.kill();
        let output = child.wait_with_output().expect("the process is a child of the test");
        assert!(ready.starts_with("ready "), "{}", String::from_utf8_lossy(&output.stderr));
        assert!(!folder.path().join("kept").exists());
    }
}

#[test]
fn the_variable_for_ephemeral_takes_precedence_over_that_for_a_folder() {
    let folder = folder();
    let running = start(&folder, &[], &[("ephemeral", "true"), ("data-dir", "kept")], "");
    place(running.endpoint(), "MyDemoRepo");
    assert!(!folder.path().join("kept").exists());
}

#[test]
fn a_flag_for_a_folder_takes_precedence_over_ephemeral_in_a_variable_or_the_file() {
    for (variables, file) in [(&[("ephemeral", "true")][..], ""), (&[], "ephemeral = true\n")] {
        let folder = folder();
        let running = start(&folder, &["--data-dir", "kept"], variables, file);
        place(running.endpoint(), "MyDemoRepo");
        assert!(folder.path().join("kept/codecommit.db").exists());
    }
}

#[test]
fn a_folder_that_another_server_uses_is_refused() {
    let folder = folder();
    let running = start(&folder, &["--data-dir", "data"], &[], "");
    let message = refused(&folder, &["--data-dir", "data"]);
    assert!(message.contains("another server") && message.contains("--data-dir"), "{message}");
    assert_eq!(running.terminate(), Some(0));
    start(&folder, &["--data-dir", "data"], &[], "");
}

#[test]
fn an_unknown_setting_is_refused_by_name() {
    let folder = folder();
    assert!(refused(&folder, &["--colour"]).contains("--colour"));
    for line in [
        "colour = 1",
        "[simulate]\ncolour = 1",
        "[triggers]\ncolour = 1",
        "[buckets.far]\nendpoint = \"http://127.0.0.1:9000\"\ncolour = 1",
        "[simulate.encryption_keys]\na = \"colour\"",
    ] {
        fs::write(folder.path().join("settings.toml"), line).expect("the folder is writable");
        let message = refused(&folder, &["--config", "settings.toml"]);
        assert!(message.contains("settings.toml") && message.contains("colour"), "{message}");
    }
    fs::write(folder.path().join("settings.toml"), "[buckets.far]\nsecret-access-key wJalrXUtnFEMI")
        .expect("the folder is writable");
    let message = refused(&folder, &["--config", "settings.toml"]);
    assert!(message.contains("settings.toml: line 2") && !message.contains("wJalr"), "{message}");
    let message = refused(&folder, &["--ephemeral", "--data-dir", "data"]);
    assert!(message.contains("write one of them"), "{message}");
}

#[test]
fn an_address_in_use_is_reported() {
    let folder = folder();
    let running = start(&folder, &["--ephemeral"], &[], "");
    let taken = running.endpoint().trim_start_matches("http://");
    let message = failure(
        &program(folder.path()).args(["--ephemeral", "--listen", taken]).output().expect("the program is built"),
    );
    assert!(message.contains(taken) && message.contains("--listen"), "{message}");
}

#[test]
fn help_and_the_readme_name_each_flag_and_its_variable() {
    let folder = folder();
    let output = program(folder.path()).arg("--help").output().expect("the program is built");
    assert!(output.status.success());
    let help = String::from_utf8(output.stdout).expect("the output is UTF-8");
    let (settings, _) = help.split_once("\nExamples:\n").expect("the text ends with examples");
    let offered = flags(settings);
    for flag in &offered {
        assert!(help.contains(&variable(flag)), "{}\n{help}", variable(flag));
    }
    assert_eq!(offered, promised(), "--help and the README's table of settings");
    let version = program(folder.path()).arg("--version").output().expect("the program is built");
    let version = String::from_utf8(version.stdout).expect("the output is UTF-8");
    let commit =
        version.trim_end().strip_prefix("codecommit-local 0.1.0 (").expect("the tests are built in a repository");
    assert!(commit.strip_suffix(')').is_some_and(|id| id.bytes().all(|byte| byte.is_ascii_hexdigit())), "{version}");
    let short = program(folder.path()).arg("-h").output().expect("the program is built");
    let short = String::from_utf8(short.stdout).expect("the output is UTF-8");
    assert!(short.contains("\nExamples:\n") && short.lines().count() < help.lines().count() / 2, "{short}");
    for heading in ["Server", "Data", "Callers", "Trail", "Git", "Quotas", "Program log"] {
        assert!(help.contains(&format!("\n{heading}:\n")), "{heading}\n{help}");
    }
}

/// Returns the standard output of the program; fails the test if the program fails.
pub(crate) fn printed(arguments: &[&str]) -> String {
    let output = program(folder().path()).args(arguments).output().expect("the program is built");
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).expect("the output is UTF-8")
}

#[test]
fn completions_and_a_manual_page_name_the_settings_and_commands() {
    for shell in ["bash", "fish", "zsh"] {
        let completions = printed(&["completions", shell]);
        for word in ["log-interval", "verify", "follow"] {
            assert!(completions.contains(word), "{shell}: {word}");
        }
    }
    let manual = printed(&["man"]);
    assert!(manual.contains(".TH codecommit") && manual.contains("log\\-interval"), "{manual}");
}

#[test]
fn a_shell_can_evaluate_the_environment_of_a_client() {
    let program = binary::path();
    let script = format!(
        "eval \"$('{}' env --endpoint http://127.0.0.1:9/ --region eu-west-1)\" && git config --get-urlmatch credential.helper \
         http://127.0.0.1:9 && echo $AWS_ENDPOINT_URL_CODECOMMIT $AWS_ENDPOINT_URL_CLOUDTRAIL $AWS_ENDPOINT_URL_STS \
         $AWS_ENDPOINT_URL_IAM $AWS_REGION $AWS_DEFAULT_REGION $AWS_ACCESS_KEY_ID",
        program.display()
    );
    let output = Command::new("sh").args(["-c", &script]).output().expect("there is a shell");
    let endpoint = "http://127.0.0.1:9";
    let expected = format!(
        "!f() {{ aws codecommit credential-helper $1 $([ $1 = get ] && echo --ignore-host-check); }}; f\n\
         {endpoint} {endpoint} {endpoint} {endpoint} eu-west-1 eu-west-1 AKIAIOSFODNN7EXAMPLE\n"
    );
    assert_eq!(String::from_utf8_lossy(&output.stdout), expected, "{output:?}");
}

/// Starts the program, makes a successful and a failing call, and returns its log.
fn log(arguments: &[&str]) -> String {
    let folder = folder();
    let mut command = program(folder.path());
    command
        .args(["--listen", "127.0.0.1:0", "--ephemeral"])
        .args(arguments)
        .stderr(Stdio::piped())
        .stdout(Stdio::piped());
    let mut child = command.spawn().expect("the program is built");
    let mut ready = String::new();
    BufReader::new(child.stdout.take().expect("the stream is piped"))
        .read_line(&mut ready)
        .expect("the output is UTF-8");
    let endpoint = ready.trim_end().strip_prefix("ready ").expect("the line is the ready line");
    place(endpoint, "MyDemoRepo");
    assert_eq!(call(endpoint, "GetRepository", &json!({ "repositoryName": "absent" })).0, 400);
    let bucket = format!("{endpoint}/codecommit-local-trail?location");
    assert_eq!(wire::send(Request::get(bucket).body(Vec::new()).expect("the request is well formed")).status, 200);
    assert!(Command::new("kill").arg(child.id().to_string()).status().expect("kill is there").success());
    let output = child.wait_with_output().expect("the process is a child of the test");
    String::from_utf8(output.stderr).expect("the output is UTF-8")
}

#[test]
fn the_level_decides_which_calls_are_logged() {
    let [created, absent] = ["CreateRepository", "RepositoryDoesNotExistException"];
    let usual = log(&[]);
    assert!(!usual.contains("GetBucketLocation"), "{usual}");
    assert!(!usual.contains(created) && usual.contains(absent) && usual.contains("is ready at"), "{usual}");
    let all = log(&["--log-level", "debug"]);
    assert!(all.contains(created) && all.contains(absent) && all.contains("GetBucketLocation"), "{all}");
    assert_eq!(log(&["--quiet"]), "");
    let unknown = refused(&folder(), &["--log-level", "loud"]);
    assert!(unknown.contains("debug"), "{unknown}");
}

#[test]
fn only_the_ready_line_is_printed_and_sigterm_ends_the_program_with_success() {
    let folder = folder();
    let mut command = program(folder.path());
    let mut child = command
        .args(["--listen", "127.0.0.1:0", "--ephemeral"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program is built");
    let mut stdout = BufReader::new(child.stdout.take().expect("the stream is piped"));
    let mut ready = String::new();
    stdout.read_line(&mut ready).expect("the output is UTF-8");
    let endpoint = ready.trim_end().strip_prefix("ready ").expect("the line is the ready line");
    place(endpoint, "MyDemoRepo");
    let inside: Vec<_> = fs::read_dir(folder.path()).expect("the folder exists").collect();
    assert_eq!(inside.len(), 1, "the data is in one temporary folder");
    let killed = Command::new("kill").args(["-TERM", &child.id().to_string()]).status();
    assert!(killed.expect("kill is there").success());
    let mut rest = String::new();
    stdout.read_to_string(&mut rest).expect("the output is UTF-8");
    assert_eq!(rest, "");
    assert_eq!(child.wait().expect("the process is a child of the test").code(), Some(0));
    assert_eq!(fs::read_dir(folder.path()).expect("the folder exists").count(), 0, "--ephemeral leaves nothing");
    let mut log = String::new();
    child.stderr.take().expect("the stream is piped").read_to_string(&mut log).expect("the output is UTF-8");
    for service in ["CODECOMMIT", "CLOUDTRAIL", "STS"] {
        assert!(log.contains(&format!("export AWS_ENDPOINT_URL_{service}={endpoint}\n")), "{log}");
    }
    assert!(log.contains(&format!(" AWS_ENDPOINT_URL={endpoint}\n")), "{log}");
    assert!(log.contains("export AWS_REGION=us-east-1\n"), "{log}");
}

#[test]
fn an_open_connection_does_not_delay_the_stop() {
    let folder = folder();
    let running = start(&folder, &["--ephemeral"], &[], "");
    let address = running.endpoint().trim_start_matches("http://").to_owned();
    let silent = std::net::TcpStream::connect(&address).expect("the server listens");
    assert_eq!(running.terminate(), Some(0));
    drop(silent);
}

#[test]
fn health_waits_for_a_server_that_starts() {
    let folder = folder();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("there is a free port");
    let address = listener.local_addr().expect("the listener is bound").to_string();
    drop(listener);
    let mut waiting = program(folder.path());
    let waiting = waiting.args(["health", &address, "--wait", "60s"]).spawn().expect("the program is built");
    let running = Running::start_command({
        let mut command = program(folder.path());
        command.args(["--listen", &address, "--ephemeral"]);
        command
    });
    assert!(waiting.wait_with_output().expect("the process is a child of the test").status.success());
    assert_eq!(running.terminate(), Some(0));
}

#[test]
fn health_asks_a_server() {
    let folder = folder();
    let running = start(&folder, &["--ephemeral"], &[], "");
    let endpoint = running.endpoint().to_owned();
    let address = endpoint.trim_start_matches("http://").to_owned();
    let health = |command: &mut Command| command.arg("health").output().expect("the program is built");
    for asked in [&endpoint, &address, &format!("{endpoint}/")] {
        let output = program(folder.path()).args(["health", asked]).output().expect("the program is built");
        assert!(output.status.success(), "{output:?}");
    }
    assert!(health(program(folder.path()).env("CODECOMMIT_LOCAL_LISTEN", &address)).status.success());
    assert_eq!(running.terminate(), Some(0));
    let output = program(folder.path()).args(["health", &address]).output().expect("the program is built");
    assert!(failure(&output).contains(&address));
    let output = program(folder.path()).args(["health", "somewhere"]).output().expect("the program is built");
    assert!(failure(&output).contains("127.0.0.1:4599"));
}
