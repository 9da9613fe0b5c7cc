//! Folders for packs that are not visible to readers yet.
//!
//! **Invariant:** a staging folder exists as long as its [`Staging`]; the folders of killed processes are removed when the
//! repository is opened again. The index of a pack is installed after all its other files and removed before them. A pack
//! without an index is removed only if this program has made it: its index is still in a staging folder, or was marked.

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

/// The extensions of a pack's files in the order of installation; they are removed in reverse order.
const EXTENSIONS: [&str; 4] = ["pack", "mtimes", "graph", "idx"];

/// The extensions of Git's derived files beside a pack.
const DERIVED: [&str; 2] = ["rev", "bitmap"];

/// The extension of the index of a pack that is being removed; this file is removed last.
const REMOVING: &str = "idx-gone";

/// The extension of an unfinished file beside a pack.
const UNFINISHED: &str = "graph-new";

/// The staging folders of this process.
static LIVE: Mutex<Option<HashSet<PathBuf>>> = Mutex::new(None);
static NEXT: AtomicU64 = AtomicU64::new(1);

/// Locked shared to install packs, and exclusively to remove some: a pack may be installed again, under the same name, while
/// it is removed.
static PACK_FILES: RwLock<()> = RwLock::new(());

/// A staging folder beside the objects; removed on drop.
pub(crate) struct Staging {
    path: PathBuf,
}

impl Staging {
    /// Creates a folder in `objects`.
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

    /// Moves the files of a pack into the pack folder and calls `publish` with the index; with `sync` they survive a power
    /// failure.
    ///
    /// `checksum` is the hash at the end of the pack: an existing pack of that name has the same bytes.
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
        let installing = PACK_FILES.read();
        let is_installed = index.exists();
        let removing = index.with_extension(REMOVING);
        if removing.exists() {
            files::remove(&removing)?;
        }
        for extension in EXTENSIONS {
            let (from, to) = (self.path.join(extension), index.with_extension(extension));
            match (extension, from.exists()) {
                ("pack" | "idx", _) if is_installed => {}
                (_, true) => files::rename(&from, &to)?,
                // The pack is no cruft pack any more, so the times of its objects are obsolete.
                ("mtimes", false) if to.exists() => files::remove(&to)?,
                (_, false) => {}
            }
        }
        publish(&index)?;
        drop(installing);
        if sync { files::sync_folder(&folder) } else { Ok(()) }
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        // A folder that cannot be removed now is removed at the next start.
        drop(files::remove_folder(&self.path));
        LIVE.lock().get_or_insert_default().remove(&self.path);
    }
}

/// Removes the files of packs, which are given by the paths of their indices.
pub(crate) fn remove_packs(indices: &[PathBuf]) -> io::Result<()> {
    let _removing = PACK_FILES.write();
    for index in indices {
        if index.exists() {
            files::rename(index, &index.with_extension(REMOVING))?;
        }
        remove_rest(index)?;
    }
    Ok(())
}

/// Removes the other files of a pack without an index; the file that marks the removal is the last.
fn remove_rest(index: &Path) -> io::Result<()> {
    let rest = EXTENSIONS.iter().rev().chain(&DERIVED).filter(|extension| **extension != "idx");
    for extension in rest.chain([&REMOVING]) {
        let path = index.with_extension(extension);
        if path.exists() {
            files::remove(&path)?;
        }
    }
    Ok(())
}

/// Removes the remains of killed processes in `objects`: staging folders that this process does not use, and files of
/// packs that were being installed or removed. Returns the packs that have lost their indices in another way; these stay.
pub(crate) fn sweep(objects: &Path) -> io::Result<Vec<PathBuf>> {
    let mut unfinished = HashSet::new();
    let live = LIVE.lock();
    for entry in fs::read_dir(objects)? {
        let entry = entry?;
        let stale = entry.file_name().to_string_lossy().starts_with(PREFIX)
            && !live.as_ref().is_some_and(|live| live.contains(&entry.path()));
        if stale {
            unfinished.extend(checksum(&entry.path().join("idx")));
            files::remove_folder(&entry.path())?;
        }
    }
    drop(live);
    let _removing = PACK_FILES.write();
    let mut orphans = Vec::new();
    for entry in fs::read_dir(objects.join("pack"))? {
        let path = entry?.path();
        let has_extension = |known: &str| path.extension().is_some_and(|extension| extension == known);
        let index = path.with_extension("idx");
        if has_extension(UNFINISHED) {
            files::remove(&path)?;
        } else if has_extension(REMOVING) {
            // The pack may have been installed again.
            if index.exists() { files::remove(&path)? } else { remove_rest(&index)? }
        } else if index.exists() || path.with_extension(REMOVING).exists() {
            // The pack has its index, or is removed with the file that marks it.
        } else if has_extension("pack") && path.exists() {
            let name = path.file_stem().and_then(|name| name.to_str()).and_then(|name| name.strip_prefix("pack-"));
            if name.is_some_and(|name| unfinished.contains(name)) {
                files::remove(&path)?;
            } else {
                orphans.push(path);
            }
        }
    }
    // The files of packs that do not exist.
    for entry in fs::read_dir(objects.join("pack"))? {
        let path = entry?.path();
        let belongs = EXTENSIONS
            .iter()
            .chain(&DERIVED)
            .any(|known| path.extension().is_some_and(|extension| extension == *known));
        if belongs && !path.with_extension("idx").exists() && !path.with_extension("pack").exists() {
            files::remove(&path)?;
        }
    }
    Ok(orphans)
}

/// Reads the checksum of the pack from an index.
fn checksum(index: &Path) -> Option<String> {
    let data = fs::read(index).ok()?;
    let start = data.len().checked_sub(40)?;
    ObjectId::try_from(&data[start..start + 20]).ok().map(|id| id.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_stale_files_are_removed() {
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
        // A pack whose index was not installed yet.
        let unfinished = ObjectId::from_bytes_or_panic(&[7; 20]);
        fs::write(objects.1.join("incoming-x/idx"), [unfinished.as_slice(), &[0; 20]].concat())
            .expect("a writable folder");
        for extension in ["pack", "graph"] {
            let path = objects.1.join("pack").join(format!("pack-{unfinished}.{extension}"));
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
