//! The clients' commands, by gix; tests/suite/clients.rs says what they are. gix does not push.

mod http;

use std::fs::OpenOptions;
use std::io::Write;
use std::num::NonZeroU32;
use std::path::Path;
use std::sync::atomic::AtomicBool;

use gix::progress::Discard;
use gix::remote::fetch::Shallow;
use gix::remote::{Direction, ref_map};
use gix_transport::client::blocking_io::http::Transport;

type Result = std::result::Result<(), Box<dyn std::error::Error>>;

fn main() -> Result {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["clone", url, folder] => clone(url, folder, Shallow::NoChange),
        ["clone", url, folder, depth] => clone(url, folder, Shallow::DepthAtRemote(depth.parse::<NonZeroU32>()?)),
        ["fetch", folder] => fetch(folder, Shallow::NoChange),
        _ => Err("there is no such command".into()),
    }
}

fn clone(url: &str, folder: &str, shallow: Shallow) -> Result {
    gix::init(folder)?;
    let mut config = OpenOptions::new().append(true).open(Path::new(folder).join(".git/config"))?;
    let branches = "+refs/heads/*:refs/remotes/origin/*";
    // Its own default, the tags of what is fetched, needs include-tag, which CodeCommit does not offer.
    write!(config, "[remote \"origin\"]\n\turl = {url}\n\tfetch = {branches}\n\ttagOpt = --tags\n")?;
    fetch(folder, shallow)
}

fn fetch(folder: &str, shallow: Shallow) -> Result {
    let mut repository = gix::open(folder)?;
    repository.committer_or_set_generic_fallback()?;
    let remote = repository.find_remote("origin")?;
    let (url, version) = remote.sanitized_url_and_version(Direction::Fetch)?;
    let transport = Transport::new_http(http::Client::default(), url, version, false);
    let connection = remote.to_connection_with_transport(transport);
    let fetch = connection.prepare_fetch(Discard, ref_map::Options::default())?.with_shallow(shallow);
    fetch.receive(Discard, &AtomicBool::default())?;
    Ok(())
}
