//! Finding out what both sides have.

use gix::ObjectId;

use super::{
    fetch::{End, Fetch},
    haves::Common,
};
use crate::{Error, history::History, pktline::Packets, reader::Reader};

/// How finds are acknowledged in versions 0 and 1.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// Only the first.
    Single,
    /// Each, with `continue`.
    Multiple,
    /// Each, with `common`, and `ready` when enough was found.
    Detailed,
}

/// How a client of version 0 or 1 talks.
pub(super) struct Talk<'c> {
    pub(super) capabilities: &'c [String],
    /// Whether the client may be spared its `done`.
    pub(super) no_done: bool,
}

impl Talk<'_> {
    fn asks(&self, name: &str) -> bool {
        self.capabilities.iter().any(|capability| capability == name)
    }

    fn mode(&self) -> Mode {
        if self.asks("multi_ack_detailed") {
            Mode::Detailed
        } else if self.asks("multi_ack") {
            Mode::Multiple
        } else {
            Mode::Single
        }
    }
}

/// Answers the haves of version 0 or 1; gives what both sides have if the pack follows now.
pub(super) fn negotiate(
    reader: &mut Reader,
    history: &mut History,
    fetch: &Fetch,
    talk: &Talk<'_>,
    out: &mut Packets,
) -> Result<Option<Vec<ObjectId>>, Error> {
    let mode = talk.mode();
    let mut common = Common::new(&fetch.wants);
    let mut last = None;
    let mut unknown = false;
    let mut ready = false;
    for have in &fetch.haves {
        if common.note(reader, history, have)? {
            match mode {
                Mode::Detailed => out.line(format!("ACK {have} common\n")),
                Mode::Multiple => out.line(format!("ACK {have} continue\n")),
                // Git repeats it as long as the first one implies the others, and such clients break on that.
                Mode::Single if last.is_none() => out.line(format!("ACK {have}\n")),
                Mode::Single => {}
            }
            last = Some(*have);
            continue;
        }
        unknown = true;
        if mode != Mode::Single && common.is_enough(reader, history)? {
            ready |= mode == Mode::Detailed;
            let word = if mode == Mode::Detailed { "ready" } else { "continue" };
            out.line(format!("ACK {have} {word}\n"));
        }
    }
    if fetch.end == End::Done {
        match last {
            Some(last) if mode != Mode::Single => out.line(format!("ACK {last}\n")),
            Some(_) => {}
            None => out.line("NAK\n"),
        }
        return Ok(Some(common.ids));
    }
    if fetch.end == End::Missing {
        return Ok(None);
    }
    if let Some(last) = last
        && mode == Mode::Detailed
        && !unknown
        && common.is_enough(reader, history)?
    {
        ready = true;
        out.line(format!("ACK {last} ready\n"));
    }
    if last.is_none() || mode != Mode::Single {
        out.line("NAK\n");
    }
    if let Some(last) = last
        && ready
        && talk.no_done
        && talk.asks("no-done")
    {
        out.line(format!("ACK {last}\n"));
        return Ok(Some(common.ids));
    }
    Ok(None)
}

/// Answers the haves of version 2; gives what both sides have if the pack follows now.
pub(super) fn acknowledge(
    reader: &mut Reader,
    history: &mut History,
    fetch: &Fetch,
    out: &mut Packets,
) -> Result<Option<Vec<ObjectId>>, Error> {
    let mut common = Common::new(&fetch.wants);
    for have in &fetch.haves {
        common.note(reader, history, have)?;
    }
    if fetch.end == End::Done || fetch.haves.is_empty() {
        return Ok(Some(common.ids));
    }
    out.line("acknowledgments\n");
    if common.ids.is_empty() {
        out.line("NAK\n");
    }
    for id in &common.ids {
        out.line(format!("ACK {id}\n"));
    }
    if !fetch.wait_for_done && common.is_enough(reader, history)? {
        out.line("ready\n");
        out.delimiter();
        return Ok(Some(common.ids));
    }
    out.flush();
    Ok(None)
}
