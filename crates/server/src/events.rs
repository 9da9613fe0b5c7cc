//! `codecommit-local events`: the trail for a person, or for a pipe.

use std::fs::File;
use std::io::{self, BufRead, BufReader, ErrorKind, IsTerminal, Write};
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use serde_json::Value;
use trail::terminal;
use trail::view::{self, Filter};

/// How often a followed trail is looked at.
const LOOK_INTERVAL: Duration = Duration::from_millis(200);

/// What `events` can be told.
#[derive(Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub(crate) struct Arguments {
    /// Folder of the trail [default: `trail` in the data folder]
    #[arg(long, env = "CODECOMMIT_LOCAL_TRAIL_DIR", value_name = "FOLDER")]
    trail_dir: Option<PathBuf>,
    /// Folder of the data
    #[arg(long, env = "CODECOMMIT_LOCAL_DATA_DIR", value_name = "FOLDER", default_value = "codecommit-data")]
    data_dir: PathBuf,
    /// Go on with events as they happen
    #[arg(long, short)]
    follow: bool,
    /// Print the records as they are, a JSON object a line
    #[arg(long)]
    json: bool,
    /// Only events of this name, such as `GitPush`
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Only events of this user
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// Only events on this repository
    #[arg(long, value_name = "NAME")]
    repository: Option<String>,
    /// Only events of this account
    #[arg(long, value_name = "ACCOUNT")]
    account: Option<String>,
    /// Only events of this region
    #[arg(long, value_name = "REGION")]
    region: Option<String>,
    /// Only calls that failed
    #[arg(long)]
    failed: bool,
    /// Only calls that may change something
    #[arg(long)]
    writes: bool,
}

/// Prints the events.
pub(crate) fn print(arguments: &Arguments) -> Result<(), String> {
    let folder = arguments.trail_dir.clone().unwrap_or_else(|| arguments.data_dir.join("trail"));
    let path = trail::events_path(&folder);
    let file = File::open(&path).map_err(|error| {
        format!("cannot read {}: {error}; name the folder with --trail-dir or --data-dir", path.display())
    })?;
    match print_lines(BufReader::new(file), arguments) {
        // Whoever reads has seen enough.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        result => result.map_err(|error| error.to_string()),
    }
}

fn print_lines(mut file: impl BufRead, arguments: &Arguments) -> io::Result<()> {
    let filter = Filter {
        name: arguments.name.clone(),
        user: arguments.user.clone(),
        repository: arguments.repository.clone(),
        account: arguments.account.clone(),
        region: arguments.region.clone(),
        failed: arguments.failed,
        writes: arguments.writes,
    };
    let color = io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let mut output = io::BufWriter::new(io::stdout().lock());
    let mut line = Vec::new();
    loop {
        if file.read_until(b'\n', &mut line)? == 0 || line.last() != Some(&b'\n') {
            output.flush()?;
            if !arguments.follow {
                return Ok(());
            }
            // What was read of a line that is still being written stays, and its rest is read next.
            std::thread::sleep(LOOK_INTERVAL);
            continue;
        }
        // A line that is no record is a file system's damage.
        if let Ok(text) = str::from_utf8(&line)
            && let Ok(record) = serde_json::from_str::<Value>(text)
            && filter.admits(&record)
        {
            if arguments.json {
                writeln!(output, "{}", terminal::escaped(text.trim_end()))?;
            } else {
                writeln!(output, "{}", view::line(&record, color))?;
            }
        }
        line.clear();
    }
}
