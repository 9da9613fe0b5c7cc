//! Stories in Markdown, run with `git`, the AWS CLI, the SDKs for Python and JavaScript, and other programs, against the server's program;
//! the quick start of README.md is one.
//!
//! A `sh` block is run; the `text` block after it is its expected output, in which a line `...` matches any lines and `<...>` any text
//! inside a line. A comment `<!-- server: FLAGS -->` adds flags for the server.

use std::path::{Path, PathBuf};
use std::process::Command;

use tests::binary::{self, Running};
use tests::clients::python_folder;

/// The address of the server in the stories; it is replaced by the real one.
const ADDRESS: &str = "127.0.0.1:4599";

/// A block to run, and its expected output.
struct Step {
    script: String,
    output: Option<String>,
}

#[test]
fn the_quick_start_of_the_readme_runs() {
    let readme = std::fs::read_to_string(root().join("README.md")).expect("the file exists");
    let quick_start = readme.split("## Quick start").nth(1).expect("the value is present").split("\n## ").next();
    let quick_start = quick_start.expect("a split has a first part");
    // The home folder has no identity for Git, and the story runs twice.
    let variables = ["AUTHOR", "COMMITTER"].map(|role| format!("GIT_{role}_NAME GIT_{role}_EMAIL")).join(" ");
    run(&format!("\n```sh\nunset {variables}\n```\n{quick_start}\n{quick_start}"));
}

#[test]
fn the_fixtures_of_the_readme_are_a_valid_seed() {
    let readme = std::fs::read_to_string(root().join("README.md")).expect("the file exists");
    let fixtures = readme.split("\n## Fixtures").nth(1).expect("the section exists").split("\n## ").next();
    run(fixtures.expect("a split has a first part"));
}

#[test]
fn the_recipes_run() {
    run(&std::fs::read_to_string(root().join("tests/README.md")).expect("the file exists"));
}

#[test]
fn the_steps_of_the_ci_job_run() {
    let recipes = std::fs::read_to_string(root().join("tests/README.md")).expect("the file exists");
    let job = block(&recipes, "yaml").expect("there is a job");
    let steps = ci_steps(job);
    assert_eq!(steps.lines().filter(|line| *line == "```sh").count(), 3, "{steps}");
    run(&steps);
}

/// Turns a job of GitHub Actions into a story: its variables, and a block for each step that runs something.
///
/// Only the forms of the recipe are understood: `env` of the job, `- run: COMMAND` and `- run: |` with lines below it.
fn ci_steps(job: &str) -> String {
    let depth = |line: &str| line.len() - line.trim_start().len();
    let mut lines = job.lines().peekable();
    let (mut variables, mut story) = (String::new(), String::new());
    while let Some(line) = lines.next() {
        let below = depth(line);
        if line.trim() == "env:" {
            while let Some(variable) = lines.next_if(|next| depth(next) > below) {
                let (name, value) = variable.trim().split_once(": ").expect("a variable has a value");
                variables += &["export ", name, "=", value, "\n"].concat();
            }
        } else if line.trim() == "- run: |" {
            let script: String = std::iter::from_fn(|| lines.next_if(|next| depth(next) > below + 2))
                .map(|line| [line.trim_start(), "\n"].concat())
                .collect();
            story += &["\n```sh\n", &variables, &script, "```\n"].concat();
        } else if let Some(command) = line.trim().strip_prefix("- run: ") {
            story += &["\n```sh\n", &variables, command, "\n```\n"].concat();
        }
    }
    story
}

#[test]
fn a_failing_call_reports_its_cause_and_is_recorded() {
    run_file("failing-call.md");
}

#[test]
fn a_pull_request_is_merged_after_an_approval() {
    run_file("approval.md");
}

#[test]
fn accounts_and_regions_are_separate() {
    run_file("two-accounts-two-regions.md");
}

#[test]
fn the_sdk_for_python_works_unchanged() {
    run_file("boto3.md");
}

#[test]
fn the_sdk_for_javascript_tests_a_pull_request() {
    run_file("javascript.md");
}

#[test]
fn a_pull_request_is_reviewed_and_merged_in_each_way() {
    run_file("pull-request.md");
}

#[test]
fn a_conflict_is_resolved_in_the_merge() {
    run_file("conflict.md");
}

#[test]
fn a_pipeline_reads_a_branch() {
    run_file("pipeline.md");
}

#[test]
fn pushes_and_merges_to_a_branch_are_limited() {
    run_file("limit-pushes.md");
}

#[test]
fn a_role_gives_access_across_accounts() {
    run_file("cross-account.md");
}

#[test]
fn access_across_accounts_is_set_up_by_the_iam_api() {
    run_file("cross-account-iam.md");
}

#[test]
fn pip_npm_and_cargo_take_a_dependency_from_a_repository() {
    run_file("dependencies.md");
}

#[test]
fn renovate_updates_a_module() {
    run_file("renovate.md");
}

#[test]
fn a_trail_is_made_with_its_bucket_and_tampering_is_found() {
    run_file("create-a-trail.md");
    let path = root().join("tests/journeys/create-a-trail.md");
    let story = std::fs::read_to_string(path).expect("the file exists");
    run(&story.replace("<!-- server:", "<!-- server: --strict-buckets"));
}

#[test]
fn every_journey_is_run() {
    let folder = root().join("tests/journeys");
    let journeys = std::fs::read_dir(folder).expect("the folder exists").count();
    let named = include_str!("journeys.rs").matches("    run_file(\"").count();
    assert_eq!(journeys, named);
}

fn run_file(name: &str) {
    let path = root().join("tests/journeys").join(name);
    run(&std::fs::read_to_string(path).expect("the file exists"));
}

fn run(story: &str) {
    let folder = tempfile::tempdir().expect("a temporary folder can be created");
    let data = folder.path().join("codecommit-data");
    link_node_packages(&folder.path().join("node_modules"));
    let mut flags = vec!["--data-dir", data.to_str().expect("the path is UTF-8")];
    if let Some(more) = story.split("<!-- server:").nth(1).and_then(|rest| rest.split("-->").next()) {
        flags.extend(more.split_whitespace());
    }
    let identities = folder.path().join("identities.toml");
    if let Some(file) = block(story, "toml") {
        std::fs::write(&identities, file).expect("the folder is writable");
        flags.extend(["--identities", identities.to_str().expect("the path is UTF-8")]);
    }
    let server = Running::start(&flags);
    let address = server.endpoint().trim_start_matches("http://");
    let steps = steps(story);
    assert!(!steps.is_empty(), "a story does something");
    // One shell runs all blocks, so that later blocks have the variables of earlier ones.
    let blocks = steps.iter().enumerate().map(|(number, step)| {
        let script = step.script.replace(ADDRESS, address);
        format!("{{\n{script}\n}} >{}/out.{number} 2>&1\n", folder.path().display())
    });
    let script: String = std::iter::once("set -euo pipefail\n".to_owned()).chain(blocks).collect();
    let mut shell = shell(folder.path(), &script);
    let status = shell.env("CODECOMMIT_LOCAL_ENDPOINT", server.endpoint()).status().expect("bash is there");
    for (number, step) in steps.iter().enumerate() {
        let printed = std::fs::read_to_string(folder.path().join(format!("out.{number}"))).unwrap_or_default();
        let printed = printed.replace(address, ADDRESS);
        if let Some(expected) = &step.output {
            assert!(
                matches(expected, &printed),
                "after\n{}\nthis was to be printed\n{expected}\nand this was\n{printed}",
                step.script
            );
        }
        assert!(
            status.success() || number + 1 < steps.len(),
            "the story failed at or before\n{}\n{printed}",
            step.script
        );
    }
}

/// Makes a folder in which Node finds the installed packages and ours: it looks for packages in the folder of the program.
fn link_node_packages(folder: &Path) {
    std::fs::create_dir(folder).expect("the folder is writable");
    let link = |path: &Path| {
        let name = path.file_name().expect("an entry has a name");
        std::os::unix::fs::symlink(path, folder.join(name)).expect("each package is installed once");
    };
    for installed in [".tools/packages-node/node_modules", "tests/node_modules"] {
        let installed = root().join(installed).canonicalize().expect("scripts/clients was run");
        for entry in std::fs::read_dir(installed).expect("the folder exists") {
            let path = entry.expect("the folder can be listed").path();
            let is_linked = path.file_name().is_some_and(|name| folder.join(name).exists());
            if !is_linked {
                link(&path);
            }
        }
    }
    link(&root().join("packages/npm/codecommit-local").canonicalize().expect("the folder exists"));
}

fn shell(folder: &Path, script: &str) -> Command {
    let program = binary::path();
    let program_folder = program.parent().expect("the file is in a folder").display().to_string();
    // The toolchain itself, as rustup's programs look for it in the home folder.
    let cargo_folder = Path::new(env!("CARGO")).parent().expect("the file is in a folder").display().to_string();
    let tools = root().join(".tools").canonicalize().expect("scripts/clients was run").display().to_string();
    let path = std::env::var("PATH").unwrap_or_default();
    let path = format!(
        "{program_folder}:{}:{tools}/packages/bin:{cargo_folder}:{path}:{tools}/readers/bin:{tools}/duckdb/bin:{tools}/renovate/node_modules/.bin",
        python_folder().display()
    );
    let mut command = Command::new("bash");
    command
        .args(["-c", script])
        .current_dir(folder)
        .env_clear()
        .env("PATH", path)
        .env("HOME", folder)
        // No program uses the network.
        .env("npm_config_update_notifier", "false")
        .env("PIP_NO_INDEX", "1")
        .env("PIP_FIND_LINKS", format!("{tools}/wheels"))
        // The Python package is used as it is in this tree; installed, pytest finds the plugin by itself.
        .env("PYTHONPATH", root().join("packages/python/src"))
        .env("PYTEST_PLUGINS", "codecommit_local.pytest_plugin")
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("AWS_PAGER", "");
    for role in ["AUTHOR", "COMMITTER"] {
        command
            .env(format!("GIT_{role}_NAME"), "Mary Major")
            .env(format!("GIT_{role}_EMAIL"), "mary_major@example.com");
    }
    command
}

fn steps(story: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut rest = story;
    while let Some((_, from_fence)) = rest.split_once("\n```") {
        let (language, body) = from_fence.split_once('\n').expect("a fence ends its line");
        let (content, after) = body.split_once("```").expect("a block is closed");
        match language {
            "sh" => steps.push(Step { script: content.to_owned(), output: None }),
            "text" => steps.last_mut().expect("a text block follows what prints it").output = Some(content.to_owned()),
            _ => {}
        }
        rest = after;
    }
    steps
}

fn block<'a>(story: &'a str, language: &str) -> Option<&'a str> {
    story.split_once(&format!("\n```{language}\n"))?.1.split("```").next()
}

fn matches(expected: &str, printed: &str) -> bool {
    let expected: Vec<&str> = expected.lines().collect();
    let printed: Vec<&str> = printed.lines().map(str::trim_end).collect();
    lines_match(&expected, &printed)
}

fn lines_match(expected: &[&str], printed: &[&str]) -> bool {
    match (expected, printed) {
        ([], []) => true,
        (["...", rest @ ..], _) => (0..=printed.len()).any(|skipped| lines_match(rest, &printed[skipped..])),
        ([line, rest @ ..], [found, others @ ..]) => line_matches(line, found) && lines_match(rest, others),
        _ => false,
    }
}

fn line_matches(expected: &str, mut printed: &str) -> bool {
    let mut parts = expected.split("<...>");
    let Some(after_first) = parts.next().and_then(|first| printed.strip_prefix(first)) else { return false };
    printed = after_first;
    for part in parts {
        let Some((_, after)) = (if part.is_empty() { Some(("", "")) } else { printed.split_once(part) }) else {
            return false;
        };
        printed = after;
    }
    printed.is_empty()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}
