//! Managed policies: those of the account, and those of AWS.

use aws::{Facts, GlobalArn, Partition, Timestamp, query};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::call::IamCall;
use super::entity::{Entity, iso};
use super::paging::{Paging, with_marker};
use super::tags::{self, Tag};
use super::{IamError, input};
use crate::tables::issued::read_tags;
use crate::{Exception, ManagedPolicy};

/// A managed policy.
pub(crate) struct Policy {
    /// The ARN in the partition `aws`.
    pub(crate) arn: String,
    pub(crate) name: String,
    pub(crate) path: String,
    id: String,
    description: Option<String>,
    pub(crate) default_version: i64,
    pub(crate) last_version: i64,
    created: i64,
    updated: i64,
    pub(crate) tags: Vec<(String, String)>,
    pub(crate) is_declared: bool,
    /// The policy, if it is one of AWS.
    pub(crate) of_aws: Option<&'static ManagedPolicy>,
}

const COLUMNS: &str =
    "arn, name, path, id, description, default_version, last_version, created, updated, tags, declared";

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct CreateInput {
    policy_name: String,
    path: String,
    policy_document: String,
    description: String,
    tags: Vec<Tag>,
}

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct PolicyInput {
    policy_arn: String,
}

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct ListInput {
    scope: String,
    #[serde(deserialize_with = "query::boolean")]
    only_attached: Option<bool>,
    path_prefix: String,
    policy_usage_filter: String,
    #[serde(flatten)]
    paging: Paging,
}

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct EntitiesInput {
    policy_arn: String,
    entity_filter: String,
    path_prefix: String,
    policy_usage_filter: String,
    #[serde(flatten)]
    paging: Paging,
}

impl Policy {
    fn read(row: &store::Row<'_>) -> Result<Self, store::Error> {
        Ok(Self {
            arn: row.text(0)?,
            name: row.text(1)?,
            path: row.text(2)?,
            id: row.text(3)?,
            description: row.optional_text(4)?,
            default_version: row.integer(5)?,
            last_version: row.integer(6)?,
            created: row.integer(7)?,
            updated: row.integer(8)?,
            tags: read_tags(&row.text(9)?)?,
            is_declared: row.integer(10)? != 0,
            of_aws: None,
        })
    }

    pub(crate) fn of_aws(policy: &'static ManagedPolicy) -> Self {
        let millis = |time| Timestamp::from_iso(time).map_or(0, Timestamp::millis);
        let version = policy.default_version.trim_start_matches('v').parse().unwrap_or(1);
        Self {
            arn: policy.arn.to_owned(),
            name: policy.name.to_owned(),
            path: ManagedPolicy::PATH.to_owned(),
            id: policy.id.to_owned(),
            description: Some(policy.description.to_owned()),
            default_version: version,
            last_version: version,
            created: millis(policy.created),
            updated: millis(policy.updated),
            tags: Vec::new(),
            is_declared: false,
            of_aws: Some(policy),
        }
    }

    /// Finds a policy by its ARN in the partition `aws`.
    pub(crate) fn find(iam: &IamCall<'_>, arn: &str) -> Result<Option<Self>, Exception> {
        if let Some(policy) = ManagedPolicy::find(arn) {
            return Ok(Some(Self::of_aws(policy)));
        }
        iam.changed.borrow_mut().policies.insert(arn.to_owned());
        let sql = format!("SELECT {COLUMNS} FROM managed_policies WHERE arn = ?1 AND account = ?2");
        Ok(iam.transaction.query_one(&sql, &[arn.into(), iam.account().as_str().into()], Self::read)?)
    }

    /// Finds the policy of an input for which the caller has the permission.
    pub(crate) fn get(iam: &IamCall<'_>, arn: &str) -> Result<Self, Exception> {
        Self::get_with(iam, arn, |facts| facts)
    }

    /// Does the same with the facts about the request that `add` adds to those about the policy.
    pub(crate) fn get_with(iam: &IamCall<'_>, arn: &str, add: impl FnOnce(Facts) -> Facts) -> Result<Self, Exception> {
        input::policy_arn(arn)?;
        let found = Self::find(iam, &iam.stored_arn(arn))?;
        let facts = found.as_ref().map(|policy| tags::resource_facts(&policy.tags)).unwrap_or_default();
        iam.allow(arn, &add(facts))?;
        found.ok_or_else(|| IamError::no_such_entity(format!("Policy {arn} was not found.")))
    }

    /// Returns the policy if the API may change it.
    pub(crate) fn modifiable(self, iam: &IamCall<'_>) -> Result<Self, Exception> {
        if self.of_aws.is_some() {
            let message =
                format!("Policy {} is an AWS managed policy and cannot be changed.", iam.shown_arn(&self.arn));
            return Err(IamError::invalid_input(message));
        }
        if self.is_declared {
            return Err(IamError::unmodifiable(&format!("policy {}", self.name)));
        }
        Ok(self)
    }

    /// Returns the number of users, groups and roles of the account to which the policy is attached.
    fn attachments(&self, iam: &IamCall<'_>) -> Result<i64, Exception> {
        iam.count(
            "SELECT COUNT(*) FROM attachments JOIN principals ON number = principal WHERE policy_arn = ?1 AND account = ?2",
            &[(&self.arn).into(), iam.account().as_str().into()],
        )
    }

    /// Returns the number of users and roles of the account whose permissions boundary is the policy.
    fn boundaries(&self, iam: &IamCall<'_>) -> Result<i64, Exception> {
        iam.count(
            "SELECT COUNT(*) FROM principals WHERE boundary = ?1 AND account = ?2",
            &[(&self.arn).into(), iam.account().as_str().into()],
        )
    }

    /// Returns whether the account attaches the policy or has it as a permissions boundary.
    pub(crate) fn is_used(&self, iam: &IamCall<'_>) -> Result<bool, Exception> {
        Ok(self.attachments(iam)? + self.boundaries(iam)? > 0)
    }

    /// Returns the policy in the form of lists.
    pub(crate) fn summary(&self, iam: &IamCall<'_>) -> Result<Value, Exception> {
        Ok(json!({
            "PolicyName": self.name, "PolicyId": self.id, "Arn": iam.shown_arn(&self.arn), "Path": self.path,
            "DefaultVersionId": format!("v{}", self.default_version), "AttachmentCount": self.attachments(iam)?,
            "PermissionsBoundaryUsageCount": self.boundaries(iam)?, "IsAttachable": true,
            "CreateDate": iso(self.created), "UpdateDate": iso(self.updated),
        }))
    }

    /// Returns the policy with its description and its tags.
    pub(crate) fn details(&self, iam: &IamCall<'_>) -> Result<Value, Exception> {
        let mut members = self.summary(iam)?;
        members["Description"] = self.description.as_deref().into();
        if !self.tags.is_empty() {
            members["Tags"] = Tag::list(&self.tags);
        }
        Ok(members)
    }
}

/// Returns whether the account can attach a policy, by its ARN in the partition `aws`.
pub(crate) fn exists(iam: &IamCall<'_>, arn: &str) -> Result<bool, Exception> {
    Ok(Policy::find(iam, arn)?.is_some())
}

/// Returns the path in the ARN of a policy.
pub(crate) fn path(arn: &str) -> &str {
    let resource = arn.split_once(":policy").map_or("/", |(_, resource)| resource);
    resource.rfind('/').map_or("/", |end| &resource[..=end])
}

pub(crate) fn create(iam: &IamCall<'_>, input: &CreateInput) -> Result<Value, Exception> {
    input::name("policyName", &input.policy_name, 128)?;
    input::path("path", &input.path)?;
    input::document("policyDocument", &input.policy_document)?;
    input::description(&input.description)?;
    let tags = tags::checked(&input.tags)?;
    let path = if input.path.is_empty() { "/" } else { &input.path };
    let resource = format!("policy{path}{}", input.policy_name);
    let (shown_arn, facts) = (iam.arn(resource.as_str()), tags::request_facts(Facts::default(), &tags));
    iam.allow(&shown_arn, &facts)?;
    if !tags.is_empty() {
        iam.call.allow_action("iam:TagPolicy", &shown_arn, &facts)?;
    }
    input::parse_managed_policy(&input.policy_document)?;
    let account = iam.account().as_str();
    let lower_name = input.policy_name.to_lowercase();
    let same = "SELECT COUNT(*) FROM managed_policies WHERE account = ?1 AND lower_name = ?2";
    if iam.count(same, &[account.into(), (&lower_name).into()])? > 0 {
        let message = format!("A policy called {} already exists. Duplicate names are not allowed.", input.policy_name);
        return Err(IamError::already_exists(message));
    }
    let arn = GlobalArn::iam(Partition::Aws, iam.account(), resource).to_string();
    let description = Some(input.description.as_str()).filter(|text| !text.is_empty());
    iam.transaction.execute(
        "INSERT INTO managed_policies (arn, account, lower_name, name, path, id, description, default_version, last_version, created,
         updated, tags, declared) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 1, 1, ?8, ?8, ?9, 0)",
        &[
            (&arn).into(),
            account.into(),
            (&lower_name).into(),
            (&input.policy_name).into(),
            path.into(),
            (&iam.new_id("ANPA", 17)).into(),
            description.into(),
            iam.now().into(),
            (&tags::write(&tags)).into(),
        ],
    )?;
    iam.transaction.execute(
        "INSERT INTO policy_versions (arn, version, document, created) VALUES (?1, 1, ?2, ?3)",
        &[(&arn).into(), (&input.policy_document).into(), iam.now().into()],
    )?;
    let policy = Policy::find(iam, &arn)?.ok_or(store::Error::Damaged("a policy"))?;
    Ok(json!({ "Policy": policy.details(iam)? }))
}

pub(crate) fn get(iam: &IamCall<'_>, input: &PolicyInput) -> Result<Value, Exception> {
    Ok(json!({ "Policy": Policy::get(iam, &input.policy_arn)?.details(iam)? }))
}

pub(crate) fn list(iam: &IamCall<'_>, input: &ListInput) -> Result<Value, Exception> {
    input::one_of("scope", &input.scope, &["All", "AWS", "Local"])?;
    input::path_prefix(&input.path_prefix)?;
    usage_filter(&input.policy_usage_filter)?;
    input.paging.check()?;
    iam.allow_all()?;
    let mut policies = Vec::new();
    if input.scope != "AWS" {
        policies = of_account(iam)?;
    }
    if input.scope != "Local" {
        policies.extend(ManagedPolicy::ALL.iter().map(Policy::of_aws));
    }
    let mut shown = Vec::new();
    for policy in policies {
        let uses = match input.policy_usage_filter.as_str() {
            "PermissionsBoundary" => policy.boundaries(iam)?,
            _ if input.only_attached == Some(true) => policy.attachments(iam)?,
            _ => 1,
        };
        if uses > 0 && policy.path.starts_with(&input.path_prefix) {
            shown.push((policy.arn.clone(), policy.summary(iam)?));
        }
    }
    shown.sort_by(|(one, _), (other, _)| one.cmp(other));
    input.paging.page("Policies", &shown, |(arn, _)| arn.clone(), |(_, policy)| policy.clone())
}

/// Lists the policies of the account.
pub(crate) fn of_account(iam: &IamCall<'_>) -> Result<Vec<Policy>, Exception> {
    let sql = format!("SELECT {COLUMNS} FROM managed_policies WHERE account = ?1 ORDER BY arn");
    Ok(iam.transaction.query(&sql, &[iam.account().as_str().into()], Policy::read)?)
}

pub(crate) fn delete(iam: &IamCall<'_>, input: &PolicyInput) -> Result<Value, Exception> {
    let policy = Policy::get(iam, &input.policy_arn)?.modifiable(iam)?;
    if policy.is_used(iam)? {
        return Err(IamError::delete_conflict("Cannot delete a policy attached to entities."));
    }
    let versions = "SELECT COUNT(*) FROM policy_versions WHERE arn = ?1";
    if iam.count(versions, &[(&policy.arn).into()])? > 1 {
        return Err(IamError::delete_conflict(
            "This policy has more than one version. Before you delete a policy, you must delete the policy's versions. The \
             default version is deleted with the policy.",
        ));
    }
    iam.transaction.execute("DELETE FROM managed_policies WHERE arn = ?1", &[(&policy.arn).into()])?;
    Ok(Value::Null)
}

/// Lists the users, groups and roles that use a policy.
pub(crate) fn list_entities(iam: &IamCall<'_>, input: &EntitiesInput) -> Result<Value, Exception> {
    let filters = ["User", "Role", "Group", "LocalManagedPolicy", "AWSManagedPolicy"];
    input::one_of("entityFilter", &input.entity_filter, &filters)?;
    input::path_prefix(&input.path_prefix)?;
    usage_filter(&input.policy_usage_filter)?;
    input.paging.check()?;
    let policy = Policy::get(iam, &input.policy_arn)?;
    let numbers = match input.policy_usage_filter.as_str() {
        "PermissionsBoundary" => "SELECT number FROM principals WHERE boundary = ?1 AND account = ?2",
        "PermissionsPolicy" => {
            "SELECT number FROM principals JOIN attachments ON principal = number WHERE policy_arn = ?1 AND account = ?2"
        }
        _ => {
            "SELECT number FROM principals WHERE account = ?2
             AND (boundary = ?1 OR number IN (SELECT principal FROM attachments WHERE policy_arn = ?1))"
        }
    };
    let entities = Entity::select(iam, numbers, &[(&policy.arn).into(), iam.account().as_str().into()])?;
    let is_wanted = |entity: &&Entity| {
        let is_kind = input.entity_filter.is_empty() || input.entity_filter.to_lowercase() == entity.kind.as_str();
        is_kind && entity.path.starts_with(&input.path_prefix)
    };
    let mut wanted: Vec<&Entity> = entities.iter().filter(is_wanted).collect();
    let key = |entity: &&Entity| format!("{} {}", entity.kind.as_str(), entity.name.to_lowercase());
    wanted.sort_by_key(key);
    let (shown, marker) = input.paging.cut(&wanted, key)?;
    let of_kind = |noun: &str| -> Value {
        let of_kind = shown.iter().filter(|entity| entity.kind.as_str() == noun.to_lowercase());
        let (name, id) = (format!("{noun}Name"), format!("{noun}Id"));
        of_kind.map(|entity| json!({ name.as_str(): entity.name, id.as_str(): entity.id })).collect()
    };
    let lists = [("PolicyGroups", "Group"), ("PolicyUsers", "User"), ("PolicyRoles", "Role")];
    Ok(with_marker(lists.into_iter().map(|(list, noun)| (list.to_owned(), of_kind(noun))).collect(), marker))
}

fn usage_filter(value: &str) -> Result<(), Exception> {
    input::one_of("policyUsageFilter", value, &["PermissionsPolicy", "PermissionsBoundary"])
}
