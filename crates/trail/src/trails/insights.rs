//! The operations on insight selectors, which are stored and returned; there are no Insights events.

use std::sync::Arc;

use aws::Call;
use aws::operation::Change;
use serde::{Deserialize, Serialize};
use store::Transaction;

use super::row::TrailRow;
use super::validate::TrailReference;
use super::wire::InsightSelector;
use crate::{CloudTrail, Exception};

/// The values of `InsightType`.
const TYPES: [&str; 2] = ["ApiCallRateInsight", "ApiErrorRateInsight"];

/// The values of `EventCategories`.
const CATEGORIES: [&str; 2] = ["Management", "Data"];

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

/// Stores the selectors; an empty list disables Insights.
pub(crate) fn put_insight_selectors(
    _: &CloudTrail,
    call: &Arc<Call>,
    input: PutInsightSelectorsInput,
) -> Result<Change<Transaction, InsightSelectorsOutput, Exception>, Exception> {
    let data_store = input.event_data_store.or(input.insights_destination);
    let reference = trail(input.trail_name, data_store.is_some(), "PutInsightSelectors")?;
    let Some(selectors) = input.insight_selectors else {
        return invalid("Give insight selectors; an empty list turns Insights off.");
    };
    check(&selectors)?;
    let call = Arc::clone(call);
    Ok(Box::new(move |transaction| {
        let row = TrailRow::get_at_home(transaction, &call, &reference)?;
        let stored = serde_json::to_string(&selectors).expect("selectors consist of texts");
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
    let reference = trail(input.trail_name, input.event_data_store.is_some(), "GetInsightSelectors")?;
    let row = service.store.read(|transaction| TrailRow::get(transaction, call, &reference))?;
    let trail_arn = row.arn.to_string();
    if row.insights.is_empty() {
        return Err(Exception::InsightNotEnabled { arn: trail_arn });
    }
    Ok(InsightSelectorsOutput { trail_arn, insight_selectors: row.insights })
}

/// Parses the trail of a call; the operations also accept event data stores, which do not exist here.
fn trail(name: Option<String>, has_data_store: bool, operation: &'static str) -> Result<TrailReference, Exception> {
    match (name, has_data_store) {
        (Some(_), true) => {
            let reason = "Give either a trail or an event data store.".to_owned();
            Err(Exception::InvalidParameterCombination { reason })
        }
        (None, true) => Err(Exception::UnsupportedOperation { operation }),
        (None, false) => Err(Exception::InvalidParameter { reason: "Give the name or ARN of a trail.".to_owned() }),
        (name, false) => TrailReference::parse(name),
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
        if categories
            .is_some_and(|values| values.is_empty() || values.iter().any(|value| !CATEGORIES.contains(&value.as_str())))
        {
            return invalid("EventCategories holds Management, Data or both.");
        }
    }
    Ok(())
}

fn invalid<T>(reason: &str) -> Result<T, Exception> {
    Err(Exception::InvalidInsightSelectors { reason: reason.to_owned() })
}
