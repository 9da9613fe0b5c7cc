//! The reference updates of a Git push: which are made, what each command is answered, and why the push failed.

use std::sync::Arc;

use aws::{Call, Failure};
use git::ObjectId;
use git::receive_pack::{Command, Received};
use store::Transaction;

use crate::push::{self, Door, Expected, Move};
use crate::repository::Repository;
use crate::{CodeCommit, Exception};

/// The answer to each command of a push, in its order: done, or the reason why not.
pub type Answers = Vec<Result<(), String>>;

/// The updates that a push asks for, ready for a transaction.
pub struct RefUpdates {
    door: Door,
    /// Whether the objects came in; the reason if they did not.
    unpack: Result<(), String>,
    updates: Vec<Update>,
    atomic: bool,
}

/// One command of a push.
struct Update {
    name: String,
    /// The move of the reference, or why Git's rules refuse it.
    wanted: Result<Move, String>,
}

impl CodeCommit {
    /// Prepares the updates of a push, outside the transaction, where there is time to find out what they will entail.
    pub fn ref_updates(
        &self,
        call: &Arc<Call>,
        repository: &Repository,
        received: &Received<'_>,
    ) -> Result<RefUpdates, Exception> {
        let updates: Vec<Update> = received
            .commands
            .iter()
            .zip(received.statuses)
            .map(|(command, status)| Update {
                name: command.name.to_string(),
                wanted: status.clone().map(|peeled| wanted(command, peeled)),
            })
            .collect();
        let moves: Vec<Move> = updates.iter().filter_map(|update| update.wanted.clone().ok()).collect();
        let door = Door::open(self, call, repository, &moves)?;
        let unpack = received.unpack.map_err(str::to_owned);
        Ok(RefUpdates { door, unpack, updates, atomic: received.atomic })
    }
}

impl RefUpdates {
    /// Makes the updates; returns the answers and, if anything was refused, the failure of the push as its record has it.
    ///
    /// Commands that Git's rules refuse move nothing. Of an atomic push all are refused then, as [`Received::statuses`] says.
    pub fn apply(self, transaction: &Transaction) -> (Answers, Option<Failure>) {
        let answers = match &self.unpack {
            Ok(()) => self.answers(transaction),
            Err(reason) => vec![Err(reason.clone()); self.updates.len()],
        };
        let refused = match self.unpack {
            Err(reason) => Some(format!("unpack {reason}")),
            Ok(()) => self.updates.iter().zip(&answers).find_map(|(update, answer)| {
                let reason = answer.as_ref().err()?;
                Some(format!("{} {reason}", update.name))
            }),
        };
        (answers, refused.map(|message| Failure::client("InvalidRequestException", message)))
    }

    fn answers(&self, transaction: &Transaction) -> Answers {
        let moves: Vec<Move> = self.updates.iter().filter_map(|update| update.wanted.clone().ok()).collect();
        let move_them = if self.atomic { push::all_or_none } else { push::all };
        // Were the store to fail half-way, none of them has moved.
        let made = match transaction.savepoint(|| move_them(transaction, &self.door, &moves)) {
            Ok(made) => made,
            Err(error) => {
                tracing::error!(%error, repository = self.door.repository.name, "cannot update the references of a push");
                return vec![Err("internal server error".to_owned()); self.updates.len()];
            }
        };
        let mut made = made.into_iter().map(|answer| answer.map_err(|refusal| refusal.to_string()));
        let answer = |update: &Update| match &update.wanted {
            Ok(_) => made.next().expect("each move has an answer"),
            Err(reason) => Err(reason.clone()),
        };
        self.updates.iter().map(answer).collect()
    }
}

fn wanted(command: &Command, peeled: Option<ObjectId>) -> Move {
    let expected = if command.old.is_null() { Expected::Absent } else { Expected::At(command.old) };
    let new = (!command.new.is_null()).then_some(command.new);
    Move { name: command.name.clone(), expected, new, peeled }
}
