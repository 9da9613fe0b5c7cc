//! Makes connections.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres::tls::TlsConnect;
use tokio_postgres::{Client, Config, NoTls, SimpleQueryMessage};

use super::connection::{Connection, Identity};
use super::driver::Driver;
use super::error::{error_of, failure};
use super::receipt::CREATE_TABLE;
use super::settings::ServerSettings;
use super::socket::Socket;
use crate::mode::Mode;
use crate::{Cause, Durability, Error};

/// Maximum time for each step from the connected socket to a connection with its settings.
const READY_TIME_MAX: Duration = Duration::from_secs(10);

/// Maximum time to wait for a server at the start.
const START_TIME_MAX: Duration = Duration::from_secs(30);

/// Time after a failed attempt in which there is no other; it doubles from the first to the second.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

/// The oldest version of the server that is supported.
const VERSION_MIN: i64 = 14;

/// Settings of a connection. A statement and a lock are bounded, and a client that has gone is noticed.
const SESSION: &str = "
    SET statement_timeout = '30s';
    SET lock_timeout = '15s';
    SET client_connection_check_interval = '2s';
    SET tcp_keepalives_idle = 5;
    SET tcp_keepalives_interval = 2;
    SET tcp_keepalives_count = 3;
    SET client_min_messages = 'warning';
    SET bytea_output = 'hex';
    SET jit = off;";

/// Asks for the schema and the key of its lock, and gives this process a name.
const IDENTIFY: &str = "
    SELECT current_schema()::text, hashtextextended('codecommit-local ' || current_schema(), 0), gen_random_uuid()::text,
        current_setting('server_version_num')::bigint / 10000";

/// Makes connections to a server.
pub(crate) struct Connector {
    settings: ServerSettings,
    durability: Durability,
    lock: i64,
    writer: Arc<str>,
    backoff: Mutex<Option<Backoff>>,
}

/// A failed attempt to connect.
struct Backoff {
    until: Instant,
    time: Duration,
    error: Error,
}

/// What the server says about the schema.
struct Schema {
    lock: i64,
    writer: String,
}

impl Connector {
    /// Connects for the first time, and waits while the server starts.
    pub(crate) fn start(settings: ServerSettings, durability: Durability) -> Result<Self, Error> {
        let deadline = Instant::now() + START_TIME_MAX;
        let (connected, schema) = loop {
            let connected = connect(&settings, durability, Mode::Write);
            match connected.and_then(|connected| identify(&settings, connected)) {
                Ok(connected) => break connected,
                Err(error @ Error::Database { cause: Cause::Unreachable, .. }) if Instant::now() < deadline => {
                    tracing::warn!(%error, "waiting for the database");
                    thread::sleep(BACKOFF.0 * 5);
                }
                Err(error) => return Err(error),
            }
        };
        let writer = schema.writer.into();
        let connector = Self { settings, durability, lock: schema.lock, writer, backoff: Mutex::default() };
        let connection = Connection::new(connected, connector.identity());
        connection.run(&format!("BEGIN; SELECT pg_advisory_xact_lock({}); {CREATE_TABLE}; COMMIT", connector.lock))?;
        Ok(connector)
    }

    /// Makes a connection for transactions that write, or for those that only read.
    ///
    /// After a failed attempt, it fails with the same error for a while, so that nobody waits.
    pub(crate) fn connect(&self, mode: Mode) -> Result<Connection, Error> {
        if let Some(backoff) = &*self.backoff.lock()
            && Instant::now() < backoff.until
        {
            return Err(backoff.error.clone());
        }
        let connected = connect(&self.settings, self.durability, mode);
        let mut backoff = self.backoff.lock();
        match connected {
            Ok(connected) => {
                *backoff = None;
                Ok(Connection::new(connected, self.identity()))
            }
            Err(error) => {
                let time = backoff.as_ref().map_or(BACKOFF.0, |before| (before.time * 2).min(BACKOFF.1));
                *backoff = Some(Backoff { until: Instant::now() + time, time, error: error.clone() });
                Err(error)
            }
        }
    }

    fn identity(&self) -> Identity {
        let database = Arc::clone(&self.settings.database);
        Identity { database, lock: self.lock, writer: Arc::clone(&self.writer) }
    }
}

/// Connects to the first of the servers that can write.
fn connect(settings: &ServerSettings, durability: Durability, mode: Mode) -> Result<(Client, Driver), Error> {
    let mut last = failure(&settings.database, &"the URL names no host");
    for place in 0..settings.config.get_hosts().len() {
        match connect_to(settings, place).and_then(|connected| set_up(settings, durability, mode, connected)) {
            Ok(connected) => return Ok(connected),
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// Connects to the server at a place of the list of hosts.
fn connect_to(settings: &ServerSettings, place: usize) -> Result<(Client, Driver), Error> {
    let ServerSettings { config, tls, database, .. } = settings;
    let ports = config.get_ports();
    let port = ports.get(place).or(ports.first()).copied().unwrap_or(5432);
    let connected = match &config.get_hosts()[place] {
        Host::Unix(folder) => Socket::connect_within_machine(folder, port),
        Host::Tcp(name) => {
            let address = config.get_hostaddrs().get(place).map(ToString::to_string);
            Socket::connect(address.as_ref().unwrap_or(name), port)
        }
    };
    let socket = connected.map_err(|error| failure(database, &format_args!("cannot connect: {error}")))?;
    let mut config = config.clone();
    match (&config.get_hosts()[place], tls) {
        (Host::Tcp(name), Some(tls)) => {
            let tls = tls.connect(name).map_err(|error| failure(database, &error))?;
            log_in(&config, socket, tls, database)
        }
        // A socket of the machine needs no encryption.
        _ => log_in(config.ssl_mode(SslMode::Disable), socket, NoTls, database),
    }
}

fn log_in<T>(config: &Config, socket: Socket, tls: T, database: &str) -> Result<(Client, Driver), Error>
where
    T: TlsConnect<Socket>,
    T::Stream: Send + 'static,
{
    let mut driver = Driver::new(socket.clone());
    let connecting = driver.wait(config.connect_raw(socket, tls), READY_TIME_MAX);
    let (client, connection) = answered(connecting, database)?;
    driver.set(Box::pin(connection));
    Ok((client, driver))
}

/// Sends the settings of a connection; fails if the server cannot write.
fn set_up(
    settings: &ServerSettings,
    durability: Durability,
    mode: Mode,
    (client, mut driver): (Client, Driver),
) -> Result<(Client, Driver), Error> {
    let synchronous_commit = match durability {
        Durability::Full => "on",
        Durability::Normal => "off",
    };
    // As settings of the connection, so that BEGIN needs none.
    // The others wait for a transaction that writes, so one whose process hangs or is cut off soon ends.
    let (isolation, read_only, pause_max) = match mode {
        Mode::Write => ("read committed", "off", "5s"),
        Mode::Read | Mode::ReadOnce => ("repeatable read", "on", "30s"),
    };
    let schema = settings.schema.as_ref().map(|schema| format!("SET search_path TO \"{schema}\";")).unwrap_or_default();
    let statements = format!(
        "{SESSION} SET synchronous_commit = {synchronous_commit}; SET default_transaction_isolation = '{isolation}'; \
         SET default_transaction_read_only = {read_only}; \
         SET idle_in_transaction_session_timeout = '{pause_max}'; {schema} SELECT pg_is_in_recovery()"
    );
    let rows = answered(driver.wait(client.simple_query(&statements), READY_TIME_MAX), &settings.database)?;
    let is_standby = rows.iter().any(|row| matches!(row, SimpleQueryMessage::Row(row) if row.get(0) == Some("t")));
    if is_standby {
        return Err(failure(&settings.database, &"the server is a standby, which cannot write"));
    }
    Ok((client, driver))
}

/// Converts an answer, or its absence.
fn answered<T>(answer: Option<Result<T, tokio_postgres::Error>>, database: &str) -> Result<T, Error> {
    let answer = answer.ok_or_else(|| failure(database, &"the server does not answer"))?;
    answer.map_err(|error| error_of(database, &error))
}

/// Asks the server for the schema; it must exist, and the server must not be too old.
fn identify(
    settings: &ServerSettings,
    (client, mut driver): (Client, Driver),
) -> Result<((Client, Driver), Schema), Error> {
    let database = &settings.database;
    let ask = |driver: &mut Driver| answered(driver.wait(client.query_one(IDENTIFY, &[]), READY_TIME_MAX), database);
    let mut row = ask(&mut driver)?;
    if let (Some(schema), None) = (&settings.schema, row.get::<_, Option<String>>(0)) {
        // Another process may create it at the same time, so the question afterwards decides.
        let sql = format!("CREATE SCHEMA IF NOT EXISTS \"{schema}\"");
        let created = driver.wait(client.batch_execute(&sql), READY_TIME_MAX);
        row = ask(&mut driver)?;
        if let (None, Some(Err(error))) = (row.get::<_, Option<String>>(0), created) {
            return Err(error_of(database, &error));
        }
    }
    let refused = |reason: String| Error::Database { database: database.to_string(), reason, cause: Cause::Refused };
    let version: i64 = row.try_get(3).map_err(|error| error_of(database, &error))?;
    if version < VERSION_MIN {
        return Err(refused(format!("the server has version {version}; PostgreSQL {VERSION_MIN} or newer is needed")));
    }
    let schema: Option<String> = row.try_get(0).map_err(|error| error_of(database, &error))?;
    if schema.is_none() {
        return Err(refused("the schema of search_path does not exist; create it, or name another".to_owned()));
    }
    let lock = row.try_get(1).map_err(|error| error_of(database, &error))?;
    let writer = row.try_get(2).map_err(|error| error_of(database, &error))?;
    Ok(((client, driver), Schema { lock, writer }))
}
