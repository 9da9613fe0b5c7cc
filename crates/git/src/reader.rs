//! Reading objects from packs and loose files.

use std::{cell::OnceCell, cmp::Reverse, collections::HashSet, path::Path, sync::Arc};

use gix::{
    ObjectId,
    hash::oid,
    hashtable::HashMap,
    odb::{
        loose,
        pack::data::{decode::entry::ResolvedBase as EntryBase, decode::header::ResolvedBase as HeaderBase},
    },
    zlib::Inflate,
};

use crate::{
    Commit, Error, Kind, Object, Repository,
    commit_graph::{self, GraphedPack},
    decode_cache::DecodeCache,
    interrupt::Interrupt,
    object_links,
    pack::Pack,
    repository::State,
};

/// The location of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Location {
    /// In a pack of [`Reader::packs`], at a position of its index.
    Packed { pack: usize, position: u32 },
    /// In a loose file.
    Loose,
    /// In no file: the empty tree, which exists in every repository for Git.
    ///
    /// A commit without files can refer to it although it was never written.
    Innate,
}

/// Number of attempts to read an object that moves, such as a loose object that is packed.
const LOOKS: usize = 3;

/// Reads the objects of a repository.
///
/// Objects that existed when the reader was created stay readable after their files are removed. Later objects are found
/// too: if an object seems to be missing, the folders are read again.
///
/// **Invariant:** the list of packs only grows, and only at its end, so a location stays valid.
pub struct Reader {
    cache: DecodeCache,
    /// The repository to search for later objects; `None` if only the packs are read.
    source: Option<Source>,
    packs: Arc<[Arc<Pack>]>,
    /// The numbers of the packs in the order of lookups: the last one that had an object first; initially, large ones first.
    order: Vec<usize>,
    inflate: Inflate,
    /// Objects that exist for this reader only, by their ids.
    imagined: HashMap<ObjectId, Object>,
    /// The graph in use, looked up on first use.
    graphed_pack: OnceCell<Option<GraphedPack>>,
    /// The interrupt of the work that reads.
    interrupt: Interrupt,
}

/// A repository, and the state of its folders.
#[derive(Clone)]
struct Source {
    repository: Repository,
    state: Arc<State>,
    /// Whether the folders were read after the reader was created.
    fresh: bool,
}

impl Reader {
    /// Reads a repository.
    pub(crate) fn new(repository: Repository) -> Self {
        let state = repository.state();
        let packs = Arc::clone(&state.packs);
        let cache = DecodeCache::of(repository.decode_caches());
        let interrupt = repository.interrupt().clone();
        Self::over(packs, cache, Some(Source { repository, state, fresh: false }), interrupt)
    }

    /// Reads one pack and nothing else.
    pub(crate) fn of_pack(pack: Arc<Pack>, interrupt: Interrupt) -> Self {
        let cache = DecodeCache::alone(pack.memory());
        Self::over([pack].into(), cache, None, interrupt)
    }

    /// Replaces the interrupt; returns the old one.
    pub(crate) fn replace_interrupt(&mut self, interrupt: Interrupt) -> Interrupt {
        std::mem::replace(&mut self.interrupt, interrupt)
    }

    /// Returns the interrupt of the work that reads.
    pub fn interrupt(&self) -> &Interrupt {
        &self.interrupt
    }

    /// Fails if the work was interrupted; for long work between two objects.
    pub fn go_on(&self) -> Result<(), Error> {
        self.interrupt.check()
    }

    fn over(packs: Arc<[Arc<Pack>]>, cache: DecodeCache, source: Option<Source>, interrupt: Interrupt) -> Self {
        let mut order: Vec<_> = (0..packs.len()).collect();
        order.sort_by_key(|pack| Reverse(packs[*pack].index.num_objects()));
        Self {
            cache,
            source,
            packs,
            order,
            inflate: Inflate::default(),
            imagined: HashMap::default(),
            graphed_pack: OnceCell::new(),
            interrupt,
        }
    }

    /// Returns the packs that locations refer to.
    pub(crate) fn packs(&self) -> &Arc<[Arc<Pack>]> {
        &self.packs
    }

    /// Returns the largest pack that has a graph.
    pub(crate) fn graphed_pack(&self) -> Option<&GraphedPack> {
        self.graphed_pack.get_or_init(|| commit_graph::find(&self.packs)).as_ref()
    }

    /// Sets the graph to use, or none.
    pub(crate) fn use_graph(&mut self, graphed_pack: Option<GraphedPack>) {
        self.graphed_pack = OnceCell::from(graphed_pack);
    }

    /// Finds an object.
    pub(crate) fn locate(&mut self, id: &oid) -> Option<Location> {
        let stored = self.look_up(id).or_else(|| if self.refresh() { self.look_up(id) } else { None });
        stored.or_else(|| (self.source.is_some() && id.is_empty_tree()).then_some(Location::Innate))
    }

    /// Creates another reader of the same objects, for another thread; locations are valid for both.
    pub(crate) fn fork(&self) -> Self {
        Self {
            cache: self.cache.another(),
            source: self.source.clone(),
            packs: Arc::clone(&self.packs),
            order: self.order.clone(),
            inflate: Inflate::default(),
            imagined: self.imagined.clone(),
            graphed_pack: OnceCell::new(),
            interrupt: self.interrupt.clone(),
        }
    }

    /// Returns an object's kind, if the object exists.
    pub fn kind(&mut self, id: &oid) -> Result<Option<Kind>, Error> {
        Ok(self.header(id)?.map(|(kind, _)| kind))
    }

    /// Returns an object's kind and its size in bytes, if the object exists.
    pub fn header(&mut self, id: &oid) -> Result<Option<(Kind, u64)>, Error> {
        self.go_on()?;
        if let Some(object) = self.imagined.get(id) {
            return Ok(Some((object.kind, object.data.len() as u64)));
        }
        for _ in 0..LOOKS {
            match self.locate(id) {
                None => return Ok(None),
                Some(Location::Innate) => return Ok(Some((Kind::Tree, 0))),
                Some(Location::Loose) => {
                    let found = self.in_loose(|store| Ok(store.try_header(id)?.map(|(size, kind)| (kind, size))))?;
                    if found.is_some() {
                        return Ok(found);
                    }
                }
                Some(Location::Packed { pack, position }) => {
                    let pack = &self.packs[pack];
                    let entry = pack.entry(pack.index.pack_offset_at_index(position))?;
                    let resolve =
                        |base: &oid| Ok(pack.entry_of(base).map_err(gix::Error::from_error)?.map(HeaderBase::InPack));
                    let outcome = pack.data.decode_header(entry, &mut self.inflate, &resolve);
                    let found = outcome.map(|outcome| Some((outcome.kind, outcome.object_size)));
                    return found.map_err(|error| damaged(id, pack, &error));
                }
            }
        }
        Ok(None)
    }

    /// Reads an object; `None` if there is no such object.
    pub fn find(&mut self, id: &oid) -> Result<Option<Object>, Error> {
        let mut data = Vec::new();
        Ok(self.read(id, &mut data)?.map(|kind| Object { kind, data }))
    }

    /// Reads a commit that must exist.
    pub fn commit(&mut self, id: &oid) -> Result<Commit, Error> {
        let mut data = Vec::new();
        self.expect(id, Kind::Commit, &mut data)?;
        Commit::parse(&data).map_err(|reason| Error::Malformed { id: id.to_owned(), reason })
    }

    /// Reads an object's content into `buffer`, if the object exists.
    pub fn read(&mut self, id: &oid, buffer: &mut Vec<u8>) -> Result<Option<Kind>, Error> {
        self.go_on()?;
        if let Some(object) = self.imagined.get(id) {
            buffer.clone_from(&object.data);
            return Ok(Some(object.kind));
        }
        for _ in 0..LOOKS {
            match self.locate(id) {
                None => return Ok(None),
                Some(Location::Innate) => {
                    buffer.clear();
                    return Ok(Some(Kind::Tree));
                }
                Some(Location::Loose) => {
                    let kind = self.in_loose(|store| Ok(store.try_find(id, buffer)?.map(|object| object.kind)))?;
                    if kind.is_some() {
                        return Ok(kind);
                    }
                }
                Some(Location::Packed { pack, position }) => {
                    let pack = &self.packs[pack];
                    let entry = pack.entry(pack.index.pack_offset_at_index(position))?;
                    let resolve = |base: &oid, _: &mut Vec<u8>| {
                        Ok(pack.entry_of(base).map_err(gix::Error::from_error)?.map(EntryBase::InPack))
                    };
                    let outcome = pack.data.decode_entry(entry, buffer, &mut self.inflate, &resolve, &mut self.cache);
                    return outcome.map(|outcome| Some(outcome.kind)).map_err(|error| damaged(id, pack, &error));
                }
            }
        }
        Ok(None)
    }

    /// Reads an object that must exist and have the `kind`.
    pub(crate) fn expect(&mut self, id: &oid, kind: Kind, buffer: &mut Vec<u8>) -> Result<(), Error> {
        match self.read(id, buffer)? {
            Some(found) if found == kind => Ok(()),
            Some(_) => Err(Error::other_kind(id)),
            None => Err(self.missing(id)),
        }
    }

    /// Returns the error that an object is missing, with the path of the repository.
    pub fn missing(&self, id: &oid) -> Error {
        let objects = self.source.as_ref().map(|source| source.repository.objects());
        // A pack is in `objects/pack`.
        let pack = || self.packs.first().and_then(|pack| pack.data.path().ancestors().nth(2));
        let repository = objects.or_else(pack).and_then(Path::parent).unwrap_or(Path::new(""));
        Error::Missing { id: id.to_owned(), repository: repository.to_owned() }
    }

    /// Follows annotated tags to their target.
    pub fn peel(&mut self, id: &oid) -> Result<(ObjectId, Kind), Error> {
        let mut id = id.to_owned();
        let mut buffer = Vec::new();
        loop {
            let kind = self.kind(&id)?.ok_or_else(|| self.missing(&id))?;
            if kind != Kind::Tag {
                return Ok((id, kind));
            }
            self.expect(&id, kind, &mut buffer)?;
            (id, _) = object_links::tag_target(&buffer).map_err(|reason| Error::Malformed { id, reason })?;
        }
    }

    /// Adds an object for this reader only; returns its id.
    pub(crate) fn imagine(&mut self, object: Object) -> Result<ObjectId, Error> {
        let id = object.id()?;
        self.imagined.insert(id, object);
        Ok(id)
    }

    /// Returns a tree that was added for this reader only, and the added objects below it.
    pub fn imagined(&self, tree: &oid) -> Vec<Object> {
        let mut seen = HashSet::new();
        let mut left = vec![tree.to_owned()];
        let mut found = Vec::new();
        while let Some(id) = left.pop() {
            let Some(object) = self.imagined.get(&id).filter(|_| seen.insert(id)) else { continue };
            object_links::visit(object.kind, &object.data, &mut |id, _| left.push(id.to_owned()))
                .expect("the added objects are well formed");
            found.push(object.clone());
        }
        found
    }

    fn look_up(&mut self, id: &oid) -> Option<Location> {
        for rank in 0..self.order.len() {
            let pack = self.order[rank];
            if let Some(position) = self.packs[pack].position(id) {
                self.order[..=rank].rotate_right(1);
                return Some(Location::Packed { pack, position });
            }
        }
        self.loose().iter().any(|store| store.contains(id)).then_some(Location::Loose)
    }

    fn loose(&self) -> &[loose::Store] {
        self.source.as_ref().map_or(&[], |source| &source.state.loose)
    }

    /// Queries the stores of loose objects until one has the object.
    fn in_loose<T>(&self, mut ask: impl FnMut(&loose::Store) -> gix::Result<Option<T>>) -> Result<Option<T>, Error> {
        for store in self.loose() {
            if let Some(answer) = ask(store).map_err(|error| Error::decode(&error))? {
                return Ok(Some(answer));
            }
        }
        Ok(None)
    }

    /// Adds the packs that are new since the reader was created; returns `false` if there are none.
    fn refresh(&mut self) -> bool {
        let Some(source) = &mut self.source else { return false };
        // A change right after another one may not change the time of the folder. An object that is needed existed before
        // the reader was created, so it is enough to read the folders once. If that fails now, the known packs stay.
        drop(if source.fresh { source.repository.refresh_if_changed() } else { source.repository.refresh() });
        source.fresh = true;
        let before = std::mem::replace(&mut source.state, source.repository.state());
        if Arc::ptr_eq(&before.packs, &source.state.packs) && before.loose.len() == source.state.loose.len() {
            return false;
        }
        let known = self.packs.len();
        let numbers: HashSet<_> = self.packs.iter().map(|pack| pack.data.id).collect();
        let added = source.state.packs.iter().filter(|pack| !numbers.contains(&pack.data.id));
        self.packs = self.packs.iter().chain(added).cloned().collect();
        self.order.extend(known..self.packs.len());
        true
    }
}

fn damaged(id: &oid, pack: &Pack, error: &impl std::fmt::Display) -> Error {
    Error::Damaged { id: id.to_owned(), pack: pack.data.path().to_owned(), reason: error.to_string() }
}

impl Repository {
    /// Returns an object's kind; `None` if there is no such object.
    pub fn kind(&self, id: &oid) -> Result<Option<Kind>, Error> {
        self.reader().kind(id)
    }

    /// Reads an object; `None` if there is no such object.
    pub fn find(&self, id: &oid) -> Result<Option<Object>, Error> {
        self.reader().find(id)
    }

    /// Follows annotated tags, and tags of tags, to their target; returns the id of any other object unchanged.
    pub fn peel(&self, id: &oid) -> Result<ObjectId, Error> {
        self.reader().peel(id).map(|(id, _)| id)
    }

    /// Creates a reader of the present objects.
    pub fn reader(&self) -> Reader {
        Reader::new(self.clone())
    }
}
