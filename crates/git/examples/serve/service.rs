//! From a request to an answer.

use std::{
    io::{self, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::Arc,
    time::{Duration, SystemTime},
};

use bstr::ByteSlice;
use flate2::read::MultiGzDecoder;
use git::receive_pack::{self, Command};
use git::{ProtocolError, Repository, Service, Version, upload_pack};
use parking_lot::{Condvar, Mutex};

use super::{
    answer::{Answer, UNCACHED},
    body::Body,
    connection::{Connection, Head, Malformed},
    dumb::Asked,
    hidden::Hidden,
    path::{Action, below, decoded, split},
    references::{self, Committer},
    repositories::{Refusal, Repositories, Served},
};

/// How many clients are served at once; others wait.
const CLIENTS_MAX: usize = 256;

/// Serves repositories until the listener fails, each connection on a thread of its own.
pub fn run(listener: &TcpListener, repositories: Repositories) -> io::Result<()> {
    let repositories = Arc::new(repositories);
    let room = Arc::new(Room::default());
    loop {
        let (stream, peer) = match listener.accept() {
            Ok(accepted) => accepted,
            Err(error) if error.kind() == io::ErrorKind::InvalidInput => return Err(error),
            // The client has left already, or there are too many files open for the moment.
            Err(error) => {
                eprintln!("{error}");
                std::thread::sleep(Duration::from_millis(50));
                continue;
            }
        };
        let place = Room::enter(&room);
        let repositories = Arc::clone(&repositories);
        std::thread::spawn(move || {
            if let Err(error) = converse(stream, peer, &repositories, &place.0) {
                eprintln!("{peer}: {error}");
            }
        });
    }
}

/// The number of clients that are served.
#[derive(Default)]
struct Room {
    taken: Mutex<usize>,
    freed: Condvar,
}

/// A client's place; dropped, another may have it.
struct Place(Arc<Room>);

impl Room {
    fn enter(room: &Arc<Self>) -> Place {
        let mut taken = room.taken.lock();
        while *taken >= CLIENTS_MAX {
            room.freed.wait(&mut taken);
        }
        *taken += 1;
        Place(Arc::clone(room))
    }

    /// Tells whether many are served: they may not rest then.
    fn is_crowded(&self) -> bool {
        *self.taken.lock() > CLIENTS_MAX / 2
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        *self.0.taken.lock() -= 1;
        self.0.freed.notify_one();
    }
}

fn converse(stream: TcpStream, peer: SocketAddr, repositories: &Repositories, room: &Room) -> io::Result<()> {
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
        let (mut body, mut answer) = connection.exchange(&head, !room.is_crowded())?;
        let sent = respond(repositories, &head, peer, &mut body, &mut answer);
        let drained = body.drain();
        if let Err(error) = sent {
            eprintln!("{peer}: {} {}: {error}", head.method, head.path);
            if !answer.has_begun() {
                answer.close();
                answer.status("500 Internal Server Error", "")?;
            }
            // Half an answer must not look like a whole one.
            answer.close();
        }
        if !answer.keeps() || !drained {
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
    answer: &mut Answer,
) -> io::Result<()> {
    let Some(path) = below(&head.path) else { return answer.status("404 Not Found", "") };
    let Some((path, action)) = split(path.as_bstr()) else {
        eprintln!("Request not supported: '{path}'");
        return answer.status("404 Not Found", "");
    };
    let allowed = if matches!(action, Action::Run(_)) { "POST" } else { "GET, HEAD" };
    if !allowed.split(", ").any(|method| method == head.method) {
        return answer.send("405 Method Not Allowed", &format!("Allow: {allowed}\r\n{UNCACHED}"), b"");
    }
    let served = match repositories.find(&path) {
        Ok(served) => served,
        Err(Refusal::NotFound) => {
            eprintln!("Not a git repository: '{}'", path.display());
            return answer.status("404 Not Found", "");
        }
        Err(Refusal::Fatal(sentence)) => {
            eprintln!("fatal: {sentence}");
            return answer.status("500 Internal Server Error", "");
        }
    };
    let user = head.header("x-t-user");
    let named = head.query.split('&').find_map(|part| part.strip_prefix("service="));
    let service = match &action {
        Action::References => named.map(decoded).ok_or(&Asked::References),
        Action::Run(service) => Ok(service.name().to_owned()),
        Action::Read(asked) => Err(asked),
    };
    let service = match service {
        Ok(name) => Service::from_name(&name).ok_or(name),
        Err(asked) if served.settings.files => return asked.send(&served, answer),
        Err(_) => Err("getanyfile".to_owned()),
    };
    let service = match service {
        Ok(service) => service,
        Err(name) => {
            eprintln!("Unsupported service: {name}");
            return answer.status("403 Forbidden", "");
        }
    };
    let enabled = match service {
        Service::UploadPack => served.settings.fetches,
        Service::ReceivePack => served.settings.lets_push(user),
    };
    if !enabled {
        eprintln!("Service not enabled: '{}'", &service.name()[4..]);
        return answer.status("403 Forbidden", "");
    }
    let version = Version::of(head.header("git-protocol"), &served.settings.options.offers);
    if action == Action::References {
        return advertisement(service, version, &served, answer);
    }
    let expected = format!("application/x-{}-request", service.name());
    let kind = head.header("content-type").unwrap_or_default();
    if kind != expected {
        let reason = format!("Expected POST with Content-Type '{expected}', but received '{kind}' instead.\n");
        return answer.send("415 Unsupported Media Type", UNCACHED, reason.as_bytes());
    }
    let zipped = matches!(head.header("content-encoding"), Some("gzip" | "x-gzip"));
    let mut plain: Box<dyn Read + '_> = if zipped { Box::new(MultiGzDecoder::new(body)) } else { Box::new(body) };
    match service {
        Service::UploadPack => fetch(&served, version, &mut *plain, answer),
        Service::ReceivePack => push(&served, &mut *plain, answer, user, peer),
    }
}

fn advertisement(service: Service, version: Version, served: &Served, answer: &mut Answer) -> io::Result<()> {
    let hidden = hidden(service, served);
    let references = served.references(hidden)?;
    let content = served.advertisements().get(service, version, &references, &served.settings.options);
    let kind = format!("{UNCACHED}Content-Type: application/x-{}-advertisement\r\n", service.name());
    answer.send("200 OK", &kind, &content)
}

fn hidden(service: Service, served: &Served) -> &Hidden {
    match service {
        Service::UploadPack => &served.settings.hidden_from_fetches,
        Service::ReceivePack => &served.settings.hidden_from_pushes,
    }
}

fn fetch(served: &Served, version: Version, body: &mut dyn Read, answer: &mut Answer) -> io::Result<()> {
    let options = &served.settings.options;
    let references = served.references(&served.settings.hidden_from_fetches)?;
    let answered = upload_pack::Request::read(body, version, options).and_then(|asked| match asked {
        Some(asked) => upload_pack::answer(&served.repository, &references, asked, options).map(Some),
        None => Ok(None),
    });
    let kind = format!("{UNCACHED}Content-Type: application/x-git-upload-pack-result\r\n");
    let mut output = answer.stream(&kind);
    match answered {
        Ok(Some(answered)) => answered.write(&mut output)?,
        Ok(None) => {}
        Err(error) => refuse(&mut output, &error)?,
    }
    output.finish()
}

fn push(
    served: &Served,
    body: &mut dyn Read,
    answer: &mut Answer,
    user: Option<&str>,
    peer: SocketAddr,
) -> io::Result<()> {
    let name = user.filter(|user| !user.is_empty()).unwrap_or("anonymous");
    let email = format!("{name}@http.{}", peer.ip());
    let committer = Committer { name, email: &email };
    let mut update_hook = |received: &receive_pack::Received<'_>| {
        let mut say = |line: String| received.messages.borrow_mut().push(line);
        let store = served.store();
        let answers = references::update(store, &served.repository, &served.settings, &committer, received, &mut say);
        let moved = received.commands.iter().zip(received.statuses.iter().zip(&answers));
        let moved = moved.filter(|(_, (status, answer))| status.is_ok() && answer.is_ok());
        if moved.into_iter().any(|(command, _)| lets_go(&served.repository, command)) {
            // Without the note the objects only stay longer.
            drop(served.repository.let_go(SystemTime::now()));
        }
        answers
    };
    let kind = format!("{UNCACHED}Content-Type: application/x-git-receive-pack-result\r\n");
    let mut output = answer.stream(&kind);
    if let Err(error) =
        receive_pack::serve(&served.repository, body, &mut output, &served.settings.options, &mut update_hook)
    {
        refuse(&mut output, &error)?;
    }
    output.finish()
}

/// Tells whether a reference that moved leads to less than before.
fn lets_go(repository: &Repository, command: &Command) -> bool {
    let leads_on = || repository.is_ancestor(&command.old, &command.new).unwrap_or(false);
    !command.old.is_null() && (command.is_deletion() || !leads_on())
}

fn refuse(output: &mut dyn Write, error: &ProtocolError) -> io::Result<()> {
    if error.is_internal() {
        eprintln!("{error}: {:?}", std::error::Error::source(error).map(ToString::to_string));
    }
    output.write_all(&error.packet())
}
