//! References and objects: the permission-only actions `GetReferences` and `GetObjectIdentifier`, whose shapes are ours.

use std::sync::Arc;

use aws::Call;
use serde::{Deserialize, Serialize};

use crate::name::RepositoryName;
use crate::page::{Page, Sizes};
use crate::path::Path;
use crate::specifier::Specifier;
use crate::tree::{self, ObjectType};
use crate::{CodeCommit, Exception};

const SIZES: Sizes = Sizes { operation: "GetReferences", default: 100, max: 1_000 };

/// Input of `GetObjectIdentifier`.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct GetObjectIdentifierInput {
    repository_name: Option<String>,
    commit_specifier: Option<String>,
    path: Option<String>,
}

/// Output of `GetObjectIdentifier`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct GetObjectIdentifierOutput {
    commit_id: String,
    object_id: String,
    object_type: ObjectType,
    #[serde(skip_serializing_if = "Option::is_none")]
    mode: Option<&'static str>,
}

/// Input of `GetReferences`.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct GetReferencesInput {
    repository_name: Option<String>,
    reference_prefix: Option<String>,
    max_results: Option<i32>,
    next_token: Option<String>,
}

/// Page of references.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct GetReferencesOutput {
    references: Vec<Reference>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Reference {
    #[serde(rename = "referenceFullName")]
    full_name: String,
    #[serde(rename = "referenceName")]
    name: String,
    #[serde(rename = "referenceType", skip_serializing_if = "Option::is_none")]
    kind: Option<&'static str>,
    object_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    peeled_object_id: Option<String>,
}

/// Returns the id and type of a commit, or of the object at a path in it.
pub(crate) fn get_object_identifier(
    service: &CodeCommit,
    call: &Arc<Call>,
    input: GetObjectIdentifierInput,
) -> Result<GetObjectIdentifierOutput, Exception> {
    let name = RepositoryName::parse(input.repository_name)?;
    let specifier = Specifier::parse_or_head(input.commit_specifier)?;
    let path = input.path.map(|path| Path::folder(Some(path))).transpose()?;
    let repository = service.find(call, &name)?;
    let mut reader = service.objects(call, &repository)?.reader();
    let commit = specifier.resolve(&*service.references(&repository)?, &mut reader)?;
    let (id, object_type, mode) = match path {
        None => (commit, ObjectType::Commit, None),
        Some(None) => (reader.commit(&commit)?.tree, ObjectType::Tree, None),
        Some(Some(path)) => {
            let tree = reader.commit(&commit)?.tree;
            let entry = reader.entry(&tree, path.as_bytes())?;
            let entry = entry.ok_or_else(|| Exception::PathDoesNotExist { path: path.to_string() })?;
            (entry.id, tree::type_of(entry.mode), Some(entry.mode.octal()))
        }
    };
    Ok(GetObjectIdentifierOutput { commit_id: commit.to_string(), object_id: id.to_string(), object_type, mode })
}

/// Lists the references whose full names begin with a prefix, in the order of their names.
pub(crate) fn get_references(
    service: &CodeCommit,
    call: &Arc<Call>,
    input: GetReferencesInput,
) -> Result<GetReferencesOutput, Exception> {
    let name = RepositoryName::parse(input.repository_name)?;
    let repository = service.find(call, &name)?;
    let prefix = input.reference_prefix.unwrap_or_default();
    let scope = [repository.id.as_str(), &prefix];
    let page = Page::parse(SIZES, &service.settings, &scope, input.next_token, input.max_results)?;
    let snapshot = service.references(&repository)?;
    let sorted = &snapshot.references;
    let start = match &page.after {
        Some(last) => sorted.partition_point(|reference| reference.name.as_slice() <= last.as_slice()),
        None => sorted.partition_point(|reference| reference.name.as_slice() < prefix.as_bytes()),
    };
    let matching = sorted[start..].iter().take_while(|reference| reference.name.starts_with(prefix.as_bytes()));
    let mut listed: Vec<_> = matching.take(page.size + 1).collect();
    let next_token = page.cut(&mut listed, |last| last.name.to_vec());
    Ok(GetReferencesOutput { references: listed.into_iter().map(show).collect(), next_token })
}

fn show(reference: &git::Reference) -> Reference {
    let full = reference.name.to_string();
    let kinds = [("refs/heads/", "branch"), ("refs/tags/", "tag")];
    let known = kinds.iter().find_map(|(folder, kind)| Some((full.strip_prefix(folder)?.to_owned(), *kind)));
    let (short, kind) = known.map_or_else(|| (full.clone(), None), |(short, kind)| (short, Some(kind)));
    Reference {
        full_name: full,
        name: short,
        kind,
        object_id: reference.target.to_string(),
        peeled_object_id: reference.peeled.map(|id| id.to_string()),
    }
}
