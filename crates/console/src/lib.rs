//! The console: web pages over the operations of CodeCommit and CloudTrail.
//!
//! A page is a list of operations and a template. The server gives [`serve`] a request as it came and gets the whole response.
//!
//! **Invariant:** a page reads and changes resources through `Visit::run` only, so that each of its calls passes the permissions of its
//! reader and leaves a record.

#![warn(unreachable_pub)]

mod approval_rule;
mod assets;
mod chooser;
mod command_line;
mod comments;
mod commit;
mod comparison;
mod cookie;
mod differences;
mod event;
mod export;
mod form;
mod frame;
mod graph;
mod highlight;
mod history;
mod json_tree;
mod markdown;
mod multipart;
mod pages;
mod plot;
mod pull_request;
mod reference;
mod reply;
mod routes;
mod session;
mod sign_in;
mod text;
mod url;
mod visit;

use aws::{Call, Caller, Failure, Region};
use bytes::Bytes;
use cluster::Cluster;
use codecommit::CodeCommit;
use http::{Request, Response};
use identity::{Access, Sts};
use trail::{CloudTrail, Trail};

pub use crate::pages::code::large::LargeFile;
pub use crate::pages::live::FeedOf;

/// The path below which all pages are.
pub const ROOT: &str = "/_console";

/// What the pages work on.
#[derive(Clone, Copy)]
pub struct Services<'s> {
    /// The trail, which records the calls.
    pub trail: &'s Trail,
    /// CloudTrail's operations.
    pub cloudtrail: &'s CloudTrail,
    /// CodeCommit's operations.
    pub codecommit: &'s CodeCommit,
    /// Identities and sessions.
    pub sts: &'s Sts,
    /// The servers on the same database.
    pub cluster: &'s Cluster,
    /// Whether credentials are verified.
    pub access: Access,
    /// The region of readers who have not chosen one.
    pub region: &'s Region,
    /// Whether the browser uses TLS, to this server or to a trusted proxy.
    pub is_secure: bool,
    /// Begins a call of a reader: time, ids, origin and permissions.
    pub begin: &'s BeginCall<'s>,
}

/// Begins a call of a caller in a region.
pub type BeginCall<'b> = dyn Fn(Caller, Region) -> Result<Call, Failure> + 'b;

/// Serves a request for a path below [`ROOT`].
pub fn serve(services: Services<'_>, request: &Request<Bytes>) -> Response<Bytes> {
    reply::finish(routes::route(services, request), request.headers())
}
