//! Goldens under policies: each request by a user without policies, and by one with exactly its action on exactly its resource.

use serde_json::{Value, json};
use server::settings::Access;
use tests::signing::AccessKey;
use tests::{Reply, World, model};

use super::file::Case;
use super::replay::{expand, headers};

const ACCOUNT: &str = "111122223333";
const SECRET: &str = "the secret of a user of a case";
const NOBODY: AccessKey<'_> = AccessKey { id: "AKIANOBODY0000000000", secret: SECRET };

/// The operations on no particular resource, which only the pattern `*` allows.
const ON_NOTHING: [&str; 15] = [
    "ListRepositories",
    "CreateApprovalRuleTemplate",
    "DeleteApprovalRuleTemplate",
    "GetApprovalRuleTemplate",
    "ListApprovalRuleTemplates",
    "ListRepositoriesForApprovalRuleTemplate",
    "UpdateApprovalRuleTemplateContent",
    "UpdateApprovalRuleTemplateDescription",
    "UpdateApprovalRuleTemplateName",
    "DescribeTrails",
    "ListPublicKeys",
    "ListTrails",
    "LookupEvents",
    "GetResources",
    "GetTagKeys",
];

/// Restarts a server so that policies decide; each case has a user who may do exactly what the case does.
pub fn enforce(world: &mut World, cases: &[&Case]) {
    let users = cases.iter().enumerate().map(|(index, case)| user(index, case));
    let nobody = format!(
        "[[account.user]]\nname = \"Nobody\"\naccess_keys = [{{ id = {:?}, secret = {SECRET:?} }}]\n",
        NOBODY.id
    );
    let file = format!("[[account]]\nid = \"{ACCOUNT}\"\n\n{nobody}{}", users.collect::<String>());
    let path = world.folder().join("identities.toml");
    std::fs::write(&path, file).expect("the folder is writable");
    // The reply has the times and ids that it has without policies: nothing but the verification of its signature reads the clock.
    let (readings, seeds) = world.clock().position();
    world.restart_with(|settings| {
        settings.identities = Some(path);
        settings.access = Access::Enforced;
        settings.max_clock_skew = None;
    });
    world.clock().set_position((readings - 1, seeds));
}

/// Returns the declaration of the user of a case: the caller of the request if replies can name it.
fn user(index: usize, case: &Case) -> String {
    let (key, _) = signer(index, case);
    let (name, more) = match key.as_str() {
        _ if !super::is_alone(case) => (format!("Case_{index}"), ""),
        "AKIAIOSFODNN7EXAMPLE" => {
            ("Mary_Major".to_owned(), "principal_id = \"AIDACKCEVSQ6C2EXAMPLE\"\ndefault = true\n")
        }
        key => (key.to_owned(), ""),
    };
    let document = json!({ "Version": "2012-10-17", "Statement": statements(case) });
    format!(
        "\n[[account.policy]]\nname = \"exact_{index}\"\ndocument = '''{document}'''\n\n[[account.user]]\nname = \"{name}\"\n{more}\
         access_keys = [{{ id = \"{key}\", secret = {SECRET:?} }}]\npolicies = [\"exact_{index}\"]\n"
    )
}

/// Returns the access key that signs the request of a case, and the region of the signature.
fn signer(index: usize, case: &Case) -> (String, String) {
    let authorization = case.request["headers"]["authorization"].as_str();
    if let Some((key, rest)) = authorization.and_then(|header| header.split_once("Credential=")?.1.split_once('/')) {
        let region = rest.split('/').nth(1).expect("a scope has a region");
        return (key.to_owned(), region.to_owned());
    }
    let region = if case.request["headers"]["host"].is_null() { "us-east-1" } else { "us-east-2" };
    let key = if super::is_alone(case) { "AKIAIOSFODNN7EXAMPLE".to_owned() } else { format!("AKIACASE{index:012}") };
    (key, region.to_owned())
}

/// Sends the request of a case as the user who may do exactly what it does.
pub fn send(world: &World, index: usize, case: &Case) -> Reply {
    let (id, region) = signer(index, case);
    send_as(world, AccessKey { id: &id, secret: SECRET }, &region, case)
}

fn send_as(world: &World, key: AccessKey<'_>, region: &str, case: &Case) -> Reply {
    let request = &case.request;
    let target = request["operation"].as_str().map(model::target);
    let target = target.as_deref().or(request["target"].as_str()).expect("a request names its operation or target");
    let body = request["body"].as_str().map_or_else(|| expand(&request["body"]).to_string(), str::to_owned);
    let mut headers = headers(request);
    headers.retain(|(name, _)| *name != "authorization");
    world.call_signed(key, target, region, &headers, body.as_bytes())
}

/// Sends the request of a case as a user without policies; returns what is not as it must be.
pub fn denied(world: &World, case: &Case) -> Result<(), String> {
    let Some(operation) = case.request["operation"].as_str() else { return Ok(()) };
    let (_, region) = signer(0, case);
    let reply = send_as(world, NOBODY, &region, case);
    let record = world.last_event();
    let message = reply.message();
    let action = statements(case)[0]["Action"].as_str().expect("a statement has an action").to_owned();
    let beginning =
        format!("User: arn:{}:iam::{ACCOUNT}:user/Nobody is not authorized to perform: {action} ", partition(&region));
    let end = format!("because no identity-based policy allows the {action} action");
    let text = message.as_str().unwrap_or_default();
    let is_denied = reply.status == 400
        && reply.json()["__type"] == "AccessDeniedException"
        && text.starts_with(&beginning)
        && text.ends_with(&end);
    let expected = json!([operation, "AccessDenied", message, null, null, "Nobody"]);
    let recorded = json!([
        record["eventName"],
        record["errorCode"],
        record["errorMessage"],
        record["requestParameters"],
        record["responseElements"],
        record["userIdentity"]["userName"],
    ]);
    if is_denied && recorded == expected {
        return Ok(());
    }
    Err(format!("{}: not denied or not recorded so: {} {recorded}", case.title(), reply.text()))
}

/// Returns the statements that allow a request: its action on its resources, and what the tagging service does for its caller.
fn statements(case: &Case) -> Vec<Value> {
    let operation = case.request["operation"].as_str().unwrap_or(&case.operation);
    let body = &case.request["body"];
    let allow =
        |action: String, resources: Vec<String>| json!({ "Effect": "Allow", "Action": action, "Resource": resources });
    if model::is_tagging(operation) {
        let mut all = vec![allow(format!("tag:{operation}"), vec!["*".to_owned()])];
        let arns = || texts(&body["ResourceARNList"]).filter(|arn| arn.starts_with("arn:")).collect::<Vec<_>>();
        if let Some(change) = operation.strip_suffix("Resources").filter(|_| operation != "GetResources") {
            let of = |service: &str| arns().into_iter().filter(|arn| arn.contains(service)).collect::<Vec<_>>();
            let tags = if change == "Tag" { "AddTags" } else { "RemoveTags" };
            let changes = [
                (format!("codecommit:{change}Resource"), of(":codecommit:")),
                (format!("cloudtrail:{tags}"), of(":cloudtrail:")),
            ];
            all.extend(
                changes.into_iter().filter(|(_, arns)| !arns.is_empty()).map(|(action, arns)| allow(action, arns)),
            );
        }
        return all;
    }
    let service = if model::is_cloudtrail(operation) { "cloudtrail" } else { "codecommit" };
    let resources = if service == "cloudtrail" { trails(operation, case) } else { repositories(operation, case) };
    vec![allow(format!("{service}:{operation}"), resources)]
}

/// Returns the trails of a request.
fn trails(operation: &str, case: &Case) -> Vec<String> {
    let body = &case.request["body"];
    if ON_NOTHING.contains(&operation) {
        return vec!["*".to_owned()];
    }
    let named = ["Name", "TrailName", "ResourceId", "ResourceIdList"].iter().flat_map(|member| texts(&body[member]));
    or_any(
        named.map(
            |name| if name.starts_with("arn:") { name } else { arn(case, "cloudtrail", &format!("trail/{name}")) },
        ),
    )
}

/// Returns the repositories of a request. A pull request or a comment is one of the repository of the setup, or of none.
fn repositories(operation: &str, case: &Case) -> Vec<String> {
    if ON_NOTHING.contains(&operation) {
        return vec!["*".to_owned()];
    }
    let body = &case.request["body"];
    let members = ["repositoryName", "repositoryNames", "oldName", "newName"];
    let mut names: Vec<String> = members.iter().flat_map(|member| texts(&body[member])).collect();
    names.extend(body["targets"].as_array().into_iter().flatten().flat_map(|target| texts(&target["repositoryName"])));
    let mut arns: Vec<String> = names.iter().map(|name| arn(case, "codecommit", name)).collect();
    arns.extend(texts(&body["resourceArn"]).filter(|arn| arn.starts_with("arn:")));
    if ["pullRequestId", "pullRequestIds", "commentId", "inReplyTo"].iter().any(|member| !body[member].is_null()) {
        let is_missing = ["PullRequestDoesNotExist", "CommentDoesNotExist"];
        let is_missing = is_missing.iter().any(|name| case.reply["body"].to_string().contains(name));
        arns.push(arn(case, "codecommit", if is_missing { "*" } else { "MyDemoRepo" }));
    }
    or_any(arns.into_iter())
}

/// Returns the resources, or a pattern for all if the request names none.
fn or_any(resources: impl Iterator<Item = String>) -> Vec<String> {
    let resources: Vec<_> = resources.filter(|arn| is_ours(arn)).collect();
    if resources.is_empty() { vec!["*".to_owned()] } else { resources }
}

/// Returns whether a text is the ARN of a repository or a trail; others are in no policy, as IAM refuses some of them.
fn is_ours(arn: &str) -> bool {
    let parts: Vec<_> = arn.splitn(6, ':').collect();
    parts.len() == 6 && ["codecommit", "cloudtrail"].contains(&parts[2]) && parts[4].len() == 12
}

fn arn(case: &Case, service: &str, resource: &str) -> String {
    let (_, region) = signer(0, case);
    format!("arn:{}:{service}:{region}:{ACCOUNT}:{resource}", partition(&region))
}

fn partition(region: &str) -> &'static str {
    if region.starts_with("cn-") { "aws-cn" } else { "aws" }
}

/// Returns a text, or the texts of a list.
fn texts(value: &Value) -> impl Iterator<Item = String> {
    let list = value.as_array().cloned().unwrap_or_else(|| vec![value.clone()]);
    list.into_iter().filter_map(|text| text.as_str().map(str::to_owned))
}
