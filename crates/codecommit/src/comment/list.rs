//! Listings of comments, in pages; comments on one location stand together.

use std::sync::Arc;

use aws::Call;
use aws_sdk_codecommit::operation::get_comments_for_compared_commit::{
    GetCommentsForComparedCommitInput, GetCommentsForComparedCommitOutput,
};
use aws_sdk_codecommit::operation::get_comments_for_pull_request::{
    GetCommentsForPullRequestInput, GetCommentsForPullRequestOutput,
};
use aws_sdk_codecommit::types::{self, CommentsForComparedCommit, CommentsForPullRequest};
use git::ObjectId;
use store::{Transaction, Value};

use super::describe::describe;
use super::group::{self, Group};
use super::location::{commits, located, text};
use super::optional_commit_id;
use super::row::{self, Comment};
use crate::name::{self, RepositoryName};
use crate::page::{Page, Sizes};
use crate::pull_request::{self, PullRequestId};
use crate::repository::Repository;
use crate::{CodeCommit, Exception};

const OF_COMMITS: Sizes = Sizes { operation: "GetCommentsForComparedCommit", default: 100, max: 500 };

const OF_PULL_REQUEST: Sizes = Sizes { operation: "GetCommentsForPullRequest", default: 100, max: 500 };

/// Two compared commits; the one before is missing before the first commit of a history.
type Commits = (Option<ObjectId>, ObjectId);

/// Selection of comments.
struct CommentQuery<'a> {
    repository: &'a Repository,
    pull_request: Option<PullRequestId>,
    /// `None` selects comments on any commits.
    commits: Option<Commits>,
}

pub(crate) fn for_compared_commit(
    service: &CodeCommit,
    call: &Arc<Call>,
    input: GetCommentsForComparedCommitInput,
) -> Result<GetCommentsForComparedCommitOutput, Exception> {
    let name = RepositoryName::parse(input.repository_name)?;
    let (before, after) = (optional_commit_id(input.before_commit_id)?, name::commit_id(input.after_commit_id)?);
    let scope = [name.as_str(), &text(before), &after.to_string()];
    let page = Page::parse(OF_COMMITS, &service.settings, &scope, input.next_token, input.max_results)?;
    let repository = service.find(call, &name)?;
    let commits = commits(&mut service.objects(call, &repository)?.reader(), before, after)?;
    let query = CommentQuery { repository: &repository, pull_request: None, commits: Some(commits) };
    let (groups, next_token) = service.store.read(|transaction| query.list(transaction, call, &page))?;
    let data = groups.into_iter().map(|(Group { location, .. }, comments)| {
        located!(CommentsForComparedCommit::builder().repository_name(&repository.name), location)
            .set_comments(Some(comments))
            .build()
    });
    Ok(GetCommentsForComparedCommitOutput::builder()
        .set_comments_for_compared_commit_data(Some(data.collect()))
        .set_next_token(next_token)
        .build())
}

/// Lists all comments of a pull request, or those on two commits; the latter requires the name of the repository too.
pub(crate) fn for_pull_request(
    service: &CodeCommit,
    call: &Arc<Call>,
    input: GetCommentsForPullRequestInput,
) -> Result<GetCommentsForPullRequestOutput, Exception> {
    let id = PullRequestId::parse(input.pull_request_id)?;
    let narrowed = [&input.repository_name, &input.before_commit_id, &input.after_commit_id]
        .into_iter()
        .any(|text| text.as_ref().is_some_and(|text| !text.is_empty()));
    let narrowed = if narrowed {
        let name = RepositoryName::parse(input.repository_name)?;
        Some((name, name::commit_id(input.before_commit_id)?, name::commit_id(input.after_commit_id)?))
    } else {
        None
    };
    let scope = narrowed.as_ref().map_or_else(
        || vec![id.to_string()],
        |(name, before, after)| vec![id.to_string(), name.to_string(), before.to_string(), after.to_string()],
    );
    let scope: Vec<&str> = scope.iter().map(String::as_str).collect();
    let page = Page::parse(OF_PULL_REQUEST, &service.settings, &scope, input.next_token, input.max_results)?;
    let (repository, commits) = match narrowed {
        None => (pull_request::find(service, call, id)?.repository, None),
        Some((name, before, after)) => {
            let repository = service.find_of_pull_request(call, id, &name)?;
            let commits = commits(&mut service.objects(call, &repository)?.reader(), Some(before), after)?;
            (repository, Some(commits))
        }
    };
    let query = CommentQuery { repository: &repository, pull_request: Some(id), commits };
    let (groups, next_token) = service.store.read(|transaction| query.list(transaction, call, &page))?;
    let data = groups.into_iter().map(|(Group { location, .. }, comments)| {
        located!(
            CommentsForPullRequest::builder().pull_request_id(id.to_string()).repository_name(&repository.name),
            location
        )
        .set_comments(Some(comments))
        .build()
    });
    Ok(GetCommentsForPullRequestOutput::builder()
        .set_comments_for_pull_request_data(Some(data.collect()))
        .set_next_token(next_token)
        .build())
}

/// Groups with their comments, and the token of the next page.
type Groups = (Vec<(Group, Vec<types::Comment>)>, Option<String>);

impl CommentQuery<'_> {
    /// Lists groups in the order of their first comments, and the comments of each in the order of their creation.
    fn list(&self, transaction: &Transaction, call: &Call, page: &Page) -> Result<Groups, Exception> {
        let (group, comment) = page.after_text()?.map_or(Ok((0, 0)), |key| parse_key(&key))?;
        let commits = self.commits.as_ref();
        let of_commits = if commits.is_some() { "AND g.before_commit = ?6 AND g.after_commit = ?7" } else { "" };
        let sql = format!(
            "SELECT {}, {} FROM comment_groups g JOIN comments c ON c.group_id = g.id \
             WHERE g.repository_id = ?1 AND g.pull_request = ?2 AND g.id >= ?3 AND (g.id > ?3 OR c.number > ?4) {of_commits} \
             ORDER BY g.id, c.number LIMIT ?5",
            group::COLUMNS,
            row::COLUMNS,
        );
        let number = self.pull_request.map_or(0, PullRequestId::number);
        let mut values: Vec<Value<'_>> =
            vec![(&self.repository.id).into(), number.into(), group.into(), comment.into(), page.limit().into()];
        if let Some((before, after)) = commits {
            values.push(before.as_ref().map_or([].as_slice(), ObjectId::as_slice).into());
            values.push(after.as_slice().into());
        }
        let mut rows = transaction
            .query(&sql, &values, |row| Ok((Group::read(row)?, Comment::read(row, group::COLUMNS_COUNT)?)))?;
        let next_token =
            page.cut(&mut rows, |(group, comment)| format!("{} {}", group.id, comment.number).into_bytes());
        let mut groups: Vec<(Group, Vec<types::Comment>)> = Vec::new();
        for (group, comment) in rows {
            let comment = describe(transaction, call, &comment)?;
            match groups.last_mut().filter(|(last, _)| last.id == group.id) {
                Some((_, comments)) => comments.push(comment),
                None => groups.push((group, vec![comment])),
            }
        }
        Ok((groups, next_token))
    }
}

/// Parses the key of a page's start: the last group and comment of the page before.
fn parse_key(key: &str) -> Result<(i64, i64), Exception> {
    let numbers = key.split_once(' ').and_then(|(group, comment)| Some((group.parse().ok()?, comment.parse().ok()?)));
    numbers.ok_or(Exception::InvalidContinuationToken)
}
