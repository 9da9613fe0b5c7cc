//! Errors of the server and of the connection to it.

use std::error::Error as _;
use std::fmt::Display;

use tokio_postgres::error::{Severity, SqlState};

use crate::{Cause, Error};

/// Converts an error of the client or the server.
pub(super) fn error_of(database: &str, error: &tokio_postgres::Error) -> Error {
    let Some(reported) = error.as_db_error() else {
        let mut reason = error.to_string();
        let mut source = error.source();
        while let Some(inner) = source {
            reason = format!("{reason}: {inner}");
            source = inner.source();
        }
        // Waiting for the server does not help against a certificate that is not trusted.
        let is_tls = reason.starts_with("error performing TLS handshake");
        let cause = if is_tls { Cause::Refused } else { Cause::Unreachable };
        return Error::Database { database: database.to_owned(), reason, cause };
    };
    let reason = format!("{} (SQLSTATE {})", reported.message(), reported.code().code());
    Error::Database { database: database.to_owned(), reason, cause: cause_of(reported.code()) }
}

fn cause_of(state: &SqlState) -> Cause {
    // The first two characters are the class.
    match (&state.code()[..2], state.code()) {
        ("53", "53100") => Cause::DiskFull,
        // Too many connections, and the states of a server that starts or stops.
        ("08", _) | ("53", "53300") | ("57", "57P01" | "57P02" | "57P03" | "57P05") | ("25", "25P03") => {
            Cause::Unreachable
        }
        ("28" | "3D" | "3F", _) | ("42", "42501") => Cause::Refused,
        ("55", "55P03") | ("57", "57014") => Cause::TimedOut,
        ("XX", "XX001" | "XX002") => Cause::Damaged,
        _ => Cause::Other,
    }
}

/// Returns whether the connection is of no use after the error.
pub(super) fn ends_connection(error: &tokio_postgres::Error) -> bool {
    error.as_db_error().is_none_or(|reported| {
        matches!(reported.parsed_severity(), Some(Severity::Fatal | Severity::Panic))
            || cause_of(reported.code()) == Cause::Unreachable
    })
}

/// The error of something that is not a statement.
pub(crate) fn failure(database: &str, reason: &dyn Display) -> Error {
    Error::Database { database: database.to_owned(), reason: reason.to_string(), cause: Cause::Unreachable }
}
