//! The credentials in the headers of a request.

use aws::Region;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::{SignatureScope, TokenHash};

/// The credentials of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// The credential that names the caller.
    pub presented: PresentedCredential,
    /// The region in the scope of the signature.
    pub region: Option<Region>,
    /// The hash of the session token, which accompanies a temporary access key.
    pub token: Option<TokenHash>,
}

/// The credential that names a caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PresentedCredential {
    /// No credentials, or none of a known form.
    Nothing,
    /// The id of an access key.
    AccessKey(String),
    /// The user name of Git credentials, such as `Mary_Major-at-111122223333`.
    GitUserName(String),
}

/// Maximum length of an access key id or a user name, in bytes; AWS has no longer ones.
const NAME_BYTES_MAX: usize = 128;

impl Credentials {
    /// Reads an `Authorization` header - a SigV4 signature, or Git's Basic user name and password - and `X-Amz-Security-Token`.
    ///
    /// Neither the signature nor the password is kept, as nothing here verifies them.
    pub fn read(authorization: Option<&str>, token: Option<&str>) -> Self {
        let token = token.map(TokenHash::of);
        let nothing = Self { presented: PresentedCredential::Nothing, region: None, token: None };
        authorization.and_then(|header| signature(header, token).or_else(|| basic(header))).unwrap_or(nothing)
    }

    /// Returns whether an `Authorization` header has a user name of Git and an empty password.
    pub fn lack_password(authorization: &str) -> bool {
        user_and_password(authorization)
            .is_some_and(|text| text.split_once(':').is_none_or(|(_, password)| password.is_empty()))
    }
}

fn signature(authorization: &str, token: Option<TokenHash>) -> Option<Credentials> {
    let SignatureScope { access_key, region, .. } = SignatureScope::from_authorization(authorization)?;
    has_valid_length(&access_key).then(|| Credentials {
        presented: PresentedCredential::AccessKey(access_key),
        region: region.parse().ok(),
        token,
    })
}

/// Reads `Basic base64(USER:PASSWORD)`, where USER is an access key, `KEY%SESSION_TOKEN` or a Git user name.
fn basic(authorization: &str) -> Option<Credentials> {
    let decoded = user_and_password(authorization)?;
    let user = decoded.split(':').next()?;
    let (key, token) = user.split_once('%').map_or((user, None), |(key, token)| (key, Some(token)));
    let is_key = (key.starts_with("AKIA") || key.starts_with("ASIA"))
        && key.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    let name = if is_key { key } else { user };
    let token = token.filter(|_| is_key).map(TokenHash::of);
    has_valid_length(name).then(|| {
        let name = name.to_owned();
        let presented =
            if is_key { PresentedCredential::AccessKey(name) } else { PresentedCredential::GitUserName(name) };
        Credentials { presented, region: None, token }
    })
}

/// Decodes the `USER:PASSWORD` of an `Authorization` header.
fn user_and_password(authorization: &str) -> Option<String> {
    let (scheme, encoded) = authorization.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()
}

fn has_valid_length(name: &str) -> bool {
    (1..=NAME_BYTES_MAX).contains(&name.len())
}
