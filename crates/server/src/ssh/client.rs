//! The client of a connection: its authentication, and the requests on its channels.
//!
//! **Invariant:** only the owner of a declared key gets a session, and only for Git.

use std::collections::HashMap;
use std::sync::Arc;

use aws::Caller;
use russh::keys::PublicKey;
use russh::server::{Auth, ChannelOpenHandle, Handler, Msg, PublicKeyOffer, Session, VerifiedPublicKey};
use russh::{Channel, ChannelId, ChannelOpenFailure, Pty};
use tokio::sync::{oneshot, watch};

use crate::disconnect::DisconnectGuard;
use crate::ssh::channel::{self, Request, Requested};
use crate::ssh::connection::Shared;

/// Channels that a connection may have at a time, as with OpenSSH's server.
const CHANNELS_MAX: usize = 10;

/// The only environment variable that clients may set: the versions of Git's protocol that they support.
const GIT_PROTOCOL: &str = "GIT_PROTOCOL";

/// The largest length of that variable, in bytes.
const GIT_PROTOCOL_BYTES_MAX: usize = 256;

/// The client of a connection.
pub(super) struct Client {
    shared: Arc<Shared>,
    /// The owner of the verified key.
    caller: Option<Caller>,
    /// Why the last attempt to authenticate was refused.
    refused: Option<Refused>,
    channels: HashMap<ChannelId, OpenChannel>,
}

/// A channel, until its client closes it.
struct OpenChannel {
    git_protocol: Option<String>,
    /// Starts what the client requests; it is requested once.
    start: Option<oneshot::Sender<Request>>,
    guard: DisconnectGuard,
    /// Dropped with the channel, which ends its session.
    open: watch::Sender<()>,
}

/// Why an attempt to authenticate was refused.
struct Refused {
    login: String,
    reason: &'static str,
}

impl Client {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self { shared, caller: None, refused: None, channels: HashMap::new() }
    }

    /// Returns the owner of a key with the id that the login name is.
    async fn owner(&mut self, login: &str, key: &PublicKey) -> Option<Caller> {
        let owner = self.shared.server.state().await.map(|state| state.sts.ssh_key_owner(login));
        let reason = match owner {
            Err(_) => "the data could not be opened again after a restore",
            Ok(Some(owner)) if key.to_bytes().is_ok_and(|bytes| owner.key.is(&bytes)) => return Some(owner.caller),
            Ok(Some(_)) => "the identities file has another key for this id",
            Ok(None) => {
                "the login name is not the id of a declared SSH key; declare it in the identities file: \
                 ssh_public_keys = [{ id = \"APKA...\", key = \"ssh-rsa ...\" }], and connect as APKA...@HOST"
            }
        };
        self.refused = Some(Refused { login: login.to_owned(), reason });
        None
    }

    /// Starts what the client requests on a channel; a second request is refused.
    fn start(&mut self, id: ChannelId, requested: Requested, session: &mut Session) -> Result<(), russh::Error> {
        let channel = self.channels.get_mut(&id);
        let start = channel.and_then(|channel| Some((channel.start.take()?, channel)));
        let (Some((start, channel)), Some(caller)) = (start, &self.caller) else { return session.channel_failure(id) };
        let request = Request {
            requested,
            caller: caller.clone(),
            git_protocol: channel.git_protocol.take(),
            user_agent: String::from_utf8_lossy(session.remote_sshid()).trim_end().to_owned(),
            closed: channel.guard.flag(),
            open: channel.open.subscribe(),
        };
        // The reply must be queued before the output of the session.
        session.channel_success(id)?;
        // A channel that has ended needs no session.
        let _ = start.send(request);
        Ok(())
    }
}

impl Handler for Client {
    type Error = russh::Error;

    async fn auth_none(&mut self, login: &str) -> Result<Auth, russh::Error> {
        // OpenSSH's client asks so which methods there are.
        self.refused = Some(Refused { login: login.to_owned(), reason: "the client offered no key" });
        Ok(Auth::reject())
    }

    async fn auth_publickey_offered(&mut self, login: &str, offer: PublicKeyOffer<'_>) -> Result<Auth, russh::Error> {
        Ok(if self.owner(login, offer.public_key).await.is_some() { Auth::Accept } else { Auth::reject() })
    }

    async fn auth_publickey(&mut self, login: &str, key: VerifiedPublicKey<'_>) -> Result<Auth, russh::Error> {
        self.caller = self.owner(login, key.public_key).await;
        Ok(if self.caller.is_some() { Auth::Accept } else { Auth::reject() })
    }

    async fn channel_open_session(
        &mut self,
        channel: Channel<Msg>,
        reply: ChannelOpenHandle,
        _session: &mut Session,
    ) -> Result<(), russh::Error> {
        if self.channels.len() >= CHANNELS_MAX {
            reply.reject(ChannelOpenFailure::ResourceShortage).await;
            return Ok(());
        }
        let (start, request) = oneshot::channel();
        let guard = DisconnectGuard::new();
        let open = watch::Sender::new(());
        self.channels.insert(channel.id(), OpenChannel { git_protocol: None, start: Some(start), guard, open });
        tokio::spawn(channel::serve(channel, request, Arc::clone(&self.shared)));
        reply.accept().await;
        Ok(())
    }

    async fn channel_close(&mut self, id: ChannelId, _session: &mut Session) -> Result<(), russh::Error> {
        // Interrupts the work of its session.
        drop(self.channels.remove(&id));
        Ok(())
    }

    async fn env_request(
        &mut self,
        id: ChannelId,
        name: &str,
        value: &str,
        session: &mut Session,
    ) -> Result<(), russh::Error> {
        match self.channels.get_mut(&id) {
            Some(channel) if name == GIT_PROTOCOL && value.len() <= GIT_PROTOCOL_BYTES_MAX => {
                channel.git_protocol = Some(value.to_owned());
                session.channel_success(id)
            }
            _ => session.channel_failure(id),
        }
    }

    async fn exec_request(&mut self, id: ChannelId, command: &[u8], session: &mut Session) -> Result<(), russh::Error> {
        self.start(id, Requested::Command(command.to_vec()), session)
    }

    async fn shell_request(&mut self, id: ChannelId, session: &mut Session) -> Result<(), russh::Error> {
        self.start(id, Requested::Shell, session)
    }

    async fn pty_request(
        &mut self,
        id: ChannelId,
        _term: &str,
        _columns: u32,
        _rows: u32,
        _width: u32,
        _height: u32,
        _modes: &[(Pty, u32)],
        session: &mut Session,
    ) -> Result<(), russh::Error> {
        session.channel_failure(id)
    }

    async fn x11_request(
        &mut self,
        id: ChannelId,
        _single_connection: bool,
        _protocol: &str,
        _cookie: &str,
        _screen: u32,
        session: &mut Session,
    ) -> Result<(), russh::Error> {
        session.channel_failure(id)
    }

    async fn subsystem_request(
        &mut self,
        id: ChannelId,
        _name: &str,
        session: &mut Session,
    ) -> Result<(), russh::Error> {
        session.channel_failure(id)
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        if let (None, Some(Refused { login, reason })) = (&self.caller, &self.refused) {
            tracing::warn!(login, peer = %self.shared.peer, reason, "refused an SSH client");
        }
    }
}
