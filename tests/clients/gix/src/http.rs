//! HTTP for gix, on ureq: gix's own choices bring TLS and C libraries that loopback does not need.

use std::any::Any;
use std::io::{self, BufRead, BufReader, Cursor, Read, Write};
use std::sync::mpsc::{Receiver, Sender, channel};

use gix_transport::client::blocking_io::http::{GetResponse, Http, PostBodyDataKind, PostResponse};
use ureq::http::{Request, Response};
use ureq::{Agent, Body};

/// Sends gix's requests; a connection serves many.
pub struct Client(Agent);

impl Default for Client {
    fn default() -> Self {
        Self(Agent::config_builder().http_status_as_error(true).build().into())
    }
}

type Headers = Cursor<Vec<u8>>;
type Reply = Box<dyn BufRead + Send>;

impl Http for Client {
    type Headers = Late<Headers>;
    type ResponseBody = Late<Reply>;
    type PostBody = Post;

    fn get(
        &mut self,
        url: &str,
        base_url: &str,
        headers: impl IntoIterator<Item = impl AsRef<str>>,
    ) -> gix::Result<GetResponse<Self::Headers, Self::ResponseBody>> {
        let mut request = self.post(url, base_url, headers, PostBodyDataKind::BoundedAndFitsIntoMemory)?;
        request.post_body.body = None;
        Ok(request.into())
    }

    fn post(
        &mut self,
        url: &str,
        _base_url: &str,
        headers: impl IntoIterator<Item = impl AsRef<str>>,
        _body: PostBodyDataKind,
    ) -> gix::Result<PostResponse<Self::Headers, Self::ResponseBody, Self::PostBody>> {
        let (send_headers, headers_received) = channel();
        let (send_body, body_received) = channel();
        let post_body = Post {
            agent: self.0.clone(),
            url: url.to_owned(),
            headers: headers.into_iter().map(|header| header.as_ref().to_owned()).collect(),
            body: Some(Vec::new()),
            reply: (send_headers, send_body),
        };
        Ok(PostResponse { post_body, headers: Late::new(headers_received), body: Late::new(body_received) })
    }

    fn configure(&mut self, _config: &dyn Any) -> gix::Result {
        Ok(())
    }
}

/// A request that is sent when its body is complete, which gix says by dropping it.
pub struct Post {
    agent: Agent,
    url: String,
    headers: Vec<String>,
    /// What is posted; without it, the request is a GET.
    body: Option<Vec<u8>>,
    reply: (Sender<io::Result<Headers>>, Sender<io::Result<Reply>>),
}

impl Post {
    fn run(&mut self) -> io::Result<Response<Body>> {
        let mut request = Request::builder().uri(&self.url);
        for (name, value) in self.headers.iter().filter_map(|header| header.split_once(": ")) {
            request = request.header(name, value);
        }
        let reply = match self.body.take() {
            Some(body) => self.agent.run(request.method("POST").body(body).map_err(io::Error::other)?),
            None => self.agent.run(request.body(()).map_err(io::Error::other)?),
        };
        reply.map_err(io::Error::other)
    }
}

impl Write for Post {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.body.get_or_insert_default().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Post {
    fn drop(&mut self) {
        let (headers, body): (_, io::Result<Reply>) = match self.run() {
            Ok(reply) => {
                let (head, body) = reply.into_parts();
                let lines = head.headers.iter();
                let lines = lines.map(|(name, value)| [name.as_str().as_bytes(), b": ", value.as_bytes(), b"\n"]);
                let headers = lines.flatten().flatten().copied().collect();
                (Ok(Cursor::new(headers)), Ok(Box::new(BufReader::new(body.into_reader()))))
            }
            Err(error) => (Err(io::Error::other(error.to_string())), Err(error)),
        };
        // Whoever asked may have lost interest.
        let _ = self.reply.0.send(headers);
        let _ = self.reply.1.send(body);
    }
}

/// A reader that is there when the reply is.
pub struct Late<R> {
    receiver: Receiver<io::Result<R>>,
    reader: Option<R>,
}

impl<R> Late<R> {
    fn new(receiver: Receiver<io::Result<R>>) -> Self {
        Self { receiver, reader: None }
    }

    fn reader(&mut self) -> io::Result<&mut R> {
        let reader = match self.reader.take() {
            Some(reader) => reader,
            None => self.receiver.recv().map_err(io::Error::other)??,
        };
        Ok(self.reader.insert(reader))
    }
}

impl<R: BufRead> Read for Late<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.reader()?.read(buffer)
    }
}

impl<R: BufRead> BufRead for Late<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.reader()?.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        if let Some(reader) = &mut self.reader {
            reader.consume(amount);
        }
    }
}
