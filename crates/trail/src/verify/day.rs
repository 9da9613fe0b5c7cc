//! Validation of the files that a trail delivered on one day, for pages of the console.

use std::collections::BTreeMap;

use aws::{Call, Failure, Timestamp};
use store::{Error, Transaction};

use super::{Finding, verify_part};
use crate::files::{DigestFile, TrailDay};
use crate::{Exception, Trail};

/// The files to validate.
struct Files {
    /// Written digests: those of the day, and those that cover log files of the day.
    digests: Vec<DigestFile>,
    /// The buckets and keys of delivered log files without a digest.
    uncovered: Vec<(String, String)>,
}

impl Trail {
    /// Validates the digests of a trail whose windows end on the day of a time in UTC, and the log files of that day.
    ///
    /// Findings name files by their keys, and may be about files of other days that the same digests cover. Only folder buckets can be
    /// read. The record of the call is not written. Needs the permission `cloudtrail:GetTrailStatus`.
    pub fn verify_day(&self, call: &Call, trail: &str, day: Timestamp) -> Result<Vec<Finding>, Failure> {
        let verified = || {
            let files = self.store.read(|transaction| {
                let day = TrailDay::find(transaction, call, trail, day)?;
                Ok::<_, Exception>(read(transaction, &day)?)
            })?;
            self.verify_files(files)
        };
        verified().map_err(Failure::from)
    }

    fn verify_files(&self, files: Files) -> Result<Vec<Finding>, Exception> {
        let mut findings = Vec::new();
        let mut series: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
        for DigestFile { bucket, region, key, .. } in files.digests {
            series.entry((bucket, region)).or_default().push(key);
        }
        let public_keys = self.keys.all()?;
        for ((bucket, _), mut keys) in series {
            if self.destinations.buckets.is_remote(&bucket) {
                findings.extend(keys.into_iter().map(Finding::Elsewhere));
                continue;
            }
            keys.sort_unstable();
            verify_part(self.destinations.buckets.folder(&bucket), &public_keys, keys, &mut |finding| {
                findings.push(finding);
            });
        }
        findings.extend(files.uncovered.into_iter().map(|(bucket, key)| {
            if self.destinations.buckets.is_remote(&bucket) { Finding::Elsewhere(key) } else { Finding::Uncovered(key) }
        }));
        Ok(findings)
    }
}

fn read(transaction: &Transaction, day: &TrailDay) -> Result<Files, Error> {
    let digests = transaction.query(
        "SELECT region, bucket, key, window_end, document IS NULL FROM digests WHERE document IS NULL AND trail = ?1 \
         AND (window_end BETWEEN ?2 AND ?3 \
            OR id IN (SELECT digest FROM log_files WHERE trail = ?1 AND delivered BETWEEN ?2 AND ?3))",
        &day.values(),
        |row| DigestFile::of(row, 0),
    )?;
    let uncovered = transaction.query(
        "SELECT bucket, key FROM log_files WHERE trail = ?1 AND delivered BETWEEN ?2 AND ?3 AND digest IS NULL ORDER BY id",
        &day.values(),
        |row| Ok((row.text(0)?, row.text(1)?)),
    )?;
    Ok(Files { digests, uncovered })
}
