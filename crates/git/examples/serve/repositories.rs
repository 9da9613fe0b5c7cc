//! The repositories below a folder, found as Git finds them and kept open between requests.
//!
//! **Invariant:** open repositories are refreshed before each use, because other programs may change them at any time.

use std::{
    collections::HashMap,
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use bstr::ByteSlice;
use git::{ObjectId, Options, References, Repository};
use parking_lot::Mutex;

use super::{
    advertisements::Advertisements, config::Settings, configuration::Configuration, hidden::Hidden, references::Store,
};

/// The maximum number of open repositories.
const OPEN_MAX: usize = 256;

/// The source of the settings.
#[derive(Debug, Clone)]
pub enum Policy {
    /// The options alone.
    Fixed,
    /// The configuration of each repository, as with Git; the options have the limits.
    Configured,
}

/// The repositories below a folder.
pub struct Repositories {
    root: PathBuf,
    policy: Policy,
    options: Options,
    open: Mutex<HashMap<PathBuf, Arc<OpenRepository>>>,
}

/// An open repository.
struct OpenRepository {
    store: Store,
    repository: Mutex<Option<Repository>>,
    configuration: Mutex<Option<Arc<Configuration>>>,
    advertisements: Advertisements,
}

/// A repository during a request.
pub struct Served {
    open_repository: Arc<OpenRepository>,
    pub repository: Repository,
    pub settings: Settings,
}

/// The reason why a repository is not served.
#[derive(Debug)]
pub enum Refusal {
    NotFound,
    /// Git's message for the failure.
    Fatal(String),
}

impl From<io::Error> for Refusal {
    fn from(error: io::Error) -> Self {
        Self::Fatal(error.to_string())
    }
}

impl Repositories {
    pub fn new(root: &Path, policy: Policy, options: &Options) -> Self {
        Self { root: root.to_owned(), policy, options: options.clone(), open: Mutex::default() }
    }

    /// Returns the repository at a path below the root.
    pub fn find(&self, path: &Path) -> Result<Served, Refusal> {
        let folder = locate(&self.root.join(path)).ok_or(Refusal::NotFound)?;
        let open_repository = {
            let mut open = self.open.lock();
            if open.len() >= OPEN_MAX && !open.contains_key(&folder) {
                open.clear();
            }
            Arc::clone(open.entry(folder.clone()).or_insert_with(|| Arc::new(OpenRepository::new(&folder))))
        };
        let settings = match self.policy {
            Policy::Fixed => Settings::fixed(&self.options),
            Policy::Configured => {
                open_repository.configuration(&self.options).map_err(Refusal::Fatal)?.settings.clone()
            }
        };
        let repository = open_repository.repository()?;
        Ok(Served { open_repository, repository, settings })
    }
}

impl OpenRepository {
    fn new(folder: &Path) -> Self {
        Self {
            store: Store::new(folder),
            repository: Mutex::default(),
            configuration: Mutex::default(),
            advertisements: Advertisements::default(),
        }
    }

    fn configuration(&self, options: &Options) -> Result<Arc<Configuration>, String> {
        let mut known = self.configuration.lock();
        match known.as_ref().filter(|known| known.is_unchanged()) {
            Some(known) => Ok(Arc::clone(known)),
            None => Ok(Arc::clone(known.insert(Arc::new(Configuration::read(self.store.path(), options)?)))),
        }
    }

    fn repository(&self) -> io::Result<Repository> {
        let mut known = self.repository.lock();
        let repository = match &*known {
            Some(known) => known.clone(),
            None => known.insert(Repository::open(self.store.path())?).clone(),
        };
        drop(known);
        repository.refresh()?;
        Ok(repository)
    }
}

impl Served {
    /// Returns the store of the references.
    pub fn store(&self) -> &Store {
        &self.open_repository.store
    }

    /// Returns the cached advertisements.
    pub fn advertisements(&self) -> &Advertisements {
        &self.open_repository.advertisements
    }

    /// Returns the references that clients see.
    pub fn references(&self, hidden: &Hidden) -> io::Result<Arc<References>> {
        let view = self.store().snapshot(&self.repository)?.view(hidden);
        let shallow = shallow(self.store().path())?;
        if shallow.is_empty() {
            return Ok(view);
        }
        Ok(Arc::new(References { shallow, ..References::clone(&view) }))
    }
}

/// Reads the shallow commits of a repository.
fn shallow(path: &Path) -> io::Result<Vec<ObjectId>> {
    match fs::read(path.join("shallow")) {
        Ok(content) => Ok(content.lines().filter_map(|line| ObjectId::from_hex(line.trim()).ok()).collect()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

/// Finds the folder of the repository at a path.
fn locate(path: &Path) -> Option<PathBuf> {
    for suffix in ["/.git", "", ".git/.git", ".git"] {
        let mut candidate = path.as_os_str().to_owned();
        candidate.push(suffix);
        let candidate = PathBuf::from(candidate);
        let candidate = match fs::metadata(&candidate) {
            Ok(found) if found.is_file() => named_in(&candidate)?,
            Ok(found) if found.is_dir() => candidate,
            _ => continue,
        };
        if is_repository(&candidate) {
            return Some(candidate);
        }
    }
    None
}

/// Reads the path of the repository from a `.git` file.
fn named_in(file: &Path) -> Option<PathBuf> {
    let content = fs::read(file).ok()?;
    let place = content.strip_prefix(b"gitdir: ")?.trim_end();
    Some(file.parent()?.join(place.to_path().ok()?))
}

fn is_repository(path: &Path) -> bool {
    let head = path.join("HEAD");
    let is_head = match fs::read(&head) {
        Ok(content) => match content.strip_prefix(b"ref:") {
            Some(name) => name.trim().starts_with(b"refs/"),
            None => content.get(..40).is_some_and(|hex| ObjectId::from_hex(hex).is_ok()),
        },
        Err(_) => fs::read_link(&head).is_ok_and(|target| target.starts_with("refs")),
    };
    is_head && path.join("objects").is_dir() && path.join("refs").is_dir()
}
