//! `Authorization` headers with a SigV4 scope and without a valid signature.

use crate::{Region, Timestamp};

/// Writes an `Authorization` header that names an access key, a day, a region and a service; the signature is all zeros.
///
/// Endpoints that stand in for AWS read the scope and check no signature.
pub fn unsigned_authorization(access_key: &str, region: &Region, service: &str, time: Timestamp) -> String {
    let day = time.day_folder().replace('/', "");
    let signature = "0".repeat(64);
    format!(
        "AWS4-HMAC-SHA256 Credential={access_key}/{day}/{region}/{service}/aws4_request, SignedHeaders=host, \
         Signature={signature}"
    )
}
