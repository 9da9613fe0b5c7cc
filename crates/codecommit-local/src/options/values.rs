//! Values of settings that have a few fixed ones.

use clap::ValueEnum;
use serde::Deserialize;

/// Version of the event records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ValueEnum)]
pub enum EventVersion {
    /// The records of the CodeCommit guide's examples.
    #[value(name = "1.05")]
    #[serde(rename = "1.05")]
    V1_05,
    /// The records that AWS writes today.
    #[value(name = "1.11")]
    #[serde(rename = "1.11")]
    V1_11,
}

/// Form of the records of console calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum ConsoleEvents {
    /// The address of the browser, and the user agent `console.amazonaws.com`.
    Client,
    /// `AWS Internal` as address and user agent.
    AwsInternal,
}

/// Durability of acknowledged calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Durability {
    /// They survive the end of the process.
    Normal,
    /// They survive a power failure, too.
    Full,
}

/// Use of TLS on the listeners.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum TlsMode {
    /// Clients use TLS or plain HTTP.
    Auto,
    /// Clients use plain HTTP.
    Off,
    /// Clients use TLS.
    Require,
}

/// Capabilities that Git clients are offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum GitCapabilities {
    /// Those of CodeCommit.
    Aws,
    /// All that is implemented.
    Full,
}

/// The values of `--access`.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Access {
    /// Credentials name the caller, and nothing is verified.
    Open,
    /// Credentials must be valid, and may do everything.
    Signed,
    /// Credentials must be valid, and the policies of their owner decide.
    Enforced,
}

/// Recorded calls that are events for EventBridge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum BusCalls {
    /// None.
    Off,
    /// All except those whose names begin with `Get`, `List` or `Describe`.
    Standard,
    /// Every management event.
    All,
}

/// Whether Git clients must send credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum GitAuth {
    /// Requests without credentials are answered with 401.
    Ask,
    /// Requests without credentials are made by the default user.
    Never,
}

/// Least severe lines of the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    /// Failures that need attention.
    Error,
    /// Conditions that may need attention.
    Warn,
    /// Failed calls, starts and stops.
    #[default]
    Info,
    /// Every call.
    Debug,
    /// Everything.
    Trace,
}

/// Form of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// Lines for people.
    Text,
    /// One JSON object per line.
    Json,
}

impl From<EventVersion> for trail::EventVersion {
    fn from(version: EventVersion) -> Self {
        match version {
            EventVersion::V1_05 => Self::V1_05,
            EventVersion::V1_11 => Self::V1_11,
        }
    }
}

impl From<ConsoleEvents> for trail::ConsoleEvents {
    fn from(form: ConsoleEvents) -> Self {
        match form {
            ConsoleEvents::Client => Self::Client,
            ConsoleEvents::AwsInternal => Self::AwsInternal,
        }
    }
}

impl From<Durability> for store::Durability {
    fn from(durability: Durability) -> Self {
        match durability {
            Durability::Normal => Self::Normal,
            Durability::Full => Self::Full,
        }
    }
}

impl From<TlsMode> for server::settings::TlsMode {
    fn from(mode: TlsMode) -> Self {
        match mode {
            TlsMode::Auto => Self::Auto,
            TlsMode::Off => Self::Off,
            TlsMode::Require => Self::Require,
        }
    }
}

impl From<Access> for server::settings::Access {
    fn from(access: Access) -> Self {
        match access {
            Access::Open => Self::Open,
            Access::Signed => Self::Signed,
            Access::Enforced => Self::Enforced,
        }
    }
}

impl From<GitAuth> for server::settings::GitAuth {
    fn from(auth: GitAuth) -> Self {
        match auth {
            GitAuth::Ask => Self::Ask,
            GitAuth::Never => Self::Never,
        }
    }
}

impl From<GitCapabilities> for git::Offers {
    fn from(capabilities: GitCapabilities) -> Self {
        match capabilities {
            GitCapabilities::Aws => Self::AWS,
            GitCapabilities::Full => Self::FULL,
        }
    }
}

/// The values of `--seed-events`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum YesNo {
    /// It does.
    Yes,
    /// It does not.
    No,
}

/// Whether something is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum OnOff {
    /// It is.
    On,
    /// It is not.
    Off,
}

/// What archives have in the place of large files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum LfsArchives {
    /// The pointers.
    Pointers,
    /// The content.
    Content,
}
