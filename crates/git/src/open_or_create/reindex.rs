//! Making the index of a pack again that has lost it.

use std::{fs::File, path::Path};

use crate::{Fsck, Limits, Offers, Options, Repository, index_pack, receive_pack};

/// Indexes a pack of the repository; fails with the reason if it is damaged, and then it stays as it is.
pub(super) fn reindex(repository: &Repository, pack: &Path) -> Result<(), String> {
    let mut file = File::open(pack).map_err(|error| error.to_string())?;
    // It was within the limits when it came.
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
    let cut = receive_pack::shallow(repository).map_err(|error| error.to_string())?;
    let staged = index_pack::receive(repository, &mut file, &options, &cut).map_err(|refusal| refusal.to_string())?;
    staged.install(repository, true).map_err(|error| error.to_string())
}
