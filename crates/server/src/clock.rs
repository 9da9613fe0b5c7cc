//! The server's clock as the system's type of time.

use std::time::{Duration, SystemTime};

use aws::Clock;

/// Returns the time of a clock; a time before 1970 is 1970.
pub(crate) fn system_time(clock: &dyn Clock) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_millis(u64::try_from(clock.now().millis()).unwrap_or(0))
}
