//! The context keys of a simulation.

use aws::GlobalArn;
use policy::Context;
use serde::{Deserialize, Serialize};

use crate::Exception;
use crate::iam::IamError;
use crate::iam::call::IamCall;
use crate::iam::entity::Entity;
use crate::iam::input::one_of;
use crate::sts::input::required;
use crate::tables::HolderKind;

/// The types of context keys; those of lists have several values.
const TYPES: [&str; 11] = [
    "string",
    "stringList",
    "numeric",
    "numericList",
    "boolean",
    "booleanList",
    "ip",
    "ipList",
    "binary",
    "date",
    "dateList",
];

/// A context key of an input.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub(super) struct ContextEntry {
    #[serde(rename = "ContextKeyName")]
    name: String,
    #[serde(rename = "ContextKeyValues")]
    values: Vec<String>,
    #[serde(rename = "ContextKeyType")]
    kind: String,
}

/// Returns the values of context keys: those of the input, and else those of the user or role, the caller and the time.
pub(super) fn facts(
    iam: &IamCall<'_>,
    principal: Option<&Entity>,
    caller_arn: Option<&str>,
    entries: &[ContextEntry],
) -> Result<Context, Exception> {
    let mut facts = Context::default();
    facts.set("aws:CurrentTime", iam.call.time.iso());
    facts.set("aws:EpochTime", (iam.call.time.millis() / 1000).to_string());
    if let Some(entity) = principal {
        add_principal(&mut facts, iam, entity);
    }
    if let Some(arn) = caller_arn {
        let parsed = GlobalArn::parse(arn).filter(|parsed| parsed.service == "iam");
        let parsed = parsed.ok_or_else(|| IamError::invalid_input(format!("CallerArn {arn} is not valid.")))?;
        facts.set("aws:PrincipalArn", arn);
        if let Some(name) = parsed.resource.strip_prefix("user/").and_then(|path| path.rsplit('/').next()) {
            facts.set("aws:username", name);
        }
    }
    for entry in entries {
        required("contextEntries.member.contextKeyName", &entry.name)?;
        one_of("contextEntries.member.contextKeyType", &entry.kind, &TYPES)?;
        match entry.values.as_slice() {
            [value] if !entry.kind.ends_with("List") => {
                facts.set(&entry.name, value.as_str());
            }
            values => {
                facts.set_many(&entry.name, values.iter().map(String::as_str));
            }
        }
    }
    Ok(facts)
}

fn add_principal(facts: &mut Context, iam: &IamCall<'_>, entity: &Entity) {
    facts.set("aws:PrincipalArn", entity.arn(iam));
    facts.set("aws:PrincipalAccount", iam.account().as_str());
    for (key, value) in &entity.tags {
        facts.set(&format!("aws:PrincipalTag/{key}"), value.as_str());
    }
    match entity.kind {
        HolderKind::User => {
            facts.set("aws:username", entity.name.as_str());
            facts.set("aws:userid", entity.id.as_str());
            facts.set("aws:PrincipalType", "User");
        }
        HolderKind::Role => {
            facts.set("aws:PrincipalType", "AssumedRole");
        }
        HolderKind::Group => {}
    }
}
