//! The IAM API with boto3 and the AWS CLI: created users, keys, roles and policies work, and records show no secret.

use std::fs::{self, File};
use std::process::Command;

use identity::Iam;
use serde_json::{Value, json};
use server::settings::{Access, AccessKey, SecretKey};
use tests::binary::{self, Running};
use tests::clients::{outcome, python_environment};
use tests::ssh::key_file;
use tests::{World, files, workspace};

const ADMINISTRATOR: (&str, &str) = ("AKIAADMINISTRATOR000", "the secret of the administrator");

/// Starts a server without an identities file that verifies signatures of every date.
fn world(access: Access) -> World {
    World::with(|settings| {
        settings.access = access;
        settings.max_clock_skew = None;
        let (id, secret) = ADMINISTRATOR;
        settings.administrator = Some(AccessKey { id: id.to_owned(), secret: SecretKey::new(secret) });
    })
}

/// Runs a Python program with `client(SERVICE, KEY, SECRET, TOKEN)`, the client `iam` of the administrator, and `result(FUNCTION)`.
fn python(world: &World, program: &str) -> Vec<Value> {
    let (key, secret) = ADMINISTRATOR;
    let beginning = format!(
        "
import boto3, json, os
from botocore.client import Config
from botocore.exceptions import ClientError
def client(service, key, secret, token=None, region='us-east-2'):
    return boto3.client(service, aws_access_key_id=key, aws_secret_access_key=secret, aws_session_token=token, region_name=region,
                        config=Config(retries={{'total_max_attempts': 1}}))
def result(call):
    try:
        value = call()
    except ClientError as error:
        value = error.response['Error']['Code'], error.response['Error'].get('Message', '')
    print(json.dumps(value, default=str))
def allow(*actions):
    return json.dumps({{'Version': '2012-10-17', 'Statement': {{'Effect': 'Allow', 'Action': actions, 'Resource': '*'}}}})
def key_of(user):
    key = iam.create_access_key(UserName=user)['AccessKey']
    return key['AccessKeyId'], key['SecretAccessKey']
iam = client('iam', {key:?}, {secret:?})
"
    );
    let output = world.python(&format!("{beginning}{program}")).ok();
    output.lines().map(|line| serde_json::from_str(line).expect("each line is JSON")).collect()
}

fn records_of(world: &World, name: &str) -> Vec<Value> {
    world.events().into_iter().filter(|event| event["eventName"] == name).collect()
}

#[test]
fn the_first_steps_of_the_guide_work_with_a_created_user() {
    for access in [Access::Open, Access::Signed, Access::Enforced] {
        let world = world(access);
        let lines = python(
            &world,
            "
iam.create_user(UserName='Ana', Path='/team/', Tags=[{'Key': 'Team', 'Value': 'Blue'}])
iam.create_group(GroupName='Developers')
iam.attach_group_policy(GroupName='Developers', PolicyArn='arn:aws:iam::aws:policy/AWSCodeCommitPowerUser')
iam.add_user_to_group(GroupName='Developers', UserName='Ana')
key = key_of('Ana')
result(lambda: client('sts', *key).get_caller_identity()['Arn'])
result(lambda: client('codecommit', *key).create_repository(repositoryName='MyDemoRepo')['repositoryMetadata']['accountId'])
result(lambda: iam.get_user(UserName='Ana')['User']['Tags'])
result(lambda: client('iam', *key).get_user()['User']['UserName'])
iam.update_access_key(UserName='Ana', AccessKeyId=key[0], Status='Inactive')
result(lambda: len(client('codecommit', *key).list_repositories()['repositories']))
",
        );
        let user = if access == Access::Enforced { json!("AccessDenied") } else { json!("Ana") };
        let got = if access == Access::Enforced { &lines[3][0] } else { &lines[3] };
        assert_eq!(lines[0], "arn:aws:iam::111122223333:user/team/Ana", "{access:?}");
        assert_eq!(
            (&lines[1], &lines[2], got),
            (&json!("111122223333"), &json!([{ "Key": "Team", "Value": "Blue" }]), &user)
        );
        // In open access the id alone names the user.
        let inactive = if access == Access::Open { &lines[4] } else { &lines[4][0] };
        assert!(*inactive == json!(1) || *inactive == json!("UnrecognizedClientException"), "{access:?}: {lines:?}");
        let created = &records_of(&world, "CreateRepository")[0]["userIdentity"];
        assert_eq!((&created["type"], &created["userName"]), (&json!("IAMUser"), &json!("Ana")));
    }
}

#[test]
fn a_created_role_is_assumed_and_ends() {
    let world = world(Access::Signed);
    let lines = python(
        &world,
        "
trust = json.dumps({'Version': '2012-10-17', 'Statement': {
    'Effect': 'Allow', 'Principal': {'AWS': 'arn:aws:iam::111122223333:root'}, 'Action': 'sts:AssumeRole'}})
created = iam.create_role(RoleName='Build', Path='/ci/', AssumeRolePolicyDocument=trust, Description='Builds')['Role']
result(lambda: created['AssumeRolePolicyDocument'] == json.loads(trust))
policy = iam.create_policy(PolicyName='Read', PolicyDocument=allow('codecommit:Get*'))['Policy']['Arn']
iam.attach_role_policy(RoleName='Build', PolicyArn=policy)
iam.create_user(UserName='Ana')
iam.put_user_policy(UserName='Ana', PolicyName='Assume', PolicyDocument=allow('sts:AssumeRole'))
sts = client('sts', *key_of('Ana'))
result(lambda: sts.assume_role(RoleArn='arn:aws:iam::111122223333:role/Other', RoleSessionName='s1'))
c = sts.assume_role(RoleArn=created['Arn'], RoleSessionName='s1')['Credentials']
session = c['AccessKeyId'], c['SecretAccessKey'], c['SessionToken']
result(lambda: client('sts', *session).get_caller_identity()['Arn'])
result(lambda: client('codecommit', *session).list_repositories()['repositories'])
iam.detach_role_policy(RoleName='Build', PolicyArn=policy)
iam.delete_role(RoleName='Build')
result(client('codecommit', *session).list_repositories)
",
    );
    assert_eq!(lines[0], true);
    assert_eq!(lines[1][0], "AccessDenied");
    assert_eq!(lines[2], "arn:aws:sts::111122223333:assumed-role/Build/s1");
    assert_eq!(lines[3], json!([]));
    assert_eq!(lines[4][0], "UnrecognizedClientException");
}

#[test]
fn git_uses_created_credentials_over_http() {
    let world = world(Access::Signed);
    let lines = python(
        &world,
        "
client('codecommit', 'AKIAADMINISTRATOR000', 'the secret of the administrator', region='us-east-1').create_repository(
    repositoryName='MyDemoRepo')
iam.create_user(UserName='Ana')
c = iam.create_service_specific_credential(UserName='Ana', ServiceName='codecommit.amazonaws.com')['ServiceSpecificCredential']
result(lambda: [c['ServiceUserName'], c['ServicePassword'], c['ServiceSpecificCredentialId']])
",
    );
    let [user, password, id] = [0, 1, 2].map(|index| lines[0][index].as_str().expect("a text").to_owned());
    let url = |password: &str| {
        let password = password.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
        let login = format!("http://{user}:{password}@");
        world.repository_url("MyDemoRepo").replace("http://", &login)
    };
    world.git_repository("work");
    world.git_commit("work", "file", "content\n");
    world.git("work", &["push", "--quiet", &url(&password), "HEAD:main"]).ok();
    let push = records_of(&world, "GitPush").pop().expect("the push is recorded");
    assert_eq!(push["userIdentity"]["userName"], "Ana");
    assert_eq!(push["userIdentity"]["accessKeyId"], Value::Null);
    assert!(world.git("work", &["ls-remote", &url("another")]).failed().contains("403"));
    let inactive =
        "iam.update_service_specific_credential(UserName='Ana', Status='Inactive', ServiceSpecificCredentialId=";
    python(&world, &format!("{inactive}'{id}')"));
    assert!(world.git("work", &["ls-remote", &url(&password)]).failed().contains("403"));
}

#[test]
fn ssh_uses_an_uploaded_key() {
    let world = World::with_ssh(|settings| settings.identities = None);
    world.ok("CreateRepository", &json!({ "repositoryName": "MyDemoRepo" }));
    let public = key_file("other.pub").display().to_string();
    let id = python(
        &world,
        &format!(
            "
iam = client('iam', 'test', 'any')
iam.create_user(UserName='Ana')
key = iam.upload_ssh_public_key(UserName='Ana', SSHPublicKeyBody=open({public:?}).read())['SSHPublicKey']
result(lambda: [key['SSHPublicKeyId'], key['Fingerprint']])
"
        ),
    );
    let fingerprint = outcome(Command::new("ssh-keygen").args(["-l", "-E", "md5", "-f", &public])).ok();
    let shown = id[0][1].as_str().expect("the fingerprint is a text");
    assert!(fingerprint.contains(&format!("MD5:{shown} ")), "{fingerprint} {shown}");
    let id = id[0][0].as_str().expect("the id is a text");
    let url = world.ssh_url("MyDemoRepo").replace(tests::ssh::KEY_ID, id);
    world.git_repository("work");
    world.git_commit("work", "file", "content\n");
    world.git_over_ssh("git", "other", "work", &["push", "--quiet", &url, "HEAD:main"]).ok();
    let push = records_of(&world, "GitPush").pop().expect("the push is recorded");
    assert_eq!(push["userIdentity"]["arn"], "arn:aws:iam::111122223333:user/Ana");
    python(
        &world,
        &format!("client('iam', 'test', 'any').delete_ssh_public_key(UserName='Ana', SSHPublicKeyId='{id}')"),
    );
    assert!(!world.git_over_ssh("git", "other", "work", &["ls-remote", &url]).success);
}

#[test]
fn calls_are_recorded_as_global_events() {
    let world = world(Access::Open);
    python(
        &world,
        "
for region, key in [('eu-west-1', '111122223333'), ('cn-northwest-1', '111122223333')]:
    iam = client('iam', key, 'any', region=region)
    iam.create_user(UserName='Ana-' + region)
    key = iam.create_access_key(UserName='Ana-' + region)['AccessKey']
    iam.list_users()
    result(lambda: iam.delete_user(UserName='Nobody'))
",
    );
    let created = &records_of(&world, "CreateAccessKey")[0];
    let expected = json!({
        "eventSource": "iam.amazonaws.com", "apiVersion": "2010-05-08", "awsRegion": "us-east-1", "readOnly": false,
        "eventType": "AwsApiCall", "requestParameters": { "userName": "Ana-eu-west-1" },
    });
    for (name, value) in expected.as_object().expect("the value is an object") {
        assert_eq!(created[name], *value, "{name}");
    }
    let key = &created["responseElements"]["accessKey"];
    assert_eq!((&key["userName"], &key["status"]), (&json!("Ana-eu-west-1"), &json!("Active")));
    assert_eq!(key.as_object().map(serde_json::Map::len), Some(4));
    let listed = &records_of(&world, "ListUsers")[0];
    assert_eq!((&listed["readOnly"], &listed["responseElements"]), (&json!(true), &Value::Null));
    let refused = &records_of(&world, "DeleteUser")[0];
    assert_eq!(refused["errorCode"], "NoSuchEntityException");
    assert_eq!(refused["errorMessage"], "The user with name Nobody cannot be found.");
    let china = &records_of(&world, "CreateUser")[1];
    assert_eq!(china["awsRegion"], "cn-north-1");
    assert_eq!(china["responseElements"]["user"]["arn"], "arn:aws-cn:iam::111122223333:user/Ana-cn-northwest-1");
}

#[test]
fn records_have_the_members_of_inputs_and_outputs() {
    let world = world(Access::Open);
    let document = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"codecommit:*","Resource":"*"}}"#;
    let trust =
        r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole"}}"#;
    let program = "
iam = client('iam', '111122223333', 'any')
iam.create_user(UserName='Ana', Path='/team/', Tags=[{'Key': 'Team', 'Value': 'Blue'}])
iam.create_policy(PolicyName='P', PolicyDocument=DOCUMENT)
iam.create_policy_version(PolicyArn='arn:aws:iam::111122223333:policy/P', PolicyDocument=DOCUMENT, SetAsDefault=True)
iam.attach_user_policy(UserName='Ana', PolicyArn='arn:aws:iam::111122223333:policy/P')
iam.put_user_policy(UserName='Ana', PolicyName='Own', PolicyDocument=DOCUMENT)
iam.create_role(RoleName='Build', AssumeRolePolicyDocument=TRUST, MaxSessionDuration=7200)
iam.create_service_specific_credential(UserName='Ana', ServiceName='codecommit.amazonaws.com')
"
    .replace("DOCUMENT", &format!("'{document}'"))
    .replace("TRUST", &format!("'{trust}'"));
    python(&world, &program);
    let record = |name: &str| records_of(&world, name).remove(0);
    let created = record("CreateUser");
    let tags = json!([{ "key": "Team", "value": "Blue" }]);
    assert_eq!(created["requestParameters"], json!({ "path": "/team/", "tags": tags, "userName": "Ana" }));
    let user = &created["responseElements"]["user"];
    assert_eq!(user["arn"], "arn:aws:iam::111122223333:user/team/Ana");
    assert!(user["createDate"].as_str().is_some_and(|date| date.ends_with('M')), "{user}");
    let policy = json!({ "policyDocument": document, "policyName": "P" });
    assert_eq!(record("CreatePolicy")["requestParameters"], policy);
    let version = record("CreatePolicyVersion");
    assert_eq!(version["requestParameters"]["setAsDefault"], true);
    assert_eq!(version["responseElements"]["policyVersion"]["versionId"], "v2");
    for (name, parameters) in [
        ("AttachUserPolicy", json!({ "policyArn": "arn:aws:iam::111122223333:policy/P", "userName": "Ana" })),
        ("PutUserPolicy", json!({ "policyDocument": document, "policyName": "Own", "userName": "Ana" })),
    ] {
        let record = record(name);
        assert_eq!((&record["requestParameters"], &record["responseElements"]), (&parameters, &Value::Null), "{name}");
    }
    let role = record("CreateRole");
    let parameters = json!({ "assumeRolePolicyDocument": trust, "maxSessionDuration": 7200, "roleName": "Build" });
    assert_eq!(role["requestParameters"], parameters);
    let shown = role["responseElements"]["role"]["assumeRolePolicyDocument"].as_str();
    assert!(shown.is_some_and(|shown| shown.starts_with("%7B%22Version%22")), "{role}");
    let credential = record("CreateServiceSpecificCredential")["responseElements"]["serviceSpecificCredential"].clone();
    assert_eq!(credential["serviceUserName"], "Ana-at-111122223333");
    assert_eq!(credential["servicePassword"], Value::Null);
}

#[test]
fn secrets_are_in_no_file_and_in_no_log() {
    let folder = tempfile::tempdir().expect("a temporary folder can be created");
    let log = folder.path().join("log");
    let data = folder.path().join("data");
    let mut command = Command::new("sh");
    command.args(["-c", "exec \"$0\" --log-level debug --listen 127.0.0.1:0 --data-dir \"$1\" 2>\"$2\""]);
    command.arg(binary::path()).arg(&data).arg(&log);
    File::create(&log).expect("the folder is writable");
    let running = Running::start_command(command);
    let program = "
import boto3
iam = boto3.client('iam')
iam.create_user(UserName='Ana')
print(iam.create_access_key(UserName='Ana')['AccessKey']['SecretAccessKey'])
c = iam.create_service_specific_credential(UserName='Ana', ServiceName='codecommit.amazonaws.com')['ServiceSpecificCredential']
print(c['ServicePassword'])
print(iam.reset_service_specific_credential(ServiceSpecificCredentialId=c['ServiceSpecificCredentialId'], UserName='Ana')
    ['ServiceSpecificCredential']['ServicePassword'])
";
    let mut python = python_environment("python", folder.path(), running.endpoint());
    let secrets = outcome(python.args(["-c", program])).ok();
    assert_eq!(running.terminate(), Some(0));
    let secrets: Vec<&str> = secrets.lines().collect();
    assert_eq!(secrets.len(), 3);
    let mut all = files(&data);
    all.push(log);
    for file in all {
        let content = fs::read(&file).expect("the file exists");
        for secret in &secrets {
            let is_there = content.windows(secret.len()).any(|window| window == secret.as_bytes());
            assert!(!is_there, "{} has a secret", file.display());
        }
    }
}

#[test]
fn services_are_told_apart_by_scope_version_and_action() {
    let world = world(Access::Open);
    let form = |form: &str, headers: &[(&str, &str)]| {
        let content_type = ("content-type", "application/x-www-form-urlencoded");
        let reply = world.send("POST", "/", &[&[content_type], headers].concat(), form.as_bytes());
        (reply.status, reply.text())
    };
    let iam = "https://iam.amazonaws.com/doc/2010-05-08/";
    let (status, text) = form("Action=ListUsers", &[]);
    assert!(status == 200 && text.contains(iam), "{text}");
    let (status, text) = form("Action=Unknown&Version=2010-05-08", &[]);
    assert!(status == 400 && text.contains("Could not find operation Unknown for version 2010-05-08"), "{text}");
    assert!(text.contains(iam) && text.contains("<Code>InvalidAction</Code>"), "{text}");
    let (_, text) = form("Action=Unknown", &[]);
    assert!(text.contains("for version 2011-06-15"), "{text}");
    let scope = "Credential=AKIA/20161214/us-east-1/iam/aws4_request, SignedHeaders=host, Signature=00";
    let (_, text) =
        form("Action=AssumeRole&Version=2011-06-15", &[("authorization", &format!("AWS4-HMAC-SHA256 {scope}"))]);
    assert!(text.contains("Could not find operation AssumeRole for version 2010-05-08"), "{text}");
}

#[test]
fn the_aws_cli_pages_and_shows_documents() {
    let world = world(Access::Open);
    let aws = |arguments: &[&str]| -> Value {
        let output = world.aws(arguments).ok();
        if output.is_empty() { Value::Null } else { serde_json::from_str(&output).expect("the CLI prints JSON") }
    };
    for name in ["Ana", "Eva", "Ida"] {
        aws(&["iam", "create-user", "--user-name", name]);
    }
    let users = aws(&["iam", "list-users", "--page-size", "1"]);
    assert_eq!(users["Users"].as_array().map(Vec::len), Some(3));
    let document =
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"codecommit:*","Resource":"*"}]}"#;
    let put = ["iam", "put-user-policy", "--user-name", "Ana", "--policy-name", "P", "--policy-document", document];
    aws(&put);
    let shown = aws(&["iam", "get-user-policy", "--user-name", "Ana", "--policy-name", "P"]);
    assert_eq!(shown["PolicyDocument"], serde_json::from_str::<Value>(document).expect("it is JSON"));
    let arn = "arn:aws:iam::111122223333:user/Ana";
    let simulate =
        ["iam", "simulate-principal-policy", "--policy-source-arn", arn, "--action-names", "codecommit:GitPush"];
    let result = aws(&simulate);
    assert_eq!(result["EvaluationResults"][0]["EvalDecision"], "allowed");
    let start = &result["EvaluationResults"][0]["MatchedStatements"][0]["StartPosition"];
    assert_eq!(*start, json!({ "Line": 1, "Column": 38 }));
    let details = aws(&["iam", "get-account-authorization-details"]);
    assert_eq!(details["UserDetailList"].as_array().map(Vec::len), Some(3));
    let boundary = "arn:aws:iam::aws:policy/AWSCodeCommitReadOnly";
    aws(&["iam", "put-user-permissions-boundary", "--user-name", "Ana", "--permissions-boundary", boundary]);
    assert_eq!(aws(&simulate)["EvaluationResults"][0]["EvalDecision"], "implicitDeny");
}

#[test]
fn every_reply_has_the_members_of_the_model() {
    let world = World::new();
    let program = workspace().join("tests/clients/iam/model.py");
    let names = Iam::operations().iter().map(|operation| operation.name);
    let mut python = python_environment("python", world.folder(), &world.endpoint());
    assert_eq!(outcome(python.arg(program).args(names)).ok(), "");
}

#[test]
fn keys_survive_a_restart_and_end_with_a_reset() {
    let mut world = world(Access::Signed);
    let key = python(&world, "iam.create_user(UserName='Ana')\nresult(lambda: key_of('Ana'))").remove(0);
    world.restart_with(|settings| settings.allow_reset = true);
    let call = format!("result(lambda: client('sts', *{key}).get_caller_identity()['Arn'])");
    assert_eq!(python(&world, &call), ["arn:aws:iam::111122223333:user/Ana"]);
    assert_eq!(world.send("POST", "/_local/reset", &[], b"").status, 200);
    assert_eq!(python(&world, &call)[0][0], "InvalidClientTokenId");
    assert_eq!(python(&world, "result(lambda: iam.list_users()['Users'])"), [json!([])]);
}
