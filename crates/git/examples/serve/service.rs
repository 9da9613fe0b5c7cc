//! The path from a request to its reply.

use std::{
    io::{self, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::Arc,
    time::{Duration, SystemTime},
};

use bstr::ByteSlice;
use flate2::read::MultiGzDecoder;
use git::receive_pack::{self, Command};
use git::{ProtocolError, References, Repository, Service, Version, upload_pack};
use parking_lot::{Condvar, Mutex};

use super::{
    body::Body,
    connection::{Connection, Head, Malformed},
    dumb::DumbFile,
    hidden::Hidden,
    path::{Action, below, decoded, split},
    references::{self, Committer},
    reply::{Reply, UNCACHED},
    repositories::{Refusal, Repositories, Served},
};

/// The maximum number of clients served at the same time; others wait.
const CLIENTS_MAX: usize = 256;

/// Serves repositories until the listener fails, with a thread for each connection.
pub fn run(listener: &TcpListener, repositories: Repositories) -> io::Result<()> {
    let repositories = Arc::new(repositories);
    let limit = Arc::new(ClientLimit::default());
    loop {
        let (stream, peer) = match listener.accept() {
            Ok(accepted) => accepted,
            Err(error) if error.kind() == io::ErrorKind::InvalidInput => return Err(error),
            // The client has disconnected already, or too many files are open.
            Err(error) => {
                eprintln!("{error}");
                std::thread::sleep(Duration::from_millis(50));
                continue;
            }
        };
        let place = ClientLimit::enter(&limit);
        let repositories = Arc::clone(&repositories);
        std::thread::spawn(move || {
            if let Err(error) = serve_connection(stream, peer, &repositories, &place.0) {
                eprintln!("{peer}: {error}");
            }
        });
    }
}

/// The number of served clients.
#[derive(Default)]
struct ClientLimit {
    taken: Mutex<usize>,
    freed: Condvar,
}

/// The permit of a client; dropping it admits another one.
struct ClientPermit(Arc<ClientLimit>);

impl ClientLimit {
    fn enter(limit: &Arc<Self>) -> ClientPermit {
        let mut taken = limit.taken.lock();
        while *taken >= CLIENTS_MAX {
            limit.freed.wait(&mut taken);
        }
        *taken += 1;
        ClientPermit(Arc::clone(limit))
    }

    /// Returns whether many clients are served: idle connections are closed then.
    fn is_crowded(&self) -> bool {
        *self.taken.lock() > CLIENTS_MAX / 2
    }
}

impl Drop for ClientPermit {
    fn drop(&mut self) {
        *self.0.taken.lock() -= 1;
        self.0.freed.notify_one();
    }
}

fn serve_connection(
    stream: TcpStream,
    peer: SocketAddr,
    repositories: &Repositories,
    limit: &ClientLimit,
) -> io::Result<()> {
    let mut connection = Connection::new(stream)?;
    while let Some(head) = connection.next()? {
        let head = match head {
            Ok(head) => head,
            Err(Malformed(status)) => {
                connection.refuse()?.status(status, "")?;
                connection.end();
                return Ok(());
            }
        };
        let (mut body, mut reply) = connection.exchange(&head, !limit.is_crowded())?;
        let sent = respond(repositories, &head, peer, &mut body, &mut reply);
        let drained = body.drain();
        if let Err(error) = sent {
            eprintln!("{peer}: {} {}: {error}", head.method, head.path);
            if !reply.has_begun() {
                reply.close();
                reply.status("500 Internal Server Error", "")?;
            }
            // A part of a reply must not look complete.
            reply.close();
        }
        if !reply.keeps() || !drained {
            connection.end();
            return Ok(());
        }
    }
    Ok(())
}

fn respond(
    repositories: &Repositories,
    head: &Head,
    peer: SocketAddr,
    body: &mut Body<'_>,
    reply: &mut Reply,
) -> io::Result<()> {
    let Some(path) = below(&head.path) else { return reply.status("404 Not Found", "") };
    let Some((path, action)) = split(path.as_bstr()) else {
        eprintln!("Request not supported: '{path}'");
        return reply.status("404 Not Found", "");
    };
    let allowed = if matches!(action, Action::Run(_)) { "POST" } else { "GET, HEAD" };
    if !allowed.split(", ").any(|method| method == head.method) {
        return reply.send("405 Method Not Allowed", &format!("Allow: {allowed}\r\n{UNCACHED}"), b"");
    }
    let served = match repositories.find(&path) {
        Ok(served) => served,
        Err(Refusal::NotFound) => {
            eprintln!("Not a git repository: '{}'", path.display());
            return reply.status("404 Not Found", "");
        }
        Err(Refusal::Fatal(sentence)) => {
            eprintln!("fatal: {sentence}");
            return reply.status("500 Internal Server Error", "");
        }
    };
    let user = head.header("x-t-user");
    let named = head.query.split('&').find_map(|part| part.strip_prefix("service="));
    let service = match &action {
        Action::References => named.map(decoded).ok_or(&DumbFile::References),
        Action::Run(service) => Ok(service.name().to_owned()),
        Action::Read(file) => Err(file),
    };
    let service = match service {
        Ok(name) => Service::from_name(&name).ok_or(name),
        Err(file) if served.settings.files => return file.send(&served, reply),
        Err(_) => Err("getanyfile".to_owned()),
    };
    let service = match service {
        Ok(service) => service,
        Err(name) => {
            eprintln!("Unsupported service: {name}");
            return reply.status("403 Forbidden", "");
        }
    };
    let enabled = match service {
        Service::UploadPack => served.settings.fetches,
        Service::ReceivePack => served.settings.lets_push(user),
    };
    if !enabled {
        eprintln!("Service not enabled: '{}'", &service.name()[4..]);
        return reply.status("403 Forbidden", "");
    }
    let version = Version::of(head.header("git-protocol"), &served.settings.options.offers);
    if action == Action::References {
        return advertisement(service, version, &served, reply);
    }
    let expected = format!("application/x-{}-request", service.name());
    let kind = head.header("content-type").unwrap_or_default();
    if kind != expected {
        let reason = format!("Expected POST with Content-Type '{expected}', but received '{kind}' instead.\n");
        return reply.send("415 Unsupported Media Type", UNCACHED, reason.as_bytes());
    }
    let zipped = matches!(head.header("content-encoding"), Some("gzip" | "x-gzip"));
    let mut plain: Box<dyn Read + '_> = if zipped { Box::new(MultiGzDecoder::new(body)) } else { Box::new(body) };
    match service {
        Service::UploadPack => fetch(&served, version, &mut *plain, reply),
        Service::ReceivePack => push(&served, &mut *plain, reply, user, peer),
    }
}

fn advertisement(service: Service, version: Version, served: &Served, reply: &mut Reply) -> io::Result<()> {
    let (_, content) = advertise(service, version, served)?;
    let kind = format!("{UNCACHED}Content-Type: application/x-{}-advertisement\r\n", service.name());
    reply.send("200 OK", &kind, &content)
}

/// Returns the references that clients of a service see, and their advertisement.
pub fn advertise(service: Service, version: Version, served: &Served) -> io::Result<(Arc<References>, Arc<Vec<u8>>)> {
    let references = served.references(hidden(service, served))?;
    let content = served.advertisements().get(service, version, &references, &served.settings.options);
    Ok((references, content))
}

fn hidden(service: Service, served: &Served) -> &Hidden {
    match service {
        Service::UploadPack => &served.settings.hidden_from_fetches,
        Service::ReceivePack => &served.settings.hidden_from_pushes,
    }
}

fn fetch(served: &Served, version: Version, body: &mut dyn Read, reply: &mut Reply) -> io::Result<()> {
    let options = &served.settings.options;
    let references = served.references(&served.settings.hidden_from_fetches)?;
    let response = upload_pack::Request::read(body, version, options).and_then(|request| match request {
        Some(request) => upload_pack::respond(&served.repository, &references, request, options).map(Some),
        None => Ok(None),
    });
    let kind = format!("{UNCACHED}Content-Type: application/x-git-upload-pack-result\r\n");
    let mut output = reply.stream(&kind);
    match response {
        Ok(Some(response)) => response.write(&mut output)?,
        Ok(None) => {}
        Err(error) => refuse(&mut output, &error)?,
    }
    output.finish()
}

fn push(
    served: &Served,
    body: &mut dyn Read,
    reply: &mut Reply,
    user: Option<&str>,
    peer: SocketAddr,
) -> io::Result<()> {
    let name = user.filter(|user| !user.is_empty()).unwrap_or("anonymous");
    let email = format!("{name}@http.{}", peer.ip());
    let committer = Committer { name, email: &email };
    let mut update_hook = |received: &receive_pack::Received<'_>| update(served, &committer, received);
    let kind = format!("{UNCACHED}Content-Type: application/x-git-receive-pack-result\r\n");
    let mut output = reply.stream(&kind);
    if let Err(error) =
        receive_pack::serve(&served.repository, body, &mut output, &served.settings.options, &mut update_hook)
    {
        refuse(&mut output, &error)?;
    }
    output.finish()
}

/// Updates the references of a push.
pub fn update(
    served: &Served,
    committer: &Committer<'_>,
    received: &receive_pack::Received<'_>,
) -> Vec<Result<(), String>> {
    let mut print = |line: String| received.messages.borrow_mut().push(line);
    let store = served.store();
    let results = references::update(store, &served.repository, &served.settings, committer, received, &mut print);
    let moved = received.commands.iter().zip(received.statuses.iter().zip(&results));
    let moved = moved.filter(|(_, (status, result))| status.is_ok() && result.is_ok());
    if moved.into_iter().any(|(command, _)| loses_objects(&served.repository, command)) {
        // Without the note, unreachable objects only stay longer.
        drop(served.repository.mark_unreachable(SystemTime::now()));
    }
    results
}

/// Returns whether an update makes objects unreachable.
fn loses_objects(repository: &Repository, command: &Command) -> bool {
    let leads_on = || repository.is_ancestor(&command.old, &command.new).unwrap_or(false);
    !command.old.is_null() && (command.is_deletion() || !leads_on())
}

fn refuse(output: &mut dyn Write, error: &ProtocolError) -> io::Result<()> {
    if error.is_internal() {
        eprintln!("{error}: {:?}", std::error::Error::source(error).map(ToString::to_string));
    }
    output.write_all(&error.packet())
}
