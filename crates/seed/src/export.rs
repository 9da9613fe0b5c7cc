//! Writes a seed from a data folder: bare repositories, `seed.toml`, and the events if they are wanted.
//!
//! **Invariant:** nothing in the data folder is changed. The database is read from a copy, which is consistent even if a server runs.

mod entries;
mod repository;

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::Path;

use codecommit::export::{self as rows, ExportedRepository};
use store::{Durability, Store};

use crate::document::{Document, FILE};
use crate::{Error, IDENTITIES, Location};

/// The database in a data folder.
const DATABASE: &str = "codecommit.db";

/// The file that a running server has locked.
const LOCK: &str = "lock";

/// The file of events in a seed.
const EVENTS: &str = "events.ndjson";

/// What an export wrote.
#[derive(Clone, Copy, Debug)]
pub struct Exported {
    /// The number of repositories.
    pub repositories: usize,
    /// The number of pull requests.
    pub pull_requests: usize,
    /// The number of trails, without the default ones.
    pub trails: usize,
    /// The number of events.
    pub events: usize,
}

/// Writes a seed into a new or empty folder, from a data folder that a server may be using.
///
/// Entries of the location `default` name no account and region.
pub fn export(data: &Path, folder: &Path, default: &Location, with_events: bool) -> Result<Exported, Error> {
    let database = data.join(DATABASE);
    if !database.is_file() {
        let reason = "there is no data folder of codecommit-local; name it with --data-dir; an export cannot read a database on a server";
        return Err(Error::path(data, reason));
    }
    fs::create_dir_all(folder).map_err(|error| Error::path(folder, error))?;
    if fs::read_dir(folder).map_err(|error| Error::path(folder, error))?.next().is_some() {
        return Err(Error::path(folder, "the folder is not empty; name a new one"));
    }
    let scratch = tempfile::tempdir().map_err(|error| Error::path(folder, error))?;
    let copy = scratch.path().join(DATABASE);
    copy_database(data, &database, &copy)?;
    let store = Store::open(&copy, Durability::Normal)?;
    write_all(&store, data, folder, default, with_events)
}

fn write_all(
    store: &Store,
    data: &Path,
    folder: &Path,
    default: &Location,
    with_events: bool,
) -> Result<Exported, Error> {
    let (repositories, pull_requests, templates, trails) = store.read(|transaction| {
        Ok::<_, store::Error>((
            rows::repositories(transaction)?,
            rows::pull_requests(transaction)?,
            rows::templates(transaction)?,
            trail::export::trails(transaction)?,
        ))
    })?;
    let mut tips: HashMap<&str, Vec<git::ObjectId>> = HashMap::new();
    for pull_request in &pull_requests {
        let commits = tips.entry(&pull_request.repository_id).or_default();
        commits.extend([pull_request.source_commit, pull_request.destination_commit]);
        let compared = pull_request.comments.iter().flat_map(|comment| [comment.before_commit, comment.after_commit]);
        commits.extend(compared);
    }
    for repository in &repositories {
        let commits = tips.get(repository.id.as_str()).map_or(&[][..], Vec::as_slice);
        repository::write(data, &folder_of(folder, repository, default), repository, commits)?;
    }
    let document = Document {
        repositories: repositories.iter().map(|repository| entries::repository(repository, default)).collect(),
        pull_requests: pull_requests.iter().map(|request| entries::pull_request(request, default)).collect(),
        templates: templates.into_iter().map(|template| entries::template(template, default)).collect(),
        trails: trails.into_iter().map(|trail| entries::trail(trail, default)).collect(),
        ..Document::default()
    };
    let file = folder.join(FILE);
    let failed = |error: &dyn std::fmt::Display| Error::path(&file, error);
    let text = toml::to_string_pretty(&document).map_err(|error| failed(&error))?;
    fs::write(&file, format!("{HEAD}\n{text}")).map_err(|error| failed(&error))?;
    if let Some(identities) = store.read(identity::export::identities)? {
        let file = folder.join(IDENTITIES);
        fs::write(&file, format!("{IDENTITIES_HEAD}\n{identities}")).map_err(|error| Error::path(&file, error))?;
    }
    let events = if with_events { write_events(store, &folder.join(EVENTS))? } else { 0 };
    Ok(Exported {
        repositories: document.repositories.len(),
        pull_requests: document.pull_requests.len(),
        trails: document.trails.len(),
        events,
    })
}

/// The comment at the head of `seed.toml`.
const HEAD: &str = "\
# A seed of codecommit-local: start a server with --seed and the folder of this file.
#
# The objects and references of the repositories are in the folder `repositories`, those of other accounts and regions in
# ACCOUNT/REGION/repositories. Entries without an account and a region are those of the server's settings.
#
# Not exported: secrets, comments on compared commits, reactions, uploaded archives, and earlier revisions of pull requests. Pull
# requests are numbered in the order of this file.
";

/// The comment at the head of `identities.toml`.
const IDENTITIES_HEAD: &str = "\
# Users, groups, roles and policies, of the identities file and of the IAM API.
#
# Not exported: secrets of access keys and passwords of Git, and what only an identities file has: roots, services, people, identity
# providers, Git user names, and which user is the default one. With --access signed, add secrets, or copy the original file.
";

/// Copies the database, in the way that suits whether a server uses it.
fn copy_database(data: &Path, database: &Path, copy: &Path) -> Result<(), Error> {
    let lock = File::open(data.join(LOCK)).ok();
    // The lock is held until the files are copied, so that no server starts meanwhile.
    let is_unused = lock.as_ref().is_none_or(|lock| lock.try_lock_shared().is_ok());
    if is_unused {
        store::copy_unused(database, copy).map_err(|error| Error::path(database, error))
    } else {
        Ok(store::copy_in_use(database, copy)?)
    }
}

/// Returns the folder of a repository in the seed.
fn folder_of(folder: &Path, repository: &ExportedRepository, default: &Location) -> std::path::PathBuf {
    let ExportedRepository { account, region, name, .. } = repository;
    let is_default = *account == default.account.as_str() && *region == default.region.as_str();
    let parent = if is_default { folder.to_owned() } else { folder.join(account).join(region) };
    parent.join(crate::folder::REPOSITORIES).join(format!("{name}.git"))
}

fn write_events(store: &Store, file: &Path) -> Result<usize, Error> {
    let mut output = BufWriter::new(File::create_new(file).map_err(|error| Error::path(file, error))?);
    let mut count = 0;
    store.read(|transaction| {
        trail::export::records(transaction, |record| {
            count += 1;
            writeln!(output, "{record}").map_err(|error| Error::path(file, error))
        })
    })?;
    output.flush().map_err(|error| Error::path(file, error))?;
    Ok(count)
}
