//! Recreates the index of a pack that has lost it.

use std::{fs::File, path::Path};

use crate::{Fsck, Limits, Offers, Options, Repository, index_pack, receive_pack};

/// Indexes a pack of the repository; fails with the reason if the pack is damaged, and leaves it unchanged.
pub(super) fn reindex(repository: &Repository, pack: &Path) -> Result<(), String> {
    let mut file = File::open(pack).map_err(|error| error.to_string())?;
    // The pack was within the limits when it was received.
    let limits = Limits {
        pack_bytes: u64::MAX,
        object_bytes: u64::MAX,
        structure_bytes: u64::MAX,
        delta_chain: 1 << 16,
        pack_objects: u32::MAX,
        delta_bytes: u64::MAX,
        expansion_bytes: u64::MAX,
        ..Limits::default()
    };
    let options = Options { offers: Offers::FULL, limits, fsck: Fsck::off(), ..Options::default() };
    let shallow = receive_pack::shallow(repository).map_err(|error| error.to_string())?;
    let staged = index_pack::receive(repository, &mut file, &options, &shallow).map_err(|error| error.to_string())?;
    staged.install(repository, true).map_err(|error| error.to_string())
}
