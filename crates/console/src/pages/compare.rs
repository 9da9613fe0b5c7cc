//! Comparison of two commits: commits between them, differences, and whether they can be merged.

use askama::Template;
use aws::Failure;

use crate::comparison::Comparison;
use crate::differences::Differences;
use crate::frame::{Frame, Section};
use crate::pages::pull_request::{MergeOptions, SourceCommits};
use crate::reference;
use crate::visit::{Page, Visit};
use crate::{text, url};

#[derive(Template)]
#[template(path = "compare.html")]
struct ComparePage<'p> {
    frame: Frame,
    repository: &'p str,
    before: &'p str,
    after: &'p str,
    suggestions: Vec<String>,
    compared: Option<Compared>,
    /// Why the commits cannot be compared.
    failure: Option<Failure>,
}

/// What a comparison shows.
struct Compared {
    found: SourceCommits,
    next: Option<String>,
    differences: Differences,
    options: Result<MergeOptions, Failure>,
}

/// Compares the parameters `before` and `after`, which are branches, tags or commit ids.
pub(crate) fn compare(visit: &Visit<'_>, repository: &str) -> Page {
    let (before, after) = (visit.query.get("before"), visit.query.get("after"));
    let suggestions = reference::suggestions(visit, repository, "")?;
    let (mut compared, mut failure) = (None, None);
    if !before.is_empty() && !after.is_empty() {
        match Compared::read(visit, &Comparison { repository, before, after }) {
            Ok(found) => compared = Some(found),
            Err(error) => failure = Some(error),
        }
    }
    let title =
        if before.is_empty() || after.is_empty() { "Compare".to_owned() } else { format!("{before} and {after}") };
    let frame = visit.frame(title, Section::Repositories).of_repository(repository, "compare");
    let page = ComparePage { frame, repository, before, after, suggestions, compared, failure };
    visit.form_page(&page, page.failure.as_ref())
}

impl Compared {
    fn read(visit: &Visit<'_>, comparison: &Comparison<'_>) -> Result<Self, Failure> {
        let Comparison { repository, before, after } = *comparison;
        let found = SourceCommits::read(visit, repository, after, before)?;
        let next = found.next(visit);
        let differences = Differences::load(visit, comparison, None)?;
        let options = MergeOptions::of_commits(visit, repository, after, before);
        Ok(Self { found, next, differences, options })
    }
}
