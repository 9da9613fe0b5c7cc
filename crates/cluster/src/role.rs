//! Roles: background work that one node does for all.

use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use worker::{Error, Stop, Waker, Work};

use crate::LOOK_INTERVAL;

/// A role, as one node sees it; clones are the same role.
#[derive(Clone)]
pub struct Role(Option<Arc<RoleState>>);

/// What a node knows of a role.
pub(crate) struct RoleState {
    pub(crate) name: &'static str,
    holding: Mutex<Holding>,
    /// Wake the workers of the role.
    wakers: Mutex<Vec<Waker>>,
}

/// Whether the node has the role.
#[derive(Default)]
struct Holding {
    /// Until then nobody else can take it; `None` if the node does not have it.
    until: Option<Instant>,
    /// How often the node has got it.
    terms: u64,
}

impl Role {
    /// Returns a role that the server always has.
    pub const fn always() -> Self {
        Self(None)
    }

    pub(crate) const fn of(state: Arc<RoleState>) -> Self {
        Self(Some(state))
    }

    /// Returns whether this node has the role.
    pub fn is_held(&self) -> bool {
        self.term().is_some()
    }

    /// Returns a number that changes when the node gets the role anew, so that it cannot rely on what it knew before; `None` while it does
    /// not have it.
    pub fn term(&self) -> Option<u64> {
        let Some(state) = &self.0 else { return Some(0) };
        let holding = state.holding.lock();
        holding.until.filter(|until| Instant::now() < *until).map(|_| holding.terms)
    }

    /// Makes work that runs only while this node has the role, and looks each second for what other nodes have left for it.
    ///
    /// The waker is that of the work's worker; it is woken when the node gets the role.
    pub fn work<W: Work>(&self, waker: &Waker, work: W) -> RoleWork<W> {
        if let Some(state) = &self.0 {
            state.wakers.lock().push(waker.clone());
        }
        RoleWork { role: self.clone(), work }
    }
}

impl RoleState {
    pub(crate) fn new(name: &'static str) -> Self {
        Self { name, holding: Mutex::default(), wakers: Mutex::default() }
    }

    /// Keeps or takes the role until a time, and wakes the work if the node did not have it.
    pub(crate) fn hold(&self, until: Instant) {
        let mut holding = self.holding.lock();
        let is_new = holding.until.is_none_or(|until| until <= Instant::now());
        holding.until = Some(until);
        if is_new {
            holding.terms += 1;
            drop(holding);
            tracing::info!(role = self.name, "this node has the role now");
            self.wakers.lock().iter().for_each(Waker::wake);
        }
    }

    /// Gives the role up.
    pub(crate) fn lose(&self) {
        if self.holding.lock().until.take().is_some() {
            tracing::info!(role = self.name, "this node has the role no longer");
        }
    }
}

/// The work of a role.
pub struct RoleWork<W> {
    role: Role,
    work: W,
}

impl<W: Work> Work for RoleWork<W> {
    fn round(&mut self, stop: &Stop) -> Result<Option<Duration>, Error> {
        if self.role.0.is_none() {
            return self.work.round(stop);
        }
        if !self.role.is_held() {
            // The worker is woken when the node gets the role.
            return Ok(Some(LOOK_INTERVAL));
        }
        let wait = self.work.round(stop)?;
        Ok(Some(wait.map_or(LOOK_INTERVAL, |wait| wait.min(LOOK_INTERVAL))))
    }

    fn finish(&mut self) -> Result<(), Error> {
        if self.role.is_held() { self.work.finish() } else { Ok(()) }
    }
}
