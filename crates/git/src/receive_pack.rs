//! Taking objects and moving references: the service behind push.
//!
//! **Invariant:** the door is asked once for each push, after the objects are in place and before the report.

mod command;
mod report;

use std::{
    cell::RefCell,
    io::{self, BufReader, Read, Write},
};

use gix::ObjectId;

use crate::{
    Hold, Kind, Options, ProtocolError, Repository,
    intake::{self, Staged},
    reader::Reader,
    sideband::{Frames, SideBand},
};
pub use command::Command;
use command::Commands;

/// What a push brought.
#[derive(Debug)]
pub struct Received<'a> {
    /// The wanted moves, in the client's order.
    pub commands: &'a [Command],
    /// The capabilities that the client asks for, as it sent them and in its order.
    pub capabilities: &'a [String],
    /// Whether the objects were taken; the sentence that the client is told if they were not.
    pub unpack: Result<(), &'a str>,
    /// For each command what its new value finally names, if that is an annotated tag; or why the command is
    /// refused already. Commands that are refused must not move anything.
    pub verdicts: &'a [Result<Option<ObjectId>, String>],
    /// Whether either all commands are to be done or none.
    pub atomic: bool,
    /// Takes lines for the client, each without a newline at its end; they come before the report.
    pub messages: RefCell<Vec<String>>,
}

/// Moves references, or refuses to: answers each command in its order, with the reason of a refusal.
pub type Door<'d> = dyn FnMut(&Received<'_>) -> Vec<Result<(), String>> + 'd;

const MISSING: &str = "missing necessary objects";

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
    let taken = take(repository, &mut input, &commands, options);
    if options.input_ends {
        // Clients read the report only when they have sent everything.
        drop(io::copy(&mut input, &mut io::sink()));
    }

    let mut results = Vec::new();
    let (unpack, mut verdicts, objects, hold) = match taken {
        Ok((verdicts, objects, hold)) => (Ok(()), verdicts, objects, Some(hold)),
        Err(sentence) => (Err(sentence), vec![Err("unpacker error".to_owned()); commands.list.len()], None, None),
    };
    let atomic = options.offers.modern && commands.asked("atomic");
    if atomic && unpack.is_ok() && verdicts.iter().any(Result::is_err) {
        for verdict in verdicts.iter_mut().filter(|verdict| verdict.is_ok()) {
            *verdict = Err("atomic push failure".to_owned());
        }
    }
    let received = Received {
        commands: &commands.list,
        capabilities: &commands.capabilities,
        unpack: unpack.as_ref().copied().map_err(String::as_str),
        verdicts: &verdicts,
        atomic,
        messages: RefCell::default(),
    };
    let mut answers = door(&received).into_iter();
    let messages = received.messages.take();
    drop(hold);
    for verdict in verdicts {
        let answer = answers.next().unwrap_or_else(|| Err("failed to update ref".to_owned()));
        results.push(verdict.and(answer));
    }

    let quiet = options.offers.modern && commands.asked("quiet");
    let mut band = SideBand::new(output, Frames::of(&commands.capabilities));
    let sent = (|| {
        if let Some(count) = objects.filter(|count| *count > 0 && !quiet) {
            band.progress(&format!("Validating objects: 100% ({count}/{count}), done.\n"))?;
        }
        for message in messages {
            band.progress(&format!("{message}\n"))?;
        }
        if commands.asked("report-status") {
            band.write_all(&report::render(&commands.list, &unpack, &results))?;
        }
        band.finish()
    })();
    drop(sent);
    Ok(())
}

type Verdicts = Vec<Result<Option<ObjectId>, String>>;

/// Takes the objects of a push and judges its commands; gives the number of objects too, if a pack came, and what
/// keeps all objects in place until the references have moved.
fn take(
    repository: &Repository,
    input: &mut dyn Read,
    commands: &Commands,
    options: &Options,
) -> Result<(Verdicts, Option<u32>, Hold), String> {
    if commands.list.len() > options.limits.refs_per_push {
        return Err("Too many reference update commands".to_owned());
    }
    let mut staged = None;
    if commands.list.iter().any(|command| !command.is_deletion()) {
        staged = Some(intake::receive(repository, input, options).map_err(|refusal| refusal.to_string())?);
    }
    let objects = staged.as_ref().map(Staged::received);
    let hold = repository.hold();
    let mut judge = Judge { reader: repository.reader(), staged: staged.as_ref() };
    let mut verdicts = Vec::with_capacity(commands.list.len());
    for (rank, command) in commands.list.iter().enumerate() {
        let verdict = if commands.repeated.contains(&rank) {
            Err("multiple updates for ref".to_owned())
        } else {
            judge.judge(command, !commands.shallow.is_empty())?
        };
        verdicts.push(verdict);
    }
    if let Some(staged) = staged.filter(Staged::is_closed) {
        staged.install(repository, options.sync).map_err(|error| format!("unable to store the pack: {error}"))?;
    }
    let mut reader = repository.reader();
    for (command, verdict) in commands.list.iter().zip(&mut verdicts) {
        if verdict.is_ok() && !command.is_deletion() {
            let (peeled, _) = reader.peel(&command.new).map_err(|error| error.to_string())?;
            *verdict = Ok((peeled != command.new).then_some(peeled));
        }
    }
    Ok((verdicts, objects, hold))
}

struct Judge<'s> {
    reader: Reader,
    staged: Option<&'s Staged>,
}

impl Judge<'_> {
    /// Judges one command by its name and its new value.
    fn judge(&mut self, command: &Command, shallow: bool) -> Result<Result<Option<ObjectId>, String>, String> {
        if !command.has_sound_name() {
            return Ok(Err("funny refname".to_owned()));
        }
        if command.is_deletion() {
            return Ok(Ok(None));
        }
        let known = self.reader.kind(&command.new).map_err(|error| error.to_string())?;
        let incoming = self.staged.filter(|staged| staged.is_closed());
        let kind = known.or_else(|| incoming?.kind(&command.new));
        Ok(match kind {
            None if shallow && self.staged.is_some_and(|staged| staged.kind(&command.new).is_some()) => {
                Err("shallow update not allowed".to_owned())
            }
            None => Err(MISSING.to_owned()),
            Some(kind) if kind != Kind::Commit && command.name.starts_with(b"refs/heads/") => {
                Err("failed to update ref".to_owned())
            }
            Some(_) => Ok(None),
        })
    }
}
