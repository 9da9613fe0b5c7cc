//! Makes connections, and drives all of them on one thread.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;
use tokio_postgres::{Client, NoTls};

use super::connection::{Connection, Identity};
use super::error::{error_of, failure};
use super::receipt::CREATE_TABLE;
use super::settings::ServerSettings;
use super::wait::wait;
use crate::{Cause, Durability, Error};

/// Maximum time from the connection to the end of its settings.
const READY_TIME_MAX: Duration = Duration::from_secs(10);

/// Maximum time to wait for a server at the start.
const START_TIME_MAX: Duration = Duration::from_secs(30);

/// Time after a failed attempt in which there is no other; it doubles from the first to the second.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

/// The oldest version of the server that is supported.
const VERSION_MIN: i64 = 14;

/// Settings of a connection. A statement, a lock and a pause within a transaction are bounded, and a client that has gone is noticed.
const SESSION: &str = "
    SET statement_timeout = '30s';
    SET lock_timeout = '15s';
    SET idle_in_transaction_session_timeout = '30s';
    SET client_connection_check_interval = '2s';
    SET tcp_keepalives_idle = 5;
    SET tcp_keepalives_interval = 2;
    SET tcp_keepalives_count = 3;
    SET default_transaction_isolation = 'read committed';
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
    driver: Handle,
    /// Ends the thread of the connections when it is dropped.
    _stop: oneshot::Sender<()>,
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
        let (driver, stop) = drive(&settings.database)?;
        let deadline = Instant::now() + START_TIME_MAX;
        let (client, schema) = loop {
            let connected = connect(&settings, durability, &driver).and_then(|client| identify(&settings, client));
            match connected {
                Ok(connected) => break connected,
                Err(error @ Error::Database { cause: Cause::Unreachable, .. }) if Instant::now() < deadline => {
                    tracing::warn!(%error, "waiting for the database");
                    thread::sleep(BACKOFF.0 * 5);
                }
                Err(error) => return Err(error),
            }
        };
        let writer = schema.writer.into();
        let connector =
            Self { settings, durability, driver, _stop: stop, lock: schema.lock, writer, backoff: Mutex::default() };
        let connection = Connection::new(client, connector.identity());
        connection.run(&format!("BEGIN; SELECT pg_advisory_xact_lock({}); {CREATE_TABLE}; COMMIT", connector.lock))?;
        Ok(connector)
    }

    /// Makes a connection. After a failed attempt, it fails with the same error for a while, so that nobody waits.
    pub(crate) fn connect(&self) -> Result<Connection, Error> {
        if let Some(backoff) = &*self.backoff.lock()
            && Instant::now() < backoff.until
        {
            return Err(backoff.error.clone());
        }
        let connected = connect(&self.settings, self.durability, &self.driver);
        let mut backoff = self.backoff.lock();
        match connected {
            Ok(client) => {
                *backoff = None;
                Ok(Connection::new(client, self.identity()))
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

/// Starts the thread that drives the connections; it ends when the sender is dropped.
fn drive(database: &str) -> Result<(Handle, oneshot::Sender<()>), Error> {
    let failed = |error: std::io::Error| failure(database, &error);
    let runtime = Builder::new_current_thread().enable_all().build().map_err(failed)?;
    let (handle, (stop, stopped)) = (runtime.handle().clone(), oneshot::channel::<()>());
    // The runtime ends on its thread, as one cannot end within another.
    let run = move || drop(runtime.block_on(stopped));
    thread::Builder::new().name("database".to_owned()).spawn(run).map_err(failed)?;
    Ok((handle, stop))
}

fn connect(settings: &ServerSettings, durability: Durability, driver: &Handle) -> Result<Client, Error> {
    let database = Arc::clone(&settings.database);
    let late = || failure(&database, &"the server does not answer");
    let connecting = driver.spawn(open(settings.clone(), durability));
    match wait(connecting, READY_TIME_MAX) {
        Some(Ok(Ok(client))) => Ok(client),
        Some(Ok(Err(error))) => Err(error_of(&database, &error)),
        Some(Err(error)) => Err(failure(&database, &error)),
        None => Err(late()),
    }
}

async fn open(settings: ServerSettings, durability: Durability) -> Result<Client, tokio_postgres::Error> {
    let ServerSettings { config, tls, schema, .. } = settings;
    let client = if let Some(tls) = tls {
        let (client, connection) = config.connect(tls).await?;
        tokio::spawn(connection);
        client
    } else {
        let (client, connection) = config.connect(NoTls).await?;
        tokio::spawn(connection);
        client
    };
    let synchronous_commit = match durability {
        Durability::Full => "on",
        Durability::Normal => "off",
    };
    let schema = schema.map(|schema| format!("; SET search_path TO {schema}")).unwrap_or_default();
    client.batch_execute(&format!("{SESSION} SET synchronous_commit = {synchronous_commit}{schema}")).await?;
    Ok(client)
}

/// Asks the server for the schema; it must exist, and the server must not be too old.
fn identify(settings: &ServerSettings, client: Client) -> Result<(Client, Schema), Error> {
    let database = &settings.database;
    let ask = || {
        let answer = wait(client.query_one(IDENTIFY, &[]), READY_TIME_MAX);
        let answer = answer.ok_or_else(|| failure(database, &"the server does not answer"))?;
        answer.map_err(|error| error_of(database, &error))
    };
    let mut row = ask()?;
    if let (Some(schema), None) = (&settings.schema, row.get::<_, Option<String>>(0)) {
        // Another process may create it at the same time, so the question afterwards decides.
        let created = wait(client.batch_execute(&format!("CREATE SCHEMA IF NOT EXISTS {schema}")), READY_TIME_MAX);
        row = ask()?;
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
    Ok((client, Schema { lock, writer }))
}
