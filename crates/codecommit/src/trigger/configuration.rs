//! Triggers of a repository: their validation and storage.

use aws::{Arn, Call};
use aws_sdk_codecommit::types::{RepositoryTrigger, RepositoryTriggerEventEnum};
use serde::{Deserialize, Serialize};
use store::{Error, Transaction};

use crate::Exception;
use crate::name::{BranchName, required};

/// Maximum number of triggers of a repository.
const TRIGGERS_MAX: usize = 10;

/// Maximum number of branches of a trigger.
const BRANCHES_MAX: usize = 10;

/// Maximum length of a trigger's name, in characters.
const NAME_MAX: usize = 100;

/// Maximum length of a trigger's custom data, in characters.
const CUSTOM_DATA_MAX: usize = 1_000;

/// All triggers of a repository, which are replaced together.
pub(super) struct Configuration {
    /// New with every replacement.
    pub(super) id: String,
    pub(super) triggers: Vec<Trigger>,
}

/// One trigger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Trigger {
    pub(super) name: String,
    /// ARN of an SNS topic or a Lambda function.
    pub(super) destination: String,
    pub(super) custom_data: Option<String>,
    /// Short names; an empty list stands for all references.
    branches: Vec<String>,
    /// Names of events as on the wire.
    events: Vec<String>,
}

impl Configuration {
    pub(super) fn find(transaction: &Transaction, repository_id: &str) -> Result<Option<Self>, Error> {
        transaction.query_one(
            "SELECT id, triggers FROM trigger_configurations WHERE repository_id = ?1",
            &[repository_id.into()],
            |row| {
                let triggers = serde_json::from_str(&row.text(1)?).map_err(|_| Error::Damaged("triggers"))?;
                Ok(Self { id: row.text(0)?, triggers })
            },
        )
    }

    pub(super) fn save(&self, transaction: &Transaction, repository_id: &str) -> Result<(), Error> {
        let triggers = serde_json::to_string(&self.triggers).expect("lists of strings always encode as JSON");
        transaction.execute(
            "INSERT INTO trigger_configurations (repository_id, id, triggers) VALUES (?1, ?2, ?3) \
             ON CONFLICT (repository_id) DO UPDATE SET id = excluded.id, triggers = excluded.triggers",
            &[repository_id.into(), (&self.id).into(), (&triggers).into()],
        )?;
        Ok(())
    }
}

impl Trigger {
    pub(super) fn parse_all(triggers: Vec<RepositoryTrigger>, call: &Call) -> Result<Vec<Self>, Exception> {
        if triggers.len() > TRIGGERS_MAX {
            return Err(Exception::MaximumRepositoryTriggersExceeded { limit: TRIGGERS_MAX });
        }
        let mut parsed: Vec<Self> = Vec::new();
        for trigger in triggers {
            let trigger = Self::parse(trigger, call)?;
            if parsed.iter().any(|other| other.name == trigger.name) {
                return Err(Exception::InvalidRepositoryTriggerName { name: trigger.name });
            }
            parsed.push(trigger);
        }
        Ok(parsed)
    }

    fn parse(trigger: RepositoryTrigger, call: &Call) -> Result<Self, Exception> {
        let name = required(Some(trigger.name), Exception::RepositoryTriggerNameRequired)?;
        let forbidden = |letter: char| letter.is_whitespace() || letter.is_control() || letter == ',';
        if name.chars().count() > NAME_MAX || name.contains(forbidden) {
            return Err(Exception::InvalidRepositoryTriggerName { name });
        }
        let destination = destination(trigger.destination_arn, call)?;
        if trigger.custom_data.as_ref().is_some_and(|data| data.chars().count() > CUSTOM_DATA_MAX) {
            return Err(Exception::InvalidRepositoryTriggerCustomData { limit: CUSTOM_DATA_MAX });
        }
        let branches = branches(trigger.branches)?;
        let events = events(&trigger.events)?;
        let custom_data = trigger.custom_data.filter(|data| !data.is_empty());
        Ok(Self { name, destination, custom_data, branches, events })
    }

    pub(super) fn into_wire(self) -> RepositoryTrigger {
        let events = self.events.iter().map(|event| event.as_str().into()).collect();
        RepositoryTrigger::builder()
            .name(self.name)
            .destination_arn(self.destination)
            .set_custom_data(self.custom_data)
            .set_branches(Some(self.branches))
            .set_events(Some(events))
            .build()
            .expect("the name, the destination and the events are set")
    }

    /// Returns the full names of the branches.
    pub(super) fn references(&self) -> impl Iterator<Item = String> {
        self.branches.iter().map(|branch| format!("refs/heads/{branch}"))
    }

    /// Returns whether an event of a reference fires the trigger.
    pub(super) fn matches(&self, reference: &str, event: &RepositoryTriggerEventEnum) -> bool {
        let names = [RepositoryTriggerEventEnum::All.as_str(), event.as_str()];
        let is_selected = self.branches.is_empty() || self.references().any(|name| name == reference);
        is_selected && self.events.iter().any(|name| names.contains(&name.as_str()))
    }
}

/// Checks the ARN of a destination: a standard SNS topic or a Lambda function of the call's region, in any account.
///
/// FIFO topics are refused, as the dot in their names is.
fn destination(arn: String, call: &Call) -> Result<String, Exception> {
    let text = required(Some(arn), Exception::RepositoryTriggerDestinationArnRequired)?;
    let is_word = |name: &str| {
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_$".contains(&byte))
    };
    let is_supported = |arn: &Arn| match arn.service.as_str() {
        "sns" => is_word(&arn.resource),
        "lambda" => match arn.resource.split(':').collect::<Vec<_>>()[..] {
            ["function", name] => is_word(name),
            ["function", name, qualifier] => is_word(name) && is_word(qualifier),
            _ => false,
        },
        _ => false,
    };
    match Arn::parse(&text).filter(is_supported) {
        None => Err(Exception::InvalidRepositoryTriggerDestinationArn { arn: text }),
        Some(arn) if arn.region != call.region => Err(Exception::InvalidRepositoryTriggerRegion { arn: text }),
        Some(_) => Ok(text),
    }
}

/// Checks names of branches, which need not exist. An empty list stands for all references; a missing one is refused.
fn branches(names: Option<Vec<String>>) -> Result<Vec<String>, Exception> {
    let names = names.ok_or(Exception::RepositoryTriggerBranchNameListRequired)?;
    if names.len() > BRANCHES_MAX {
        return Err(Exception::MaximumBranchesExceeded { limit: BRANCHES_MAX });
    }
    for name in &names {
        BranchName::parse(Some(name.clone()))
            .map_err(|_| Exception::InvalidRepositoryTriggerBranchName { name: name.clone() })?;
    }
    Ok(names)
}

fn events(events: &[RepositoryTriggerEventEnum]) -> Result<Vec<String>, Exception> {
    if events.is_empty() {
        return Err(Exception::InvalidRepositoryTriggerEvents {
            reason: "Repository trigger events list cannot be empty",
        });
    }
    for event in events {
        match event {
            event if event.as_str().is_empty() => return Err(Exception::RepositoryTriggerEventsListRequired),
            RepositoryTriggerEventEnum::All if events.len() > 1 => {
                let reason = "The list of events is not valid. The event all cannot be combined with others.";
                return Err(Exception::InvalidRepositoryTriggerEvents { reason });
            }
            RepositoryTriggerEventEnum::All
            | RepositoryTriggerEventEnum::CreateReference
            | RepositoryTriggerEventEnum::DeleteReference
            | RepositoryTriggerEventEnum::UpdateReference => {}
            _ => {
                let reason = "The list of events is not valid. Valid values are all, createReference, deleteReference, and updateReference.";
                return Err(Exception::InvalidRepositoryTriggerEvents { reason });
            }
        }
    }
    Ok(events.iter().map(|event| event.as_str().to_owned()).collect())
}
