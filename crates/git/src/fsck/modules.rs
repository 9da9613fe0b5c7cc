//! Checks of `.gitmodules` and `.gitattributes`.

use bstr::ByteSlice;

use super::{Message, NamedFile, Report, config, url};
use crate::Kind;

/// The size of the largest file that is checked, in bytes.
pub(crate) const FILE_BYTES_MAX: u64 = 100 << 20;

/// The length from which on a line of attributes is too long, in bytes.
const LINE_BYTES: usize = 2048;

/// The maximum length of a submodule's name with that of a variable, in bytes: the name is a path below the repository.
const NAME_BYTES_MAX: usize = 4096;

/// The part of a longer name that is reported, in bytes.
const NAME_SHOWN: usize = 100;

/// A name of files with a check of their content.
pub(super) struct SpecialFile {
    name: &'static str,
    missing: Message,
    other_kind: Message,
    large: Message,
    check: fn(&[u8], &mut Report<'_>) -> Result<(), String>,
}

pub(super) const MODULES: SpecialFile = SpecialFile {
    name: ".gitmodules",
    missing: Message::GitmodulesMissing,
    other_kind: Message::GitmodulesBlob,
    large: Message::GitmodulesLarge,
    check: check_modules,
};

pub(super) const ATTRIBUTES: SpecialFile = SpecialFile {
    name: ".gitattributes",
    missing: Message::GitattributesMissing,
    other_kind: Message::GitattributesBlob,
    large: Message::GitattributesLarge,
    check: check_attributes,
};

impl SpecialFile {
    /// Checks the kind and the content of a file; without content, the file is too large.
    pub(super) fn check(&self, content: Option<NamedFile>, report: &mut Report<'_>) -> Result<(), String> {
        let name = self.name;
        match content {
            None => report.add(self.missing, &format!("unable to read {name} blob")),
            Some((Kind::Blob, None)) => report.add(self.large, &format!("{name} too large to parse")),
            Some((Kind::Blob, Some(data))) => (self.check)(&data, report),
            Some(_) => report.add(self.other_kind, &format!("non-blob found at {name}")),
        }
    }
}

fn check_attributes(data: &[u8], report: &mut Report<'_>) -> Result<(), String> {
    let text = data.split(|byte| *byte == 0).next().unwrap_or_default();
    if text.split(|byte| *byte == b'\n').any(|line| line.len() >= LINE_BYTES) {
        report.add(Message::GitattributesLineLength, ".gitattributes has too long lines to parse")?;
    }
    Ok(())
}

fn check_modules(data: &[u8], report: &mut Report<'_>) -> Result<(), String> {
    let sound = config::read(data, &mut |name, value| check_variable(name, value, report))?;
    if !sound {
        report.add(Message::GitmodulesParse, "could not parse gitmodules blob")?;
    }
    Ok(())
}

/// Checks one variable; `name` is for example `submodule.lib.url`.
fn check_variable(name: &[u8], value: Option<&[u8]>, report: &mut Report<'_>) -> Result<(), String> {
    let Some(name) = name.strip_prefix(b"submodule.") else { return Ok(()) };
    if name.len() > NAME_BYTES_MAX {
        let start = name[..NAME_SHOWN].as_bstr();
        return report.add(Message::GitmodulesName, &format!("disallowed submodule name: {start}... is too long"));
    }
    let Some((module, key)) = config::text(name).rsplit_once_str(".") else { return Ok(()) };
    let mut add = |message, what: &str, text: &[u8]| {
        report.add(message, &format!("disallowed submodule {what}: {}", text.as_bstr()))
    };
    if module.is_empty() || module.split(|byte| matches!(byte, b'/' | b'\\')).any(|part| part == b"..") {
        add(Message::GitmodulesName, "name", module)?;
    }
    match (key, value) {
        (b"url", Some(url)) if !url::is_sound(url) => add(Message::GitmodulesUrl, "url", url),
        (b"path", Some(path)) if path.starts_with(b"-") => add(Message::GitmodulesPath, "path", path),
        (b"update", Some(update)) if update.starts_with(b"!") => {
            add(Message::GitmodulesUpdate, "update setting", update)
        }
        _ => Ok(()),
    }
}
