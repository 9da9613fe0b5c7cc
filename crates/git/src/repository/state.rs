//! The packs and folders of a repository at one moment.

use std::{
    collections::{HashMap, HashSet},
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use gix::odb::loose;

use super::folders::{self, Stamp};
use crate::{cache_memory::CacheMemory, pack::Pack};

/// The packs and folders that readers use.
///
/// **Invariant:** a state never changes; a change of the repository creates another one, in which the packs of both have the
/// same order.
pub(crate) struct State {
    pub(crate) packs: Arc<[Arc<Pack>]>,
    pub(crate) loose: Arc<[loose::Store]>,
    /// The unusable packs by the paths of their indices, with the reasons.
    pub(crate) unusable: Vec<(PathBuf, String)>,
    folders: Vec<PathBuf>,
    stamp: Stamp,
}

impl State {
    /// Reads the folders; keeps the packs of the previous state that still exist.
    pub(super) fn read(objects: &Path, before: Option<&Self>, memory: &CacheMemory) -> io::Result<Self> {
        let folders = folders::list(objects);
        let mut stamp = Stamp::of(&folders);
        let mut known: HashMap<&Path, &Arc<Pack>> =
            before.iter().flat_map(|state| state.packs.iter()).map(|pack| (pack.index.path(), pack)).collect();
        let (mut kept, mut added, mut unusable) = (HashSet::new(), Vec::new(), Vec::new());
        for folder in &folders {
            for index in indices_in(&folder.join("pack"))? {
                match known.remove(index.as_path()) {
                    Some(pack) => drop(kept.insert(pack.data.id)),
                    None => match Pack::open(&index, memory) {
                        Ok(pack) => added.push(Arc::new(pack)),
                        // The pack was removed while the folder was read.
                        Err(error) if error.kind() == io::ErrorKind::NotFound => stamp.distrust(),
                        Err(error) => unusable.push((index, error.to_string())),
                    },
                }
            }
        }
        if !unusable.is_empty() {
            // The failure may be temporary.
            stamp.distrust();
        }
        let before = before.iter().flat_map(|state| state.packs.iter());
        let stayed = before.filter(|pack| kept.contains(&pack.data.id)).cloned();
        let packs = stayed.chain(added).collect();
        let loose = folders.iter().map(|folder| loose::Store::at(folder.clone(), gix::hash::Kind::Sha1)).collect();
        Ok(Self { packs, loose, unusable, folders, stamp })
    }

    /// Returns whether the folders cannot have changed since they were read; costs a few file system calls.
    pub(super) fn is_current(&self) -> bool {
        self.stamp.is_settled() && self.looks_current()
    }

    /// Returns whether the folders show no change.
    pub(super) fn looks_current(&self) -> bool {
        Stamp::of(&self.folders).equals(&self.stamp)
    }
}

/// Lists the pack indices in a folder.
fn indices_in(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(Vec::new());
        }
        Err(error) => return Err(error),
    };
    let mut indices = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "idx") {
            indices.push(path);
        }
    }
    Ok(indices)
}
