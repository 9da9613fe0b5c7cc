//! What flags, environment variables and the file say, before defaults are filled in.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use codecommit::settings::Simulate;
use serde::Deserialize;

use super::{SaidBucket, SaidTriggers, WrongSetting};

/// Declares the settings, each once: the flag, its variable and the line of the file are derived from the member.
macro_rules! settings {
    ($(#[$meta:meta])* pub struct $name:ident { $($(#[$member_meta:meta])* pub $member:ident: Option<$type:ty>,)* }) => {
        $(#[$meta])*
        pub struct $name {
            $($(#[$member_meta])* pub $member: Option<$type>,)*
        }

        impl $name {
            /// Fills what is not said here from what is said there.
            #[must_use]
            pub fn or(mut self, mut other: Self) -> Self {
                // The two exclude each other, so whichever is said here settles both.
                if self.ephemeral == Some(true) {
                    other.data_dir = None;
                }
                if self.data_dir.is_some() {
                    other.ephemeral = None;
                }
                $(self.$member = self.$member.or(other.$member);)*
                self
            }
        }
    };
}

settings! {
/// What can be set; `None` is "not said here".
#[derive(Args, Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct Said {
    /// Address and port to listen on; port 0 takes a free one [default: 127.0.0.1:4599]
    #[arg(long, env = "CODECOMMIT_LOCAL_LISTEN", value_name = "ADDRESS:PORT")]
    pub listen: Option<String>,
    /// Folder for the repositories and the database [default: ./codecommit-data]
    #[arg(long, env = "CODECOMMIT_LOCAL_DATA_DIR", value_name = "FOLDER")]
    pub data_dir: Option<PathBuf>,
    /// Folder for the trail [default: `trail` in the data folder]
    #[arg(long, env = "CODECOMMIT_LOCAL_TRAIL_DIR", value_name = "FOLDER")]
    pub trail_dir: Option<PathBuf>,
    /// Bucket that the folder of the trail is [default: codecommit-local-trail]
    #[arg(long, env = "CODECOMMIT_LOCAL_TRAIL_BUCKET", value_name = "NAME")]
    pub trail_bucket: Option<String>,
    /// Folder for the buckets of other trails [default: `buckets` beside the folder of the trail]
    #[arg(long, env = "CODECOMMIT_LOCAL_BUCKETS_DIR", value_name = "FOLDER")]
    pub buckets_dir: Option<PathBuf>,
    /// Keep everything in temporary folders that are gone at exit
    #[arg(long, env = "CODECOMMIT_LOCAL_EPHEMERAL", value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub ephemeral: Option<bool>,
    /// Account of callers who name none [default: 111122223333]
    #[arg(long, env = "CODECOMMIT_LOCAL_ACCOUNT", value_name = "ACCOUNT")]
    pub account: Option<String>,
    /// Region of requests that name none [default: us-east-1]
    #[arg(long, env = "CODECOMMIT_LOCAL_REGION", value_name = "REGION")]
    pub region: Option<String>,
    /// TOML file of accounts, users and their access keys
    #[arg(long, env = "CODECOMMIT_LOCAL_IDENTITIES", value_name = "FILE")]
    pub identities: Option<PathBuf>,
    /// How long events wait at most before a log file is written [default: 5s]
    #[arg(long, env = "CODECOMMIT_LOCAL_LOG_INTERVAL", value_name = "TIME")]
    pub log_interval: Option<String>,
    /// How many bytes of events, before compression, fill a log file [default: 5MB]
    #[arg(long, env = "CODECOMMIT_LOCAL_LOG_SIZE", value_name = "SIZE")]
    pub log_size: Option<String>,
    /// How long it takes until an event can be looked up in event history [default: none]
    #[arg(long, env = "CODECOMMIT_LOCAL_LOOKUP_DELAY", value_name = "TIME")]
    pub lookup_delay: Option<String>,
    /// How long log files and digests stay in buckets that are folders [default: for ever]
    #[arg(long, env = "CODECOMMIT_LOCAL_TRAIL_RETENTION", value_name = "TIME")]
    pub trail_retention: Option<String>,
    /// Folder that log files and digests are moved to then, instead of being removed
    #[arg(long, env = "CODECOMMIT_LOCAL_TRAIL_ARCHIVE", value_name = "FOLDER")]
    pub trail_archive: Option<PathBuf>,
    /// How long delivered events stay in the database, and can be looked up [default: for ever]
    #[arg(long, env = "CODECOMMIT_LOCAL_HISTORY_RETENTION", value_name = "TIME")]
    pub history_retention: Option<String>,
    /// How many lookups a second are answered in an account and region, 2 at AWS; 0 is any number [default: 0]
    #[arg(long, env = "CODECOMMIT_LOCAL_LOOKUP_RATE", value_name = "NUMBER")]
    pub lookup_rate: Option<u32>,
    /// How long it is from one digest to the next, a second or more [default: 1h]
    #[arg(long, env = "CODECOMMIT_LOCAL_DIGEST_INTERVAL", value_name = "TIME")]
    pub digest_interval: Option<String>,
    /// RSA private key that digests are signed with, in PEM or DER, instead of keys that are made and kept in the data folder
    #[arg(long, env = "CODECOMMIT_LOCAL_SIGNING_KEY", value_name = "FILE")]
    pub signing_key: Option<PathBuf>,
    /// How long a key signs digests before another one is made; it stays valid for as long again [default: 15d]
    #[arg(long, env = "CODECOMMIT_LOCAL_KEY_ROTATION", value_name = "TIME")]
    pub key_rotation: Option<String>,
    /// Shape of the records: 1.05 as in the CodeCommit guide, 1.11 as today [default: 1.05]
    #[arg(long, env = "CODECOMMIT_LOCAL_EVENT_VERSION", value_name = "VERSION")]
    pub event_version: Option<EventVersion>,
    /// Record the calls to AWS KMS that CodeCommit makes on AWS: Encrypt, Decrypt, `GenerateDataKey`
    #[arg(long, env = "CODECOMMIT_LOCAL_KMS_EVENTS", value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub kms_events: Option<bool>,
    /// Largest body of an API request, of a `git fetch` request, and of the commands of a push [default: 64MB]
    #[arg(long, env = "CODECOMMIT_LOCAL_MAX_BODY", value_name = "SIZE")]
    pub max_body: Option<String>,
    /// What an acknowledged call survives: normal the death of the process, full the loss of power [default: normal]
    #[arg(long, env = "CODECOMMIT_LOCAL_DURABILITY", value_name = "LEVEL")]
    pub durability: Option<Durability>,
    /// What Git clients are offered: aws what CodeCommit offers, full all that is implemented [default: aws]
    #[arg(long, env = "CODECOMMIT_LOCAL_GIT_CAPABILITIES", value_name = "PROFILE")]
    pub git_capabilities: Option<GitCapabilities>,
    /// Check the form of pushed objects, as Git does with receive.fsckObjects [default: true]
    #[arg(long, env = "CODECOMMIT_LOCAL_GIT_FSCK", value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub git_fsck: Option<bool>,
    /// How many references one push may move [default: 4000]
    #[arg(long, env = "CODECOMMIT_LOCAL_GIT_MAX_REFS", value_name = "NUMBER")]
    pub git_max_refs: Option<usize>,
    /// Largest pack that may be pushed [default: no limit]
    #[arg(long, env = "CODECOMMIT_LOCAL_GIT_MAX_PACK", value_name = "SIZE")]
    pub git_max_pack: Option<String>,
    /// Largest object that may be pushed [default: 2GB]
    #[arg(long, env = "CODECOMMIT_LOCAL_GIT_MAX_OBJECT", value_name = "SIZE")]
    pub git_max_object: Option<String>,
    /// How much the objects of any pushed pack may expand to; larger packs more [default: 16GB]
    #[arg(long, env = "CODECOMMIT_LOCAL_GIT_MAX_EXPANSION", value_name = "SIZE")]
    pub git_max_expansion: Option<String>,
    /// Longest chain of deltas in a pushed pack [default: 4095]
    #[arg(long, env = "CODECOMMIT_LOCAL_GIT_MAX_DELTA_CHAIN", value_name = "NUMBER")]
    pub git_max_delta_chain: Option<usize>,
    /// How long a client may neither send nor take anything [default: 5m]
    #[arg(long, env = "CODECOMMIT_LOCAL_GIT_TIMEOUT", value_name = "TIME")]
    pub git_timeout: Option<String>,
    /// Memory for all caches together: histories, decoded objects, references [default: 128MB]
    #[arg(long, env = "CODECOMMIT_LOCAL_CACHE_MEMORY", value_name = "SIZE")]
    pub cache_memory: Option<String>,
    /// Time after which unused caches are released and unused repositories are closed [default: 5m]
    #[arg(long, env = "CODECOMMIT_LOCAL_CACHE_IDLE", value_name = "TIME")]
    pub cache_idle: Option<String>,
    /// How many packs are made at once; further clones and fetches wait [default: one for each processor]
    #[arg(long, env = "CODECOMMIT_LOCAL_GIT_PACKS", value_name = "NUMBER")]
    pub git_packs: Option<usize>,
    /// Disk space for packs that were made, for clones and fetches that ask for the same; 0 keeps none [default: 256MB]
    #[arg(long, env = "CODECOMMIT_LOCAL_GIT_CACHE", value_name = "SIZE")]
    pub git_cache: Option<String>,
    /// How many packs a repository may have before the background makes them one; 0 leaves them all [default: 20]
    #[arg(long, env = "CODECOMMIT_LOCAL_GIT_PACK_LIMIT", value_name = "NUMBER")]
    pub git_pack_limit: Option<usize>,
    /// How long objects that no reference leads to are kept [default: 14d]
    #[arg(long, env = "CODECOMMIT_LOCAL_GIT_PRUNE_AGE", value_name = "TIME")]
    pub git_prune_age: Option<String>,
    /// How many repositories an account can have in a region [default: 1000]
    #[arg(long, env = "CODECOMMIT_LOCAL_REPOSITORY_LIMIT", value_name = "NUMBER")]
    pub repository_limit: Option<u64>,
    /// How many trails an account can have in a region, without the one that it has from the start [default: 5]
    #[arg(long, env = "CODECOMMIT_LOCAL_TRAIL_LIMIT", value_name = "NUMBER")]
    pub trail_limit: Option<usize>,
    /// How many pull requests of a repository can be open [default: 1000]
    #[arg(long, env = "CODECOMMIT_LOCAL_OPEN_PULL_REQUEST_LIMIT", value_name = "NUMBER")]
    pub open_pull_request_limit: Option<u64>,
    /// How long a merge may take [default: 30s]
    #[arg(long, env = "CODECOMMIT_LOCAL_MERGE_TIMEOUT", value_name = "TIME")]
    pub merge_timeout: Option<String>,
    /// How many bytes of files a merge may read [default: 1GB]
    #[arg(long, env = "CODECOMMIT_LOCAL_MERGE_MAX_CONTENT", value_name = "SIZE")]
    pub merge_max_content: Option<String>,
    /// How many files and folders a merge may compare [default: 250000]
    #[arg(long, env = "CODECOMMIT_LOCAL_MERGE_MAX_ITEMS", value_name = "NUMBER")]
    pub merge_max_items: Option<usize>,
    /// Let `POST /_local/reset` empty everything
    #[arg(long, env = "CODECOMMIT_LOCAL_ALLOW_RESET", value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub allow_reset: Option<bool>,
    /// Host name, besides those that public DNS cannot have, under which clients and web pages may use the server: git.example.com,
/// *.example.com, or * for any; several are separated by commas
#[arg(long, env = "CODECOMMIT_LOCAL_ALLOWED_HOST", value_name = "NAME", value_delimiter = ',')]
pub allowed_host: Option<Vec<String>>,
/// How long running requests may take when the server is stopped, before they are cut off [default: 5s]
#[arg(long, env = "CODECOMMIT_LOCAL_STOP_TIMEOUT", value_name = "TIME")]
pub stop_timeout: Option<String>,
/// Form of the log on standard error [default: text]
    #[arg(long, env = "CODECOMMIT_LOCAL_LOG_FORMAT", value_name = "FORMAT")]
    pub log_format: Option<LogFormat>,
    /// Sizes of pages by operation; the file alone can tell them.
    #[arg(skip)]
    pub page_sizes: Option<BTreeMap<String, usize>>,
    /// Buckets that lie elsewhere, by name; the file alone can tell them.
    #[arg(skip)]
    pub buckets: Option<BTreeMap<String, SaidBucket>>,
    /// Where messages of triggers go; the file alone can tell it.
    #[arg(skip)]
    pub triggers: Option<SaidTriggers>,
    /// Conditions to simulate; the file alone can tell them.
    #[arg(skip)]
    pub simulate: Option<Simulate>,
}
}

/// Which shape records have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ValueEnum)]
pub enum EventVersion {
    /// The shape of the CodeCommit guide's examples.
    #[value(name = "1.05")]
    #[serde(rename = "1.05")]
    V1_05,
    /// Today's shape.
    #[value(name = "1.11")]
    #[serde(rename = "1.11")]
    V1_11,
}

/// What an acknowledged call survives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Durability {
    /// The death of the process.
    Normal,
    /// The loss of power.
    Full,
}

/// What Git clients are offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum GitCapabilities {
    /// What CodeCommit offers.
    Aws,
    /// All that is implemented.
    Full,
}

/// Form of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// Lines for a person.
    Text,
    /// A JSON object a line.
    Json,
}

impl Said {
    /// Reads the settings in a TOML file; the names are those of the flags.
    pub fn read(path: &Path) -> Result<Self, WrongSetting> {
        let failed =
            |what: &dyn std::fmt::Display| WrongSetting(format!("the configuration file {}: {what}", path.display()));
        let text = std::fs::read_to_string(path).map_err(|error| failed(&error))?;
        // The error itself shows the line, in which a secret may stand.
        let place = |error: &toml::de::Error| {
            let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
            format!("line {}: {}", before.matches('\n').count() + 1, error.message())
        };
        toml::from_str(&text).map_err(|error| failed(&place(&error)))
    }
}
