//! The merge of a pull request: strategies, conflicts, and the form.

use askama::Template;
use aws::Failure;
use serde::Deserialize;
use serde_json::{Value, json};

use super::conflicts::{Conflicts, FileKind};
use super::{PullRequestHead, resolution};
use crate::form::Form;
use crate::frame::Frame;
use crate::pull_request::PullRequestTarget;
use crate::reply;
use crate::visit::{Page, Visit};

#[derive(Template)]
#[template(path = "pull_request_merge.html")]
struct MergePage<'p> {
    frame: Frame,
    head: PullRequestHead,
    can_fast_forward: bool,
    strategy: MergeStrategy,
    /// What must be resolved before a merge by the strategy.
    conflicts: Option<Conflicts>,
    failure: Option<Failure>,
    form: &'p Form,
}

/// How the source is brought into the destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MergeStrategy {
    FastForward,
    Squash,
    ThreeWay,
}

impl MergeStrategy {
    pub(crate) const ALL: [Self; 3] = [Self::FastForward, Self::Squash, Self::ThreeWay];

    /// Returns the value of the parameter and field `strategy`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::FastForward => "fast-forward",
            Self::Squash => "squash",
            Self::ThreeWay => "three-way",
        }
    }

    /// Returns the heading of its form.
    fn title(self) -> &'static str {
        match self {
            Self::FastForward => "Fast-forward merge",
            Self::Squash => "Squash and merge",
            Self::ThreeWay => "Three-way merge",
        }
    }

    fn explanation(self) -> &'static str {
        match self {
            Self::FastForward => {
                "The destination branch moves to the last commit of the source branch. No commit is made."
            }
            Self::Squash => "One new commit on the destination branch has all changes of the source branch.",
            Self::ThreeWay => "A merge commit on the destination branch has both branches as parents.",
        }
    }

    fn option(self) -> &'static str {
        match self {
            Self::FastForward => "FAST_FORWARD_MERGE",
            Self::Squash => "SQUASH_MERGE",
            Self::ThreeWay => "THREE_WAY_MERGE",
        }
    }

    fn operation(self) -> &'static str {
        match self {
            Self::FastForward => "MergePullRequestByFastForward",
            Self::Squash => "MergePullRequestBySquash",
            Self::ThreeWay => "MergePullRequestByThreeWay",
        }
    }
}

/// The merge options that need no conflict resolution.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MergeOptions {
    merge_options: Vec<String>,
}

impl MergeOptions {
    /// Reads the options of the tips of a pull request.
    pub(crate) fn read(visit: &Visit<'_>, target: &PullRequestTarget) -> Result<Self, Failure> {
        Self::of_commits(visit, &target.repository, &target.source_commit, &target.destination_commit)
    }

    /// Reads the options of two commits, which can be named by branches and tags.
    pub(crate) fn of_commits(
        visit: &Visit<'_>,
        repository: &str,
        source: &str,
        destination: &str,
    ) -> Result<Self, Failure> {
        let input = json!({
            "repositoryName": repository,
            "sourceCommitSpecifier": source,
            "destinationCommitSpecifier": destination,
            "conflictDetailLevel": "LINE_LEVEL",
        });
        visit.run("GetMergeOptions", &input)
    }

    pub(crate) fn is_possible(&self) -> bool {
        !self.merge_options.is_empty()
    }

    pub(crate) fn allows(&self, strategy: MergeStrategy) -> bool {
        self.merge_options.iter().any(|option| option == strategy.option())
    }

    /// Returns the possible strategies as a text.
    pub(crate) fn words(&self) -> String {
        let possible = MergeStrategy::ALL.into_iter().filter(|strategy| self.allows(*strategy));
        possible.map(MergeStrategy::name).collect::<Vec<_>>().join(", ")
    }

    /// Returns the strategy that is offered first.
    fn first(&self) -> MergeStrategy {
        MergeStrategy::ALL.into_iter().find(|strategy| self.allows(*strategy)).unwrap_or(MergeStrategy::ThreeWay)
    }
}

/// Shows the form for the strategy of the parameter `strategy`.
pub(crate) fn preview(visit: &Visit<'_>, id: &str) -> Page {
    let head = PullRequestHead::read(visit, id, "")?;
    if !head.pull_request.is_open() {
        return Ok(reply::redirect(&head.pull_request.url("")));
    }
    show(visit, head, visit.query.get("strategy"), None)
}

/// Merges a pull request, and deletes its source branch if the form says so.
pub(crate) fn merge(visit: &Visit<'_>, id: &str) -> Page {
    let head = PullRequestHead::read(visit, id, "")?;
    let strategy = visit.form.get("strategy");
    match try_merge(visit, &head, strategy) {
        Ok(()) => {
            let mut notice = format!("Pull request {id} was merged.");
            if visit.form.has("delete") {
                notice.push_str(&delete_source(visit, head.pull_request.target()));
            }
            Ok(reply::done(&head.pull_request.url(""), &notice))
        }
        Err(failure) if head.pull_request.is_open() => show(visit, head, strategy, Some(failure)),
        Err(failure) => Err(failure),
    }
}

fn try_merge(visit: &Visit<'_>, head: &PullRequestHead, strategy: &str) -> Result<(), Failure> {
    let (form, target) = (&visit.form, head.pull_request.target());
    let Some(strategy) = MergeStrategy::ALL.into_iter().find(|known| known.name() == strategy) else {
        return Err(Failure::client("", "Choose one of the strategies."));
    };
    // Choices for hunks belong to the commits that the form showed.
    if form.get("destination-commit") != target.destination_commit && form.has("path") {
        return Err(Failure::client(
            "",
            "The destination branch has moved since the conflicts were shown. Check the choices and merge again.",
        ));
    }
    let mut input = json!({
        "pullRequestId": head.pull_request.id,
        "repositoryName": target.repository,
        "sourceCommitId": form.get("source-commit"),
    });
    if strategy != MergeStrategy::FastForward {
        input["conflictDetailLevel"] = "LINE_LEVEL".into();
        for (field, member) in [("author", "authorName"), ("email", "email")] {
            if let Some(value) = form.optional(field) {
                input[member] = value.into();
            }
        }
        let message = form.text("message");
        if !message.trim().is_empty() {
            input["commitMessage"] = message.into();
        }
        if form.has("keep-empty-folders") {
            input["keepEmptyFolders"] = true.into();
        }
        resolve(visit, target, strategy, &mut input)?;
    }
    visit.run::<Value>(strategy.operation(), &input)?;
    Ok(())
}

/// Adds the resolution of conflicts that the form has.
fn resolve(
    visit: &Visit<'_>,
    target: &PullRequestTarget,
    strategy: MergeStrategy,
    input: &mut Value,
) -> Result<(), Failure> {
    let resolution_strategy = match visit.form.get("resolution") {
        "source" => "ACCEPT_SOURCE",
        "destination" => "ACCEPT_DESTINATION",
        "each" => {
            let conflicts = Conflicts::read(visit, target, strategy.option())?;
            let resolution = resolution::read(&visit.form, &conflicts);
            input["conflictResolution"] = resolution.map_err(|missing| Failure::client("", missing))?;
            "AUTOMERGE"
        }
        _ => return Ok(()),
    };
    input["conflictResolutionStrategy"] = resolution_strategy.into();
    Ok(())
}

/// Deletes the source branch of a merged pull request; returns a sentence about it.
fn delete_source(visit: &Visit<'_>, target: &PullRequestTarget) -> String {
    let branch = target.source();
    match visit.run::<Value>("DeleteBranch", &json!({ "repositoryName": target.repository, "branchName": branch })) {
        Ok(_) => format!(" The branch {branch} was deleted."),
        Err(failure) => format!(" The branch {branch} was not deleted: {}: {}", failure.error_code(), failure.message),
    }
}

fn show(visit: &Visit<'_>, head: PullRequestHead, strategy: &str, failure: Option<Failure>) -> Page {
    let target = head.pull_request.target();
    let options = MergeOptions::read(visit, target)?;
    let strategy = MergeStrategy::ALL.into_iter().find(|known| known.name() == strategy);
    let strategy = strategy.unwrap_or_else(|| options.first());
    let conflicts = (strategy != MergeStrategy::FastForward && !options.allows(strategy))
        .then(|| Conflicts::read(visit, target, strategy.option()))
        .transpose()?;
    let frame = head.frame(visit);
    let can_fast_forward = options.allows(MergeStrategy::FastForward);
    let page = MergePage { frame, head, can_fast_forward, strategy, conflicts, failure, form: &visit.form };
    visit.form_page(&page, page.failure.as_ref())
}
