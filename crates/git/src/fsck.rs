//! Checking pushed objects as `git receive-pack` does with `receive.fsckObjects`.
//!
//! Commits, trees and tags are checked one by one. Blobs are looked at only where a tree names them `.gitmodules` or
//! `.gitattributes`; these are remembered, and checked when everything is there.

mod commit;
mod config;
mod message;
mod modules;
mod names;
mod new_objects;
mod tree;
mod url;

use std::sync::Arc;

use gix::{ObjectId, hash::oid, hashtable::HashSet};

use crate::Kind;
pub(crate) use message::Message;
pub use message::Severity;
pub(crate) use modules::FILE_BYTES_MAX;
pub use names::is_dot_git;
pub use new_objects::FsckError;

/// How pushed objects are checked: which faults are taken, and which objects are not looked at.
///
/// The default is Git's own for what is received; there a fault that `git fsck` only warns of, such as a file mode with a
/// leading zero, is an error.
#[derive(Debug, Clone)]
pub struct Fsck {
    enabled: bool,
    severities: [Severity; Message::COUNT],
    skipped: Arc<HashSet<ObjectId>>,
}

impl Default for Fsck {
    fn default() -> Self {
        Self { enabled: true, severities: Message::defaults(), skipped: Arc::default() }
    }
}

impl Fsck {
    /// Checks nothing; what cannot be followed is refused all the same.
    pub fn off() -> Self {
        Self { enabled: false, ..Self::default() }
    }

    /// Changes how serious a fault is, as `receive.fsck.<id>` does; letters' case in the id does not matter.
    ///
    /// Fails with a sentence if there is no such fault, or if it can only be an error.
    pub fn set(&mut self, id: &str, severity: Severity) -> Result<(), String> {
        let message = Message::from_id(id).ok_or_else(|| format!("skipping unknown msg id '{id}'"))?;
        if message.is_fatal() && severity != Severity::Error {
            let severity = if severity == Severity::Warn { "warn" } else { "ignore" };
            return Err(format!("Cannot demote {} to {severity}", id.to_ascii_lowercase()));
        }
        self.severities[message as usize] = severity;
        Ok(())
    }

    /// Names objects that are taken as they are, as `receive.fsck.skipList` does.
    pub fn skip(&mut self, ids: impl IntoIterator<Item = ObjectId>) {
        Arc::make_mut(&mut self.skipped).extend(ids);
    }
}

/// A file that a tree names: its kind, and its content if that was to be read.
pub(crate) type NamedFile = (Kind, Option<Vec<u8>>);

/// How many warnings of one push are kept.
const WARNINGS_MAX: usize = 100;

/// What the checks found in the objects of one push.
#[derive(Default)]
pub(crate) struct Findings {
    /// Sentences of faults that do not keep an object out.
    pub(crate) warnings: Vec<String>,
    /// What trees name `.gitmodules`.
    pub(crate) modules: HashSet<ObjectId>,
    /// What trees name `.gitattributes`.
    pub(crate) attributes: HashSet<ObjectId>,
}

impl Findings {
    /// Checks one object; fails with the sentence for the client.
    ///
    /// Tells whether `visit` was called for all that the object names, which happens on the way if it is a tree.
    pub(crate) fn check(
        &mut self,
        fsck: &Fsck,
        id: &oid,
        kind: Kind,
        data: &[u8],
        visit: &mut dyn FnMut(&oid, Kind),
    ) -> Result<bool, String> {
        if !fsck.enabled || fsck.skipped.contains(id) {
            return Ok(false);
        }
        let mut report = Report { fsck, id, warnings: &mut self.warnings };
        match kind {
            Kind::Commit => commit::check_commit(data, &mut report)?,
            Kind::Tag => commit::check_tag(data, &mut report)?,
            Kind::Tree => return tree::check(data, &mut report, visit, &mut self.modules, &mut self.attributes),
            Kind::Blob => {}
        }
        Ok(false)
    }

    /// Adds what was found elsewhere.
    pub(crate) fn merge(&mut self, other: Self) {
        self.warnings.extend(other.warnings);
        self.modules.extend(other.modules);
        self.attributes.extend(other.attributes);
    }

    /// Checks the files that trees name; `read` gives the kind of an object and, if it is a blob of at most
    /// [`FILE_BYTES_MAX`] bytes, its content.
    pub(crate) fn check_files<E: From<String>>(
        &mut self,
        fsck: &Fsck,
        read: &mut dyn FnMut(&oid) -> Result<Option<NamedFile>, E>,
    ) -> Result<(), E> {
        for (files, found) in [(&modules::MODULES, &self.modules), (&modules::ATTRIBUTES, &self.attributes)] {
            let mut ids: Vec<_> = found.iter().filter(|id| !fsck.skipped.contains(*id)).collect();
            ids.sort_unstable();
            for id in ids {
                let content = read(id)?;
                files.check(content, &mut Report { fsck, id, warnings: &mut self.warnings })?;
            }
        }
        self.warnings.sort_unstable();
        self.warnings.truncate(WARNINGS_MAX);
        Ok(())
    }
}

/// The findings about one object, as they are reported.
struct Report<'r> {
    fsck: &'r Fsck,
    id: &'r oid,
    warnings: &'r mut Vec<String>,
}

impl Report<'_> {
    /// Tells of a fault; fails if that keeps the object out.
    fn add(&mut self, message: Message, text: &str) -> Result<(), String> {
        let sentence = || format!("object {}: {}: {text}", self.id, message.id());
        match self.fsck.severities[message as usize] {
            Severity::Error => return Err(sentence()),
            Severity::Warn if self.warnings.len() < WARNINGS_MAX => self.warnings.push(sentence()),
            Severity::Warn | Severity::Ignore => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree_with_dot(fsck: &Fsck) -> (Result<(), String>, Vec<String>) {
        let id = ObjectId::from_bytes_or_panic(&[1; 20]);
        let data = [b"100644 .\0".as_slice(), id.as_slice()].concat();
        let mut findings = Findings::default();
        let result = findings.check(fsck, &id, Kind::Tree, &data, &mut |_, _| {});
        (result.map(drop), findings.warnings)
    }

    #[test]
    fn severities_can_be_changed() {
        let sentence = format!("object {}: hasDot: contains '.'", "01".repeat(20));
        let mut fsck = Fsck::default();
        assert_eq!(tree_with_dot(&fsck), (Err(sentence.clone()), vec![]));
        fsck.set("HASDOT", Severity::Warn).expect("a known fault");
        assert_eq!(tree_with_dot(&fsck), (Ok(()), vec![sentence]));
        fsck.set("hasDot", Severity::Ignore).expect("a known fault");
        assert_eq!(tree_with_dot(&fsck), (Ok(()), vec![]));
        assert_eq!(fsck.set("foo", Severity::Warn), Err("skipping unknown msg id 'foo'".into()));
        assert_eq!(fsck.set("nulInHeader", Severity::Warn), Err("Cannot demote nulinheader to warn".into()));
        let mut fsck = Fsck::default();
        fsck.skip([ObjectId::from_bytes_or_panic(&[1; 20])]);
        assert_eq!(tree_with_dot(&fsck), (Ok(()), vec![]));
        assert_eq!(tree_with_dot(&Fsck::off()), (Ok(()), vec![]));
    }
}
