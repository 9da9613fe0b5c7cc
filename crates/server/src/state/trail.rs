//! The buckets, the trail that is delivered to them, and the service of both.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use ::trail::{CloudTrail, Notifier, Trail};
use aws::Clock;
use aws::stable_hash::fnv1a_64;
use bucket::{Bucket, Buckets, FolderOptions, RemoteBucket};
use cluster::Cluster;
use store::{Durability, Store};
use ureq::tls::TlsConfig;

use crate::Settings;
use crate::clock::machine_clock;
use crate::folders::Folders;

/// Opens the buckets: the trail directory, buckets at other endpoints, and the folder of all others.
pub(super) fn open_buckets(
    settings: &Settings,
    folders: &Folders,
    clock: &Arc<dyn Clock>,
    tls: &TlsConfig,
    cluster: &Cluster,
) -> io::Result<Arc<Buckets>> {
    let mut remote = BTreeMap::<_, Arc<dyn Bucket>>::new();
    for (name, bucket) in &settings.buckets {
        let bucket = RemoteBucket::new(name, bucket.clone(), machine_clock(clock), tls.clone());
        remote.insert(name.clone(), Arc::new(bucket));
    }
    let trail = (settings.trail_bucket.clone(), folders.trail().to_owned());
    // A file name has room for some letters only besides those of a key.
    let hash = |node: &str| u32::try_from(fnv1a_64(node.bytes()) & 0xff_ffff).expect("24 bits fit");
    let writer = cluster.node_name().map(hash);
    let sync = settings.durability == Durability::Full;
    let options = FolderOptions { sync, reserved: ::trail::RESERVED_NAMES, writer };
    let buckets = Buckets::new(trail, folders.buckets().to_owned(), remote, options);
    if cluster.has_others().map_err(io::Error::other)? {
        // Other nodes may be receiving content in the same folders.
        return Ok(Arc::new(buckets));
    }
    for name in buckets.names().unwrap_or_default().iter().filter(|name| !buckets.is_remote(name)) {
        if let Err(error) = buckets.folder(name).remove_unreceived() {
            tracing::warn!(bucket = name, %error, "cannot remove content that was not received whole");
        }
    }
    Ok(Arc::new(buckets))
}

/// Opens the trail and its service; `notifier` is called when notifications of log files wait in the store.
pub(super) fn open(
    settings: &Settings,
    (folders, cluster): (&Folders, &Cluster),
    store: &Arc<Store>,
    buckets: &Arc<Buckets>,
    clock: &Arc<dyn Clock>,
    notifier: &Arc<dyn Notifier>,
) -> io::Result<(Arc<Trail>, Arc<CloudTrail>)> {
    let trail = Trail::open(
        Arc::clone(store),
        trail_settings(settings, folders),
        Arc::clone(buckets),
        Arc::clone(clock),
        Arc::clone(notifier),
        cluster,
    )?;
    let mut cloudtrail = CloudTrail::new(&trail, Arc::clone(notifier), settings.lookup, settings.trails_max);
    if settings.destination_checks.topics {
        let triggers = settings.triggers.clone();
        cloudtrail = cloudtrail.with_topics(Arc::new(move |arn| triggers.destination(arn).is_some()));
    }
    Ok((Arc::new(trail), Arc::new(cloudtrail)))
}

fn trail_settings(settings: &Settings, folders: &Folders) -> ::trail::Settings {
    ::trail::Settings {
        folder: folders.trail().to_owned(),
        home_region: settings.region.clone(),
        event_version: settings.event_version,
        console_events: settings.console_events,
        log_interval: settings.log_interval,
        log_bytes: settings.log_bytes,
        digest_interval: settings.digest_interval,
        signing_key: settings.signing_key.clone(),
        key_rotation: settings.key_rotation,
        retention: settings.retention.clone(),
        strict_buckets: settings.destination_checks.buckets,
        sync: settings.durability == Durability::Full,
        kms_events: settings.kms_events,
    }
}
