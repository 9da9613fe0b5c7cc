//! Switching to a role, and back.

use std::sync::Arc;

use askama::Template;
use aws::Failure;
use http::StatusCode;
use identity::Access;
use identity::console::{KnownKind, RoleName};
use serde_json::json;
use trail::Event;
use trail::sign_in::{exit_role, switch_role};

use crate::form::Form;
use crate::frame::{Frame, Section};
use crate::sign_in::{absolute, cannot};
use crate::visit::{self, Page, Visit};
use crate::{reply, url};

/// Identities among which roles are looked for.
const KNOWN_MAX: u32 = 1_000;

#[derive(Template)]
#[template(path = "switch_role.html")]
struct SwitchRolePage<'p> {
    frame: Frame,
    /// Why the last attempt failed.
    failure: Option<Failure>,
    account: &'p str,
    role_name: &'p str,
    display_name: &'p str,
    /// The roles that open access shows: names with their paths, accounts, and links that fill the form.
    known: Vec<KnownRole>,
}

struct KnownRole {
    name: String,
    account: String,
    url: String,
}

/// Shows the form; the parameters are those of AWS's links.
pub(crate) fn show(visit: &Visit<'_>) -> Page {
    write(visit, &visit.query, None)
}

/// Assumes the role of the form.
pub(crate) fn submit(visit: &Visit<'_>) -> Page {
    let form = &visit.form;
    let Ok(account) = form.get("account").parse() else {
        let message = "Enter the account of the role: 12 digits.";
        return write(visit, form, Some(Failure::client("ValidationError", message)));
    };
    let role = RoleName {
        account,
        name: form.get("roleName").to_owned(),
        display_name: form.get("displayName").chars().take(64).collect(),
    };
    match switch(visit, role) {
        Ok(name) => Ok(reply::done(&url::page("repositories"), &format!("You have switched to the role {name}."))),
        Err(failure) => write(visit, form, Some(failure)),
    }
}

/// Leaves the role.
pub(crate) fn exit(visit: &Visit<'_>) -> Page {
    let to = url::page("repositories");
    let session = visit.reader.session.clone();
    if session.role.is_none() {
        return Ok(reply::redirect(&to));
    }
    let call = Arc::new(visit.begin()?);
    call.mark_decided();
    let event = exit_role(&call.caller, &absolute(visit.services, visit.request, &to));
    let left = visit.services.trail.transact(call, move |transaction| {
        let left = session.exit_role(transaction);
        let failure = left.is_err().then(Failure::internal);
        (left, Event { failure, ..event })
    })?;
    left.map_err(|error| cannot("leave a role", &error))?;
    Ok(reply::done(&to, "You have left the role."))
}

/// Assumes a role as the identity that signed in, with the record, and returns the name of the role.
fn switch(visit: &Visit<'_>, role: RoleName) -> Result<String, Failure> {
    let (services, session) = (visit.services, &visit.reader.session);
    let call = Arc::new((services.begin)(session.signed_in.clone(), visit.region.clone())?);
    let name = role.name.clone();
    let redirect_to = absolute(services, visit.request, &url::page("repositories"));
    let from = visit.reader.caller.clone().in_partition(visit.region.partition());
    let signed_in = call.caller.clone();
    let switch = services.sts.switch_role(&call, session, role);
    call.mark_decided();
    let result = services.trail.transact(call, move |transaction| {
        let switched = switch.and_then(|switch| transaction.savepoint(|| switch.store(transaction)));
        match switched.map_err(Failure::from) {
            Ok(caller) => (Ok(()), switch_role(&caller, &from.arn, &redirect_to)),
            Err(failure) => {
                let event = Event {
                    failure: Some(failure.clone()),
                    response_elements: json!({ "SwitchRole": "Failure" }),
                    ..switch_role(&signed_in, &from.arn, &redirect_to)
                };
                (Err(failure), event)
            }
        }
    })?;
    result.map(|()| name)
}

fn write(visit: &Visit<'_>, fields: &Form, failure: Option<Failure>) -> Page {
    let is_open = visit.services.access == Access::Open;
    let known = if is_open { visit.services.sts.known_identities(KNOWN_MAX) } else { Ok(Vec::new()) };
    let known = known.map_err(|error| cannot("list the roles", &error))?;
    let known = known.into_iter().filter(|known| known.kind == KnownKind::Role).map(|known| {
        let name = known.arn.split_once(":role/").map_or(known.name.as_str(), |(_, name)| name).to_owned();
        let account = known.account.to_string();
        let url = url::with(&url::page("switch-role"), &[("account", &account), ("roleName", &name)]);
        KnownRole { name, account, url }
    });
    let status = failure.as_ref().map_or(200, visit::status);
    let page = SwitchRolePage {
        frame: visit.frame("Switch role", Section::None),
        failure,
        account: fields.get("account"),
        role_name: fields.get("roleName"),
        display_name: fields.get("displayName"),
        known: known.collect(),
    };
    let mut response = visit.page(&page)?;
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
    Ok(response)
}
