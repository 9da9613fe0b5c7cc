//! Lifecycle rules of buckets: objects expire or are archived when they are old enough, and uploads that nobody completes are aborted.

pub(super) mod configuration;
pub(super) mod restore;
mod rule;

use std::io;
use std::time::{Duration, SystemTime};

use bucket::{FolderBucket, Listing};
use s3s::dto::{BucketLifecycleConfiguration, TransitionDefaultMinimumObjectSize};
use worker::{Stop, Waker, Work, Worker};

use self::configuration::MINIMUM_SIZE;
use self::rule::{Action, Rule};
use super::configuration::{LIFECYCLE, load};
use super::endpoint::Endpoint;
use super::stored::{STORAGE_CLASS, Stored};
use super::upload;
use crate::clock::system_time;

/// Time between two rounds; S3 looks once a day.
const INTERVAL: Duration = Duration::from_hours(1);

/// Objects that are listed at a time.
const PAGE_KEYS: usize = 1000;

/// Starts the worker.
pub(crate) fn start(endpoint: Endpoint) -> io::Result<Worker> {
    Worker::start("lifecycle", Waker::default(), LifecycleWork(endpoint))
}

struct LifecycleWork(Endpoint);

impl Work for LifecycleWork {
    fn round(&mut self, stop: &Stop) -> Result<Option<Duration>, worker::Error> {
        self.0.apply_lifecycle(&|| stop.is_set())?;
        Ok(Some(INTERVAL))
    }
}

impl Endpoint {
    /// Applies the rules of all folder buckets now.
    pub(crate) fn apply_lifecycle(&self, is_stopped: &dyn Fn() -> bool) -> io::Result<()> {
        for name in self.buckets.names()?.into_iter().filter(|name| !self.buckets.is_remote(name)) {
            let bucket = self.buckets.folder(&name);
            let rules = match load::<BucketLifecycleConfiguration>(&bucket, LIFECYCLE) {
                Ok(kept) => kept.value(),
                Err(error) => {
                    tracing::error!(bucket = name, %error, "cannot read the lifecycle rules of a bucket");
                    None
                }
            };
            let Some(configuration) = rules else { continue };
            let minimum_size = bucket.configuration()?.remove(MINIMUM_SIZE);
            let rules = Rule::enabled(
                &configuration,
                minimum_size.as_deref() == Some(TransitionDefaultMinimumObjectSize::VARIES_BY_STORAGE_CLASS),
            );
            if !rules.is_empty() {
                let now = system_time(&*self.clock);
                self.apply(&bucket, &rules, now, is_stopped)?;
            }
        }
        Ok(())
    }

    fn apply(
        &self,
        bucket: &FolderBucket,
        rules: &[Rule],
        now: SystemTime,
        is_stopped: &dyn Fn() -> bool,
    ) -> io::Result<()> {
        for (_, upload) in bucket.uploads()? {
            if rules.iter().any(|rule| rule.aborts(upload::key(&upload), upload.begun, now)) {
                let _changes = self.changes.lock();
                upload.remove()?;
            }
        }
        let mut after = String::new();
        loop {
            let page = bucket.list(Listing { after: &after, max: PAGE_KEYS, ..Listing::default() })?;
            for object in page.objects {
                if is_stopped() {
                    return Ok(());
                }
                let stored = Stored::read(bucket, object)?;
                match Rule::action(rules, &stored, now) {
                    None => {}
                    Some(Action::Expire) => {
                        let _changes = self.changes.lock();
                        bucket.remove(&stored.object.key)?;
                    }
                    Some(Action::Move(class)) => {
                        let mut attributes = stored.attributes;
                        attributes.settings.insert(STORAGE_CLASS.to_owned(), class);
                        let _changes = self.changes.lock();
                        bucket.set_attributes(&stored.object, &attributes)?;
                    }
                }
            }
            match page.next {
                Some(next) => after = next,
                None => return Ok(()),
            }
        }
    }
}
