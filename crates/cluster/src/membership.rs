//! A node among the others: its beats, its roles, and the changes that others announce.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use store::{Error, Store, Transaction};
use worker::{Stop, Work};

use crate::beat::{self, Beat, LEASE};
use crate::node::{self, Node};
use crate::role::{Role, RoleState};
use crate::{LOOK_INTERVAL, NodeSettings, older};

/// Time between two beats.
const BEAT_INTERVAL: Duration = Duration::from_secs(3);

/// Time from the beginning of a beat for which a node believes that it has a role: a second less than the lease.
const HELD: Duration = Duration::from_millis(LEASE.unsigned_abs() - 1_000);

/// Time after the end of another node's lease at which it is taken.
const TAKE_DELAY: Duration = Duration::from_millis(20);

/// The difference in milliseconds between the clocks of a node and of the database that is worth a warning.
const CLOCK_OFFSET_MAX: i64 = 5_000;

/// A function that is called after another node announced a change.
type Action = Box<dyn Fn() + Send + Sync>;

/// A node that has joined.
pub(crate) struct Membership {
    store: Arc<Store>,
    settings: NodeSettings,
    roles: Vec<Arc<RoleState>>,
    /// How often each change was announced, as far as this node knows.
    known: Arc<Mutex<BTreeMap<String, i64>>>,
    actions: Mutex<Vec<(&'static str, Action)>>,
    /// Whether the clock's difference was logged.
    is_warned: AtomicBool,
    has_left: AtomicBool,
}

impl Membership {
    pub(crate) fn new(store: Arc<Store>, settings: NodeSettings) -> Self {
        let roles = settings.roles.iter().map(|name| Arc::new(RoleState::new(name))).collect();
        Self {
            store,
            settings,
            roles,
            known: Arc::default(),
            actions: Mutex::default(),
            is_warned: AtomicBool::new(false),
            has_left: AtomicBool::new(false),
        }
    }

    pub(crate) fn name(&self) -> &str {
        &self.settings.name
    }

    #[cfg(test)]
    pub(crate) fn store(&self) -> &Store {
        &self.store
    }

    pub(crate) fn role(&self, name: &str) -> Role {
        let role = self.roles.iter().find(|role| role.name == name);
        Role::of(Arc::clone(role.expect("the role is one of those of the settings")))
    }

    pub(crate) fn nodes(&self) -> Result<Vec<Node>, Error> {
        self.store.read(node::list)
    }

    /// Tells the others of this node, and takes or renews roles; returns the time until the next beat.
    pub(crate) fn beat(&self) -> Result<Duration, Error> {
        // The lease begins later than this, as the database gives it.
        let begun = Instant::now();
        let settings = self.settings.clone();
        let steps = older::text_of(&self.store.migrated());
        let beat = self.store.write(move |transaction| beat::run(transaction, &settings, &steps))?;
        for role in &self.roles {
            if beat.held.iter().any(|held| held == role.name) {
                role.hold(begun + HELD);
            } else {
                role.lose();
            }
        }
        self.warn(&beat);
        let until_end = beat.next_end.map(|end| Duration::from_millis(end.unsigned_abs()) + TAKE_DELAY);
        Ok(until_end.map_or(BEAT_INTERVAL, |end| end.min(BEAT_INTERVAL)))
    }

    fn warn(&self, beat: &Beat) {
        let node = &self.settings.name;
        if !beat.is_own {
            tracing::error!(
                node,
                "another server has taken the name of this node, which has no role any more; restart it"
            );
        }
        let is_off = beat.clock_offset.abs() > CLOCK_OFFSET_MAX;
        if self.is_warned.swap(is_off, Ordering::Relaxed) != is_off {
            let milliseconds = beat.clock_offset;
            if is_off {
                tracing::warn!(
                    node,
                    milliseconds,
                    "the clock of this machine is ahead of the database's, or behind it"
                );
            } else {
                tracing::info!(node, milliseconds, "the clocks of this machine and of the database agree again");
            }
        }
    }

    /// Counts an announcement in a transaction; this node needs no notice of it.
    pub(crate) fn announce(&self, transaction: &Transaction, change: &'static str) -> Result<(), Error> {
        let number = transaction.query_one(
            "INSERT INTO cluster_changes (name, number) VALUES (?1, 1) \
             ON CONFLICT (name) DO UPDATE SET number = cluster_changes.number + 1 RETURNING number",
            &[change.into()],
            |row| row.integer(0),
        )?;
        let number = number.ok_or(Error::Damaged("an announcement has no number"))?;
        let known = Arc::clone(&self.known);
        transaction.after_commit(move || {
            let mut known = known.lock();
            let last = known.entry(change.to_owned()).or_default();
            // Announcements of others before this one are not known yet, and must be noticed.
            if *last == number - 1 {
                *last = number;
            }
        });
        Ok(())
    }

    /// Adds a function that is called after another node announced a change from now on, and perhaps once for changes before.
    pub(crate) fn on_change(&self, change: &'static str, action: Action) {
        let mut actions = self.actions.lock();
        // What was known before this may have been announced after the caller read what it keeps.
        self.known.lock().remove(change);
        actions.push((change, action));
    }

    /// Looks for changes that others announced, and calls the functions for them.
    pub(crate) fn look(&self) -> Result<(), Error> {
        let numbers = self.store.read_once(|transaction| {
            let sql = "SELECT name, number FROM cluster_changes";
            transaction.query(sql, &[], |row| Ok((row.text(0)?, row.integer(1)?)))
        })?;
        let actions = self.actions.lock();
        let mut changed = Vec::new();
        {
            let mut known = self.known.lock();
            for (name, number) in numbers {
                // The announcements of this node after the look are newer than what it has read.
                if known.get(&name).is_none_or(|last| *last < number) {
                    known.insert(name.clone(), number);
                    changed.push(name);
                }
            }
        }
        actions.iter().filter(|(name, _)| changed.iter().any(|changed| changed == name)).for_each(|(_, act)| act());
        Ok(())
    }

    /// Gives all roles back, and says that the node has stopped.
    pub(crate) fn leave(&self) {
        if self.has_left.swap(true, Ordering::SeqCst) {
            return;
        }
        for role in &self.roles {
            role.lose();
        }
        let NodeSettings { name, instance, .. } = self.settings.clone();
        let left = self.store.write(move |transaction| {
            let now = beat::now(transaction)?;
            let sql = "UPDATE nodes SET stopped = ?3, seen = ?3 WHERE name = ?1 AND instance = ?2";
            if transaction.execute(sql, &[(&name).into(), (&instance).into(), now.into()])? > 0 {
                transaction.note("DELETE FROM leases WHERE node = ?1", &[(&name).into()])?;
            }
            Ok::<_, Error>(())
        });
        if let Err(error) = left {
            tracing::warn!(%error, "cannot give back the roles of this node; others take them when their time has passed");
        }
    }
}

/// Returns the number of announcements of a change.
pub(crate) fn announced(transaction: &Transaction, change: &str) -> Result<i64, Error> {
    let sql = "SELECT number FROM cluster_changes WHERE name = ?1";
    Ok(transaction.query_one(sql, &[change.into()], |row| row.integer(0))?.unwrap_or(0))
}

/// The work of the node's worker: beats, and looks for changes.
pub(crate) struct Pulse {
    membership: Arc<Membership>,
    next_beat: Instant,
    /// Whether the last beat failed.
    is_failing: bool,
}

impl Pulse {
    pub(crate) fn new(membership: Arc<Membership>) -> Self {
        Self { membership, next_beat: Instant::now(), is_failing: false }
    }

    /// Beats; a failure is logged when it begins, as it lasts until the database answers again.
    fn beat(&mut self) {
        let beaten = self.membership.beat();
        self.next_beat = Instant::now() + *beaten.as_ref().unwrap_or(&LOOK_INTERVAL);
        let was_failing = std::mem::replace(&mut self.is_failing, beaten.is_err());
        match beaten {
            Ok(_) if was_failing => tracing::info!("this node reaches the database again"),
            Err(error) if !was_failing => {
                tracing::warn!(%error, "this node cannot reach the database; it gives its roles up until it can");
            }
            _ => {}
        }
    }
}

impl Work for Pulse {
    fn round(&mut self, _stop: &Stop) -> Result<Option<Duration>, worker::Error> {
        if self.next_beat <= Instant::now() {
            self.beat();
        }
        if !self.is_failing {
            // A failure is the same as that of the next beat, which reports it.
            let _ = self.membership.look();
        }
        Ok(Some(self.next_beat.saturating_duration_since(Instant::now()).min(LOOK_INTERVAL)))
    }
}
