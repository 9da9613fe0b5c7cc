//! Finding out what both sides have.

use gix::{ObjectId, hashtable::HashSet};

use super::Request;
use crate::{
    Error, Kind,
    history::{History, Node},
    pktline,
    reader::Reader,
};

/// How finds are acknowledged.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// Only the first.
    Single,
    /// Each, with `continue`.
    Multiple,
    /// Each, with `common`, and `ready` when enough was found.
    Detailed,
}

/// Answers the haves of a request; gives what both sides have if the pack follows now.
///
/// `no_done` tells whether the client may be spared its `done`.
pub(super) fn negotiate(
    reader: &mut Reader,
    history: &mut History,
    request: &Request,
    no_done: bool,
    out: &mut Vec<u8>,
) -> Result<Option<Vec<ObjectId>>, Error> {
    let asked = |name: &str| request.capabilities.iter().any(|capability| capability == name);
    let mode = if asked("multi_ack_detailed") {
        Mode::Detailed
    } else if asked("multi_ack") {
        Mode::Multiple
    } else {
        Mode::Single
    };
    let mut talk = Talk { out, common: Vec::new(), judged: None };
    let mut last = None;
    let mut unknown = false;
    let mut ready = false;
    for have in &request.haves {
        if reader.locate(have).is_some() {
            last = Some(*have);
            talk.common.push(*have);
            match mode {
                Mode::Detailed => talk.say(&format!("ACK {have} common\n")),
                Mode::Multiple => talk.say(&format!("ACK {have} continue\n")),
                Mode::Single if talk.common.len() == 1 => talk.say(&format!("ACK {have}\n")),
                Mode::Single => {}
            }
        } else {
            unknown = true;
            if mode != Mode::Single && talk.is_enough(reader, history, &request.wants)? {
                if mode == Mode::Detailed {
                    ready = true;
                    talk.say(&format!("ACK {have} ready\n"));
                } else {
                    talk.say(&format!("ACK {have} continue\n"));
                }
            }
        }
    }
    if request.done {
        match last {
            Some(last) if mode != Mode::Single => talk.say(&format!("ACK {last}\n")),
            Some(_) => {}
            None => talk.say("NAK\n"),
        }
        return Ok(Some(talk.common));
    }
    if request.breaks_off {
        return Ok(None);
    }
    if let Some(last) = last
        && mode == Mode::Detailed
        && !unknown
        && talk.is_enough(reader, history, &request.wants)?
    {
        ready = true;
        talk.say(&format!("ACK {last} ready\n"));
    }
    if last.is_none() || mode != Mode::Single {
        talk.say("NAK\n");
    }
    if let Some(last) = last
        && ready
        && no_done
        && asked("no-done")
    {
        talk.say(&format!("ACK {last}\n"));
        return Ok(Some(talk.common));
    }
    Ok(None)
}

struct Talk<'o> {
    out: &'o mut Vec<u8>,
    common: Vec<ObjectId>,
    /// With how much in common it was last looked at whether it is enough, and the outcome.
    judged: Option<(usize, bool)>,
}

impl Talk<'_> {
    fn say(&mut self, line: &str) {
        pktline::write(self.out, line.as_bytes());
    }

    /// Tells whether each wanted commit rests on one that both sides have.
    fn is_enough(&mut self, reader: &mut Reader, history: &mut History, wants: &[ObjectId]) -> Result<bool, Error> {
        match self.judged {
            Some((_, true)) => return Ok(true),
            Some((count, enough)) if count == self.common.len() => return Ok(enough),
            _ => {}
        }
        let enough = !self.common.is_empty() && rest_on(reader, history, wants, &self.common)?;
        self.judged = Some((self.common.len(), enough));
        Ok(enough)
    }
}

/// Tells whether each wanted commit rests on one of `common`, or is one.
///
/// Commits older than all of `common` are not looked at: with a wrong clock the client is asked for more.
fn rest_on(reader: &mut Reader, history: &mut History, wants: &[ObjectId], common: &[ObjectId]) -> Result<bool, Error> {
    let mut goals = HashSet::default();
    let mut oldest = i64::MAX;
    for id in common {
        if let (id, Kind::Commit) = reader.peel(id)? {
            let node = history.node(&id);
            history.load(node, reader)?;
            oldest = oldest.min(history.seconds(node));
            goals.insert(id);
        }
    }
    let mut states = States::default();
    for want in wants {
        if let (id, Kind::Commit) = reader.peel(want)? {
            let node = history.node(&id);
            if !states.reaches(reader, history, node, &goals, oldest)? {
                return Ok(false);
            }
        }
    }
    Ok(true)
}

/// For each commit that was looked at, whether it leads to a goal.
#[derive(Default)]
struct States(Vec<u8>);

const OPEN: u8 = 1;
const NO: u8 = 2;
const YES: u8 = 3;

impl States {
    fn at(&mut self, node: Node) -> &mut u8 {
        let at = node as usize;
        if self.0.len() <= at {
            self.0.resize(at + 1, 0);
        }
        &mut self.0[at]
    }

    fn reaches(
        &mut self,
        reader: &mut Reader,
        history: &mut History,
        start: Node,
        goals: &HashSet<ObjectId>,
        oldest: i64,
    ) -> Result<bool, Error> {
        let mut way = vec![(start, 0)];
        while let Some(&(node, next)) = way.last() {
            if *self.at(node) == 0 {
                history.load(node, reader)?;
                *self.at(node) = if goals.contains(&history.id(node)) {
                    YES
                } else if history.seconds(node) < oldest {
                    NO
                } else {
                    OPEN
                };
            }
            if *self.at(node) == YES {
                break;
            }
            match history.parents(node).get(next) {
                Some(&parent) if *self.at(node) == OPEN => {
                    way.last_mut().expect("the way is not empty").1 += 1;
                    way.push((parent, 0));
                }
                _ => {
                    *self.at(node) = NO;
                    way.pop();
                }
            }
        }
        // What is left of the way leads to a goal.
        let found = !way.is_empty();
        for (node, _) in way {
            *self.at(node) = YES;
        }
        Ok(found)
    }
}
