//! The setting of the database, and the password of a server.

use std::env;
use std::path::{Path, PathBuf};

use store::postgres::ServerSettings;

use super::SettingError;

/// Maximum length of the name of a node.
const NODE_NAME_MAX: usize = 100;

/// Reads the setting; `None` is a file in the data folder.
pub(super) fn settings(
    database: Option<String>,
    password_file: Option<PathBuf>,
) -> Result<Option<ServerSettings>, SettingError> {
    let Some(url) = database.filter(|url| url != "sqlite:") else {
        return match password_file {
            Some(_) => Err(SettingError("database-password-file needs database, the URL of a server".to_owned())),
            None => Ok(None),
        };
    };
    if url.starts_with("sqlite:") {
        let message = "database: the file of SQLite is always in the data folder; write sqlite: alone, and its folder as data-dir";
        return Err(SettingError(message.to_owned()));
    }
    let server = ServerSettings::parse(&url).map_err(|error| SettingError(format!("database: {error}")))?;
    let password = match password_file {
        Some(file) => Some(read_password(&file)?),
        None if server.has_password() => None,
        None => match env::var("PGPASSWORD") {
            Ok(password) => Some(password),
            Err(_) => password_of_user(&server)?,
        },
    };
    Ok(Some(match password {
        Some(password) => server.with_password(&password),
        None => server,
    }))
}

/// Checks the name of a node; only a server with a database on a server has one.
pub(super) fn node_name(name: Option<String>, has_server: bool) -> Result<Option<String>, SettingError> {
    let Some(name) = name else { return Ok(None) };
    if !has_server {
        return Err(SettingError("node-name needs database, the URL of a server".to_owned()));
    }
    let is_allowed = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
    if name.is_empty() || name.len() > NODE_NAME_MAX || !name.chars().all(is_allowed) {
        return Err(SettingError(format!(
            "node-name: '{name}' is not a name; write letters, digits, dots, dashes and underscores, {NODE_NAME_MAX} at most"
        )));
    }
    Ok(Some(name))
}

fn read_password(file: &Path) -> Result<String, SettingError> {
    let failed = |reason: &dyn std::fmt::Display| {
        SettingError(format!("database-password-file: cannot use '{}': {reason}", file.display()))
    };
    let text = std::fs::read_to_string(file).map_err(|error| failed(&error))?;
    let password = text.lines().next().unwrap_or_default();
    if password.is_empty() {
        return Err(failed(&"its first line, the password, is empty"));
    }
    Ok(password.to_owned())
}

/// Finds the password where the programs of PostgreSQL look for it: in the file of `PGPASSFILE`, else in `~/.pgpass`.
fn password_of_user(server: &ServerSettings) -> Result<Option<String>, SettingError> {
    let named = env::var_os("PGPASSFILE").map(PathBuf::from);
    let file = named.clone().or_else(|| Some(PathBuf::from(env::var_os("HOME")?).join(".pgpass")));
    let Some(file) = file else { return Ok(None) };
    match server.password_in(&file) {
        Ok(password) => Ok(password),
        Err(error) if named.is_some() => {
            Err(SettingError(format!("database: cannot read the file of PGPASSFILE, '{}': {error}", file.display())))
        }
        // The user has none.
        Err(_) => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(database: &str) -> Result<Option<ServerSettings>, String> {
        settings(Some(database.to_owned()), None).map_err(|error| error.to_string())
    }

    #[test]
    fn the_database_is_a_file_or_the_url_of_a_server() {
        assert!(settings(None, None).expect("it is the default").is_none());
        assert!(read("sqlite:").expect("it is the default").is_none());
        let server = read("postgres://li@127.0.0.1/trail?schema=lab").expect("it is a URL").expect("it is a server");
        assert_eq!(server.to_string(), "postgres://127.0.0.1:5432/trail?schema=lab");
        for (database, expected) in [
            ("sqlite:/tmp/x.db", "database: the file of SQLite is always in the data folder; write sqlite: alone"),
            ("mysql://127.0.0.1/x", "database: it must be a URL such as postgres://USER@HOST/DATABASE"),
            ("postgres://127.0.0.1/x?schema=No", "database: the schema must have lower-case letters"),
            ("postgres://127.0.0.1/x?sslmode=prefer", "database: sslmode must be disable, require or verify-full"),
        ] {
            let error = read(database).expect_err("it is not valid");
            assert!(error.starts_with(expected), "{error}");
        }
    }

    #[test]
    fn a_node_has_a_plain_name() {
        let named = |name: &str| node_name(Some(name.to_owned()), true).map_err(|error| error.to_string());
        assert_eq!(named("node-1.example_x"), Ok(Some("node-1.example_x".to_owned())));
        for name in ["", "a b", "a/b", "\u{e9}", &"a".repeat(101)] {
            assert!(named(name).is_err_and(|message| message.starts_with("node-name: '")), "{name}");
        }
        let error = node_name(Some("a".to_owned()), false).expect_err("there is one node only");
        assert_eq!(error.to_string(), "node-name needs database, the URL of a server");
        assert!(node_name(None, false).is_ok_and(|name| name.is_none()));
    }

    #[test]
    fn the_password_is_the_first_line_of_its_file() {
        let folder = tempfile::tempdir().expect("a temporary folder can be created");
        let file = folder.path().join("password");
        std::fs::write(&file, "s3cret\n").expect("the folder is writable");
        let url = || Some("postgres://li@127.0.0.1/trail".to_owned());
        let server = settings(url(), Some(file.clone())).expect("the file is readable").expect("it is a server");
        assert!(server.has_password() && !format!("{server:?}").contains("s3cret"));
        std::fs::write(&file, "\n").expect("the folder is writable");
        for (database, expected) in [(url(), "its first line, the password, is empty"), (None, "needs database")] {
            let error = settings(database, Some(file.clone())).expect_err("it is not usable").to_string();
            assert!(error.starts_with("database-password-file") && error.contains(expected), "{error}");
        }
    }
}
