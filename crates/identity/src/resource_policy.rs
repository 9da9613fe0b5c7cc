//! The decisions of policies of resources that other crates keep, such as those of buckets.

use aws::call::CallContext;
use aws::caller::Kind;
use aws::permission::Permission;
use aws::{Call, Caller, Denial, Facts, Partition, ResourcePolicy};
use policy::{Cause, PolicyKind, Principal, Trust};

use crate::context_facts::ContextFacts;

/// Requests a permission about which the policy of the resource decides, too.
///
/// An explicit deny of that policy comes first. Within the account of the resource, its policy alone can allow a caller; a caller of
/// another account must be allowed by its own policies as well.
pub fn permit(
    call: &Call,
    action: &str,
    resource: &str,
    facts: &Facts,
    policy: Option<&policy::ResourcePolicy>,
) -> Result<(), Denial> {
    let plain = Permission { action, resource, resource_policy: ResourcePolicy::None, facts };
    let decided = policy.filter(|_| call.has_policies()).and_then(|policy| decide(policy, call, &plain));
    let resource_policy = match decided {
        None => ResourcePolicy::None,
        Some(Trust::Account) => ResourcePolicy::AllowsAccount,
        Some(Trust::Principal) => ResourcePolicy::AllowsPrincipal,
        Some(Trust::Denied) => {
            call.mark_decided();
            let denial = policy::Denial { cause: Cause::ExplicitDeny, kind: PolicyKind::Resource };
            return Err(Denial { message: denial.message(&call.caller.arn, action, resource) });
        }
    };
    call.permit(&Permission { resource_policy, ..plain })
}

fn decide(policy: &policy::ResourcePolicy, call: &Call, permission: &Permission<'_>) -> Option<Trust> {
    let none = Facts::default();
    let context = CallContext::new(call, permission, &none);
    let facts = ContextFacts(&context);
    let request = policy::Request::new(permission.action, permission.resource, &facts);
    let caller = &call.caller;
    if caller.kind == Kind::AwsService {
        return policy.decide(&request, &Principal::Service(&caller.arn));
    }
    let names = names(caller);
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    policy.decide(&request, &Principal::Aws { account: caller.account_id.as_str(), names: &names })
}

/// Returns the ARNs and unique ids by which a policy can name a caller: of a session its own and those of its role or user.
fn names(caller: &Caller) -> Vec<String> {
    let issuer = caller.session.as_ref().and_then(|session| session.issuer.as_ref());
    let own = [caller.arn.clone(), caller.clone().in_partition(Partition::Aws).arn, caller.principal_id.clone()];
    let of_issuer = issuer.into_iter().flat_map(|issuer| [issuer.arn.clone(), issuer.principal_id.clone()]);
    own.into_iter().chain(of_issuer).collect()
}
