//! The pages of one pull request, with one head.

mod activity;
mod approvals;
mod changes;
mod commits;
mod conflicts;
mod details;
mod edit;
mod merge;
mod resolution;
mod rules;

use aws::Failure;

pub(crate) use self::activity::activity;
pub(crate) use self::approvals::{approvals, approve, override_rules};
pub(crate) use self::changes::changes;
pub(crate) use self::commits::{SourceCommits, commits};
pub(crate) use self::details::{close, details};
pub(crate) use self::edit::{edit, form};
pub(crate) use self::merge::{MergeOptions, merge, preview};
pub(crate) use self::rules::{create as create_rule, delete as delete_rule, form as rule_form, update as update_rule};
use crate::frame::{Frame, MenuEntry, Section};
use crate::pull_request::{self, PullRequest};
use crate::visit::Visit;

/// The tabs: label and page.
const TABS: [(&str, &str); 5] = [
    ("Details", ""),
    ("Activity", "activity"),
    ("Changes", "changes"),
    ("Commits", "commits"),
    ("Approvals", "approvals"),
];

/// What all pages of a pull request show.
pub(crate) struct PullRequestHead {
    pub(crate) pull_request: PullRequest,
    tab: &'static str,
    /// Whether the reader created it, who then cannot approve it.
    pub(crate) is_mine: bool,
}

impl PullRequestHead {
    /// Reads a pull request for one of its pages.
    pub(crate) fn read(visit: &Visit<'_>, id: &str, tab: &'static str) -> Result<Self, Failure> {
        let pull_request = pull_request::get(visit, id)?;
        let is_mine = pull_request.author_arn == visit.reader.caller.arn;
        Ok(Self { pull_request, tab, is_mine })
    }

    /// Creates the frame of a page, with the tabs of the repository that the pull request is in.
    pub(crate) fn frame(&self, visit: &Visit<'_>) -> Frame {
        let PullRequest { id, title, .. } = &self.pull_request;
        let frame = visit.frame(format!("{id}: {title}"), Section::Repositories);
        frame.of_repository(self.repository(), "pull-requests")
    }

    /// Returns the name of the repository.
    pub(crate) fn repository(&self) -> &str {
        &self.pull_request.target().repository
    }

    /// Returns the tabs.
    pub(crate) fn tabs(&self) -> Vec<MenuEntry> {
        let entry = |(label, page)| MenuEntry {
            label,
            url: self.pull_request.url(page),
            is_current: page == self.tab,
            keys: "",
        };
        TABS.into_iter().map(entry).collect()
    }
}
