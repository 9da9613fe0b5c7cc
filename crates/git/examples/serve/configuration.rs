//! Reads the configuration of a repository: the system's, the user's and its own, with included files.

use std::path::{Path, PathBuf};

use git::Options;
use gix::config::{
    File, Source,
    file::{
        Metadata,
        includes::{self, conditional},
        init,
    },
    path::interpolate,
};

use super::{config::Settings, stamp::Stamp};

/// The settings of one repository, with their source files.
pub struct Configuration {
    pub settings: Settings,
    files: Vec<(PathBuf, Stamp)>,
    /// Whether other files are included; changes of these are not detected.
    includes: bool,
}

impl Configuration {
    /// Reads the configuration of the repository in the folder `path`.
    ///
    /// An error is Git's message for the failure.
    pub fn read(path: &Path, options: &Options) -> Result<Self, String> {
        let sources = [Source::System, Source::Git, Source::User, Source::Local];
        let places = sources.map(|source| {
            let place = match source {
                Source::System => system_place(),
                other => other.storage_location(&mut |name| std::env::var_os(name)),
            };
            Some((source, path.join(place?)))
        });
        let files: Vec<_> = places.iter().flatten().map(|(_, place)| (place.clone(), Stamp::of(place))).collect();
        let there = places.into_iter().flatten().filter(|(_, place)| place.is_file());
        let metadata = there.map(|(source, place)| Metadata::from(source).at(place));

        let home = std::env::home_dir();
        let interpolation = interpolate::Context { home_dir: home.as_deref(), ..interpolate::Context::default() };
        let condition = conditional::Context { git_dir: Some(path), branch_name: None };
        let options_of_files =
            init::Options { includes: includes::Options::follow(interpolation, condition), ..init::Options::default() };
        let file = File::from_paths_metadata(metadata, options_of_files).map_err(|error| error.to_string())?;
        let file = file.unwrap_or_default();
        let includes = ["include", "includeIf"].iter().any(|name| file.sections_by_name(name).is_some());
        let bare = path.file_name().is_none_or(|name| name != ".git");
        Ok(Self { settings: Settings::derive(&file, options, bare)?, files, includes })
    }

    /// Returns whether the files have not changed since they were read.
    pub fn is_unchanged(&self) -> bool {
        !self.includes && self.files.iter().all(|(path, stamp)| stamp.is_unchanged(path))
    }
}

/// Finds the system's configuration without an installed Git.
fn system_place() -> Option<PathBuf> {
    let switched_off = std::env::var("GIT_CONFIG_NOSYSTEM").is_ok_and(|value| !matches!(&*value, "" | "0" | "false"));
    let place = std::env::var_os("GIT_CONFIG_SYSTEM").unwrap_or_else(|| "/etc/gitconfig".into());
    (!switched_off).then(|| place.into())
}
