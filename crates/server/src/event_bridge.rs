//! Delivery of events for Amazon EventBridge: to `eventbridge.ndjson`, to URLs, and to endpoints that speak `PutEvents`.
//!
//! **Invariant:** each destination gets the events in their order, and has a position of its own, so that none waits for another.
//! An event is in the file before the reply of its call, and there once; other destinations may get an event twice after a crash.
//! Each of several nodes has a file of its own with the events of all, those of others about a second later. One node, by a role, sends to the
//! other destinations.

mod destination;
mod file;
mod filter;
mod put_events;
mod stream;

use std::collections::HashSet;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use aws::Clock;
use aws::event_bridge::EventSink;
use cluster::Cluster;
use codecommit::{BusPosition, CodeCommit, Exception};
use trail::Trail;
use ureq::tls::TlsConfig;
use worker::{Waker, Worker};

use crate::data_folder::{EVENTS, UNDELIVERED_EVENTS};
use crate::event_bridge::destination::{DestinationWork, Retries};
use crate::event_bridge::file::{EventFile, FileWork};
use crate::event_bridge::stream::Stream;
use crate::messages::{self, DeliveryLog};
use crate::roles;
use crate::settings::EventBridge as Settings;

/// The running delivery.
pub(crate) struct EventBridge {
    file: Arc<EventFile>,
    /// The events that were given up.
    undelivered: DeliveryLog,
    /// Whether changes emit events.
    changes: bool,
    positions: Positions,
    names: Vec<String>,
    cluster: Cluster,
    follows_records: bool,
    workers: Vec<Worker>,
    /// Wake the workers of the destinations.
    destination_wakers: Vec<Waker>,
    /// Woken when records were committed; empty if no records are events.
    record_wakers: Vec<Waker>,
}

/// The stored positions of the destinations.
#[derive(Clone)]
pub(crate) struct Positions {
    codecommit: Arc<CodeCommit>,
    /// Grows with each reset, so that no position of before is stored afterwards.
    generation: Arc<AtomicU64>,
    /// Grows with each flush, after which nothing waits for its next attempt.
    flushes: Arc<AtomicU64>,
}

impl EventBridge {
    /// Starts the delivery: completes the file, and continues each destination where it was. A new destination begins with the
    /// events from now on.
    pub(crate) fn start(
        settings: &Settings,
        (data, cluster): (&Path, &Cluster),
        codecommit: &Arc<CodeCommit>,
        trail: &Arc<Trail>,
        clock: &Arc<dyn Clock>,
        tls: TlsConfig,
    ) -> io::Result<Self> {
        let stream = Stream::new(Arc::clone(codecommit), Arc::clone(trail), settings.records);
        let positions =
            Positions { codecommit: Arc::clone(codecommit), generation: Arc::default(), flushes: Arc::default() };
        let file_name = file_name(cluster.node_name());
        let names: Vec<String> =
            std::iter::once(file_name.clone()).chain(settings.destinations.keys().cloned()).collect();
        codecommit.retain_bus_positions(&with_others(&names, cluster)?).map_err(io::Error::other)?;
        for name in &names {
            positions.prepare(name, &stream)?;
        }
        let destinations: Vec<_> = settings.destinations.iter().map(|entry| (entry, Waker::default())).collect();
        let wakers: Vec<_> = destinations.iter().map(|(_, waker)| waker.clone()).collect();
        let place = (file_name.clone(), cluster.is_shared());
        let file = EventFile::open(data.join(EVENTS), place, &positions.load(&file_name)?, &stream, wakers.clone())?;
        let file = Arc::new(file);
        let file_work = FileWork::new(Arc::clone(&file), stream.clone(), positions.clone());
        let mut workers = vec![Worker::start("eventbridge-file", file.waker().clone(), file_work)?];
        let agent = messages::agent(tls);
        let undelivered = DeliveryLog::new(data.join(UNDELIVERED_EVENTS));
        let Settings { attempts, first_retry, age_max, .. } = *settings;
        let role = cluster.role(roles::EVENTS);
        for ((name, destination), waker) in destinations {
            tracing::info!(destination = name, url = destination.url(), "delivers events for EventBridge");
            let work = DestinationWork::new(
                name.clone(),
                destination.clone(),
                (Retries { attempts, first_retry, age_max }, undelivered.clone()),
                (stream.clone(), positions.clone()),
                Arc::clone(clock),
                agent.clone(),
                role.clone(),
            );
            let work = role.work(&waker, work);
            workers.push(Worker::start("eventbridge", waker, work)?);
        }
        let follows_records = settings.records.is_any();
        let destination_wakers = wakers.clone();
        let record_wakers =
            if follows_records { wakers.into_iter().chain([file.waker().clone()]).collect() } else { Vec::new() };
        let changes = settings.changes;
        Ok(Self {
            file,
            undelivered,
            changes,
            positions,
            names,
            cluster: cluster.clone(),
            follows_records,
            workers,
            destination_wakers,
            record_wakers,
        })
    }

    /// Returns what takes the events of calls; `None` if changes emit none.
    pub(crate) fn sink(&self) -> Option<Arc<dyn EventSink>> {
        self.changes.then(|| Arc::<EventFile>::clone(&self.file) as Arc<dyn EventSink>)
    }

    /// Returns what is woken when records were committed.
    pub(crate) fn record_wakers(&self) -> Vec<Waker> {
        self.record_wakers.clone()
    }

    /// Tries events that failed again at once, whenever their next attempt is due.
    pub(crate) fn flush(&self) {
        self.positions.flushes.fetch_add(1, Ordering::SeqCst);
        self.destination_wakers.iter().for_each(Waker::wake);
    }

    /// Stops the delivery, and stores the positions.
    pub(crate) fn stop(&self) {
        for worker in &self.workers {
            worker.stop();
        }
    }

    /// Removes all events and empties the file, after everything else was removed.
    pub(crate) fn clear(&self) -> Result<(), Exception> {
        self.positions.generation.fetch_add(1, Ordering::SeqCst);
        let first_record = self.follows_records.then(String::new);
        let beginning = BusPosition { number: 0, cursor: first_record, bytes: 0 };
        let names = with_others(&self.names, &self.cluster)?;
        self.positions.codecommit.clear_bus_events(&names, &beginning)?;
        self.undelivered.clear()?;
        Ok(self.file.clear(beginning)?)
    }

    /// Returns what must be done after another node has removed all events: the file is begun anew.
    pub(crate) fn restart(&self) -> impl Fn() + Send + Sync + 'static {
        let (file, positions, follows_records) = (Arc::clone(&self.file), self.positions.clone(), self.follows_records);
        move || {
            positions.generation.fetch_add(1, Ordering::SeqCst);
            let cursor = follows_records.then(String::new);
            if let Err(error) = file.clear(BusPosition { number: 0, cursor, bytes: 0 }) {
                tracing::error!(%error, "cannot empty the file of events after a reset by another node");
            }
        }
    }
}

/// Returns the name of the position of a file: each node has a file of its own.
fn file_name(node: Option<&str>) -> String {
    node.map_or_else(|| EVENTS.to_owned(), |node| format!("{EVENTS}@{node}"))
}

/// Adds the names of the positions of the files of other nodes.
fn with_others(names: &[String], cluster: &Cluster) -> io::Result<Vec<String>> {
    let nodes = cluster.nodes().map_err(io::Error::other)?;
    let files = nodes.iter().map(|node| file_name(Some(&node.name)));
    let others: Vec<String> = files.filter(|file| !names.contains(file)).collect();
    Ok(names.iter().cloned().chain(others).collect())
}

impl Positions {
    /// Returns the current generation.
    pub(crate) fn generation(&self) -> u64 {
        self.generation.load(Ordering::SeqCst)
    }

    /// Returns the number of flushes.
    pub(crate) fn flushes(&self) -> u64 {
        self.flushes.load(Ordering::SeqCst)
    }

    /// Returns the position of a destination.
    pub(crate) fn load(&self, name: &str) -> io::Result<BusPosition> {
        Ok(self.codecommit.bus_position(name).map_err(io::Error::other)?.unwrap_or_default())
    }

    /// Stores the position of a destination, unless there was a reset since a generation.
    pub(crate) fn save(&self, name: &str, position: &BusPosition, generation: u64) -> Result<(), Exception> {
        let current = Arc::clone(&self.generation);
        let is_current = move || current.load(Ordering::SeqCst) == generation;
        self.codecommit.save_bus_position(name, position.clone(), is_current)
    }

    /// Removes the events that every destination has.
    pub(crate) fn remove_delivered(&self) -> Result<(), Exception> {
        self.codecommit.remove_delivered_bus_events()
    }

    /// Stores the position at which a destination begins: where it was, or the end of what there is.
    fn prepare(&self, name: &str, stream: &Stream) -> io::Result<()> {
        let stored = self.codecommit.bus_position(name).map_err(io::Error::other)?;
        let end = stream.end().map_err(io::Error::other)?;
        let position = match stored.clone() {
            None => end,
            Some(stored) => BusPosition { cursor: end.cursor.map(|end| stored.cursor.unwrap_or(end)), ..stored },
        };
        if stored.as_ref() == Some(&position) {
            return Ok(());
        }
        self.save(name, &position, self.generation()).map_err(io::Error::other)
    }
}

/// Returns the id of an event.
fn id_of(json: &[u8]) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct Identified {
        id: String,
    }
    serde_json::from_slice::<Identified>(json).ok().map(|event| event.id)
}

/// Ids of events that a file has.
type Ids = HashSet<String>;
