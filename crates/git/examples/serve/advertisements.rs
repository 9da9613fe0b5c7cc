//! Advertisements of many references, kept while the references stay as they are.

use std::sync::Arc;

use git::{Offers, Options, References, Service, Version, advertise};
use parking_lot::Mutex;

/// Fewer references are told anew each time.
const REFERENCES_MIN: usize = 1000;

/// How many advertisements of a repository are kept.
const KEPT_MAX: usize = 2;

/// The advertisements of one repository.
#[derive(Default)]
pub struct Advertisements(Mutex<Vec<Kept>>);

struct Kept {
    references: Arc<References>,
    asked: (Service, Version, Offers),
    content: Arc<Vec<u8>>,
}

impl Advertisements {
    /// Gives the advertisement of `references`, rendered now or when they were asked for the last time.
    pub fn get(
        &self,
        service: Service,
        version: Version,
        references: &Arc<References>,
        options: &Options,
    ) -> Arc<Vec<u8>> {
        let render = || Arc::new(advertise(service, version, references, options));
        // Version 2 tells no references, and a session has a name of its own.
        let is_short = references.references.len() < REFERENCES_MIN || version == Version::V2;
        if is_short || options.offers.session_id {
            return render();
        }
        let asked = (service, version, options.offers);
        let mut kept = self.0.lock();
        let is_same = |kept: &&Kept| Arc::ptr_eq(&kept.references, references) && kept.asked == asked;
        if let Some(known) = kept.iter().find(is_same) {
            return Arc::clone(&known.content);
        }
        let content = render();
        kept.truncate(KEPT_MAX - 1);
        kept.insert(0, Kept { references: Arc::clone(references), asked, content: Arc::clone(&content) });
        content
    }
}
