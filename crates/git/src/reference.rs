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
    /// The object that the reference points to.
    pub target: ObjectId,
    /// The object that an annotated tag finally points to; `None` if the target is not a tag object.
    pub peeled: Option<ObjectId>,
}

/// The references of one repository at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct References {
    /// The full name of the default branch, which need not exist.
    pub head: Option<BString>,
    /// The object that a detached HEAD points to.
    pub detached: Option<ObjectId>,
    /// The references that clients see, sorted by the bytes of their names.
    pub references: Vec<Reference>,
    /// The symbolic references, each with the name that it finally resolves to; sorted likewise.
    pub symbolic: Vec<(BString, BString)>,
    /// The targets of hidden references.
    pub hidden: Vec<ObjectId>,
    /// The shallow commits: their parents are not in the repository.
    pub shallow: Vec<ObjectId>,
}

/// Git's rules for the full name of a short reference name, in their order.
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

    /// Returns the object that HEAD resolves to, if it exists.
    pub fn head_target(&self) -> Option<ObjectId> {
        self.detached.or_else(|| self.default_branch().map(|branch| branch.target))
    }

    /// Finds a reference by its full name.
    pub fn find(&self, name: &[u8]) -> Option<&Reference> {
        let position = self.references.binary_search_by(|reference| reference.name.as_slice().cmp(name)).ok()?;
        self.references.get(position)
    }

    /// Returns the object that `HEAD`, or the reference with this full name, resolves to.
    pub(crate) fn target(&self, name: &[u8]) -> Option<ObjectId> {
        if name == b"HEAD" { self.head_target() } else { self.find(name).map(|reference| reference.target) }
    }

    /// Returns the references that a short name such as `main` or `tags/v1` can mean, in the order of Git's rules.
    pub(crate) fn meanings(&self, short: &BStr) -> impl Iterator<Item = ObjectId> {
        RULES.iter().filter_map(move |(before, after)| {
            let name = [before.as_bytes(), short.as_bytes(), after.as_bytes()].concat();
            self.target(&name)
        })
    }

    /// Returns the reference that a symbolic reference, or `HEAD`, finally resolves to.
    pub(crate) fn leads_to(&self, name: &[u8]) -> Option<&BStr> {
        if name == b"HEAD" {
            let head = self.head.as_ref().filter(|_| self.detached.is_none())?;
            return Some(self.leads_to(head).unwrap_or(head.as_bstr()));
        }
        let position = self.symbolic.binary_search_by(|(known, _)| known.as_slice().cmp(name)).ok()?;
        self.symbolic.get(position).map(|(_, target)| target.as_bstr())
    }
}

/// Maximum length of a reference name in bytes: that of a path, since Git stores references in files.
///
/// It also limits the length of protocol lines, which contain one or two names.
pub(crate) const NAME_BYTES_MAX: usize = 4096;

/// Returns whether a reference can have the name: it is in a folder below `refs/`, valid by Git's rules, and not too
/// long.
pub fn is_reference_name(name: &BStr) -> bool {
    name.strip_prefix(b"refs/").is_some_and(|rest| rest.contains(&b'/')) && is_sound(name)
}

/// Returns whether a name is valid by Git's rules, inside or outside of `refs/`, and not too long.
pub(crate) fn is_sound(name: &BStr) -> bool {
    name.len() <= NAME_BYTES_MAX && gix::validate::reference::name(name).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_names_mean_what_they_mean_to_git() {
        let id = |digit: &str| ObjectId::from_hex(digit.repeat(40).as_bytes()).expect("the text has forty digits");
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
