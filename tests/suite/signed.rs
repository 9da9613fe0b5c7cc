//! Signed access: every entry verifies credentials. Real clients are served with theirs and refused with others, without a record.

use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};
use server::Settings;
use server::settings::{Access, AccessKey, SecretKey};
use tests::clients::{Outcome, outcome};
use tests::{Reply, World};

pub(crate) const IDENTITIES: &str = r#"
[[account]]
id = "111122223333"

[[account.user]]
name = "Mary_Major"
access_keys = ["AKIAIOSFODNN7EXAMPLE"]
git_credentials = [{ password = "k1zPZM6uVxMQ3oxqgoYlNuJPyRTZ1vREs76zTQE3eJk=" }]

[[account.oidc_provider]]
url = "https://accounts.example.com"

[[account.web_identity]]
token = "a token of the provider"
provider = "accounts.example.com"
subject = "user-1"
audience = "app"

[[account]]
id = "444455556666"

[[account.user]]
name = "Li_Juan"
access_keys = [{ id = "AKIAI44QH8DHBEXAMPLE", secret = "je7MtGbClwBF/2Zp9Utk/h3yCo8nvbEXAMPLEKEY" }, "AKIAWITHOUTASECRET00"]
"#;

pub(crate) const LI_JUAN: (&str, &str) = ("AKIAI44QH8DHBEXAMPLE", "je7MtGbClwBF/2Zp9Utk/h3yCo8nvbEXAMPLEKEY");
pub(crate) const MARY_MAJOR: (&str, &str) = ("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");
const ADMINISTRATOR: (&str, &str) = ("AKIAADMINISTRATOR000", "the secret of the administrator");

/// Starts a server that verifies signatures of every date, as its clock is not that of the clients.
fn world() -> World {
    world_with(IDENTITIES, |_| ())
}

/// Starts such a server with an identities file and changed settings.
pub(crate) fn world_with(identities: &str, change: impl FnOnce(&mut Settings)) -> World {
    World::with(|settings| {
        let data = settings.data_dir.as_ref().expect("the harness sets a data folder");
        let path = data.with_file_name("identities.toml");
        std::fs::write(&path, identities).expect("the folder is writable");
        settings.identities = Some(path);
        settings.access = Access::Signed;
        settings.max_clock_skew = None;
        let (id, secret) = ADMINISTRATOR;
        settings.administrator = Some(AccessKey { id: id.to_owned(), secret: SecretKey::new(secret) });
        change(settings);
    })
}

/// Runs a Python program with `client(SERVICE, KEY, SECRET, TOKEN)` and `result(FUNCTION)`, and returns its lines as JSON.
pub(crate) fn python(world: &World, program: &str) -> Vec<Value> {
    let beginning = "
import boto3, json, urllib.request, urllib.error
from botocore.client import Config
from botocore.exceptions import ClientError
import os
url = os.environ['AWS_ENDPOINT_URL']
def client(service, key, secret, token=None, **config):
    return boto3.client(service, aws_access_key_id=key, aws_secret_access_key=secret, aws_session_token=token,
                        config=Config(retries={'total_max_attempts': 1}, **config))
def result(call):
    try:
        value = call()
    except ClientError as error:
        value = error.response['Error']['Code'], error.response['Error'].get('Message', '')
    except urllib.error.HTTPError as error:
        value = error.code, error.read().decode()
    print(json.dumps(value, default=str))
def fetch(url, method='GET'):
    return urllib.request.urlopen(urllib.request.Request(url, method=method)).read().decode()
";
    let output = world.python(&format!("{beginning}{program}")).ok();
    output.lines().map(|line| serde_json::from_str(line).expect("each line is JSON")).collect()
}

fn create_repository(world: &World) {
    world.aws(&["codecommit", "create-repository", "--repository-name", "MyDemoRepo"]).ok();
}

#[test]
fn each_caller_is_recorded_and_wrong_credentials_leave_no_record() {
    let world = world();
    let mut lines = python(
        &world,
        &format!(
            "
for key, secret in [{LI_JUAN:?}, {MARY_MAJOR:?}, {ADMINISTRATOR:?}]:
    for service in ['codecommit', 'cloudtrail', 'sts', 'resourcegroupstaggingapi']:
        calls = {{'codecommit': 'list_repositories', 'cloudtrail': 'describe_trails', 'sts': 'get_caller_identity',
                  'resourcegroupstaggingapi': 'get_resources'}}
        result(lambda: getattr(client(service, key, secret), calls[service])()['ResponseMetadata']['HTTPStatusCode'])
for key, secret in [({key:?}, 'another'), ('AKIAUNKNOWN', 'any'), ('codepipeline.amazonaws.com', 'any'), ('444455556666', 'any'),
                    ('AKIAWITHOUTASECRET00', 'any')]:
    result(client('codecommit', key, secret).list_repositories)
    result(client('sts', key, secret).get_caller_identity)
result(client('codecommit', {key:?}, {secret:?}, 'a token').list_repositories)
",
            key = LI_JUAN.0,
            secret = LI_JUAN.1,
        ),
    );
    let refused = lines.split_off(12);
    assert_eq!(lines, vec![json!(200); 12]);
    let mismatch = "The request signature we calculated does not match the signature you provided. Check your AWS Secret \
                    Access Key and signing method. Consult the service documentation for details.";
    let unknown = "The security token included in the request is invalid.";
    let mut expected = vec![json!(["InvalidSignatureException", mismatch]), json!(["SignatureDoesNotMatch", mismatch])];
    for _ in 0..4 {
        expected.extend([json!(["UnrecognizedClientException", unknown]), json!(["InvalidClientTokenId", unknown])]);
    }
    expected.push(json!(["UnrecognizedClientException", unknown]));
    assert_eq!(refused, expected);
    let callers: Vec<Value> = world.events().into_iter().map(|event| event["userIdentity"]["arn"].clone()).collect();
    let caller = |arn: &str| vec![json!(arn); 4];
    assert_eq!(
        callers,
        [
            caller("arn:aws:iam::444455556666:user/Li_Juan"),
            caller("arn:aws:iam::111122223333:user/Mary_Major"),
            caller("arn:aws:iam::111122223333:root")
        ]
        .concat()
    );
}

#[test]
fn temporary_credentials_need_their_secret_and_token() {
    let world = world();
    let (key, secret) = LI_JUAN;
    let lines = python(
        &world,
        &format!(
            "
role = client('sts', {key:?}, {secret:?}).assume_role(RoleArn='arn:aws:iam::444455556666:role/Developer', RoleSessionName='s1')
c = role['Credentials']
key, secret, token = c['AccessKeyId'], c['SecretAccessKey'], c['SessionToken']
result(lambda: client('sts', key, secret, token).get_caller_identity()['Arn'])
result(lambda: client('codecommit', key, secret, token).list_repositories()['repositories'])
for k, s, t in [(key, 'another', token), (key, secret, token[1:]), (key, secret, None)]:
    result(client('codecommit', k, s, t).list_repositories)
",
        ),
    );
    assert_eq!(lines[..2], [json!("arn:aws:sts::444455556666:assumed-role/Developer/s1"), json!([])]);
    let codes: Vec<&Value> = lines[2..].iter().map(|line| &line[0]).collect();
    assert_eq!(codes, ["InvalidSignatureException", "UnrecognizedClientException", "UnrecognizedClientException"]);
}

#[test]
fn temporary_credentials_end() {
    let world = world();
    let (key, secret) = LI_JUAN;
    let session = "
result(lambda: client('sts', *KEY).get_session_token(DurationSeconds=900)['Credentials'])
"
    .replace("KEY", &format!("{:?}", (key, secret)));
    let credentials = python(&world, &session).remove(0);
    let call = format!(
        "result(lambda: client('codecommit', {}, {}, {}).list_repositories()['repositories'])",
        credentials["AccessKeyId"], credentials["SecretAccessKey"], credentials["SessionToken"]
    );
    assert_eq!(python(&world, &call), [json!([])]);
    world.move_clock(901);
    let expired = "The security token included in the request is expired";
    assert_eq!(python(&world, &call), [json!(["ExpiredTokenException", expired])]);
}

#[test]
fn a_role_is_assumed_with_a_token_of_an_identity_provider_and_without_a_signature() {
    let world = world();
    let lines = python(
        &world,
        "
from botocore import UNSIGNED
sts = boto3.client('sts', config=Config(signature_version=UNSIGNED))
role = 'arn:aws:iam::111122223333:role/Web'
result(lambda: sts.assume_role_with_web_identity(RoleArn=role, RoleSessionName='s1', WebIdentityToken='a token of the provider')
    ['AssumedRoleUser']['Arn'])
result(lambda: sts.assume_role(RoleArn=role, RoleSessionName='s1'))
",
    );
    assert_eq!(lines[0], "arn:aws:sts::111122223333:assumed-role/Web/s1");
    assert_eq!(lines[1][0], "MissingAuthenticationToken");
}

#[test]
fn a_signature_of_another_day_is_refused() {
    let mut world = world();
    world.restart_with(|settings| settings.max_clock_skew = Some(Duration::from_mins(15)));
    // The clock of the server stands at a day of the past.
    let (key, secret) = MARY_MAJOR;
    let lines = python(&world, &format!("result(client('codecommit', {key:?}, {secret:?}).list_repositories)"));
    let message = lines[0][1].as_str().expect("the error has a message");
    assert_eq!(lines[0][0], "InvalidSignatureException");
    assert!(message.starts_with("Signature not yet current: ") && message.ends_with(" + 15 min.)"), "{message}");
}

#[test]
fn the_sdk_for_rust_is_let_in_with_its_secret() {
    let world = world();
    let (key, secret) = LI_JUAN;
    let repositories = world.run(world.sdk_with(key, secret).list_repositories().send());
    assert!(repositories.expect("the signature is valid").repositories().is_empty());
    let refused = world.run(world.sdk_with(key, "another").list_repositories().send());
    let refused = refused.expect_err("the signature is not valid").into_service_error();
    assert_eq!(refused.meta().code(), Some("InvalidSignatureException"));
}

#[test]
fn signed_urls_of_sts_and_s3_are_verified() {
    let world = world();
    let (key, secret) = MARY_MAJOR;
    create_repository(&world);
    let lines = python(
        &world,
        &format!(
            "
urllib.request.urlopen(urllib.request.Request(url + '/_local/flush', method='POST'))
for method in ['GET', 'POST']:
    sts = client('sts', {key:?}, {secret:?}).generate_presigned_url('get_caller_identity', HttpMethod=method)
    result(lambda: 'Mary_Major' in fetch(sts, method))
    result(lambda: fetch(sts.replace('GetCallerIdentity', 'GetSessionToken'), method))
s3 = client('s3', {key:?}, {secret:?})
bucket = 'codecommit-local-trail'
name = [o['Key'] for o in s3.list_objects_v2(Bucket=bucket)['Contents'] if o['Key'].endswith('.gz')][0]
size = s3.head_object(Bucket=bucket, Key=name)['ContentLength']
result(lambda: len(s3.get_object(Bucket=bucket, Key=name)['Body'].read()) == size)
for version in ['s3', 's3v4']:
    s3 = client('s3', {key:?}, {secret:?}, signature_version=version, s3={{'addressing_style': 'path'}})
    signed = s3.generate_presigned_url('get_object', Params={{'Bucket': bucket, 'Key': name}})
    result(lambda: len(urllib.request.urlopen(signed).read()) == size)
    result(lambda: fetch(signed.replace('.json.gz', '.json.g')))
result(client('s3', {key:?}, 'another').list_buckets)
result(client('s3', 'AKIAUNKNOWN', 'any').list_buckets)
result(lambda: fetch(url + '/' + bucket + '/' + name))
",
        ),
    );
    assert_eq!([&lines[0], &lines[2], &lines[4], &lines[5], &lines[7]], [&json!(true); 5], "{lines:?}");
    for (line, status, code) in [
        (1, 403, "SignatureDoesNotMatch"),
        (3, 403, "SignatureDoesNotMatch"),
        (6, 403, "SignatureDoesNotMatch"),
        (8, 403, "SignatureDoesNotMatch"),
        (11, 403, "AccessDenied"),
    ] {
        let reply = (lines[line][0].as_u64(), lines[line][1].as_str().unwrap_or_default());
        assert!(reply.0 == Some(status) && reply.1.contains(code), "{line}: {reply:?}");
    }
    assert_eq!([&lines[9][0], &lines[10][0]], ["SignatureDoesNotMatch", "InvalidAccessKeyId"]);
}

#[test]
fn no_entry_is_open_to_requests_without_credentials() {
    let world = world();
    create_repository(&world);
    let records = world.events().len();
    let form = ("content-type", "application/x-www-form-urlencoded");
    let refs = "/v1/repos/MyDemoRepo/info/refs?service=git-";
    let json = |target: &'static str| [("x-amz-target", target), ("content-type", "application/x-amz-json-1.1")];
    let status = |method: &str, path: &str, headers: &[(&str, &str)], body: &str| {
        let reply: Reply = world.send(method, path, headers, body.as_bytes());
        (reply.status, reply.text())
    };
    let missing = |(status, text): (u16, String), expected: u16, code: &str| {
        assert!(status == expected && text.contains(code), "{status} {text}");
    };
    for target in [
        "CodeCommit_20150413.ListRepositories",
        "CloudTrail_20131101.DescribeTrails",
        "ResourceGroupsTaggingAPI_20170126.GetResources",
        "Unknown.Operation",
    ] {
        missing(status("POST", "/", &json(target), "{}"), 400, "MissingAuthenticationTokenException");
    }
    let identity = "Action=GetCallerIdentity&Version=2011-06-15";
    missing(status("POST", "/", &[form], identity), 403, "MissingAuthenticationToken");
    missing(status("GET", &format!("/?{identity}"), &[], ""), 403, "MissingAuthenticationToken");
    missing(status("GET", "/codecommit-local-trail/events.ndjson", &[], ""), 403, "AccessDenied");
    for service in ["upload-pack", "receive-pack"] {
        missing(status("GET", &format!("{refs}{service}"), &[], ""), 401, "Credentials are required");
        let content_type = format!("application/x-git-{service}-request");
        let path = format!("/v1/repos/MyDemoRepo/git-{service}");
        missing(status("POST", &path, &[("content-type", &content_type)], "0000"), 401, "Credentials are required");
    }
    // Names that open access takes for a caller, with any signature or password.
    let scope = "AKIAIOSFODNN7EXAMPLE/20161214/us-east-1/codecommit/aws4_request";
    let forged = format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host;x-amz-date, Signature=00");
    let headers = [
        json("CodeCommit_20150413.ListRepositories").as_slice(),
        &[("authorization", &forged), ("x-amz-date", "20161214T181914Z")],
    ]
    .concat();
    missing(status("POST", "/", &headers, "{}"), 400, "InvalidSignatureException");
    // "Mary_Major-at-111122223333:any" and "AKIAIOSFODNN7EXAMPLE:any".
    for basic in ["TWFyeV9NYWpvci1hdC0xMTExMjIyMjMzMzM6YW55", "QUtJQUlPU0ZPRE5ON0VYQU1QTEU6YW55"] {
        let basic = format!("Basic {basic}");
        missing(status("GET", &format!("{refs}upload-pack"), &[("authorization", &basic)], ""), 403, "");
    }
    assert_eq!(world.events().len(), records);
}

/// Runs `git` with the AWS credentials of a caller in its environment.
fn git(world: &World, (key, secret): (&str, &str), arguments: &[&str]) -> Outcome {
    let helper = ["-c", "credential.helper=!aws codecommit credential-helper $@", "-c", "credential.UseHttpPath=true"];
    let mut command = Command::new("git");
    command
        .args(helper)
        .args(arguments)
        .current_dir(world.folder())
        .envs([("HOME", world.folder()), ("GIT_CONFIG_NOSYSTEM", "1".as_ref()), ("GIT_TERMINAL_PROMPT", "0".as_ref())])
        .envs([("AWS_ACCESS_KEY_ID", key), ("AWS_SECRET_ACCESS_KEY", secret), ("AWS_DEFAULT_REGION", "us-east-1")]);
    outcome(&mut command)
}

#[test]
fn the_credential_helper_of_the_aws_cli_and_git_remote_codecommit_are_let_in() {
    let world = world();
    create_repository(&world);
    let plain = world.repository_url("MyDemoRepo");
    let url = plain.replace("127.0.0.1", "git-codecommit.us-east-1.amazonaws.com.localhost");
    git(&world, MARY_MAJOR, &["clone", "--quiet", &url, "work"]).ok();
    world.git_commit("work", "file", "content\n");
    git(&world, MARY_MAJOR, &["-C", "work", "push", "--quiet", "origin", "HEAD:main"]).ok();
    let refused = git(&world, (MARY_MAJOR.0, "another"), &["clone", "--quiet", &url, "other"]).failed();
    assert!(refused.contains("remote: The request signature we calculated does not match"), "{refused}");

    let program = format!(
        "
import os
os.environ.update(CODE_COMMIT_ENDPOINT='{}')
from git_remote_codecommit import Context, git_url
context = Context.from_url('us-east-1://MyDemoRepo')
print(git_url(context.repository, context.version, context.region, context.credentials))
",
        world.endpoint().replace("http://", "")
    );
    let url = world.python(&program).ok().replace("https://", "http://");
    world.git(".", &["clone", "--quiet", &url, "again"]).ok();
    let wrong = world.git(".", &["clone", "--quiet", &url.replace('Z', "Z0"), "wrong"]).failed();
    assert!(wrong.contains("403"), "{wrong}");
    let callers = world
        .events()
        .into_iter()
        .filter(|event| event["eventName"].as_str().is_some_and(|name| name.starts_with("Git")));
    let callers: Vec<Value> = callers.map(|event| event["userIdentity"]["userName"].clone()).collect();
    assert_eq!(callers, vec![json!("Mary_Major"); callers.len()]);
    assert!(callers.len() >= 5, "{callers:?}");
}

#[test]
fn git_credentials_of_the_identities_file_are_let_in() {
    let world = world();
    create_repository(&world);
    let url = |password: &str| {
        let credentials = format!("http://Mary_Major-at-111122223333:{password}@");
        world.repository_url("MyDemoRepo").replace("http://", &credentials)
    };
    let password = "k1zPZM6uVxMQ3oxqgoYlNuJPyRTZ1vREs76zTQE3eJk=";
    world.git(".", &["clone", "--quiet", &url(password), "work"]).ok();
    world.git_commit("work", "file", "content\n");
    world.git("work", &["push", "--quiet", "origin", "HEAD:main"]).ok();
    let refused = world.git(".", &["clone", "--quiet", &url("wrong"), "other"]).failed();
    assert!(refused.contains("403"), "{refused}");
}

#[test]
fn a_new_data_folder_gets_an_administrator_whose_key_is_shown_once() {
    let mut world = World::with(|settings| {
        settings.access = Access::Signed;
        settings.max_clock_skew = None;
    });
    let AccessKey { id, secret } = world.new_administrator_key().expect("the data folder is new");
    world.restart();
    assert_eq!(world.new_administrator_key(), None);
    let lines = python(
        &world,
        &format!("result(lambda: client('sts', {id:?}, {:?}).get_caller_identity()['Arn'])", secret.as_str()),
    );
    assert_eq!(lines, ["arn:aws:iam::111122223333:root"]);
    // The example key of the documentation is known to everyone.
    let lines = python(&world, &format!("result(client('sts', *{MARY_MAJOR:?}).get_caller_identity)"));
    assert_eq!(lines[0][0], "InvalidClientTokenId");
}
