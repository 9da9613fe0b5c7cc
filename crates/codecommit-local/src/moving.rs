//! `codecommit-local move`: moves the database of a data folder to a server, or back, and its Git objects with it.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use codecommit_local::options::{LogFormat, LogLevel};
use codecommit_local::{Moved, MovedObjects, Options, move_to_file, move_to_server};

use crate::log;

/// Arguments of `move`.
#[derive(Args)]
pub(crate) struct Arguments {
    /// Where the database goes
    #[arg(value_enum)]
    direction: Direction,
    /// Data folder with the Git objects, and with the database or for it; no server may use it [default: ./codecommit-data]
    #[arg(long, env = "CODECOMMIT_LOCAL_DATA_DIR", value_name = "FOLDER")]
    data_dir: Option<PathBuf>,
    /// The PostgreSQL server, as for codecommit-local: `postgres://USER@HOST/DATABASE?schema=NAME`
    #[arg(long, env = "CODECOMMIT_LOCAL_DATABASE", value_name = "URL", hide_env_values = true)]
    database: Option<String>,
    /// File of the password of --database, instead of PGPASSWORD or a line in PGPASSFILE or ~/.pgpass
    #[arg(long, env = "CODECOMMIT_LOCAL_DATABASE_PASSWORD_FILE", value_name = "FILE")]
    database_password_file: Option<PathBuf>,
    /// Folder that several servers share, or `s3://BUCKET/PREFIX`: Git objects and large files are moved into it from the data folder, or
    /// fetched from it [default: they stay in the data folder]
    #[arg(long, env = "CODECOMMIT_LOCAL_OBJECTS", value_name = "FOLDER")]
    objects: Option<PathBuf>,
    /// TOML file of settings, as for codecommit-local, which has the bucket of --objects
    #[arg(long, env = "CODECOMMIT_LOCAL_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
}

/// The ways of a database.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Direction {
    /// From the data folder to the server, whose schema has no repositories or events; the old file is kept under another name. With a
    /// database that is there already, --objects moves the Git objects alone
    ToServer,
    /// From the server into the data folder; what is on the server, and in the place of --objects, is kept
    ToFile,
}

/// Moves the database.
pub(crate) fn run(arguments: Arguments) -> Result<(), String> {
    log::start(LogFormat::Text, LogLevel::Warn)?;
    let Arguments { direction, data_dir, database, database_password_file, objects, config } = arguments;
    let options = Options { data_dir, database, database_password_file, objects, ..Options::default() };
    let file = config.as_deref().map(Options::read).transpose().map_err(|error| error.to_string())?;
    let options = options.or(file.unwrap_or_default());
    let place = options.objects.as_ref().map(|place| format!("'{}'", place.display()));
    let settings = options.settings().map_err(|error| error.to_string())?;
    let server = settings.database.as_ref().map(ToString::to_string).unwrap_or_default();
    let folder = settings.data_dir.as_ref().map(|folder| format!("'{}'", folder.display())).unwrap_or_default();
    match direction {
        Direction::ToServer => {
            let moved = move_to_server(&settings).map_err(|error| error.to_string())?;
            let rows = match moved.rows {
                Some(rows) => format!("moved {rows} rows to {server}"),
                None => format!("the rows are in {server} already"),
            };
            let Some(place) = place else {
                println!("{rows}; start the server with --data-dir {folder} and this --database");
                return Ok(());
            };
            println!("{rows}");
            match moved.objects {
                Some(objects) => print_objects(&objects, &format!("put into {place}")),
                None => println!("the Git objects and large files are in {place} already"),
            }
            println!(
                "start each server with this --database and --objects, and a data folder of its own; once they serve everything, \
                 'repositories' and 'codecommit.db.moved' in {folder} can be removed"
            );
        }
        Direction::ToFile => {
            let Moved { rows, objects } = move_to_file(&settings).map_err(|error| error.to_string())?;
            if let Some(objects) = objects {
                print_objects(&objects, &format!("fetched into {folder}"));
            }
            println!(
                "moved {} rows into {folder}; start the server with --data-dir {folder} and without --database",
                rows.unwrap_or_default()
            );
        }
    }
    Ok(())
}

/// Tells what was moved; `done` tells where to.
fn print_objects(objects: &MovedObjects, done: &str) {
    let MovedObjects { repositories, packs, large_files, missing_large_files } = objects;
    println!("{done}: {repositories} repositories with {packs} packs and {large_files} large files");
    if *missing_large_files > 0 {
        println!(
            "{missing_large_files} large files were missing before, and still are; clones that have them can send them: git lfs push --all"
        );
    }
}
