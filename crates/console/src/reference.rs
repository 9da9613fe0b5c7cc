//! Branches and tags as replies show them, and pages of them.

use aws::Failure;
use serde::Deserialize;
use serde_json::json;

use crate::visit::Visit;
use crate::{text, url};

/// Beginning of the full names of branches.
pub(crate) const BRANCHES: &str = "refs/heads/";
/// Beginning of the full names of tags.
pub(crate) const TAGS: &str = "refs/tags/";

/// Branches or tags of a page.
const PAGE_SIZE: usize = 25;
/// References that one call returns during a search, which is the most that it can.
const SEARCH_SIZE: usize = 1_000;
/// Names that a form suggests.
const SUGGESTIONS_MAX: usize = 200;

/// A branch or tag.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Reference {
    #[serde(rename = "referenceFullName")]
    pub(crate) full_name: String,
    /// The name without `refs/heads/` or `refs/tags/`.
    #[serde(rename = "referenceName")]
    pub(crate) name: String,
    #[serde(rename = "objectId")]
    pub(crate) object_id: String,
    /// What an annotated tag points to.
    #[serde(rename = "peeledObjectId")]
    pub(crate) peeled_object_id: Option<String>,
}

impl Reference {
    /// Returns the id of the commit, if it points to one.
    pub(crate) fn commit_id(&self) -> &str {
        self.peeled_object_id.as_deref().unwrap_or(&self.object_id)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Reply {
    references: Vec<Reference>,
    next_token: Option<String>,
}

/// A page of branches or tags.
pub(crate) struct ReferenceListing {
    pub(crate) references: Vec<Reference>,
    /// The URL of the next page.
    pub(crate) next: Option<String>,
}

/// Lists the references below a prefix whose short names contain the parameter `q`.
///
/// The next page begins at a token and, during a search, after a number of references that the token's reply has.
pub(crate) fn list(visit: &Visit<'_>, repository: &str, prefix: &str, page: &str) -> Result<ReferenceListing, Failure> {
    let searched = visit.query.get("q");
    let lower = searched.to_lowercase();
    let size = if lower.is_empty() { PAGE_SIZE } else { SEARCH_SIZE };
    let mut token = visit.query.optional("token").map(str::to_owned);
    let mut skipped: usize = visit.query.get("skip").parse().unwrap_or(0);
    let mut references = Vec::new();
    let next = |token: Option<&str>, skipped: usize| {
        let skipped = if skipped == 0 { String::new() } else { skipped.to_string() };
        let token = token.unwrap_or_default();
        Some(url::repository_with(repository, page, &[("q", searched), ("token", token), ("skip", &skipped)]))
    };
    loop {
        let reply = read(visit, repository, prefix, size, token.as_deref())?;
        for (index, reference) in reply.references.into_iter().enumerate().skip(skipped) {
            if !reference.name.to_lowercase().contains(&lower) {
                continue;
            }
            if references.len() == PAGE_SIZE {
                return Ok(ReferenceListing { references, next: next(token.as_deref(), index) });
            }
            references.push(reference);
        }
        skipped = 0;
        token = reply.next_token;
        match &token {
            None => return Ok(ReferenceListing { references, next: None }),
            Some(token) if references.len() == PAGE_SIZE => {
                return Ok(ReferenceListing { references, next: next(Some(token), 0) });
            }
            Some(_) => {}
        }
    }
}

/// Returns the short names of branches and tags, for suggestions of a form.
pub(crate) fn suggestions(visit: &Visit<'_>, repository: &str, prefix: &str) -> Result<Vec<String>, Failure> {
    let reply = read(visit, repository, prefix, SUGGESTIONS_MAX, None)?;
    Ok(reply.references.iter().map(|reference| text::short_reference(&reference.full_name).to_owned()).collect())
}

fn read(visit: &Visit<'_>, repository: &str, prefix: &str, size: usize, token: Option<&str>) -> Result<Reply, Failure> {
    let mut input = json!({ "repositoryName": repository, "maxResults": size });
    if !prefix.is_empty() {
        input["referencePrefix"] = prefix.into();
    }
    if let Some(token) = token {
        input["nextToken"] = token.into();
    }
    visit.run("GetReferences", &input)
}

/// Returns the name of a branch, if a page shows the tip of one: a name that begins with `refs/tags/` or an id is none.
pub(crate) fn branch(current: &str) -> Option<&str> {
    let is_id = current.len() == 40 && current.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_id {
        return None;
    }
    current.strip_prefix("refs/heads/").or_else(|| (!current.starts_with("refs/")).then_some(current))
}
