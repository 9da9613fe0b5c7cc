//! Events of the types `CodeCommit Comment on Commit` and `CodeCommit Comment on Pull Request`.
//!
//! Members and texts of comments on pull requests are those of events that were published, and others follow the guide's examples.

use aws::Call;
use aws::caller::Kind;
use serde::Serialize;
use store::{Error, Transaction};

use super::row::Comment;
use crate::event_bridge::{self, console_url};
use crate::pull_request::PullRequestId;
use crate::{column, repository};

/// What happened to a comment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CommentChange {
    /// It was posted, as a reply or not.
    Created,
    /// Its content was changed or deleted.
    Updated,
}

/// The detail, with its members in AWS's order.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Detail<'a> {
    after_commit_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    before_commit_id: Option<String>,
    caller_user_arn: &'a str,
    comment_id: &'a str,
    /// Of the session tag `displayName`.
    #[serde(skip_serializing_if = "Option::is_none")]
    display_name: Option<&'a str>,
    /// Of the session tag `emailAddress`.
    #[serde(skip_serializing_if = "Option::is_none")]
    email_address: Option<&'a str>,
    event: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    in_reply_to: Option<&'a str>,
    notification_body: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pull_request_id: Option<String>,
    repository_id: &'a str,
    repository_name: &'a str,
}

/// Emits the event of a change of a comment.
pub(super) fn emit(
    transaction: &Transaction,
    call: &Call,
    comment: &Comment,
    pull_request: Option<PullRequestId>,
    change: CommentChange,
) -> Result<(), Error> {
    if call.event_sink.is_none() {
        return Ok(());
    }
    let group = transaction.query_one(
        "SELECT repository_id, before_commit, after_commit FROM comment_groups WHERE id = ?1",
        &[comment.group.into()],
        |row| {
            let has_before = !row.blob(1)?.is_empty();
            let before = has_before.then(|| column::object_id(row, 1)).transpose()?;
            Ok((row.text(0)?, before.map(|id| id.to_string()), column::object_id(row, 2)?.to_string()))
        },
    )?;
    let (repository_id, before, after) = group.ok_or(Error::Damaged("the group of a comment"))?;
    let repository = repository::get_row_by_id(transaction, call, &repository_id)?;
    let (tags, id) = (SessionTags::of(call), comment.id.as_str());
    let action = match change {
        CommentChange::Created => "made a comment or replied to a comment",
        CommentChange::Updated => "updated a comment or replied to a comment",
    };
    let (detail_type, [created, updated], kind, place, page) = match pull_request {
        Some(number) => (
            "CodeCommit Comment on Pull Request",
            ["commentOnPullRequestCreated", "commentOnPullRequestUpdated"],
            "pull request",
            format!("Pull Request: {number}"),
            format!("pull-requests/{number}/activity#{}", id.replace(':', "%3A")),
        ),
        None => (
            "CodeCommit Comment on Commit",
            ["commentOnCommitCreated", "commentOnCommitUpdated"],
            "comment",
            format!("comment ID: {id}"),
            match &before {
                Some(before) => format!("compare/{before}/.../{after}"),
                None => format!("commit/{after}"),
            },
        ),
    };
    let (name, arn) = (&repository.name, &call.caller.arn);
    let detail = Detail {
        after_commit_id: after,
        before_commit_id: before,
        caller_user_arn: arn,
        comment_id: id,
        display_name: tags.display_name,
        email_address: tags.email_address,
        event: if change == CommentChange::Created { created } else { updated },
        in_reply_to: comment.in_reply_to.as_deref(),
        notification_body: format!(
            "A {kind} event occurred in the following AWS CodeCommit repository: {name}. {}The user: {arn} {action}. \
             The comment was made on the following {place}. For more information, go to the AWS CodeCommit console {}",
            tags.text(),
            console_url(call, name, &page)
        ),
        pull_request_id: pull_request.map(|number| number.to_string()),
        repository_id: &repository.id,
        repository_name: name,
    };
    event_bridge::emit(transaction, call, detail_type, &[repository.arn().to_string()], [detail])
}

/// The tags of a caller's session that its comments show.
struct SessionTags<'a> {
    display_name: Option<&'a str>,
    email_address: Option<&'a str>,
}

impl<'a> SessionTags<'a> {
    fn of(call: &'a Call) -> Self {
        let is_session = matches!(call.caller.kind, Kind::AssumedRole | Kind::FederatedUser);
        let tag = |name: &str| {
            let value = call.authority().principal_tags().get(name).filter(|_| is_session);
            value.map(String::as_str).filter(|value| !value.is_empty())
        };
        Self { display_name: tag("displayName"), email_address: tag("emailAddress") }
    }

    /// Returns the sentences about the tags, each followed by a space.
    fn text(&self) -> String {
        let sentence = |what: &str, value: Option<&str>| {
            value.map(|value| format!("The {what} for the user is {value}. ")).unwrap_or_default()
        };
        sentence("display name", self.display_name) + &sentence("email address", self.email_address)
    }
}
