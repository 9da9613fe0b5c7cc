//! What a request sends: it is read when it is sent, and before that for the hash in the signature.

use std::fmt::Write;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use aws_sigv4::http_request::SignableBody;
use sha2::{Digest, Sha256};

/// Bytes of a file that are in memory at a time.
const PIECE_BYTES: usize = 64 << 10;

/// What a request sends.
#[derive(Clone, Copy, Debug)]
pub(super) enum Content<'c> {
    /// No body.
    Nothing,
    /// Bytes.
    Bytes(&'c [u8]),
    /// A part of a file.
    Part {
        /// The file.
        path: &'c Path,
        /// The first byte.
        start: u64,
        /// The number of bytes.
        length: u64,
    },
}

impl<'c> Content<'c> {
    /// Returns the length of the body, if there is one.
    pub(super) fn length(&self) -> Option<u64> {
        match *self {
            Self::Nothing => None,
            Self::Bytes(bytes) => Some(bytes.len() as u64),
            Self::Part { length, .. } => Some(length),
        }
    }

    /// Opens the body.
    pub(super) fn reader(self) -> io::Result<Box<dyn Read + 'c>> {
        Ok(match self {
            Self::Nothing => Box::new(io::empty()),
            Self::Bytes(bytes) => Box::new(bytes),
            Self::Part { path, start, length } => {
                let mut file = File::open(path)?;
                file.seek(SeekFrom::Start(start))?;
                Box::new(file.take(length))
            }
        })
    }

    /// Returns what is signed. The hash of a file is signed, too, so that the endpoint stores nothing but what was read here.
    pub(super) fn signable(self) -> io::Result<SignableBody<'c>> {
        match self {
            Self::Nothing => Ok(SignableBody::Bytes(&[])),
            Self::Bytes(bytes) => Ok(SignableBody::Bytes(bytes)),
            Self::Part { .. } => {
                let (mut hash, mut reader, mut piece) = (Sha256::new(), self.reader()?, vec![0; PIECE_BYTES]);
                loop {
                    match reader.read(&mut piece)? {
                        0 => break,
                        count => hash.update(&piece[..count]),
                    }
                }
                let mut hex = String::new();
                for byte in hash.finalize() {
                    write!(hex, "{byte:02x}").expect("a String takes all");
                }
                Ok(SignableBody::Precomputed(hex))
            }
        }
    }
}
