//! Authentication of a request: verifies its credentials, and finds their caller.
//!
//! **Invariant:** the caller of a request whose credentials were verified is the owner of a secret that is known here; no other rule of
//! [`Identities::authenticate`](crate::Identities::authenticate) applies to it.

use std::time::Duration;

use aws::{Caller, Failure, Region};

use crate::administrator::AccessKey;
use crate::session::{self, TokenHash};
use crate::signature::{ChunkSignatures, Claim, ExpectedScope, Protocol, RequestParts, S3Refusal, SignatureError};
use crate::{SecretKey, Sts};

/// How the credentials of requests are treated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Access {
    /// They name the caller, and nothing is verified.
    #[default]
    Open,
    /// They must be valid; their caller may do everything.
    Signed,
    /// They must be valid, and the policies of their caller decide what it may do.
    Enforced,
}

/// What an endpoint expects of the credentials of a request.
#[derive(Clone, Copy, Debug)]
pub struct Endpoint<'e> {
    /// The protocol.
    pub protocol: Protocol,
    /// The names of the services in the scope of a signature; messages name the first one.
    pub services: &'e [&'e str],
    /// The regions for which a password of Git may be generated; it does not name its own.
    pub git_regions: &'e [Region],
    /// The maximum difference between the date of a signature and the time of the server; `None` accepts every date.
    pub max_clock_skew: Option<Duration>,
}

/// The caller of a request, whose credentials were verified.
#[derive(Debug)]
pub struct Authenticated {
    /// The caller, in the partition `aws`.
    pub caller: Caller,
    /// The region for which the request was signed, if the credentials tell.
    pub region: Option<Region>,
    /// Verifies the body, if it was not read and is in chunks that have signatures of their own.
    pub chunks: Option<ChunkSignatures>,
}

/// Why a request has no caller.
#[derive(Debug, thiserror::Error)]
pub enum AuthenticationError {
    /// The credentials are refused.
    #[error(transparent)]
    Refused(#[from] SignatureError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] store::Error),
}

impl Sts {
    /// Verifies the credentials of a request, and returns their caller.
    pub fn verify(
        &self,
        endpoint: &Endpoint<'_>,
        request: &RequestParts<'_>,
    ) -> Result<Authenticated, AuthenticationError> {
        let now = self.machine_time();
        match Claim::read(endpoint.protocol, request)? {
            Claim::Nothing => Err(SignatureError::Missing.into()),
            Claim::Signature(signature) => {
                let expected = ExpectedScope { services: endpoint.services, regions: None };
                let checked = signature.check(&expected, endpoint.max_clock_skew, now)?;
                let (caller, secret) = self.key_owner(signature.access_key_id(), signature.token_hash().as_ref())?;
                let chunks = checked.verify(&secret, request)?;
                Ok(Authenticated { caller, region: checked.region().cloned(), chunks })
            }
            Claim::GitPassword(password) => {
                let (caller, secret) = self.key_owner(password.access_key_id(), password.token_hash().as_ref())?;
                let region = password.verify(&secret, request, endpoint.git_regions, endpoint.max_clock_skew, now)?;
                Ok(Authenticated { caller, region: Some(region), chunks: None })
            }
            Claim::GitCredential(credential) => {
                let identities = self.identities();
                let declared = identities.git_credential(credential.user_name());
                let (caller, hash) = declared.ok_or(SignatureError::WrongPassword)?;
                credential.verify(hash)?;
                Ok(Authenticated { caller: caller.clone(), region: None, chunks: None })
            }
        }
    }

    /// Returns the owner of an access key, and its secret.
    pub(crate) fn key_owner(
        &self,
        key: &str,
        token: Option<&TokenHash>,
    ) -> Result<(Caller, SecretKey), AuthenticationError> {
        if let Some(caller) = self.session_caller(key, token)? {
            return Ok((caller, self.root_key().secret(key)));
        }
        if token.is_some() {
            return Err(SignatureError::InvalidToken(key.to_owned()).into());
        }
        if let Some(administrator) = self.administrator().filter(|administrator| administrator.key.id == key) {
            let AccessKey { id, secret } = administrator.key.clone();
            return Ok((Caller::root(self.default_account().clone(), Some(id), None), secret));
        }
        let identities = self.identities();
        let declared = identities.access_key(key, self.root_key());
        declared.ok_or_else(|| SignatureError::UnknownKey(key.to_owned()).into())
    }

    /// Returns the caller of a session, if the key is that of one.
    pub(crate) fn session_caller(
        &self,
        key: &str,
        token: Option<&TokenHash>,
    ) -> Result<Option<Caller>, AuthenticationError> {
        let is_temporary = key.starts_with("ASIA");
        let session = is_temporary.then(|| session::find(self.store(), key)).transpose()?.flatten();
        let Some(session) = session else { return Ok(None) };
        if token != Some(&session.token_hash) {
            return Err(SignatureError::InvalidToken(key.to_owned()).into());
        }
        if session.expires <= self.now() {
            return Err(SignatureError::ExpiredToken(key.to_owned()).into());
        }
        Ok(Some(session.caller))
    }
}

impl AuthenticationError {
    /// Returns the failure of services that use AWS JSON.
    pub fn json(&self) -> Failure {
        self.refusal().map_or_else(Failure::internal, SignatureError::json)
    }

    /// Returns the failure of services that use AWS query.
    pub fn query(&self) -> Failure {
        self.refusal().map_or_else(Failure::internal, SignatureError::query)
    }

    /// Returns the refusal of S3.
    pub fn s3(&self) -> S3Refusal {
        let internal = || S3Refusal { failure: Failure::internal(), members: Vec::new() };
        self.refusal().map_or_else(internal, SignatureError::s3)
    }

    /// Returns whether credentials of the same caller that are made now could be accepted.
    pub fn is_worth_another_try(&self) -> bool {
        matches!(self, Self::Refused(SignatureError::Missing | SignatureError::TooEarly(_)))
    }

    fn refusal(&self) -> Option<&SignatureError> {
        match self {
            Self::Refused(refusal) => Some(refusal),
            Self::Store(error) => {
                tracing::error!(%error, "cannot read the credentials of a caller");
                None
            }
        }
    }
}
