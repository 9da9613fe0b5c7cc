//! SAML assertions. Their signatures are not verified.

use aws::Timestamp;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use roxmltree::{Document, Node};

use crate::Exception;
use crate::sts::tags::{SessionTags, Tag};

/// Prefix of the names of AWS's attributes.
const ATTRIBUTES: &str = "https://aws.amazon.com/SAML/Attributes/";

/// Prefix of the attribute of a session tag; the key of the tag follows.
const TAG: &str = "PrincipalTag:";

/// The values of an assertion.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Assertion {
    pub(crate) id: String,
    pub(crate) issuer: String,
    pub(crate) subject: String,
    /// `persistent`, `transient`, or the whole format of the name.
    pub(crate) subject_type: String,
    /// The recipient of the assertion.
    pub(crate) audience: String,
    /// The time of expiry.
    pub(crate) expires: Option<Timestamp>,
    /// Pairs of the ARNs of a role and a provider, in either order.
    pub(crate) roles: Vec<String>,
    pub(crate) session_name: String,
    pub(crate) duration_seconds: Option<i64>,
    pub(crate) source_identity: Option<String>,
    pub(crate) tags: SessionTags,
}

impl Assertion {
    /// Parses a response in base64; missing values are empty.
    pub(crate) fn read(encoded: &str) -> Result<Self, Exception> {
        let invalid = |text: &str| Exception::InvalidIdentityToken(text.to_owned());
        let compact: String = encoded.split_ascii_whitespace().collect();
        let decoded = STANDARD.decode(compact).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let decoded = decoded.ok_or_else(|| invalid("Invalid base64 SAMLResponse"))?;
        let document = Document::parse(&decoded).map_err(|_| invalid("Invalid SAML response"))?;
        let assertion =
            find(document.root(), "Assertion").ok_or_else(|| invalid("Response does not contain an Assertion"))?;
        let name = find(assertion, "NameID");
        let format = name.and_then(|name| name.attribute("Format")).unwrap_or_default();
        let confirmation = find(assertion, "SubjectConfirmationData");
        let confirmed = |name: &str| confirmation.and_then(|node| node.attribute(name));
        let all = |name: &str| attribute(assertion, name);
        let first = |name: &str| all(name).into_iter().next();
        Ok(Self {
            id: assertion.attribute("ID").unwrap_or_default().to_owned(),
            issuer: find(assertion, "Issuer").map(text).unwrap_or_default(),
            subject: name.map(text).unwrap_or_default(),
            subject_type: format
                .strip_prefix("urn:oasis:names:tc:SAML:2.0:nameid-format:")
                .unwrap_or(format)
                .to_owned(),
            audience: confirmed("Recipient").unwrap_or_default().to_owned(),
            expires: confirmed("NotOnOrAfter").and_then(parse_time),
            roles: all("Role"),
            session_name: first("RoleSessionName").unwrap_or_default(),
            duration_seconds: first("SessionDuration").and_then(|text| text.parse().ok()),
            source_identity: first("SourceIdentity"),
            tags: SessionTags { tags: tags(assertion), transitive_keys: all("TransitiveTagKeys") },
        })
    }

    /// Returns whether the assertion grants a role through a provider.
    pub(crate) fn grants(&self, role_arn: &str, provider_arn: &str) -> bool {
        self.roles.iter().filter_map(|pair| pair.split_once(',')).any(|(one, other)| {
            let pair = [one.trim(), other.trim()];
            pair == [role_arn, provider_arn] || pair == [provider_arn, role_arn]
        })
    }
}

fn find<'a, 'i>(node: Node<'a, 'i>, name: &str) -> Option<Node<'a, 'i>> {
    node.descendants().find(|descendant| descendant.is_element() && descendant.tag_name().name() == name)
}

fn text(node: Node<'_, '_>) -> String {
    node.text().unwrap_or_default().trim().to_owned()
}

/// Returns AWS's attributes with their names.
fn attributes<'a, 'i>(assertion: Node<'a, 'i>) -> impl Iterator<Item = (&'a str, Node<'a, 'i>)> {
    let attributes = assertion.descendants().filter(|node| node.tag_name().name() == "Attribute");
    attributes.filter_map(|node| Some((node.attribute("Name")?.strip_prefix(ATTRIBUTES)?, node)))
}

fn values(attribute: Node<'_, '_>) -> impl Iterator<Item = String> {
    attribute.children().filter(Node::is_element).map(text)
}

/// Returns the values of one of AWS's attributes.
fn attribute(assertion: Node<'_, '_>, name: &str) -> Vec<String> {
    let matching = attributes(assertion).filter(|(other, _)| *other == name);
    matching.flat_map(|(_, node)| values(node)).filter(|value| !value.is_empty()).collect()
}

/// Returns the session tags; the value of a tag may be empty.
fn tags(assertion: Node<'_, '_>) -> Vec<Tag> {
    let tag = |(name, node): (&str, _)| {
        let key = name.strip_prefix(TAG)?.to_owned();
        Some(Tag { key, value: values(node).next().unwrap_or_default() })
    };
    attributes(assertion).filter_map(tag).collect()
}

/// Parses a time of XML, which is in UTC here and may have fractions of a second.
fn parse_time(time: &str) -> Option<Timestamp> {
    Timestamp::from_iso(&format!("{}Z", time.get(..19)?))
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;

    use super::{Assertion, SessionTags, Tag};

    #[test]
    fn an_assertion_is_read_with_its_roles_and_tags() {
        let xml = r#"<p:Response xmlns:p="urn:p" xmlns="urn:a"><Issuer>other</Issuer><Assertion ID="_1"><Issuer> https://idp </Issuer>
            <Subject><NameID Format="urn:oasis:names:tc:SAML:2.0:nameid-format:persistent">ana</NameID><SubjectConfirmation>
            <SubjectConfirmationData NotOnOrAfter="2030-01-01T00:00:00.5Z" Recipient="https://signin.aws.amazon.com/saml"/>
            </SubjectConfirmation></Subject><AttributeStatement>
            <Attribute Name="https://aws.amazon.com/SAML/Attributes/Role"><AttributeValue>r,p</AttributeValue>
            <AttributeValue>q, s</AttributeValue></Attribute>
            <Attribute Name="https://aws.amazon.com/SAML/Attributes/RoleSessionName"><AttributeValue>Ana</AttributeValue></Attribute>
            <Attribute Name="https://aws.amazon.com/SAML/Attributes/PrincipalTag:Team"><AttributeValue>Blue</AttributeValue></Attribute>
            <Attribute Name="https://aws.amazon.com/SAML/Attributes/PrincipalTag:Empty"><AttributeValue/></Attribute>
            <Attribute Name="https://aws.amazon.com/SAML/Attributes/TransitiveTagKeys"><AttributeValue>Team</AttributeValue></Attribute>
            </AttributeStatement></Assertion></p:Response>"#;
        let read = Assertion::read(&STANDARD.encode(xml)).expect("the assertion is well formed");
        assert_eq!((read.id.as_str(), read.issuer.as_str(), read.subject.as_str()), ("_1", "https://idp", "ana"));
        assert_eq!((read.subject_type.as_str(), read.session_name.as_str()), ("persistent", "Ana"));
        assert!(read.grants("r", "p") && read.grants("s", "q") && !read.grants("r", "s"));
        let tag = |key: &str, value: &str| Tag { key: key.to_owned(), value: value.to_owned() };
        let tags =
            SessionTags { tags: vec![tag("Team", "Blue"), tag("Empty", "")], transitive_keys: vec!["Team".to_owned()] };
        assert_eq!(read.tags, tags);
        assert_eq!(read.expires.expect("the assertion has an expiry").iso(), "2030-01-01T00:00:00Z");
    }

    #[test]
    fn a_text_that_is_no_assertion_is_refused() {
        for text in ["%", "", "<a", "<a/>", "<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>"] {
            assert!(Assertion::read(&STANDARD.encode(text)).is_err(), "{text}");
        }
        assert!(Assertion::read("%").is_err());
    }
}
