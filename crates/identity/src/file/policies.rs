//! Policies of the identities file: managed policies of an account, and those of its users, groups and roles.

use std::fs;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use aws::{AccountId, GlobalArn, Partition};
use policy::{Document, Malformed, TrustPolicy};
use toml::Spanned;

use super::declarations::{
    DeclaredHeldPolicy, DeclaredInlinePolicy, DeclaredPolicy, DeclaredRole, Group, User as DeclaredUser,
};
use super::{FaultAt, fault_at, path_of, rows, validate_name};
use crate::principal::{HeldPolicies, InlinePolicy, Principal, PrincipalKind};
use crate::role::Trusts;
use crate::tables::declared::DeclaredManagedPolicy;
use crate::{Identities, principal_id};

/// Maximum size of a managed policy, in characters that are no blanks.
pub(crate) const MANAGED_SIZE_MAX: usize = 6_144;

/// Maximum size of a trust policy.
pub(crate) const TRUST_SIZE_MAX: usize = 2_048;

/// Maximum number of managed policies of a user, group or role, and of groups of a user.
const COUNT_MAX: usize = 10;

/// The kind of the owner of policies, and the maximum size of its inline policies together.
#[derive(Clone, Copy)]
struct Owner {
    noun: &'static str,
    inline_size_max: usize,
}

const USER: Owner = Owner { noun: "user", inline_size_max: 2_048 };
const ROLE: Owner = Owner { noun: "role", inline_size_max: 10_240 };
const GROUP: Owner = Owner { noun: "group", inline_size_max: 5_120 };

/// Reads the policies of one account.
pub(super) struct PolicyReader<'r> {
    pub(super) account: &'r AccountId,
    /// The folder of the identities file, to which the paths of documents are relative.
    pub(super) folder: &'r Path,
}

impl PolicyReader<'_> {
    /// Adds a managed policy of the account.
    pub(super) fn add_policy(&self, declared: &DeclaredPolicy, identities: &mut Identities) -> Result<(), FaultAt> {
        validate_name("policy", &declared.name)?;
        let name = declared.name.get_ref();
        let path = path_of("policy", declared.path.as_ref())?;
        let arn = GlobalArn::iam(Partition::Aws, self.account, format!("policy{path}{name}")).to_string();
        let span = declared.document.as_ref().or(declared.file.as_ref()).unwrap_or(&declared.name).span();
        let of = |text: &Option<Spanned<String>>| text.as_ref().map(|text| text.get_ref().clone());
        let text = self.text(of(&declared.document), of(&declared.file), name, &span)?;
        let document = Document::parse_managed(&text).map_err(|error| malformed(name, &error, &span))?;
        check_size(name, policy::size(&text), MANAGED_SIZE_MAX, &span)?;
        identities.declared_rows.policies.push(DeclaredManagedPolicy {
            account: self.account.to_string(),
            arn: arn.clone(),
            name: name.clone(),
            path: path.to_owned(),
            document: text,
        });
        let is_known = identities.principals.find_own_policy(self.account, name).is_some();
        if is_known || !identities.principals.add_policy(arn, Arc::new(document)) {
            return Err(fault_at(&declared.name, format!("duplicate policy '{name}': give it another name")));
        }
        Ok(())
    }

    /// Adds a group.
    pub(super) fn add_group(&self, declared: &Group, identities: &mut Identities) -> Result<(), FaultAt> {
        validate_name("group", &declared.name)?;
        let policies = self.held(&declared.policies, GROUP, identities)?;
        if !identities.principals.add_group(self.account, declared.name.get_ref(), policies) {
            let message = format!("duplicate group '{}': give it another name", declared.name.get_ref());
            return Err(fault_at(&declared.name, message));
        }
        Ok(())
    }

    /// Adds the policies of a user.
    pub(super) fn add_user(&self, declared: &DeclaredUser, identities: &mut Identities) -> Result<(), FaultAt> {
        for group in &declared.groups {
            if !identities.principals.has_group(self.account, group.get_ref()) {
                let message = format!("there is no group '{}': declare it as [[account.group]]", group.get_ref());
                return Err(fault_at(group, message));
            }
        }
        if let Some(group) = declared.groups.get(COUNT_MAX) {
            return Err(fault_at(group, format!("a user can be in {COUNT_MAX} groups at most: remove it from some")));
        }
        let id = declared.principal_id.clone();
        let principal = Principal {
            id: id.unwrap_or_else(|| principal_id("AIDA", self.account, declared.name.get_ref())),
            policies: self.held(&declared.policies, USER, identities)?,
            groups: declared.groups.iter().map(|group| group.get_ref().clone()).collect(),
            boundary: self.boundary(declared.boundary.as_ref(), identities)?,
            tags: declared.tags.clone(),
        };
        self.add(PrincipalKind::User, USER, &declared.name, principal, identities)
    }

    /// Adds the policies of a role; returns whom it trusts, and this as a document.
    pub(super) fn add_role(
        &self,
        declared: &DeclaredRole,
        identities: &mut Identities,
    ) -> Result<(Trusts, String), FaultAt> {
        let id = declared.principal_id.clone();
        let principal = Principal {
            id: id.unwrap_or_else(|| principal_id("AROA", self.account, declared.name.get_ref())),
            policies: self.held(&declared.policies, ROLE, identities)?,
            groups: Vec::new(),
            boundary: self.boundary(declared.boundary.as_ref(), identities)?,
            tags: declared.tags.clone(),
        };
        self.add(PrincipalKind::Role, ROLE, &declared.name, principal, identities)?;
        self.trusts(declared)
    }

    fn add(
        &self,
        kind: PrincipalKind,
        owner: Owner,
        name: &Spanned<String>,
        principal: Principal,
        identities: &mut Identities,
    ) -> Result<(), FaultAt> {
        if identities.principals.add(kind, self.account, name.get_ref(), principal) {
            return Ok(());
        }
        Err(fault_at(name, format!("duplicate {} '{}': give it another name", owner.noun, name.get_ref())))
    }

    fn trusts(&self, declared: &DeclaredRole) -> Result<(Trusts, String), FaultAt> {
        let name = declared.name.get_ref();
        let (document, file) = (&declared.trust_policy, &declared.trust_policy_file);
        let Some(written) = document.as_ref().or(file.as_ref()) else {
            let document = rows::trust_document(declared.trusts.as_deref());
            return Ok((declared.trusts.clone().map_or(Trusts::Everyone, Trusts::Names), document));
        };
        if declared.trusts.is_some() {
            let message = format!("the role '{name}' has trusts and a trust policy: write one of them");
            return Err(fault_at(written, message));
        }
        let of = |text: &Option<Spanned<String>>| text.as_ref().map(|text| text.get_ref().clone());
        let span = written.span();
        let text = self.text(of(document), of(file), name, &span)?;
        let policy = TrustPolicy::parse(&text).map_err(|error| malformed(name, &error, &span))?;
        check_size(name, policy::size(&text), TRUST_SIZE_MAX, &span)?;
        Ok((Trusts::Policy(Arc::new(policy)), text))
    }

    /// Reads the policies of a user, group or role.
    fn held(
        &self,
        declared: &[Spanned<DeclaredHeldPolicy>],
        owner: Owner,
        identities: &mut Identities,
    ) -> Result<HeldPolicies, FaultAt> {
        let mut held = HeldPolicies::default();
        let mut inline_size = 0;
        for policy in declared {
            let inline = match policy.get_ref() {
                DeclaredHeldPolicy::Managed(name) => {
                    held.attached.push(self.managed(name, &policy.span(), identities)?);
                    continue;
                }
                DeclaredHeldPolicy::Inline(inline) => inline,
            };
            let DeclaredInlinePolicy { name, document, file } = inline;
            let span = policy.span();
            if held.inline.iter().any(|other| other.name == *name) {
                return Err(fault_at(policy, format!("duplicate inline policy '{name}': give it another name")));
            }
            let text = self.text(document.clone(), file.clone(), name, &span)?;
            let parsed = Document::parse(&text).map_err(|error| malformed(name, &error, &span))?;
            inline_size += policy::size(&text);
            check_size(name, inline_size, owner.inline_size_max, &span)?;
            held.inline.push(InlinePolicy { name: name.clone(), document: Arc::new(parsed), text });
        }
        if let Some(policy) = declared.last().filter(|_| held.attached.len() > COUNT_MAX) {
            let message = format!("a {} can have {COUNT_MAX} managed policies at most: remove some", owner.noun);
            return Err(fault_at(policy, message));
        }
        Ok(held)
    }

    fn boundary(
        &self,
        declared: Option<&Spanned<String>>,
        identities: &mut Identities,
    ) -> Result<Option<String>, FaultAt> {
        declared.map(|name| self.managed(name.get_ref(), &name.span(), identities)).transpose()
    }

    /// Finds a managed policy of the account or of AWS, by its name or its ARN; returns the ARN.
    fn managed(&self, name: &str, span: &Range<usize>, identities: &mut Identities) -> Result<String, FaultAt> {
        let own = identities.principals.find_own_policy(self.account, name);
        let found = own.or_else(|| identities.principals.find_policy(name));
        found.ok_or_else(|| FaultAt {
            span: span.clone(),
            line_of_document: None,
            message: format!(
                "there is no policy '{name}': write the name or the ARN of a managed policy of AWS that is here, or of an \
                 [[account.policy]]"
            ),
        })
    }

    /// Returns the text of a document that is in the identities file or in a file of its own.
    fn text(
        &self,
        document: Option<String>,
        file: Option<String>,
        name: &str,
        span: &Range<usize>,
    ) -> Result<String, FaultAt> {
        let fault = |message| FaultAt { span: span.clone(), line_of_document: None, message };
        match (document, file) {
            (Some(text), None) => Ok(text),
            (None, Some(file)) => {
                let path = self.folder.join(file);
                let message =
                    |error| format!("cannot read the policy file '{}': {error}; check its path", path.display());
                fs::read_to_string(&path).map_err(|error| fault(message(error)))
            }
            _ => Err(fault(format!("the policy '{name}' needs one document: write it, or the path of its file"))),
        }
    }
}

fn malformed(name: &str, error: &Malformed, span: &Range<usize>) -> FaultAt {
    let (line, column) = (error.position.line, error.position.column);
    let message = format!("the document of '{name}' is malformed in its line {line}, column {column}: {error}");
    FaultAt { span: span.clone(), line_of_document: Some(line), message }
}

fn check_size(name: &str, size: usize, limit: usize, span: &Range<usize>) -> Result<(), FaultAt> {
    if size <= limit {
        return Ok(());
    }
    let message = format!(
        "the policies with '{name}' have {size} characters without blanks, and {limit} are allowed: shorten them"
    );
    Err(FaultAt { span: span.clone(), line_of_document: None, message })
}
