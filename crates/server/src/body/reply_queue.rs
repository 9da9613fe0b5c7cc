//! Queues of the reply parts that slow clients have not read: in memory while they are small, beyond that in a file.
//!
//! The writer of a reply does not wait for its client while the files have room.
//!
//! **Invariant:** a reply takes at most [`MEMORY_BYTES`] of memory and one piece of its writer.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use bytes::Bytes;
use git::FilePart;
use parking_lot::{Condvar, Mutex, MutexGuard};
use tokio::time::{Sleep, sleep};

/// Time in which what precedes a cut is sent: clients repeat a request by themselves if its connection ends without a byte of a reply.
const CUT_PAUSE: Duration = Duration::from_millis(10);

/// Unread bytes of a reply that are kept in memory.
const MEMORY_BYTES: usize = 128 << 10;

/// Size of all files of unread replies together.
pub(crate) const SPILL_BYTES_MAX: u64 = 4 << 30;

/// Disk space for the unread parts of replies, shared by all connections; cheap to clone.
#[derive(Clone)]
pub(crate) struct SpillSpace(Arc<Shared>);

struct Shared {
    folder: PathBuf,
    bytes_max: u64,
    bytes: AtomicU64,
}

impl SpillSpace {
    /// Allows `bytes_max` bytes in unnamed files in a folder.
    pub(crate) fn new(folder: PathBuf, bytes_max: u64) -> Self {
        Self(Arc::new(Shared { folder, bytes_max, bytes: AtomicU64::new(0) }))
    }

    /// Reserves space; returns `false` if there is not enough.
    fn reserve(&self, bytes: u64) -> bool {
        let is_reserved = self.0.bytes.fetch_add(bytes, Ordering::Relaxed) + bytes <= self.0.bytes_max;
        if !is_reserved {
            self.release(bytes);
        }
        is_reserved
    }

    fn release(&self, bytes: u64) {
        self.0.bytes.fetch_sub(bytes, Ordering::Relaxed);
    }
}

/// The unread part of a reply, between one writer and one reader.
pub(crate) struct ReplyQueue {
    state: Mutex<State>,
    /// Notified when the reader has taken something or left.
    taken: Condvar,
    spill: SpillSpace,
}

#[derive(Default)]
struct State {
    items: VecDeque<Item>,
    /// Bytes of the items in memory.
    memory_bytes: usize,
    spilled: Option<Spilled>,
    /// Bytes that the reader still gets before the reply is cut; `None` if it is not.
    rest: Option<usize>,
    /// Pause before the next bytes.
    pause: Option<Pause>,
    /// Whether the writer is done.
    is_ended: bool,
    /// Whether the reader has left.
    is_closed: bool,
    waker: Option<Waker>,
}

enum Item {
    Bytes(Bytes),
    /// A part of the queue's own file, or of another file.
    Part(FilePart),
}

/// A pause; its timer starts when the reader comes to it.
enum Pause {
    Due(Duration),
    Running(Pin<Box<Sleep>>),
}

/// The file of a queue.
struct Spilled {
    file: Arc<File>,
    bytes: u64,
}

impl ReplyQueue {
    pub(crate) fn new(spill: &SpillSpace) -> Self {
        Self { state: Mutex::default(), taken: Condvar::new(), spill: spill.clone() }
    }

    /// Adds bytes. Waits for the reader only if neither memory nor files have room; fails once the reader has left.
    pub(crate) fn push(&self, bytes: Bytes) -> io::Result<()> {
        let mut state = self.state();
        while !state.is_closed && state.memory_bytes > 0 && state.memory_bytes + bytes.len() > MEMORY_BYTES {
            if let Err(error) = self.spill(&mut state) {
                tracing::debug!(%error, "cannot move a reply to a file; waiting for the client");
                self.taken.wait(&mut state);
            }
        }
        state.memory_bytes += bytes.len();
        state.add(Item::Bytes(bytes))
    }

    /// Adds a part of a file, which is read when the reader takes it.
    pub(crate) fn part(&self, part: FilePart) -> io::Result<()> {
        self.state().add(Item::Part(part))
    }

    /// Marks the end of the reply.
    pub(crate) fn end(&self) {
        let mut state = self.state();
        state.is_ended = true;
        state.wake();
    }

    /// Makes the reader wait before it takes the next bytes; no thread waits.
    pub(crate) fn pause(&self, duration: Duration) {
        self.state().pause = Some(Pause::Due(duration));
    }

    /// Cuts the reply after further bytes: the reader fails then, which closes the connection.
    pub(crate) fn cut_after(&self, bytes: usize) {
        let mut state = self.state();
        state.set_rest(bytes);
        state.wake();
    }

    /// Takes the next bytes; `None` at the end, and an error where the reply is cut.
    pub(crate) fn poll(&self, context: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        let mut state = self.state();
        if let Some(pause) = &mut state.pause {
            ready!(pause.poll(context));
            state.pause = None;
        }
        match state.rest {
            None => self.poll_next(&mut state, context),
            Some(0) => Poll::Ready(Some(Err(io::ErrorKind::ConnectionAborted.into()))),
            Some(rest) => Poll::Ready(match ready!(self.poll_next(&mut state, context)) {
                Some(Ok(mut bytes)) => {
                    bytes.truncate(rest);
                    state.set_rest(rest - bytes.len());
                    Some(Ok(bytes))
                }
                ended => ended.or_else(|| Some(Err(io::ErrorKind::ConnectionAborted.into()))),
            }),
        }
    }

    fn poll_next(&self, state: &mut State, context: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        loop {
            match state.items.front_mut() {
                None => break,
                Some(Item::Bytes(bytes)) => {
                    let bytes = std::mem::take(bytes);
                    state.items.pop_front();
                    state.memory_bytes -= bytes.len();
                    self.taken.notify_one();
                    return Poll::Ready(Some(Ok(bytes)));
                }
                // Recently written pages are still cached, and pieces are small, so the read needs no other thread.
                Some(Item::Part(part)) => match part.read_next() {
                    Ok(Some(piece)) => return Poll::Ready(Some(Ok(piece.into()))),
                    Ok(None) => drop(state.items.pop_front()),
                    Err(error) => return Poll::Ready(Some(Err(error))),
                },
            }
        }
        if state.is_ended {
            return Poll::Ready(None);
        }
        state.waker = Some(context.waker().clone());
        Poll::Pending
    }

    /// Tells the writer that the reader has left.
    pub(crate) fn close(&self) {
        let mut state = self.state();
        state.is_closed = true;
        state.items.clear();
        state.memory_bytes = 0;
        self.taken.notify_one();
    }

    /// Moves the items in memory to the file.
    fn spill(&self, state: &mut State) -> io::Result<()> {
        let bytes = state.memory_bytes as u64;
        if !self.spill.reserve(bytes) {
            return Err(io::Error::new(
                io::ErrorKind::StorageFull,
                "the files of unread replies have reached their limit",
            ));
        }
        let moved = self.move_to_file(state, bytes);
        if moved.is_err() {
            self.spill.release(bytes);
        }
        moved
    }

    fn move_to_file(&self, state: &mut State, bytes: u64) -> io::Result<()> {
        let spilled = match &mut state.spilled {
            Some(spilled) => spilled,
            none => none.insert(Spilled { file: Arc::new(tempfile::tempfile_in(&self.spill.0.folder)?), bytes: 0 }),
        };
        let mut file = spilled.file.as_ref();
        if !state.items.iter().any(|item| matches!(item, Item::Part(part) if part.is_in(&spilled.file))) {
            // The reader has taken everything that the file holds.
            file.set_len(0)?;
            self.spill.release(std::mem::take(&mut spilled.bytes));
        }
        file.seek(SeekFrom::Start(spilled.bytes))?;
        for item in &state.items {
            if let Item::Bytes(bytes) = item {
                file.write_all(bytes)?;
            }
        }
        let mut end = spilled.bytes;
        spilled.bytes += bytes;
        let mut moved = VecDeque::new();
        for item in state.items.drain(..) {
            let part = match item {
                Item::Part(part) => part,
                Item::Bytes(bytes) => {
                    let start = end;
                    end += bytes.len() as u64;
                    FilePart::new(Arc::clone(&spilled.file), start..end)
                }
            };
            let left = match moved.back_mut() {
                Some(Item::Part(last)) => last.join(part).err(),
                _ => Some(part),
            };
            moved.extend(left.map(Item::Part));
        }
        state.items = moved;
        state.memory_bytes = 0;
        Ok(())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }
}

impl Pause {
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        if let Self::Due(duration) = self {
            *self = Self::Running(Box::pin(sleep(*duration)));
        }
        match self {
            Self::Running(timer) => timer.as_mut().poll(context),
            Self::Due(_) => Poll::Ready(()),
        }
    }
}

impl State {
    fn set_rest(&mut self, bytes: usize) {
        self.rest = Some(bytes);
        if bytes == 0 {
            self.pause.get_or_insert(Pause::Due(CUT_PAUSE));
        }
    }

    fn add(&mut self, item: Item) -> io::Result<()> {
        if self.is_closed {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        self.items.push_back(item);
        self.wake();
        Ok(())
    }

    fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}

impl Drop for ReplyQueue {
    fn drop(&mut self) {
        let state = self.state.get_mut();
        if let Some(spilled) = &state.spilled {
            self.spill.release(spilled.bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(queue: &ReplyQueue) -> Option<Vec<u8>> {
        let mut all = Vec::new();
        loop {
            match queue.poll(&mut Context::from_waker(Waker::noop())) {
                Poll::Ready(Some(piece)) => all.extend_from_slice(&piece.expect("a readable file")),
                Poll::Ready(None) => return Some(all),
                Poll::Pending => return (!all.is_empty()).then_some(all),
            }
        }
    }

    fn bytes(from: u32) -> Vec<u8> {
        (from..from + 10_000).flat_map(u32::to_le_bytes).collect()
    }

    fn part(folder: &std::path::Path, bytes: &[u8]) -> FilePart {
        let mut file = tempfile::tempfile_in(folder).expect("a writable folder");
        file.write_all(bytes).expect("a writable file");
        FilePart::new(Arc::new(file), 0..bytes.len() as u64)
    }

    #[test]
    fn a_slow_client_gets_a_reply_from_a_file_in_order() {
        let folder = tempfile::tempdir().expect("the temporary folder is writable");
        let spill = SpillSpace::new(folder.path().to_owned(), 10 << 20);
        let queue = ReplyQueue::new(&spill);
        for _ in 0..2 {
            let mut written = Vec::new();
            for number in 0..20 {
                written.extend(bytes(number));
                queue.push(bytes(number).into()).expect("the reader has not left");
                if number % 7 == 3 {
                    written.extend(bytes(1_000));
                    queue.part(part(folder.path(), &bytes(1_000))).expect("the reader has not left");
                }
                assert!(queue.state().memory_bytes <= MEMORY_BYTES);
            }
            assert!(queue.state().items.len() < 12);
            assert!(take(&queue) == Some(written));
        }
        // The space of what the reader took is reused.
        assert!(spill.0.bytes.load(Ordering::Relaxed) < 1 << 20);
        queue.end();
        assert_eq!(take(&queue), Some(Vec::new()));
        drop(queue);
        assert_eq!(spill.0.bytes.load(Ordering::Relaxed), 0);
    }

    #[tokio::test]
    async fn a_cut_reply_ends_with_an_error_after_its_rest() {
        let queue = ReplyQueue::new(&SpillSpace::new(PathBuf::from("unused"), 0));
        let next = || std::future::poll_fn(|context| queue.poll(context));
        queue.push(Bytes::from_static(b"abc")).expect("the reader has not left");
        queue.cut_after(5);
        queue.push(Bytes::from_static(b"defg")).expect("the reader has not left");
        assert!(matches!(next().await, Some(Ok(bytes)) if bytes == "abc"));
        assert!(matches!(next().await, Some(Ok(bytes)) if bytes == "de"));
        assert!(queue.poll(&mut Context::from_waker(Waker::noop())).is_pending(), "what was taken can be sent");
        assert!(matches!(next().await, Some(Err(_))));
        queue.end();
        assert!(matches!(next().await, Some(Err(_))));
    }

    #[tokio::test]
    async fn a_paused_reply_is_late_and_complete() {
        let queue = ReplyQueue::new(&SpillSpace::new(PathBuf::from("unused"), 0));
        queue.pause(Duration::from_millis(20));
        queue.push(Bytes::from_static(b"abc")).expect("the reader has not left");
        queue.end();
        assert!(queue.poll(&mut Context::from_waker(Waker::noop())).is_pending());
        let taken = std::future::poll_fn(|context| queue.poll(context)).await;
        assert!(matches!(taken, Some(Ok(bytes)) if bytes == "abc"));
        assert_eq!(take(&queue), Some(Vec::new()));
    }

    #[test]
    fn without_disk_space_the_writer_waits_for_the_reader() {
        let folder = tempfile::tempdir().expect("the temporary folder is writable");
        let queue = ReplyQueue::new(&SpillSpace::new(folder.path().join("missing"), u64::MAX));
        std::thread::scope(|scope| {
            let writer = scope.spawn(|| {
                let written = (0..50).try_for_each(|number| queue.push(bytes(number).into()));
                queue.end();
                written
            });
            let mut taken = Vec::new();
            while taken.len() < 50 * 40_000 {
                assert!(queue.state().memory_bytes <= MEMORY_BYTES);
                taken.extend(take(&queue).unwrap_or_default());
            }
            assert!(writer.join().is_ok_and(|written| written.is_ok()));
            assert!(taken == (0..50).flat_map(bytes).collect::<Vec<_>>());
            let queue = ReplyQueue::new(&SpillSpace::new(folder.path().to_owned(), 0));
            queue.push(bytes(0).into()).expect("the reader has not left");
            queue.close();
            assert_eq!(queue.push(bytes(1).into()).map_err(|error| error.kind()), Err(io::ErrorKind::BrokenPipe));
        });
    }
}
