//! Several servers, the nodes, on one database: which nodes there are, who holds which role, and changes that all must learn of.
//!
//! **Invariant:** a node believes that it holds a role only for as long as no other one can take its lease. This is no fence: what a node
//! does in a role is checked again in the transaction that makes it count.

#![warn(unreachable_pub)]

mod beat;
mod error;
mod join;
mod membership;
mod node;
mod older;
mod role;
mod schema;
mod time;

use std::sync::Arc;
use std::time::Duration;

use store::{Error, Store, Transaction};
use worker::{Waker, Worker};

pub use crate::error::JoinError;
use crate::membership::{Membership, Pulse};
pub use crate::node::{Node, NodeStatus};
pub use crate::role::{Role, RoleWork};

/// Time between two looks at what other nodes do.
pub const LOOK_INTERVAL: Duration = Duration::from_secs(1);

/// The change that all data were removed.
pub const DATA: &str = "data";

/// Returns the machine's time in milliseconds since the epoch.
pub type MachineTime = Arc<dyn Fn() -> i64 + Send + Sync>;

/// What a node tells the others of itself.
#[derive(Clone)]
pub struct NodeSettings {
    /// The name, which no other node may have.
    pub name: String,
    /// Distinguishes a later process of the same node, which has the same one, from another server that was given the same name.
    pub instance: String,
    /// The version of the program.
    pub version: String,
    /// The URL for clients.
    pub address: String,
    /// The roles that this node can have.
    pub roles: &'static [&'static str],
    /// The machine's clock, which is compared with the database's.
    pub machine_time: MachineTime,
}

/// The cluster as one node sees it; clones are of the same node.
#[derive(Clone)]
pub struct Cluster(Option<Arc<Joined>>);

/// A node that has joined.
struct Joined {
    membership: Arc<Membership>,
    worker: Worker,
}

/// Creates the tables of nodes, or changes those of an older version.
pub fn migrate(store: &Store) -> Result<(), Error> {
    store.find_older_servers(older::find);
    store.migrate("cluster", schema::STEPS)
}

/// Returns a node that runs on a database, if there is one; a database in a file has none.
pub fn running(store: &Store) -> Result<Option<Node>, Error> {
    let nodes = if store.is_remote() { store.read(node::list)? } else { Vec::new() };
    Ok(nodes.into_iter().find(|node| node.status == NodeStatus::Running))
}

impl Cluster {
    /// Returns the cluster of a server with a database of its own: it has every role, and nothing is stored.
    pub const fn alone() -> Self {
        Self(None)
    }

    /// Joins the nodes of a database on a server, and takes the roles that nobody has.
    ///
    /// Fails if a running node has the name; waits if it cannot be told yet whether one runs, at most for the time of a lease.
    pub fn join(store: &Arc<Store>, settings: NodeSettings) -> Result<Self, JoinError> {
        migrate(store)?;
        join::take_name(store, &settings)?;
        let membership = Arc::new(Membership::new(Arc::clone(store), settings));
        membership.beat()?;
        let worker = Worker::start("cluster", Waker::default(), Pulse::new(Arc::clone(&membership)));
        let worker = worker.map_err(JoinError::Thread)?;
        Ok(Self(Some(Arc::new(Joined { membership, worker }))))
    }

    /// Returns whether there can be other nodes.
    pub const fn is_shared(&self) -> bool {
        self.0.is_some()
    }

    /// Returns the name of this node; a server with a database of its own has none.
    pub fn node_name(&self) -> Option<&str> {
        self.0.as_ref().map(|joined| joined.membership.name())
    }

    /// Returns a role of [`NodeSettings::roles`].
    ///
    /// # Panics
    ///
    /// If it is none of them.
    pub fn role(&self, name: &str) -> Role {
        self.0.as_ref().map_or_else(Role::always, |joined| joined.membership.role(name))
    }

    /// Lists the nodes of the last day by their names; none if the server has a database of its own.
    pub fn nodes(&self) -> Result<Vec<Node>, Error> {
        self.0.as_ref().map_or_else(|| Ok(Vec::new()), |joined| joined.membership.nodes())
    }

    /// Returns whether other nodes run.
    pub fn has_others(&self) -> Result<bool, Error> {
        let own = self.node_name();
        let is_other = |node: &Node| node.status == NodeStatus::Running && Some(node.name.as_str()) != own;
        Ok(self.nodes()?.iter().any(is_other))
    }

    /// Announces a change to the other nodes, once the transaction is committed.
    pub fn announce(&self, transaction: &Transaction, change: &'static str) -> Result<(), Error> {
        self.0.as_ref().map_or(Ok(()), |joined| joined.membership.announce(transaction, change))
    }

    /// Returns the number of announcements of a change; 0 if the server has a database of its own.
    pub fn announced(&self, transaction: &Transaction, change: &'static str) -> Result<i64, Error> {
        if self.is_shared() { membership::announced(transaction, change) } else { Ok(0) }
    }

    /// Calls a function some time, about a second, after another node announced a change.
    pub fn on_change(&self, change: &'static str, action: impl Fn() + Send + Sync + 'static) {
        if let Some(joined) = &self.0 {
            joined.membership.on_change(change, Box::new(action));
        }
    }

    /// Returns the time for what must be in the order of its times over all nodes, as far as they take it here.
    ///
    /// `clock` is the time of this node. If the clock of another one was ahead, its last time is returned until this clock has passed it.
    /// Times are in milliseconds since the epoch. The clock of a node that is alone counts, even if it is set back.
    pub fn time(&self, transaction: &Transaction, clock: i64) -> Result<i64, Error> {
        self.0.as_ref().map_or(Ok(clock), |joined| time::after_others(transaction, joined.membership.name(), clock))
    }

    /// Gives all roles back and leaves; the work of the roles must have ended. A second call does nothing.
    pub fn leave(&self) {
        if let Some(joined) = &self.0 {
            joined.leave();
        }
    }
}

impl Joined {
    fn leave(&self) {
        self.worker.stop();
        self.membership.leave();
    }
}

impl Drop for Joined {
    fn drop(&mut self) {
        self.leave();
    }
}

#[cfg(test)]
mod tests;
