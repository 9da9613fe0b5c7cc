//! The two commits of a merge as callers name them, and the target branch.

use aws::{Call, Facts};
use git::{BString, References};

use super::MergeTips;
use crate::name::{BranchName, RepositoryName};
use crate::specifier::Specifier;
use crate::{CodeCommit, Exception, name, repository};

/// Commits and target branch of a merge.
pub(super) struct MergeSpecifiers {
    source: Specifier,
    destination: Specifier,
    target: Option<BranchName>,
}

impl MergeSpecifiers {
    /// Parses the names of the commits, and of the target branch if there is one.
    pub(super) fn parse(
        source: Option<String>,
        destination: Option<String>,
        target: Option<String>,
    ) -> Result<Self, Exception> {
        let (source, destination) = (Specifier::parse(source)?, Specifier::parse(destination)?);
        let target = target.filter(|target| !target.is_empty()).map(target_branch).transpose()?;
        Ok(Self { source, destination, target })
    }

    /// Parses the names of the commits; the exception of an invalid one says which of the two it is.
    pub(super) fn parse_named(source: Option<String>, destination: Option<String>) -> Result<Self, Exception> {
        let parse = |text: Option<String>, invalid: fn(String) -> Exception| match Specifier::parse(text) {
            Err(Exception::InvalidCommit { specifier }) => Err(invalid(specifier)),
            parsed => parsed,
        };
        let source = parse(source, |specifier| Exception::InvalidSourceCommitSpecifier { specifier })?;
        let destination = parse(destination, |specifier| Exception::InvalidDestinationCommitSpecifier { specifier })?;
        Ok(Self { source, destination, target: None })
    }

    pub(super) fn resolve(&self, references: &References, objects: &git::Repository) -> Result<MergeTips, Exception> {
        let mut reader = objects.reader();
        Ok(MergeTips {
            source: self.source.resolve(references, &mut reader)?,
            destination: self.destination.resolve(references, &mut reader)?,
        })
    }

    /// Returns the full name of the branch to update: the target branch, else the branch that the destination names.
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

    /// Makes the branch to update a fact about the operation: the target branch, else the branch that the destination names.
    pub(super) fn add_to_facts(
        &self,
        service: &CodeCommit,
        call: &Call,
        name: &RepositoryName,
    ) -> Result<(), Exception> {
        if let Some(target) = &self.target {
            target.add_to_facts(call);
        } else if call.has_policies()
            && let Some(repository) = service.store.read(|transaction| repository::read_row(transaction, call, name))?
            && let Ok(branch) = self.branch(&*service.references(&repository)?)
        {
            call.add_facts(Facts::default().with_reference(branch.to_string()));
        }
        Ok(())
    }

    /// Returns the message of a merge commit for which the caller gives none.
    pub(super) fn default_message(&self) -> String {
        format!("Merge {} into {}", self.source, self.destination)
    }
}

/// Parses the name of the target branch; a commit id has an exception of its own.
fn target_branch(name: String) -> Result<BranchName, Exception> {
    if name::commit_id(Some(name.clone())).is_ok() {
        return Err(Exception::InvalidTargetBranch { name });
    }
    BranchName::parse(Some(name))
}
