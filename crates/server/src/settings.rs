//! Settings of a server, each with its value.

mod triggers;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use aws::{AccountId, Region};
pub use ipnet::IpNet;

pub use bucket::{RemoteSettings, Secret};
pub use triggers::{Destination, Triggers};

pub use crate::origin::AllowedHosts;

/// Settings of a server.
///
/// ```
/// use std::time::Duration;
///
/// let settings = server::Settings { log_interval: Duration::from_secs(1), ..server::Settings::ephemeral() };
/// assert_eq!(settings.listen.port(), 0);
/// ```
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The file that the settings were read from, if there is one: secrets can stand in it.
    pub config: Option<PathBuf>,
    /// The folder of the repositories and the database; `None` keeps them in a temporary one, gone at the end.
    pub data_dir: Option<PathBuf>,
    /// The folder of the trail; `None` is `trail` in the data folder.
    pub trail_dir: Option<PathBuf>,
    /// The bucket that the folder of the trail is.
    pub trail_bucket: String,
    /// The folder of all other buckets; `None` is `buckets` beside the folder of the trail.
    pub buckets_dir: Option<PathBuf>,
    /// The buckets that lie elsewhere, by name.
    pub buckets: BTreeMap<String, RemoteSettings>,
    /// The account of callers who name none.
    pub account: AccountId,
    /// The region of requests that name none.
    pub region: Region,
    /// The file of accounts and users.
    pub identities: Option<PathBuf>,
    /// How long events wait at most before a log file is written.
    pub log_interval: Duration,
    /// How many bytes of records fill a log file.
    pub log_bytes: u64,
    /// What of the trail is removed when it is old.
    pub retention: trail::Retention,
    /// How lookups in event history behave.
    pub lookup: trail::LookupSettings,
    /// How many trails an account can have in a region; AWS's limit is 5.
    pub trails_max: usize,
    /// How long it is from one digest to the next.
    pub digest_interval: Duration,
    /// The private key that digests are signed with; `None` makes keys and keeps them.
    pub signing_key: Option<PathBuf>,
    /// How long a key signs digests before another one is made.
    pub key_rotation: Duration,
    /// Which shape records have.
    pub event_version: trail::EventVersion,
    /// The largest body of an API request or fetch request.
    pub body_bytes_max: u64,
    /// What an acknowledged call survives.
    pub durability: store::Durability,
    /// How long caches and open repositories are kept that nobody uses.
    pub cache_idle: Duration,
    /// How Git clients are served.
    pub git: Git,
    /// How messages of triggers are delivered.
    pub triggers: Triggers,
    /// Whether calls to AWS KMS are recorded that CodeCommit makes on AWS.
    pub kms_events: bool,
    /// Whether everything can be emptied.
    pub allow_reset: bool,
    /// Proxies whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Host names that are allowed besides those that only this machine and its network can have.
    pub allowed_hosts: AllowedHosts,
    /// How long requests that run may take when the server stops.
    pub stop_timeout: Duration,
    /// How the service behaves.
    pub codecommit: codecommit::Settings,
}

/// Whether the server asks Git clients for a user name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GitAuth {
    /// A Git request without credentials gets 401, so that clients send those they have.
    Ask,
    /// A Git request without credentials is the default user's.
    Never,
}

/// How Git clients are served.
#[derive(Clone, Debug)]
pub struct Git {
    /// Whether they are asked for credentials; `None` asks if there is an identities file.
    pub auth: Option<GitAuth>,
    /// What they are offered.
    pub offers: git::Offers,
    /// How much one request may ask; the size of requests is that of all requests.
    pub limits: git::Limits,
    /// Whether the form of pushed objects is checked.
    pub fsck: bool,
    /// How long a client may neither send nor take anything; that goes for all clients.
    pub timeout: Duration,
    /// How many pushes are taken in at once; others wait, and there are threads left for those who fetch.
    pub pushes: usize,
    /// How long a client that pushes too slowly keeps others waiting.
    pub push_window: Duration,
    /// How many packs are made at once; `None` is one for each processor.
    pub packs: Option<usize>,
    /// The disk space for packs that were made, in bytes.
    pub cache_bytes: u64,
    /// How many packs a repository may have before the background makes them one; 0 leaves them all.
    pub pack_limit: usize,
    /// How long objects that no reference leads to are kept.
    pub prune_age: Duration,
}

impl Settings {
    /// Whether Git requests without credentials are answered with 401.
    pub(crate) fn asks_git_credentials(&self) -> bool {
        self.git.auth.map_or(self.identities.is_some(), |auth| auth == GitAuth::Ask)
    }

    /// Returns the settings of a server for tests: a free port, and temporary folders that are removed when it stops.
    pub fn ephemeral() -> Self {
        Self { listen: ([127, 0, 0, 1], 0).into(), data_dir: None, ..Self::default() }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            listen: ([127, 0, 0, 1], 4599).into(),
            config: None,
            data_dir: Some("codecommit-data".into()),
            trail_dir: None,
            trail_bucket: "codecommit-local-trail".to_owned(),
            buckets_dir: None,
            buckets: BTreeMap::new(),
            account: "111122223333".parse().expect("twelve digits are an account"),
            region: "us-east-1".parse().expect("it is a region of AWS"),
            identities: None,
            log_interval: Duration::from_secs(5),
            log_bytes: 5 << 20,
            retention: trail::Retention::default(),
            lookup: trail::LookupSettings::default(),
            trails_max: 5,
            digest_interval: Duration::from_hours(1),
            signing_key: None,
            key_rotation: Duration::from_hours(15 * 24),
            event_version: trail::EventVersion::V1_05,
            body_bytes_max: 64 << 20,
            durability: store::Durability::Normal,
            cache_idle: Duration::from_mins(5),
            git: Git::default(),
            triggers: Triggers::default(),
            kms_events: false,
            allow_reset: false,
            trusted_proxies: Vec::new(),
            allowed_hosts: AllowedHosts::default(),
            stop_timeout: Duration::from_secs(5),
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
        }
    }
}
