//! The copy of a repository on one of several nodes, and how it follows the list of packs.
//!
//! **Invariant:** the files of packs in the folder of a copy change only while its version is locked. So a copy with the version of a
//! list has exactly the packs of the list.

use std::{
    collections::HashMap,
    fs,
    io::{self, Read, Seek, SeekFrom},
    path::{Path, PathBuf},
    sync::Arc,
};

use gix::ObjectId;
use parking_lot::Mutex;

use super::Repository;
use crate::{
    files,
    shared_packs::{NewPack, PackList, SharedPacks},
    staging::{self, Staging},
};

/// Attempts to follow a list from which packs are removed meanwhile.
const TRIES: usize = 3;

/// What makes a repository the copy of a shared one.
pub(super) struct Copy {
    packs: Arc<dyn SharedPacks>,
    /// The version of the list that the folder follows; `None` before it was first read.
    version: Mutex<Option<i64>>,
}

impl Copy {
    pub(super) fn new(packs: Arc<dyn SharedPacks>) -> Self {
        Self { packs, version: Mutex::new(None) }
    }
}

impl Repository {
    /// Returns whether the repository is a copy of packs that several nodes share.
    pub fn is_copy(&self) -> bool {
        self.copy().is_some()
    }

    /// Brings a copy up to date, if its list of packs has another version than it follows.
    pub fn follow(&self, version: i64) -> io::Result<()> {
        match self.copy() {
            Some(copy) if *copy.version.lock() != Some(version) => self.synchronize(copy),
            _ => Ok(()),
        }
    }

    /// Brings a copy up to date.
    pub(super) fn follow_list(&self) -> io::Result<()> {
        self.copy().map_or(Ok(()), |copy| self.synchronize(copy))
    }

    /// Returns the version of the list that a copy follows; the state that is read afterwards is at least as new.
    pub(crate) fn followed_version(&self) -> Option<i64> {
        self.copy().and_then(|copy| *copy.version.lock())
    }

    /// Returns the shared packs of a copy.
    pub(crate) fn shared_packs(&self) -> Option<&dyn SharedPacks> {
        self.copy().map(|copy| &*copy.packs)
    }

    /// Moves a finished pack into the repository, visible to readers; with `sync` it survives a power failure.
    ///
    /// Other nodes have it, too, once it is in a copy.
    pub(crate) fn install(&self, staging: &Staging, checksum: &ObjectId, sync: bool) -> io::Result<()> {
        let Some(copy) = self.copy() else { return self.install_here(staging, checksum, sync) };
        let added = copy.packs.add(&NewPack { folder: staging.path(), checksum: *checksum, sync })?;
        let mut version = copy.version.lock();
        // A copy can be fetched again, so it need not survive a power failure.
        self.install_here(staging, checksum, false)?;
        advance(&mut version, added);
        Ok(())
    }

    /// Removes packs, which are given by the paths of their indices. `unlist` removes them from the list of a copy first, and returns
    /// its new version, or `None` if they have to stay; returns whether they were removed.
    pub(crate) fn remove_packs(
        &self,
        indices: &[PathBuf],
        unlist: impl FnOnce(&dyn SharedPacks) -> io::Result<Option<i64>>,
    ) -> io::Result<bool> {
        match self.copy() {
            None => staging::remove_packs(indices)?,
            Some(copy) => {
                let Some(changed) = unlist(&*copy.packs)? else { return Ok(false) };
                let mut version = copy.version.lock();
                staging::remove_packs(indices)?;
                advance(&mut version, changed);
            }
        }
        self.read_again(&self.state())?;
        Ok(true)
    }

    fn copy(&self) -> Option<&Copy> {
        self.shared.copy.as_ref()
    }

    /// Makes the packs in the folder those of the list.
    fn synchronize(&self, copy: &Copy) -> io::Result<()> {
        let mut version = copy.version.lock();
        if version.is_none() {
            self.remove_cut_off(|_| true)?;
        }
        let mut tries = TRIES;
        loop {
            let list = copy.packs.list()?;
            if *version == Some(list.version) {
                return Ok(());
            }
            tries -= 1;
            let taken = self.take_over(&*copy.packs, &list, false);
            match taken.and_then(|others| staging::remove_packs(&others)) {
                // Another node has removed a pack since the list was read.
                Err(error) if error.kind() == io::ErrorKind::NotFound && tries > 0 => {}
                Err(error) => return Err(error),
                Ok(()) => {
                    *version = Some(list.version);
                    return self.read_again(&self.state()).map(drop);
                }
            }
        }
    }

    /// Removes those packs whose ends are missing: the ones of a copy are not flushed, so a power failure can cut them off.
    pub(crate) fn remove_cut_off(&self, is_meant: impl Fn(&ObjectId) -> bool) -> io::Result<()> {
        let packs = installed_packs(self.objects())?.into_iter().filter(|(checksum, _)| is_meant(checksum));
        let cut_off = packs.filter(|(checksum, index)| !are_whole(&index.with_extension("pack"), index, checksum));
        staging::remove_packs(&cut_off.map(|(_, index)| index).collect::<Vec<_>>())
    }

    /// Fetches the packs of a list that are missing here; with `sync` they survive a power failure. Returns the indices of the packs here
    /// that are not in the list.
    pub(crate) fn take_over(&self, packs: &dyn SharedPacks, list: &PackList, sync: bool) -> io::Result<Vec<PathBuf>> {
        let mut here = installed_packs(self.objects())?;
        for listed in &list.packs {
            if let Some(index) = here.remove(&listed.checksum) {
                let times = index.with_extension("mtimes");
                if times.exists() == listed.is_cruft {
                    continue;
                }
                if !listed.is_cruft {
                    files::remove(&times)?;
                    continue;
                }
            }
            let staging = Staging::create(self.objects())?;
            packs.fetch(&listed.checksum, staging.path())?;
            let [pack, index] = ["pack", "idx"].map(|name| staging.path().join(name));
            if !are_whole(&pack, &index, &listed.checksum) {
                let reason = format!("the stored files of the pack {} are not whole", listed.checksum);
                return Err(io::Error::new(io::ErrorKind::InvalidData, reason));
            }
            staging.install(self.objects(), &listed.checksum, sync, |_| Ok(()))?;
        }
        Ok(here.into_values().collect())
    }
}

/// Sets the version of a copy after a change that it has made itself, unless others have changed the list, too.
fn advance(version: &mut Option<i64>, changed: i64) {
    if version.is_some_and(|version| version + 1 == changed) {
        *version = Some(changed);
    }
}

/// Returns whether a pack and its index have the pack's checksum where they end.
fn are_whole(pack: &Path, index: &Path, checksum: &ObjectId) -> bool {
    // The index ends with a checksum of its own.
    let has_at_end = |path: &Path, distance: i64| {
        let mut bytes = [0; 20];
        let mut file = fs::File::open(path)?;
        file.seek(SeekFrom::End(-distance))?;
        file.read_exact(&mut bytes)?;
        Ok::<_, io::Error>(bytes == checksum.as_slice())
    };
    has_at_end(pack, 20).unwrap_or(false) && has_at_end(index, 40).unwrap_or(false)
}

/// Lists the indices of the packs in the folder of a copy, by the checksums of the packs.
fn installed_packs(objects: &Path) -> io::Result<HashMap<ObjectId, PathBuf>> {
    let mut found = HashMap::new();
    for entry in fs::read_dir(objects.join("pack"))? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str());
        let checksum = name.and_then(|name| name.strip_prefix("pack-")?.strip_suffix(".idx"));
        if let Some(checksum) = checksum.and_then(|hex| ObjectId::from_hex(hex.as_bytes()).ok()) {
            found.insert(checksum, path);
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{CacheMemory, Kind, Object, shared_packs::testing::FolderPacks};

    #[test]
    fn a_copy_has_the_packs_of_the_list_that_it_follows() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = |name: &str| folder.path().join(name);
        let shared = Arc::new(FolderPacks::create(path("shared")));
        let open = |name: &str| {
            let packs: Arc<dyn SharedPacks> = Arc::<FolderPacks>::clone(&shared);
            Repository::open_or_create_copy(&path(name), &CacheMemory::default(), packs).expect("a writable folder")
        };
        let (first, second) = (open("first"), open("second"));
        first.follow(0).expect("the list is readable");
        let blob = Object { kind: Kind::Blob, data: b"content".to_vec() };
        let id = first.add(&[blob], &first.use_objects(), false).expect("the folders are writable")[0];
        assert_eq!(first.followed_version(), Some(1), "its own change needs no other look at the list");
        let kind = |copy: &Repository| copy.kind(&id).expect("the folder is readable");
        second.follow(1).expect("the pack is stored");
        assert_eq!(kind(&second), Some(Kind::Blob));

        // The links of a copy lead to nothing.
        drop(second);
        fs::rename(path("shared"), path("moved")).expect("a writable folder");
        *shared.folder.lock() = path("moved");
        let second = open("second");
        second.follow(1).expect("the pack is fetched again");
        assert_eq!(kind(&second), Some(Kind::Blob));

        // A power failure has cut off the file of a copy, and then one of the shared files.
        let checksum = shared.list.lock().packs[0].checksum;
        drop(second);
        let pack = path(&format!("second/objects/pack/pack-{checksum}.pack"));
        fs::remove_file(&pack).expect("a writable folder");
        fs::write(&pack, "PACK").expect("a writable folder");
        let second = open("second");
        second.follow(1).expect("the pack is fetched again");
        assert_eq!(kind(&second), Some(Kind::Blob));
        let stored = shared.file(&checksum, "pack");
        let content = fs::read(&stored).expect("the pack is stored");
        fs::write(&stored, &content[..content.len() - 1]).expect("a writable folder");
        let refused = open("third").follow(1).expect_err("the pack is not whole").to_string();
        assert!(refused.contains("not whole"), "{refused}");
        fs::write(&stored, &content).expect("a writable folder");

        let version = shared.remove(&[checksum]).expect("the list is changed");
        for copy in [&first, &second] {
            copy.follow(version).expect("nothing is fetched");
            assert_eq!(kind(copy), None);
        }
    }
}
