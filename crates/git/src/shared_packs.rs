//! Packs that several nodes share.
//!
//! Each node has a *copy* of a repository: a folder of its own, in Git's own layout, with the packs that a list names. So all that reads
//! and writes objects is the same as for a repository of one node. The list and the files of the packs are the caller's.

use std::{io, path::Path};

use gix::ObjectId;

/// The packs of one repository that several nodes share.
pub trait SharedPacks: Send + Sync {
    /// Reads the list of packs.
    fn list(&self) -> io::Result<PackList>;

    /// Stores a pack for all nodes and adds it to the list, in the place of one with the same checksum; returns the new version of the
    /// list. The files in the folder of the pack stay.
    fn add(&self, pack: &NewPack<'_>) -> io::Result<i64>;

    /// Puts the files of a listed pack into a folder; they have the names that [`NewPack::folder`] tells.
    fn fetch(&self, checksum: &ObjectId, folder: &Path) -> io::Result<()>;

    /// Removes packs from the list, each of whose objects is in another one; returns the new version of the list.
    fn remove(&self, checksums: &[ObjectId]) -> io::Result<i64>;

    /// Removes a pack with unreachable objects from the list, and returns the new version of the list.
    ///
    /// Returns `None` and changes nothing if the list has another version than `version`, or if a reference now names an object for
    /// which `is_going` returns true. Changes of references that looked for objects before must fail afterwards.
    fn prune(
        &self,
        checksum: &ObjectId,
        version: i64,
        is_going: Box<dyn Fn(&ObjectId) -> bool + Send>,
    ) -> io::Result<Option<i64>>;

    /// Forgets the time since which objects may be unreachable, unless there is a later one.
    fn forget_unreachable(&self, since: u32) -> io::Result<()>;
}

/// The list of the packs that nodes share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackList {
    /// The version of the list; each change has another one.
    pub version: i64,
    /// The packs.
    pub packs: Vec<ListedPack>,
    /// The time at which objects last became unreachable, in seconds since 1970.
    pub unreachable_since: Option<u32>,
}

/// A pack in the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListedPack {
    /// The hash at its end.
    pub checksum: ObjectId,
    /// Whether its objects were found to be unreachable; then it has a file with the times.
    pub is_cruft: bool,
}

/// A new pack, whose files are complete.
#[derive(Debug, Clone, Copy)]
pub struct NewPack<'p> {
    /// The folder with its files: `pack`, `idx` and, of a cruft pack, `mtimes`.
    pub folder: &'p Path,
    /// The hash at its end.
    pub checksum: ObjectId,
    /// Whether the files must survive a power failure.
    pub sync: bool,
}

impl NewPack<'_> {
    /// Returns whether its objects were found to be unreachable.
    pub fn is_cruft(&self) -> bool {
        self.folder.join("mtimes").exists()
    }
}

#[cfg(test)]
pub(crate) mod testing {
    //! Packs in a folder, for tests.

    use std::{fs, os::unix::fs::symlink, path::PathBuf};

    use parking_lot::Mutex;

    use super::*;

    const EXTENSIONS: [&str; 3] = ["pack", "idx", "mtimes"];

    /// Packs in a folder, to which copies have links.
    pub(crate) struct FolderPacks {
        pub(crate) folder: Mutex<PathBuf>,
        pub(crate) list: Mutex<PackList>,
    }

    impl FolderPacks {
        /// Creates the folder, with an empty list.
        pub(crate) fn create(folder: PathBuf) -> Self {
            fs::create_dir(&folder).expect("a writable folder");
            let list = PackList { version: 0, packs: Vec::new(), unreachable_since: None };
            Self { folder: Mutex::new(folder), list: Mutex::new(list) }
        }

        pub(crate) fn file(&self, checksum: &ObjectId, extension: &str) -> PathBuf {
            self.folder.lock().join(format!("{checksum}.{extension}"))
        }

        fn change(&self, change: impl FnOnce(&mut Vec<ListedPack>)) -> i64 {
            let mut list = self.list.lock();
            change(&mut list.packs);
            list.version += 1;
            list.version
        }
    }

    impl SharedPacks for FolderPacks {
        fn list(&self) -> io::Result<PackList> {
            Ok(self.list.lock().clone())
        }

        fn add(&self, pack: &NewPack<'_>) -> io::Result<i64> {
            for extension in EXTENSIONS.iter().filter(|extension| pack.folder.join(extension).exists()) {
                fs::copy(pack.folder.join(extension), self.file(&pack.checksum, extension))?;
            }
            let listed = ListedPack { checksum: pack.checksum, is_cruft: pack.is_cruft() };
            Ok(self.change(|packs| packs.push(listed)))
        }

        fn fetch(&self, checksum: &ObjectId, folder: &Path) -> io::Result<()> {
            let files = EXTENSIONS.map(|extension| (self.file(checksum, extension), folder.join(extension)));
            files.iter().filter(|(file, _)| file.exists()).try_for_each(|(file, link)| symlink(file, link))
        }

        fn remove(&self, checksums: &[ObjectId]) -> io::Result<i64> {
            Ok(self.change(|packs| packs.retain(|pack| !checksums.contains(&pack.checksum))))
        }

        fn prune(
            &self,
            checksum: &ObjectId,
            version: i64,
            _is_going: Box<dyn Fn(&ObjectId) -> bool + Send>,
        ) -> io::Result<Option<i64>> {
            if self.list.lock().version == version { self.remove(&[*checksum]).map(Some) } else { Ok(None) }
        }

        fn forget_unreachable(&self, _since: u32) -> io::Result<()> {
            Ok(())
        }
    }
}
