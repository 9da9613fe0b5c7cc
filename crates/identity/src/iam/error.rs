//! The errors of IAM.

use aws::Failure;

use crate::Exception;

/// The codes of IAM on the wire, those of records, and the HTTP statuses.
const CODES: [(&str, &str, u16); 14] = [
    ("NoSuchEntity", "NoSuchEntityException", 404),
    ("EntityAlreadyExists", "EntityAlreadyExistsException", 409),
    ("LimitExceeded", "LimitExceededException", 409),
    ("DeleteConflict", "DeleteConflictException", 409),
    ("MalformedPolicyDocument", "MalformedPolicyDocumentException", 400),
    ("InvalidInput", "InvalidInputException", 400),
    ("ValidationError", "ValidationException", 400),
    ("UnmodifiableEntity", "UnmodifiableEntityException", 400),
    ("NotSupportedService", "ServiceNotSupportedException", 404),
    ("InvalidPublicKey", "InvalidPublicKeyException", 400),
    ("UnrecognizedPublicKeyEncoding", "UnrecognizedPublicKeyEncodingException", 400),
    ("DuplicateSSHPublicKey", "DuplicateSSHPublicKeyException", 400),
    ("PolicyNotAttachable", "PolicyNotAttachableException", 400),
    ("PolicyEvaluation", "PolicyEvaluationException", 500),
];

/// An error of IAM.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct IamError {
    code: &'static str,
    message: String,
}

impl IamError {
    fn exception(code: &'static str, message: impl Into<String>) -> Exception {
        Exception::Iam(Self { code, message: message.into() })
    }

    /// An entity does not exist.
    pub(crate) fn no_such_entity(message: impl Into<String>) -> Exception {
        Self::exception("NoSuchEntity", message)
    }

    /// An entity of that name exists already.
    pub(crate) fn already_exists(message: impl Into<String>) -> Exception {
        Self::exception("EntityAlreadyExists", message)
    }

    /// A quota would be exceeded.
    pub(crate) fn limit_exceeded(message: impl Into<String>) -> Exception {
        Self::exception("LimitExceeded", message)
    }

    /// Something else uses the entity.
    pub(crate) fn delete_conflict(message: impl Into<String>) -> Exception {
        Self::exception("DeleteConflict", message)
    }

    /// A document is not a policy.
    pub(crate) fn malformed_policy(message: impl Into<String>) -> Exception {
        Self::exception("MalformedPolicyDocument", message)
    }

    /// The input contradicts itself.
    pub(crate) fn invalid_input(message: impl Into<String>) -> Exception {
        Self::exception("InvalidInput", message)
    }

    /// A member has an invalid value.
    pub(crate) fn validation(message: impl Into<String>) -> Exception {
        Self::exception("ValidationError", message)
    }

    /// The entity is declared in the identities file.
    pub(crate) fn unmodifiable(entity: &str) -> Exception {
        let message = format!("The {entity} is declared in the identities file of the server. Change it there.");
        Self::exception("UnmodifiableEntity", message)
    }

    /// Credentials for another service than CodeCommit.
    pub(crate) fn unsupported_service(name: &str) -> Exception {
        Self::exception("NotSupportedService", format!("Service {name} is not supported by this API"))
    }

    /// A public key is not an RSA key of a permitted size.
    pub(crate) fn invalid_public_key() -> Exception {
        Self::exception("InvalidPublicKey", "The public key is not valid: it must be an RSA key of 2048 to 16384 bits.")
    }

    /// A public key has another form than those of SSH and PEM.
    pub(crate) fn unknown_encoding() -> Exception {
        let message = "The public key must be encoded in ssh-rsa format or PEM format.";
        Self::exception("UnrecognizedPublicKeyEncoding", message)
    }

    /// The user has the public key already.
    pub(crate) fn duplicate_public_key() -> Exception {
        Self::exception("DuplicateSSHPublicKey", "The SSH public key is already associated with the user.")
    }

    /// Returns the failure of a call of IAM.
    pub(crate) fn failure(exception: Exception) -> Failure {
        let failure = match exception {
            Exception::Iam(Self { code, message }) => {
                let status = CODES.iter().find(|(name, ..)| *name == code).map_or(400, |(.., status)| *status);
                Failure::new(code, message, status)
            }
            other => Failure::from(other),
        };
        let recorded_as = CODES.iter().find(|(name, ..)| *name == failure.name).map(|(_, recorded, _)| *recorded);
        Failure { recorded_as: recorded_as.or(failure.recorded_as), ..failure }
    }
}
