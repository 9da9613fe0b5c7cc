//! Archives of a commit's files in ZIP format, with the commit's names, modes, links and time: always the same bytes.

use std::io::{self, Read, Seek, Write};

use aws::Timestamp;
use git::{BStr, ByteSlice, Kind, Mode, ObjectId, Reader, TreeWalk, WalkedEntry};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

use crate::Exception;
use crate::lfs::LfsContent;

/// Returns the large file that takes the place of a file with some content, if one does.
pub(super) type LargeFile<'f> = &'f mut dyn FnMut(&[u8]) -> Result<Option<LfsContent>, Exception>;

/// Writes the archive while `goes_on` returns true, with one file in memory at a time; returns whether it is complete.
pub(super) fn write<W: Write + Seek>(
    reader: &mut Reader,
    commit: &ObjectId,
    output: W,
    large_file: LargeFile<'_>,
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
    while let Some(WalkedEntry { path, entry }) = walk.next(reader)? {
        size.entries += 1;
        size.name_bytes += path.len() as u64;
        size.check()?;
        if size.is_check_due() && !goes_on()? {
            return Ok(false);
        }
        let name = text(path.as_ref())?;
        if !entry.mode.is_blob() {
            // A submodule becomes an empty folder, as in `git archive`.
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
        let large_file = large_file(&content)?;
        let bytes = large_file.as_ref().map_or(content.len() as u64, |large_file| large_file.bytes);
        let options = options.unix_permissions(permissions).large_file(bytes >= u64::from(u32::MAX));
        archive.start_file(name, options).map_err(io::Error::from)?;
        let Some(large_file) = large_file else {
            archive.write_all(&content)?;
            continue;
        };
        size.content_bytes += bytes;
        size.check()?;
        let mut rest = large_file.file.take(bytes);
        while io::copy(&mut Read::by_ref(&mut rest).take(BYTES_PER_CHECK), &mut archive)? > 0 {
            if !goes_on()? {
                return Ok(false);
            }
        }
    }
    archive.finish().map_err(io::Error::from)?.flush()?;
    Ok(true)
}

/// Number of entries between two checks whether to go on; a check takes a query.
const ENTRIES_PER_CHECK: u64 = 256;

/// Number of content bytes between two checks whether to go on.
const BYTES_PER_CHECK: u64 = 16 << 20;

/// Size of an archive so far.
#[derive(Default)]
struct Size {
    entries: u64,
    name_bytes: u64,
    content_bytes: u64,
    /// Number of entries and content bytes at the last check whether to go on.
    at_last_check: (u64, u64),
}

/// Maximum number of files and folders of an archive: a few objects can stand for any number of them.
const ENTRIES_MAX: u64 = 1_000_000;

/// Maximum total length of their names, in bytes; names stay in memory until the archive is complete.
const NAME_BYTES_MAX: u64 = 64 << 20;

/// Maximum total size of the files before compression, in bytes.
const CONTENT_BYTES_MAX: u64 = 16 << 30;

impl Size {
    /// Returns whether a check is due, and then starts the next interval.
    const fn is_check_due(&mut self) -> bool {
        let (entries, bytes) = self.at_last_check;
        let is_due = self.entries - entries >= ENTRIES_PER_CHECK || self.content_bytes - bytes >= BYTES_PER_CHECK;
        if is_due {
            self.at_last_check = (self.entries, self.content_bytes);
        }
        is_due
    }

    /// Fails if a limit is exceeded.
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

/// Returns the time of a commit in UTC, in the precision of ZIP files: from 1980 to 2107, in steps of two seconds.
fn time(date: &BStr) -> DateTime {
    let seconds: Option<i64> = date.to_str().ok().and_then(|date| date.split(' ').next()?.parse().ok());
    let iso = Timestamp::from_millis(seconds.unwrap_or(0).saturating_mul(1_000)).iso();
    let parts: Vec<u16> = iso.split(|letter: char| !letter.is_ascii_digit()).flat_map(str::parse).collect();
    let small = |at: usize| parts.get(at).and_then(|part| u8::try_from(*part).ok()).unwrap_or(0);
    let year = parts.first().copied().unwrap_or(0);
    DateTime::from_date_and_time(year, small(1), small(2), small(3), small(4), small(5)).unwrap_or_default()
}

/// Returns a name or target as UTF-8.
fn text(bytes: &BStr) -> Result<&str, Exception> {
    let reason = || format!("{bytes} is not UTF-8, as names in a ZIP file must be.");
    bytes.to_str().map_err(|_| Exception::Validation { reason: reason() })
}
