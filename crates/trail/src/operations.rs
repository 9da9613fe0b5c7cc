//! The table of CloudTrail's operations. Nothing else lists them.

use std::sync::{Arc, LazyLock};

use aws::operation::Change;
use aws::{Call, Operation};
use serde_json::Value;
use store::Transaction;

use crate::trails::{describe, event_selectors, insights, lifecycle, tag};
use crate::{CloudTrail, Exception, history, list_public_keys};

type Row = Operation<CloudTrail, Transaction>;

/// The row of an operation of an unsupported feature; it always fails, and is recorded.
macro_rules! unsupported {
    ($name:literal, read) => {
        Row::read_serde($name, |_: &CloudTrail, _: &Arc<Call>, _: Value| -> Result<Value, Exception> {
            Err(Exception::UnsupportedOperation { operation: $name })
        })
        .unsupported()
    };
    ($name:literal, write) => {
        Row::write_serde($name, |_: &CloudTrail, _: &Arc<Call>, _: Value| -> Changing {
            Err(Exception::UnsupportedOperation { operation: $name })
        })
        .unsupported()
    };
}

type Changing = Result<Change<Transaction, Value, Exception>, Exception>;

static OPERATIONS: LazyLock<Vec<Row>> = LazyLock::new(|| {
    vec![
        // Event history.
        Row::read_serde("LookupEvents", history::lookup_events).with_times(&["startTime", "endTime"]),
        // Trails.
        Row::write_serde("AddTags", tag::add_tags),
        Row::write_serde("CreateTrail", lifecycle::create_trail),
        Row::write_serde("DeleteTrail", lifecycle::delete_trail),
        Row::read_serde("DescribeTrails", describe::describe_trails),
        Row::read_serde("GetEventSelectors", event_selectors::get_event_selectors),
        Row::read_serde("GetInsightSelectors", insights::get_insight_selectors),
        Row::read_serde("GetTrail", describe::get_trail),
        Row::read_serde("GetTrailStatus", describe::get_trail_status),
        Row::read_serde("ListTags", tag::list_tags),
        Row::read_serde("ListTrails", describe::list_trails),
        Row::write_serde("PutEventSelectors", event_selectors::put_event_selectors),
        Row::write_serde("PutInsightSelectors", insights::put_insight_selectors),
        Row::write_serde("RemoveTags", tag::remove_tags),
        Row::write_serde("StartLogging", lifecycle::start_logging),
        Row::write_serde("StopLogging", lifecycle::stop_logging),
        Row::write_serde("UpdateTrail", lifecycle::update_trail),
        // Validation.
        Row::read_serde("ListPublicKeys", list_public_keys::list).with_times(&["startTime", "endTime"]),
        // Unsupported features: event data stores, channels, dashboards, imports, queries, data of Insights, organizations.
        unsupported!("CancelQuery", write),
        unsupported!("CreateChannel", write),
        unsupported!("CreateDashboard", write),
        unsupported!("CreateEventDataStore", write),
        unsupported!("DeleteChannel", write),
        unsupported!("DeleteDashboard", write),
        unsupported!("DeleteEventDataStore", write),
        unsupported!("DeleteResourcePolicy", write),
        unsupported!("DeregisterOrganizationDelegatedAdmin", write),
        unsupported!("DescribeQuery", read),
        unsupported!("DisableFederation", write),
        unsupported!("EnableFederation", write),
        unsupported!("GenerateQuery", write),
        unsupported!("GetChannel", read),
        unsupported!("GetDashboard", read),
        unsupported!("GetEventConfiguration", read),
        unsupported!("GetEventDataStore", read),
        unsupported!("GetImport", read),
        unsupported!("GetQueryResults", read),
        unsupported!("GetResourcePolicy", read),
        unsupported!("ListChannels", read),
        unsupported!("ListDashboards", read),
        unsupported!("ListEventDataStores", read),
        unsupported!("ListImportFailures", read),
        unsupported!("ListImports", read),
        unsupported!("ListInsightsData", read),
        unsupported!("ListInsightsMetricData", read),
        unsupported!("ListQueries", read),
        unsupported!("PutEventConfiguration", write),
        unsupported!("PutResourcePolicy", write),
        unsupported!("RegisterOrganizationDelegatedAdmin", write),
        unsupported!("RestoreEventDataStore", write),
        unsupported!("SearchSampleQueries", read),
        unsupported!("StartDashboardRefresh", write),
        unsupported!("StartEventDataStoreIngestion", write),
        unsupported!("StartImport", write),
        unsupported!("StartQuery", write),
        unsupported!("StopEventDataStoreIngestion", write),
        unsupported!("StopImport", write),
        unsupported!("UpdateChannel", write),
        unsupported!("UpdateDashboard", write),
        unsupported!("UpdateEventDataStore", write),
    ]
});

/// The search of the console, which is not in the table: clients cannot call it.
static SEARCH: LazyLock<Row> = LazyLock::new(|| {
    let search = Row::read_serde("LookupEvents", history::search_events);
    search.with_times(&["startTime", "endTime"]).without_recorded(history::SEARCH_MEMBERS)
});

impl CloudTrail {
    /// Returns the search of event history for pages of the console: `LookupEvents` with several filters at once.
    ///
    /// Its input is that of `LookupEvents`, and an event matches if it has every attribute of `LookupAttributes`, or any of several
    /// values of one attribute. Further members, which records leave out: `ErrorCodes`, a list of which one must match; `FailedOnly`;
    /// `WithDataOnly`, which leaves out Git requests without data, such as the request for references before a push. The output is that
    /// of `LookupEvents`. The record and the permission are those of `LookupEvents`.
    pub fn search_events() -> &'static Operation<Self, Transaction> {
        &SEARCH
    }

    /// Lists the operations.
    pub fn operations() -> &'static [Operation<Self, Transaction>] {
        &OPERATIONS
    }

    /// Finds an operation by its name.
    pub fn operation(name: &str) -> Option<&'static Operation<Self, Transaction>> {
        OPERATIONS.iter().find(|operation| operation.name == name)
    }
}
