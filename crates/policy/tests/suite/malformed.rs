//! Documents that AWS refuses, and its messages.

use policy::{Document, Position, TrustPolicy};

fn message(text: &str) -> String {
    Document::parse(text).map_or_else(|error| error.to_string(), |_| "valid".to_owned())
}

/// Returns the message for a statement with the given elements.
fn statement(elements: &str) -> String {
    message(&format!(r#"{{"Version": "2012-10-17", "Statement": [{{{elements}}}]}}"#))
}

#[test]
fn syntax_errors() {
    for text in [
        "",
        "{",
        "[]",
        "null",
        "{}",
        r#"{"Statement": []}"#,
        r#"{"Statement": {}}"#,
        r#"{"Statement": "Allow"}"#,
        r#"{"Version": "2012-10-18", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}"#,
        r#"{"Version": 2012, "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}"#,
        r#"{"Id": 1, "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}"#,
        r#"{"Other": "", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}"#,
        r#"{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}, "Statement": {"Effect": "Allow"}}"#,
    ] {
        assert_eq!(message(text), "Syntax errors in policy.", "{text}");
    }
    for elements in [
        r#""Action": "*", "Resource": "*""#,
        r#""Effect": "Permit", "Action": "*", "Resource": "*""#,
        r#""Effect": "Allow", "Action": "*", "Resource": "*", "Other": 1"#,
        r#""effect": "Allow", "Action": "*", "Resource": "*""#,
        r#""Effect": "Allow", "Action": "*", "NotAction": "s3:*", "Resource": "*""#,
        r#""Effect": "Allow", "Action": "*", "Resource": "*", "NotResource": "arn:aws:s3:::b""#,
        r#""Effect": "Allow", "Action": 1, "Resource": "*""#,
        r#""Effect": "Allow", "Action": ["s3:*", null], "Resource": "*""#,
        r#""Effect": "Allow", "Action": "*", "Resource": {}"#,
        r#""Effect": "Allow", "Action": "*", "Resource": "*", "Sid": 1"#,
        r#""Effect": "Allow", "Action": "*", "Resource": "*", "Condition": []"#,
        r#""Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"StringEquals": "x"}"#,
        r#""Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"StringIs": {"aws:a": "x"}}"#,
        r#""Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"NullIfExists": {"aws:a": "x"}}"#,
        r#""Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"StringEquals": {"aws:a": null}}"#,
        r#""Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"StringEquals": {"aws:a": [["x"]]}}"#,
        r#""Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"Bool": {"aws:a": "x", "aws:a": "y"}}"#,
    ] {
        assert_eq!(statement(elements), "Syntax errors in policy.", "{elements}");
    }
}

#[test]
fn faults_of_statements() {
    let action = |action: &str| statement(&format!(r#""Effect": "Allow", "Action": {action}, "Resource": "*""#));
    let resource = |resource: &str| statement(&format!(r#""Effect": "Allow", "Action": "*", "Resource": {resource}"#));
    let vendor = "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.";
    let legacy = "The policy failed legacy parsing";
    assert_eq!(statement(r#""Effect": "allow", "Action": "*", "Resource": "*""#), legacy);
    assert_eq!(statement(r#""Effect": "Allow", "Resource": "*""#), "Policy statement must contain actions.");
    assert_eq!(action("[]"), "Policy statement must contain actions.");
    assert_eq!(action(r#""GitPull""#), vendor);
    assert_eq!(action(r#""""#), vendor);
    assert_eq!(action(r#""a:b:c""#), "Actions/Condition can contain only one colon.");
    assert_eq!(action(r#""code commit:GitPull""#), "Vendor code commit is not valid");
    assert_eq!(action(r#""code*:GitPull""#), "Vendor code* is not valid");
    assert_eq!(action(r#""no-such.service:Action""#), "valid");
    assert_eq!(statement(r#""Effect": "Allow", "Action": "*""#), "Policy statement must contain resources.");
    assert_eq!(resource("[]"), "Policy statement must contain resources.");
    assert_eq!(resource(r#""MyDemoRepo""#), r#"Resource MyDemoRepo must be in ARN format or "*"."#);
    let partition = r#"Partition "a" is not valid for resource "arn:a:codecommit:*:*:*"."#;
    assert_eq!(resource(r#""arn:a:codecommit""#), partition);
    let partition = r#"Partition "aws-x" is not valid for resource "arn:aws-x:codecommit:r:1:n:m"."#;
    assert_eq!(resource(r#""arn:aws-x:codecommit:r:1:n:m""#), partition);
    let vendor = "Resource vendor must be fully qualified and cannot contain regexes.";
    assert_eq!(resource(r#""arn:aws""#), vendor);
    assert_eq!(resource(r#""arn:aws:code*:r:1:n""#), vendor);
    assert_eq!(resource(r#""arn:aws::r:1:n""#), legacy);
    assert_eq!(resource(r#""urn:aws:codecommit:r:1:n""#), legacy);
    assert_eq!(resource(r#""arn:aws:s3::b""#), legacy);
    let region = "IAM resource arn:aws:iam:us-east-1:1:user/a cannot contain region information.";
    assert_eq!(resource(r#""arn:aws:iam:us-east-1:1:user/a""#), region);
    let region = "Resource arn:aws:s3:us-east-1::b can not contain region information.";
    assert_eq!(resource(r#""arn:aws:s3:us-east-1::b""#), region);
    assert!(
        resource(r#""arn:aws:iam::111111111111:u*""#)
            .starts_with(r#"IAM resource path must either be "*" or start with user/"#)
    );
    for valid in [
        "arn:aws:sqs",
        "arn:aws:iam::111111111111:*",
        "arn:aws:iam::*:user/${aws:username}",
        "arn:aws:iam::111111111111:root",
        "arn:aws:s3:::b/*",
        "arn:aws:s3:us-east-1:111111111111:accesspoint/a",
        "arn:*:codecommit:*:*:*",
        "arn:aws-cn:codecommit:*:*:*",
    ] {
        assert_eq!(resource(&format!(r#""{valid}""#)), "valid", "{valid}");
    }
    let principal = r#""Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*""#;
    assert_eq!(statement(principal), "Policy document should not specify a principal.");
}

#[test]
fn faults_of_sids_dates_and_versions() {
    let sids = |first: &str, second: &str| {
        let statement = |sid| format!(r#"{{"Sid": "{sid}", "Effect": "Allow", "Action": "*", "Resource": "*"}}"#);
        message(&format!(r#"{{"Statement": [{}, {}]}}"#, statement(first), statement(second)))
    };
    assert_eq!(sids("a", "a"), "Statement IDs (SID) in a single policy must be unique.");
    assert_eq!(sids("", ""), "valid");
    assert!(sids("a", "b c").starts_with("Statement IDs (SID) must be alpha-numeric."));
    let date = |date: &str| {
        let condition = format!(r#"{{"DateLessThan": {{"aws:CurrentTime": {date}}}}}"#);
        statement(&format!(r#""Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {condition}"#))
    };
    assert_eq!(date(r#""soon""#), "The policy failed legacy parsing");
    assert_eq!(date(r#"["2020-13-01"]"#), "The policy failed legacy parsing");
    assert_eq!(date(r#"["2020-12-01T00:00:00Z", "1"]"#), "valid");
    let old = r#"{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}"#;
    assert_eq!(message(old), "valid");
    let error = Document::parse_managed(old).expect_err("managed policies have the new version");
    assert_eq!(error.to_string(), "Policy document must be version 2012-10-17 or greater.");
}

#[test]
fn a_fault_has_a_position() {
    let text =
        "{\"Statement\": [\n  {\"Effect\": \"Allow\",\n   \"Action\": [\"s3:*\", \"GitPull\"], \"Resource\": \"*\"}]}";
    let error = Document::parse(text).expect_err("an action without a service");
    assert_eq!(error.position, Position { line: 3, column: 23 });
    let error = Document::parse("{\n \"Statement\": x}").expect_err("no JSON");
    assert_eq!(error.position, Position { line: 2, column: 15 });
}

#[test]
fn faults_of_trust_policies() {
    let message = |text: &str| TrustPolicy::parse(text).map_or_else(|error| error.to_string(), |_| "valid".to_owned());
    let statement = |elements: &str| message(&format!(r#"{{"Version": "2012-10-17", "Statement": [{{{elements}}}]}}"#));
    let assume = |principal: &str| {
        statement(&format!(r#""Effect": "Allow", "Principal": {principal}, "Action": "sts:AssumeRole""#))
    };
    let everyone = r#""Effect": "Allow", "Principal": {"AWS": "*"}"#;
    assert_eq!(message("{invalid"), "This policy contains invalid Json");
    assert_eq!(
        message(r#"{"Version": "2012-10-17", "Statement": []}"#),
        "Could not parse the policy: Statement is empty!"
    );
    assert_eq!(message(r#"{"Version": "2013"}"#), "The policy must contain a valid version string");
    assert_eq!(statement(r#""Effect": "Allow", "Action": "sts:AssumeRole""#), "Missing required field Principal");
    assert_eq!(assume("{}"), "Missing required field Principal cannot be empty!");
    assert_eq!(assume(r#"{"AWS": []}"#), "Missing required field Principal cannot be empty!");
    assert_eq!(statement(r#""Principal": "*", "Action": "sts:AssumeRole""#), "Missing required field Effect");
    assert_eq!(statement(everyone), "Missing required field Action");
    let actions = "AssumeRole policy may only specify STS AssumeRole actions.";
    assert_eq!(statement(&format!(r#"{everyone}, "Action": "*""#)), actions);
    assert_eq!(statement(&format!(r#"{everyone}, "Action": ["sts:AssumeRole", "s3:*"]"#)), actions);
    let resource = format!(r#"{everyone}, "Action": "sts:AssumeRole", "Resource": "*""#);
    assert_eq!(statement(&resource), "Has prohibited field Resource");
    let resource = format!(r#"{everyone}, "Action": "sts:AssumeRole", "NotResource": "*""#);
    assert_eq!(statement(&resource), "AssumeRole policy must not contain resources.");
    let negated = r#""Effect": "Allow", "NotPrincipal": {"AWS": "111111111111"}, "Action": "sts:AssumeRole""#;
    assert_eq!(statement(negated), "Allow with NotPrincipal is not allowed.");
    assert_eq!(assume(r#""x""#), "Syntax errors in policy.");
    for invalid in
        ["x", "arn:aws:iam::111111111111:user/*", "arn:aws:iam::1:role/a", "arn:aws:iam::111111111111:group/g", ""]
    {
        let expected = format!(r#"Invalid principal in policy: "AWS":"{invalid}""#);
        assert_eq!(assume(&format!(r#"{{"AWS": "{invalid}"}}"#)), expected);
    }
    assert_eq!(assume(r#"{"Service": "lambda"}"#), r#"Invalid principal in policy: "SERVICE":"lambda""#);
    assert_eq!(assume(r#"{"Other": "a.b"}"#), r#"Invalid principal in policy: "OTHER":"a.b""#);
    let twice = r#"{"Sid": "a", "Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"}"#;
    let twice = message(&format!(r#"{{"Statement": [{twice}, {twice}]}}"#));
    assert_eq!(twice, "The Statement Ids in the policy are not unique");
    for valid in [
        r#""*""#,
        r#"{"AWS": "*"}"#,
        r#"{"AWS": ["111111111111", "arn:aws:iam::111111111111:root", "AIDACKCEVSQ6C2EXAMPLE"]}"#,
        r#"{"AWS": "arn:aws:sts::111111111111:assumed-role/Role/session", "Service": "codepipeline.amazonaws.com"}"#,
        r#"{"Federated": ["accounts.google.com", "arn:aws:iam::111111111111:saml-provider/Provider"]}"#,
        r#"{"CanonicalUser": "79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be"}"#,
    ] {
        assert_eq!(assume(valid), "valid", "{valid}");
    }
}
