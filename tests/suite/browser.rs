//! The console in Chromium: the tests of `tests/browser`, by node's own runner.

use std::path::Path;
use std::process::Command;

use tests::binary;
use tests::clients::outcome;

#[test]
fn the_console_works_in_chromium() {
    let folder = tempfile::tempdir().expect("a temporary folder can be created");
    let mut command = Command::new("node");
    command
        .args(["--test", "--test-concurrency=1", "browser"])
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")))
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", folder.path())
        .env("CODECOMMIT_LOCAL_BINARY", binary::path());
    outcome(&mut command).ok();
}
