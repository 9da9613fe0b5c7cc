//! The calls to AWS KMS that CodeCommit makes on AWS for its caller: told by the event that each call leaves.
//!
//! Nothing is encrypted here. AWS documents the actions and that the context is the repository's id, not what is called when.

use aws::{Arn, Call, Caller, Encrypted, Resource};
use serde_json::{Value, json};
use trail::Event;

/// `eventSource` of the events.
const EVENT_SOURCE: &str = "kms.amazonaws.com";

/// What can be asked of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Action {
    Decrypt,
    Encrypt,
    GenerateDataKey,
}

/// Gives the events of the calls to AWS KMS that belong to an event of CodeCommit; failed calls have none.
pub(crate) fn events(call: &Call, event: &Event) -> Vec<Event> {
    if event.source != codecommit::EVENT_SOURCE || event.failure.is_some() {
        return Vec::new();
    }
    let actions = actions(event);
    let encrypted = if actions.is_empty() { Vec::new() } else { call.encrypted() };
    let of_each = |data: &Encrypted| actions.iter().map(|action| action.event(call, data)).collect::<Vec<_>>();
    encrypted.iter().flat_map(of_each).collect()
}

/// What the repositories' keys are asked; what concerns names, rules and comments alone asks nothing.
fn actions(event: &Event) -> &'static [Action] {
    let moved_data = event.additional_event_data["dataTransferred"] == Value::Bool(true);
    match event.name.as_str() {
        "CreateRepository" => &[Action::GenerateDataKey, Action::Encrypt],
        "GitPush" if moved_data => &[Action::Encrypt],
        "GitPull" if moved_data => &[Action::Decrypt],
        "CreateCommit"
        | "CreateUnreferencedMergeCommit"
        | "DeleteFile"
        | "MergeBranchesByFastForward"
        | "MergeBranchesBySquash"
        | "MergeBranchesByThreeWay"
        | "MergePullRequestByFastForward"
        | "MergePullRequestBySquash"
        | "MergePullRequestByThreeWay"
        | "PutFile" => &[Action::Encrypt],
        "BatchDescribeMergeConflicts"
        | "BatchGetCommits"
        | "DescribeMergeConflicts"
        | "GetBlob"
        | "GetBlobDifferences"
        | "GetCommit"
        | "GetCommitHistory"
        | "GetCommitsFromMergeBase"
        | "GetDifferences"
        | "GetFile"
        | "GetFolder"
        | "GetMergeCommit"
        | "GetMergeConflicts"
        | "GetMergeOptions"
        | "GetObjectIdentifier"
        | "GetTree"
        | "ListFileCommitHistory"
        | "UploadArchive" => &[Action::Decrypt],
        _ => &[],
    }
}

impl Action {
    fn event(self, call: &Call, data: &Encrypted) -> Event {
        let mut event = Event::new(format!("{self:?}"), EVENT_SOURCE);
        let context = json!({ "aws:codecommit:id": data.id });
        event.request_parameters = match self {
            Self::Decrypt => json!({ "encryptionAlgorithm": "SYMMETRIC_DEFAULT", "encryptionContext": context }),
            Self::Encrypt => json!({
                "encryptionAlgorithm": "SYMMETRIC_DEFAULT",
                "encryptionContext": context,
                "keyId": data.key,
            }),
            Self::GenerateDataKey => {
                json!({ "encryptionContext": context, "keyId": data.key, "keySpec": "AES_256" })
            }
        };
        let caller = Caller { invoked_by: Some(codecommit::EVENT_SOURCE.to_owned()), ..call.caller.clone() };
        event.caller = Some(caller);
        let account = Arn::parse(&data.key).map_or_else(|| call.account.clone(), |arn| arn.account);
        event.resources = Some(vec![Resource { kind: "AWS::KMS::Key", arn: data.key.clone(), account }]);
        event.request_id = Some(call.new_id());
        event
    }
}
