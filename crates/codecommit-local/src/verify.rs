//! `codecommit-local verify`: validates the folder of a trail without a server.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::Args;
use trail::terminal::printable;
use trail::verify::{Finding, verify};

/// Arguments of `verify`.
#[derive(Args)]
pub(crate) struct Arguments {
    /// Folder of the trail, or of another bucket
    #[arg(value_name = "FOLDER")]
    folder: PathBuf,
    /// File of public keys, as `aws cloudtrail list-public-keys` prints them, kept where nobody who can change the folder can
    /// change it [default: the file in the folder]
    #[arg(long, value_name = "FILE")]
    public_keys: Option<PathBuf>,
    /// Print valid files, too
    #[arg(long, short)]
    verbose: bool,
}

/// Numbers of files by their state; of two numbers, the first counts valid files and the second invalid ones.
#[derive(Default)]
struct Counts {
    digests: [usize; 2],
    log_files: [usize; 2],
    uncovered: usize,
}

/// Validates the digests and log files; fails if one of them was changed or removed, or if there is no digest.
pub(crate) fn print(arguments: &Arguments) -> Result<(), String> {
    let mut counts = Counts::default();
    let mut lines = Vec::new();
    let result = verify(&arguments.folder, arguments.public_keys.as_deref(), &mut |finding| {
        lines.extend(counts.line(finding, arguments.verbose));
    });
    result.map_err(|error| error.to_string())?;
    lines.extend(counts.summary());
    match write(&lines) {
        // The reader of the pipe has closed it.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => return Err(error.to_string()),
        _ => {}
    }
    match counts.digests[1] + counts.log_files[1] {
        0 if counts.digests[0] == 0 => Err(format!(
            "'{}' has no digest files, so nothing was validated; the server delivers them every --digest-interval, and at once \
             with POST /_local/digest",
            arguments.folder.display()
        )),
        0 => Ok(()),
        1 => Err("1 file was changed or removed after it was delivered".to_owned()),
        invalid => Err(format!("{invalid} files were changed or removed after they were delivered")),
    }
}

impl Counts {
    /// Counts a finding; returns its line, if it is printed.
    fn line(&mut self, finding: Finding, verbose: bool) -> Option<String> {
        match finding {
            Finding::ValidDigest(key) => {
                self.digests[0] += 1;
                verbose.then(|| format!("Digest file\t{key}\tvalid"))
            }
            Finding::InvalidDigest(key, problem) => {
                self.digests[1] += 1;
                Some(format!("Digest file\t{key}\tINVALID: {problem}"))
            }
            Finding::ValidLogFile(key) => {
                self.log_files[0] += 1;
                verbose.then(|| format!("Log file\t{key}\tvalid"))
            }
            Finding::InvalidLogFile(key, problem) => {
                self.log_files[1] += 1;
                Some(format!("Log file\t{key}\tINVALID: {problem}"))
            }
            Finding::Uncovered(key) => {
                self.uncovered += 1;
                verbose.then(|| format!("Log file\t{key}\tnot covered by a digest yet"))
            }
            Finding::Gap(end, begin) => {
                Some(format!("A chain of digests ended at {end}, and another begins at {begin}"))
            }
            Finding::NotCovered(from, until) => Some(not_covered(from.as_deref(), until.as_deref())),
            Finding::Elsewhere(key) => Some(format!("{key} is in another bucket and was not validated")),
        }
    }

    fn summary(&self) -> Vec<String> {
        let line = |[valid, invalid]: [usize; 2], what: &str| {
            let total = valid + invalid;
            let rest = if invalid == 0 { String::new() } else { format!(", {invalid}/{total} {what} files INVALID") };
            format!("{valid}/{total} {what} files valid{rest}")
        };
        let mut lines = vec![line(self.digests, "digest"), line(self.log_files, "log")];
        match self.uncovered {
            0 => {}
            1 => lines.push("1 log file not covered by a digest yet".to_owned()),
            more => lines.push(format!("{more} log files not covered by a digest yet")),
        }
        lines
    }
}

/// Describes the time that no digest covers, as far as the digests around it show.
fn not_covered(from: Option<&str>, until: Option<&str>) -> String {
    match (from, until) {
        (Some(from), Some(until)) => format!("No digest covers {from} to {until}"),
        (Some(from), None) => format!("No digest covers the time after {from}"),
        (None, Some(until)) => format!("No digest covers the time before {until}"),
        (None, None) => "No digest covers any time".to_owned(),
    }
}

fn write(lines: &[String]) -> io::Result<()> {
    let mut output = io::BufWriter::new(io::stdout().lock());
    for line in lines {
        let columns: Vec<String> = line.split('\t').map(printable).collect();
        writeln!(output, "{}", columns.join("\t"))?;
    }
    output.flush()
}
