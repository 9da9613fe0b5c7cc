//! The administrator: the root of the default account, with the first access key of a data folder.

use aws::Clock;
use store::{Error, Store, Transaction};

use crate::{RootKey, SecretKey, derived_id};

/// An access key with its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessKey {
    /// The id.
    pub id: String,
    /// The secret.
    pub secret: SecretKey,
}

/// The access key of the administrator.
#[derive(Debug)]
pub struct Administrator {
    /// The key.
    pub key: AccessKey,
    /// Whether it was created just now; its secret must be shown then, as nothing shows it later.
    pub is_new: bool,
}

/// Returns the key that the store has; creates it in a new store.
pub(crate) fn open(store: &Store, root_key: &RootKey, clock: &dyn Clock) -> Result<Administrator, Error> {
    // A start that only reads need not wait for the disk.
    let (id, is_new) = match store.read_once(stored)? {
        Some(id) => (id, false),
        None => create(store, clock)?,
    };
    let secret = root_key.secret(&id);
    Ok(Administrator { key: AccessKey { id, secret }, is_new })
}

/// Creates the key; another server may create it meanwhile.
fn create(store: &Store, clock: &dyn Clock) -> Result<(String, bool), Error> {
    let new_id = derived_id("AKIA", 16, clock.seed());
    store.write(move |transaction| {
        let insert = "INSERT INTO administrator (id, access_key_id) VALUES (1, ?1) ON CONFLICT (id) DO NOTHING";
        let inserted = transaction.execute(insert, &[(&new_id).into()])?;
        let id = stored(transaction)?.ok_or(Error::Damaged("the administrator's access key"))?;
        Ok((id, inserted == 1))
    })
}

fn stored(transaction: &Transaction) -> Result<Option<String>, Error> {
    transaction.query_one("SELECT access_key_id FROM administrator", &[], |row| row.text(0))
}
