//! A merge that is looked at and not made.

use std::collections::BTreeMap;
use std::sync::Arc;

use aws::Call;
use git::{BString, Reader};

use super::conflicts::{Conflicted, Sides};
use super::ends::Ends;
use super::rules::{self, Rules, Strategy};
use super::{Tips, Way};
use crate::name::RepositoryName;
use crate::repository::Repository;
use crate::{CodeCommit, Exception};

/// Two commits of a repository, and what merging them would come to.
pub(super) struct Look {
    pub(super) repository: Repository,
    pub(super) tips: Tips,
    pub(super) base: git::ObjectId,
    /// Whether the destination could just move to the source.
    pub(super) can_fast_forward: bool,
    /// The files that conflict, by their paths.
    pub(super) conflicts: BTreeMap<BString, Conflicted>,
    /// Sees what the merge made, too.
    pub(super) reader: Reader,
    pub(super) sides: Sides,
    pub(super) rules: Rules,
    /// How many bytes of files may be read to describe them.
    pub(super) bytes_max: u64,
}

impl Look {
    /// Merges two commits in memory; a fast-forward compares no files.
    pub(super) fn take(
        service: &CodeCommit,
        call: &Arc<Call>,
        name: &RepositoryName,
        ends: &Ends,
        rules: Rules,
        way: Option<Way>,
    ) -> Result<Self, Exception> {
        let repository = service.find(call, name)?;
        let objects = service.bounded_objects(call, &repository)?;
        let tips = ends.resolve(service.references(&repository)?.as_ref(), &objects)?;
        let mut reader = objects.reader();
        let can_fast_forward = objects.is_ancestor(&tips.destination, &tips.source)?;
        let (base, merged) = if way == Some(Way::FastForward) {
            (reader.merge_bases(&tips.destination, &tips.source)?.first().copied(), None)
        } else {
            let limits = service.settings.merge;
            let merged = reader.merge(&tips.destination, &tips.source, &rules.options(limits));
            let merged = merged.map_err(|error| rules::given_up(error, &limits))?;
            (merged.base, Some(merged))
        };
        let base = base.ok_or(Exception::TipsDivergenceExceeded)?;
        let sides = Sides::new(&mut reader, [base, tips.destination, tips.source])?;
        // Conflicts in which one side goes before the other are none for the caller.
        let merged = merged.filter(|_| matches!(rules.strategy, Strategy::None | Strategy::Automerge));
        let conflicts = match merged {
            Some(merged) => sides.conflicted(&mut reader, &merged)?,
            None => BTreeMap::new(),
        };
        let bytes_max = service.settings.merge.content_bytes_max;
        Ok(Self { repository, tips, base, can_fast_forward, conflicts, reader, sides, rules, bytes_max })
    }

    /// What must be the same in the requests for all pages of a listing.
    pub(super) fn scope(&self) -> [String; 4] {
        let Tips { source, destination } = self.tips;
        [
            self.repository.id.clone(),
            source.to_string(),
            destination.to_string(),
            format!("{} {:?}", self.rules.by_line, self.rules.strategy),
        ]
    }
}
