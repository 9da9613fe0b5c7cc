//! Signing in: the session, its cookie and its record.

use std::fmt::Display;
use std::sync::Arc;

use aws::{Caller, Failure, Region, Timestamp};
use bytes::Bytes;
use http::Request;
use http::header::HOST;
use identity::console::SignInIdentity;
use trail::Event;
use trail::sign_in::ConsoleLogin;

use crate::form::Form;
use crate::{Services, cookie, url};

/// A request of a browser or program that need not be signed in.
pub(crate) struct SignInRequest<'r> {
    pub(crate) services: Services<'r>,
    pub(crate) request: &'r Request<Bytes>,
    pub(crate) region: Region,
    pub(crate) now: Timestamp,
    /// The parameters of the URL.
    pub(crate) query: Form,
    /// The fields of a sent form.
    pub(crate) form: Form,
}

/// A session that has begun.
pub(crate) struct SignedIn {
    /// The header that gives the browser its cookie.
    pub(crate) cookie: String,
    pub(crate) caller: Caller,
}

impl SignInRequest<'_> {
    /// Begins a session with its record, and ends the one that the browser had.
    ///
    /// `to` is the page that the browser shows next.
    pub(crate) fn sign_in(&self, identity: SignInIdentity, to: &str) -> Result<SignedIn, Failure> {
        let Services { sts, trail, begin, is_secure, .. } = self.services;
        let now = self.now;
        let former = cookie::SESSION.read(self.request.headers());
        sts.sign_out(former, now).map_err(|error| cannot("end the former session", &error))?;
        // The call is not one of the session, whose permissions can be read only when it is stored.
        let call = Arc::new(begin(identity.caller.clone(), self.region.clone())?);
        call.mark_decided();
        let session = sts.sign_in_to_console(identity, now).map_err(|error| cannot("begin a session", &error))?;
        let caller = session.caller().clone().in_partition(self.region.partition());
        let mfa_used = caller.session.as_ref().is_some_and(|session| session.mfa_authenticated);
        let login_to = self.absolute(to);
        let event = ConsoleLogin { login_to: &login_to, is_mobile: false, mfa_used }.succeeded(&caller);
        let seconds = (session.expires().millis() - now.millis()) / 1000;
        let stored = trail.transact(call, move |transaction| {
            let stored = transaction.savepoint(|| session.store(transaction));
            let failure = stored.is_err().then(Failure::internal);
            (stored, Event { failure, ..event })
        })?;
        let token = stored.map_err(|error| cannot("store a session", &error))?;
        let cookie = cookie::SESSION.set(&token, u64::try_from(seconds).unwrap_or(0), is_secure);
        Ok(SignedIn { cookie, caller })
    }

    /// Records a sign-in that failed: of the owner of an access key, or with a name that nobody has.
    pub(crate) fn record_failure(&self, access_key_id: &str, to: &str) -> Result<(), Failure> {
        let Services { sts, trail, begin, .. } = self.services;
        let login_to = self.absolute(to);
        let login = ConsoleLogin { login_to: &login_to, is_mobile: false, mfa_used: false };
        let owner = sts.owner_of_key(access_key_id).map_err(|error| cannot("read the owner of a key", &error))?;
        let account = sts.default_account();
        let caller = owner.clone().unwrap_or_else(|| Caller::root(account.clone(), None, None));
        let call = Arc::new(begin(caller, self.region.clone())?);
        let event = if owner.is_some() { login.failed(&call.caller) } else { login.unknown_user(account) };
        trail.record(&call, event)
    }

    /// Returns the whole URL of a path of this server.
    pub(crate) fn absolute(&self, path: &str) -> String {
        absolute(self.services, self.request, path)
    }

    /// Returns the page that the browser wants after the sign-in; a path of another site or program is replaced by the first page.
    pub(crate) fn destination(&self, text: &str) -> String {
        let of_server = text.strip_prefix(&self.absolute(""));
        let path = url::own_path(of_server.unwrap_or(text));
        path.map_or_else(|| url::page("repositories"), str::to_owned)
    }
}

/// Returns the whole URL of a path of this server, as the client of a request reaches it.
pub(crate) fn absolute(services: Services<'_>, request: &Request<Bytes>, path: &str) -> String {
    let host = request.headers().get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let scheme = if services.is_secure { "https" } else { "http" };
    format!("{scheme}://{host}{path}")
}

/// Logs a failure of the store, and returns that of the page.
pub(crate) fn cannot(action: &'static str, error: &dyn Display) -> Failure {
    tracing::error!(action, %error, "the console cannot use the store");
    Failure::internal()
}
