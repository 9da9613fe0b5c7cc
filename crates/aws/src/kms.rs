//! The calls to AWS KMS that a service makes for its callers.

/// An action of AWS KMS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KmsAction {
    /// Decrypts data that is read.
    Decrypt,
    /// Encrypts data that is written.
    Encrypt,
    /// Makes the key that a new resource's data is encrypted with.
    GenerateDataKey,
}

impl KmsAction {
    /// The name in a record's `eventName`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Decrypt => "Decrypt",
            Self::Encrypt => "Encrypt",
            Self::GenerateDataKey => "GenerateDataKey",
        }
    }
}
