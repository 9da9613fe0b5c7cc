//! The parts of a running server: opened one after the other at the start, closed in a written order at the end.

mod codecommit;
mod identities;
mod node;
mod seed;
mod trail;
mod workers;

use std::net::SocketAddr;
use std::ops::Deref;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use ::codecommit::CodeCommit;
use ::trail::{CloudTrail, Notifier, Trail};
use ::worker::Waker;
use aws::Clock;
use bucket::Buckets;
use cluster::Cluster;
use identity::{Access, Iam, Sts};
use s3s::service::S3Service;
use store::Store;
use tagging::Tagging;
use tokio::sync::Semaphore;

use crate::body::{SPILL_BYTES_MAX, SpillSpace};
use crate::data_folder::{self, DATABASE};
use crate::event_bridge::EventBridge;
use crate::failures::Failures;
use crate::folders::Folders;
use crate::lfs::Tokens;
use crate::messages::DeliveryLog;
use crate::migrations::migrate;
use crate::notifications::NotifierHandle;
use crate::push_permits::PushPermits;
use crate::record_signal::RecordSignal;
use crate::spool::Spool;
use crate::ssh::SshEndpoint;
use crate::state::workers::{Queues, Workers};
use crate::tls::Certificates;
use crate::triggers::TriggerSender;
use crate::{Settings, StartError, client_tls, s3, snapshots};

pub(crate) use codecommit::shared_in;

/// Fetches that are served at the same time; the limit leaves threads for other requests.
const FETCHES_MAX: usize = 512;

/// What every request needs. Dropping it closes the server's parts in the order of [`Parts::close`].
pub(crate) struct State {
    /// `None` only while it is dropped or closed.
    parts: Option<Parts>,
}

/// What stays while the data of a server are replaced.
pub(crate) struct Foundation {
    pub(crate) settings: Settings,
    /// The address of HTTP.
    pub(crate) address: SocketAddr,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) folders: Folders,
    /// `None` before the database was first opened.
    certificates: Option<Arc<Certificates>>,
    ssh: Option<SshFoundation>,
    failures: Arc<Failures>,
}

/// Git over SSH: its address before the database was first opened, then its host key, too.
enum SshFoundation {
    Address(SocketAddr),
    Endpoint(Arc<SshEndpoint>),
}

/// The parts of a server.
pub(crate) struct Parts {
    pub(crate) settings: Settings,
    pub(crate) address: SocketAddr,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) certificates: Arc<Certificates>,
    /// Git over SSH, unless it is off.
    pub(crate) ssh: Option<Arc<SshEndpoint>>,
    pub(crate) folders: Folders,
    pub(crate) store: Arc<Store>,
    /// The servers that use the database.
    pub(crate) cluster: Cluster,
    pub(crate) sts: Sts,
    /// Whether the identities come from a file; looking for it takes too long for a request.
    has_identities_file: AtomicBool,
    pub(crate) iam: Iam,
    pub(crate) buckets: Arc<Buckets>,
    pub(crate) trail: Arc<Trail>,
    pub(crate) cloudtrail: Arc<CloudTrail>,
    pub(crate) s3: S3Service,
    /// What the service of S3 works on.
    pub(crate) s3_endpoint: s3::Endpoint,
    pub(crate) codecommit: Arc<CodeCommit>,
    pub(crate) tagging: Tagging,
    pub(crate) git: git::Options,
    /// Signs the tokens of Git LFS.
    pub(crate) lfs_tokens: Tokens,
    /// Sends the messages of triggers.
    pub(crate) trigger_sender: Arc<TriggerSender>,
    /// Outcomes of the notifications of trails.
    pub(crate) notification_log: DeliveryLog,
    /// Delivers events for EventBridge.
    pub(crate) event_bridge: EventBridge,
    workers: Workers,
    /// Tells the feed of new records.
    pub(crate) record_signal: Arc<RecordSignal>,
    /// Calls that fail on demand.
    pub(crate) failures: Arc<Failures>,
    pub(crate) push_permits: Arc<PushPermits>,
    /// A fetch keeps a thread busy until its pack is complete.
    pub(crate) fetch_permits: Arc<Semaphore>,
    /// Disk space for replies that slow clients have not read yet.
    pub(crate) spill: SpillSpace,
}

impl State {
    /// Opens all parts; `address` is that of HTTP, `ssh_address` that of SSH.
    pub(crate) fn open(
        settings: Settings,
        address: SocketAddr,
        ssh_address: Option<SocketAddr>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, StartError> {
        let folders = Folders::open(&settings, address)?;
        let ssh = ssh_address.map(SshFoundation::Address);
        let failures = Arc::new(Failures::new(settings.failures.clone()));
        Self::open_again(Foundation { settings, address, clock, folders, certificates: None, ssh, failures })
    }

    /// Opens all parts over the data that the folders have now.
    pub(crate) fn open_again(foundation: Foundation) -> Result<Self, StartError> {
        Ok(Self { parts: Some(Parts::open(foundation)?) })
    }

    /// Closes all parts, so that their data can be replaced.
    pub(crate) fn close(mut self) -> Foundation {
        self.parts.take().expect("the parts are taken once").close()
    }

    /// Creates the buffer for the body of a request.
    pub(crate) fn spool(&self) -> Spool {
        Spool::new(self.data_folder())
    }

    pub(crate) fn data_folder(&self) -> &Path {
        self.folders.data()
    }

    pub(crate) fn trail_folder(&self) -> &Path {
        self.folders.trail()
    }
}

impl Parts {
    fn open(foundation: Foundation) -> Result<Self, StartError> {
        let Foundation { settings, address, clock, folders, certificates, ssh, failures } = foundation;
        snapshots::finish_restore(&folders, &settings)?;
        let identities = identities::load(&settings)?;
        let has_identities_file = settings.identities_file().is_some().into();
        let store = open_store(&settings, &folders)?;
        let cluster = node::join(&settings, &folders, &store, address)?;
        let certificates = match certificates {
            Some(certificates) => certificates,
            None => Arc::new(Certificates::open(&settings.tls, &store, folders.data())?),
        };
        let ssh = match ssh {
            Some(SshFoundation::Address(address)) => Some(Arc::new(SshEndpoint::open(address, &store)?)),
            Some(SshFoundation::Endpoint(endpoint)) => Some(endpoint),
            None => None,
        };
        let client_tls = client_tls(settings.client_ca.as_deref()).map_err(StartError::ClientAuthorities)?;
        let accounts = identities::account_names(&identities);
        let sts = Sts::open(Arc::clone(&store), identities, Arc::clone(&clock))?;
        let sts = match settings.access {
            Access::Open => sts,
            Access::Signed | Access::Enforced => sts.with_administrator(settings.administrator.clone())?,
        };
        let notifications = Waker::default();
        let notifier: Arc<dyn Notifier> = Arc::new(NotifierHandle(notifications.clone()));
        let buckets = trail::open_buckets(&settings, &folders, &clock, &client_tls, &cluster)?;
        let (trail, cloudtrail) = trail::open(&settings, (&folders, &cluster), &store, &buckets, &clock, &notifier)?;
        trail.set_accounts(accounts);
        let queues = Queues::new(&settings, &folders, &store, &buckets, notifications, client_tls.clone());
        let git = codecommit::git_options(&settings, &folders)?;
        let shared = codecommit::shared(&settings, &cluster, &clock, &client_tls)?;
        let codecommit = codecommit::open(&settings, &folders, &store, &queues, git.clone(), shared)?;
        let lfs_tokens = Tokens::open(&store)?;
        let event_bridge = EventBridge::start(
            &settings.event_bridge,
            (folders.data(), &cluster),
            &codecommit,
            &trail,
            &clock,
            client_tls,
        )?;
        let record_signal = Arc::new(RecordSignal::default());
        let (raised, wakers) = (Arc::clone(&record_signal), event_bridge.record_wakers());
        trail.set_record_listener(Box::new(move || {
            raised.raise();
            wakers.iter().for_each(Waker::wake);
        }));
        node::follow(&cluster, &sts, &trail, &codecommit, &event_bridge);
        let trigger_sender = Arc::clone(&queues.trigger_sender);
        let notification_log = queues.notification_log.clone();
        let (owner, region) = (sts.default_account().clone(), settings.region.clone());
        let s3_endpoint = s3::endpoint(Arc::clone(&buckets), owner, region, Arc::clone(&clock));
        let workers = Workers::start(&settings, (&folders, &cluster), &store, &codecommit, &s3_endpoint, queues)?;
        let parts = Self {
            s3: s3::service(s3_endpoint.clone()),
            s3_endpoint,
            tagging: Tagging::new(Arc::clone(&trail), Arc::clone(&codecommit), Arc::clone(&cloudtrail)),
            push_permits: Arc::new(PushPermits::new(settings.git.pushes, settings.git.push_window)),
            fetch_permits: Arc::new(Semaphore::new(FETCHES_MAX)),
            spill: SpillSpace::new(folders.data().to_owned(), SPILL_BYTES_MAX),
            failures,
            settings,
            address,
            clock,
            certificates,
            ssh,
            folders,
            store,
            cluster,
            iam: sts.iam(),
            sts,
            has_identities_file,
            buckets,
            trail,
            cloudtrail,
            codecommit,
            git,
            lfs_tokens,
            trigger_sender,
            notification_log,
            event_bridge,
            workers,
            record_signal,
        };
        if let Err(error) = parts.apply_seed_at_start() {
            parts.close().folders.close();
            return Err(error.into());
        }
        Ok(parts)
    }

    /// Closes the parts, each before what it uses.
    ///
    /// The trail writes its last log files, and their notifications can still be sent; unsent ones stay in the store. Only when
    /// the database is closed can the data be replaced, or another server use the folders.
    fn close(self) -> Foundation {
        // Without `..`, so that the compiler asks for the place of a new part.
        let Self {
            settings,
            address,
            clock,
            certificates,
            ssh,
            folders,
            store,
            cluster,
            sts,
            has_identities_file: _,
            iam,
            buckets,
            trail,
            cloudtrail,
            s3,
            codecommit,
            tagging,
            git,
            lfs_tokens: _,
            trigger_sender: _,
            notification_log: _,
            event_bridge,
            workers,
            record_signal: _,
            failures,
            push_permits: _,
            fetch_permits: _,
            s3_endpoint: _,
            spill: _,
        } = self;
        workers.stop_before_trail();
        event_bridge.stop();
        trail.stop();
        workers.stop_after_trail();
        cluster.leave();
        drop((workers, event_bridge, tagging, s3, cloudtrail, codecommit, git, trail, buckets, iam, sts));
        drop((cluster, store));
        let (certificates, ssh) = (Some(certificates), ssh.map(SshFoundation::Endpoint));
        Foundation { settings, address, clock, folders, certificates, ssh, failures }
    }

    /// Reads the identities file again; if it cannot be used, the identities stay as they are.
    pub(crate) fn reload_identities(&self) -> Result<(), StartError> {
        let identities = identities::load(&self.settings)?;
        let accounts = identities::account_names(&identities);
        self.sts.set_identities(identities)?;
        self.has_identities_file.store(self.settings.identities_file().is_some(), Ordering::Relaxed);
        self.trail.set_accounts(accounts);
        Ok(())
    }

    /// Returns whether Git requests without credentials get status 401.
    pub(crate) fn asks_git_credentials(&self) -> bool {
        self.settings.asks_git_credentials(self.has_identities_file.load(Ordering::Relaxed))
    }

    /// Removes all data, and applies the seed again; a seed with a fault is refused before anything is removed.
    pub(crate) fn reset(&self) -> Result<(), String> {
        let seed = self.read_seed().map_err(|error| error.to_string())?;
        if seed.is_some() && self.settings.identities.is_none() {
            self.reload_identities().map_err(|error| error.to_string())?;
        }
        self.codecommit.reset().map_err(|error| error.to_string())?;
        self.trigger_sender.clear().map_err(|error| error.to_string())?;
        self.sts.reset().map_err(|error| error.to_string())?;
        self.notification_log.clear().map_err(|error| error.to_string())?;
        self.failures.reset();
        self.trail.reset().map_err(|error| error.to_string())?;
        self.event_bridge.clear().map_err(|error| error.to_string())?;
        seed.map_or(Ok(()), |seed| self.apply_seed(&seed).map_err(|error| error.to_string()))
    }
}

impl Deref for State {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        self.parts.as_ref().expect("the parts are taken only at the end")
    }
}

impl Drop for State {
    fn drop(&mut self) {
        if let Some(parts) = self.parts.take() {
            parts.close().folders.close();
        }
    }
}

/// Opens the database, unless the data folder shows that the database was lost.
fn open_store(settings: &Settings, folders: &Folders) -> Result<Arc<Store>, StartError> {
    if let Some(database) = &settings.database {
        data_folder::check_no_database(folders.data())?;
        let store = Store::connect(database.clone(), settings.durability)?;
        // Before the node joins, so that it can tell the others how many steps it has.
        migrate(&store)?;
        return Ok(Arc::new(store));
    }
    data_folder::check_database(folders.data())?;
    Ok(Arc::new(Store::open(&folders.data().join(DATABASE), settings.durability)?))
}

#[cfg(test)]
mod tests;
