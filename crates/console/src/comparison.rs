//! What differences and comments are about.

/// Two commits to compare, given by ids, branches or tags.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Comparison<'c> {
    pub(crate) repository: &'c str,
    /// The commit before; if empty, all files of the other are new.
    pub(crate) before: &'c str,
    pub(crate) after: &'c str,
}
