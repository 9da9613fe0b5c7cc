//! Plots of counts over time as SVG: stacked bars with axes and a brush.

use std::fmt::{self, Display, Formatter};
use std::time::Duration;

use askama::filters::HtmlSafe;
use aws::Timestamp;
use trail::Timeline;

use crate::json_tree::escape;

/// The coordinates of the plot and of the area of its bars.
const WIDTH: f64 = 1_000.0;
const HEIGHT: f64 = 260.0;
const LEFT: f64 = 48.0;
const RIGHT: f64 = 990.0;
const TOP: f64 = 10.0;
const BOTTOM: f64 = 230.0;

/// Number of lines of the grid, and of labels of times.
const STEPS: u32 = 4;
const LABELS: usize = 6;

/// Number of classes of series.
const CLASSES: usize = 10;

const DAY: u64 = 86_400;

/// A plot of a timeline.
pub(crate) struct Plot<'p> {
    pub(crate) timeline: &'p Timeline,
    /// The address that the brush leads to, with `start` and `end` of a range added.
    pub(crate) href: &'p str,
    /// The text for screen readers.
    pub(crate) label: &'p str,
}

impl HtmlSafe for Plot<'_> {}

impl Plot<'_> {
    /// Returns the begin of a bucket.
    fn time(&self, bucket: usize) -> Timestamp {
        let Timeline { begin, bucket: length, .. } = self.timeline;
        begin.saturating_add(*length * u32::try_from(bucket).unwrap_or(u32::MAX))
    }

    fn x(&self, bucket: usize) -> f64 {
        LEFT + (RIGHT - LEFT) * number(bucket as u64) / number(self.timeline.buckets as u64)
    }

    /// Returns the address of the events of a bucket.
    fn link(&self, bucket: usize) -> String {
        let end = self.time(bucket + 1).saturating_sub(Duration::from_secs(1));
        let separator = if self.href.contains('?') { '&' } else { '?' };
        let [start, end] = [self.time(bucket), end].map(|time| crate::url::escape(&time.iso()));
        escape(&format!("{}{separator}start={start}&end={end}", self.href))
    }

    /// Returns the text of a bucket: its time and its counts.
    fn title(&self, bucket: usize) -> String {
        let counts = self.timeline.series.iter().filter(|series| series.counts[bucket] > 0);
        let counts: Vec<_> =
            counts.map(|series| format!("{}: {}", name(series.value.as_deref()), series.counts[bucket])).collect();
        escape(&format!("{}, {}", self.time(bucket).iso(), counts.join(", ")))
    }

    fn bars(&self, formatter: &mut Formatter<'_>, max: u64) -> fmt::Result {
        let gap = if self.timeline.buckets > 300 { 0.0 } else { 0.5 };
        for bucket in 0..self.timeline.buckets {
            let total: u64 = self.timeline.series.iter().map(|series| series.counts[bucket]).sum();
            if total == 0 {
                continue;
            }
            write!(formatter, "<a href=\"{}\"><title>{}</title>", self.link(bucket), self.title(bucket))?;
            let (x, width) = (self.x(bucket), self.x(bucket + 1) - self.x(bucket) - gap);
            let mut below = 0;
            for (index, series) in
                self.timeline.series.iter().enumerate().filter(|(_, series)| series.counts[bucket] > 0)
            {
                let (bottom, top) = (y(below, max), y(below + series.counts[bucket], max));
                below += series.counts[bucket];
                write!(
                    formatter,
                    "<rect class=\"s{}\" x=\"{x:.1}\" y=\"{top:.1}\" width=\"{width:.1}\" height=\"{:.1}\"/>",
                    class(index),
                    bottom - top
                )?;
            }
            write!(formatter, "</a>")?;
        }
        Ok(())
    }

    fn axes(&self, formatter: &mut Formatter<'_>, max: u64) -> fmt::Result {
        for step in 1..=STEPS {
            let count = max * u64::from(step) / u64::from(STEPS);
            let y = y(count, max);
            write!(formatter, "<line class=\"grid\" x1=\"{LEFT}\" y1=\"{y:.1}\" x2=\"{RIGHT}\" y2=\"{y:.1}\"/>")?;
            write!(formatter, "<text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{count}</text>", LEFT - 6.0, y + 4.0)?;
        }
        write!(formatter, "<line class=\"axis\" x1=\"{LEFT}\" y1=\"{BOTTOM}\" x2=\"{RIGHT}\" y2=\"{BOTTOM}\"/>")?;
        let is_long = self.timeline.bucket.as_secs() * self.timeline.buckets as u64 > 2 * DAY;
        for label in 0..LABELS {
            let bucket = self.timeline.buckets * label / LABELS;
            let time = self.time(bucket).iso();
            let text = if is_long { &time[..10] } else { &time[11..16] };
            write!(formatter, "<text x=\"{:.1}\" y=\"{}\">{text}</text>", self.x(bucket), BOTTOM + 18.0)?;
        }
        Ok(())
    }
}

impl Display for Plot<'_> {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let Timeline { series, buckets, .. } = self.timeline;
        let totals = (0..*buckets).map(|bucket| series.iter().map(|series| series.counts[bucket]).sum());
        let max = round_up(totals.max().unwrap_or(0));
        let [from, to] = [0, *buckets].map(|bucket| self.time(bucket).iso());
        write!(
            formatter,
            "<svg class=\"plot\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"group\" aria-label=\"{}\" data-href=\"{}\" \
             data-from=\"{from}\" data-to=\"{to}\" data-left=\"{LEFT}\" data-right=\"{RIGHT}\">",
            escape(self.label),
            escape(self.href)
        )?;
        self.axes(formatter, max)?;
        self.bars(formatter, max)?;
        write!(formatter, "</svg>")
    }
}

/// Returns the number of the class of a series.
pub(crate) fn class(series: usize) -> usize {
    series % CLASSES
}

/// Returns the name of a series or row, as people read it.
pub(crate) fn name(value: Option<&str>) -> &str {
    match value {
        Some("") => "(no name)",
        Some(value) => value,
        None => "(others)",
    }
}

/// Returns the class of a cell of a heat map: `h0` for none, then by the share of the largest count.
pub(crate) fn heat(count: u64, max: u64) -> u64 {
    if count == 0 { 0 } else { 1 + count * 8 / max.max(1) }
}

fn y(count: u64, max: u64) -> f64 {
    BOTTOM - (BOTTOM - TOP) * number(count) / number(max.max(1))
}

/// Returns a count as a coordinate; larger counts than 32 bits can hold are cut.
fn number(count: u64) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

/// Returns the next number that divides the axis into whole steps.
fn round_up(count: u64) -> u64 {
    let steps = u64::from(STEPS);
    let mut unit = 1;
    loop {
        for factor in [1, 2, 5] {
            let max = unit * factor * steps;
            if max >= count {
                return max;
            }
        }
        unit *= 10;
    }
}

#[cfg(test)]
mod tests {
    use trail::Series;

    use super::*;

    #[test]
    fn a_plot_escapes_names_and_links_each_bar_to_its_events() {
        let series = |value: &str, counts: &[u64]| Series {
            value: Some(value.to_owned()),
            counts: counts.to_vec(),
            total: counts.iter().sum(),
        };
        let timeline = Timeline {
            begin: Timestamp::from_millis(1_481_738_400_000),
            bucket: Duration::from_mins(1),
            buckets: 3,
            series: vec![series("</svg><script>", &[3, 0, 1]), series("Mary_Major", &[0, 0, 2])],
        };
        let svg = Plot { timeline: &timeline, href: "/_console/events?access=all", label: "Events" }.to_string();
        assert!(!svg.contains("<script"), "{svg}");
        assert_eq!(svg.matches("<rect").count(), 3);
        assert_eq!(svg.matches("<a href").count(), 2);
        let link = "/_console/events?access=all&amp;start=2016-12-14T18%3A00%3A00Z&amp;end=2016-12-14T18%3A00%3A59Z";
        assert!(svg.contains(link), "{svg}");
        assert!(svg.contains("data-to=\"2016-12-14T18:03:00Z\""), "{svg}");
    }

    #[test]
    fn the_axis_ends_at_a_round_number() {
        assert_eq!([0, 3, 4, 5, 21, 300].map(round_up), [4, 4, 4, 8, 40, 400]);
        assert_eq!([0, 1, 50, 100].map(|count| heat(count, 100)), [0, 1, 5, 9]);
    }
}
