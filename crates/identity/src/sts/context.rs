//! Trusted contexts: assertions that come with a call, and the context that a token's claims become.

use aws::GlobalArn;
use aws::Timestamp;
use aws::caller::OriginIdentity;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::Exception;
use crate::provider::ContextProvider;
use crate::sts::input::{count, length, secret};
use crate::sts::token;

const CONTEXTS_MAX: usize = 5;

/// The length of a claim's value in a transaction context, in characters.
const TRANSACTION_VALUE_MAX: usize = 128;

/// What a context provider says of the circumstances of a session.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct ProvidedContext {
    provider_arn: String,
    /// A token, and so in no record.
    #[serde(skip_serializing)]
    context_assertion: String,
}

/// Refuses contexts that are not as the model wants them, are of no context provider, or have expired.
///
/// Assertions are encrypted for AWS alone, so that only one that is a JWT can be seen to have expired.
pub(crate) fn check(all: &[ProvidedContext], now: Timestamp) -> Result<(), Exception> {
    count("providedContexts", "contexts", all.len(), 0..=CONTEXTS_MAX)?;
    for it in all {
        length("providedContexts.member.providerArn", &it.provider_arn, 20..=2048)?;
        secret("providedContexts.member.contextAssertion", &it.context_assertion, 4..=3072)?;
    }
    for it in all {
        let invalid = |text: String| Err(Exception::InvalidContextAssertion(text));
        if !is_context_provider(&it.provider_arn) {
            return invalid(format!("'{}' is not a trusted context provider.", it.provider_arn));
        }
        if it.context_assertion.is_empty() {
            return invalid("The context assertion is missing.".to_owned());
        }
        let expires = token::claims(&it.context_assertion).and_then(|claims| claims.get("exp")?.as_f64());
        if expires.is_some_and(|expires| Timestamp::from_seconds(expires) <= now) {
            return invalid("The context assertion has expired.".to_owned());
        }
    }
    Ok(())
}

/// `arn:PARTITION:iam::aws:contextProvider/NAME`: the account is AWS itself.
fn is_context_provider(arn: &str) -> bool {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let ["arn", partition, "iam", "", "aws", resource] = parts.as_slice() else { return false };
    partition.parse::<aws::Partition>().is_ok()
        && resource.strip_prefix("contextProvider/").is_some_and(|name| !name.is_empty())
}

/// The end user and the further claims that a context provider takes out of a token.
#[derive(Debug)]
pub(crate) struct Propagated {
    pub(crate) origin: OriginIdentity,
    transaction: Map<String, Value>,
}

/// A reply's `TrustedIdentityPropagationContext`; it tells of the end user, and so is in no record.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct PropagationContext {
    origin_identity: Origin,
    transaction_context: Option<Transaction>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Origin {
    subject: String,
    subject_type: String,
    issuer: String,
    federated_provider_arn: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Transaction {
    identity_provider: EntryList,
}

/// A map as AWS query writes it: `<entry><key/><value/></entry>`, again and again.
#[derive(Serialize)]
struct EntryList {
    entry: Vec<Entry>,
}

#[derive(Serialize)]
struct Entry {
    key: String,
    value: String,
}

impl Propagated {
    /// Reads the claims of a token; fails where the one that is the subject is missing.
    pub(crate) fn read(
        provider: &ContextProvider,
        claims: &Map<String, Value>,
        issuer: &str,
        federated_provider: &GlobalArn,
    ) -> Result<Self, Exception> {
        let text = |name: &str| claims.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
        let name = &provider.subject_claim;
        let subject = text(name)
            .ok_or_else(|| Exception::InvalidIdentityToken(format!("Missing a required claim: {name}")))?
            .to_owned();
        let taken = provider.transaction_claims.iter().filter_map(|name| {
            let value = text(name)?;
            (value.chars().count() <= TRANSACTION_VALUE_MAX).then(|| (name.clone(), value.into()))
        });
        let origin = OriginIdentity {
            subject,
            subject_type: provider.subject_type.to_owned(),
            issuer: issuer.to_owned(),
            federated_provider_arn: federated_provider.to_string(),
        };
        Ok(Self { origin, transaction: taken.collect() })
    }

    /// Writes the context as a reply has it.
    pub(crate) fn reply(&self) -> PropagationContext {
        let OriginIdentity { subject, subject_type, issuer, federated_provider_arn } = self.origin.clone();
        let entries: Vec<Entry> = self
            .transaction
            .iter()
            .map(|(key, value)| Entry { key: key.clone(), value: value.as_str().unwrap_or_default().to_owned() })
            .collect();
        PropagationContext {
            origin_identity: Origin { subject, subject_type, issuer, federated_provider_arn },
            transaction_context: (!entries.is_empty())
                .then_some(Transaction { identity_provider: EntryList { entry: entries } }),
        }
    }
}
