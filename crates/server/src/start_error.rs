//! Errors that keep a server from starting: what failed, why, and what to do.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use crate::folders::Overlap;

/// Why the server did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The server cannot listen on the address.
    #[error("cannot listen on {address}: {source}; choose another address with --listen, or port 0 for a free port")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The system's error.
        source: io::Error,
    },
    /// The server cannot listen for SSH on the address.
    #[error(
        "cannot listen for SSH on {address}: {source}; choose another address with --ssh-listen, or port 0 for a free port"
    )]
    ListenSsh {
        /// The address.
        address: SocketAddr,
        /// The system's error.
        source: io::Error,
    },
    /// The settings name no address.
    #[error("there is no address to listen on; give one with --listen")]
    NoAddress,
    /// A file of the certificate cannot be used.
    #[error("cannot use the file '{}' ({setting}): {reason}", path.display())]
    Certificate {
        /// The setting that names the file.
        setting: &'static str,
        /// The file.
        path: PathBuf,
        /// What is wrong with it, and what to do.
        reason: String,
    },
    /// The local certificate authority cannot be created or read.
    #[error(
        "cannot use the local certificate authority: {0}; start with --tls off, or give a certificate with --tls-cert and --tls-key"
    )]
    CertificateAuthority(String),
    /// The certificate authorities of outgoing requests cannot be read.
    #[error("cannot use the certificate authorities (--client-ca): {0}")]
    ClientAuthorities(io::Error),
    /// The system cannot create threads.
    #[error("cannot start the threads of the server: {0}")]
    Threads(io::Error),
    /// Another server uses the folder.
    #[error(
        "cannot open the {} '{}': another server{holder} uses it; stop that server, or choose another with {setting}",
        noun(setting), folder.display()
    )]
    InUse {
        /// The setting that names the folder.
        setting: &'static str,
        /// The folder.
        folder: PathBuf,
        /// The process and address of the other server, in brackets, if they are known.
        holder: String,
    },
    /// A folder or file cannot be used.
    #[error("cannot open the {} '{}': {}; {}", noun(setting), path.display(), reason(path, source), advice(setting, source))]
    Folder {
        /// The setting that names it.
        setting: &'static str,
        /// The folder or file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// The restore of a snapshot that has begun cannot be finished.
    #[error("cannot finish the restore in '{}': {source}; mend the cause and start again, which finishes it", folder.display())]
    Restore {
        /// The folder with the restored data.
        folder: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// The temporary data folder cannot be created.
    #[error("cannot create a temporary directory in '{}': {source}; choose another with the variable TMPDIR", parent.display())]
    TemporaryFolder {
        /// The folder of temporary files.
        parent: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// Folders of the settings lie in each other.
    #[error("{0}")]
    Overlap(Overlap),
    /// A file of the data or the trail cannot be opened.
    #[error("cannot open the data: {source}{}", file_advice(source))]
    Open {
        /// The system's error, with the path.
        #[from]
        source: io::Error,
    },
    /// There are repositories, and their database is gone.
    #[error(
        "the database '{}' is missing, but '{}' holds the objects of {count} repositories; restore the database from a copy, or move that \
         folder away to start without them",
        database.display(), repositories.display()
    )]
    DatabaseLost {
        /// The database file.
        database: PathBuf,
        /// The folder of the repositories.
        repositories: PathBuf,
        /// The number of repositories.
        count: usize,
    },
    /// The seed cannot be applied.
    #[error(transparent)]
    Seed(#[from] seed::Error),
    /// The database cannot be opened.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The data folder holds a database, but the settings name one on a server.
    #[error(
        "the data folder holds a database of its own, '{}', but --database names one on a server; choose another folder with --data-dir, or start without --database",
        .0.display()
    )]
    OtherDatabase(PathBuf),
    /// This server cannot join the others that use the database.
    #[error(transparent)]
    Node(#[from] cluster::JoinError),
    /// The file with the id of this node cannot be used.
    #[error("cannot use the file '{}', which has the id of this node: {source}", path.display())]
    NodeId {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// The identities file cannot be used.
    #[error(transparent)]
    Identities(#[from] identity::Error),
}

/// Names the folder or file of a setting.
fn noun(setting: &str) -> &'static str {
    match setting {
        "--data-dir" => "data directory",
        "--trail-dir" => "trail directory",
        "--buckets-dir" => "buckets directory",
        "--trail-archive" => "archive directory",
        "--signing-key" => "signing key",
        "--identities" => "identities file",
        _ => "configuration file",
    }
}

/// Explains an error of a path.
fn reason(path: &Path, error: &io::Error) -> String {
    match error.kind() {
        ErrorKind::AlreadyExists | ErrorKind::NotADirectory => {
            match path.ancestors().skip(1).find(|ancestor| ancestor.is_file()) {
                Some(file) => format!("'{}' is a file", file.display()),
                None => "it is a file".to_owned(),
            }
        }
        ErrorKind::IsADirectory => "it is a directory".to_owned(),
        ErrorKind::PermissionDenied => "permission denied".to_owned(),
        ErrorKind::ReadOnlyFilesystem => "its file system is read-only".to_owned(),
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "no space left on its disk".to_owned(),
        _ => error.to_string(),
    }
}

/// Returns what to do about an error of the folder or file of a setting.
fn advice(setting: &str, error: &io::Error) -> String {
    let action = match error.kind() {
        ErrorKind::AlreadyExists | ErrorKind::NotADirectory | ErrorKind::IsADirectory => "move it away",
        ErrorKind::PermissionDenied => "give this user write access",
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "free some space",
        _ => return format!("choose another with {setting}"),
    };
    format!("{action}, or choose another with {setting}")
}

/// Returns what to do about an error of a file in the data or trail directory, after a semicolon.
fn file_advice(error: &io::Error) -> &'static str {
    match error.kind() {
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
            "; give this user access to it, or choose other directories with --data-dir and --trail-dir"
        }
        ErrorKind::AlreadyExists | ErrorKind::NotADirectory => {
            "; a file is in the place of a directory: move it away, or choose other directories with --data-dir and --trail-dir"
        }
        ErrorKind::IsADirectory => "; a directory is in the place of a file: move it away",
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "; free some space on its disk",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_of_a_directory_has_a_reason_and_advice() {
        for (kind, reason, advice) in [
            (ErrorKind::PermissionDenied, "permission denied", "give this user write access, or choose another with"),
            (ErrorKind::ReadOnlyFilesystem, "its file system is read-only", "choose another with"),
            (ErrorKind::StorageFull, "no space left on its disk", "free some space, or choose another with"),
            (ErrorKind::IsADirectory, "it is a directory", "move it away, or choose another with"),
        ] {
            let (setting, path) = ("--trail-dir", PathBuf::from("x"));
            let error = StartError::Folder { setting, path, source: kind.into() };
            let expected = format!("cannot open the trail directory 'x': {reason}; {advice} --trail-dir");
            assert_eq!(error.to_string(), expected);
        }
    }
}
