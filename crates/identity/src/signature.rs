//! Verification of credentials: signatures of AWS, version 4 and 2, and the passwords of Git.
//!
//! A signature is verified in three steps, in AWS's order. [`Claim::read`] reads the credentials of a request; [`Signature::check`] compares
//! their date and scope with those that the endpoint expects; then the caller finds the secret of the access key, and
//! [`CheckedSignature::verify`] compares the signature with the one that the secret gives.
//! **Invariant:** neither `Debug` nor `Display` of these types shows a secret, a session token, a password or a signature.

mod chunks;
mod claim;
mod error;
mod git;
mod git_password;
mod mac;
mod redacted;
mod request;
mod version2;
mod version4;

pub use self::chunks::ChunkSignatures;
pub use self::claim::{CheckedSignature, Claim, ExpectedScope, Location, Protocol, Signature};
pub use self::error::{DateRange, Field, Mismatch, S3Refusal, SignatureError, WrongScope};
pub use self::git::{GitCredential, GitPassword};
pub use self::git_password::make as make_git_password;
pub(crate) use self::mac::hmac_sha256;
pub(crate) use self::redacted::Redacted;
pub use self::request::{Payload, RequestParts};
pub use self::version2::Version2;
pub use self::version4::Version4;

#[cfg(test)]
mod tests;
