//! The program's log on standard error. Repeated warnings and errors are counted after the first few lines.

use std::collections::HashMap;
use std::fmt;
use std::time::{Duration, Instant};

use codecommit_local::options::{LogFormat, LogLevel};
use parking_lot::Mutex;
use tracing::callsite::Identifier;
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

/// Time during which repetitions are counted, before the next one is logged again.
const PERIOD: Duration = Duration::from_secs(10);

/// Lines from one place in the code that are logged in a period.
const LINES_MAX: u64 = 3;

/// Starts the log; `CODECOMMIT_LOCAL_LOG`, a filter of tracing's, overrides the level.
pub(crate) fn start(format: LogFormat, level: LogLevel) -> Result<(), String> {
    let level = match level {
        LogLevel::Error => "error",
        LogLevel::Warn => "warn",
        LogLevel::Info => "info",
        LogLevel::Debug => "debug",
        LogLevel::Trace => "trace",
    };
    let filter = match std::env::var("CODECOMMIT_LOCAL_LOG") {
        Ok(filter) => EnvFilter::try_new(&filter).map_err(|error| {
            format!("CODECOMMIT_LOCAL_LOG: '{filter}' is not a filter: {error}; write a level such as info, or debug")
        })?,
        // The log lines of the HTTP libraries do not help users.
        Err(_) => EnvFilter::new(format!("{level},hyper=off,s3s=off,ureq=off")),
    };
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false);
    match format {
        LogFormat::Text => log
            .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()))
            .map_event_format(|format| Repeats::new(format, false))
            .init(),
        LogFormat::Json => log.json().map_event_format(|format| Repeats::new(format, true)).init(),
    }
    Ok(())
}

/// Formats events with another format, and leaves out those that are repeated too often.
pub(crate) struct Repeats<F> {
    format: F,
    is_json: bool,
    counts: Mutex<Counts>,
}

/// Recent warnings and errors, by their place in the code.
#[derive(Default)]
struct Counts(HashMap<Identifier, Count>);

struct Count {
    message: &'static str,
    since: Instant,
    seen: u64,
}

impl<F> Repeats<F> {
    pub(crate) fn new(format: F, is_json: bool) -> Self {
        Self { format, is_json, counts: Mutex::default() }
    }
}

impl<S, N, F> FormatEvent<S, N> for Repeats<F>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
    F: FormatEvent<S, N>,
{
    fn format_event(&self, context: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let (is_line, left_out) = {
            let mut counts = self.counts.lock();
            let (now, metadata) = (Instant::now(), event.metadata());
            let left_out = counts.ended(now);
            // Levels that matter less are greater.
            let is_line = *metadata.level() > Level::WARN || counts.add(metadata.callsite(), metadata.name(), now);
            (is_line, left_out)
        };
        for (place, count) in left_out {
            let message = format!("{count} lines like those of {place} were left out");
            if self.is_json {
                writeln!(writer, r#"{{"level":"WARN","fields":{{"message":"{message}"}}}}"#)?;
            } else {
                writeln!(writer, "WARN {message}")?;
            }
        }
        if is_line { self.format.format_event(context, writer, event) } else { Ok(()) }
    }
}

impl Counts {
    /// Counts an event; returns whether it is logged.
    fn add(&mut self, kind: Identifier, message: &'static str, now: Instant) -> bool {
        let count = self.0.entry(kind).or_insert(Count { message, since: now, seen: 0 });
        count.seen += 1;
        count.seen <= LINES_MAX
    }

    /// Ends the periods that are over; returns the places whose lines were left out, with the number of lines.
    fn ended(&mut self, now: Instant) -> Vec<(&'static str, u64)> {
        if self.0.is_empty() {
            return Vec::new();
        }
        let is_over = |count: &mut Count| now.duration_since(count.since) >= PERIOD;
        let ended = self.0.extract_if(|_, count| is_over(count));
        ended
            .filter_map(|(_, count)| Some((count.message, count.seen.checked_sub(LINES_MAX)?)))
            .filter(|(_, left_out)| *left_out > 0)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeated_lines_are_counted_until_the_period_ends() {
        let (mut counts, begin) = (Counts::default(), Instant::now());
        let kind = || Identifier(&CALLSITE);
        let lines = (0..100).filter(|_| counts.add(kind(), "full", begin)).count();
        assert_eq!(lines, 3);
        assert_eq!(counts.ended(begin + PERIOD / 2), []);
        assert_eq!(counts.ended(begin + PERIOD), [("full", 97)]);
        assert!(counts.add(kind(), "full", begin + PERIOD));
        assert_eq!(counts.ended(begin + 2 * PERIOD), []);
    }

    /// A place in the code that logs.
    struct Callsite;

    static CALLSITE: Callsite = Callsite;

    impl tracing::callsite::Callsite for Callsite {
        fn set_interest(&self, _: tracing::subscriber::Interest) {}

        fn metadata(&self) -> &tracing::Metadata<'_> {
            unreachable!("nobody asks")
        }
    }
}
