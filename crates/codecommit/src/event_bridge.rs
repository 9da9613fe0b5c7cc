//! Events for Amazon EventBridge: stored in the transaction of the change that they report.
//!
//! **Invariant:** an event has a number that grows with the order of the commits, and stays stored until every destination has
//! it. Its detail is written beside the resource that it reports: in `bus_event.rs` of each resource.

mod outbox;

use std::sync::Arc;

use aws::Call;
use aws::event_bridge::{BusEvent, CommittedEvent};
use serde::Serialize;
use store::{Error, Transaction};

pub use outbox::{BusPosition, StoredBusEvent};

/// `source` of the events.
const SOURCE: &str = "aws.codecommit";

/// Stores an event for each detail, with the same resources, and hands them to the call's sink after the commit.
///
/// A call without a sink emits no events.
pub(crate) fn emit<D: Serialize>(
    transaction: &Transaction,
    call: &Call,
    detail_type: &str,
    resources: &[String],
    details: impl IntoIterator<Item = D>,
) -> Result<(), Error> {
    let Some(sink) = &call.event_sink else { return Ok(()) };
    let mut committed = Vec::new();
    for detail in details {
        let place = (call.account.as_str(), call.region.as_str());
        let mut event = BusEvent::new(call.new_bus_event_id(), (SOURCE, detail_type), place, call.time, detail);
        event.resources = resources.to_vec();
        let json = event.json();
        let insert = "INSERT INTO bus_events (event) VALUES (?1) RETURNING number";
        let number = transaction.query_one(insert, &[(&json).into()], |row| row.integer(0))?;
        committed.push(CommittedEvent { number: number.ok_or(Error::Damaged("the number of an event"))?, json });
    }
    if !committed.is_empty() {
        let sink = Arc::clone(sink);
        transaction.after_commit(move || sink.take(&committed));
    }
    Ok(())
}

/// Returns the address of a page of a repository in AWS's console, which the texts of events contain.
pub(crate) fn console_url(call: &Call, repository: &str, page: &str) -> String {
    let region = &call.region;
    format!(
        "https://{region}.console.aws.amazon.com/codesuite/codecommit/repositories/{repository}/{page}?region={region}"
    )
}
