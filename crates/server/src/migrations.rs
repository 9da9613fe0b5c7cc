//! The tables of all crates.

use store::{Error, Store};

use crate::{lfs, ssh, tls};

/// Creates the tables that a server of this version can have, and changes those of older versions.
///
/// The tables of nodes come first: a step can have to wait for nodes of older versions.
pub(crate) fn migrate(store: &Store) -> Result<(), Error> {
    if store.is_remote() {
        cluster::migrate(store)?;
    }
    identity::migrate(store)?;
    ssh::migrate(store)?;
    lfs::migrate(store)?;
    tls::migrate(store)?;
    seed::migrate(store)?;
    trail::migrate(store)?;
    codecommit::migrate(store)
}
