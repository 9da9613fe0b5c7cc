//! The machine's time as the system's type of time.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aws::Clock;

/// Returns the machine's clock, for signatures of requests to others.
pub(crate) fn machine_clock(clock: &Arc<dyn Clock>) -> bucket::Clock {
    let clock = Arc::clone(clock);
    Arc::new(move || system_time(&*clock))
}

/// Returns the time of the machine; a time before 1970 is 1970.
pub(crate) fn system_time(clock: &dyn Clock) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_millis(u64::try_from(clock.machine_time().millis()).unwrap_or(0))
}
