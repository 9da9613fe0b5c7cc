//! The trail's tables.

use aws::Call;
use store::{Error, Transaction};

use crate::{Event, record};

/// What brings a database up to date.
///
/// The one index on events grows at its end, so that a call writes few pages; one on the random ids would not.
/// `events.seq` grows with every record; log files hold ranges of it, and `delivery.last_seq` is how far they reach.
pub(crate) const STEPS: &[&str] = &[EVENTS];

const EVENTS: &str = "
    CREATE TABLE events (
        seq INTEGER PRIMARY KEY,
        event_id TEXT NOT NULL,
        account TEXT NOT NULL,
        region TEXT NOT NULL,
        time INTEGER NOT NULL,
        name TEXT NOT NULL,
        record TEXT NOT NULL
    );
    CREATE INDEX events_by_time ON events (account, region, time);
    CREATE TABLE log_files (
        path TEXT PRIMARY KEY,
        account TEXT NOT NULL,
        region TEXT NOT NULL,
        first_seq INTEGER NOT NULL,
        last_seq INTEGER NOT NULL,
        written INTEGER NOT NULL
    );
    CREATE INDEX log_files_to_write ON log_files (written, first_seq);
    CREATE TABLE delivery (last_seq INTEGER NOT NULL);
    INSERT INTO delivery VALUES (0);
";

/// Adds a record; `line` ends in a newline.
pub(crate) fn insert(transaction: &Transaction, call: &Call, event: &Event, line: &str) -> Result<(), Error> {
    transaction.execute(
        "INSERT INTO events (event_id, account, region, time, name, record) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        &[
            record::event_id(event, call).into(),
            record::account(event, call).as_str().into(),
            call.region.as_str().into(),
            call.time.millis().into(),
            (&event.name).into(),
            line.trim_end().into(),
        ],
    )?;
    Ok(())
}
