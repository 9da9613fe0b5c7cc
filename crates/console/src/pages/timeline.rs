//! The timeline: events by time and by user, name or outcome, and the hours of each user.

use std::time::Duration;

use askama::Template;
use aws::{Failure, Timestamp};
use serde_json::{Value, json};
use trail::{Dimension, Selection, Timeline};

use crate::export::{self, Format};
use crate::frame::{Frame, Section};
use crate::history;
use crate::plot::{self, Plot};
use crate::url;
use crate::visit::{Page, Visit};

/// Maximum number of bars: one for a minute of a day is too thin to be seen.
const BARS_MAX: usize = 240;

/// Maximum number of buckets of an export.
const BUCKETS_MAX: usize = 1_440;

/// Maximum number of series, as there are ten colours.
const SERIES_MAX: usize = 10;

/// Maximum number of rows of the heat map.
const USERS_MAX: usize = 100;

/// The range without one in the URL.
const RANGE: Duration = Duration::from_hours(24);

/// Ranges that end now: their seconds and labels.
pub(crate) const RANGES: [(&str, &str); 5] =
    [("1800", "30 minutes"), ("3600", "1 hour"), ("86400", "1 day"), ("604800", "7 days"), ("7776000", "90 days")];

#[derive(Template)]
#[template(path = "timeline.html")]
struct TimelinePage {
    frame: Frame,
    filter: Filter,
    by: &'static str,
    timeline: Timeline,
    legend: Vec<LegendEntry>,
    rows: Vec<HeatMapRow>,
    total: u64,
    /// The page of event history with the same filters.
    events: String,
    csv: String,
    json: String,
}

/// A series of the plot.
struct LegendEntry {
    class: usize,
    name: String,
    total: u64,
}

/// A row of the heat map.
struct HeatMapRow {
    user: String,
    /// The events of the user; `None` for callers without a name.
    url: Option<String>,
    cells: Vec<HeatMapCell>,
    total: u64,
}

/// An hour of a user.
struct HeatMapCell {
    class: u64,
    count: u64,
}

impl TimelinePage {
    fn plot(&self) -> Plot<'_> {
        let label = "Events over time; drag over a range to see its events";
        Plot { timeline: &self.timeline, href: &self.events, label }
    }
}

/// The filter of the pages that count events.
pub(crate) struct Filter {
    pub(crate) from: Timestamp,
    pub(crate) until: Timestamp,
    pub(crate) user: String,
    pub(crate) name: String,
    pub(crate) repository: String,
    pub(crate) failed_only: bool,
    pub(crate) writes_only: bool,
    region: String,
    /// The chosen range that ends now; empty if the range has times.
    pub(crate) last: String,
}

impl Filter {
    /// Reads the filter of a page's parameters; without times, it is a range that ends now.
    pub(crate) fn of(visit: &Visit<'_>, now: Timestamp, default: Duration) -> Result<Self, Failure> {
        let query = &visit.query;
        let (start, end) = (history::time(query.get("start"))?, history::time(query.get("end"))?);
        let last = if start.is_none() && end.is_none() { query.get("last") } else { "" };
        let range = last.parse().map_or(default, Duration::from_secs);
        let until = end.unwrap_or(now);
        let text = |name: &str| query.get(name).to_owned();
        Ok(Self {
            from: start.unwrap_or_else(|| until.saturating_sub(range)),
            until,
            user: text("Username"),
            name: text("EventName"),
            repository: text("ResourceName"),
            failed_only: query.has("failed"),
            writes_only: query.get("access") == "writes",
            region: visit.region.to_string(),
            last: last.to_owned(),
        })
    }

    pub(crate) fn selection(&self) -> Selection<'_> {
        let optional = |text: &'_ str| !text.is_empty();
        Selection {
            region: Some(&self.region),
            from: self.from,
            until: self.until,
            user: Some(self.user.as_str()).filter(|text| optional(text)),
            name: Some(self.name.as_str()).filter(|text| optional(text)),
            repository: Some(self.repository.as_str()).filter(|text| optional(text)),
            failed: self.failed_only.then_some(true),
            writes_only: self.writes_only,
        }
    }

    /// Returns the URL of event history with the same filters and others, without times.
    pub(crate) fn events(&self, others: &[(&str, &str)]) -> String {
        let is_set = |is_set: bool| if is_set { "1" } else { "" };
        let own = [
            ("access", if self.writes_only { "writes" } else { "all" }),
            ("Username", self.user.as_str()),
            ("EventName", &self.name),
            ("ResourceName", &self.repository),
            ("failed", is_set(self.failed_only)),
        ];
        let is_own = |name: &str| others.iter().all(|(other, _)| *other != name);
        let parameters: Vec<_> =
            own.into_iter().filter(|(name, _)| is_own(name)).chain(others.iter().copied()).collect();
        url::with(&url::page("events"), &parameters)
    }

    /// Returns the URL of event history with the same filters, times and others.
    pub(crate) fn events_in_range(&self, others: &[(&str, &str)]) -> String {
        let (from, until) = (self.from.iso(), self.until.iso());
        let times = [("start", from.as_str()), ("end", until.as_str())];
        self.events(&[&times[..], others].concat())
    }

    pub(crate) fn start_value(&self) -> String {
        history::input_value(Some(self.from).filter(|_| self.last.is_empty()))
    }

    pub(crate) fn end_value(&self) -> String {
        history::input_value(Some(self.until).filter(|_| self.last.is_empty()))
    }
}

/// Shows the timeline.
pub(crate) fn show(visit: &Visit<'_>) -> Page {
    let call = visit.begin()?;
    let filter = Filter::of(visit, call.time, RANGE)?;
    let (by, dimension) = match visit.query.get("by") {
        "name" => ("name", Dimension::Name),
        "outcome" => ("outcome", Dimension::Outcome),
        _ => ("user", Dimension::User),
    };
    let format = Format::of(visit.query.get("format"));
    let (buckets, series) = if format == Format::Page { (BARS_MAX, SERIES_MAX) } else { (BUCKETS_MAX, usize::MAX) };
    let service = visit.services.trail;
    let timeline = service.timeline(&call, &filter.selection(), dimension, buckets, series)?;
    match format {
        Format::Page => {}
        Format::Csv => return Ok(export::csv("timeline", &["time", by, "events"], counts(&timeline).map(Vec::from))),
        Format::Json => {
            let rows: Vec<Value> =
                counts(&timeline).map(|[time, value, count]| json!({ "time": time, by: value, "events": count.parse::<u64>().unwrap_or(0) })).collect();
            return Ok(export::json("timeline", &rows.into()));
        }
    }
    let rows = service.heat_map(&call, &filter.selection(), USERS_MAX)?;
    let max = rows.iter().flat_map(|row| row.hours).max().unwrap_or(0);
    let rows = rows.iter().map(|row| HeatMapRow {
        user: plot::name(Some(&row.user)).to_owned(),
        url: (!row.user.is_empty()).then(|| filter.events_in_range(&[("Username", &row.user)])),
        cells: row.hours.map(|count| HeatMapCell { class: plot::heat(count, max), count }).into(),
        total: row.total,
    });
    let legend = timeline.series.iter().enumerate().map(|(index, series)| LegendEntry {
        class: plot::class(index),
        name: plot::name(series.value.as_deref()).to_owned(),
        total: series.total,
    });
    visit.page(&TimelinePage {
        frame: visit.frame("Timeline", Section::Timeline),
        legend: legend.collect(),
        rows: rows.collect(),
        total: timeline.series.iter().map(|series| series.total).sum(),
        events: filter.events(&[]),
        csv: visit.address(&[("format", "csv")]),
        json: visit.address(&[("format", "json")]),
        filter,
        by,
        timeline,
    })
}

/// Lists the counts that are not zero: time, value and number of events.
fn counts(timeline: &Timeline) -> impl Iterator<Item = [String; 3]> + '_ {
    (0..timeline.buckets).flat_map(move |bucket| {
        let time = timeline.begin.saturating_add(timeline.bucket * u32::try_from(bucket).unwrap_or(u32::MAX)).iso();
        let series = timeline.series.iter().filter(move |series| series.counts[bucket] > 0);
        series.map(move |series| {
            [time.clone(), series.value.clone().unwrap_or_default(), series.counts[bucket].to_string()]
        })
    })
}
