//! Events of sign-ins to the console: `ConsoleLogin`, `SwitchRole`, `ExitRole` and `GetSigninToken`.
//!
//! Their records have the browser's own address and user agent, and no `requestID`. The members are those of the examples in the
//! CloudTrail and IAM user guides; `ExitRole` and `GetSigninToken` have no example there.

use aws::caller::Kind;
use aws::{AccountId, Caller, Failure};
use serde_json::{Value, json};

use crate::Event;
use crate::event::EventType;

/// `eventSource` of sign-ins.
const SOURCE: &str = "signin.amazonaws.com";

/// The user name in records of sign-ins with an unknown name, which could be a password in the wrong field.
const HIDDEN: &str = "HIDDEN_DUE_TO_SECURITY_REASONS";

/// The circumstances of a sign-in with the sign-in page.
#[derive(Clone, Copy, Debug)]
pub struct ConsoleLogin<'a> {
    /// The URL of the page that the browser shows after the sign-in.
    pub login_to: &'a str,
    /// Whether the page was the one for mobile devices.
    pub is_mobile: bool,
    /// Whether a second factor was used.
    pub mfa_used: bool,
}

impl ConsoleLogin<'_> {
    /// Returns the event of a successful sign-in.
    pub fn succeeded(&self, caller: &Caller) -> Event {
        let identity = Caller { access_key_id: signed_in_key(caller), session: None, ..caller.clone() };
        self.event(identity, "Success")
    }

    /// Returns the event of a sign-in of a known user that failed, by a wrong secret for instance.
    pub fn failed(&self, caller: &Caller) -> Event {
        // Records of failed sign-ins show the ARN of the root only.
        let arn = if caller.kind == Kind::Root { caller.arn.clone() } else { String::new() };
        let identity = Caller { arn, access_key_id: Some(String::new()), session: None, ..caller.clone() };
        Event { failure: Some(failure("Failed authentication")), ..self.event(identity, "Failure") }
    }

    /// Returns the event of a sign-in with a name that the account does not have.
    pub fn unknown_user(&self, account: &AccountId) -> Event {
        let user = Caller::iam_user(account.clone(), HIDDEN, String::new(), Some(String::new()));
        let identity = Caller { arn: String::new(), ..user };
        Event { failure: Some(failure("No username found in supplied account")), ..self.event(identity, "Failure") }
    }

    fn event(&self, identity: Caller, outcome: &str) -> Event {
        let data = json!({
            "LoginTo": self.login_to,
            "MobileVersion": yes_or_no(self.is_mobile),
            "MFAUsed": yes_or_no(self.mfa_used),
        });
        event("ConsoleLogin", identity, outcome, data)
    }
}

/// Returns the event of a switch to a role; `session` is the role's session, and `switch_from` the ARN of the former identity.
pub fn switch_role(session: &Caller, switch_from: &str, redirect_to: &str) -> Event {
    let data = json!({ "SwitchFrom": switch_from, "RedirectTo": redirect_to });
    event("SwitchRole", without_credentials(session), "Success", data)
}

/// Returns the event of a switch back from a role; `session` is the role's session.
pub fn exit_role(session: &Caller, redirect_to: &str) -> Event {
    event("ExitRole", without_credentials(session), "Success", json!({ "RedirectTo": redirect_to }))
}

/// Returns the event of a sign-in token, which a link contains, for the temporary credentials of a caller.
pub fn get_signin_token(caller: &Caller) -> Event {
    let data = json!({ "MobileVersion": "No", "MFAUsed": "No" });
    event("GetSigninToken", caller.clone(), "Success", data)
}

/// Creates an event whose response element has its own name.
fn event(name: &str, identity: Caller, outcome: &str, additional_event_data: Value) -> Event {
    Event {
        event_type: EventType::AwsConsoleSignIn,
        read_only: false,
        response_elements: json!({ name: outcome }),
        additional_event_data,
        account: Some(identity.account_id.clone()),
        resources: Some(Vec::new()),
        caller: Some(identity),
        ..Event::new(name, SOURCE)
    }
}

/// The access key of a successful sign-in: empty for the root, missing for others.
fn signed_in_key(caller: &Caller) -> Option<String> {
    (caller.kind == Kind::Root).then(String::new)
}

fn without_credentials(session: &Caller) -> Caller {
    Caller { access_key_id: None, session: None, ..session.clone() }
}

/// The failure of a sign-in, whose record has the message only.
fn failure(message: &str) -> Failure {
    Failure::client("SigninFailure", message)
}

const fn yes_or_no(is_yes: bool) -> &'static str {
    if is_yes { "Yes" } else { "No" }
}

#[cfg(test)]
mod tests;
