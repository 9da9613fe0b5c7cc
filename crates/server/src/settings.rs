//! Settings: flags, environment variables and a TOML file say the same things, in this order of precedence.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use aws::{AccountId, Region};
use clap::{Args, ValueEnum};
use codecommit::settings::Simulate;
use serde::Deserialize;

use crate::units;

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
    /// Shape of the records: 1.05 as in the CodeCommit guide, 1.11 as today [default: 1.05]
    #[arg(long, env = "CODECOMMIT_LOCAL_EVENT_VERSION", value_name = "VERSION")]
    pub event_version: Option<EventVersion>,
    /// Largest body of an API request and of a `git fetch` request; pushes have no limit [default: 64MB]
    #[arg(long, env = "CODECOMMIT_LOCAL_MAX_BODY", value_name = "SIZE")]
    pub max_body: Option<String>,
    /// What an acknowledged call survives: normal the death of the process, full the loss of power [default: normal]
    #[arg(long, env = "CODECOMMIT_LOCAL_DURABILITY", value_name = "LEVEL")]
    pub durability: Option<Durability>,
    /// What Git clients are offered: aws what CodeCommit offers, full all that is implemented [default: aws]
    #[arg(long, env = "CODECOMMIT_LOCAL_GIT_CAPABILITIES", value_name = "PROFILE")]
    pub git_capabilities: Option<GitCapabilities>,
    /// How many repositories an account can have in a region [default: 1000]
    #[arg(long, env = "CODECOMMIT_LOCAL_REPOSITORY_LIMIT", value_name = "NUMBER")]
    pub repository_limit: Option<u64>,
    /// Let `POST /_local/reset` empty everything
    #[arg(long, env = "CODECOMMIT_LOCAL_ALLOW_RESET", value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub allow_reset: Option<bool>,
    /// Form of the log on standard error [default: text]
    #[arg(long, env = "CODECOMMIT_LOCAL_LOG_FORMAT", value_name = "FORMAT")]
    pub log_format: Option<LogFormat>,
    /// Conditions to simulate; the file alone can tell them.
    #[arg(skip)]
    pub simulate: Option<Simulate>,
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

/// All settings, each with its value.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The folder of the repositories and the database; `None` keeps them in a temporary one, gone at the end.
    pub data_dir: Option<PathBuf>,
    /// The folder of the trail; `None` is `trail` in the data folder.
    pub trail_dir: Option<PathBuf>,
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
    /// Which shape records have.
    pub event_version: trail::EventVersion,
    /// The largest body of an API request or fetch request.
    pub body_bytes_max: u64,
    /// What an acknowledged call survives.
    pub durability: store::Durability,
    /// What Git clients are offered.
    pub git_offers: git::Offers,
    /// Whether everything can be emptied.
    pub allow_reset: bool,
    /// How the service behaves.
    pub codecommit: codecommit::Settings,
}

/// A setting that makes no sense; the text says what to write instead.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct WrongSetting(String);

impl Said {
    /// Reads the settings in a TOML file; the names are those of the flags.
    pub fn read(path: &Path) -> Result<Self, WrongSetting> {
        let failed =
            |what: &dyn std::fmt::Display| WrongSetting(format!("the configuration file {}: {what}", path.display()));
        let text = std::fs::read_to_string(path).map_err(|error| failed(&error))?;
        toml::from_str(&text).map_err(|error| failed(&error))
    }

    /// Fills what is not said here from what is said there.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            listen: self.listen.or(other.listen),
            // The two exclude each other, so whichever is said here settles both.
            data_dir: if self.ephemeral == Some(true) {
                self.data_dir.clone()
            } else {
                self.data_dir.clone().or(other.data_dir)
            },
            ephemeral: if self.data_dir.is_some() { self.ephemeral } else { self.ephemeral.or(other.ephemeral) },
            trail_dir: self.trail_dir.or(other.trail_dir),
            account: self.account.or(other.account),
            region: self.region.or(other.region),
            identities: self.identities.or(other.identities),
            log_interval: self.log_interval.or(other.log_interval),
            log_size: self.log_size.or(other.log_size),
            event_version: self.event_version.or(other.event_version),
            max_body: self.max_body.or(other.max_body),
            durability: self.durability.or(other.durability),
            git_capabilities: self.git_capabilities.or(other.git_capabilities),
            repository_limit: self.repository_limit.or(other.repository_limit),
            allow_reset: self.allow_reset.or(other.allow_reset),
            log_format: self.log_format.or(other.log_format),
            simulate: self.simulate.or(other.simulate),
        }
    }

    /// Gives every setting its value.
    pub fn settings(self) -> Result<Settings, WrongSetting> {
        let ephemeral = self.ephemeral.unwrap_or(false);
        if ephemeral && self.data_dir.is_some() {
            return Err(WrongSetting("data-dir and ephemeral exclude each other: write one of them".to_owned()));
        }
        let interval = self.log_interval.unwrap_or_else(|| "5s".to_owned());
        Ok(Settings {
            listen: listen(self.listen.as_deref().unwrap_or("127.0.0.1:4599"))?,
            data_dir: (!ephemeral).then(|| self.data_dir.unwrap_or_else(|| "codecommit-data".into())),
            trail_dir: self.trail_dir,
            account: self.account.as_deref().unwrap_or("111122223333").parse().map_err(WrongSetting)?,
            region: self.region.as_deref().unwrap_or("us-east-1").parse().map_err(WrongSetting)?,
            identities: self.identities,
            log_interval: units::duration(&interval).map_err(|error| WrongSetting(format!("log-interval: {error}")))?,
            log_bytes: size("log-size", self.log_size, 5 << 20)?,
            event_version: match self.event_version {
                None | Some(EventVersion::V1_05) => trail::EventVersion::V1_05,
                Some(EventVersion::V1_11) => trail::EventVersion::V1_11,
            },
            body_bytes_max: size("max-body", self.max_body, 64 << 20)?,
            durability: match self.durability {
                None | Some(Durability::Normal) => store::Durability::Normal,
                Some(Durability::Full) => store::Durability::Full,
            },
            git_offers: match self.git_capabilities {
                None | Some(GitCapabilities::Aws) => git::Offers::AWS,
                Some(GitCapabilities::Full) => git::Offers::FULL,
            },
            allow_reset: self.allow_reset.unwrap_or(false),
            codecommit: codecommit::Settings {
                repositories_max: self.repository_limit.unwrap_or(1_000),
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

fn size(name: &str, text: Option<String>, default: u64) -> Result<u64, WrongSetting> {
    text.map_or(Ok(default), |text| units::bytes(&text)).map_err(|error| WrongSetting(format!("{name}: {error}")))
}

fn listen(text: &str) -> Result<SocketAddr, WrongSetting> {
    let wrong = |_| {
        format!("listen: '{text}' is not an address; write an IP address and a port, such as 127.0.0.1:4599 or [::1]:0")
    };
    text.parse().map_err(wrong).map_err(WrongSetting)
}
