//! Serves the bare repositories below a folder over HTTP: `serve ROOT PORT [aws|full]`.
//!
//! The repositories are at `/smart/<path below ROOT>`; port 0 takes a free port, and the address is printed.
//! Everyone may read and push. References are files, read and written through gitoxide; hooks are not run and
//! the configuration of the repositories is not read. This is a bench for clients, and no server to keep.

mod connection;
mod references;
mod service;

use std::{net::TcpListener, path::PathBuf, process::ExitCode};

use git::{Offers, Options};

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let (Some(root), Some(port)) = (arguments.next(), arguments.next()) else {
        eprintln!("usage: serve ROOT PORT [aws|full]");
        return ExitCode::FAILURE;
    };
    let offers = match arguments.next().as_deref() {
        Some("full") => Offers::FULL,
        _ => Offers::AWS,
    };
    let served = port.parse().map_err(|_| format!("{port} is no port")).and_then(|port: u16| {
        let listener = TcpListener::bind(("127.0.0.1", port)).map_err(|error| error.to_string())?;
        println!("http://{}/smart/", listener.local_addr().map_err(|error| error.to_string())?);
        let options = Options { offers, ..Options::default() };
        service::run(&listener, &PathBuf::from(root), &options).map_err(|error| error.to_string())
    });
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("serve: {error}");
            ExitCode::FAILURE
        }
    }
}
