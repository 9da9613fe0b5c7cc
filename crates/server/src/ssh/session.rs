//! One Git session on a channel: the advertisement, then a fetch or a push.

use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use aws::{Authority, Call, Caller, Denial};
use axum::body::Body;
use bytes::Bytes;
use git::{References, Service, Version};
use http_body_util::BodyExt;
use russh::ChannelWriteHalf;
use russh::server::Msg;
use serde_json::json;
use tokio::sync::Notify;
use tokio::time::timeout;

use crate::authenticate::{self, Scope};
use crate::git_serving::{Refusal, Session, event, fetch, push};
use crate::lfs::{CallerGrant, GrantedOperation, TOKEN_LIFETIME};
use crate::ssh::channel::Request;
use crate::ssh::connection::Shared;
use crate::ssh::input::Input;
use crate::state::State;
use crate::{blocking, body, call_log};

/// The message after a panic.
const INTERNAL_ERROR: &str = "The request failed because of an internal error.";

/// The end of a session: the exit status, and a message for the user.
pub(super) struct Served {
    pub(super) exit_status: u32,
    pub(super) message: Option<String>,
}

impl Served {
    /// The end of a session whose protocol has told everything.
    const DONE: Self = Self { exit_status: 0, message: None };

    pub(super) fn refused(message: impl Into<String>) -> Self {
        Self { exit_status: 1, message: Some(message.into()) }
    }
}

/// A Git session.
pub(super) struct GitSession {
    state: Arc<State>,
    caller: Caller,
    /// Decides in the same way until the end of the session.
    authority: Arc<dyn Authority>,
    peer: SocketAddr,
    /// The address at which the client has reached the server.
    local: SocketAddr,
    user_agent: String,
    scope: Option<Scope>,
    service: Service,
    version: Version,
    repository_name: String,
    /// Set when the connection has ended.
    disconnected: Arc<AtomicBool>,
    /// Set when the client has closed the channel, or does not read it.
    closed: Arc<AtomicBool>,
    /// Closes the connection.
    cut: Arc<Notify>,
}

impl GitSession {
    pub(super) fn new(
        request: Request,
        state: Arc<State>,
        shared: &Shared,
        service: Service,
        scope: Option<Scope>,
        repository_name: String,
    ) -> Result<Self, store::Error> {
        Ok(Self {
            authority: state.sts.authority(state.settings.access, &request.caller)?,
            version: Version::of(request.git_protocol.as_deref(), &state.git.offers),
            state,
            caller: request.caller,
            peer: shared.peer,
            local: shared.local,
            user_agent: request.user_agent,
            scope,
            service,
            repository_name,
            disconnected: Arc::clone(&shared.disconnected),
            closed: request.closed,
            cut: Arc::clone(&shared.cut),
        })
    }

    /// Begins the call of the next event.
    fn begin(&self) -> Session {
        let (caller, user_agent) = (self.caller.clone(), self.user_agent.clone());
        let (scope, authority) = (self.scope.clone(), Arc::clone(&self.authority));
        let mut call =
            authenticate::begin_ssh_call(&self.state, caller, (self.peer, self.local), scope, user_agent, authority);
        call.interrupts.extend([Arc::clone(&self.disconnected), Arc::clone(&self.closed)]);
        Session {
            state: Arc::clone(&self.state),
            call: Arc::new(call),
            repository_name: self.repository_name.clone(),
            service: self.service,
            version: self.version,
            protocol: "SSH",
            faults: self.state.failures.of_call(),
        }
    }

    /// Serves the client until it is done, or disconnects.
    pub(super) async fn serve(self, mut input: Input, writing: &ChannelWriteHalf<Msg>) -> Served {
        let session = Arc::new(self);
        let advertising = Arc::clone(&session);
        let advertised = blocking::run(move || caught(|| advertising.advertise())).await;
        let (advertisement, references) = match advertised {
            Ok(advertised) => advertised,
            Err(served) => return served,
        };
        let idle_timeout = session.state.settings.git.timeout;
        if send(writing, advertisement, idle_timeout).await.is_err() {
            return Served::DONE;
        }
        match input.begin().await {
            Ok(true) => {}
            Ok(false) => return Served::DONE,
            Err(error) => return Served::refused(format!("The session ends: {error}.")),
        }
        let (mut writer, body) = body::channel(&session.state.spill);
        let working = Arc::clone(&session);
        let work = match session.service {
            Service::UploadPack => {
                let permit = Arc::clone(&session.state.fetch_permits).acquire_owned().await;
                let permit = permit.expect("the semaphore is never closed");
                tokio::task::spawn_blocking(move || {
                    let _permit = permit;
                    caught(|| {
                        fetch::serve_stream(&|| working.begin(), &references, &mut input, &mut writer)
                            .map_err(|refusal| working.refused(&refusal))
                    })
                })
            }
            Service::ReceivePack => {
                let mut input = input.with_permit(Arc::clone(&session.state.push_permits).acquire().await);
                tokio::task::spawn_blocking(move || {
                    caught(|| {
                        push::serve_stream(&working.begin(), &mut input, &mut writer)
                            .map_err(|refusal| working.refused(&refusal))
                    })
                })
            }
        };
        if let Err(error) = send_body(body, writing, &session.cut, idle_timeout).await {
            tracing::debug!(error, peer = %session.peer, "cannot send to an SSH client");
            session.closed.store(true, Ordering::Relaxed);
        }
        match work.await {
            Ok(Ok(())) => Served::DONE,
            Ok(Err(served)) => served,
            Err(_) => Served::refused(INTERNAL_ERROR),
        }
    }

    /// Sends the URL and the token with which git-lfs makes its requests over HTTP.
    pub(super) async fn authenticate_lfs(self, writing: &ChannelWriteHalf<Msg>) -> Served {
        let session = Arc::new(self);
        let working = Arc::clone(&session);
        match blocking::run(move || caught(|| working.lfs_authentication())).await {
            Ok(answer) => {
                // A client that has disconnected needs no answer.
                let _ = send(writing, answer, session.state.settings.git.timeout).await;
                Served::DONE
            }
            Err(served) => served,
        }
    }

    /// Returns the answer for git-lfs. It is recorded only if it fails: the requests over HTTP are recorded.
    fn lfs_authentication(&self) -> Result<Bytes, Served> {
        let session = self.begin();
        let repository = session.repository().map_err(|refusal| self.refused(&refusal))?;
        let call = &session.call;
        let operation = match self.service {
            Service::UploadPack => GrantedOperation::Download,
            Service::ReceivePack => GrantedOperation::Upload,
        };
        let grant = CallerGrant {
            operation,
            repository: repository.name.clone(),
            account: call.account.clone(),
            region: call.region.clone(),
            caller: call.caller.clone(),
        };
        let token = self.state.lfs_tokens.of_caller(grant, call.time);
        let answer = json!({
            "href": format!("{}/{}/info/lfs", call.clone_url_base, repository.name),
            "header": { "Authorization": format!("Bearer {token}") },
            "expires_in": TOKEN_LIFETIME.as_secs(),
        });
        self.log(call, 200, None);
        Ok(answer.to_string().into())
    }

    /// Records the advertisement; returns it with the references that it has.
    fn advertise(&self) -> Result<(Bytes, Arc<References>), Served> {
        let session = self.begin();
        match session.recorded_advertisement() {
            Ok((advertisement, references)) => {
                self.log(&session.call, 200, None);
                Ok((Bytes::copy_from_slice(git::advertisement_of_stream(&advertisement)), references))
            }
            Err(refusal) => {
                let (status, name) = match &refusal {
                    Refusal::NoSuchRepository => (404, None),
                    Refusal::Failed(failure) | Refusal::NotRecorded(failure) => (failure.status, Some(&*failure.name)),
                    Refusal::Cut => (200, None),
                };
                self.log(&session.call, status, name);
                Err(self.refused(&refusal))
            }
        }
    }

    fn log(&self, call: &Call, status: u16, error: Option<&str>) {
        call_log::log(call, event::name(self.service), status, error, Some(&self.repository_name));
    }

    /// Returns the end of a refused session.
    fn refused(&self, refusal: &Refusal) -> Served {
        match refusal {
            Refusal::NoSuchRepository => {}
            Refusal::Failed(failure) if failure.error_code() == Denial::CODE => {
                return Served::refused(format!("Access denied: {}", failure.message));
            }
            Refusal::Failed(_) | Refusal::NotRecorded(_) | Refusal::Cut => return Served::refused(refusal.message()),
        }
        let default = || Scope { account: self.caller.account_id.clone(), region: self.state.settings.region.clone() };
        let Scope { account, region } = self.scope.clone().unwrap_or_else(default);
        let name = &self.repository_name;
        Served::refused(format!(
            "{name} does not exist in {region} of account {account}. A repository of another account or region has the path \
             /ACCOUNT/REGION/v1/repos/{name}"
        ))
    }
}

/// Runs work that may panic, and must not end the connection then.
fn caught<T>(work: impl FnOnce() -> Result<T, Served>) -> Result<T, Served> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| Err(Served::refused(INTERNAL_ERROR)))
}

/// Sends the output of the session as it is written; where it fails, the connection is cut.
async fn send_body(
    mut body: Body,
    writing: &ChannelWriteHalf<Msg>,
    cut: &Notify,
    idle_timeout: Duration,
) -> Result<(), String> {
    while let Some(frame) = body.frame().await {
        let frame = match frame {
            Ok(frame) => frame,
            Err(error) => {
                cut.notify_one();
                // The end of the connection ends this session.
                std::future::pending::<()>().await;
                return Err(error.to_string());
            }
        };
        if let Ok(data) = frame.into_data() {
            send(writing, data, idle_timeout).await?;
        }
    }
    Ok(())
}

/// Sends data; fails if the client does not read it within the idle timeout.
async fn send(writing: &ChannelWriteHalf<Msg>, data: Bytes, idle_timeout: Duration) -> Result<(), String> {
    let Ok(sent) = timeout(idle_timeout, writing.data_bytes(data)).await else {
        tracing::warn!(?idle_timeout, "disconnected an SSH client that read nothing");
        return Err("the client reads nothing".to_owned());
    };
    sent.map_err(|error| error.to_string())
}
