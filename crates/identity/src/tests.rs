use std::path::Path;

use aws::caller::Kind;
use aws::{AccountId, Caller, Partition, Region};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::role::Trusts;
use crate::{Credentials, Identities, PresentedCredential, file};

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
    id.parse().expect("an account id has twelve digits")
}

fn identities() -> Identities {
    let mut identities = Identities::new(account("111122223333"));
    file::read(FILE, Path::new(""), &mut identities).expect("the file is valid");
    identities
}

fn authenticated(credentials: &Credentials) -> Caller {
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
    assert_eq!(credentials.presented, PresentedCredential::AccessKey("AKIAI44QH8DHBEXAMPLE".to_owned()));
    let ohio: Region = "us-east-2".parse().expect("the name is that of a region");
    assert_eq!(credentials.region, Some(ohio));
    let caller = authenticated(&credentials);
    assert_eq!(caller.arn, "arn:aws:iam::444455556666:user/Li_Juan");
    assert_eq!(caller.principal_id, "AIDAEXAMPLELIJUAN0000");
    assert_eq!(caller.access_key_id.as_deref(), Some("AKIAI44QH8DHBEXAMPLE"));
}

#[test]
fn an_unknown_key_is_a_user_of_the_default_account() {
    let caller = authenticated(&signed("test"));
    assert_eq!(caller.arn, "arn:aws:iam::111122223333:user/test");
    assert_eq!(caller, authenticated(&signed("test")));
    assert!(caller.principal_id.starts_with("AIDA") && caller.principal_id.len() == 21);
}

#[test]
fn without_credentials_the_example_user_of_the_documentation_calls() {
    for nothing in [None, Some(""), Some("Bearer x"), Some("Basic %%%"), Some("AWS4-HMAC-SHA256 Credential=x")] {
        let caller = authenticated(&Credentials::read(nothing, None));
        assert_eq!(caller.user_name.as_deref(), Some("Mary_Major"), "{nothing:?}");
        assert_eq!(caller.access_key_id.as_deref(), Some("AKIAIOSFODNN7EXAMPLE"));
    }
}

#[test]
fn each_form_of_a_git_user_name_names_its_user() {
    let arn = |user: &str| authenticated(&basic(user)).arn;
    assert_eq!(arn("AKIAI44QH8DHBEXAMPLE"), "arn:aws:iam::444455556666:user/Li_Juan");
    assert_eq!(arn("AKIAI44QH8DHBEXAMPLE%to/ken=="), "arn:aws:iam::444455556666:user/Li_Juan");
    assert_eq!(arn("lijuan"), "arn:aws:iam::444455556666:user/Li_Juan");
    assert_eq!(arn("Li_Juan-at-444455556666"), "arn:aws:iam::444455556666:user/Li_Juan");
    assert_eq!(arn("Other-at-444455556666+1"), "arn:aws:iam::444455556666:user/Other");
    assert_eq!(arn("Mary_Major-at-111122223333"), "arn:aws:iam::111122223333:user/Mary_Major");
    let caller = authenticated(&basic("Li_Juan-at-444455556666"));
    assert_eq!(caller.access_key_id, None);
}

#[test]
fn a_user_can_be_declared_the_default() {
    let mut identities = Identities::new(account("111122223333"));
    let file = FILE.replace("name = \"Li_Juan\"", "name = \"Li_Juan\"\ndefault = true");
    file::read(&file, Path::new(""), &mut identities).expect("the file is valid");
    assert_eq!(
        identities.authenticate(&Credentials::read(None, None), None, Partition::Aws).user_name.as_deref(),
        Some("Li_Juan")
    );
}

#[test]
fn a_fault_of_the_file_is_reported_with_its_line() {
    let fault = |text: &str| {
        let fault = file::read(text, Path::new(""), &mut Identities::new(account("111122223333")))
            .expect_err("the file has a fault");
        (fault.line, fault.message)
    };
    let (line, message) = fault("[[account]]\nid = \"12\"");
    assert!(line == 2 && message.contains("write twelve digits"), "{line} {message}");
    let (line, message) = fault("[[account]]\nid = \"444455556666\"\n[[account.user]]\nname = \"a b\"");
    assert!(line == 4 && message.contains("not a user name"), "{line} {message}");
    let (line, message) = fault("\n[[acount]]");
    assert!(line == 2 && message.contains("acount"), "{line} {message}");
    let (line, message) = fault(&FILE.replace("[\"AKIAI44QH8DHBEXAMPLE\"]", "[\"A\",\n \"A\"]"));
    assert!(line == 9 && message.contains("duplicate access key 'A'"), "{line} {message}");
}

#[test]
fn without_credentials_the_default_user_of_the_named_account_calls() {
    let other = account("444455556666");
    let caller = identities().authenticate(&Credentials::read(None, None), Some(&other), Partition::Aws);
    assert_eq!(caller.arn, "arn:aws:iam::444455556666:user/Mary_Major");
    assert_eq!(caller.access_key_id, None);
}

#[test]
fn the_dns_name_of_a_service_names_that_service() {
    let caller = authenticated(&signed("codepipeline.amazonaws.com"));
    assert_eq!((caller.kind, caller.invoked_by.as_deref()), (Kind::AwsService, Some("codepipeline.amazonaws.com")));
    for other in ["amazonaws.com", ".amazonaws.com", "Pipeline.amazonaws.com", "a.amazonaws.com.example"] {
        assert_eq!(authenticated(&signed(other)).kind, Kind::IamUser, "{other}");
    }
}

#[test]
fn a_role_is_found_if_it_is_declared_or_its_account_declares_none() {
    let mut identities = identities();
    let declared = r#"
        [[account]]
        id = "111122223333"
        [[account.role]]
        name = "Build"
        path = "/ci/"
        trusts = ["444455556666"]
    "#;
    file::read(declared, Path::new(""), &mut identities).expect("the file is valid");
    let role = |arn: &str| identities.role(arn, Partition::Aws);
    let build =
        role("arn:aws:iam::111122223333:role/ci/Build").expect("the ARN is valid").expect("the role is declared");
    assert_eq!((build.name.as_str(), build.duration_seconds_max), ("Build", 3600));
    assert!(role("arn:aws:iam::111122223333:role/Build").expect("the ARN is valid").is_none());
    assert!(role("arn:aws-cn:iam::111122223333:role/ci/Build").expect("the ARN is valid").is_none());
    let china = identities.role("arn:aws-cn:iam::111122223333:role/ci/Build", Partition::China);
    let china = china.expect("the ARN is valid").expect("the role is declared for all partitions");
    assert_eq!(china.session_names("x").0, "arn:aws-cn:sts::111122223333:assumed-role/Build/x");
    let any = role("arn:aws:iam::444455556666:role/a/b/Any")
        .expect("the ARN is valid")
        .expect("the account declares no roles");
    assert_eq!((any.name.as_str(), any.duration_seconds_max), ("Any", 43_200));
    assert!(matches!(any.trusts, Trusts::Everyone));
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
        assert_eq!(role(wrong).expect_err("the ARN is invalid").to_string(), format!("{wrong} is invalid"));
    }
}

#[test]
fn each_fault_of_the_file_is_reported_with_its_remedy() {
    let account = "[[account]]\nid = \"111122223333\"\n";
    let cases = [
        (
            "[account.root]\naccess_keys = [\"A\"]\n[[account.user]]\nname = \"a\"\naccess_keys = [\"A\"]",
            "duplicate access key 'A': give it to one identity only",
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
        let error = file::read(&format!("{account}{text}"), Path::new(""), &mut identities())
            .expect_err("the file has a fault")
            .message;
        assert!(error.contains(sentence), "{text}: {error}");
    }
}

#[test]
fn an_ssh_key_id_names_its_user_and_the_key() {
    use crate::ssh_public_key::tests::line;
    let declared = |keys: &str| {
        let mut identities = Identities::new(account("111122223333"));
        let file = FILE.replace("git_user_names", &format!("ssh_public_keys = [{keys}]\n    git_user_names"));
        file::read(&file, Path::new(""), &mut identities)
            .map(|()| identities)
            .map_err(|fault| (fault.line, fault.message))
    };
    let key = |id: &str, bits| format!("{{ id = \"{id}\", key = \"{}\" }}", line(bits));
    let identities = declared(&key("APKAEIBAERJR2EXAMPLE", 2_048)).expect("the file is valid");
    let owner = identities.by_ssh_key_id.get("APKAEIBAERJR2EXAMPLE").expect("the key is declared");
    assert_eq!(owner.caller.arn, "arn:aws:iam::444455556666:user/Li_Juan");
    assert_eq!(owner.caller.access_key_id, None);
    for (keys, advice) in [
        (key("AKIAI44QH8DHBEXAMPLE", 2_048), "such as APKAEIBAERJR2EXAMPLE"),
        (key("APKA", 2_048), "such as APKAEIBAERJR2EXAMPLE"),
        (key("APKAEIBAERJR2EXAMPLE", 1_024), "the key has 1024 bits"),
        ([key("APKAEIBAERJR2EXAMPLE", 2_048), key("APKAEIBAERJR2EXAMPLE", 4_096)].join(", "), "duplicate SSH key id"),
    ] {
        let (line, message) = declared(&keys).expect_err("the file has a fault");
        assert!(line == 9 && message.contains(advice), "{line} {message}");
    }
}
