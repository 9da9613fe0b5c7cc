//! What a server offers and how much it takes.

use crate::{Builds, Cache, Filters, Fsck};

/// The two services of the smart protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Service {
    /// Sends objects: clone and fetch.
    UploadPack,
    /// Takes objects and moves references: push.
    ReceivePack,
}

impl Service {
    /// Gives the service's name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::UploadPack => "git-upload-pack",
            Self::ReceivePack => "git-receive-pack",
        }
    }

    /// Finds a service by its name on the wire.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::UploadPack, Self::ReceivePack].into_iter().find(|service| service.name() == name)
    }
}

/// What clients are offered: each is advertised, and obeyed when a client asks for it.
#[expect(clippy::struct_excessive_bools, reason = "each is a capability that a server has or lacks")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offers {
    /// What every current server has and nobody switches off: offset deltas, all kinds of acknowledgement, side
    /// bands, limits of depth by time and by reference, `no-progress`, `include-tag`, `symref`, `agent`,
    /// `object-format`, `report-status-v2`, `quiet`; and protocol versions 1 and 2.
    pub modern: bool,
    /// Clients may ask for what a hidden reference points at.
    pub tip_ids: bool,
    /// Clients may ask for whatever the references lead to.
    pub reachable_ids: bool,
    /// Clients may ask for whatever is there.
    pub any_ids: bool,
    /// Clients may leave objects out: `filter`.
    pub filter: bool,
    /// Version 2: clients may ask for references by name: `ref-in-want`.
    pub ref_in_want: bool,
    /// Version 2: everything may come in a side band: `sideband-all`.
    pub sideband_all: bool,
    /// Version 2: the default branch is told even if it does not exist: `ls-refs=unborn`.
    pub unborn: bool,
    /// Version 2: the command `object-info`.
    pub object_info: bool,
    /// Both sides name the session: `session-id`.
    pub session_id: bool,
    /// A push may be all or nothing: `atomic`.
    pub atomic: bool,
    /// A push may carry words for the server: `push-options`.
    pub push_options: bool,
    /// A push may make the repository itself shallow.
    pub shallow_pushes: bool,
}

impl Offers {
    /// What AWS CodeCommit was seen to offer.
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

    /// All that is implemented, but for [`Offers::any_ids`] and [`Offers::shallow_pushes`], which give away a guarantee.
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

/// The depth of trees that Git's programs go into, if they are not told otherwise.
pub(crate) const TREE_DEPTH_MAX: usize = 2048;

/// How much one request may ask of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The number of references that one push may move.
    pub refs_per_push: usize,
    /// The size of an upload-pack request, and of the command list of a push, in bytes.
    pub request_bytes: u64,
    /// The size of a pushed pack, in bytes.
    pub pack_bytes: u64,
    /// The size of one pushed object, in bytes.
    pub object_bytes: u64,
    /// The size of one pushed commit, tree or tag, in bytes; these are held in memory while they are checked.
    pub structure_bytes: u64,
    /// The length of a chain of deltas.
    pub delta_chain: usize,
    /// The number of folders in each other that a push may bring, the root not counted: Git's `core.maxTreeDepth`.
    pub tree_depth: usize,
    /// The number of objects in a pushed pack, and of those that they name; about 100 bytes are held in memory for each.
    pub pack_objects: u32,
    /// The size of a pushed delta and of the object that it makes, in bytes; one object of that size and its base are
    /// held in memory at a time. Git's clients send larger files whole.
    pub delta_bytes: u64,
    /// What the objects of any pushed pack may take together, in bytes.
    pub expansion_bytes: u64,
    /// What they may take on top of that, as a multiple of the pack's size.
    ///
    /// Git bounds its chains at 50 deltas, so that a pack of ordinary files expands less than a hundredfold, and one of
    /// the most repetitive data a thousandfold.
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

/// How clients are served.
#[derive(Debug, Clone)]
pub struct Options {
    /// What clients are offered.
    pub offers: Offers,
    /// How much one request may ask.
    pub limits: Limits,
    /// How pushed objects are checked.
    pub fsck: Fsck,
    /// Which filters clients may use, if [`Offers::filter`] lets them use any.
    pub filters: Filters,
    /// Whether packs and folders are flushed to the disk before a push is answered.
    pub sync: bool,
    /// Whether the input of a push ends with the push, as in HTTP; it is then read to its end before the report.
    pub input_ends: bool,
    /// The number of threads that one request may use.
    pub threads: usize,
    /// Keeps packs for clients that ask for the same.
    pub cache: Option<Cache>,
    /// How many packs are made at once.
    pub builds: Builds,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            offers: Offers::AWS,
            limits: Limits::default(),
            fsck: Fsck::default(),
            filters: Filters::default(),
            sync: false,
            input_ends: true,
            threads: std::thread::available_parallelism().map_or(1, usize::from),
            cache: None,
            builds: Builds::default(),
        }
    }
}
