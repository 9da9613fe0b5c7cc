//! The combination of policies, and the messages of denials.

use std::sync::Arc;

use policy::{Cause, Context, Decision, Denial, Grants, PolicyKind, PolicySet, Request};

use crate::{REPOSITORY, document};

const ALLOW: &str = r#"{"Statement": {"Effect": "Allow", "Action": "codecommit:Git*", "Resource": "*"}}"#;
const DENY: &str = r#"{"Statement": {"Effect": "Deny", "Action": "codecommit:GitPush", "Resource": "*"}}"#;
const OTHER: &str = r#"{"Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}}"#;

fn set(texts: &[&str]) -> Arc<PolicySet> {
    Arc::new(PolicySet::new(texts.iter().map(|text| Arc::new(document(text)))))
}

fn decide(identity: &[&str], boundary: Option<&[&str]>, session: Option<&[&str]>) -> Decision {
    let grants = Grants { identity: set(identity), boundary: boundary.map(set), session: session.map(set) };
    grants.decide(&Request::new("codecommit:GitPush", REPOSITORY, &Context::default()))
}

#[test]
fn all_kinds_of_policies_must_allow() {
    let explicit = |kind| Decision::Denied(Denial { cause: Cause::ExplicitDeny, kind });
    let implicit = |kind| Decision::Denied(Denial { cause: Cause::ImplicitDeny, kind });
    let [allow, both, other, none]: [&[&str]; 4] = [&[ALLOW], &[ALLOW, DENY], &[OTHER], &[]];
    for (identity, boundary, session, expected) in [
        (allow, None, None, Decision::Allowed),
        (none, None, None, implicit(PolicyKind::Identity)),
        (other, None, None, implicit(PolicyKind::Identity)),
        (both, None, None, explicit(PolicyKind::Identity)),
        (allow, Some(allow), None, Decision::Allowed),
        (allow, Some(other), None, implicit(PolicyKind::Boundary)),
        (allow, Some(both), None, explicit(PolicyKind::Boundary)),
        (none, Some(allow), None, implicit(PolicyKind::Identity)),
        (allow, Some(allow), Some(allow), Decision::Allowed),
        (allow, None, Some(none), implicit(PolicyKind::Session)),
        (allow, None, Some(both), explicit(PolicyKind::Session)),
        (none, None, Some(allow), implicit(PolicyKind::Identity)),
        (none, None, Some(both), explicit(PolicyKind::Session)),
        (both, Some(both), Some(both), explicit(PolicyKind::Identity)),
        (none, Some(none), Some(none), implicit(PolicyKind::Identity)),
    ] {
        assert_eq!(decide(identity, boundary, session), expected, "{identity:?} {boundary:?} {session:?}");
    }
}

#[test]
fn messages_of_denials_are_those_of_aws() {
    let message = |cause, kind, resource| {
        let denial = Denial { cause, kind };
        denial.message("arn:aws:iam::111111111111:user/Li", "codecommit:GitPush", resource)
    };
    let who = "User: arn:aws:iam::111111111111:user/Li is not authorized to perform: codecommit:GitPush";
    for (cause, kind, reason) in [
        (
            Cause::ImplicitDeny,
            PolicyKind::Identity,
            "because no identity-based policy allows the codecommit:GitPush action",
        ),
        (Cause::ExplicitDeny, PolicyKind::Identity, "with an explicit deny in an identity-based policy"),
        (
            Cause::ImplicitDeny,
            PolicyKind::Boundary,
            "because no permissions boundary allows the codecommit:GitPush action",
        ),
        (Cause::ExplicitDeny, PolicyKind::Boundary, "with an explicit deny in a permissions boundary"),
        (Cause::ImplicitDeny, PolicyKind::Session, "because no session policy allows the codecommit:GitPush action"),
        (Cause::ExplicitDeny, PolicyKind::Session, "with an explicit deny in a session policy"),
        (
            Cause::ImplicitDeny,
            PolicyKind::Resource,
            "because no resource-based policy allows the codecommit:GitPush action",
        ),
        (Cause::ExplicitDeny, PolicyKind::Resource, "with an explicit deny in a resource-based policy"),
    ] {
        assert_eq!(message(cause, kind, REPOSITORY), format!("{who} on resource: {REPOSITORY} {reason}"));
        assert_eq!(message(cause, kind, "*"), format!("{who} {reason}"));
    }
}

#[test]
fn grants_know_which_keys_they_need() {
    let tags = r#"{"Statement": {"Effect": "Deny", "Action": "*", "Resource": "*",
        "Condition": {"StringEquals": {"AWS:ResourceTag/Status": "Secret"}}}}"#;
    let with = Grants { identity: set(&[ALLOW]), boundary: Some(set(&[tags])), session: None };
    assert!(with.mentions("aws:ResourceTag/") && !with.mentions("aws:PrincipalTag/"));
    assert!(!Grants { identity: set(&[ALLOW]), ..Grants::default() }.mentions("aws:ResourceTag/"));
}
