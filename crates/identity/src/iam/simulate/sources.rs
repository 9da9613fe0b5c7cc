//! The policies of a simulation, with their names.

use std::sync::Arc;

use aws::GlobalArn;
use policy::Document;

use super::exclusions::{self, Exclusion};
use crate::iam::call::IamCall;
use crate::iam::entity::Entity;
use crate::iam::policies::Policy;
use crate::iam::{IamError, attachments, groups, inline_policies, policy_versions};
use crate::tables::HolderKind;
use crate::{Exception, ManagedPolicy};

/// A policy of a simulation.
pub(super) struct Source {
    /// The name in `SourcePolicyId`.
    pub(super) id: String,
    pub(super) document: Arc<Document>,
}

/// All policies of a simulation.
#[derive(Default)]
pub(super) struct Sources {
    pub(super) identity: Vec<Source>,
    /// Those of the permissions boundary, if there is one.
    pub(super) boundary: Option<Vec<Source>>,
    /// The service control policies of each level of an organization.
    pub(super) levels: Vec<Vec<Source>>,
    /// The user or role whose policies are simulated.
    pub(super) principal: Option<Entity>,
}

impl Sources {
    /// Collects the policies of a user with its groups, of a group or of a role, without excluded ones.
    pub(super) fn of_principal(iam: &IamCall<'_>, arn: &str, excluded: &[Exclusion]) -> Result<Self, Exception> {
        let entity = find(iam, arn)?;
        let mut sources = Self::default();
        sources.add_held(iam, &entity, excluded)?;
        if entity.kind == HolderKind::User {
            for group in groups::groups_of(iam, &entity)? {
                sources.add_held(iam, &group, excluded)?;
            }
        }
        let boundary = entity.boundary.as_ref();
        if let Some(arn) = boundary.filter(|_| !exclusions::has_type(excluded, "permission-boundary")) {
            sources.boundary = Some(managed(iam, arn)?.into_iter().collect());
        }
        sources.principal = Some(entity);
        Ok(sources)
    }

    fn add_held(&mut self, iam: &IamCall<'_>, entity: &Entity, excluded: &[Exclusion]) -> Result<(), Exception> {
        let Entity { kind, name, .. } = entity;
        for inline in inline_policies::all(iam, entity)? {
            if !exclusions::has_inline(excluded, *kind, name, &inline.name) {
                let id = format!("{}_{name}_{}", kind.as_str(), inline.name);
                self.identity.push(Source { id, document: parse(&inline.document)? });
            }
        }
        for arn in attachments::attached(iam, entity)? {
            let is_of_aws = ManagedPolicy::find(&arn).is_some();
            if !exclusions::has_managed(excluded, &iam.shown_arn(&arn), is_of_aws) {
                self.identity.extend(managed(iam, &arn)?);
            }
        }
        Ok(())
    }

    /// Adds the policies of an input.
    pub(super) fn add_inputs(&mut self, list: &str, documents: &[String]) -> Result<(), Exception> {
        self.identity.extend(parse_inputs(list, documents)?);
        Ok(())
    }
}

/// Parses the policies of an input; they are named by their position.
pub(super) fn parse_inputs(list: &str, documents: &[String]) -> Result<Vec<Source>, Exception> {
    let source =
        |(index, text): (usize, &String)| Ok(Source { id: format!("{list}.{}", index + 1), document: parse(text)? });
    documents.iter().enumerate().map(source).collect()
}

fn parse(text: &str) -> Result<Arc<Document>, Exception> {
    Document::parse(text).map(Arc::new).map_err(|error| IamError::invalid_input(error.to_string()))
}

/// Returns the default version of a managed policy; one that is not here allows nothing.
fn managed(iam: &IamCall<'_>, arn: &str) -> Result<Option<Source>, Exception> {
    let Some(policy) = Policy::find(iam, arn)? else { return Ok(None) };
    let Some(text) = policy_versions::default_document(iam, &policy)? else { return Ok(None) };
    Ok(Some(Source { id: policy.name, document: parse(&text)? }))
}

/// Finds the user, group or role of an ARN.
fn find(iam: &IamCall<'_>, arn: &str) -> Result<Entity, Exception> {
    let invalid = || IamError::invalid_input(format!("ARN {arn} is not valid."));
    let parsed = GlobalArn::parse(&iam.stored_arn(arn)).filter(|parsed| parsed.service == "iam").ok_or_else(invalid)?;
    let (kind, path) = parsed.resource.split_once('/').ok_or_else(invalid)?;
    let kind = HolderKind::parse(kind).map_err(|_| invalid())?;
    let name = path.rsplit('/').next().unwrap_or_default();
    let found = if parsed.account.as_ref() == Some(iam.account()) { iam.find(kind, name)? } else { None };
    let found = found.filter(|entity| entity.arn(iam) == arn);
    let missing = || IamError::no_such_entity(format!("The {} with name {name} cannot be found.", kind.as_str()));
    found.ok_or_else(missing)
}
