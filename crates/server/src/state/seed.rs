//! The seed of the settings: applied to a new data folder at the start, and again after a reset.

use seed::{Location, Seed};

use crate::state::Parts;

impl Parts {
    /// Applies the seed to a data folder without data; without a seed, checks that no earlier one is unfinished.
    pub(super) fn apply_seed_at_start(&self) -> Result<(), seed::Error> {
        self.with_services(|services| seed::apply_at_start(self.settings.seed.as_deref(), services))
    }

    /// Reads the seed, if there is one.
    pub(crate) fn read_seed(&self) -> Result<Option<Seed>, seed::Error> {
        let read = |path: &std::path::PathBuf| Seed::read(path, &self.default_location());
        self.settings.seed.as_ref().map(read).transpose()
    }

    /// Applies a seed after a reset.
    pub(crate) fn apply_seed(&self, seed: &Seed) -> Result<(), seed::Error> {
        self.with_services(|services| seed.apply(services))
    }

    fn default_location(&self) -> Location {
        Location { account: self.sts.default_account().clone(), region: self.settings.region.clone() }
    }

    fn with_services<R>(&self, apply: impl FnOnce(seed::Services<'_>) -> R) -> R {
        let endpoint = format!("{}://{}", self.settings.tls.mode.scheme(), self.address);
        apply(seed::Services {
            store: &self.store,
            codecommit: &self.codecommit,
            trail: &self.trail,
            cloudtrail: &self.cloudtrail,
            sts: &self.sts,
            git: &self.git,
            clock: &*self.clock,
            location: &self.default_location(),
            scratch: self.folders.data(),
            endpoint: &endpoint,
            records: self.settings.seed_events,
        })
    }
}
