//! SAML assertions: what a provider says of somebody, which is believed without looking at its signature.

use aws::Timestamp;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use roxmltree::{Document, Node};

use crate::Exception;
use crate::sts::tags::{SessionTags, Tag};

const ATTRIBUTES: &str = "https://aws.amazon.com/SAML/Attributes/";

/// What the name of a session tag's attribute begins with; the tag's key follows.
const TAG: &str = "PrincipalTag:";

/// What an assertion says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Assertion {
    pub(crate) id: String,
    pub(crate) issuer: String,
    pub(crate) subject: String,
    /// `persistent`, `transient`, or the whole format of the name.
    pub(crate) subject_type: String,
    /// Where it is to be shown.
    pub(crate) audience: String,
    /// The first moment at which it is too old.
    pub(crate) expires: Option<Timestamp>,
    /// Pairs of a role's and a provider's ARN, in either order.
    pub(crate) roles: Vec<String>,
    pub(crate) session_name: String,
    pub(crate) duration_seconds: Option<i64>,
    pub(crate) source_identity: Option<String>,
    pub(crate) tags: SessionTags,
}

impl Assertion {
    /// Reads a response in base64; what it does not say is empty.
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
        let confirmed = |name: &str| confirmation.and_then(|it| it.attribute(name));
        let named = |name: &str| attribute(assertion, name);
        let first = |name: &str| named(name).into_iter().next();
        Ok(Self {
            id: assertion.attribute("ID").unwrap_or_default().to_owned(),
            issuer: find(assertion, "Issuer").map(text).unwrap_or_default(),
            subject: name.map(text).unwrap_or_default(),
            subject_type: format
                .strip_prefix("urn:oasis:names:tc:SAML:2.0:nameid-format:")
                .unwrap_or(format)
                .to_owned(),
            audience: confirmed("Recipient").unwrap_or_default().to_owned(),
            expires: confirmed("NotOnOrAfter").and_then(moment),
            roles: named("Role"),
            session_name: first("RoleSessionName").unwrap_or_default(),
            duration_seconds: first("SessionDuration").and_then(|text| text.parse().ok()),
            source_identity: first("SourceIdentity"),
            tags: SessionTags { tags: tags(assertion), transitive_keys: named("TransitiveTagKeys") },
        })
    }

    /// Says whether it gives somebody a role through a provider.
    pub(crate) fn gives(&self, role_arn: &str, provider_arn: &str) -> bool {
        self.roles.iter().filter_map(|pair| pair.split_once(',')).any(|(one, other)| {
            let pair = [one.trim(), other.trim()];
            pair == [role_arn, provider_arn] || pair == [provider_arn, role_arn]
        })
    }
}

fn find<'a, 'i>(node: Node<'a, 'i>, name: &str) -> Option<Node<'a, 'i>> {
    node.descendants().find(|it| it.is_element() && it.tag_name().name() == name)
}

fn text(node: Node<'_, '_>) -> String {
    node.text().unwrap_or_default().trim().to_owned()
}

/// AWS's attributes, with their names.
fn attributes<'a, 'i>(assertion: Node<'a, 'i>) -> impl Iterator<Item = (&'a str, Node<'a, 'i>)> {
    let attributes = assertion.descendants().filter(|node| node.tag_name().name() == "Attribute");
    attributes.filter_map(|node| Some((node.attribute("Name")?.strip_prefix(ATTRIBUTES)?, node)))
}

fn values(attribute: Node<'_, '_>) -> impl Iterator<Item = String> {
    attribute.children().filter(Node::is_element).map(text)
}

/// The values of one of AWS's attributes.
fn attribute(assertion: Node<'_, '_>, name: &str) -> Vec<String> {
    let named = attributes(assertion).filter(|(it, _)| *it == name);
    named.flat_map(|(_, node)| values(node)).filter(|value| !value.is_empty()).collect()
}

/// The session tags; a tag's value may be empty.
fn tags(assertion: Node<'_, '_>) -> Vec<Tag> {
    let tag = |(name, node): (&str, _)| {
        let key = name.strip_prefix(TAG)?.to_owned();
        Some(Tag { key, value: values(node).next().unwrap_or_default() })
    };
    attributes(assertion).filter_map(tag).collect()
}

/// Reads a time of XML, which is in UTC here and may have fractions of a second.
fn moment(time: &str) -> Option<Timestamp> {
    Timestamp::from_iso(&format!("{}Z", time.get(..19)?))
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;

    use super::{Assertion, SessionTags, Tag};

    #[test]
    fn an_assertion_tells_who_may_have_what() {
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
        let read = Assertion::read(&STANDARD.encode(xml)).expect("it is well formed");
        assert_eq!((read.id.as_str(), read.issuer.as_str(), read.subject.as_str()), ("_1", "https://idp", "ana"));
        assert_eq!((read.subject_type.as_str(), read.session_name.as_str()), ("persistent", "Ana"));
        assert!(read.gives("r", "p") && read.gives("s", "q") && !read.gives("r", "s"));
        let tag = |key: &str, value: &str| Tag { key: key.to_owned(), value: value.to_owned() };
        let tags =
            SessionTags { tags: vec![tag("Team", "Blue"), tag("Empty", "")], transitive_keys: vec!["Team".to_owned()] };
        assert_eq!(read.tags, tags);
        assert_eq!(read.expires.expect("it has an end").iso(), "2030-01-01T00:00:00Z");
    }

    #[test]
    fn what_is_no_assertion_is_refused() {
        for text in ["%", "", "<a", "<a/>", "<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>"] {
            assert!(Assertion::read(&STANDARD.encode(text)).is_err(), "{text}");
        }
        assert!(Assertion::read("%").is_err());
    }
}
