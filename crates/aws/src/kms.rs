//! Calls to AWS KMS that a service makes for its callers.

/// An action of AWS KMS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KmsAction {
    /// Decrypts data that is read.
    Decrypt,
    /// Encrypts data that is written.
    Encrypt,
    /// Creates the key that encrypts the data of a new resource.
    GenerateDataKey,
}

impl KmsAction {
    /// Returns the name: `eventName` of a record.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Decrypt => "Decrypt",
            Self::Encrypt => "Encrypt",
            Self::GenerateDataKey => "GenerateDataKey",
        }
    }
}
