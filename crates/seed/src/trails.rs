//! Trails of a seed.

use serde_json::{Value, json};

use crate::document::TrailEntry;
use crate::repository::EntryDefaults;
use crate::runner::Runner;
use crate::{Error, Location};

/// Creates a trail, and starts its logging.
pub(crate) fn create(
    runner: &Runner<'_>,
    entry: &TrailEntry,
    location: &Location,
    defaults: EntryDefaults<'_>,
) -> Result<(), Error> {
    let (file, name) = (defaults.file, entry.name.get_ref());
    let circumstances = defaults.circumstances(location, entry.author.as_deref(), entry.created, name);
    let fault = |reason: String| file.fault(entry.name.span(), format!("trail '{name}': {reason}"));
    let created = runner.services.trail.create_default_trail(&location.account, circumstances.time);
    created.map_err(|error| fault(error.to_string()))?;
    runner.cloudtrail(&circumstances, "CreateTrail", &trail_input(entry)).map_err(fault)?;
    let selectors = [
        ("EventSelectors", "event-selectors", &entry.event_selectors),
        ("AdvancedEventSelectors", "advanced-event-selectors", &entry.advanced_event_selectors),
    ];
    for (member, key, text) in selectors {
        let Some(text) = text else { continue };
        let selectors: Value =
            serde_json::from_str(text).map_err(|error| fault(format!("{key} is no JSON: {error}")))?;
        let input = json!({ "TrailName": name, member: selectors });
        runner.cloudtrail(&circumstances, "PutEventSelectors", &input).map_err(fault)?;
    }
    if entry.logging.unwrap_or(true) {
        runner.cloudtrail(&circumstances, "StartLogging", &json!({ "Name": name })).map_err(fault)?;
    }
    Ok(())
}

fn trail_input(entry: &TrailEntry) -> Value {
    let mut input = json!({
        "Name": entry.name.get_ref(),
        "S3BucketName": entry.bucket,
        "IsMultiRegionTrail": entry.multi_region,
        "EnableLogFileValidation": entry.validation,
    });
    if let Some(includes) = entry.global_service_events {
        input["IncludeGlobalServiceEvents"] = includes.into();
    }
    for (member, text) in [("S3KeyPrefix", &entry.prefix), ("SnsTopicName", &entry.topic)] {
        if let Some(text) = text {
            input[member] = text.as_str().into();
        }
    }
    if !entry.tags.is_empty() {
        let tags = entry.tags.iter().map(|(key, value)| json!({ "Key": key, "Value": value }));
        input["TagsList"] = tags.collect();
    }
    input
}
