//! The live page: events as they happen, and the feed that it reads.
//!
//! Neither leaves a record: the page would show its own.

use askama::Template;
use aws::{AccountId, Call, Facts, Failure};

use crate::frame::{Frame, Section};
use crate::visit::{Page, Visit};
use crate::{reply, url};

/// Minutes whose events the page counts, in bars.
const MINUTES: usize = 30;

/// Distance between two bars.
const BAR_STEP: usize = 20;

/// The filters of the feed that have text fields, and their labels.
const FILTERS: [(&str, &str); 5] =
    [("name", "Event"), ("user", "User"), ("repository", "Repository"), ("service", "Service"), ("ip", "Address")];

/// The last records, which the page shows first and counts.
const FIRST_RECORDS: &str = "-1000";

/// Marks a response that the server replaces by the feed of an account.
#[derive(Clone, Debug)]
pub struct FeedOf(pub AccountId);

#[derive(Template)]
#[template(path = "live.html")]
struct LivePage {
    frame: Frame,
    /// Name, label and value of each filter.
    filters: Vec<(&'static str, &'static str, String)>,
    writes: bool,
    failed: bool,
    /// The feed with these filters.
    feed: String,
    /// The time of the page.
    until: String,
    /// Coordinates of the bars.
    bars: Vec<usize>,
}

/// Shows the page.
pub(crate) fn show(visit: &Visit<'_>) -> Page {
    let value = |name| visit.query.get(name);
    let (writes, failed) = (value("writes") == "true", value("failed") == "true");
    let flag = |is_set: bool| if is_set { "true" } else { "" };
    let mut parameters = vec![("after", FIRST_RECORDS), ("writes", flag(writes)), ("failed", flag(failed))];
    parameters.extend(FILTERS.iter().map(|(name, _)| (*name, value(name))));
    visit.page(&LivePage {
        frame: visit.frame("Live", Section::Live),
        filters: FILTERS.iter().map(|(name, label)| (*name, *label, value(name).to_owned())).collect(),
        writes,
        failed,
        feed: url::with(&url::page("feed"), &parameters),
        until: allow(visit)?.time.iso(),
        bars: (0..MINUTES).map(|minute| minute * BAR_STEP).collect(),
    })
}

/// Lets the reader read the feed of its account.
pub(crate) fn feed(visit: &Visit<'_>) -> Page {
    allow(visit)?;
    let mut response = reply::with_body(200, "text/plain; charset=utf-8", "");
    response.extensions_mut().insert(FeedOf(visit.reader.caller.account_id.clone()));
    Ok(response)
}

/// Requests the permission to read events, which leaves no record: the feed would show it.
fn allow(visit: &Visit<'_>) -> Result<Call, Failure> {
    let call = visit.begin()?;
    call.allow_action("cloudtrail:LookupEvents", "*", &Facts::default()).map_err(aws::Denial::json)?;
    Ok(call)
}
