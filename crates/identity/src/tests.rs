use aws::caller::Kind;
use aws::{AccountId, Caller, Partition, Region};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::credentials::Presented;
use crate::{Credentials, Identities, file, region};

const FILE: &str = r#"
    [[account]]
    id = "444455556666"

    [[account.user]]
    name = "Li_Juan"
    principal_id = "AIDAEXAMPLELIJUAN0000"
    access_keys = ["AKIAI44QH8DHBEXAMPLE"]
    git_user_names = ["lijuan"]
"#;

fn account(id: &str) -> AccountId {
    id.parse().expect("it has twelve digits")
}

fn identities() -> Identities {
    let mut identities = Identities::new(account("111122223333"));
    file::read(FILE, &mut identities).expect("the file is right");
    identities
}

fn named(credentials: &Credentials) -> Caller {
    identities().authenticate(credentials, None, Partition::Aws)
}

fn signed(key: &str) -> Credentials {
    let scope = format!("{key}/20161214/us-east-2/codecommit/aws4_request");
    Credentials::read(Some(&format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=00")), None)
}

fn basic(user: &str) -> Credentials {
    Credentials::read(Some(&format!("Basic {}", STANDARD.encode(format!("{user}:secret")))), None)
}

#[test]
fn a_signature_names_its_key_and_region() {
    let credentials = signed("AKIAI44QH8DHBEXAMPLE");
    assert_eq!(credentials.presented, Presented::AccessKey("AKIAI44QH8DHBEXAMPLE".to_owned()));
    let ohio: Region = "us-east-2".parse().expect("it is a region");
    assert_eq!(region(&credentials, Some("codecommit.eu-west-1.amazonaws.com")), Some(ohio));
    let caller = named(&credentials);
    assert_eq!(caller.arn, "arn:aws:iam::444455556666:user/Li_Juan");
    assert_eq!(caller.principal_id, "AIDAEXAMPLELIJUAN0000");
    assert_eq!(caller.access_key_id.as_deref(), Some("AKIAI44QH8DHBEXAMPLE"));
}

#[test]
fn an_unknown_key_is_a_user_of_the_default_account() {
    let caller = named(&signed("test"));
    assert_eq!(caller.arn, "arn:aws:iam::111122223333:user/test");
    assert_eq!(caller, named(&signed("test")));
    assert!(caller.principal_id.starts_with("AIDA") && caller.principal_id.len() == 21);
}

#[test]
fn no_credentials_are_the_documentations_user() {
    for nothing in [None, Some(""), Some("Bearer x"), Some("Basic %%%"), Some("AWS4-HMAC-SHA256 Credential=x")] {
        let caller = named(&Credentials::read(nothing, None));
        assert_eq!(caller.user_name.as_deref(), Some("Mary_Major"), "{nothing:?}");
        assert_eq!(caller.access_key_id.as_deref(), Some("AKIAIOSFODNN7EXAMPLE"));
    }
}

#[test]
fn each_form_of_a_git_user_name_names_its_user() {
    let arn = |user: &str| named(&basic(user)).arn;
    assert_eq!(arn("AKIAI44QH8DHBEXAMPLE"), "arn:aws:iam::444455556666:user/Li_Juan");
    assert_eq!(arn("AKIAI44QH8DHBEXAMPLE%to/ken=="), "arn:aws:iam::444455556666:user/Li_Juan");
    assert_eq!(arn("lijuan"), "arn:aws:iam::444455556666:user/Li_Juan");
    assert_eq!(arn("Li_Juan-at-444455556666"), "arn:aws:iam::444455556666:user/Li_Juan");
    assert_eq!(arn("Other-at-444455556666+1"), "arn:aws:iam::444455556666:user/Other");
    assert_eq!(arn("Mary_Major-at-111122223333"), "arn:aws:iam::111122223333:user/Mary_Major");
    let caller = named(&basic("Li_Juan-at-444455556666"));
    assert_eq!(caller.access_key_id, None);
}

#[test]
fn a_user_can_be_made_the_default_one() {
    let mut identities = Identities::new(account("111122223333"));
    let file = FILE.replace("name = \"Li_Juan\"", "name = \"Li_Juan\"\ndefault = true");
    file::read(&file, &mut identities).expect("the file is right");
    assert_eq!(
        identities.authenticate(&Credentials::read(None, None), None, Partition::Aws).user_name.as_deref(),
        Some("Li_Juan")
    );
}

#[test]
fn a_wrong_file_is_refused_with_what_to_change() {
    let refusal =
        |text: &str| file::read(text, &mut Identities::new(account("111122223333"))).expect_err("the file is wrong");
    assert!(refusal("[[account]]\nid = \"12\"").contains("write twelve digits"));
    assert!(
        refusal("[[account]]\nid = \"444455556666\"\n[[account.user]]\nname = \"a b\"").contains("not a user name")
    );
    assert!(refusal("[[acount]]").contains("acount"));
    let twice = FILE.replace("[\"AKIAI44QH8DHBEXAMPLE\"]", "[\"A\", \"A\"]");
    assert!(refusal(&twice).contains("there twice"));
}

#[test]
fn no_credentials_are_the_default_user_of_the_account_that_is_named() {
    let elsewhere = account("444455556666");
    let caller = identities().authenticate(&Credentials::read(None, None), Some(&elsewhere), Partition::Aws);
    assert_eq!(caller.arn, "arn:aws:iam::444455556666:user/Mary_Major");
    assert_eq!(caller.access_key_id, None);
}

#[test]
fn the_name_of_a_service_is_that_service() {
    let caller = named(&signed("codepipeline.amazonaws.com"));
    assert_eq!((caller.kind, caller.invoked_by.as_deref()), (Kind::AwsService, Some("codepipeline.amazonaws.com")));
    for other in ["amazonaws.com", ".amazonaws.com", "Pipeline.amazonaws.com", "a.amazonaws.com.example"] {
        assert_eq!(named(&signed(other)).kind, Kind::IamUser, "{other}");
    }
}

#[test]
fn a_role_is_the_declared_one_or_any() {
    let mut identities = identities();
    let declared = r#"
        [[account]]
        id = "111122223333"
        [[account.role]]
        name = "Build"
        path = "/ci/"
        trusts = ["444455556666"]
    "#;
    file::read(declared, &mut identities).expect("the file is right");
    let role = |arn: &str| identities.role(arn, Partition::Aws);
    let build = role("arn:aws:iam::111122223333:role/ci/Build").expect("it is an ARN").expect("it is declared");
    assert_eq!((build.name.as_str(), build.duration_seconds_max), ("Build", 3600));
    assert!(
        build.trusts_caller(&named(&signed("AKIAI44QH8DHBEXAMPLE"))) && !build.trusts_caller(&named(&signed("test")))
    );
    assert_eq!(role("arn:aws:iam::111122223333:role/Build").expect("it is an ARN"), None);
    assert_eq!(role("arn:aws-cn:iam::111122223333:role/ci/Build").expect("it is an ARN"), None);
    let china = identities.role("arn:aws-cn:iam::111122223333:role/ci/Build", Partition::China);
    let china = china.expect("it is an ARN").expect("it is declared for all partitions");
    assert_eq!(china.session_names("x").0, "arn:aws-cn:sts::111122223333:assumed-role/Build/x");
    let any = role("arn:aws:iam::444455556666:role/a/b/Any").expect("it is an ARN").expect("none is declared there");
    assert_eq!((any.name.as_str(), any.duration_seconds_max, any.trusts), ("Any", 43_200, None));
    for wrong in [
        "",
        "Build",
        "arn:aws:iam::1:role/Build",
        "arn:aws:iam::111122223333:user/Build",
        "arn:aws:iam::111122223333:role/",
        "arn:aws:iam::111122223333:role/a/",
        "arn:aws:iam:us-east-1:111122223333:role/Build",
        "arn:aws:iam::111122223333:role/a b",
        "arn:aws:iam::111122223333:role/demo:bad",
        "arn:aws-mars:iam::111122223333:role/Build",
    ] {
        assert_eq!(role(wrong).expect_err("it is none").to_string(), format!("{wrong} is invalid"));
    }
}

#[test]
fn a_file_that_is_wrong_says_what_to_change() {
    let account = "[[account]]\nid = \"111122223333\"\n";
    let cases = [
        (
            "[account.root]\naccess_keys = [\"A\"]\n[[account.user]]\nname = \"a\"\naccess_keys = [\"A\"]",
            "access key 'A' is there twice",
        ),
        (
            "[[account.service]]\nname = \"pipeline\"\naccess_keys = []",
            "'pipeline' is not a service: write its DNS name",
        ),
        ("[[account.role]]\nname = \"a b\"", "'a b' is not a role name"),
        ("[[account.role]]\nname = \"a\"\npath = \"ci\"", "'ci' is not the path of a role"),
        ("[[account.role]]\nname = \"a\"\nmax_session_duration = 60", "60 is not a max_session_duration"),
        ("[[account.person]]\nname = \"a\"", "missing field"),
        ("[[account.user]]\nname = \"a\"\nkeys = []", "unknown field `keys`"),
    ];
    for (text, sentence) in cases {
        let error = file::read(&format!("{account}{text}"), &mut identities()).expect_err("it is wrong");
        assert!(error.contains(sentence), "{text}: {error}");
    }
}
