//! Projects outside of this repository that embed the server, or start the installed program, as the README shows.

use std::fs;
use std::path::Path;
use std::process::Command;

use tests::{binary, workspace};

/// The example of the README in Rust that contains a text.
fn example(part: &str) -> String {
    let readme = fs::read_to_string(workspace().join("README.md")).expect("the README is readable");
    let examples = readme.split("```rust\n").skip(1).filter_map(|rest| rest.split_once("```"));
    let mut examples = examples.map(|(example, _)| example).filter(|example| example.contains(part));
    examples.next().expect("the README has the example").to_owned()
}

/// A blocking client in the place of the example's `// ...`.
const CLIENT: &str = r#"
    let reply = create_repository(&endpoint);
    assert!(reply.starts_with("HTTP/1.1 200 ") && reply.contains("MyDemoRepo"), "{reply}");
"#;

/// The same on another thread, as the server runs on the thread of the test.
const CLIENT_WITH_TOKIO: &str = r#"
    let reply = tokio::task::spawn_blocking(move || create_repository(&endpoint)).await.unwrap();
    assert!(reply.starts_with("HTTP/1.1 200 ") && reply.contains("MyDemoRepo"), "{reply}");
"#;

const CREATE_REPOSITORY: &str = r#"
fn create_repository(endpoint: &str) -> String {
    use std::io::{Read, Write};
    let mut connection = std::net::TcpStream::connect(endpoint.strip_prefix("http://").unwrap()).unwrap();
    let head = "POST / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 31\r\n\
        X-Amz-Target: CodeCommit_20150413.CreateRepository\r\n\r\n";
    connection.write_all(head.as_bytes()).unwrap();
    connection.write_all(b"{\"repositoryName\":\"MyDemoRepo\"}").unwrap();
    let mut reply = String::new();
    connection.read_to_string(&mut reply).unwrap();
    reply
}
"#;

/// The project's tests: the example as it is, and the same without tokio.
fn project_tests() -> String {
    let example = example("Server::start");
    assert!(example.contains("    // ...\n") && example.contains("#[tokio::test]\nasync fn"), "{example}");
    let with_tokio = example.replace("    // ...\n", CLIENT_WITH_TOKIO);
    let without_tokio = example
        .replace("use codecommit_local::{Server, Settings};", "use codecommit_local::{Settings, blocking::Server};")
        .replace("#[tokio::test]\nasync fn", "#[test]\nfn")
        .replace(".await", "")
        .replace("    // ...\n", CLIENT);
    format!("{with_tokio}\nmod without_tokio {{\nuse super::create_repository;\n{without_tokio}}}\n{CREATE_REPOSITORY}")
}

/// The profiles of this workspace, so that libraries are built once for both.
fn profiles() -> String {
    let manifest = fs::read_to_string(workspace().join("Cargo.toml")).expect("the manifest is readable");
    let begin = manifest.find("[profile.dev]").expect("the manifest has profiles");
    manifest[begin..].to_owned()
}

/// Writes a project with a test file; `features` belong to its dependency on the library, `others` are further dependencies.
fn write_project(folder: &Path, features: &str, others: &str, tests: &str) {
    let manifest = format!(
        "[package]\nname = \"outside\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[dev-dependencies]\n\
         codecommit-local = {{ path = '{}'{features} }}\n{others}\n[workspace]\n\n{}",
        workspace().join("crates/codecommit-local").display(),
        profiles()
    );
    fs::create_dir_all(folder.join("src")).expect("the folder is writable");
    fs::create_dir_all(folder.join("tests")).expect("the folder is writable");
    fs::write(folder.join("Cargo.toml"), manifest).expect("the folder is writable");
    fs::write(folder.join("src/lib.rs"), "").expect("the folder is writable");
    fs::write(folder.join("tests/embedded.rs"), tests).expect("the folder is writable");
    // The same versions of libraries as here, which are on this machine.
    fs::copy(workspace().join("Cargo.lock"), folder.join("Cargo.lock")).expect("the folder is writable");
}

/// Runs cargo in a project, with the target folder of this workspace, and returns what it prints.
fn cargo(folder: &Path, arguments: &[&str]) -> String {
    let target = folder.ancestors().nth(2).expect("the folder lies in the target folder's tmp");
    let output = Command::new(env!("CARGO"))
        .args(arguments)
        .env("CARGO_TARGET_DIR", target)
        .env("CODECOMMIT_LOCAL_BINARY", binary::path())
        .current_dir(folder)
        .output()
        .expect("cargo is installed");
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{text}");
    text
}

// The folders stay the same, so that only what has changed is built again.

#[test]
fn a_project_embeds_the_server_with_tokio_and_without() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("outside");
    write_project(&folder, "", "tokio = { version = \"1\", features = [\"macros\", \"rt\"] }\n", &project_tests());
    let text = cargo(&folder, &["test", "--offline", "--quiet"]);
    assert!(text.contains("2 passed"), "{text}");
}

#[test]
fn a_project_starts_the_installed_program_and_compiles_no_server() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("outside-spawning");
    let client = "    assert!(create_repository(&endpoint).starts_with(\"HTTP/1.1 200 \"));\n";
    let example = example("Server::spawn").replace("    // ...\n", client);
    let tests = format!("{example}\n{CREATE_REPOSITORY}");
    write_project(&folder, ", default-features = false", "", &tests);
    let text = cargo(&folder, &["test", "--offline", "--quiet"]);
    assert!(text.contains("1 passed"), "{text}");
    let tree = cargo(&folder, &["tree", "--offline", "--edges", "normal,dev", "--prefix", "none", "--format", "{p}"]);
    let mut packages: Vec<_> = tree.lines().filter_map(|line| line.split(' ').next()).collect();
    packages.sort_unstable();
    packages.dedup();
    assert_eq!(packages, ["codecommit-local", "itoa", "memchr", "outside", "serde_core", "serde_json", "zmij"]);
}
