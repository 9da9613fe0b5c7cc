//! Events of the type `CodeCommit Comment Reaction Change`, in the form of the guide's examples.

use aws::Call;
use serde::Serialize;
use store::{Error, Transaction};

use crate::comment::reaction_kind::ReactionKind;
use crate::comment::row::LocatedComment;
use crate::event_bridge;

const DETAIL_TYPE: &str = "CodeCommit Comment Reaction Change";

/// The detail, with its members in AWS's order; the lists are empty if the reaction was removed.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Detail<'a> {
    caller_user_arn: &'a str,
    comment_id: &'a str,
    event: &'static str,
    notification_body: String,
    reaction_emojis: Vec<String>,
    reaction_shortcodes: Vec<String>,
    reaction_unicodes: Vec<String>,
    repository_id: &'a str,
    repository_name: &'a str,
}

/// Emits the event of a caller's new reaction, if it differs from the old one; `None` stands for no reaction.
pub(super) fn emit(
    transaction: &Transaction,
    call: &Call,
    located: &LocatedComment,
    old: Option<&ReactionKind>,
    new: Option<&ReactionKind>,
) -> Result<(), Error> {
    if old == new {
        return Ok(());
    }
    let wire = new.map(ReactionKind::to_wire);
    let emoji = wire.as_ref().and_then(|wire| wire.emoji.clone()).unwrap_or_default();
    let code = wire.as_ref().and_then(|wire| wire.short_code.as_ref()).map(|code| format!(":{code}:"));
    let (event, action) = match (old, &code) {
        (None, _) => ("commentReactionCreated", format!("made a comment reaction {emoji} to")),
        (Some(_), Some(code)) => ("commentReactionUpdated", format!("updated a reaction {code} to")),
        (Some(_), None) => ("commentReactionUpdated", "removed a reaction from".to_owned()),
    };
    let LocatedComment { comment, repository, .. } = located;
    let (arn, name, id) = (&call.caller.arn, &repository.name, comment.id.as_str());
    let detail = Detail {
        caller_user_arn: arn,
        comment_id: id,
        event,
        notification_body: format!(
            "A comment reaction event occurred in the following AWS CodeCommit Repository: {name}. \
             The user: {arn} {action} the comment with comment ID: {id}"
        ),
        reaction_emojis: wire.iter().filter_map(|wire| wire.emoji.clone()).collect(),
        reaction_shortcodes: code.into_iter().collect(),
        reaction_unicodes: wire.iter().filter_map(|wire| wire.unicode.clone()).collect(),
        repository_id: &repository.id,
        repository_name: name,
    };
    event_bridge::emit(transaction, call, DETAIL_TYPE, &[repository.arn().to_string()], [detail])
}
