//! Forms of comments: new ones, replies, changes and reactions.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::visit::{Page, Visit};
use crate::{reply, url};

#[derive(Deserialize)]
struct Posted {
    comment: PostedComment,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PostedComment {
    comment_id: String,
}

/// Does what a form of a comment asks for: its buttons have the name `action`. The operations are `PostCommentForComparedCommit`,
/// `PostCommentForPullRequest`, `PostCommentReply`, `UpdateComment`, `DeleteCommentContent` and `PutCommentReaction`.
pub(crate) fn post(visit: &Visit<'_>, repository: &str) -> Page {
    let form = &visit.form;
    let (id, content) = (form.get("comment"), form.raw("content").replace("\r\n", "\n"));
    let (id, notice) = match form.get("action") {
        "reply" => {
            let input = json!({ "inReplyTo": id, "content": content });
            (visit.run::<Posted>("PostCommentReply", &input)?.comment.comment_id, "The reply was posted.")
        }
        "update" => {
            let _: Value = visit.run("UpdateComment", &json!({ "commentId": id, "content": content }))?;
            (id.to_owned(), "The comment was changed.")
        }
        "delete" => {
            let _: Value = visit.run("DeleteCommentContent", &json!({ "commentId": id }))?;
            (id.to_owned(), "The comment was deleted.")
        }
        "react" => {
            let input = json!({ "commentId": id, "reactionValue": form.get("reaction") });
            let _: Value = visit.run("PutCommentReaction", &input)?;
            (id.to_owned(), "")
        }
        _ => (post_new(visit, repository, &content)?, "The comment was posted."),
    };
    let here = url::own(form.get("here")).unwrap_or_else(|| url::repository(repository, "commits"));
    let location = format!("{here}#comment-{}", id.replace(':', "-"));
    Ok(if notice.is_empty() { reply::redirect(&location) } else { reply::done(&location, notice) })
}

/// Posts a comment on two commits, or on a file or line in them, and returns its id.
fn post_new(visit: &Visit<'_>, repository: &str, content: &str) -> Result<String, aws::Failure> {
    let form = &visit.form;
    let mut input = json!({ "repositoryName": repository, "afterCommitId": form.get("after"), "content": content });
    if let Some(before) = form.optional("before") {
        input["beforeCommitId"] = before.into();
    }
    if !form.raw("path").is_empty() {
        input["location"] = json!({ "filePath": form.raw("path") });
        // A position that is no number is AWS's failure, not ours.
        if let Some(position) = form.optional("position") {
            input["location"]["filePosition"] = position.parse::<i64>().unwrap_or_default().into();
            input["location"]["relativeFileVersion"] = form.get("version").into();
        }
    }
    let operation = match form.optional("pull-request") {
        None => "PostCommentForComparedCommit",
        Some(id) => {
            input["pullRequestId"] = id.into();
            "PostCommentForPullRequest"
        }
    };
    Ok(visit.run::<Posted>(operation, &input)?.comment.comment_id)
}
