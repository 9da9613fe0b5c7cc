//! Buckets at other endpoints that speak S3.

use std::fmt;

use aws::Region;

/// A bucket at another endpoint.
#[derive(Clone, Debug)]
pub struct RemoteBucket {
    /// The URL of the endpoint.
    pub endpoint: String,
    /// The bucket's region.
    pub region: Region,
    /// The access key that signs requests; without one they are not signed.
    pub access_key: Option<(String, Secret)>,
    /// The value of `x-amz-server-side-encryption`; `None` sends none.
    pub encryption: Option<String>,
    /// The value of `x-amz-server-side-encryption-aws-kms-key-id`.
    pub kms_key_id: Option<String>,
}

/// A text that logs do not show.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// Hides a text.
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
