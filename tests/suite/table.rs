//! The operation tables of the services, without the operations of features that this program does not have.

use aws::{Access, Operation};
use codecommit::CodeCommit;
use identity::{Iam, Sts};
use tagging::Tagging;
use trail::CloudTrail;

/// A row of a table.
#[derive(Debug)]
pub struct Row {
    /// The name of the operation.
    pub name: &'static str,
    /// Whether it only reads.
    pub reads: bool,
    /// Whether AWS publishes the schema of its shapes.
    pub has_schema: bool,
}

/// Lists the operations of CodeCommit.
pub fn codecommit() -> Vec<Row> {
    supported(CodeCommit::operations())
}

/// Lists the operations of CloudTrail.
pub fn cloudtrail() -> Vec<Row> {
    supported(CloudTrail::operations())
}

/// Lists the operations of the Resource Groups Tagging API.
pub fn tagging() -> Vec<Row> {
    supported(Tagging::operations())
}

/// Lists the operations of all services that use AWS JSON.
pub fn json() -> Vec<Row> {
    [codecommit(), cloudtrail(), tagging()].into_iter().flatten().collect()
}

/// Lists the operations of all services.
pub fn all() -> Vec<Row> {
    [json(), supported(Sts::operations()), supported(Iam::operations())].into_iter().flatten().collect()
}

/// Finds the row of an operation of a service that uses AWS JSON.
pub fn row(operation: &str) -> Row {
    let row = json().into_iter().find(|row| row.name == operation);
    row.unwrap_or_else(|| panic!("{operation} is in no table"))
}

fn supported<S, T>(operations: &[Operation<S, T>]) -> Vec<Row> {
    let supported = operations.iter().filter(|operation| operation.is_supported);
    supported
        .map(|operation| Row {
            name: operation.name,
            reads: operation.access == Access::Read,
            has_schema: operation.has_schema,
        })
        .collect()
}
