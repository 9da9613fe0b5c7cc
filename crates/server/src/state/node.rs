//! The node that a server is among those that use the same database.

use std::fs;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use ::codecommit::CodeCommit;
use ::trail::Trail;
use aws::{Clock, SystemClock};
use cluster::{Cluster, DATA, NodeSettings};
use identity::Sts;
use store::Store;

use crate::data_folder::NODE_ID;
use crate::event_bridge::EventBridge;
use crate::folders::Folders;
use crate::{Settings, StartError, roles};

/// Joins the other nodes of the database; a database in the data folder has no others.
pub(super) fn join(
    settings: &Settings,
    folders: &Folders,
    store: &Arc<Store>,
    address: SocketAddr,
) -> Result<Cluster, StartError> {
    if !store.is_remote() {
        return Ok(Cluster::alone());
    }
    let name = settings.node_name.clone().unwrap_or_else(machine_name);
    let node = NodeSettings {
        instance: id(folders.data())?,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        address: format!("{}://{address}", settings.tls.mode.scheme()),
        roles: roles::ALL,
        // Not the clock of calls, which tests fix: the node is compared with the machine of the database.
        machine_time: Arc::new(|| SystemClock.now().millis()),
        name,
    };
    Ok(Cluster::join(store, node)?)
}

/// Makes the node follow the changes that others announce, and announce its own.
pub(super) fn follow(
    cluster: &Cluster,
    sts: &Sts,
    trail: &Arc<Trail>,
    codecommit: &Arc<CodeCommit>,
    event_bridge: &EventBridge,
) {
    if cluster.is_shared() {
        let announcing = cluster.clone();
        // A statement that fails makes the change fail, too.
        sts.set_change_listener(Box::new(move |transaction| {
            let _ = announcing.announce(transaction, roles::IDENTITIES);
        }));
        cluster.on_change(roles::IDENTITIES, sts.refresher());
    }
    let (weak_trail, weak_codecommit) = (Arc::downgrade(trail), Arc::downgrade(codecommit));
    let restart = event_bridge.restart();
    cluster.on_change(DATA, move || {
        if let Some(trail) = weak_trail.upgrade() {
            trail.forget();
        }
        if let Some(codecommit) = weak_codecommit.upgrade() {
            codecommit.remove_copies();
        }
        restart();
    });
}

/// Returns the id in the data folder, which only one process uses at a time; creates it if there is none.
fn id(data: &Path) -> Result<String, StartError> {
    let path = data.join(NODE_ID);
    let read = match fs::read_to_string(&path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(String::new()),
        read => read,
    };
    let failed = |source| StartError::NodeId { path: path.clone(), source };
    let id = read.map_err(failed)?;
    if !id.trim().is_empty() {
        return Ok(id.trim().to_owned());
    }
    let id = SystemClock.id();
    fs::write(&path, format!("{id}\n")).map_err(failed)?;
    Ok(id)
}

/// Returns the name of the machine, with dashes for what a name cannot have.
fn machine_name() -> String {
    let name = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let allowed = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
    let name: String = name.chars().map(|letter| if allowed(letter) { letter } else { '-' }).collect();
    if name.is_empty() { "node".to_owned() } else { name }
}
