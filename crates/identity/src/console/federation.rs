//! `getSigninToken` of AWS's federation endpoint: a sign-in token for temporary credentials.

use std::time::Duration;

use aws::caller::Kind;
use aws::{GlobalArn, Partition, Timestamp};
use serde::Deserialize;

use super::sign_in_token::{Payload, Subject};
use super::{KeyPair, SignInIdentity};
use crate::{AuthenticationError, Sts};

/// Time for which a token can be used, as on AWS.
const VALID: Duration = Duration::from_mins(15);

/// Range of `SessionDuration` in seconds, as on AWS.
const DURATIONS: std::ops::RangeInclusive<i64> = 900..=43_200;

/// The temporary credentials in the parameter `Session`.
#[derive(Deserialize)]
pub struct FederatedCredentials {
    #[serde(rename = "sessionId")]
    id: String,
    #[serde(rename = "sessionKey")]
    key: String,
    #[serde(rename = "sessionToken")]
    token: String,
}

/// Why `getSigninToken` is refused.
#[derive(Debug, thiserror::Error)]
pub enum FederationError {
    /// The credentials are refused.
    #[error(transparent)]
    Credentials(#[from] AuthenticationError),
    /// The credentials are not those of a role or a federated user; as on AWS, only these sign in to the console.
    #[error("the credentials are not those of a role or a federated user")]
    NotFederated,
    /// The duration is out of range.
    #[error("SessionDuration must be between {} and {} seconds", DURATIONS.start(), DURATIONS.end())]
    InvalidDuration,
    /// The session of a federated user ends with its credentials.
    #[error("SessionDuration is not possible with the credentials of GetFederationToken")]
    FederatedUserDuration,
    /// The role allows only shorter sessions.
    #[error("SessionDuration is longer than the maximum session duration of the role")]
    LongerThanTheRole,
}

impl Sts {
    /// Creates a sign-in token for verified temporary credentials; `seconds` is `SessionDuration`.
    pub fn federated_sign_in_token(
        &self,
        credentials: &FederatedCredentials,
        seconds: Option<i64>,
        now: Timestamp,
    ) -> Result<(SignInIdentity, String), FederationError> {
        let FederatedCredentials { id, key, token } = credentials;
        let keys = KeyPair { access_key_id: id, secret_access_key: key, session_token: Some(token) };
        let identity = self.identity_of_keys(keys, now)?;
        let caller = &identity.caller;
        let issuer = caller.session.as_ref().and_then(|session| session.issuer.as_ref());
        let issuer = issuer.ok_or(FederationError::NotFederated)?;
        if let Some(seconds) = seconds {
            if !DURATIONS.contains(&seconds) {
                return Err(FederationError::InvalidDuration);
            }
            if caller.kind == Kind::FederatedUser {
                return Err(FederationError::FederatedUserDuration);
            }
            let partition = GlobalArn::parse(&issuer.arn).map_or(Partition::Aws, |arn| arn.partition);
            let role = self.identities().role(&issuer.arn, partition).ok().flatten();
            if role.is_some_and(|role| seconds > role.duration_seconds_max) {
                return Err(FederationError::LongerThanTheRole);
            }
        }
        let subject = Subject::Credentials { access_key_id: id.clone(), seconds };
        let token = self.sign_in_token(&Payload { subject, expires: now.saturating_add(VALID).millis() });
        Ok((identity, token))
    }
}
