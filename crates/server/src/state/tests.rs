use std::fs::{self, File};

use aws::SystemClock;

use super::*;

/// The open files of this process below a folder.
fn open_files(folder: &Path) -> Vec<String> {
    let descriptors = fs::read_dir("/proc/self/fd").expect("the system lists open files");
    let paths = descriptors.filter_map(|entry| fs::read_link(entry.ok()?.path()).ok());
    paths.filter_map(|path| Some(path.strip_prefix(folder).ok()?.display().to_string())).collect()
}

#[test]
fn another_server_can_use_the_folders_only_after_the_database_is_closed() {
    let folder = tempfile::tempdir().expect("the temporary folder is writable");
    let data = folder.path().canonicalize().expect("the folder exists").join("data");
    let settings = Settings { data_dir: Some(data.clone()), ..Settings::ephemeral() };
    let address = settings.listen[0];
    let state = State::open(settings, address, None, Arc::new(SystemClock)).expect("the folder is empty");
    assert!(open_files(&data).contains(&DATABASE.to_owned()));
    let lock = File::open(data.join("lock")).expect("the folder is locked");
    assert!(lock.try_lock().is_err());
    let left = std::thread::scope(|scope| {
        let other = scope.spawn(|| {
            lock.lock().expect("the lock is released");
            open_files(&data)
        });
        drop(state);
        other.join().expect("the thread does not panic")
    });
    assert!(!left.iter().any(|name| name.starts_with(DATABASE)), "{left:?}");
}
