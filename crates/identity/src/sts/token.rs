//! Web identity tokens: the claims of a JWT. Signatures are not verified.

use aws::Timestamp;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use crate::Exception;
use crate::provider::WebToken;
use crate::sts::tags::{SessionTags, Tag};

/// The claim with the tags of a session, `{"principal_tags": {KEY: [VALUE]}, "transitive_tag_keys": [KEY]}`.
///
/// Issuers whose tokens cannot contain objects write `TAGS/principal_tags/KEY` and `TAGS/transitive_tag_keys` instead.
const TAGS: &str = "https://aws.amazon.com/tags";

/// The providers that every account has without declaring them, as on AWS.
const WELL_KNOWN: [&str; 4] =
    ["accounts.google.com", "cognito-identity.amazonaws.com", "graph.facebook.com", "www.amazon.com"];

/// The claims of a token.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Claims {
    /// The issuer: a URL without its scheme.
    pub(crate) provider: String,
    pub(crate) subject: String,
    pub(crate) audience: String,
    pub(crate) source_identity: Option<String>,
    pub(crate) tags: SessionTags,
    /// All claims by name; an opaque token has none.
    pub(crate) all: Map<String, Value>,
}

impl Claims {
    /// Reads a JWT that has not expired, or the declaration of an opaque token.
    pub(crate) fn read(token: &str, declared: &[WebToken], now: Timestamp) -> Result<Self, Exception> {
        if let Some(declared) = declared.iter().find(|declared| declared.token == token) {
            let WebToken { provider, subject, audience, .. } = declared;
            return Ok(Self {
                provider: without_scheme(provider),
                subject: subject.clone(),
                audience: audience.clone(),
                source_identity: None,
                tags: SessionTags::default(),
                all: Map::new(),
            });
        }
        let claims = claims(token).ok_or_else(|| {
            let text = "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)";
            Exception::InvalidIdentityToken(text.to_owned())
        })?;
        let text = |name: &str| claims.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
        let required = |name: &str| {
            let missing = || Exception::InvalidIdentityToken(format!("Missing a required claim: {name}"));
            text(name).map(str::to_owned).ok_or_else(missing)
        };
        let (issuer, subject) = (required("iss")?, required("sub")?);
        let audience = match claims.get("aud") {
            Some(Value::Array(all)) => text("azp").or_else(|| all.first()?.as_str()).unwrap_or_default().to_owned(),
            _ => required("aud")?,
        };
        let expires = claims.get("exp").and_then(Value::as_f64);
        let expires =
            expires.ok_or_else(|| Exception::InvalidIdentityToken("Missing a required claim: exp".to_owned()))?;
        let expires = Timestamp::from_seconds(expires);
        if expires <= now {
            let (now, expires) = (now.iso(), expires.iso());
            let text =
                format!("Token expired: current date/time {now} must be before the expiration date/time {expires}");
            return Err(Exception::ExpiredToken(text));
        }
        let source_identity = text("https://aws.amazon.com/source_identity").map(str::to_owned);
        let tags = tags(&claims).ok_or_else(|| Exception::InvalidIdentityToken(format!("Invalid claim: {TAGS}")))?;
        Ok(Self { provider: without_scheme(&issuer), subject, audience, source_identity, tags, all: claims })
    }

    /// Returns whether every account has the provider without declaring it.
    pub(crate) fn is_well_known(&self) -> bool {
        WELL_KNOWN.contains(&self.provider.as_str())
    }
}

fn without_scheme(url: &str) -> String {
    url.trim_start_matches("https://").trim_end_matches('/').to_owned()
}

/// Decodes the claims of `HEADER.CLAIMS.SIGNATURE`.
pub(crate) fn claims(token: &str) -> Option<Map<String, Value>> {
    let parts: Vec<&str> = token.split('.').collect();
    let [_, claims, _] = parts.as_slice() else { return None };
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims.trim_end_matches('=')).ok()?).ok()
}

/// Reads the tags of a session; `None` if they are malformed.
fn tags(claims: &Map<String, Value>) -> Option<SessionTags> {
    let none = Map::new();
    let object = |value: Option<&'_ Value>| value.map_or(Some(none.clone()), |value| value.as_object().cloned());
    let nested = object(claims.get(TAGS))?;
    let mut tags: Vec<(String, Value)> = object(nested.get("principal_tags"))?.into_iter().collect();
    tags.extend(claims.iter().filter_map(|(name, value)| {
        let key = name.strip_prefix(TAGS)?.strip_prefix("/principal_tags/")?;
        Some((key.to_owned(), value.clone()))
    }));
    let keys = nested.get("transitive_tag_keys").or_else(|| claims.get(&format!("{TAGS}/transitive_tag_keys")));
    let tag = |(key, value)| Some(Tag { key, value: texts(&value)?.into_iter().next().unwrap_or_default() });
    Some(SessionTags {
        tags: tags.into_iter().map(tag).collect::<Option<_>>()?,
        transitive_keys: keys.map_or(Some(Vec::new()), texts)?,
    })
}

/// Reads a text or a list of texts.
fn texts(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::String(text) => Some(vec![text.clone()]),
        Value::Array(texts) => texts.iter().map(|text| text.as_str().map(str::to_owned)).collect(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use aws::Timestamp;
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use serde_json::{Value, json};

    use super::{Claims, SessionTags, TAGS, Tag};

    fn read(claims: &Value) -> Result<Claims, String> {
        let token = format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims.to_string()));
        Claims::read(&token, &[], Timestamp::from_millis(1_000_000)).map_err(|error| error.to_string())
    }

    #[test]
    fn a_token_is_read_into_its_claims() {
        let claims =
            read(&json!({ "iss": "https://example.com/a/", "sub": "ana", "aud": ["one", "two"], "exp": 1001 }));
        let claims = claims.expect("the token is well formed");
        assert_eq!(
            (claims.provider.as_str(), claims.subject.as_str(), claims.audience.as_str()),
            ("example.com/a", "ana", "one")
        );
    }

    #[test]
    fn tags_are_read_in_both_forms() {
        let whole = json!({ "iss": "https://example.com", "sub": "ana", "aud": "one", "exp": 1001 });
        let with = |claims: Value| {
            let mut all = whole.clone();
            let claims = claims.as_object().expect("the claims are an object").clone();
            all.as_object_mut().expect("the claims are an object").extend(claims);
            read(&all).map(|claims| claims.tags)
        };
        let tag = Tag { key: "Team".to_owned(), value: "Blue".to_owned() };
        let expected = SessionTags { tags: vec![tag], transitive_keys: vec!["Team".to_owned()] };
        let nested = json!({ "principal_tags": { "Team": ["Blue"] }, "transitive_tag_keys": ["Team"] });
        assert_eq!(with(json!({ TAGS: nested })).as_ref(), Ok(&expected));
        let flat = json!({
            format!("{TAGS}/principal_tags/Team"): "Blue", format!("{TAGS}/transitive_tag_keys"): ["Team"],
        });
        assert_eq!(with(flat).as_ref(), Ok(&expected));
        for bad in [json!("x"), json!({ "principal_tags": [] }), json!({ "principal_tags": { "a": 1 } })] {
            assert_eq!(with(json!({ TAGS: bad })), Err(format!("Invalid claim: {TAGS}")));
        }
    }

    #[test]
    fn a_token_without_a_required_claim_is_refused() {
        let whole = json!({ "iss": "https://example.com", "sub": "ana", "aud": "one", "exp": 1001 });
        for claim in ["iss", "sub", "aud", "exp"] {
            let mut claims = whole.clone();
            claims.as_object_mut().expect("the claims are an object").remove(claim);
            assert_eq!(read(&claims), Err(format!("Missing a required claim: {claim}")));
        }
        let expired = read(&json!({ "iss": "https://example.com", "sub": "ana", "aud": "one", "exp": 1000 }));
        assert!(expired.expect_err("the token has expired").starts_with("Token expired"));
        for garbage in ["", "a.b", "a.b.c", "a.e30.c.d", "..", "é.é.é"] {
            assert!(Claims::read(garbage, &[], Timestamp::from_millis(0)).is_err(), "{garbage}");
        }
    }
}
