//! Ending long work early: its client is gone, the process stops, or its time is up.
//!
//! A [`Repository`](crate::Repository) carries an interrupt to its readers, and these look at it with every object that
//! they read. So no walk over objects goes on for long once the interrupt is raised.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use crate::Error;

/// Tells work when to end: as soon as one of its flags is set, or when its deadline has passed. The default is never.
#[derive(Debug, Clone, Default)]
pub struct Interrupt {
    flags: Arc<[Arc<AtomicBool>]>,
    deadline: Option<Instant>,
}

impl Interrupt {
    /// Ends work as soon as one of the flags is set.
    pub fn on(flags: impl IntoIterator<Item = Arc<AtomicBool>>) -> Self {
        Self { flags: flags.into_iter().collect(), deadline: None }
    }

    /// Ends work as soon as the flag is set, too.
    #[must_use]
    pub fn or_on(&self, flag: Arc<AtomicBool>) -> Self {
        let flags = self.flags.iter().cloned().chain([flag]).collect();
        Self { flags, deadline: self.deadline }
    }

    /// Ends work when `time` has passed from now on, too; a time that no clock reaches is no limit.
    #[must_use]
    pub fn or_after(&self, time: Duration) -> Self {
        let deadline = [self.deadline, Instant::now().checked_add(time)].into_iter().flatten().min();
        Self { flags: Arc::clone(&self.flags), deadline }
    }

    /// Fails with [`Error::Interrupted`] or [`Error::Time`] if work is to end.
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
    fn one_flag_or_the_deadline_ends_work() {
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
