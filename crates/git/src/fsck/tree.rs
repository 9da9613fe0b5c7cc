//! Checking trees.

use bstr::ByteSlice;
use gix::{ObjectId, hashtable::HashSet};

use super::{
    Message, Report,
    names::{self, Special},
};
use crate::links::{TreeEntries, TreeEntry};

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

/// Checks a tree, and collects what it names `.gitmodules` and `.gitattributes`.
pub(super) fn check(
    data: &[u8],
    report: &mut Report<'_>,
    modules: &mut HashSet<ObjectId>,
    attributes: &mut HashSet<ObjectId>,
) -> Result<(), String> {
    let mut faults = Faults::default();
    let mut order = Order::default();
    for entry in TreeEntries::new(data) {
        let Ok(entry) = entry else {
            report.say(Message::BadTree, "cannot be parsed as a tree")?;
            break;
        };
        faults.of_entry(&entry);
        faults.of_order(order.next(entry.name, entry.mode & MODE_KIND == MODE_TREE));
        if names::is_plain(entry.name) {
            continue;
        }
        faults.of_name(entry.name);
        let is_link = entry.mode & MODE_KIND == MODE_LINK;
        match names::special(entry.name) {
            Some(Special::Modules) if is_link => {
                report.say(Message::GitmodulesSymlink, ".gitmodules is a symbolic link")?;
            }
            Some(Special::Modules) => drop(modules.insert(entry.id.to_owned())),
            Some(Special::Attributes) if is_link => {
                report.say(Message::GitattributesSymlink, ".gitattributes is a symlink")?;
            }
            Some(Special::Attributes) => drop(attributes.insert(entry.id.to_owned())),
            Some(Special::Ignore) if is_link => report.say(Message::GitignoreSymlink, ".gitignore is a symlink")?,
            Some(Special::Mailmap) if is_link => report.say(Message::MailmapSymlink, ".mailmap is a symlink")?,
            Some(Special::Ignore | Special::Mailmap) | None => {}
        }
    }
    for (message, text) in FAULTS {
        if faults.0 & 1 << message as u64 != 0 {
            report.say(message, text)?;
        }
    }
    Ok(())
}

/// A set of faults, by the numbers of their messages.
#[derive(Default)]
struct Faults(u64);

impl Faults {
    fn note(&mut self, message: Message, is_there: bool) {
        self.0 |= u64::from(is_there) << message as u64;
    }

    fn of_entry(&mut self, entry: &TreeEntry<'_>) {
        self.note(Message::NullSha1, entry.id.is_null());
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

    fn of_order(&mut self, place: Place) {
        self.note(Message::DuplicateEntries, place == Place::Twice);
        self.note(Message::TreeNotSorted, place == Place::TooLate);
    }
}

/// How an entry stands to those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Sound,
    Twice,
    TooLate,
}

/// The order of a tree's entries: by name, where the names of trees end with a slash.
#[derive(Default)]
struct Order<'d> {
    last: Option<(&'d [u8], bool)>,
    /// Names of files, each the start of the next, that a tree to come may still have.
    files: Vec<&'d [u8]>,
}

impl<'d> Order<'d> {
    fn next(&mut self, name: &'d [u8], is_tree: bool) -> Place {
        while self.files.last().is_some_and(|file| !name.starts_with(file)) {
            self.files.pop();
        }
        // A tree `a` comes after a file `a` with `a.b` between them.
        let taken = is_tree && self.files.last() == Some(&name);
        if !is_tree {
            self.files.push(name);
        }
        let Some((last, was_tree)) = self.last.replace((name, is_tree)) else { return Place::Sound };
        if taken || last == name {
            Place::Twice
        } else if key(last, was_tree).lt(key(name, is_tree)) {
            Place::Sound
        } else {
            Place::TooLate
        }
    }
}

fn key(name: &[u8], is_tree: bool) -> impl Iterator<Item = u8> {
    name.bytes().chain(is_tree.then_some(b'/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_sorted_and_there_once() {
        let place = |names: &[&str]| {
            let mut order = Order::default();
            let places = names.iter().map(|name| match name.strip_suffix('/') {
                Some(name) => order.next(name.as_bytes(), true),
                None => order.next(name.as_bytes(), false),
            });
            places.last().expect("an entry")
        };
        assert_eq!(place(&["a.b", "a/"]), Place::Sound);
        assert_eq!(place(&["a/", "a.b"]), Place::TooLate);
        assert_eq!(place(&["a", "a.b", "a.b.c", "a/"]), Place::Twice);
        assert_eq!(place(&["a", "a.b", "a.b.c", "a.b/"]), Place::Twice);
        assert_eq!(place(&["a", "a"]), Place::Twice);
        assert_eq!(place(&["ab", "a"]), Place::TooLate);
    }
}
