//! A resource of any service with its tags.

use std::collections::BTreeMap;

use crate::Arn;

/// A resource that has or had tags.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaggedResource {
    /// The ARN of the resource.
    pub arn: Arn,
    /// The tags by key.
    pub tags: BTreeMap<String, String>,
}

impl TaggedResource {
    /// Groups the rows of a query by resource: one row for each tag, or one row without a tag for a resource that has none.
    ///
    /// The rows of a resource must be adjacent.
    pub fn group(rows: Vec<(Arn, Option<(String, String)>)>) -> Vec<Self> {
        let mut resources: Vec<Self> = Vec::new();
        for (arn, tag) in rows {
            if resources.last().is_none_or(|last| last.arn != arn) {
                resources.push(Self { arn, tags: BTreeMap::new() });
            }
            resources.last_mut().expect("the list is not empty").tags.extend(tag);
        }
        resources
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_grouped_by_resource() {
        let arn = |name: &str| {
            Arn::parse(&format!("arn:aws:codecommit:us-east-1:111122223333:{name}")).expect("the ARN is well formed")
        };
        let tag = |key: &str| Some((key.to_owned(), "value".to_owned()));
        let rows = vec![(arn("a"), tag("y")), (arn("a"), tag("x")), (arn("b"), None), (arn("c"), tag("x"))];
        let grouped = TaggedResource::group(rows);
        let keys = grouped
            .iter()
            .map(|tagged| (tagged.arn.resource.as_str(), tagged.tags.keys().map(String::as_str).collect()));
        assert_eq!(keys.collect::<Vec<(_, Vec<_>)>>(), [("a", vec!["x", "y"]), ("b", vec![]), ("c", vec!["x"])]);
    }
}
