//! Serves the bare repositories below a folder over HTTP: `serve ROOT PORT [aws|full]`.
//!
//! The repositories are at `/smart/<path below ROOT>`; port 0 selects a free port, and the address is printed. They are
//! served as by `git http-backend` with everything exported: the configuration of each repository defines who
//! may do what, the header `X-T-User` names the user, and references are files. With `aws` or `full`, the
//! configuration is ignored: every client may read and push, and is offered the features of AWS or of a current server.
//!
//! `serve stdio upload-pack|receive-pack PATH [aws|full]` serves one client over standard input and output, as
//! `git upload-pack` and `git receive-pack` do.
//!
//! Clients of the dumb protocol may read the files. Hooks are not run. This server is for tests of clients only.

mod advertisements;
mod body;
mod config;
mod configuration;
mod connection;
mod dumb;
mod hidden;
mod keys;
mod path;
mod references;
mod reply;
mod repositories;
mod service;
mod stamp;
mod stdio;

use std::{
    io::{self, Write},
    net::TcpListener,
    path::Path,
    process::ExitCode,
};

use git::{Offers, Options};
use repositories::{Policy, Repositories};

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    let (arguments, policy, offers) = match &arguments[..] {
        [rest @ .., "full"] => (rest, Policy::Fixed, Offers::FULL),
        [rest @ .., "aws"] => (rest, Policy::Fixed, Offers::AWS),
        all => (all, Policy::Configured, Offers::FULL),
    };
    let options = Options { offers, ..Options::default() };
    let repositories = |root| Repositories::new(Path::new(root), policy, &options);
    let outcome = match *arguments {
        ["stdio", service, path] => stdio::run(service, Path::new(path), &repositories(".")),
        [root, port] => serve(port, repositories(root)),
        _ => {
            eprintln!("usage: serve ROOT PORT [aws|full]\n       serve stdio SERVICE PATH [aws|full]");
            return ExitCode::FAILURE;
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // One write: `eprintln` writes in pieces, and over a pipe the client writes to the same standard error.
            let message = format!("serve: {error}\n");
            drop(io::stderr().write_all(message.as_bytes()));
            ExitCode::FAILURE
        }
    }
}

fn serve(port: &str, repositories: Repositories) -> io::Result<()> {
    let port: u16 = port.parse().map_err(|_| io::Error::other(format!("{port} is not a port number")))?;
    let listener = TcpListener::bind(("127.0.0.1", port))?;
    eprintln!("serve: hooks are not run, pushes are stored as packs");
    println!("http://{}/smart/", listener.local_addr()?);
    service::run(&listener, repositories)
}
