//! The CodeCommit service and its Git options.

use std::io;
use std::sync::Arc;

use ::codecommit::CodeCommit;
use store::{Durability, Store};

use crate::Settings;
use crate::archives::Archives;
use crate::data_folder::{REPOSITORIES, with_path};
use crate::folders::Folders;
use crate::maintenance::MaintenanceQueue;
use crate::settings::Git;
use crate::state::workers::Queues;
use crate::triggers::TriggerSender;

/// Opens the service; it adds its background work to `queues`.
pub(super) fn open(
    settings: &Settings,
    folders: &Folders,
    store: &Arc<Store>,
    queues: &Queues,
    git: git::Options,
) -> io::Result<Arc<CodeCommit>> {
    let codecommit = CodeCommit::open(
        Arc::clone(store),
        folders.data().join(REPOSITORIES),
        Arc::<MaintenanceQueue>::clone(&queues.maintenance),
        Arc::<TriggerSender>::clone(&queues.trigger_sender),
        Arc::<Archives>::clone(&queues.archives),
        git,
        ::codecommit::Settings { fsck: fsck(&settings.git), ..settings.codecommit.clone() },
    )?;
    Ok(Arc::new(codecommit))
}

/// Returns the options for Git clients and opens the cache of computed packs.
pub(super) fn git_options(settings: &Settings, folders: &Folders) -> io::Result<git::Options> {
    let cache_folder = folders.data().join("cache");
    let cache = match settings.git.cache_bytes {
        0 => None,
        bytes => Some(git::Cache::open(&cache_folder, bytes).map_err(with_path(&cache_folder))?),
    };
    Ok(git::Options {
        offers: settings.git.offers,
        limits: settings.git.limits,
        fsck: fsck(&settings.git),
        pack_permits: settings.git.packs.map(git::PackPermits::new).unwrap_or_default(),
        cache,
        sync: settings.durability == Durability::Full,
        ..git::Options::default()
    })
}

/// Returns the checks of objects that pushes bring and calls write.
fn fsck(settings: &Git) -> git::Fsck {
    if settings.fsck { git::Fsck::default() } else { git::Fsck::off() }
}
