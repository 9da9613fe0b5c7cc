//! The sources of repositories: bare repositories, bundles and plain folders.

mod bare;
mod bundle;
mod pack_file;
mod plain;
mod references;

use std::io::Read;
use std::path::{Path, PathBuf};

use git::{BString, ObjectId};

pub(crate) use plain::CommitOptions;

/// The source of a repository's objects and references.
#[derive(Clone, Debug)]
pub(crate) enum Source {
    /// A bare repository.
    Bare(PathBuf),
    /// A repository with a working tree, which is not read.
    WithWorktree(PathBuf),
    /// A Git bundle.
    Bundle(PathBuf),
    /// A folder of files, which becomes one commit.
    Plain(PathBuf),
}

/// The objects and references of a source.
pub(crate) struct Content {
    /// The references by their full names; annotated tags are not peeled.
    pub(crate) references: Vec<(BString, ObjectId)>,
    /// The full name of the default branch, if the source has one; it need not exist.
    pub(crate) head: Option<BString>,
    /// A pack with the objects that the references lead to.
    pub(crate) pack: Box<dyn Read + Send>,
}

impl Source {
    /// Returns its path.
    pub(crate) fn path(&self) -> &Path {
        match self {
            Self::Bare(path) | Self::WithWorktree(path) | Self::Bundle(path) | Self::Plain(path) => path,
        }
    }

    /// Returns the folder of a repository, which can have large files beside its objects; the other sources have none.
    pub(crate) fn repository(&self) -> Option<PathBuf> {
        match self {
            Self::Bare(path) => Some(path.clone()),
            Self::WithWorktree(path) => Some(path.join(".git")),
            Self::Bundle(_) | Self::Plain(_) => None,
        }
    }

    /// Opens the source. The pack has the objects of the commits `tips`, too; temporary files are in `scratch`.
    ///
    /// Fails with the reason and what to do.
    pub(crate) fn open(&self, tips: &[ObjectId], commit: &CommitOptions, scratch: &Path) -> Result<Content, String> {
        match self {
            Self::Bare(path) => bare::open(path, tips, false, scratch),
            Self::WithWorktree(path) => bare::open(&path.join(".git"), tips, true, scratch),
            Self::Bundle(path) => bundle::open(path),
            Self::Plain(path) => plain::open(path, commit, scratch),
        }
    }
}
