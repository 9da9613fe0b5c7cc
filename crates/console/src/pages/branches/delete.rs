//! The deletion of a branch, after its name was typed.

use askama::Template;
use aws::Failure;
use serde::Deserialize;
use serde_json::{Value, json};

use super::default_branch;
use super::divergence::Divergence;
use crate::commit::{self, Commit};
use crate::form::Form;
use crate::frame::{Frame, Section};
use crate::reference::BRANCHES;
use crate::visit::{Page, Visit};
use crate::{reply, url};

#[derive(Template)]
#[template(path = "branch_delete.html")]
struct DeletePage<'p> {
    frame: Frame,
    repository: &'p str,
    branch: &'p str,
    commit_id: String,
    commit: Option<Commit>,
    default_branch: Option<String>,
    divergence: Option<Divergence>,
    failure: Option<Failure>,
    form: &'p Form,
}

/// Shows what a deletion would remove, and asks for the branch's name.
pub(crate) fn confirm(visit: &Visit<'_>, repository: &str) -> Page {
    show(visit, repository, visit.query.raw("branch"), None)
}

/// Deletes a branch whose name was typed.
pub(crate) fn delete(visit: &Visit<'_>, repository: &str) -> Page {
    let branch = visit.form.raw("branch");
    if visit.form.raw("typed") != branch {
        let failure = Failure::client("", "The typed name is not the name of the branch.");
        return show(visit, repository, branch, Some(failure));
    }
    match visit.run::<Value>("DeleteBranch", &json!({ "repositoryName": repository, "branchName": branch })) {
        Ok(_) => {
            let notice = format!("The branch {branch} was deleted.");
            Ok(reply::done(&url::repository(repository, "branches"), &notice))
        }
        Err(failure) => show(visit, repository, branch, Some(failure)),
    }
}

fn show(visit: &Visit<'_>, repository: &str, branch: &str, failure: Option<Failure>) -> Page {
    #[derive(Deserialize)]
    struct Reply {
        branch: Tip,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Tip {
        commit_id: String,
    }
    let input = json!({ "repositoryName": repository, "branchName": branch });
    let Reply { branch: Tip { commit_id } } = visit.run("GetBranch", &input)?;
    let commit = commit::batch(visit, repository, [commit_id.as_str()])?.remove(&commit_id);
    let default_branch = default_branch(visit, repository)?;
    let compared = default_branch.as_deref().filter(|name| *name != branch);
    let full_name = format!("{BRANCHES}{branch}");
    let divergence = compared.and_then(|base| Divergence::read(visit, repository, &full_name, base).ok());
    let frame =
        visit.frame(format!("Delete the branch {branch}"), Section::Repositories).of_repository(repository, "branches");
    let form = &visit.form;
    let page = DeletePage { frame, repository, branch, commit_id, commit, default_branch, divergence, failure, form };
    visit.form_page(&page, page.failure.as_ref())
}
