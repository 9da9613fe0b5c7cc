//! One channel of a connection: waits for its request, serves it, and closes the channel with an exit status.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use aws::Caller;
use bytes::Bytes;
use git::{LfsAuthentication, SshCommand};
use russh::server::Msg;
use russh::{Channel, ChannelMsg, ChannelWriteHalf};
use tokio::sync::{oneshot, watch};
use tokio::time::timeout;

use crate::repository_path;
use crate::ssh::connection::{RunningSession, Shared};
use crate::ssh::input::Input;
use crate::ssh::session::{GitSession, Served};

/// The stream of messages for the user, besides the one of the protocol.
const STDERR: u32 = 1;

/// AWS's reply to a client that sends no command.
const NO_SHELL: &str = "You have successfully authenticated over SSH. You can use Git to interact with AWS CodeCommit. Interactive \
                        shells are not supported.";

/// What a client requests on a channel.
pub(super) enum Requested {
    Shell,
    Command(Vec<u8>),
}

/// The request of a channel, and who makes it.
pub(super) struct Request {
    pub(super) requested: Requested,
    pub(super) caller: Caller,
    /// The versions of the protocol that the client supports.
    pub(super) git_protocol: Option<String>,
    /// The client's version in the protocol, such as `SSH-2.0-OpenSSH_9.2`.
    pub(super) user_agent: String,
    /// Set when the client has closed the channel.
    pub(super) closed: Arc<AtomicBool>,
    /// Its sender is dropped when the client has closed the channel.
    pub(super) open: watch::Receiver<()>,
}

/// Serves a channel until its session has ended.
pub(super) async fn serve(mut channel: Channel<Msg>, mut request: oneshot::Receiver<Request>, shared: Arc<Shared>) {
    let mut received = Vec::new();
    let request = loop {
        tokio::select! {
            biased;
            request = &mut request => match request {
                Ok(request) => break request,
                Err(_) => return,
            },
            message = channel.wait() => match message {
                // The request was handled before its data arrived; data without a request ends the channel.
                Some(ChannelMsg::Data { data }) => match request.try_recv() {
                    Ok(request) => {
                        received.push(data);
                        break request;
                    }
                    Err(_) => return,
                },
                None | Some(ChannelMsg::Close) => return,
                Some(_) => {}
            },
        }
    };
    let _running = RunningSession::start(&shared);
    let idle_timeout = shared.idle_timeout;
    let (reading, writing) = channel.split();
    let (mut open, mut connected) = (request.open.clone(), shared.connected.clone());
    let serve = async {
        let served = match git_session(request, &shared).await {
            Ok(Requesting::Git(session)) => session.serve(Input::new(reading, received, idle_timeout), &writing).await,
            Ok(Requesting::Lfs(session)) => session.authenticate_lfs(&writing).await,
            Err(message) => Served::refused(message),
        };
        close(served, &writing, idle_timeout).await;
    };
    // Blocking work of a session that ends early is interrupted by the flags, and by the end of its streams.
    tokio::select! {
        () = serve => {}
        _ = open.changed() => {}
        _ = connected.changed() => {}
    }
}

/// A session of `git`, or a request of git-lfs.
enum Requesting {
    Git(GitSession),
    Lfs(GitSession),
}

/// Returns what a client requests, or a message for the user.
async fn git_session(request: Request, shared: &Shared) -> Result<Requesting, String> {
    let Requested::Command(command) = &request.requested else { return Err(NO_SHELL.to_owned()) };
    let state = shared.server.state().await.map_err(|reason| reason.to_string())?;
    let lfs = LfsAuthentication::parse(command).filter(|_| state.settings.git.lfs.is_on);
    let (service, path, requesting): (_, _, fn(GitSession) -> Requesting) = if let Some(lfs) = lfs {
        // git-lfs leaves out the first slash of some URLs, and adds the end of others.
        let path = lfs.path.strip_suffix(".git").unwrap_or(&lfs.path).trim_start_matches('/');
        (lfs.service, format!("/{path}"), Requesting::Lfs)
    } else if let Some(SshCommand { service, path }) = SshCommand::parse(command) {
        (service, path, Requesting::Git)
    } else {
        return Err(
            "This server runs git-upload-pack and git-receive-pack only, each with one path: use git clone, git fetch \
                    and git push."
                .to_owned(),
        );
    };
    let Some((scope, repository_name)) = repository_path::parse(&path) else {
        return Err(format!(
            "'{path}' is not the path of a repository. Repositories are at /v1/repos/NAME and \
             /ACCOUNT/REGION/v1/repos/NAME."
        ));
    };
    GitSession::new(request, state, shared, service, scope, repository_name).map(requesting).map_err(|error| {
        tracing::error!(%error, "cannot read the policies of an SSH client");
        "The request failed because of an internal error.".to_owned()
    })
}

/// Sends the message and the exit status, and closes the channel.
async fn close(served: Served, writing: &ChannelWriteHalf<Msg>, idle_timeout: Duration) {
    let sent = async {
        if let Some(message) = served.message {
            writing.extended_data_bytes(STDERR, Bytes::from(format!("{message}\n"))).await?;
        }
        writing.exit_status(served.exit_status).await?;
        writing.eof().await?;
        writing.close().await
    };
    match timeout(idle_timeout, sent).await {
        Ok(Ok(())) => {}
        // The client has disconnected.
        Ok(Err(error)) => tracing::debug!(%error, "cannot close an SSH channel"),
        Err(_) => tracing::warn!(?idle_timeout, "an SSH client did not read the end of its session"),
    }
}
