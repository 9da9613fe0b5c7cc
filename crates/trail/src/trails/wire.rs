//! Inputs and outputs of the operations on trails, as the SDK of CloudTrail publishes no schemas.

use serde::{Deserialize, Serialize};

use super::selectors::{Advanced, Basic};

/// The input of `CreateTrail` and `UpdateTrail`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct TrailInput {
    pub(crate) name: Option<String>,
    #[serde(rename = "S3BucketName")]
    pub(crate) bucket: Option<String>,
    #[serde(rename = "S3KeyPrefix")]
    pub(crate) prefix: Option<String>,
    #[serde(rename = "SnsTopicName")]
    pub(crate) topic: Option<String>,
    pub(crate) include_global_service_events: Option<bool>,
    pub(crate) is_multi_region_trail: Option<bool>,
    pub(crate) enable_log_file_validation: Option<bool>,
    #[serde(rename = "CloudWatchLogsLogGroupArn")]
    pub(crate) log_group: Option<String>,
    #[serde(rename = "CloudWatchLogsRoleArn")]
    pub(crate) log_role: Option<String>,
    pub(crate) kms_key_id: Option<String>,
    pub(crate) is_organization_trail: Option<bool>,
    pub(crate) recursive_logging: Option<bool>,
    pub(crate) tags_list: Option<Vec<Tag>>,
}

/// A trail in an output; in those of `CreateTrail` and `UpdateTrail`, `state` is missing.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
#[expect(clippy::struct_excessive_bools, reason = "the shape of AWS has these members")]
pub(crate) struct TrailOutput {
    pub(crate) name: String,
    #[serde(rename = "S3BucketName")]
    pub(crate) bucket: String,
    #[serde(rename = "S3KeyPrefix", skip_serializing_if = "Option::is_none")]
    pub(crate) prefix: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) sns_topic_name: Option<String>,
    #[serde(rename = "SnsTopicARN", skip_serializing_if = "Option::is_none")]
    pub(crate) topic: Option<String>,
    pub(crate) include_global_service_events: bool,
    #[serde(rename = "IsMultiRegionTrail")]
    pub(crate) is_multi_region: bool,
    #[serde(rename = "TrailARN")]
    pub(crate) arn: String,
    pub(crate) log_file_validation_enabled: bool,
    #[serde(rename = "CloudWatchLogsLogGroupArn", skip_serializing_if = "Option::is_none")]
    pub(crate) log_group: Option<String>,
    #[serde(rename = "CloudWatchLogsRoleArn", skip_serializing_if = "Option::is_none")]
    pub(crate) log_role: Option<String>,
    #[serde(rename = "KmsKeyId", skip_serializing_if = "Option::is_none")]
    pub(crate) kms_key: Option<String>,
    #[serde(rename = "IsOrganizationTrail")]
    pub(crate) is_organization: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) recursive_logging: Option<bool>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub(crate) state: Option<TrailState>,
}

/// The members of a trail that only descriptions show.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct TrailState {
    pub(crate) home_region: String,
    pub(crate) has_custom_event_selectors: bool,
    pub(crate) has_insight_selectors: bool,
}

/// The input of operations on one trail.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct NameInput {
    pub(crate) name: Option<String>,
}

/// The output of operations that return nothing.
#[derive(Debug, Serialize)]
pub(crate) struct EmptyOutput {}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct DescribeTrailsInput {
    pub(crate) trail_name_list: Option<Vec<String>>,
    pub(crate) include_shadow_trails: Option<bool>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DescribeTrailsOutput {
    pub(crate) trail_list: Vec<TrailOutput>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct GetTrailOutput {
    pub(crate) trail: TrailOutput,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct ListTrailsInput {}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ListTrailsOutput {
    pub(crate) trails: Vec<ListedTrail>,
}

/// A `TrailInfo`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ListedTrail {
    #[serde(rename = "TrailARN")]
    pub(crate) arn: String,
    pub(crate) name: String,
    pub(crate) home_region: String,
}

/// The output of `GetTrailStatus`; numbers are seconds since the epoch, and texts are from an older form of the operation.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct GetTrailStatusOutput {
    pub(crate) is_logging: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) latest_delivery_error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) latest_notification_error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) latest_delivery_time: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) latest_notification_time: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) start_logging_time: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) stop_logging_time: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) latest_digest_delivery_time: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) latest_digest_delivery_error: Option<String>,
    pub(crate) latest_delivery_attempt_time: String,
    pub(crate) latest_notification_attempt_time: String,
    pub(crate) latest_notification_attempt_succeeded: String,
    pub(crate) latest_delivery_attempt_succeeded: String,
    pub(crate) time_logging_started: String,
    pub(crate) time_logging_stopped: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct PutEventSelectorsInput {
    pub(crate) trail_name: Option<String>,
    pub(crate) event_selectors: Option<Vec<Basic>>,
    pub(crate) advanced_event_selectors: Option<Vec<Advanced>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct GetEventSelectorsInput {
    pub(crate) trail_name: Option<String>,
}

/// An `InsightSelector`: a type of Insights events, and the categories of events that they are computed from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct InsightSelector {
    pub(crate) insight_type: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) event_categories: Option<Vec<String>>,
}

/// The output of `PutEventSelectors` and `GetEventSelectors`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct EventSelectorsOutput {
    #[serde(rename = "TrailARN")]
    pub(crate) trail_arn: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) event_selectors: Option<Vec<Basic>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) advanced_event_selectors: Option<Vec<Advanced>>,
}

/// The input of `AddTags` and `RemoveTags`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct TagsInput {
    pub(crate) resource_id: String,
    pub(crate) tags_list: Vec<Tag>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct ListTagsInput {
    pub(crate) resource_id_list: Vec<String>,
    pub(crate) next_token: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ListTagsOutput {
    pub(crate) resource_tag_list: Vec<ResourceTag>,
}

/// The tags of a trail.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ResourceTag {
    pub(crate) resource_id: String,
    pub(crate) tags_list: Vec<Tag>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct Tag {
    pub(crate) key: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) value: Option<String>,
}
