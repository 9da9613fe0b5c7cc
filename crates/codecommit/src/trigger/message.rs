//! Messages of triggers: one record with all changes that a push or call made to the references of a trigger.

use aws::Call;
use aws_sdk_codecommit::types::RepositoryTriggerEventEnum;
use serde::Serialize;

use super::configuration::Trigger;
use super::delivery::Delivery;
use crate::repository::Repository;

/// Maximum length of a subject in SNS, in characters.
const SUBJECT_MAX: usize = 100;

/// Change of one reference, with its members in AWS's order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct RefChange {
    /// New target of the reference; the old one if it was deleted.
    commit: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    created: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    deleted: Option<bool>,
    #[serde(rename = "ref")]
    pub(super) reference: String,
    #[serde(skip)]
    pub(super) event: RepositoryTriggerEventEnum,
}

impl RefChange {
    pub(super) fn new(commit: String, reference: String, event: RepositoryTriggerEventEnum) -> Self {
        let is = |kind: RepositoryTriggerEventEnum| (event == kind).then_some(true);
        let created = is(RepositoryTriggerEventEnum::CreateReference);
        let deleted = is(RepositoryTriggerEventEnum::DeleteReference);
        Self { commit, created, deleted, reference, event }
    }

    /// Creates an example for a test message.
    pub(super) fn example(commit: String, reference: String) -> Self {
        Self::new(commit, reference, RepositoryTriggerEventEnum::UpdateReference)
    }
}

/// Contents of a message.
pub(super) struct Message<'a> {
    pub(super) call: &'a Call,
    pub(super) repository: &'a Repository,
    pub(super) configuration_id: &'a str,
    pub(super) trigger: &'a Trigger,
    pub(super) changes: Vec<RefChange>,
}

impl Message<'_> {
    pub(super) fn about_changes(self) -> Delivery {
        self.encode("ReferenceChanges")
    }

    pub(super) fn test(self) -> Delivery {
        self.encode("TriggerEventTest")
    }

    fn encode(self, event_name: &'static str) -> Delivery {
        let Self { call, repository, configuration_id, trigger, changes } = self;
        let record = Record {
            aws_region: call.region.as_str(),
            codecommit: References { references: changes },
            custom_data: trigger.custom_data.as_deref(),
            event_id: call.new_id(),
            event_name,
            event_part_number: 1,
            event_source: "aws:codecommit",
            event_source_arn: repository.arn().to_string(),
            event_time: call.time.offset(),
            event_total_parts: 1,
            event_trigger_config_id: configuration_id,
            event_trigger_name: &trigger.name,
            event_version: "1.0",
            user_identity_arn: &call.caller.arn,
        };
        let records = Records { records: [record] };
        let subject = format!("UPDATE: AWS CodeCommit {} push: {}", call.region, repository.name);
        Delivery {
            id: 0,
            repository: repository.name.clone(),
            trigger: trigger.name.clone(),
            destination: trigger.destination.clone(),
            subject: subject.chars().take(SUBJECT_MAX).collect(),
            message: serde_json::to_string(&records).expect("strings and numbers always encode as JSON"),
            attempts: 0,
        }
    }
}

#[derive(Serialize)]
struct Records<'a> {
    #[serde(rename = "Records")]
    records: [Record<'a>; 1],
}

/// Record of a message, with its members in the order of AWS's messages.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Record<'a> {
    aws_region: &'a str,
    codecommit: References,
    custom_data: Option<&'a str>,
    event_id: String,
    event_name: &'static str,
    event_part_number: u32,
    event_source: &'static str,
    #[serde(rename = "eventSourceARN")]
    event_source_arn: String,
    event_time: String,
    event_total_parts: u32,
    event_trigger_config_id: &'a str,
    event_trigger_name: &'a str,
    event_version: &'static str,
    #[serde(rename = "userIdentityARN")]
    user_identity_arn: &'a str,
}

#[derive(Serialize)]
struct References {
    references: Vec<RefChange>,
}
