//! Settings of a server, with defaults.

mod event_bridge;
mod tls;
mod triggers;
pub mod units;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

pub use aws::FixedClockSettings;
use aws::{AccountId, Region};
pub use identity::{Access, AccessKey, Error as IdentitiesError, Identities, SecretKey};
pub use ipnet::IpNet;

pub use bucket::{RemoteSettings, Secret};
pub use event_bridge::{BusDestination, BusFilter, BusTarget, EventBridge, PutEventsTarget};
pub(crate) use tls::is_domain;
pub use tls::{CertificateFiles, TlsMode, TlsNames, TlsSettings};
pub use triggers::{Destination, Triggers};

pub use crate::failures::{Connection, FailureOptions, FailureRule};
pub use crate::origin::AllowedHosts;

/// What is demanded of the buckets and topics of trails; by default nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct DestinationChecks {
    /// Whether a bucket must exist and have a policy that lets CloudTrail write, as on AWS.
    pub buckets: bool,
    /// Whether a topic must exist, which is one that has a destination.
    pub topics: bool,
}

/// Settings of a server.
///
/// ```
/// use std::time::Duration;
///
/// let settings = server::Settings { log_interval: Duration::from_secs(1), ..server::Settings::ephemeral() };
/// assert_eq!(settings.listen[0].port(), 0);
/// ```
#[derive(Clone, Debug)]
pub struct Settings {
    /// Addresses and ports to listen on, at least one; port 0 takes a free one.
    pub listen: Vec<SocketAddr>,
    /// Address and port of Git over SSH; port 0 takes a free one, `None` is off.
    pub ssh_listen: Option<SocketAddr>,
    /// TLS of the listeners.
    pub tls: TlsSettings,
    /// PEM file of the certificate authorities that outgoing requests trust; `None` trusts the public ones.
    pub client_ca: Option<PathBuf>,
    /// File that the settings were read from; it can hold secrets, so it must not lie in a bucket.
    pub config: Option<PathBuf>,
    /// Folder of the repositories and the database; `None` is a temporary one that is removed at the end.
    pub data_dir: Option<PathBuf>,
    /// Place of the Git objects and large files that several nodes share; `None` is the data folder, with one node.
    pub objects: Option<ObjectsPlace>,
    /// Folder of the trail; `None` is `trail` in the data folder.
    pub trail_dir: Option<PathBuf>,
    /// Name of the bucket whose objects are the files of the trail folder.
    pub trail_bucket: String,
    /// Folder of all other buckets; `None` is `buckets` beside the trail folder.
    pub buckets_dir: Option<PathBuf>,
    /// Buckets at other endpoints, by name.
    pub buckets: BTreeMap<String, RemoteSettings>,
    /// Folder, or file `seed.toml`, of the seed that a new data folder starts with.
    pub seed: Option<PathBuf>,
    /// Whether the seed leaves the records that its calls would leave.
    pub seed_events: bool,
    /// Account of callers that name none.
    pub account: AccountId,
    /// Region of requests that name none.
    pub region: Region,
    /// File of accounts, users, roles and access keys.
    pub identities: Option<PathBuf>,
    /// Whether credentials are verified.
    pub access: Access,
    /// Access key of the administrator, the root of `account`; `None` creates one in a new data folder. Open access has none.
    pub administrator: Option<AccessKey>,
    /// Maximum difference between the date of a signature and the clock; `None` accepts every date.
    pub max_clock_skew: Option<Duration>,
    /// Time until recorded events are delivered in a log file.
    pub log_interval: Duration,
    /// Size of records, in bytes, that fills a log file.
    pub log_bytes: u64,
    /// Retention of the trail's files and of event history.
    pub retention: trail::Retention,
    /// Delay and rate of lookups in event history.
    pub lookup: trail::LookupSettings,
    /// What is demanded of the buckets and topics of trails.
    pub destination_checks: DestinationChecks,
    /// Trails that an account can have in a region; AWS's limit is 5.
    pub trails_max: usize,
    /// Time between digests.
    pub digest_interval: Duration,
    /// Private key that signs digests; `None` creates keys and stores them in the database.
    pub signing_key: Option<PathBuf>,
    /// Time that a key signs digests before the next key is created.
    pub key_rotation: Duration,
    /// Version of the event records.
    pub event_version: trail::EventVersion,
    /// Form of the records of console calls; `None` is the form that belongs to the version.
    pub console_events: Option<trail::ConsoleEvents>,
    /// Largest body of an API request or fetch request, in bytes.
    pub body_bytes_max: u64,
    /// A server with PostgreSQL that holds the database; `None` is a file of SQLite in the data folder.
    pub database: Option<store::postgres::ServerSettings>,
    /// Name of this server among those that use the same database on a server; `None` is the name of the machine.
    pub node_name: Option<String>,
    /// Durability of acknowledged calls.
    pub durability: store::Durability,
    /// Time after which unused caches are released and unused repositories are closed.
    pub cache_idle: Duration,
    /// Settings for Git clients.
    pub git: Git,
    /// Delivery of trigger messages.
    pub triggers: Triggers,
    /// Delivery of events for Amazon EventBridge.
    pub event_bridge: EventBridge,
    /// Whether the calls to AWS KMS that CodeCommit makes at AWS are recorded.
    pub kms_events: bool,
    /// Whether the console is served; `None` serves it if all addresses of `listen` are loopback addresses.
    pub console: Option<bool>,
    /// Whether `POST /_local/reset` may remove all data, and `POST /_local/snapshots/NAME/restore` replace them.
    pub allow_reset: bool,
    /// Times and ids that are the same in each run; by default they are the system's.
    pub clock: FixedClockSettings,
    /// Proxies whose `X-Forwarded-For`, `X-Forwarded-Proto` and headers of the PROXY protocol are trusted.
    pub trusted_proxies: Vec<IpNet>,
    /// Host names that are allowed besides names outside public DNS.
    pub allowed_hosts: AllowedHosts,
    /// Time for running requests to finish when the server stops.
    pub stop_timeout: Duration,
    /// Calls that fail on demand, to test clients.
    pub failures: Vec<FailureRule>,
    /// Settings of the CodeCommit service.
    pub codecommit: codecommit::Settings,
}

/// Place of the Git objects and large files that several nodes share.
#[derive(Clone, Debug)]
pub enum ObjectsPlace {
    /// A folder that all nodes can write to.
    Folder(PathBuf),
    /// A bucket, which is none of those that trails and callers can name.
    Bucket {
        /// Its name.
        name: String,
        /// What the keys of all objects begin with, a slash at its end; or nothing.
        prefix: String,
        /// How it is reached.
        remote: RemoteSettings,
    },
}

impl ObjectsPlace {
    /// Returns the folder, if it is one.
    pub(crate) fn folder(&self) -> Option<&PathBuf> {
        match self {
            Self::Folder(folder) => Some(folder),
            Self::Bucket { .. } => None,
        }
    }
}

/// Whether Git clients must send credentials, whose user name names the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GitAuth {
    /// A Git request without credentials gets status 401, so that the client sends those that it has.
    Ask,
    /// A Git request without credentials is made by the default user.
    Never,
}

/// Settings for Git clients.
#[derive(Clone, Debug)]
pub struct Git {
    /// Whether clients must send credentials; `None` requires them if there is an identities file.
    pub auth: Option<GitAuth>,
    /// Capabilities that clients are offered.
    pub offers: git::Offers,
    /// Limits of one request; the size of requests is `body_bytes_max`.
    pub limits: git::Limits,
    /// Whether the form of pushed and written objects is checked.
    pub fsck: bool,
    /// Idle timeout of all connections.
    pub timeout: Duration,
    /// Pushes that are received at the same time; the limit leaves threads for fetches.
    pub pushes: usize,
    /// Time for which a slow push can keep other pushes waiting.
    pub push_window: Duration,
    /// Packs that are computed at the same time; `None` is one for each processor.
    pub packs: Option<usize>,
    /// Disk space for computed packs, in bytes.
    pub cache_bytes: u64,
    /// Packs of a repository before maintenance combines them; 0 never combines.
    pub pack_limit: usize,
    /// Time that unreachable objects are kept.
    pub prune_age: Duration,
    /// Git LFS; its limits are settings of the service.
    pub lfs: Lfs,
}

/// Git LFS.
#[derive(Clone, Copy, Debug)]
pub struct Lfs {
    /// Whether large files are served.
    pub is_on: bool,
    /// Whether its requests are recorded.
    pub events: bool,
    /// Disk space for large files that were fetched from a bucket, in bytes.
    pub cache_bytes: u64,
}

impl Default for Lfs {
    fn default() -> Self {
        Self { is_on: true, events: true, cache_bytes: 10 << 30 }
    }
}

impl Settings {
    /// Returns whether Git requests without credentials get status 401, by default if there is an identities file.
    pub(crate) fn asks_git_credentials(&self, has_identities_file: bool) -> bool {
        self.access != Access::Open || self.git.auth.map_or(has_identities_file, |auth| auth == GitAuth::Ask)
    }

    /// Returns whether the console is served.
    pub(crate) fn has_console(&self) -> bool {
        self.console.unwrap_or_else(|| self.listen.iter().all(|address| address.ip().to_canonical().is_loopback()))
    }

    /// Returns the identities file, or else that of the seed.
    pub(crate) fn identities_file(&self) -> Option<PathBuf> {
        self.identities.clone().or_else(|| seed::identities_file(self.seed.as_deref()?))
    }

    /// Returns the settings of a server for tests: a free port, and temporary folders that are removed when it stops.
    pub fn ephemeral() -> Self {
        Self { listen: vec![([127, 0, 0, 1], 0).into()], data_dir: None, ..Self::default() }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            listen: vec![([127, 0, 0, 1], 4599).into()],
            ssh_listen: None,
            tls: TlsSettings::default(),
            client_ca: None,
            config: None,
            data_dir: Some("codecommit-data".into()),
            objects: None,
            trail_dir: None,
            trail_bucket: "codecommit-local-trail".to_owned(),
            buckets_dir: None,
            buckets: BTreeMap::new(),
            seed: None,
            seed_events: false,
            account: "111122223333".parse().expect("twelve digits are an account id"),
            region: "us-east-1".parse().expect("the name is a region of AWS"),
            identities: None,
            access: Access::Open,
            administrator: None,
            max_clock_skew: Some(Duration::from_mins(15)),
            log_interval: Duration::from_secs(5),
            log_bytes: 5 << 20,
            retention: trail::Retention::default(),
            lookup: trail::LookupSettings::default(),
            destination_checks: DestinationChecks::default(),
            trails_max: 5,
            digest_interval: Duration::from_hours(1),
            signing_key: None,
            key_rotation: Duration::from_hours(15 * 24),
            event_version: trail::EventVersion::V1_05,
            console_events: None,
            body_bytes_max: 64 << 20,
            database: None,
            node_name: None,
            durability: store::Durability::Normal,
            cache_idle: Duration::from_mins(5),
            git: Git::default(),
            triggers: Triggers::default(),
            event_bridge: EventBridge::default(),
            kms_events: false,
            console: None,
            allow_reset: false,
            clock: FixedClockSettings { step: Duration::from_secs(1), ..FixedClockSettings::default() },
            trusted_proxies: Vec::new(),
            allowed_hosts: AllowedHosts::default(),
            stop_timeout: Duration::from_secs(5),
            failures: Vec::new(),
            codecommit: codecommit::Settings::default(),
        }
    }
}

impl Default for Git {
    fn default() -> Self {
        Self {
            auth: None,
            offers: git::Offers::AWS,
            limits: git::Limits { request_bytes: 64 << 20, ..git::Limits::default() },
            fsck: true,
            timeout: Duration::from_mins(5),
            pushes: 256,
            push_window: Duration::from_secs(10),
            packs: None,
            cache_bytes: 256 << 20,
            pack_limit: 20,
            prune_age: Duration::from_hours(14 * 24),
            lfs: Lfs::default(),
        }
    }
}
