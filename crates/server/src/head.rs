//! From a request's head to a call: who, for which account and region, reached how.

use std::net::{IpAddr, SocketAddr};

use aws::call::Origin;
use aws::{AccountId, Call, Region};
use axum::http::HeaderMap;
use axum::http::header::{AUTHORIZATION, HOST, HeaderName, USER_AGENT};
use identity::{Credentials, Refused};

use crate::state::State;

/// The addresses through which a request came, as proxies append them.
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The protocol that the client used with the first proxy.
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// What comes with temporary access keys.
const SECURITY_TOKEN: HeaderName = HeaderName::from_static("x-amz-security-token");

/// Whose repositories a URL is about, where it says so: `/ACCOUNT/REGION/v1/repos/NAME`.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) account: AccountId,
    pub(crate) region: Region,
}

/// Steps 2 and 3 of the spine: authenticate, and begin the call.
///
/// Checking what the credentials prove belongs between the two; in open mode naming the caller is all there is. Temporary
/// credentials that name nobody any more are nobody's call, and leave no record.
pub(crate) fn begin(
    state: &State,
    headers: &HeaderMap,
    peer: SocketAddr,
    place: Option<Place>,
) -> Result<Call, Refused> {
    let token = text(headers, &SECURITY_TOKEN);
    let credentials = Credentials::read(text(headers, &AUTHORIZATION).as_deref(), token.as_deref());
    let host = text(headers, &HOST);
    let region = place.as_ref().map(|place| place.region.clone());
    let region = region.or_else(|| identity::region(&credentials, host.as_deref()));
    let region = region.unwrap_or_else(|| state.settings.region.clone());
    let account = place.map(|place| place.account);
    let caller = state.sts.authenticate(&credentials, account.as_ref(), region.partition())?;
    let place = Place { account: account.unwrap_or_else(|| caller.account_id.clone()), region };
    let origin = origin(state, headers, peer, place, host);
    Ok(Call::begin(caller, origin, &*state.clock))
}

fn origin(state: &State, headers: &HeaderMap, peer: SocketAddr, place: Place, host: Option<String>) -> Origin {
    let peer = peer.ip().to_canonical();
    let is_trusted = |address: &IpAddr| state.settings.trusted_proxies.iter().any(|network| network.contains(address));
    let forwarded = is_trusted(&peer);
    let client = forwarded.then(|| client_address(headers, is_trusted)).flatten().unwrap_or(peer);
    let is_https =
        forwarded && text(headers, &FORWARDED_PROTO).is_some_and(|proto| proto.eq_ignore_ascii_case("https"));
    let clone_url_base = clone_url_base(state, if is_https { "https" } else { "http" }, host.as_deref(), &place);
    Origin {
        account: place.account,
        region: place.region,
        source_ip_address: client.to_string(),
        user_agent: text(headers, &USER_AGENT),
        host,
        clone_url_base,
    }
}

/// The client before all trusted proxies: the last address that is not one of theirs. Those before it could be made up by the client.
fn client_address(headers: &HeaderMap, is_trusted: impl Fn(&IpAddr) -> bool) -> Option<IpAddr> {
    let lists: Vec<_> = headers.get_all(&FORWARDED_FOR).iter().filter_map(|list| list.to_str().ok()).collect();
    let mut client = None;
    for address in lists.iter().rev().flat_map(|list| list.rsplit(',')) {
        let Ok(address) = address.trim().parse::<IpAddr>() else { break };
        client = Some(address.to_canonical());
        if !is_trusted(&address.to_canonical()) {
            break;
        }
    }
    client
}

/// The URL before a repository's name, by the host name under which the client reached us.
///
/// Git may send no credentials, so the URL itself names every account and region that a request without credentials would not be
/// for.
fn clone_url_base(state: &State, scheme: &str, host: Option<&str>, place: &Place) -> String {
    let listen = state.address.to_string();
    let host = host.unwrap_or(&listen);
    let host_region = Region::from_host(host);
    let host = match &host_region {
        Some(_) if host.starts_with("codecommit") => format!("git-{host}"),
        _ => host.to_owned(),
    };
    let implied = host_region.as_ref().unwrap_or(&state.settings.region);
    if place.account == *state.sts.default_account() && place.region == *implied {
        format!("{scheme}://{host}/v1/repos")
    } else {
        format!("{scheme}://{host}/{}/{}/v1/repos", place.account, place.region)
    }
}

/// A header's text; bytes that are no UTF-8 are replaced rather than refused.
pub(crate) fn text(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
}
