//! Branches of a new pull request, as the caller names them.

use aws_sdk_codecommit::types;
use git::{BString, ObjectId};
use store::Transaction;

use crate::name::{self, RepositoryName};
use crate::repository::Repository;
use crate::{Exception, ref_query};

/// Requested target.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub(super) repository: RepositoryName,
    /// Full name of the source branch.
    pub(super) source: BString,
    /// Full name of the destination branch; `None` stands for the default branch.
    pub(super) destination: Option<BString>,
}

/// Tips of the branches at one moment.
pub(super) struct TargetTips {
    pub(super) destination: BString,
    pub(super) source_commit: ObjectId,
    pub(super) destination_commit: ObjectId,
}

impl Target {
    /// Parses the list of targets, which must have one element.
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
        // A missing reference stands for the default branch; an empty one is invalid.
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

    /// Looks up the two branches.
    pub(super) fn tips(&self, transaction: &Transaction, repository: &Repository) -> Result<TargetTips, Exception> {
        let source_commit = tip(transaction, repository, &self.source)?;
        let destination = self.destination.clone().or_else(|| repository.default_branch.clone());
        // A repository with a branch has a default branch.
        let destination = destination.ok_or(Exception::InvalidTarget)?;
        if destination == self.source {
            return Err(Exception::SourceAndDestinationAreSame);
        }
        let destination_commit = tip(transaction, repository, &destination)?;
        Ok(TargetTips { destination, source_commit, destination_commit })
    }
}

/// Parses the short or full name of a branch; returns the full one.
fn branch(name: Option<String>) -> Result<BString, Exception> {
    let name = name::required(name, Exception::ReferenceNameRequired)?;
    let full: BString =
        if name.starts_with("refs/") { name.as_str().into() } else { format!("refs/heads/{name}").into() };
    if !git::is_reference_name(full.as_ref()) {
        return Err(Exception::InvalidReferenceName { name });
    }
    if full.starts_with(b"refs/heads/") { Ok(full) } else { Err(Exception::ReferenceTypeNotSupported { name }) }
}

/// Returns the tip of a branch; if only a tag has the name, the reference type is not supported.
fn tip(transaction: &Transaction, repository: &Repository, name: &BString) -> Result<ObjectId, Exception> {
    if let Some(tip) = ref_query::target(transaction, &repository.id, name)? {
        return Ok(tip);
    }
    let short = name.strip_prefix(b"refs/heads/").unwrap_or(name);
    let tag: BString = [b"refs/tags/", short].concat().into();
    match ref_query::target(transaction, &repository.id, &tag)? {
        Some(_) => Err(Exception::ReferenceTypeNotSupported { name: tag.to_string() }),
        None => Err(Exception::ReferenceDoesNotExist { name: name.to_string() }),
    }
}
