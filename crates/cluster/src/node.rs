//! The nodes as the database has them.

use store::{Error, Transaction};

use crate::beat::{self, LEASE};

/// A node of the cluster; times are milliseconds since the epoch, of the database's clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// The name.
    pub name: String,
    /// The version of its program.
    pub version: String,
    /// Its URL for clients.
    pub address: String,
    /// When it joined.
    pub started: i64,
    /// When it was last seen; a running node is seen every three seconds.
    pub seen: i64,
    /// By how many milliseconds its clock is ahead of the database's.
    pub clock_offset: i64,
    /// Whether it runs.
    pub status: NodeStatus,
    /// The roles that it has, sorted.
    pub roles: Vec<String>,
}

/// Whether a node runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NodeStatus {
    /// It was seen some seconds ago.
    Running,
    /// It was not seen for longer than it can keep a role.
    Lost,
    /// It has left.
    Stopped,
}

impl NodeStatus {
    /// Returns the word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Lost => "lost",
            Self::Stopped => "stopped",
        }
    }
}

/// Lists the nodes by their names.
pub(crate) fn list(transaction: &Transaction) -> Result<Vec<Node>, Error> {
    let now = beat::now(transaction)?;
    let leases =
        transaction.query("SELECT node, role FROM leases WHERE until >= ?1 ORDER BY role", &[now.into()], |row| {
            Ok((row.text(0)?, row.text(1)?))
        })?;
    let nodes = "SELECT name, version, address, started, seen, stopped, clock_offset FROM nodes ORDER BY name";
    transaction.query(nodes, &[], |row| {
        let (name, seen) = (row.text(0)?, row.integer(4)?);
        let status = match row.optional_integer(5)? {
            Some(_) => NodeStatus::Stopped,
            None if seen < now - LEASE => NodeStatus::Lost,
            None => NodeStatus::Running,
        };
        let roles = leases.iter().filter(|(node, _)| *node == name).map(|(_, role)| role.clone()).collect();
        Ok(Node {
            name,
            version: row.text(1)?,
            address: row.text(2)?,
            started: row.integer(3)?,
            seen,
            clock_offset: row.integer(6)?,
            status,
            roles,
        })
    })
}
