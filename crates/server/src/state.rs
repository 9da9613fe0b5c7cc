//! What every request needs.

use std::collections::{BTreeMap, HashSet};
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aws::Clock;
use bucket::{Bucket, Buckets, FolderOptions, RemoteBucket};
use codecommit::CodeCommit;
use identity::{Identities, Sts};
use s3s::service::S3Service;
use store::{Durability, Store};
use tagging::Tagging;
use tempfile::TempDir;
use tokio::sync::Semaphore;
use trail::{CloudTrail, Notifier, Trail};
use worker::{Waker, Worker};

use crate::archives::{self, Archives};
use crate::body::{SPILL_BYTES_MAX, SpillSpace};
use crate::data_folder::{self, DATABASE, REPOSITORIES, at};
use crate::folder_lock::FolderLock;
use crate::maintenance::{Due, Maintenance};
use crate::messages::{DeliveryLog, HttpSender};
use crate::notifications::{self, NotifierHandle};
use crate::push_permits::PushPermits;
use crate::settings::Git;
use crate::spool::Spool;
use crate::triggers::{self, TriggerSender};
use crate::{Settings, StartError, eviction, folders, s3};

/// How many fetches are served at once, so that they leave threads for all else.
const FETCHES_MAX: usize = 512;

pub(crate) struct State {
    maintenance: Maintenance,
    triggers: Worker,
    uploads: Worker,
    notifications: Worker,
    eviction: Worker,
    /// Carries the messages of triggers.
    pub(crate) trigger_sender: Arc<TriggerSender>,
    /// What became of the notifications of trails.
    pub(crate) notification_log: DeliveryLog,
    // Fields are dropped in this order: the services before the store, the folder last.
    pub(crate) tagging: Tagging,
    pub(crate) codecommit: Arc<CodeCommit>,
    pub(crate) cloudtrail: Arc<CloudTrail>,
    pub(crate) trail: Arc<Trail>,
    pub(crate) store: Arc<Store>,
    pub(crate) buckets: Arc<Buckets>,
    pub(crate) s3: S3Service,
    pub(crate) sts: Sts,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) git: git::Options,
    pub(crate) pushes: Arc<PushPermits>,
    /// The turns of fetches: a fetch keeps a thread busy until its pack is made.
    pub(crate) fetches: Arc<Semaphore>,
    /// Where replies wait for slow clients.
    pub(crate) spill: SpillSpace,
    pub(crate) settings: Settings,
    pub(crate) address: SocketAddr,
    data_folder: PathBuf,
    trail_folder: PathBuf,
    _locks: Vec<FolderLock>,
    _temporary: Option<TempDir>,
}

impl State {
    pub(crate) fn open(settings: Settings, address: SocketAddr, clock: Arc<dyn Clock>) -> Result<Self, StartError> {
        let temporary = match settings.data_dir {
            None => Some(tempfile::Builder::new().prefix("codecommit-local-").tempdir()?),
            Some(_) => None,
        };
        let data_folder = match (&settings.data_dir, &temporary) {
            (Some(folder), _) => folder.clone(),
            (None, Some(temporary)) => temporary.path().to_owned(),
            (None, None) => return Err(io::Error::other("there is no data folder").into()),
        };
        let trail_folder = settings.trail_dir.clone().unwrap_or_else(|| data_folder.join("trail"));
        let in_buckets_folder =
            |source| StartError::Folder { setting: "--trail-dir", path: trail_folder.clone(), source };
        let buckets_folder = folders::buckets_folder(&settings, &trail_folder).map_err(in_buckets_folder)?;
        folders::check(&settings, &data_folder, &trail_folder, &buckets_folder)?;
        data_folder::make(&data_folder)?;
        let locks = folders::lock(&settings, &data_folder, &trail_folder, &buckets_folder, address)?;
        let identities = load_identities(&settings)?;
        data_folder::check_database(&data_folder)?;
        let store = Arc::new(Store::open(&data_folder.join(DATABASE), settings.durability)?);
        let accounts = account_names(&identities);
        let sts = Sts::open(Arc::clone(&store), identities, Arc::clone(&clock))?;
        let sync = settings.durability == Durability::Full;
        let buckets = Arc::new(buckets_of(&settings, trail_folder.clone(), buckets_folder, &clock, sync));
        let notifying = Waker::default();
        let notifier: Arc<dyn Notifier> = Arc::new(NotifierHandle(notifying.clone()));
        let trail = Trail::open(
            Arc::clone(&store),
            trail_settings(&settings, trail_folder.clone(), sync),
            Arc::clone(&buckets),
            Arc::clone(&clock),
            Arc::clone(&notifier),
        )?;
        trail.set_accounts(accounts);
        let cloudtrail = CloudTrail::new(&trail, notifier, settings.lookup, settings.trails_max);
        let (trail, cloudtrail) = (Arc::new(trail), Arc::new(cloudtrail));
        let owner = sts.default_account().clone();
        let s3 = s3::service(Arc::clone(&buckets), owner, settings.region.clone());
        let archives = Arc::new(Archives::new(Arc::clone(&store), Arc::clone(&buckets), Waker::default()));
        let http_sender = Arc::new(HttpSender::new(settings.triggers.clone()));
        let trigger_log = DeliveryLog::new(data_folder.join("triggers.ndjson"));
        let trigger_sender = Arc::new(TriggerSender::new(trigger_log, Arc::clone(&http_sender)));
        let notification_log = DeliveryLog::new(trail_folder.join("notifications.ndjson"));
        let waiting = trail::Notifications::of(Arc::clone(&store));
        let notifications =
            notifications::start(waiting, http_sender, notification_log.clone(), Arc::clone(&clock), notifying)?;
        let repositories = data_folder.join(REPOSITORIES);
        let due = Arc::new(Due::new(&settings.git));
        let git = git_options(&settings.git, &data_folder, sync)?;
        let codecommit = CodeCommit::open(
            Arc::clone(&store),
            repositories,
            Arc::<Due>::clone(&due),
            Arc::<TriggerSender>::clone(&trigger_sender),
            Arc::<Archives>::clone(&archives),
            git.clone(),
            codecommit::Settings { fsck: fsck(&settings.git), ..settings.codecommit.clone() },
        )?;
        let codecommit = Arc::new(codecommit);
        let uploads =
            archives::start(Arc::clone(&codecommit), &archives, data_folder.join("archives"), Arc::clone(&clock))?;
        let triggers = triggers::start(Arc::clone(&codecommit), Arc::clone(&trigger_sender), Arc::clone(&clock))?;
        let maintenance = Maintenance::start(Arc::clone(&codecommit), due, Arc::clone(&clock), &settings.git)?;
        let tagging = Tagging::new(Arc::clone(&trail), Arc::clone(&codecommit), Arc::clone(&cloudtrail));
        let eviction = eviction::start(Arc::clone(&codecommit), settings.cache_idle)?;
        Ok(Self {
            maintenance,
            eviction,
            triggers,
            uploads,
            notifications,
            trigger_sender,
            notification_log,
            tagging,
            codecommit,
            cloudtrail,
            trail,
            store,
            buckets,
            s3,
            sts,
            clock,
            git,
            pushes: Arc::new(PushPermits::new(settings.git.pushes, settings.git.push_window)),
            fetches: Arc::new(Semaphore::new(FETCHES_MAX)),
            spill: SpillSpace::new(data_folder.clone(), SPILL_BYTES_MAX),
            settings,
            address,
            data_folder,
            trail_folder,
            _locks: locks,
            _temporary: temporary,
        })
    }

    /// Begins the body of a request.
    /// Reads the identities file again; if it cannot be used, the identities stay as they are.
    pub(crate) fn reload_identities(&self) -> Result<(), identity::Error> {
        let identities = load_identities(&self.settings)?;
        self.trail.set_accounts(account_names(&identities));
        self.sts.set_identities(identities);
        Ok(())
    }

    pub(crate) fn spool(&self) -> Spool {
        Spool::new(self.data_folder.clone())
    }

    pub(crate) fn data_folder(&self) -> &Path {
        &self.data_folder
    }

    pub(crate) fn trail_folder(&self) -> &Path {
        &self.trail_folder
    }
}

impl Drop for State {
    /// Stops the background work before anything that it uses is dropped.
    ///
    /// The trail writes its last log files, and topics can still be told of them; what is not sent by then waits in the store.
    fn drop(&mut self) {
        self.eviction.stop();
        self.maintenance.stop();
        self.triggers.stop();
        self.uploads.stop();
        self.trail.stop();
        self.notifications.stop();
    }
}

fn load_identities(settings: &Settings) -> Result<Identities, identity::Error> {
    match &settings.identities {
        Some(file) => Identities::load(file, settings.account.clone()),
        None => Ok(Identities::new(settings.account.clone())),
    }
}

fn account_names(identities: &Identities) -> HashSet<String> {
    identities.accounts().map(|account| account.as_str().to_owned()).collect()
}

/// Creates the buckets: the trail directory, those at other endpoints, and folders in `parent` for all others.
fn buckets_of(
    settings: &Settings,
    trail_folder: PathBuf,
    parent: PathBuf,
    clock: &Arc<dyn Clock>,
    sync: bool,
) -> Buckets {
    let mut remote = BTreeMap::<_, Arc<dyn Bucket>>::new();
    for (name, bucket) in &settings.buckets {
        let clock = Arc::clone(clock);
        let now = move || {
            let millis = u64::try_from(clock.now().millis()).unwrap_or(0);
            SystemTime::UNIX_EPOCH + Duration::from_millis(millis)
        };
        remote.insert(name.clone(), Arc::new(RemoteBucket::new(name, bucket.clone(), Arc::new(now))));
    }
    let options = FolderOptions { sync, reserved: trail::RESERVED_NAMES };
    Buckets::new((settings.trail_bucket.clone(), trail_folder), parent, remote, options)
}

fn trail_settings(settings: &Settings, folder: PathBuf, sync: bool) -> trail::Settings {
    trail::Settings {
        folder,
        home_region: settings.region.clone(),
        event_version: settings.event_version,
        log_interval: settings.log_interval,
        log_bytes: settings.log_bytes,
        digest_interval: settings.digest_interval,
        signing_key: settings.signing_key.clone(),
        key_rotation: settings.key_rotation,
        retention: settings.retention.clone(),
        sync,
        kms_events: settings.kms_events,
    }
}

/// How objects are checked that pushes bring and calls write.
fn fsck(settings: &Git) -> git::Fsck {
    if settings.fsck { git::Fsck::default() } else { git::Fsck::off() }
}

fn git_options(settings: &Git, data_folder: &Path, sync: bool) -> io::Result<git::Options> {
    let cache_folder = data_folder.join("cache");
    let cache = match settings.cache_bytes {
        0 => None,
        bytes => Some(git::Cache::open(&cache_folder, bytes).map_err(at(&cache_folder))?),
    };
    Ok(git::Options {
        offers: settings.offers,
        limits: settings.limits,
        fsck: fsck(settings),
        builds: settings.packs.map(git::Builds::new).unwrap_or_default(),
        cache,
        sync,
        ..git::Options::default()
    })
}
