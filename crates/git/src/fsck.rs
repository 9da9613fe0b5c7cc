//! Checks of pushed objects, as in `git receive-pack` with `receive.fsckObjects`.
//!
//! Commits, trees and tags are checked one by one. Blobs are checked only if a tree contains them as `.gitmodules` or
//! `.gitattributes`; their ids are collected, and the blobs are checked at the end, when all objects are known.

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

/// The rules for checking pushed objects: the severity of each fault, and the objects to skip.
///
/// The default is Git's for received objects: some faults are errors that are only warnings in `git fsck`, such as a file
/// mode with a leading zero.
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
    /// Disables the checks. Objects whose references cannot be parsed are refused anyway.
    pub fn off() -> Self {
        Self { enabled: false, ..Self::default() }
    }

    /// Sets the severity of a fault, as `receive.fsck.<id>` does; the id is case-insensitive.
    ///
    /// Fails with Git's message if the fault is unknown, or if it must stay an error.
    pub fn set(&mut self, id: &str, severity: Severity) -> Result<(), String> {
        let message = Message::from_id(id).ok_or_else(|| format!("skipping unknown msg id '{id}'"))?;
        if message.is_fatal() && severity != Severity::Error {
            let severity = if severity == Severity::Warn { "warn" } else { "ignore" };
            return Err(format!("Cannot demote {} to {severity}", id.to_ascii_lowercase()));
        }
        self.severities[message as usize] = severity;
        Ok(())
    }

    /// Adds objects that are not checked, as `receive.fsck.skipList` does.
    pub fn skip(&mut self, ids: impl IntoIterator<Item = ObjectId>) {
        Arc::make_mut(&mut self.skipped).extend(ids);
    }
}

/// A special file of a tree: its kind, and its content unless the file is too large.
pub(crate) type NamedFile = (Kind, Option<Vec<u8>>);

/// The maximum number of warnings for one push.
const WARNINGS_MAX: usize = 100;

/// The results of the checks of one push.
#[derive(Default)]
pub(crate) struct Findings {
    /// Messages about faults for which the push is not refused.
    pub(crate) warnings: Vec<String>,
    /// The objects that trees contain as `.gitmodules`.
    pub(crate) modules: HashSet<ObjectId>,
    /// The objects that trees contain as `.gitattributes`.
    pub(crate) attributes: HashSet<ObjectId>,
}

impl Findings {
    /// Checks one object; fails with the message for the client.
    ///
    /// Returns whether `visit` was called for all references of the object; only the check of a tree does that.
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

    /// Adds the results of another thread.
    pub(crate) fn merge(&mut self, other: Self) {
        self.warnings.extend(other.warnings);
        self.modules.extend(other.modules);
        self.attributes.extend(other.attributes);
    }

    /// Checks the collected files. `read` returns the kind of an object and, for a blob of at most [`FILE_BYTES_MAX`] bytes,
    /// its content.
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

/// Collects the faults of one object.
struct Report<'r> {
    fsck: &'r Fsck,
    id: &'r oid,
    warnings: &'r mut Vec<String>,
}

impl Report<'_> {
    /// Reports a fault; fails if it is an error.
    fn add(&mut self, message: Message, details: &str) -> Result<(), String> {
        let text = || format!("object {}: {}: {details}", self.id, message.id());
        match self.fsck.severities[message as usize] {
            Severity::Error => return Err(text()),
            Severity::Warn if self.warnings.len() < WARNINGS_MAX => self.warnings.push(text()),
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
    fn a_fault_is_refused_warned_about_or_ignored_by_its_severity() {
        let sentence = format!("object {}: hasDot: contains '.'", "01".repeat(20));
        let mut fsck = Fsck::default();
        assert_eq!(tree_with_dot(&fsck), (Err(sentence.clone()), vec![]));
        fsck.set("HASDOT", Severity::Warn).expect("the fault exists");
        assert_eq!(tree_with_dot(&fsck), (Ok(()), vec![sentence]));
        fsck.set("hasDot", Severity::Ignore).expect("the fault exists");
        assert_eq!(tree_with_dot(&fsck), (Ok(()), vec![]));
        assert_eq!(fsck.set("foo", Severity::Warn), Err("skipping unknown msg id 'foo'".into()));
        assert_eq!(fsck.set("nulInHeader", Severity::Warn), Err("Cannot demote nulinheader to warn".into()));
        let mut fsck = Fsck::default();
        fsck.skip([ObjectId::from_bytes_or_panic(&[1; 20])]);
        assert_eq!(tree_with_dot(&fsck), (Ok(()), vec![]));
        assert_eq!(tree_with_dot(&Fsck::off()), (Ok(()), vec![]));
    }
}
