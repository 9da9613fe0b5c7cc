//! Which of the files that a side added are files that it deleted, under another name.
//!
//! The steps are Git's: what is the same first, then what has the same name in another folder and is very similar, then
//! the most similar of all that is left.

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
    folders::FolderMoves,
    similarity::{BestCandidates, Pieces, SIMILAR, WHOLE, can_reach},
    walk::{DeletedFile, SideChanges},
};
use crate::Kind;

/// The similarity that a file needs to one of the same name in another folder.
const SIMILAR_OF_A_NAME: u64 = WHOLE * 3 / 4;

/// No more pairs than this number squared are looked at.
const LIMIT: usize = 7_000;

/// How many pieces of files are held, at most; 16 bytes each.
const PIECES_HELD_MAX: usize = 4_000_000;

/// What a side renamed.
#[derive(Default)]
pub(super) struct Renames {
    /// From where and to where.
    pub(super) pairs: Vec<(BString, BString)>,
    /// What was added and is no renamed file.
    pub(super) added: Vec<BString>,
    /// How many files moved from one folder to another, where it matters.
    pub(super) folders: FolderMoves,
}

struct RenameSearch<'s> {
    side: &'s SideChanges,
    /// For each added file the deleted one that it was.
    sources: Vec<Option<usize>>,
    /// Which deleted files were renamed.
    used: Vec<bool>,
    folders: FolderMoves,
    /// The pieces of files that are likely to be compared again.
    pieces: HashMap<ObjectId, Pieces>,
    pieces_held: usize,
    hasher: RandomState,
}

impl Merger<'_> {
    /// Finds what a side renamed, as far as it matters.
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

    /// Pairs files of the same name, if no others have it, or if that is where the files of their folder went.
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
        for at in search.left() {
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

    /// Pairs the most similar of the files that are left.
    fn similar(&mut self, search: &mut RenameSearch<'_>) -> Result<(), MergeError> {
        let sources: Vec<_> = search.left().collect();
        let added: Vec<_> = (0..search.sources.len()).filter(|at| search.sources[*at].is_none()).collect();
        if sources.len().saturating_mul(added.len()) > LIMIT * LIMIT {
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
    /// Pairs files of the same content.
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
            let of_the_name = fitting.find(|at| name(self.side.deleted[*at].path.as_ref()) == name(path.as_ref()));
            if let Some(source) = of_the_name.or(first) {
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

    /// The deleted files of which it matters where they went, and which are not found yet.
    fn left(&self) -> impl Iterator<Item = usize> + use<> {
        let left = (0..self.used.len()).filter(|at| !self.used[*at] && self.is_source(*at));
        left.collect::<Vec<_>>().into_iter()
    }

    fn is_source(&self, at: usize) -> bool {
        let DeletedFile { version, is_relevant, .. } = &self.side.deleted[at];
        *is_relevant && !is_empty(*version)
    }

    fn is_unfinished(&self) -> bool {
        self.sources.iter().any(Option::is_none) && self.left().next().is_some()
    }
}

/// Empty files are no renamed ones: too many are alike.
fn is_empty((_, id): FileVersion) -> bool {
    id == ObjectId::empty_blob(gix::hash::Kind::Sha1)
}

/// Tells whether files of the same content are the same: links and submodules are never files.
fn is_alike(old: FileVersion, new: FileVersion) -> bool {
    file_type(old) == FileType::File && file_type(new) == FileType::File || old.0 == new.0
}

/// Finds by name the only path that has it; nothing where several have it.
fn unique<'p>(
    paths: impl Iterator<Item = &'p BStr>,
    counts: impl Fn(usize) -> bool,
) -> HashMap<&'p BStr, Option<usize>> {
    let mut found = HashMap::new();
    for (at, path) in paths.enumerate().filter(|(at, _)| counts(*at)) {
        found.entry(name(path)).and_modify(|known| *known = None).or_insert(Some(at));
    }
    found
}
