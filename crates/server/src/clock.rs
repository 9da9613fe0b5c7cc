//! The machine's time as the system's type of time.

use std::time::{Duration, SystemTime};

use aws::Clock;

/// Returns the time of the machine; a time before 1970 is 1970.
pub(crate) fn system_time(clock: &dyn Clock) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_millis(u64::try_from(clock.machine_time().millis()).unwrap_or(0))
}
