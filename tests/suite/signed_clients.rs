//! Unmodified clients whose credentials are verified: SDKs, both gits, every kind of credentials, roles, and refusals.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use server::settings::Access;
use tests::World;
use tests::clients::{Outcome, git_command, outcome, python_environment, python_folder};
use tests::ssh::{KEY_ID, key_file};

use crate::signed::{IDENTITIES, LI_JUAN, MARY_MAJOR, world_with};
use crate::ssh::programs;

/// Git's credential helper, as `codecommit-local env` prints it.
const HELPER: &str =
    "credential.helper=!f() { aws codecommit credential-helper $1 $([ $1 = get ] && echo --ignore-host-check); }; f";

/// The role that callers assume.
const ROLE: &str = "arn:aws:iam::444455556666:role/Developer";

/// An access key, its secret, and the session token of a temporary one.
#[derive(Clone, Debug)]
struct ClientCredentials {
    key: String,
    secret: String,
    token: Option<String>,
}

impl From<(&str, &str)> for ClientCredentials {
    fn from((key, secret): (&str, &str)) -> Self {
        Self { key: key.to_owned(), secret: secret.to_owned(), token: None }
    }
}

impl ClientCredentials {
    fn set(&self, command: &mut Command) {
        command.env("AWS_ACCESS_KEY_ID", &self.key).env("AWS_SECRET_ACCESS_KEY", &self.secret);
        command.env("AWS_REGION", "us-east-1").env("AWS_DEFAULT_REGION", "us-east-1");
        command.env("AWS_EC2_METADATA_DISABLED", "true");
        if let Some(token) = &self.token {
            command.env("AWS_SESSION_TOKEN", token);
        }
    }
}

/// Starts a server that verifies signatures, with SSH; Li Juan has a key for it.
fn world() -> World {
    let public_key = std::fs::read_to_string(key_file("declared.pub")).expect("the file was created");
    let key = format!("ssh_public_keys = [{{ id = \"{KEY_ID}\", key = \"{}\" }}]\n", public_key.trim_end());
    let password = "git_credentials = [{ password = \"a+password/with=signs\" }]\n";
    world_with(&format!("{IDENTITIES}{key}{password}"), |settings| {
        settings.ssh_listen = Some(([127, 0, 0, 1], 0).into());
    })
}

fn aws(world: &World, credentials: &ClientCredentials, arguments: &[&str]) -> Outcome {
    let mut command = python_environment("aws", world.folder(), &world.endpoint());
    credentials.set(&mut command);
    outcome(command.args(arguments))
}

/// Runs the story of the SDK for JavaScript, and returns its lines.
fn javascript(world: &World, credentials: &ClientCredentials, endpoint: &str, repository: &str) -> Vec<Value> {
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients/aws-sdk-js/client.mjs");
    let mut command = Command::new("node");
    command.arg(program).arg(repository).current_dir(world.folder()).env_clear();
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("HOME", world.folder());
    command.env("AWS_ENDPOINT_URL", endpoint).env("NODE_EXTRA_CA_CERTS", world.authority_file());
    credentials.set(&mut command);
    let printed = outcome(&mut command).ok();
    printed.lines().map(|line| serde_json::from_str(line).expect("each line is JSON")).collect()
}

/// Runs a git with credentials for its helper and for git-remote-codecommit.
fn git(world: &World, program: &str, credentials: &ClientCredentials, folder: &str, arguments: &[&str]) -> Outcome {
    let template = git_command(&world.folder().join(folder), &[]);
    let mut command = Command::new(program);
    command.args(["-c", HELPER, "-c", "credential.UseHttpPath=true"]).args(arguments);
    command.current_dir(world.folder().join(folder)).env_clear();
    command.envs(template.get_envs().filter_map(|(name, value)| Some((name, value?))));
    // git-remote-codecommit runs the git that it finds first.
    let own = Path::new(program).parent().expect("the path is absolute").display().to_string();
    let clients = python_folder().canonicalize().expect("scripts/clients was run").display().to_string();
    command.env("PATH", format!("{clients}:{own}:{}", std::env::var("PATH").unwrap_or_default()));
    command.env("CODE_COMMIT_ENDPOINT", world.endpoint().trim_start_matches("http://"));
    command.env("GIT_SSL_CAINFO", world.authority_file());
    credentials.set(&mut command);
    outcome(&mut command)
}

/// Returns the callers of the events from a number on.
fn callers(world: &World, first: usize) -> Vec<Value> {
    world.events().drain(first..).map(|event| event["userIdentity"]["arn"].clone()).collect()
}

/// Asserts that all events from a number on, of which there are some, have one caller.
fn assert_caller(world: &World, first: usize, arn: &str) {
    let found = callers(world, first);
    assert!(!found.is_empty() && found.iter().all(|caller| *caller == arn), "{arn}: {found:?}");
}

/// Assumes the role with the AWS CLI.
fn assume_role(world: &World, credentials: &ClientCredentials, seconds: &str) -> ClientCredentials {
    let arguments = ["--role-arn", ROLE, "--role-session-name", "s1", "--duration-seconds", seconds];
    let reply = aws(world, credentials, &[&["sts", "assume-role"][..], &arguments].concat()).ok();
    let reply: Value = serde_json::from_str(&reply).expect("the CLI prints JSON");
    let text = |name: &str| reply["Credentials"][name].as_str().expect("the member is a string").to_owned();
    ClientCredentials { key: text("AccessKeyId"), secret: text("SecretAccessKey"), token: Some(text("SessionToken")) }
}

#[test]
fn the_sdk_for_javascript_works_in_each_mode_over_http_and_tls() {
    let signed = world();
    let open = World::new();
    for world in [&open, &signed] {
        for (number, endpoint) in [world.endpoint(), world.tls_endpoint()].into_iter().enumerate() {
            let first = world.events().len();
            let name = format!("MyDemoRepo-{number}");
            let lines = javascript(world, &MARY_MAJOR.into(), &endpoint, &name);
            let names: Vec<_> = (0..=number).map(|number| format!("MyDemoRepo-{number}")).collect();
            let expected = [
                json!(number),
                json!(format!("{endpoint}/v1/repos/{name}")),
                json!(["notes/ä ö.txt"]),
                json!("A demonstration.\n"),
                json!(names),
                json!(["RepositoryDoesNotExistException", "absent does not exist"]),
            ];
            assert_eq!(lines, expected);
            assert_caller(world, first, "arn:aws:iam::111122223333:user/Mary_Major");
            let agent = world.events()[first]["userAgent"].as_str().map(str::to_owned).unwrap_or_default();
            assert!(agent.starts_with("aws-sdk-js/3."), "{agent}");
        }
    }
}

#[test]
fn every_git_is_let_in_with_each_kind_of_credentials() {
    let world = world();
    let li_juan = ClientCredentials::from(LI_JUAN);
    aws(&world, &li_juan, &["codecommit", "create-repository", "--repository-name", "MyDemoRepo"]).ok();
    let endpoint = world.endpoint();
    let scope = "444455556666/us-east-1/v1/repos/MyDemoRepo";
    let plain = format!("{endpoint}/{scope}");
    let user = "Li_Juan-at-444455556666";
    let with_password = plain.replace("http://", &format!("http://{user}:a%2Bpassword%2Fwith%3Dsigns@"));
    for (number, program) in programs().enumerate() {
        for (kind, url) in [
            ("helper", plain.clone()),
            ("password", with_password.clone()),
            ("remote-codecommit", "codecommit::us-east-1://MyDemoRepo".to_owned()),
        ] {
            let first = world.events().len();
            let folder = format!("{kind}-{number}");
            git(&world, program, &li_juan, ".", &["clone", "--quiet", &url, &folder]).ok();
            let id = world.git_commit(&folder, "file", &folder);
            git(&world, program, &li_juan, &folder, &["push", "--quiet", "origin", &format!("HEAD:{folder}")]).ok();
            let listed = git(&world, program, &li_juan, &folder, &["ls-remote", "origin", &folder]).ok();
            assert!(listed.starts_with(&id), "{program} {kind}: {listed}");
            assert_caller(&world, first, "arn:aws:iam::444455556666:user/Li_Juan");
        }
        let url = world.ssh_url("MyDemoRepo");
        let (first, folder) = (world.events().len(), format!("ssh-{number}"));
        world.git_over_ssh(program, "declared", ".", &["clone", "--quiet", &url, &folder]).ok();
        world.git_commit(&folder, "file", &folder);
        world
            .git_over_ssh(program, "declared", &folder, &["push", "--quiet", "origin", &format!("HEAD:{folder}")])
            .ok();
        assert_caller(&world, first, "arn:aws:iam::444455556666:user/Li_Juan");
        let events = world.events().split_off(first);
        assert!(events.iter().all(|event| event["additionalEventData"]["protocol"] == "SSH"), "{events:#?}");

        let first = world.events().len();
        let refused = world.git_over_ssh(program, "other", ".", &["ls-remote", &url]).failed();
        assert!(refused.contains("Permission denied (publickey)"), "{refused}");
        let wrong = (LI_JUAN.0, "another").into();
        let refused = git(&world, program, &wrong, ".", &["ls-remote", &plain]).failed();
        assert!(refused.contains("remote: The request signature we calculated does not match"), "{refused}");
        let refused = git(&world, program, &wrong, ".", &["ls-remote", "codecommit::us-east-1://MyDemoRepo"]).failed();
        assert!(refused.contains("remote: The request signature we calculated does not match"), "{refused}");
        let refused = git(&world, program, &li_juan, ".", &["ls-remote", &with_password.replace("signs", "sign")]);
        let refused = refused.failed();
        assert!(refused.contains("The requested URL returned error: 403"), "{refused}");
        assert_eq!(world.events().len(), first);
    }
}

/// With a user name in the URL, libcurl sends an empty password before Git asks its helper.
#[test]
fn a_user_name_in_the_url_gets_its_password_from_a_credential_store() {
    let world = world();
    aws(&world, &LI_JUAN.into(), &["codecommit", "create-repository", "--repository-name", "MyDemoRepo"]).ok();
    let with_user =
        |password: &str| world.endpoint().replace("http://", &format!("http://Li_Juan-at-444455556666{password}@"));
    std::fs::write(world.folder().join("credentials"), format!("{}\n", with_user(":a%2Bpassword%2Fwith%3Dsigns")))
        .expect("the folder is writable");
    world.git_repository("work");
    let first = world.events().len();
    let store = "credential.helper=store --file=../credentials";
    let url = format!("{}/v1/repos/MyDemoRepo", with_user(""));
    world.git("work", &["-c", store, "push", "--quiet", &url, "main"]).ok();
    let events = world.events().split_off(first);
    assert!(events.len() == 2 && events.iter().all(|event| event["eventName"] == "GitPush"), "{events:#?}");
    assert_caller(&world, first, "arn:aws:iam::444455556666:user/Li_Juan");
}

#[test]
fn a_role_is_assumed_and_used_by_each_client() {
    let world = world();
    let session = assume_role(&world, &LI_JUAN.into(), "900");
    let arn = "arn:aws:sts::444455556666:assumed-role/Developer/s1";
    let first = world.events().len();
    aws(&world, &session, &["codecommit", "create-repository", "--repository-name", "MyDemoRepo"]).ok();
    assert_eq!(aws(&world, &session, &["sts", "get-caller-identity", "--query", "Arn", "--output", "text"]).ok(), arn);
    assert_eq!(javascript(&world, &session, &world.tls_endpoint(), "FromJavaScript")[3], "A demonstration.\n");
    let token = session.token.as_deref().expect("a session has a token");
    let sdk = world.sdk_with_token(&session.key, &session.secret, token);
    let listed = world.run(sdk.list_repositories().send()).expect("the signature is valid");
    assert_eq!(listed.repositories().len(), 2);
    for program in programs() {
        for url in [world.repository_url("MyDemoRepo"), "codecommit://MyDemoRepo".to_owned()] {
            let folder = tempfile::tempdir_in(world.folder()).expect("the folder is writable");
            let name = folder.path().file_name().and_then(|name| name.to_str()).expect("the name is UTF-8");
            git(&world, program, &session, name, &["clone", "--quiet", &url, "work"]).ok();
            let work = format!("{name}/work");
            world.git_commit(&work, "file", name);
            git(&world, program, &session, &work, &["push", "--quiet", "--force", "origin", "HEAD:main"]).ok();
        }
    }
    assert_caller(&world, first, arn);
}

#[test]
fn expired_and_foreign_credentials_are_refused_in_the_words_of_aws() {
    let world = world();
    aws(&world, &LI_JUAN.into(), &["codecommit", "create-repository", "--repository-name", "MyDemoRepo"]).ok();
    let session = assume_role(&world, &LI_JUAN.into(), "900");
    let other = assume_role(&world, &LI_JUAN.into(), "43200");
    world.move_clock(901);
    let invalid = "The security token included in the request is invalid";
    let expired = "The security token included in the request is expired";
    let first = world.events().len();
    for (credentials, name, text, end) in [
        (session.clone(), "ExpiredTokenException", expired, ""),
        (ClientCredentials { token: other.token.clone(), ..session }, "UnrecognizedClientException", invalid, "."),
        (ClientCredentials { token: None, ..other.clone() }, "UnrecognizedClientException", invalid, "."),
        (("AKIAI44QH8DHBFOREIGN", LI_JUAN.1).into(), "UnrecognizedClientException", invalid, "."),
        (ClientCredentials { token: other.token, ..LI_JUAN.into() }, "UnrecognizedClientException", invalid, "."),
    ] {
        let refused = aws(&world, &credentials, &["codecommit", "list-repositories"]).failed();
        let sentence = format!("({name}) when calling the ListRepositories operation: {text}{end}");
        assert!(refused.trim_end().ends_with(&sentence), "{refused}");
        let lines = javascript(&world, &credentials, &world.endpoint(), "FromJavaScript");
        assert_eq!(lines, vec![json!([name, format!("{text}{end}")]); 6]);
        let sdk = match &credentials.token {
            Some(token) => world.sdk_with_token(&credentials.key, &credentials.secret, token),
            None => world.sdk_with(&credentials.key, &credentials.secret),
        };
        let refused = world.run(sdk.list_repositories().send()).expect_err("the credentials are refused");
        let refused = refused.into_service_error();
        assert_eq!(
            (refused.meta().code(), refused.meta().message()),
            (Some(name), Some(format!("{text}{end}").as_str()))
        );
        for program in programs() {
            for url in [world.repository_url("MyDemoRepo"), "codecommit://MyDemoRepo".to_owned()] {
                let refused = git(&world, program, &credentials, ".", &["ls-remote", &url]).failed();
                assert!(refused.contains(&format!("remote: {text}")), "{refused}");
                assert!(refused.contains("The requested URL returned error: 403"), "{refused}");
            }
        }
    }
    assert_eq!(world.events().len(), first);
}

/// Declares a user with a managed policy, and one without any, whose clients are all refused.
const POLICIES: &str = r#"
[[account]]
id = "111122223333"

[[account.user]]
name = "Mary_Major"
policies = ["AWSCodeCommitPowerUser"]
access_keys = ["AKIAIOSFODNN7EXAMPLE"]

[[account.user]]
name = "Li_Juan"
access_keys = [{ id = "AKIAI44QH8DHBEXAMPLE", secret = "je7MtGbClwBF/2Zp9Utk/h3yCo8nvbEXAMPLEKEY" }]
git_credentials = [{ password = "password" }]
"#;

#[test]
fn policies_decide_for_each_client_and_each_refusal_is_recorded() {
    let public_key = std::fs::read_to_string(key_file("declared.pub")).expect("the file was created");
    let key = format!("ssh_public_keys = [{{ id = \"{KEY_ID}\", key = \"{}\" }}]\n", public_key.trim_end());
    let world = world_with(&format!("{POLICIES}{key}"), |settings| {
        settings.access = Access::Enforced;
        settings.ssh_listen = Some(([127, 0, 0, 1], 0).into());
    });
    let lines = javascript(&world, &MARY_MAJOR.into(), &world.tls_endpoint(), "MyDemoRepo");
    assert_eq!(lines[3..5], [json!("A demonstration.\n"), json!(["MyDemoRepo"])]);

    let first = world.events().len();
    let li_juan = ClientCredentials::from(LI_JUAN);
    let arn = "arn:aws:iam::111122223333:user/Li_Juan";
    let denied = |action: &str| {
        format!(
            "User: {arn} is not authorized to perform: codecommit:{action} on resource: \
             arn:aws:codecommit:us-east-1:111122223333:MyDemoRepo because no identity-based policy allows the codecommit:{action} action"
        )
    };
    let lines = javascript(&world, &li_juan, &world.endpoint(), "MyDemoRepo");
    assert!(lines.iter().all(|line| line[0] == "AccessDeniedException"), "{lines:#?}");
    assert_eq!(lines[3][1], denied("GetFile"));
    let sdk = world.sdk_with(LI_JUAN.0, LI_JUAN.1);
    let refused = world.run(sdk.list_branches().repository_name("MyDemoRepo").send()).expect_err("no policy allows it");
    let (code, message) = (Some("AccessDeniedException"), denied("ListBranches"));
    assert_eq!(refused.into_service_error().meta().code(), code);
    let refused = aws(&world, &li_juan, &["codecommit", "list-branches", "--repository-name", "MyDemoRepo"]).failed();
    assert!(refused.trim_end().ends_with(&message), "{refused}");
    let plain = world.repository_url("MyDemoRepo");
    let with_password = plain.replace("http://", "http://Li_Juan-at-111122223333:password@");
    world.git_repository("work");
    for program in programs() {
        for url in [&plain, &with_password, "codecommit::us-east-1://MyDemoRepo"] {
            let refused = git(&world, program, &li_juan, ".", &["ls-remote", url]).failed();
            assert!(refused.contains(&format!("remote: {}", denied("GitPull"))), "{refused}");
            assert!(refused.contains("The requested URL returned error: 403"), "{refused}");
            let refused = git(&world, program, &li_juan, "work", &["push", url, "main"]).failed();
            assert!(refused.contains(&format!("remote: {}", denied("GitPush"))), "{refused}");
        }
        let url = world.ssh_url("MyDemoRepo");
        let refused = world.git_over_ssh(program, "declared", ".", &["ls-remote", &url]).failed();
        assert!(refused.contains(&format!("Access denied: {}", denied("GitPull"))), "{refused}");
        let refused = world.git_over_ssh(program, "declared", "work", &["push", &url, "main"]).failed();
        assert!(refused.contains(&format!("Access denied: {}", denied("GitPush"))), "{refused}");
    }
    let events = world.events().split_off(first);
    assert!(events.iter().all(|event| event["errorCode"] == "AccessDenied" && event["userIdentity"]["arn"] == arn));
    // The story and two further calls, and for each git three kinds of credentials over HTTP, and SSH.
    assert_eq!(events.len(), 8 + programs().count() * 4 * 2);
}
