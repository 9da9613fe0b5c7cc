//! Measures decisions with one policy and with 1,000 policies, of 100 statements each: `cargo run --release -p policy --example evaluate`

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use policy::{Context, Document, Effect, PolicySet, Request};

/// Minimum duration of a measurement.
const DURATION: Duration = Duration::from_millis(500);

/// Number of decisions that are timed together.
const BATCH: u32 = 50;

/// The statements of a policy, and requests with the decisions about them.
struct Case {
    name: &'static str,
    /// Writes the elements of a statement, by the numbers of its policy and its own.
    statement: fn(usize, usize) -> String,
    /// The resource of the request, by the number of policies.
    resource: fn(usize) -> String,
    expected: Option<Effect>,
}

const CASES: [Case; 8] = [
    Case {
        name: "one repository a statement, the last one allows",
        statement: |policy, number| {
            allow(r#"["codecommit:GitPull", "codecommit:GitPush"]"#, &arn(policy, number), "{}")
        },
        resource: |policies| arn(policies - 1, 99),
        expected: Some(Effect::Allow),
    },
    Case {
        name: "one repository a statement, none allows",
        statement: |policy, number| {
            allow(r#"["codecommit:GitPull", "codecommit:GitPush"]"#, &arn(policy, number), "{}")
        },
        resource: |_| arn(0, 1000),
        expected: None,
    },
    Case {
        name: "one pattern of repositories a statement, the last one allows",
        statement: |policy, number| {
            allow(r#"["codecommit:Git*", "codecommit:Get*"]"#, &(arn(policy, number) + "-*"), "{}")
        },
        resource: |policies| arn(policies - 1, 99) + "-api",
        expected: Some(Effect::Allow),
    },
    Case {
        name: "one action a statement on everything, none allows",
        statement: |policy, number| allow(&format!(r#""codecommit:Action{policy}x{number}""#), "*", "{}"),
        resource: |_| arn(0, 0),
        expected: None,
    },
    Case {
        name: "each policy the same, with conditions that fail",
        statement: |_, number| allow(r#""codecommit:*""#, "*", &branch(number)),
        resource: |_| arn(0, 0),
        expected: None,
    },
    Case {
        name: "one repository a statement with a condition, the last one denies",
        statement: |policy, number| {
            let deny = format!(r#""Effect": "Deny", "Action": "*", "Resource": "{}""#, arn(policy, number));
            format!(r#"{deny}, "Condition": {{"StringLike": {{"codecommit:References": "refs/heads/m*"}}}}"#)
        },
        resource: |policies| arn(policies - 1, 99),
        expected: Some(Effect::Deny),
    },
    Case {
        name: "everything on one branch a statement, none allows",
        statement: |policy, number| allow(r#""codecommit:GitPush""#, "*", &branch(policy * 100 + number)),
        resource: |_| arn(0, 0),
        expected: None,
    },
    // No index helps here: every condition is evaluated.
    Case {
        name: "everything on one pattern of branches a statement, none allows",
        statement: |policy, number| {
            let branches =
                branch(policy * 100 + number).replace("StringEquals", "StringLike").replace(r#""}}"#, r#"*"}}"#);
            allow(r#""codecommit:GitPush""#, "*", &branches)
        },
        resource: |_| arn(0, 0),
        expected: None,
    },
];

fn allow(actions: &str, resource: &str, condition: &str) -> String {
    format!(r#""Effect": "Allow", "Action": {actions}, "Resource": "{resource}", "Condition": {condition}"#)
}

fn arn(policy: usize, number: usize) -> String {
    format!("arn:aws:codecommit:us-east-2:111111111111:team-{policy:03}-repository-{number:02}")
}

fn branch(number: usize) -> String {
    format!(r#"{{"StringEquals": {{"codecommit:References": "refs/heads/{number}"}}}}"#)
}

fn texts(case: &Case, policies: usize) -> Vec<String> {
    let texts = (0..policies).map(|policy| {
        let statements: Vec<_> = (0..100).map(|number| format!("{{{}}}", (case.statement)(policy, number))).collect();
        format!(r#"{{"Version": "2012-10-17", "Statement": [{}]}}"#, statements.join(","))
    });
    texts.collect()
}

/// Builds a set; returns it with the milliseconds of parsing and of indexing.
fn build(texts: &[String]) -> (PolicySet, u128, u128) {
    let begin = Instant::now();
    let parse = |text: &String| Arc::new(Document::parse(text).expect("the document is valid"));
    let documents: Vec<_> = texts.iter().map(parse).collect();
    let parsed = begin.elapsed().as_millis();
    let begin = Instant::now();
    (PolicySet::new(documents), parsed, begin.elapsed().as_millis())
}

/// Returns the nanoseconds of a decision in the fastest batch, which other programs disturbed least.
fn measure(case: &Case, policies: usize, set: &PolicySet) -> u128 {
    let mut facts = Context::default();
    facts.set("codecommit:References", "refs/heads/main").set("aws:username", "Mary_Major");
    let resource = (case.resource)(policies);
    let decide = || set.decide(&Request::new(black_box("codecommit:GitPush"), black_box(&resource), &facts));
    assert_eq!(decide(), case.expected, "{}", case.name);
    let (begin, mut fastest) = (Instant::now(), Duration::MAX);
    while begin.elapsed() < DURATION {
        let begin = Instant::now();
        for _ in 0..BATCH {
            black_box(decide());
        }
        fastest = fastest.min(begin.elapsed());
    }
    fastest.as_nanos() / u128::from(BATCH)
}

fn main() {
    println!("{:>12} {:>12} {:>12} {:>12}", "1 policy", "1,000", "parsed", "indexed");
    for case in &CASES {
        let (small, ..) = build(&texts(case, 1));
        let small = measure(case, 1, &small);
        let (large, parsed, indexed) = build(&texts(case, 1000));
        let large = measure(case, 1000, &large);
        println!("{small:>9} ns {large:>9} ns {parsed:>9} ms {indexed:>9} ms  {}", case.name);
    }
}
