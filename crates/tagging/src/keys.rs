//! `GetTagKeys` and `GetTagValues`: the keys and values in use in an account and region.

use std::collections::BTreeSet;
use std::sync::Arc;

use aws::{Call, Facts};
use serde::{Deserialize, Serialize};

use crate::filter::check_key;
use crate::page::Page;
use crate::{Exception, Tagging};

/// Number of keys or values on a page.
const PAGE: usize = 100;

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct GetTagKeysInput {
    pagination_token: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct GetTagKeysOutput {
    pagination_token: String,
    tag_keys: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct GetTagValuesInput {
    pagination_token: Option<String>,
    key: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct GetTagValuesOutput {
    pagination_token: String,
    tag_values: Vec<String>,
}

pub(crate) fn get_tag_keys(
    service: &Tagging,
    call: &Arc<Call>,
    input: GetTagKeysInput,
) -> Result<GetTagKeysOutput, Exception> {
    call.allow("*", &Facts::default())?;
    let page = Page::parse("GetTagKeys", call, String::new(), input.pagination_token)?;
    let keys = service.resources(call)?.into_iter().flat_map(|resource| resource.tags.into_keys());
    let (tag_keys, pagination_token) = cut(&page, keys.collect());
    Ok(GetTagKeysOutput { pagination_token, tag_keys })
}

pub(crate) fn get_tag_values(
    service: &Tagging,
    call: &Arc<Call>,
    input: GetTagValuesInput,
) -> Result<GetTagValuesOutput, Exception> {
    call.allow("*", &Facts::default())?;
    let key = input.key.unwrap_or_default();
    check_key(&key)?;
    let page = Page::parse("GetTagValues", call, key.clone(), input.pagination_token)?;
    let values = service.resources(call)?.into_iter().filter_map(|mut resource| resource.tags.remove(&key));
    let (tag_values, pagination_token) = cut(&page, values.collect());
    Ok(GetTagValuesOutput { pagination_token, tag_values })
}

/// Returns the keys or values on a page, and the token of the next page.
fn cut(page: &Page, all: BTreeSet<String>) -> (Vec<String>, String) {
    page.cut(all.into_iter().collect(), Clone::clone, |page, _| page.len() < PAGE)
}
