//! The installed program.

use std::env;
use std::path::{Path, PathBuf};

use super::Error;

/// Environment variable with the path of the program.
const VARIABLE: &str = "CODECOMMIT_LOCAL_BINARY";

/// Finds the program: that of the variable, else beside the running program, else in a folder of `PATH`.
pub(super) fn find() -> Result<PathBuf, Error> {
    if let Some(path) = env::var_os(VARIABLE).filter(|path| !path.is_empty()) {
        return Ok(path.into());
    }
    let name = format!("codecommit-local{}", env::consts::EXE_SUFFIX);
    let program = env::current_exe().unwrap_or_default();
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = beside(&program).chain(env::split_paths(&path));
    folders.map(|folder| folder.join(&name)).find(|path| path.is_file()).ok_or_else(|| {
        Error::new(format!(
            "cannot find the program {name}: it is neither beside {} nor in a folder of PATH; install it, or set {VARIABLE} to its path",
            program.display()
        ))
    })
}

/// Returns the folder of a program, and the one above it: the programs of a package are above the folder `deps` of its tests.
fn beside(program: &Path) -> impl Iterator<Item = PathBuf> {
    program.ancestors().skip(1).take(2).map(Path::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_of_a_test_and_the_one_above_are_searched() {
        let folders: Vec<_> = beside(Path::new("/target/debug/deps/test-1")).collect();
        assert_eq!(folders, [Path::new("/target/debug/deps"), Path::new("/target/debug")]);
    }
}
