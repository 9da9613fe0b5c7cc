//! Repositories of a seed: each is created, gets its objects and references, and then its default branch.

use std::sync::Arc;

use aws::Timestamp;
use git::{BString, ObjectId};
use serde_json::{Value, json};

use crate::document::{Date, DocumentFile, RepositoryEntry};
use crate::runner::{Circumstances, Runner};
use crate::source::{CommitOptions, Content, Source};
use crate::{Error, Location, large_files, push};

/// A repository of a seed.
#[derive(Debug)]
pub(crate) struct SeededRepository {
    pub(crate) location: Location,
    pub(crate) name: String,
    /// The position of its entry in `seed.toml`, if it has one.
    pub(crate) entry: Option<usize>,
    /// The source; without one the repository is empty.
    pub(crate) source: Option<Source>,
    /// Commits that pull requests name, besides those of the references.
    pub(crate) tips: Vec<ObjectId>,
}

/// Defaults of a seed, and the file that faults name.
#[derive(Clone, Copy)]
pub(crate) struct EntryDefaults<'c> {
    pub(crate) file: &'c DocumentFile,
    pub(crate) date: Timestamp,
    pub(crate) author: Option<&'c str>,
    pub(crate) commit: &'c CommitOptions,
}

impl<'c> EntryDefaults<'c> {
    /// Returns who creates an entry, where and when; what the entry does not say is that of the defaults.
    pub(crate) fn circumstances(
        &self,
        location: &'c Location,
        author: Option<&'c str>,
        created: Option<Date>,
        subject: &'c str,
    ) -> Circumstances<'c> {
        let time = created.map_or(self.date, |Date(date)| date);
        Circumstances { location, author: author.or(self.author), time, subject }
    }
}

impl SeededRepository {
    /// Creates the repository with its objects and references.
    pub(crate) fn apply(&self, runner: &Runner<'_>, defaults: EntryDefaults<'_>) -> Result<(), Error> {
        let entry = self.entry.map(|position| &defaults.file.content.repositories[position]);
        let fault = |reason: String| self.fault(defaults.file, entry, &reason);
        let (author, created) = entry.map_or((None, None), |entry| (entry.author.as_deref(), entry.created));
        let circumstances = defaults.circumstances(&self.location, author, created, &self.name);
        let content = self.open(entry, defaults.commit, runner).map_err(fault)?;
        runner.codecommit(&circumstances, "CreateRepository", &self.create_input(entry)).map_err(fault)?;
        let call = runner.call(&circumstances, "GitPush").map_err(fault)?;
        let found = runner.services.codecommit.repository(&call, &self.name);
        let repository = found.map_err(|exception| fault(exception.to_string()))?;
        let Some(content) = content else {
            return match entry.and_then(|entry| entry.default_branch.as_ref()) {
                Some(branch) => Err(defaults.file.fault(branch.span(), EMPTY)),
                None => Ok(()),
            };
        };
        let branches: Vec<BString> = content.references.iter().map(|(name, _)| name.clone()).collect();
        let head = content.head.clone();
        if let Some(folder) = self.source.as_ref().and_then(Source::repository) {
            // Before the push, which may be checked for missing large files.
            large_files::import(runner.services.codecommit, &repository.id, &folder, runner.services.clock)
                .map_err(fault)?;
        }
        push::push(runner, &call, &repository, content, &self.tips).map_err(fault)?;
        let chosen = match entry.and_then(|entry| entry.default_branch.as_ref()) {
            Some(branch) => {
                let name: BString = format!("refs/heads/{}", branch.get_ref()).into();
                if !branches.contains(&name) {
                    let reason =
                        format!("'{}' is no branch of the repository; write one of its branches", branch.get_ref());
                    return Err(defaults.file.fault(branch.span(), reason));
                }
                Some(name)
            }
            None => head.filter(|head| branches.contains(head)),
        };
        let found = runner.services.codecommit.repository(&call, &self.name);
        let current = found.map_err(|exception| fault(exception.to_string()))?.default_branch;
        if let Some(chosen) = chosen.filter(|chosen| current.as_ref() != Some(chosen)) {
            let branch = chosen.to_string();
            let branch = branch.strip_prefix("refs/heads/").unwrap_or(&branch);
            let input = json!({ "repositoryName": self.name, "defaultBranchName": branch });
            runner.codecommit(&circumstances, "UpdateDefaultBranch", &input).map_err(fault)?;
        }
        Ok(())
    }

    fn open(
        &self,
        entry: Option<&RepositoryEntry>,
        commit: &CommitOptions,
        runner: &Runner<'_>,
    ) -> Result<Option<Content>, String> {
        let Some(source) = &self.source else { return Ok(None) };
        let branch = entry.and_then(|entry| entry.default_branch.as_ref()).map(|branch| branch.get_ref().clone());
        let date = entry.and_then(|entry| entry.created).map_or(commit.date, |Date(date)| date);
        let commit = CommitOptions { date, branch, ..commit.clone() };
        source.open(&self.tips, &commit, runner.services.scratch).map(Some)
    }

    fn create_input(&self, entry: Option<&RepositoryEntry>) -> Value {
        let mut input = json!({ "repositoryName": self.name });
        if let Some(entry) = entry {
            if let Some(description) = &entry.description {
                input["repositoryDescription"] = description.as_str().into();
            }
            if let Some(key) = &entry.encryption_key {
                input["kmsKeyId"] = key.as_str().into();
            }
            if !entry.tags.is_empty() {
                input["tags"] = json!(entry.tags);
            }
        }
        input
    }

    /// Sets the triggers; they must not fire for the seed, so they are the last part of it.
    pub(crate) fn set_triggers(&self, runner: &Runner<'_>, defaults: EntryDefaults<'_>) -> Result<(), Error> {
        let entry = self.entry.map(|position| &defaults.file.content.repositories[position]);
        let Some(entry) = entry.filter(|entry| !entry.triggers.is_empty()) else { return Ok(()) };
        let triggers: Vec<Value> = entry
            .triggers
            .iter()
            .map(|trigger| {
                json!({
                    "name": trigger.name,
                    "destinationArn": trigger.destination,
                    "events": trigger.events,
                    "branches": trigger.branches,
                    "customData": trigger.custom_data,
                })
            })
            .collect();
        let circumstances = defaults.circumstances(&self.location, entry.author.as_deref(), entry.created, &self.name);
        let input = json!({ "repositoryName": self.name, "triggers": triggers });
        let set = runner.codecommit(&circumstances, "PutRepositoryTriggers", &input);
        set.map(|_| ()).map_err(|reason| self.fault(defaults.file, Some(entry), &reason))
    }

    /// Creates a fault, which names the source or else the line of the entry.
    fn fault(&self, file: &DocumentFile, entry: Option<&RepositoryEntry>, reason: &str) -> Error {
        match (&self.source, entry) {
            (Some(source), _) => Error::path(source.path(), reason),
            (None, Some(entry)) => file.fault(entry.name.span(), format!("repository '{}': {reason}", self.name)),
            (None, None) => Error::path(&file.path, format!("repository '{}': {reason}", self.name)),
        }
    }
}

const EMPTY: &str = "the repository has no branches; add a folder or bundle of its name to 'repositories', or remove the default branch";

/// Runs a step for all repositories, on all processors unless the order of the records counts; returns the first fault.
pub(crate) fn for_all(
    repositories: &[SeededRepository],
    threads: usize,
    step: impl Fn(&SeededRepository) -> Result<(), Error> + Sync,
) -> Result<(), Error> {
    let next = std::sync::atomic::AtomicUsize::new(0);
    let faults = Arc::new(parking_lot::Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..threads.clamp(1, repositories.len().max(1)) {
            scope.spawn(|| {
                loop {
                    let position = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                    let Some(repository) = repositories.get(position) else { return };
                    if let Err(fault) = step(repository) {
                        faults.lock().push((position, fault));
                        next.store(repositories.len(), std::sync::atomic::Ordering::Relaxed);
                    }
                }
            });
        }
    });
    let mut faults = std::mem::take(&mut *faults.lock());
    faults.sort_by_key(|(position, _)| *position);
    faults.into_iter().next().map_or(Ok(()), |(_, fault)| Err(fault))
}
