//! Comments on seeded pull requests, with their replies.

use serde_json::{Value, json};

use super::{Created, SeededPullRequest};
use crate::document::{CommentEntry, ReplyEntry};
use crate::runner::{Circumstances, Runner};

/// Content of a comment until it is deleted.
const DELETED: &str = "deleted";

impl SeededPullRequest<'_> {
    pub(super) fn add_comments(&self, runner: &Runner<'_>, created: &Created) -> Result<(), String> {
        for comment in &self.entry.comments {
            self.add_comment(runner, created, comment)
                .map_err(|reason| format!("comment '{}': {reason}", comment.content.as_deref().unwrap_or_default()))?;
        }
        Ok(())
    }

    fn add_comment(&self, runner: &Runner<'_>, created: &Created, comment: &CommentEntry) -> Result<(), String> {
        let before = comment.before_commit.map_or_else(|| created.destination_commit.clone(), |id| id.to_string());
        let after = comment.after_commit.map_or_else(|| created.source_commit.clone(), |id| id.to_string());
        let mut input = json!({
            "pullRequestId": created.id,
            "repositoryName": self.entry.repository.get_ref(),
            "beforeCommitId": before,
            "afterCommitId": after,
            "content": comment.content.as_deref().unwrap_or(DELETED),
        });
        match (&comment.file, comment.line) {
            (None, Some(_)) => return Err("it has a line and no file; write the path of the file".to_owned()),
            (None, None) => {}
            (Some(file), None) => input["location"] = json!({ "filePath": file }),
            (Some(file), Some(line)) => {
                input["location"] =
                    json!({ "filePath": file, "filePosition": line, "relativeFileVersion": comment.version.wire() });
            }
        }
        let circumstances = self.circumstances(comment.author.as_deref(), comment.created);
        let output = runner.codecommit(&circumstances, "PostCommentForPullRequest", &input)?;
        self.complete(runner, &circumstances, &output, comment.content.is_none(), &comment.replies)
    }

    /// Adds the replies to a comment, and deletes it if it has no content.
    fn complete(
        &self,
        runner: &Runner<'_>,
        circumstances: &Circumstances<'_>,
        posted: &Value,
        is_deleted: bool,
        replies: &[ReplyEntry],
    ) -> Result<(), String> {
        let id = &posted["comment"]["commentId"];
        for reply in replies {
            let circumstances = self.circumstances(reply.author.as_deref(), reply.created);
            let input = json!({ "inReplyTo": id, "content": reply.content.as_deref().unwrap_or(DELETED) });
            let output = runner.codecommit(&circumstances, "PostCommentReply", &input)?;
            self.complete(runner, &circumstances, &output, reply.content.is_none(), &reply.replies)?;
        }
        if is_deleted {
            runner.codecommit(circumstances, "DeleteCommentContent", &json!({ "commentId": id }))?;
        }
        Ok(())
    }
}
