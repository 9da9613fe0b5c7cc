//! Taking objects and moving references: the service behind push.
//!
//! **Invariant:** the door is asked once for each push, after the objects are in place and before the report.

mod boundary;
mod closure;
mod command;
mod judge;
mod report;

use std::{
    cell::RefCell,
    io::{self, BufReader, Read, Write},
};

use gix::ObjectId;

use crate::{
    BString, Options, ProtocolError, Repository,
    output::Copying,
    sideband::{Frames, SideBand},
};
pub(crate) use boundary::read as shallow;
pub use command::Command;
use command::Commands;
use judge::Taken;

/// How much of a push that was refused is read to its end, so that the client gets to the report.
const OVERRUN_BYTES_MAX: u64 = 64 << 20;

/// What a push brought.
#[derive(Debug)]
pub struct Received<'a> {
    /// The wanted moves, in the client's order.
    pub commands: &'a [Command],
    /// The capabilities that the client asks for, as it sent them and in its order.
    pub capabilities: &'a [String],
    /// The words that the client has for the server: `git push --push-option`.
    pub push_options: &'a [BString],
    /// Whether the objects were taken; the sentence that the client is told if they were not.
    pub unpack: Result<(), &'a str>,
    /// For each command what its new value finally names, if that is an annotated tag; or why the command is
    /// refused already. Commands that are refused must not move anything; of an atomic push either none is refused here, or all.
    pub verdicts: &'a [Result<Option<ObjectId>, String>],
    /// Whether either all commands are to be done or none.
    pub atomic: bool,
    /// Takes lines for the client, each without a newline at its end; they come before the report.
    pub messages: RefCell<Vec<String>>,
}

/// Moves references, or refuses to: answers each command in its order, with the reason of a refusal.
///
/// Of an atomic push the door makes all moves or none. It notes with [`Repository::let_go`] that a reference left objects behind, so that upkeep looks for them.
pub type Door<'d> = dyn FnMut(&Received<'_>) -> Vec<Result<(), String>> + 'd;

/// Serves one push: takes its objects, asks the door, and reports.
///
/// The door is not asked if the request is no push; it is asked, with the failure, if the objects were not
/// taken. That the report cannot be sent is no error: the references have moved.
pub fn serve(
    repository: &Repository,
    input: &mut dyn Read,
    output: &mut dyn Write,
    options: &Options,
    door: &mut Door<'_>,
) -> Result<(), ProtocolError> {
    let mut input = BufReader::with_capacity(64 << 10, input);
    let Some(commands) = Commands::read(&mut input, options)? else { return Ok(()) };
    let atomic = options.offers.atomic && commands.asked("atomic");
    let taken = judge::take(repository, &mut input, &commands, atomic, options);
    if options.input_ends {
        // Clients read the report only when they have sent everything.
        drop(io::copy(&mut input.by_ref().take(OVERRUN_BYTES_MAX), &mut io::sink()));
    }

    let (unpack, mut taken) = match taken {
        Ok(taken) => (Ok(()), taken),
        Err(sentence) => {
            let verdicts = vec![Err("unpacker error".to_owned()); commands.list.len()];
            (Err(sentence), Taken { verdicts, ..Taken::default() })
        }
    };
    let received = Received {
        commands: &commands.list,
        capabilities: &commands.capabilities,
        push_options: &commands.options,
        unpack: unpack.as_ref().copied().map_err(String::as_str),
        verdicts: &taken.verdicts,
        atomic,
        messages: RefCell::default(),
    };
    let mut answers = door(&received).into_iter();
    let messages = received.messages.take();
    taken.hold = None;
    let results: Vec<_> = taken
        .verdicts
        .iter()
        .map(|verdict| {
            let answer = answers.next().unwrap_or_else(|| Err("failed to update ref".to_owned()));
            verdict.clone().and(answer)
        })
        .collect();

    // The references have moved: that the client does not hear of it changes nothing.
    drop(tell(output, &commands, options, &taken, &messages, &unpack, &results));
    Ok(())
}

/// Sends the report, and what else the client is told.
fn tell(
    output: &mut dyn Write,
    commands: &Commands,
    options: &Options,
    taken: &Taken,
    messages: &[String],
    unpack: &Result<(), String>,
    results: &[Result<(), String>],
) -> io::Result<()> {
    let modern = options.offers.modern;
    let mut output = Copying(output);
    let mut band = SideBand::new(&mut output, Frames::of(&commands.capabilities));
    if let Some(count) = taken.objects.filter(|count| *count > 0 && !(modern && commands.asked("quiet"))) {
        band.progress(&format!("Validating objects: 100% ({count}/{count}), done.\n"))?;
    }
    for warning in &taken.warnings {
        band.progress(&format!("warning: {warning}\n"))?;
    }
    for message in messages {
        band.progress(&format!("{message}\n"))?;
    }
    if commands.asked("report-status") || modern && commands.asked("report-status-v2") {
        band.write_all(&report::render(&commands.list, unpack, results))?;
    }
    band.finish()
}
