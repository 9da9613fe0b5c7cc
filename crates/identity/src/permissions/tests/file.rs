//! Policies of the identities file, and its faults.

use std::fs;
use std::path::Path;

use aws::AccountId;

use crate::principal::PrincipalKind;
use crate::{Identities, file};

const DOCUMENT: &str =
    r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"codecommit:*","Resource":"*"}}"#;

fn account() -> AccountId {
    "111122223333".parse().expect("an account id has twelve digits")
}

/// Reads a part of a file, which begins with line 3; returns the line and the text of its fault.
fn fault(text: &str) -> (usize, String) {
    let text = format!("[[account]]\nid = \"111122223333\"\n{text}");
    match file::read(&text, Path::new("no-such-folder"), &mut Identities::new(account())) {
        Ok(()) => (0, String::new()),
        Err(fault) => (fault.line, fault.message),
    }
}

#[test]
fn a_malformed_document_is_a_fault_with_its_line() {
    let broken = "{\n\"Version\": \"2012-10-17\",\n\"Statement\": [{ \"Effect\": \"Maybe\" }]}";
    let cases = [
        (format!("[[account.policy]]\nname = \"A\"\ndocument = '''\n{broken}'''"), 8),
        (format!("[[account.policy]]\nname = \"A\"\ndocument = '''{broken}'''"), 7),
        (format!("[[account.policy]]\nname = \"A\"\ndocument = \"\"\"\n{}\"\"\"", broken.replace('"', "\\\"")), 8),
        (
            format!(
                "[[account.user]]\nname = \"A\"\npolicies = [\n\"ReadOnlyAccess\",\n{{ name = \"B\", document = '''\n{broken}''' }}]"
            ),
            10,
        ),
        (format!("[[account.role]]\nname = \"A\"\ntrust_policy = '''\n{broken}'''"), 8),
        ("[[account.policy]]\nname = \"A\"\ndocument = '{'".to_owned(), 5),
    ];
    for (text, line) in cases {
        let (found, message) = fault(&text);
        assert!(message.contains("is malformed in its line"), "{message}");
        assert_eq!(found, line, "{text}\n{message}");
    }
}

#[test]
fn each_fault_of_policies_is_reported_with_its_remedy() {
    let inline = format!("{{ name = \"B\", document = '''{DOCUMENT}''' }}");
    let long = DOCUMENT.replace("codecommit:*", &format!("codecommit:{}", "x".repeat(2_048)));
    let cases = [
        ("[[account.user]]\nname = \"A\"\npolicies = [\"Unknown\"]".to_owned(), "there is no policy 'Unknown'"),
        ("[[account.user]]\nname = \"A\"\nboundary = \"Unknown\"".to_owned(), "there is no policy 'Unknown'"),
        ("[[account.user]]\nname = \"A\"\ngroups = [\"B\"]".to_owned(), "there is no group 'B': declare it"),
        ("[[account.user]]\nname = \"A\"\n[[account.user]]\nname = \"a\"".to_owned(), "duplicate user 'a'"),
        ("[[account.group]]\nname = \"A\"\n[[account.group]]\nname = \"a\"".to_owned(), "duplicate group 'a'"),
        (format!("[[account.user]]\nname = \"A\"\npolicies = [{inline}, {inline}]"), "duplicate inline policy 'B'"),
        (
            format!(
                "[[account.policy]]\nname = \"A\"\ndocument = '''{DOCUMENT}'''\n[[account.policy]]\nname = \"A\"\npath = \"/x/\"\ndocument = '''{DOCUMENT}'''"
            ),
            "duplicate policy 'A'",
        ),
        ("[[account.policy]]\nname = \"A\"".to_owned(), "the policy 'A' needs one document"),
        (
            "[[account.policy]]\nname = \"A\"\nfile = \"a.json\"".to_owned(),
            "cannot read the policy file 'no-such-folder/a.json'",
        ),
        (format!("[[account.policy]]\nname = \"a b\"\ndocument = '''{DOCUMENT}'''"), "'a b' is not a policy name"),
        (
            format!("[[account.user]]\nname = \"A\"\npolicies = [{{ name = \"B\", document = '''{long}''' }}]"),
            "and 2048 are allowed",
        ),
        (
            format!("[[account.role]]\nname = \"A\"\ntrusts = []\ntrust_policy = '''{DOCUMENT}'''"),
            "has trusts and a trust policy",
        ),
        ("[[account.user]]\nname = \"A\"\npath = \"x\"".to_owned(), "'x' is not the path of a user"),
        ("[[account.user]]\nname = \"A\"\npolicies = [1]".to_owned(), "write a policy as \"NAME\""),
        (
            format!("[[account.user]]\nname = \"A\"\npolicies = [{}]", ["\"ReadOnlyAccess\""; 11].join(",")),
            "a user can have 10 managed policies at most",
        ),
    ];
    for (text, sentence) in cases {
        let (line, message) = fault(&text);
        assert!(line >= 3 && message.contains(sentence), "{text}: {line} {message}");
    }
}

#[test]
fn documents_can_be_files_beside_the_identities_file() {
    let folder = tempfile::tempdir().expect("a temporary folder can be created");
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).expect("the file can be written");
        path
    };
    write("policy.json", DOCUMENT);
    let text = "[[account]]\nid = \"111122223333\"\n[[account.policy]]\nname = \"A\"\nfile = \"policy.json\"\n\
                [[account.user]]\nname = \"B\"\npolicies = [\"A\", { name = \"C\", file = \"policy.json\" }]\n";
    let path = write("identities.toml", text);
    Identities::load(&path, account()).expect("the file is valid");
    write("policy.json", "{");
    let error = Identities::load(&path, account()).expect_err("the document is malformed").to_string();
    assert!(error.contains("line 5: the document of 'A' is malformed in its line 1"), "{error}");
}

#[test]
fn the_sample_file_is_valid() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docker/identities.toml");
    let identities = Identities::load(&path, account()).expect("the sample is valid");
    let id = crate::principal_id("AIDA", &account(), "Sofia_Martinez");
    let grants = identities.principals.grants(PrincipalKind::User, &account(), "sofia_martinez", &id);
    assert_eq!((grants.identity.documents().len(), grants.boundary.is_some()), (4, true));
}
