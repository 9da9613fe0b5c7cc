//! The current identities: those of the file, with what the IAM API issued.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use aws::Clock;
use parking_lot::{Mutex, RwLock};
use store::{Error, Store, Transaction};

use crate::Identities;
use crate::tables::issued::{Changed, Issued};

/// The identities that authenticate and decide.
///
/// **Invariant:** they are replaced as a whole after the commit of a change, before its call returns, so that it applies to every later call,
/// and a call keeps those with which it began.
pub(crate) struct LiveIdentities {
    store: Arc<Store>,
    /// Those of the file alone.
    file: RwLock<Arc<Identities>>,
    /// What the API issued.
    issued: Mutex<Issued>,
    current: RwLock<Arc<Identities>>,
    /// Whether a change could not be read, so that the next call reads everything.
    is_stale: AtomicBool,
    /// Called in the transaction of each change.
    listener: OnceLock<ChangeListener>,
}

/// A function that is called in the transaction of each change of identities.
pub type ChangeListener = Box<dyn Fn(&Transaction) + Send + Sync>;

impl LiveIdentities {
    /// Combines the identities of the file with the rows of the store. The clock is read only if the file has changed.
    pub(crate) fn open(store: Arc<Store>, mut file: Identities, clock: &dyn Clock) -> Result<Self, Error> {
        let declared = std::mem::take(&mut file.declared_rows);
        if !declared.are_in(&store)? {
            let now = clock.now();
            store.write(move |transaction| declared.write(transaction, now))?;
        }
        let issued = store.read(Issued::read)?;
        let current = RwLock::new(Arc::new(issued.add_to(&file)));
        Ok(Self {
            store,
            file: RwLock::new(Arc::new(file)),
            issued: Mutex::new(issued),
            current,
            is_stale: AtomicBool::new(false),
            listener: OnceLock::new(),
        })
    }

    /// Returns the current identities.
    pub(crate) fn current(&self) -> Arc<Identities> {
        if self.is_stale.load(Ordering::Acquire) {
            self.refresh(&Changed::everything());
        }
        Arc::clone(&self.current.read())
    }

    /// Returns the store of the rows.
    pub(crate) fn store(&self) -> &Store {
        &self.store
    }

    /// Replaces those of the file, and the declared rows.
    pub(crate) fn set_file(self: &Arc<Self>, mut file: Identities, clock: &dyn Clock) -> Result<(), Error> {
        let declared = std::mem::take(&mut file.declared_rows);
        let live = Arc::clone(self);
        let replace = move || {
            *live.file.write() = Arc::new(file);
            live.refresh(&Changed::everything());
        };
        if declared.are_in(&self.store)? {
            replace();
            return Ok(());
        }
        let now = clock.now();
        self.store.write(move |transaction| {
            declared.write(transaction, now)?;
            transaction.after_commit(replace);
            Ok(())
        })
    }

    /// Combines the identities anew after the commit of a transaction, with the rows that it changes.
    pub(crate) fn refresh_after(self: &Arc<Self>, transaction: &Transaction, changed: Changed) {
        if let Some(listener) = self.listener.get() {
            listener(transaction);
        }
        let live = Arc::clone(self);
        transaction.after_commit(move || live.refresh(&changed));
    }

    /// Sets the listener; only the first one counts.
    pub(crate) fn set_listener(&self, listener: ChangeListener) {
        let _ = self.listener.set(listener);
    }

    /// Reads all rows anew, after another process has changed some.
    pub(crate) fn refresh_all(&self) {
        self.refresh(&Changed::everything());
    }

    /// Reads what a committed change concerns, and combines the identities anew.
    fn refresh(&self, changed: &Changed) {
        let mut issued = self.issued.lock();
        let was_stale = self.is_stale.swap(true, Ordering::AcqRel);
        let read = self.store.read(|transaction| {
            if was_stale {
                *issued = Issued::read(transaction)?;
                return Ok(());
            }
            issued.read_again(transaction, changed)
        });
        match read {
            Ok(()) => {
                let file = Arc::clone(&self.file.read());
                *self.current.write() = Arc::new(issued.add_to(&file));
                self.is_stale.store(false, Ordering::Release);
            }
            Err::<(), Error>(error) => tracing::error!(%error, "cannot read the identities; the next call tries again"),
        }
    }
}
