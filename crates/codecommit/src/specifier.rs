//! Commit specifiers: a branch, a tag, a full reference name, `HEAD`, or a full commit id.

use std::fmt;

use git::{Kind, ObjectId, Reader, References};

use crate::{Exception, name};

/// Name of a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Specifier(String);

impl Specifier {
    pub(crate) fn parse(text: Option<String>) -> Result<Self, Exception> {
        let specifier = name::required(text, Exception::CommitRequired)?;
        // An abbreviated id is read as the name of a branch.
        let name = if specifier.starts_with("refs/") { specifier.clone() } else { format!("refs/heads/{specifier}") };
        if git::is_reference_name(name.as_bytes().into()) {
            Ok(Self(specifier))
        } else {
            Err(Exception::InvalidCommit { specifier })
        }
    }

    /// Parses an optional specifier; a missing or empty one stands for the tip of the default branch.
    pub(crate) fn parse_or_head(text: Option<String>) -> Result<Self, Exception> {
        let text = text.filter(|text| !text.is_empty());
        if text.is_none() { Ok(Self("HEAD".to_owned())) } else { Self::parse(text) }
    }

    /// Returns whether it is `HEAD`.
    pub(crate) fn is_head(&self) -> bool {
        self.0 == "HEAD"
    }

    /// Returns the commit; annotated tags are peeled. A branch takes precedence over a tag of the same name.
    pub(crate) fn resolve(&self, references: &References, reader: &mut Reader) -> Result<ObjectId, Exception> {
        let missing = || Exception::CommitDoesNotExist { id: self.0.clone() };
        let id = match ObjectId::from_hex(self.0.as_bytes()) {
            Ok(id) => Some(id).filter(|id| matches!(reader.kind(id), Ok(Some(_)))),
            Err(_) if self.is_head() => references.head_target(),
            Err(_) => self
                .reference(references)
                .and_then(|name| references.find(name.as_bytes()))
                .map(|reference| reference.target),
        };
        let (id, kind) = reader.peel(&id.ok_or_else(missing)?)?;
        if kind == Kind::Commit { Ok(id) } else { Err(missing()) }
    }

    /// Returns the full name of the reference, if the specifier names one; an id and `HEAD` do not.
    pub(crate) fn reference(&self, references: &References) -> Option<String> {
        let names = [self.0.clone(), format!("refs/heads/{}", self.0), format!("refs/tags/{}", self.0)];
        names.into_iter().find(|name| references.find(name.as_bytes()).is_some())
    }
}

impl fmt::Display for Specifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_valid_reference_names_are_accepted() {
        for specifier in ["main", "feature/a", "refs/tags/v1", "HEAD", "0123456789012345678901234567890123456789"] {
            assert!(Specifier::parse(Some(specifier.to_owned())).is_ok(), "{specifier}");
        }
        for specifier in ["main~1", "a..b", "a b", "/main", "refs/", "main^{commit}", "x.lock"] {
            assert!(Specifier::parse(Some(specifier.to_owned())).is_err(), "{specifier}");
        }
        assert!(matches!(Specifier::parse(None), Err(Exception::CommitRequired)));
    }
}
