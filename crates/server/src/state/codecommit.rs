//! The CodeCommit service and its Git options.

use std::io;
use std::sync::Arc;

use ::codecommit::CodeCommit;
use ::codecommit::settings::SharedSettings;
use cluster::Cluster;
use store::{Durability, Store};

use crate::Settings;
use crate::archives::Archives;
use crate::data_folder::{COPIES, REPOSITORIES, with_path};
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
    cluster: &Cluster,
) -> io::Result<Arc<CodeCommit>> {
    let shared = shared(settings, cluster)?;
    let folder = if shared.is_some() { COPIES } else { REPOSITORIES };
    let codecommit = CodeCommit::open(
        Arc::clone(store),
        folders.data().join(folder),
        Arc::<MaintenanceQueue>::clone(&queues.maintenance),
        Arc::<TriggerSender>::clone(&queues.trigger_sender),
        Arc::<Archives>::clone(&queues.archives),
        git,
        ::codecommit::Settings { shared, fsck: fsck(&settings.git), ..settings.codecommit.clone() },
    )?;
    Ok(Arc::new(codecommit))
}

/// Returns where several nodes keep the objects that they share; `None` if the data folder has them.
fn shared(settings: &Settings, cluster: &Cluster) -> io::Result<Option<SharedSettings>> {
    let Some(folder) = &settings.objects else { return Ok(None) };
    let alone = || {
        io::Error::other("--objects needs --database, the URL of a server: the list of the objects is in the database")
    };
    let node = cluster.node_name().ok_or_else(alone)?.to_owned();
    Ok(Some(SharedSettings { folder: folder.clone(), node }))
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
