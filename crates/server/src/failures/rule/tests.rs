use serde_json::json;

use super::*;

fn rule(declaration: Value) -> Result<CountedRule, String> {
    serde_json::from_value(declaration).map(CountedRule::new).map_err(|error| error.to_string())
}

fn subject(repository: &str, reference: &str) -> Subject {
    Subject::of_input(&json!({ "repositoryName": repository, "branchName": reference }))
}

#[test]
fn a_rule_matches_by_all_of_its_selectors() {
    let rule = rule(json!({
        "operation": "Put*", "user": "Li_*", "repository": "MyDemo*", "reference": "main",
        "error": "ConcurrentReferenceUpdateException",
    }));
    // No other Put operation has the exception.
    let error = rule.expect_err("PutFile does not have it");
    assert!(error.starts_with("error: none of the operations has ConcurrentReferenceUpdateException"), "{error}");
    let rule = self::rule(json!({
        "operation": "Put*", "user": "Li_*", "repository": "MyDemo*", "reference": "main", "error": "SameFileContentException",
    }));
    let rule = rule.expect("PutFile has the exception");
    let matching = subject("MyDemoRepo", "main");
    assert!(rule.matches("PutFile", "Li_Juan", &matching));
    assert!(rule.matches("PutFile", "Li_Juan", &subject("MyDemoRepo", "refs/heads/main")));
    assert!(!rule.matches("PutEventSelectors", "Li_Juan", &matching), "the operation does not have the exception");
    assert!(!rule.matches("GitPush", "Li_Juan", &matching));
    assert!(!rule.matches("PutFile", "Mary_Major", &matching));
    assert!(!rule.matches("PutFile", "Li_Juan", &subject("Other", "main")));
    assert!(!rule.matches("PutFile", "Li_Juan", &subject("MyDemoRepo", "mainline")));
    assert!(!rule.matches("PutFile", "Li_Juan", &Subject::of_input(&Value::Null)));
}

#[test]
fn the_counts_select_matches() {
    let counts = |rule: Value| -> Vec<bool> {
        let rule = self::rule(rule).expect("the rule is valid");
        (0..5).map(|_| rule.count()).collect()
    };
    assert_eq!(counts(json!({ "delay": "1s" })), [true; 5]);
    assert_eq!(counts(json!({ "delay": "1s", "times": 2 })), [true, true, false, false, false]);
    assert_eq!(counts(json!({ "delay": "1s", "after": 3 })), [false, false, false, true, true]);
    assert_eq!(counts(json!({ "delay": "1s", "after": 2, "times": 1 })), [false, false, true, false, false]);
}

#[test]
fn counts_of_concurrent_calls_are_exact() {
    let rule = rule(json!({ "delay": "1s", "after": 100, "times": 250 })).expect("the rule is valid");
    let affected = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(|| (0..100).filter(|_| rule.count()).count())).collect();
        threads.into_iter().map(|thread| thread.join().expect("no thread panics")).sum::<usize>()
    });
    assert_eq!(affected, 250);
    assert_eq!(rule.to_json(), json!({ "delay": "1s", "after": 100, "times": 250, "matches": 800 }));
}

#[test]
fn invalid_rules_are_refused_with_what_to_write() {
    for (declaration, expected) in [
        (json!({}), "the failure has no effect; write error, delay or connection"),
        (json!({ "operation": "PutFile" }), "the failure has no effect; write error, delay or connection"),
        (
            json!({ "error": "ThrottlingException", "connection": "cut-before" }),
            "error and connection exclude each other; write one of them",
        ),
        (json!({ "delay": "1s", "message": "x" }), "message: there is no error to have it; write error, too"),
        (json!({ "delay": "1s", "times": 0 }), "times is 0; write 1 or more, or leave it out for all matching calls"),
        (
            json!({ "delay": "1s", "operation": "PutFil" }),
            "operation: 'PutFil' matches no operation; write a name such as PutFile, GitPush, or a pattern such as Get*",
        ),
        (json!({ "delay": "soon" }), "delay: 'soon' is not a time; write a number with ms, s, m, h or d, such as 5s"),
        (
            json!({ "operation": "DecodeAuthorizationMessage", "error": "NoSuchEntity" }),
            "error: DecodeAuthorizationMessage has no NoSuchEntity; write one of InternalFailure, \
             InvalidAuthorizationMessageException, ServiceUnavailable, ThrottlingException",
        ),
        (
            json!({ "error": "Colour" }),
            "error: none of the operations has Colour; write an exception of AWS's API reference, ThrottlingException or \
             InternalFailure",
        ),
    ] {
        assert_eq!(rule(declaration.clone()).expect_err("the rule is refused"), expected, "{declaration}");
    }
    for (declaration, expected) in [
        (json!({ "delay": "1s", "color": 1 }), "unknown field `color`"),
        (json!({ "connection": "cut" }), "unknown variant `cut`, expected `cut-before` or `cut-after`"),
        (json!({ "delay": "1s", "after": -1 }), "invalid value: integer `-1`"),
    ] {
        let error = rule(declaration).expect_err("the rule is refused");
        assert!(error.contains(expected), "{error}");
    }
}
