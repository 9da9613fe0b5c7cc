//! A snapshot of a repository's references.
//!
//! **Invariant:** references are sorted by the bytes of their names.

use bstr::{BStr, BString, ByteSlice};
use gix::ObjectId;

/// One reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// The full name, such as `refs/heads/main`.
    pub name: BString,
    /// What the reference points at.
    pub target: ObjectId,
    /// What an annotated tag finally names; nothing when the target is no tag object.
    pub peeled: Option<ObjectId>,
}

/// The references of one repository at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct References {
    /// The full name of the default branch, whether that branch exists or not.
    pub head: Option<BString>,
    /// What HEAD points at if it names no branch.
    pub detached: Option<ObjectId>,
    /// The references that clients see, sorted by the bytes of their names.
    pub references: Vec<Reference>,
    /// Those of the references that are symbolic, each with the name that it finally leads to; sorted likewise.
    pub symbolic: Vec<(BString, BString)>,
    /// What references point at that clients do not see.
    pub hidden: Vec<ObjectId>,
    /// The commits whose parents are not in the repository: it is shallow itself.
    pub shallow: Vec<ObjectId>,
}

/// Where Git looks for a reference of which it is told a part of the name.
const RULES: [(&str, &str); 6] = [
    ("", ""),
    ("refs/", ""),
    ("refs/tags/", ""),
    ("refs/heads/", ""),
    ("refs/remotes/", ""),
    ("refs/remotes/", "/HEAD"),
];

impl References {
    /// Returns the default branch, if it exists.
    pub fn default_branch(&self) -> Option<&Reference> {
        self.find(self.head.as_ref()?)
    }

    /// Returns what HEAD leads to, if it leads anywhere.
    pub fn head_target(&self) -> Option<ObjectId> {
        self.detached.or_else(|| self.default_branch().map(|branch| branch.target))
    }

    /// Finds a reference by its full name.
    pub fn find(&self, name: &[u8]) -> Option<&Reference> {
        let position = self.references.binary_search_by(|reference| reference.name.as_slice().cmp(name)).ok()?;
        self.references.get(position)
    }

    /// Returns what `HEAD`, or the reference with this full name, leads to.
    pub(crate) fn target(&self, name: &[u8]) -> Option<ObjectId> {
        if name == b"HEAD" { self.head_target() } else { self.find(name).map(|reference| reference.target) }
    }

    /// Returns what a short name such as `main` or `tags/v1` may mean, the most likely first.
    pub(crate) fn meanings(&self, short: &BStr) -> impl Iterator<Item = ObjectId> {
        RULES.iter().filter_map(move |(before, after)| {
            let name = [before.as_bytes(), short.as_bytes(), after.as_bytes()].concat();
            self.target(&name)
        })
    }

    /// Returns the reference that a symbolic one, or `HEAD`, finally leads to.
    pub(crate) fn leads_to(&self, name: &[u8]) -> Option<&BStr> {
        if name == b"HEAD" {
            let head = self.head.as_ref().filter(|_| self.detached.is_none())?;
            return Some(self.leads_to(head).unwrap_or(head.as_bstr()));
        }
        let position = self.symbolic.binary_search_by(|(known, _)| known.as_slice().cmp(name)).ok()?;
        self.symbolic.get(position).map(|(_, target)| target.as_bstr())
    }
}

/// The length of a reference's name, in bytes: that of a path, where Git keeps references in files.
///
/// It also keeps each line of the protocol that holds one or two names within bounds.
pub(crate) const NAME_BYTES_MAX: usize = 4096;

/// Returns whether a name is one that a reference can have: below `refs/`, with a folder there, sound by Git's rules, and
/// not too long.
pub fn is_reference_name(name: &BStr) -> bool {
    name.strip_prefix(b"refs/").is_some_and(|rest| rest.contains(&b'/')) && is_sound(name)
}

/// Returns whether a name is sound by Git's rules, wherever it is, and not too long.
pub(crate) fn is_sound(name: &BStr) -> bool {
    name.len() <= NAME_BYTES_MAX && gix::validate::reference::name(name).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_names_mean_what_they_mean_to_git() {
        let id = |digit: &str| ObjectId::from_hex(digit.repeat(40).as_bytes()).expect("forty digits");
        let reference = |name: &str, digit| Reference { name: name.into(), target: id(digit), peeled: None };
        let mut references = References {
            head: Some("refs/heads/main".into()),
            references: vec![
                reference("refs/heads/main", "a"),
                reference("refs/heads/x", "b"),
                reference("refs/tags/x", "c"),
            ],
            ..References::default()
        };
        let meanings = |short: &str, references: &References| references.meanings(short.into()).collect::<Vec<_>>();
        assert_eq!(meanings("x", &references), [id("c"), id("b")]);
        assert_eq!(meanings("heads/x", &references), [id("b")]);
        assert_eq!(meanings("HEAD", &references), [id("a")]);
        assert!(meanings("y", &references).is_empty());
        assert_eq!(references.leads_to(b"HEAD"), Some(b"refs/heads/main".as_bstr()));
        references.detached = Some(id("d"));
        assert_eq!(meanings("HEAD", &references), [id("d")]);
        assert_eq!(references.leads_to(b"HEAD"), None);
    }
}
