//! Comments on compared commits and on pull requests: get, update, delete their content.

mod group;
mod list;
mod location;
mod post;
mod reaction;
mod reaction_kind;
mod row;

use std::sync::Arc;

use aws::Call;
use aws_sdk_codecommit::operation::delete_comment_content::{DeleteCommentContentInput, DeleteCommentContentOutput};
use aws_sdk_codecommit::operation::get_comment::{GetCommentInput, GetCommentOutput};
use aws_sdk_codecommit::operation::update_comment::{UpdateCommentInput, UpdateCommentOutput};
use git::ObjectId;

pub(crate) use list::{for_compared_commit, for_pull_request};
pub(crate) use post::{post_for_compared_commit, post_for_pull_request, post_reply};
pub(crate) use reaction::{READ_PUT_REACTION, get_reactions, put_reaction};

use crate::{Change, CodeCommit, Exception, name};
use row::{CommentId, Found};

/// The length of a comment, in characters.
const CONTENT_MAX: usize = 10_240;

/// Gives a comment; one whose content was deleted is given by the listings alone.
pub(crate) fn get(
    service: &CodeCommit,
    call: &Arc<Call>,
    input: GetCommentInput,
) -> Result<GetCommentOutput, Exception> {
    let id = CommentId::parse(input.comment_id)?;
    let (comment, kms_key_id) = service.store.read(|transaction| {
        let Found { comment, repository, .. } = Found::get_readable(transaction, call, &id)?;
        Ok::<_, Exception>((comment.to_wire(transaction, call)?, repository.kms_key_id))
    })?;
    service.settings.simulate.check_key(call, &kms_key_id)?;
    Ok(GetCommentOutput::builder().comment(comment).build())
}

/// Only the author changes a comment.
pub(crate) fn update(
    _service: &CodeCommit,
    call: &Arc<Call>,
    input: UpdateCommentInput,
) -> Result<Change<UpdateCommentOutput>, Exception> {
    let id = CommentId::parse(input.comment_id)?;
    let content = content(input.content)?;
    let call = Arc::clone(call);
    Ok(Box::new(move |transaction| {
        let mut comment = Found::get_readable(transaction, &call, &id)?.comment;
        if comment.author != call.caller.arn {
            return Err(Exception::CommentNotCreatedByCaller);
        }
        comment.set_content(transaction, &call, Some(content))?;
        Ok(UpdateCommentOutput::builder().comment(comment.to_wire(transaction, &call)?).build())
    }))
}

/// Deletes what a comment says and the reactions to it, whoever wrote it; that there was one stays.
pub(crate) fn delete_content(
    _service: &CodeCommit,
    call: &Arc<Call>,
    input: DeleteCommentContentInput,
) -> Result<Change<DeleteCommentContentOutput>, Exception> {
    let id = CommentId::parse(input.comment_id)?;
    let call = Arc::clone(call);
    Ok(Box::new(move |transaction| {
        let mut comment = Found::get_readable(transaction, &call, &id)?.comment;
        comment.set_content(transaction, &call, None)?;
        reaction::forget(transaction, &comment)?;
        Ok(DeleteCommentContentOutput::builder().comment(comment.to_wire(transaction, &call)?).build())
    }))
}

fn content(text: Option<String>) -> Result<String, Exception> {
    let content = name::required(text, Exception::CommentContentRequired)?;
    let fits = content.chars().count() <= CONTENT_MAX;
    if fits { Ok(content) } else { Err(Exception::CommentContentSizeLimitExceeded { limit: CONTENT_MAX }) }
}

/// A commit that need not be named: an empty id is none.
fn optional_commit_id(id: Option<String>) -> Result<Option<ObjectId>, Exception> {
    id.filter(|id| !id.is_empty()).map(|id| name::commit_id(Some(id))).transpose()
}
