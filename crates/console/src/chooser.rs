//! The chooser of a branch or tag: a form, and what its choice is.

use askama::Template;
use askama::filters::HtmlSafe;
use aws::Failure;
use serde::Deserialize;
use serde_json::json;

use crate::visit::Visit;
use crate::{text, url};

/// References of the chooser; others can be written.
const REFERENCES: usize = 1_000;

/// A form with the branches and tags of a repository.
#[derive(Template)]
#[template(path = "chooser.html")]
pub(crate) struct Chooser {
    /// The URL of the page without parameters.
    action: String,
    /// The path of the shown file or folder, which stays.
    path: String,
    branches: Vec<Choice>,
    tags: Vec<Choice>,
    /// The shown commit, if it is not the tip of one of the references.
    other: Option<String>,
    is_complete: bool,
}

impl HtmlSafe for Chooser {}

struct Choice {
    full_name: String,
    name: String,
    is_current: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ReferencesReply {
    references: Vec<ReferenceReply>,
    next_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ReferenceReply {
    reference_full_name: String,
}

impl Chooser {
    /// Reads the references by `GetReferences`. `current` is the shown one: a branch, tag, full name or commit id; empty for the default branch.
    pub(crate) fn load(visit: &Visit<'_>, repository: &str, page: &str, current: &str) -> Result<Self, Failure> {
        let input = json!({ "repositoryName": repository, "maxResults": REFERENCES });
        let reply: ReferencesReply = visit.run("GetReferences", &input)?;
        let names: Vec<String> = reply.references.into_iter().map(|reference| reference.reference_full_name).collect();
        // A branch takes precedence over a tag of the same name, as in all operations.
        let candidates = [current.to_owned(), format!("refs/heads/{current}"), format!("refs/tags/{current}")];
        let found = candidates.into_iter().find(|candidate| names.contains(candidate));
        let choices = |prefix: &str| {
            let of_kind = names.iter().filter(|name| name.starts_with(prefix));
            let choice = |name: &String| Choice {
                full_name: name.clone(),
                name: text::short_reference(name).to_owned(),
                is_current: found.as_ref() == Some(name),
            };
            of_kind.map(choice).collect()
        };
        Ok(Self {
            action: url::repository(repository, page),
            path: visit.query.raw("path").to_owned(),
            branches: choices("refs/heads/"),
            tags: choices("refs/tags/"),
            other: found.is_none().then(|| current.to_owned()),
            is_complete: reply.next_token.is_none(),
        })
    }
}
