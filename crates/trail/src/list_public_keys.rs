//! `ListPublicKeys`: the public keys for the digests of a time range.

use std::sync::Arc;

use aws::{Call, Facts, Timestamp};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use crate::public_key::PublicKey;
use crate::{CloudTrail, Exception};

/// The input; times are seconds since the epoch.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ListPublicKeysInput {
    start_time: Option<f64>,
    end_time: Option<f64>,
    next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ListPublicKeysOutput {
    public_key_list: Vec<PublicKeyEntry>,
}

/// A key; times are in whole seconds.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct PublicKeyEntry {
    /// PKCS#1 `RSAPublicKey` in DER, in base64.
    value: String,
    validity_start_time: i64,
    validity_end_time: i64,
    fingerprint: String,
}

/// Lists the keys that are valid at some time of the range; a missing time means now, as on AWS.
pub(crate) fn list(
    service: &CloudTrail,
    call: &Arc<Call>,
    input: ListPublicKeysInput,
) -> Result<ListPublicKeysOutput, Exception> {
    call.allow("*", &Facts::default())?;
    if input.next_token.is_some_and(|token| !token.is_empty()) {
        // All keys are on one page, so no token was ever returned.
        return Err(Exception::InvalidToken);
    }
    let time = |time: Option<f64>| time.map_or(call.time, Timestamp::from_seconds);
    let (from, until) = (time(input.start_time), time(input.end_time));
    if from > until {
        return Err(Exception::InvalidTimeRange);
    }
    let keys = service.keys.list(from, until, call.time)?;
    Ok(ListPublicKeysOutput { public_key_list: keys.into_iter().map(entry).collect() })
}

fn entry(key: PublicKey) -> PublicKeyEntry {
    PublicKeyEntry {
        value: STANDARD.encode(&key.der),
        validity_start_time: key.valid_from.millis().div_euclid(1_000),
        // The second of the end is valid as a whole.
        validity_end_time: key.valid_until.millis().div_euclid(1_000) + 1,
        fingerprint: key.fingerprint,
    }
}
