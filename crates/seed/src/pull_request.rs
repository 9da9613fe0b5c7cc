//! Pull requests of a seed: created by the API's operations, or recorded with the commits that they had.

mod approval;
mod comment;
mod merge;

use aws::{Failure, Timestamp};
use codecommit::PastPullRequest;
use git::ObjectId;
use serde_json::{Value, json};

use crate::document::{Date, DocumentFile, PullRequestEntry, Status};
use crate::runner::{Circumstances, Runner};
use crate::{Error, Location};

/// A pull request of a seed.
#[derive(Clone, Copy)]
pub(crate) struct SeededPullRequest<'s> {
    pub(crate) location: &'s Location,
    pub(crate) entry: &'s PullRequestEntry,
    pub(crate) date: Timestamp,
    pub(crate) author: Option<&'s str>,
}

/// A pull request that was created.
struct Created {
    id: String,
    revision_id: String,
    source_commit: String,
    destination_commit: String,
}

impl SeededPullRequest<'_> {
    /// Creates the pull request with all that belongs to it.
    pub(crate) fn apply(&self, runner: &Runner<'_>, file: &DocumentFile) -> Result<(), Error> {
        self.create_all(runner).map_err(|reason| {
            let entry = self.entry;
            file.fault(entry.repository.span(), format!("pull request '{}': {reason}", entry.title))
        })
    }

    fn create_all(&self, runner: &Runner<'_>) -> Result<(), String> {
        let created = if self.entry.is_past() { self.record_past(runner)? } else { self.create(runner)? };
        self.add_approval_rules(runner, &created)?;
        self.add_comments(runner, &created)?;
        self.approve(runner, &created)?;
        match self.entry.status {
            Status::Open => Ok(()),
            Status::Merged => self.merge(runner, &created),
            Status::Closed => {
                let input = json!({ "pullRequestId": created.id, "pullRequestStatus": "CLOSED" });
                runner.codecommit(&self.end(), "UpdatePullRequestStatus", &input).map(|_| ())
            }
        }
    }

    fn create(&self, runner: &Runner<'_>) -> Result<Created, String> {
        let entry = self.entry;
        let mut target = json!({ "repositoryName": entry.repository.get_ref(), "sourceReference": entry.source });
        if let Some(destination) = &entry.destination {
            target["destinationReference"] = destination.as_str().into();
        }
        let mut input = json!({ "title": entry.title, "targets": [target] });
        if let Some(description) = &entry.description {
            input["description"] = description.as_str().into();
        }
        let output = runner.codecommit(&self.beginning(), "CreatePullRequest", &input)?;
        let pull_request = &output["pullRequest"];
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let target = &pull_request["pullRequestTargets"][0];
        Ok(Created {
            id: text(&pull_request["pullRequestId"]),
            revision_id: text(&pull_request["revisionId"]),
            source_commit: text(&target["sourceCommit"]),
            destination_commit: text(&target["destinationCommit"]),
        })
    }

    /// Records a pull request of the past, whose branches may have moved since.
    fn record_past(&self, runner: &Runner<'_>) -> Result<Created, String> {
        let entry = self.entry;
        if entry.status == Status::Open {
            return Err("an open pull request has the commits of its branches; remove the commits, or write status = \"closed\"".to_owned());
        }
        if (entry.status == Status::Merged) != entry.merge_commit.is_some() {
            return Err("a merged pull request with commits needs a merge-commit, and a closed one has none".to_owned());
        }
        let required = |commit: Option<ObjectId>, name: &str| {
            commit.ok_or_else(|| format!("it has another commit, so it needs {name}; write the id of a commit"))
        };
        let call = runner.call(&self.beginning(), "PastPullRequest")?;
        let past = PastPullRequest {
            repository: entry.repository.get_ref().clone(),
            title: entry.title.clone(),
            description: entry.description.clone(),
            source: entry.source.clone(),
            destination: entry.destination.clone(),
            source_commit: required(entry.source_commit, "source-commit")?,
            destination_commit: required(entry.destination_commit, "destination-commit")?,
        };
        let (source_commit, destination_commit) = (past.source_commit.to_string(), past.destination_commit.to_string());
        let change = runner.services.codecommit.create_past_pull_request(&call, past).map_err(message)?;
        let (id, revision_id) = runner.write(change)?;
        Ok(Created { id, revision_id, source_commit, destination_commit })
    }

    /// Returns the circumstances of the creation.
    fn beginning(&self) -> Circumstances<'_> {
        let entry = self.entry;
        self.circumstances(entry.author.as_deref(), entry.created)
    }

    /// Returns the circumstances of the merge or closing.
    fn end(&self) -> Circumstances<'_> {
        let entry = self.entry;
        self.circumstances(entry.ended_by.as_deref().or(entry.author.as_deref()), entry.ended.or(entry.created))
    }

    fn circumstances<'c>(&'c self, author: Option<&'c str>, time: Option<Date>) -> Circumstances<'c> {
        Circumstances {
            location: self.location,
            author: author.or(self.author),
            time: time.or(self.entry.created).map_or(self.date, |Date(date)| date),
            subject: self.entry.repository.get_ref(),
        }
    }
}

fn message(exception: codecommit::Exception) -> String {
    let failure = Failure::from(exception);
    format!("{}: {}", failure.name, failure.message)
}

/// A change of the service, for [`Runner::write`].
pub(crate) type Change<R> = aws::operation::Change<store::Transaction, R, codecommit::Exception>;

impl Runner<'_> {
    /// Commits a change that no operation of the API makes; it leaves no record.
    fn write<R: Send + 'static>(&self, change: Change<R>) -> Result<R, String> {
        self.services.store.write(move |transaction| change(transaction)).map_err(message)
    }
}
