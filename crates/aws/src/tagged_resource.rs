//! A resource with its tags, whichever service owns it.

use std::collections::BTreeMap;

use crate::Arn;

/// A resource that has tags, or once had some.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaggedResource {
    /// The resource.
    pub arn: Arn,
    /// Its tags, by key.
    pub tags: BTreeMap<String, String>,
}

impl TaggedResource {
    /// Groups the rows of a query, one for each tag of a resource, or one without a tag for a resource that has none.
    ///
    /// The rows of a resource follow one another.
    pub fn group(rows: Vec<(Arn, Option<(String, String)>)>) -> Vec<Self> {
        let mut resources: Vec<Self> = Vec::new();
        for (arn, tag) in rows {
            if resources.last().is_none_or(|last| last.arn != arn) {
                resources.push(Self { arn, tags: BTreeMap::new() });
            }
            resources.last_mut().expect("one was added").tags.extend(tag);
        }
        resources
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_grouped_by_resource() {
        let arn =
            |name: &str| Arn::parse(&format!("arn:aws:codecommit:us-east-1:111122223333:{name}")).expect("it is one");
        let tag = |key: &str| Some((key.to_owned(), "value".to_owned()));
        let rows = vec![(arn("a"), tag("y")), (arn("a"), tag("x")), (arn("b"), None), (arn("c"), tag("x"))];
        let grouped = TaggedResource::group(rows);
        let keys = grouped.iter().map(|it| (it.arn.resource.as_str(), it.tags.keys().map(String::as_str).collect()));
        assert_eq!(keys.collect::<Vec<(_, Vec<_>)>>(), [("a", vec!["x", "y"]), ("b", vec![]), ("c", vec!["x"])]);
    }
}
