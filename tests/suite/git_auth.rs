//! Names of Git callers: the challenge 401, the user names that clients send, and reloaded identities.

use std::fs;
use std::process::Command;

use serde_json::{Value, json};
use server::settings::GitAuth;
use tests::binary::{self, Running};
use tests::{World, wire};
use ureq::http::Request;

fn asking() -> World {
    let world = World::with(|settings| settings.git.auth = Some(GitAuth::Ask));
    world.ok("CreateRepository", &json!({ "repositoryName": "MyDemoRepo" }));
    world
}

/// Returns the account and the user of the last event.
fn caller(world: &World) -> (Value, Value) {
    let event = world.events().pop().expect("there are events");
    (event["userIdentity"]["accountId"].clone(), event["userIdentity"]["userName"].clone())
}

/// Returns the URL of the repository with a prefix before the host.
fn url_of(world: &World, user: &str) -> String {
    world.repository_url("MyDemoRepo").replace("http://", &format!("http://{user}@"))
}

#[test]
fn git_without_credentials_gets_a_401_and_no_record() {
    let world = asking();
    let path = "/v1/repos/MyDemoRepo/info/refs?service=git-upload-pack";
    for authorization in [None, Some("Basic Og=="), Some("Negotiate x")] {
        let headers: Vec<(&str, &str)> = authorization.into_iter().map(|value| ("authorization", value)).collect();
        let reply = world.send("GET", path, &headers, b"");
        assert_eq!(reply.status, 401);
        assert_eq!(reply.header("www-authenticate"), Some("Basic realm=\"AWS CodeCommit\""));
        assert!(reply.text().contains("the user name names the caller"), "{}", reply.text());
    }
    let body = [("content-type", "application/x-git-receive-pack-request")];
    assert_eq!(world.send("POST", "/v1/repos/MyDemoRepo/git-receive-pack", &body, b"0000").status, 401);
    assert_eq!(world.events().len(), 1, "only CreateRepository is recorded");
}

#[test]
fn a_user_name_in_the_url_names_the_caller_of_a_clone_and_a_push() {
    let world = asking();
    let url = url_of(&world, "Li_Juan-at-111122223333:any");
    world.git(".", &["clone", "--quiet", &url, "work"]).ok();
    assert_eq!(caller(&world), (json!("111122223333"), json!("Li_Juan")));
    world.git_commit("work", "README.md", "A demonstration.\n");
    world.git("work", &["push", "--quiet", "origin", "HEAD:main"]).ok();
    let pushes: Vec<Value> = world.events().into_iter().filter(|event| event["eventName"] == "GitPush").collect();
    assert_eq!(pushes.len(), 2);
    assert!(pushes.iter().all(|push| push["userIdentity"]["userName"] == "Li_Juan"), "{pushes:#?}");
}

#[test]
fn the_credential_helper_of_the_aws_cli_names_the_caller() {
    let world = asking();
    let helper = "credential.helper=!f() { aws codecommit credential-helper $1 $([ $1 = get ] && echo --ignore-host-check); }; f";
    let keys = [
        ("AWS_ACCESS_KEY_ID", "AKIAI44QH8DHBEXAMPLE"),
        ("AWS_SECRET_ACCESS_KEY", "any"),
        ("AWS_DEFAULT_REGION", "us-east-1"),
    ];
    let url = world.repository_url("MyDemoRepo");
    let mut command = Command::new("git");
    command.args(["-c", helper, "-c", "credential.UseHttpPath=true", "ls-remote", &url]).current_dir(world.folder());
    command.env("HOME", world.folder()).env("GIT_CONFIG_NOSYSTEM", "1").env("GIT_TERMINAL_PROMPT", "0").envs(keys);
    let output = command.output().expect("git is there");
    assert!(output.status.success(), "{output:?}");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "", "the helper writes no warning");
    assert_eq!(caller(&world).1, "AKIAI44QH8DHBEXAMPLE");
}

#[test]
fn without_declared_identities_git_gets_no_401() {
    let world = World::new();
    world.ok("CreateRepository", &json!({ "repositoryName": "MyDemoRepo" }));
    world.git(".", &["ls-remote", &world.repository_url("MyDemoRepo")]).ok();
    assert_eq!(caller(&world).1, "Mary_Major");
}

#[test]
fn a_repository_of_another_region_is_reported_with_its_url() {
    let world = World::new();
    let error = world.git(".", &["ls-remote", &world.repository_url("MyDemoRepo")]).failed();
    let endpoint = world.endpoint();
    let sentence = format!(
        "MyDemoRepo does not exist in us-east-1 of account 111122223333. A repository of another account or region has the \
         URL {endpoint}/ACCOUNT/REGION/v1/repos/MyDemoRepo"
    );
    assert!(error.contains(&sentence), "{error}");
    assert_eq!(world.events().pop().expect("the call is recorded")["errorMessage"], "MyDemoRepo does not exist");
}

#[test]
fn a_host_name_below_localhost_selects_its_region() {
    let world = World::new();
    let host = format!(
        "git-codecommit.eu-west-1.amazonaws.com.localhost:{}",
        world.endpoint().rsplit(':').next().expect("a port")
    );
    let headers = [("host", host.as_str())];
    let created = world.call_as("CreateRepository", &json!({ "repositoryName": "MyDemoRepo" }), &headers).json();
    let clone_url = &created["repositoryMetadata"]["cloneUrlHttp"];
    assert_eq!(clone_url, &format!("http://{host}/v1/repos/MyDemoRepo"));
    world.git(".", &["ls-remote", clone_url.as_str().expect("the member is a string")]).ok();
    assert_eq!(world.events().pop().expect("the call is recorded")["awsRegion"], "eu-west-1");
}

#[test]
fn an_account_id_as_access_key_is_the_root_of_that_account() {
    let world = World::new();
    let signature = wire::signed("444455556666", "us-east-1");
    world.call_as("ListRepositories", &json!({}), &[("authorization", &signature)]);
    let event = world.events().pop().expect("the call is recorded");
    assert_eq!(event["userIdentity"]["type"], "Root");
    assert_eq!(event["userIdentity"]["arn"], "arn:aws:iam::444455556666:root");
}

#[test]
fn addresses_and_protocol_come_from_a_trusted_proxy() {
    let forwarded = [("x-forwarded-for", "203.0.113.9, 198.51.100.7, 10.0.0.3"), ("x-forwarded-proto", "https")];
    for (trusted, address, scheme) in [
        (vec!["127.0.0.1/32", "10.0.0.0/8"], "198.51.100.7", "https"),
        (vec!["127.0.0.1/32"], "10.0.0.3", "https"),
        (vec!["192.0.2.1/32"], "127.0.0.1", "http"),
    ] {
        let world = World::with(|settings| {
            settings.trusted_proxies =
                trusted.iter().map(|network| network.parse().expect("the value is valid")).collect();
        });
        let created = world.call_as("CreateRepository", &json!({ "repositoryName": "MyDemoRepo" }), &forwarded).json();
        let url =
            created["repositoryMetadata"]["cloneUrlHttp"].as_str().expect("the repository was created").to_owned();
        assert!(url.starts_with(&format!("{scheme}://")), "{url}");
        assert_eq!(world.events()[0]["sourceIPAddress"], address);
    }
}

#[test]
fn identities_are_reloaded_on_sighup_and_kept_if_the_file_is_invalid() {
    let folder = tempfile::tempdir().expect("a temporary folder can be created");
    let file = folder.path().join("identities.toml");
    let account = |name: &str| {
        format!("[[account]]\nid = \"111122223333\"\n[[account.user]]\nname = \"{name}\"\naccess_keys = [\"AKIA1\"]\n")
    };
    fs::write(&file, account("Before")).expect("the folder is writable");
    let mut command = Command::new(binary::path());
    command.env_clear().args(["--listen", "127.0.0.1:0", "--ephemeral", "--identities"]).arg(&file);
    let running = Running::start_command(command);
    let user = || {
        let request = wire::request(running.endpoint(), "GetRepository", &json!({ "repositoryName": "r" }));
        let (mut head, body) = request.into_parts();
        head.headers.insert(
            "authorization",
            wire::signed("AKIA1", "us-east-1").parse().expect("the text is a valid header value"),
        );
        wire::send(Request::from_parts(head, body));
        let events = format!("{}/_local/events", running.endpoint());
        let events = wire::send(Request::get(events).body(Vec::new()).expect("the request is well formed")).text();
        let last: Value =
            serde_json::from_str(events.lines().last().expect("the call is recorded")).expect("the text is JSON");
        last["userIdentity"]["userName"].as_str().expect("the caller is a user").to_owned()
    };
    let hang_up = || {
        let status = Command::new("kill").args(["-HUP", &running.id().to_string()]).status();
        assert!(status.expect("kill is there").success());
    };
    assert_eq!(user(), "Before");
    let refs = format!("{}/v1/repos/r/info/refs?service=git-upload-pack", running.endpoint());
    let asked = wire::send(Request::get(refs).body(Vec::new()).expect("the request is well formed"));
    assert_eq!(asked.status, 401, "with an identities file, Git clients are asked by default");
    fs::write(&file, account("After")).expect("the folder is writable");
    hang_up();
    tests::wait_until("the identities are read again", || user() == "After");
    fs::write(&file, "[[account]]\nid = 5\n").expect("the folder is writable");
    hang_up();
    assert_eq!(user(), "After");
    assert_eq!(running.terminate(), Some(0));
}
