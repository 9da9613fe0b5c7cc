//! The entries that differ between three folders.
//!
//! **Invariant:** only entries that differ are kept, and they count towards the limit of entries.

use bstr::{BString, ByteVec};
use gix::ObjectId;

use super::{FileVersion, MergeError, budget::Budget};
use crate::{
    Error, Kind, Mode,
    object_links::{TreeEntries, TreeEntry},
    reader::Reader,
};

/// A name with its versions in three folders.
pub(super) type NamedVersions = (BString, [Option<FileVersion>; 3]);

/// Lists the entries that differ between three folders, in Git's order: the name of a tree ends with a slash.
///
/// `path_bytes` is the length of the folders' path.
pub(super) fn differing(
    reader: &mut Reader,
    budget: &mut Budget,
    path_bytes: usize,
    trees: [Option<ObjectId>; 3],
) -> Result<Vec<NamedVersions>, MergeError> {
    let mut data = <[Vec<u8>; 3]>::default();
    // Equal trees are read once.
    let sources = trees.map(|tree| trees.iter().position(|other| *other == tree).unwrap_or_default());
    for (at, tree) in trees.iter().enumerate() {
        if let Some(id) = tree
            && sources[at] == at
        {
            reader.expect(id, Kind::Tree, &mut data[at])?;
        }
    }
    let mut sorted = <[Vec<u32>; 3]>::default();
    for (at, tree) in trees.iter().enumerate() {
        if let Some(id) = tree
            && sources[at] == at
        {
            sorted[at] = by_name(&data[at]).map_err(|reason| Error::Malformed { id: *id, reason })?;
        }
    }
    let mut cursors = sources.map(|source| SortedEntries { data: &data[source], sorted: &sorted[source] });
    let mut names: Vec<NamedVersions> = Vec::new();
    while let Some(name) = cursors.iter().filter_map(SortedEntries::name).min() {
        let here = cursors.each_mut().map(|cursor| cursor.take(name));
        if here[0] != here[1] || here[1] != here[2] {
            budget.item(path_bytes + 1 + name.len())?;
            names.push((name.into(), here));
        }
    }
    names.sort_by_cached_key(|(name, here)| {
        let mut key = name.clone();
        if here.iter().flatten().any(|(mode, _)| *mode == Mode::Tree) {
            key.push_byte(b'/');
        }
        key
    });
    Ok(names)
}

/// Returns the positions of a tree's entries, sorted by name; entries with the same name stay in order.
fn by_name(data: &[u8]) -> Result<Vec<u32>, &'static str> {
    let mut starts = Vec::new();
    let mut entries = TreeEntries::new(data);
    loop {
        let start = data.len() - entries.rest().len();
        match entries.next() {
            Some(entry) => _ = entry?,
            None => break,
        }
        starts.push(u32::try_from(start).map_err(|_| "the tree is too large")?);
    }
    starts.sort_by(|one, other| entry(data, *one).name.cmp(entry(data, *other).name));
    Ok(starts)
}

fn entry(data: &[u8], start: u32) -> TreeEntry<'_> {
    TreeEntries::new(&data[start as usize..]).next().and_then(Result::ok).expect("the entry was parsed before")
}

/// The remaining entries of a folder, sorted by name.
struct SortedEntries<'d> {
    data: &'d [u8],
    sorted: &'d [u32],
}

impl<'d> SortedEntries<'d> {
    fn name(&self) -> Option<&'d [u8]> {
        self.sorted.first().map(|start| entry(self.data, *start).name)
    }

    /// Takes the entry with a name; the last one if there are several.
    fn take(&mut self, name: &[u8]) -> Option<FileVersion> {
        let mut found = None;
        while let Some((start, rest)) = self.sorted.split_first()
            && let next = entry(self.data, *start)
            && next.name == name
        {
            found = Some((Mode::of(next.mode), next.id.to_owned()));
            self.sorted = rest;
        }
        found
    }
}
