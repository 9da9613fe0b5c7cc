//! Comments on two compared commits, of which a pull request may be the reason: a part of pages.
//!
//! `{{ comments }}` in a template writes the comments without a file and the form for a new one; those on files are shown by
//! [`Differences`](crate::differences::Differences).

mod post;
mod reaction;

use std::rc::Rc;

use askama::Template;
use askama::filters::HtmlSafe;
use aws::Failure;
use serde::Deserialize;
use serde_json::json;

pub(crate) use self::post::post;
use self::reaction::{REACTIONS, Reaction};
use crate::comparison::Comparison;
use crate::text::Time;
use crate::visit::Visit;
use crate::{text, url};

/// Comments of a page.
const COMMENTS: usize = 500;

/// The threads of a page.
#[derive(Template)]
#[template(path = "comments.html")]
pub(crate) struct Comments {
    threads: Vec<Thread>,
    posting: Posting,
    /// The URL of the next page of comments.
    next: Option<String>,
}

impl HtmlSafe for Comments {}

/// The hidden fields of the forms of comments.
pub(crate) type Posting = Rc<PostingFields>;

/// What the forms of comments send beside what the reader writes.
#[derive(Template)]
#[template(path = "posting.html")]
pub(crate) struct PostingFields {
    /// The URL that the forms are sent to.
    pub(crate) action: String,
    pub(crate) csrf: String,
    /// The path and query of the page, to which the forms lead back.
    pub(crate) here: String,
    /// Empty for comments on commits.
    pub(crate) pull_request: String,
    pub(crate) before: String,
    pub(crate) after: String,
    /// The ARN of the reader, who may edit own comments.
    reader: String,
}

impl PostingFields {
    /// Returns the hidden fields of a form.
    pub(crate) fn hidden(&self) -> &Self {
        self
    }
}

impl HtmlSafe for PostingFields {}

/// A comment with its replies.
#[derive(Template)]
#[template(path = "thread.html")]
pub(crate) struct Thread {
    pub(crate) location: Option<Location>,
    /// The commits that the comment is on, before and after.
    pub(crate) commits: [String; 2],
    /// The first comment, then the replies in the order of their creation.
    pub(crate) comments: Vec<Comment>,
    posting: Posting,
}

impl HtmlSafe for Thread {}

/// Where a comment is: a file, and perhaps a line of one of its versions.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Location {
    pub(crate) file_path: String,
    pub(crate) file_position: Option<u64>,
    /// `BEFORE` or `AFTER`.
    pub(crate) relative_file_version: Option<String>,
}

/// A comment.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_field_names, reason = "the names are those of replies")]
pub(crate) struct Comment {
    comment_id: String,
    #[serde(default)]
    content: String,
    in_reply_to: Option<String>,
    creation_date: Time,
    last_modified_date: Time,
    author_arn: String,
    #[serde(default)]
    deleted: bool,
    #[serde(default)]
    caller_reactions: Vec<String>,
    #[serde(default)]
    reaction_counts: std::collections::BTreeMap<String, u32>,
}

impl Comment {
    pub(crate) fn author(&self) -> &str {
        text::name_of_arn(&self.author_arn)
    }

    fn is_edited(&self) -> bool {
        !self.deleted && self.last_modified_date != self.creation_date
    }

    /// Returns an anchor of the page.
    fn anchor(&self) -> String {
        format!("comment-{}", self.comment_id.replace(':', "-"))
    }

    /// Returns the reactions that the comment has, their numbers, and whether one is the reader's.
    fn reactions(&self) -> Vec<(&'static Reaction, u32, bool)> {
        let count = |reaction: &'static Reaction| {
            let name = reaction.name.to_uppercase();
            let count = self.reaction_counts.get(&name).copied().filter(|count| *count > 0)?;
            Some((reaction, count, self.caller_reactions.contains(&name)))
        };
        REACTIONS.iter().filter_map(count).collect()
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CommentsReply {
    #[serde(alias = "commentsForPullRequestData", default)]
    comments_for_compared_commit_data: Vec<CommentGroup>,
    next_token: Option<String>,
}

/// Comments with one location.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CommentGroup {
    #[serde(default)]
    before_commit_id: String,
    #[serde(default)]
    after_commit_id: String,
    location: Option<Location>,
    #[serde(default)]
    comments: Vec<Comment>,
}

impl Comments {
    /// Reads the comments on two commits, which are given by ids, by `GetCommentsForComparedCommit`.
    pub(crate) fn of_commits(visit: &Visit<'_>, comparison: &Comparison<'_>) -> Result<Self, Failure> {
        let mut input = json!({ "repositoryName": comparison.repository, "afterCommitId": comparison.after });
        if !comparison.before.is_empty() {
            input["beforeCommitId"] = comparison.before.into();
        }
        Self::read(visit, "GetCommentsForComparedCommit", input, comparison, "")
    }

    /// Reads all comments of a pull request by `GetCommentsForPullRequest`; new ones are on the commits of the comparison, given by ids.
    pub(crate) fn of_pull_request(visit: &Visit<'_>, id: &str, comparison: &Comparison<'_>) -> Result<Self, Failure> {
        Self::read(visit, "GetCommentsForPullRequest", json!({ "pullRequestId": id }), comparison, id)
    }

    fn read(
        visit: &Visit<'_>,
        operation: &str,
        mut input: serde_json::Value,
        comparison: &Comparison<'_>,
        pull_request: &str,
    ) -> Result<Self, Failure> {
        input["maxResults"] = COMMENTS.into();
        if let Some(token) = visit.query.optional("comments") {
            input["nextToken"] = token.into();
        }
        let reply: CommentsReply = visit.run(operation, &input)?;
        let posting = Rc::new(PostingFields {
            action: url::repository(comparison.repository, "comments"),
            csrf: visit.reader.form_token.clone(),
            here: visit.address(&[("at", "")]),
            pull_request: pull_request.to_owned(),
            before: comparison.before.to_owned(),
            after: comparison.after.to_owned(),
            reader: visit.reader.caller.arn.clone(),
        });
        let groups = reply.comments_for_compared_commit_data.into_iter();
        let threads = groups.flat_map(|group| threads(group, &posting)).collect();
        let next = reply.next_token.map(|token| visit.address(&[("comments", &token), ("at", "")]));
        Ok(Self { threads, posting, next })
    }

    /// Takes the threads on a file out of the others.
    ///
    /// A comment on a line of other commits, as a pull request has after an update of its source, stays.
    pub(crate) fn take_of_file(&mut self, path: &str) -> Vec<Thread> {
        let Self { threads, posting, .. } = self;
        let is_here = |thread: &mut Thread| {
            let is_of_file = thread.location.as_ref().is_some_and(|location| location.file_path == path);
            is_of_file
                && thread.commits[1] == posting.after
                && (posting.before.is_empty() || thread.commits[0] == posting.before)
        };
        threads.extract_if(.., is_here).collect()
    }

    /// Returns the fields of forms for new comments.
    pub(crate) fn posting(&self) -> Posting {
        Rc::clone(&self.posting)
    }
}

/// Splits the comments with one location into threads.
fn threads(group: CommentGroup, posting: &Posting) -> Vec<Thread> {
    let CommentGroup { before_commit_id, after_commit_id, location, comments } = group;
    let mut threads: Vec<Thread> = Vec::new();
    // The thread of each comment: a reply may be to a reply.
    let mut owners = std::collections::HashMap::<String, usize>::new();
    for comment in comments {
        let owner = comment.in_reply_to.as_ref().and_then(|id| owners.get(id)).copied();
        owners.insert(comment.comment_id.clone(), owner.unwrap_or(threads.len()));
        match owner {
            Some(owner) => threads[owner].comments.push(comment),
            None => threads.push(Thread {
                location: location.clone(),
                commits: [before_commit_id.clone(), after_commit_id.clone()],
                comments: vec![comment],
                posting: Rc::clone(posting),
            }),
        }
    }
    threads
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replies_stay_with_the_comment_that_they_belong_to() {
        let comment = |id: &str, to: Option<&str>| {
            let value = json!({ "commentId": id, "inReplyTo": to, "creationDate": 1.0, "lastModifiedDate": 1.0, "authorArn": "a:b/c" });
            serde_json::from_value::<Comment>(value).expect("the comment is complete")
        };
        let comments = vec![
            comment("1", None),
            comment("2", None),
            comment("3", Some("1")),
            comment("4", Some("3")),
            comment("5", Some("elsewhere")),
        ];
        let group =
            CommentGroup { before_commit_id: String::new(), after_commit_id: String::new(), location: None, comments };
        let posting = Rc::new(PostingFields {
            action: String::new(),
            csrf: String::new(),
            here: String::new(),
            pull_request: String::new(),
            before: String::new(),
            after: String::new(),
            reader: String::new(),
        });
        let ids =
            |thread: &Thread| thread.comments.iter().map(|comment| comment.comment_id.clone()).collect::<Vec<_>>();
        let found: Vec<_> = threads(group, &posting).iter().map(ids).collect();
        assert_eq!(found, [vec!["1", "3", "4"], vec!["2"], vec!["5"]]);
    }
}
