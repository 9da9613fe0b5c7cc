//! `AssumeRoot`: a short session of the root of another account, for one privileged task.

use std::sync::Arc;

use aws::caller::{Kind, Session};
use aws::operation::Change;
use aws::{AccountId, Call, Caller, Facts, GlobalArn, Partition, Permission, Resource, ResourcePolicy, query};
use serde::{Deserialize, Serialize};
use store::Transaction;

use crate::session::SessionPolicies;
use crate::sts::input::{self, PolicyDescriptor};
use crate::sts::output::Output;
use crate::{Exception, Sts};

const ACTION: &str = "sts:AssumeRoot";

/// Maximum and default duration of the session, in seconds.
const DURATION_SECONDS_MAX: i64 = 900;

/// The managed policies of the privileged tasks.
const TASKS: [&str; 5] = [
    "IAMAuditRootUserCredentials",
    "IAMCreateRootUserPassword",
    "IAMDeleteRootUserCredentials",
    "S3UnlockBucketPolicy",
    "SQSUnlockQueuePolicy",
];

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct Input {
    target_principal: String,
    task_policy_arn: PolicyDescriptor,
    #[serde(deserialize_with = "query::integer")]
    duration_seconds: Option<i64>,
    #[serde(deserialize_with = "query::integer")]
    minimum_session_token_size: Option<i64>,
}

/// Gives a session to every caller but roots and federated users: there are no organizations, so every account counts as a member.
pub(crate) fn run(
    sts: &Sts,
    call: &Arc<Call>,
    input: Input,
) -> Result<Change<Transaction, Output, Exception>, Exception> {
    input::required("targetPrincipal", &input.target_principal)?;
    input::length("targetPrincipal", &input.target_principal, 12..=2048)?;
    input::arn("taskPolicyArn.arn", &input.task_policy_arn.arn)?;
    let seconds = input::seconds(input.duration_seconds, 0..=DURATION_SECONDS_MAX, DURATION_SECONDS_MAX)?;
    let policies = [input.task_policy_arn];
    let packed = input::packed(call, "", &policies, &[], input.minimum_session_token_size)?;
    let [PolicyDescriptor { arn: policy }] = policies;
    if !is_task(&policy) {
        return Err(Exception::InvalidArn(policy));
    }
    let partition = call.region.partition();
    let account = target(&input.target_principal, partition).ok_or(Exception::InvalidArn(input.target_principal))?;
    let root = Caller::root(account.clone(), None, None).in_partition(partition);
    call.add_resource(Resource { kind: "AWS::IAM::Root", arn: root.arn.clone(), account });
    let caller = &call.caller;
    let facts = Facts::default().with("sts:TaskPolicyArn", policy.as_str());
    let resource_policy = ResourcePolicy::AllowsAccount;
    let permission = Permission { action: ACTION, resource: &root.arn, resource_policy, facts: &facts };
    if caller.kind == Kind::Root || caller.kind == Kind::FederatedUser || call.permit(&permission).is_err() {
        let (caller, resource) = (caller.arn.clone(), root.arn);
        return Err(Exception::NotAuthorized { caller, action: ACTION, resource });
    }
    let source_identity = caller.session.as_ref().and_then(|session| session.source_identity.clone());
    let session =
        Session { is_assumed_root: true, source_identity: source_identity.clone(), ..Session::new(call.time) };
    let policies = SessionPolicies { policy_arns: vec![policy], ..SessionPolicies::default() };
    let session = sts.issue(call, Caller { session: Some(session), ..root }, seconds, packed.token_bytes, policies);
    Ok(Box::new(move |transaction| Ok(Output { source_identity, ..Output::of(session.store(transaction)?) })))
}

/// Parses an account id or the ARN of a root.
fn target(text: &str, partition: Partition) -> Option<AccountId> {
    text.parse().ok().or_else(|| {
        let arn = GlobalArn::parse(text)?;
        (arn.partition == partition && arn.service == "iam" && arn.resource == "root").then_some(arn.account?)
    })
}

/// Returns whether an ARN is `arn:PARTITION:iam::aws:policy/root-task/TASK`.
fn is_task(arn: &str) -> bool {
    let name = GlobalArn::iam_resource_of_aws(arn).and_then(|resource| resource.strip_prefix("policy/root-task/"));
    name.is_some_and(|name| TASKS.contains(&name))
}
