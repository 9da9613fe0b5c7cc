//! The history of events that a seed begins with: files of records, one per line or in CloudTrail's log files.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use aws::{AccountId, Timestamp};
use flate2::read::MultiGzDecoder;
use serde_json::Value;
use trail::PastRecord;

use crate::document::EventTimes;
use crate::{Error, Services, folder};

/// The folder of further files, such as a copy of a trail's bucket.
const FOLDER: &str = "events";

/// Maximum size of a file of records, in bytes after decompression.
const FILE_BYTES_MAX: u64 = 1 << 30;

/// Reads all records of a seed's folder, oldest first, each once.
pub(crate) fn read(path: &Path, account: &AccountId) -> Result<Vec<PastRecord>, Error> {
    let mut records = Vec::new();
    for file in files(path)? {
        read_file(&file, account, &mut records).map_err(|reason| Error::path(&file, reason))?;
    }
    records.sort_by_key(PastRecord::time);
    let mut seen = HashSet::new();
    let is_new: Vec<bool> =
        records.iter().map(|record| seen.insert((record.key().0.to_owned(), record.key().1.to_owned()))).collect();
    let mut is_new = is_new.into_iter();
    records.retain(|_| is_new.next().unwrap_or(false));
    Ok(records)
}

/// Adds the records to the history; the times are as they are, or such that the last event is now.
pub(crate) fn apply(services: &Services<'_>, records: &[PastRecord], times: EventTimes) -> Result<(), String> {
    let Some(last) = records.last() else { return Ok(()) };
    let shift = match times {
        EventTimes::AsRecorded => 0,
        EventTimes::EndNow => services.clock.now().whole_second().millis() - last.time().millis(),
    };
    let shifted = |record: &PastRecord| {
        let mut record = record.clone();
        if shift != 0 {
            record.move_to(Timestamp::from_millis(record.time().millis() + shift));
        }
        record
    };
    let records: Vec<_> = records.iter().map(shifted).collect();
    services.trail.import(&records).map_err(|error| format!("cannot add the events: {error}"))
}

/// Lists the files of records: those in the folder itself, and those at any depth in its folder `events`.
fn files(path: &Path) -> Result<Vec<PathBuf>, Error> {
    let mut found = Vec::new();
    let mut folders = vec![path.join(FOLDER)];
    add_files(path, &mut found, None)?;
    if let Some(folder) = folder::file_in(path, FOLDER)? {
        folders = vec![folder];
    }
    while let Some(folder) = folders.pop() {
        if folder.is_dir() {
            add_files(&folder, &mut found, Some(&mut folders))?;
        }
    }
    found.sort();
    Ok(found)
}

/// Adds the files of records in a folder, and its folders if these are read, too.
fn add_files(path: &Path, found: &mut Vec<PathBuf>, mut folders: Option<&mut Vec<PathBuf>>) -> Result<(), Error> {
    let failed = |error| Error::path(path, error);
    for entry in fs::read_dir(path).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let (file, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
        let metadata = fs::symlink_metadata(&file).map_err(failed)?;
        let is_record_file = name.ends_with(".ndjson") || name.ends_with(".json.gz");
        if metadata.is_dir() {
            // Digests have no records.
            if name != "CloudTrail-Digest"
                && let Some(folders) = &mut folders
            {
                folders.push(file);
            }
        } else if is_record_file {
            found.push(folder::file_in(path, &name)?.unwrap_or(file));
        }
    }
    Ok(())
}

fn read_file(path: &Path, account: &AccountId, records: &mut Vec<PastRecord>) -> Result<(), String> {
    let file = File::open(path).map_err(|error| error.to_string())?;
    if path.extension().is_some_and(|extension| extension == "gz") {
        return read_log_file(file, account, records);
    }
    for (number, line) in BufReader::new(file.take(FILE_BYTES_MAX)).split(b'\n').enumerate() {
        let line = line.map_err(|error| error.to_string())?;
        if line.trim_ascii().is_empty() {
            continue;
        }
        let at_line = |reason: String| format!("line {}: {reason}", number + 1);
        let record = serde_json::from_slice(&line).map_err(|error| at_line(format!("it is no JSON: {error}")))?;
        records.push(PastRecord::parse(record, account).map_err(at_line)?);
    }
    Ok(())
}

fn read_log_file(file: File, account: &AccountId, records: &mut Vec<PastRecord>) -> Result<(), String> {
    let content = MultiGzDecoder::new(BufReader::new(file)).take(FILE_BYTES_MAX);
    let mut content: Value = serde_json::from_reader(BufReader::new(content))
        .map_err(|error| format!("it is no log file of CloudTrail in gzip: {error}"))?;
    let Value::Array(found) = content["Records"].take() else {
        return Err("it has no `Records`; write a log file of CloudTrail".to_owned());
    };
    for (number, record) in found.into_iter().enumerate() {
        let parsed = PastRecord::parse(record, account);
        records.push(parsed.map_err(|reason| format!("record {}: {reason}", number + 1))?);
    }
    Ok(())
}
