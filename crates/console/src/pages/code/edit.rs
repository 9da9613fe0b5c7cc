//! Forms that create, change and delete a file.

use askama::Template;
use aws::Failure;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::location::Location;
use super::{decode, metadata};
use crate::frame::{Frame, Section};
use crate::reference;
use crate::visit::{self, Page, Visit};
use crate::{reply, text, url};

/// What a form does to its file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    Create,
    Edit,
    Delete,
}

impl Action {
    const fn title(self) -> &'static str {
        match self {
            Self::Create => "Create a file",
            Self::Edit => "Edit a file",
            Self::Delete => "Delete a file",
        }
    }

    const fn page(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Edit => "edit",
            Self::Delete => "delete",
        }
    }
}

#[derive(Template)]
#[template(path = "edit.html")]
struct EditPage<'p> {
    frame: Frame,
    action: Action,
    repository: &'p str,
    draft: Draft,
    failure: Option<Failure>,
}

impl EditPage<'_> {
    fn url(&self) -> String {
        url::repository(self.repository, self.action.page())
    }

    /// Returns the URL of the file as the branch has it now.
    fn current(&self) -> String {
        let path = if self.action == Action::Create { "" } else { &self.draft.original };
        url::repository_with(self.repository, "code", &[("ref", &self.draft.branch), ("path", path)])
    }

    fn is_outdated(&self) -> bool {
        self.failure.as_ref().is_some_and(|failure| failure.error_code() == "ParentCommitIdOutdatedException")
    }

    fn author(&self) -> Authorship<'_> {
        let Draft { name, email, message, .. } = &self.draft;
        Authorship { name, email, message }
    }
}

/// The fields of a commit's author, which several forms have.
#[derive(Template)]
#[template(path = "authorship.html")]
pub(super) struct Authorship<'a> {
    pub(super) name: &'a str,
    pub(super) email: &'a str,
    pub(super) message: &'a str,
}

impl askama::filters::HtmlSafe for Authorship<'_> {}

/// The fields of the form.
#[derive(Default)]
struct Draft {
    branch: String,
    /// The commit that the reader has seen; empty if the repository has none.
    parent: String,
    /// The path before the change.
    original: String,
    path: String,
    content: String,
    /// Whether the lines of the file end with a carriage return and a newline.
    has_returns: bool,
    has_mixed_ends: bool,
    is_executable: bool,
    name: String,
    email: String,
    message: String,
}

#[derive(Deserialize)]
struct BranchReply {
    branch: Branch,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Branch {
    commit_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct FileReply {
    file_mode: String,
    file_content: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ChangeReply {
    commit_id: String,
}

/// Shows the form: `GetRepository` if no branch is given, `GetBranch`, and `GetFile` for a change.
pub(crate) fn show(visit: &Visit<'_>, repository: &str, action: Action) -> Page {
    let location = Location::of(visit, repository);
    let (branch, parent) = tip(visit, &location)?;
    let mut draft =
        Draft { branch, parent, path: location.path.clone(), original: location.path.clone(), ..Draft::default() };
    match action {
        Action::Create if !draft.path.is_empty() => draft.path.push('/'),
        Action::Create | Action::Delete => {}
        Action::Edit => {
            let at_parent = Location { reference: draft.parent.clone(), ..location };
            let file: FileReply = visit.run("GetFile", &at_parent.input("filePath"))?;
            let content = String::from_utf8(decode(&file.file_content)?);
            let Ok(content) = content else { return Ok(not_editable(visit, repository, &at_parent.path)) };
            let (lines, returns) = (content.matches('\n').count(), content.matches("\r\n").count());
            draft.has_returns = returns > 0 && returns * 2 >= lines;
            draft.has_mixed_ends = returns > 0 && returns < lines;
            draft.is_executable = file.file_mode == "EXECUTABLE";
            draft.content = content.replace("\r\n", "\n");
        }
    }
    write(visit, repository, action, draft, None)
}

/// Returns the branch of a location and its tip; of a repository without commits a name for the first branch.
pub(super) fn tip(visit: &Visit<'_>, location: &Location<'_>) -> Result<(String, String), Failure> {
    let repository = location.repository;
    let branch = match location.reference.as_str() {
        "" => match metadata(visit, repository)?.default_branch {
            Some(branch) => branch,
            None => return Ok(("main".to_owned(), String::new())),
        },
        reference => reference::branch(reference).unwrap_or(reference).to_owned(),
    };
    let commit = newest(visit, repository, &branch)?;
    Ok((branch, commit))
}

fn newest(visit: &Visit<'_>, repository: &str, branch: &str) -> Result<String, Failure> {
    let input = json!({ "repositoryName": repository, "branchName": branch });
    Ok(visit.run::<BranchReply>("GetBranch", &input)?.branch.commit_id)
}

fn not_editable(visit: &Visit<'_>, repository: &str, path: &str) -> http::Response<bytes::Bytes> {
    let notice = format!("{path} is not in UTF-8, so it cannot be edited here. Upload a new version instead.");
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let page = url::repository_with(repository, "upload", &[("ref", visit.query.get("ref")), ("path", folder)]);
    reply::done(&page, &notice)
}

/// Makes the change of a sent form: `PutFile`, `DeleteFile`, or `CreateCommit` for a file that is moved. If it fails, the form is shown
/// again with what the reader wrote.
pub(crate) fn save(visit: &Visit<'_>, repository: &str, action: Action) -> Page {
    let form = &visit.form;
    let content = form.raw("content").replace("\r\n", "\n");
    let has_returns = form.has("returns");
    let draft = Draft {
        branch: form.get("branch").to_owned(),
        parent: form.get("parent").to_owned(),
        original: form.raw("original").to_owned(),
        path: form.raw("path").to_owned(),
        content,
        has_returns,
        has_mixed_ends: false,
        is_executable: form.has("executable"),
        name: form.get("name").to_owned(),
        email: form.get("email").to_owned(),
        message: form.raw("message").replace("\r\n", "\n").trim().to_owned(),
    };
    match change(visit, repository, action, &draft) {
        Ok(commit) => {
            let id = text::short_id(&commit);
            let (done, path) = match action {
                Action::Delete => ("deleted", draft.original.rsplit_once('/').map_or("", |(folder, _)| folder)),
                _ => ("saved", draft.path.trim_matches('/')),
            };
            let named = if action == Action::Delete { &draft.original } else { &draft.path };
            // The folder may have gone with its last file.
            let path = if action == Action::Delete { "" } else { path };
            let page = url::repository_with(repository, "code", &[("ref", &draft.branch), ("path", path)]);
            Ok(reply::done(&page, &format!("{named} was {done} in commit {id}.")))
        }
        Err(failure) => write(visit, repository, action, draft, Some(failure)),
    }
}

fn change(visit: &Visit<'_>, repository: &str, action: Action, draft: &Draft) -> Result<String, Failure> {
    let is_on_newest = visit.form.has("newest");
    let parent = if is_on_newest { newest(visit, repository, &draft.branch)? } else { draft.parent.clone() };
    let mut input = json!({ "repositoryName": repository, "branchName": draft.branch });
    let optional = [("parentCommitId", &parent), ("email", &draft.email), ("commitMessage", &draft.message)];
    for (name, value) in optional.into_iter().filter(|(_, value)| !value.is_empty()) {
        input[name] = value.as_str().into();
    }
    let lines = if draft.has_returns { draft.content.replace('\n', "\r\n") } else { draft.content.clone() };
    let (content, mode) = (STANDARD.encode(lines), if draft.is_executable { "EXECUTABLE" } else { "NORMAL" });
    let is_moved = action == Action::Edit && draft.path != draft.original;
    let name_member = if is_moved { "authorName" } else { "name" };
    if !draft.name.is_empty() {
        input[name_member] = draft.name.as_str().into();
    }
    let operation = if action == Action::Delete {
        input["filePath"] = draft.original.as_str().into();
        if visit.form.has("keep-folders") {
            input["keepEmptyFolders"] = true.into();
        }
        "DeleteFile"
    } else if is_moved {
        input["putFiles"] = json!([{ "filePath": draft.path, "fileContent": content, "fileMode": mode }]);
        input["deleteFiles"] = json!([{ "filePath": draft.original }]);
        "CreateCommit"
    } else {
        input["filePath"] = draft.path.as_str().into();
        input["fileContent"] = Value::String(content);
        input["fileMode"] = mode.into();
        "PutFile"
    };
    Ok(visit.run::<ChangeReply>(operation, &input)?.commit_id)
}

fn write(visit: &Visit<'_>, repository: &str, action: Action, draft: Draft, failure: Option<Failure>) -> Page {
    let frame = visit.frame(action.title(), Section::Repositories).of_repository(repository, "code");
    let status = failure.as_ref().map_or(200, visit::status);
    let mut response = visit.page(&EditPage { frame, action, repository, draft, failure })?;
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
    Ok(response)
}
