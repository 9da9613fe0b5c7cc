//! Serves the bare repositories below a folder over HTTP: `serve ROOT PORT [aws|full]`.
//!
//! The repositories are at `/smart/<path below ROOT>`; port 0 takes a free port, and the address is printed. They are
//! served as `git http-backend` serves them if everything is exported: the configuration of each repository says who
//! may do what, the header `X-T-User` names the user, and references are files. With `aws` or `full` the
//! configuration does not count: everyone may read and push, and is offered what AWS or a current server offers.
//!
//! Clients that speak no protocol may read the files. Hooks are not run. This is a bench for clients, and no server to
//! keep.

mod advertisements;
mod answer;
mod body;
mod config;
mod configuration;
mod connection;
mod dumb;
mod hidden;
mod keys;
mod path;
mod references;
mod repositories;
mod service;
mod stamp;

use std::{io, net::TcpListener, path::Path, process::ExitCode};

use git::{Offers, Options};
use repositories::{Policy, Repositories};

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    let (root, port, policy, offers) = match arguments[..] {
        [root, port] => (root, port, Policy::Configured, Offers::FULL),
        [root, port, "full"] => (root, port, Policy::Fixed, Offers::FULL),
        [root, port, "aws"] => (root, port, Policy::Fixed, Offers::AWS),
        _ => {
            eprintln!("usage: serve ROOT PORT [aws|full]");
            return ExitCode::FAILURE;
        }
    };
    let options = Options { offers, ..Options::default() };
    match serve(port, Repositories::new(Path::new(root), policy, &options)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("serve: {error}");
            ExitCode::FAILURE
        }
    }
}

fn serve(port: &str, repositories: Repositories) -> io::Result<()> {
    let port: u16 = port.parse().map_err(|_| io::Error::other(format!("{port} is no port")))?;
    let listener = TcpListener::bind(("127.0.0.1", port))?;
    eprintln!("serve: hooks are not run, pushes are kept as packs");
    println!("http://{}/smart/", listener.local_addr()?);
    service::run(&listener, repositories)
}
