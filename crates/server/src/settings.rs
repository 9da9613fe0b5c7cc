//! Settings: flags, environment variables and a TOML file say the same things, in this order of precedence.

mod buckets;
mod said;
mod triggers;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use aws::{AccountId, Region};

pub use buckets::{RemoteBucket, SaidBucket, Secret};
pub use said::{Durability, EventVersion, GitCapabilities, LogFormat, Said};
pub use triggers::{Destination, SaidTriggers, Triggers};

pub use crate::origin::AllowedHosts;
use crate::units;

/// All settings, each with its value.
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
    pub buckets: BTreeMap<String, RemoteBucket>,
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
    /// Host names that are allowed besides those that only this machine and its network can have.
    pub allowed_hosts: AllowedHosts,
    /// How long requests that run may take when the server stops.
    pub stop_timeout: Duration,
    /// How the service behaves.
    pub codecommit: codecommit::Settings,
}

/// How Git clients are served.
#[derive(Clone, Debug)]
pub struct Git {
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

/// A setting that makes no sense; the text says what to write instead.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct WrongSetting(String);

impl Said {
    /// Gives every setting its value.
    pub fn settings(self) -> Result<Settings, WrongSetting> {
        let ephemeral = self.ephemeral.unwrap_or(false);
        if ephemeral && self.data_dir.is_some() {
            return Err(WrongSetting("data-dir and ephemeral exclude each other: write one of them".to_owned()));
        }
        let body_bytes_max = size("max-body", self.max_body, 64 << 20)?;
        let limits = git::Limits::default();
        let merge = git::MergeLimits::default();
        let region: Region = self.region.as_deref().unwrap_or("us-east-1").parse().map_err(WrongSetting)?;
        let trail_bucket = self.trail_bucket.unwrap_or_else(|| "codecommit-local-trail".to_owned());
        Ok(Settings {
            listen: listen(self.listen.as_deref().unwrap_or("127.0.0.1:4599"))?,
            config: None,
            data_dir: (!ephemeral).then(|| self.data_dir.unwrap_or_else(|| "codecommit-data".into())),
            trail_dir: self.trail_dir,
            buckets: buckets::settings(self.buckets.unwrap_or_default(), &trail_bucket, &region)?,
            trail_bucket,
            buckets_dir: self.buckets_dir,
            account: self.account.as_deref().unwrap_or("111122223333").parse().map_err(WrongSetting)?,
            region,
            identities: self.identities,
            log_interval: time("log-interval", self.log_interval, Duration::from_secs(5))?,
            log_bytes: size("log-size", self.log_size, 5 << 20)?,
            retention: trail::Retention {
                files: age("trail-retention", self.trail_retention)?,
                archive: self.trail_archive,
                events: age("history-retention", self.history_retention)?,
            },
            lookup: trail::LookupSettings {
                delay: time("lookup-delay", self.lookup_delay, Duration::ZERO)?,
                per_second: self.lookup_rate.filter(|per_second| *per_second > 0),
            },
            trails_max: self.trail_limit.unwrap_or(5),
            digest_interval: digest_interval(self.digest_interval)?,
            signing_key: self.signing_key,
            key_rotation: time("key-rotation", self.key_rotation, Duration::from_hours(15 * 24))?,
            event_version: match self.event_version {
                None | Some(EventVersion::V1_05) => trail::EventVersion::V1_05,
                Some(EventVersion::V1_11) => trail::EventVersion::V1_11,
            },
            body_bytes_max,
            durability: match self.durability {
                None | Some(Durability::Normal) => store::Durability::Normal,
                Some(Durability::Full) => store::Durability::Full,
            },
            git: Git {
                offers: match self.git_capabilities {
                    None | Some(GitCapabilities::Aws) => git::Offers::AWS,
                    Some(GitCapabilities::Full) => git::Offers::FULL,
                },
                limits: git::Limits {
                    refs_per_push: self.git_max_refs.unwrap_or(limits.refs_per_push),
                    pack_bytes: size("git-max-pack", self.git_max_pack, limits.pack_bytes)?,
                    object_bytes: size("git-max-object", self.git_max_object, limits.object_bytes)?,
                    expansion_bytes: size("git-max-expansion", self.git_max_expansion, limits.expansion_bytes)?,
                    delta_chain: self.git_max_delta_chain.unwrap_or(limits.delta_chain),
                    request_bytes: body_bytes_max,
                    ..limits
                },
                fsck: self.git_fsck.unwrap_or(true),
                timeout: time("git-timeout", self.git_timeout, Duration::from_mins(5))?,
                pushes: 256,
                push_window: Duration::from_secs(10),
                packs: self.git_packs.filter(|packs| *packs > 0),
                cache_bytes: match self.git_cache {
                    Some(none) if none == "0" => 0,
                    said => size("git-cache", said, 256 << 20)?,
                },
                pack_limit: self.git_pack_limit.unwrap_or(20),
                prune_age: time("git-prune-age", self.git_prune_age, Duration::from_hours(14 * 24))?,
            },
            cache_idle: time("cache-idle", self.cache_idle, Duration::from_mins(5))?,
            triggers: self.triggers.unwrap_or_default().settings()?,
            kms_events: self.kms_events.unwrap_or(false),
            allow_reset: self.allow_reset.unwrap_or(false),
            allowed_hosts: allowed_hosts(self.allowed_host)?,
            stop_timeout: time("stop-timeout", self.stop_timeout, Duration::from_secs(5))?,
            codecommit: codecommit::Settings {
                repositories_max: self.repository_limit.unwrap_or(1_000),
                open_pull_requests_max: self.open_pull_request_limit.unwrap_or(1_000),
                page_sizes: page_sizes(self.page_sizes)?,
                sync: self.durability == Some(Durability::Full),
                fsck: git::Fsck::default(),
                cache_bytes: usize::try_from(size("cache-memory", self.cache_memory, 128 << 20)?).unwrap_or(usize::MAX),
                merge: git::MergeLimits {
                    time: time("merge-timeout", self.merge_timeout, merge.time)?,
                    content_bytes_max: size("merge-max-content", self.merge_max_content, merge.content_bytes_max)?,
                    items_max: self.merge_max_items.unwrap_or(merge.items_max),
                },
                simulate: self.simulate.unwrap_or_default(),
            },
        })
    }
}

impl Default for Settings {
    /// The settings of a program that was told nothing.
    fn default() -> Self {
        Said::default().settings().expect("the defaults make sense")
    }
}

fn page_sizes(said: Option<BTreeMap<String, usize>>) -> Result<BTreeMap<String, usize>, WrongSetting> {
    let sizes = said.unwrap_or_default();
    let wrong = sizes.iter().find(|(name, size)| **size == 0 || codecommit::CodeCommit::operation(name).is_none());
    match wrong {
        Some((name, 0)) => Err(WrongSetting(format!("page-sizes: {name} is 0; write 1 or more"))),
        Some((name, _)) => Err(WrongSetting(format!("page-sizes: {name} is no operation of CodeCommit"))),
        None => Ok(sizes),
    }
}

fn size(name: &str, text: Option<String>, default: u64) -> Result<u64, WrongSetting> {
    text.map_or(Ok(default), |text| units::bytes(&text)).map_err(|error| WrongSetting(format!("{name}: {error}")))
}

fn time(name: &str, text: Option<String>, default: Duration) -> Result<Duration, WrongSetting> {
    text.map_or(Ok(default), |text| units::duration(&text)).map_err(|error| WrongSetting(format!("{name}: {error}")))
}

/// Digests are named by the second in which they are made.
fn digest_interval(text: Option<String>) -> Result<Duration, WrongSetting> {
    let interval = time("digest-interval", text, Duration::from_hours(1))?;
    if interval < Duration::from_secs(1) {
        return Err(WrongSetting("digest-interval: digests are a second or more apart; write 1s or more".to_owned()));
    }
    Ok(interval)
}

/// How old something becomes; for ever if nothing is said.
fn age(name: &str, text: Option<String>) -> Result<Option<Duration>, WrongSetting> {
    text.map(|text| time(name, Some(text), Duration::ZERO)).transpose()
}

fn allowed_hosts(names: Option<Vec<String>>) -> Result<AllowedHosts, WrongSetting> {
    AllowedHosts::parse(names.unwrap_or_default()).map_err(|error| WrongSetting(format!("allowed-host: {error}")))
}

fn listen(text: &str) -> Result<SocketAddr, WrongSetting> {
    let wrong = |_| {
        format!("listen: '{text}' is not an address; write an IP address and a port, such as 127.0.0.1:4599 or [::1]:0")
    };
    text.parse().map_err(wrong).map_err(WrongSetting)
}
