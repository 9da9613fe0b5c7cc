//! Between which branches a pull request is to be.

use aws_sdk_codecommit::types;
use git::{BString, ObjectId};
use store::Transaction;

use crate::name::{self, RepositoryName};
use crate::repository::Repository;
use crate::{Exception, push};

/// What a caller names.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub(super) repository: RepositoryName,
    /// The full name of the source branch.
    pub(super) source: BString,
    /// The full name of the destination branch; `None` is the default one.
    pub(super) destination: Option<BString>,
}

/// What it names at one moment.
pub(super) struct Tips {
    pub(super) destination: BString,
    pub(super) source_commit: ObjectId,
    pub(super) destination_commit: ObjectId,
}

impl Target {
    /// Reads the list of targets, which has one.
    pub(super) fn parse(targets: Option<Vec<types::Target>>) -> Result<Self, Exception> {
        let targets = targets.filter(|targets| !targets.is_empty()).ok_or(Exception::TargetsRequired)?;
        let mut repositories: Vec<_> = targets.iter().map(|target| target.repository_name.clone()).collect();
        repositories.dedup();
        if repositories.len() > 1 {
            return Err(Exception::MultipleRepositoriesInPullRequest);
        }
        let Ok([target]) = <[_; 1]>::try_from(targets) else { return Err(Exception::InvalidTargets) };
        let types::Target { repository_name, source_reference, destination_reference, .. } = target;
        if repository_name.is_empty() && source_reference.is_empty() && destination_reference.is_none() {
            return Err(Exception::TargetRequired);
        }
        // Left out it is the default branch's; empty it is nobody's.
        if destination_reference.as_ref().is_some_and(String::is_empty) {
            return Err(Exception::InvalidTarget);
        }
        let target = Self {
            repository: RepositoryName::parse(Some(repository_name))?,
            source: branch(Some(source_reference))?,
            destination: destination_reference.map(|name| branch(Some(name))).transpose()?,
        };
        if target.destination.as_ref() == Some(&target.source) {
            return Err(Exception::SourceAndDestinationAreSame);
        }
        Ok(target)
    }

    /// Looks the two branches up.
    pub(super) fn tips(&self, transaction: &Transaction, repository: &Repository) -> Result<Tips, Exception> {
        let source_commit = tip(transaction, repository, &self.source)?;
        let destination = self.destination.clone().or_else(|| repository.default_branch.clone());
        // Where a branch is, a default one is.
        let destination = destination.ok_or(Exception::InvalidTarget)?;
        if destination == self.source {
            return Err(Exception::SourceAndDestinationAreSame);
        }
        let destination_commit = tip(transaction, repository, &destination)?;
        Ok(Tips { destination, source_commit, destination_commit })
    }
}

/// Reads the short or full name of a branch, and returns the full one.
fn branch(name: Option<String>) -> Result<BString, Exception> {
    let name = name::required(name, Exception::ReferenceNameRequired)?;
    let full: BString =
        if name.starts_with("refs/") { name.as_str().into() } else { format!("refs/heads/{name}").into() };
    if !git::is_reference_name(full.as_ref()) {
        return Err(Exception::InvalidReferenceName { name });
    }
    if full.starts_with(b"refs/heads/") { Ok(full) } else { Err(Exception::ReferenceTypeNotSupported { name }) }
}

/// A name that a tag has and no branch is one of the wrong kind.
fn tip(transaction: &Transaction, repository: &Repository, name: &BString) -> Result<ObjectId, Exception> {
    if let Some(tip) = push::target(transaction, &repository.id, name)? {
        return Ok(tip);
    }
    let short = name.strip_prefix(b"refs/heads/").unwrap_or(name);
    let tag: BString = [b"refs/tags/", short].concat().into();
    match push::target(transaction, &repository.id, &tag)? {
        Some(_) => Err(Exception::ReferenceTypeNotSupported { name: tag.to_string() }),
        None => Err(Exception::ReferenceDoesNotExist { name: name.to_string() }),
    }
}
