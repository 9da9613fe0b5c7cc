//! Settings as flags, environment variables and the configuration file have them, before defaults are filled in.

mod buckets;
mod declare;
mod event_bridge;
mod file;
mod one_or_many;
mod setting_error;
mod settings;
mod simulate;
mod triggers;
mod values;

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Args;
use serde::Deserialize;

pub use buckets::BucketOptions;
use declare::settings;
pub use event_bridge::{BusDestinationOptions, EventBridgeOptions};
pub use server::settings::units;
pub use setting_error::SettingError;
pub use simulate::SimulateOptions;
pub use triggers::TriggerOptions;
pub use values::{
    Access, BusCalls, ConsoleEvents, Durability, EventVersion, GitAuth, GitCapabilities, LfsArchives, LogFormat,
    LogLevel, OnOff, TlsMode, YesNo,
};

settings! {
/// Settings from one source: flags and environment variables, or a file. `None` means that the source does not have it.
#[derive(Args, Clone, Default, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct Options {
    /// Addresses and ports to listen on, separated by commas; port 0 takes a free one [default: 127.0.0.1:4599]
    #[arg(long, env = "CODECOMMIT_LOCAL_LISTEN", value_name = "ADDRESS:PORT", help_heading = "Server", value_delimiter = ',')]
    #[serde(deserialize_with = "one_or_many::texts")]
    pub listen: Option<Vec<String>>,
    /// Address and port of Git over SSH; port 0 takes a free one [default: off]
    #[arg(long, env = "CODECOMMIT_LOCAL_SSH_LISTEN", value_name = "ADDRESS:PORT", help_heading = "Server")]
    pub ssh_listen: Option<String>,
    /// TLS on the same ports as plain HTTP: auto: clients use either; off: plain HTTP only; require: TLS only [default: auto]
    #[arg(long, env = "CODECOMMIT_LOCAL_TLS", value_name = "MODE", help_heading = "Server")]
    pub tls: Option<TlsMode>,
    /// PEM file of a certificate, followed by its issuers', to use instead of certificates of the local certificate authority
    #[arg(long, env = "CODECOMMIT_LOCAL_TLS_CERT", value_name = "FILE", help_heading = "Server", hide_short_help = true)]
    pub tls_cert: Option<PathBuf>,
    /// PEM file of the private key of --tls-cert
    #[arg(long, env = "CODECOMMIT_LOCAL_TLS_KEY", value_name = "FILE", help_heading = "Server", hide_short_help = true)]
    pub tls_key: Option<PathBuf>,
    /// Host names, with all names below them, and addresses under which clients use TLS, besides localhost, AWS's names and this
    /// machine's; separated by commas
    #[arg(
        long,
        env = "CODECOMMIT_LOCAL_TLS_NAME",
        value_name = "NAME",
        help_heading = "Server",
        hide_short_help = true,
        value_delimiter = ',',
    )]
    #[serde(deserialize_with = "one_or_many::texts")]
    pub tls_name: Option<Vec<String>>,
    /// PEM file of the certificate authorities that requests to destinations of triggers and events and to remote buckets trust, instead of the public ones
    #[arg(long, env = "CODECOMMIT_LOCAL_CLIENT_CA", value_name = "FILE", help_heading = "Server", hide_short_help = true)]
    pub client_ca: Option<PathBuf>,
    /// Host names under which clients and web pages may use the server, besides names that public DNS cannot have:
    /// git.example.com, *.example.com, or * for any; separated by commas
    #[arg(
        long,
        env = "CODECOMMIT_LOCAL_ALLOWED_HOST",
        value_name = "NAME",
        help_heading = "Server",
        hide_short_help = true,
        value_delimiter = ',',
    )]
    pub allowed_host: Option<Vec<String>>,
    /// Whether the console, the web pages, is served [default: yes if all addresses of --listen are this machine's own]
    #[arg(long, env = "CODECOMMIT_LOCAL_CONSOLE", value_name = "WHETHER", help_heading = "Server")]
    pub console: Option<YesNo>,
    /// Allow `POST /_local/reset` to remove all data, snapshots to be taken and restored, and failures to be changed
    #[arg(
        long,
        env = "CODECOMMIT_LOCAL_ALLOW_RESET",
        value_name = "BOOL",
        help_heading = "Tests",
        num_args = 0..=1, default_missing_value = "true",
    )]
    pub allow_reset: Option<bool>,
    /// Time of the first call, such as 2026-01-31T12:00:00Z; the clock moves with the calls only [default: the machine's time]
    #[arg(long, env = "CODECOMMIT_LOCAL_CLOCK", value_name = "DATE", help_heading = "Tests")]
    pub clock: Option<String>,
    /// Time from one call to the next with --clock [default: 1s]
    #[arg(long, env = "CODECOMMIT_LOCAL_CLOCK_STEP", value_name = "TIME", help_heading = "Tests")]
    pub clock_step: Option<String>,
    /// Text that all ids are derived from, so that they are the same in each run [default: random ids]
    #[arg(long, env = "CODECOMMIT_LOCAL_ID_SEED", value_name = "TEXT", help_heading = "Tests")]
    pub id_seed: Option<String>,
    /// Largest body of an API request, of a `git fetch` request, and of the commands of a push [default: 64MB]
    #[arg(long, env = "CODECOMMIT_LOCAL_MAX_BODY", value_name = "SIZE", help_heading = "Server", hide_short_help = true)]
    pub max_body: Option<String>,
    /// Time for running requests to finish when the server stops [default: 5s]
    #[arg(long, env = "CODECOMMIT_LOCAL_STOP_TIMEOUT", value_name = "TIME", help_heading = "Server", hide_short_help = true)]
    pub stop_timeout: Option<String>,
    /// Stop, as on SIGTERM, when the other end of standard input, a pipe, is closed: with the process that started the server
    #[arg(
        long,
        env = "CODECOMMIT_LOCAL_EXIT_WITH_PARENT",
        value_name = "BOOL",
        help_heading = "Server",
        num_args = 0..=1, default_missing_value = "true",
    )]
    pub exit_with_parent: Option<bool>,
    /// Folder of the repositories and the database [default: ./codecommit-data]
    #[arg(long, env = "CODECOMMIT_LOCAL_DATA_DIR", value_name = "FOLDER", help_heading = "Data")]
    pub data_dir: Option<PathBuf>,
    /// Keep everything in temporary folders that are removed at exit
    #[arg(
        long,
        env = "CODECOMMIT_LOCAL_EPHEMERAL",
        value_name = "BOOL",
        help_heading = "Data",
        num_args = 0..=1, default_missing_value = "true",
    )]
    pub ephemeral: Option<bool>,
    /// Folder, or file seed.toml, of what a new data folder starts with: repositories, pull requests, trails, events
    #[arg(long, env = "CODECOMMIT_LOCAL_SEED", value_name = "FOLDER", help_heading = "Data")]
    pub seed: Option<PathBuf>,
    /// Whether the seed leaves the records that its calls would leave [default: no]
    #[arg(long, env = "CODECOMMIT_LOCAL_SEED_EVENTS", value_name = "WHETHER", help_heading = "Data")]
    pub seed_events: Option<YesNo>,
    /// What an acknowledged call survives: normal: the end of the process; full: a power failure too [default: normal]
    #[arg(long, env = "CODECOMMIT_LOCAL_DURABILITY", value_name = "LEVEL", help_heading = "Data", hide_short_help = true)]
    pub durability: Option<Durability>,
    /// Memory for all caches together: histories, decoded objects, references [default: 128MB]
    #[arg(long, env = "CODECOMMIT_LOCAL_CACHE_MEMORY", value_name = "SIZE", help_heading = "Data", hide_short_help = true)]
    pub cache_memory: Option<String>,
    /// Time after which unused caches are released and unused repositories are closed [default: 5m]
    #[arg(long, env = "CODECOMMIT_LOCAL_CACHE_IDLE", value_name = "TIME", help_heading = "Data", hide_short_help = true)]
    pub cache_idle: Option<String>,
    /// Account of callers that name none [default: 111122223333]
    #[arg(long, env = "CODECOMMIT_LOCAL_ACCOUNT", value_name = "ACCOUNT", help_heading = "Callers")]
    pub account: Option<String>,
    /// Region of requests that name none [default: us-east-1]
    #[arg(long, env = "CODECOMMIT_LOCAL_REGION", value_name = "REGION", help_heading = "Callers")]
    pub region: Option<String>,
    /// TOML file of accounts, users, roles and their access keys
    #[arg(long, env = "CODECOMMIT_LOCAL_IDENTITIES", value_name = "FILE", help_heading = "Callers")]
    pub identities: Option<PathBuf>,
    /// What credentials are for: open: they name the caller, and nothing is verified; signed: they must be valid, and their
    /// caller may do everything [default: open]
    #[arg(long, env = "CODECOMMIT_LOCAL_ACCESS", value_name = "MODE", help_heading = "Callers")]
    pub access: Option<Access>,
    /// Access key id of the administrator, for signed access [default: a new key, which is printed once]
    #[arg(
        long,
        env = "CODECOMMIT_LOCAL_ROOT_ACCESS_KEY",
        value_name = "ID",
        help_heading = "Callers",
        hide_short_help = true,
    )]
    pub root_access_key: Option<String>,
    /// Secret of the administrator's access key
    #[arg(
        long,
        env = "CODECOMMIT_LOCAL_ROOT_SECRET_KEY",
        value_name = "SECRET",
        help_heading = "Callers",
        hide_short_help = true,
        hide_env_values = true,
    )]
    pub root_secret_key: Option<String>,
    /// Maximum difference between the date of a signature and the clock; off accepts every date [default: 15m]
    #[arg(
        long,
        env = "CODECOMMIT_LOCAL_MAX_CLOCK_SKEW",
        value_name = "TIME",
        help_heading = "Callers",
        hide_short_help = true,
    )]
    pub max_clock_skew: Option<String>,
    /// Ask Git clients for credentials, whose user name names the caller; no password is checked [default: ask if there is an
    /// identities file, else never]
    #[arg(long, env = "CODECOMMIT_LOCAL_GIT_AUTH", value_name = "WHEN", help_heading = "Callers")]
    pub git_auth: Option<GitAuth>,
    /// Addresses and networks of proxies whose X-Forwarded-For and X-Forwarded-Proto are believed, separated by commas
    #[arg(
        long,
        env = "CODECOMMIT_LOCAL_TRUSTED_PROXY",
        value_name = "ADDRESS",
        help_heading = "Callers",
        hide_short_help = true,
        value_delimiter = ','
    )]
    pub trusted_proxy: Option<Vec<String>>,
    /// Folder of the trail [default: `trail` in the data folder]
    #[arg(long, env = "CODECOMMIT_LOCAL_TRAIL_DIR", value_name = "FOLDER", help_heading = "Trail")]
    pub trail_dir: Option<PathBuf>,
    /// Name of the bucket whose objects are the files of the trail folder [default: codecommit-local-trail]
    #[arg(long, env = "CODECOMMIT_LOCAL_TRAIL_BUCKET", value_name = "NAME", help_heading = "Trail", hide_short_help = true)]
    pub trail_bucket: Option<String>,
    /// Folder of the buckets of other trails [default: `buckets` beside the trail folder]
    #[arg(long, env = "CODECOMMIT_LOCAL_BUCKETS_DIR", value_name = "FOLDER", help_heading = "Trail", hide_short_help = true)]
    pub buckets_dir: Option<PathBuf>,
    /// Version of the event records: 1.05 as in the CodeCommit guide, 1.11 as AWS writes today [default: 1.05]
    #[arg(long, env = "CODECOMMIT_LOCAL_EVENT_VERSION", value_name = "VERSION", help_heading = "Trail")]
    pub event_version: Option<EventVersion>,
    /// Form of the records of console calls: client: with the address of the browser; aws-internal: as AWS writes today [default: by --event-version]
    #[arg(
        long,
        env = "CODECOMMIT_LOCAL_CONSOLE_EVENTS",
        value_name = "FORM",
        help_heading = "Trail",
        hide_short_help = true,
    )]
    pub console_events: Option<ConsoleEvents>,
    /// Time until recorded events are delivered in a log file [default: 5s]
    #[arg(long, env = "CODECOMMIT_LOCAL_LOG_INTERVAL", value_name = "TIME", help_heading = "Trail")]
    pub log_interval: Option<String>,
    /// Size of events, before compression, that fills a log file [default: 5MB]
    #[arg(long, env = "CODECOMMIT_LOCAL_LOG_SIZE", value_name = "SIZE", help_heading = "Trail", hide_short_help = true)]
    pub log_size: Option<String>,
    /// Time that log files and digests stay in buckets that are folders [default: for ever]
    #[arg(
        long,
        env = "CODECOMMIT_LOCAL_TRAIL_RETENTION",
        value_name = "TIME",
        help_heading = "Trail",
        hide_short_help = true,
    )]
    pub trail_retention: Option<String>,
    /// Folder to which expired log files and digests are moved instead of being removed
    #[arg(
        long,
        env = "CODECOMMIT_LOCAL_TRAIL_ARCHIVE",
        value_name = "FOLDER",
        help_heading = "Trail",
        hide_short_help = true,
    )]
    pub trail_archive: Option<PathBuf>,
    /// Time that delivered events stay in the database and can be looked up [default: for ever]
    #[arg(
        long,
        env = "CODECOMMIT_LOCAL_HISTORY_RETENTION",
        value_name = "TIME",
        help_heading = "Trail",
        hide_short_help = true,
    )]
    pub history_retention: Option<String>,
    /// Time until an event is found in event history [default: none]
    #[arg(long, env = "CODECOMMIT_LOCAL_LOOKUP_DELAY", value_name = "TIME", help_heading = "Trail", hide_short_help = true)]
    pub lookup_delay: Option<String>,
    /// Lookups in event history per second, account and region, 2 at AWS; 0 is no limit [default: 0]
    #[arg(long, env = "CODECOMMIT_LOCAL_LOOKUP_RATE", value_name = "NUMBER", help_heading = "Trail", hide_short_help = true)]
    pub lookup_rate: Option<u32>,
    /// Time between digests, at least 1s [default: 1h]
    #[arg(
        long,
        env = "CODECOMMIT_LOCAL_DIGEST_INTERVAL",
        value_name = "TIME",
        help_heading = "Trail",
        hide_short_help = true,
    )]
    pub digest_interval: Option<String>,
    /// RSA private key in PEM or DER that signs digests, instead of keys made in the data folder
    #[arg(long, env = "CODECOMMIT_LOCAL_SIGNING_KEY", value_name = "FILE", help_heading = "Trail", hide_short_help = true)]
    pub signing_key: Option<PathBuf>,
    /// Time that a key signs digests before the next key is made; it stays valid for the same time again [default: 15d]
    #[arg(long, env = "CODECOMMIT_LOCAL_KEY_ROTATION", value_name = "TIME", help_heading = "Trail", hide_short_help = true)]
    pub key_rotation: Option<String>,
    /// Demand of a trail's bucket what AWS does: it exists, and its policy lets CloudTrail write
    #[arg(
        long,
        env = "CODECOMMIT_LOCAL_STRICT_BUCKETS",
        value_name = "BOOL",
        help_heading = "Trail",
        hide_short_help = true,
        num_args = 0..=1, default_missing_value = "true",
    )]
    pub strict_buckets: Option<bool>,
    /// Demand that a trail's topic exists: that the settings file has a destination for it
    #[arg(
        long,
        env = "CODECOMMIT_LOCAL_STRICT_TOPICS",
        value_name = "BOOL",
        help_heading = "Trail",
        hide_short_help = true,
        num_args = 0..=1, default_missing_value = "true",
    )]
    pub strict_topics: Option<bool>,
    /// Record the calls of AWS KMS that CodeCommit makes at AWS, such as Encrypt and Decrypt
    #[arg(
        long,
        env = "CODECOMMIT_LOCAL_KMS_EVENTS",
        value_name = "BOOL",
        help_heading = "Trail",
        hide_short_help = true,
        num_args = 0..=1, default_missing_value = "true",
    )]
    pub kms_events: Option<bool>,
    /// URL of an endpoint of the API of Amazon EventBridge that gets every event
    #[arg(long, env = "CODECOMMIT_LOCAL_EVENTBRIDGE_ENDPOINT", value_name = "URL", help_heading = "Events")]
    pub eventbridge_endpoint: Option<String>,
    /// URL that gets every event for EventBridge by POST
    #[arg(long, env = "CODECOMMIT_LOCAL_EVENTBRIDGE_URL", value_name = "URL", help_heading = "Events")]
    pub eventbridge_url: Option<String>,
    /// Whether changes emit events for EventBridge, which eventbridge.ndjson in the data folder has [default: yes]
    #[arg(
        long,
        env = "CODECOMMIT_LOCAL_EVENTBRIDGE_CHANGES",
        value_name = "WHETHER",
        help_heading = "Events",
        hide_short_help = true,
    )]
    pub eventbridge_changes: Option<YesNo>,
    /// Recorded calls that are events, too: off: none; standard: all but Get, List and Describe, as EventBridge delivers
    /// them; all: every management event [default: off]
    #[arg(long, env = "CODECOMMIT_LOCAL_EVENTBRIDGE_CALLS", value_name = "WHICH", help_heading = "Events")]
    pub eventbridge_calls: Option<BusCalls>,
    /// Make sign-ins to the console events, too
    #[arg(
        long,
        env = "CODECOMMIT_LOCAL_EVENTBRIDGE_SIGN_INS",
        value_name = "BOOL",
        help_heading = "Events",
        hide_short_help = true,
        num_args = 0..=1, default_missing_value = "true",
    )]
    pub eventbridge_sign_ins: Option<bool>,
    /// Capabilities offered to Git clients: aws: those of CodeCommit; full: all that are implemented [default: aws]
    #[arg(long, env = "CODECOMMIT_LOCAL_GIT_CAPABILITIES", value_name = "PROFILE", help_heading = "Git")]
    pub git_capabilities: Option<GitCapabilities>,
    /// Check the form of pushed objects, as Git does with receive.fsckObjects [default: true]
    #[arg(
        long,
        env = "CODECOMMIT_LOCAL_GIT_FSCK",
        value_name = "BOOL",
        help_heading = "Git",
        hide_short_help = true,
        num_args = 0..=1, default_missing_value = "true",
    )]
    pub git_fsck: Option<bool>,
    /// References that one push may update [default: 4000]
    #[arg(long, env = "CODECOMMIT_LOCAL_GIT_MAX_REFS", value_name = "NUMBER", help_heading = "Git", hide_short_help = true)]
    pub git_max_refs: Option<usize>,
    /// Largest pack that may be pushed [default: no limit]
    #[arg(long, env = "CODECOMMIT_LOCAL_GIT_MAX_PACK", value_name = "SIZE", help_heading = "Git", hide_short_help = true)]
    pub git_max_pack: Option<String>,
    /// Largest object that may be pushed [default: 2GB]
    #[arg(long, env = "CODECOMMIT_LOCAL_GIT_MAX_OBJECT", value_name = "SIZE", help_heading = "Git", hide_short_help = true)]
    pub git_max_object: Option<String>,
    /// Size to which the objects of any pushed pack may expand; packs over a thousandth of it may expand to 1,000 times
    /// their size [default: 16GB]
    #[arg(
        long,
        env = "CODECOMMIT_LOCAL_GIT_MAX_EXPANSION",
        value_name = "SIZE",
        help_heading = "Git",
        hide_short_help = true,
    )]
    pub git_max_expansion: Option<String>,
    /// Longest chain of deltas in a pushed pack [default: 4095]
    #[arg(
        long,
        env = "CODECOMMIT_LOCAL_GIT_MAX_DELTA_CHAIN",
        value_name = "NUMBER",
        help_heading = "Git",
        hide_short_help = true,
    )]
    pub git_max_delta_chain: Option<usize>,
    /// Idle timeout of connections [default: 5m]
    #[arg(long, env = "CODECOMMIT_LOCAL_GIT_TIMEOUT", value_name = "TIME", help_heading = "Git", hide_short_help = true)]
    pub git_timeout: Option<String>,
    /// Packs that are computed at the same time; further clones and fetches wait [default: one for each processor]
    #[arg(long, env = "CODECOMMIT_LOCAL_GIT_PACKS", value_name = "NUMBER", help_heading = "Git", hide_short_help = true)]
    pub git_packs: Option<usize>,
    /// Disk space for computed packs, for clones and fetches of the same objects; 0 keeps none [default: 256MB]
    #[arg(long, env = "CODECOMMIT_LOCAL_GIT_CACHE", value_name = "SIZE", help_heading = "Git", hide_short_help = true)]
    pub git_cache: Option<String>,
    /// Packs of a repository before maintenance combines them; 0 never combines [default: 20]
    #[arg(
        long,
        env = "CODECOMMIT_LOCAL_GIT_PACK_LIMIT",
        value_name = "NUMBER",
        help_heading = "Git",
        hide_short_help = true,
    )]
    pub git_pack_limit: Option<usize>,
    /// Time that unreachable objects are kept [default: 14d]
    #[arg(long, env = "CODECOMMIT_LOCAL_GIT_PRUNE_AGE", value_name = "TIME", help_heading = "Git", hide_short_help = true)]
    pub git_prune_age: Option<String>,
    /// Whether large files are served to git-lfs [default: on]
    #[arg(long, env = "CODECOMMIT_LOCAL_GIT_LFS", value_name = "WHETHER", help_heading = "Git LFS")]
    pub git_lfs: Option<OnOff>,
    /// Size of the largest object of Git LFS [default: 5GB]
    #[arg(long, env = "CODECOMMIT_LOCAL_LFS_MAX_OBJECT", value_name = "SIZE", help_heading = "Git LFS", hide_short_help = true)]
    pub lfs_max_object: Option<String>,
    /// Size of all large files of a repository together [default: no limit]
    #[arg(long, env = "CODECOMMIT_LOCAL_LFS_QUOTA", value_name = "SIZE", help_heading = "Git LFS", hide_short_help = true)]
    pub lfs_quota: Option<String>,
    /// Whether a push is refused if its new files point to large files that are not on the server [default: off]
    #[arg(long, env = "CODECOMMIT_LOCAL_LFS_CHECK", value_name = "WHETHER", help_heading = "Git LFS", hide_short_help = true)]
    pub lfs_check: Option<OnOff>,
    /// What archives have in the place of large files: pointers, as AWS's have, or their content [default: pointers]
    #[arg(long, env = "CODECOMMIT_LOCAL_LFS_ARCHIVES", value_name = "WHAT", help_heading = "Git LFS", hide_short_help = true)]
    pub lfs_archives: Option<LfsArchives>,
    /// Whether requests of Git LFS are recorded, batches as GitPush and GitPull, and changes of locks [default: on]
    #[arg(long, env = "CODECOMMIT_LOCAL_LFS_EVENTS", value_name = "WHETHER", help_heading = "Git LFS", hide_short_help = true)]
    pub lfs_events: Option<OnOff>,
    /// Repositories in an account and region [default: 1000]
    #[arg(
        long,
        env = "CODECOMMIT_LOCAL_REPOSITORY_LIMIT",
        value_name = "NUMBER",
        help_heading = "Quotas",
        hide_short_help = true,
    )]
    pub repository_limit: Option<u64>,
    /// Trails in an account and region, besides the default trail [default: 5]
    #[arg(
        long,
        env = "CODECOMMIT_LOCAL_TRAIL_LIMIT",
        value_name = "NUMBER",
        help_heading = "Quotas",
        hide_short_help = true,
    )]
    pub trail_limit: Option<usize>,
    /// Open pull requests of a repository [default: 1000]
    #[arg(
        long,
        env = "CODECOMMIT_LOCAL_OPEN_PULL_REQUEST_LIMIT",
        value_name = "NUMBER",
        help_heading = "Quotas",
        hide_short_help = true,
    )]
    pub open_pull_request_limit: Option<u64>,
    /// Time that a merge may take [default: 30s]
    #[arg(
        long,
        env = "CODECOMMIT_LOCAL_MERGE_TIMEOUT",
        value_name = "TIME",
        help_heading = "Quotas",
        hide_short_help = true,
    )]
    pub merge_timeout: Option<String>,
    /// Size of the files that a merge may read [default: 1GB]
    #[arg(
        long,
        env = "CODECOMMIT_LOCAL_MERGE_MAX_CONTENT",
        value_name = "SIZE",
        help_heading = "Quotas",
        hide_short_help = true,
    )]
    pub merge_max_content: Option<String>,
    /// Files and folders that a merge may compare [default: 250000]
    #[arg(
        long,
        env = "CODECOMMIT_LOCAL_MERGE_MAX_ITEMS",
        value_name = "NUMBER",
        help_heading = "Quotas",
        hide_short_help = true,
    )]
    pub merge_max_items: Option<usize>,
    /// Least severe lines of the log; debug shows every call, info failed calls [default: info]
    #[arg(long, env = "CODECOMMIT_LOCAL_LOG_LEVEL", value_name = "LEVEL", help_heading = "Program log")]
    pub log_level: Option<LogLevel>,
    /// Form of the log on standard error [default: text]
    #[arg(long, env = "CODECOMMIT_LOCAL_LOG_FORMAT", value_name = "FORMAT", help_heading = "Program log")]
    pub log_format: Option<LogFormat>,
    /// Print warnings and errors only, and no banner
    #[arg(
        long,
        short,
        env = "CODECOMMIT_LOCAL_QUIET",
        value_name = "BOOL",
        help_heading = "Program log",
        num_args = 0..=1, default_missing_value = "true",
    )]
    pub quiet: Option<bool>,
    /// Page sizes by operation; only in the file.
    #[arg(skip)]
    pub page_sizes: Option<BTreeMap<String, usize>>,
    /// Buckets at other endpoints, by name; only in the file.
    #[arg(skip)]
    pub buckets: Option<BTreeMap<String, BucketOptions>>,
    /// Destinations of trigger messages; only in the file.
    #[arg(skip)]
    pub triggers: Option<TriggerOptions>,
    /// Destinations of events for EventBridge; only in the file.
    #[arg(skip)]
    pub eventbridge: Option<EventBridgeOptions>,
    /// Conditions to simulate; only in the file.
    #[arg(skip)]
    pub simulate: Option<SimulateOptions>,
}
}
