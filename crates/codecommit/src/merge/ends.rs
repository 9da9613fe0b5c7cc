//! The two commits of a merge as callers name them, and the branch that gets what comes of them.

use git::{BString, References};

use super::Tips;
use crate::name::BranchName;
use crate::specifier::Specifier;
use crate::{Exception, name};

/// What a caller names.
pub(super) struct Ends {
    source: Specifier,
    destination: Specifier,
    target: Option<BranchName>,
}

impl Ends {
    /// Reads the names of commits, and of the branch where it is given.
    pub(super) fn parse(
        source: Option<String>,
        destination: Option<String>,
        target: Option<String>,
    ) -> Result<Self, Exception> {
        let (source, destination) = (Specifier::parse(source)?, Specifier::parse(destination)?);
        let target = target.filter(|target| !target.is_empty()).map(target_branch).transpose()?;
        Ok(Self { source, destination, target })
    }

    /// Reads the names of commits; a wrong one is named after what it was to be.
    pub(super) fn parse_named(source: Option<String>, destination: Option<String>) -> Result<Self, Exception> {
        let named = |text: Option<String>, invalid: fn(String) -> Exception| match Specifier::parse(text) {
            Err(Exception::InvalidCommit { specifier }) => Err(invalid(specifier)),
            parsed => parsed,
        };
        let source = named(source, |specifier| Exception::InvalidSourceCommitSpecifier { specifier })?;
        let destination = named(destination, |specifier| Exception::InvalidDestinationCommitSpecifier { specifier })?;
        Ok(Self { source, destination, target: None })
    }

    pub(super) fn resolve(&self, references: &References, objects: &git::Repository) -> Result<Tips, Exception> {
        let mut reader = objects.reader();
        Ok(Tips {
            source: self.source.resolve(references, &mut reader)?,
            destination: self.destination.resolve(references, &mut reader)?,
        })
    }

    /// Finds the full name of the branch: the target, else the one that the destination names.
    pub(super) fn branch(&self, references: &References) -> Result<BString, Exception> {
        let Some(target) = &self.target else {
            let named = match self.destination.reference(references) {
                Some(name) => Some(name.into()),
                None => references.head.clone().filter(|_| self.destination.is_head()),
            };
            return match named {
                Some(name) if name.starts_with(b"refs/heads/") => Ok(name),
                Some(_) => Err(Exception::BranchNameIsTagName { name: self.destination.to_string() }),
                None => Err(Exception::BranchNameRequired),
            };
        };
        let (branch, name) = (target.reference(), target.as_str());
        if references.find(&branch).is_some() {
            Ok(branch)
        } else if references.find(format!("refs/tags/{name}").as_bytes()).is_some() {
            Err(Exception::BranchNameIsTagName { name: name.to_owned() })
        } else {
            Err(Exception::BranchDoesNotExist { reference: branch.to_string() })
        }
    }

    /// The message of a merge commit whose maker gave none.
    pub(super) fn message(&self) -> String {
        format!("Merge {} into {}", self.source, self.destination)
    }
}

/// A commit's id is a name that no branch has, and no other reason is needed.
fn target_branch(name: String) -> Result<BranchName, Exception> {
    if name::commit_id(Some(name.clone())).is_ok() {
        return Err(Exception::InvalidTargetBranch { name });
    }
    BranchName::parse(Some(name))
}
