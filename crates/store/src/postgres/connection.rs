//! A connection and its transaction.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Statement};

use super::dialect;
use super::driver::Driver;
use super::error::{ends_connection, error_of};
use super::numbered_rows::{Batch, NumberedRows};
use super::receipt::{Receipt, write_receipt};
use super::statements::Statements;
use super::values::type_of;
use crate::mode::Mode;
use crate::numbered::NumberedTable;
use crate::value::{Columns, OwnedValue};
use crate::{Cause, Error, Row, Value};

/// Maximum time for an answer; the server itself ends statements before.
const ANSWER_TIME_MAX: Duration = Duration::from_mins(1);

type Answer = Pin<Box<dyn Future<Output = Result<(), tokio_postgres::Error>> + Send>>;

/// What the connector knows of a connection.
pub(super) struct Identity {
    /// The URL without user and password.
    pub(super) database: Arc<str>,
    /// The key of the lock of those who write.
    pub(super) lock: i64,
    /// Names the process in its receipts.
    pub(super) writer: Arc<str>,
}

/// A connection to a server.
pub(crate) struct Connection {
    client: Arc<Client>,
    driver: RefCell<Driver>,
    identity: Identity,
    statements: Statements,
    /// Statements that are sent together with the next one that is waited for, the oldest first.
    unsent: RefCell<Vec<Unsent>>,
    /// Statements that were sent and whose answers nobody has looked at, the oldest first.
    sent: RefCell<VecDeque<Answer>>,
    /// Whether statements of a change are among them.
    has_notes: Cell<bool>,
    is_open: Cell<bool>,
    /// Whether its BEGIN was sent.
    is_begun: Cell<bool>,
    /// Whether the connection was lost.
    is_lost: Cell<bool>,
    /// The error since which the server ignores statements.
    failure: RefCell<Option<Error>>,
    /// The parts of the transaction that are open, the outermost first.
    parts: RefCell<Vec<Part>>,
    /// Rows that wait for the commit.
    rows: RefCell<NumberedRows>,
    receipt: RefCell<Option<Arc<Receipt>>>,
    /// The number of the last of the rows that were inserted; 0 if there are none.
    last_number: Arc<AtomicI64>,
}

/// A message that waits to be sent.
enum Unsent {
    /// Statements without parameters.
    Commands(String),
    /// A statement, which is sent when it is polled.
    Statement(Answer),
}

/// An open part of the transaction.
#[derive(Clone, Copy)]
struct Part {
    /// Whether its savepoint was sent.
    is_sent: bool,
    /// The number of rows that waited when it began, and still wait.
    rows: usize,
}

impl Connection {
    pub(super) fn new((client, driver): (Client, Driver), identity: Identity) -> Self {
        Self {
            client: Arc::new(client),
            driver: RefCell::new(driver),
            identity,
            statements: Statements::default(),
            unsent: RefCell::default(),
            sent: RefCell::default(),
            has_notes: Cell::new(false),
            is_open: Cell::new(false),
            is_begun: Cell::new(false),
            is_lost: Cell::new(false),
            failure: RefCell::default(),
            parts: RefCell::default(),
            rows: RefCell::default(),
            receipt: RefCell::default(),
            last_number: Arc::default(),
        }
    }

    pub(crate) fn name(&self) -> String {
        self.identity.database.to_string()
    }

    pub(crate) fn is_open(&self) -> bool {
        self.is_open.get()
    }

    pub(crate) fn is_alive(&self) -> bool {
        !self.is_lost.get() && self.driver.borrow_mut().advance()
    }

    pub(crate) fn begin(&self, mode: Mode) {
        self.is_open.set(true);
        self.receipt.take();
        self.last_number.store(0, Ordering::Relaxed);
        self.is_begun.set(false);
        // The connection was made for this mode.
        if mode != Mode::ReadOnce {
            self.send_command("BEGIN");
        }
        if mode == Mode::Write {
            self.send_command(&format!("SELECT pg_advisory_xact_lock({})", self.identity.lock));
        }
    }

    pub(crate) fn execute(&self, sql: &str, values: &[Value<'_>]) -> Result<usize, Error> {
        let statement = self.prepare(sql, values)?;
        let values = parameters(values);
        let count = self.ask(self.client.execute(&statement, &values))?;
        Ok(usize::try_from(count).unwrap_or(usize::MAX))
    }

    /// Sends a statement and does not wait for its answer.
    pub(crate) fn note(&self, sql: &str, values: &[Value<'_>]) -> Result<(), Error> {
        let statement = self.prepare(sql, values)?;
        let client = Arc::clone(&self.client);
        let values: Vec<OwnedValue> = values.iter().map(OwnedValue::from).collect();
        self.has_notes.set(true);
        self.send(Box::pin(async move { client.execute_raw(&statement, values).await.map(drop) }));
        Ok(())
    }

    pub(crate) fn insert_numbered(&self, table: &'static NumberedTable, values: &[Value<'_>]) {
        self.rows.borrow_mut().add(table, values);
    }

    pub(crate) fn execute_all(&self, sql: &str) -> Result<(), Error> {
        let translated = dialect::statements(sql).map_err(|reason| self.refused(reason))?;
        self.before(sql)?;
        self.ask(self.client.batch_execute(&translated))
    }

    /// Runs a query. The outer error is that of the statement, the inner one that of `read`.
    pub(crate) fn query<T>(
        &self,
        sql: &str,
        values: &[Value<'_>],
        mut read: impl FnMut(&Row<'_>) -> Result<T, Error>,
    ) -> Result<Result<Vec<T>, Error>, Error> {
        let statement = self.prepare(sql, values)?;
        let values = parameters(values);
        let rows = self.ask(self.client.query(&statement, &values))?;
        Ok(rows.iter().map(|row| read(&Row(Columns::Postgres(row, &self.identity.database)))).collect())
    }

    pub(crate) fn begin_part(&self, depth: usize) {
        let mut parts = self.parts.borrow_mut();
        parts.truncate(depth);
        parts.push(Part { is_sent: false, rows: self.rows.borrow().len() });
    }

    /// Waits for the answers of a part's statements; fails if one of them failed.
    pub(crate) fn finish_part(&self) -> Result<(), Error> {
        if self.has_notes.get() {
            self.settle()?;
        }
        self.check()
    }

    /// Removes the changes of a part, after which the server no longer ignores statements.
    pub(crate) fn roll_back_part(&self, depth: usize) -> Result<(), Error> {
        let (is_sent, rows) = match self.parts.borrow().get(depth) {
            Some(part) => (part.is_sent, part.rows),
            None => return Ok(()),
        };
        self.rows.borrow_mut().truncate(rows);
        if !is_sent {
            return self.check();
        }
        // If something before the savepoint has failed, there is no savepoint, and this fails, too.
        drop(self.settle());
        let has_failed = self.failure.take().is_some();
        let command = format!("ROLLBACK TO part{depth}");
        if has_failed {
            return self.ask(self.client.batch_execute(&command));
        }
        self.send_command(&command);
        Ok(())
    }

    pub(crate) fn release_part(&self, depth: usize) -> Result<(), Error> {
        let part = self.parts.borrow_mut().drain(depth..).next();
        if part.is_some_and(|part| part.is_sent) {
            self.check()?;
            self.send_command(&format!("RELEASE part{depth}"));
        }
        Ok(())
    }

    /// Commits; fails with [`Error::Unknown`] if the connection was lost meanwhile.
    pub(crate) fn commit(&self) -> Result<(), Error> {
        let receipt = Arc::new(self.identity.next_receipt());
        self.receipt.replace(Some(Arc::clone(&receipt)));
        let mut batches = self.rows.borrow_mut().take(usize::MAX);
        if let Some(batch) = batches.last_mut() {
            batch.receipt = Some(receipt);
            self.insert(batches)?;
        } else {
            self.note(&write_receipt(1), &receipt.values())?;
        }
        self.check()?;
        self.send_command("COMMIT");
        match self.settle() {
            Err(error) if self.is_lost.get() => Err(Error::Unknown(Arc::new(error))),
            Err(error) => Err(error),
            Ok(()) => {
                self.is_open.set(false);
                Ok(())
            }
        }
    }

    /// Rolls the transaction back, without waiting for the answer; returns whether the connection can be used again.
    pub(crate) fn roll_back(&self) -> bool {
        self.forget();
        self.rows.borrow_mut().truncate(0);
        self.parts.borrow_mut().clear();
        if self.is_open.replace(false) && self.is_begun.replace(false) {
            self.send_command("ROLLBACK");
            self.send_all();
        }
        // That sends it.
        self.is_alive()
    }

    pub(crate) fn last_number(&self) -> Option<i64> {
        Some(self.last_number.load(Ordering::Relaxed)).filter(|number| *number > 0)
    }

    pub(crate) fn receipt(&self) -> Option<Arc<Receipt>> {
        self.receipt.borrow().clone()
    }

    /// Runs statements outside a transaction.
    pub(super) fn run(&self, sql: &str) -> Result<(), Error> {
        self.ask(self.client.batch_execute(sql))
    }

    /// Does what must be done before a statement: rows are inserted that it could read, and those before a savepoint that is sent now.
    fn before(&self, sql: &str) -> Result<(), Error> {
        self.check()?;
        let mut inserted = 0;
        let depths = self.parts.borrow().len();
        for depth in 0..depths {
            let Part { is_sent, rows } = self.parts.borrow()[depth];
            if is_sent {
                continue;
            }
            self.insert_rows(rows - inserted)?;
            inserted = rows;
            self.send_command(&format!("SAVEPOINT part{depth}"));
            self.parts.borrow_mut()[depth] = Part { is_sent: true, rows: 0 };
        }
        if self.rows.borrow().are_named_in(sql) {
            self.insert_rows(usize::MAX)?;
        }
        Ok(())
    }

    /// Inserts the first of the rows that wait.
    fn insert_rows(&self, count: usize) -> Result<(), Error> {
        let batches = self.rows.borrow_mut().take(count);
        self.insert(batches)
    }

    fn insert(&self, batches: Vec<Batch>) -> Result<(), Error> {
        for batch in batches {
            let sql = batch.statement();
            let prepare = || {
                let statement = self.ask(self.client.prepare_typed(&sql, &batch.types()))?;
                self.statements.keep(&sql, Vec::new(), statement.clone());
                Ok(statement)
            };
            let statement = self.statements.find(&sql, &[]).map_or_else(prepare, Ok)?;
            let (client, last_number) = (Arc::clone(&self.client), Arc::clone(&self.last_number));
            self.send(Box::pin(async move {
                let row = client.query_one(&statement, &batch.values()).await?;
                last_number.store(row.try_get(0)?, Ordering::Relaxed);
                Ok(())
            }));
        }
        Ok(())
    }

    /// Prepares a statement for values of these types, and does what must be done before it.
    fn prepare(&self, sql: &str, values: &[Value<'_>]) -> Result<Statement, Error> {
        self.before(sql)?;
        if let Some(statement) = self.statements.find(sql, values) {
            return Ok(statement);
        }
        let translated = dialect::statement(sql).map_err(|reason| self.refused(reason))?;
        let types: Vec<_> = values.iter().map(type_of).collect();
        let statement = self.ask(self.client.prepare_typed(&translated, &types))?;
        self.statements.keep(sql, types, statement.clone());
        Ok(statement)
    }

    /// Adds a statement without parameters to the message that is sent next. After a failed one, the server skips the others of its message.
    fn send_command(&self, sql: &str) {
        let mut unsent = self.unsent.borrow_mut();
        if let Some(Unsent::Commands(commands)) = unsent.last_mut() {
            commands.push_str("; ");
            commands.push_str(sql);
        } else {
            unsent.push(Unsent::Commands(sql.to_owned()));
        }
    }

    /// Adds a statement to those that are sent next.
    fn send(&self, statement: Answer) {
        self.unsent.borrow_mut().push(Unsent::Statement(statement));
    }

    /// Sends all statements; their answers are looked at later.
    fn send_all(&self) {
        for message in self.unsent.take() {
            let mut answer: Answer = match message {
                Unsent::Statement(answer) => answer,
                Unsent::Commands(sql) => {
                    self.is_begun.set(true);
                    let client = Arc::clone(&self.client);
                    Box::pin(async move { client.batch_execute(&sql).await })
                }
            };
            // A future that is ready is kept, too, so that errors have their order.
            let answer = match answer.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                Poll::Pending => answer,
                Poll::Ready(result) => Box::pin(std::future::ready(result)),
            };
            self.sent.borrow_mut().push_back(answer);
        }
    }

    /// Sends a statement together with those before it, and waits for its answer.
    fn ask<T>(&self, answer: impl Future<Output = Result<T, tokio_postgres::Error>>) -> Result<T, Error> {
        self.check()?;
        self.send_all();
        let mut answer = pin!(answer);
        let ready = answer.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        self.settle()?;
        match ready {
            Poll::Ready(result) => self.answered(Some(result)),
            Poll::Pending => self.wait(answer),
        }
    }

    /// Sends all statements, and waits for their answers.
    fn settle(&self) -> Result<(), Error> {
        self.has_notes.set(false);
        self.send_all();
        let sent = self.sent.take();
        for answer in sent {
            // After an error the answers of the others are of no interest.
            self.wait(answer)?;
        }
        Ok(())
    }

    fn wait<T>(&self, answer: impl Future<Output = Result<T, tokio_postgres::Error>>) -> Result<T, Error> {
        let answer = self.driver.borrow_mut().wait(answer, ANSWER_TIME_MAX);
        self.answered(answer)
    }

    fn answered<T>(&self, answer: Option<Result<T, tokio_postgres::Error>>) -> Result<T, Error> {
        let (error, is_lost) = match answer {
            Some(Ok(answer)) => return Ok(answer),
            Some(Err(error)) => (error_of(&self.identity.database, &error), ends_connection(&error)),
            None => (self.error("the server does not answer".to_owned(), Cause::Unreachable), true),
        };
        if is_lost {
            self.is_lost.set(true);
            self.is_open.set(false);
        }
        self.failure.borrow_mut().get_or_insert_with(|| error.clone());
        Err(error)
    }

    /// Fails if the server ignores statements because one has failed.
    fn check(&self) -> Result<(), Error> {
        self.failure.borrow().clone().map_or(Ok(()), Err)
    }

    fn forget(&self) {
        self.unsent.take();
        self.sent.take();
        self.has_notes.set(false);
        self.failure.take();
    }

    fn refused(&self, reason: &str) -> Error {
        self.error(reason.to_owned(), Cause::Other)
    }

    fn error(&self, reason: String, cause: Cause) -> Error {
        Error::Database { database: self.name(), reason, cause }
    }
}

fn parameters<'a>(values: &'a [Value<'_>]) -> Vec<&'a (dyn ToSql + Sync)> {
    values.iter().map(|value| value as &(dyn ToSql + Sync)).collect()
}
