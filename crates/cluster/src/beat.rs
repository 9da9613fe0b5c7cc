//! The beat of a node: one transaction that tells the others of it, and takes or renews the leases of roles.
//!
//! Times are those of the database's clock, so that nodes with different clocks agree about leases.

use store::postgres::SERVER_TIME;
use store::{Error, Transaction};

use crate::NodeSettings;

/// Time in milliseconds for which a beat gives a role, and after which a node that is not seen counts as gone.
pub(crate) const LEASE: i64 = 10_000;

/// What a beat found.
pub(crate) struct Beat {
    /// Whether the row of the node is still its own; if not, another server has taken the name.
    pub(crate) is_own: bool,
    /// By how many milliseconds the machine's clock is ahead of the database's.
    pub(crate) clock_offset: i64,
    /// The roles that the node has.
    pub(crate) held: Vec<String>,
    /// Time in milliseconds until the first lease of another node ends; `None` if there is none.
    pub(crate) next_end: Option<i64>,
}

/// Returns the time of the database in milliseconds since the epoch.
pub(crate) fn now(transaction: &Transaction) -> Result<i64, Error> {
    transaction
        .query_one(&format!("SELECT {SERVER_TIME}"), &[], |row| row.integer(0))?
        .ok_or(Error::Damaged("the database has no time"))
}

/// Runs the statements of a beat.
///
/// `steps` is what the node tells of its migrations.
pub(crate) fn run(transaction: &Transaction, node: &NodeSettings, steps: &str) -> Result<Beat, Error> {
    // The first statement waits for the lock, and the clocks are compared without that wait.
    let found = transaction
        .query_one("SELECT instance FROM nodes WHERE name = ?1", &[(&node.name).into()], |row| row.text(0))?;
    let before = (node.machine_time)();
    let now = now(transaction)?;
    let clock_offset = i64::midpoint(before, (node.machine_time)()) - now;
    if found.is_some_and(|instance| instance != node.instance) {
        return Ok(Beat { is_own: false, clock_offset, held: Vec::new(), next_end: None });
    }
    transaction.note(
        "INSERT INTO nodes (name, instance, version, address, started, seen, clock_offset, steps) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?5, ?6, ?7) ON CONFLICT (name) DO UPDATE \
         SET seen = excluded.seen, clock_offset = excluded.clock_offset, steps = excluded.steps, stopped = NULL",
        &[
            (&node.name).into(),
            (&node.instance).into(),
            (&node.version).into(),
            (&node.address).into(),
            now.into(),
            clock_offset.into(),
            steps.into(),
        ],
    )?;
    for role in node.roles {
        transaction.note(
            "INSERT INTO leases (role, node, until) VALUES (?1, ?2, ?3) ON CONFLICT (role) DO UPDATE \
             SET node = excluded.node, until = excluded.until WHERE leases.node = excluded.node OR leases.until < ?4",
            &[(*role).into(), (&node.name).into(), (now + LEASE).into(), now.into()],
        )?;
    }
    let leases = transaction
        .query("SELECT role, node, until FROM leases", &[], |row| Ok((row.text(0)?, row.text(1)?, row.integer(2)?)))?;
    let (held, others): (Vec<_>, Vec<_>) = leases.into_iter().partition(|(_, holder, _)| *holder == node.name);
    let ends = others.iter().filter(|(role, ..)| node.roles.contains(&role.as_str())).map(|(.., until)| until - now);
    let next_end = ends.min().map(|end| end.max(0));
    Ok(Beat { is_own: true, clock_offset, held: held.into_iter().map(|(role, ..)| role).collect(), next_end })
}
