//! Commits whose answer was lost with the connection.

use std::thread;
use std::time::{Duration, Instant};

use super::Writer;
use crate::mode::Mode;
use crate::postgres::{FIND_RECEIPT, Receipt};
use crate::{Error, Transaction};

/// Maximum time to look a commit up.
const TIME_MAX: Duration = Duration::from_secs(5);

/// Time between two attempts.
const INTERVAL: Duration = Duration::from_millis(100);

impl Writer {
    /// After a commit that failed: if its answer was lost, finds out on another connection whether it was committed.
    pub(super) fn look_up(&self, transaction: &Transaction, error: Error) -> Result<(), Error> {
        let (Error::Unknown(_), Some(receipt)) = (&error, transaction.receipt()) else { return Err(error) };
        tracing::warn!(%error, "looking up whether the changes were committed");
        let deadline = Instant::now() + TIME_MAX;
        loop {
            match (self.open)().and_then(|transaction| is_written(&transaction, &receipt)) {
                Ok(true) => return Ok(()),
                Ok(false) => return Err(Error::Lost),
                Err(_) if Instant::now() < deadline => thread::sleep(INTERVAL),
                Err(_) => return Err(error),
            }
        }
    }
}

/// Looks for a receipt. The transaction first takes the lock, which the lost connection has until its commit was made or has failed.
fn is_written(transaction: &Transaction, receipt: &Receipt) -> Result<bool, Error> {
    transaction.begin(Mode::Write)?;
    let found = transaction.query_one(FIND_RECEIPT, &receipt.values(), |_row| Ok(()));
    transaction.roll_back();
    found.map(|row| row.is_some())
}
