//! `GetFederationToken`: temporary credentials that a user or the root creates for a federated user.

use std::sync::Arc;

use aws::caller::{Issuer, Kind, Session};
use aws::operation::Change;
use aws::{Call, Caller, Facts, GlobalArn, query};
use serde::{Deserialize, Serialize};
use store::Transaction;

use crate::sts::get_session_token;
use crate::sts::input::{self, PolicyDescriptor};
use crate::sts::output::{FederatedUser, Output};
use crate::sts::tags::{SessionTags, Tag};
use crate::{Exception, Sts};

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct Input {
    name: String,
    policy: String,
    policy_arns: Vec<PolicyDescriptor>,
    #[serde(deserialize_with = "query::integer")]
    duration_seconds: Option<i64>,
    tags: Vec<Tag>,
    #[serde(deserialize_with = "query::integer")]
    minimum_session_token_size: Option<i64>,
}

pub(crate) fn run(
    sts: &Sts,
    call: &Arc<Call>,
    input: Input,
) -> Result<Change<Transaction, Output, Exception>, Exception> {
    input::required("name", &input.name)?;
    input::name("name", &input.name, 2..=32)?;
    let seconds = get_session_token::seconds(&call.caller, input.duration_seconds)?;
    let packed = input::packed(call, &input.policy, &input.policy_arns, &input.tags, input.minimum_session_token_size)?;
    if call.caller.session.is_some() {
        return Err(Exception::CalledWithSession("GetFederationToken"));
    }
    let account = &call.caller.account_id;
    let arn = GlobalArn::sts(call.region.partition(), account, format!("federated-user/{}", input.name)).to_string();
    let federated_user_id = format!("{account}:{}", input.name);
    let tags = SessionTags { tags: input.tags, transitive_keys: Vec::new() };
    let pairs = tags.tags.iter().map(|tag| (tag.key.as_str(), tag.value.as_str()));
    let facts = Facts::default().with_request_tags(pairs);
    for action in [Some("sts:GetFederationToken"), Some("sts:TagSession").filter(|_| !tags.tags.is_empty())] {
        action.map_or(Ok(()), |action| call.allow_action(action, &arn, &facts))?;
    }
    let session = Session { issuer: Some(issuer(&call.caller)), ..Session::new(call.time) };
    let caller = Caller {
        session: Some(session),
        ..Caller::of(Kind::FederatedUser, account.clone(), arn.clone(), federated_user_id.clone())
    };
    let policies = input::session_policies(&input.policy, &input.policy_arns, tags.by_key());
    let session = sts.issue(call, caller, seconds, packed.token_bytes, policies);
    Ok(Box::new(move |transaction| {
        Ok(Output {
            federated_user: Some(FederatedUser { federated_user_id, arn }),
            packed_policy_size: packed.percent,
            ..Output::of(session.store(transaction)?)
        })
    }))
}

fn issuer(caller: &Caller) -> Issuer {
    let is_root = caller.kind == Kind::Root;
    Issuer {
        kind: if is_root { "Root" } else { "IAMUser" }.to_owned(),
        principal_id: caller.principal_id.clone(),
        arn: caller.arn.clone(),
        account_id: caller.account_id.clone(),
        user_name: caller.user_name.clone().filter(|_| !is_root),
    }
}
