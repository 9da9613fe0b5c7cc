//! The CodeCommit service and its Git options.

use std::io;
use std::sync::Arc;

use ::codecommit::CodeCommit;
use ::codecommit::settings::{SharedBucket, SharedSettings};
use aws::Clock;
use bucket::RemoteObjects;
use cluster::Cluster;
use store::{Durability, Store};
use ureq::tls::TlsConfig;

use crate::Settings;
use crate::archives::Archives;
use crate::clock::machine_clock;
use crate::data_folder::{COPIES, REPOSITORIES, with_path};
use crate::folders::Folders;
use crate::maintenance::MaintenanceQueue;
use crate::settings::{Git, ObjectsPlace};
use crate::state::workers::Queues;
use crate::triggers::TriggerSender;

/// Opens the service; it adds its background work to `queues`.
pub(super) fn open(
    settings: &Settings,
    folders: &Folders,
    store: &Arc<Store>,
    queues: &Queues,
    git: git::Options,
    shared: Option<SharedSettings>,
) -> io::Result<Arc<CodeCommit>> {
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
pub(super) fn shared(
    settings: &Settings,
    cluster: &Cluster,
    clock: &Arc<dyn Clock>,
    tls: &TlsConfig,
) -> io::Result<Option<SharedSettings>> {
    let Some(place) = &settings.objects else { return Ok(None) };
    if cluster.node_name().is_none() {
        let message = "--objects needs --database, the URL of a server: the list of the objects is in the database";
        return Err(io::Error::other(message));
    }
    Ok(Some(shared_in(place, settings, clock, tls)))
}

/// Returns the settings of the objects that several nodes keep in a place.
pub(crate) fn shared_in(
    place: &ObjectsPlace,
    settings: &Settings,
    clock: &Arc<dyn Clock>,
    tls: &TlsConfig,
) -> SharedSettings {
    match place {
        ObjectsPlace::Folder(folder) => SharedSettings::Folder(folder.clone()),
        ObjectsPlace::Bucket { name, prefix, remote } => SharedSettings::Bucket(SharedBucket {
            objects: Arc::new(RemoteObjects::new(name, remote.clone(), machine_clock(clock), tls.clone())),
            prefix: prefix.clone(),
            cache_bytes: settings.git.lfs.cache_bytes,
        }),
    }
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
