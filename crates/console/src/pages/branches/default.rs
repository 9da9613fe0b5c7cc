//! The choice of the default branch.

use serde_json::{Value, json};

use crate::visit::{Page, Visit};
use crate::{reply, url};

/// Makes a branch the default branch.
pub(crate) fn make_default(visit: &Visit<'_>, repository: &str) -> Page {
    let branch = visit.form.raw("branch");
    let input = json!({ "repositoryName": repository, "defaultBranchName": branch });
    match visit.run::<Value>("UpdateDefaultBranch", &input) {
        Ok(_) => {
            let notice = format!("{branch} is the default branch now.");
            Ok(reply::done(&url::repository(repository, "branches"), &notice))
        }
        Err(failure) => super::show(visit, repository, Some(failure)),
    }
}
