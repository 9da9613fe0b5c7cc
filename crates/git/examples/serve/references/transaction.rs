//! Updates of references: checked first for Git's error messages, then made by a transaction that checks again under its locks.

use std::{fs, io, time::Duration};

use bstr::{BStr, BString, ByteSlice};
use git::{ObjectId, Repository, receive_pack::Command};
use gix::{
    actor::SignatureRef,
    lock::acquire::Fail,
    refs::{
        FullName, Target as Value,
        file::Store as Files,
        store::{WriteReflog, init::Options},
        transaction::{Change, LogChange, PreviousValue, RefEdit, RefLog},
    },
};

use super::{
    super::config::Logs,
    files::Target,
    packed::Packed,
    snapshot::Store,
    update::{PrintMessage, leads_to},
};

/// The timeout for the locks of other processes.
const LOCK_TIME: Fail = Fail::AfterDurationWithBackoff(Duration::from_secs(1));

/// The committer of reflog entries.
#[derive(Debug, Clone, Copy)]
pub struct Committer<'c> {
    pub name: &'c str,
    pub email: &'c str,
}

/// One update of a reference.
#[derive(Debug, Clone)]
pub struct RefUpdate {
    name: BString,
    /// The reference to update: a symbolic reference passes updates on to its target.
    place: BString,
    /// `None` if any value is accepted.
    old: Option<ObjectId>,
    new: ObjectId,
}

impl RefUpdate {
    /// Prepares a command.
    pub fn new(
        repository: &Repository,
        store: &Store,
        command: &Command,
        print: &mut PrintMessage<'_>,
    ) -> io::Result<Self> {
        let place = leads_to(store, &command.name)?.unwrap_or_else(|| command.name.clone());
        let mut old = Some(command.old);
        if command.is_deletion() && repository.kind(&command.old)?.is_none() {
            if matches!(store.target(place.as_bstr()), Ok(None)) {
                print("warning: deleting a non-existent ref".into());
            } else {
                print("warning: allowing deletion of corrupt ref".into());
            }
            old = None;
        }
        Ok(Self { name: command.name.clone(), place, old, new: command.new })
    }

    /// Checks whether the update is possible and changes anything; an error is Git's message.
    fn check(&self, store: &Store) -> Result<bool, String> {
        let complain = |text: String| format!("cannot lock ref '{}': {text}", self.name);
        let broken = || complain(format!("unable to resolve reference '{}'", self.place));
        let current = match store.target(self.place.as_bstr()) {
            Ok(Some(Target::Object(id))) => Some(id),
            Ok(None) => None,
            // A malformed reference may be deleted.
            Err(_) if self.new.is_null() && self.old.is_none() => None,
            Ok(Some(Target::Symbolic(_))) | Err(_) => return Err(broken()),
        };
        match (self.old, current) {
            (Some(old), Some(current)) if old.is_null() && !self.new.is_null() => {
                debug_assert!(!current.is_null(), "a reference points at an object");
                Err(complain("reference already exists".into()))
            }
            (Some(old), Some(current)) if old != current => {
                Err(complain(format!("is at {current} but expected {old}")))
            }
            (Some(old), None) if !old.is_null() => Err(broken()),
            (_, None) => match obstacle(store, self.place.as_bstr(), self.new.is_null()) {
                Ok(None) => Ok(!self.new.is_null()),
                Ok(Some(other)) => Err(complain(format!("'{other}' exists; cannot create '{}'", self.place))),
                Err(error) => Err(complain(error.to_string())),
            },
            _ => Ok(true),
        }
    }

    fn edit(&self, store: &Store, logged: bool) -> Result<RefEdit, String> {
        let head = store.target(b"HEAD".as_bstr());
        let is_current = matches!(head, Ok(Some(Target::Symbolic(name))) if name == self.place);
        // The reflog of HEAD includes the updates of its branch.
        let through_head = logged && is_current && !self.new.is_null();
        let name = if through_head { BString::from("HEAD") } else { self.place.clone() };
        let name = FullName::try_from(name).map_err(|error| error.to_string())?;
        let expected = match self.old {
            None => PreviousValue::Any,
            Some(old) if old.is_null() => PreviousValue::MustNotExist,
            Some(old) => PreviousValue::MustExistAndMatch(Value::Object(old)),
        };
        let log = LogChange { mode: RefLog::AndReference, force_create_reflog: false, message: "push".into() };
        let change = if self.new.is_null() {
            Change::Delete { expected, log: RefLog::AndReference }
        } else {
            Change::Update { log, expected, new: Value::Object(self.new) }
        };
        Ok(RefEdit { change, name, deref: through_head })
    }
}

/// Finds a reference that conflicts with a new one: one of its folders, or one below it.
///
/// Git locks references that it deletes, for which only folders conflict.
fn obstacle(store: &Store, name: &BStr, is_deletion: bool) -> io::Result<Option<BString>> {
    let packed = store.packed()?;
    for (end, _) in name.iter().enumerate().filter(|(_, byte)| **byte == b'/') {
        let folder = name[..end].as_bstr();
        if folder != "refs" && matches!(store.target(folder), Ok(Some(_)) | Err(_)) {
            return Ok(Some(folder.to_owned()));
        }
    }
    if is_deletion {
        return Ok(None);
    }
    let mut prefix = name.to_owned();
    prefix.push(b'/');
    if let Some(below) = first_below(&packed, prefix.as_bstr()) {
        return Ok(Some(below.clone()));
    }
    file_below(store, prefix)
}

fn first_below<'p>(packed: &'p [Packed], prefix: &BStr) -> Option<&'p BString> {
    let start = packed.partition_point(|reference| reference.name.as_bstr() < prefix);
    packed.get(start).map(|reference| &reference.name).filter(|name| name.starts_with(prefix))
}

fn file_below(store: &Store, prefix: BString) -> io::Result<Option<BString>> {
    let mut folders = vec![prefix];
    while let Some(prefix) = folders.pop() {
        let Ok(folder) = prefix.to_path().map(|folder| store.path().join(folder)) else { continue };
        let Ok(entries) = fs::read_dir(folder) else { continue };
        for entry in entries {
            let entry = entry?;
            let name: BString = [prefix.as_slice(), entry.file_name().as_encoded_bytes()].concat().into();
            if entry.file_type()?.is_dir() {
                folders.push([name.as_slice(), b"/"].concat().into());
            } else if !name.ends_with(b".lock") {
                return Ok(Some(name));
            }
        }
    }
    Ok(None)
}

/// Makes all updates or none; an error is Git's message.
pub fn make(store: &Store, updates: &[RefUpdate], logs: Logs, committer: &Committer<'_>) -> Result<(), String> {
    let mut needed = Vec::new();
    for one in updates.iter().filter(|one| one.old != Some(one.new)) {
        if one.check(store)? {
            needed.push(one);
        }
        let below = |other: &&RefUpdate| {
            other.place.strip_prefix(one.place.as_slice()).is_some_and(|rest| rest.starts_with(b"/"))
        };
        if let Some(other) = updates.iter().find(below) {
            let (one, other) = (&one.place, &other.place);
            return Err(format!("cannot lock ref '{one}': cannot process '{one}' and '{other}' at the same time"));
        }
    }
    let updates = needed;
    let has_log = |one: &&RefUpdate| {
        let place = one.place.to_path().map(|place| store.path().join("logs").join(place));
        place.is_ok_and(|place| place.is_file())
    };
    let write_reflog = match logs {
        Logs::All => WriteReflog::Always,
        Logs::Existing if !updates.iter().any(has_log) => WriteReflog::Disable,
        Logs::Existing | Logs::Normal => WriteReflog::Normal,
    };
    let options = Options { write_reflog, ..Options::default() };
    let files = Files::at_opts(store.path().to_owned(), gix::hash::Kind::Sha1, options);
    let edits = updates.iter().map(|one| one.edit(store, logs != Logs::Existing)).collect::<Result<Vec<_>, _>>()?;
    let time = gix::date::Time::now_utc().to_string();
    let committer = SignatureRef { name: committer.name.into(), email: committer.email.into(), time: &time };
    let made =
        files.transaction().prepare(edits, LOCK_TIME, LOCK_TIME).and_then(|transaction| transaction.commit(committer));
    made.map(drop).map_err(|error| complaint(store, &updates, &error.to_string()))
}

/// Returns Git's message for a failed transaction.
fn complaint(store: &Store, updates: &[&RefUpdate], error: &str) -> String {
    let held = |path: &std::path::Path| {
        path.exists().then(|| {
            format!(
                "Unable to create '{}': File exists.\n\n\
                 Another git process seems to be running in this repository, e.g.\n\
                 an editor opened by 'git commit'. Please make sure all processes\n\
                 are terminated then try again. If it still fails, a git process\n\
                 may have crashed in this repository earlier:\n\
                 remove the file manually to continue.",
                path.display()
            )
        })
    };
    if let Some(text) = held(&store.path().join("packed-refs.lock")) {
        return text;
    }
    for one in updates {
        let lock = [one.place.as_slice(), b".lock"].concat();
        let lock = lock.to_path().ok().and_then(|lock| held(&store.path().join(lock)));
        if let Some(text) = lock {
            return format!("cannot lock ref '{}': {text}", one.name);
        }
        // Another update was faster.
        if let Err(text) = one.check(store) {
            return text;
        }
    }
    eprintln!("{error}");
    match updates {
        [one] => format!("cannot lock ref '{}': {error}", one.name),
        _ => error.to_owned(),
    }
}
