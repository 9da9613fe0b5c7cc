//! Table of the service's operations. Nothing else lists them.

use std::sync::{Arc, LazyLock};

use aws::operation::Change;
use aws::{Call, Operation};
use serde_json::Value;
use store::Transaction;

use crate::{Exception, Tagging, compliance, edit, keys, resources};

type Row = Operation<Tagging, Transaction>;

/// Creates the row of an operation for the management account of an organization; it always fails and is recorded.
macro_rules! for_organizations {
    ($name:literal, read) => {
        Row::read_serde($name, |_: &Tagging, _: &Arc<Call>, _: Value| -> Result<Value, Exception> {
            Err(Exception::ConstraintViolation { operation: $name })
        })
        .unsupported()
    };
    ($name:literal, write) => {
        Row::write_serde($name, |_: &Tagging, _: &Arc<Call>, _: Value| -> ChangeResult {
            Err(Exception::ConstraintViolation { operation: $name })
        })
        .unsupported()
    };
}

/// Result of the first half of a writing operation.
type ChangeResult = Result<Change<Transaction, Value, Exception>, Exception>;

/// Members of inputs and outputs that are maps.
const MAPS: &[&str] = &["Tags", "FailedResourcesMap"];

static OPERATIONS: LazyLock<Vec<Row>> = LazyLock::new(|| {
    let rows = vec![
        Row::read_serde("GetResources", resources::get_resources),
        Row::read_serde("GetTagKeys", keys::get_tag_keys),
        Row::read_serde("GetTagValues", keys::get_tag_values),
        Row::read_serde("ListRequiredTags", compliance::list_required_tags),
        Row::write_serde("TagResources", edit::tag_resources),
        Row::write_serde("UntagResources", edit::untag_resources),
        for_organizations!("DescribeReportCreation", read),
        for_organizations!("GetComplianceSummary", read),
        for_organizations!("StartReportCreation", write),
    ];
    rows.into_iter().map(|row| row.recorded_as_sent(MAPS)).collect()
});

/// Lists the operations.
pub(crate) fn all() -> &'static [Row] {
    &OPERATIONS
}

/// Finds an operation by its name.
pub(crate) fn find(name: &str) -> Option<&'static Row> {
    OPERATIONS.iter().find(|operation| operation.name == name)
}
