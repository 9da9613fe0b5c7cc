//! A cache of advertisements with many references, valid while the references do not change.

use std::sync::Arc;

use git::{Offers, Options, References, Service, Version, advertise};
use parking_lot::Mutex;

/// The minimum number of references of a cached advertisement.
const REFERENCES_MIN: usize = 1000;

/// The maximum number of cached advertisements of a repository.
const CACHED_MAX: usize = 2;

/// The advertisements of one repository.
#[derive(Default)]
pub struct Advertisements(Mutex<Vec<CachedAdvertisement>>);

struct CachedAdvertisement {
    references: Arc<References>,
    key: (Service, Version, Offers),
    content: Arc<Vec<u8>>,
}

impl Advertisements {
    /// Returns the advertisement of `references`, from the cache if possible.
    pub fn get(
        &self,
        service: Service,
        version: Version,
        references: &Arc<References>,
        options: &Options,
    ) -> Arc<Vec<u8>> {
        let render = || Arc::new(advertise(service, version, references, options));
        // Version 2 advertises no references, and each session has its own id.
        let is_short = references.references.len() < REFERENCES_MIN || version == Version::V2;
        if is_short || options.offers.session_id {
            return render();
        }
        let key = (service, version, options.offers);
        let mut cached = self.0.lock();
        let is_same = |cached: &&CachedAdvertisement| Arc::ptr_eq(&cached.references, references) && cached.key == key;
        if let Some(known) = cached.iter().find(is_same) {
            return Arc::clone(&known.content);
        }
        let content = render();
        cached.truncate(CACHED_MAX - 1);
        cached
            .insert(0, CachedAdvertisement { references: Arc::clone(references), key, content: Arc::clone(&content) });
        content
    }
}
