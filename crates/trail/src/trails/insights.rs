//! Insight selectors of a trail: put, kept and shown. Nothing here makes Insights events.

use std::sync::Arc;

use aws::Call;
use aws::operation::Change;
use serde::{Deserialize, Serialize};
use store::{Error, Transaction};

use super::name::Named;
use super::row::TrailRow;
use crate::{CloudTrail, Exception};

const TYPES: [&str; 2] = ["ApiCallRateInsight", "ApiErrorRateInsight"];

const CATEGORIES: [&str; 2] = ["Management", "Data"];

/// An `InsightSelector`: a kind of Insights events, and the categories of events that they are made from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct InsightSelector {
    insight_type: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    event_categories: Option<Vec<String>>,
}

/// The input of `PutInsightSelectors`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct PutInsightSelectorsInput {
    trail_name: Option<String>,
    insight_selectors: Option<Vec<InsightSelector>>,
    event_data_store: Option<String>,
    insights_destination: Option<String>,
}

/// The input of `GetInsightSelectors`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct GetInsightSelectorsInput {
    trail_name: Option<String>,
    event_data_store: Option<String>,
}

/// The output of both.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct InsightSelectorsOutput {
    #[serde(rename = "TrailARN")]
    trail_arn: String,
    insight_selectors: Vec<InsightSelector>,
}

/// An empty list turns Insights off.
pub(crate) fn put_insight_selectors(
    _: &CloudTrail,
    call: &Arc<Call>,
    input: PutInsightSelectorsInput,
) -> Result<Change<Transaction, InsightSelectorsOutput, Exception>, Exception> {
    let data_store = input.event_data_store.or(input.insights_destination);
    let named = trail(input.trail_name, data_store.is_some(), "PutInsightSelectors")?;
    let Some(selectors) = input.insight_selectors else {
        return invalid("Give insight selectors; an empty list turns Insights off.");
    };
    check(&selectors)?;
    let call = Arc::clone(call);
    Ok(Box::new(move |transaction| {
        let row = TrailRow::get_at_home(transaction, &call, &named)?;
        let stored = serde_json::to_string(&selectors).expect("texts can be written");
        let values = [row.id.into(), (&stored).into()];
        transaction.execute("UPDATE trails SET insights = ?2 WHERE id = ?1", &values)?;
        Ok(InsightSelectorsOutput { trail_arn: row.arn.to_string(), insight_selectors: selectors })
    }))
}

pub(crate) fn get_insight_selectors(
    service: &CloudTrail,
    call: &Arc<Call>,
    input: GetInsightSelectorsInput,
) -> Result<InsightSelectorsOutput, Exception> {
    let named = trail(input.trail_name, input.event_data_store.is_some(), "GetInsightSelectors")?;
    let row = service.store.read(|transaction| TrailRow::get(transaction, call, &named))?;
    let trail_arn = row.arn.to_string();
    if row.insights.is_empty() {
        return Err(Exception::InsightNotEnabled { arn: trail_arn });
    }
    Ok(InsightSelectorsOutput { trail_arn, insight_selectors: row.insights })
}

/// Reads the selectors that a trail's row holds; it holds none until some are put.
pub(crate) fn read(stored: Option<&str>) -> Result<Vec<InsightSelector>, Error> {
    let Some(stored) = stored else { return Ok(Vec::new()) };
    serde_json::from_str(stored).map_err(|_| Error::Damaged("the insight selectors of a trail cannot be read"))
}

/// Reads which trail a call is about; the operations are about event data stores, too, of which there are none.
fn trail(name: Option<String>, has_data_store: bool, operation: &'static str) -> Result<Named, Exception> {
    match (name, has_data_store) {
        (Some(_), true) => {
            let reason = "Give either a trail or an event data store.".to_owned();
            Err(Exception::InvalidParameterCombination { reason })
        }
        (None, true) => Err(Exception::UnsupportedOperation { operation }),
        (None, false) => Err(Exception::InvalidParameter { reason: "Give the name or ARN of a trail.".to_owned() }),
        (name, false) => Named::parse(name),
    }
}

fn check(selectors: &[InsightSelector]) -> Result<(), Exception> {
    for (position, selector) in selectors.iter().enumerate() {
        if !TYPES.contains(&selector.insight_type.as_str()) {
            return invalid("InsightType is ApiCallRateInsight or ApiErrorRateInsight.");
        }
        if selectors[..position].iter().any(|other| other.insight_type == selector.insight_type) {
            return invalid("An InsightType stands in the insight selectors once.");
        }
        let categories = selector.event_categories.as_deref();
        if categories.is_some_and(|it| it.is_empty() || it.iter().any(|it| !CATEGORIES.contains(&it.as_str()))) {
            return invalid("EventCategories holds Management, Data or both.");
        }
    }
    Ok(())
}

fn invalid<T>(reason: &str) -> Result<T, Exception> {
    Err(Exception::InvalidInsightSelectors { reason: reason.to_owned() })
}
