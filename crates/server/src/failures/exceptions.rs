//! The exceptions that operations can be made to fail with: those of AWS's models, and those that every operation has.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use aws::{Failure, Operation};
use codecommit::CodeCommit;
use identity::{Iam, Sts};
use tagging::Tagging;
use trail::CloudTrail;

/// `eventName` of fetches and pushes, batches of Git LFS included, and of changes of locks, which are operations of no table.
const GIT: [&str; 4] = ["GitPull", "GitPush", "CreateLfsLock", "DeleteLfsLock"];

/// Exceptions of operations that AWS has no model of.
const GIT_EXCEPTIONS: [(&str, &[&str]); 4] = [
    ("CreateLfsLock", &["RepositoryDoesNotExistException"]),
    ("DeleteLfsLock", &["RepositoryDoesNotExistException"]),
    (
        "GitPull",
        &[
            "EncryptionIntegrityChecksFailedException:500",
            "EncryptionKeyAccessDeniedException",
            "EncryptionKeyDisabledException",
            "EncryptionKeyNotFoundException",
            "EncryptionKeyUnavailableException",
            "RepositoryDoesNotExistException",
        ],
    ),
    (
        "GitPush",
        &[
            "ConcurrentReferenceUpdateException",
            "EncryptionIntegrityChecksFailedException:500",
            "EncryptionKeyAccessDeniedException",
            "EncryptionKeyDisabledException",
            "EncryptionKeyNotFoundException",
            "EncryptionKeyUnavailableException",
            "RepositoryDoesNotExistException",
        ],
    ),
];

/// Exceptions that AWS documents for the operations of all services: name, status, message.
const GENERAL: [(&str, u16, &str); 3] = [
    ("InternalFailure", 500, "The request processing has failed because of an unknown error, exception or failure."),
    ("ServiceUnavailable", 503, "The request has failed due to a temporary failure of the server."),
    ("ThrottlingException", 400, "Rate exceeded"),
];

/// The message of an exception of a model, which is AWS's for none of them: AWS's messages contain values of the call.
const SIMULATED: &str = "The settings of this server simulate this failure.";

/// An exception of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Exception {
    /// The name in records.
    name: &'static str,
    /// The name on the wire.
    code: &'static str,
    status: u16,
    message: &'static str,
}

impl Exception {
    /// Returns the failure with a message, or with that of the exception.
    pub(crate) fn failure(&self, message: Option<&str>) -> Failure {
        let failure = Failure::new(self.code, message.unwrap_or(self.message), self.status);
        Failure { recorded_as: (self.name != self.code).then_some(self.name), ..failure }
    }
}

static EXCEPTIONS: LazyLock<BTreeMap<&str, Vec<Exception>>> = LazyLock::new(|| {
    let modelled = include_str!("exceptions.txt").lines().filter(|line| !line.starts_with('#'));
    let modelled = modelled.filter_map(|line| line.split_once(": "));
    let modelled = modelled.map(|(operation, list)| (operation, list.split(' ').map(parse).collect()));
    let git =
        GIT_EXCEPTIONS.iter().map(|(operation, list)| (*operation, list.iter().map(|text| parse(text)).collect()));
    modelled.chain(git).collect()
});

/// Reads `NAME=CODE:STATUS`, whose last two parts can be missing.
fn parse(text: &'static str) -> Exception {
    let (names, status) = text.split_once(':').unwrap_or((text, "400"));
    let (name, code) = names.split_once('=').unwrap_or((names, names));
    Exception { name, code, status: status.parse().expect("the table has numbers"), message: SIMULATED }
}

/// Lists the names of all operations, those of Git included.
pub(crate) fn operations() -> impl Iterator<Item = &'static str> {
    names(CodeCommit::operations())
        .chain(names(CloudTrail::operations()))
        .chain(names(Tagging::operations()))
        .chain(names(Sts::operations()))
        .chain(names(Iam::operations()))
        .chain(GIT)
}

fn names<S, T>(operations: &'static [Operation<S, T>]) -> impl Iterator<Item = &'static str> {
    operations.iter().map(|operation| operation.name)
}

/// Lists the exceptions of an operation.
fn exceptions(operation: &str) -> impl Iterator<Item = Exception> {
    let is_query = Sts::operation(operation).is_some() || Iam::operation(operation).is_some();
    let is_git = GIT.contains(&operation);
    let general = GENERAL.into_iter().map(move |(name, status, message)| match name {
        // AWS query has a name of its own for throttling, and Git clients a message of their own for faults.
        "ThrottlingException" if is_query => Exception { name, code: "Throttling", status, message },
        "InternalFailure" if is_git => Exception { name, code: name, status, message: "Internal Service Error" },
        _ => Exception { name, code: name, status, message },
    });
    let modelled = EXCEPTIONS.get(operation).map_or(&[][..], Vec::as_slice);
    modelled.iter().copied().chain(general)
}

/// Finds an exception of an operation by its name in records or on the wire.
pub(crate) fn find(operation: &str, name: &str) -> Option<Exception> {
    exceptions(operation).find(|exception| exception.name == name || exception.code == name)
}

/// Lists the names of the exceptions that any of some operations has, in the order of the alphabet.
pub(crate) fn names_of(operations: &[&str]) -> Vec<&'static str> {
    let mut names: Vec<_> =
        operations.iter().flat_map(|operation| exceptions(operation)).map(|exception| exception.name).collect();
    names.sort_unstable();
    names.dedup();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_table_is_of_an_operation() {
        let operations: Vec<_> = operations().collect();
        for operation in EXCEPTIONS.keys() {
            assert!(operations.contains(operation), "{operation}");
        }
    }

    #[test]
    fn records_and_wire_can_have_different_names() {
        let failure = |operation, name| find(operation, name).expect("the operation has the exception").failure(None);
        let missing = failure("GetUser", "NoSuchEntityException");
        assert_eq!(
            (&*missing.name, missing.error_code(), missing.status),
            ("NoSuchEntity", "NoSuchEntityException", 404)
        );
        assert_eq!(failure("GetUser", "NoSuchEntity"), missing);
        let throttled = failure("GetUser", "ThrottlingException");
        assert_eq!((&*throttled.name, throttled.error_code()), ("Throttling", "ThrottlingException"));
        let throttled = failure("GetBranch", "ThrottlingException");
        assert_eq!(
            (&*throttled.name, &*throttled.message, throttled.status),
            ("ThrottlingException", "Rate exceeded", 400)
        );
        assert_eq!(failure("GetBranch", "EncryptionIntegrityChecksFailedException").status, 500);
        assert_eq!(failure("GitPull", "EncryptionIntegrityChecksFailedException").status, 500);
        assert_eq!(find("GetBranch", "NoSuchEntity"), None);
    }
}
