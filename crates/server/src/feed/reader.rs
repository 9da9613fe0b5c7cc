//! A reader of the feed: first it reads the store up to the newest record, then it gets new records as they are published.

use std::sync::Arc;

use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

use super::live::{self, Batch, FeedRecord};
use super::{End, Feed};
use crate::feed_query::Start;

/// A reader, at a position in the sequence of all records.
pub(super) struct Reader {
    feed: Arc<Feed>,
    end: End,
    /// `None` for a reader that does not wait for new records.
    subscription: Option<Receiver<Batch>>,
    cursor: String,
    seq: i64,
    /// Whether there may be records in the store that the subscription does not have.
    is_behind: bool,
}

/// What a reader gets next.
pub(super) enum Next {
    /// Records; the position of the reader is that of the last one it takes.
    Batch(Batch),
    /// There are no further records yet.
    CaughtUp,
    /// The reader cannot continue.
    End,
}

impl Reader {
    /// Opens a reader; `None` if records cannot be read.
    pub(super) async fn open(feed: &Arc<Feed>, start: &Start, waits: bool) -> Option<Self> {
        let end = feed.end();
        let subscription = if waits { Some(live::subscribe(feed).await?) } else { None };
        let cursor = feed.start(start).await?;
        Some(Self { feed: Arc::clone(feed), end, subscription, cursor, seq: 0, is_behind: true })
    }

    /// Returns the cursor of the last record that the reader has taken or skipped.
    pub(super) fn cursor(&self) -> &str {
        &self.cursor
    }

    /// Waits until the reader cannot continue.
    pub(super) async fn end(&mut self) {
        self.end.reached().await;
    }

    /// Returns the next records; a caller that stops to wait loses none.
    pub(super) async fn next(&mut self) -> Next {
        loop {
            if self.is_behind {
                return self.stored().await;
            }
            let Some(subscription) = &mut self.subscription else { return Next::CaughtUp };
            let received = tokio::select! {
                received = subscription.recv() => received,
                () = self.end.reached() => return Next::End,
            };
            match received {
                Ok(batch) => return Next::Batch(batch),
                Err(RecvError::Lagged(_)) => self.is_behind = true,
                Err(RecvError::Closed) => return Next::End,
            }
        }
    }

    async fn stored(&mut self) -> Next {
        let page = tokio::select! {
            biased;
            () = self.end.reached() => None,
            page = self.feed.page(&self.cursor) => page,
        };
        let Some(page) = page else { return Next::End };
        if page.records.is_empty() {
            self.is_behind = false;
            self.seq = seq_of(&page.cursor);
            self.cursor = page.cursor;
            return Next::CaughtUp;
        }
        // After a reset the numbers start again.
        self.seq = self.seq.min(page.records[0].seq - 1);
        Next::Batch(page.records.into_iter().map(FeedRecord::new).collect())
    }

    /// Moves the reader past a record; returns whether it is a new one for the reader.
    pub(super) fn take(&mut self, record: &FeedRecord) -> bool {
        if record.stored.seq <= self.seq {
            return false;
        }
        self.seq = record.stored.seq;
        self.cursor.clone_from(&record.stored.cursor);
        true
    }
}

/// Returns the position of a cursor in the sequence.
fn seq_of(cursor: &str) -> i64 {
    cursor.split_once(':').and_then(|(seq, _)| seq.parse().ok()).unwrap_or(0)
}
