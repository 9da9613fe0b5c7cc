//! By which rules commits are merged: how, in which detail, and for whom where they conflict.

use aws_sdk_codecommit::types::{
    ConflictDetailLevelTypeEnum as Level, ConflictResolutionStrategyTypeEnum as StrategyType, MergeOptionTypeEnum,
};
use git::{Favor, MergeError, MergeLimits, MergeOptions};

use crate::Exception;

/// How the destination comes to have what the source has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::enum_variant_names, reason = "three-way is Git's word")]
pub(crate) enum Way {
    /// It moves to the source's commit.
    FastForward,
    /// One commit brings all that is new, and names no source.
    Squash,
    /// One commit has both as parents.
    ThreeWay,
}

impl Way {
    pub(crate) const ALL: [Self; 3] = [Self::FastForward, Self::Squash, Self::ThreeWay];

    pub(crate) fn parse(option: Option<MergeOptionTypeEnum>) -> Result<Self, Exception> {
        // A required member that was not sent reads as an empty one.
        let option = option.filter(|option| !option.as_str().is_empty()).ok_or(Exception::MergeOptionRequired)?;
        let found = Self::ALL.into_iter().find(|way| way.option() == option);
        found.ok_or_else(|| Exception::InvalidMergeOption { option: option.to_string() })
    }

    /// Reads an option that makes a commit: a fast-forward makes none.
    pub(crate) fn parse_committing(option: Option<MergeOptionTypeEnum>) -> Result<Self, Exception> {
        match Self::parse(option)? {
            Self::FastForward => Err(Exception::InvalidMergeOption { option: "FAST_FORWARD_MERGE".to_owned() }),
            way => Ok(way),
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

/// What becomes of conflicts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Strategy {
    /// They stay.
    None,
    /// The source's version is taken.
    AcceptSource,
    /// The destination's version is taken.
    AcceptDestination,
    /// The caller says for each file.
    Automerge,
}

/// What counts as a conflict, and what becomes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rules {
    /// Whether files are merged line by line. Else each file that both sides changed conflicts.
    pub(crate) by_line: bool,
    pub(crate) strategy: Strategy,
}

impl Rules {
    /// Reads what a caller gives; AWS's defaults are `FILE_LEVEL` and `NONE`.
    pub(crate) fn parse(level: Option<Level>, strategy: Option<StrategyType>) -> Result<Self, Exception> {
        let by_line = match level {
            None | Some(Level::FileLevel) => false,
            Some(Level::LineLevel) => true,
            Some(level) => return Err(Exception::InvalidConflictDetailLevel { level: level.to_string() }),
        };
        let strategy = match strategy {
            None | Some(StrategyType::None) => Strategy::None,
            Some(StrategyType::AcceptSource) => Strategy::AcceptSource,
            Some(StrategyType::AcceptDestination) => Strategy::AcceptDestination,
            Some(StrategyType::Automerge) => Strategy::Automerge,
            Some(other) => return Err(Exception::InvalidConflictResolutionStrategy { strategy: other.to_string() }),
        };
        Ok(Self { by_line, strategy })
    }

    /// The same as Git's merge wants it: the destination is our side.
    pub(crate) fn options(self, limits: MergeLimits) -> MergeOptions {
        let favor = match self.strategy {
            Strategy::None | Strategy::Automerge => Favor::Neither,
            Strategy::AcceptSource => Favor::Theirs,
            Strategy::AcceptDestination => Favor::Ours,
        };
        MergeOptions { by_line: self.by_line, favor, labels: ["destination".into(), "source".into()], limits }
    }
}

/// Says in AWS's terms why a merge was given up.
pub(crate) fn given_up(error: MergeError, limits: &MergeLimits) -> Exception {
    match error {
        MergeError::Read(error) => error.into(),
        MergeError::Time => Exception::TipsDivergenceExceeded,
        MergeError::Content => Exception::MaximumFileContentToLoadExceeded { limit: limits.content_bytes_max },
        MergeError::Items => Exception::MaximumItemsToCompareExceeded { limit: limits.items_max },
    }
}
