//! Readers: who is signed in, and the token of their forms.

use aws::{Caller, Region};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::HeaderMap;
use identity::{Access, Credentials};
use sha2::{Digest, Sha256};

use crate::{Services, cookie};

/// A signed-in reader.
#[derive(Clone, Debug)]
pub(crate) struct Reader {
    pub(crate) caller: Caller,
    /// What the reader's forms contain, and no page of another site can know.
    pub(crate) form_token: String,
}

/// Returns the reader of a request; `None` if nobody is signed in.
pub(crate) fn reader(services: Services<'_>, headers: &HeaderMap, region: &Region) -> Option<Reader> {
    let token = cookie::SESSION.read(headers);
    let is_open = services.access == Access::Open;
    let caller = is_open
        .then(|| services.sts.authenticate(&Credentials::read(None, None), None, region.partition()).ok())
        .flatten()?;
    Some(Reader { caller, form_token: form_token(token) })
}

/// Derives the token of forms from that of the session.
fn form_token(session_token: &str) -> String {
    let hash = Sha256::new().chain_update(b"form").chain_update(session_token).finalize();
    URL_SAFE_NO_PAD.encode(hash)
}
