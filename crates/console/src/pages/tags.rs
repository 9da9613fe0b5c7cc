//! The tags of a repository.

use askama::Template;

use crate::commit::{self, Commit};
use crate::frame::{Frame, Section};
use crate::reference::{self, ReferenceListing, TAGS};
use crate::visit::{Page, Visit};

#[derive(Template)]
#[template(path = "tags.html")]
struct TagsPage<'p> {
    frame: Frame,
    repository: &'p str,
    searched: &'p str,
    rows: Vec<TagRow>,
    next: Option<String>,
}

struct TagRow {
    name: String,
    is_annotated: bool,
    object_id: String,
    /// The id of the tagged object, which is a commit with few exceptions.
    target_id: String,
    commit: Option<Commit>,
}

/// Shows the tags.
pub(crate) fn list(visit: &Visit<'_>, repository: &str) -> Page {
    let ReferenceListing { references, next } = reference::list(visit, repository, TAGS, "tags")?;
    let commits = commit::batch(visit, repository, references.iter().map(reference::Reference::commit_id))?;
    let row = |reference: reference::Reference| {
        let target_id = reference.commit_id().to_owned();
        TagRow {
            commit: commits.get(&target_id).cloned(),
            is_annotated: reference.peeled_object_id.is_some(),
            name: reference.name,
            object_id: reference.object_id,
            target_id,
        }
    };
    let rows = references.into_iter().map(row).collect();
    let frame = visit.frame(format!("Tags of {repository}"), Section::Repositories).of_repository(repository, "tags");
    visit.page(&TagsPage { frame, repository, searched: visit.query.get("q"), rows, next })
}
