//! The tables of the trail.

use aws::Call;
use store::{ColumnType, Contract, Error, NumberedTable, Transaction};

use crate::{Event, record, reference_changes};

/// The migrations, in order.
///
/// The only index on events grows at its end, so that a call writes few pages; an index on the random ids would not.
/// `events.seq` is that of a [`NumberedTable`] and grows with every record; log files contain ranges of it, and `delivery.last_seq` is the end of the last range.
pub(crate) const STEPS: &[&str] = &[
    EVENTS,
    TRAILS,
    HISTORY,
    DIGESTS,
    TOPICS_AND_INSIGHTS,
    DATA_EVENTS,
    TAGGED,
    DIGEST_ENDS,
    COUNTS,
    FILE_SEARCH,
    reference_changes::STEP,
    POSITIONS,
];

/// The steps that remove what servers without them use.
pub(crate) const CONTRACTS: &[Contract] = &[Contract { step: 11, since: 12 }];

const EVENTS: &str = "
    CREATE TABLE events (
        seq INTEGER NOT NULL PRIMARY KEY,
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

/// Trails, their settings over time, and their deliveries; times are milliseconds since the epoch.
///
/// A row of `trail_spans` is a period of a trail, from `first_seq` to `last_seq`, which is NULL for the current period: it contains the
/// settings that select events and name their bucket. Each change of a trail ends a period and begins another, so the settings at the
/// time of an event decide where it goes. Log files become objects of `bucket`. Columns that are known once a file is written are NULL
/// until then: `hash` is the SHA-256 of its uncompressed content in hexadecimal, `oldest` and `newest` are the times of its events,
/// `delivered` is the time of its delivery. Files from before this migration have no hash.
/// A deleted trail keeps its row, so that its id is not used again. Empty regions and buckets are set by `trails::DefaultTrails::open`,
/// as they depend on the settings.
const TRAILS: &str = "
    CREATE TABLE trails (
        id INTEGER PRIMARY KEY,
        account TEXT NOT NULL,
        home_region TEXT NOT NULL,
        name TEXT NOT NULL,
        bucket TEXT NOT NULL,
        prefix TEXT,
        topic TEXT,
        multi_region INTEGER NOT NULL,
        global_events INTEGER NOT NULL,
        validation INTEGER NOT NULL,
        kms_key TEXT,
        log_group TEXT,
        log_role TEXT,
        recursive_logging INTEGER,
        selectors TEXT NOT NULL,
        logging INTEGER NOT NULL,
        created INTEGER NOT NULL,
        deleted INTEGER,
        started INTEGER,
        stopped INTEGER,
        delivery_tried INTEGER,
        delivery_made INTEGER,
        delivery_error TEXT,
        notification_tried INTEGER,
        notification_made INTEGER,
        notification_error TEXT,
        digest_made INTEGER,
        digest_error TEXT
    );
    CREATE UNIQUE INDEX trails_by_name ON trails (account, home_region, name) WHERE deleted IS NULL;
    CREATE TABLE trail_tags (
        trail INTEGER NOT NULL,
        name TEXT NOT NULL,
        value TEXT NOT NULL,
        PRIMARY KEY (trail, name)
    );
    CREATE TABLE trail_spans (
        id INTEGER PRIMARY KEY,
        trail INTEGER NOT NULL,
        account TEXT NOT NULL,
        home_region TEXT NOT NULL,
        bucket TEXT NOT NULL,
        prefix TEXT,
        topic TEXT,
        multi_region INTEGER NOT NULL,
        global_events INTEGER NOT NULL,
        selectors TEXT NOT NULL,
        first_seq INTEGER NOT NULL,
        last_seq INTEGER
    );
    CREATE INDEX trail_spans_by_trail ON trail_spans (trail, last_seq);
    CREATE INDEX trail_spans_by_end ON trail_spans (last_seq);
    ALTER TABLE delivery ADD COLUMN own_bucket TEXT NOT NULL DEFAULT '';
    INSERT INTO trails (account, home_region, name, bucket, multi_region, global_events, validation, selectors, logging, created, started)
        SELECT account, '', 'codecommit-local', '', 1, 1, 1, '', 1, MIN(time), MIN(time) FROM events GROUP BY account;
    INSERT INTO trail_spans (trail, account, home_region, bucket, multi_region, global_events, selectors, first_seq)
        SELECT id, account, '', '', 1, 1, '', 1 FROM trails;
    ALTER TABLE log_files RENAME TO log_files_before;
    CREATE TABLE log_files (
        id INTEGER PRIMARY KEY,
        trail INTEGER NOT NULL,
        span INTEGER NOT NULL,
        account TEXT NOT NULL,
        region TEXT NOT NULL,
        bucket TEXT NOT NULL,
        key TEXT NOT NULL,
        first_seq INTEGER NOT NULL,
        last_seq INTEGER NOT NULL,
        delivered INTEGER,
        hash TEXT,
        oldest INTEGER,
        newest INTEGER
    );
    INSERT INTO log_files (trail, span, account, region, bucket, key, first_seq, last_seq, delivered)
        SELECT trail, id, old.account, region, '', path, old.first_seq, old.last_seq,
            CASE WHEN written = 1 THEN (SELECT time FROM events WHERE seq = old.last_seq) END
        FROM log_files_before AS old JOIN trail_spans AS span ON span.account = old.account ORDER BY old.first_seq;
    DROP TABLE log_files_before;
    CREATE INDEX log_files_to_write ON log_files (bucket, id) WHERE delivered IS NULL;
    CREATE INDEX log_files_by_delivery ON log_files (trail, account, region, delivered);
    CREATE TABLE notifications (
        id INTEGER PRIMARY KEY,
        trail INTEGER NOT NULL,
        topic TEXT NOT NULL,
        message TEXT NOT NULL,
        attempts INTEGER NOT NULL,
        due INTEGER NOT NULL
    );
    CREATE INDEX notifications_by_due ON notifications (due, id);
";

/// Signing keys and digests; times are milliseconds since the epoch.
///
/// The times of a key are NULL until it is first used or listed; a given key has no private half here. The `document` of a digest is
/// NULL once it is written; `is_last` is 1 for the last digest of an open chain. `log_files.validated` tells whether the trail had
/// validation enabled when the file was delivered; `log_files.digest` is the digest that covers the file.
const DIGESTS: &str = "
    CREATE TABLE signing_keys (
        id INTEGER PRIMARY KEY,
        private BLOB,
        public BLOB NOT NULL,
        fingerprint TEXT NOT NULL,
        valid_from INTEGER,
        signs_until INTEGER NOT NULL,
        valid_until INTEGER NOT NULL
    );
    CREATE TABLE digests (
        id INTEGER PRIMARY KEY,
        trail INTEGER NOT NULL,
        account TEXT NOT NULL,
        region TEXT NOT NULL,
        bucket TEXT NOT NULL,
        key TEXT NOT NULL,
        window_end INTEGER NOT NULL,
        hash TEXT NOT NULL,
        signature TEXT NOT NULL,
        document TEXT,
        is_last INTEGER NOT NULL
    );
    CREATE UNIQUE INDEX digests_by_key ON digests (bucket, key);
    CREATE INDEX digests_by_place ON digests (trail, account, region, window_end);
    CREATE INDEX digests_to_write ON digests (id) WHERE document IS NOT NULL;
    ALTER TABLE log_files ADD COLUMN validated INTEGER;
    ALTER TABLE log_files ADD COLUMN digest INTEGER;
    CREATE INDEX log_files_to_cover ON log_files (trail, account, region) WHERE digest IS NULL;
";

/// Indexes for the last digest of each chain, and for the digests that end in a second; each round searches for both.
const DIGEST_ENDS: &str = "
    CREATE INDEX digests_last ON digests (trail, account, region) WHERE is_last = 1;
    CREATE INDEX digests_by_end ON digests (window_end);
";

/// `history.indexed_seq` is the last indexed event; `history/index.rs` explains the generations of ids.
const HISTORY: &str = "
    CREATE TABLE history_values (
        value_id INTEGER PRIMARY KEY,
        account TEXT NOT NULL,
        region TEXT NOT NULL,
        attribute TEXT NOT NULL,
        value TEXT NOT NULL,
        UNIQUE (account, region, attribute, value)
    );
    CREATE TABLE history_index (
        value_id INTEGER NOT NULL,
        time INTEGER NOT NULL,
        seq INTEGER NOT NULL,
        PRIMARY KEY (value_id, time, seq)
    ) WITHOUT ROWID;
    CREATE TABLE history_ids (
        generation INTEGER NOT NULL,
        hash INTEGER NOT NULL,
        seq INTEGER NOT NULL,
        PRIMARY KEY (generation, hash, seq)
    ) WITHOUT ROWID;
    CREATE TABLE history (indexed_seq INTEGER NOT NULL);
    INSERT INTO history VALUES (0);
";

/// Blocks of columns of indexed events, which `history/columns.rs` explains; `oldest` and `newest` are seconds since the epoch.
///
/// The index is emptied, so that it is built again with the new columns and attributes.
const COUNTS: &str = "
    CREATE TABLE history_blocks (
        id INTEGER PRIMARY KEY,
        account TEXT NOT NULL,
        region TEXT NOT NULL,
        oldest INTEGER NOT NULL,
        newest INTEGER NOT NULL,
        entries BLOB NOT NULL
    );
    CREATE INDEX history_blocks_by_region ON history_blocks (account, region, id);
    DELETE FROM history_index;
    DELETE FROM history_values;
    DELETE FROM history_ids;
    UPDATE history SET indexed_seq = 0;
";

/// Blocks of positions of indexed events, which `history/positions.rs` explains, in place of a row for each event and value.
const POSITIONS: &str = "
    DROP TABLE history_index;
    CREATE TABLE history_index (
        value_id INTEGER NOT NULL,
        block INTEGER NOT NULL,
        oldest INTEGER NOT NULL,
        newest INTEGER NOT NULL,
        positions BLOB NOT NULL,
        PRIMARY KEY (value_id, block)
    );
    CREATE INDEX history_index_by_time ON history_index (value_id, newest, block);
    DELETE FROM history_values;
    DELETE FROM history_ids;
    DELETE FROM history_blocks;
    UPDATE history SET indexed_seq = 0;
";

/// Indexes for the log file with an event, and for the files of a day; `log_files.events` is the number of events of a file, NULL until it
/// is written and for files from before this migration.
const FILE_SEARCH: &str = "
    ALTER TABLE log_files ADD COLUMN events INTEGER;
    CREATE INDEX log_files_by_seq ON log_files (trail, account, region, last_seq);
    CREATE INDEX log_files_by_time ON log_files (trail, delivered);
";

/// `topic_name` is the topic by name or ARN, as in the call; `insights` are insight selectors as JSON, NULL until some are put.
const TOPICS_AND_INSIGHTS: &str = "
    ALTER TABLE trails ADD COLUMN topic_name TEXT;
    ALTER TABLE trails ADD COLUMN insights TEXT;
";

/// `events.is_data` is 1 for data events, which event history does not have; for events from before this migration it is unknown, and 0.
const DATA_EVENTS: &str = "
    ALTER TABLE events ADD COLUMN is_data INTEGER NOT NULL DEFAULT 0;
    DROP INDEX events_by_time;
    CREATE INDEX events_by_time ON events (account, region, is_data, time);
";

/// `tagged` is 1 for trails that have or had tags.
const TAGGED: &str = "
    ALTER TABLE trails ADD COLUMN tagged INTEGER NOT NULL DEFAULT 0;
    UPDATE trails SET tagged = 1 WHERE id IN (SELECT trail FROM trail_tags);
";

/// Events, with the columns that a call or an import sets.
pub(crate) static NUMBERED_EVENTS: NumberedTable = NumberedTable {
    name: "events",
    number: "seq",
    columns: &[
        ("event_id", ColumnType::Text),
        ("account", ColumnType::Text),
        ("region", ColumnType::Text),
        ("time", ColumnType::Integer),
        ("name", ColumnType::Text),
        ("record", ColumnType::Text),
        ("is_data", ColumnType::Integer),
    ],
    insert: "INSERT INTO events (event_id, account, region, time, name, record, is_data) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
};

/// Inserts a record; `line` ends in a newline.
pub(crate) fn insert(transaction: &Transaction, call: &Call, event: &Event, line: &str) -> Result<(), Error> {
    transaction.insert_numbered(
        &NUMBERED_EVENTS,
        &[
            record::event_id(event, call).into(),
            record::account(event, call).as_str().into(),
            call.region.as_str().into(),
            call.time.millis().into(),
            (&event.name).into(),
            line.trim_end().into(),
            i64::from(event.is_data).into(),
        ],
    )
}

#[cfg(test)]
mod tests;
