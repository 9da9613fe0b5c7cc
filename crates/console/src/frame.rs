//! The frame of all pages: title, menus, the reader, and the reader's choices.

use aws::Region;
use http::HeaderMap;

use crate::visit::{self, Visit};
use crate::{cookie, url};

/// The part of the console that a page belongs to; the menu marks it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Section {
    Repositories,
    PullRequests,
    Templates,
    Events,
    Trails,
    Live,
    Timeline,
    Pushes,
    People,
    None,
}

/// An entry of a menu.
#[derive(Clone, Debug)]
pub(crate) struct MenuEntry {
    pub(crate) label: &'static str,
    pub(crate) url: String,
    pub(crate) is_current: bool,
    /// The keys that follow it, such as `g r`; empty if there are none.
    pub(crate) keys: &'static str,
}

/// The data of the frame.
#[derive(Clone, Debug)]
pub(crate) struct Frame {
    pub(crate) title: String,
    section: Section,
    pub(crate) user: String,
    /// The name of the role to which the reader has switched.
    pub(crate) role: Option<String>,
    pub(crate) account: String,
    pub(crate) region: String,
    /// `dark`, `light`, or empty for the scheme of the system.
    pub(crate) scheme: &'static str,
    /// The token of the reader's forms.
    pub(crate) csrf: String,
    /// The path and query of this page, to which the forms of the frame return.
    pub(crate) here: String,
    /// What the previous page did.
    pub(crate) notice: String,
    /// The repository that the page shows, and the name of its tab.
    pub(crate) repository: Option<(String, &'static str)>,
}

/// The tabs of a repository: label and page.
const TABS: [(&str, &str); 9] = [
    ("Code", "code"),
    ("Pull requests", "pull-requests"),
    ("Commits", "commits"),
    ("Branches", "branches"),
    ("Tags", "tags"),
    ("Compare", "compare"),
    ("Triggers", "triggers"),
    ("Settings", "settings"),
    ("Events", "events"),
];

/// Returns the colour scheme that a browser's reader has chosen: `dark`, `light`, or empty for that of the system.
pub(crate) fn scheme(headers: &HeaderMap) -> &'static str {
    match cookie::SCHEME.read(headers) {
        "dark" => "dark",
        "light" => "light",
        _ => "",
    }
}

impl Frame {
    pub(crate) fn new(visit: &Visit<'_>, title: String, section: Section) -> Self {
        let caller = &visit.reader.caller;
        let uri = visit.request.uri();
        Self {
            title,
            section,
            user: caller.name().unwrap_or(&caller.arn).to_owned(),
            role: visit.reader.session.role.as_ref().map(|role| role.display_name.clone()),
            account: caller.account_id.to_string(),
            region: visit.region.to_string(),
            scheme: scheme(visit.request.headers()),
            csrf: visit.reader.form_token.clone(),
            here: uri.path_and_query().map_or_else(|| uri.path().to_owned(), ToString::to_string),
            notice: visit::notice(visit.request),
            repository: None,
        }
    }

    /// Adds the tabs of a repository; `tab` is the page of the current one.
    #[must_use]
    pub(crate) fn of_repository(self, name: &str, tab: &'static str) -> Self {
        Self { repository: Some((name.to_owned(), tab)), ..self }
    }

    /// Returns the groups of the main menu with their labels.
    pub(crate) fn menu(&self) -> Vec<(&'static str, Vec<MenuEntry>)> {
        let entry = |label, path, section, keys| MenuEntry {
            label,
            url: url::page(path),
            is_current: section == self.section,
            keys,
        };
        vec![
            (
                "CodeCommit",
                vec![
                    entry("Repositories", "repositories", Section::Repositories, "g r"),
                    entry("Pull requests", "pull-requests", Section::PullRequests, "g p"),
                    entry("Approval rule templates", "templates", Section::Templates, ""),
                ],
            ),
            (
                "CloudTrail",
                vec![
                    entry("Event history", "events", Section::Events, "g e"),
                    entry("Trails", "trails", Section::Trails, ""),
                ],
            ),
            (
                "Lab",
                vec![
                    entry("Live", "live", Section::Live, "g l"),
                    entry("Timeline", "timeline", Section::Timeline, "g t"),
                    entry("Pushes", "pushes", Section::Pushes, ""),
                    entry("People", "people", Section::People, ""),
                ],
            ),
        ]
    }

    /// Returns the tabs of the repository.
    pub(crate) fn tabs(&self) -> Vec<MenuEntry> {
        let Some((name, current)) = &self.repository else { return Vec::new() };
        let entry = |(label, page)| MenuEntry {
            label,
            url: url::repository(name, page),
            is_current: page == *current,
            keys: "",
        };
        TABS.into_iter().map(entry).collect()
    }

    /// Returns the names of the regions of CodeCommit, for the choice of the region.
    pub(crate) fn regions(&self) -> Vec<String> {
        let mut names: Vec<String> = Region::of_codecommit().map(|region| region.to_string()).collect();
        if !names.contains(&self.region) {
            names.insert(0, self.region.clone());
        }
        names
    }
}
