//! `codecommit-local identities`: an identities file with users and random keys, and a sheet for each user, for labs and trainings.
//!
//! **Invariant:** secrets go into files that only their owner can read, and nowhere else unless standard output is asked for.

mod declaration;
mod new_user;
mod output;
mod sheet;

use std::path::{Path, PathBuf};

use aws::{AccountId, Region};
use clap::Args;
use server::settings::Identities;

use self::declaration::Declaration;
use self::new_user::Numbering;
use self::output::SecretFile;
use self::sheet::Sheet;
use crate::environment;

/// The file name that stands for standard output.
const STANDARD_OUTPUT: &str = "-";

/// Arguments of `identities`.
#[derive(Args)]
pub(crate) struct Arguments {
    /// Number of users
    #[arg(long, value_name = "NUMBER")]
    users: u32,
    /// Beginning of the users' names, which a number follows; with an s, the name of their group
    #[arg(long, value_name = "NAME", default_value = "student")]
    prefix: String,
    /// Number of the first user
    #[arg(long, value_name = "NUMBER", default_value = "1")]
    first: u32,
    /// Managed policy of the group, by name or ARN; can be repeated
    #[arg(long, value_name = "POLICY", default_value = "AWSCodeCommitPowerUser")]
    policy: Vec<String>,
    /// Account of the users
    #[arg(long, env = "CODECOMMIT_LOCAL_ACCOUNT", value_name = "ACCOUNT", default_value = "111122223333")]
    account: AccountId,
    /// Region of the sheets
    #[arg(long, env = "CODECOMMIT_LOCAL_REGION", value_name = "REGION", default_value = "us-east-1")]
    region: Region,
    /// Identities file to write, which only you can read; - for standard output
    #[arg(long, value_name = "FILE", default_value = "identities.toml")]
    out: PathBuf,
    /// Folder for a sheet of each user with what to paste into a shell: settings, keys, first commands
    #[arg(long, value_name = "FOLDER")]
    sheets: Option<PathBuf>,
    /// URL of the server on the sheets, as the users reach it; with https, they download its certificate authority
    #[arg(long, env = "CODECOMMIT_LOCAL_ENDPOINT", value_name = "URL", default_value = "http://127.0.0.1:4599")]
    endpoint: String,
    /// Repository on the sheets, which exists already [default: each user creates one with the user's name]
    #[arg(long, value_name = "NAME")]
    repository: Option<String>,
    /// Replace files that exist
    #[arg(long)]
    force: bool,
}

/// Writes the identities file and the sheets.
pub(crate) fn write(arguments: &Arguments) -> Result<(), String> {
    let endpoint = environment::checked_endpoint(&arguments.endpoint)?;
    if let Some(name) = arguments.repository.as_deref().filter(|name| !sheet::is_repository_name(name)) {
        return Err(format!("--repository: '{name}' is not the name of a repository"));
    }
    let numbering = Numbering::new(&arguments.prefix, arguments.first, arguments.users)?;
    let users = numbering.users();
    let declaration = Declaration {
        account: &arguments.account,
        group: &numbering.group(),
        policies: &arguments.policy,
        users: &users,
    };
    let text = declaration.text()?;
    let to_standard_output = arguments.out == Path::new(STANDARD_OUTPUT);
    check(&text, &arguments.account)?;
    let sheets = arguments.sheets.iter().flat_map(|folder| {
        users.iter().map(|user| SecretFile {
            path: folder.join(format!("{}.txt", user.name)),
            text: Sheet {
                user,
                account: &arguments.account,
                region: &arguments.region,
                endpoint: &endpoint,
                repository: arguments.repository.as_deref(),
            }
            .text(),
        })
    });
    let sheets: Vec<_> = sheets.collect();
    let file = (!to_standard_output).then(|| SecretFile { path: arguments.out.clone(), text: text.clone() });
    let files: Vec<_> = file.into_iter().chain(sheets).collect();
    output::write_all(&files, arguments.force)?;
    if to_standard_output {
        print!("{text}");
    } else {
        let names = format!("{} to {}", users[0].name, users[users.len() - 1].name);
        eprintln!("Wrote {} with {} users, {names}.", arguments.out.display(), users.len());
    }
    if let Some(folder) = &arguments.sheets {
        eprintln!("Wrote a sheet for each user to {}.", folder.display());
    }
    Ok(())
}

/// Reads the file as the server does, which finds policies that do not exist.
fn check(text: &str, account: &AccountId) -> Result<(), String> {
    let read = Identities::parse(text, Path::new("identities.toml"), account.clone());
    read.map(drop).map_err(|error| match error {
        server::settings::IdentitiesError::Invalid { message, .. } => format!("--policy: {message}"),
        error @ server::settings::IdentitiesError::Unreadable { .. } => error.to_string(),
    })
}

#[cfg(test)]
mod tests;
