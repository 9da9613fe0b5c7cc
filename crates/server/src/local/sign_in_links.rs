//! `/_local/sign-in-links`: links that sign a user in to the console.

use std::sync::Arc;

use aws::AccountId;
use axum::Json;
use axum::extract::State as Shared;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::settings::units;
use crate::state::State;

/// Time for which a link works if the request names none.
const VALID: &str = "8h";

/// Maximum time for which a link works.
const VALID_MAX: &str = "90d";

/// Serves `POST /_local/sign-in-links?user=NAME[&account=ACCOUNT][&valid=TIME]`: a link for any number of browsers, until its end.
pub(crate) async fn create_sign_in_link(Shared(state): Shared<Arc<State>>, uri: Uri) -> Response {
    match create(&state, uri.query().unwrap_or_default()) {
        Ok(response) => response,
        Err((status, message)) => (status, Json(json!({ "message": message }))).into_response(),
    }
}

fn create(state: &State, query: &str) -> Result<Response, (StatusCode, String)> {
    if !state.settings.has_console() {
        return Err((StatusCode::NOT_FOUND, "The console is off. Start the server with --console yes.".to_owned()));
    }
    let invalid = |message: String| (StatusCode::BAD_REQUEST, message);
    let parameter = |name: &str| {
        let found = form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == name);
        found.map(|(_, value)| value.into_owned()).filter(|value| !value.is_empty())
    };
    let user = parameter("user").ok_or_else(|| invalid("Name the user: ?user=NAME.".to_owned()))?;
    let account: AccountId = match parameter("account") {
        Some(account) => {
            account.parse().map_err(|_| invalid(format!("'{account}' is not an account of 12 digits.")))?
        }
        None => state.sts.default_account().clone(),
    };
    let [valid, longest] = [parameter("valid").unwrap_or_else(|| VALID.to_owned()), VALID_MAX.to_owned()]
        .map(|text| units::duration(&text).map_err(|error| invalid(format!("valid: {error}"))));
    let (valid, longest) = (valid?, longest?);
    if valid > longest {
        return Err(invalid(format!("A link is valid for {VALID_MAX} at most.")));
    }
    let now = state.clock.now();
    let token = state.sts.user_sign_in_token(state.settings.access, &account, &user, valid, now);
    let token = token.ok_or_else(|| {
        let message = format!("Account {account} has no user '{user}'. Declare it in the identities file, or create it with aws iam create-user.");
        (StatusCode::NOT_FOUND, message)
    })?;
    // The token has no letter that a URL must escape.
    let path = format!("{}/federation?Action=login&SigninToken={token}", console::ROOT);
    Ok(Json(json!({ "path": path, "expires": now.saturating_add(valid).iso() })).into_response())
}
