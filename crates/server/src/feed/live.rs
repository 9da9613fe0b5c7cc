//! New records, read from the store once for all readers.
//!
//! **Invariant:** every record that is committed after a subscription is in a batch of it, unless the subscriber lags behind, which it
//! is told.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use cluster::LOOK_INTERVAL;
use serde_json::Value;
use tokio::sync::MutexGuard;
use tokio::sync::broadcast::{self, Receiver, Sender};
use tokio::time::{sleep, timeout};
use trail::StoredRecord;

use super::{End, Feed};
use crate::record_signal::RecordSignal;

/// Shortest time between two reads of new records, and so between two wakes of a reader.
const INTERVAL: Duration = Duration::from_millis(100);

/// Batches that a subscriber can lag behind.
const BATCHES_MAX: usize = 16;

/// Records in the order of their commits.
pub(super) type Batch = Arc<[FeedRecord]>;

/// A record that readers share.
pub(super) struct FeedRecord {
    pub(super) stored: StoredRecord,
    value: OnceLock<Value>,
}

impl FeedRecord {
    pub(super) fn new(stored: StoredRecord) -> Self {
        Self { stored, value: OnceLock::new() }
    }

    /// Returns the parsed record; it is parsed once.
    pub(super) fn value(&self) -> &Value {
        self.value.get_or_init(|| serde_json::from_str(&self.stored.json).unwrap_or_default())
    }
}

/// Subscribes to the records that are committed from now on; `None` if records cannot be read.
pub(super) async fn subscribe(feed: &Arc<Feed>) -> Option<Receiver<Batch>> {
    let mut live = feed.live.lock().await;
    if let Some(sender) = &*live {
        return Some(sender.subscribe());
    }
    let end = feed.end();
    let read = feed.read(|state| {
        let signal = Arc::clone(&state.record_signal);
        Ok((state.trail.cursor_before_last(0)?, Signal { signal, has_others: state.cluster.is_shared() }))
    });
    let (cursor, signal) = read.await?;
    signal.signal.set_watched(true);
    let (sender, receiver) = broadcast::channel(BATCHES_MAX);
    *live = Some(sender.clone());
    tokio::spawn(publish(Arc::clone(feed), signal, sender, cursor, end));
    Some(receiver)
}

/// What tells of new records.
struct Signal {
    signal: Arc<RecordSignal>,
    /// Whether other nodes may commit records, of which nothing tells.
    has_others: bool,
}

impl Signal {
    /// Waits until there may be new records.
    async fn wait(&self) {
        if self.has_others {
            // The time passes if only other nodes have committed records.
            let _ = timeout(LOOK_INTERVAL, self.signal.raised()).await;
        } else {
            self.signal.raised().await;
        }
    }
}

/// Publishes the records after a cursor until there are no subscribers, or the end is reached.
async fn publish(feed: Arc<Feed>, signal: Signal, sender: Sender<Batch>, cursor: String, mut end: End) {
    let mut next = publish_after(&feed, &sender, cursor).await;
    while let Some(cursor) = next {
        let pause = async {
            sleep(INTERVAL).await;
            signal.wait().await;
        };
        tokio::select! {
            () = pause => {}
            () = end.reached() => break,
        }
        let live = feed.live.lock().await;
        if sender.receiver_count() == 0 {
            return stop(live, &signal.signal);
        }
        drop(live);
        next = publish_after(&feed, &sender, cursor).await;
    }
    stop(feed.live.lock().await, &signal.signal);
}

/// Ends the publication; the next subscriber starts it again.
fn stop(mut live: MutexGuard<'_, Option<Sender<Batch>>>, signal: &RecordSignal) {
    *live = None;
    signal.set_watched(false);
}

/// Publishes all records after a cursor, and returns the cursor of the last; `None` if they cannot be read.
async fn publish_after(feed: &Feed, sender: &Sender<Batch>, mut cursor: String) -> Option<String> {
    loop {
        let page = feed.page(&cursor).await?;
        cursor = page.cursor;
        if page.records.is_empty() {
            return Some(cursor);
        }
        // Without subscribers the batch is dropped.
        let _ = sender.send(page.records.into_iter().map(FeedRecord::new).collect());
    }
}
