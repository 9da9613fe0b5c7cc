//! Snapshots: named copies of all data in the data folder, which a restore puts back.
//!
//! Files that are written once, such as packs and log files, are hard links, so a snapshot takes hardly any space or time.
//!
//! **Invariant:** a restore has its whole effect or none: what needs space is prepared beside the data, it begins with one rename, and the
//! next start finishes it if the process ends meanwhile.

mod files;
mod name;

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use aws::ClockPosition;
use serde::{Deserialize, Serialize};

use crate::data_folder::{DATABASE, EVENTS, REPOSITORIES, TRIGGER_LOG, UNDELIVERED_EVENTS, with_path};
use crate::folders::Folders;
pub(crate) use crate::snapshots::name::SnapshotName;
use crate::{Settings, StartError};

/// The folder of the snapshots in the data folder.
const SNAPSHOTS: &str = "snapshots";

/// A snapshot that is not complete yet, in the folder of the snapshots; no name begins with a period.
const UNFINISHED: &str = ".unfinished";

/// A restore in the data folder that has not begun yet.
const PREPARED: &str = ".restore.unfinished";

/// A restore in the data folder that has begun.
const BEGUN: &str = ".restore";

/// The description in the folder of a snapshot or restore.
const DESCRIPTION: &str = "snapshot.json";

/// The buckets, with the prefixes of their keys, that have log files.
pub(crate) type LogFolders = BTreeSet<(String, String)>;

/// The description of a snapshot, and of a restore.
#[derive(Serialize, Deserialize)]
struct Description {
    /// The name of the snapshot.
    name: String,
    /// The time of the snapshot.
    created: String,
    /// The position of a fixed clock.
    clock: Option<ClockPosition>,
    /// Those of the snapshot; of a restore also those of the data that it replaces.
    log_folders: LogFolders,
    /// The parts that exist, by their paths in the snapshot.
    parts: BTreeSet<PathBuf>,
}

/// A file or folder of the data.
struct Part {
    /// Its path while it is in use.
    live: PathBuf,
    /// Its path in a snapshot, relative to the snapshot's folder.
    saved: PathBuf,
    /// Whether it is changed in place, so that a hard link is no copy.
    is_changed_in_place: bool,
}

/// A complete snapshot, as a list shows it.
#[derive(Serialize)]
pub(crate) struct ListedSnapshot {
    name: String,
    created: String,
}

/// Takes a snapshot of closed data; one of the same name is replaced.
pub(crate) fn take(
    name: &SnapshotName,
    folders: &Folders,
    settings: &Settings,
    log_folders: LogFolders,
    clock: Option<ClockPosition>,
    created: String,
) -> io::Result<()> {
    let snapshots = folders.data().join(SNAPSHOTS);
    let unfinished = snapshots.join(UNFINISHED);
    files::remove(&unfinished)?;
    fs::create_dir_all(&unfinished).map_err(with_path(&unfinished))?;
    let log = folders.data().join(format!("{DATABASE}-wal"));
    if log.metadata().is_ok_and(|file| file.len() > 0) {
        return Err(io::Error::other(format!("{}: the database could not be closed completely", log.display())));
    }
    let mut existing = BTreeSet::new();
    for part in parts(folders, settings, &log_folders) {
        if part.live.symlink_metadata().is_ok() {
            files::copy(&part.live, &unfinished.join(&part.saved), !part.is_changed_in_place)?;
            existing.insert(part.saved);
        }
    }
    write_description(
        &unfinished,
        &Description { name: name.as_str().to_owned(), created, clock, log_folders, parts: existing },
    )?;
    let (folder, replaced) = (snapshots.join(name.as_str()), snapshots.join(".replaced"));
    files::remove(&replaced)?;
    if folder.symlink_metadata().is_ok() {
        fs::rename(&folder, &replaced).map_err(with_path(&folder))?;
    }
    fs::rename(&unfinished, &folder).map_err(with_path(&folder))?;
    files::remove(&replaced)
}

/// Prepares the restore of a snapshot while the data are in use: copies the files that are changed in place. Returns `None` if there is no snapshot of the name.
///
/// `current` are the log folders of the data that are replaced.
pub(crate) fn prepare_restore(
    name: &SnapshotName,
    folders: &Folders,
    settings: &Settings,
    current: LogFolders,
) -> io::Result<Option<PreparedRestore>> {
    let snapshot = folders.data().join(SNAPSHOTS).join(name.as_str());
    if !snapshot.is_dir() {
        return Ok(None);
    }
    let description = read_description(&snapshot)?;
    let folder = folders.data().join(PREPARED);
    files::remove(&folder)?;
    for part in parts(folders, settings, &description.log_folders) {
        if part.is_changed_in_place && description.parts.contains(&part.saved) {
            files::copy(&snapshot.join(&part.saved), &folder.join(&part.saved), false)?;
        }
    }
    let clock = description.clock;
    let log_folders = description.log_folders.into_iter().chain(current).collect();
    write_description(&folder, &Description { log_folders, ..description })?;
    Ok(Some(PreparedRestore { folder, clock }))
}

/// A restore that has not begun.
pub(crate) struct PreparedRestore {
    folder: PathBuf,
    /// The position of a fixed clock at the snapshot.
    pub(crate) clock: Option<ClockPosition>,
}

impl PreparedRestore {
    /// Begins the restore of closed data; [`finish_restore`] replaces them.
    pub(crate) fn begin(&self) -> io::Result<()> {
        fs::rename(&self.folder, self.folder.with_file_name(BEGUN)).map_err(with_path(&self.folder))
    }
}

/// Finishes a restore that has begun, and removes one that has not.
pub(crate) fn finish_restore(folders: &Folders, settings: &Settings) -> Result<(), StartError> {
    let begun = folders.data().join(BEGUN);
    let finish = || {
        files::remove(&folders.data().join(PREPARED))?;
        if begun.symlink_metadata().is_err() {
            return Ok(());
        }
        for suffix in ["-wal", "-shm"] {
            files::remove(&folders.data().join(format!("{DATABASE}{suffix}")))?;
        }
        let description = read_description(&begun)?;
        let snapshot = folders.data().join(SNAPSHOTS).join(&description.name);
        for part in parts(folders, settings, &description.log_folders) {
            let prepared = begun.join(&part.saved);
            if !description.parts.contains(&part.saved) {
                files::remove(&part.live)?;
            } else if !part.is_changed_in_place {
                files::mirror(&snapshot.join(&part.saved), &part.live)?;
            } else if prepared.symlink_metadata().is_ok() {
                files::replace(&prepared, &part.live)?;
            }
            // Else it was replaced before the process ended.
        }
        files::remove(&begun)
    };
    finish().map_err(|source: io::Error| StartError::Restore { folder: begun.clone(), source })
}

/// Lists the complete snapshots by name.
pub(crate) fn list(data: &Path) -> io::Result<Vec<ListedSnapshot>> {
    let folder = data.join(SNAPSHOTS);
    let entries = match fs::read_dir(&folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(with_path(&folder))?,
    };
    let mut listed = Vec::new();
    for entry in entries {
        let entry = entry?;
        if let Ok(name) = entry.file_name().to_string_lossy().parse::<SnapshotName>() {
            let created = read_description(&entry.path())?.created;
            listed.push(ListedSnapshot { name: name.as_str().to_owned(), created });
        }
    }
    listed.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(listed)
}

/// Removes a snapshot; returns whether there was one of the name.
pub(crate) fn remove(name: &SnapshotName, data: &Path) -> io::Result<bool> {
    let folder = data.join(SNAPSHOTS).join(name.as_str());
    let exists = folder.is_dir();
    files::remove(&folder)?;
    Ok(exists)
}

/// Lists the files and folders of the data.
fn parts(folders: &Folders, settings: &Settings, log_folders: &LogFolders) -> Vec<Part> {
    let file = |live: PathBuf, saved: &str| Part { live, saved: saved.into(), is_changed_in_place: true };
    let (data, trail) = (folders.data(), folders.trail());
    let mut parts = vec![
        file(data.join(DATABASE), DATABASE),
        file(data.join(TRIGGER_LOG), TRIGGER_LOG),
        file(data.join(EVENTS), EVENTS),
        file(data.join(UNDELIVERED_EVENTS), UNDELIVERED_EVENTS),
        file(trail::events_path(trail), "events.ndjson"),
        file(trail.join(trail::NOTIFICATIONS_LOG), trail::NOTIFICATIONS_LOG),
        Part { live: data.join(REPOSITORIES), saved: REPOSITORIES.into(), is_changed_in_place: false },
    ];
    let is_inside = |bucket: &str, prefix: &str| {
        log_folders
            .iter()
            .any(|(other, outer)| other == bucket && prefix != outer && prefix.starts_with(outer.as_str()))
    };
    for (bucket, prefix) in log_folders {
        // Objects of remote buckets stay as they are.
        if settings.buckets.contains_key(bucket) || is_inside(bucket, prefix) {
            continue;
        }
        let folder = folders.bucket(settings, bucket);
        for inside in [PathBuf::from(prefix), Path::new(bucket::METADATA).join(prefix)] {
            let saved = Path::new("buckets").join(bucket).join(&inside);
            parts.push(Part { live: folder.join(inside), saved, is_changed_in_place: false });
        }
    }
    parts
}

fn write_description(folder: &Path, description: &Description) -> io::Result<()> {
    let path = folder.join(DESCRIPTION);
    fs::create_dir_all(folder).map_err(with_path(folder))?;
    fs::write(&path, serde_json::to_vec_pretty(description)?).map_err(with_path(&path))
}

fn read_description(folder: &Path) -> io::Result<Description> {
    let path = folder.join(DESCRIPTION);
    let text = fs::read(&path).map_err(with_path(&path))?;
    serde_json::from_slice(&text).map_err(|error| io::Error::other(format!("{}: {error}", path.display())))
}

#[cfg(test)]
mod tests;
