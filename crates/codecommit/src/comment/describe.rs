//! Comments as replies show them.

use std::collections::HashMap;

use aws::Call;
use aws_sdk_codecommit::types;
use store::{Error, Transaction};

use super::reaction;
use super::row::Comment;

/// Returns the wire shape of a comment, with the caller's reaction and the counts of all reactions.
pub(super) fn describe(transaction: &Transaction, call: &Call, comment: &Comment) -> Result<types::Comment, Error> {
    let (of_caller, counts): (Vec<String>, HashMap<String, i32>) = reaction::summary(transaction, call, comment)?;
    Ok(types::Comment::builder()
        .comment_id(comment.id.as_str())
        .set_content(comment.content.clone())
        .set_in_reply_to(comment.in_reply_to.clone())
        .creation_date(comment.created.to_wire())
        .last_modified_date(comment.modified.to_wire())
        .author_arn(&comment.author)
        .deleted(comment.content.is_none())
        .set_client_request_token(comment.client_request_token.clone())
        .set_caller_reactions(Some(of_caller))
        .set_reaction_counts(Some(counts))
        .build())
}
