//! Options of merges: strategy, conflict detail level, conflict resolution strategy.

use aws_sdk_codecommit::types::{
    ConflictDetailLevelTypeEnum as Level, ConflictResolutionStrategyTypeEnum as StrategyType, MergeOptionTypeEnum,
};
use git::{Favor, MergeError, MergeLimits, MergeOptions};

use crate::Exception;

/// Merge option: how the source is brought into the destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MergeStrategy {
    /// The destination moves to the source's commit.
    FastForward,
    /// A commit with the changes of the source, whose only parent is the destination.
    Squash,
    /// A commit with both as parents.
    ThreeWay,
}

impl MergeStrategy {
    pub(crate) const ALL: [Self; 3] = [Self::FastForward, Self::Squash, Self::ThreeWay];

    pub(crate) fn parse(option: Option<MergeOptionTypeEnum>) -> Result<Self, Exception> {
        // The decoder reads a missing required member as an empty one.
        let option = option.filter(|option| !option.as_str().is_empty()).ok_or(Exception::MergeOptionRequired)?;
        let found = Self::ALL.into_iter().find(|strategy| strategy.option() == option);
        found.ok_or_else(|| Exception::InvalidMergeOption { option: option.to_string() })
    }

    /// Parses an option that creates a commit; a fast-forward creates none.
    pub(crate) fn parse_committing(option: Option<MergeOptionTypeEnum>) -> Result<Self, Exception> {
        match Self::parse(option)? {
            Self::FastForward => Err(Exception::InvalidMergeOption { option: "FAST_FORWARD_MERGE".to_owned() }),
            strategy => Ok(strategy),
        }
    }

    pub(crate) fn option(self) -> MergeOptionTypeEnum {
        match self {
            Self::FastForward => MergeOptionTypeEnum::FastForwardMerge,
            Self::Squash => MergeOptionTypeEnum::SquashMerge,
            Self::ThreeWay => MergeOptionTypeEnum::ThreeWayMerge,
        }
    }
}

/// Conflict resolution strategy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ConflictStrategy {
    /// Conflicts are left unresolved.
    None,
    /// The source's version wins.
    AcceptSource,
    /// The destination's version wins.
    AcceptDestination,
    /// The caller resolves each file.
    Automerge,
}

/// Rules by which conflicts are found and resolved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ConflictRules {
    /// Whether files are merged by line; otherwise every file that both sides changed conflicts.
    pub(crate) by_line: bool,
    pub(crate) strategy: ConflictStrategy,
}

impl ConflictRules {
    /// Parses the level and strategy; AWS's defaults are `FILE_LEVEL` and `NONE`.
    pub(crate) fn parse(level: Option<Level>, strategy: Option<StrategyType>) -> Result<Self, Exception> {
        let by_line = match level {
            None | Some(Level::FileLevel) => false,
            Some(Level::LineLevel) => true,
            Some(level) => return Err(Exception::InvalidConflictDetailLevel { level: level.to_string() }),
        };
        let strategy = match strategy {
            None | Some(StrategyType::None) => ConflictStrategy::None,
            Some(StrategyType::AcceptSource) => ConflictStrategy::AcceptSource,
            Some(StrategyType::AcceptDestination) => ConflictStrategy::AcceptDestination,
            Some(StrategyType::Automerge) => ConflictStrategy::Automerge,
            Some(other) => return Err(Exception::InvalidConflictResolutionStrategy { strategy: other.to_string() }),
        };
        Ok(Self { by_line, strategy })
    }

    /// Returns the conflict detail level as on the wire.
    pub(crate) const fn level(self) -> &'static str {
        if self.by_line { "LINE_LEVEL" } else { "FILE_LEVEL" }
    }

    /// Returns the conflict resolution strategy as on the wire.
    pub(crate) const fn strategy(self) -> &'static str {
        match self.strategy {
            ConflictStrategy::None => "NONE",
            ConflictStrategy::AcceptSource => "ACCEPT_SOURCE",
            ConflictStrategy::AcceptDestination => "ACCEPT_DESTINATION",
            ConflictStrategy::Automerge => "AUTOMERGE",
        }
    }

    /// Returns the options for Git's merge, in which the destination is "ours".
    pub(crate) fn options(self, limits: MergeLimits) -> MergeOptions {
        let favor = match self.strategy {
            ConflictStrategy::None | ConflictStrategy::Automerge => Favor::Neither,
            ConflictStrategy::AcceptSource => Favor::Theirs,
            ConflictStrategy::AcceptDestination => Favor::Ours,
        };
        MergeOptions { by_line: self.by_line, favor, labels: ["destination".into(), "source".into()], limits }
    }
}

/// Returns the exception for a failed merge.
pub(crate) fn exception(error: MergeError, limits: &MergeLimits) -> Exception {
    match error {
        MergeError::Read(error) => error.into(),
        MergeError::Time => Exception::TipsDivergenceExceeded,
        MergeError::Content => Exception::MaximumFileContentToLoadExceeded { limit: limits.content_bytes_max },
        MergeError::Items => Exception::MaximumItemsToCompareExceeded { limit: limits.items_max },
    }
}
