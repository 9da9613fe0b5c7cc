//! Authentication of a request, and the call that begins with it: caller, account, region and client address.

use std::net::SocketAddr;
use std::sync::Arc;

use aws::call::Origin;
use aws::{AccountId, Authority, Call, Caller, Region};
use axum::http::header::{AUTHORIZATION, HOST, HeaderName, USER_AGENT};
use axum::http::{HeaderMap, Method, Uri};
use identity::signature::{ChunkSignatures, Payload, Protocol, RequestParts, SignatureError};
use identity::{Access, Authenticated, AuthenticationError, Credentials, Endpoint};

use crate::connection::Peer;
use crate::lfs::CallerGrant;
use crate::settings::TlsMode;
use crate::state::State;
use crate::{client_address, headers, ssh};

/// The protocol between the client and the first proxy.
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// The session token of temporary credentials.
const SECURITY_TOKEN: HeaderName = HeaderName::from_static("x-amz-security-token");

/// The account and region of a URL that names them: `/ACCOUNT/REGION/v1/repos/NAME`.
#[derive(Clone, Debug)]
pub(crate) struct Scope {
    pub(crate) account: AccountId,
    pub(crate) region: Region,
}

/// The parts of a request that tell who calls, as they came: a signature covers them.
pub(crate) struct Request<'r> {
    pub(crate) method: &'r Method,
    pub(crate) uri: &'r Uri,
    pub(crate) headers: &'r HeaderMap,
    /// The bucket in the host name of a request to S3.
    pub(crate) bucket: Option<&'r str>,
    pub(crate) body: Payload<'r>,
    pub(crate) peer: &'r Peer,
    pub(crate) protocol: Protocol,
    /// The services that the request may be signed for.
    pub(crate) services: &'r [&'r str],
    /// Whether the operation takes requests without credentials, as a token in its input tells who calls.
    pub(crate) may_be_unsigned: bool,
    /// The account and region in the URL.
    pub(crate) scope: Option<Scope>,
}

/// Steps 2 and 3 of the spine: authenticates a request and begins its call.
///
/// In open mode the credentials only name the caller; nothing verifies them. Requests whose credentials are refused are no calls and
/// leave no record.
pub(crate) fn begin_call(state: &State, request: Request<'_>) -> Result<Call, AuthenticationError> {
    begin_call_in_chunks(state, request).map(|(call, _)| call)
}

/// Does the same for a request whose body may be in chunks, and returns what verifies their signatures.
pub(crate) fn begin_call_in_chunks(
    state: &State,
    request: Request<'_>,
) -> Result<(Call, Option<ChunkSignatures>), AuthenticationError> {
    let host = headers::text(request.headers, &HOST);
    let (caller, region, chunks) =
        caller(state, &request, host.as_deref()).inspect_err(|refused| log(&request, refused))?;
    let authority = state.sts.authority(state.settings.access, &caller)?;
    let Request { headers, peer, scope, services, .. } = request;
    let account = scope.map_or_else(|| caller.account_id.clone(), |scope| scope.account);
    let origin = origin(state, headers, peer, Scope { account, region }, host);
    let call =
        Call::begin(caller, origin, &*state.clock).with_authority(authority).with_event_sink(state.event_bridge.sink());
    state.sts.note_key_use(&call, services.first().copied().unwrap_or_default());
    Ok((call, chunks))
}

/// Returns the caller, the region, which is that of the URL, of the credentials, of the host name, or of the settings, and what verifies
/// the signatures of chunks.
fn caller(
    state: &State,
    request: &Request<'_>,
    host: Option<&str>,
) -> Result<(Caller, Region, Option<ChunkSignatures>), AuthenticationError> {
    let of_host = host.and_then(Region::from_host);
    let of_url = request.scope.as_ref().map(|scope| scope.region.clone());
    let region = |of_credentials: Option<Region>| {
        let region = of_url.clone().or(of_credentials).or_else(|| of_host.clone());
        region.unwrap_or_else(|| state.settings.region.clone())
    };
    match state.settings.access {
        Access::Open => {
            let token = headers::text(request.headers, &SECURITY_TOKEN);
            let authorization = headers::text(request.headers, &AUTHORIZATION);
            let credentials = Credentials::read(authorization.as_deref(), token.as_deref());
            let region = region(credentials.region.clone());
            let account = request.scope.as_ref().map(|scope| &scope.account);
            let caller = state.sts.authenticate(&credentials, account, region.partition())?;
            Ok((caller, region, None))
        }
        Access::Signed | Access::Enforced => {
            // A signature names its region; only a password of Git does not.
            let git_regions: Vec<Region> = match request.protocol {
                Protocol::Git => {
                    let likely = [of_url.clone(), of_host.clone(), Some(state.settings.region.clone())];
                    likely.into_iter().flatten().chain(Region::of_codecommit()).collect()
                }
                Protocol::Json | Protocol::Query | Protocol::S3 => Vec::new(),
            };
            let endpoint = Endpoint {
                protocol: request.protocol,
                services: request.services,
                git_regions: &git_regions,
                max_clock_skew: state.settings.max_clock_skew,
            };
            let headers: Vec<_> =
                request.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
            let parts = RequestParts {
                method: request.method.as_str(),
                path: request.uri.path(),
                query: request.uri.query().unwrap_or_default(),
                headers: &headers,
                bucket: request.bucket,
                payload: request.body,
            };
            match state.sts.verify(&endpoint, &parts) {
                Err(AuthenticationError::Refused(SignatureError::Missing)) if request.may_be_unsigned => {
                    let region = region(None);
                    let caller = state.sts.authenticate(&Credentials::read(None, None), None, region.partition())?;
                    Ok((caller, region, None))
                }
                verified => {
                    let Authenticated { caller, region: of_credentials, chunks } = verified?;
                    let region = region(of_credentials);
                    Ok((caller.in_partition(region.partition()), region, chunks))
                }
            }
        }
    }
}

/// Logs why credentials are refused; `Display` of the reason shows no secret.
fn log(request: &Request<'_>, refused: &AuthenticationError) {
    let (Request { method, uri, .. }, peer) = (request, request.peer.address);
    match refused {
        // Git sends credentials only after it was asked for them.
        AuthenticationError::Refused(SignatureError::Missing) => {
            tracing::debug!(%method, path = uri.path(), %peer, "rejected a request without credentials");
        }
        AuthenticationError::Refused(SignatureError::Mismatch(mismatch)) => {
            tracing::warn!(%method, path = uri.path(), %peer, error = %refused, "rejected the credentials");
            tracing::debug!(
                signed = mismatch.signed_parts(),
                "the request as it was received; a proxy that changes the host or the path breaks its signature"
            );
        }
        _ => tracing::warn!(%method, path = uri.path(), %peer, error = %refused, "rejected the credentials"),
    }
}

/// Begins a call of a reader of the console, whose session was verified.
pub(crate) fn begin_console_call(
    state: &State,
    headers: &HeaderMap,
    peer: &Peer,
    caller: Caller,
    region: Region,
) -> Result<Call, AuthenticationError> {
    let caller = caller.in_partition(region.partition());
    let authority = state.sts.authority(state.settings.access, &caller)?;
    let scope = Scope { account: caller.account_id.clone(), region };
    let origin = origin(state, headers, peer, scope, headers::text(headers, &HOST));
    let origin = Origin { is_console: true, ..origin };
    Ok(Call::begin(caller, origin, &*state.clock).with_authority(authority).with_event_sink(state.event_bridge.sink()))
}

/// Begins a call of a caller whom SSH has authenticated, and who shows a token over HTTP.
pub(crate) fn begin_granted_call(
    state: &State,
    headers: &HeaderMap,
    peer: &Peer,
    grant: CallerGrant,
) -> Result<Call, AuthenticationError> {
    let CallerGrant { caller, account, region, .. } = grant;
    let authority = state.sts.authority(state.settings.access, &caller)?;
    let origin = origin(state, headers, peer, Scope { account, region }, headers::text(headers, &HOST));
    Ok(Call::begin(caller, origin, &*state.clock).with_authority(authority))
}

/// Begins a call of a caller whose SSH key was verified.
///
/// `peer` and `local` are the addresses of the connection. SSH sends no host name, so the region is that of the path or the default one.
pub(crate) fn begin_ssh_call(
    state: &State,
    caller: Caller,
    (peer, local): (SocketAddr, SocketAddr),
    scope: Option<Scope>,
    user_agent: String,
    authority: Arc<dyn Authority>,
) -> Call {
    let default = || Scope { account: caller.account_id.clone(), region: state.settings.region.clone() };
    let scope = scope.unwrap_or_else(default);
    let caller = caller.in_partition(scope.region.partition());
    let scheme = if state.settings.tls.mode == TlsMode::Require { "https" } else { "http" };
    // A server that listens on all addresses has no other one that the client is known to reach.
    let is_anywhere = state.address.ip().is_unspecified();
    let host = is_anywhere.then(|| SocketAddr::new(local.ip().to_canonical(), state.address.port()).to_string());
    let origin = Origin {
        clone_url_base: clone_url_base(state, scheme, host.as_deref(), &scope),
        ssh_clone_url_base: ssh_clone_url_base(state, None, &scope),
        account: scope.account,
        region: scope.region,
        source_ip_address: peer.ip().to_canonical().to_string(),
        user_agent: Some(user_agent),
        host: None,
        is_secure: true,
        tls: None,
        is_console: false,
    };
    Call::begin(caller, origin, &*state.clock).with_authority(authority).with_event_sink(state.event_bridge.sink())
}

fn origin(state: &State, headers: &HeaderMap, peer: &Peer, scope: Scope, host: Option<String>) -> Origin {
    let client = client_address::find(peer.address.ip(), headers, &state.settings.trusted_proxies);
    let clone_url_base = clone_url_base(state, scheme(state, headers, peer), host.as_deref(), &scope);
    let ssh_clone_url_base = ssh_clone_url_base(state, host.as_deref(), &scope);
    Origin {
        account: scope.account,
        region: scope.region,
        source_ip_address: client.to_string(),
        user_agent: headers::text(headers, &USER_AGENT),
        host,
        clone_url_base,
        ssh_clone_url_base,
        is_secure: is_secure(state, headers, peer),
        tls: peer.tls,
        is_console: false,
    }
}

/// Returns whether a client uses TLS; a trusted proxy tells how its client reached it.
pub(crate) fn is_secure(state: &State, headers: &HeaderMap, peer: &Peer) -> bool {
    let is_trusted = client_address::is_trusted(peer.address.ip(), &state.settings.trusted_proxies);
    match headers::text(headers, &FORWARDED_PROTO).filter(|_| is_trusted) {
        Some(protocol) => protocol.eq_ignore_ascii_case("https"),
        None => peer.tls.is_some(),
    }
}

/// Returns the scheme of the URLs under which a client reaches the server.
pub(crate) fn scheme(state: &State, headers: &HeaderMap, peer: &Peer) -> &'static str {
    if is_secure(state, headers, peer) { "https" } else { "http" }
}

/// Returns the part of clone URLs before the repository's name, with the host name that the client used.
///
/// Git may send no credentials, so the URL names the account and region unless they are those of a request without credentials.
fn clone_url_base(state: &State, scheme: &str, host: Option<&str>, scope: &Scope) -> String {
    let listen = state.address.to_string();
    let host = host.unwrap_or(&listen);
    let host_region = Region::from_host(host);
    let host = git_host(host);
    let implied = host_region.as_ref().unwrap_or(&state.settings.region);
    if scope.account == *state.sts.default_account() && scope.region == *implied {
        format!("{scheme}://{host}/v1/repos")
    } else {
        format!("{scheme}://{host}/{}/{}/v1/repos", scope.account, scope.region)
    }
}

/// Returns the same of SSH's clone URLs. If SSH is off, they name this server with SSH's own port, so that nothing goes to AWS.
///
/// SSH sends no host name, so the URL names the account and region unless both are the defaults.
fn ssh_clone_url_base(state: &State, host: Option<&str>, scope: &Scope) -> String {
    let authority = match &state.ssh {
        Some(endpoint) => endpoint.authority(&host.map_or_else(|| endpoint.host(), git_host)),
        None => ssh::authority(&host.map_or_else(|| state.address.ip().to_string(), git_host), ssh::DEFAULT_PORT),
    };
    if scope.account == *state.sts.default_account() && scope.region == state.settings.region {
        format!("ssh://{authority}/v1/repos")
    } else {
        format!("ssh://{authority}/{}/{}/v1/repos", scope.account, scope.region)
    }
}

/// Returns the host name for Git of a host name that a client used: of AWS's names, the one with `git-`.
fn git_host(host: &str) -> String {
    if host.starts_with("codecommit") && Region::from_host(host).is_some() {
        return format!("git-{host}");
    }
    host.to_owned()
}
