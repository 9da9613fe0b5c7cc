//! From a request to an answer.

use std::{
    io::{self, BufWriter, Read, Write},
    net::{TcpListener, TcpStream},
    path::Path,
};

use git::{Options, ProtocolError, Repository, Service, Version, advertise, receive_pack, upload_pack};

use crate::{connection::Request, references};

/// Serves the repositories below `root` until the listener fails, each connection on a thread of its own.
pub fn run(listener: &TcpListener, root: &Path, options: &Options) -> io::Result<()> {
    loop {
        let (stream, _) = listener.accept()?;
        let (root, options) = (root.to_owned(), options.clone());
        std::thread::spawn(move || {
            if let Err(error) = connection(stream, &root, &options) {
                eprintln!("{error}");
            }
        });
    }
}

fn connection(stream: TcpStream, root: &Path, options: &Options) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let Some(mut request) = Request::read(stream)? else { return Ok(()) };
    let mut output = request.output()?;
    respond(&mut request, &mut output, root, options)?;
    output.flush()
}

fn respond(request: &mut Request, output: &mut BufWriter<TcpStream>, root: &Path, options: &Options) -> io::Result<()> {
    let Some((path, action)) = request.path.strip_prefix("/smart/").and_then(split) else {
        return head(output, "404 Not Found", "text/plain");
    };
    if path.split('/').any(|part| part == ".." || part.is_empty()) {
        return head(output, "404 Not Found", "text/plain");
    }
    let path = root.join(path);
    let repository = match Repository::open(&path) {
        Ok(repository) => repository,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return head(output, "404 Not Found", "text/plain"),
        Err(error) => return Err(error),
    };
    let read = || references::read(&path, &repository).map_err(io::Error::other);
    let asked = request.query.split('&').find_map(|part| part.strip_prefix("service="));
    let version = Version::of(Some(request.header("git-protocol")), &options.offers);
    match (request.method.as_str(), action.as_str()) {
        ("GET", "info/refs") => {
            let Some(service) = asked.and_then(Service::from_name) else {
                return head(output, "403 Forbidden", "text/plain");
            };
            head(output, "200 OK", &format!("application/x-{}-advertisement", service.name()))?;
            output.write_all(&advertise(service, version, &read()?, options))
        }
        ("POST", "git-upload-pack") => {
            let mut body = request.body()?;
            head(output, "200 OK", "application/x-git-upload-pack-result")?;
            let answer = upload_pack::Request::read(&mut *body, version, options).and_then(|asked| match asked {
                Some(asked) => upload_pack::answer(&repository, &read()?, asked, options).map(Some),
                None => Ok(None),
            });
            drain(&mut *body);
            match answer {
                Ok(Some(answer)) => answer.write(output),
                Ok(None) => Ok(()),
                Err(error) => refuse(output, &error),
            }
        }
        ("POST", "git-receive-pack") => {
            let mut body = request.body()?;
            head(output, "200 OK", "application/x-git-receive-pack-result")?;
            let mut door = |received: &receive_pack::Received<'_>| references::update(&path, received);
            match receive_pack::serve(&repository, &mut *body, output, options, &mut door) {
                Ok(()) => Ok(()),
                Err(error) => refuse(output, &error),
            }
        }
        _ => head(output, "404 Not Found", "text/plain"),
    }
}

/// Splits a path into that of the repository and what is asked of it.
fn split(path: &str) -> Option<(String, String)> {
    ["info/refs", "git-upload-pack", "git-receive-pack"].into_iter().find_map(|action| {
        let path = path.strip_suffix(action)?.strip_suffix('/')?;
        Some((path.to_owned(), action.to_owned()))
    })
}

fn head(output: &mut dyn Write, status: &str, content_type: &str) -> io::Result<()> {
    write!(
        output,
        "HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\n\
         Cache-Control: no-cache, max-age=0, must-revalidate\r\nConnection: close\r\n\r\n"
    )
}

fn refuse(output: &mut dyn Write, error: &ProtocolError) -> io::Result<()> {
    if error.is_internal() {
        eprintln!("{error}: {:?}", std::error::Error::source(error).map(ToString::to_string));
    }
    output.write_all(&error.packet())
}

/// Reads what is left of a body: a connection that is closed before takes the answer with it.
fn drain(body: &mut dyn Read) {
    drop(io::copy(body, &mut io::sink()));
}
