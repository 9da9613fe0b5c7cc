//! Reactions to comments: one of each caller to each comment; a new one replaces the old.

mod bus_event;

use std::collections::HashMap;
use std::sync::Arc;

use aws::Call;
use aws::json::Deserialize;
use aws_sdk_codecommit::operation::get_comment_reactions::{GetCommentReactionsInput, GetCommentReactionsOutput};
use aws_sdk_codecommit::operation::put_comment_reaction::PutCommentReactionInput;
use aws_sdk_codecommit::types::ReactionForComment;
use store::{Error, Transaction};

use super::reaction_kind::ReactionKind;
use super::row::{Comment, CommentId, LocatedComment};
use crate::page::{Page, Sizes};
use crate::{Change, CodeCommit, Exception, name};

const SIZES: Sizes = Sizes { operation: "GetCommentReactions", default: 1_000, max: 1_000 };

/// Value that removes the caller's reaction, as an empty value does.
const NONE: &str = "none";

/// Decodes the input of [`put_reaction`].
///
/// The SDK's decoder reads a missing value as an empty one, which would remove the reaction.
pub(crate) const READ_PUT_REACTION: Deserialize<PutCommentReactionInput> = |deserializer| {
    let (mut id, mut value) = (String::new(), None);
    deserializer.read_struct(PutCommentReactionInput::SCHEMA, &mut |member, deserializer| {
        match member.member_name() {
            Some("commentId") => id = deserializer.read_string(member)?,
            Some("reactionValue") => value = Some(deserializer.read_string(member)?),
            _ => {}
        }
        Ok(())
    })?;
    let input = PutCommentReactionInput::builder().comment_id(id).set_reaction_value(value).build();
    Ok(input.expect("the builder requires no member"))
};

pub(crate) fn put_reaction(
    _service: &CodeCommit,
    call: &Arc<Call>,
    input: PutCommentReactionInput,
) -> Result<Change<()>, Exception> {
    let id = CommentId::parse(input.comment_id)?;
    let value = input.reaction_value.ok_or(Exception::ReactionValueRequired)?;
    let kind = match value.as_str() {
        "" | NONE => None,
        value => Some(
            ReactionKind::parse(value).ok_or_else(|| Exception::InvalidReactionValue { value: value.to_owned() })?,
        ),
    };
    let call = Arc::clone(call);
    Ok(Box::new(move |transaction| {
        let located = LocatedComment::get_readable(transaction, &call, &id)?;
        let key = [located.comment.number.into(), (&call.caller.arn).into()];
        let old = transaction.query_one(
            "SELECT reaction FROM comment_reactions WHERE comment = ?1 AND user_arn = ?2",
            &key,
            |row| self::kind(&row.text(0)?),
        )?;
        match kind {
            None => transaction.execute("DELETE FROM comment_reactions WHERE comment = ?1 AND user_arn = ?2", &key)?,
            Some(kind) => transaction.execute(
                "INSERT INTO comment_reactions (comment, user_arn, reaction) VALUES (?1, ?2, ?3) \
                 ON CONFLICT (comment, user_arn) DO UPDATE SET reaction = excluded.reaction",
                &[key.as_slice(), &[kind.short_code.into()]].concat(),
            )?,
        };
        Ok(bus_event::emit(transaction, &call, &located, old, kind)?)
    }))
}

/// Lists the reactions to a comment, or the one of a single user; a page may end between the users of one reaction.
pub(crate) fn get_reactions(
    service: &CodeCommit,
    call: &Arc<Call>,
    input: GetCommentReactionsInput,
) -> Result<GetCommentReactionsOutput, Exception> {
    let id = CommentId::parse(input.comment_id)?;
    let user = input.reaction_user_arn.filter(|arn| !arn.is_empty());
    if let Some(arn) = user.clone().filter(|arn| !name::is_arn(arn)) {
        return Err(Exception::InvalidReactionUserArn { arn });
    }
    let scope = [id.as_str(), user.as_deref().unwrap_or_default()];
    let page = Page::parse(SIZES, &service.settings, &scope, input.next_token, input.max_results)?;
    let after = page.after_text()?.unwrap_or_default();
    let (after_reaction, after_user) = after.split_once(' ').unwrap_or_default();
    let mut found = service.store.read(|transaction| {
        let comment = LocatedComment::get_readable(transaction, call, &id)?.comment;
        let of_user = if user.is_some() { "AND user_arn = ?5" } else { "" };
        let values = [comment.number.into(), after_reaction.into(), after_user.into(), page.limit().into()];
        let found = transaction.query(
            &format!(
                "SELECT reaction, user_arn FROM comment_reactions \
                 WHERE comment = ?1 AND (reaction, user_arn) > (?2, ?3) {of_user} ORDER BY reaction, user_arn LIMIT ?4"
            ),
            &[values.as_slice(), user.as_ref().map(store::Value::from).as_slice()].concat(),
            |row| Ok((kind(&row.text(0)?)?, row.text(1)?)),
        )?;
        Ok::<_, Exception>(found)
    })?;
    let next_token = page.cut(&mut found, |(kind, user)| format!("{} {user}", kind.short_code).into_bytes());
    let mut reactions: Vec<(&ReactionKind, Vec<String>)> = Vec::new();
    for (kind, user) in found {
        match reactions.last_mut().filter(|(last, _)| *last == kind) {
            Some((_, users)) => users.push(user),
            None => reactions.push((kind, vec![user])),
        }
    }
    let reactions = reactions.into_iter().map(|(kind, users)| {
        let reaction = ReactionForComment::builder().reaction(kind.to_wire()).set_reaction_users(Some(users));
        reaction.reactions_from_deleted_users_count(0).build()
    });
    let output = GetCommentReactionsOutput::builder()
        .set_reactions_for_comment(Some(reactions.collect()))
        .set_next_token(next_token)
        .build();
    Ok(output.expect("the list is set"))
}

/// Returns the caller's reaction to a comment, and the number of users for each reaction.
pub(super) fn summary(
    transaction: &Transaction,
    call: &Call,
    comment: &Comment,
) -> Result<(Vec<String>, HashMap<String, i32>), Error> {
    let counts = transaction.query(
        "SELECT reaction, COUNT(*) FROM comment_reactions WHERE comment = ?1 GROUP BY reaction",
        &[comment.number.into()],
        |row| Ok((kind(&row.text(0)?)?.count_name(), i32::try_from(row.integer(1)?).unwrap_or(i32::MAX))),
    )?;
    let of_caller = transaction.query(
        "SELECT reaction FROM comment_reactions WHERE comment = ?1 AND user_arn = ?2",
        &[comment.number.into(), (&call.caller.arn).into()],
        |row| Ok(kind(&row.text(0)?)?.count_name()),
    )?;
    Ok((of_caller, counts.into_iter().collect()))
}

/// Deletes all reactions to a comment.
pub(super) fn delete_all(transaction: &Transaction, comment: &Comment) -> Result<(), Error> {
    transaction.execute("DELETE FROM comment_reactions WHERE comment = ?1", &[comment.number.into()])?;
    Ok(())
}

fn kind(short_code: &str) -> Result<&'static ReactionKind, Error> {
    ReactionKind::from_short_code(short_code).ok_or(Error::Damaged("a reaction"))
}
