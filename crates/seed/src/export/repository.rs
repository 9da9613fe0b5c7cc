//! Writes a bare repository of an export: one pack, `packed-refs`, `HEAD` and `config`.

use std::fmt::Write as _;
use std::fs;
use std::io::{self, Cursor, Read, Seek, Write};
use std::path::Path;

use codecommit::export::ExportedRepository;
use git::{ObjectId, receive_pack};

use crate::push::request;
use crate::{Error, large_files};

/// The folder of the repositories' objects in a data folder.
const REPOSITORIES: &str = "repositories";

/// The configuration of a bare repository, as of `git init --bare`.
const CONFIG: &str = "[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = true\n";

/// Attempts to open a pack that maintenance of a running server may remove.
const ATTEMPTS: usize = 3;

/// Writes a repository with its references, and with the objects of the commits `tips`; nothing if it has no references.
pub(super) fn write(data: &Path, path: &Path, repository: &ExportedRepository, tips: &[ObjectId]) -> Result<(), Error> {
    if repository.references.is_empty() {
        return Ok(());
    }
    let objects = data.join(REPOSITORIES).join(&repository.id);
    let mut targets: Vec<_> = repository.references.iter().map(|(_, id)| *id).chain(tips.iter().copied()).collect();
    targets.sort_unstable();
    targets.dedup();
    let failed =
        |error: &dyn std::fmt::Display| Error::path(path, format!("repository '{}': {error}", repository.name));
    let pack = pack(&objects, &targets).map_err(|error| failed(&error))?;
    receive(path, &targets, pack).map_err(|error| failed(&error))?;
    let mut packed = "# pack-refs with: sorted \n".to_owned();
    for (name, id) in &repository.references {
        writeln!(packed, "{id} {name}").map_err(|error| failed(&error))?;
    }
    let head = repository.default_branch.as_ref().map_or_else(|| "refs/heads/main".to_owned(), ToString::to_string);
    for (name, content) in [("packed-refs", packed), ("HEAD", format!("ref: {head}\n")), ("config", CONFIG.to_owned())]
    {
        fs::write(path.join(name), content).map_err(|error| failed(&error))?;
    }
    large_files::export(&objects, path, &repository.large_files).map_err(|error| failed(&error))
}

/// Opens a pack with the objects that the targets lead to.
fn pack(objects: &Path, targets: &[ObjectId]) -> Result<Box<dyn Read>, git::Error> {
    let mut attempt = 1;
    loop {
        let repository = git::Repository::open(objects)?;
        let found = match repository.only_pack() {
            Ok(Some(pack)) => return Ok(Box::new(pack)),
            Ok(None) => combined(&repository, targets),
            Err(error) => Err(error.into()),
        };
        match found {
            Err(_) if attempt < ATTEMPTS => attempt += 1,
            found => return Ok(Box::new(found?)),
        }
    }
}

fn combined(repository: &git::Repository, targets: &[ObjectId]) -> Result<fs::File, git::Error> {
    let mut pack = tempfile::tempfile()?;
    let mut output = io::BufWriter::new(&mut pack);
    repository.write_pack(targets, &mut output)?;
    output.flush()?;
    drop(output);
    pack.rewind()?;
    Ok(pack)
}

/// Creates the repository and receives the pack, with the checks of a push.
fn receive(path: &Path, targets: &[ObjectId], pack: Box<dyn Read>) -> Result<(), String> {
    let repository = git::Repository::open_or_create(path).map_err(|error| error.to_string())?;
    let commands: Vec<_> =
        targets.iter().enumerate().map(|(number, id)| (format!("refs/export/{number}").into(), *id)).collect();
    let mut options = git::Options { fsck: git::Fsck::off(), ..git::Options::default() };
    options.offers.modern = true;
    options.limits.refs_per_push = usize::MAX - 1;
    options.limits.request_bytes = u64::MAX;
    let mut outcome = Err("its objects were not received".to_owned());
    let mut update = |received: &receive_pack::Received<'_>| {
        let rejected = received.statuses.iter().find_map(|status| status.as_ref().err());
        outcome = match (received.unpack, rejected) {
            (Err(reason), _) => Err(reason.to_owned()),
            (Ok(()), Some(reason)) => Err(reason.clone()),
            (Ok(()), None) => Ok(()),
        };
        received.commands.iter().map(|_| Ok(())).collect()
    };
    let mut input = Cursor::new(request(&commands)).chain(pack);
    let served = receive_pack::serve(&repository, &mut input, &mut io::sink(), &options, &mut update);
    served.map_err(|error| error.to_string())?;
    outcome
}
