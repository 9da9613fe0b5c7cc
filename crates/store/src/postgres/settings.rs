//! The URL of a server, its password and TLS.

use std::fmt::{self, Debug, Formatter};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};

use super::tls::Tls;

/// A server, a database and a user.
#[derive(Clone)]
pub struct ServerSettings {
    pub(super) config: Config,
    /// `None` connects without TLS.
    pub(super) tls: Option<Tls>,
    /// The schema, which is created if it does not exist; `None` is the one that the server chooses.
    pub(super) schema: Option<String>,
    pub(super) database: Arc<str>,
}

/// What is wrong with the settings of a server; it names no password.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{0}")]
pub struct SettingsError(String);

/// The parameters of a URL that are read here.
#[derive(Default)]
struct Parameters {
    ssl_mode: Option<String>,
    authorities: Option<PathBuf>,
    schema: Option<String>,
}

impl ServerSettings {
    /// Reads a URL such as `postgres://USER@HOST/DATABASE`.
    ///
    /// `sslmode` is `disable`, `require` or `verify-full`; the last two both verify the certificate, with the public certificate
    /// authorities or those of the PEM file `sslrootcert`. Without it, only connections within the machine are not encrypted. `schema`
    /// names the schema.
    pub fn parse(url: &str) -> Result<Self, SettingsError> {
        if !(url.starts_with("postgres://") || url.starts_with("postgresql://")) {
            return Err(wrong("it must be a URL such as postgres://USER@HOST/DATABASE"));
        }
        let (url, parameters) = take_parameters(url);
        // The messages of the parser name parameters and never their values.
        let mut config: Config =
            url.parse().map_err(|error| wrong(&format!("the URL is not valid: {}", cause(&error))))?;
        if parameters.schema.as_deref().is_some_and(|schema| !is_identifier(schema)) {
            return Err(wrong("the schema must have lower-case letters, digits and _ only, and begin with a letter"));
        }
        if config.get_hosts().is_empty() {
            return Err(wrong(
                "the URL names no host; write postgres://USER@HOST/DATABASE, or ?host=/FOLDER for a socket",
            ));
        }
        let is_within_machine = config.get_hosts().iter().all(is_within_machine);
        let encrypts = match parameters.ssl_mode.as_deref() {
            Some("disable") => false,
            Some("require" | "verify-full") => true,
            None => !is_within_machine,
            Some(_) => return Err(wrong("sslmode must be disable, require or verify-full")),
        };
        let tls = encrypts.then(|| Tls::new(parameters.authorities.as_deref())).transpose();
        let tls = tls.map_err(|error| wrong(&error))?;
        config.ssl_mode(if encrypts { SslMode::Require } else { SslMode::Disable });
        if config.get_application_name().is_none() {
            config.application_name("codecommit-local");
        }
        let schema = parameters.schema;
        let database = name(&config, schema.as_deref()).into();
        Ok(Self { config, tls, schema, database })
    }

    /// Returns whether the URL has a password.
    pub fn has_password(&self) -> bool {
        self.config.get_password().is_some()
    }

    /// Uses a password; one in the URL is replaced.
    #[must_use]
    pub fn with_password(mut self, password: &str) -> Self {
        self.config.password(password);
        self
    }

    /// Finds the password in a file with a line `HOST:PORT:DATABASE:USER:PASSWORD` for each; `*` stands for every value.
    ///
    /// As with `libpq`, the host of a socket is its folder or `localhost`, and `\` escapes `:` and `\`.
    pub fn password_in(&self, file: &Path) -> std::io::Result<Option<String>> {
        let text = std::fs::read_to_string(file)?;
        let port = self.config.get_ports().first().copied().unwrap_or(5432).to_string();
        let user = self.config.get_user().unwrap_or_default();
        let database = self.config.get_dbname().unwrap_or(user);
        let hosts: Vec<String> = self.config.get_hosts().iter().flat_map(names_of).collect();
        let fits = |field: &str, value: &str| field == "*" || field == value;
        let found = text.lines().filter(|line| !line.starts_with('#')).map(fields).find(|fields| {
            let [host, of_port, of_database, of_user, _] = fields.as_slice() else { return false };
            hosts.iter().any(|name| fits(host, name))
                && fits(of_port, &port)
                && fits(of_database, database)
                && fits(of_user, user)
        });
        Ok(found.and_then(|mut fields| fields.pop()))
    }
}

impl Debug for ServerSettings {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("ServerSettings").field(&self.database).finish()
    }
}

impl fmt::Display for ServerSettings {
    /// Writes the URL without user, password and parameters.
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.database)
    }
}

/// Takes the parameters out of a URL that are read here.
fn take_parameters(url: &str) -> (String, Parameters) {
    let mut taken = Parameters::default();
    let Some((base, parameters)) = url.split_once('?') else { return (url.to_owned(), taken) };
    let mut others = Vec::new();
    for parameter in parameters.split('&') {
        match parameter.split_once('=') {
            Some(("sslmode", mode)) => taken.ssl_mode = Some(mode.to_owned()),
            Some(("sslrootcert", path)) => taken.authorities = Some(decode(path).into()),
            Some(("schema", name)) => taken.schema = Some(decode(name)),
            _ => others.push(parameter),
        }
    }
    (format!("{base}{}{}", if others.is_empty() { "" } else { "?" }, others.join("&")), taken)
}

fn is_identifier(name: &str) -> bool {
    let is_part = |character: char| character.is_ascii_lowercase() || character.is_ascii_digit() || character == '_';
    name.starts_with(|first: char| first.is_ascii_lowercase()) && name.chars().all(is_part) && name.len() < 64
}

fn decode(text: &str) -> String {
    percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned()
}

fn is_within_machine(host: &Host) -> bool {
    match host {
        Host::Unix(_) => true,
        Host::Tcp(name) => {
            name == "localhost" || name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
        }
    }
}

/// Returns the names of a host in a file of passwords.
fn names_of(host: &Host) -> Vec<String> {
    match host {
        Host::Tcp(name) => vec![name.clone()],
        Host::Unix(folder) => vec![folder.display().to_string(), "localhost".to_owned()],
    }
}

/// Splits a line of a file of passwords.
fn fields(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        let literal = match character {
            ':' if fields.len() < 5 => {
                fields.push(String::new());
                continue;
            }
            '\\' => characters.next(),
            other => Some(other),
        };
        if let Some(field) = fields.last_mut() {
            field.extend(literal);
        }
    }
    fields
}

/// Returns the URL without user, password and parameters.
fn name(config: &Config, schema: Option<&str>) -> String {
    let mut hosts = Vec::new();
    for (index, host) in config.get_hosts().iter().enumerate() {
        let port = config.get_ports().get(index).or(config.get_ports().first()).copied().unwrap_or(5432);
        hosts.push(match host {
            Host::Tcp(name) => format!("{name}:{port}"),
            Host::Unix(folder) => format!("{}/.s.PGSQL.{port}", folder.display()),
        });
    }
    let database = config.get_dbname().or(config.get_user()).unwrap_or_default();
    let schema = schema.map(|schema| format!("?schema={schema}")).unwrap_or_default();
    format!("postgres://{}/{database}{schema}", hosts.join(","))
}

fn cause(error: &dyn std::error::Error) -> String {
    error.source().map_or_else(|| error.to_string(), ToString::to_string)
}

fn wrong(reason: &str) -> SettingsError {
    SettingsError(reason.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(url: &str) -> ServerSettings {
        ServerSettings::parse(url).expect("the URL is valid")
    }

    #[test]
    fn nothing_shows_the_password() {
        let settings = parsed("postgres://li:s3cret@127.0.0.1:5433/trail");
        assert_eq!(settings.to_string(), "postgres://127.0.0.1:5433/trail");
        assert!(!format!("{settings:?}").contains("s3cret"));
        assert!(settings.has_password());
        for url in ["postgres://li:s3cret@host:port/trail", "postgres://li:s3cret@host/x?unknown=1", "postgres:s3cret"]
        {
            let error = ServerSettings::parse(url).expect_err("it is not valid").to_string();
            assert!(!error.contains("s3cret"), "{error}");
        }
    }

    #[test]
    fn only_connections_within_the_machine_are_not_encrypted() {
        let encrypts = |url: &str| parsed(url).tls.is_some();
        assert!(!encrypts("postgres://127.0.0.1/x") && !encrypts("postgres:///x?host=/run/postgresql"));
        assert!(encrypts("postgres://db.example.com/x") && encrypts("postgres://10.1.2.3/x"));
        assert!(
            encrypts("postgres://localhost/x?sslmode=require") && !encrypts("postgres://10.1.2.3/x?sslmode=disable")
        );
        assert!(ServerSettings::parse("postgres://host/x?sslmode=prefer").is_err());
        let error =
            ServerSettings::parse("postgres://host/x?sslrootcert=/missing%20file.pem").expect_err("it is missing");
        assert!(error.to_string().contains("'/missing file.pem'"), "{error}");
    }

    #[test]
    fn a_file_of_passwords_is_read_as_libpq_does() {
        let folder = tempfile::tempdir().expect("a temporary folder can be created");
        let file = folder.path().join("pgpass");
        let lines = "# a comment\nother:*:*:*:wrong\ndb:5432:trail:li:first\\:part\\\\\nlocalhost:*:*:*:of a socket\n*:*:*:*:last";
        std::fs::write(&file, lines).expect("the folder is writable");
        let found = |url: &str| parsed(url).password_in(&file).expect("the file is readable");
        assert_eq!(found("postgres://li@db/trail?sslmode=disable").as_deref(), Some("first:part\\"));
        assert_eq!(found("postgres://li@db:5433/trail?sslmode=disable").as_deref(), Some("last"));
        assert_eq!(found("postgres:///trail?host=/run/postgresql").as_deref(), Some("of a socket"));
    }
}
