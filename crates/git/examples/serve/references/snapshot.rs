//! All references of a repository at one moment.

use std::{
    collections::HashMap,
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use bstr::{BStr, BString, ByteSlice};
use git::{ObjectId, Reference, References, Repository};
use parking_lot::Mutex;

use super::{
    super::{hidden::Hidden, stamp::Stamp},
    files::{self, Target},
    packed::{self, Packed, Peeled},
};

/// The maximum length of a chain of symbolic references.
const SYMBOLIC_DEPTH: usize = 5;

/// The references of one repository, with their caches.
pub struct Store {
    path: PathBuf,
    packed: Mutex<Option<(Stamp, Arc<[Packed]>)>>,
    latest: Mutex<Option<Arc<Snapshot>>>,
    /// Locked during updates, so that pushes wait for each other and not for a timeout.
    pub moving: Mutex<()>,
}

/// The references at one moment.
pub struct Snapshot {
    head: Option<Target>,
    files: Vec<(BString, Option<Target>)>,
    packed: Arc<[Packed]>,
    found: Vec<Found>,
    /// The views for the rules of hidden references.
    views: Mutex<Vec<(Hidden, Arc<References>)>>,
}

struct Found {
    reference: Reference,
    /// The final target of a symbolic reference.
    symbolic: Option<BString>,
}

impl Store {
    /// The references in the folder `path`.
    pub fn new(path: &Path) -> Self {
        let path = path.to_owned();
        Self { path, packed: Mutex::default(), latest: Mutex::default(), moving: Mutex::default() }
    }

    /// Returns the folder of the references.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads one reference: the loose one, or else the packed one.
    pub fn target(&self, name: &BStr) -> io::Result<Option<Target>> {
        if let Some(target) = files::read(&self.path, name)? {
            return Ok(Some(target));
        }
        Ok(packed::find(&self.packed()?, name).map(|packed| Target::Object(packed.target)))
    }

    /// Returns the packed references.
    pub fn packed(&self) -> io::Result<Arc<[Packed]>> {
        let path = self.path.join("packed-refs");
        let mut known = self.packed.lock();
        if let Some((_, packed)) = known.as_ref().filter(|(stamp, _)| stamp.is_unchanged(&path)) {
            return Ok(Arc::clone(packed));
        }
        let stamp = Stamp::of(&path);
        let packed: Arc<[Packed]> = packed::read(&self.path)?.into();
        *known = Some((stamp, Arc::clone(&packed)));
        Ok(packed)
    }

    /// Reads all references; those without a target are left out and logged.
    pub fn snapshot(&self, repository: &Repository) -> io::Result<Arc<Snapshot>> {
        let head = files::read(&self.path, b"HEAD".as_bstr()).unwrap_or_default();
        let mut files = files::list(&self.path)?;
        files.sort_by(|(one, _), (other, _)| one.cmp(other));
        let packed = self.packed()?;
        let latest = self.latest.lock().clone();
        let is_same =
            |latest: &Snapshot| latest.head == head && Arc::ptr_eq(&latest.packed, &packed) && latest.files == files;
        if let Some(latest) = latest.filter(|latest| is_same(latest)) {
            return Ok(latest);
        }
        let mut snapshot = Snapshot { head, files, packed, found: Vec::new(), views: Mutex::default() };
        let complete = snapshot.resolve(repository);
        let snapshot = Arc::new(snapshot);
        *self.latest.lock() = complete.then(|| Arc::clone(&snapshot));
        Ok(snapshot)
    }
}

impl Snapshot {
    /// Creates the view of clients, without hidden references.
    pub fn view(&self, hidden: &Hidden) -> Arc<References> {
        let mut views = self.views.lock();
        if let Some((_, view)) = views.iter().find(|(known, _)| known == hidden) {
            return Arc::clone(view);
        }
        let mut view = References::default();
        for found in &self.found {
            let name = &found.reference.name;
            if hidden.covers(name.as_bstr()) {
                view.hidden.push(found.reference.target);
                continue;
            }
            if let Some(target) = &found.symbolic {
                view.symbolic.push((name.clone(), target.clone()));
            }
            view.references.push(found.reference.clone());
        }
        if !hidden.covers(b"HEAD".as_bstr()) {
            match &self.head {
                Some(Target::Object(id)) => view.detached = Some(*id),
                Some(Target::Symbolic(name)) => {
                    view.head = Some(name.clone());
                    // HEAD is visible even if its branch is hidden.
                    let branch = self.find(name.as_bstr()).filter(|_| hidden.covers(name.as_bstr()));
                    view.detached = branch.map(|branch| branch.reference.target);
                }
                None => {}
            }
        }
        let view = Arc::new(view);
        // The rules seldom change, and the two services have two sets.
        views.truncate(3);
        views.push((hidden.clone(), Arc::clone(&view)));
        view
    }

    fn find(&self, name: &BStr) -> Option<&Found> {
        let position = self.found.binary_search_by(|found| found.reference.name.as_bstr().cmp(name)).ok()?;
        self.found.get(position)
    }

    /// Resolves the targets of the references; returns whether all have one.
    fn resolve(&mut self, repository: &Repository) -> bool {
        let mut complete = true;
        let mut found = Vec::with_capacity(self.files.len() + self.packed.len());
        let mut peels = Peels { repository, known: HashMap::new() };
        for (name, place) in self.merged() {
            let (target, symbolic, peeled) = match place {
                ClientPermit::Packed(packed) => (Some(packed.target), None, packed.peeled),
                ClientPermit::File(Some(target)) => match self.follow(target) {
                    Some((id, symbolic)) => (Some(id), symbolic, Peeled::Unknown),
                    None => continue,
                },
                ClientPermit::File(None) => (None, None, Peeled::Unknown),
            };
            let verdict = match target {
                None => Err(format!("warning: ignoring broken ref {name}")),
                Some(_) if gix::validate::reference::name(name).is_err() => {
                    Err(format!("warning: ignoring ref with broken name {name}"))
                }
                Some(target) => peels
                    .peel(target, peeled)
                    .map(|peeled| Found { reference: Reference { name: name.into(), target, peeled }, symbolic })
                    .ok_or_else(|| format!("error: {name} does not point to a valid object!")),
            };
            match verdict {
                Ok(one) => found.push(one),
                Err(complaint) => {
                    complete = false;
                    eprintln!("{complaint}");
                }
            }
        }
        self.found = found;
        complete
    }

    /// Lists all references by name; a loose reference hides the packed one of its name.
    fn merged(&self) -> impl Iterator<Item = (&BStr, ClientPermit<'_>)> {
        let mut files = self.files.iter().peekable();
        let mut packed = self.packed.iter().peekable();
        std::iter::from_fn(move || {
            let order = match (files.peek(), packed.peek()) {
                (Some((file, _)), Some(packed)) => file.cmp(&packed.name),
                (None, Some(_)) => std::cmp::Ordering::Greater,
                _ => std::cmp::Ordering::Less,
            };
            if order.is_gt() {
                return packed.next().map(|packed| (packed.name.as_bstr(), ClientPermit::Packed(packed)));
            }
            if order.is_eq() {
                packed.next();
            }
            files.next().map(|(name, target)| (name.as_bstr(), ClientPermit::File(target.as_ref())))
        })
    }

    /// Resolves a reference to its object, with the last name on the path if it is symbolic.
    fn follow(&self, target: &Target) -> Option<(ObjectId, Option<BString>)> {
        let mut target = target.clone();
        let mut last = None;
        for _ in 0..=SYMBOLIC_DEPTH {
            let name = match target {
                Target::Object(id) => return Some((id, last)),
                Target::Symbolic(name) => name,
            };
            let file = self.files.binary_search_by(|(known, _)| known.cmp(&name)).ok();
            target = match file {
                Some(position) => self.files[position].1.clone()?,
                None => Target::Object(packed::find(&self.packed, name.as_bstr())?.target),
            };
            last = Some(name);
        }
        None
    }
}

/// The source of a reference.
enum ClientPermit<'s> {
    Packed(&'s Packed),
    File(Option<&'s Target>),
}

/// The known peeled values of targets.
struct Peels<'r> {
    repository: &'r Repository,
    known: HashMap<ObjectId, Option<ObjectId>>,
}

impl Peels<'_> {
    /// Returns the peeled value of an object; `None` if the object does not exist.
    #[expect(clippy::option_option, reason = "there is an object or not, and a tag is one of them")]
    fn peel(&mut self, id: ObjectId, known: Peeled) -> Option<Option<ObjectId>> {
        let peeled = match known {
            // Git does not check the objects of these, either.
            Peeled::To(peeled) => return Some(Some(peeled)),
            Peeled::Itself => return Some(None),
            Peeled::Unknown if self.known.contains_key(&id) => return self.known.get(&id).copied(),
            Peeled::Unknown => self.repository.peel(&id).ok().map(|peeled| (peeled != id).then_some(peeled))?,
        };
        self.known.insert(id, peeled);
        Some(peeled)
    }
}
