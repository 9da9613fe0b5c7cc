//! Tables of events for EventBridge.

/// `bus_events.number` grows with every event, because the newest row is never removed; `event` is the event as JSON.
///
/// `bus_positions` has a row for each destination: the last event and, in `records_cursor`, the last record of a call that it has.
/// The cursor is NULL for a destination that gets no calls; `bytes` is the length of the file `eventbridge.ndjson` at the position.
pub(super) const BUS: &str = "
    CREATE TABLE bus_events (
        number INTEGER PRIMARY KEY,
        event TEXT NOT NULL
    );
    CREATE TABLE bus_positions (
        destination TEXT PRIMARY KEY,
        number INTEGER NOT NULL,
        records_cursor TEXT,
        bytes INTEGER NOT NULL
    );
";
