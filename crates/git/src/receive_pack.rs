//! The service behind push: stores objects and updates references.
//!
//! [`serve`] serves one request of HTTP, [`serve_stream`] one client over a pair of streams, as SSH requires.
//!
//! **Invariant:** the update hook runs once for each push, after the objects are in place and before the report is sent.

mod check;
mod command;
mod connectivity;
mod report;
mod shallow_file;

use std::{
    cell::RefCell,
    io::{self, BufReader, Read, Write},
};

use gix::ObjectId;

use crate::{
    BString, Options, ProtocolError, Repository, advertisement,
    frames::Frames,
    output::{CopyOutput, Output},
    sideband::SideBand,
    stream::{Stream, send},
};
use check::Checked;
pub use command::Command;
use command::Commands;
pub(crate) use shallow_file::read as shallow;

/// The part of a refused push that is read and discarded, in bytes, so that the client gets to read the report.
const DISCARDED_BYTES_MAX: u64 = 64 << 20;

/// A push, ready for its references to be updated.
#[derive(Debug)]
pub struct Received<'a> {
    /// The requested reference updates, in the client's order.
    pub commands: &'a [Command],
    /// The capabilities that the client requests, as it sent them and in its order.
    pub capabilities: &'a [String],
    /// The values of `git push --push-option`.
    pub push_options: &'a [BString],
    /// Whether the objects were stored; otherwise the reason, as the client receives it.
    pub unpack: Result<(), &'a str>,
    /// The status of each command: the peeled value if the new value is an annotated tag, or the reason for a rejection.
    /// Rejected commands must not update anything. In an atomic push, either none or all are rejected.
    pub statuses: &'a [Result<Option<ObjectId>, String>],
    /// Whether the push is atomic: all commands succeed or none.
    pub atomic: bool,
    /// Collects lines for the client, each without a newline; they are sent before the report.
    pub messages: RefCell<Vec<String>>,
}

/// Updates the references of a push. A closure is the hook that makes the updates only.
pub trait UpdateHook {
    /// Looks at the commands before the pack is received; an error ends the push, which then changes nothing.
    fn check(&mut self, _commands: &[Command]) -> Result<(), ProtocolError> {
        Ok(())
    }

    /// Updates references or rejects updates: returns the result of each command in order, with the reason of a rejection.
    ///
    /// For an atomic push, the hook makes all updates or none. It calls [`Repository::mark_unreachable`] when an update makes
    /// objects unreachable, so that maintenance looks for them.
    fn update(&mut self, received: &Received<'_>) -> Vec<Result<(), String>>;
}

impl<F: FnMut(&Received<'_>) -> Vec<Result<(), String>>> UpdateHook for F {
    fn update(&mut self, received: &Received<'_>) -> Vec<Result<(), String>> {
        self(received)
    }
}

/// Serves one push: stores its objects, runs the update hook, and sends the report.
///
/// The hook does not run for a request without commands. If the objects were not stored, it runs with the failure.
/// A report that cannot be sent is not an error, because the references have been updated.
pub fn serve(
    repository: &Repository,
    input: &mut dyn Read,
    output: &mut dyn Write,
    options: &Options,
    update_hook: &mut dyn UpdateHook,
) -> Result<(), ProtocolError> {
    serve_push(repository, (input, true), output, options, update_hook)
}

/// Serves one client over a pair of streams: sends the advertisement, then serves a push as [`serve`] does.
///
/// `advertisement` is the result of [`advertise`](crate::advertise) for the same options, or empty if the caller has sent it. A
/// client that disconnects is no error; its push fails if its objects are incomplete. An error was sent to the client already.
pub fn serve_stream(
    repository: &Repository,
    advertisement: &[u8],
    input: &mut dyn Read,
    output: &mut dyn Output,
    options: &Options,
    update_hook: &mut dyn UpdateHook,
) -> Result<(), ProtocolError> {
    let mut input = Stream::new(input);
    let mut output = Stream::new(output);
    if send(&mut output, advertisement::of_stream(advertisement)).is_err() {
        return Ok(());
    }
    let served = serve_push(repository, (&mut input, false), &mut output, options, update_hook);
    match served {
        Err(_) if input.has_ended() || output.has_ended() => Ok(()),
        Err(error) => {
            // A client that disconnects now does not need the error.
            drop(send(&mut output, &error.packet()));
            Err(error)
        }
        Ok(()) => Ok(()),
    }
}

/// Serves a push; `input` is followed by whether it ends with the push, as over HTTP.
fn serve_push(
    repository: &Repository,
    (input, input_ends): (&mut dyn Read, bool),
    output: &mut dyn Write,
    options: &Options,
    update_hook: &mut dyn UpdateHook,
) -> Result<(), ProtocolError> {
    let mut input = BufReader::with_capacity(64 << 10, input);
    let Some(commands) = Commands::read(&mut input, options)? else { return Ok(()) };
    update_hook.check(&commands.list)?;
    let atomic = options.offers.atomic && commands.requests("atomic");
    let checked = check::store_objects(repository, &mut input, &commands, atomic, options);
    if input_ends {
        // Over HTTP, clients read the report only after they have sent everything.
        drop(io::copy(&mut input.by_ref().take(DISCARDED_BYTES_MAX), &mut io::sink()));
    }

    let (unpack, mut checked) = match checked {
        Ok(checked) => (Ok(()), checked),
        Err(reason) => {
            let statuses = vec![Err("unpacker error".to_owned()); commands.list.len()];
            (Err(reason), Checked { statuses, ..Checked::default() })
        }
    };
    let received = Received {
        commands: &commands.list,
        capabilities: &commands.capabilities,
        push_options: &commands.options,
        unpack: unpack.as_ref().copied().map_err(String::as_str),
        statuses: &checked.statuses,
        atomic,
        messages: RefCell::default(),
    };
    let mut updated = update_hook.update(&received).into_iter();
    let messages = received.messages.take();
    checked.in_use = None;
    let results: Vec<_> = checked
        .statuses
        .iter()
        .map(|status| {
            let result = updated.next().unwrap_or_else(|| Err("failed to update ref".to_owned()));
            status.clone().and(result)
        })
        .collect();

    // The references have been updated, whether or not the client receives the report.
    drop(send_report(output, &commands, options, &checked, &messages, &unpack, &results));
    Ok(())
}

/// Sends progress, warnings, messages and the report.
fn send_report(
    output: &mut dyn Write,
    commands: &Commands,
    options: &Options,
    checked: &Checked,
    messages: &[String],
    unpack: &Result<(), String>,
    results: &[Result<(), String>],
) -> io::Result<()> {
    let modern = options.offers.modern;
    let mut output = CopyOutput(output);
    let mut band = SideBand::new(&mut output, Frames::requested_by(&commands.capabilities));
    if let Some(count) = checked.objects.filter(|count| *count > 0 && !(modern && commands.requests("quiet"))) {
        band.progress(&format!("Validating objects: 100% ({count}/{count}), done.\n"))?;
    }
    for warning in &checked.warnings {
        band.progress(&format!("warning: {warning}\n"))?;
    }
    for message in messages {
        band.progress(&format!("{message}\n"))?;
    }
    if commands.requests("report-status") || modern && commands.requests("report-status-v2") {
        band.write_all(&report::render(&commands.list, unpack, results))?;
    }
    band.finish()
}
