use aws::{AccountId, Caller, Region};
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
    identities().authenticate(credentials, None)
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
    assert_eq!(identities.authenticate(&Credentials::read(None, None), None).user_name.as_deref(), Some("Li_Juan"));
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
    let caller = identities().authenticate(&Credentials::read(None, None), Some(&elsewhere));
    assert_eq!(caller.arn, "arn:aws:iam::444455556666:user/Mary_Major");
    assert_eq!(caller.access_key_id, None);
}
