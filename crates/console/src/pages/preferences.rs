//! The choices of a reader: region and colours, which cookies keep.

use aws::{Failure, Region};

use crate::visit::{Page, Visit};
use crate::{cookie, reply, url};

/// Time for which a browser keeps the choices, in seconds: a year.
const SECONDS: u64 = 365 * 24 * 3600;

/// Sets the choices, and shows the page on which they were made.
pub(crate) fn set(visit: &Visit<'_>) -> Page {
    let (form, is_secure) = (&visit.form, visit.services.is_secure);
    let here = url::own_path(form.get("here")).map_or_else(|| url::page("repositories"), str::to_owned);
    let mut response = reply::redirect(&here);
    if let Some(region) = form.optional("region") {
        let region: Region =
            region.parse().map_err(|_| Failure::client("ValidationError", format!("'{region}' is not a region.")))?;
        reply::set_cookie(&mut response, &cookie::REGION.set(region.as_str(), SECONDS, is_secure));
    }
    if form.has("scheme") {
        let scheme = Some(form.get("scheme")).filter(|scheme| ["dark", "light"].contains(scheme));
        let seconds = if scheme.is_some() { SECONDS } else { 0 };
        reply::set_cookie(&mut response, &cookie::SCHEME.set(scheme.unwrap_or_default(), seconds, is_secure));
    }
    Ok(response)
}
