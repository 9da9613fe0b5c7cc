//! The sign-in page: who is known in open access, access keys otherwise.

use askama::Template;
use aws::Failure;
use bytes::Bytes;
use http::Response;
use identity::console::{KeyPair, KnownIdentity, KnownKind, SignInIdentity};
use identity::{Access, AuthenticationError};
use subtle::ConstantTimeEq;

use crate::sign_in::{self, SignInRequest, SignedIn};
use crate::visit::{self, Visit};
use crate::{cookie, frame, reply, url};

/// The sentence of AWS's sign-in page for every wrong name and secret.
const INCORRECT: &str = "Your authentication information is incorrect. Please try again.";

/// Identities on the page.
const KNOWN_MAX: u32 = 1_000;

/// Rows from which on the page has a field that filters them.
const FILTERED_MIN: usize = 10;

/// Time for which a browser can send the form, in seconds.
const FORM_SECONDS: u64 = 24 * 3600;

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignInPage {
    title: &'static str,
    scheme: &'static str,
    /// Why the last attempt failed.
    message: String,
    csrf: String,
    /// The page that follows.
    to: String,
    is_open: bool,
    account: String,
    known: Vec<KnownIdentity>,
}

#[derive(Template)]
#[template(path = "signed_in.html")]
struct SignedInPage<'p> {
    title: &'static str,
    scheme: &'static str,
    name: &'p str,
    account: &'p str,
    to: &'p str,
}

impl SignInPage {
    fn has_filter(&self) -> bool {
        self.known.len() >= FILTERED_MIN
    }

    fn kind(identity: &KnownIdentity) -> &'static str {
        match identity.kind {
            KnownKind::User => "User",
            KnownKind::Role => "Role",
        }
    }
}

/// Shows the page.
pub(crate) fn show(request: &SignInRequest<'_>) -> Response<Bytes> {
    write(request, 200, "", &request.destination(request.query.get("to")))
}

/// Shows the page with the reason why another way to sign in failed.
pub(crate) fn show_with(request: &SignInRequest<'_>, status: u16, message: &str) -> Response<Bytes> {
    write(request, status, message, &url::page("repositories"))
}

/// Signs in by the form, and leads to the page that the browser wanted.
pub(crate) fn submit(request: &SignInRequest<'_>) -> Response<Bytes> {
    let to = request.destination(request.form.get("to"));
    if !is_own_form(request) {
        let message = "The form was sent by another page, or it is too old. Please try again.";
        return write(request, 403, message, &to);
    }
    let identity = match identity(request, &to) {
        Ok(identity) => identity,
        Err((status, message)) => return write(request, status, &message, &to),
    };
    match request.sign_in(identity, &to) {
        Ok(SignedIn { cookie, .. }) => {
            let mut response = reply::redirect(&to);
            reply::set_cookie(&mut response, &cookie);
            reply::set_cookie(&mut response, &cookie::SIGN_IN.set("", 0, request.services.is_secure));
            response
        }
        Err(failure) => write(request, 500, &failure.message, &to),
    }
}

/// Signs out, and shows the sign-in page.
pub(crate) fn sign_out(visit: &Visit<'_>) -> visit::Page {
    let cookie = cookie::SESSION.read(visit.request.headers());
    let sts = visit.services.sts;
    sts.sign_out(cookie, sts.now()).map_err(|error| sign_in::cannot("end a session", &error))?;
    let mut response = reply::redirect(&url::page("sign-in"));
    reply::set_cookie(&mut response, &cookie::SESSION.set("", 0, visit.services.is_secure));
    Ok(response)
}

/// Shows that a link has signed in, and leads to the next page.
///
/// The page leads there itself: browsers send the new cookie only to requests that a page of this server begins, which a redirect from a
/// link of another site is not.
pub(crate) fn signed_in(request: &SignInRequest<'_>, signed_in: &SignedIn, to: &str) -> Response<Bytes> {
    let SignedIn { cookie, caller } = signed_in;
    let page = SignedInPage {
        title: "Signed in",
        scheme: frame::scheme(request.request.headers()),
        name: caller.name().unwrap_or(&caller.arn),
        account: caller.account_id.as_str(),
        to,
    };
    let mut response = render(200, &page);
    reply::set_cookie(&mut response, cookie);
    response
}

/// Returns who signs in, or the status and the sentence of a refusal.
fn identity(request: &SignInRequest<'_>, to: &str) -> Result<SignInIdentity, (u16, String)> {
    let (form, sts) = (&request.form, request.services.sts);
    if request.services.access == Access::Open {
        let arn = match form.optional("arn") {
            Some(arn) => arn.to_owned(),
            None => format!("arn:aws:iam::{}:user/{}", form.get("account"), form.get("name")),
        };
        let invalid = "Enter an account of 12 digits and a name of 1 to 64 letters, digits and +=,.@_-";
        return sts.identity_of_arn(&arn, request.now).ok_or_else(|| (400, invalid.to_owned()));
    }
    let access_key_id = form.get("access-key-id");
    let keys = KeyPair {
        access_key_id,
        secret_access_key: form.get("secret-access-key"),
        session_token: form.optional("session-token"),
    };
    sts.identity_of_keys(keys, request.now).map_err(|error| refusal(request, access_key_id, to, &error))
}

/// Logs and records a refusal, and returns its status and sentence.
fn refusal(request: &SignInRequest<'_>, access_key_id: &str, to: &str, error: &AuthenticationError) -> (u16, String) {
    let recorded = match error {
        AuthenticationError::Refused(_) => {
            tracing::warn!(%error, "rejected a sign-in to the console");
            request.record_failure(access_key_id, to)
        }
        AuthenticationError::Store(error) => Err(sign_in::cannot("verify access keys", error)),
    };
    match recorded {
        Ok(()) => (403, INCORRECT.to_owned()),
        Err(failure) => (500, failure.message),
    }
}

/// Returns whether a page of this server sent the form to this browser, so that no other page can sign its visitor in.
fn is_own_form(request: &SignInRequest<'_>) -> bool {
    let cookie = cookie::SIGN_IN.read(request.request.headers());
    let token = request.services.sts.form_token(cookie);
    let sent = request.form.raw("csrf");
    !cookie.is_empty() && visit::is_own_page(request.request) && bool::from(sent.as_bytes().ct_eq(token.as_bytes()))
}

fn write(request: &SignInRequest<'_>, status: u16, message: &str, to: &str) -> Response<Bytes> {
    let services = request.services;
    let is_open = services.access == Access::Open;
    let known = if is_open { services.sts.known_identities(KNOWN_MAX) } else { Ok(Vec::new()) };
    let known = match known {
        Ok(known) => known,
        Err(error) => return failure(&sign_in::cannot("list the identities", &error)),
    };
    let headers = request.request.headers();
    let former = cookie::SIGN_IN.read(headers);
    let cookie = if former.is_empty() { services.sts.new_form_cookie() } else { former.to_owned() };
    let page = SignInPage {
        title: "Sign in",
        scheme: frame::scheme(headers),
        message: message.to_owned(),
        csrf: services.sts.form_token(&cookie),
        to: to.to_owned(),
        is_open,
        account: services.sts.default_account().to_string(),
        known,
    };
    let mut response = render(status, &page);
    reply::set_cookie(&mut response, &cookie::SIGN_IN.set(&cookie, FORM_SECONDS, services.is_secure));
    response
}

fn render(status: u16, page: &impl Template) -> Response<Bytes> {
    page.render().map_or_else(
        |error| {
            tracing::error!(%error, "cannot write a page");
            failure(&Failure::internal())
        },
        |text| reply::html(status, text),
    )
}

/// Shows a failure without a page around it.
pub(crate) fn failure(failure: &Failure) -> Response<Bytes> {
    reply::with_body(500, "text/plain; charset=utf-8", format!("{}\n", failure.message))
}
