//! `codecommit-local move`: moves the database of a data folder to a server, or back.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use codecommit_local::{Options, move_to_file, move_to_server};

/// Arguments of `move`.
#[derive(Args)]
pub(crate) struct Arguments {
    /// Where the database goes
    #[arg(value_enum)]
    direction: Direction,
    /// Data folder with the Git objects, and with the database or for it; no server may use it
    #[arg(long, env = "CODECOMMIT_LOCAL_DATA_DIR", value_name = "FOLDER", default_value = "codecommit-data")]
    data_dir: PathBuf,
    /// The PostgreSQL server, as for codecommit-local: `postgres://USER@HOST/DATABASE?schema=NAME`
    #[arg(long, env = "CODECOMMIT_LOCAL_DATABASE", value_name = "URL", hide_env_values = true)]
    database: String,
    /// File of the password of --database, instead of PGPASSWORD or a line in PGPASSFILE or ~/.pgpass
    #[arg(long, env = "CODECOMMIT_LOCAL_DATABASE_PASSWORD_FILE", value_name = "FILE")]
    database_password_file: Option<PathBuf>,
}

/// The ways of a database.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Direction {
    /// From the data folder to the server, whose schema has no repositories or events; the old file is kept under another name
    ToServer,
    /// From the server into the data folder; the rows on the server are kept
    ToFile,
}

/// Moves the database.
pub(crate) fn run(arguments: Arguments) -> Result<(), String> {
    let Arguments { direction, data_dir, database, database_password_file } = arguments;
    let options = Options { database: Some(database), database_password_file, ..Options::default() };
    let server = options.settings().map_err(|error| error.to_string())?.database;
    let server = server.ok_or("database: name a server, such as postgres://USER@HOST/DATABASE")?;
    let shown = server.to_string();
    let folder = data_dir.display();
    match direction {
        Direction::ToServer => {
            let rows = move_to_server(&data_dir, server).map_err(|error| error.to_string())?;
            println!("moved {rows} rows to {shown}; start the server with --data-dir '{folder}' and this --database");
        }
        Direction::ToFile => {
            let rows = move_to_file(&data_dir, server).map_err(|error| error.to_string())?;
            println!(
                "moved {rows} rows into '{folder}'; start the server with --data-dir '{folder}' and without --database"
            );
        }
    }
    Ok(())
}
