//! Comments on compared commits and pull requests: get, update, delete.

mod bus_event;
mod describe;
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
use bus_event::CommentChange;
use describe::describe;
use row::{CommentId, LocatedComment};

/// Maximum length of a comment, in characters.
const CONTENT_MAX: usize = 10_240;

/// Returns a comment. A deleted one is an error here; only the listings show it.
pub(crate) fn get(
    service: &CodeCommit,
    call: &Arc<Call>,
    input: GetCommentInput,
) -> Result<GetCommentOutput, Exception> {
    let id = CommentId::parse(input.comment_id)?;
    let (comment, kms_key_id) = service.store.read(|transaction| {
        let LocatedComment { comment, repository, .. } = LocatedComment::get_readable(transaction, call, &id)?;
        Ok::<_, Exception>((describe(transaction, call, &comment)?, repository.kms_key_id))
    })?;
    service.settings.simulate.check_key(call, &kms_key_id)?;
    Ok(GetCommentOutput::builder().comment(comment).build())
}

/// Changes the content of a comment; only its author may do so.
pub(crate) fn update(
    _service: &CodeCommit,
    call: &Arc<Call>,
    input: UpdateCommentInput,
) -> Result<Change<UpdateCommentOutput>, Exception> {
    let id = CommentId::parse(input.comment_id)?;
    let content = content(input.content)?;
    let call = Arc::clone(call);
    Ok(Box::new(move |transaction| {
        let LocatedComment { mut comment, pull_request, .. } = LocatedComment::get_readable(transaction, &call, &id)?;
        if comment.author != call.caller.arn {
            return Err(Exception::CommentNotCreatedByCaller);
        }
        comment.set_content(transaction, &call, Some(content))?;
        bus_event::emit(transaction, &call, &comment, pull_request, CommentChange::Updated)?;
        Ok(UpdateCommentOutput::builder().comment(describe(transaction, &call, &comment)?).build())
    }))
}

/// Deletes the content of a comment and its reactions; every caller may do so. The comment itself stays.
pub(crate) fn delete_content(
    _service: &CodeCommit,
    call: &Arc<Call>,
    input: DeleteCommentContentInput,
) -> Result<Change<DeleteCommentContentOutput>, Exception> {
    let id = CommentId::parse(input.comment_id)?;
    let call = Arc::clone(call);
    Ok(Box::new(move |transaction| {
        let LocatedComment { mut comment, pull_request, .. } = LocatedComment::get_readable(transaction, &call, &id)?;
        comment.set_content(transaction, &call, None)?;
        reaction::delete_all(transaction, &comment)?;
        bus_event::emit(transaction, &call, &comment, pull_request, CommentChange::Updated)?;
        Ok(DeleteCommentContentOutput::builder().comment(describe(transaction, &call, &comment)?).build())
    }))
}

/// Parses the content of a comment; U+0000 is removed, as from messages of commits, since no exception is about it.
fn content(text: Option<String>) -> Result<String, Exception> {
    let text = text.map(|text| text.replace('\0', ""));
    let content = name::required(text, Exception::CommentContentRequired)?;
    let fits = content.chars().count() <= CONTENT_MAX;
    if fits { Ok(content) } else { Err(Exception::CommentContentSizeLimitExceeded { limit: CONTENT_MAX }) }
}

/// Parses an optional commit id; an empty one counts as missing.
fn optional_commit_id(id: Option<String>) -> Result<Option<ObjectId>, Exception> {
    id.filter(|id| !id.is_empty()).map(|id| name::commit_id(Some(id))).transpose()
}
