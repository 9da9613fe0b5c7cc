//! Folders in which packs are made before any reader sees them.
//!
//! **Invariant:** a staging folder lives as long as its [`Staging`]; those that a killed process left are
//! swept when the repository is opened again. A pack has its index only when all its other files are in place, and
//! loses it first. A pack without an index is removed only if it is known to be ours: its index is still in a staging
//! folder, or was marked.

use std::{
    collections::HashSet,
    fs, io,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

use gix::ObjectId;
use parking_lot::{Mutex, RwLock};

use crate::files;

const PREFIX: &str = "incoming-";

/// The extensions of a pack's files in the order in which they are put in place; they go the other way round.
const EXTENSIONS: [&str; 4] = ["pack", "mtimes", "graph", "idx"];

/// What Git keeps beside a pack, and can make again.
const DERIVED: [&str; 2] = ["rev", "bitmap"];

/// What an index becomes whose pack is to go; it goes last.
const GOING: &str = "idx-gone";

/// What is being made beside a pack, to replace what has its name without the end.
const UNFINISHED: &str = "graph-new";

/// The folders of this process.
static LIVE: Mutex<Option<HashSet<PathBuf>>> = Mutex::new(None);
static NEXT: AtomicU64 = AtomicU64::new(1);

/// Shared by those who put packs in place, exclusive for those who remove some: a pack may come again, under the same
/// name, while it goes.
static PLACES: RwLock<()> = RwLock::new(());

/// A folder beside the objects; removed on drop.
pub(crate) struct Staging {
    path: PathBuf,
}

impl Staging {
    /// Makes a folder in `objects`.
    pub(crate) fn create(objects: &Path) -> io::Result<Self> {
        loop {
            let path = objects.join(format!("{PREFIX}{}", NEXT.fetch_add(1, Ordering::Relaxed)));
            let mut live = LIVE.lock();
            match files::create_folder(&path) {
                Ok(()) => {
                    live.get_or_insert_default().insert(path.clone());
                    return Ok(Self { path });
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Moves the files `pack` and `idx`, and what else belongs to a pack, into the folder of packs and lets `publish`
    /// show the index to readers; `sync` makes them last a power cut.
    ///
    /// `checksum` is the one that ends the pack: a pack of that name that is there has the same bytes.
    pub(crate) fn install(
        &self,
        objects: &Path,
        checksum: &ObjectId,
        sync: bool,
        publish: impl FnOnce(&Path) -> io::Result<()>,
    ) -> io::Result<()> {
        let folder = objects.join("pack");
        let index = folder.join(format!("pack-{checksum}.idx"));
        for file in EXTENSIONS.map(|extension| self.path.join(extension)).iter().filter(|file| file.exists()) {
            files::make_read_only(file)?;
            if sync {
                files::sync(file)?;
            }
        }
        let places = PLACES.read();
        let there = index.exists();
        let going = index.with_extension(GOING);
        if going.exists() {
            files::remove(&going)?;
        }
        for extension in EXTENSIONS {
            let (from, to) = (self.path.join(extension), index.with_extension(extension));
            match (extension, from.exists()) {
                ("pack" | "idx", _) if there => {}
                (_, true) => files::rename(&from, &to)?,
                // The ages of objects that nothing led to are of no meaning any more.
                ("mtimes", false) if to.exists() => files::remove(&to)?,
                (_, false) => {}
            }
        }
        publish(&index)?;
        drop(places);
        if sync { files::sync_folder(&folder) } else { Ok(()) }
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        // A folder that cannot be removed now is swept at the next start.
        drop(files::remove_folder(&self.path));
        LIVE.lock().get_or_insert_default().remove(&self.path);
    }
}

/// Removes the files of packs, given by the paths of their indices.
pub(crate) fn remove_packs(indices: &[PathBuf]) -> io::Result<()> {
    let _places = PLACES.write();
    for index in indices {
        if index.exists() {
            files::rename(index, &index.with_extension(GOING))?;
        }
        remove_rest(index)?;
    }
    Ok(())
}

/// Removes what is left of a pack whose index is gone, the mark that it goes last.
fn remove_rest(index: &Path) -> io::Result<()> {
    let rest = EXTENSIONS.iter().rev().chain(&DERIVED).filter(|extension| **extension != "idx");
    for extension in rest.chain([&GOING]) {
        let path = index.with_extension(extension);
        if path.exists() {
            files::remove(&path)?;
        }
    }
    Ok(())
}

/// Removes what killed processes left in `objects`: staging folders that nobody in this process uses, and the files
/// of packs that were to come or to go. Gives the packs that have lost their indices in another way, which stay.
pub(crate) fn sweep(objects: &Path) -> io::Result<Vec<PathBuf>> {
    let mut coming = HashSet::new();
    let live = LIVE.lock();
    for entry in fs::read_dir(objects)? {
        let entry = entry?;
        let stale = entry.file_name().to_string_lossy().starts_with(PREFIX)
            && !live.as_ref().is_some_and(|live| live.contains(&entry.path()));
        if stale {
            coming.extend(checksum(&entry.path().join("idx")));
            files::remove_folder(&entry.path())?;
        }
    }
    drop(live);
    let _places = PLACES.write();
    let mut orphans = Vec::new();
    for entry in fs::read_dir(objects.join("pack"))? {
        let path = entry?.path();
        let is = |known: &str| path.extension().is_some_and(|extension| extension == known);
        let index = path.with_extension("idx");
        if is(UNFINISHED) {
            files::remove(&path)?;
        } else if is(GOING) {
            // It may have come again.
            if index.exists() { files::remove(&path)? } else { remove_rest(&index)? }
        } else if index.exists() || path.with_extension(GOING).exists() {
            // It has its index, or is dealt with in its turn.
        } else if is("pack") && path.exists() {
            let name = path.file_stem().and_then(|name| name.to_str()).and_then(|name| name.strip_prefix("pack-"));
            if name.is_some_and(|name| coming.contains(name)) {
                files::remove(&path)?;
            } else {
                orphans.push(path);
            }
        }
    }
    // What belongs to packs that are not there any more, or never were.
    for entry in fs::read_dir(objects.join("pack"))? {
        let path = entry?.path();
        let belongs = EXTENSIONS.iter().chain(&DERIVED).any(|known| path.extension().is_some_and(|it| it == *known));
        if belongs && !path.with_extension("idx").exists() && !path.with_extension("pack").exists() {
            files::remove(&path)?;
        }
    }
    Ok(orphans)
}

/// Reads of an index which pack it belongs to.
fn checksum(index: &Path) -> Option<String> {
    let data = fs::read(index).ok()?;
    let start = data.len().checked_sub(40)?;
    ObjectId::try_from(&data[start..start + 20]).ok().map(|id| id.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_stale_is_swept() {
        let objects = tempfile::tempdir().expect("a temporary folder");
        let objects = fs::canonicalize(objects.path()).map(|path| (objects, path)).expect("an existing folder");
        fs::create_dir_all(objects.1.join("incoming-x/y")).expect("a writable folder");
        fs::create_dir(objects.1.join("pack")).expect("a writable folder");
        for name in [
            "pack-1.pack",
            "pack-1.idx",
            "pack-1.keep",
            "pack-2.pack",
            "pack-2.mtimes",
            "pack-3.mtimes",
            "pack-4.pack",
            "pack-4.graph",
            "pack-4.idx-gone",
            "pack-5.pack",
            "pack-5.idx",
            "pack-5.idx-gone",
            "pack-1.graph-new",
            "tmp_pack_x",
        ] {
            fs::write(objects.1.join("pack").join(name), "").expect("a writable folder");
        }
        // A pack that was to come, whose index was not put in place.
        let coming = ObjectId::from_bytes_or_panic(&[7; 20]);
        fs::write(objects.1.join("incoming-x/idx"), [coming.as_slice(), &[0; 20]].concat()).expect("a writable folder");
        for extension in ["pack", "graph"] {
            let path = objects.1.join("pack").join(format!("pack-{coming}.{extension}"));
            fs::write(path, "").expect("a writable folder");
        }
        let staging = Staging::create(&objects.1).expect("a staging folder");
        let orphans = sweep(&objects.1).expect("a readable folder");
        assert_eq!(orphans, [objects.1.join("pack/pack-2.pack")]);
        assert!(!objects.1.join("incoming-x").exists());
        assert!(staging.path().exists());
        let names = fs::read_dir(objects.1.join("pack")).expect("a folder");
        let mut names: Vec<_> = names.map(|entry| entry.expect("readable").file_name()).collect();
        names.sort();
        let kept = ["pack-1.idx", "pack-1.keep", "pack-1.pack", "pack-2.mtimes", "pack-2.pack"];
        assert_eq!(names[..5], kept);
        assert_eq!(names[5..], ["pack-5.idx", "pack-5.pack", "tmp_pack_x"]);
        let path = staging.path().to_owned();
        drop(staging);
        assert!(!path.exists());
    }
}
