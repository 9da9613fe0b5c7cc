//! Notifications: what topics are told of log files that were delivered.

/// Who delivers notifications.
pub trait Notifier: Send + Sync {
    /// Hears that notifications wait.
    fn wake(&self);
}
