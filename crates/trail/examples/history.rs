//! Measures event history: indexing, searches and counts over a store of generated events. Usage: `history [EVENTS]`
//!
//! Prints the time of each in Markdown; of searches and counts the shortest of several runs, as the machine may be busy.

use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use aws::call::Origin;
use aws::{Call, Caller, Clock, Failure, SystemClock, Timestamp};
use bucket::{Buckets, FolderOptions};
use cluster::Cluster;
use serde_json::{Value, json};
use store::{Durability, Store};
use trail::{CloudTrail, Dimension, EventVersion, LookupSettings, Notifier, Selection, Settings, Trail};

/// Runs of each measurement.
const RUNS: usize = 5;

/// The length of the generated history.
const DAYS: i64 = 7;

/// A notifier that does nothing.
struct NoNotifier;

impl Notifier for NoNotifier {
    fn wake(&self) {}
}

fn main() -> Result<(), Box<dyn Error>> {
    let events: i64 = std::env::args().nth(1).map_or(Ok(1_000_000), |text| text.parse())?;
    let folder = tempfile::tempdir()?;
    let (store, trail) = open(folder.path())?;
    let now = SystemClock.now();
    generate(&store, events, now)?;
    let service = CloudTrail::new(&trail, Arc::new(NoNotifier), LookupSettings::default(), 5);

    println!("| what | time |\n| --- | ---: |");
    let begun = Instant::now();
    search(&trail, &service, &json!({ "LookupAttributes": [attribute("EventName", "GitPush")], "MaxResults": 1 }))
        .map_err(|failure| failure.message)?;
    let indexing = begun.elapsed();
    println!(
        "| indexing, \u{b5}s an event | {:.1} |",
        indexing.as_secs_f64() * 1e6 / f64::from(i32::try_from(events)?)
    );
    let searches = [
        ("newest page", json!({})),
        ("a user", json!({ "LookupAttributes": [attribute("Username", "student-7")] })),
        (
            "failed writes of a user",
            json!({
                "LookupAttributes": [attribute("Username", "student-7"), attribute("ReadOnly", "false")], "FailedOnly": true,
            }),
        ),
        (
            "a user that never calls an operation",
            json!({ "LookupAttributes": [attribute("Username", "student-7"), attribute("EventName", "DeleteRepository")] }),
        ),
        (
            "pushes of two users to a repository",
            json!({
                "LookupAttributes": [
                    attribute("Username", "student-7"), attribute("Username", "student-8"),
                    attribute("EventName", "GitPush"), attribute("ResourceName", "repo-7"),
                ],
                "WithDataOnly": true,
            }),
        ),
    ];
    for (name, input) in searches {
        report(&format!("search: {name}"), || search(&trail, &service, &input).map(drop))?;
    }
    let call = call();
    let all = Selection {
        region: Some("us-east-1"),
        from: now.saturating_sub(Duration::from_hours(24 * 8)),
        until: now,
        user: None,
        name: None,
        repository: None,
        failed: None,
        writes_only: false,
    };
    let last_hour = Selection { from: now.saturating_sub(Duration::from_hours(1)), ..all };
    let pushes = Selection { name: Some("GitPush"), repository: Some("repo-7"), region: None, ..all };
    for (name, selection) in
        [("all", all), ("pushes to a repository, all regions", pushes), ("the last hour", last_hour)]
    {
        for dimension in [Dimension::User, Dimension::Name, Dimension::Outcome] {
            let title = format!("timeline of {name} by {dimension:?}");
            report(&title, || trail.timeline(&call, &selection, dimension, 1_440, 12).map(drop))?;
        }
        report(&format!("heat map of {name}"), || trail.heat_map(&call, &selection, 100).map(drop))?;
        report(&format!("people of {name}"), || trail.people(&call, &selection).map(drop))?;
    }
    Ok(())
}

fn attribute(key: &str, value: &str) -> Value {
    json!({ "AttributeKey": key, "AttributeValue": value })
}

/// Runs an action some times and prints the shortest time.
fn report(name: &str, act: impl Fn() -> Result<(), Failure>) -> Result<(), Box<dyn Error>> {
    let mut shortest = Duration::MAX;
    for _ in 0..RUNS {
        let begun = Instant::now();
        act().map_err(|failure| failure.message)?;
        shortest = shortest.min(begun.elapsed());
    }
    println!("| {name} | {:.2} ms |", shortest.as_secs_f64() * 1e3);
    Ok(())
}

fn search(trail: &Trail, service: &CloudTrail, input: &Value) -> Result<Vec<u8>, Failure> {
    let body = input.to_string().into_bytes();
    Ok(trail.call(trail::SOURCE, CloudTrail::search_events(), service, &call(), Ok(&body))?.body)
}

fn open(folder: &Path) -> Result<(Arc<Store>, Trail), Box<dyn Error>> {
    let store = Arc::new(Store::open(&folder.join("history.db"), Durability::Normal)?);
    let settings = Settings {
        folder: folder.join("trail"),
        home_region: "us-east-1".parse()?,
        event_version: EventVersion::V1_05,
        log_interval: Duration::from_hours(1),
        log_bytes: 5 << 20,
        retention: trail::Retention::default(),
        digest_interval: Duration::from_hours(1),
        signing_key: None,
        key_rotation: Duration::from_hours(360),
        strict_buckets: false,
        sync: false,
        kms_events: false,
        console_events: None,
    };
    let own = ("history".to_owned(), settings.folder.clone());
    let remote = std::collections::BTreeMap::new();
    let buckets = Arc::new(Buckets::new(own, folder.join("buckets"), remote, FolderOptions::default()));
    let trail = Trail::open(
        Arc::clone(&store),
        settings,
        buckets,
        Arc::new(SystemClock),
        Arc::new(NoNotifier),
        &Cluster::alone(),
    )?;
    Ok((store, trail))
}

/// Stores the events of a class of forty students, each with a repository of its own and one for all.
fn generate(store: &Store, events: i64, now: Timestamp) -> Result<(), store::Error> {
    const NAMES: [&str; 12] = [
        "GetBranch",
        "GetRepository",
        "GetFile",
        "GetFolder",
        "GitPull",
        "GitPush",
        "PutFile",
        "CreateCommit",
        "GetDifferences",
        "ListBranches",
        "CreateBranch",
        "GetPullRequest",
    ];
    let account = "111122223333";
    for first in (0..events).step_by(10_000) {
        store.write(move |transaction| {
            for number in first..events.min(first + 10_000) {
                // A sequence without a pattern, the same in each run.
                let random = number.wrapping_mul(0x5851_F42D_4C95_7F2D).rotate_left(31).unsigned_abs();
                let (student, name) = (random % 40, NAMES[(random / 64 % 12) as usize]);
                let repository = if random / 1_024 % 3 == 0 { "shared".to_owned() } else { format!("repo-{student}") };
                let id = format!("{:08x}-{:04x}-4000-8000-{number:012x}", random & 0xFFFF_FFFF, random >> 48);
                let mut record = json!({
                    "eventVersion": "1.05", "eventID": id, "eventName": name, "eventSource": "codecommit.amazonaws.com",
                    "userIdentity": {
                        "type": "IAMUser", "principalId": "AIDACKCEVSQ6C2EXAMPLE", "userName": format!("student-{student}"),
                        "accessKeyId": format!("AKIAIOSFODNN7EXA{student:04}"), "accountId": account,
                    },
                    "requestParameters": { "repositoryName": repository }, "readOnly": name.starts_with("Get") || name.starts_with("List"),
                    "resources": [{
                        "ARN": format!("arn:aws:codecommit:us-east-1:{account}:{repository}"), "accountId": account,
                        "type": "AWS::CodeCommit::Repository",
                    }],
                });
                if name.starts_with("Git") {
                    record["additionalEventData"] = json!({ "dataTransferred": random / 4_096 % 2 == 0, "protocol": "HTTP" });
                }
                if random / 8_192 % 50 == 0 {
                    record["errorCode"] = "AccessDenied".into();
                }
                let time = now.millis() - (events - number) * DAYS * 86_400_000 / events;
                transaction.execute(
                    "INSERT INTO events (event_id, account, region, time, name, record) VALUES (?1, ?2, 'us-east-1', ?3, ?4, ?5)",
                    &[(&id).into(), account.into(), time.into(), name.into(), (&record.to_string()).into()],
                )?;
            }
            Ok::<_, store::Error>(())
        })?;
    }
    Ok(())
}

fn call() -> Arc<Call> {
    let account = || "111122223333".parse().expect("the account is valid");
    let origin = Origin {
        account: account(),
        region: "us-east-1".parse().expect("the region is valid"),
        source_ip_address: "127.0.0.1".to_owned(),
        user_agent: None,
        host: None,
        clone_url_base: String::new(),
        ssh_clone_url_base: String::new(),
        is_secure: false,
        tls: None,
        is_console: false,
    };
    Arc::new(Call::begin(Caller::root(account(), None, None), origin, &SystemClock))
}
