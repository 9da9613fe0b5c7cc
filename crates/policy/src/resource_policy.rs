//! Policies of resources, such as a bucket's: who may do what with the resource and what is in it.

use crate::facts::Keys;
use crate::json::Node;
use crate::malformed::{Fault, Malformed};
use crate::parser::Parser;
use crate::request::Request;
use crate::statement::{Actions, Effect, Elements, Resources, Rule, Statement};
use crate::trust::{Principal, Principals, Trust, decide, parse_principals, parse_statements};

/// The policy of a resource.
#[derive(Debug, Clone)]
pub struct ResourcePolicy {
    statements: Vec<(Principals, Statement)>,
    /// The texts of all resources, as they are written.
    resources: Vec<String>,
    keys: Keys,
}

impl ResourcePolicy {
    /// Parses a policy, whose statements have principals and resources. The time is linear in the length of the text, which the caller
    /// limits.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        let mut resources = Vec::new();
        let parse = |node: &Node, start, parser: &mut Parser<'_>| parse_statement(node, start, parser, &mut resources);
        let (statements, keys) = parse_statements(text, Fault::MissingField("Statement"), parse)?;
        Ok(Self { statements, resources, keys })
    }

    /// Lists the resources of all statements, as they are written.
    pub fn resources(&self) -> impl Iterator<Item = &str> {
        self.resources.iter().map(String::as_str)
    }

    /// Returns the context keys that the policy refers to.
    pub fn keys(&self) -> &Keys {
        &self.keys
    }

    /// Tells whether a statement allows something to everybody without a condition.
    pub fn is_public(&self) -> bool {
        let is_open = |(principals, statement): &(Principals, Statement)| {
            statement.effect() == Effect::Allow && principals.are_everybody() && statement.rule.conditions.is_empty()
        };
        self.statements.iter().any(is_open)
    }

    /// Decides about a request of a caller; `None` if no statement matches both.
    pub fn decide(&self, request: &Request<'_>, caller: &Principal<'_>) -> Option<Trust> {
        decide(&self.statements, request, caller)
    }
}

fn parse_statement(
    node: &Node,
    start: usize,
    parser: &mut Parser<'_>,
    all_resources: &mut Vec<String>,
) -> Result<(Principals, Statement), Malformed> {
    let missing = Fault::MissingField;
    let elements = Elements::read(node, parser)?;
    let effect = elements.effect(node, missing("Effect"), parser)?;
    let principals = parse_principals(&elements, effect, node, parser)?;
    let actions = match (elements.action, elements.not_action) {
        (Some(actions), _) => Actions::parse(actions, false, missing("Action"), parser)?,
        (None, Some(actions)) => Actions::parse(actions, true, missing("Action"), parser)?,
        (None, None) => return Err(parser.fail(node, missing("Action"))),
    };
    let (resources, is_negated) = match (elements.resource, elements.not_resource) {
        (Some(resources), _) => (resources, false),
        (None, Some(resources)) => (resources, true),
        (None, None) => return Err(parser.fail(node, missing("Resource"))),
    };
    all_resources.extend(parser.texts(resources)?.into_iter().map(str::to_owned));
    let resources = Resources::parse(resources, is_negated, parser)?;
    let rule = Rule { effect, actions, resources, conditions: elements.conditions(parser)? };
    Ok((principals, Statement::new(elements.sid(parser)?, rule, start..node.end, &parser.lines)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Context;

    /// The policy of the CloudTrail user guide for the bucket of a trail.
    const POLICY: &str = r#"{
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "AWSCloudTrailAclCheck20150319",
                "Effect": "Allow",
                "Principal": {"Service": "cloudtrail.amazonaws.com"},
                "Action": "s3:GetBucketAcl",
                "Resource": "arn:aws:s3:::amzn-s3-demo-bucket",
                "Condition": {"StringEquals": {"aws:SourceArn": "arn:aws:cloudtrail:us-east-1:111122223333:trail/MyTrail"}}
            },
            {
                "Sid": "AWSCloudTrailWrite20150319",
                "Effect": "Allow",
                "Principal": {"Service": "cloudtrail.amazonaws.com"},
                "Action": "s3:PutObject",
                "Resource": "arn:aws:s3:::amzn-s3-demo-bucket/logs/AWSLogs/111122223333/*",
                "Condition": {"StringEquals": {"s3:x-amz-acl": "bucket-owner-full-control"}}
            },
            {
                "Effect": "Deny",
                "NotPrincipal": {"AWS": "arn:aws:iam::111122223333:user/Mary"},
                "Action": "s3:Delete*",
                "NotResource": "arn:aws:s3:::amzn-s3-demo-bucket/scratch/*"
            }
        ]
    }"#;

    #[test]
    fn a_statement_decides_for_its_principals_actions_resources_and_conditions() {
        let policy = ResourcePolicy::parse(POLICY).expect("the policy is well-formed");
        let mut facts = Context::default();
        facts.set("s3:x-amz-acl", "bucket-owner-full-control");
        let service = Principal::Service("cloudtrail.amazonaws.com");
        let decide = |action, key: &str, principal: &Principal<'_>| {
            let resource = format!("arn:aws:s3:::amzn-s3-demo-bucket{key}");
            policy.decide(&Request::new(action, &resource, &facts), principal)
        };
        let file = "/logs/AWSLogs/111122223333/CloudTrail/file";
        assert_eq!(decide("s3:PutObject", file, &service), Some(Trust::Principal));
        assert_eq!(decide("s3:PutObject", "/AWSLogs/111122223333/file", &service), None);
        assert_eq!(decide("s3:GetBucketAcl", "", &service), None, "the source ARN is missing");
        assert_eq!(decide("s3:PutObject", file, &Principal::Service("config.amazonaws.com")), None);
        let [mary, bob] = ["Mary", "Bob"].map(|name| format!("arn:aws:iam::111122223333:user/{name}"));
        for (user, key, expected) in
            [(&mary, "/a", None), (&bob, "/a", Some(Trust::Denied)), (&bob, "/scratch/a", None)]
        {
            let names = [user.as_str()];
            let principal = Principal::Aws { account: "111122223333", names: &names };
            assert_eq!(decide("s3:DeleteObject", key, &principal), expected, "{user} {key}");
        }
        assert!(!policy.is_public());
        assert_eq!(policy.resources().last(), Some("arn:aws:s3:::amzn-s3-demo-bucket/scratch/*"));
    }

    #[test]
    fn a_statement_for_everybody_without_a_condition_is_public() {
        let public = |principal: &str, condition: &str| {
            let text = format!(
                r#"{{"Statement": {{"Effect": "Allow", "Principal": {principal}, "Action": "s3:*", "Resource": "arn:aws:s3:::b/*"{condition}}}}}"#
            );
            ResourcePolicy::parse(&text).expect("the policy is well-formed").is_public()
        };
        assert!(public("\"*\"", "") && public("{\"AWS\": \"*\"}", ""));
        assert!(!public("{\"AWS\": \"111122223333\"}", ""));
        assert!(!public("\"*\"", r#", "Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}"#));
    }

    #[test]
    fn a_statement_needs_its_elements() {
        let whole = r#""Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": "*""#;
        assert!(ResourcePolicy::parse(&format!(r#"{{"Statement": [{{{whole}}}]}}"#)).is_ok());
        for (element, fault) in [
            (r#""Effect": "Allow", "#, "Effect"),
            (r#""Principal": "*", "#, "Principal"),
            (r#""Action": "s3:*", "#, "Action"),
            (r#", "Resource": "*""#, "Resource"),
        ] {
            let text = format!(r#"{{"Statement": [{{{}}}]}}"#, whole.replace(element, ""));
            let error = ResourcePolicy::parse(&text).expect_err("an element is missing");
            assert_eq!(error.to_string(), format!("Missing required field {fault}"), "{text}");
        }
        assert!(ResourcePolicy::parse("{").is_err() && ResourcePolicy::parse(r#"{"Statement": []}"#).is_err());
    }
}
