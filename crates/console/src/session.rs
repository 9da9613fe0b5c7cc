//! Readers: who is signed in, and the token of their forms.

use aws::{Caller, Failure};
use http::HeaderMap;
use identity::console::ConsoleSession;

use crate::{Services, cookie, sign_in};

/// A signed-in reader.
#[derive(Clone, Debug)]
pub(crate) struct Reader {
    pub(crate) caller: Caller,
    /// What the reader's forms contain, and no page of another site can know.
    pub(crate) form_token: String,
    /// The session of the browser.
    pub(crate) session: ConsoleSession,
}

/// Returns the reader of a request; `None` if nobody is signed in.
pub(crate) fn reader(services: Services<'_>, headers: &HeaderMap) -> Result<Option<Reader>, Failure> {
    let cookie = cookie::SESSION.read(headers);
    if cookie.is_empty() {
        return Ok(None);
    }
    let session = services.sts.console_session(cookie, services.sts.now());
    let session = session.map_err(|error| sign_in::cannot("read a session", &error))?;
    Ok(session.map(|session| Reader {
        caller: session.caller.clone(),
        form_token: session.form_token.clone(),
        session,
    }))
}
