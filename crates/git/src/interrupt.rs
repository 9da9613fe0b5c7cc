//! Interruption of long work: its client has disconnected, the process stops, or a deadline has passed.
//!
//! A [`Repository`](crate::Repository) passes its interrupt to its readers, which check it with every object that they read.
//! Therefore every walk over objects ends soon after the interrupt.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use crate::Error;

/// A condition that ends work: one of the flags is set, or the deadline has passed. The default never ends any.
#[derive(Debug, Clone, Default)]
pub struct Interrupt {
    flags: Arc<[Arc<AtomicBool>]>,
    deadline: Option<Instant>,
}

impl Interrupt {
    /// Interrupts when one of the flags is set.
    pub fn on(flags: impl IntoIterator<Item = Arc<AtomicBool>>) -> Self {
        Self { flags: flags.into_iter().collect(), deadline: None }
    }

    /// Adds a flag that interrupts.
    #[must_use]
    pub fn or_on(&self, flag: Arc<AtomicBool>) -> Self {
        let flags = self.flags.iter().cloned().chain([flag]).collect();
        Self { flags, deadline: self.deadline }
    }

    /// Adds a deadline, `time` from now; a time beyond the range of the clock sets no deadline.
    #[must_use]
    pub fn or_after(&self, time: Duration) -> Self {
        let deadline = [self.deadline, Instant::now().checked_add(time)].into_iter().flatten().min();
        Self { flags: Arc::clone(&self.flags), deadline }
    }

    /// Fails with [`Error::Interrupted`] or [`Error::Time`] if the work must end.
    pub fn check(&self) -> Result<(), Error> {
        if self.flags.iter().any(|flag| flag.load(Ordering::Relaxed)) {
            return Err(Error::Interrupted);
        }
        match self.deadline {
            Some(deadline) if Instant::now() >= deadline => Err(Error::Time),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_flag_or_the_deadline_interrupts() {
        let flags = [Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false))];
        let interrupt = Interrupt::on([Arc::clone(&flags[0])]).or_on(Arc::clone(&flags[1]));
        assert!(interrupt.check().is_ok());
        assert!(interrupt.or_after(Duration::MAX).check().is_ok());
        assert!(matches!(interrupt.or_after(Duration::ZERO).check(), Err(Error::Time)));
        assert!(matches!(interrupt.or_after(Duration::ZERO).or_after(Duration::MAX).check(), Err(Error::Time)));
        flags[1].store(true, Ordering::Relaxed);
        assert!(matches!(interrupt.or_after(Duration::ZERO).check(), Err(Error::Interrupted)));
        assert!(Interrupt::default().check().is_ok());
    }
}
