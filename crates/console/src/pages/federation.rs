//! AWS's federation endpoint: `getSigninToken` for temporary credentials, and `login` by a link.

use std::sync::Arc;

use bytes::Bytes;
use http::{Method, Response};
use identity::console::{FederationError, SignInTokenError};
use serde_json::json;
use trail::sign_in::get_signin_token;

use crate::form::Form;
use crate::pages::sign_in;
use crate::reply;
use crate::sign_in::{SignInRequest, cannot};

/// Serves a request by the parameter `Action`.
pub(crate) fn serve(request: &SignInRequest<'_>) -> Response<Bytes> {
    let is_post = request.request.method() == Method::POST;
    let parameters = if is_post { &request.form } else { &request.query };
    match parameters.get("Action") {
        "getSigninToken" => get_sign_in_token(request, parameters),
        "login" if is_post => bad_request("The action login takes GET only."),
        "login" => login(request, parameters),
        _ => bad_request("Action must be getSigninToken or login."),
    }
}

/// Exchanges temporary credentials for a sign-in token.
fn get_sign_in_token(request: &SignInRequest<'_>, parameters: &Form) -> Response<Bytes> {
    let Ok(credentials) = serde_json::from_str(parameters.raw("Session")) else {
        return bad_request("Session must be a JSON object with sessionId, sessionKey and sessionToken.");
    };
    let Ok(seconds) = parameters.optional("SessionDuration").map(str::parse).transpose() else {
        return bad_request("SessionDuration must be a number of seconds.");
    };
    let sts = request.services.sts;
    let (identity, token) = match sts.federated_sign_in_token(&credentials, seconds, request.now) {
        Ok(issued) => issued,
        Err(FederationError::Credentials(error)) => {
            tracing::warn!(%error, "rejected the credentials for a sign-in token");
            return bad_request("The security token included in the request is invalid.");
        }
        Err(error) => return bad_request(&error.to_string()),
    };
    let recorded = (request.services.begin)(identity.caller, request.region.clone()).and_then(|call| {
        let call = Arc::new(call);
        call.mark_decided();
        let event = get_signin_token(&call.caller);
        request.services.trail.record(&call, event)
    });
    match recorded {
        Ok(()) => reply::with_body(200, "application/json", json!({ "SigninToken": token }).to_string()),
        Err(failure) => sign_in::failure(&failure),
    }
}

/// Signs in by the token of a link, and leads to its destination.
fn login(request: &SignInRequest<'_>, parameters: &Form) -> Response<Bytes> {
    if request.request.method() != Method::GET {
        return reply::with_body(200, "text/plain; charset=utf-8", "");
    }
    let to = request.destination(parameters.get("Destination"));
    let (sts, access) = (request.services.sts, request.services.access);
    let identity = match sts.identity_of_sign_in_token(access, parameters.get("SigninToken"), request.now) {
        Ok(identity) => identity,
        Err(SignInTokenError::Store(error)) => return sign_in::failure(&cannot("verify a sign-in token", &error)),
        Err(error @ (SignInTokenError::Invalid | SignInTokenError::Expired)) => {
            tracing::warn!(%error, "rejected a link that signs in to the console");
            return sign_in::show_with(request, 403, "The link is not valid any more, or it is incomplete.");
        }
    };
    match request.sign_in(identity, &to) {
        Ok(signed_in) => sign_in::signed_in(request, &signed_in, &to),
        Err(failure) => sign_in::failure(&failure),
    }
}

fn bad_request(message: &str) -> Response<Bytes> {
    reply::with_body(400, "text/plain; charset=utf-8", format!("{message}\n"))
}
