//! Rules of the source tree: dependencies between crates, sizes, names, and no forgotten files.

mod modules;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use tests::workspace;
use toml::{Table, Value};

use crate::table;

/// The crates of this workspace that each crate may depend on.
const EDGES: [(&str, &[&str]); 15] = [
    ("aws", &[]),
    ("store", &[]),
    ("git", &[]),
    ("worker", &[]),
    ("bucket", &[]),
    ("policy", &[]),
    ("cluster", &["store", "worker"]),
    ("identity", &["aws", "store", "policy"]),
    ("trail", &["aws", "store", "worker", "bucket", "policy", "cluster"]),
    ("codecommit", &["aws", "store", "git", "bucket"]),
    ("tagging", &["aws", "store", "trail", "codecommit"]),
    ("seed", &["aws", "store", "git", "identity", "trail", "codecommit"]),
    ("console", &["aws", "cluster", "identity", "trail", "codecommit"]),
    (
        "server",
        &[
            "aws",
            "store",
            "git",
            "worker",
            "bucket",
            "policy",
            "cluster",
            "identity",
            "trail",
            "codecommit",
            "tagging",
            "seed",
            "console",
        ],
    ),
    ("codecommit-local", &["aws", "store", "git", "policy", "trail", "codecommit", "seed", "server"]),
];

/// Maximum number of lines of a Rust file.
const LINES_MAX: usize = 500;

fn manifests() -> BTreeMap<String, Table> {
    let folders = fs::read_dir(workspace().join("crates")).expect("the folder is there");
    let folders = folders.map(|entry| entry.expect("the folder can be listed").path()).filter(|path| path.is_dir());
    folders.map(|folder| (name(&folder), manifest(&folder))).collect()
}

fn manifest(folder: &Path) -> Table {
    let text = fs::read_to_string(folder.join("Cargo.toml")).expect("a crate has a manifest");
    text.parse().expect("the manifest is TOML")
}

fn name(path: &Path) -> String {
    path.file_name().and_then(|name| name.to_str()).expect("names are plain").to_owned()
}

/// Lists the files of the source tree, without those of builds and installed tools.
fn files() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![workspace().to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("the folder can be read") {
            let path = entry.expect("the folder can be listed").path();
            let generated = ["target", ".git", ".venv", ".tools", "node_modules", "codecommit-data"];
            let is_generated = generated.contains(&name(&path).as_str());
            match path.is_dir() {
                _ if is_generated => {}
                true => folders.push(path),
                false => found.push(path),
            }
        }
    }
    found.sort();
    found
}

/// Returns the Rust files with their text.
fn sources() -> Vec<(PathBuf, String)> {
    let rust = files().into_iter().filter(|path| path.extension().is_some_and(|extension| extension == "rs"));
    rust.map(|path| (path.clone(), fs::read_to_string(path).expect("the file was listed"))).collect()
}

/// Fails with the paths that violate a rule.
fn assert_none(violations: impl Iterator<Item = PathBuf>, rule: &str) {
    let root = workspace().to_owned();
    let violations: Vec<_> =
        violations.map(|path| path.strip_prefix(&root).unwrap_or(&path).display().to_string()).collect();
    assert!(violations.is_empty(), "{rule}:\n{}", violations.join("\n"));
}

#[test]
fn crates_depend_only_on_allowed_crates() {
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
fn a_crate_has_the_name_of_its_folder_and_is_not_published() {
    let root = manifest(workspace());
    let inherited = root["workspace"]["package"].as_table().expect("the value is a table");
    assert_eq!(inherited["version"].as_str(), Some("0.1.0"));
    assert_eq!(inherited["publish"].as_bool(), Some(false));
    for (folder, manifest) in manifests() {
        let package = manifest["package"].as_table().expect("the value is a table");
        assert_eq!(package["name"].as_str(), Some(folder.as_str()));
        for member in ["version", "publish", "edition", "rust-version", "license"] {
            assert_eq!(package[member]["workspace"].as_bool(), Some(true), "{folder}: {member}");
        }
        assert_eq!(manifest["lints"]["workspace"].as_bool(), Some(true), "{folder}");
    }
}

#[test]
fn no_file_is_too_long() {
    let long = sources().into_iter().filter(|(_, text)| text.lines().count() > LINES_MAX);
    assert_none(long.map(|(path, _)| path), "split the file: it has more than 500 lines");
}

#[test]
fn every_module_has_a_doc_comment() {
    let undocumented =
        sources().into_iter().filter(|(path, text)| name(path) != "tests.rs" && !text.starts_with("//! "));
    assert_none(undocumented.map(|(path, _)| path), "add a //! line at the top");
}

#[test]
fn no_file_has_a_meaningless_name() {
    let empty = ["util", "utils", "helper", "helpers", "common", "misc", "types", "mod"];
    let named = |path: &PathBuf| {
        let inside = path.strip_prefix(workspace()).expect("the path is below the folder");
        inside.with_extension("").iter().any(|part| empty.iter().any(|empty| part == *empty))
    };
    assert_none(sources().into_iter().map(|(path, _)| path).filter(named), "name the file after its content");
}

#[test]
fn no_crate_calls_unwrap() {
    let word = [".unw", "rap()"].concat();
    let in_crates = |path: &Path| path.starts_with(workspace().join("crates")) && path.iter().any(|part| part == "src");
    let unwraps = sources().into_iter().filter(|(path, text)| in_crates(path) && text.contains(&word));
    assert_none(unwraps.map(|(path, _)| path), "write expect with the reason why it cannot fail");
}

#[test]
fn no_parameter_is_called_it() {
    let forms = ["|IT|", "|IT:", "|IT,", ", IT|", "|&IT|", "|mut IT|", "(IT: ", ", IT: ", "|(IT, ", ", IT)|"];
    let forms = forms.map(|form| form.replace("IT", "it"));
    let is_parameter = |line: &str| {
        let code = line.split("//").next().unwrap_or_default();
        forms.iter().any(|form| code.contains(form.as_str()))
    };
    let unnamed = sources().into_iter().filter(|(_, text)| text.lines().any(is_parameter));
    assert_none(unnamed.map(|(path, _)| path), "name the parameter after its value");
}

#[test]
fn only_the_clock_reads_the_system_time() {
    let read = ["SystemTime", "Timestamp", "Utc", "OffsetDateTime"].map(|clock| format!("{clock}::now"));
    // The time of a folder is compared with the clock of the system that wrote it.
    let excepted =
        ["crates/aws/src/clock.rs", "crates/git/src/repository/folders.rs"].map(|path| workspace().join(path));
    let in_crates = |path: &Path| path.starts_with(workspace().join("crates")) && path.iter().any(|part| part == "src");
    let readers = sources().into_iter().filter(|(path, text)| {
        in_crates(path) && !excepted.contains(path) && read.iter().any(|read| text.contains(read.as_str()))
    });
    assert_none(readers.map(|(path, _)| path), "take the time from the call or from a Clock");
}

#[test]
fn a_panic_poisons_no_lock() {
    let poisoned = ["Mutex", "RwLock", "Condvar", "PoisonError"];
    let imports = sources().into_iter().filter(|(_, text)| {
        // A panic does not poison the locks of tokio either, which can be held while a task waits.
        let text = text.replace("tokio::sync::", "");
        let std_sync = text.split("sync::").skip(1).map(|import| import.split(';').next().unwrap_or_default());
        std_sync
            .flat_map(|import| import.split(|letter: char| !letter.is_alphanumeric()))
            .any(|name| poisoned.contains(&name))
    });
    assert_none(imports.map(|(path, _)| path), "use the locks of parking_lot");
}

#[test]
fn no_lint_is_disabled_without_a_reason() {
    let [allow, expect] = ["allow", "expect"].map(|lint| format!("#[{lint}("));
    let disabled = sources().into_iter().filter(|(_, text)| {
        let expects = text
            .match_indices(expect.as_str())
            .any(|(at, _)| !text[at..].split_once(']').is_some_and(|(attribute, _)| attribute.contains("reason = ")));
        expects || text.contains(&allow)
    });
    assert_none(disabled.map(|(path, _)| path), "write #[expect(.., reason = ..)]");
}

#[test]
fn every_module_of_the_suite_is_in_main() {
    let suite = workspace().join("tests/suite");
    let main = fs::read_to_string(suite.join("main.rs")).expect("the file exists");
    let modules =
        fs::read_dir(&suite).expect("the folder exists").map(|entry| entry.expect("the folder can be listed").path());
    let forgotten = modules.filter(|path| {
        let module = name(&path.with_extension(""));
        module != "main" && path.is_file() && !main.lines().any(|line| line == format!("mod {module};"))
    });
    assert_none(forgotten, "add the module to main.rs");
}

#[test]
fn every_operation_has_a_golden_file() {
    let golden = workspace().join("tests/golden");
    let files = table::codecommit().into_iter().map(|row| golden.join(row.name).with_extension("json"));
    let missing = files.filter(|path| !path.is_file());
    assert_none(missing, "add a golden file");
}

/// Maximum number of operations that the file of a handler names: those that it implements and pages through.
const NAMED_MAX: usize = 3;

#[test]
fn only_the_tables_list_operations() {
    let names: Vec<String> = table::all().into_iter().map(|row| format!("\"{}\"", row.name)).collect();
    let crates = workspace().join("crates");
    // Clients name the operations that they call.
    let clients = ["codecommit-local/src/simulate", "console/src"].map(|folder| crates.join(folder));
    let lists = sources().into_iter().filter(|(path, text)| {
        let inside = path.strip_prefix(&crates).unwrap_or(Path::new(""));
        let has = |folder: &str| inside.iter().any(|part| part == folder);
        // Tests call the operations by their names, too.
        let is_ours = has("src") && !has("tests") && !clients.iter().any(|client| path.starts_with(client));
        let listed = names.iter().filter(|name| text.contains(name.as_str())).count();
        is_ours && name(path) != "operations.rs" && listed > NAMED_MAX
    });
    assert_none(lists.map(|(path, _)| path), "make it an attribute of the rows in operations.rs");
}

#[test]
fn no_file_contains_a_path_of_one_machine() {
    let machine = ["work", "root", "home"].map(|folder| format!("/{folder}/"));
    let begins = |text: &str, at: usize| {
        let before = text[..at].chars().next_back();
        !before.is_some_and(|letter| letter.is_alphanumeric() || "}])_-.*/".contains(letter))
    };
    let texts = files().into_iter().filter_map(|path| Some((fs::read_to_string(&path).ok()?, path)));
    let violations = texts.filter(|(text, _)| {
        machine.iter().any(|folder| text.match_indices(folder.as_str()).any(|(at, _)| begins(text, at)))
    });
    assert_none(violations.map(|(_, path)| path), "remove the path of one machine");
}
