//! Detection of renamed files: pairs of deleted and added files of one side.
//!
//! The steps are Git's: first files with the same content, then very similar files with the same name in another folder,
//! then the most similar files among the rest.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, HashMap, HashSet},
    hash::RandomState,
};

use bstr::{BStr, BString, ByteSlice};
use gix::ObjectId;

use super::{
    FileVersion, MergeError, Merger,
    entry::{FileType, file_type, join, name, parent},
    folder_moves::FolderMoves,
    similarity::{BestCandidates, Pieces, SIMILAR, WHOLE, can_reach},
    walk::{DeletedFile, SideChanges},
};
use crate::Kind;

/// The similarity that a file needs to one of the same name in another folder.
const SIMILAR_OF_A_NAME: u64 = WHOLE * 3 / 4;

/// The maximum number of pairs to compare: the square of Git's `merge.renameLimit`.
const PAIRS_MAX: usize = 7_000 * 7_000;

/// The maximum number of pieces of files to hold, at 16 bytes each.
const PIECES_HELD_MAX: usize = 4_000_000;

/// The renames of one side.
#[derive(Default)]
pub(super) struct Renames {
    /// The old and new paths of renamed files.
    pub(super) pairs: Vec<(BString, BString)>,
    /// The added files that are not renamed ones.
    pub(super) added: Vec<BString>,
    /// The number of files that moved from one folder to another, for the relevant folders.
    pub(super) folders: FolderMoves,
}

struct RenameSearch<'s> {
    side: &'s SideChanges,
    /// For each added file its source among the deleted ones.
    sources: Vec<Option<usize>>,
    /// Whether each deleted file has been paired.
    used: Vec<bool>,
    folders: FolderMoves,
    /// The pieces of files, which are likely to be compared again.
    pieces: HashMap<ObjectId, Pieces>,
    pieces_held: usize,
    hasher: RandomState,
}

impl Merger<'_> {
    /// Finds the renames of one side that are relevant to the merge.
    pub(super) fn renames(&mut self, side: &SideChanges) -> Result<Renames, MergeError> {
        let mut search = RenameSearch {
            side,
            sources: vec![None; side.added.len()],
            used: vec![false; side.deleted.len()],
            folders: FolderMoves::default(),
            pieces: HashMap::new(),
            pieces_held: 0,
            hasher: RandomState::new(),
        };
        if side.deleted.iter().any(|file| file.is_relevant) {
            search.same();
            if search.is_unfinished() {
                self.same_names(&mut search)?;
            }
            if search.is_unfinished() {
                self.similar(&mut search)?;
            }
        }
        search.folders.keep_relevant(&side.removed);
        let mut renames = Renames { folders: search.folders, ..Renames::default() };
        for ((path, _), source) in side.added.iter().zip(search.sources) {
            match source {
                Some(source) => renames.pairs.push((side.deleted[source].path.clone(), path.clone())),
                None => renames.added.push(path.clone()),
            }
        }
        Ok(renames)
    }

    /// Pairs files with the same name if the name is unique, or if the new folder is the one to which most files of the old
    /// folder moved.
    fn same_names(&mut self, search: &mut RenameSearch<'_>) -> Result<(), MergeError> {
        let side = search.side;
        let guesses = search.folders.guesses();
        let added = unique(side.added.iter().map(|(path, _)| path.as_bstr()), |at| {
            search.sources[at].is_none() && !is_empty(side.added[at].1)
        });
        let deleted = unique(side.deleted.iter().map(|file| file.path.as_bstr()), |at| {
            !search.used[at] && !is_empty(side.deleted[at].version)
        });
        let by_path: HashMap<&BStr, usize> =
            side.added.iter().enumerate().map(|(at, (path, _))| (path.as_bstr(), at)).collect();
        let unpaired: HashSet<usize> = (0..side.added.len()).filter(|at| search.sources[*at].is_none()).collect();
        for at in search.unpaired() {
            let path = side.deleted[at].path.as_bstr();
            let target = match (added.get(name(path)), deleted.get(name(path))) {
                (None, _) => continue,
                (Some(Some(target)), Some(Some(_))) => Some(*target),
                _ => guesses.get(parent(path)).and_then(|folder| {
                    by_path.get(join(folder.as_ref(), name(path)).as_bstr()).copied().filter(|at| unpaired.contains(at))
                }),
            };
            let Some(target) = target.filter(|target| search.sources[*target].is_none()) else { continue };
            if self.similarity(search, at, target, SIMILAR_OF_A_NAME)? >= SIMILAR_OF_A_NAME {
                search.pair(at, target);
            }
        }
        Ok(())
    }

    /// Pairs the most similar files among the remaining ones.
    fn similar(&mut self, search: &mut RenameSearch<'_>) -> Result<(), MergeError> {
        let sources: Vec<_> = search.unpaired().collect();
        let added: Vec<_> = (0..search.sources.len()).filter(|at| search.sources[*at].is_none()).collect();
        if sources.len().saturating_mul(added.len()) > PAIRS_MAX {
            return Ok(());
        }
        let mut candidates = Vec::new();
        for added in added {
            let mut best = BestCandidates::default();
            for &deleted in &sources {
                let similarity = self.similarity(search, deleted, added, SIMILAR)?;
                let same_name =
                    name(search.side.deleted[deleted].path.as_ref()) == name(search.side.added[added].0.as_ref());
                best.add((similarity, same_name), deleted);
            }
            candidates.extend(best.similar().map(|(rank, deleted)| (rank, deleted, added)));
        }
        candidates.sort_by_key(|(rank, ..)| Reverse(*rank));
        for (_, deleted, added) in candidates {
            if search.sources[added].is_none() && !search.used[deleted] {
                search.pair(deleted, added);
            }
        }
        Ok(())
    }

    fn similarity(
        &mut self,
        search: &mut RenameSearch<'_>,
        deleted: usize,
        added: usize,
        least: u64,
    ) -> Result<u64, MergeError> {
        let (old, new) = (search.side.deleted[deleted].version, search.side.added[added].1);
        if file_type(old) != FileType::File || file_type(new) != FileType::File {
            return Ok(0);
        }
        self.budget.time()?;
        let mut sizes = [0; 2];
        for (size, (_, id)) in sizes.iter_mut().zip([old, new]) {
            *size = self.reader.header(&id)?.ok_or_else(|| self.reader.missing(&id))?.1;
        }
        if !can_reach(least, sizes[0], sizes[1]) {
            return Ok(0);
        }
        if search.pieces_held > PIECES_HELD_MAX {
            search.pieces.clear();
            search.pieces_held = 0;
        }
        for ((_, id), size) in [old, new].into_iter().zip(sizes) {
            if !search.pieces.contains_key(&id) {
                self.budget.content(size)?;
                let mut data = Vec::new();
                self.reader.expect(&id, Kind::Blob, &mut data)?;
                let pieces = Pieces::new(&data, &search.hasher).ok_or(MergeError::Content)?;
                search.pieces_held += pieces.len();
                search.pieces.insert(id, pieces);
            }
        }
        Ok(search.pieces[&old.1].similarity(&search.pieces[&new.1]))
    }
}

impl RenameSearch<'_> {
    /// Pairs files with the same content.
    fn same(&mut self) {
        let mut by_content = BTreeMap::<ObjectId, Vec<usize>>::new();
        for (at, DeletedFile { version: (_, id), .. }) in self.side.deleted.iter().enumerate() {
            by_content.entry(*id).or_default().push(at);
        }
        for (added, (path, version)) in self.side.added.iter().enumerate() {
            let Some(sources) = by_content.get(&version.1).filter(|_| !is_empty(*version)) else { continue };
            let fits = |at: &usize| !self.used[*at] && is_alike(self.side.deleted[*at].version, *version);
            let mut fitting = sources.iter().copied().filter(fits).peekable();
            let first = fitting.peek().copied();
            let same_name = fitting.find(|at| name(self.side.deleted[*at].path.as_ref()) == name(path.as_ref()));
            if let Some(source) = same_name.or(first) {
                self.sources[added] = Some(source);
                self.used[source] = true;
            }
        }
        for (added, source) in self.sources.iter().enumerate() {
            if let Some(source) = source {
                self.folders.count(&self.side.removed, &self.side.deleted[*source].path, &self.side.added[added].0);
            }
        }
    }

    fn pair(&mut self, deleted: usize, added: usize) {
        self.sources[added] = Some(deleted);
        self.used[deleted] = true;
        self.folders.count(&self.side.removed, &self.side.deleted[deleted].path, &self.side.added[added].0);
    }

    /// Lists the relevant deleted files that are not paired yet.
    fn unpaired(&self) -> impl Iterator<Item = usize> + use<> {
        let unpaired = (0..self.used.len()).filter(|at| !self.used[*at] && self.is_source(*at));
        unpaired.collect::<Vec<_>>().into_iter()
    }

    fn is_source(&self, at: usize) -> bool {
        let DeletedFile { version, is_relevant, .. } = &self.side.deleted[at];
        *is_relevant && !is_empty(*version)
    }

    fn is_unfinished(&self) -> bool {
        self.sources.iter().any(Option::is_none) && self.unpaired().next().is_some()
    }
}

/// Tells whether a file is empty. Empty files are not paired: too many are equal.
fn is_empty((_, id): FileVersion) -> bool {
    id == ObjectId::empty_blob(gix::hash::Kind::Sha1)
}

/// Tells whether two versions with the same content can be a pair: a link or submodule is never paired with a file.
fn is_alike(old: FileVersion, new: FileVersion) -> bool {
    file_type(old) == FileType::File && file_type(new) == FileType::File || old.0 == new.0
}

/// Indexes paths by file name; `None` if several paths have the name.
fn unique<'p>(
    paths: impl Iterator<Item = &'p BStr>,
    is_included: impl Fn(usize) -> bool,
) -> HashMap<&'p BStr, Option<usize>> {
    let mut found = HashMap::new();
    for (at, path) in paths.enumerate().filter(|(at, _)| is_included(*at)) {
        found.entry(name(path)).and_modify(|known| *known = None).or_insert(Some(at));
    }
    found
}
