//! The command `ls-refs` of version 2: lists references.

use bstr::{BStr, BString, ByteSlice};
use gix::ObjectId;

use crate::{References, pktline::Packets};

/// A request for a list of references.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct LsRefs {
    /// Include the peeled values of annotated tags.
    pub(super) peel: bool,
    /// Include the targets of symbolic references.
    pub(super) symrefs: bool,
    /// Include the default branch even if it does not exist.
    pub(super) unborn: bool,
    /// Prefixes of the names to list; all are listed if there are none.
    pub(super) prefixes: Vec<BString>,
}

impl LsRefs {
    /// Renders the list.
    pub(super) fn respond(mut self, references: &References) -> Vec<u8> {
        self.prefixes.sort();
        // A prefix of another prefix makes the longer one redundant; at most one of the rest matches a name.
        self.prefixes.dedup_by(|longer, shorter| longer.starts_with(shorter));
        let mut out = Packets::default();
        if let Some(id) = references.head_target() {
            self.line(&mut out, references, Some(id), b"HEAD".as_bstr(), None);
        } else if self.unborn && self.symrefs && references.head.is_some() {
            self.line(&mut out, references, None, b"HEAD".as_bstr(), None);
        }
        for reference in &references.references {
            let name = reference.name.as_bstr();
            self.line(&mut out, references, Some(reference.target), name, reference.peeled);
        }
        out.flush();
        out.into_bytes()
    }

    fn line(
        &self,
        out: &mut Packets,
        references: &References,
        id: Option<ObjectId>,
        name: &BStr,
        peeled: Option<ObjectId>,
    ) {
        if !self.includes(name) {
            return;
        }
        let mut text = BString::from(id.map_or_else(|| "unborn".to_owned(), |id| id.to_string()));
        text.push(b' ');
        text.extend_from_slice(name);
        if self.symrefs
            && let Some(target) = references.leads_to(name)
        {
            text.extend_from_slice(b" symref-target:");
            text.extend_from_slice(target);
        }
        if self.peel
            && let Some(peeled) = peeled
        {
            text.extend_from_slice(format!(" peeled:{peeled}").as_bytes());
        }
        text.push(b'\n');
        out.line(text);
    }

    fn includes(&self, name: &BStr) -> bool {
        let after = self.prefixes.partition_point(|prefix| prefix.as_slice() <= name.as_bytes());
        self.prefixes.is_empty() || after.checked_sub(1).is_some_and(|at| name.starts_with(&self.prefixes[at]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_one_of_the_prefixes_is_listed() {
        let mut list = LsRefs {
            prefixes: ["refs/heads/b", "refs/tags/", "HEAD", "refs/tags/v1", "refs/heads/a"].map(BString::from).into(),
            ..LsRefs::default()
        };
        list.prefixes.sort();
        list.prefixes.dedup_by(|longer, shorter| longer.starts_with(shorter));
        assert_eq!(list.prefixes.len(), 4);
        for (name, listed) in [
            ("HEAD", true),
            ("HEA", false),
            ("refs/heads/a", true),
            ("refs/heads/b/c", true),
            ("refs/heads/c", false),
            ("refs/tags/v1", true),
            ("refs/tags/v0", true),
            ("refs/", false),
        ] {
            assert_eq!(list.includes(name.into()), listed, "{name}");
        }
    }
}
