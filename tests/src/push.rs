//! Raw pushes, for tests that interrupt one.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::clients::git_fed;

/// The content type of a push.
pub const PUSH_TYPE: (&str, &str) = ("content-type", "application/x-git-receive-pack-request");

/// The content type of a fetch.
pub const FETCH_TYPE: (&str, &str) = ("content-type", "application/x-git-upload-pack-request");

/// Returns text that does not compress well.
pub fn noise(bytes: usize) -> String {
    let lines =
        (0_u64..).map(|number| format!("{:016x}", number.wrapping_mul(number).wrapping_mul(0x9e37_79b9_7f4a_7c15)));
    lines.take(bytes / 16).collect()
}

/// The body of a push that updates one reference.
pub struct Push(Vec<u8>);

impl Push {
    /// Creates a push of the objects of a work tree that are in `new` and not in `old`.
    pub fn new(work: &Path, reference: &str, old: Option<&str>, new: &str) -> Self {
        let command = format!("{} {new} {reference}\0report-status", old.unwrap_or(&"0".repeat(40)));
        let revisions = old.map_or_else(|| format!("{new}\n"), |old| format!("{new}\n^{old}\n"));
        let mut body = format!("{:04x}{command}0000", command.len() + 4).into_bytes();
        body.extend(git_fed(work, &["pack-objects", "--quiet", "--revs", "--thin", "--stdout"], revisions.as_bytes()));
        Self(body)
    }

    /// Returns the size of the body in bytes.
    pub fn bytes(&self) -> usize {
        self.0.len()
    }

    /// Sends the first `bytes` bytes of the body to the repository at `url`, which can have a user name and a password.
    pub fn begin(&self, url: &str, bytes: usize) -> io::Result<TcpStream> {
        let (authority, path) = url.trim_start_matches("http://").split_once('/').expect("the URL has a path");
        let (credentials, address) = authority.rsplit_once('@').unwrap_or(("", authority));
        let authorization = match credentials {
            "" => String::new(),
            credentials => format!("Authorization: Basic {}\r\n", STANDARD.encode(credentials)),
        };
        let mut stream = TcpStream::connect(address)?;
        let length = self.bytes();
        let head = format!(
            "POST /{path}/git-receive-pack HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{authorization}\
             Content-Type: application/x-git-receive-pack-request\r\nContent-Length: {length}\r\n\r\n"
        );
        stream.write_all(head.as_bytes())?;
        stream.write_all(&self.0[..bytes])?;
        Ok(stream)
    }

    /// Sends the body after its first `bytes` bytes and returns the reply.
    pub fn finish(&self, mut stream: TcpStream, bytes: usize) -> io::Result<String> {
        stream.write_all(&self.0[bytes..])?;
        let mut reply = Vec::new();
        stream.read_to_end(&mut reply)?;
        Ok(String::from_utf8_lossy(&reply).into_owned())
    }

    /// Sends the whole body and returns the reply.
    pub fn send(&self, url: &str) -> io::Result<String> {
        self.finish(self.begin(url, self.bytes())?, self.bytes())
    }
}
