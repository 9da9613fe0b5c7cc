//! Hands the commit that is built to `--version`.

use std::process::Command;

fn main() {
    println!("cargo::rerun-if-env-changed=CODECOMMIT_LOCAL_COMMIT");
    let given = std::env::var("CODECOMMIT_LOCAL_COMMIT").ok();
    // Sources without a repository, such as a release archive, have no commit to show.
    let commit = given.or_else(|| git(&["rev-parse", "--short=12", "HEAD"]));
    let version = env!("CARGO_PKG_VERSION");
    let version = commit.map_or_else(|| version.to_owned(), |commit| format!("{version} ({commit})"));
    println!("cargo::rustc-env=CODECOMMIT_LOCAL_VERSION={version}");
    // HEAD's own log grows with every commit and checkout.
    for path in ["HEAD", "logs/HEAD"] {
        if let Some(path) = git(&["rev-parse", "--git-path", path]) {
            println!("cargo::rerun-if-changed={path}");
        }
    }
}

/// Runs Git in this folder, and returns what it prints if it succeeds.
fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?.trim().to_owned();
    (output.status.success() && !text.is_empty()).then_some(text)
}
