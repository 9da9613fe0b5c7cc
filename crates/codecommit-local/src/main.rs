//! The program: commands, settings, the log and signals.

mod banner;
mod completions;
mod console_url;
mod environment;
mod events;
mod health;
mod identities;
mod local_request;
mod log;
mod moving;
mod nodes;
mod parent;
mod seed;
mod server_trust;
mod simulate;
mod verify;

use std::ffi::OsString;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::parser::ValueSource;
use clap::{ArgMatches, CommandFactory, FromArgMatches, Parser, Subcommand};
use codecommit_local::options::{LogFormat, LogLevel};
use codecommit_local::{Options, Server, Settings, blocking};
use parent::Parent;
use server::settings::Access;
use tokio::signal::unix::{SignalKind, signal};
use trail::terminal::printable_lines;

/// Returns freed memory to the system, which the C library's allocator does not do for small pieces.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Time to close after all requests have ended; `docker stop` kills ten seconds after its signal.
const CLOSING_MAX: Duration = Duration::from_secs(4);

/// AWS CodeCommit on one machine, with its audit trail
///
/// Serves AWS's JSON API and Git over HTTP on the same repositories, and records every call as AWS CloudTrail does. Each
/// setting is a flag, an environment variable or a line of the configuration file; a flag overrides a variable, a variable
/// overrides the file. TIME is a number with ms, s, m, h or d (5s); SIZE is a number with KB, MB or GB (5MB).
#[derive(Parser)]
#[command(
    name = "codecommit-local",
    version = env!("CODECOMMIT_LOCAL_VERSION"),
    args_conflicts_with_subcommands = true,
    after_help = EXAMPLES,
)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    /// TOML file of settings, named as the flags are: log-interval = "5s"
    #[arg(long, env = "CODECOMMIT_LOCAL_CONFIG", value_name = "FILE", help_heading = "Server")]
    config: Option<PathBuf>,
    #[command(flatten)]
    options: Options,
}

const EXAMPLES: &str = "\
Examples:
  codecommit-local                            serve at http://127.0.0.1:4599
  codecommit-local --ephemeral                serve, and keep nothing
  codecommit-local --listen 127.0.0.1:0       serve on a free port
  eval \"$(codecommit-local env)\"             point this shell's clients at it
  codecommit-local events --follow            watch the trail
  codecommit-local --help                     show all settings";

#[derive(Subcommand)]
enum Command {
    /// Print shell completions
    Completions(completions::Arguments),
    /// Print a link that signs a user in to the console of a running server
    ConsoleUrl(console_url::Arguments),
    /// Print the environment variables that point the AWS CLI, SDKs and git at a server
    Env(environment::Arguments),
    /// Print the trail, one event per line
    Events(events::Arguments),
    /// Ask a running server whether it is ready
    Health(health::Arguments),
    /// Write an identities file with users and random keys, and a sheet for each user, for labs and trainings
    Identities(identities::Arguments),
    /// Print the manual page
    Man,
    /// Move the database of a data folder to a server with PostgreSQL, or back
    Move(moving::Arguments),
    /// Print the servers that use the same database as a running one, and what each does for all
    Nodes(nodes::Arguments),
    /// Write a seed from a data folder, or check one
    Seed(seed::Arguments),
    /// Start the server; the same as no command
    Serve,
    /// Act as another AWS service that is a client of a running server
    Simulate(simulate::Arguments),
    /// Validate the digests and log files of a trail, without a server
    Verify(verify::Arguments),
    /// Print the version
    Version,
}

fn main() -> ExitCode {
    let matches = Arguments::command().get_matches_from(command_line());
    let mut arguments = Arguments::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    prefer_flags(&matches, &mut arguments.options);
    let done = match arguments.command {
        Some(Command::Completions(completions)) => {
            completions::print(&completions, Arguments::command());
            Ok(())
        }
        Some(Command::ConsoleUrl(link)) => console_url::print(&link),
        Some(Command::Env(environment)) => environment::print(&environment),
        Some(Command::Events(events)) => events::print(&events),
        Some(Command::Health(health)) => health::ask(&health),
        Some(Command::Identities(identities)) => identities::write(&identities),
        Some(Command::Man) => completions::print_manual(Arguments::command()),
        Some(Command::Move(arguments)) => moving::run(arguments),
        Some(Command::Nodes(nodes)) => nodes::print(&nodes),
        Some(Command::Seed(seed)) => seed::run(&seed),
        Some(Command::Simulate(simulate)) => simulate::run(&simulate),
        Some(Command::Verify(verify)) => verify::print(&verify),
        Some(Command::Version) => {
            println!("codecommit-local {}", env!("CODECOMMIT_LOCAL_VERSION"));
            Ok(())
        }
        Some(Command::Serve) | None => serve(arguments.config, arguments.options),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("codecommit-local: {}", printable_lines(&message));
            ExitCode::FAILURE
        }
    }
}

/// Returns the command line without the command `serve`, after which all flags of the server may follow.
fn command_line() -> Vec<OsString> {
    let mut arguments: Vec<_> = std::env::args_os().collect();
    if arguments.get(1).is_some_and(|argument| argument == "serve") {
        arguments.remove(1);
    }
    arguments
}

/// Decides between `ephemeral` and `data-dir`, which exclude each other: a flag overrides a variable, and of two variables
/// `ephemeral` is used, because container images set a default data folder.
fn prefer_flags(matches: &ArgMatches, options: &mut Options) {
    let is_flag = |name: &str| matches.value_source(name) == Some(ValueSource::CommandLine);
    match (is_flag("ephemeral"), is_flag("data_dir")) {
        (_, false) if options.ephemeral == Some(true) => options.data_dir = None,
        (false, true) => options.ephemeral = None,
        _ => {}
    }
}

fn serve(config: Option<PathBuf>, options: Options) -> Result<(), String> {
    let file = config.as_deref().map(Options::read).transpose().map_err(|error| error.to_string())?;
    let options = options.or(file.unwrap_or_default());
    let log_format = options.log_format.unwrap_or(LogFormat::Text);
    let quiet = options.quiet.unwrap_or(false);
    let exit_with_parent = options.exit_with_parent.unwrap_or(false);
    let log_level = if quiet { LogLevel::Warn } else { options.log_level.unwrap_or_default() };
    let settings = options.settings().map_err(|error| error.to_string())?;
    let settings = Settings { config, ..settings };
    log::start(log_format, log_level)?;
    let runtime = blocking::runtime().map_err(|error| error.to_string())?;
    let served = runtime.block_on(async {
        let (stop_timeout, is_ephemeral) = (settings.stop_timeout, settings.data_dir.is_none());
        let mut terminated = signal(SignalKind::terminate()).map_err(|error| error.to_string())?;
        let mut interrupted = signal(SignalKind::interrupt()).map_err(|error| error.to_string())?;
        let mut reload = signal(SignalKind::hangup()).map_err(|error| error.to_string())?;
        let mut parent = if exit_with_parent { Parent::watch()? } else { Parent::ignored() };
        let server = Server::start(settings).await.map_err(|error| error.to_string())?;
        if let Err(error) = parent.check() {
            server.stop().await;
            return Err(error);
        }
        if log_format == LogFormat::Text && !quiet {
            eprint!("{}", banner::text(&server));
        } else if let Some(key) = server.new_administrator_key() {
            // Nothing shows the secret later.
            eprintln!("access key of the administrator: {} {}", key.id, key.secret.as_str());
        }
        print_ready(&server).map_err(|error| error.to_string())?;
        warn_of_open_address(&server);
        loop {
            tokio::select! {
                _ = terminated.recv() => break,
                _ = interrupted.recv() => break,
                () = parent.ended() => {
                    tracing::info!("standard input has ended, as the parent process has");
                    break;
                }
                _ = reload.recv() => read_again(&server),
            }
        }
        tracing::info!(?stop_timeout, "stopping the server");
        let temporary = is_ephemeral.then(|| server.data_folder().to_owned());
        if tokio::time::timeout(stop_timeout + CLOSING_MAX, server.stop()).await.is_err() {
            tracing::warn!("exiting before all work has ended; everything that was acknowledged is kept");
            // The system removes temporary folders that are left.
            let _ = temporary.map(std::fs::remove_dir_all);
        }
        Ok(())
    });
    // Work that still runs must not delay the exit.
    runtime.shutdown_background();
    served
}

/// Reads the identities file and the certificate again.
fn read_again(server: &Server) {
    match server.reload_identities() {
        Ok(()) => tracing::info!("reloaded the identities file"),
        Err(error) => tracing::warn!(%error, "cannot reload the identities file; the identities stay as they were"),
    }
    if let Err(error) = server.reload_certificate() {
        tracing::warn!(%error, "cannot reload the certificate; the former one stays");
    }
}

/// Warns of addresses that other machines can reach if nothing verifies credentials.
fn warn_of_open_address(server: &Server) {
    if server.access() != Access::Open {
        return;
    }
    for address in server.addresses().iter().filter(|address| !address.ip().is_loopback()) {
        tracing::warn!(
            %address,
            "everyone in the network can read and change all repositories; for this machine only, use --listen 127.0.0.1:{}",
            address.port()
        );
    }
}

/// Prints the line that scripts and test harnesses wait for.
fn print_ready(server: &Server) -> std::io::Result<()> {
    let mut output = std::io::stdout().lock();
    writeln!(output, "ready {}", server.endpoint())?;
    output.flush()
}
