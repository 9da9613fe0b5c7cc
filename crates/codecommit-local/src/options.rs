//! Settings as flags, environment variables and the configuration file have them, before defaults are filled in.

mod buckets;
mod database;
mod declare;
mod event_bridge;
mod file;
mod objects;
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
    "Server" {
        /// Addresses and ports to listen on, separated by commas; port 0 takes a free one [default: 127.0.0.1:4599]
        #[serde(deserialize_with = "one_or_many::texts")]
        listen: Vec<String> = "CODECOMMIT_LOCAL_LISTEN", "ADDRESS:PORT", value_delimiter = ',';
        /// Address and port of Git over SSH; port 0 takes a free one [default: off]
        ssh_listen: String = "CODECOMMIT_LOCAL_SSH_LISTEN", "ADDRESS:PORT";
        /// TLS on the same ports as plain HTTP: auto: clients use either; off: plain HTTP only; require: TLS only [default: auto]
        tls: TlsMode = "CODECOMMIT_LOCAL_TLS", "MODE";
        /// PEM file of a certificate, followed by its issuers', to use instead of certificates of the local certificate authority
        tls_cert: PathBuf = "CODECOMMIT_LOCAL_TLS_CERT", "FILE", hide_short_help = true;
        /// PEM file of the private key of --tls-cert
        tls_key: PathBuf = "CODECOMMIT_LOCAL_TLS_KEY", "FILE", hide_short_help = true;
        /// Host names, with all names below them, and addresses under which clients use TLS, besides localhost, AWS's names and this
        /// machine's; separated by commas
        #[serde(deserialize_with = "one_or_many::texts")]
        tls_name: Vec<String> = "CODECOMMIT_LOCAL_TLS_NAME", "NAME", hide_short_help = true, value_delimiter = ',';
        /// PEM file of the certificate authorities that requests to destinations of triggers and events and to remote buckets trust, instead of the public ones
        client_ca: PathBuf = "CODECOMMIT_LOCAL_CLIENT_CA", "FILE", hide_short_help = true;
        /// Host names under which clients and web pages may use the server, besides names that public DNS cannot have:
        /// git.example.com, *.example.com, or * for any; separated by commas
        allowed_host: Vec<String> = "CODECOMMIT_LOCAL_ALLOWED_HOST", "NAME",
            hide_short_help = true, value_delimiter = ',';
        /// Whether the console, the web pages, is served [default: yes if all addresses of --listen are this machine's own]
        console: YesNo = "CODECOMMIT_LOCAL_CONSOLE", "WHETHER";
        /// Largest body of an API request, of a `git fetch` request, and of the commands of a push [default: 64MB]
        max_body: String = "CODECOMMIT_LOCAL_MAX_BODY", "SIZE", hide_short_help = true;
        /// Time for running requests to finish when the server stops [default: 5s]
        stop_timeout: String = "CODECOMMIT_LOCAL_STOP_TIMEOUT", "TIME", hide_short_help = true;
        /// Stop, as on SIGTERM, when the other end of standard input, a pipe, is closed: with the process that started the server
        exit_with_parent: bool = "CODECOMMIT_LOCAL_EXIT_WITH_PARENT", "BOOL",
            num_args = 0..=1, default_missing_value = "true";
    }
    "Tests" {
        /// Allow `POST /_local/reset` to remove all data, snapshots to be taken and restored, and failures to be changed
        allow_reset: bool = "CODECOMMIT_LOCAL_ALLOW_RESET", "BOOL", num_args = 0..=1, default_missing_value = "true";
        /// Time of the first call, such as 2026-01-31T12:00:00Z; the clock moves with the calls only [default: the machine's time]
        clock: String = "CODECOMMIT_LOCAL_CLOCK", "DATE";
        /// Time from one call to the next with --clock [default: 1s]
        clock_step: String = "CODECOMMIT_LOCAL_CLOCK_STEP", "TIME";
        /// Text that all ids are derived from, so that they are the same in each run [default: random ids]
        id_seed: String = "CODECOMMIT_LOCAL_ID_SEED", "TEXT";
    }
    "Data" {
        /// Folder of the repositories and the database [default: ./codecommit-data]
        data_dir: PathBuf = "CODECOMMIT_LOCAL_DATA_DIR", "FOLDER";
        /// Folder of Git objects and large files that servers with the same --database share, or `s3://BUCKET/PREFIX`, a bucket that the
        /// settings file has [default: each its data folder]
        objects: PathBuf = "CODECOMMIT_LOCAL_OBJECTS", "FOLDER", hide_short_help = true;
        /// Keep everything in temporary folders that are removed at exit
        ephemeral: bool = "CODECOMMIT_LOCAL_EPHEMERAL", "BOOL", num_args = 0..=1, default_missing_value = "true";
        /// Database: sqlite: a file in the data folder; `postgres://USER@HOST/DATABASE?schema=NAME`: a PostgreSQL server [default: sqlite:]
        database: String = "CODECOMMIT_LOCAL_DATABASE", "URL", hide_env_values = true;
        /// File of the password of --database, instead of PGPASSWORD or a line in PGPASSFILE or ~/.pgpass
        database_password_file: PathBuf = "CODECOMMIT_LOCAL_DATABASE_PASSWORD_FILE", "FILE", hide_short_help = true;
        /// Name of this server among those with the same PostgreSQL database: letters, digits, dots, dashes, underscores [default: the machine's]
        node_name: String = "CODECOMMIT_LOCAL_NODE_NAME", "NAME", hide_short_help = true;
        /// Folder, or file seed.toml, of what a new data folder starts with: repositories, pull requests, trails, events
        seed: PathBuf = "CODECOMMIT_LOCAL_SEED", "FOLDER";
        /// Whether the seed leaves the records that its calls would leave [default: no]
        seed_events: YesNo = "CODECOMMIT_LOCAL_SEED_EVENTS", "WHETHER";
        /// What an acknowledged call survives: normal: the end of the process; full: a power failure too [default: normal; PostgreSQL: full]
        durability: Durability = "CODECOMMIT_LOCAL_DURABILITY", "LEVEL", hide_short_help = true;
        /// Memory for all caches together: histories, decoded objects, references [default: 128MB]
        cache_memory: String = "CODECOMMIT_LOCAL_CACHE_MEMORY", "SIZE", hide_short_help = true;
        /// Time after which unused caches are released and unused repositories are closed [default: 5m]
        cache_idle: String = "CODECOMMIT_LOCAL_CACHE_IDLE", "TIME", hide_short_help = true;
    }
    "Callers" {
        /// Account of callers that name none [default: 111122223333]
        account: String = "CODECOMMIT_LOCAL_ACCOUNT", "ACCOUNT";
        /// Region of requests that name none [default: us-east-1]
        region: String = "CODECOMMIT_LOCAL_REGION", "REGION";
        /// TOML file of accounts, users, roles and their access keys
        identities: PathBuf = "CODECOMMIT_LOCAL_IDENTITIES", "FILE";
        /// What credentials are for: open: they name the caller, and nothing is verified; signed: they must be valid, and their
        /// caller may do everything [default: open]
        access: Access = "CODECOMMIT_LOCAL_ACCESS", "MODE";
        /// Access key id of the administrator, for signed access [default: a new key, which is printed once]
        root_access_key: String = "CODECOMMIT_LOCAL_ROOT_ACCESS_KEY", "ID", hide_short_help = true;
        /// Secret of the administrator's access key
        root_secret_key: String = "CODECOMMIT_LOCAL_ROOT_SECRET_KEY", "SECRET",
            hide_short_help = true, hide_env_values = true;
        /// Maximum difference between the date of a signature and the clock; off accepts every date [default: 15m]
        max_clock_skew: String = "CODECOMMIT_LOCAL_MAX_CLOCK_SKEW", "TIME", hide_short_help = true;
        /// Ask Git clients for credentials, whose user name names the caller; no password is checked [default: ask if there is an
        /// identities file, else never]
        git_auth: GitAuth = "CODECOMMIT_LOCAL_GIT_AUTH", "WHEN";
        /// Addresses and networks of proxies whose X-Forwarded-For, X-Forwarded-Proto and PROXY protocol are trusted, separated by commas
        trusted_proxy: Vec<String> = "CODECOMMIT_LOCAL_TRUSTED_PROXY", "ADDRESS",
            hide_short_help = true, value_delimiter = ',';
    }
    "Trail" {
        /// Folder of the trail [default: `trail` in the data folder]
        trail_dir: PathBuf = "CODECOMMIT_LOCAL_TRAIL_DIR", "FOLDER";
        /// Name of the bucket whose objects are the files of the trail folder [default: codecommit-local-trail]
        trail_bucket: String = "CODECOMMIT_LOCAL_TRAIL_BUCKET", "NAME", hide_short_help = true;
        /// Folder of the buckets of other trails [default: `buckets` beside the trail folder]
        buckets_dir: PathBuf = "CODECOMMIT_LOCAL_BUCKETS_DIR", "FOLDER", hide_short_help = true;
        /// Version of the event records: 1.05 as in the CodeCommit guide, 1.11 as AWS writes today [default: 1.05]
        event_version: EventVersion = "CODECOMMIT_LOCAL_EVENT_VERSION", "VERSION";
        /// Form of the records of console calls: client: with the address of the browser; aws-internal: as AWS writes today [default: by --event-version]
        console_events: ConsoleEvents = "CODECOMMIT_LOCAL_CONSOLE_EVENTS", "FORM", hide_short_help = true;
        /// Time until recorded events are delivered in a log file [default: 5s]
        log_interval: String = "CODECOMMIT_LOCAL_LOG_INTERVAL", "TIME";
        /// Size of events, before compression, that fills a log file [default: 5MB]
        log_size: String = "CODECOMMIT_LOCAL_LOG_SIZE", "SIZE", hide_short_help = true;
        /// Time that log files and digests stay in buckets that are folders [default: for ever]
        trail_retention: String = "CODECOMMIT_LOCAL_TRAIL_RETENTION", "TIME", hide_short_help = true;
        /// Folder to which expired log files and digests are moved instead of being removed
        trail_archive: PathBuf = "CODECOMMIT_LOCAL_TRAIL_ARCHIVE", "FOLDER", hide_short_help = true;
        /// Time that delivered events stay in the database and can be looked up [default: for ever]
        history_retention: String = "CODECOMMIT_LOCAL_HISTORY_RETENTION", "TIME", hide_short_help = true;
        /// Time until an event is found in event history [default: none]
        lookup_delay: String = "CODECOMMIT_LOCAL_LOOKUP_DELAY", "TIME", hide_short_help = true;
        /// Lookups in event history per second, account and region, 2 at AWS; 0 is no limit [default: 0]
        lookup_rate: u32 = "CODECOMMIT_LOCAL_LOOKUP_RATE", "NUMBER", hide_short_help = true;
        /// Time between digests, at least 1s [default: 1h]
        digest_interval: String = "CODECOMMIT_LOCAL_DIGEST_INTERVAL", "TIME", hide_short_help = true;
        /// RSA private key in PEM or DER that signs digests, instead of keys made in the data folder
        signing_key: PathBuf = "CODECOMMIT_LOCAL_SIGNING_KEY", "FILE", hide_short_help = true;
        /// Time that a key signs digests before the next key is made; it stays valid for the same time again [default: 15d]
        key_rotation: String = "CODECOMMIT_LOCAL_KEY_ROTATION", "TIME", hide_short_help = true;
        /// Demand of a trail's bucket what AWS does: it exists, and its policy lets CloudTrail write
        strict_buckets: bool = "CODECOMMIT_LOCAL_STRICT_BUCKETS", "BOOL",
            hide_short_help = true, num_args = 0..=1, default_missing_value = "true";
        /// Demand that a trail's topic exists: that the settings file has a destination for it
        strict_topics: bool = "CODECOMMIT_LOCAL_STRICT_TOPICS", "BOOL",
            hide_short_help = true, num_args = 0..=1, default_missing_value = "true";
        /// Record the calls of AWS KMS that CodeCommit makes at AWS, such as Encrypt and Decrypt
        kms_events: bool = "CODECOMMIT_LOCAL_KMS_EVENTS", "BOOL",
            hide_short_help = true, num_args = 0..=1, default_missing_value = "true";
    }
    "Events" {
        /// URL of an endpoint of the API of Amazon EventBridge that gets every event
        eventbridge_endpoint: String = "CODECOMMIT_LOCAL_EVENTBRIDGE_ENDPOINT", "URL";
        /// URL that gets every event for EventBridge by POST
        eventbridge_url: String = "CODECOMMIT_LOCAL_EVENTBRIDGE_URL", "URL";
        /// Whether changes emit events for EventBridge, which eventbridge.ndjson in the data folder has [default: yes]
        eventbridge_changes: YesNo = "CODECOMMIT_LOCAL_EVENTBRIDGE_CHANGES", "WHETHER", hide_short_help = true;
        /// Recorded calls that are events, too: off: none; standard: all but Get, List and Describe, as EventBridge delivers
        /// them; all: every management event [default: off]
        eventbridge_calls: BusCalls = "CODECOMMIT_LOCAL_EVENTBRIDGE_CALLS", "WHICH";
        /// Make sign-ins to the console events, too
        eventbridge_sign_ins: bool = "CODECOMMIT_LOCAL_EVENTBRIDGE_SIGN_INS", "BOOL",
            hide_short_help = true, num_args = 0..=1, default_missing_value = "true";
    }
    "Git" {
        /// Capabilities offered to Git clients: aws: those of CodeCommit; full: all that are implemented [default: aws]
        git_capabilities: GitCapabilities = "CODECOMMIT_LOCAL_GIT_CAPABILITIES", "PROFILE";
        /// Check the form of pushed objects, as Git does with receive.fsckObjects [default: true]
        git_fsck: bool = "CODECOMMIT_LOCAL_GIT_FSCK", "BOOL",
            hide_short_help = true, num_args = 0..=1, default_missing_value = "true";
        /// References that one push may update [default: 4000]
        git_max_refs: usize = "CODECOMMIT_LOCAL_GIT_MAX_REFS", "NUMBER", hide_short_help = true;
        /// Largest pack that may be pushed [default: no limit]
        git_max_pack: String = "CODECOMMIT_LOCAL_GIT_MAX_PACK", "SIZE", hide_short_help = true;
        /// Largest object that may be pushed [default: 2GB]
        git_max_object: String = "CODECOMMIT_LOCAL_GIT_MAX_OBJECT", "SIZE", hide_short_help = true;
        /// Size to which the objects of any pushed pack may expand; packs over a thousandth of it may expand to 1,000 times
        /// their size [default: 16GB]
        git_max_expansion: String = "CODECOMMIT_LOCAL_GIT_MAX_EXPANSION", "SIZE", hide_short_help = true;
        /// Longest chain of deltas in a pushed pack [default: 4095]
        git_max_delta_chain: usize = "CODECOMMIT_LOCAL_GIT_MAX_DELTA_CHAIN", "NUMBER", hide_short_help = true;
        /// Idle timeout of connections [default: 5m]
        git_timeout: String = "CODECOMMIT_LOCAL_GIT_TIMEOUT", "TIME", hide_short_help = true;
        /// Packs that are computed at the same time; further clones and fetches wait [default: one for each processor]
        git_packs: usize = "CODECOMMIT_LOCAL_GIT_PACKS", "NUMBER", hide_short_help = true;
        /// Disk space for computed packs, for clones and fetches of the same objects; 0 keeps none [default: 256MB]
        git_cache: String = "CODECOMMIT_LOCAL_GIT_CACHE", "SIZE", hide_short_help = true;
        /// Packs of a repository before maintenance combines them; 0 never combines [default: 20]
        git_pack_limit: usize = "CODECOMMIT_LOCAL_GIT_PACK_LIMIT", "NUMBER", hide_short_help = true;
        /// Time that unreachable objects are kept [default: 14d]
        git_prune_age: String = "CODECOMMIT_LOCAL_GIT_PRUNE_AGE", "TIME", hide_short_help = true;
    }
    "Git LFS" {
        /// Whether large files are served to git-lfs [default: on]
        git_lfs: OnOff = "CODECOMMIT_LOCAL_GIT_LFS", "WHETHER";
        /// Size of the largest object of Git LFS [default: 5GB]
        lfs_max_object: String = "CODECOMMIT_LOCAL_LFS_MAX_OBJECT", "SIZE", hide_short_help = true;
        /// Size of all large files of a repository together [default: no limit]
        lfs_quota: String = "CODECOMMIT_LOCAL_LFS_QUOTA", "SIZE", hide_short_help = true;
        /// Whether a push is refused if its new files point to large files that are not on the server [default: off]
        lfs_check: OnOff = "CODECOMMIT_LOCAL_LFS_CHECK", "WHETHER", hide_short_help = true;
        /// What archives have in the place of large files: pointers, as AWS's have, or their content [default: pointers]
        lfs_archives: LfsArchives = "CODECOMMIT_LOCAL_LFS_ARCHIVES", "WHAT", hide_short_help = true;
        /// Disk space for large files that were fetched from a bucket of --objects; 0 keeps none [default: 10GB]
        lfs_cache: String = "CODECOMMIT_LOCAL_LFS_CACHE", "SIZE", hide_short_help = true;
        /// Whether requests of Git LFS are recorded, batches as GitPush and GitPull, and changes of locks [default: on]
        lfs_events: OnOff = "CODECOMMIT_LOCAL_LFS_EVENTS", "WHETHER", hide_short_help = true;
    }
    "Quotas" {
        /// Repositories in an account and region [default: 1000]
        repository_limit: u64 = "CODECOMMIT_LOCAL_REPOSITORY_LIMIT", "NUMBER", hide_short_help = true;
        /// Trails in an account and region, besides the default trail [default: 5]
        trail_limit: usize = "CODECOMMIT_LOCAL_TRAIL_LIMIT", "NUMBER", hide_short_help = true;
        /// Open pull requests of a repository [default: 1000]
        open_pull_request_limit: u64 = "CODECOMMIT_LOCAL_OPEN_PULL_REQUEST_LIMIT", "NUMBER", hide_short_help = true;
        /// Time that a merge may take [default: 30s]
        merge_timeout: String = "CODECOMMIT_LOCAL_MERGE_TIMEOUT", "TIME", hide_short_help = true;
        /// Size of the files that a merge may read [default: 1GB]
        merge_max_content: String = "CODECOMMIT_LOCAL_MERGE_MAX_CONTENT", "SIZE", hide_short_help = true;
        /// Files and folders that a merge may compare [default: 250000]
        merge_max_items: usize = "CODECOMMIT_LOCAL_MERGE_MAX_ITEMS", "NUMBER", hide_short_help = true;
    }
    "Program log" {
        /// Least severe lines of the log; debug shows every call, info failed calls [default: info]
        log_level: LogLevel = "CODECOMMIT_LOCAL_LOG_LEVEL", "LEVEL";
        /// Form of the log on standard error [default: text]
        log_format: LogFormat = "CODECOMMIT_LOCAL_LOG_FORMAT", "FORMAT";
        /// Print warnings and errors only, and no banner
        quiet: bool = "CODECOMMIT_LOCAL_QUIET", "BOOL", short = 'q', num_args = 0..=1, default_missing_value = "true";
    }
    file {
        /// Page sizes by operation; only in the file.
        page_sizes: BTreeMap<String, usize>;
        /// Buckets at other endpoints, by name; only in the file.
        buckets: BTreeMap<String, BucketOptions>;
        /// Destinations of trigger messages; only in the file.
        triggers: TriggerOptions;
        /// Destinations of events for EventBridge; only in the file.
        eventbridge: EventBridgeOptions;
        /// Conditions to simulate; only in the file.
        simulate: SimulateOptions;
    }
}
}
