//! Previews of merges: the conflicts of two commits, without a merge commit.

use std::collections::BTreeMap;
use std::sync::Arc;

use aws::Call;
use git::{BString, Reader};

use super::conflicts::{ConflictedFile, Sides};
use super::rules::{self, ConflictRules, ConflictStrategy};
use super::specifiers::MergeSpecifiers;
use super::{MergeStrategy, MergeTips};
use crate::name::RepositoryName;
use crate::repository::Repository;
use crate::{CodeCommit, Exception};

/// Two commits of a repository, and the result of merging them in memory.
pub(super) struct MergePreview {
    pub(super) repository: Repository,
    pub(super) tips: MergeTips,
    pub(super) base: git::ObjectId,
    /// Whether the destination is an ancestor of the source.
    pub(super) can_fast_forward: bool,
    /// Conflicting files, by their paths.
    pub(super) conflicts: BTreeMap<BString, ConflictedFile>,
    /// Reader that also finds the objects that the merge created in memory.
    pub(super) reader: Reader,
    pub(super) sides: Sides,
    pub(super) rules: ConflictRules,
    /// Maximum number of bytes of files to read for their description.
    pub(super) bytes_max: u64,
}

impl MergePreview {
    /// Merges two commits in memory; for a fast-forward no files are compared.
    pub(super) fn compute(
        service: &CodeCommit,
        call: &Arc<Call>,
        name: &RepositoryName,
        specifiers: &MergeSpecifiers,
        rules: ConflictRules,
        strategy: Option<MergeStrategy>,
    ) -> Result<Self, Exception> {
        let repository = service.find(call, name)?;
        let objects = service.bounded_objects(call, &repository)?;
        let tips = specifiers.resolve(service.references(&repository)?.as_ref(), &objects)?;
        let mut reader = objects.reader();
        let can_fast_forward = objects.is_ancestor(&tips.destination, &tips.source)?;
        let (base, merged) = if strategy == Some(MergeStrategy::FastForward) {
            (reader.merge_bases(&tips.destination, &tips.source)?.first().copied(), None)
        } else {
            let limits = service.settings.merge;
            let merged = reader.merge(&tips.destination, &tips.source, &rules.options(limits));
            let merged = merged.map_err(|error| rules::exception(error, &limits))?;
            (merged.base, Some(merged))
        };
        let base = base.ok_or(Exception::TipsDivergenceExceeded)?;
        let sides = Sides::new(&mut reader, [base, tips.destination, tips.source])?;
        // With ACCEPT_SOURCE and ACCEPT_DESTINATION every conflict is resolved, so the caller sees none.
        let merged = merged.filter(|_| matches!(rules.strategy, ConflictStrategy::None | ConflictStrategy::Automerge));
        let conflicts = match merged {
            Some(merged) => sides.conflicted(&mut reader, &merged)?,
            None => BTreeMap::new(),
        };
        let bytes_max = service.settings.merge.content_bytes_max;
        Ok(Self { repository, tips, base, can_fast_forward, conflicts, reader, sides, rules, bytes_max })
    }

    /// Returns what must be the same in the requests for all pages of a listing.
    pub(super) fn scope(&self) -> [String; 4] {
        let MergeTips { source, destination } = self.tips;
        [
            self.repository.id.clone(),
            source.to_string(),
            destination.to_string(),
            format!("{} {:?}", self.rules.by_line, self.rules.strategy),
        ]
    }
}
