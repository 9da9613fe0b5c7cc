//! The check of a push for pointers to large files that the repository lacks, which a setting turns on.

use aws::Call;
use git::ObjectId;
use git::receive_pack::Received;

use crate::lfs::pointer::POINTER_BYTES_MAX;
use crate::lfs::{LfsError, LfsObjectId, Pointer};
use crate::repository::Repository;
use crate::{CodeCommit, Exception};

/// Missing objects that the client is told of, at most.
const SHOWN_MAX: usize = 10;

impl CodeCommit {
    /// Returns why a push is refused: its new files have pointers to objects that the repository lacks; `None` if there are none.
    ///
    /// The client is sent the ids of some of the missing objects.
    pub(crate) fn lacks_lfs_objects(
        &self,
        call: &Call,
        repository: &Repository,
        received: &Received<'_>,
    ) -> Result<Option<String>, Exception> {
        if !self.settings.lfs.check_pushes || received.unpack.is_err() {
            return Ok(None);
        }
        let accepted = received.commands.iter().zip(received.statuses).filter(|(_, status)| status.is_ok());
        let wants: Vec<ObjectId> = accepted.map(|(command, _)| command.new).filter(|id| !id.is_null()).collect();
        if wants.is_empty() {
            return Ok(None);
        }
        let references = self.references(repository)?;
        let haves = references.references.iter().map(|reference| reference.target).collect();
        let mut missing: Vec<LfsObjectId> = Vec::new();
        let mut failure = None;
        let objects = self.objects(call, repository)?;
        objects.new_small_blobs(wants, haves, POINTER_BYTES_MAX as u64, &mut |content| {
            let Some(Pointer { object }) = Pointer::parse(content) else { return };
            match self.check_lfs_object(&repository.id, &object) {
                Ok(()) => {}
                Err(LfsError::Failed(exception)) => drop(failure.get_or_insert(exception)),
                Err(_) => missing.push(object.id),
            }
        })?;
        if let Some(exception) = failure {
            return Err(exception);
        }
        missing.sort_unstable();
        missing.dedup();
        if missing.is_empty() {
            return Ok(None);
        }
        let mut messages = received.messages.borrow_mut();
        messages.push("The push has pointers to large files that are not on the server:".to_owned());
        messages.extend(missing.iter().take(SHOWN_MAX).map(|id| format!("    {id}")));
        if missing.len() > SHOWN_MAX {
            messages.push(format!("    and {} more", missing.len() - SHOWN_MAX));
        }
        messages.push("Send them with: git lfs push --all REMOTE".to_owned());
        Ok(Some("large files are missing".to_owned()))
    }
}
