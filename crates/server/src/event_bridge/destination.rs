//! Delivery to a URL or to an endpoint that speaks `PutEvents`.
//!
//! **Invariant:** an event is sent when each one before it was delivered or given up. An event that is given up has a line in the log of
//! undelivered events before the position is stored after it.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use aws::{Clock, Region, Timestamp};
use cluster::Role;
use codecommit::BusPosition;
use serde_json::{Value, json};
use ureq::Agent;
use ureq::http::Request;
use worker::{Stop, Work};

use super::Positions;
use super::put_events::{self, BYTES_MAX, ENTRIES_MAX, Entry, SendError};
use super::stream::Stream;
use crate::messages::{self, DeliveryLog, ExchangeError};
use crate::outbox;
use crate::settings::{BusDestination, BusTarget, PutEventsTarget};

/// Delivered events after which the position is stored, even if more wait.
const EVENTS_PER_SAVE: usize = 100;

/// The work of a destination.
pub(super) struct DestinationWork {
    name: String,
    destination: BusDestination,
    retries: Retries,
    /// Gets the events that are given up.
    log: DeliveryLog,
    stream: Stream,
    positions: Positions,
    clock: Arc<dyn Clock>,
    agent: Agent,
    role: Role,
    /// `None` before the first round, after a reset, and when the node gets the role anew.
    progress: Option<Progress>,
}

/// When an event that failed is tried again, and for how long.
#[derive(Clone, Copy, Debug)]
pub(super) struct Retries {
    /// Attempts to send an event before it is given up.
    pub(super) attempts: u32,
    /// Time before the second attempt.
    pub(super) first_retry: Duration,
    /// Age from which an event is not tried again.
    pub(super) age_max: Duration,
}

/// How far the delivery has got.
struct Progress {
    generation: u64,
    /// The term of the role.
    term: Option<u64>,
    /// The position after the last event that was delivered or given up.
    position: BusPosition,
    /// The next events, in their order.
    queue: VecDeque<Queued>,
    /// Failed requests in a row.
    failures: u32,
    /// Whether an event waits since a failure, and none was delivered since.
    is_down: bool,
    /// When the next attempt is due, after a failure.
    due: Option<Timestamp>,
    /// The flushes until now.
    flushes: u64,
    /// Events that were delivered since the position was stored.
    unsaved: usize,
}

struct Queued {
    /// The event as JSON and its value; `None` once it is delivered or given up, and for events that the destination does not get.
    event: Option<(String, Value)>,
    /// Failed attempts to send it.
    attempts: u32,
    /// The position after it.
    position: BusPosition,
}

impl DestinationWork {
    pub(super) fn new(
        name: String,
        destination: BusDestination,
        (retries, log): (Retries, DeliveryLog),
        (stream, positions): (Stream, Positions),
        clock: Arc<dyn Clock>,
        agent: Agent,
        role: Role,
    ) -> Self {
        Self { name, destination, retries, log, stream, positions, clock, agent, role, progress: None }
    }

    /// Delivers events until there are no more or an attempt fails; returns the time until the next attempt.
    fn deliver(&self, progress: &mut Progress, stop: &Stop) -> Result<Option<Duration>, worker::Error> {
        while !stop.is_set() && self.is_current(progress) {
            progress.pass_settled();
            if progress.unsaved >= EVENTS_PER_SAVE {
                self.save(progress)?;
            }
            if progress.queue.is_empty() && !self.fill(progress)? {
                self.save(progress)?;
                return Ok(None);
            }
            progress.pass_settled();
            if progress.queue.is_empty() {
                continue;
            }
            let flushes = self.positions.flushes();
            if std::mem::replace(&mut progress.flushes, flushes) != flushes {
                progress.due = None;
            }
            if let Some(wait) = progress.due.and_then(|due| self.wait(due)) {
                self.save(progress)?;
                return Ok(Some(wait));
            }
            if let Some(error) = self.attempt(progress) {
                self.give_up_old(progress, &error, stop)?;
            }
        }
        progress.pass_settled();
        self.save(progress)?;
        Ok(None)
    }

    /// Reads the next events; returns whether there were any.
    fn fill(&self, progress: &mut Progress) -> Result<bool, worker::Error> {
        let steps = self.stream.after(&progress.position)?;
        let any = !steps.is_empty();
        for step in steps {
            let event = step.json.and_then(|json| Some((serde_json::from_str::<Value>(&json).ok()?, json)));
            let event = event.filter(|(event, _)| self.destination.filter.matches(event));
            let event = event.map(|(event, json)| (json, event));
            progress.queue.push_back(Queued { event, attempts: 0, position: step.position });
        }
        Ok(any)
    }

    /// Returns the time until an attempt, if it is not due.
    fn wait(&self, due: Timestamp) -> Option<Duration> {
        let wait = u64::try_from(due.millis() - self.clock.machine_time().millis()).ok().filter(|wait| *wait > 0)?;
        // A longer time can only come from a clock that was set back.
        Some(Duration::from_millis(wait)).filter(|wait| *wait <= outbox::RETRY_MAX)
    }

    /// Tries once to send the first events, and decides about those that failed; returns the error if some are to be tried again.
    fn attempt(&self, progress: &mut Progress) -> Option<String> {
        let outcomes = self.send(&progress.queue);
        let (mut left, mut given_up, mut is_any_delivered) = (None, Vec::new(), false);
        for (queued, outcome) in progress.queue.iter_mut().filter(|queued| queued.event.is_some()).zip(outcomes) {
            let (error, is_given_up) = match outcome {
                Ok(()) => {
                    queued.event = None;
                    is_any_delivered = true;
                    continue;
                }
                Err(SendError::Temporary(error)) => (error, queued.attempts + 1 >= self.retries.attempts),
                Err(SendError::Final(error)) => (error, true),
            };
            queued.attempts += 1;
            let (destination, attempts) = (&self.name, queued.attempts);
            let id = queued.event.as_ref().and_then(|(_, event)| event["id"].as_str());
            if is_given_up {
                tracing::warn!(destination, event = id, attempts, error, "gave up an event for EventBridge");
                given_up.extend(queued.give_up(self, &error));
            } else {
                tracing::debug!(destination, event = id, attempts, error, "cannot send an event; will retry");
                left.get_or_insert(error);
            }
        }
        self.log.append_all(&given_up);
        self.note_outage(progress, left.as_deref(), is_any_delivered);
        progress.failures = if left.is_some() { progress.failures + 1 } else { 0 };
        let delay = outbox::backoff(self.retries.first_retry, progress.failures);
        progress.due = left.is_some().then(|| outbox::after(&*self.clock, delay));
        left
    }

    /// Logs the beginning and the end of an outage, once each.
    fn note_outage(&self, progress: &mut Progress, error: Option<&str>, is_any_delivered: bool) {
        let destination = &self.name;
        match error {
            Some(error) if !progress.is_down => {
                tracing::warn!(destination, error, "cannot send events for EventBridge; they wait and are sent later");
                progress.is_down = true;
            }
            None if progress.is_down && is_any_delivered => {
                tracing::info!(destination, "events for EventBridge are delivered again");
                progress.is_down = false;
            }
            _ => {}
        }
    }

    /// Gives up the events that are too old to be tried again, after an attempt failed with an error.
    ///
    /// So what waits for a destination that is down has a limit, and an event that no attempt has failed for is always sent once.
    fn give_up_old(&self, progress: &mut Progress, error: &str, stop: &Stop) -> Result<(), worker::Error> {
        let age_max = i64::try_from(self.retries.age_max.as_millis()).unwrap_or(i64::MAX);
        let oldest = self.clock.now().millis().saturating_sub(age_max);
        let reason =
            format!("the event is older than max-age, {:?}; the last attempt failed: {error}", self.retries.age_max);
        let mut count = 0;
        while !stop.is_set() && self.is_current(progress) {
            let old = progress.queue.iter_mut().filter(|queued| queued.is_before(oldest));
            let lines: Vec<Value> = old.filter_map(|queued| queued.give_up(self, &reason)).collect();
            self.log.append_all(&lines);
            count += lines.len();
            progress.pass_settled();
            if !progress.queue.is_empty() || !self.fill(progress)? {
                break;
            }
        }
        if progress.queue.is_empty() {
            (progress.failures, progress.due) = (0, None);
        }
        if count > 0 {
            let (destination, max_age) = (&self.name, self.retries.age_max);
            tracing::warn!(
                destination,
                events = count,
                ?max_age,
                error,
                "gave up events for EventBridge that are too old"
            );
        }
        Ok(())
    }

    /// Sends the first events that wait: one to a URL, up to ten to `PutEvents`; returns the outcome of each.
    fn send(&self, queue: &VecDeque<Queued>) -> Vec<Result<(), SendError>> {
        let mut waiting = queue.iter().filter_map(|queued| queued.event.as_ref());
        match &self.destination.target {
            BusTarget::Url(url) => {
                let Some((json, _)) = waiting.next() else { return Vec::new() };
                let request = Request::post(url).header("content-type", "application/json");
                let request = request.body(json.clone().into_bytes());
                let request = request.map_err(|error| SendError::Final(error.to_string()));
                let exchange = |request| messages::exchange(&self.agent, url, request).map_err(of_url);
                vec![request.and_then(exchange).map(drop)]
            }
            BusTarget::PutEvents(target) => self.put_events(waiting.map(|(_, event)| event), target),
        }
    }

    fn put_events<'q>(
        &self,
        mut waiting: impl Iterator<Item = &'q Value>,
        target: &PutEventsTarget,
    ) -> Vec<Result<(), SendError>> {
        let Some(first) = waiting.next() else { return Vec::new() };
        let place = |event: &'q Value| (event["account"].as_str(), event["region"].as_str());
        let (account, region) = place(first);
        let Some(region) = region.and_then(|region| region.parse::<Region>().ok()) else {
            return vec![Err(SendError::Final("the event has no region".to_owned()))];
        };
        let first_entry = Entry::new(first, target);
        let mut bytes = first_entry.bytes();
        if bytes > BYTES_MAX {
            let reason = format!("the event has {bytes} bytes; PutEvents takes {BYTES_MAX} at most");
            return vec![Err(SendError::Final(reason))];
        }
        let mut entries = vec![first_entry];
        for event in waiting.take(ENTRIES_MAX - 1) {
            let entry = Entry::new(event, target);
            bytes += entry.bytes();
            if place(event) != place(first) || bytes > BYTES_MAX {
                break;
            }
            entries.push(entry);
        }
        let place = (account.unwrap_or_default(), &region);
        let sent = put_events::request(&entries, place, target, self.clock.machine_time())
            .and_then(|request| messages::exchange(&self.agent, &target.url, request).map_err(|error| error.reason));
        match sent {
            Ok(reply) => put_events::outcomes(&reply, entries.len()),
            Err(reason) => vec![Err(SendError::Temporary(reason)); entries.len()],
        }
    }

    /// Returns whether nobody else has removed or sent events since the progress was begun.
    fn is_current(&self, progress: &Progress) -> bool {
        progress.generation == self.positions.generation() && progress.term == self.role.term()
    }

    /// Stores the position if it changed.
    fn save(&self, progress: &mut Progress) -> Result<(), worker::Error> {
        if progress.unsaved > 0 && progress.term == self.role.term() {
            self.positions.save(&self.name, &progress.position, progress.generation)?;
            progress.unsaved = 0;
        }
        Ok(())
    }

    fn begin(&self) -> Result<Progress, worker::Error> {
        // A reset after this makes the generation old, and a position of before is not stored.
        let (generation, term) = (self.positions.generation(), self.role.term());
        let position = self.positions.load(&self.name)?;
        let (queue, flushes) = (VecDeque::new(), self.positions.flushes());
        Ok(Progress { generation, term, position, queue, failures: 0, is_down: false, due: None, flushes, unsaved: 0 })
    }
}

/// Returns the error of a URL. What it refuses as a fault of the client is not tried again, as all later events would wait for it.
fn of_url(ExchangeError { status, reason }: ExchangeError) -> SendError {
    match status {
        Some(401 | 407 | 408 | 409 | 425 | 429) => SendError::Temporary(reason),
        Some(400..=499) => SendError::Final(reason),
        _ => SendError::Temporary(reason),
    }
}

impl Queued {
    /// Returns whether the event, if it waits, happened before a time.
    fn is_before(&self, millis: i64) -> bool {
        let time = self.event.as_ref().and_then(|(_, event)| Timestamp::from_iso(event["time"].as_str()?));
        time.is_some_and(|time| time.millis() <= millis)
    }

    /// Takes the event out of the queue; returns its line for the log.
    fn give_up(&mut self, work: &DestinationWork, reason: &str) -> Option<Value> {
        let (_, event) = self.event.take()?;
        let (name, url, attempts) = (&work.name, work.destination.url(), self.attempts);
        Some(json!({
            "destination": name, "url": url, "outcome": "given up", "attempts": attempts, "reason": reason, "event": event,
        }))
    }
}

impl Progress {
    /// Moves the position behind the first events that are delivered, given up, or not for the destination.
    fn pass_settled(&mut self) {
        while let Some(first) = self.queue.pop_front_if(|first| first.event.is_none()) {
            self.position = first.position;
            self.unsaved += 1;
        }
    }
}

impl Work for DestinationWork {
    fn round(&mut self, stop: &Stop) -> Result<Option<Duration>, worker::Error> {
        let progress = self.progress.take().filter(|progress| self.is_current(progress));
        let mut progress = progress.map_or_else(|| self.begin(), Ok)?;
        let wait = self.deliver(&mut progress, stop);
        self.progress = Some(progress);
        wait
    }
}
