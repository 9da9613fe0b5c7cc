//! Triggers: messages to SNS topics and Lambda functions about changes of references.

mod configuration;
pub mod delivery;
mod fire;
mod message;

use std::sync::Arc;
use std::thread;

use aws::Call;
use aws::json::Deserialize;
use aws_sdk_codecommit::operation::get_repository_triggers::{GetRepositoryTriggersInput, GetRepositoryTriggersOutput};
use aws_sdk_codecommit::operation::put_repository_triggers::{PutRepositoryTriggersInput, PutRepositoryTriggersOutput};
use aws_sdk_codecommit::operation::test_repository_triggers::{
    TestRepositoryTriggersInput, TestRepositoryTriggersOutput,
};
use aws_sdk_codecommit::types::{RepositoryTrigger, RepositoryTriggerExecutionFailure};
use git::References;

use crate::name::RepositoryName;
use crate::repository::get_row;
use crate::{Change, CodeCommit, Exception};

use configuration::{Configuration, Trigger};
pub(crate) use fire::fire;
use message::{Message, RefChange};

/// Decodes the input of [`put`].
///
/// The SDK's decoder reads a missing list as an empty one, which would remove all triggers.
pub(crate) const READ_PUT: Deserialize<PutRepositoryTriggersInput> = |deserializer| {
    let (mut name, mut triggers) = (String::new(), None);
    deserializer.read_struct(PutRepositoryTriggersInput::SCHEMA, &mut |member, deserializer| {
        match member.member_name() {
            Some("repositoryName") => name = deserializer.read_string(member)?,
            Some("triggers") => {
                let mut list = Vec::new();
                deserializer.read_list(member, &mut |deserializer| {
                    list.push(RepositoryTrigger::deserialize(deserializer)?);
                    Ok(())
                })?;
                triggers = Some(list);
            }
            _ => {}
        }
        Ok(())
    })?;
    let input = PutRepositoryTriggersInput::builder().repository_name(name).set_triggers(triggers).build();
    Ok(input.expect("the builder requires no member"))
};

/// Replaces all triggers of a repository; an empty list removes them.
pub(crate) fn put(
    service: &CodeCommit,
    call: &Arc<Call>,
    input: PutRepositoryTriggersInput,
) -> Result<Change<PutRepositoryTriggersOutput>, Exception> {
    let name = RepositoryName::parse(input.repository_name)?;
    let triggers = Trigger::parse_all(input.triggers.ok_or(Exception::RepositoryTriggersListRequired)?, call)?;
    service.find(call, &name)?;
    let call = Arc::clone(call);
    Ok(Box::new(move |transaction| {
        let repository = get_row(transaction, &call, &name)?;
        let configuration = Configuration { id: call.new_id(), triggers };
        configuration.save(transaction, &repository.id)?;
        Ok(PutRepositoryTriggersOutput::builder().configuration_id(configuration.id).build())
    }))
}

/// Returns the triggers; a repository that never had any has no configuration id.
pub(crate) fn get(
    service: &CodeCommit,
    call: &Arc<Call>,
    input: GetRepositoryTriggersInput,
) -> Result<GetRepositoryTriggersOutput, Exception> {
    let name = RepositoryName::parse(input.repository_name)?;
    let repository = service.find(call, &name)?;
    let configuration = service.store.read(|transaction| Configuration::find(transaction, &repository.id))?;
    let (id, triggers) = configuration.map_or_else(Default::default, |found| (Some(found.id), found.triggers));
    let triggers = triggers.into_iter().map(Trigger::into_wire).collect();
    Ok(GetRepositoryTriggersOutput::builder().set_configuration_id(id).set_triggers(Some(triggers)).build())
}

/// Delivers a test message of each trigger at once and returns the outcomes; nothing is stored.
pub(crate) fn test(
    service: &CodeCommit,
    call: &Arc<Call>,
    input: TestRepositoryTriggersInput,
) -> Result<Change<TestRepositoryTriggersOutput>, Exception> {
    let name = RepositoryName::parse(input.repository_name)?;
    let triggers = Trigger::parse_all(input.triggers.unwrap_or_default(), call)?;
    if triggers.is_empty() {
        return Err(Exception::RepositoryTriggersListRequired);
    }
    let repository = service.find(call, &name)?;
    let references = service.references(&repository)?;
    let configuration_id = call.new_id();
    let deliveries: Vec<_> = triggers
        .iter()
        .map(|trigger| {
            let changes = examples(trigger, &references);
            Message { call, repository: &repository, configuration_id: &configuration_id, trigger, changes }.test()
        })
        .collect();
    let outcomes: Vec<Result<(), String>> = thread::scope(|scope| {
        let deliver = |delivery| scope.spawn(move || service.trigger_sender.deliver(delivery));
        let running: Vec<_> = deliveries.iter().map(deliver).collect();
        let aborted = || Err("The delivery was aborted by an internal error.".to_owned());
        running.into_iter().map(|thread| thread.join().unwrap_or_else(|_| aborted())).collect()
    });
    let (mut successful, mut failed) = (Vec::new(), Vec::new());
    for (trigger, outcome) in triggers.into_iter().zip(outcomes) {
        match outcome {
            Ok(()) => successful.push(trigger.name),
            Err(message) => {
                let failure = RepositoryTriggerExecutionFailure::builder();
                failed.push(failure.trigger(trigger.name).failure_message(message).build());
            }
        }
    }
    let output = TestRepositoryTriggersOutput::builder()
        .set_successful_executions(Some(successful))
        .set_failed_executions(Some(failed));
    Ok(Box::new(move |_transaction| Ok(output.build())))
}

/// Returns example changes for a test message: the trigger's branches, else the default branch, with their tips.
///
/// The id of a missing branch's tip is all zeros.
fn examples(trigger: &Trigger, references: &References) -> Vec<RefChange> {
    let mut names: Vec<String> = trigger.references().collect();
    if names.is_empty() {
        names.push(references.head.as_ref().map_or_else(|| "refs/heads/main".to_owned(), ToString::to_string));
    }
    let commit = |name: &str| {
        let found = references.find(name.as_bytes()).map(|reference| reference.target.to_string());
        found.unwrap_or_else(|| "0".repeat(40))
    };
    names.into_iter().map(|name| RefChange::example(commit(&name), name)).collect()
}
