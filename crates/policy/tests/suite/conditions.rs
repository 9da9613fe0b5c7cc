//! Conditions: operators, quantifiers and missing keys.

use policy::Context;

use crate::{REPOSITORY, allow, decide, facts};

fn holds(condition: &str, facts: &Context) -> bool {
    let document = allow(&format!(r#""Action": "*", "Resource": "*", "Condition": {condition}"#));
    decide(&document, "codecommit:GitPull", REPOSITORY, facts).is_some()
}

/// Checks one operator: the JSON of its operands, the value of the request, the result.
fn check(operator: &str, cases: &[(&str, &str, bool)]) {
    for (operands, value, expected) in cases {
        let condition = format!(r#"{{"{operator}": {{"aws:Key": {operands}}}}}"#);
        assert_eq!(holds(&condition, &facts(&[("AWS:key", value)])), *expected, "{condition} of {value:?}");
    }
}

#[test]
fn texts() {
    check(
        "StringEquals",
        &[
            (r#""a""#, "a", true),
            (r#""a""#, "A", false),
            (r#""a*""#, "ab", false),
            (r#""a*""#, "a*", true),
            (r#"["x", "a"]"#, "a", true),
            ("[]", "a", false),
            ("7", "7", true),
            ("true", "true", true),
            (r#""${*}""#, "*", true),
        ],
    );
    check("StringNotEquals", &[(r#"["x", "a"]"#, "a", false), (r#"["x", "y"]"#, "a", true), ("[]", "a", true)]);
    check("StringEqualsIgnoreCase", &[(r#""Äa""#, "äA", true), (r#""a""#, "b", false)]);
    check("StringNotEqualsIgnoreCase", &[(r#""A""#, "a", false), (r#""a""#, "b", true)]);
    check(
        "StringLike",
        &[
            (r#""refs/heads/*""#, "refs/heads/a/b", true),
            (r#""refs/heads/?""#, "refs/heads/ab", false),
            (r#""*main""#, "refs/heads/main", true),
            (r#""${*}""#, "a", false),
        ],
    );
    check("StringNotLike", &[(r#"["a*", "b*"]"#, "bc", false), (r#"["a*", "b*"]"#, "cd", true)]);
}

#[test]
fn numbers() {
    check(
        "NumericEquals",
        &[("10", "10.0", true), (r#""10""#, "010", true), ("10", "ten", false), (r#""ten""#, "ten", false)],
    );
    check("NumericNotEquals", &[("10", "11", true), ("10", "10", false), ("[10, 11]", "11", false)]);
    check(
        "NumericLessThan",
        &[("10", "9", true), ("10", "10", false), ("10", "-11", true), (r#""10.5""#, "10.49", true)],
    );
    check("NumericLessThanEquals", &[("10", "10", true), ("10", "10.01", false)]);
    check("NumericGreaterThan", &[("10", "9", false), ("10", "100", true)]);
    check("NumericGreaterThanEquals", &[("10", "10", true), ("-10", "-10.5", false)]);
}

#[test]
fn dates() {
    check(
        "DateEquals",
        &[(r#""2020-04-01T12:30:15Z""#, "1585744215", true), (r#""2020-04-01""#, "2020-04-01T00:00:01Z", false)],
    );
    check("DateNotEquals", &[(r#""2020-04-01""#, "2020-04-02", true)]);
    check("DateLessThan", &[(r#""2020-04-01T14:00:00+02:00""#, "2020-04-01T11:59:59Z", true)]);
    check(
        "DateLessThanEquals",
        &[(r#""2020""#, "2020-01-01T00:00:00Z", true), (r#""2020""#, "2020-01-01T00:00:00.1Z", false)],
    );
    check(
        "DateGreaterThan",
        &[("1585744215", "2020-04-01T12:30:16Z", true), (r#""1585744215""#, "2020-04-01T12:30:15Z", false)],
    );
    check("DateGreaterThanEquals", &[(r#""2020-04-01T12:30:15Z""#, "1585744215", true), (r#""2020""#, "today", false)]);
}

#[test]
fn truth_values_binaries_and_missing_keys() {
    check(
        "Bool",
        &[
            ("true", "true", true),
            (r#""True""#, "TRUE", true),
            (r#""false""#, "true", false),
            (r#""yes""#, "yes", false),
            (r#"["true", "false"]"#, "false", true),
        ],
    );
    check("BinaryEquals", &[(r#""QmluYXJ5""#, "QmluYXJ5", true), (r#""QmluYXJ5""#, "qmluyxj5", false)]);
    for operand in ["false", r#""false""#, r#"["false"]"#, r#""FALSE""#] {
        check("Null", &[(operand, "x", true)]);
        assert!(!holds(&format!(r#"{{"Null": {{"aws:key": {operand}}}}}"#), &Context::default()));
    }
    check("Null", &[("true", "x", false), (r#"["true", "false"]"#, "x", true), (r#""x""#, "x", false)]);
    assert!(holds(r#"{"Null": {"aws:key": true}}"#, &Context::default()));
}

#[test]
fn networks() {
    check(
        "IpAddress",
        &[
            (r#""127.0.0.1""#, "127.0.0.1", true),
            (r#""203.0.113.0/24""#, "203.0.113.9", true),
            (r#"["203.0.113.0/24", "2001:db8::/32"]"#, "2001:db8::1", true),
            (r#""203.0.113.0/24""#, "198.51.100.1", false),
            (r#""anywhere""#, "127.0.0.1", false),
            (r#""0.0.0.0/0""#, "unknown", false),
        ],
    );
    check(
        "NotIpAddress",
        &[
            (r#"["203.0.113.0/24", "198.51.100.0/24"]"#, "198.51.100.1", false),
            (r#"["203.0.113.0/24", "198.51.100.0/24"]"#, "192.0.2.1", true),
            (r#""203.0.113.0/24""#, "unknown", true),
        ],
    );
}

#[test]
fn arns() {
    for operator in ["ArnEquals", "ArnLike"] {
        check(
            operator,
            &[
                (r#""arn:aws:codecommit:*:*:*""#, REPOSITORY, true),
                (r#""arn:aws:codecommit:*:MyDemoRepo""#, REPOSITORY, false),
                (r#""arn:aws:codecommit:us-east-2:111111111111:my*""#, REPOSITORY, false),
                (r#""arn:aws:iam::*:role/*""#, "arn:aws:iam::111111111111:role/path/name", true),
                (r#""arn:aws:iam::*:role/${aws:Key}""#, "arn:aws:iam::111111111111:role/x", false),
                (r#""${aws:Key}""#, REPOSITORY, true),
                (r#""*""#, "x", true),
            ],
        );
    }
    for operator in ["ArnNotEquals", "ArnNotLike"] {
        check(
            operator,
            &[(r#""arn:aws:codecommit:*:*:*""#, REPOSITORY, false), (r#""arn:aws:s3:::*""#, REPOSITORY, true)],
        );
    }
}

#[test]
fn a_missing_key_fails_positive_and_satisfies_negated_operators() {
    let none = Context::default();
    for (operator, operand) in [
        ("StringEquals", "x"),
        ("StringEqualsIgnoreCase", "x"),
        ("StringLike", "*"),
        ("NumericEquals", "1"),
        ("NumericLessThan", "1"),
        ("DateEquals", "2020"),
        ("DateGreaterThanEquals", "2020"),
        ("Bool", "true"),
        ("BinaryEquals", "QQ=="),
        ("IpAddress", "0.0.0.0/0"),
        ("ArnEquals", "*"),
        ("ArnLike", "*"),
    ] {
        let condition = |operator: &str| format!(r#"{{"{operator}": {{"aws:key": "{operand}"}}}}"#);
        assert!(!holds(&condition(operator), &none), "{operator}");
        assert!(holds(&condition(&format!("{operator}IfExists")), &none), "{operator}IfExists");
        assert!(holds(&condition(&format!("ForAllValues:{operator}")), &none), "ForAllValues:{operator}");
        assert!(!holds(&condition(&format!("ForAnyValue:{operator}")), &none), "ForAnyValue:{operator}");
        assert!(holds(&condition(&format!("ForAnyValue:{operator}IfExists")), &none), "ForAnyValue:{operator}IfExists");
    }
    for (operator, operand) in [
        ("StringNotEquals", "x"),
        ("StringNotEqualsIgnoreCase", "x"),
        ("StringNotLike", "*"),
        ("NumericNotEquals", "1"),
        ("DateNotEquals", "2020"),
        ("NotIpAddress", "0.0.0.0/0"),
        ("ArnNotEquals", "*"),
        ("ArnNotLike", "*"),
    ] {
        assert!(holds(&format!(r#"{{"{operator}": {{"aws:key": "{operand}"}}}}"#), &none), "{operator}");
        assert!(!holds(&format!(r#"{{"ForAnyValue:{operator}": {{"aws:key": "{operand}"}}}}"#), &none), "{operator}");
    }
}

#[test]
fn if_exists_tests_a_key_that_is_there() {
    check("StringEqualsIfExists", &[(r#""a""#, "a", true), (r#""a""#, "b", false)]);
    check("BoolIfExists", &[("true", "false", false)]);
}

#[test]
fn quantifiers_count_the_values_of_the_request() {
    let with = |values: &[&str]| {
        let mut facts = Context::default();
        facts.set_many("aws:TagKeys", values.iter().copied());
        facts
    };
    for (operator, operands, values, expected) in [
        ("ForAllValues:StringEquals", r#"["a", "b"]"#, ["a", "b"].as_slice(), true),
        ("ForAllValues:StringEquals", r#"["a", "b"]"#, &["a", "c"], false),
        ("ForAllValues:StringEquals", r#"["a", "b"]"#, &[], true),
        ("ForAllValues:StringEquals", r#"["a", "b"]"#, &[""], true),
        ("ForAllValues:StringNotLike", r#""key1*""#, &["key1:hr", "key1:personnel"], false),
        ("ForAllValues:StringNotLike", r#""key1*""#, &["key2:audit"], true),
        ("ForAllValues:StringNotLike", r#""key1*""#, &["key1:hr", "key2:audit"], false),
        ("ForAnyValue:StringEquals", r#"["a", "b"]"#, &["x", "b"], true),
        ("ForAnyValue:StringEquals", r#"["a", "b"]"#, &["x", "y"], false),
        ("ForAnyValue:StringEquals", r#"["a", "b"]"#, &[], false),
        ("ForAnyValue:StringNotEquals", r#"["a", "b"]"#, &["a", "x"], true),
        ("ForAnyValue:StringNotEquals", r#"["a", "b"]"#, &["a", "b"], false),
        ("StringEquals", r#"["a", "b"]"#, &["x", "b"], true),
        ("StringNotEquals", r#"["a", "b"]"#, &["x", "b"], false),
        ("Null", "true", &[], true),
        ("Null", "false", &["a"], true),
    ] {
        let condition = format!(r#"{{"{operator}": {{"aws:TagKeys": {operands}}}}}"#);
        assert_eq!(holds(&condition, &with(values)), expected, "{condition} of {values:?}");
    }
}

#[test]
fn operators_and_keys_must_all_hold() {
    let facts = facts(&[("aws:a", "1"), ("aws:b", "2")]);
    assert!(holds(
        r#"{"StringEquals": {"aws:a": "1", "aws:b": "2"}, "Bool": {}, "NumericLessThan": {"aws:a": 2}}"#,
        &facts
    ));
    assert!(!holds(r#"{"StringEquals": {"aws:a": "1", "aws:b": "3"}}"#, &facts));
    assert!(!holds(r#"{"StringEquals": {"aws:a": "1"}, "NumericGreaterThan": {"aws:b": 2}}"#, &facts));
    assert!(holds("{}", &facts));
}

#[test]
fn variables_are_values_of_texts() {
    let facts = facts(&[("aws:username", "Mary"), ("aws:ResourceTag/Owner", "mary"), ("aws:PrincipalTag/Glob", "m*")]);
    for (condition, expected) in [
        (r#"{"StringEquals": {"aws:resourcetag/OWNER": "${aws:username}"}}"#, false),
        (r#"{"StringEqualsIgnoreCase": {"aws:ResourceTag/Owner": "${aws:username}"}}"#, true),
        (r#"{"StringLike": {"aws:ResourceTag/Owner": "${aws:PrincipalTag/glob}"}}"#, false),
        (r#"{"StringLike": {"aws:PrincipalTag/Glob": "${aws:PrincipalTag/glob}"}}"#, true),
        (r#"{"StringEquals": {"aws:username": "${aws:userid}"}}"#, false),
        (r#"{"StringNotEquals": {"aws:username": "${aws:userid}"}}"#, true),
        (r#"{"StringEquals": {"aws:username": "${aws:userid, 'Mary'}"}}"#, true),
        (r#"{"NumericEquals": {"aws:username": "${aws:username}"}}"#, false),
    ] {
        assert_eq!(holds(condition, &facts), expected, "{condition}");
    }
}
