//! Events of the calls to AWS KMS that a service makes for its caller.
//!
//! Nothing is encrypted here; operations and Git requests name the calls that AWS would make.

use aws::{Arn, Call, Caller, Encrypted, KmsAction, Resource};
use serde_json::json;

use crate::Event;

/// `eventSource` of the records.
const EVENT_SOURCE: &str = "kms.amazonaws.com";

/// Returns the events of the calls to AWS KMS that belong to an event; a failed call makes none.
pub(crate) fn events(call: &Call, event: &Event) -> Vec<Event> {
    if event.failure.is_some() || event.kms_actions.is_empty() {
        return Vec::new();
    }
    let of_each = |data: &Encrypted| {
        event.kms_actions.iter().map(|action| of(*action, call, event.source, data)).collect::<Vec<_>>()
    };
    call.encrypted().iter().flat_map(of_each).collect()
}

/// Creates the event of one call to AWS KMS by the service `source`.
fn of(action: KmsAction, call: &Call, source: &str, data: &Encrypted) -> Event {
    let mut event = Event::new(action.name(), EVENT_SOURCE);
    let context = json!({ data.context: data.id });
    event.request_parameters = match action {
        KmsAction::Decrypt => json!({ "encryptionAlgorithm": "SYMMETRIC_DEFAULT", "encryptionContext": context }),
        KmsAction::Encrypt => json!({
            "encryptionAlgorithm": "SYMMETRIC_DEFAULT",
            "encryptionContext": context,
            "keyId": data.key,
        }),
        KmsAction::GenerateDataKey => {
            json!({ "encryptionContext": context, "keyId": data.key, "keySpec": "AES_256" })
        }
    };
    event.caller = Some(Caller { invoked_by: Some(source.to_owned()), ..call.caller.clone() });
    let account = Arn::parse(&data.key).map_or_else(|| call.account.clone(), |arn| arn.account);
    event.resources = Some(vec![Resource { kind: "AWS::KMS::Key", arn: data.key.clone(), account }]);
    event.request_id = Some(call.new_id());
    event
}
