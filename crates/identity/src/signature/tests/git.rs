//! Passwords of Git.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::{KEY, Request, SKEW, region, time};
use crate::TokenHash;
use crate::git_credential::PasswordHash;
use crate::root_key::SecretKey;
use crate::signature::{Claim, GitPassword, Protocol, SignatureError, make_git_password};

const HOST: &str = "git-codecommit.us-east-1.amazonaws.com";
const PATH: &str = "/v1/repos/MyDemoRepo";

fn secret() -> SecretKey {
    SecretKey::new("secretKEY/example+0000")
}

fn request(user: &str, password: &str, host: &str, path: &str) -> Request {
    let authorization = format!("Basic {}", STANDARD.encode(format!("{user}:{password}")));
    Request::new("GET", path, &[("host", host), ("authorization", &authorization)])
}

fn password(request: &Request) -> GitPassword {
    match request.with(|request| Claim::read(Protocol::Git, request)) {
        Ok(Claim::GitPassword(password)) => password,
        other => panic!("the request has no generated password: {other:?}"),
    }
}

fn verify(request: &Request, regions: &[&str], now: &str) -> Result<String, SignatureError> {
    let regions: Vec<_> = regions.iter().map(|name| region(name)).collect();
    let password = password(request);
    let verified = request.with(|request| password.verify(&secret(), request, &regions, SKEW, time(now)));
    verified.map(|region| region.to_string())
}

/// A password that git-remote-codecommit and the AWS CLI generate.
#[test]
fn the_password_is_that_of_the_clients() {
    let generated = make_git_password(&secret(), HOST, PATH, &region("us-east-1"), time("20250102T030405Z"));
    assert_eq!(generated, "20250102T030405Z97dcc42a13d8b3a470cf476a1b082cf50ecbfccd14f23a413fa4a85db7c97a88");
    for (host, path) in [
        (HOST, "/v1/repos/MyDemoRepo/info/refs"),
        ("git-codecommit.us-east-1.amazonaws.com:443", "/v1/repos/MyDemoRepo/git-upload-pack"),
        (HOST, "/v1/repos/MyDemoRepo//git-receive-pack"),
        (HOST, "/v1/repos/My%44emoRepo/info/refs"),
    ] {
        let request = request(KEY, &generated, host, path);
        let regions = ["eu-west-1", "us-east-1"];
        assert_eq!(verify(&request, &regions, "20250102T030405Z").expect(path), "us-east-1");
        for now in ["20250102T024905Z", "20250102T031905Z"] {
            verify(&request, &regions, now).expect("the difference is 15 minutes");
        }
        for now in ["20250102T024904Z", "20250102T031906Z", "20260102T030405Z"] {
            let error = verify(&request, &regions, now).expect_err("the difference is longer");
            assert!(matches!(error, SignatureError::TooEarly(_) | SignatureError::TooLate(_)), "{error}");
        }
        let error = verify(&request, &["eu-west-1"], "20250102T030405Z").expect_err("the region is no candidate");
        assert_eq!(error.json().name, "InvalidSignatureException");
    }
}

#[test]
fn the_password_of_a_host_with_a_port_and_of_an_own_path() {
    let now = time("20250102T030405Z");
    let path = "/444455556666/us-east-2/v1/repos/MyDemoRepo";
    let generated = make_git_password(&secret(), "localhost:4599", path, &region("us-east-2"), now);
    let request = request("ASIA1%to/ken+==%%", &generated, "localhost:4599", &format!("{path}/info/refs"));
    assert_eq!(
        verify(&request, &["us-east-2"], "20250102T030405Z").expect("the password was generated for this time"),
        "us-east-2"
    );
    let password = password(&request);
    assert_eq!((password.access_key_id(), password.token_hash()), ("ASIA1", Some(TokenHash::of("to/ken+==%%"))));
}

#[test]
fn requests_of_git_lfs_have_the_password_of_their_repository() {
    let now = "20250102T030405Z";
    let generate = |path: &str| make_git_password(&secret(), HOST, path, &region("us-east-1"), time(now));
    let batch = format!("{PATH}.git/info/lfs/objects/batch");
    for signed in [PATH.to_owned(), format!("{PATH}.git"), format!("{PATH}.git/info/lfs")] {
        verify(&request(KEY, &generate(&signed), HOST, &batch), &["us-east-1"], now).expect(&signed);
    }
    for (signed, path) in [
        ("/v1/repos/Other", batch.as_str()),
        ("/v1/repos", &batch),
        (&format!("{PATH}.git/info"), &batch),
        (PATH, "/v1/repos/MyDemoRepo.git/info/lfsx/objects/batch"),
        (PATH, "/v1/repos/MyDemoRepo.git/info/refs"),
        (PATH, "/v1/repos/Other.git/info/lfs/locks"),
    ] {
        verify(&request(KEY, &generate(signed), HOST, path), &["us-east-1"], now).expect_err(path);
    }
}

#[test]
fn regions_beyond_the_bound_are_not_tried() {
    let generated = make_git_password(&secret(), HOST, PATH, &region("us-east-1"), time("20250102T030405Z"));
    let request = request(KEY, &generated, HOST, PATH);
    for (others, matches) in [(31, true), (32, false)] {
        let names: Vec<String> = (0..others).map(|number| format!("xx-east-{number}")).collect();
        let regions: Vec<&str> = names.iter().map(String::as_str).chain(["us-east-1"]).collect();
        assert_eq!(verify(&request, &regions, "20250102T030405Z").is_ok(), matches, "{others}");
    }
}

#[test]
fn each_changed_byte_is_refused() {
    let generated = make_git_password(&secret(), HOST, PATH, &region("us-east-1"), time("20250102T030405Z"));
    let path = format!("{PATH}/info/refs");
    let (mut count, now) = (0, "20250102T030405Z");
    let changed = |text: &str| -> Vec<String> {
        let digits = b"0123456789abcdefABCDEFTZ";
        let pairs = (0..text.len()).flat_map(|index| digits.iter().map(move |byte| (index, *byte)));
        let changed = pairs.filter(|(index, byte)| text.as_bytes()[*index] != *byte).map(|(index, byte)| {
            let mut bytes = text.as_bytes().to_vec();
            bytes[index] = byte;
            String::from_utf8(bytes).expect("the text is ASCII")
        });
        changed.collect()
    };
    for password in changed(&generated) {
        verify(&request(KEY, &password, HOST, &path), &["us-east-1"], now).expect_err(&password);
        count += 1;
    }
    for host in changed(HOST) {
        verify(&request(KEY, &generated, &host, &path), &["us-east-1"], now).expect_err(&host);
        count += 1;
    }
    for path in changed(PATH) {
        verify(&request(KEY, &generated, HOST, &path), &["us-east-1"], now).expect_err(&path);
        count += 1;
    }
    assert!(count > 3_000, "{count}");
}

#[test]
fn a_user_name_that_is_no_access_key_has_static_credentials() {
    let claim = |user: &str, password: &str| {
        request(user, password, HOST, PATH)
            .with(|request| Claim::read(Protocol::Git, request))
            .expect("the credentials are well formed")
    };
    for user in ["Mary_Major-at-111122223333", "U+1-at-111122223333", "a%b-at-111122223333"] {
        let Claim::GitCredential(credential) = claim(user, "pass:word") else { panic!("{user} is no access key") };
        assert_eq!(credential.user_name(), user);
        credential.verify(&PasswordHash::of("pass:word")).expect("the password is right");
        let error = credential.verify(&PasswordHash::of("password")).expect_err("the password is wrong");
        assert_eq!(error.to_string(), "wrong Git password");
    }
    // A key of the identities file may have any name; its password shows what it is.
    let generated = make_git_password(&secret(), HOST, PATH, &region("us-east-1"), time("20250102T030405Z"));
    assert_eq!(claim("my-key%token", &generated).access_key_id(), Some("my-key"));
    assert!(matches!(claim("AKIAIOSFODNN7EXAMPLE", ""), Claim::GitPassword(_)));
}

#[test]
fn anything_else_is_no_credential() {
    for authorization in ["", "Basic", "Basic %%%", "Basic eA==", "Bearer eDp5", "AWS4-HMAC-SHA256 Credential=x"] {
        let request = Request::new("GET", PATH, &[("authorization", authorization)]);
        let claim = request.with(|request| Claim::read(Protocol::Git, request));
        assert!(matches!(claim, Ok(Claim::Nothing)), "{authorization}");
    }
}
