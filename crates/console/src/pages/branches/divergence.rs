//! Numbers of commits that only one of two branches has.

use aws::Failure;
use serde::Deserialize;
use serde_json::json;

use crate::reference::BRANCHES;
use crate::visit::Visit;

/// Length of each half of the bar.
const HALF: u64 = 48;

/// Numbers of commits that a branch has and the default branch has not, and the reverse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct Divergence {
    #[serde(rename = "sourceCommitCount")]
    pub(crate) ahead: u64,
    #[serde(rename = "destinationCommitCount")]
    pub(crate) behind: u64,
}

impl Divergence {
    /// Compares a branch, given by its full name, with the default branch.
    pub(crate) fn read(
        visit: &Visit<'_>,
        repository: &str,
        branch: &str,
        default_branch: &str,
    ) -> Result<Self, Failure> {
        let input = json!({
            "repositoryName": repository,
            "sourceCommitSpecifier": branch,
            "destinationCommitSpecifier": format!("{BRANCHES}{default_branch}"),
            "maxResults": 1,
        });
        visit.run("GetCommitsFromMergeBase", &input)
    }

    /// Returns the larger number.
    pub(crate) fn largest(self) -> u64 {
        self.ahead.max(self.behind)
    }

    /// Returns the lengths of the bars of behind and ahead; `scale` is the number with a full bar, and only zero has none.
    pub(crate) fn bars(self, scale: u64) -> [u64; 2] {
        let length = |count: u64| (count.saturating_mul(HALF) / scale.max(1)).clamp(count.min(1), HALF);
        [length(self.behind), length(self.ahead)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_share_one_scale() {
        assert_eq!(Divergence { ahead: 1, behind: 50 }.bars(100), [24, 1]);
        assert_eq!(Divergence { ahead: 0, behind: 100 }.bars(100), [HALF, 0]);
        assert_eq!(Divergence { ahead: 0, behind: 0 }.bars(0), [0, 0]);
    }
}
