//! The log line of a call.

use aws::Call;

/// Logs a call: at `info` if it failed, else at `debug`.
///
/// `error` is the name of the failure, `repository` that of a Git request's repository.
pub(crate) fn log(call: &Call, operation: &str, status: u16, error: Option<&str>, repository: Option<&str>) {
    // tracing needs the level of a log line at compile time.
    macro_rules! log {
        ($level:ident) => {
            tracing::$level!(
                operation,
                status,
                error,
                repository,
                user = %call.caller.arn,
                account = %call.account,
                region = %call.region,
                request_id = call.request_id(),
                "call"
            )
        };
    }
    if status < 400 {
        log!(debug);
    } else {
        log!(info);
    }
}
