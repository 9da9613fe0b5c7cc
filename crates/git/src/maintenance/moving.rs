//! Moves the packs of a repository of one node into a list of packs that several nodes share, and back.
//!
//! **Invariant:** the repository keeps all of its objects, so that a move can be given up or repeated at any point.

use std::{collections::HashMap, fs, io, path::Path};

use super::{MaintenanceOptions, inventory::Inventory, unreachable_mark};
use crate::{
    Repository,
    shared_packs::{NewPack, SharedPacks},
    staging::Staging,
};

/// The extensions of a pack's files that nodes share.
const EXTENSIONS: [&str; 3] = ["pack", "idx", "mtimes"];

impl Repository {
    /// Makes the packs of a list those of this repository, which nobody else may use meanwhile; returns their number.
    ///
    /// Loose objects are combined into a pack before. What an earlier call has stored is not stored again.
    pub fn share(&self, shared: &dyn SharedPacks, maintenance: &MaintenanceOptions) -> io::Result<usize> {
        self.refresh()?;
        let inventory = Inventory::take(self)?;
        if !inventory.loose.is_empty() {
            self.roll_up(&inventory, 0, maintenance)?;
        }
        self.check_movable()?;
        let mut listed: HashMap<_, _> =
            shared.list()?.packs.into_iter().map(|pack| (pack.checksum, pack.is_cruft)).collect();
        let state = self.state();
        for pack in state.packs.iter() {
            let (index, checksum) = (pack.index.path(), pack.index.pack_checksum());
            if listed.remove(&checksum) != Some(index.with_extension("mtimes").exists()) {
                let staging = Staging::create(self.objects())?;
                for extension in EXTENSIONS {
                    link(&index.with_extension(extension), &staging.path().join(extension))?;
                }
                shared.add(&NewPack { folder: staging.path(), checksum, sync: maintenance.sync })?;
            }
        }
        if !listed.is_empty() {
            shared.remove(&listed.into_keys().collect::<Vec<_>>())?;
        }
        Ok(state.packs.len())
    }

    /// Fetches the packs of a list into this repository, and returns their number; it needs the list no more if
    /// [`SharedPacks::fetch`] copies files.
    ///
    /// Packs that are here already stay, and so do those that the list does not have.
    pub fn fetch_shared(&self, shared: &dyn SharedPacks) -> io::Result<usize> {
        let list = shared.list()?;
        self.remove_cut_off(|checksum| list.packs.iter().any(|pack| pack.checksum == *checksum))?;
        self.take_over(shared, &list, true)?;
        if let Some(time) = list.unreachable_since {
            unreachable_mark::note(self.objects(), time)?;
        }
        self.read_again(&self.state())?;
        Ok(list.packs.len())
    }

    /// Returns the time at which objects last became unreachable, in seconds since 1970.
    pub fn unreachable_since(&self) -> io::Result<Option<u32>> {
        unreachable_mark::of(self)
    }

    /// Fails if the repository has objects that no usable pack in its own folder has.
    fn check_movable(&self) -> io::Result<()> {
        let failed = |reason: String| Err(io::Error::other(format!("{}: {reason}", self.objects().display())));
        if let Some((index, reason)) = self.unusable_packs().first() {
            return failed(format!("cannot use the pack {}: {reason}; restore it, or move it away", index.display()));
        }
        if self.state().loose.len() > 1 {
            let reason = "info/alternates names other folders; copy their objects into this one, and remove that file";
            return failed(reason.to_owned());
        }
        Ok(())
    }
}

/// Links a file, if it exists, or copies it where the file system has no links.
fn link(from: &Path, to: &Path) -> io::Result<()> {
    match fs::hard_link(from, to) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(_) => fs::copy(from, to).map(drop),
        Ok(()) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use gix::ObjectId;

    use super::*;
    use crate::{Kind, Object, maintenance::mtimes, shared_packs::testing::FolderPacks};

    fn add(repository: &Repository, content: &str) -> ObjectId {
        let blob = Object { kind: Kind::Blob, data: content.into() };
        repository.add(&[blob], &repository.use_objects(), false).expect("a writable folder")[0]
    }

    /// Makes the newest pack one of unreachable objects.
    fn make_cruft(repository: &Repository) {
        let pack = repository.state().packs.last().cloned().expect("there is a pack");
        let path = pack.index.path().with_extension("mtimes");
        mtimes::write(&path, [7].into_iter(), &pack.index.pack_checksum()).expect("a writable folder");
    }

    fn shared(folder: &Path, name: &str) -> FolderPacks {
        FolderPacks::create(folder.join(name))
    }

    #[test]
    fn all_objects_go_into_the_list_and_from_there_into_another_repository() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let folder = folder.path();
        let open = |name: &str| Repository::open_or_create(&folder.join(name)).expect("a writable folder");
        let (repository, shared) = (open("old"), shared(folder, "shared"));
        let mut ids: Vec<_> = ["one", "two", "cruft"].iter().map(|content| add(&repository, content)).collect();
        make_cruft(&repository);
        let loose = gix::odb::loose::Store::at(repository.objects(), gix::hash::Kind::Sha1);
        ids.push(gix::objs::Write::write_buf(&loose, Kind::Blob, b"loose").expect("a writable folder"));
        let maintenance = MaintenanceOptions::default();
        assert_eq!(repository.share(&shared, &maintenance).expect("all is readable"), 4);
        let list = shared.list().expect("it is in memory");
        assert_eq!((list.packs.len(), list.packs.iter().filter(|pack| pack.is_cruft).count()), (4, 1));
        for id in &ids {
            assert_eq!(repository.kind(id).expect("readable"), Some(Kind::Blob), "nothing is removed");
        }

        // Only what has changed is stored again.
        add(&repository, "three");
        let gone = repository.state().packs[0].index.path().to_owned();
        repository.remove_packs(&[gone], |_| Ok(None)).expect("a writable folder");
        assert_eq!(repository.share(&shared, &maintenance).expect("all is readable"), 4);
        let again = shared.list().expect("it is in memory");
        assert_eq!((again.packs.len(), again.version - list.version), (4, 2));
        assert_eq!(again.packs.iter().filter(|pack| list.packs.contains(pack)).count(), 3);

        shared.list.lock().unreachable_since = Some(42);
        let other = open("new");
        let own = add(&other, "own");
        for _ in 0..2 {
            assert_eq!(other.fetch_shared(&shared).expect("all is stored"), 4);
        }
        assert_eq!(other.unreachable_since().expect("readable"), Some(42));
        ids[0] = own;
        for id in &ids {
            assert_eq!(other.kind(id).expect("readable"), Some(Kind::Blob));
        }
        let inventory = Inventory::take(&other).expect("readable");
        assert_eq!((inventory.plain.len(), inventory.cruft.len(), inventory.loose.len()), (4, 1, 0));
    }

    #[test]
    fn a_repository_that_has_lost_objects_or_has_them_elsewhere_is_not_shared() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (path, shared) = (folder.path().join("repository"), shared(folder.path(), "shared"));
        let repository = Repository::open_or_create(&path).expect("a writable folder");
        add(&repository, "one");
        let refused = |expected: &str| {
            let repository = Repository::open(&path).expect("the folder is readable");
            let error = repository.share(&shared, &MaintenanceOptions::default()).expect_err("it is not complete");
            assert!(error.to_string().contains(expected), "{error}");
            assert!(shared.list().expect("it is in memory").packs.is_empty());
        };
        let alternates = path.join("objects/info/alternates");
        fs::write(&alternates, "/elsewhere/objects\n").expect("a writable folder");
        refused("alternates names other folders");
        fs::remove_file(&alternates).expect("it is there");
        let pack = repository.state().packs[0].index.path().with_extension("pack");
        drop(repository);
        fs::remove_file(&pack).expect("a writable folder");
        fs::write(&pack, "PACK").expect("a writable folder");
        refused("cannot use the pack");
    }
}
