//! Multipart uploads: parts of objects that are put together later.
//!
//! An upload is a folder among the bucket's own files: `upload.json` describes it, and each part is a file named by its number, with
//! its attributes beside it. **Invariant:** a part whose attributes are not those of its file does not exist.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::PathBuf;
use std::time::SystemTime;

use super::attributes::Attributes;
use super::file::{self, read_regular_file, write_whole_file};
use super::incoming::Incoming;
use super::{FolderBucket, at, is_absence};

/// The folder of all uploads, in that of the bucket's own files.
const UPLOADS: &str = "uploads";

/// The file that describes an upload.
const DESCRIPTION: &str = "upload.json";

/// A multipart upload that is neither completed nor aborted.
#[derive(Clone, Debug)]
pub struct Upload {
    folder: PathBuf,
    sync: bool,
    /// The time at which it began.
    pub begun: SystemTime,
    /// The attributes of the object, and under `of_content` what describes the upload itself.
    pub description: Attributes,
}

/// A part of an upload.
#[derive(Clone, Debug)]
pub struct Part {
    /// The size.
    pub bytes: u64,
    /// The time at which it was received.
    pub modified: SystemTime,
    /// The attributes of its content.
    pub attributes: BTreeMap<String, String>,
}

impl FolderBucket {
    /// Begins an upload; `id` is different each time. Fails if the bucket does not exist.
    pub fn create_upload(&self, id: &str, description: Attributes) -> io::Result<Upload> {
        fs::metadata(&self.folder).map_err(|error| at(&self.folder, &error))?;
        let (folder, sync) = (self.own_path(UPLOADS).join(id), self.options.sync);
        let text = serde_json::to_vec(&description.to_texts())?;
        let path = folder.join(DESCRIPTION);
        write_whole_file(&path, &mut &text[..], sync).map_err(|error| at(&path, &error))?;
        let begun = fs::metadata(&path)?.modified()?;
        Ok(Upload { folder, sync, begun, description })
    }

    /// Finds an upload by any text as its id.
    pub fn upload(&self, id: &str) -> io::Result<Option<Upload>> {
        let is_id = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        let folder = self.own_path(UPLOADS).join(id);
        if !is_id {
            return Ok(None);
        }
        let path = folder.join(DESCRIPTION);
        let read = || Ok((read_regular_file(&path)?, fs::metadata(&path)?.modified()?));
        match read() {
            Ok((text, begun)) => {
                let description = Attributes::from_texts(serde_json::from_slice(&text)?);
                Ok(Some(Upload { folder, sync: self.options.sync, begun, description }))
            }
            Err(error) if is_absence(&error) => Ok(None),
            Err(error) => Err(at(&folder, &error)),
        }
    }

    /// Lists all uploads with their ids.
    pub fn uploads(&self) -> io::Result<Vec<(String, Upload)>> {
        let folders = match fs::read_dir(self.own_path(UPLOADS)) {
            Err(error) if is_absence(&error) => return Ok(Vec::new()),
            folders => folders?,
        };
        let mut uploads = Vec::new();
        for folder in folders {
            let Ok(id) = folder?.file_name().into_string() else { continue };
            uploads.extend(self.upload(&id)?.map(|upload| (id, upload)));
        }
        Ok(uploads)
    }
}

impl Upload {
    /// Adds a part, or replaces that of the same number.
    pub fn put_part(&self, number: u32, content: Incoming, attributes: BTreeMap<String, String>) -> io::Result<()> {
        let put = || {
            let modified = content.end(self.sync)?;
            let attributes = Attributes { of_content: attributes, ..Attributes::default() };
            let text = serde_json::to_vec(&attributes.of_file(content.bytes(), modified).to_texts())?;
            fs::rename(content.path(), self.part_path(number))?;
            write_whole_file(&self.part_path(number).with_extension("json"), &mut &text[..], self.sync)
        };
        let put = put().map_err(|error| at(&self.part_path(number), &error));
        drop(content);
        put
    }

    /// Lists the parts by number.
    pub fn parts(&self) -> io::Result<BTreeMap<u32, Part>> {
        let mut parts = BTreeMap::new();
        for entry in fs::read_dir(&self.folder).map_err(|error| at(&self.folder, &error))? {
            let entry = entry?;
            let number: Option<u32> = entry.file_name().to_str().and_then(|name| name.parse().ok());
            let Some(number) = number else { continue };
            let file = entry.metadata()?;
            let (bytes, modified) = (file.len(), file.modified()?);
            let Ok(text) = read_regular_file(&self.part_path(number).with_extension("json")) else { continue };
            let attributes = Attributes::from_texts(serde_json::from_slice(&text)?).for_file(bytes, modified);
            if !attributes.of_content.is_empty() {
                parts.insert(number, Part { bytes, modified, attributes: attributes.of_content });
            }
        }
        Ok(parts)
    }

    /// Opens a part.
    pub fn open_part(&self, number: u32) -> io::Result<File> {
        let path = self.part_path(number);
        File::open(&path).map_err(|error| at(&path, &error))
    }

    /// Removes the upload with its parts.
    pub fn remove(&self) -> io::Result<()> {
        file::accept(io::ErrorKind::NotFound, fs::remove_dir_all(&self.folder))
    }

    fn part_path(&self, number: u32) -> PathBuf {
        self.folder.join(format!("{number:05}"))
    }
}
