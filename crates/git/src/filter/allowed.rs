//! The filters that clients may use.

use super::Filter;
use crate::ProtocolError;

/// The filters that clients may use, if filters are enabled: see [`Offers::filter`](crate::Offers::filter).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filters {
    /// Whether filters that are not listed may be used.
    pub others: bool,
    /// Whether a kind of filter may be used, by Git's names such as `blob:none` and `tree`; the last entry of a kind counts.
    pub kinds: Vec<(String, bool)>,
    /// The maximum depth of `tree:<depth>`.
    pub tree_depth_max: Option<u64>,
}

impl Default for Filters {
    /// Allows all filters.
    fn default() -> Self {
        Self { others: true, kinds: Vec::new(), tree_depth_max: None }
    }
}

impl Filters {
    /// Refuses a filter that is not allowed, or has a part that is not.
    pub(crate) fn check(&self, filter: &Filter) -> Result<(), ProtocolError> {
        let kind = match filter {
            Filter::NoBlobs => "blob:none",
            Filter::BlobLimit(_) => "blob:limit",
            Filter::Depth(_) => "tree",
            Filter::Kind(_) => "object:type",
            Filter::Sparse(_) => "sparse:oid",
            Filter::All(_) => "combine",
        };
        let known = self.kinds.iter().rev().find(|(known, _)| known == kind);
        if !known.map_or(self.others, |(_, allowed)| *allowed) {
            return Err(ProtocolError::new(format!("filter '{kind}' not supported")));
        }
        match (filter, self.tree_depth_max) {
            (Filter::Depth(depth), Some(max)) if *depth > max => {
                Err(ProtocolError::new(format!("tree filter allows max depth {max}, but got {depth}")))
            }
            (Filter::All(parts), _) => parts.iter().try_for_each(|part| self.check(part)),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_are_allowed_by_kind() {
        let kinds = vec![("tree".into(), false), ("tree".into(), true), ("combine".into(), true)];
        let filters = Filters { others: false, kinds, tree_depth_max: Some(2) };
        let check = |spec: &str| {
            let filter = Filter::parse(spec.into()).expect("a sound filter");
            filters.check(&filter).map_err(|error| error.to_string())
        };
        assert_eq!(check("tree:2"), Ok(()));
        assert_eq!(check("tree:3"), Err("tree filter allows max depth 2, but got 3".into()));
        assert_eq!(check("blob:none"), Err("filter 'blob:none' not supported".into()));
        assert_eq!(check("combine:tree:1+blob:limit=3"), Err("filter 'blob:limit' not supported".into()));
        assert_eq!(check("combine:tree:1+tree:2"), Ok(()));
        assert!(Filters::default().check(&Filter::Depth(9)).is_ok());
    }
}
