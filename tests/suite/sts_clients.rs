//! Every operation of AWS STS with the AWS CLI, boto3 and the SDK for Rust.

use aws_sdk_sts::error::ProvideErrorMetadata;
use aws_sdk_sts::types::{AssumedRoleUser, FederatedUser, PolicyDescriptorType, Tag};
use serde_json::{Value, json};
use tests::World;

use crate::callers;

const ROLE: &str = "arn:aws:iam::111122223333:role/Developer";
const MARY: &str = "AKIAIOSFODNN7EXAMPLE";

fn cli(world: &World, arguments: &[&str]) -> Value {
    serde_json::from_str(&world.aws(arguments).ok()).expect("the CLI prints JSON")
}

fn names(world: &World) -> Vec<String> {
    world.events().iter().map(|event| event["eventName"].as_str().unwrap_or_default().to_owned()).collect()
}

#[test]
fn the_cli_gets_credentials_of_every_kind() {
    let world = callers::sample();
    let who = cli(&world, &["sts", "get-caller-identity"]);
    let mary = json!({
        "UserId": "AIDACKCEVSQ6C2EXAMPLE", "Account": "111122223333", "Arn": "arn:aws:iam::111122223333:user/Mary_Major",
    });
    assert_eq!(who, mary);
    let role = ["--role-arn", ROLE, "--role-session-name", "cli"];
    let tags = ["--tags", "Key=Team,Value=a b", "Key=Cost,Value=", "--transitive-tag-keys", "Team"];
    let assumed = cli(&world, &[&["sts", "assume-role"][..], &role, &tags].concat());
    assert_eq!(assumed["AssumedRoleUser"]["AssumedRoleId"], "AROADBQP57FF2AEXAMPLE:cli");
    assert_eq!(assumed["PackedPolicySize"], 1);
    let parameters = world.events().pop().expect("the call is recorded")["requestParameters"].clone();
    assert_eq!(parameters["tags"], json!([{ "key": "Team", "value": "a b" }, { "key": "Cost" }]));
    let token = cli(&world, &["sts", "get-session-token", "--duration-seconds", "900"]);
    assert!(token["Credentials"]["Expiration"].as_str().is_some_and(|time| time.starts_with("2016-12-14T18:")));
    let federated = cli(&world, &["sts", "get-federation-token", "--name", "visitor"]);
    assert_eq!(federated["FederatedUser"]["FederatedUserId"], "111122223333:visitor");
    let web = ["--web-identity-token", "the-token-of-a-mobile-app", "--no-sign-request"];
    let web = cli(&world, &[&["sts", "assume-role-with-web-identity"][..], &role, &web].concat());
    assert_eq!(web["Provider"], "cognito-identity.amazonaws.com");
    let assertion = callers::assertion(&[]);
    let saml = ["--principal-arn", callers::PROVIDER, "--saml-assertion", &assertion, "--no-sign-request"];
    let saml = cli(&world, &[&["sts", "assume-role-with-saml", "--role-arn", ROLE][..], &saml].concat());
    assert_eq!((&saml["Subject"], &saml["SubjectType"]), (&json!("ana"), &json!("persistent")));
    let refused = world.aws(&[&["sts", "assume-role", "--duration-seconds", "43200"][..], &role].concat()).failed();
    let sentence = "(ValidationError) when calling the AssumeRole operation: \
        The requested DurationSeconds exceeds the MaxSessionDuration set for this role.";
    assert!(refused.contains(sentence), "{refused}");
    assert_eq!(
        names(&world),
        [
            "GetCallerIdentity",
            "AssumeRole",
            "GetSessionToken",
            "GetFederationToken",
            "AssumeRoleWithWebIdentity",
            "AssumeRoleWithSAML",
            "AssumeRole",
        ]
    );
}

#[test]
fn boto3_assumes_a_role_and_calls_as_its_session() {
    let world = callers::sample();
    let program = r#"
import base64, boto3, json
from botocore.exceptions import ClientError
role = dict(RoleArn="arn:aws:iam::111122223333:role/Developer", RoleSessionName="boto")
sts = boto3.client("sts")
def session(credentials):
    names = dict(aws_access_key_id="AccessKeyId", aws_secret_access_key="SecretAccessKey", aws_session_token="SessionToken")
    return boto3.Session(**{name: credentials[key] for name, key in names.items()})
assumed = session(sts.assume_role(**role, Policy='{"Statement": {"Effect": "Allow"}}')["Credentials"])
print(assumed.client("sts").get_caller_identity()["Arn"])
assumed.client("codecommit").create_repository(repositoryName="MyDemoRepo")
print(len(assumed.client("codecommit").list_repositories()["repositories"]))
print(session(sts.get_session_token()["Credentials"]).client("sts").get_caller_identity()["Arn"])
print(session(sts.get_federation_token(Name="visitor")["Credentials"]).client("sts").get_caller_identity()["Arn"])
claims = dict(iss="https://token.example.com", sub="ana", aud="sts.amazonaws.com", exp=1500000000)
token = "e30." + base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=") + ".c2ln"
web = sts.assume_role_with_web_identity(**role, WebIdentityToken=token)
print(web["Provider"], web["SubjectFromWebIdentityToken"], web["Audience"])
try:
    assumed.client("sts").get_session_token()
except ClientError as error:
    print(error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"])
"#;
    let printed = world.python(program).ok();
    let expected = [
        "arn:aws:sts::111122223333:assumed-role/Developer/boto",
        "1",
        "arn:aws:iam::111122223333:user/Mary_Major",
        "arn:aws:sts::111122223333:federated-user/visitor",
        "arn:aws:iam::111122223333:oidc-provider/token.example.com ana sts.amazonaws.com",
        "AccessDenied 403",
    ];
    assert_eq!(printed.lines().collect::<Vec<_>>(), expected);
}

#[test]
fn the_sdk_for_rust_reads_every_reply() {
    let world = callers::sample();
    let sts = world.sts_as(MARY);
    let who = world.run(sts.get_caller_identity().send()).expect("she is known");
    assert_eq!(who.arn(), Some("arn:aws:iam::111122223333:user/Mary_Major"));
    let policy = PolicyDescriptorType::builder().arn("arn:aws:iam::aws:policy/ReadOnlyAccess").build();
    let tag = Tag::builder().key("Team").value("blue").build().expect("the member is present");
    let assume = sts.assume_role().role_arn(ROLE).role_session_name("sdk").policy_arns(policy).tags(tag);
    let assumed = world.run(assume.send()).expect("the role trusts the account");
    let (credentials, user) = (assumed.credentials().expect("they are told"), assumed.assumed_role_user());
    assert!(credentials.access_key_id().starts_with("ASIA") && credentials.secret_access_key().len() == 40);
    assert_eq!(user.map(AssumedRoleUser::arn), Some("arn:aws:sts::111122223333:assumed-role/Developer/sdk"));
    let ends = credentials.expiration().secs();
    let begun = world.run(sts.get_session_token().duration_seconds(900).send()).expect("she has keys");
    assert!(begun.credentials().is_some_and(|credentials| credentials.expiration().secs() < ends));
    let federated = world.run(sts.get_federation_token().name("visitor").send()).expect("she has keys");
    assert_eq!(federated.federated_user().map(FederatedUser::federated_user_id), Some("111122223333:visitor"));
    let web = sts.assume_role_with_web_identity().role_arn(ROLE).role_session_name("sdk");
    let web = world.run(web.web_identity_token("the-token-of-a-mobile-app").send()).expect("the file has it");
    assert_eq!(web.provider(), Some("cognito-identity.amazonaws.com"));
    let saml = sts.assume_role_with_saml().role_arn(ROLE).principal_arn(callers::PROVIDER);
    let saml = world.run(saml.saml_assertion(callers::assertion(&[])).send()).expect("the file has the provider");
    assert_eq!((saml.subject(), saml.issuer()), (Some("ana"), Some("https://idp.example.com/saml")));
    let refused = sts.get_federation_token().name("visitor").policy("{");
    let refused = world.run(refused.send()).expect_err("it is no policy").into_service_error();
    assert!(refused.is_malformed_policy_document_exception());
    assert_eq!(refused.message(), Some("This policy contains invalid Json"));
}
