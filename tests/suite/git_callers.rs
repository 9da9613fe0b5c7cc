//! Git clients of a server with an identities file and no other setting: each is recorded under its caller's name and account.

use std::fs;
use std::process::Command;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tests::clients::GitClient;
use tests::sts::{self, Session};
use tests::{World, wire};

const IDENTITIES: &str = r#"
[[account]]
id = "111122223333"

[[account.user]]
name = "Mary_Major"
default = true

[[account]]
id = "444455556666"

[[account.user]]
name = "Li_Juan"
access_keys = ["AKIAI44QH8DHBEXAMPLE"]
git_user_names = ["li"]
"#;

const KEY: &str = "AKIAI44QH8DHBEXAMPLE";

const LI_JUAN: &str = "arn:aws:iam::444455556666:user/Li_Juan";

/// A server with a repository of one commit in the account of Li Juan.
fn world() -> World {
    let world = World::with(|settings| {
        let data = settings.data_dir.as_ref().expect("the harness names one");
        let path = data.with_file_name("identities.toml");
        fs::write(&path, IDENTITIES).expect("the folder is writable");
        settings.identities = Some(path);
    });
    let signature = wire::signed(KEY, "us-east-1");
    for (operation, input) in [
        ("CreateRepository", json!({ "repositoryName": "MyDemoRepo" })),
        (
            "PutFile",
            json!({ "repositoryName": "MyDemoRepo", "branchName": "main", "filePath": "README", "fileContent": "eA==" }),
        ),
    ] {
        assert_eq!(world.call_as(operation, &input, &[("authorization", &signature)]).status, 200);
    }
    world
}

/// The name of a Git event and its caller's ARN.
fn git_events(world: &World) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().expect("the record has it").to_owned();
    let events = world.events();
    let events = events.iter().filter(|event| event["eventName"].as_str().is_some_and(|name| name.starts_with("Git")));
    events.map(|event| (text(&event["eventName"]), text(&event["userIdentity"]["arn"]))).collect()
}

/// Checks that there are as many pulls and pushes as given, and that one caller made all of them.
fn assert_made_by(world: &World, caller: &str, pulls: usize, pushes: usize) {
    let events = git_events(world);
    let count = |name: &str| events.iter().filter(|(event, _)| event == name).count();
    assert_eq!((count("GitPull"), count("GitPush")), (pulls, pushes), "{events:?}");
    assert!(events.iter().all(|(_, arn)| arn == caller), "{events:?}");
}

/// The repository's URL with a user name and password.
fn url_of(world: &World, user: &str) -> String {
    world.repository_url("MyDemoRepo").replace("http://", &format!("http://{user}@"))
}

#[test]
fn git_with_a_user_name_in_the_url() {
    let world = world();
    world.git(".", &["clone", "--quiet", &url_of(&world, "li:any"), "work"]).ok();
    world.git_commit("work", "file", "content\n");
    world.git("work", &["push", "--quiet", "origin", "HEAD:main"]).ok();
    assert_made_by(&world, LI_JUAN, 2, 2);
}

/// The URL that git-remote-codecommit makes of credentials; HTTP in the place of HTTPS.
fn remote_codecommit(world: &World, key: &str, token: Option<&str>) -> String {
    let endpoint = world.endpoint().replace("http://", "");
    let program = format!(
        "
import os
os.environ.update(AWS_ACCESS_KEY_ID='{key}', CODE_COMMIT_ENDPOINT='{endpoint}')
if '{token}':
    os.environ['AWS_SESSION_TOKEN'] = '{token}'
from git_remote_codecommit import Context, git_url
context = Context.from_url('us-east-1://MyDemoRepo')
print(git_url(context.repository, context.version, context.region, context.credentials))
",
        token = token.unwrap_or_default()
    );
    world.python(&program).ok().replace("https://", "http://")
}

#[test]
fn git_remote_codecommit_with_an_access_key() {
    let world = world();
    world.git(".", &["clone", "--quiet", &remote_codecommit(&world, KEY, None), "work"]).ok();
    world.git_commit("work", "file", "content\n");
    world.git("work", &["push", "--quiet", "origin", "HEAD:main"]).ok();
    assert_made_by(&world, LI_JUAN, 2, 2);
}

#[test]
fn git_remote_codecommit_with_the_session_of_a_role() {
    let world = world();
    let role = "AssumeRole&RoleArn=arn:aws:iam::444455556666:role/Developer&RoleSessionName=s1";
    let session = Session::of(&sts::query(&world, Some(KEY), role));
    let url = remote_codecommit(&world, &session.key, Some(&session.token));
    world.git(".", &["clone", "--quiet", &url, "work"]).ok();
    assert_made_by(&world, "arn:aws:sts::444455556666:assumed-role/Developer/s1", 2, 0);
}

#[test]
fn the_credential_helper_of_the_aws_cli_at_a_host_name_of_aws() {
    let world = world();
    let url = world.repository_url("MyDemoRepo");
    let url = url.replace("127.0.0.1", "git-codecommit.us-east-1.amazonaws.com.localhost");
    let mut command = Command::new("git");
    command
        .args(["-c", "credential.helper=!aws codecommit credential-helper $@", "-c", "credential.UseHttpPath=true"])
        .args(["clone", "--quiet", &url, "work"])
        .current_dir(world.folder())
        .envs([("HOME", world.folder()), ("GIT_CONFIG_NOSYSTEM", "1".as_ref()), ("GIT_TERMINAL_PROMPT", "0".as_ref())])
        .envs([("AWS_ACCESS_KEY_ID", KEY), ("AWS_SECRET_ACCESS_KEY", "any"), ("AWS_DEFAULT_REGION", "us-east-1")]);
    let output = command.output().expect("git is installed");
    assert!(output.status.success(), "{output:?}");
    assert_made_by(&world, LI_JUAN, 2, 0);
}

#[test]
fn libgit2_with_a_user_name_in_the_url() {
    let world = world();
    world.git_client(GitClient::Pygit2, &["clone", &url_of(&world, "li:any"), "work"]).ok();
    world.git_client(GitClient::Pygit2, &["commit", "work", "file", "content\n"]).ok();
    world.git_client(GitClient::Pygit2, &["push", "work", "refs/heads/main:refs/heads/main"]).ok();
    assert_made_by(&world, LI_JUAN, 2, 2);
}

/// `JGit` sends its first request without credentials, and all later ones with them.
#[test]
fn a_client_that_sends_credentials_unasked_after_the_first_401() {
    let world = world();
    let authorization = format!("Basic {}", STANDARD.encode("li:any"));
    let authorization = ("authorization", authorization.as_str());
    let refs = "/v1/repos/MyDemoRepo/info/refs?service=git-upload-pack";
    let accept = ("accept", "application/x-git-upload-pack-advertisement, */*");
    let agent = ("user-agent", "JGit/7.4.0");
    assert_eq!(world.send("GET", refs, &[accept, agent], b"").status, 401);
    let advertised = world.send("GET", refs, &[accept, agent, authorization], b"");
    assert_eq!(advertised.status, 200);
    let text = advertised.text();
    let commit = text.lines().find_map(|line| line.strip_suffix(" refs/heads/main")).expect("main is advertised");
    let want = format!("want {}\n", &commit[commit.len() - 40..]);
    let body = format!("{:04x}{want}00000009done\n", want.len() + 4);
    let content = ("content-type", "application/x-git-upload-pack-request");
    let path = "/v1/repos/MyDemoRepo/git-upload-pack";
    assert_eq!(world.send("POST", path, &[content, agent, authorization], body.as_bytes()).status, 200);
    assert_made_by(&world, LI_JUAN, 2, 0);
}
