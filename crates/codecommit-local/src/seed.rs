//! `codecommit-local seed`: writes a seed from a data folder, or checks one.

use std::path::{Path, PathBuf};

use ::seed::Location;
use aws::{AccountId, Region};
use clap::Args;
use codecommit_local::{Server, Settings, blocking};

/// Arguments of `seed`.
#[derive(Args)]
pub(crate) struct Arguments {
    /// Write a seed into this new folder, from the data folder of a running or stopped server
    #[arg(long, value_name = "FOLDER", required_unless_present = "check", conflicts_with = "check")]
    export: Option<PathBuf>,
    /// Check a seed, without a server: its files, and the objects of its repositories
    #[arg(long, value_name = "FOLDER")]
    check: Option<PathBuf>,
    /// Data folder to export
    #[arg(long, env = "CODECOMMIT_LOCAL_DATA_DIR", value_name = "FOLDER", default_value = "codecommit-data")]
    data_dir: PathBuf,
    /// Export the history of events, too
    #[arg(long)]
    events: bool,
    /// Account of entries that name none
    #[arg(long, env = "CODECOMMIT_LOCAL_ACCOUNT", value_name = "ACCOUNT", default_value = "111122223333")]
    account: AccountId,
    /// Region of entries that name none
    #[arg(long, env = "CODECOMMIT_LOCAL_REGION", value_name = "REGION", default_value = "us-east-1")]
    region: Region,
}

/// Exports or checks a seed.
pub(crate) fn run(arguments: &Arguments) -> Result<(), String> {
    let Arguments { export, check, data_dir, events, account, region } = arguments;
    let default = Location { account: account.clone(), region: region.clone() };
    if let Some(folder) = export {
        let written = ::seed::export(data_dir, folder, &default, *events).map_err(|error| error.to_string())?;
        println!(
            "wrote {} repositories, {} pull requests, {} trails and {} events into '{}'",
            written.repositories,
            written.pull_requests,
            written.trails,
            written.events,
            folder.display()
        );
    }
    check.as_deref().map_or(Ok(()), |folder| check_seed(folder, default))
}

/// Applies a seed to a temporary data folder, which is removed.
fn check_seed(folder: &Path, default: Location) -> Result<(), String> {
    let Location { account, region } = default;
    let settings = Settings { seed: Some(folder.to_owned()), account, region, ..Settings::ephemeral() };
    let runtime = blocking::runtime().map_err(|error| error.to_string())?;
    runtime.block_on(async {
        let server = Server::start(settings).await.map_err(|error| error.to_string())?;
        server.stop().await;
        Ok::<_, String>(())
    })?;
    println!("'{}' is a valid seed", folder.display());
    Ok(())
}
