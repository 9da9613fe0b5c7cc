//! Measures the cost of recording: runs the same operations with and without the trail. Usage: `recording [SECONDS]`
//!
//! One operation changes nothing, the other inserts a row; both are decoded and encoded in each run. Without the trail, the one that
//! inserts a row has its own transaction, and the other one has none. Prints a table in Markdown.

use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use aws::call::Origin;
use aws::operation::{Change, Reply};
use aws::{Call, Caller, Clock, Failure, Operation, Step, SystemClock};
use bucket::{Buckets, FolderOptions};
use cluster::Cluster;
use serde_json::{Value, json};
use store::{Durability, Store, Transaction};
use trail::{EventVersion, Notifier, Settings, Source, Trail};

const SOURCE: Source = Source { event_source: "example.amazonaws.com", api_version: Some("2026-01-01") };

type Row = Operation<(), Transaction>;

/// A notifier that does nothing.
struct NoNotifier;

impl Notifier for NoNotifier {
    fn wake(&self) {}
}

fn main() -> Result<(), Box<dyn Error>> {
    let seconds = std::env::args().nth(1).map_or(Ok(3), |text| text.parse())?;
    let reads = Row::read_serde("GetNote", |(), _: &Arc<Call>, input: Value| Ok::<_, Failure>(input));
    let writes = Row::write_serde("PutNote", |(), _: &Arc<Call>, input: Value| {
        let change: Change<Transaction, Value, Failure> = Box::new(move |transaction| {
            let text = input.to_string();
            let added = transaction.execute("INSERT INTO notes (text) VALUES (?1)", &[(&text).into()]);
            added.map_or_else(|_| Err(Failure::internal()), |_| Ok(input))
        });
        Ok::<_, Failure>(change)
    });
    println!(
        "| operation | threads | with the trail, calls/s | without, calls/s | cost of the trail, \u{b5}s a call |"
    );
    println!("| --- | ---: | ---: | ---: | ---: |");
    for (title, operation) in [("changes nothing", &reads), ("adds a row", &writes)] {
        for threads in [1, 16] {
            let folder = tempfile::tempdir()?;
            let place = Place::open(folder.path())?;
            let duration = Duration::from_secs(seconds);
            let with = rate(threads, duration, || place.recorded(operation))?;
            let without = rate(threads, duration, || place.unrecorded(operation))?;
            let part = 1e6 / with - 1e6 / without;
            println!("| {title} | {threads} | {with:.0} | {without:.0} | {part:.1} |");
        }
    }
    Ok(())
}

/// The failure of a call without the trail.
struct Unrecorded(Failure);

impl From<store::Error> for Unrecorded {
    fn from(_: store::Error) -> Self {
        Self(Failure::internal())
    }
}

struct Place {
    store: Arc<Store>,
    trail: Trail,
}

impl Place {
    fn open(folder: &Path) -> Result<Self, Box<dyn Error>> {
        let store = Arc::new(Store::open(&folder.join("recording.db"), Durability::Normal)?);
        store.migrate("recording", &["CREATE TABLE notes (text TEXT NOT NULL)"])?;
        let settings = Settings {
            folder: folder.join("trail"),
            home_region: "us-east-1".parse()?,
            event_version: EventVersion::V1_05,
            console_events: None,
            log_interval: Duration::from_secs(5),
            log_bytes: 5 << 20,
            retention: trail::Retention::default(),
            digest_interval: Duration::from_hours(1),
            signing_key: None,
            key_rotation: Duration::from_hours(360),
            strict_buckets: false,
            sync: false,
            kms_events: false,
        };
        let own = ("recording".to_owned(), settings.folder.clone());
        let buckets = Arc::new(Buckets::new(
            own,
            folder.join("buckets"),
            std::collections::BTreeMap::new(),
            FolderOptions::default(),
        ));
        let clock = Arc::new(SystemClock);
        let trail = Trail::open(Arc::clone(&store), settings, buckets, clock, Arc::new(NoNotifier), &Cluster::alone())?;
        Ok(Self { store, trail })
    }

    fn recorded(&self, operation: &Row) -> Result<Reply, Failure> {
        self.trail.call(SOURCE, operation, &(), &call(), Ok(&body()))
    }

    fn unrecorded(&self, operation: &Row) -> Result<Reply, Failure> {
        match operation.decode(&body())?.run(&(), &call())? {
            Step::Answered(reply) => Ok(reply),
            Step::Change(change) => {
                let changed = self.store.write(move |transaction| change(transaction).map_err(Unrecorded));
                changed.map_err(|Unrecorded(failure)| failure)
            }
        }
    }
}

fn body() -> Vec<u8> {
    json!({ "repositoryName": "MyDemoRepo", "branchName": "main", "text": "A demonstration." }).to_string().into_bytes()
}

fn call() -> Arc<Call> {
    let account = || "111122223333".parse().expect("the account is valid");
    let principal_id = "AIDACKCEVSQ6C2EXAMPLE".to_owned();
    let caller = Caller::iam_user(account(), "Mary_Major", principal_id, Some("AKIAIOSFODNN7EXAMPLE".to_owned()));
    let origin = Origin {
        account: account(),
        region: "us-east-1".parse().expect("the region is valid"),
        source_ip_address: "127.0.0.1".to_owned(),
        user_agent: Some("recording".to_owned()),
        host: None,
        clone_url_base: String::new(),
        ssh_clone_url_base: String::new(),
        is_secure: false,
        tls: None,
        is_console: false,
    };
    let clock: &dyn Clock = &SystemClock;
    Arc::new(Call::begin(caller, origin, clock))
}

/// Returns the calls a second of a number of threads.
fn rate(
    threads: usize,
    duration: Duration,
    act: impl Fn() -> Result<Reply, Failure> + Sync,
) -> Result<f64, Box<dyn Error>> {
    let (done, failed) = (AtomicU64::new(0), AtomicU64::new(0));
    let begun = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while begun.elapsed() < duration {
                    let counted = if act().is_ok() { &done } else { &failed };
                    counted.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
    });
    match failed.into_inner() {
        0 => Ok(f64::from(u32::try_from(done.into_inner())?) / begun.elapsed().as_secs_f64()),
        failed => Err(format!("{failed} calls failed").into()),
    }
}
