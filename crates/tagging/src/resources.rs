//! `GetResources`: resources that have or had tags, with their tags, in pages.

use std::sync::Arc;

use aws::{Call, Facts, TaggedResource};
use serde::{Deserialize, Serialize};

use crate::compliance::ComplianceDetails;
use crate::filter::{Filter, TagFilter};
use crate::page::Page;
use crate::{Exception, Tagging, arn};

/// Maximum number of ARNs in a request.
const ARNS_MAX: usize = 100;

/// Number of resources on a page if the request gives no size.
const PAGE_DEFAULT: usize = 50;

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct GetResourcesInput {
    pagination_token: Option<String>,
    tag_filters: Option<Vec<TagFilter>>,
    resources_per_page: Option<i64>,
    tags_per_page: Option<i64>,
    resource_type_filters: Option<Vec<String>>,
    include_compliance_details: Option<bool>,
    exclude_compliant_resources: Option<bool>,
    #[serde(rename = "ResourceARNList")]
    resource_arn_list: Option<Vec<String>>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct GetResourcesOutput {
    pagination_token: String,
    resource_tag_mapping_list: Vec<ResourceTagMapping>,
}

/// Resource with its tags.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct ResourceTagMapping {
    #[serde(rename = "ResourceARN")]
    resource_arn: String,
    tags: Vec<Tag>,
    #[serde(skip_serializing_if = "Option::is_none")]
    compliance_details: Option<ComplianceDetails>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Tag {
    key: String,
    value: String,
}

/// Size limits of a page.
struct PageSize {
    resources: usize,
    /// Number of tags; a resource without tags counts as one.
    tags: usize,
}

pub(crate) fn get_resources(
    service: &Tagging,
    call: &Arc<Call>,
    input: GetResourcesInput,
) -> Result<GetResourcesOutput, Exception> {
    call.allow("*", &Facts::default())?;
    let include_compliance = input.include_compliance_details.unwrap_or(false);
    let exclude_compliant = input.exclude_compliant_resources.unwrap_or(false);
    if exclude_compliant && !include_compliance {
        return Err(Exception::invalid("ExcludeCompliantResources needs IncludeComplianceDetails."));
    }
    let tags = input.tag_filters.as_deref().unwrap_or_default();
    let types = input.resource_type_filters.as_deref().unwrap_or_default();
    let arguments = format!("{tags:?} {types:?} {include_compliance} {exclude_compliant}");
    let page = Page::parse("GetResources", call, arguments, input.pagination_token.clone())?;
    let size = PageSize::parse(&input)?;
    let filter = filter(input, call)?;
    let mut listed: Vec<_> = service.resources(call)?.into_iter().filter(|resource| filter.matches(resource)).collect();
    if exclude_compliant {
        listed.retain(|resource| !service.compliance(resource).is_compliant());
    }
    let (resources, pagination_token) =
        page.cut(listed, |resource| resource.arn.to_string(), |page, resource| size.fits(page, resource));
    let mapping = |resource: TaggedResource| ResourceTagMapping {
        resource_arn: resource.arn.to_string(),
        compliance_details: include_compliance.then(|| service.compliance(&resource)),
        tags: resource.tags.into_iter().map(|(key, value)| Tag { key, value }).collect(),
    };
    let resource_tag_mapping_list = resources.into_iter().map(mapping).collect();
    Ok(GetResourcesOutput { pagination_token, resource_tag_mapping_list })
}

/// Parses the filter of a request.
fn filter(input: GetResourcesInput, call: &Call) -> Result<Filter, Exception> {
    let arns = input.resource_arn_list.unwrap_or_default();
    let (tags, types) = (input.tag_filters.unwrap_or_default(), input.resource_type_filters.unwrap_or_default());
    if arns.is_empty() {
        return Filter::kind(tags, types);
    }
    let has_token = input.pagination_token.is_some_and(|token| !token.is_empty());
    let has_size = input.resources_per_page.is_some() || input.tags_per_page.is_some();
    if !tags.is_empty() || !types.is_empty() || has_token || has_size {
        let reason = "ResourceARNList excludes TagFilters, ResourceTypeFilters, ResourcesPerPage, TagsPerPage and PaginationToken.";
        return Err(Exception::invalid(reason));
    }
    Ok(Filter::Arns(arn::list(arns, call, ARNS_MAX)?))
}

impl PageSize {
    fn parse(input: &GetResourcesInput) -> Result<Self, Exception> {
        let within = |name: &str, value: Option<i64>, min: usize, max: usize| {
            let size = value.map(|value| usize::try_from(value).ok().filter(|value| (min..=max).contains(value)));
            match size {
                Some(None) => Err(Exception::invalid(format!("{name} must be between {min} and {max}."))),
                size => Ok(size.flatten()),
            }
        };
        let resources = within("ResourcesPerPage", input.resources_per_page, 1, 100)?;
        let tags = within("TagsPerPage", input.tags_per_page, 100, 500)?;
        // A request with ARNs gets all of them on one page.
        let names_arns = input.resource_arn_list.as_ref().is_some_and(|arns| !arns.is_empty());
        let default = if names_arns || tags.is_some() { usize::MAX } else { PAGE_DEFAULT };
        Ok(Self { resources: resources.unwrap_or(default), tags: tags.unwrap_or(usize::MAX) })
    }

    /// Returns whether a page has room for another resource.
    fn fits(&self, page: &[TaggedResource], resource: &TaggedResource) -> bool {
        let weight = |resource: &TaggedResource| resource.tags.len().max(1);
        page.len() < self.resources && page.iter().map(weight).sum::<usize>() + weight(resource) <= self.tags
    }
}
