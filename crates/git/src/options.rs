//! The offers, limits and other options of a server.

use crate::{Cache, Filters, Fsck, PackPermits};

/// The two services of the smart protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Service {
    /// Sends objects: clone and fetch.
    UploadPack,
    /// Receives objects and updates references: push.
    ReceivePack,
}

impl Service {
    /// Returns the name of the service in the protocol.
    pub fn name(self) -> &'static str {
        match self {
            Self::UploadPack => "git-upload-pack",
            Self::ReceivePack => "git-receive-pack",
        }
    }

    /// Finds a service by its name in the protocol.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::UploadPack, Self::ReceivePack].into_iter().find(|service| service.name() == name)
    }
}

/// The features that clients are offered: each is advertised, and used when a client requests it.
#[expect(clippy::struct_excessive_bools, reason = "each is a capability of a server")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offers {
    /// The features that every current server has: offset deltas, all forms of acknowledgement, side bands, limits of
    /// depth by time and by reference, `no-progress`, `include-tag`, `symref`, `agent`,
    /// `object-format`, `report-status-v2`, `quiet`; and protocol versions 1 and 2.
    pub modern: bool,
    /// Clients may request the targets of hidden references.
    pub tip_ids: bool,
    /// Clients may request all objects reachable from the references.
    pub reachable_ids: bool,
    /// Clients may request all objects.
    pub any_ids: bool,
    /// Clients may filter objects: `filter`.
    pub filter: bool,
    /// Version 2: clients may request references by name: `ref-in-want`.
    pub ref_in_want: bool,
    /// Version 2: the whole response may use side bands: `sideband-all`.
    pub sideband_all: bool,
    /// Version 2: the default branch is listed even if it does not exist: `ls-refs=unborn`.
    pub unborn: bool,
    /// Version 2: the command `object-info`.
    pub object_info: bool,
    /// Both sides send a session id: `session-id`.
    pub session_id: bool,
    /// Pushes may be atomic: `atomic`.
    pub atomic: bool,
    /// Pushes may have options for the server: `push-options`.
    pub push_options: bool,
    /// Pushes may make the repository shallow.
    pub shallow_pushes: bool,
}

impl Offers {
    /// The observed offers of AWS CodeCommit.
    pub const AWS: Self = Self {
        modern: false,
        tip_ids: true,
        reachable_ids: true,
        any_ids: false,
        filter: false,
        ref_in_want: false,
        sideband_all: false,
        unborn: false,
        object_info: false,
        session_id: false,
        atomic: false,
        push_options: false,
        shallow_pushes: false,
    };

    /// All implemented features, except [`Offers::any_ids`] and [`Offers::shallow_pushes`], which weaken guarantees.
    pub const FULL: Self = Self {
        modern: true,
        filter: true,
        ref_in_want: true,
        sideband_all: true,
        unborn: true,
        object_info: true,
        session_id: true,
        atomic: true,
        push_options: true,
        ..Self::AWS
    };
}

/// The default depth of trees that Git's programs accept.
pub(crate) const TREE_DEPTH_MAX: usize = 2048;

/// The limits of one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The number of reference updates of one push.
    pub refs_per_push: usize,
    /// The size of an upload-pack request, and of the command list of a push, in bytes.
    pub request_bytes: u64,
    /// The size of a pushed pack, in bytes.
    pub pack_bytes: u64,
    /// The size of one pushed object, in bytes.
    pub object_bytes: u64,
    /// The size of one pushed commit, tree or tag, in bytes; each is in memory while it is checked.
    pub structure_bytes: u64,
    /// The length of a chain of deltas.
    pub delta_chain: usize,
    /// The number of nested folders in a push, without the root: Git's `core.maxTreeDepth`.
    pub tree_depth: usize,
    /// The number of objects in a pushed pack, and of objects that they refer to; each takes about 100 bytes of memory.
    pub pack_objects: u32,
    /// The size of a pushed delta and of its object, in bytes; one object of that size and its base are in memory at a
    /// time. Git's clients do not send larger files as deltas.
    pub delta_bytes: u64,
    /// The total size of the objects of any pushed pack, in bytes.
    pub expansion_bytes: u64,
    /// The additional total size of the objects, as a multiple of the pack's size.
    ///
    /// Git limits its chains to 50 deltas: a pack of ordinary files expands to less than 100 times its size, and one of
    /// the most repetitive data to 1000 times.
    pub expansion_factor: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            refs_per_push: 4000,
            request_bytes: 64 << 20,
            pack_bytes: u64::MAX,
            object_bytes: 2 << 30,
            structure_bytes: 128 << 20,
            delta_chain: 4095,
            tree_depth: TREE_DEPTH_MAX,
            pack_objects: 1 << 24,
            delta_bytes: 512 << 20,
            expansion_bytes: 16 << 30,
            expansion_factor: 1000,
        }
    }
}

/// The options of a server.
#[derive(Debug, Clone)]
pub struct Options {
    /// The features that clients are offered.
    pub offers: Offers,
    /// The limits of one request.
    pub limits: Limits,
    /// The checks of pushed objects.
    pub fsck: Fsck,
    /// The filters that clients may use, if [`Offers::filter`] is set.
    pub filters: Filters,
    /// Whether packs and folders are flushed to the disk before the report of a push is sent.
    pub sync: bool,
    /// The number of threads that one request may use.
    pub threads: usize,
    /// The cache of packs, for clients with the same request.
    pub cache: Option<Cache>,
    /// Limits the number of packs that are made at the same time.
    pub pack_permits: PackPermits,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            offers: Offers::AWS,
            limits: Limits::default(),
            fsck: Fsck::default(),
            filters: Filters::default(),
            sync: false,
            threads: std::thread::available_parallelism().map_or(1, usize::from),
            cache: None,
            pack_permits: PackPermits::default(),
        }
    }
}
