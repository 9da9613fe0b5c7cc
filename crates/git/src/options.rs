//! What a server offers and how much it takes.

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

/// Which capabilities are advertised and obeyed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Profile {
    /// What AWS CodeCommit was seen to advertise.
    #[default]
    Aws,
    /// Everything that is implemented.
    Full,
}

/// How clients are served.
#[derive(Debug, Clone)]
pub struct Options {
    /// Which capabilities are advertised and obeyed.
    pub profile: Profile,
    /// Whether packs and folders are flushed to the disk before a push is answered.
    pub sync: bool,
    /// The number of references that one push may move.
    pub refs_per_push_max: usize,
    /// The size of an upload-pack request, and of the command list of a push, in bytes.
    pub request_bytes_max: u64,
    /// The size of one pushed object, in bytes.
    pub object_bytes_max: u64,
    /// The size of one pushed commit, tree or tag, in bytes; these are held in memory while they are checked.
    pub structure_bytes_max: u64,
    /// Whether the input of a push ends with the push, as in HTTP; it is then read to its end before the report.
    pub input_ends: bool,
    /// The number of threads that one push may use.
    pub threads: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            profile: Profile::Aws,
            sync: false,
            refs_per_push_max: 4000,
            request_bytes_max: 64 << 20,
            object_bytes_max: 2 << 30,
            structure_bytes_max: 128 << 20,
            input_ends: true,
            threads: std::thread::available_parallelism().map_or(1, usize::from),
        }
    }
}
