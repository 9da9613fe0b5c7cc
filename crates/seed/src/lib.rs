//! Seeds: the repositories, and what belongs to them, that a new data folder starts with.
//!
//! A seed is read from a folder into a plan, and applied by the operations of the services, so that a seeded repository is the same
//! as one that clients made.
//!
//! **Invariant:** a seed is applied whole or not at all, and only to a data folder without data. Ids and times depend on the seed
//! only.

#![warn(unreachable_pub)]

mod document;
mod error;
mod export;
mod folder;
mod history;
mod large_files;
mod location;
mod moment;
mod progress;
mod pull_request;
mod push;
mod repository;
mod runner;
mod services;
mod source;
mod template;
mod trails;

use std::path::{Path, PathBuf};
use std::time::Duration;

use aws::Timestamp;
use trail::PastRecord;

pub use crate::error::Error;
pub use crate::export::{Exported, export};
pub use crate::location::Location;
pub use crate::services::Services;

use crate::document::{Date, DocumentFile, FILE};
use crate::progress::Progress;
pub use crate::progress::migrate;
use crate::pull_request::SeededPullRequest;
use crate::repository::{EntryDefaults, SeededRepository};
use crate::runner::Runner;
use crate::source::CommitOptions;

/// The date of everything without a date of its own: 2026-01-01T00:00:00Z, in milliseconds.
const DATE: i64 = 1_767_225_600_000;

/// Name and address of the author of commits of plain folders.
const COMMIT_AUTHOR: (&str, &str) = ("Mary Major", "mary_major@example.com");

/// The message of commits of plain folders.
const COMMIT_MESSAGE: &str = "Add files";

/// The file of identities in the folder of a seed.
const IDENTITIES: &str = "identities.toml";

/// Time for which a reset waits until no request uses the removed repositories.
const REMOVAL_TIMEOUT: Duration = Duration::from_secs(5);

/// A seed that was read, and can be applied.
#[derive(Debug)]
pub struct Seed {
    file: DocumentFile,
    repositories: Vec<SeededRepository>,
    /// The locations of the pull requests of the file, in its order.
    pull_requests: Vec<Location>,
    commit: CommitOptions,
    records: Vec<PastRecord>,
    default: Location,
}

/// Returns the identities file of the seed at a path, if it has one.
pub fn identities_file(path: &Path) -> Option<PathBuf> {
    if !path.is_dir() {
        return None;
    }
    folder::file_in(path, IDENTITIES).ok().flatten()
}

/// Applies the seed at a path to the data folder of a server that starts, if it has no data.
///
/// What an earlier start left unfinished is removed first; without a seed, that is an error.
pub fn apply_at_start(path: Option<&Path>, services: Services<'_>) -> Result<(), Error> {
    let progress = progress::read(services.store)?;
    let Some(path) = path else {
        return if progress == Progress::Unfinished { Err(Error::Unfinished) } else { Ok(()) };
    };
    match progress {
        Progress::Finished => {
            tracing::info!(path = %path.display(), "left the data folder as it is: a seed was applied to it before");
            return Ok(());
        }
        Progress::Unseeded if has_data(&services)? => {
            tracing::warn!(
                path = %path.display(),
                "did not apply the seed: the data folder has repositories or events; use --ephemeral or another --data-dir"
            );
            return Ok(());
        }
        Progress::Unseeded => {}
        Progress::Unfinished => {
            tracing::warn!(path = %path.display(), "an earlier start ended while it applied the seed; begins anew");
            remove(&services).map_err(|reason| Error::path(path, reason))?;
        }
    }
    Seed::read(path, services.location)?.apply(services)
}

fn has_data(services: &Services<'_>) -> Result<bool, Error> {
    Ok(services.codecommit.has_data()? || services.trail.has_data()?)
}

/// Removes everything that a seed created.
fn remove(services: &Services<'_>) -> Result<(), String> {
    services.codecommit.reset().map_err(|exception| exception.to_string())?;
    services.trail.reset().map_err(|error| error.to_string())?;
    progress::write(services.store, Progress::Unseeded).map_err(|error| error.to_string())
}

impl Seed {
    /// Reads a seed: a folder, or only the file `seed.toml`. The contents of repositories are read when the seed is applied.
    pub fn read(path: &Path, default: &Location) -> Result<Self, Error> {
        let (file, mut sources) = if path.is_dir() {
            let document = folder::file_in(path, FILE)?.unwrap_or_else(|| path.join(FILE));
            (DocumentFile::read(document, false)?, folder::find_sources(path, default)?)
        } else {
            (DocumentFile::read(path.to_owned(), true)?, folder::Sources::new())
        };
        let mut repositories = Vec::new();
        for (position, entry) in file.content.repositories.iter().enumerate() {
            let location = default.or(entry.account.as_ref(), entry.region.as_ref());
            let name = entry.name.get_ref().clone();
            let is_known = |known: &SeededRepository| known.name == name && known.location == location;
            if repositories.iter().any(is_known) {
                let reason = format!("repository '{name}' has another entry; write one entry");
                return Err(file.fault(entry.name.span(), reason));
            }
            let key = (location.account.to_string(), location.region.to_string(), name.clone());
            let source = sources.remove(&key).map(|found| found.source);
            repositories.push(SeededRepository { location, name, entry: Some(position), source, tips: Vec::new() });
        }
        repositories.extend(sources.into_values().map(|found| SeededRepository {
            location: found.location,
            name: found.name,
            entry: None,
            source: Some(found.source),
            tips: Vec::new(),
        }));
        let mut pull_requests = Vec::new();
        for entry in &file.content.pull_requests {
            let location = default.or(entry.account.as_ref(), entry.region.as_ref());
            let name = entry.repository.get_ref();
            let of_entry = |known: &&mut SeededRepository| known.name == *name && known.location == location;
            let Some(repository) = repositories.iter_mut().find(of_entry) else {
                let reason = format!("the seed has no repository '{name}' in {location}; write the name of one");
                return Err(file.fault(entry.repository.span(), reason));
            };
            repository.tips.extend(entry.commits());
            pull_requests.push(location);
        }
        let commit = commit_options(&file)?;
        let records = if path.is_dir() { history::read(path, &default.account)? } else { Vec::new() };
        Ok(Self { file, repositories, pull_requests, commit, records, default: default.clone() })
    }

    /// Applies the seed to a data folder without data: everything, or nothing if there is a fault.
    pub fn apply(&self, services: Services<'_>) -> Result<(), Error> {
        let path = self.file.folder().display();
        if !services.codecommit.wait_for_removals(REMOVAL_TIMEOUT) {
            return Err(Error::InUse);
        }
        progress::read(services.store)?;
        progress::write(services.store, Progress::Unfinished)?;
        let applied = self.apply_all(services).and_then(|()| Ok(progress::write(services.store, Progress::Finished)?));
        match applied {
            Ok(()) => {
                tracing::info!(%path, repositories = self.repositories.len(), "applied the seed");
                Ok(())
            }
            Err(fault) => match remove(&services) {
                Ok(()) => Err(fault),
                Err(reason) => Err(Error::NotRemoved { fault: Box::new(fault), reason }),
            },
        }
    }

    fn apply_all(&self, services: Services<'_>) -> Result<(), Error> {
        let document = &self.file.content;
        history::apply(&services, &self.records, document.event_times)
            .map_err(|reason| Error::path(self.file.folder(), reason))?;
        let runner = Runner::new(services);
        let defaults = EntryDefaults {
            file: &self.file,
            date: self.commit.date,
            author: self.file.content.defaults.author.as_deref(),
            commit: &self.commit,
        };
        // Records are in the order of the seed.
        let threads = if services.records { 1 } else { std::thread::available_parallelism().map_or(1, usize::from) };
        repository::for_all(&self.repositories, threads, |repository| repository.apply(&runner, defaults))?;
        for entry in &document.templates {
            let location = self.default.or(entry.account.as_ref(), entry.region.as_ref());
            template::create(&runner, entry, &location, defaults)?;
        }
        for (entry, location) in document.pull_requests.iter().zip(&self.pull_requests) {
            let EntryDefaults { date, author, .. } = defaults;
            SeededPullRequest { location, entry, date, author }.apply(&runner, &self.file)?;
        }
        for repository in &self.repositories {
            repository.set_triggers(&runner, defaults)?;
        }
        for entry in &document.trails {
            let location = self.default.or(entry.account.as_ref(), entry.region.as_ref());
            trails::create(&runner, entry, &location, defaults)?;
        }
        Ok(())
    }
}

/// Reads the author, date and message of the commits of plain folders.
fn commit_options(file: &DocumentFile) -> Result<CommitOptions, Error> {
    let defaults = &file.content.defaults;
    let (name, email) = match &defaults.commit_author {
        None => COMMIT_AUTHOR,
        Some(author) => {
            let split = author.get_ref().strip_suffix('>').and_then(|author| author.split_once(" <"));
            let reason =
                || file.fault(author.span(), "write a name and an address, such as Mary Major <mary@example.com>");
            split.ok_or_else(reason)?
        }
    };
    let mut message = defaults.commit_message.clone().unwrap_or_else(|| COMMIT_MESSAGE.to_owned());
    if !message.ends_with('\n') {
        message.push('\n');
    }
    let date = defaults.date.map_or(Timestamp::from_millis(DATE), |Date(date)| date);
    Ok(CommitOptions { name: name.to_owned(), email: email.to_owned(), date, message, branch: None })
}
