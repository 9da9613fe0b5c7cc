//! Objects of a bucket at an endpoint that are files here: put, fetched, listed and removed.
//!
//! **Invariant:** no file is held in memory, and no request is sent again if the endpoint has refused it.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::thread;
use std::time::Duration;

use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use ureq::http::{Method, Response, StatusCode};
use ureq::tls::TlsConfig;

use super::client::{Client, Clock, Limits, text};
use super::content::Content;
use super::settings::RemoteSettings;
use super::xml;

/// Limit of waiting for the endpoint to take or to send the next bytes; how long a transfer takes depends on its size.
const IDLE_TIMEOUT: Duration = Duration::from_secs(20);

/// The largest file that is put by one request, and the size of the parts of larger ones; S3 takes up to 5 GB in one request.
const PART_BYTES: u64 = 64 << 20;

/// The largest number of parts that S3 takes.
const PARTS_MAX: u64 = 10_000;

/// Attempts of a request that fails for a reason that may pass.
const TRIES: u32 = 3;

/// Time before the second attempt; twice as much is before the third.
const RETRY_DELAY: Duration = Duration::from_millis(200);

/// Bytes of an object that are in memory at a time.
const PIECE_BYTES: usize = 64 << 10;

/// The objects of a bucket at an endpoint that speaks S3.
pub struct RemoteObjects {
    client: Client,
    part_bytes: u64,
}

/// An object in a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoteObject {
    /// The key.
    pub key: String,
    /// The time since it was written, by the clock of the endpoint.
    pub age: Duration,
}

impl RemoteObjects {
    /// Creates the client of a bucket; nothing is sent yet. `tls` is for endpoints with `https`.
    pub fn new(name: &str, settings: RemoteSettings, clock: Clock, tls: TlsConfig) -> Self {
        let limits = Limits { total: None, idle: Some(IDLE_TIMEOUT) };
        Self { client: Client::new(name, settings, clock, tls, limits), part_bytes: PART_BYTES }
    }

    /// Returns the URL of the bucket, with a slash at its end.
    pub fn url(&self) -> &str {
        self.client.url()
    }

    /// Puts a file, in parts if it is large.
    pub fn put(&self, key: &str, path: &Path) -> io::Result<()> {
        let length = fs::metadata(path)?.len();
        if length > self.part_bytes {
            return self.put_in_parts(key, path, length);
        }
        tried(|| {
            let request = self.client.encrypted(self.client.object(Method::PUT, key, &[])?);
            self.client.send(request, Content::Part { path, start: 0, length }).map(drop)
        })
    }

    fn put_in_parts(&self, key: &str, path: &Path, length: u64) -> io::Result<()> {
        let id = tried(|| {
            let request = self.client.encrypted(self.client.object(Method::POST, key, &[("uploads", "")])?);
            xml::upload_id(&text(&mut self.client.send(request, Content::Bytes(&[]))?)?)
        })?;
        let put = self.put_parts(key, path, length, &id);
        if put.is_err() {
            // What is left of the upload costs space only; the reason of the failure is what counts.
            let request = self.client.object(Method::DELETE, key, &[("uploadId", &id)]);
            drop(request.and_then(|request| self.client.send(request, Content::Nothing)));
        }
        put
    }

    fn put_parts(&self, key: &str, path: &Path, length: u64, id: &str) -> io::Result<()> {
        let part_bytes = self.part_bytes.max(length.div_ceil(PARTS_MAX));
        let mut tags = Vec::new();
        for start in (0..length).step_by(usize::try_from(part_bytes).unwrap_or(usize::MAX)) {
            let number = (tags.len() + 1).to_string();
            let part = Content::Part { path, start, length: part_bytes.min(length - start) };
            tags.push(tried(|| {
                let query = [("partNumber", number.as_str()), ("uploadId", id)];
                let response = self.client.send(self.client.object(Method::PUT, key, &query)?, part)?;
                let tag = header(&response, "etag").ok_or_else(|| io::Error::other("the part has no entity tag"))?;
                Ok(tag.to_owned())
            })?);
        }
        let parts = xml::parts(&tags);
        tried(|| {
            let request = self.client.object(Method::POST, key, &[("uploadId", id)])?;
            xml::check_completed(&text(&mut self.client.send(request, Content::Bytes(parts.as_bytes()))?)?)
        })
    }

    /// Writes an object to an empty file; [`io::ErrorKind::NotFound`] if there is none.
    pub fn get(&self, key: &str, file: &mut File) -> io::Result<()> {
        let mut received = 0;
        tried(|| {
            let mut request = self.client.object(Method::GET, key, &[])?;
            if received > 0 {
                request = request.header("range", format!("bytes={received}-"));
            }
            let response = self.client.send(request, Content::Nothing)?;
            if response.status() != StatusCode::PARTIAL_CONTENT {
                received = 0;
            }
            file.set_len(received)?;
            file.seek(SeekFrom::Start(received))?;
            let end = response.body().content_length().map(|length| received + length);
            let (mut body, mut piece) = (response.into_body().into_reader(), vec![0; PIECE_BYTES]);
            loop {
                let count = body.read(&mut piece).map_err(|error| self.client.named(key, &error))?;
                if count == 0 {
                    break;
                }
                file.write_all(&piece[..count])?;
                received += count as u64;
            }
            if end.is_none_or(|end| end == received) {
                return Ok(());
            }
            Err(self.client.named(key, &io::ErrorKind::UnexpectedEof.into()))
        })
    }

    /// Returns the length of an object, if it is there.
    pub fn length(&self, key: &str) -> io::Result<Option<u64>> {
        tried(|| match self.client.send(self.client.object(Method::HEAD, key, &[])?, Content::Nothing) {
            Ok(response) => {
                let length = header(&response, "content-length").and_then(|length| length.parse().ok());
                length
                    .map(Some)
                    .ok_or_else(|| self.client.named(key, &io::Error::other("the reply to HEAD has no length")))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        })
    }

    /// Removes an object, if it is there.
    pub fn remove(&self, key: &str) -> io::Result<()> {
        tried(|| match self.client.send(self.client.object(Method::DELETE, key, &[])?, Content::Nothing) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        })
    }

    /// Visits all objects whose keys begin with a prefix.
    pub fn list(&self, prefix: &str, mut visit: impl FnMut(RemoteObject)) -> io::Result<()> {
        let mut next: Option<String> = None;
        loop {
            let (page, now) = tried(|| {
                let mut query = vec![("list-type", "2"), ("prefix", prefix)];
                query.extend(next.as_deref().map(|token| ("continuation-token", token)));
                let mut response = self.client.send(self.client.bucket(Method::GET, &query), Content::Nothing)?;
                let now = seconds(header(&response, "date").unwrap_or_default(), Format::HttpDate)?;
                Ok((xml::page(&text(&mut response)?)?, now))
            })?;
            for (key, modified) in page.objects {
                let age = now - seconds(&modified, Format::DateTime)?;
                visit(RemoteObject { key, age: Duration::from_secs(u64::try_from(age).unwrap_or(0)) });
            }
            if page.next.is_none() {
                return Ok(());
            }
            next = page.next;
        }
    }
}

impl fmt::Debug for RemoteObjects {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("RemoteObjects").field(&self.url()).finish()
    }
}

/// Does a request again, a few times, if it fails for a reason that may pass: the endpoint cannot be reached, or fails.
fn tried<T>(mut request: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    for attempt in 1..TRIES {
        match request() {
            Err(error) if may_pass(&error) => thread::sleep(RETRY_DELAY * attempt),
            done => return done,
        }
    }
    request()
}

fn may_pass(error: &io::Error) -> bool {
    use io::ErrorKind::{InvalidInput, NotFound, PermissionDenied, StorageFull};
    !matches!(error.kind(), NotFound | PermissionDenied | InvalidInput | StorageFull)
}

fn header<'r, B>(response: &'r Response<B>, name: &str) -> Option<&'r str> {
    response.headers().get(name)?.to_str().ok()
}

fn seconds(time: &str, format: Format) -> io::Result<i64> {
    let unknown = |error| io::Error::other(format!("a listing has the time '{time}': {error}"));
    Ok(DateTime::from_str(time, format).map_err(unknown)?.secs())
}

#[cfg(test)]
mod tests;
