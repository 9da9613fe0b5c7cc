//! The history of a file: its versions, and how they succeed each other.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashMap},
};

use bstr::{BStr, BString, ByteSlice};
use gix::{ObjectId, hash::oid};

use crate::{
    Error, FileVersion, Mode,
    history::{History, Node},
    reader::Reader,
    rename::Origins,
};

/// A commit that changed a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revision {
    /// The commit.
    pub commit: ObjectId,
    /// The path of the file in the commit.
    pub path: BString,
    /// Its content in the commit.
    pub blob: ObjectId,
    /// The commits with the versions that directly follow this one.
    pub newer: Vec<ObjectId>,
}

impl Reader {
    /// Lists the versions of a file, from a commit back to the one that added the file.
    ///
    /// A version comes after all its successors; apart from that, newer commits come first. As in `git log`, a merge counts
    /// as no version if one parent has the same file, and then only that parent is followed. If the file was renamed or
    /// copied from another one, its history continues with that file, as in `git log --follow`.
    pub fn file_history(&mut self, commit: &oid, path: &BStr) -> Result<Vec<Revision>, Error> {
        let mut walk = FileHistoryWalk {
            reader: self,
            history: History::default(),
            paths: vec![path.to_owned()],
            places: Vec::new(),
            numbers: HashMap::new(),
            files: HashMap::new(),
            folders: HashMap::new(),
        };
        let first = walk.history.node(commit);
        walk.place(first, 0);
        let mut at = 0;
        while at < walk.places.len() {
            if walk.places.len() > PLACES_MAX {
                return Err(Error::Time);
            }
            walk.visit(at)?;
            at += 1;
        }
        walk.versions()
    }
}

/// The maximum number of paths in commits for one history; each takes about 300 bytes of memory.
const PLACES_MAX: usize = 1_000_000;

/// The version at a path, if there is one.
type FoundFile = Option<FileVersion>;

/// The paths in commits at which a file was, each before its predecessors.
struct FileHistoryWalk<'r> {
    reader: &'r mut Reader,
    history: History,
    paths: Vec<BString>,
    places: Vec<PathInCommit>,
    /// The indices of the places, by commit and path.
    numbers: HashMap<(Node, usize), usize>,
    /// The files at paths of commits.
    files: HashMap<(Node, usize), FoundFile>,
    /// The entries of folders along a path, by folder, path and depth; most commits share them.
    folders: HashMap<(ObjectId, usize, usize), FoundFile>,
}

/// A path in a commit.
struct PathInCommit {
    commit: Node,
    path: usize,
    is_version: bool,
    /// The places of the predecessors.
    older: Vec<usize>,
}

impl FileHistoryWalk<'_> {
    /// Returns the index of a place; a new place is added at the end.
    fn place(&mut self, commit: Node, path: usize) -> usize {
        *self.numbers.entry((commit, path)).or_insert_with(|| {
            self.places.push(PathInCommit { commit, path, is_version: false, older: Vec::new() });
            self.places.len() - 1
        })
    }

    /// Finds the predecessors of a place, and whether the file changed there.
    fn visit(&mut self, at: usize) -> Result<(), Error> {
        let PathInCommit { commit, path, .. } = self.places[at];
        let here = self.file(commit, path)?;
        let parents = self.history.parents(commit).to_vec();
        for parent in &parents {
            let there = self.file(*parent, path)?;
            if there == here {
                let older = self.place(*parent, path);
                self.places[at].older.push(older);
                return Ok(());
            }
        }
        self.places[at].is_version = here.is_some();
        // If one parent of a merge lacks the file, it may have been copied on another side; so only renames count.
        let origins = if parents.len() == 1 { Origins::Copies } else { Origins::Renames };
        for parent in parents {
            let path = match (here, self.file(parent, path)?) {
                (Some(file), None) => self.origin(commit, parent, path, file, origins)?,
                _ => path,
            };
            let older = self.place(parent, path);
            self.places[at].older.push(older);
        }
        Ok(())
    }

    /// Finds the path of the file from which a file was renamed or copied; without one, the path stays the same.
    fn origin(
        &mut self,
        commit: Node,
        parent: Node,
        path: usize,
        file: FileVersion,
        origins: Origins,
    ) -> Result<usize, Error> {
        let trees = [self.history.tree(parent), self.history.tree(commit)];
        let Some(name) = self.reader.origin(trees, self.paths[path].as_ref(), file, origins)? else {
            return Ok(path);
        };
        Ok(self.paths.iter().position(|known| *known == name).unwrap_or_else(|| {
            self.paths.push(name);
            self.paths.len() - 1
        }))
    }

    /// Finds the file at a path of a commit.
    fn file(&mut self, commit: Node, path: usize) -> Result<FoundFile, Error> {
        if let Some(known) = self.files.get(&(commit, path)) {
            return Ok(*known);
        }
        self.history.load(commit, self.reader)?;
        let found = self.find(self.history.tree(commit), path)?.filter(|(mode, _)| mode.is_blob());
        self.files.insert((commit, path), found);
        Ok(found)
    }

    fn find(&mut self, mut tree: ObjectId, path: usize) -> Result<FoundFile, Error> {
        let mut names = self.paths[path].split_str(b"/").enumerate().peekable();
        while let Some((depth, name)) = names.next() {
            let known = self.folders.get(&(tree, path, depth)).copied();
            let found = match known {
                Some(found) => found,
                None => self.reader.child(&tree, name.into())?.map(|entry| (entry.mode, entry.id)),
            };
            // Two commits hardly ever share the root tree, so it is not remembered.
            if depth > 0 && known.is_none() {
                self.folders.insert((tree, path, depth), found);
            }
            match found {
                Some((Mode::Tree, id)) if names.peek().is_some() => tree = id,
                found => return Ok(found.filter(|_| names.peek().is_none())),
            }
        }
        Ok(None)
    }

    /// Sorts the versions, and connects each with its successors.
    fn versions(&self) -> Result<Vec<Revision>, Error> {
        let mut to_come = vec![0_usize; self.places.len()];
        for older in self.places.iter().flat_map(|place| &place.older) {
            to_come[*older] += 1;
        }
        let entry = |at: usize| (self.history.seconds(self.places[at].commit), Reverse(at));
        let mut newer = vec![Vec::new(); self.places.len()];
        let mut versions = Vec::new();
        let mut queue = BinaryHeap::from([entry(0)]);
        while let Some((_, Reverse(at))) = queue.pop() {
            self.reader.go_on()?;
            let place = &self.places[at];
            let mut made = std::mem::take(&mut newer[at]);
            if place.is_version
                && let Some(Some((_, blob))) = self.files.get(&(place.commit, place.path))
            {
                let commit = self.history.id(place.commit);
                let path = self.paths[place.path].clone();
                versions.push(Revision {
                    commit,
                    path,
                    blob: *blob,
                    newer: std::mem::replace(&mut made, vec![commit]),
                });
            }
            for older in &place.older {
                let fresh: Vec<_> = made.iter().filter(|commit| !newer[*older].contains(*commit)).copied().collect();
                newer[*older].extend(fresh);
                to_come[*older] -= 1;
                if to_come[*older] == 0 {
                    queue.push(entry(*older));
                }
            }
        }
        Ok(versions)
    }
}
