//! Trusted contexts: assertions in an input, and the identity propagation context from the claims of a token.

use aws::GlobalArn;
use aws::Timestamp;
use aws::caller::OriginIdentity;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::Exception;
use crate::provider::ContextProvider;
use crate::sts::input::{count, length, secret};
use crate::sts::token;

/// Maximum number of contexts in an input.
const CONTEXTS_MAX: usize = 5;

/// Maximum length of a claim in a transaction context, in characters; longer claims are left out.
const TRANSACTION_VALUE_MAX: usize = 128;

/// An assertion of a context provider for a session.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct ProvidedContext {
    provider_arn: String,
    /// A token, which records omit.
    #[serde(skip_serializing)]
    context_assertion: String,
}

/// Refuses contexts that violate the model, name no context provider, or have expired.
///
/// Assertions are encrypted for AWS, so expiry is checked for those only that are a JWT.
pub(crate) fn check(contexts: &[ProvidedContext], now: Timestamp) -> Result<(), Exception> {
    count("providedContexts", "contexts", contexts.len(), 0..=CONTEXTS_MAX)?;
    for context in contexts {
        length("providedContexts.member.providerArn", &context.provider_arn, 20..=2048)?;
        secret("providedContexts.member.contextAssertion", &context.context_assertion, 4..=3072)?;
    }
    for context in contexts {
        let invalid = |text: String| Err(Exception::InvalidContextAssertion(text));
        if !is_context_provider(&context.provider_arn) {
            return invalid(format!("'{}' is not a trusted context provider.", context.provider_arn));
        }
        if context.context_assertion.is_empty() {
            return invalid("The context assertion is missing.".to_owned());
        }
        let expires = token::claims(&context.context_assertion).and_then(|claims| claims.get("exp")?.as_f64());
        if expires.is_some_and(|expires| Timestamp::from_seconds(expires) <= now) {
            return invalid("The context assertion has expired.".to_owned());
        }
    }
    Ok(())
}

/// Returns whether an ARN is `arn:PARTITION:iam::aws:contextProvider/NAME`.
fn is_context_provider(arn: &str) -> bool {
    let name = GlobalArn::iam_resource_of_aws(arn).and_then(|resource| resource.strip_prefix("contextProvider/"));
    name.is_some_and(|name| !name.is_empty())
}

/// The end user and the claims that a context provider propagates from a token.
#[derive(Debug)]
pub(crate) struct PropagatedClaims {
    pub(crate) origin: OriginIdentity,
    transaction: Map<String, Value>,
}

/// `TrustedIdentityPropagationContext` of a reply. Records omit it, as it identifies the end user.
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

/// A map in the form of AWS query: a list of `<entry><key/><value/></entry>`.
#[derive(Serialize)]
struct EntryList {
    entry: Vec<Entry>,
}

#[derive(Serialize)]
struct Entry {
    key: String,
    value: String,
}

impl PropagatedClaims {
    /// Reads the claims of a token; fails if the claim of the subject is missing.
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
        let transaction = provider.transaction_claims.iter().filter_map(|name| {
            let value = text(name)?;
            (value.chars().count() <= TRANSACTION_VALUE_MAX).then(|| (name.clone(), value.into()))
        });
        let origin = OriginIdentity {
            subject,
            subject_type: provider.subject_type.to_owned(),
            issuer: issuer.to_owned(),
            federated_provider_arn: federated_provider.to_string(),
        };
        Ok(Self { origin, transaction: transaction.collect() })
    }

    /// Returns the context in the form of a reply.
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
