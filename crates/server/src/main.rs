//! The binary: settings, the log, signals, and what a person is told.

mod banner;
mod events;
mod health;
mod log;
mod simulate;
mod verify;

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::parser::ValueSource;
use clap::{ArgMatches, CommandFactory, FromArgMatches, Parser, Subcommand};
use server::settings::{LogFormat, Said};
use server::{Server, Settings};
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;
use trail::terminal::printable_lines;

/// Gives freed memory back to the system, which the system's own allocator does not when it is freed in small pieces.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

use crate::log::Repeats;

/// How many requests of Git clients are served at once; a thread that waits for a client costs little.
const THREADS_MAX: usize = 1024;

/// How long closing may take after the requests have ended or were cut off; `docker stop` kills after ten seconds in all.
const CLOSING_MAX: Duration = Duration::from_secs(4);

/// AWS CodeCommit on one machine, with its audit trail.
///
/// Serves the AWS JSON API and Git over HTTP on the same repositories, and records every call as CloudTrail does. Every
/// setting is a flag, an environment variable or a line of the configuration file; a flag wins over a variable, a variable
/// over the file.
#[derive(Parser)]
#[command(name = "codecommit-local", version, args_conflicts_with_subcommands = true)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    /// TOML file of settings, named as the flags are: `log-interval = "5s"`
    #[arg(long, env = "CODECOMMIT_LOCAL_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(flatten)]
    said: Said,
}

#[derive(Subcommand)]
enum Command {
    /// Print the trail, a line an event
    Events(events::Arguments),
    /// Ask a running server whether it is ready
    Health(health::Arguments),
    /// Validate a trail's digests and log files, without a server
    Verify(verify::Arguments),
    /// Play another AWS service as a client of a running server
    Simulate(simulate::Arguments),
}

fn main() -> ExitCode {
    let matches = Arguments::command().get_matches();
    let mut arguments = Arguments::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    prefer_flags(&matches, &mut arguments.said);
    let done = match arguments.command {
        Some(Command::Events(events)) => events::print(&events),
        Some(Command::Health(health)) => health::ask(&health),
        Some(Command::Verify(verify)) => verify::print(&verify),
        Some(Command::Simulate(simulate)) => simulate::play(&simulate),
        None => serve(arguments.config, arguments.said),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("codecommit-local: {}", printable_lines(&message));
            ExitCode::FAILURE
        }
    }
}

/// Of two settings that exclude each other the one on the command line wins over the one in the environment.
fn prefer_flags(matches: &ArgMatches, said: &mut Said) {
    let is_flag = |name: &str| matches.value_source(name) == Some(ValueSource::CommandLine);
    match (is_flag("ephemeral"), is_flag("data_dir")) {
        (true, false) if said.ephemeral == Some(true) => said.data_dir = None,
        (false, true) => said.ephemeral = None,
        _ => {}
    }
}

fn serve(config: Option<PathBuf>, said: Said) -> Result<(), String> {
    let file = config.as_deref().map(Said::read).transpose().map_err(|error| error.to_string())?;
    let said = said.or(file.unwrap_or_default());
    let log_format = said.log_format.unwrap_or(LogFormat::Text);
    let settings = said.settings().map_err(|error| error.to_string())?;
    let settings = Settings { config, ..settings };
    start_log(log_format);
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = runtime.max_blocking_threads(THREADS_MAX).enable_all().build().map_err(|error| error.to_string())?;
    let served = runtime.block_on(async {
        let (stop_timeout, is_ephemeral) = (settings.stop_timeout, settings.data_dir.is_none());
        let mut terminated = signal(SignalKind::terminate()).map_err(|error| error.to_string())?;
        let mut interrupted = signal(SignalKind::interrupt()).map_err(|error| error.to_string())?;
        let server = Server::start(settings).await.map_err(|error| error.to_string())?;
        if log_format == LogFormat::Text {
            eprint!("{}", banner::text(&server));
        }
        ready(&server).map_err(|error| error.to_string())?;
        tokio::select! {
            _ = terminated.recv() => {}
            _ = interrupted.recv() => {}
        }
        tracing::info!("stopping; requests that run may take {stop_timeout:?}");
        let temporary = is_ephemeral.then(|| server.data_folder().to_owned());
        if tokio::time::timeout(stop_timeout + CLOSING_MAX, server.stop()).await.is_err() {
            tracing::warn!("work that did not end in time is left; what was acknowledged is kept");
            // A folder that cannot be removed is left to the system, as all temporary ones are.
            let _ = temporary.map(std::fs::remove_dir_all);
        }
        Ok(())
    });
    // Work that did not end in time does not hold up the exit.
    runtime.shutdown_background();
    served
}

/// Prints the one line that programs wait for.
fn ready(server: &Server) -> std::io::Result<()> {
    let mut output = std::io::stdout().lock();
    writeln!(output, "ready {}", server.endpoint())?;
    output.flush()
}

fn start_log(format: LogFormat) {
    let filter = EnvFilter::try_from_env("CODECOMMIT_LOCAL_LOG").unwrap_or_else(|_| EnvFilter::new("info,s3s=off"));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false);
    match format {
        LogFormat::Text => log
            .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()))
            .map_event_format(|format| Repeats::new(format, false))
            .init(),
        LogFormat::Json => log.json().map_event_format(|format| Repeats::new(format, true)).init(),
    }
}
