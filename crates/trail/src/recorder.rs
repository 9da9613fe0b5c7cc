//! Writes the records of a call in its transaction.

use std::collections::HashSet;
use std::sync::{Arc, OnceLock};

use aws::Call;
use parking_lot::RwLock;
use store::{Error, LineSink, Transaction};

use crate::delivery::Delivery;
use crate::events_file::Events;
use crate::history::Indexer;
use crate::record::RecordForm;
use crate::trails::DefaultTrails;
use crate::{Event, RecordListener, kms, record, reference_changes, schema};

pub(crate) struct Recorder {
    pub(crate) events: Events,
    pub(crate) default_trails: Arc<DefaultTrails>,
    /// The accounts in which a failed Git request already creates the default trail.
    pub(crate) accounts: RwLock<HashSet<String>>,
    pub(crate) delivery: Delivery,
    pub(crate) indexer: Indexer,
    pub(crate) form: RecordForm,
    pub(crate) kms_events: bool,
    /// Called after each commit of records.
    pub(crate) listener: OnceLock<RecordListener>,
}

impl Recorder {
    /// Inserts the records of an event, and appends them to `events.ndjson` after the commit.
    pub(crate) fn record(
        self: &Arc<Self>,
        transaction: &Transaction,
        call: &Call,
        mut event: Event,
    ) -> Result<(), Error> {
        if self.kms_events {
            event.derived.extend(kms::events(call, &event));
        }
        for event in event.records(call) {
            let account = record::account(&event, call).as_str();
            if event.failure.is_none() || self.accounts.read().contains(account) {
                self.default_trails.ensure_default_trail_within(transaction, account, call.time)?;
            }
            let line = record::line(&event, call, self.form);
            schema::insert(transaction, call, &event, &line)?;
            reference_changes::insert(transaction, record::event_id(&event, call), &event.reference_changes)?;
            transaction.append_after_commit(Arc::<Self>::clone(self), line);
        }
        Ok(())
    }
}

impl LineSink for Recorder {
    fn append(&self, lines: &[String], last_number: Option<i64>) {
        self.events.append(lines, last_number);
        self.delivery.count(lines.iter().map(|line| line.len() as u64).sum());
        self.indexer.count(lines.len());
        if let Some(listener) = self.listener.get() {
            listener();
        }
    }
}
