//! Git objects on gitoxide, and the smart protocol that serves them.
//!
//! The crate stores objects and implements the protocol. References belong to the caller: a fetch takes a snapshot of them,
//! and a push passes the requested updates to a callback and reports its results.
//!
//! **Invariant:** a repository is fully connected: every object that one of its objects refers to exists, except submodule
//! commits. [`receive_pack`] rejects objects that would break this.

#![warn(unreachable_pub)]

mod add;
mod advertisement;
mod ancestry;
mod bits;
mod cache_memory;
mod commit;
mod commit_graph;
mod commit_graph_build;
mod commit_graph_reach;
mod copy_objects;
mod decode_cache;
mod delta;
mod difference;
mod entry_order;
mod enumerate;
mod error;
mod file_history;
mod files;
mod filter;
mod frames;
mod fsck;
#[doc(hidden)]
pub mod fuzz;
mod gc_lock;
mod history;
mod index_pack;
mod interrupt;
mod kept_objects;
mod line_diff;
mod log;
pub mod maintenance;
mod merge;
mod merge_base;
mod object;
mod object_links;
mod open_or_create;
mod options;
mod output;
mod pack;
mod pack_cache;
mod pack_index;
mod pack_objects;
mod pack_permits;
mod pack_writer;
mod paint;
mod percent;
mod pktline;
mod reader;
pub mod receive_pack;
mod reference;
mod rename;
mod repository;
mod selection;
mod shared_packs;
mod sideband;
mod small_blobs;
mod ssh_command;
mod staging;
mod stored_entry;
mod stream;
mod tree;
mod tree_comparison;
mod tree_levels;
mod tree_walk;
pub mod upload_pack;
mod version;

pub use advertisement::{advertise, of_stream as advertisement_of_stream};
pub use bstr::{BStr, BString, ByteSlice, ByteVec};
pub use cache_memory::{CacheMemory, Cached, Slot, Weigh};
pub use commit::{Commit, Signature};
pub use difference::{Difference, Differences};
pub use error::{Error, ProtocolError};
pub use file_history::Revision;
pub use filter::Filters;
pub use fsck::{Fsck, FsckError, Severity, is_dot_git};
pub use gc_lock::ObjectsInUse;
pub use gix::ObjectId;
pub use gix::hash::oid;
pub use interrupt::Interrupt;
pub use line_diff::{LineChange, diff_lines, is_binary, lines};
pub use log::Log;
pub use merge::{
    ChangedBy, Conflict, Favor, LINES_MAX, MergeError, MergeLimits, MergeOptions, Merged, TextPart, TextVersions,
    can_compare,
};
pub use object::{Kind, Object};
pub use options::{Limits, Offers, Options, Service};
pub use output::{CopyOutput, FilePart, Output};
pub use pack_cache::Cache;
pub use pack_permits::PackPermits;
pub use reader::Reader;
pub use reference::{Reference, References, is_reference_name};
pub use repository::Repository;
pub use shared_packs::{ListedPack, NewPack, PackList, SharedPacks};
pub use ssh_command::{LfsAuthentication, SshCommand};
pub use tree::{Edits, Entry, FileVersion, Mode};
pub use tree_walk::{TreeWalk, WalkedEntry};
pub use version::Version;
