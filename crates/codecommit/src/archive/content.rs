//! A commit's files as a ZIP file, the same bytes each time: names, modes and links as in the commit, the time its own.

use std::io::{self, Seek, Write};

use aws::Timestamp;
use git::{BStr, ByteSlice, Kind, Mode, ObjectId, Placed, Reader, TreeWalk};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

use crate::Exception;

/// Writes the files, one in memory at a time, as long as `goes_on` says so; returns whether all are written.
pub(super) fn write<W: Write + Seek>(
    reader: &mut Reader,
    commit: &ObjectId,
    output: W,
    goes_on: &mut dyn FnMut() -> Result<bool, Exception>,
) -> Result<bool, Exception> {
    if reader.kind(commit)? != Some(Kind::Commit) {
        return Err(Exception::CommitIdDoesNotExist { id: commit.to_string() });
    }
    let commit = reader.commit(commit)?;
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .last_modified_time(time(commit.committer.date.as_ref()));
    let mut archive = ZipWriter::new(output);
    let mut walk = TreeWalk::new(reader, &commit.tree, true)?;
    let mut content = Vec::new();
    let mut size = Size::default();
    while let Some(Placed { path, entry }) = walk.next(reader)? {
        size.entries += 1;
        size.name_bytes += path.len() as u64;
        size.check()?;
        if size.is_check_due() && !goes_on()? {
            return Ok(false);
        }
        let name = text(path.as_ref())?;
        if !entry.mode.is_blob() {
            // Of a submodule there is its folder, as in `git archive`.
            archive.add_directory(name, options.unix_permissions(0o755)).map_err(io::Error::from)?;
            continue;
        }
        size.content_bytes += reader.header(&entry.id)?.map_or(0, |(_, bytes)| bytes);
        size.check()?;
        if reader.read(&entry.id, &mut content)?.is_none() {
            return Err(Exception::BlobIdDoesNotExist { id: entry.id.to_string() });
        }
        if entry.mode == Mode::Symlink {
            let target = text(content.as_bstr())?;
            archive.add_symlink(name, target, options.unix_permissions(0o777)).map_err(io::Error::from)?;
            continue;
        }
        let permissions = if entry.mode == Mode::Executable { 0o755 } else { 0o644 };
        let is_large = content.len() as u64 >= u64::from(u32::MAX);
        let options = options.unix_permissions(permissions).large_file(is_large);
        archive.start_file(name, options).map_err(io::Error::from)?;
        archive.write_all(&content)?;
    }
    archive.finish().map_err(io::Error::from)?.flush()?;
    Ok(true)
}

/// So many entries are written before it is asked again whether the archive is wanted, which takes a query.
const ENTRIES_PER_CHECK: u64 = 256;

/// Or so many bytes of the files' contents.
const BYTES_PER_CHECK: u64 = 16 << 20;

/// How large an archive is.
#[derive(Default)]
struct Size {
    entries: u64,
    name_bytes: u64,
    content_bytes: u64,
    /// How many entries and bytes there were when it was asked last whether the archive is wanted.
    asked: (u64, u64),
}

/// An archive has no more files and folders than this, as a few objects can make any number of them.
const ENTRIES_MAX: u64 = 1_000_000;

/// Their names are held until the archive ends, in bytes.
const NAME_BYTES_MAX: u64 = 64 << 20;

/// The files' contents before they are compressed, in bytes.
const CONTENT_BYTES_MAX: u64 = 16 << 30;

impl Size {
    /// Tells whether enough was written since the last time that it did so.
    const fn is_check_due(&mut self) -> bool {
        let (entries, bytes) = self.asked;
        let is_due = self.entries - entries >= ENTRIES_PER_CHECK || self.content_bytes - bytes >= BYTES_PER_CHECK;
        if is_due {
            self.asked = (self.entries, self.content_bytes);
        }
        is_due
    }

    fn check(&self) -> Result<(), Exception> {
        let reason = if self.entries > ENTRIES_MAX {
            format!("The commit has more than {ENTRIES_MAX} files and folders, too many for an archive.")
        } else if self.name_bytes > NAME_BYTES_MAX {
            format!("The names of the commit's files have more than {NAME_BYTES_MAX} bytes, too many for an archive.")
        } else if self.content_bytes > CONTENT_BYTES_MAX {
            format!("The commit's files have more than {CONTENT_BYTES_MAX} bytes, too many for an archive.")
        } else {
            return Ok(());
        };
        Err(Exception::Validation { reason })
    }
}

/// The time of a commit in UTC, as far as ZIP files can tell it: from 1980 to 2107, to two seconds.
fn time(date: &BStr) -> DateTime {
    let seconds: Option<i64> = date.to_str().ok().and_then(|date| date.split(' ').next()?.parse().ok());
    let iso = Timestamp::from_millis(seconds.unwrap_or(0).saturating_mul(1_000)).iso();
    let parts: Vec<u16> = iso.split(|letter: char| !letter.is_ascii_digit()).flat_map(str::parse).collect();
    let small = |at: usize| parts.get(at).and_then(|part| u8::try_from(*part).ok()).unwrap_or(0);
    let year = parts.first().copied().unwrap_or(0);
    DateTime::from_date_and_time(year, small(1), small(2), small(3), small(4), small(5)).unwrap_or_default()
}

fn text(bytes: &BStr) -> Result<&str, Exception> {
    let reason = || format!("{bytes} is no UTF-8, and a ZIP file tells names in UTF-8.");
    bytes.to_str().map_err(|_| Exception::Validation { reason: reason() })
}
