//! One log file: its path in AWS's layout, and its content.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::Path;

use aws::{Clock, Timestamp};
use flate2::{Compression, GzBuilder};

/// Returns the path below the trail directory of a log file that is delivered now.
///
/// `AWSLogs/ACCOUNT/CloudTrail/REGION/YYYY/MM/DD/ACCOUNT_CloudTrail_REGION_YYYYMMDDTHHmmZ_UNIQUE.json.gz`
pub(crate) fn path(account: &str, region: &str, time: Timestamp, clock: &dyn Clock) -> String {
    let (day, minute) = (time.day_folder(), time.compact_minute());
    let unique = unique(clock.seed());
    format!("AWSLogs/{account}/CloudTrail/{region}/{day}/{account}_CloudTrail_{region}_{minute}_{unique}.json.gz")
}

/// Writes a log file: `{"Records":[...]}` on one line, in one gzip member.
///
/// The file appears whole or not at all, and the same records give the same bytes.
pub(crate) fn write(folder: &Path, path: &str, records: &[String], sync: bool) -> io::Result<()> {
    let path = folder.join(path);
    let parent = path.parent().expect("a log file lies in the folder of its day");
    fs::create_dir_all(parent)?;
    let temporary = path.with_extension("partial");
    // Records repeat themselves so much that the fast level loses little, and calls that run meanwhile wait less.
    let mut gzip = GzBuilder::new().write(BufWriter::new(File::create(&temporary)?), Compression::fast());
    gzip.write_all(b"{\"Records\":[")?;
    for (number, record) in records.iter().enumerate() {
        if number > 0 {
            gzip.write_all(b",")?;
        }
        gzip.write_all(record.as_bytes())?;
    }
    gzip.write_all(b"]}")?;
    let file = gzip.finish()?.into_inner().map_err(io::IntoInnerError::into_error)?;
    if sync {
        file.sync_all()?;
    }
    fs::rename(&temporary, &path)?;
    if sync {
        File::open(parent)?.sync_all()?;
    }
    Ok(())
}

/// Sixteen letters and digits.
fn unique(mut seed: u128) -> String {
    const LETTERS: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let mut letter = || {
        let index = usize::try_from(seed % 62).expect("it is below 62");
        seed /= 62;
        char::from(LETTERS[index])
    };
    (0..16).map(|_| letter()).collect()
}
