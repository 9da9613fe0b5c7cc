//! The last use of each access key, since the start of the server.

use std::collections::HashMap;

use aws::{Call, Region, Timestamp};
use parking_lot::Mutex;

/// The last use of an access key.
#[derive(Clone, Debug)]
pub(crate) struct KeyUse {
    pub(crate) time: Timestamp,
    /// The service that was called, such as `codecommit`.
    pub(crate) service: String,
    pub(crate) region: Region,
}

/// The last uses of access keys, by their ids.
#[derive(Default)]
pub(crate) struct KeyUses(Mutex<HashMap<String, KeyUse>>);

impl KeyUses {
    /// Notes that a call of a service used an access key.
    pub(crate) fn note(&self, id: &str, call: &Call, service: &str) {
        let mut uses = self.0.lock();
        if let Some(last) = uses.get_mut(id) {
            last.time = call.time;
            service.clone_into(&mut last.service);
            last.region.clone_from(&call.region);
            return;
        }
        let first = KeyUse { time: call.time, service: service.to_owned(), region: call.region.clone() };
        uses.insert(id.to_owned(), first);
    }

    /// Returns the last use of an access key.
    pub(crate) fn last(&self, id: &str) -> Option<KeyUse> {
        self.0.lock().get(id).cloned()
    }

    /// Forgets all uses.
    pub(crate) fn clear(&self) {
        self.0.lock().clear();
    }
}
