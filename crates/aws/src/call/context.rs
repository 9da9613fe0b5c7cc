//! The values of the context keys of a request: those of the operation, and the global keys of AWS, computed when they are needed.

use std::borrow::Cow;
use std::net::IpAddr;

use crate::arn::ArnParts;
use crate::caller::{Kind, Session};
use crate::permission::{Context, FactValue, Facts, Permission};
use crate::{Call, Caller};

/// The values of the context keys of a permission that a call needs.
#[derive(Clone, Copy, Debug)]
pub struct CallContext<'c> {
    call: &'c Call,
    permission: &'c Permission<'c>,
    /// The facts about the operation that all its permissions share.
    facts: &'c Facts,
}

/// The prefix of the keys of principal tags, in lower case.
const PRINCIPAL_TAG: &str = "aws:principaltag/";

impl<'c> CallContext<'c> {
    /// Creates the context of a permission that a call needs.
    pub fn new(call: &'c Call, permission: &'c Permission<'c>, facts: &'c Facts) -> Self {
        Self { call, permission, facts }
    }

    /// Returns the service that calls for a caller; `None` if the caller calls, or a service on its own behalf.
    fn calling_service(&self) -> Option<&'c str> {
        let caller = self.signer_or_bearer();
        caller.invoked_by.as_deref().filter(|_| caller.kind != Kind::AwsService)
    }

    fn resource_owner(&self) -> &'c str {
        // The ARNs of buckets name no account.
        if let Some(FactValue::One(Cow::Borrowed(owner))) = self.permission.facts.value("aws:resourceaccount") {
            return owner;
        }
        let account = ArnParts::split(self.permission.resource).map(|parts| parts.account);
        // Everyone can see the managed policies of AWS.
        account.filter(|account| !account.is_empty() && *account != "aws").unwrap_or_else(|| self.call.account.as_str())
    }

    fn signer_or_bearer(&self) -> &'c Caller {
        self.call.bearer().unwrap_or(&self.call.caller)
    }

    fn call_value(&self, key: &str) -> Option<Cow<'c, str>> {
        let call = self.call;
        let value: Cow<'c, str> = match key {
            "aws:currenttime" => call.time.iso().into(),
            "aws:epochtime" => (call.time.millis() / 1000).to_string().into(),
            "aws:sourceip" => call.source_ip_address.parse::<IpAddr>().ok()?.to_string().into(),
            "aws:securetransport" => flag(call.is_secure),
            "aws:useragent" => call.user_agent.as_deref()?.into(),
            "aws:requestedregion" => call.region.as_str().into(),
            "aws:resourceaccount" => self.resource_owner().into(),
            "aws:viaawsservice" => flag(self.calling_service().is_some()),
            "aws:calledviafirst" | "aws:calledvialast" => self.calling_service()?.into(),
            "aws:principalisawsservice" => flag(self.signer_or_bearer().kind == Kind::AwsService),
            _ => return None,
        };
        Some(value)
    }

    fn principal_value(&self, key: &str) -> Option<Cow<'c, str>> {
        let (authority, caller) = (self.call.authority(), self.signer_or_bearer());
        let kind = match caller.kind {
            Kind::IamUser => "User",
            Kind::Root => "Account",
            Kind::AssumedRole => "AssumedRole",
            Kind::FederatedUser => "FederatedUser",
            Kind::AwsService if key == "aws:principalservicename" => return Some(caller.arn.as_str().into()),
            _ => return None,
        };
        if let Some(tag) = key.strip_prefix(PRINCIPAL_TAG) {
            let tags = authority.principal_tags();
            let found = tags
                .get(tag)
                .or_else(|| tags.iter().find(|(key, _)| key.to_lowercase() == tag).map(|(_, value)| value));
            return found.map(|value| value.as_str().into());
        }
        let value: Cow<'c, str> = match key {
            "aws:principalarn" => principal_arn(caller).into(),
            "aws:principalaccount" => caller.account_id.as_str().into(),
            "aws:principaltype" => kind.into(),
            "aws:userid" => caller.principal_id.as_str().into(),
            "aws:username" if caller.kind == Kind::IamUser => caller.user_name.as_deref()?.into(),
            "aws:federatedprovider" => authority.federated_provider()?.into(),
            _ => return session_value(key, caller.session.as_ref()?, self.call),
        };
        Some(value)
    }
}

impl Context for CallContext<'_> {
    fn caller(&self) -> &Caller {
        self.signer_or_bearer()
    }

    fn resource_account(&self) -> &str {
        self.resource_owner()
    }

    fn value(&self, key: &str) -> Option<FactValue<'_>> {
        if let Some(value) = self.permission.facts.value(key).or_else(|| self.facts.value(key)) {
            return Some(value);
        }
        if key == "aws:calledvia" {
            return self.calling_service().map(|service| FactValue::Many(Cow::Owned(vec![service.to_owned()])));
        }
        self.call_value(key).or_else(|| self.principal_value(key)).map(FactValue::One)
    }
}

/// Returns the ARN of a principal: for the session of a role that of the role.
fn principal_arn(caller: &Caller) -> &str {
    let issuer = caller.session.as_ref().and_then(|session| session.issuer.as_ref());
    issuer.filter(|_| caller.kind == Kind::AssumedRole).map_or(&caller.arn, |issuer| &issuer.arn)
}

/// Returns the value of a key that only temporary credentials have.
fn session_value<'c>(key: &str, session: &'c Session, call: &Call) -> Option<Cow<'c, str>> {
    let value = match key {
        "aws:tokenissuetime" => session.created.iso().into(),
        "aws:multifactorauthpresent" => flag(session.mfa_authenticated),
        "aws:multifactorauthage" if session.mfa_authenticated => {
            ((call.time.millis() - session.created.millis()) / 1000).to_string().into()
        }
        "aws:sourceidentity" => session.source_identity.as_deref()?.into(),
        _ => return None,
    };
    Some(value)
}

fn flag(is_set: bool) -> Cow<'static, str> {
    if is_set { "true" } else { "false" }.into()
}
