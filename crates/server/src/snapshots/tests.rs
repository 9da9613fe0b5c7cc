use std::sync::Arc;

use aws::SystemClock;
use store::Transaction;
use tempfile::TempDir;

use super::*;
use crate::state::{Foundation, State};

/// Opens the data of a test.
fn open(folder: &TempDir) -> State {
    let settings = Settings { data_dir: Some(folder.path().join("data")), ..Settings::ephemeral() };
    let address = settings.listen[0];
    State::open(settings, address, None, Arc::new(SystemClock)).expect("the data can be opened")
}

/// Adds a row to the database, and a file to the repositories.
fn mark(state: &State, mark: &'static str) {
    let add = move |transaction: &Transaction| {
        transaction.execute_all("CREATE TABLE IF NOT EXISTS marks (mark TEXT)")?;
        transaction.execute("INSERT INTO marks VALUES (?1)", &[mark.into()])
    };
    state.store.write::<_, store::Error>(add).expect("the store can be written");
    let repository = state.data_folder().join(REPOSITORIES).join("repository");
    fs::create_dir_all(&repository).expect("the folder is writable");
    fs::write(repository.join(mark), mark).expect("the folder is writable");
}

/// Returns the marks in the database, and in the repositories.
fn marks(state: &State) -> (Vec<String>, Vec<String>) {
    let query = |transaction: &Transaction| transaction.query("SELECT mark FROM marks", &[], |row| row.text(0));
    let rows = state.store.read::<_, store::Error>(query).expect("the store can be read");
    let entries = fs::read_dir(state.data_folder().join(REPOSITORIES).join("repository")).expect("the folder exists");
    let mut names: Vec<_> =
        entries.map(|entry| entry.expect("the entry exists").file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    (rows, names)
}

/// Creates data with a snapshot that has the mark `old`, marks them `young`, and prepares the restore.
fn prepared(folder: &TempDir) -> (Foundation, PreparedRestore) {
    let name = "base".parse().expect("the name is valid");
    let state = open(folder);
    mark(&state, "old");
    let foundation = state.close();
    take(&name, &foundation.folders, &foundation.settings, LogFolders::new(), None, String::new())
        .expect("the folder is writable");
    let state = State::open_again(foundation).expect("the data can be opened");
    mark(&state, "young");
    let prepared = prepare_restore(&name, &state.folders, &state.settings, LogFolders::new());
    (state.close(), prepared.expect("the snapshot is complete").expect("the snapshot exists"))
}

/// Returns the marks at the start after the process has ended.
fn marks_after_start(folder: &TempDir, foundation: Foundation) -> (Vec<String>, Vec<String>) {
    foundation.folders.close();
    let state = open(folder);
    for unfinished in [PREPARED, BEGUN] {
        assert!(!state.data_folder().join(unfinished).exists(), "{unfinished}");
    }
    marks(&state)
}

fn of(marks: &[&str]) -> (Vec<String>, Vec<String>) {
    let marks: Vec<_> = marks.iter().map(|mark| (*mark).to_owned()).collect();
    (marks.clone(), marks)
}

#[test]
fn a_restore_that_has_not_begun_has_no_effect() {
    let folder = tempfile::tempdir().expect("the temporary folder is writable");
    let (foundation, _) = prepared(&folder);
    assert_eq!(marks_after_start(&folder, foundation), of(&["old", "young"]));
}

#[test]
fn a_restore_that_has_begun_is_finished_by_the_next_start() {
    let folder = tempfile::tempdir().expect("the temporary folder is writable");
    let (foundation, prepared) = prepared(&folder);
    prepared.begin().expect("the folder is writable");
    assert_eq!(marks_after_start(&folder, foundation), of(&["old"]));
}

#[test]
fn a_restore_that_is_half_done_is_finished_by_the_next_start() {
    let folder = tempfile::tempdir().expect("the temporary folder is writable");
    let (foundation, prepared) = prepared(&folder);
    prepared.begin().expect("the folder is writable");
    let data = foundation.folders.data();
    files::replace(&data.join(BEGUN).join(DATABASE), &data.join(DATABASE)).expect("the folder is writable");
    assert_eq!(marks_after_start(&folder, foundation), of(&["old"]));
}

#[test]
fn a_restore_that_cannot_be_finished_prevents_the_start_and_says_why() {
    let folder = tempfile::tempdir().expect("the temporary folder is writable");
    let (foundation, prepared) = prepared(&folder);
    prepared.begin().expect("the folder is writable");
    let snapshots = foundation.folders.data().join(SNAPSHOTS);
    fs::rename(&snapshots, snapshots.with_extension("away")).expect("the folder is writable");
    let Err(error) = State::open_again(foundation) else { panic!("the snapshot is gone") };
    let message = error.to_string();
    assert!(message.contains("cannot finish the restore") && message.contains("snapshots/base"), "{message}");
}

#[test]
fn files_that_are_the_same_stay_and_all_others_are_replaced() {
    let folder = tempfile::tempdir().expect("the temporary folder is writable");
    let (saved, live) = (folder.path().join("saved"), folder.path().join("live"));
    for file in ["same/a", "changed/b", "missing/c", "kind"] {
        let path = saved.join(file);
        fs::create_dir_all(path.parent().expect("the path has a parent")).expect("the folder is writable");
        fs::write(path, file).expect("the folder is writable");
    }
    files::copy(&saved, &live, true).expect("the folder is writable");
    fs::remove_file(live.join("changed/b")).expect("the file exists");
    fs::write(live.join("changed/b"), "other").expect("the folder is writable");
    fs::write(live.join("changed/extra"), "extra").expect("the folder is writable");
    fs::remove_dir_all(live.join("missing")).expect("the folder exists");
    fs::remove_file(live.join("kind")).expect("the file exists");
    fs::create_dir_all(live.join("kind/folder")).expect("the folder is writable");
    files::mirror(&saved, &live).expect("the folder is writable");
    for file in ["same/a", "changed/b", "missing/c", "kind"] {
        assert_eq!(fs::read_to_string(live.join(file)).expect("the file is there"), file);
    }
    assert!(!live.join("changed/extra").exists());
}
