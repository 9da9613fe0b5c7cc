//! The stream of all events: those of changes, and those of recorded calls.

use std::sync::Arc;

use codecommit::{BusPosition, CodeCommit, Exception};
use trail::Trail;
use trail::bus_event::BusSelection;

/// Events that are read at a time.
const EVENTS_PER_READ: u32 = 100;

/// The stream; clones read the same events.
#[derive(Clone)]
pub(super) struct Stream {
    codecommit: Arc<CodeCommit>,
    trail: Arc<Trail>,
    records: BusSelection,
}

/// A step in the stream.
pub(super) struct Step {
    /// The event as JSON; `None` for a record that is none.
    pub(super) json: Option<String>,
    /// The position after it.
    pub(super) position: BusPosition,
}

impl Stream {
    pub(super) fn new(codecommit: Arc<CodeCommit>, trail: Arc<Trail>, records: BusSelection) -> Self {
        Self { codecommit, trail, records }
    }

    /// Returns whether records are events.
    pub(super) const fn follows_records(&self) -> bool {
        self.records.is_any()
    }

    /// Returns the position at the end.
    pub(super) fn end(&self) -> Result<BusPosition, Exception> {
        let cursor = self.follows_records().then(|| self.trail.cursor_before_last(0)).transpose()?;
        Ok(BusPosition { number: self.codecommit.last_bus_event()?, cursor, bytes: 0 })
    }

    /// Returns the next steps after a position; none if it is at the end. Events of changes come before those of records.
    pub(super) fn after(&self, position: &BusPosition) -> Result<Vec<Step>, Exception> {
        let events = self.codecommit.bus_events_after(position.number, EVENTS_PER_READ)?;
        if !events.is_empty() {
            let step = |event: codecommit::StoredBusEvent| Step {
                json: Some(event.json),
                position: BusPosition { number: event.number, ..position.clone() },
            };
            return Ok(events.into_iter().map(step).collect());
        }
        let Some(cursor) = position.cursor.as_ref().filter(|_| self.follows_records()) else { return Ok(Vec::new()) };
        let page = self.trail.records_after(cursor, EVENTS_PER_READ)?;
        let step = |record: trail::StoredRecord| Step {
            json: self.records.event(&record),
            position: BusPosition { cursor: Some(record.cursor), ..position.clone() },
        };
        Ok(page.records.into_iter().map(step).collect())
    }
}
