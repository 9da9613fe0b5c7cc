//! Checking trees.

use gix::{ObjectId, hash::oid, hashtable::HashSet};

use super::{
    Message, Report,
    names::{self, SpecialName},
};
use crate::{
    Kind,
    object_links::{TreeEntries, TreeEntry},
};

/// The longest name of an entry, in bytes.
const NAME_BYTES_MAX: usize = 4096;

const MODE_KIND: u32 = 0o170_000;
const MODE_LINK: u32 = 0o120_000;
const MODE_TREE: u32 = 0o040_000;

/// The faults of a whole tree, told once for the tree, in this order.
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

/// Checks a tree, visits what it names, and collects what it names `.gitmodules` and `.gitattributes`.
///
/// Tells whether the tree could be read to its end.
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

/// A set of faults, by the numbers of their messages.
#[derive(Default)]
struct Faults(u64);

impl Faults {
    fn note(&mut self, message: Message, is_there: bool) {
        self.0 |= u64::from(is_there) << message as u64;
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

    fn of_order(&mut self, place: EntryOrder) {
        self.note(Message::DuplicateEntries, place == EntryOrder::Twice);
        self.note(Message::TreeNotSorted, place == EntryOrder::TooLate);
    }
}

/// How an entry stands to those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum EntryOrder {
    Sound,
    Twice,
    TooLate,
}

/// The order of a tree's entries: by name, where the names of trees end with a slash.
#[derive(Default)]
struct NameOrder<'d> {
    last: Option<(&'d [u8], bool)>,
    /// Starts of the last name, by their lengths, that files have as names; a tree to come may have them too.
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
        let taken = is_tree && self.files.last() == Some(&name.len());
        if !is_tree {
            self.files.push(name.len());
        }
        let end = |name: &[u8], is_tree| name.get(common).copied().unwrap_or(if is_tree { b'/' } else { 0 });
        if taken || last.len() == common && name.len() == common {
            EntryOrder::Twice
        } else if end(last, was_tree) < end(name, is_tree) {
            EntryOrder::Sound
        } else {
            EntryOrder::TooLate
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_sorted_and_there_once() {
        let place = |names: &[&str]| {
            let mut order = NameOrder::default();
            let places = names.iter().map(|name| match name.strip_suffix('/') {
                Some(name) => order.next(name.as_bytes(), true),
                None => order.next(name.as_bytes(), false),
            });
            places.last().expect("an entry")
        };
        assert_eq!(place(&["a.b", "a/"]), EntryOrder::Sound);
        assert_eq!(place(&["a/", "a.b"]), EntryOrder::TooLate);
        assert_eq!(place(&["a", "a.b", "a.b.c", "a/"]), EntryOrder::Twice);
        assert_eq!(place(&["a", "a.b", "a.b.c", "a.b/"]), EntryOrder::Twice);
        assert_eq!(place(&["a", "a"]), EntryOrder::Twice);
        assert_eq!(place(&["ab", "a"]), EntryOrder::TooLate);
    }
}
