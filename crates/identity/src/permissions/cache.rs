//! The permissions that were combined already. They belong to one state of the identities, and a reload begins with none.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::RwLock;

use crate::permissions::Permissions;
use crate::principal::PrincipalGrants;

/// Maximum number of callers; sessions come and go, so that the oldest are useless. All are combined again after it.
const CALLERS_MAX: usize = 10_000;

/// The combined policies by their holders.
#[derive(Debug, Default)]
pub(crate) struct PermissionCache {
    /// By the access key of a session or the ARN of another caller.
    callers: RwLock<HashMap<String, Arc<Permissions>>>,
    /// By the user or role, which all of its sessions share.
    principals: RwLock<HashMap<String, Arc<PrincipalGrants>>>,
}

impl PermissionCache {
    /// Returns the permissions of a caller, if they were combined.
    pub(crate) fn caller(&self, key: &str) -> Option<Arc<Permissions>> {
        self.callers.read().get(key).cloned()
    }

    /// Adds the permissions of a caller.
    pub(crate) fn insert_caller(&self, key: &str, permissions: Arc<Permissions>) {
        let mut callers = self.callers.write();
        if callers.len() >= CALLERS_MAX {
            callers.clear();
        }
        callers.insert(key.to_owned(), permissions);
    }

    /// Returns the policies of a principal, which `build` combines for the first of its callers.
    pub(crate) fn principal(&self, key: &str, build: impl FnOnce() -> PrincipalGrants) -> Arc<PrincipalGrants> {
        if let Some(grants) = self.principals.read().get(key) {
            return Arc::clone(grants);
        }
        let grants = Arc::new(build());
        self.principals.write().insert(key.to_owned(), Arc::clone(&grants));
        grants
    }
}
