//! The pages. Each module has the operations of a page and the data of its template.

pub(crate) mod archive;
pub(crate) mod branches;
pub(crate) mod code;
pub(crate) mod commit;
pub(crate) mod commits;
pub(crate) mod compare;
pub(crate) mod failure;
pub(crate) mod federation;
pub(crate) mod live;
pub(crate) mod preferences;
pub(crate) mod pull_request;
pub(crate) mod pull_requests;
pub(crate) mod repositories;
pub(crate) mod search;
pub(crate) mod settings;
pub(crate) mod sign_in;
pub(crate) mod switch_role;
pub(crate) mod tags;
pub(crate) mod templates;
pub(crate) mod triggers;
