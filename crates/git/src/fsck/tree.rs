//! Checks of trees.

use gix::{ObjectId, hash::oid, hashtable::HashSet};

use super::{
    Message, Report,
    names::{self, SpecialName},
};
use crate::{
    Kind,
    object_links::{TreeEntries, TreeEntry},
};

/// The maximum length of an entry's name, in bytes.
const NAME_BYTES_MAX: usize = 4096;

const MODE_KIND: u32 = 0o170_000;
const MODE_LINK: u32 = 0o120_000;
const MODE_TREE: u32 = 0o040_000;

/// The faults that are reported once for a tree, in this order.
const FAULTS: [(Message, &str); 11] = [
    (Message::NullSha1, "contains entries pointing to null sha1"),
    (Message::FullPathname, "contains full pathnames"),
    (Message::EmptyName, "contains empty pathname"),
    (Message::HasDot, "contains '.'"),
    (Message::HasDotdot, "contains '..'"),
    (Message::HasDotgit, "contains '.git'"),
    (Message::ZeroPaddedFilemode, "contains zero-padded file modes"),
    (Message::BadFilemode, "contains bad file modes"),
    (Message::DuplicateEntries, "contains duplicate file entries"),
    (Message::TreeNotSorted, "not properly sorted"),
    (Message::LargePathname, "contains excessively large pathname"),
];

/// Checks a tree, visits its entries, and collects the ids of `.gitmodules` and `.gitattributes`.
///
/// Returns whether the whole tree could be parsed.
pub(super) fn check(
    data: &[u8],
    report: &mut Report<'_>,
    visit: &mut dyn FnMut(&oid, Kind),
    modules: &mut HashSet<ObjectId>,
    attributes: &mut HashSet<ObjectId>,
) -> Result<bool, String> {
    let mut faults = Faults::default();
    let mut order = NameOrder::default();
    let mut sound = true;
    for entry in TreeEntries::new(data) {
        let Ok(entry) = entry else {
            report.add(Message::BadTree, "cannot be parsed as a tree")?;
            sound = false;
            break;
        };
        if let Some(kind) = entry.kind {
            visit(entry.id, kind);
        }
        faults.of_entry(&entry);
        faults.of_order(order.next(entry.name, entry.mode & MODE_KIND == MODE_TREE));
        if names::is_plain(entry.name) {
            continue;
        }
        faults.of_name(entry.name);
        let is_link = entry.mode & MODE_KIND == MODE_LINK;
        match names::special(entry.name) {
            Some(SpecialName::Modules) if is_link => {
                report.add(Message::GitmodulesSymlink, ".gitmodules is a symbolic link")?;
            }
            Some(SpecialName::Modules) => drop(modules.insert(entry.id.to_owned())),
            Some(SpecialName::Attributes) if is_link => {
                report.add(Message::GitattributesSymlink, ".gitattributes is a symlink")?;
            }
            Some(SpecialName::Attributes) => drop(attributes.insert(entry.id.to_owned())),
            Some(SpecialName::Ignore) if is_link => report.add(Message::GitignoreSymlink, ".gitignore is a symlink")?,
            Some(SpecialName::Mailmap) if is_link => report.add(Message::MailmapSymlink, ".mailmap is a symlink")?,
            Some(SpecialName::Ignore | SpecialName::Mailmap) | None => {}
        }
    }
    for (message, text) in FAULTS {
        if faults.0 & 1 << message as u64 != 0 {
            report.add(message, text)?;
        }
    }
    Ok(sound)
}

/// A set of faults, one bit for each message.
#[derive(Default)]
struct Faults(u64);

impl Faults {
    fn note(&mut self, message: Message, is_present: bool) {
        self.0 |= u64::from(is_present) << message as u64;
    }

    fn of_entry(&mut self, entry: &TreeEntry<'_>) {
        self.note(Message::NullSha1, entry.id.first_byte() == 0 && entry.id.is_null());
        self.note(Message::LargePathname, entry.name.len() > NAME_BYTES_MAX);
        self.note(Message::ZeroPaddedFilemode, entry.padded);
        let known = matches!(entry.mode, 0o100_644 | 0o100_755 | 0o120_000 | 0o040_000 | 0o160_000);
        self.note(Message::BadFilemode, !known);
    }

    fn of_name(&mut self, name: &[u8]) {
        self.note(Message::FullPathname, name.contains(&b'/'));
        self.note(Message::HasDot, name == b".");
        self.note(Message::HasDotdot, name == b"..");
        self.note(Message::HasDotgit, names::is_dot_git(name));
    }

    fn of_order(&mut self, order: EntryOrder) {
        self.note(Message::DuplicateEntries, order == EntryOrder::Duplicate);
        self.note(Message::TreeNotSorted, order == EntryOrder::Unsorted);
    }
}

/// The order of an entry, compared with the entries before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum EntryOrder {
    Sorted,
    Duplicate,
    Unsorted,
}

/// Checks the order of a tree's entries: by name, where the names of trees end with a slash.
#[derive(Default)]
struct NameOrder<'d> {
    last: Option<(&'d [u8], bool)>,
    /// The lengths of those prefixes of the last name that are names of files; a later tree can have the same name.
    files: Vec<usize>,
}

impl<'d> NameOrder<'d> {
    fn next(&mut self, name: &'d [u8], is_tree: bool) -> EntryOrder {
        let (last, was_tree) = self.last.replace((name, is_tree)).unwrap_or((b"", false));
        let common = last.iter().zip(name).take_while(|(one, other)| one == other).count();
        while self.files.last().is_some_and(|bytes| *bytes > common) {
            self.files.pop();
        }
        // A tree `a` comes after a file `a` with `a.b` between them.
        let is_duplicate = is_tree && self.files.last() == Some(&name.len());
        if !is_tree {
            self.files.push(name.len());
        }
        let end = |name: &[u8], is_tree| name.get(common).copied().unwrap_or(if is_tree { b'/' } else { 0 });
        if is_duplicate || last.len() == common && name.len() == common {
            EntryOrder::Duplicate
        } else if end(last, was_tree) < end(name, is_tree) {
            EntryOrder::Sorted
        } else {
            EntryOrder::Unsorted
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn duplicate_and_unsorted_entries_are_found() {
        let last_of = |names: &[&str]| {
            let mut order = NameOrder::default();
            let orders = names.iter().map(|name| match name.strip_suffix('/') {
                Some(name) => order.next(name.as_bytes(), true),
                None => order.next(name.as_bytes(), false),
            });
            orders.last().expect("an entry")
        };
        assert_eq!(last_of(&["a.b", "a/"]), EntryOrder::Sorted);
        assert_eq!(last_of(&["a/", "a.b"]), EntryOrder::Unsorted);
        assert_eq!(last_of(&["a", "a.b", "a.b.c", "a/"]), EntryOrder::Duplicate);
        assert_eq!(last_of(&["a", "a.b", "a.b.c", "a.b/"]), EntryOrder::Duplicate);
        assert_eq!(last_of(&["a", "a"]), EntryOrder::Duplicate);
        assert_eq!(last_of(&["ab", "a"]), EntryOrder::Unsorted);
    }
}
