//! The objects that an object refers to: tree and parents of a commit, entries of a tree, target of a tag.
//!
//! The parsers accept every object that Git accepts by default, historic defects included. They read only the parts that
//! are needed to find the references.

use bstr::ByteSlice;
use gix::{ObjectId, hash::oid};

use crate::Kind;

/// The bits of a tree entry's mode that contain the kind.
const MODE_KIND: u32 = 0o170_000;
const MODE_TREE: u32 = 0o040_000;
const MODE_SUBMODULE: u32 = 0o160_000;

/// Visits every object that `data` refers to, with the kind that it must have.
///
/// Commits of submodules are not visited. Fails with a short reason if `data` is not an object of `kind`.
pub(crate) fn visit(kind: Kind, data: &[u8], visit: &mut dyn FnMut(&oid, Kind)) -> Result<(), &'static str> {
    match kind {
        Kind::Blob => {}
        Kind::Commit => {
            let commit = CommitHead::parse(data)?;
            visit(&commit.tree, Kind::Tree);
            for parent in commit.parents() {
                visit(&parent, Kind::Commit);
            }
        }
        Kind::Tree => {
            for entry in TreeEntries::new(data) {
                let TreeEntry { kind, id, .. } = entry?;
                if let Some(kind) = kind {
                    visit(id, kind);
                }
            }
        }
        Kind::Tag => {
            let (target, kind) = tag_target(data)?;
            visit(&target, kind);
        }
    }
    Ok(())
}

/// The tree and parents of a commit.
pub(crate) struct CommitHead<'a> {
    pub(crate) tree: ObjectId,
    data: &'a [u8],
}

const TREE_LINE: usize = "tree ".len() + 41;
const PARENT_LINE: usize = "parent ".len() + 41;

impl<'a> CommitHead<'a> {
    /// Parses the tree line.
    pub(crate) fn parse(data: &'a [u8]) -> Result<Self, &'static str> {
        let tree = id_line(data, b"tree ").ok_or("a commit without a tree")?;
        Ok(Self { tree, data })
    }

    /// Lists the parents, in order.
    pub(crate) fn parents(&self) -> impl Iterator<Item = ObjectId> + use<'a> {
        let mut rest = &self.data[TREE_LINE..];
        std::iter::from_fn(move || {
            let id = id_line(rest, b"parent ")?;
            rest = &rest[PARENT_LINE..];
            Some(id)
        })
    }

    /// Returns the committer's time in seconds since 1970, or 0 if it cannot be parsed.
    pub(crate) fn seconds(&self) -> i64 {
        self.data
            .find(b"\ncommitter ")
            .map(|start| &self.data[start + 1..])
            .and_then(|rest| rest.lines().next())
            .and_then(|line| line.rsplit_str(b"> ").next()?.fields().next())
            .and_then(|seconds| std::str::from_utf8(seconds).ok()?.parse().ok())
            .unwrap_or(0)
    }
}

/// Parses the target of an annotated tag and its kind.
pub(crate) fn tag_target(data: &[u8]) -> Result<(ObjectId, Kind), &'static str> {
    let id = id_line(data, b"object ").ok_or("a tag without an object")?;
    let rest = &data["object ".len() + 41..];
    let kind = rest
        .strip_prefix(b"type ")
        .and_then(|rest| rest.lines().next())
        .and_then(|kind| Kind::from_bytes(kind).ok())
        .ok_or("a tag without a type")?;
    Ok((id, kind))
}

fn id_line(data: &[u8], key: &[u8]) -> Option<ObjectId> {
    let rest = data.strip_prefix(key)?;
    let hex = rest.get(..40)?;
    (*rest.get(40)? == b'\n').then_some(())?;
    ObjectId::from_hex(hex).ok()
}

/// One entry of a tree.
pub(crate) struct TreeEntry<'a> {
    /// The kind of the object; `None` for a submodule.
    pub(crate) kind: Option<Kind>,
    pub(crate) mode: u32,
    /// Whether the mode has a leading zero.
    pub(crate) padded: bool,
    pub(crate) name: &'a [u8],
    pub(crate) id: &'a oid,
}

/// The entries of a tree, in order.
pub(crate) struct TreeEntries<'a> {
    rest: &'a [u8],
}

impl<'a> TreeEntries<'a> {
    /// Starts with the first entry.
    pub(crate) fn new(data: &'a [u8]) -> Self {
        Self { rest: data }
    }

    /// Returns the bytes of the remaining entries.
    pub(crate) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    fn entry(&mut self) -> Result<TreeEntry<'a>, &'static str> {
        let padded = self.rest.first();
        let mut mode = 0_u32;
        let mut digits = 0;
        loop {
            match self.rest.get(digits) {
                // As in Git, the last digits of an overlong mode count.
                Some(digit @ b'0'..=b'7') => mode = mode << 3 | u32::from(digit - b'0'),
                Some(b' ') if digits > 0 => break,
                _ => return Err("a tree entry with a malformed mode"),
            }
            digits += 1;
        }
        let name = &self.rest[digits + 1..];
        let name_bytes = name.find_byte(0).ok_or("a tree entry without an end")?;
        if name_bytes == 0 {
            return Err("a tree entry without a name");
        }
        let id = name.get(name_bytes + 1..name_bytes + 21).ok_or("a tree entry without an id")?;
        self.rest = &name[name_bytes + 21..];
        let kind = match mode & MODE_KIND {
            MODE_TREE => Some(Kind::Tree),
            MODE_SUBMODULE => None,
            _ => Some(Kind::Blob),
        };
        let padded = padded == Some(&b'0');
        Ok(TreeEntry { kind, mode, padded, name: &name[..name_bytes], id: oid::from_bytes_unchecked(id) })
    }
}

impl<'a> Iterator for TreeEntries<'a> {
    type Item = Result<TreeEntry<'a>, &'static str>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let entry = self.entry();
        if entry.is_err() {
            self.rest = &[];
        }
        Some(entry)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(kind: Kind, data: &[u8]) -> Result<Vec<(String, Kind)>, &'static str> {
        let mut names = Vec::new();
        visit(kind, data, &mut |id, kind| names.push((id.to_string(), kind)))?;
        Ok(names)
    }

    #[test]
    fn a_commit_refers_to_its_tree_and_parents() {
        let (a, b, c) = ("a".repeat(40), "b".repeat(40), "c".repeat(40));
        let text = format!(
            "tree {a}\nparent {b}\nparent {c}\nauthor x <x> 1 +0\ncommitter a > b <c> 1700000000 +0100\n\nmessage"
        );
        assert_eq!(
            names(Kind::Commit, text.as_bytes()),
            Ok(vec![(a, Kind::Tree), (b, Kind::Commit), (c, Kind::Commit)])
        );
        assert_eq!(CommitHead::parse(text.as_bytes()).expect("a commit").seconds(), 1_700_000_000);
    }

    #[test]
    fn a_commit_without_a_committer_has_time_zero() {
        let text = format!("tree {}\n", "a".repeat(40));
        assert_eq!(CommitHead::parse(text.as_bytes()).expect("a commit").seconds(), 0);
        assert!(names(Kind::Commit, b"tree abc\n").is_err());
    }

    #[test]
    fn a_tree_refers_to_all_entries_but_submodules() {
        let mut data = Vec::new();
        for (mode, fill) in [("100644", 1), ("40000", 2), ("040000", 3), ("120000", 4), ("160000", 5), ("100664", 6)] {
            data.extend_from_slice(format!("{mode} \u{e9}\0").as_bytes());
            data.extend_from_slice(&[fill; 20]);
        }
        let kinds: Vec<_> = names(Kind::Tree, &data).expect("a tree").into_iter().map(|(_, kind)| kind).collect();
        assert_eq!(kinds, [Kind::Blob, Kind::Tree, Kind::Tree, Kind::Blob, Kind::Blob]);
        for cut in 1..data.len() {
            if cut % 32 != 0 {
                drop(names(Kind::Tree, &data[..cut]));
            }
        }
        assert!(names(Kind::Tree, &data[..data.len() - 1]).is_err());
    }

    #[test]
    fn a_tag_refers_to_its_target() {
        let a = "a".repeat(40);
        let text = format!("object {a}\ntype tree\ntag x\n");
        assert_eq!(names(Kind::Tag, text.as_bytes()), Ok(vec![(a, Kind::Tree)]));
        assert!(names(Kind::Tag, b"object x").is_err());
    }
}
