//! `codecommit-local events`: prints the trail as lines, JSON, CSV or counts.

mod source;

use std::collections::{BTreeMap, VecDeque};
use std::io::{self, ErrorKind, IsTerminal, Write};
use std::path::PathBuf;

use aws::{Clock, SystemClock, Timestamp};
use clap::{Args, ValueEnum};
use codecommit_local::options::units;
use serde_json::Value;
use trail::terminal;
use trail::view::{self, CSV_HEADER, Filter};

use self::source::{Endpoint, Records, TrailFile};

/// Arguments of `events`.
#[derive(Args)]
pub(crate) struct Arguments {
    /// Folder of the trail [default: `trail` in the data folder]
    #[arg(long, env = "CODECOMMIT_LOCAL_TRAIL_DIR", value_name = "FOLDER")]
    trail_dir: Option<PathBuf>,
    /// Folder of the data
    #[arg(long, env = "CODECOMMIT_LOCAL_DATA_DIR", value_name = "FOLDER", default_value = "codecommit-data")]
    data_dir: PathBuf,
    /// Ask a running server instead of reading a folder
    #[arg(long, value_name = "URL")]
    endpoint: Option<String>,
    /// Keep printing new events
    #[arg(long, short)]
    follow: bool,
    /// Only the last events that the filters admit
    #[arg(long, value_name = "NUMBER", conflicts_with = "follow")]
    last: Option<usize>,
    #[command(flatten)]
    filters: Filters,
    /// Print the records as JSON, one per line
    #[arg(long, help_heading = "Output")]
    json: bool,
    /// Print CSV with a header
    #[arg(long, conflicts_with = "json", help_heading = "Output")]
    csv: bool,
    /// Print how many events there are for each value
    #[arg(long, value_name = "PROPERTY", conflicts_with_all = ["json", "follow"], help_heading = "Output")]
    count_by: Option<CountBy>,
}

#[derive(Args)]
#[command(next_help_heading = "Filters (values separated by commas; * stands for any characters)")]
struct Filters {
    /// Names of events, such as GitPush or Create*
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    name: Vec<String>,
    /// Users, services, roles or sessions (ROLE/SESSION)
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    user: Vec<String>,
    /// Repositories
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    repository: Vec<String>,
    /// Services, such as codecommit or sts
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    service: Vec<String>,
    /// Addresses of clients
    #[arg(long, value_name = "ADDRESS", value_delimiter = ',')]
    ip: Vec<String>,
    /// Accounts
    #[arg(long, value_name = "ACCOUNT", value_delimiter = ',')]
    account: Vec<String>,
    /// Regions
    #[arg(long, value_name = "REGION", value_delimiter = ',')]
    region: Vec<String>,
    /// First time: 2016-12-14, 2016-12-14T18:19:15Z, or how long ago: 1h
    #[arg(long, value_name = "TIME", value_parser = time)]
    since: Option<String>,
    /// Last time, written as that of --since
    #[arg(long, value_name = "TIME", value_parser = time)]
    until: Option<String>,
    /// Only calls that failed
    #[arg(long)]
    failed: bool,
    /// Only calls that may change something
    #[arg(long)]
    writes: bool,
}

/// A property to count by.
#[derive(Clone, Copy, ValueEnum)]
enum CountBy {
    User,
    Name,
    Repository,
    Hour,
}

impl From<&Filters> for Filter {
    fn from(filters: &Filters) -> Self {
        Self {
            names: filters.name.clone(),
            users: filters.user.clone(),
            repositories: filters.repository.clone(),
            services: filters.service.clone(),
            addresses: filters.ip.clone(),
            accounts: filters.account.clone(),
            regions: filters.region.clone(),
            since: filters.since.clone(),
            until: filters.until.clone(),
            failed: filters.failed,
            writes: filters.writes,
        }
    }
}

/// Reads a time in the form of records, the beginning of one, or a time before now.
fn time(text: &str) -> Result<String, String> {
    if let Ok(ago) = units::duration(text) {
        let ago = i64::try_from(ago.as_millis()).unwrap_or(i64::MAX);
        return Ok(Timestamp::from_millis(SystemClock.now().millis().saturating_sub(ago)).iso());
    }
    if view::is_time(text) {
        return Ok(text.to_owned());
    }
    Err("write a date such as 2016-12-14, a time such as 2016-12-14T18:19:15Z, or how long ago, such as 1h".to_owned())
}

/// Prints the events.
pub(crate) fn print(arguments: &Arguments) -> Result<(), String> {
    let result = if let Some(url) = &arguments.endpoint {
        Endpoint::new(url, &Filter::from(&arguments.filters))
            .and_then(|mut endpoint| print_records(&mut endpoint, arguments))
    } else {
        let folder = arguments.trail_dir.clone().unwrap_or_else(|| arguments.data_dir.join("trail"));
        let path = trail::events_path(&folder);
        let mut file = TrailFile::open(&path).map_err(|error| {
            format!("cannot read {}: {error}; name the folder with --trail-dir or --data-dir", path.display())
        })?;
        print_records(&mut file, arguments)
    };
    match result {
        // The reader of the pipe has closed it.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        result => result.map_err(|error| error.to_string()),
    }
}

fn print_records(records: &mut dyn Records, arguments: &Arguments) -> io::Result<()> {
    let filter = Filter::from(&arguments.filters);
    let mut unseen = filter.values();
    let mut printer = Printer::new(arguments);
    printer.begin()?;
    let mut last = VecDeque::new();
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    loop {
        let Some(line) = records.next()? else {
            printer.output.flush()?;
            if !arguments.follow {
                break;
            }
            records.pause();
            continue;
        };
        // Only damage of the file system makes a line that is not a record.
        let Ok(record) = serde_json::from_str::<Value>(&line) else { continue };
        filter.note_seen(&record, &mut unseen);
        if !filter.admits(&record) {
            continue;
        }
        if let Some(number) = arguments.last {
            last.push_back((line, record));
            if last.len() > number {
                last.pop_front();
            }
        } else if let Some(property) = arguments.count_by {
            count(&mut counts, property, &record);
        } else {
            printer.print(&line, &record)?;
        }
    }
    for (line, record) in &last {
        match arguments.count_by {
            Some(property) => count(&mut counts, property, record),
            None => printer.print(line, record)?,
        }
    }
    printer.print_counts(counts)?;
    for (property, value) in unseen {
        if records.has(property, &value)? {
            continue;
        }
        eprintln!("codecommit-local: no event of the trail has the {property} '{}'", terminal::printable(&value));
    }
    Ok(())
}

fn count(counts: &mut BTreeMap<String, u64>, property: CountBy, record: &Value) {
    let property = match property {
        CountBy::User => view::CountBy::User,
        CountBy::Name => view::CountBy::Name,
        CountBy::Repository => view::CountBy::Repository,
        CountBy::Hour => view::CountBy::Hour,
    };
    for key in property.keys(record) {
        *counts.entry(key).or_default() += 1;
    }
}

/// Prints events in the form that the arguments choose.
struct Printer<'a> {
    arguments: &'a Arguments,
    color: bool,
    output: io::BufWriter<io::StdoutLock<'static>>,
}

impl<'a> Printer<'a> {
    fn new(arguments: &'a Arguments) -> Self {
        let color = io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        Self { arguments, color, output: io::BufWriter::new(io::stdout().lock()) }
    }

    fn begin(&mut self) -> io::Result<()> {
        match (self.arguments.csv, self.arguments.count_by) {
            (true, None) => writeln!(self.output, "{CSV_HEADER}"),
            (true, Some(property)) => {
                let name = property.to_possible_value().expect("no value is skipped");
                writeln!(self.output, "count,{}", name.get_name())
            }
            _ => Ok(()),
        }
    }

    fn print(&mut self, line: &str, record: &Value) -> io::Result<()> {
        if self.arguments.json {
            writeln!(self.output, "{}", terminal::escaped(line))
        } else if self.arguments.csv {
            writeln!(self.output, "{}", view::csv(record))
        } else {
            writeln!(self.output, "{}", view::line(record, self.color))
        }
    }

    /// Prints counts, the highest first, or hours in their order.
    fn print_counts(&mut self, counts: BTreeMap<String, u64>) -> io::Result<()> {
        let mut counts: Vec<_> = counts.into_iter().collect();
        if !matches!(self.arguments.count_by, Some(CountBy::Hour)) {
            counts.sort_by(|(_, one), (_, other)| other.cmp(one));
        }
        for (key, count) in counts {
            let key = terminal::printable(&key);
            if self.arguments.csv {
                writeln!(self.output, "{count},{}", view::csv_field(&key))?;
            } else {
                writeln!(self.output, "{count:>8}  {key}")?;
            }
        }
        self.output.flush()
    }
}
