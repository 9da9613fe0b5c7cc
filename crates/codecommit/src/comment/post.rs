//! New comments on compared commits and pull requests, and replies.

use std::sync::Arc;

use aws::Call;
use aws_sdk_codecommit::operation::post_comment_for_compared_commit::{
    PostCommentForComparedCommitInput, PostCommentForComparedCommitOutput,
};
use aws_sdk_codecommit::operation::post_comment_for_pull_request::{
    PostCommentForPullRequestInput, PostCommentForPullRequestOutput,
};
use aws_sdk_codecommit::operation::post_comment_reply::{PostCommentReplyInput, PostCommentReplyOutput};
use store::Transaction;

use super::bus_event::{self, CommentChange};
use super::describe::describe;
use super::group::Group;
use super::location::{CommentLocation, FileLocation, located, text};
use super::row::{Comment, CommentId, LocatedComment};
use super::{content, optional_commit_id};
use crate::name::{self, RepositoryName};
use crate::pull_request::{self, PullRequestId};
use crate::repository::{Repository, get_row};
use crate::request_token::{self, RequestToken};
use crate::{Change, CodeCommit, Exception};

/// A comment to post, and its request token.
struct Draft {
    operation: &'static str,
    content: String,
    token: Option<RequestToken>,
}

pub(crate) fn post_for_compared_commit(
    service: &CodeCommit,
    call: &Arc<Call>,
    input: PostCommentForComparedCommitInput,
) -> Result<Change<PostCommentForComparedCommitOutput>, Exception> {
    let name = RepositoryName::parse(input.repository_name)?;
    let commits = (optional_commit_id(input.before_commit_id)?, name::commit_id(input.after_commit_id)?);
    let file = input.location.map(FileLocation::parse).transpose()?;
    let content = content(input.content)?;
    let token = RequestToken::parse(input.client_request_token)?;
    let draft = Draft { operation: "PostCommentForComparedCommit", content, token };
    let repository = service.find(call, &name)?;
    let location = CommentLocation::find(&mut service.objects(call, &repository)?.reader(), commits, file)?;
    let call = Arc::clone(call);
    Ok(Box::new(move |transaction| {
        let repository = get_row(transaction, &call, &name)?;
        let comment = draft.post(transaction, &call, &repository.id, None, &location)?;
        Ok(located!(PostCommentForComparedCommitOutput::builder().repository_name(repository.name), location)
            .comment(describe(transaction, &call, &comment)?)
            .build())
    }))
}

/// Adds a comment to a pull request, which may be closed.
pub(crate) fn post_for_pull_request(
    service: &CodeCommit,
    call: &Arc<Call>,
    input: PostCommentForPullRequestInput,
) -> Result<Change<PostCommentForPullRequestOutput>, Exception> {
    let id = PullRequestId::parse(input.pull_request_id)?;
    let name = RepositoryName::parse(input.repository_name)?;
    let before = name::commit_id(input.before_commit_id)?;
    let commits = (Some(before), name::commit_id(input.after_commit_id)?);
    let file = input.location.map(FileLocation::parse).transpose()?;
    let content = content(input.content)?;
    let token = RequestToken::parse(input.client_request_token)?;
    let draft = Draft { operation: "PostCommentForPullRequest", content, token };
    let repository = service.find_of_pull_request(call, id, &name)?;
    let location = CommentLocation::find(&mut service.objects(call, &repository)?.reader(), commits, file)?;
    let call = Arc::clone(call);
    Ok(Box::new(move |transaction| {
        let mut pull_request = pull_request::get(transaction, &call, id)?;
        let repository = &pull_request.repository;
        let comment = draft.post(transaction, &call, &repository.id, Some(id), &location)?;
        let output = located!(
            PostCommentForPullRequestOutput::builder()
                .repository_name(&repository.name)
                .pull_request_id(id.to_string()),
            location
        )
        .comment(describe(transaction, &call, &comment)?)
        .build();
        pull_request::touch(transaction, &call, &mut pull_request)?;
        Ok(output)
    }))
}

/// Adds a reply, in the group of the comment that it replies to; that comment may be a reply itself, or deleted.
pub(crate) fn post_reply(
    _service: &CodeCommit,
    call: &Arc<Call>,
    input: PostCommentReplyInput,
) -> Result<Change<PostCommentReplyOutput>, Exception> {
    let id = CommentId::parse(input.in_reply_to)?;
    let token = RequestToken::parse(input.client_request_token)?;
    let draft = Draft { operation: "PostCommentReply", content: content(input.content)?, token };
    let call = Arc::clone(call);
    Ok(Box::new(move |transaction| {
        let LocatedComment { comment, repository, pull_request } = LocatedComment::get(transaction, &call, &id)?;
        let (group, parameters) = (|| Ok(comment.group), [id.as_str()]);
        let reply = draft.once(transaction, &call, (&repository.id, pull_request), &parameters, Some(&id), group)?;
        if let Some(id) = pull_request {
            let mut pull_request = pull_request::get(transaction, &call, id)?;
            pull_request::touch(transaction, &call, &mut pull_request)?;
        }
        Ok(PostCommentReplyOutput::builder().comment(describe(transaction, &call, &reply)?).build())
    }))
}

impl Draft {
    fn post(
        &self,
        transaction: &Transaction,
        call: &Call,
        repository_id: &str,
        pull_request: Option<PullRequestId>,
        location: &CommentLocation,
    ) -> Result<Comment, Exception> {
        let number = pull_request.map(|id| id.to_string()).unwrap_or_default();
        let (before, after) = (text(location.before), location.after.to_string());
        let file = location.file.as_ref().map(ToString::to_string).unwrap_or_default();
        let parameters = [repository_id, &number, &before, &after, &file];
        let group = || Ok(Group::find_or_create(transaction, repository_id, pull_request, location)?);
        self.once(transaction, call, (repository_id, pull_request), &parameters, None, group)
    }

    /// Adds the comment, or returns the one that an earlier request with the same token added.
    fn once(
        &self,
        transaction: &Transaction,
        call: &Call,
        (repository_id, pull_request): (&str, Option<PullRequestId>),
        parameters: &[&str],
        in_reply_to: Option<&CommentId>,
        group: impl FnOnce() -> Result<i64, Exception>,
    ) -> Result<Comment, Exception> {
        let parameters = [parameters, &[self.content.as_str()]].concat();
        let create = || {
            let comment = Comment {
                number: 0,
                id: CommentId::new(call, pull_request),
                group: group()?,
                in_reply_to: in_reply_to.map(|id| id.as_str().to_owned()),
                content: Some(self.content.clone()),
                author: call.caller.arn.clone(),
                created: call.time,
                modified: call.time,
                client_request_token: self.token.as_ref().map(|token| token.as_str().to_owned()),
            };
            comment.insert(transaction)?;
            bus_event::emit(transaction, call, &comment, pull_request, CommentChange::Created)?;
            Ok(comment.id.as_str().to_owned())
        };
        let token = (repository_id, self.operation, self.token.as_ref(), parameters.as_slice());
        let id = request_token::once(transaction, call, token, create)?;
        Ok(LocatedComment::get(transaction, call, &CommentId::parse(Some(id))?)?.comment)
    }
}

impl CodeCommit {
    /// Finds the repository of a pull request; the caller must name the same one, and its encryption key must be usable.
    pub(super) fn find_of_pull_request(
        &self,
        call: &Call,
        id: PullRequestId,
        name: &RepositoryName,
    ) -> Result<Repository, Exception> {
        let pull_request = pull_request::find(self, call, id)?;
        if pull_request.repository.name == name.as_str() {
            return Ok(pull_request.repository);
        }
        self.store.read(|transaction| get_row(transaction, call, name))?;
        Err(Exception::RepositoryNotAssociatedWithPullRequest { name: name.to_string(), id: id.to_string() })
    }
}
