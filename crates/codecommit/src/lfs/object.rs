//! Requests for objects: which must be sent, which can be fetched.

use std::time::Duration;

use aws::Call;
use store::Transaction;

use crate::CodeCommit;
use crate::lfs::upload::check_quota;
use crate::lfs::{LfsError, LfsObject, UploadPlan, row};
use crate::repository::Repository;

/// Time after which a request for an upload renews the time of use of an object that is there.
const RENEWAL_INTERVAL: Duration = Duration::from_mins(1);

impl CodeCommit {
    /// Decides which of some objects a client must send; fails if they do not fit into the repository's quota together.
    pub fn plan_lfs_upload(
        &self,
        call: &Call,
        repository: &Repository,
        objects: &[LfsObject],
    ) -> Result<UploadPlan, LfsError> {
        let (id, limit) = (&repository.id, self.settings.lfs.object_bytes_max);
        let mut plan =
            UploadPlan { objects: Vec::new(), renewed: Vec::new(), repository_id: id.clone(), now: call.time };
        let (rows, used) = self.store.read(|transaction| {
            let rows =
                objects.iter().map(|object| row::find(transaction, id, &object.id)).collect::<Result<Vec<_>, _>>()?;
            Ok::<_, LfsError>((rows, row::total(transaction, id)?.unwrap_or(0)))
        })?;
        let mut more = 0_u64;
        for (object, found) in objects.iter().zip(rows) {
            plan.objects.push(match found {
                Some(row) if row.bytes != object.bytes => {
                    Err(LfsError::OtherSize { id: object.id, stored: row.bytes, requested: object.bytes })
                }
                Some(row) if self.lfs.has(id, &object.id, &row)? => {
                    if row.used.saturating_add(RENEWAL_INTERVAL) <= call.time {
                        plan.renewed.push(object.id);
                    }
                    Ok(false)
                }
                None if object.bytes > limit => Err(LfsError::ObjectTooLarge { bytes: object.bytes, limit }),
                None => {
                    more = more.saturating_add(object.bytes);
                    Ok(true)
                }
                // The file is missing, and is already counted.
                Some(_) => Ok(true),
            });
        }
        check_quota(false, used, more, self.settings.lfs.quota_bytes)?;
        Ok(plan)
    }

    /// Finds objects that a client wants to fetch; an error tells why one cannot be fetched.
    pub fn find_lfs_objects(
        &self,
        repository: &Repository,
        objects: &[LfsObject],
    ) -> Result<Vec<Result<(), LfsError>>, LfsError> {
        let found = objects.iter().map(|object| match self.check_lfs_object(&repository.id, object) {
            Err(LfsError::Failed(exception)) => Err(LfsError::Failed(exception)),
            found => Ok(found),
        });
        found.collect()
    }

    /// Fails if a repository does not have an object, or if it has another size.
    pub fn check_lfs_object(&self, repository_id: &str, object: &LfsObject) -> Result<(), LfsError> {
        let LfsObject { id, bytes: requested } = *object;
        let missing = || LfsError::Missing { id };
        let row = self.store.read(|transaction| row::find(transaction, repository_id, &id))?.ok_or_else(missing)?;
        if row.bytes != requested {
            return Err(LfsError::OtherSize { id, stored: row.bytes, requested });
        }
        self.lfs.has(repository_id, &id, &row)?.then_some(()).ok_or_else(missing)
    }
}

impl UploadPlan {
    /// Returns whether [`UploadPlan::renew`] changes something.
    pub fn is_renewal_due(&self) -> bool {
        !self.renewed.is_empty()
    }

    /// Renews the time of use of objects that are there, so that they are not removed before the client's push.
    pub fn renew(&self, transaction: &Transaction) -> Result<(), store::Error> {
        self.renewed.iter().try_for_each(|id| row::renew(transaction, &self.repository_id, id, self.now))
    }
}
