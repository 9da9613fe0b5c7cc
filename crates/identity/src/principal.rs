//! Users, groups and roles, with the policies that they hold.
//!
//! The identities file fills [`Principals`]. **Invariant:** a policy that cannot be found allows nothing.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use aws::{AccountId, GlobalArn, Partition};
use policy::{Document, PolicySet};

use crate::ManagedPolicy;

/// The policies that a user, group or role holds.
#[derive(Clone, Debug, Default)]
pub(crate) struct HeldPolicies {
    /// The ARNs of the attached managed policies.
    pub(crate) attached: Vec<String>,
    /// The inline policies.
    pub(crate) inline: Vec<InlinePolicy>,
}

impl HeldPolicies {
    /// Adds others.
    fn extend(&mut self, others: &Self) {
        self.attached.extend_from_slice(&others.attached);
        self.inline.extend_from_slice(&others.inline);
    }
}

/// A policy that belongs to one user, group or role.
#[derive(Clone, Debug)]
pub(crate) struct InlinePolicy {
    pub(crate) name: String,
    pub(crate) document: Arc<Document>,
    /// The text of the document.
    pub(crate) text: String,
}

/// A user or a role.
#[derive(Clone, Debug, Default)]
pub(crate) struct Principal {
    /// The unique id. A session with the name and another id is that of a former principal.
    pub(crate) id: String,
    pub(crate) policies: HeldPolicies,
    /// The names of the groups of a user.
    pub(crate) groups: Vec<String>,
    /// The ARN of the managed policy that is the permissions boundary.
    pub(crate) boundary: Option<String>,
    pub(crate) tags: BTreeMap<String, String>,
}

/// The kind of a principal. A user and a role of an account can have the same name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum PrincipalKind {
    User,
    Role,
}

/// The account and the name of a user, group or role. The name is in lower case, as IAM compares names without case.
pub(crate) type Name = (AccountId, Arc<str>);

/// The users, groups and roles of all accounts, and the managed policies that they use. Clones share what does not change.
#[derive(Clone, Debug, Default)]
pub(crate) struct Principals {
    holders: HashMap<(PrincipalKind, Name), Arc<Principal>>,
    groups: HashMap<Name, Arc<HeldPolicies>>,
    /// Documents by the ARN in the partition `aws`: those of the accounts, and those of AWS that a principal has.
    managed: HashMap<Arc<str>, Arc<Document>>,
}

/// The policies of a principal, ready to decide.
#[derive(Clone, Debug, Default)]
pub(crate) struct PrincipalGrants {
    pub(crate) identity: Arc<PolicySet>,
    pub(crate) boundary: Option<Arc<PolicySet>>,
    pub(crate) tags: BTreeMap<String, String>,
}

impl Principals {
    /// Adds a user or a role; returns false if the account has one of that name.
    pub(crate) fn add(&mut self, kind: PrincipalKind, account: &AccountId, name: &str, principal: Principal) -> bool {
        self.holders.insert((kind, key(account, name)), Arc::new(principal)).is_none()
    }

    /// Adds a group; returns false if the account has one of that name.
    pub(crate) fn add_group(&mut self, account: &AccountId, name: &str, policies: HeldPolicies) -> bool {
        self.groups.insert(key(account, name), Arc::new(policies)).is_none()
    }

    /// Returns a user or a role.
    pub(crate) fn holder(&self, kind: PrincipalKind, account: &AccountId, name: &str) -> Option<&Principal> {
        self.holders.get(&(kind, key(account, name))).map(|principal| &**principal)
    }

    /// Adds a user or role that the IAM API issued, or what it issued to a declared one.
    pub(crate) fn add_issued(&mut self, kind: PrincipalKind, name: Name, issued: &Arc<Principal>) {
        match self.holders.entry((kind, name)) {
            Entry::Vacant(entry) => drop(entry.insert(Arc::clone(issued))),
            Entry::Occupied(mut entry) => {
                let declared = Arc::make_mut(entry.get_mut());
                declared.policies.extend(&issued.policies);
                declared.groups.extend_from_slice(&issued.groups);
            }
        }
    }

    /// Adds a group that the IAM API issued, or what it issued to a declared one.
    pub(crate) fn add_issued_group(&mut self, name: Name, issued: &Arc<Principal>) {
        let group = self.groups.entry(name).or_default();
        Arc::make_mut(group).extend(&issued.policies);
    }

    /// Returns the policies of a group.
    pub(crate) fn group(&self, account: &AccountId, name: &str) -> Option<&HeldPolicies> {
        self.groups.get(&key(account, name)).map(|policies| &**policies)
    }

    /// Returns whether the account has a group.
    pub(crate) fn has_group(&self, account: &AccountId, name: &str) -> bool {
        self.groups.contains_key(&key(account, name))
    }

    /// Adds a managed policy of an account, with its ARN in the partition `aws`; returns false if the account has it.
    pub(crate) fn add_policy(&mut self, arn: impl Into<Arc<str>>, document: Arc<Document>) -> bool {
        self.managed.insert(arn.into(), document).is_none()
    }

    /// Finds a managed policy of an account by its name, which does not contain its path; returns its ARN.
    pub(crate) fn find_own_policy(&self, account: &AccountId, name: &str) -> Option<String> {
        let path = GlobalArn::iam(Partition::Aws, account, "policy/").to_string();
        let is_named = |arn: &&Arc<str>| arn.strip_prefix(&path).and_then(|own| own.rsplit('/').next()) == Some(name);
        self.managed.keys().find(is_named).map(|arn| arn.as_ref().to_owned())
    }

    /// Finds a managed policy by its ARN, or by the name of one of AWS; returns its ARN in the partition `aws`.
    ///
    /// A policy of AWS is parsed when it is used for the first time.
    pub(crate) fn find_policy(&mut self, name: &str) -> Option<String> {
        let arn = normalized(name);
        if self.managed.contains_key(&*arn) {
            return Some(arn);
        }
        let of_aws = ManagedPolicy::find(name);
        let of_aws = of_aws.or_else(|| ManagedPolicy::ALL.iter().find(|managed| managed.name == name))?;
        self.managed.entry(of_aws.arn.into()).or_insert_with(|| Arc::new(of_aws.parse()));
        Some(of_aws.arn.to_owned())
    }

    /// Returns the document of a managed policy.
    pub(crate) fn managed(&self, arn: &str) -> Option<Arc<Document>> {
        let declared = self.managed.get(&*normalized(arn)).cloned();
        declared.or_else(|| ManagedPolicy::find(arn).map(|of_aws| Arc::new(of_aws.parse())))
    }

    /// Combines the policies of a user and its groups, or of a role; a principal that is not here, or has another unique id, has none.
    pub(crate) fn grants(&self, kind: PrincipalKind, account: &AccountId, name: &str, id: &str) -> PrincipalGrants {
        let found = self.holders.get(&(kind, key(account, name)));
        let Some(principal) = found.filter(|principal| principal.id == id) else {
            return PrincipalGrants::default();
        };
        let groups = principal.groups.iter().filter_map(|group| self.groups.get(&key(account, group)));
        let held = std::iter::once(&principal.policies).chain(groups.map(|group| &**group));
        let documents = held.flat_map(|held| self.documents(held));
        let boundary = principal.boundary.as_ref().map(|arn| Arc::new(PolicySet::new(self.managed(arn))));
        PrincipalGrants { identity: Arc::new(PolicySet::new(documents)), boundary, tags: principal.tags.clone() }
    }

    fn documents<'p>(&'p self, held: &'p HeldPolicies) -> impl Iterator<Item = Arc<Document>> + 'p {
        let attached = held.attached.iter().filter_map(|arn| self.managed(arn));
        attached.chain(held.inline.iter().map(|inline| Arc::clone(&inline.document)))
    }
}

/// Returns the key of a user, group or role.
pub(crate) fn key(account: &AccountId, name: &str) -> Name {
    (account.clone(), name.to_lowercase().into())
}

/// Returns an ARN in the partition `aws`; other texts stay as they are.
fn normalized(arn: &str) -> String {
    GlobalArn::parse(arn)
        .map_or_else(|| arn.to_owned(), |arn| GlobalArn { partition: Partition::Aws, ..arn }.to_string())
}
