//! The house is held to its rules: edges between crates, sizes, names, and nothing forgotten.

mod modules;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use tests::workspace;
use toml::{Table, Value};

use crate::table;

/// Which crates of ours a crate may depend on.
const EDGES: [(&str, &[&str]); 11] = [
    ("aws", &[]),
    ("store", &[]),
    ("git", &[]),
    ("worker", &[]),
    ("bucket", &[]),
    ("identity", &["aws", "store"]),
    ("trail", &["aws", "store", "worker", "bucket"]),
    ("codecommit", &["aws", "store", "git"]),
    ("tagging", &["aws", "store", "trail", "codecommit"]),
    ("server", &["aws", "store", "git", "worker", "bucket", "identity", "trail", "codecommit", "tagging"]),
    ("codecommit-local", &["aws", "store", "git", "trail", "codecommit", "server"]),
];

const LINES_MAX: usize = 500;

fn manifests() -> BTreeMap<String, Table> {
    let folders = fs::read_dir(workspace().join("crates")).expect("the folder is there");
    let folders = folders.map(|entry| entry.expect("it can be listed").path()).filter(|path| path.is_dir());
    folders.map(|folder| (name(&folder), manifest(&folder))).collect()
}

fn manifest(folder: &Path) -> Table {
    let text = fs::read_to_string(folder.join("Cargo.toml")).expect("a crate has a manifest");
    text.parse().expect("it is TOML")
}

fn name(path: &Path) -> String {
    path.file_name().and_then(|name| name.to_str()).expect("names are plain").to_owned()
}

/// All files that belong to the tree, which are those that no build made and no tool installed.
fn files() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![workspace().to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("it is a folder") {
            let path = entry.expect("it can be listed").path();
            let made = ["target", ".git", ".venv", ".tools", "node_modules", "codecommit-data"];
            let made = made.contains(&name(&path).as_str());
            match path.is_dir() {
                _ if made => {}
                true => folders.push(path),
                false => found.push(path),
            }
        }
    }
    found.sort();
    found
}

/// The Rust files with their text.
fn sources() -> Vec<(PathBuf, String)> {
    let rust = files().into_iter().filter(|path| path.extension().is_some_and(|it| it == "rs"));
    rust.map(|path| (path.clone(), fs::read_to_string(path).expect("it was listed"))).collect()
}

/// Fails with the paths for which a rule does not hold.
fn none(broken: impl Iterator<Item = PathBuf>, rule: &str) {
    let root = workspace().to_owned();
    let broken: Vec<_> = broken.map(|path| path.strip_prefix(&root).unwrap_or(&path).display().to_string()).collect();
    assert!(broken.is_empty(), "{rule}:\n{}", broken.join("\n"));
}

#[test]
fn crates_depend_on_what_the_house_lets_them() {
    let manifests = manifests();
    let crates: Vec<&str> = manifests.keys().map(String::as_str).collect();
    let mut listed = EDGES.map(|(name, _)| name);
    listed.sort_unstable();
    assert_eq!(crates, listed);
    for (name, allowed) in EDGES {
        for section in ["dependencies", "dev-dependencies", "build-dependencies"] {
            let dependencies = manifests[name].get(section).and_then(Value::as_table);
            for dependency in dependencies.into_iter().flat_map(Table::keys) {
                let ours = crates.contains(&dependency.as_str());
                assert!(!ours || allowed.contains(&dependency.as_str()), "{name} may not depend on {dependency}");
            }
        }
    }
}

#[test]
fn a_crate_is_named_as_its_folder_and_is_not_for_publishing() {
    let root = manifest(workspace());
    let inherited = root["workspace"]["package"].as_table().expect("it is one");
    assert_eq!(inherited["version"].as_str(), Some("0.1.0"));
    assert_eq!(inherited["publish"].as_bool(), Some(false));
    for (folder, manifest) in manifests() {
        let package = manifest["package"].as_table().expect("it is one");
        assert_eq!(package["name"].as_str(), Some(folder.as_str()));
        for member in ["version", "publish", "edition", "rust-version", "license"] {
            assert_eq!(package[member]["workspace"].as_bool(), Some(true), "{folder}: {member}");
        }
        assert_eq!(manifest["lints"]["workspace"].as_bool(), Some(true), "{folder}");
    }
}

#[test]
fn no_file_is_longer_than_a_person_reads() {
    let long = sources().into_iter().filter(|(_, text)| text.lines().count() > LINES_MAX);
    none(long.map(|(path, _)| path), "more than 500 lines");
}

#[test]
fn every_module_says_what_it_is_for() {
    let silent = sources().into_iter().filter(|(path, text)| name(path) != "tests.rs" && !text.starts_with("//! "));
    none(silent.map(|(path, _)| path), "no //! at the top");
}

#[test]
fn no_name_says_nothing() {
    let empty = ["util", "utils", "helper", "helpers", "common", "misc", "types", "mod"];
    let named = |path: &PathBuf| {
        let inside = path.strip_prefix(workspace()).expect("it is below");
        inside.with_extension("").iter().any(|part| empty.iter().any(|empty| part == *empty))
    };
    none(sources().into_iter().map(|(path, _)| path).filter(named), "a name that says nothing");
}

#[test]
fn no_crate_unwraps() {
    let word = [".unw", "rap()"].concat();
    let in_crates = |path: &Path| path.starts_with(workspace().join("crates")) && path.iter().any(|part| part == "src");
    let unwraps = sources().into_iter().filter(|(path, text)| in_crates(path) && text.contains(&word));
    none(unwraps.map(|(path, _)| path), "write expect with why it holds");
}

#[test]
fn nothing_but_the_clock_reads_the_system_s_time() {
    let read = ["SystemTime", "Timestamp", "Utc", "OffsetDateTime"].map(|clock| format!("{clock}::now"));
    // What a folder's time tells of its files is compared with the time of the system that wrote it.
    let excepted =
        ["crates/aws/src/clock.rs", "crates/git/src/repository/folders.rs"].map(|path| workspace().join(path));
    let in_crates = |path: &Path| path.starts_with(workspace().join("crates")) && path.iter().any(|part| part == "src");
    let readers = sources().into_iter().filter(|(path, text)| {
        in_crates(path) && !excepted.contains(path) && read.iter().any(|read| text.contains(read.as_str()))
    });
    none(readers.map(|(path, _)| path), "ask the call, or a Clock");
}

#[test]
fn a_panic_poisons_no_lock() {
    let poisoned = ["Mutex", "RwLock", "Condvar", "PoisonError"];
    let imports = sources().into_iter().filter(|(_, text)| {
        let std_sync = text.split("sync::").skip(1).map(|import| import.split(';').next().unwrap_or_default());
        std_sync
            .flat_map(|import| import.split(|letter: char| !letter.is_alphanumeric()))
            .any(|name| poisoned.contains(&name))
    });
    none(imports.map(|(path, _)| path), "take the lock of parking_lot");
}

#[test]
fn no_lint_is_silenced_without_a_reason() {
    let [allow, expect] = ["allow", "expect"].map(|lint| format!("#[{lint}("));
    let silenced = sources().into_iter().filter(|(_, text)| {
        let expects = text
            .match_indices(expect.as_str())
            .any(|(at, _)| !text[at..].split_once(']').is_some_and(|(attribute, _)| attribute.contains("reason = ")));
        expects || text.contains(&allow)
    });
    none(silenced.map(|(path, _)| path), "write #[expect(.., reason = ..)]");
}

#[test]
fn no_module_of_the_suite_is_forgotten() {
    let suite = workspace().join("tests/suite");
    let main = fs::read_to_string(suite.join("main.rs")).expect("it is there");
    let modules = fs::read_dir(&suite).expect("it is there").map(|entry| entry.expect("it can be listed").path());
    let forgotten = modules.filter(|path| {
        let module = name(&path.with_extension(""));
        module != "main" && path.is_file() && !main.lines().any(|line| line == format!("mod {module};"))
    });
    none(forgotten, "not in main.rs");
}

#[test]
fn every_operation_that_is_there_has_goldens() {
    let golden = workspace().join("tests/golden");
    let files = table::codecommit().into_iter().map(|row| golden.join(row.name).with_extension("json"));
    let lacking = files.filter(|path| !path.is_file());
    none(lacking, "no goldens");
}

/// How many operations a handler's file may name: those that it implements and pages through.
const NAMED_MAX: usize = 3;

#[test]
fn nothing_but_the_tables_lists_operations() {
    let names: Vec<String> = table::all().into_iter().map(|row| format!("\"{}\"", row.name)).collect();
    let crates = workspace().join("crates");
    // A client names what it calls.
    let client = crates.join("codecommit-local/src/simulate");
    let lists = sources().into_iter().filter(|(path, text)| {
        let is_ours = path.starts_with(&crates) && path.iter().any(|part| part == "src") && !path.starts_with(&client);
        let listed = names.iter().filter(|name| text.contains(name.as_str())).count();
        is_ours && name(path) != "operations.rs" && listed > NAMED_MAX
    });
    none(lists.map(|(path, _)| path), "what belongs to an operation is an attribute of its row");
}

#[test]
fn no_path_of_one_machine_is_written_down() {
    let machine = ["work", "root", "home"].map(|folder| format!("/{folder}/"));
    let begins = |text: &str, at: usize| {
        let before = text[..at].chars().next_back();
        !before.is_some_and(|letter| letter.is_alphanumeric() || "}])_-.*/".contains(letter))
    };
    let texts = files().into_iter().filter_map(|path| Some((fs::read_to_string(&path).ok()?, path)));
    let bound = texts.filter(|(text, _)| {
        machine.iter().any(|folder| text.match_indices(folder.as_str()).any(|(at, _)| begins(text, at)))
    });
    none(bound.map(|(_, path)| path), "a path that only one machine has");
}
