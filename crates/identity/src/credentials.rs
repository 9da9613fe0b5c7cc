//! The credentials in a request's head.

use aws::Region;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::TokenHash;

/// What a request's head says of who sent it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// What names the caller.
    pub presented: Presented,
    /// The region in the signature's scope.
    pub region: Option<Region>,
    /// What came with the access key, if it is a temporary one.
    pub token: Option<TokenHash>,
}

/// What names a caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Presented {
    /// No credentials, or none that we know how to read.
    Nothing,
    /// The id of an access key.
    AccessKey(String),
    /// The user name of Git credentials, such as `Mary_Major-at-111122223333`.
    GitUserName(String),
}

/// Longer names of keys and users are no names of AWS's.
const NAME_BYTES_MAX: usize = 128;

impl Credentials {
    /// Reads an `Authorization` header - a SigV4 signature or Git's Basic user name and password - and `X-Amz-Security-Token`.
    ///
    /// Neither the signature nor the password is kept: nothing here checks them.
    pub fn read(authorization: Option<&str>, token: Option<&str>) -> Self {
        let token = token.map(TokenHash::of);
        let nothing = Self { presented: Presented::Nothing, region: None, token: None };
        authorization.and_then(|it| signature(it, token).or_else(|| basic(it))).unwrap_or(nothing)
    }
}

/// `AWS4-HMAC-SHA256 Credential=KEY/DATE/REGION/SERVICE/aws4_request, SignedHeaders=..., Signature=...`
fn signature(authorization: &str, token: Option<TokenHash>) -> Option<Credentials> {
    let fields = authorization.strip_prefix("AWS4-HMAC-SHA256")?;
    let scope = fields.split([',', ' ']).find_map(|field| field.strip_prefix("Credential="))?;
    let mut parts = scope.rsplitn(5, '/');
    let (_terminator, _service) = (parts.next()?, parts.next()?);
    let region = parts.next()?.parse().ok();
    let (_date, key) = (parts.next()?, parts.next()?);
    named(key).then(|| Credentials { presented: Presented::AccessKey(key.to_owned()), region, token })
}

/// `Basic base64(USER:PASSWORD)`, where USER is an access key, `KEY%SESSION_TOKEN` or a Git user name.
fn basic(authorization: &str) -> Option<Credentials> {
    let (scheme, encoded) = authorization.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let user = decoded.split(':').next()?;
    let (key, token) = user.split_once('%').map_or((user, None), |(key, token)| (key, Some(token)));
    let is_key = (key.starts_with("AKIA") || key.starts_with("ASIA"))
        && key.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    let name = if is_key { key } else { user };
    let token = token.filter(|_| is_key).map(TokenHash::of);
    named(name).then(|| {
        let name = name.to_owned();
        let presented = if is_key { Presented::AccessKey(name) } else { Presented::GitUserName(name) };
        Credentials { presented, region: None, token }
    })
}

fn named(name: &str) -> bool {
    !name.is_empty() && name.len() <= NAME_BYTES_MAX
}
