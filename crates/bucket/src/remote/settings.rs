//! Settings of a bucket at an S3 endpoint.

use std::fmt;

/// How a bucket at an S3 endpoint is reached.
#[derive(Clone, Debug)]
pub struct RemoteSettings {
    /// The URL of the endpoint, with `http` or `https`.
    pub endpoint: String,
    /// The bucket's region.
    pub region: String,
    /// The id and secret of the access key that signs requests; without one they are not signed.
    pub access_key: Option<(String, Secret)>,
    /// The value of `x-amz-server-side-encryption`; `None` sends none.
    pub encryption: Option<String>,
    /// The value of `x-amz-server-side-encryption-aws-kms-key-id`; `None` sends none.
    pub kms_key_id: Option<String>,
}

/// A text that debug output does not show.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// Wraps a text.
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// Returns the text, to sign with it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret(..)")
    }
}
