//! The form that uploads files, all in one commit.

use askama::Template;
use aws::Failure;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::edit::{Authorship, tip};
use super::location::Location;
use crate::frame::{Frame, Section};
use crate::visit::{self, Page, Visit};
use crate::{reply, text, url};

#[derive(Template)]
#[template(path = "upload.html")]
struct UploadPage<'p> {
    frame: Frame,
    repository: &'p str,
    branch: String,
    parent: String,
    folder: String,
    name: String,
    email: String,
    message: String,
    failure: Option<Failure>,
}

impl UploadPage<'_> {
    fn author(&self) -> Authorship<'_> {
        Authorship { name: &self.name, email: &self.email, message: &self.message }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CommitReply {
    commit_id: String,
}

/// Shows the form: `GetRepository` if no branch is given, and `GetBranch`.
pub(crate) fn show(visit: &Visit<'_>, repository: &str) -> Page {
    let location = Location::of(visit, repository);
    let (branch, parent) = tip(visit, &location)?;
    let (name, email, message) = (String::new(), String::new(), String::new());
    let frame = frame(visit, repository);
    visit.page(&UploadPage {
        frame,
        repository,
        branch,
        parent,
        folder: location.path,
        name,
        email,
        message,
        failure: None,
    })
}

/// Commits the sent files by `CreateCommit`. Browsers do not send files twice, so after a failure they must be chosen again.
pub(crate) fn save(visit: &Visit<'_>, repository: &str) -> Page {
    let form = &visit.form;
    let folder = form.get("folder").trim_matches('/');
    let files = form.files().iter().filter(|file| !file.name.is_empty());
    let files: Vec<Value> = files
        .map(|file| {
            // Some browsers send the path of a file in a chosen folder.
            let name = file.name.replace('\\', "/");
            let path = if folder.is_empty() { name } else { format!("{folder}/{name}") };
            json!({ "filePath": path, "fileContent": STANDARD.encode(&file.content) })
        })
        .collect();
    let count = files.len();
    let mut input = json!({ "repositoryName": repository, "branchName": form.get("branch"), "putFiles": files });
    let optional =
        [("parentCommitId", "parent"), ("authorName", "name"), ("email", "email"), ("commitMessage", "message")];
    for (member, field) in optional {
        if let Some(value) = form.optional(field) {
            input[member] = value.replace("\r\n", "\n").into();
        }
    }
    match visit.run::<CommitReply>("CreateCommit", &input) {
        Ok(commit) => {
            let page = url::repository_with(repository, "code", &[("ref", form.get("branch")), ("path", folder)]);
            let files = if count == 1 { "file was" } else { "files were" };
            Ok(reply::done(
                &page,
                &format!("{count} {files} uploaded in commit {}.", text::short_id(&commit.commit_id)),
            ))
        }
        Err(failure) => {
            let status = visit::status(&failure);
            let mut response = visit.page(&UploadPage {
                frame: frame(visit, repository),
                repository,
                branch: form.get("branch").to_owned(),
                parent: form.get("parent").to_owned(),
                folder: folder.to_owned(),
                name: form.get("name").to_owned(),
                email: form.get("email").to_owned(),
                message: form.get("message").to_owned(),
                failure: Some(failure),
            })?;
            *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
            Ok(response)
        }
    }
}

fn frame(visit: &Visit<'_>, repository: &str) -> Frame {
    visit.frame("Upload files", Section::Repositories).of_repository(repository, "code")
}
