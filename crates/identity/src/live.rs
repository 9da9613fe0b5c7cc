//! The current identities: those of the file, with what the IAM API issued.

use std::sync::Arc;

use parking_lot::{Mutex, RwLock};
use store::{Error, Store, Transaction};

use aws::{Clock, Timestamp};

use crate::Identities;
use crate::tables::declared::DeclaredRows;
use crate::tables::issued::{self, ParsedDocuments};

/// The identities that authenticate and decide.
///
/// **Invariant:** they are replaced as a whole after the commit of a change, so a call keeps those with which it began.
pub(crate) struct LiveIdentities {
    /// Those of the file alone.
    file: RwLock<Arc<Identities>>,
    current: RwLock<Arc<Identities>>,
    parsed: Mutex<ParsedDocuments>,
}

impl LiveIdentities {
    /// Combines the identities of the file with the rows of the store. The clock is read only if the file has changed.
    pub(crate) fn open(store: &Store, mut file: Identities, clock: &dyn Clock) -> Result<Self, Error> {
        let declared = std::mem::take(&mut file.declared_rows);
        if !declared.are_in(store)? {
            let now = clock.now();
            store.write(move |transaction| declared.write(transaction, now))?;
        }
        let mut parsed = ParsedDocuments::default();
        let current = store.read(|transaction| issued::add_to(&file, transaction, &mut parsed))?;
        Ok(Self {
            file: RwLock::new(Arc::new(file)),
            current: RwLock::new(Arc::new(current)),
            parsed: Mutex::new(parsed),
        })
    }

    /// Returns the current identities.
    pub(crate) fn current(&self) -> Arc<Identities> {
        Arc::clone(&self.current.read())
    }

    /// Replaces those of the file, and the declared rows.
    pub(crate) fn set_file(self: &Arc<Self>, store: &Store, mut file: Identities, now: Timestamp) -> Result<(), Error> {
        let declared: DeclaredRows = std::mem::take(&mut file.declared_rows);
        let live = Arc::clone(self);
        store.write(move |transaction| {
            declared.write(transaction, now)?;
            // A later change of the same commit needs the new file.
            *live.file.write() = Arc::new(file);
            live.refresh(transaction)
        })
    }

    /// Combines the identities anew in the transaction of a change; they become the current ones after its commit.
    pub(crate) fn refresh(self: &Arc<Self>, transaction: &Transaction) -> Result<(), Error> {
        let file = Arc::clone(&self.file.read());
        let identities = Arc::new(issued::add_to(&file, transaction, &mut self.parsed.lock())?);
        let live = Arc::clone(self);
        transaction.after_commit(move || *live.current.write() = identities);
        Ok(())
    }
}
