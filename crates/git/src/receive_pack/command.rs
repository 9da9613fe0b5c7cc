//! The commands of a push: the requested reference updates.

use std::{
    collections::{HashMap, HashSet},
    io::Read,
};

use bstr::{BString, ByteSlice};
use gix::ObjectId;

use crate::{
    Options, ProtocolError,
    pktline::{self, Lines, Packet},
    reference,
};

/// One requested reference update.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// The reference's full name, as the client sent it.
    pub name: BString,
    /// The value that the client expects the reference to have; the null id if it expects none.
    pub old: ObjectId,
    /// The new value; the null id to delete the reference.
    pub new: ObjectId,
}

impl Command {
    /// Returns whether the reference is to be deleted.
    pub fn is_deletion(&self) -> bool {
        self.new.is_null()
    }

    /// Returns whether Git lets clients use the name: below `refs/`, and in a folder there. The folder is not required
    /// of a reference to delete.
    pub(super) fn has_sound_name(&self) -> bool {
        let Some(rest) = self.name.strip_prefix(b"refs/") else { return false };
        (self.is_deletion() || rest.contains(&b'/')) && reference::is_sound(self.name.as_bstr())
    }
}

/// The commands of a push, with its capabilities and options.
#[derive(Debug, Default)]
pub(super) struct Commands {
    pub(super) list: Vec<Command>,
    pub(super) capabilities: Vec<String>,
    /// The values of `git push --push-option`.
    pub(super) options: Vec<BString>,
    /// The commits whose parents the client does not have.
    pub(super) shallow: Vec<ObjectId>,
    /// The positions of commands for a reference that an earlier command names too.
    pub(super) repeated: HashSet<usize>,
}

impl Commands {
    /// Reads the commands and not a byte more; `None` if there is no command.
    pub(super) fn read(input: &mut dyn Read, options: &Options) -> Result<Option<Self>, ProtocolError> {
        let mut lines = Lines::new(input, options.limits.request_bytes);
        let mut head = Self::default();
        loop {
            match lines.next()? {
                // One command beyond the limit is kept, which shows that there are too many.
                Packet::Line(_) if head.list.len() > options.limits.refs_per_push => {}
                Packet::Line(line) => head.line(line, options)?,
                Packet::Flush | Packet::Delimiter => break,
                Packet::End if head.list.is_empty() => break,
                Packet::End => return Err(ProtocolError::new("protocol error: the request has no end")),
            }
        }
        if options.offers.push_options && head.requests("push-options") && !head.list.is_empty() {
            loop {
                match lines.next()? {
                    Packet::Line(line) => {
                        head.options.push(line.into());
                        if head.options.len() > pktline::WORDS_MAX {
                            return Err(ProtocolError::new("protocol error: too many push options"));
                        }
                    }
                    Packet::Flush | Packet::Delimiter => break,
                    Packet::End => return Err(ProtocolError::new("protocol error: the push options have no end")),
                }
            }
        }
        let mut names = HashMap::new();
        for (rank, command) in head.list.iter().enumerate() {
            if names.insert(command.name.clone(), rank).is_some() {
                head.repeated.insert(rank);
            }
        }
        Ok((!head.list.is_empty()).then_some(head))
    }

    /// Returns whether the client requests a capability.
    pub(super) fn requests(&self, name: &str) -> bool {
        self.capabilities.iter().any(|capability| capability == name)
    }

    fn line(&mut self, line: &[u8], options: &Options) -> Result<(), ProtocolError> {
        if let Some(hex) = line.strip_prefix(b"shallow ") {
            let id = ObjectId::from_hex(hex).map_err(|_| {
                ProtocolError::new(format!("protocol error: expected shallow sha, got '{}'", shown(hex)))
            })?;
            self.shallow.push(id);
            return Ok(());
        }
        if line.starts_with(b"push-cert\0") {
            return Err(ProtocolError::new("signed pushes are not supported"));
        }
        let (command, capabilities) = line.split_once_str(b"\0").unwrap_or((line, b""));
        if self.list.is_empty() {
            self.capabilities = pktline::words(capabilities)?;
            let format = self.capabilities.iter().find_map(|capability| capability.strip_prefix("object-format="));
            if let Some(format) = format.filter(|format| options.offers.modern && *format != "sha1") {
                let format = shown(format.as_bytes());
                return Err(ProtocolError::new(format!("error: unsupported object format '{format}'")));
            }
        }
        let (Some(old), Some(new), Some(name)) = (command.get(..40), command.get(41..81), command.get(82..)) else {
            return Err(unexpected(line));
        };
        if command[40] != b' ' || command[81] != b' ' || name.is_empty() {
            return Err(unexpected(line));
        }
        if name.len() > reference::NAME_BYTES_MAX {
            let (bytes, max) = (name.len(), reference::NAME_BYTES_MAX);
            let sentence = format!("funny refname: a name of {bytes} bytes is too long; the most is {max}");
            // Git expects side bands as soon as it has requested them.
            return Err(ProtocolError::new(sentence).in_band(self.requests("side-band-64k")));
        }
        let (old, new) = (id_of(old, line)?, id_of(new, line)?);
        self.list.push(Command { name: name.into(), old, new });
        Ok(())
    }
}

fn id_of(hex: &[u8], line: &[u8]) -> Result<ObjectId, ProtocolError> {
    ObjectId::from_hex(hex).map_err(|_| unexpected(line))
}

fn unexpected(line: &[u8]) -> ProtocolError {
    ProtocolError::new(format!("protocol error: expected old/new/ref, got '{}'", shown(line)))
}

/// Cuts text of a client to the length that an error repeats.
fn shown(text: &[u8]) -> &bstr::BStr {
    text[..text.len().min(200)].as_bstr()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pktline;

    fn read(lines: &[&[u8]], end: &[u8]) -> Result<Option<Commands>, ProtocolError> {
        let mut bytes = Vec::new();
        for line in lines {
            pktline::write(&mut bytes, line);
        }
        bytes.extend_from_slice(end);
        Commands::read(&mut bytes.as_slice(), &Options::default())
    }

    #[test]
    fn commands_are_read() {
        let (a, b, null) = ("a".repeat(40), "b".repeat(40), "0".repeat(40));
        let head = read(
            &[
                format!("shallow {a}\n").as_bytes(),
                format!("{null} {a} refs/heads/x y\0 report-status  quiet\n").as_bytes(),
                format!("{a} {b} refs/heads/z").as_bytes(),
                format!("{b} {null} refs/heads/z").as_bytes(),
            ],
            b"0000PACK",
        );
        let head = head.expect("well-formed commands").expect("a push");
        assert_eq!(head.capabilities, ["report-status", "quiet"]);
        assert_eq!(head.shallow.len(), 1);
        assert_eq!(head.list[0].name, "refs/heads/x y");
        assert!(head.list[2].is_deletion());
        assert_eq!(head.repeated, HashSet::from([2]));
    }

    #[test]
    fn an_empty_request_is_no_push() {
        assert!(read(&[], b"0000").expect("well-formed commands").is_none());
        assert!(read(&[], b"").expect("well-formed commands").is_none());
    }

    #[test]
    fn malformed_commands_are_refused() {
        let a = "a".repeat(40);
        for line in [format!("{a} {a}"), format!("{a} {a} "), format!("{a}-{a} refs/x"), format!("x{a} {a} refs/x")] {
            assert!(read(&[line.as_bytes()], b"0000").is_err(), "{line}");
        }
        assert!(read(&[format!("{a} {a} refs/heads/x").as_bytes()], b"").is_err());
    }

    #[test]
    fn names_are_checked_as_git_checks_them() {
        let id = ObjectId::from_bytes_or_panic(&[1; 20]);
        let null = ObjectId::null(gix::hash::Kind::Sha1);
        let sound = |name: &str, new| Command { name: name.into(), old: null, new }.has_sound_name();
        for name in ["refs/heads/main", "refs/heads/HEAD", "refs/heads/-x", "refs/heads/@", "refs/x/\u{e9}"] {
            assert!(sound(name, id), "{name}");
        }
        for name in [
            "refs/main",
            "refs/heads/",
            "refs/heads/a..b",
            "refs/heads/.x",
            "refs/heads/x.lock",
            "refs/heads/x.",
            "refs/heads/a b",
            "refs/heads/a@{b",
            "HEAD",
            "heads/main",
            "refs/heads//x",
            "refs/heads/a\\b",
            "refs/heads/*",
        ] {
            assert!(!sound(name, id), "{name}");
        }
        assert!(sound("refs/main", null));
        assert!(!sound(&format!("refs/heads/{}", "x/".repeat(2048)), id));
    }

    #[test]
    fn one_command_beyond_the_limit_is_kept() {
        let (a, null) = ("a".repeat(40), "0".repeat(40));
        let lines: Vec<_> = (0..4100).map(|number| format!("{null} {a} refs/heads/{number}").into_bytes()).collect();
        let lines: Vec<_> = lines.iter().map(Vec::as_slice).collect();
        let head = read(&lines, b"0000").expect("well-formed commands").expect("a push");
        assert_eq!(head.list.len(), Options::default().limits.refs_per_push + 1);
    }

    #[test]
    fn too_many_capabilities_are_refused() {
        let (a, null) = ("a".repeat(40), "0".repeat(40));
        let line = format!("{null} {a} refs/heads/x\0{}", " x".repeat(1000));
        assert!(read(&[line.as_bytes()], b"0000").is_err());
    }
}
