//! Code: folders and files of a commit.

pub(crate) mod edit;
mod file;
mod folder;
pub(crate) mod large;
mod location;
pub(crate) mod raw;
pub(crate) mod upload;

use aws::Failure;
use serde::Deserialize;
use serde_json::json;

use self::location::Location;
use crate::visit::{Page, Visit};

/// An object of a commit.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ObjectReply {
    commit_id: String,
    object_id: String,
    object_type: String,
    #[serde(default)]
    mode: String,
}

/// Content in base64, as operations answer with it.
fn decode(content: &str) -> Result<Vec<u8>, Failure> {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.decode(content).map_err(|error| {
        tracing::error!(%error, "cannot decode the content of a file");
        Failure::internal()
    })
}

/// Shows a folder or a file: the parameters are `ref` and `path`. Below the root, `GetObjectIdentifier` says which of both it is.
pub(crate) fn show(visit: &Visit<'_>, repository: &str) -> Page {
    let location = Location::of(visit, repository);
    if location.path.is_empty() {
        return folder::show(visit, &location);
    }
    let input = location.input("path");
    let object: ObjectReply = visit.run("GetObjectIdentifier", &input)?;
    if object.object_type == "tree" { folder::show(visit, &location) } else { file::show(visit, &location, &object) }
}

/// Clone URLs and default branch of a repository.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    default_branch: Option<String>,
    #[serde(default)]
    clone_url_http: String,
    #[serde(default)]
    clone_url_ssh: String,
    #[serde(default)]
    repository_description: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RepositoryReply {
    repository_metadata: Metadata,
}

/// Reads a repository by `GetRepository`.
fn metadata(visit: &Visit<'_>, repository: &str) -> Result<Metadata, Failure> {
    let reply: RepositoryReply = visit.run("GetRepository", &json!({ "repositoryName": repository }))?;
    Ok(reply.repository_metadata)
}
