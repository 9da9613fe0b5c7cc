//! The branches of a repository, with what the default branch does not have of each.

mod default;
mod delete;
mod divergence;

use askama::Template;
use aws::Failure;
use serde::Deserialize;
use serde_json::{Value, json};

pub(crate) use self::default::make_default;
pub(crate) use self::delete::{confirm, delete};
use self::divergence::Divergence;
use crate::commit::{self, Commit};
use crate::form::Form;
use crate::frame::{Frame, Section};
use crate::reference::{self, BRANCHES, ReferenceListing};
use crate::visit::{Page, Visit};
use crate::{reply, url};

#[derive(Template)]
#[template(path = "branches.html")]
struct BranchesPage<'p> {
    frame: Frame,
    repository: &'p str,
    searched: &'p str,
    default_branch: Option<String>,
    rows: Vec<BranchRow>,
    next: Option<String>,
    /// Why the numbers ahead and behind are missing.
    not_compared: Option<Failure>,
    /// Why the form failed.
    failure: Option<Failure>,
    form: &'p Form,
}

struct BranchRow {
    name: String,
    commit_id: String,
    commit: Option<Commit>,
    is_default: bool,
    divergence: Option<Divergence>,
    /// Lengths of the bars of behind and ahead.
    bars: [u64; 2],
}

/// Shows the branches.
pub(crate) fn list(visit: &Visit<'_>, repository: &str) -> Page {
    show(visit, repository, None)
}

/// Creates a branch at a branch, a tag or a commit.
pub(crate) fn create(visit: &Visit<'_>, repository: &str) -> Page {
    match try_create(visit, repository) {
        Ok(()) => {
            let notice = format!("The branch {} was created.", visit.form.get("name"));
            Ok(reply::done(&url::repository(repository, "branches"), &notice))
        }
        Err(failure) => show(visit, repository, Some(failure)),
    }
}

fn try_create(visit: &Visit<'_>, repository: &str) -> Result<(), Failure> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Identifier {
        commit_id: String,
    }
    let start = json!({ "repositoryName": repository, "commitSpecifier": visit.form.get("from") });
    let Identifier { commit_id } = visit.run("GetObjectIdentifier", &start)?;
    let input = json!({ "repositoryName": repository, "branchName": visit.form.get("name"), "commitId": commit_id });
    visit.run::<Value>("CreateBranch", &input)?;
    Ok(())
}

/// Shows the branches; a form that failed keeps what was typed.
fn show(visit: &Visit<'_>, repository: &str, failure: Option<Failure>) -> Page {
    let default_branch = default_branch(visit, repository)?;
    let ReferenceListing { references, next } = reference::list(visit, repository, BRANCHES, "branches")?;
    let commits = commit::batch(visit, repository, references.iter().map(|reference| reference.object_id.as_str()))?;
    let mut not_compared = None;
    let mut rows: Vec<BranchRow> = references
        .into_iter()
        .map(|reference| {
            let is_default = default_branch.as_ref() == Some(&reference.name);
            let compared = default_branch.as_deref().filter(|_| !is_default && not_compared.is_none());
            let divergence = compared.map(|base| Divergence::read(visit, repository, &reference.full_name, base));
            let divergence = divergence.and_then(|result| result.map_err(|failure| not_compared = Some(failure)).ok());
            BranchRow {
                commit: commits.get(&reference.object_id).cloned(),
                name: reference.name,
                commit_id: reference.object_id,
                is_default,
                divergence,
                bars: [0; 2],
            }
        })
        .collect();
    let scale = rows.iter().filter_map(|row| row.divergence).map(Divergence::largest).max().unwrap_or(0);
    for row in &mut rows {
        row.bars = row.divergence.map_or([0; 2], |divergence| divergence.bars(scale));
    }
    let frame =
        visit.frame(format!("Branches of {repository}"), Section::Repositories).of_repository(repository, "branches");
    let page = BranchesPage {
        frame,
        repository,
        searched: visit.query.get("q"),
        default_branch,
        rows,
        next,
        not_compared,
        failure,
        form: &visit.form,
    };
    visit.form_page(&page, page.failure.as_ref())
}

/// Returns the name of the default branch, which an empty repository does not have.
fn default_branch(visit: &Visit<'_>, repository: &str) -> Result<Option<String>, Failure> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Reply {
        repository_metadata: Metadata,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Metadata {
        default_branch: Option<String>,
    }
    let reply: Reply = visit.run("GetRepository", &json!({ "repositoryName": repository }))?;
    Ok(reply.repository_metadata.default_branch)
}
