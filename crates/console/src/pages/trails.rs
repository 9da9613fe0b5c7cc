//! Trails: the list with its states, and the creation of a trail.

use askama::Template;
use aws::{Failure, Timestamp};
use cluster::Node;
use identity::Access;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::export::{self, Format};
use crate::form::Form;
use crate::frame::{Frame, Section};
use crate::text::Time;
use crate::visit::{Page, Visit};
use crate::{reply, url};

#[derive(Template)]
#[template(path = "trails.html")]
struct TrailsPage {
    frame: Frame,
    rows: Vec<Row>,
    csv: String,
    json: String,
    /// The servers on the same database; empty with a database of its own.
    nodes: Vec<NodeRow>,
}

struct NodeRow {
    name: String,
    status: &'static str,
    address: String,
    version: String,
    last_seen: String,
    /// Seconds by which its clock is ahead.
    clock_offset: f64,
    roles: String,
}

struct Row {
    trail: Trail,
    status: Result<Status, Failure>,
}

/// A trail, as `DescribeTrails` returns it.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Trail {
    pub(crate) name: String,
    #[serde(rename = "TrailARN")]
    pub(crate) arn: String,
    #[serde(rename = "S3BucketName")]
    pub(crate) bucket: String,
    #[serde(rename = "S3KeyPrefix", default)]
    pub(crate) prefix: String,
    #[serde(rename = "SnsTopicARN", default)]
    pub(crate) topic: String,
    #[serde(default)]
    pub(crate) kms_key_id: String,
    pub(crate) home_region: String,
    #[serde(rename = "IsMultiRegionTrail")]
    pub(crate) is_multi_region: bool,
    pub(crate) include_global_service_events: bool,
    pub(crate) log_file_validation_enabled: bool,
}

/// The state of a trail, as `GetTrailStatus` returns it.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Status {
    pub(crate) is_logging: bool,
    pub(crate) latest_delivery_time: Option<Time>,
    #[serde(default)]
    pub(crate) latest_delivery_error: String,
    pub(crate) latest_digest_delivery_time: Option<Time>,
    #[serde(default)]
    pub(crate) latest_digest_delivery_error: String,
    pub(crate) latest_notification_time: Option<Time>,
    #[serde(default)]
    pub(crate) latest_notification_error: String,
    pub(crate) start_logging_time: Option<Time>,
    pub(crate) stop_logging_time: Option<Time>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Described {
    trail_list: Vec<Trail>,
}

impl Trail {
    /// Returns the URL of the trail's page.
    pub(crate) fn url(&self) -> String {
        url_of(&self.arn)
    }
}

/// Returns the URL of the page of a trail.
pub(crate) fn url_of(arn: &str) -> String {
    url::page(&format!("trails/{}", url::escape(arn)))
}

/// Lists the servers on the same database, for readers who may know: those of a server that everyone may use.
fn nodes(visit: &Visit<'_>) -> Vec<NodeRow> {
    if visit.services.access != Access::Open {
        return Vec::new();
    }
    let nodes = visit.services.cluster.nodes().unwrap_or_else(|error| {
        tracing::error!(%error, "cannot read the nodes");
        Vec::new()
    });
    let row = |node: Node| NodeRow {
        name: node.name,
        status: node.status.as_str(),
        address: node.address,
        version: node.version,
        last_seen: Timestamp::from_millis(node.seen).iso(),
        #[expect(clippy::cast_precision_loss, reason = "a tenth of a second is shown")]
        clock_offset: node.clock_offset as f64 / 1_000.0,
        roles: node.roles.join(", "),
    };
    nodes.into_iter().map(row).collect()
}

/// Shows the trails of the region, and those of other regions that have its events.
pub(crate) fn list(visit: &Visit<'_>) -> Page {
    let described: Described = visit.run("DescribeTrails", &json!({}))?;
    let status = |trail: &Trail| visit.run("GetTrailStatus", &json!({ "Name": trail.arn }));
    let rows: Vec<Row> = described.trail_list.into_iter().map(|trail| Row { status: status(&trail), trail }).collect();
    match Format::of(visit.query.get("format")) {
        Format::Page => {}
        Format::Csv => {
            let header = ["name", "arn", "home_region", "bucket", "prefix", "multi_region", "validation", "logging"];
            let row = |row: &Row| {
                let trail = &row.trail;
                let is_logging = row.status.as_ref().map(|status| status.is_logging.to_string()).unwrap_or_default();
                let texts =
                    [&trail.name, &trail.arn, &trail.home_region, &trail.bucket, &trail.prefix].map(String::clone);
                let flags = [trail.is_multi_region, trail.log_file_validation_enabled].map(|flag| flag.to_string());
                texts.into_iter().chain(flags).chain([is_logging]).collect()
            };
            return Ok(export::csv("trails", &header, rows.iter().map(row)));
        }
        Format::Json => {
            let row = |row: &Row| {
                json!({
                    "Name": row.trail.name, "TrailARN": row.trail.arn, "HomeRegion": row.trail.home_region,
                    "S3BucketName": row.trail.bucket, "S3KeyPrefix": row.trail.prefix,
                    "IsMultiRegionTrail": row.trail.is_multi_region,
                    "LogFileValidationEnabled": row.trail.log_file_validation_enabled,
                    "IsLogging": row.status.as_ref().ok().map(|status| status.is_logging),
                })
            };
            return Ok(export::json("trails", &rows.iter().map(row).collect::<Vec<Value>>().into()));
        }
    }
    let (csv, json) = (visit.address(&[("format", "csv")]), visit.address(&[("format", "json")]));
    let nodes = nodes(visit);
    visit.page(&TrailsPage { frame: visit.frame("Trails", Section::Trails), rows, csv, json, nodes })
}

/// Creates a trail, and starts its logging as the console of AWS does.
pub(crate) fn create(visit: &Visit<'_>) -> Page {
    let mut input = settings(&visit.form);
    let name = visit.form.get("name");
    input["Name"] = name.into();
    let created: Value = visit.run("CreateTrail", &input)?;
    let arn = created["TrailARN"].as_str().unwrap_or(name);
    let _: Value = visit.run("StartLogging", &json!({ "Name": arn }))?;
    Ok(reply::done(&url_of(arn), &format!("The trail {name} was created and logs.")))
}

/// Reads the settings of a trail's form.
pub(crate) fn settings(form: &Form) -> Value {
    let mut input = json!({
        "S3BucketName": form.get("bucket"),
        "IsMultiRegionTrail": form.has("multi-region"),
        "IncludeGlobalServiceEvents": form.has("global"),
        "EnableLogFileValidation": form.has("validation"),
    });
    for (name, member) in [("prefix", "S3KeyPrefix"), ("topic", "SnsTopicName")] {
        if let Some(value) = form.optional(name) {
            input[member] = value.into();
        }
    }
    input
}
