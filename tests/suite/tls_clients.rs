//! Real clients over TLS, with and without AWS's host names, and the commands of the program that help them.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use server::settings::TlsMode;
use tests::binary::{self, Running};
use tests::clients::{Outcome, git_command, outcome, python_environment, python_folder};
use tests::{World, workspace};

use crate::settings::{folder, program};

fn text(path: &Path) -> String {
    path.to_str().expect("the path is plain").to_owned()
}

fn world() -> World {
    let world = World::new();
    world.ok("CreateRepository", &json!({ "repositoryName": "MyDemoRepo" }));
    world
}

/// Runs `git` with credentials, the server's certificate authority, further configuration and further variables.
fn git(world: &World, configuration: &[String], variables: &[(&str, String)], arguments: &[&str]) -> Outcome {
    let mut command = git_command(world.folder(), &[]);
    command
        .arg("-c")
        .arg(format!("http.sslCAInfo={}", text(&world.authority_file())))
        .args(configuration.iter().flat_map(|setting| ["-c", setting.as_str()]))
        .args(arguments)
        .env(
            "PATH",
            format!("{}:{}", text(&python_folder().canonicalize().expect("scripts/clients was run")), env_path()),
        )
        .env("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
        .env("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
        .env("AWS_DEFAULT_REGION", "us-east-1")
        .envs(variables.iter().map(|(name, value)| (*name, value)));
    outcome(&mut command)
}

fn env_path() -> String {
    std::env::var("PATH").unwrap_or_default()
}

/// Returns the name and region of the last event.
fn last_event(world: &World) -> (Value, Value) {
    let event = world.events().pop().expect("there are events");
    (event["eventName"].clone(), event["awsRegion"].clone())
}

#[test]
fn the_aws_cli_and_boto3_use_tls() {
    let world = world();
    let run = |program: &str, arguments: &[&str]| {
        let mut command = python_environment(program, world.folder(), &world.tls_endpoint());
        outcome(command.args(arguments).env("AWS_CA_BUNDLE", world.authority_file())).ok()
    };
    let query = ["--query", "repositoryMetadata.cloneUrlHttp", "--output", "text"];
    let get = ["codecommit", "get-repository", "--repository-name", "MyDemoRepo"];
    assert_eq!(run("aws", &[&get[..], &query].concat()), format!("{}/v1/repos/MyDemoRepo", world.tls_endpoint()));
    let boto3 = "import boto3; print(boto3.client('sts').get_caller_identity()['Arn'])";
    assert_eq!(run("python", &["-c", boto3]), "arn:aws:iam::111122223333:user/Mary_Major");
    let mut distrustful = python_environment("aws", world.folder(), &world.tls_endpoint());
    assert!(outcome(distrustful.args(get)).failed().contains("CERTIFICATE_VERIFY_FAILED"));
}

#[test]
fn python_verifies_the_certificates_strictly() {
    let world = world();
    let strict = format!(
        "import ssl, urllib.request as r\ncontext = ssl.create_default_context(cafile={:?})\n\
         context.verify_flags |= ssl.VERIFY_X509_STRICT\nprint(r.urlopen('{}/_local/health', context=context).status)",
        text(&world.authority_file()),
        world.tls_endpoint()
    );
    assert_eq!(world.python(&strict).ok(), "200");
}

#[test]
fn git_clones_and_pushes_over_tls() {
    let world = world();
    let url = format!("{}/v1/repos/MyDemoRepo", world.tls_endpoint());
    git(&world, &[], &[], &["clone", "--quiet", &url, "work"]).ok();
    let id = world.git_commit("work", "README.md", "A demonstration.\n");
    // More than the buffers of a TLS connection hold.
    let line = |number: u64| format!("{:x}\n", number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let noise = (0..200_000).map(line).collect::<Vec<_>>().concat();
    let tip = world.git_commit("work", "noise", &noise);
    git(&world, &[], &[], &["-C", "work", "push", "--quiet", "origin", "HEAD:main"]).ok();
    git(&world, &[], &[], &["clone", "--quiet", &url, "again"]).ok();
    assert_eq!(world.git("again", &["rev-parse", "HEAD", "HEAD~"]).ok(), format!("{tip}\n{id}"));
    let distrustful = world.git(".", &["ls-remote", &url]).failed();
    assert!(distrustful.contains("certificate"), "{distrustful}");
}

#[test]
fn git_remote_codecommit_needs_an_endpoint_and_a_certificate_authority() {
    let world = world();
    let address = world.tls_endpoint().replace("https://", "");
    let variables = [("CODE_COMMIT_ENDPOINT", address), ("GIT_SSL_CAINFO", text(&world.authority_file()))];
    git(&world, &[], &variables, &["clone", "--quiet", "codecommit::us-east-1://MyDemoRepo", "work"]).ok();
    world.git_commit("work", "README.md", "A demonstration.\n");
    git(&world, &[], &variables, &["-C", "work", "push", "--quiet", "origin", "HEAD:main"]).ok();
    assert_eq!(last_event(&world), (json!("GitPush"), json!("us-east-1")));
}

#[test]
fn node_clones_over_tls() {
    let world = world();
    world.git_repository("work");
    world.git("work", &["push", "--quiet", &world.repository_url("MyDemoRepo"), "HEAD:main"]).ok();
    let client = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients/isomorphic-git/client.mjs");
    let url = format!("{}/v1/repos/MyDemoRepo", world.tls_endpoint());
    let run = |folder: &str, authority: &Path| {
        let mut command = Command::new("node");
        command.arg(&client).args(["clone", &url, folder]).current_dir(world.folder()).env_clear();
        outcome(command.env("PATH", env_path()).env("NODE_EXTRA_CA_CERTS", authority))
    };
    run("clone", &world.authority_file()).ok();
    assert!(world.folder().join("clone/README.md").exists());
    assert!(!run("other", Path::new("/dev/null")).success);
}

#[test]
fn a_host_name_of_aws_names_the_region_of_a_clone() {
    let world = world();
    let (host, port) = ("git-codecommit.us-east-2.amazonaws.com", world.port());
    let call = [("authorization", tests::wire::signed("AKIAIOSFODNN7EXAMPLE", "us-east-2"))];
    let headers: Vec<_> = call.iter().map(|(name, value)| (*name, value.as_str())).collect();
    world.call_as("CreateRepository", &json!({ "repositoryName": "Ohio" }), &headers);
    let resolve = [format!("http.curloptResolve={host}:{port}:127.0.0.1")];
    let url = format!("https://{host}:{port}/v1/repos/Ohio");
    git(&world, &resolve, &[], &["clone", "--quiet", &url, "work"]).ok();
    assert_eq!(last_event(&world), (json!("GitPull"), json!("us-east-2")));
    let variables = [("CODE_COMMIT_ENDPOINT", format!("{host}:{port}"))];
    git(&world, &resolve, &variables, &["clone", "--quiet", "codecommit::us-east-2://Ohio", "again"]).ok();
    assert_eq!(last_event(&world), (json!("GitPull"), json!("us-east-2")));
}

/// What a user runs with AWS's host names: no command has an endpoint.
const WITHOUT_ENDPOINT: &str = r#"
set -e
ip link set lo up
mount --bind hosts /etc/hosts
"$PROGRAM" --listen 127.0.0.1:443 --data-dir data > ready 2> log &
"$PROGRAM" health --wait 30s https://127.0.0.1:443
export AWS_CA_BUNDLE="$PWD/data/ca.pem" GIT_SSL_CAINFO="$PWD/data/ca.pem"
aws codecommit create-repository --repository-name MyDemoRepo --query repositoryMetadata.cloneUrlHttp --output text
aws sts get-caller-identity --query Arn --output text
aws cloudtrail lookup-events --query 'Events[].EventName' --output text > /dev/null
python -c "import boto3; print(boto3.client('codecommit').get_repository(repositoryName='MyDemoRepo')['repositoryMetadata']['Arn'])"
git clone --quiet codecommit://MyDemoRepo work
git -C work commit --quiet --allow-empty --message one
git -C work push --quiet origin HEAD:main
git config --file config credential.helper '!aws codecommit credential-helper $@'
git config --file config credential.UseHttpPath true
GIT_CONFIG_GLOBAL=$PWD/config git clone --quiet https://git-codecommit.us-east-2.amazonaws.com/v1/repos/MyDemoRepo again
git -C again log --format=%s
export NODE_EXTRA_CA_CERTS="$PWD/data/ca.pem" AWS_REGION=us-east-2
"$RENOVATE" --platform=codecommit --base-dir="$PWD/renovate" MyDemoRepo > renovate.log
aws codecommit get-pull-request --pull-request-id 1 --query pullRequest.title --output text
kill %1
wait %1
"#;

/// A network of its own, in which port 443 is free, and a hosts file need no privileges where the system allows user namespaces.
/// Debian has `ip` in a folder that is not everyone's.
#[test]
fn clients_need_no_endpoint_with_the_host_names_of_aws() {
    let folder = folder();
    let services = ["codecommit", "git-codecommit", "sts", "cloudtrail"];
    let hosts = services.map(|service| format!("127.0.0.1 {service}.us-east-2.amazonaws.com\n")).concat();
    fs::write(folder.path().join("hosts"), format!("127.0.0.1 localhost sts.amazonaws.com\n{hosts}"))
        .expect("the folder is writable");
    let mut command = git_command(folder.path(), &[]);
    let environment: Vec<_> =
        command.get_envs().map(|(name, value)| (name.to_owned(), value.map(ToOwned::to_owned))).collect();
    command = Command::new("unshare");
    command.args(["--user", "--map-root-user", "--net", "--mount", "bash", "-c", WITHOUT_ENDPOINT]).env_clear();
    for (name, value) in environment {
        command.env(name, value.unwrap_or_default());
    }
    command
        .current_dir(folder.path())
        .env("PROGRAM", binary::path())
        .env("RENOVATE", workspace().join(".tools/renovate/node_modules/.bin/renovate"))
        .env(
            "PATH",
            format!(
                "{}:{}:/usr/sbin",
                text(&python_folder().canonicalize().expect("scripts/clients was run")),
                env_path()
            ),
        )
        .env("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
        .env("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
        .env("AWS_DEFAULT_REGION", "us-east-2")
        .env("AWS_EC2_METADATA_DISABLED", "true");
    let expected = "https://git-codecommit.us-east-2.amazonaws.com/v1/repos/MyDemoRepo\n\
        arn:aws:iam::111122223333:user/Mary_Major\narn:aws:codecommit:us-east-2:111122223333:MyDemoRepo\none\nConfigure Renovate";
    assert_eq!(outcome(&mut command).ok(), expected);
}

#[test]
fn a_shell_can_evaluate_the_environment_for_tls() {
    let folder = folder();
    let data = folder.path().join("data");
    let running = Running::start(&["--data-dir", &text(&data)]);
    let endpoint = running.endpoint().replace("http://", "https://");
    let script = format!(
        "eval \"$('{}' env --endpoint {} --tls)\" && echo $AWS_ENDPOINT_URL_CODECOMMIT $CODE_COMMIT_ENDPOINT && \
         for file in $AWS_CA_BUNDLE $NODE_EXTRA_CA_CERTS $SSL_CERT_FILE $(git config --get-urlmatch http.sslCAInfo {endpoint}); do \
         cmp $file '{}' && basename $file; done && curl --silent $AWS_ENDPOINT_URL_CODECOMMIT/_local/health",
        binary::path().display(),
        running.endpoint(),
        data.join("ca.pem").display()
    );
    let mut shell = Command::new("sh");
    shell.args(["-c", &script]).current_dir(folder.path()).env_clear().env("PATH", env_path());
    let printed = |file: &str| {
        let files = format!("{file}\n").repeat(4);
        format!("{endpoint} {}\n{files}{{\"status\":\"ready\"}}", endpoint.replace("https://", ""))
    };
    // There is no data folder with the default name here, so the file is requested from the server.
    assert_eq!(outcome(&mut shell).ok(), printed("codecommit-local-ca.pem"));
    assert_eq!(outcome(shell.env("CODECOMMIT_LOCAL_DATA_DIR", &data)).ok(), printed("ca.pem"));
}

#[test]
fn health_and_events_use_tls() {
    let folder = folder();
    let data = folder.path().join("data");
    for mode in ["auto", "require"] {
        let running = Running::start(&["--data-dir", &text(&data), "--tls", mode]);
        let address = running.endpoint().split_once("://").expect("the endpoint is a URL").1.to_owned();
        let run = |arguments: &[&str]| {
            outcome(program(folder.path()).args(arguments).env("CODECOMMIT_LOCAL_DATA_DIR", &data))
        };
        run(&["health", &address]).ok();
        run(&["health", &format!("https://{address}")]).ok();
        run(&["events", "--endpoint", &format!("https://{address}"), "--last", "1"]).ok();
        let plain = run(&["health", &format!("http://{address}")]);
        assert_eq!(plain.success, mode == "auto");
        assert!(plain.success || plain.err.contains(&format!("ask https://{address}")), "{}", plain.err);
        assert_eq!(running.terminate(), Some(0));
    }
}

#[test]
fn the_environment_of_a_server_that_requires_tls_has_its_authority() {
    let world = World::with(|settings| settings.tls.mode = TlsMode::Require);
    let folder = folder();
    let mut command = program(folder.path());
    command.args(["env", "--endpoint", &world.endpoint()]);
    let printed = outcome(&mut command).ok();
    assert!(printed.contains("export AWS_CA_BUNDLE=") && !printed.contains("GIT_SSL_CAINFO"), "{printed}");
    // The variable overrides the setting of git's configuration.
    let printed = outcome(command.env("GIT_SSL_CAINFO", "/etc/ssl/certs/ca-certificates.crt")).ok();
    let expected = folder.path().join("codecommit-local-ca.pem");
    assert!(printed.contains(&format!("export GIT_SSL_CAINFO={}", expected.display())), "{printed}");
    let saved = fs::read(folder.path().join("codecommit-local-ca.pem")).expect("the file was saved");
    assert_eq!(saved, fs::read(world.authority_file()).expect("the file exists"));
}
