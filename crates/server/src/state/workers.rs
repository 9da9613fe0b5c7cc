//! The background work of a server.
//!
//! **Invariant:** services only add to [`Queues`]; [`Workers`] do the work, and stop before the services that they use are closed.

use std::io;
use std::sync::Arc;

use ::codecommit::CodeCommit;
use bucket::Buckets;
use cluster::Cluster;
use store::Store;
use ureq::tls::TlsConfig;
use worker::{Waker, Worker};

use crate::archives::{self, Archives};
use crate::data_folder::TRIGGER_LOG;
use crate::folders::Folders;
use crate::maintenance::{Maintenance, MaintenanceQueue};
use crate::messages::{DeliveryLog, HttpSender};
use crate::s3::{self, Endpoint};
use crate::triggers::{self, TriggerSender};
use crate::{Settings, database_maintenance, eviction, notifications, roles};

/// What services wake when they have added background work; needed before the workers run.
pub(super) struct Queues {
    pub(super) maintenance: Arc<MaintenanceQueue>,
    pub(super) trigger_sender: Arc<TriggerSender>,
    pub(super) archives: Arc<Archives>,
    pub(super) notification_log: DeliveryLog,
    notifications: Waker,
    http_sender: Arc<HttpSender>,
}

/// The running workers.
pub(super) struct Workers {
    database: Worker,
    eviction: Worker,
    maintenance: Maintenance,
    triggers: Worker,
    archives: Worker,
    notifications: Worker,
    lifecycle: Worker,
}

impl Queues {
    /// Creates the queues; `notifications` wakes the worker that sends the notifications of trails, and `tls` is that of requests.
    pub(super) fn new(
        settings: &Settings,
        folders: &Folders,
        store: &Arc<Store>,
        buckets: &Arc<Buckets>,
        notifications: Waker,
        tls: TlsConfig,
    ) -> Self {
        let http_sender = Arc::new(HttpSender::new(settings.triggers.clone(), tls));
        let trigger_log = DeliveryLog::new(folders.data().join(TRIGGER_LOG));
        Self {
            maintenance: Arc::new(MaintenanceQueue::new(&settings.git)),
            trigger_sender: Arc::new(TriggerSender::new(trigger_log, Arc::clone(&http_sender))),
            archives: Arc::new(Archives::new(Arc::clone(store), Arc::clone(buckets), Waker::default())),
            notification_log: DeliveryLog::new(folders.trail().join(::trail::NOTIFICATIONS_LOG)),
            notifications,
            http_sender,
        }
    }
}

impl Workers {
    /// Starts the workers, which begin with the work that an earlier run left.
    pub(super) fn start(
        settings: &Settings,
        (folders, cluster): (&Folders, &Cluster),
        store: &Arc<Store>,
        codecommit: &Arc<CodeCommit>,
        buckets: &Endpoint,
        queues: Queues,
    ) -> io::Result<Self> {
        let clock = buckets.clock();
        let Queues { maintenance, trigger_sender, archives, notification_log, notifications, http_sender } = queues;
        let unsent = ::trail::Notifications::of(Arc::clone(store));
        let archive_folder = folders.data().join("archives");
        Ok(Self {
            database: database_maintenance::start(Arc::clone(store))?,
            notifications: notifications::start(
                unsent,
                http_sender,
                notification_log,
                Arc::clone(clock),
                notifications,
                &cluster.role(roles::NOTIFICATIONS),
            )?,
            archives: archives::start(
                Arc::clone(codecommit),
                &archives,
                archive_folder,
                Arc::clone(clock),
                &cluster.role(roles::ARCHIVES),
            )?,
            triggers: triggers::start(
                Arc::clone(codecommit),
                trigger_sender,
                Arc::clone(clock),
                &cluster.role(roles::TRIGGERS),
            )?,
            maintenance: Maintenance::start(
                Arc::clone(codecommit),
                maintenance,
                Arc::clone(clock),
                &settings.git,
                cluster.role(roles::UPKEEP),
            )?,
            eviction: eviction::start(Arc::clone(codecommit), settings.cache_idle)?,
            lifecycle: s3::start_lifecycle(buckets.clone())?,
        })
    }

    /// Stops the work on repositories, triggers and archives.
    pub(super) fn stop_before_trail(&self) {
        self.eviction.stop();
        self.maintenance.stop();
        self.triggers.stop();
        self.archives.stop();
        self.lifecycle.stop();
    }

    /// Stops sending notifications, after the trail has written its last log files, and maintaining the database.
    pub(super) fn stop_after_trail(&self) {
        self.notifications.stop();
        self.database.stop();
    }
}
