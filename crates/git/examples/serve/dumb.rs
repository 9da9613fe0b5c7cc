//! Single files of a repository, for clients of Git's dumb protocol.

use std::{
    fs::{self, File},
    io::{self, Write},
    time::SystemTime,
};

use super::{
    hidden::Hidden,
    reply::{Reply, UNCACHED},
    repositories::Served,
};

/// Objects and packs never change.
const CACHED: &str = "Cache-Control: public, max-age=31536000\r\n";

/// A file that clients may read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DumbFile {
    Head,
    /// The names and targets of all references.
    References,
    /// The names of all packs.
    Packs,
    /// A file of the repository by its path, with its content type and its headers.
    File(String, &'static str, &'static str),
}

impl DumbFile {
    /// Parses a path below the object folder; `None` if clients do not need it.
    pub fn below_objects(path: &str) -> Option<Self> {
        let is_hex = |text: &str, digits| {
            text.len() == digits && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        };
        let (kind, headers) = match path.split_once('/')? {
            ("info", "packs") => return Some(Self::Packs),
            ("info", "alternates" | "http-alternates") => ("text/plain", UNCACHED),
            ("pack", name) => match name.strip_prefix("pack-")?.split_once('.')? {
                (id, "pack") if is_hex(id, 40) => ("application/x-git-packed-objects", CACHED),
                (id, "idx") if is_hex(id, 40) => ("application/x-git-packed-objects-toc", CACHED),
                _ => return None,
            },
            (folder, name) if is_hex(folder, 2) && is_hex(name, 38) => ("application/x-git-loose-object", CACHED),
            _ => return None,
        };
        Some(Self::File(format!("objects/{path}"), kind, headers))
    }

    /// Sends the requested file.
    pub fn send(&self, served: &Served, reply: &mut Reply) -> io::Result<()> {
        let text = |kind: &str| format!("{UNCACHED}Content-Type: {kind}\r\n");
        match self {
            Self::Head => reply.send("200 OK", "Content-Type: text/plain\r\n", head(served)?.as_bytes()),
            Self::References => reply.send("200 OK", &text("text/plain"), &references(served)?),
            Self::Packs => reply.send("200 OK", &text("text/plain; charset=utf-8"), packs(served)?.as_bytes()),
            Self::File(path, kind, headers) => match File::open(served.store().path().join(path)) {
                Ok(mut file) => {
                    let mut output = reply.stream(&format!("{headers}Content-Type: {kind}\r\n"));
                    io::copy(&mut file, &mut output)?;
                    output.finish()
                }
                Err(error) => {
                    eprintln!("Cannot open '{path}': {error}");
                    reply.status("404 Not Found", "")
                }
            },
        }
    }
}

/// Returns the content of HEAD, if it has a target.
fn head(served: &Served) -> io::Result<String> {
    let references = served.references(&Hidden::default())?;
    Ok(match (&references.head, references.head_target()) {
        (_, None) => String::new(),
        (Some(name), Some(_)) => format!("ref: {name}\n"),
        (None, Some(id)) => format!("{id}\n"),
    })
}

/// Lists all references: none is hidden from clients that may read every file.
fn references(served: &Served) -> io::Result<Vec<u8>> {
    let mut lines = Vec::new();
    for reference in &served.references(&Hidden::default())?.references {
        writeln!(lines, "{}\t{}", reference.target, reference.name)?;
        if let Some(peeled) = reference.peeled {
            writeln!(lines, "{peeled}\t{}^{{}}", reference.name)?;
        }
    }
    Ok(lines)
}

/// Lists the packs, the newest first.
fn packs(served: &Served) -> io::Result<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(served.store().path().join("objects/pack"))? {
        let entry = entry?;
        let is_pack = entry.path().extension().is_some_and(|end| end == "pack");
        if is_pack && entry.path().with_extension("idx").exists() {
            let modified = entry.metadata().and_then(|metadata| metadata.modified());
            found.push((modified.unwrap_or(SystemTime::UNIX_EPOCH), entry.file_name()));
        }
    }
    found.sort();
    let lines = found.iter().rev().map(|(_, name)| format!("P {}\n", name.to_string_lossy()));
    Ok(lines.chain(["\n".to_owned()]).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_clients_need_is_read() {
        let (two, rest, id) = ("0a", "b".repeat(38), "c".repeat(40));
        for path in ["info/alternates".into(), format!("{two}/{rest}"), format!("pack/pack-{id}.idx")] {
            let file = DumbFile::below_objects(&path);
            assert!(matches!(file, Some(DumbFile::File(name, ..)) if name == format!("objects/{path}")), "{path}");
        }
        assert_eq!(DumbFile::below_objects("info/packs"), Some(DumbFile::Packs));
        for path in [
            "info".into(),
            "info/other".into(),
            format!("{two}/x{rest}"),
            format!("{two}/{}", rest.to_uppercase()),
            format!("pack/pack-{id}.keep"),
            format!("pack/{id}.pack"),
            format!("../{two}/{rest}"),
        ] {
            assert_eq!(DumbFile::below_objects(&path), None, "{path}");
        }
    }
}
