//! `ls-refs`: the references of version 2.

use bstr::{BStr, BString, ByteSlice};
use gix::ObjectId;

use crate::{References, pktline::Packets};

/// What a client wants to know of the references.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct List {
    /// What annotated tags finally name.
    pub(super) peel: bool,
    /// Where symbolic references lead to.
    pub(super) symrefs: bool,
    /// The default branch even if it does not exist.
    pub(super) unborn: bool,
    /// How the names begin; all are listed if there are none.
    pub(super) prefixes: Vec<BString>,
}

impl List {
    /// Renders the list.
    pub(super) fn answer(mut self, references: &References) -> Vec<u8> {
        self.prefixes.sort();
        // A prefix of a prefix says it all, so that at most one of those that are left can match.
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
        if !self.lists(name) {
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

    fn lists(&self, name: &BStr) -> bool {
        let after = self.prefixes.partition_point(|prefix| prefix.as_slice() <= name.as_bytes());
        self.prefixes.is_empty() || after.checked_sub(1).is_some_and(|at| name.starts_with(&self.prefixes[at]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_prefix_of_many_is_enough() {
        let mut list = List {
            prefixes: ["refs/heads/b", "refs/tags/", "HEAD", "refs/tags/v1", "refs/heads/a"].map(BString::from).into(),
            ..List::default()
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
            assert_eq!(list.lists(name.into()), listed, "{name}");
        }
    }
}
