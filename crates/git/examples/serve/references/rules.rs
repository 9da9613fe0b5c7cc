//! The rules for pushes in the configuration of a repository.

use std::{
    collections::{HashSet, VecDeque},
    io,
};

use bstr::{BString, ByteSlice};
use git::{Kind, ObjectId, Repository, receive_pack::Command};

use super::{
    super::config::{Denial, Settings},
    files::{self, Target},
    snapshot::Store,
    update::PrintMessage,
};

const CURRENT_UPDATE: &str = "\
error: By default, updating the current branch in a non-bare repository
is denied, because it will make the index and work tree inconsistent
with what you pushed, and will require 'git reset --hard' to match
the work tree to HEAD.

You can set the 'receive.denyCurrentBranch' configuration variable
to 'ignore' or 'warn' in the remote repository to allow pushing into
its current branch; however, this is not recommended unless you
arranged to update its work tree to match what you pushed in some
other way.

To squelch this message and still keep the default behaviour, set
'receive.denyCurrentBranch' configuration variable to 'refuse'.";

const CURRENT_DELETION: &str = "\
error: By default, deleting the current branch is denied, because the next
'git clone' won't result in any file checked out, causing confusion.

You can set 'receive.denyDeleteCurrent' configuration variable to
'warn' or 'ignore' in the remote repository to allow deleting the
current branch, with or without a warning message.

To squelch this message, you can set it to 'refuse'.";

/// Checks the commands of one push.
pub struct Rules<'r> {
    repository: &'r Repository,
    settings: &'r Settings,
    /// The branch that HEAD names.
    current: Option<BString>,
}

impl<'r> Rules<'r> {
    pub fn new(store: &Store, repository: &'r Repository, settings: &'r Settings) -> io::Result<Self> {
        let current = match files::read(store.path(), b"HEAD".as_bstr()) {
            Ok(Some(Target::Symbolic(name))) => Some(name),
            Ok(_) => None,
            Err(error) if error.kind() == io::ErrorKind::InvalidData => None,
            Err(error) => return Err(error),
        };
        Ok(Self { repository, settings, current })
    }

    /// Checks a command; the reasons of rejections are Git's.
    pub fn check(&mut self, command: &Command, print: &mut PrintMessage<'_>) -> io::Result<Result<(), String>> {
        let name = &command.name;
        let denials = &self.settings.denials;
        if self.settings.hidden_from_pushes.covers(name.as_bstr()) {
            let what = if command.is_deletion() { "deleting" } else { "updating" };
            return Ok(Err(format!("deny {what} a hidden ref")));
        }
        let is_current = self.current.as_ref() == Some(name);
        if is_current {
            match denials.current_update {
                Denial::Allow => {}
                Denial::Warn => print("warning: updating the current branch".into()),
                Denial::Unset | Denial::Refuse | Denial::UpdateInstead => {
                    print(format!("error: refusing to update checked out branch: {name}"));
                    if denials.current_update == Denial::Unset {
                        print(CURRENT_UPDATE.into());
                    }
                    return Ok(Err("branch is currently checked out".into()));
                }
            }
        }
        if command.is_deletion() && !command.old.is_null() && name.starts_with(b"refs/heads/") {
            if denials.deletions {
                print(format!("error: denying ref deletion for {name}"));
                return Ok(Err("deletion prohibited".into()));
            }
            if is_current {
                match denials.current_deletion {
                    Denial::Allow => {}
                    Denial::Warn => print("warning: deleting the current branch".into()),
                    other => {
                        if other == Denial::Unset {
                            print(CURRENT_DELETION.into());
                        }
                        print(format!("error: refusing to delete the current branch: {name}"));
                        return Ok(Err("deletion of the current branch prohibited".into()));
                    }
                }
            }
        }
        let updates = !command.is_deletion() && !command.old.is_null() && name.starts_with(b"refs/heads/");
        if denials.non_fast_forwards && updates && !self.leads_to(command.new, command.old)? {
            print(format!("error: denying non-fast-forward {name} (you should pull first)"));
            return Ok(Err("non-fast-forward".into()));
        }
        Ok(Ok(()))
    }

    /// Returns whether a commit is an ancestor of another, or the same.
    fn leads_to(&self, from: ObjectId, goal: ObjectId) -> io::Result<bool> {
        let mut seen = HashSet::from([from]);
        let mut open = VecDeque::from([from]);
        while let Some(id) = open.pop_front() {
            if id == goal {
                return Ok(true);
            }
            let Some(object) = self.repository.find(&id)?.filter(|object| object.kind == Kind::Commit) else {
                continue;
            };
            let head = object.data.lines().take_while(|line| !line.is_empty());
            let parents = head.filter_map(|line| ObjectId::from_hex(line.strip_prefix(b"parent ")?).ok());
            open.extend(parents.filter(|parent| seen.insert(*parent)));
        }
        Ok(false)
    }
}
