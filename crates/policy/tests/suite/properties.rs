//! Properties of evaluation over random documents and requests.

use std::sync::Arc;

use policy::{Context, Document, Effect, PolicySet, Request, TrustPolicy};
use proptest::prelude::*;
use proptest::sample::select;

use crate::entries;

const ACTIONS: [&str; 9] = [
    "*",
    "codecommit:*",
    "codecommit:Get*",
    "codecommit:getbranch",
    "CodeCommit:GitPush",
    "*:GitPull",
    "codecommit:?itPull",
    "codecommit:*Branch",
    "s3:*",
];

const RESOURCES: [&str; 10] = [
    "*",
    "arn:aws:codecommit",
    "arn:aws:codecommit:*:*:*",
    "arn:aws:codecommit:us-east-2:111111111111:MyDemoRepo",
    "arn:aws:codecommit:us-east-2:111111111111:MyDemo*",
    "arn:aws:codecommit:us-east-2:111111111111:M*",
    "arn:aws:codecommit:us-*:111111111111:?yDemoRepo",
    "arn:aws:codecommit:us-east-2:111111111111:${aws:username}",
    "arn:aws:codecommit:us-east-2:111111111111:${aws:userid, 'MyDemoRepo'}",
    "arn:aws:codecommit:us-east-2:222222222222:MyDemoRepo",
];

const CONDITIONS: [&str; 8] = [
    "{}",
    r#"{"StringEquals": {"aws:username": "MyDemoRepo"}}"#,
    r#"{"StringEquals": {"aws:TagKeys": ["a1", "c"], "aws:username": ["Li", "*"]}}"#,
    r#"{"StringEquals": {"aws:username": []}}"#,
    r#"{"StringNotEquals": {"aws:username": ["MyDemoRepo", "Li"]}}"#,
    r#"{"StringEqualsIfExists": {"codecommit:References": "refs/heads/main"}}"#,
    r#"{"ForAnyValue:StringLike": {"aws:TagKeys": ["a*", "b"]}, "Bool": {"aws:SecureTransport": true}}"#,
    r#"{"IpAddress": {"aws:SourceIp": "127.0.0.0/8"}, "Null": {"codecommit:References": true}}"#,
];

const REQUESTED_ACTIONS: [&str; 4] =
    ["codecommit:GetBranch", "codecommit:GitPush", "codecommit:GitPull", "s3:GetObject"];

const REQUESTED_RESOURCES: [&str; 5] = [
    "*",
    "arn:aws:codecommit:us-east-2:111111111111:MyDemoRepo",
    "arn:aws:codecommit:us-east-2:111111111111:MyDemoRepo2",
    "arn:aws:codecommit:us-east-2:222222222222:MyDemoRepo",
    "arn:aws:s3:::bucket/key",
];

/// Writes a statement. Now and then it has many actions and resources, which are indexed in another way.
fn any_statement(effect: impl Strategy<Value = &'static str>) -> impl Strategy<Value = String> {
    let lists =
        (prop::collection::vec(select(&ACTIONS[..]), 1..12), prop::collection::vec(select(&RESOURCES[..]), 1..12));
    let names = (select(&["Action", "Action", "NotAction"][..]), select(&["Resource", "Resource", "NotResource"][..]));
    (effect, lists, names, select(&CONDITIONS[..])).prop_map(|(effect, (actions, resources), names, condition)| {
        let (action, resource) = names;
        format!(
            r#"{{"Effect": "{effect}", "{action}": {actions:?}, "{resource}": {resources:?}, "Condition": {condition}}}"#
        )
    })
}

fn any_effect() -> impl Strategy<Value = &'static str> {
    select(&["Allow", "Allow", "Deny"][..])
}

fn any_document() -> impl Strategy<Value = String> {
    let version = select(&["2008-10-17", "2012-10-17"][..]);
    (version, prop::collection::vec(any_statement(any_effect()), 1..4))
        .prop_map(|(version, statements)| write(version, &statements))
}

fn write(version: &str, statements: &[String]) -> String {
    format!(r#"{{"Version": "{version}", "Statement": [{}]}}"#, statements.join(", "))
}

fn any_facts() -> impl Strategy<Value = Context> {
    let username = prop::option::of(select(&["MyDemoRepo", "Li", "*"][..]));
    let reference = prop::option::of(select(&["refs/heads/main", "refs/heads/dev"][..]));
    let tags = prop::option::of(prop::collection::vec(select(&["a1", "b", "c", ""][..]), 0..3));
    let address = select(&["127.0.0.1", "192.0.2.1", "unknown"][..]);
    (username, reference, tags, address, any::<bool>()).prop_map(|(username, reference, tags, address, is_secure)| {
        let mut facts = Context::default();
        facts.set("aws:SourceIp", address).set("aws:SecureTransport", is_secure.to_string());
        if let Some(name) = username {
            facts.set("aws:username", name);
        }
        if let Some(reference) = reference {
            facts.set("codecommit:References", reference);
        }
        if let Some(tags) = tags {
            facts.set_many("aws:TagKeys", tags);
        }
        facts
    })
}

/// JSON of the words of the policy language, in any order.
fn any_json() -> impl Strategy<Value = serde_json::Value> {
    let words = [
        "Allow",
        "Deny",
        "*",
        "2012-10-17",
        "codecommit:GitPush",
        "sts:AssumeRole",
        "arn:aws:codecommit:*:*:*",
        "2020-04-01",
        "x",
    ];
    let names = [
        "Version",
        "Statement",
        "Effect",
        "Action",
        "NotAction",
        "Resource",
        "NotResource",
        "Principal",
        "NotPrincipal",
        "Condition",
        "StringEquals",
        "ForAllValues:StringLike",
        "DateLessThan",
        "Null",
        "aws:username",
        "AWS",
        "Sid",
    ];
    let leaf = prop_oneof![
        8 => select(words.to_vec()).prop_map(Into::into),
        1 => any::<bool>().prop_map(Into::into),
        1 => any::<f64>().prop_map(Into::into),
        1 => Just(serde_json::Value::Null),
    ];
    leaf.prop_recursive(6, 60, 8, move |inner| {
        prop_oneof![
            1 => prop::collection::vec(inner.clone(), 0..4).prop_map(Into::into),
            3 => prop::collection::btree_map(select(names.to_vec()).prop_map(str::to_owned), inner, 1..8)
                .prop_map(|map| map.into_iter().collect()),
        ]
    })
}

fn parse(text: &str) -> Document {
    Document::parse(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

fn set(documents: &[Document]) -> PolicySet {
    PolicySet::new(documents.iter().cloned().map(Arc::new))
}

/// Decides by every document on its own.
fn decide_naively(documents: &[Document], request: &Request<'_>) -> Option<Effect> {
    let effects: Vec<_> = documents.iter().filter_map(|document| document.decide(request)).collect();
    if effects.contains(&Effect::Deny) { Some(Effect::Deny) } else { effects.first().copied() }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]

    #[test]
    fn a_set_decides_as_its_documents_do(
        texts in prop::collection::vec(any_document(), 0..6),
        action in select(&REQUESTED_ACTIONS[..]),
        resource in select(&REQUESTED_RESOURCES[..]),
        facts in any_facts(),
    ) {
        let documents: Vec<_> = texts.iter().map(|text| parse(text)).collect();
        let request = Request::new(action, resource, &facts);
        let set = set(&documents);
        let expected = decide_naively(&documents, &request);
        prop_assert_eq!(set.decide(&request), expected);
        let matching = set.matching_statements(&request);
        let effects: Vec<_> = matching.iter().map(|matched| matched.statement.effect()).collect();
        prop_assert_eq!(expected.is_some(), !effects.is_empty());
        prop_assert_eq!(expected == Some(Effect::Deny), effects.contains(&Effect::Deny));
    }

    #[test]
    fn a_deny_wins_and_an_allow_never_denies(
        version in select(&["2008-10-17", "2012-10-17"][..]),
        statements in prop::collection::vec(any_statement(any_effect()), 1..5),
        added in any_statement(Just("Allow")),
        action in select(&REQUESTED_ACTIONS[..]),
        resource in select(&REQUESTED_RESOURCES[..]),
        facts in any_facts(),
    ) {
        let request = Request::new(action, resource, &facts);
        let decide = |added: &str| {
            let statements: Vec<_> = statements.iter().cloned().chain([added.to_owned()]).collect();
            parse(&write(version, &statements)).decide(&request)
        };
        let before = parse(&write(version, &statements)).decide(&request);
        prop_assert_eq!(decide(r#"{"Effect": "Deny", "Action": "*", "Resource": "*"}"#), Some(Effect::Deny));
        let after = decide(&added);
        prop_assert_eq!(after == Some(Effect::Deny), before == Some(Effect::Deny));
        prop_assert!(before.is_none() || after == before);
    }

    #[test]
    fn damaged_documents_do_no_harm(text in any_document(), at: prop::sample::Index, damage in "[\"\\[\\]{}:,*$?a0 ]{0,4}", cut in 0..9usize) {
        let at = at.index(text.len());
        let end = (at + cut).min(text.len());
        let damaged = format!("{}{damage}{}", text.get(..at).unwrap_or_default(), text.get(end..).unwrap_or_default());
        entries::evaluate(damaged.as_bytes());
        entries::evaluate(damaged.replace("Resource", "Principal").as_bytes());
    }

    #[test]
    fn any_operand_and_value_can_be_compared(
        operator in "(ForAllValues:|ForAnyValue:)?(String(Not)?(Equals|Like|EqualsIgnoreCase)|Numeric(Equals|LessThan)|Bool|(Not)?IpAddress|Arn(Not)?Like|BinaryEquals|Date(Equals|LessThan))(IfExists)?",
        operands in prop::collection::vec("[0-9a:./*?$\\{\\}TZ,' -]{0,24}|.*", 0..3),
        values in prop::collection::vec("[0-9a:./*TZ-]{0,24}|.*", 0..3),
    ) {
        let operands = serde_json::Value::from(operands);
        let text = format!(
            r#"{{"Version": "2012-10-17", "Statement": {{"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {{"{operator}": {{"aws:k": {operands}}}}}}}}}"#
        );
        let mut facts = Context::default();
        facts.set_many("aws:k", values);
        if let Ok(document) = Document::parse(&text) {
            document.decide(&Request::new("a:b", "*", &facts));
        }
    }

    #[test]
    fn any_json_does_no_harm(value in any_json(), statement in any_json()) {
        entries::evaluate(value.to_string().as_bytes());
        let document = serde_json::json!({"Version": "2012-10-17", "Statement": statement});
        entries::evaluate(document.to_string().as_bytes());
    }

    #[test]
    fn any_text_can_be_parsed(text in ".{0,60}") {
        prop_assert!(Document::parse(&text).is_err() && TrustPolicy::parse(&text).is_err());
    }
}
