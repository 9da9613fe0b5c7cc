//! The administrator: the root of the default account, with the first access key of a data folder.

use aws::Clock;
use store::{Error, Store};

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
    let new_id = derived_id("AKIA", 16, clock.seed());
    let (id, is_new) = store.write(move |transaction| {
        let insert = "INSERT INTO administrator (id, access_key_id) VALUES (1, ?1) ON CONFLICT (id) DO NOTHING";
        let inserted = transaction.execute(insert, &[(&new_id).into()])?;
        let id = transaction.query_one("SELECT access_key_id FROM administrator", &[], |row| row.text(0))?;
        Ok::<_, Error>((id.ok_or(Error::Damaged("the administrator's access key"))?, inserted == 1))
    })?;
    let secret = root_key.secret(&id);
    Ok(Administrator { key: AccessKey { id, secret }, is_new })
}
