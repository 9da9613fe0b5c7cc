use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Authority, Context as _, Denial, FactValue, Facts, Permission, Request, ResourcePolicy, action};
use crate::call::{CallContext, Origin};
use crate::caller::{Issuer, Kind, Session};
use crate::{AccountId, Call, Caller, SystemClock, Timestamp};

const REPOSITORY: &str = "arn:aws:codecommit:us-east-2:444455556666:MyDemoRepo";

fn account() -> AccountId {
    "111122223333".parse().expect("an account id has twelve digits")
}

fn call(caller: Caller) -> Call {
    let origin = Origin {
        account: account(),
        region: "us-east-2".parse().expect("the name is that of a region"),
        source_ip_address: "203.0.113.7".to_owned(),
        user_agent: Some("git/2.47.1".to_owned()),
        host: None,
        clone_url_base: String::new(),
        ssh_clone_url_base: String::new(),
        is_secure: true,
        tls: None,
        is_console: false,
    };
    let mut call = Call::begin(caller, origin, &SystemClock);
    call.time = Timestamp::from_millis(1_767_225_600_000);
    call
}

fn user() -> Caller {
    Caller::iam_user(account(), "Li_Juan", "AIDAEXAMPLELIJUAN0000".to_owned(), None)
}

/// Returns the session of a role with a second factor.
fn role_session() -> Caller {
    let issuer = Issuer {
        kind: "Role".to_owned(),
        principal_id: "AROAEXAMPLE".to_owned(),
        arn: "arn:aws:iam::111122223333:role/ci/Build".to_owned(),
        account_id: account(),
        user_name: Some("Build".to_owned()),
    };
    let session = Session {
        issuer: Some(issuer),
        mfa_authenticated: true,
        source_identity: Some("ana".to_owned()),
        ..Session::new(Timestamp::from_millis(1_767_225_540_000))
    };
    let arn = "arn:aws:sts::111122223333:assumed-role/Build/one".to_owned();
    Caller { session: Some(session), ..Caller::of(Kind::AssumedRole, account(), arn, "AROAEXAMPLE:one".to_owned()) }
}

/// Denies everything, and has tags.
#[derive(Debug)]
struct Nothing(BTreeMap<String, String>);

impl Authority for Nothing {
    fn decide(&self, request: &Request<'_>) -> Result<(), Denial> {
        let Permission { action, resource, .. } = request.permission;
        Err(Denial::implicit(&request.context.caller().arn, action, resource))
    }

    fn mentions(&self, prefix: &str) -> bool {
        prefix == "aws:ResourceTag/"
    }

    fn deny_everywhere(&self, action: &str, caller: &Caller) -> Option<Denial> {
        Some(Denial::implicit(&caller.arn, action, "*"))
    }

    fn principal_tags(&self) -> &BTreeMap<String, String> {
        &self.0
    }

    fn federated_provider(&self) -> Option<&str> {
        Some("accounts.google.com")
    }
}

fn nothing() -> Arc<dyn Authority> {
    Arc::new(Nothing(BTreeMap::from([("Team".to_owned(), "Blue".to_owned())])))
}

/// Asserts the values of context keys; an empty text stands for a missing key.
fn assert_values(call: &Call, expected: &[(&str, &str)]) {
    let facts = Facts::default().with("codecommit:References", "refs/heads/main");
    let permission =
        Permission { action: "", resource: REPOSITORY, resource_policy: ResourcePolicy::None, facts: &facts };
    let none = Facts::default();
    let context = CallContext::new(call, &permission, &none);
    for (key, expected) in expected {
        let value = match context.value(&key.to_lowercase()) {
            Some(FactValue::One(value)) => value.into_owned(),
            Some(FactValue::Many(values)) => values.join(","),
            None => String::new(),
        };
        assert_eq!(value, *expected, "{key}");
    }
}

#[test]
fn a_call_has_the_global_keys_of_its_origin() {
    assert_values(
        &call(user()),
        &[
            ("codecommit:References", "refs/heads/main"),
            ("aws:CurrentTime", "2026-01-01T00:00:00Z"),
            ("aws:EpochTime", "1767225600"),
            ("aws:SourceIp", "203.0.113.7"),
            ("aws:SecureTransport", "true"),
            ("aws:UserAgent", "git/2.47.1"),
            ("aws:RequestedRegion", "us-east-2"),
            ("aws:ResourceAccount", "444455556666"),
            ("aws:ViaAWSService", "false"),
            ("aws:CalledVia", ""),
            ("aws:PrincipalIsAWSService", "false"),
            ("aws:unknown", ""),
        ],
    );
}

#[test]
fn each_kind_of_principal_has_its_keys() {
    let user_keys = [
        ("aws:PrincipalArn", "arn:aws:iam::111122223333:user/Li_Juan"),
        ("aws:PrincipalAccount", "111122223333"),
        ("aws:PrincipalType", "User"),
        ("aws:userid", "AIDAEXAMPLELIJUAN0000"),
        ("aws:username", "Li_Juan"),
        ("aws:MultiFactorAuthPresent", ""),
        ("aws:TokenIssueTime", ""),
        ("aws:PrincipalTag/Team", ""),
    ];
    assert_values(&call(user()), &user_keys);
    let session_keys = [
        ("aws:PrincipalArn", "arn:aws:iam::111122223333:role/ci/Build"),
        ("aws:PrincipalType", "AssumedRole"),
        ("aws:userid", "AROAEXAMPLE:one"),
        ("aws:username", ""),
        ("aws:MultiFactorAuthPresent", "true"),
        ("aws:MultiFactorAuthAge", "60"),
        ("aws:TokenIssueTime", "2025-12-31T23:59:00Z"),
        ("aws:SourceIdentity", "ana"),
        ("aws:FederatedProvider", "accounts.google.com"),
        ("aws:PrincipalTag/tEAM", "Blue"),
    ];
    assert_values(&call(role_session()).with_authority(nothing()), &session_keys);
    let root = [("aws:PrincipalType", "Account"), ("aws:userid", "111122223333"), ("aws:username", "")];
    assert_values(&call(Caller::root(account(), None, None)), &root);
    let service = [
        ("aws:PrincipalIsAWSService", "true"),
        ("aws:PrincipalServiceName", "codepipeline.amazonaws.com"),
        ("aws:PrincipalArn", ""),
        ("aws:ViaAWSService", "false"),
    ];
    assert_values(&call(Caller::service(account(), "codepipeline.amazonaws.com")), &service);
}

#[test]
fn a_service_that_calls_for_a_caller_is_named() {
    let keys = [
        ("aws:ViaAWSService", "true"),
        ("aws:CalledVia", "tagging.amazonaws.com"),
        ("aws:CalledViaFirst", "tagging.amazonaws.com"),
        ("aws:username", "Li_Juan"),
    ];
    let through = call(user()).with_authority(nothing()).through("tagging.amazonaws.com");
    assert_values(&through, &keys);
    assert!(through.mentions("aws:ResourceTag/"), "the authority stays");
}

#[test]
fn a_call_notes_that_a_permission_was_requested() {
    let open = call(user());
    assert!(!open.is_decided() && !open.mentions("aws:ResourceTag/"));
    open.allow(REPOSITORY, &Facts::default()).expect("everything is allowed");
    assert!(open.is_decided());
    let closed = call(user()).with_authority(nothing());
    closed.set_action(action("codecommit.amazonaws.com", "GetBranch"));
    let denial = closed.allow(REPOSITORY, &Facts::default()).expect_err("nothing is allowed");
    let text = "User: arn:aws:iam::111122223333:user/Li_Juan is not authorized to perform: codecommit:GetBranch \
                on resource: arn:aws:codecommit:us-east-2:444455556666:MyDemoRepo";
    assert_eq!((denial.to_string().as_str(), closed.is_decided()), (text, true));
    let failure = denial.clone().json();
    assert_eq!(
        (failure.name.as_str(), failure.error_code(), failure.status),
        ("AccessDeniedException", "AccessDenied", 400)
    );
    let failure = denial.query();
    assert_eq!((failure.name.as_str(), failure.error_code(), failure.status), ("AccessDenied", "AccessDenied", 403));
}

#[test]
fn a_denial_names_no_resource_if_there_is_no_particular_one() {
    let denial = Denial::implicit("ARN", "codecommit:ListRepositories", "*");
    assert_eq!(denial.message, "User: ARN is not authorized to perform: codecommit:ListRepositories");
}

#[test]
fn a_denial_can_hide_its_resource() {
    let denial = Denial::implicit("ARN", "codecommit:GetComment", REPOSITORY).hiding(REPOSITORY);
    assert_eq!(denial.message, "User: ARN is not authorized to perform: codecommit:GetComment");
}

#[test]
fn a_caller_without_rights_does_not_learn_why_a_call_failed() {
    let open = call(user());
    assert_eq!((open.deny_everywhere(), open.is_undecided()), (None, false));
    let closed = call(user()).with_authority(nothing());
    closed.set_action("codecommit:GetBranch".to_owned());
    assert!(closed.is_undecided());
    let denial = closed.deny_everywhere().expect("nothing is allowed");
    assert!(denial.message.ends_with("is not authorized to perform: codecommit:GetBranch"), "{denial}");
    closed.allow(REPOSITORY, &Facts::default()).expect_err("nothing is allowed");
    assert_eq!((closed.deny_everywhere(), closed.is_undecided()), (None, false), "it was decided");
}

/// Allows what changes the reference `refs/heads/dev`.
#[derive(Debug)]
struct OneReference(BTreeMap<String, String>);

impl Authority for OneReference {
    fn decide(&self, request: &Request<'_>) -> Result<(), Denial> {
        let reference = request.context.value(super::REFERENCES);
        if reference == Some(FactValue::One("refs/heads/dev".into())) {
            return Ok(());
        }
        Err(Denial::implicit("ARN", request.permission.action, request.permission.resource))
    }

    fn mentions(&self, _: &str) -> bool {
        false
    }

    fn deny_everywhere(&self, _: &str, _: &Caller) -> Option<Denial> {
        None
    }

    fn principal_tags(&self) -> &BTreeMap<String, String> {
        &self.0
    }
}

#[test]
fn a_call_may_change_the_references_that_it_was_allowed_to_change() {
    let closed = call(user()).with_authority(Arc::new(OneReference(BTreeMap::new())));
    closed.allow(REPOSITORY, &Facts::default().with_reference("refs/heads/main")).expect_err("it is another one");
    assert!(!closed.may_change("refs/heads/dev"), "it was not requested");
    closed.allow(REPOSITORY, &Facts::default().with_reference("refs/heads/dev")).expect("it is this one");
    assert!(closed.may_change("refs/heads/dev") && !closed.may_change("refs/heads/main"));
    let shared = call(user()).with_authority(Arc::new(OneReference(BTreeMap::new())));
    shared.add_facts(Facts::default().with_reference("refs/heads/dev"));
    shared.allow(REPOSITORY, &Facts::default()).expect("all permissions of the call have the reference");
    assert!(shared.may_change("refs/heads/dev"));
    assert!(call(user()).may_change("refs/heads/main"), "without policies everything is allowed");
}

#[test]
fn facts_of_tags_are_keys() {
    let facts = Facts::default().with_request_tags([("Team", "Blue")]).with_resource_tags([("Status", "Secret")]);
    let one = |text: &'static str| Some(FactValue::One(text.into()));
    assert_eq!(facts.value("aws:requesttag/team"), one("Blue"));
    assert_eq!(facts.value("aws:resourcetag/status"), one("Secret"));
    assert_eq!(facts.value("aws:tagkeys"), Some(FactValue::Many(vec!["Team".to_owned()].into())));
    assert_eq!(Facts::default().with_request_tags([]), Facts::default());
}

#[test]
fn actions_have_the_prefix_of_their_service() {
    assert_eq!(action("tagging.amazonaws.com", "GetResources"), "tag:GetResources");
    assert_eq!(action("sts.amazonaws.com", "AssumeRole"), "sts:AssumeRole");
}
