//! Signatures in form only, for those who read the caller, region and service out of them and check nothing.

use crate::{Region, Timestamp};

/// Writes an `Authorization` header that says who calls which service where and on which day, and proves nothing.
pub fn formal(access_key: &str, region: &Region, service: &str, time: Timestamp) -> String {
    let day = time.day_folder().replace('/', "");
    let signature = "0".repeat(64);
    format!(
        "AWS4-HMAC-SHA256 Credential={access_key}/{day}/{region}/{service}/aws4_request, SignedHeaders=host, \
         Signature={signature}"
    )
}
