//! Serves one client over standard input and output, as `git upload-pack` and `git receive-pack` do.

use std::{io, path::Path};

use git::{CopyOutput, ProtocolError, Service, Version, receive_pack, upload_pack::Dialogue};

use super::{
    references::Committer,
    repositories::{Refusal, Repositories},
    service::{advertise, update},
};

/// Serves the repository at `path`; the environment variable `GIT_PROTOCOL` has the versions that the client supports.
pub fn run(service: &str, path: &Path, repositories: &Repositories) -> io::Result<()> {
    let full_name = format!("git-{}", service.trim_start_matches("git-"));
    let service =
        Service::from_name(&full_name).ok_or_else(|| io::Error::other(format!("unknown service {service}")))?;
    let served = match repositories.find(path) {
        Ok(served) => served,
        Err(Refusal::NotFound) => {
            return Err(io::Error::other(format!("'{}' does not appear to be a git repository", path.display())));
        }
        Err(Refusal::Fatal(reason)) => return Err(io::Error::other(reason)),
    };
    let options = &served.settings.options;
    let version = Version::of(std::env::var("GIT_PROTOCOL").ok().as_deref(), &options.offers);
    let (references, advertisement) = advertise(service, version, &served)?;
    let (mut input, mut output) = (io::stdin().lock(), io::stdout().lock());
    let mut output = CopyOutput(&mut output);
    let outcome = match service {
        Service::UploadPack => {
            let dialogue = Dialogue { repository: &served.repository, references: &references, version, options };
            dialogue.serve(&advertisement, &mut input, &mut output, &mut |_| Ok(()))
        }
        Service::ReceivePack => {
            let committer = Committer { name: "anonymous", email: "anonymous@stdio" };
            let mut hook = |received: &receive_pack::Received<'_>| update(&served, &committer, received);
            let objects = &served.repository;
            receive_pack::serve_stream(objects, &advertisement, &mut input, &mut output, options, &mut hook)
        }
    };
    outcome.map_err(|error: ProtocolError| io::Error::other(error.to_string()))
}
