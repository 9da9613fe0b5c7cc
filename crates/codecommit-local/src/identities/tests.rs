//! Identities files and sheets without a server.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use clap::Parser;

use super::*;

#[derive(Parser)]
struct Program {
    #[command(flatten)]
    arguments: Arguments,
}

/// Writes files into a folder and returns whether it succeeded.
fn write_in(folder: &Path, flags: &[&str]) -> Result<(), String> {
    let out = folder.join("identities.toml").display().to_string();
    let sheets = folder.join("sheets").display().to_string();
    let flags = ["identities", "--out", &out, "--sheets", &sheets].into_iter().chain(flags.iter().copied());
    write(&Program::try_parse_from(flags).map_err(|error| error.to_string())?.arguments)
}

fn written(flags: &[&str]) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().expect("a temporary folder can be created");
    write_in(folder.path(), flags).expect("the flags are valid");
    let text = fs::read_to_string(folder.path().join("identities.toml")).expect("the file was written");
    (folder, text)
}

fn sheet_names(folder: &tempfile::TempDir) -> Vec<String> {
    let entries = fs::read_dir(folder.path().join("sheets")).expect("the folder was created");
    let name = |entry: fs::DirEntry| entry.file_name().into_string().expect("the name is UTF-8");
    let mut names: Vec<_> = entries.map(|entry| name(entry.expect("the folder is readable"))).collect();
    names.sort();
    names
}

/// Returns the values of a key in the text of the file.
fn values<'t>(text: &'t str, key: &str) -> Vec<&'t str> {
    let beginning = format!("{key} = \"");
    text.split(&beginning).skip(1).map(|rest| rest.split('"').next().expect("a split has a first part")).collect()
}

#[test]
fn keys_have_the_form_of_aws_and_are_all_different() {
    let (_folder, text) = written(&["--users", "20"]);
    let (ids, secrets, passwords) = (values(&text, "id"), values(&text, "secret"), values(&text, "password"));
    // The account has an id, too.
    assert_eq!((ids.len(), secrets.len(), passwords.len()), (21, 20, 20));
    for id in &ids[1..] {
        assert!(id.len() == 20 && id.starts_with("AKIA"), "{id}");
        assert!(id.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit()), "{id}");
    }
    assert!(secrets.iter().all(|secret| secret.len() == 40), "{secrets:?}");
    assert!(passwords.iter().all(|password| password.len() == 44 && password.ends_with('=')), "{passwords:?}");
    let different: BTreeSet<_> = ids.iter().chain(&secrets).chain(&passwords).collect();
    assert_eq!(different.len(), 61);
}

#[test]
fn names_sort_and_continue_where_the_former_ended() {
    for (flags, first, last) in [
        (["--users", "20", "--first", "1"], "student01", "student20"),
        (["--users", "3", "--first", "21"], "student21", "student23"),
        (["--users", "1", "--first", "0"], "student00", "student00"),
        (["--users", "100", "--first", "1"], "student001", "student100"),
    ] {
        let (folder, text) = written(&flags);
        // The first name is that of the group.
        let names = values(&text, "name");
        assert_eq!((names[0], names[1], names[names.len() - 1]), ("students", first, last));
        assert!(names[1..].is_sorted(), "{names:?}");
        let sheets = sheet_names(&folder);
        assert_eq!(sheets, names[1..].iter().map(|name| format!("{name}.txt")).collect::<Vec<_>>());
    }
}

#[test]
fn the_server_reads_the_file_with_every_policy() {
    let policies = ["--policy", "AWSCodeCommitReadOnly", "--policy", "arn:aws:iam::aws:policy/AWSCodeCommitFullAccess"];
    let flags = ["--users", "2", "--prefix", "Li,Juan=a+b.c@d_e-", "--account", "444455556666"];
    let (folder, text) = written(&[&flags[..], &policies].concat());
    assert!(
        text.contains("policies = [\"AWSCodeCommitReadOnly\", \"arn:aws:iam::aws:policy/AWSCodeCommitFullAccess\"]")
    );
    let account: AccountId = "111122223333".parse().expect("the text is an account");
    let identities = Identities::load(&folder.path().join("identities.toml"), account).expect("the file is valid");
    assert!(identities.accounts().any(|account| account.as_str() == "444455556666"));
    let sheet = fs::read_to_string(folder.path().join("sheets/Li,Juan=a+b.c@d_e-01.txt")).expect("the sheet exists");
    assert!(sheet.contains("--repository-name Li-Juan-a-b.c-d_e-01\n"), "{sheet}");
}

#[test]
fn only_their_owner_can_read_the_files_and_force_replaces_them() {
    let (folder, text) = written(&["--users", "2"]);
    let mode = |name: &str| {
        let file = fs::metadata(folder.path().join(name)).expect("the file was written");
        file.permissions().mode() & 0o777
    };
    assert_eq!([mode("identities.toml"), mode("sheets/student01.txt")], [0o600; 2]);
    let message = write_in(folder.path(), &["--users", "2"]).expect_err("the file exists");
    assert!(message.contains("identities.toml' exists") && message.contains("--force"), "{message}");
    let path = folder.path().join("identities.toml");
    assert_eq!(fs::read_to_string(&path).expect("the file exists"), text);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).expect("the file is ours");
    write_in(folder.path(), &["--users", "2", "--force"]).expect("the files are replaced");
    assert_ne!(fs::read_to_string(&path).expect("the file exists"), text);
    assert_eq!(mode("identities.toml"), 0o600);
}

#[test]
fn a_sheet_that_exists_keeps_the_identities_file_from_being_written() {
    let folder = tempfile::tempdir().expect("a temporary folder can be created");
    fs::create_dir(folder.path().join("sheets")).expect("the folder is writable");
    fs::write(folder.path().join("sheets/student02.txt"), "notes").expect("the folder is writable");
    let message = write_in(folder.path(), &["--users", "2"]).expect_err("a sheet exists");
    assert!(message.contains("student02.txt' exists"), "{message}");
    assert!(!folder.path().join("identities.toml").exists());
    assert_eq!(sheet_names(&folder), ["student02.txt"]);
}

#[test]
fn impossible_numbers_and_names_are_refused() {
    let folder = tempfile::tempdir().expect("a temporary folder can be created");
    let long = "x".repeat(63);
    for (flags, part) in [
        (vec!["--users", "0"], "--users: write 1 to 5000"),
        (vec!["--users", "5001"], "--users: write 1 to 5000"),
        (vec!["--users", "-1"], "-1"),
        (vec!["--users", "2", "--first", "4294967295"], "--first: write at most 4294967294"),
        (vec!["--users", "2", "--prefix", ""], "--prefix"),
        (vec!["--users", "2", "--prefix", "../x"], "--prefix"),
        (vec!["--users", "2", "--prefix", "a b"], "--prefix"),
        (vec!["--users", "2", "--prefix=-x"], "--prefix"),
        (vec!["--users", "2", "--prefix", &long], "64 at most"),
        (vec!["--users", "2", "--account", "1"], "--account"),
        (vec!["--users", "2", "--region", "nowhere"], "--region"),
        (vec!["--users", "2", "--endpoint", "127.0.0.1:4599"], "not an http or https URL"),
        (vec!["--users", "2", "--endpoint", "http://a b"], "not an http or https URL"),
        (vec!["--users", "2", "--repository", "a/b"], "--repository"),
        (vec!["--users", "2", "--policy", "NoSuchPolicy"], "--policy: there is no policy 'NoSuchPolicy'"),
        (vec!["--users", "2", "--policy", "a\"b"], "--policy"),
    ] {
        let message = write_in(folder.path(), &flags).expect_err("the flags are invalid");
        assert!(message.contains(part), "{flags:?}: {message}");
    }
    assert_eq!(fs::read_dir(folder.path()).expect("the folder exists").count(), 0);
}

#[test]
fn comments_on_a_sheet_mean_nothing_to_a_shell() {
    for endpoint in ["http://127.0.0.1:4599", "https://127.0.0.1:4599"] {
        let (folder, _) = written(&["--users", "1", "--endpoint", endpoint]);
        let sheet = fs::read_to_string(folder.path().join("sheets/student01.txt")).expect("the sheet exists");
        for line in sheet.lines().filter(|line| line.starts_with('#')) {
            assert!(!line[1..].contains(|letter| "#;&|<>()$`\\\"'*?[]!{}~".contains(letter)), "{line}");
        }
    }
}

#[test]
fn a_sheet_names_a_given_repository_and_creates_none() {
    let (folder, _) = written(&["--users", "1", "--repository", "MyDemoRepo", "--region", "eu-west-1"]);
    let sheet = fs::read_to_string(folder.path().join("sheets/student01.txt")).expect("the sheet exists");
    assert!(!sheet.contains("create-repository") && !sheet.contains("push"), "{sheet}");
    for part in [
        "git clone http://127.0.0.1:4599/111122223333/eu-west-1/v1/repos/MyDemoRepo MyDemoRepo\n",
        " codecommit::eu-west-1://MyDemoRepo MyDemoRepo-git-remote-codecommit\n",
        "export AWS_REGION=eu-west-1\n",
    ] {
        assert!(sheet.contains(part), "{part}: {sheet}");
    }
}
