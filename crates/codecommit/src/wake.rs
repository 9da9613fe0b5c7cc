//! Wake-ups of background work outside the service.

/// Background work that waits for the service to announce more.
pub trait Wake: Send + Sync {
    /// Announces that there is work; returns at once.
    fn wake(&self);
}
