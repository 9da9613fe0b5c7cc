use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, JoinHandle, Thread, ThreadId};

use parking_lot::Mutex;
use tempfile::TempDir;

use crate::test_database::{TestDatabase, notes};
use crate::{Commit, Durability, Error, LineSink, Store};

/// A store whose connection another thread has, until it is released.
struct Busy {
    store: Arc<Store>,
    release: mpsc::Sender<()>,
    holder: JoinHandle<Result<(), Error>>,
    folder: TempDir,
}

#[derive(Default)]
struct Wakes(AtomicUsize);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// Continues a thread that waits for a task.
struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Runs a task on this thread.
fn block_on<F: Future>(task: F) -> F::Output {
    let (mut task, waker) = (pin!(task), Waker::from(Arc::new(Unpark(thread::current()))));
    loop {
        if let Poll::Ready(output) = task.as_mut().poll(&mut Context::from_waker(&waker)) {
            return output;
        }
        thread::park();
    }
}

/// A task that adds a note.
struct Task {
    commit: Commit<(), Error>,
    wakes: Arc<Wakes>,
}

impl Task {
    fn new(store: &Store, text: &'static str) -> Self {
        let commit = store.submit(move |transaction| {
            transaction.execute("INSERT INTO notes (text) VALUES (?1)", &[text.into()]).map(drop)
        });
        Self { commit, wakes: Arc::default() }
    }

    fn poll(&mut self) -> Poll<Result<(), Error>> {
        let waker = Waker::from(Arc::clone(&self.wakes));
        Pin::new(&mut self.commit).poll(&mut Context::from_waker(&waker))
    }

    fn wakes(&self) -> usize {
        self.wakes.0.load(Ordering::Relaxed)
    }
}

impl Busy {
    fn new() -> Self {
        let (folder, store) = open();
        let (release, released) = mpsc::channel::<()>();
        let (begun, has_begun) = mpsc::channel();
        let holder = thread::spawn({
            let store = Arc::clone(&store);
            move || {
                store.write(move |_transaction| {
                    begun.send(()).expect("the test waits for it");
                    released.recv().expect("the test releases it");
                    Ok(())
                })
            }
        });
        has_begun.recv().expect("the change runs");
        Self { store, release, holder, folder }
    }

    fn release(self) -> (Arc<Store>, TempDir) {
        self.release.send(()).expect("the change waits for it");
        self.holder.join().expect("the thread does not panic").expect("its change is committed");
        (self.store, self.folder)
    }
}

fn open() -> (TempDir, Arc<Store>) {
    let folder = tempfile::tempdir().expect("there is room");
    let store = Store::open(&folder.path().join("test.db"), Durability::Normal).expect("the folder is writable");
    store
        .migrate("test", &["CREATE TABLE notes (number INTEGER PRIMARY KEY, text TEXT NOT NULL)"])
        .expect("the statement is good");
    (folder, Arc::new(store))
}

#[test]
fn a_task_alone_commits_when_it_is_first_polled() {
    let (_folder, store) = open();
    let mut task = Task::new(&store, "alone");
    assert!(notes(&store).is_empty(), "nothing happens before");
    assert!(matches!(task.poll(), Poll::Ready(Ok(()))));
    assert_eq!(notes(&store), ["alone"]);
    assert_eq!(task.wakes(), 0, "what is ready is not woken");
}

#[test]
fn tasks_that_find_the_connection_in_use_share_a_commit_of_the_one_that_is_woken() {
    let busy = Busy::new();
    let (mut first, mut second) = (Task::new(&busy.store, "first"), Task::new(&busy.store, "second"));
    assert!(first.poll().is_pending() && second.poll().is_pending());
    let (store, _folder) = busy.release();
    assert_eq!((first.wakes(), second.wakes()), (1, 0), "one is enough");
    assert!(matches!(first.poll(), Poll::Ready(Ok(()))));
    assert_eq!(second.wakes(), 1, "it hears of its answer");
    assert!(matches!(second.poll(), Poll::Ready(Ok(()))));
    assert_eq!(notes(&store), ["first", "second"]);
}

#[test]
fn the_change_of_a_cancelled_task_is_committed_all_the_same() {
    let busy = Busy::new();
    let (mut first, mut second) = (Task::new(&busy.store, "first"), Task::new(&busy.store, "second"));
    let never_polled = Task::new(&busy.store, "never polled");
    assert!(first.poll().is_pending() && second.poll().is_pending());
    drop((first, never_polled));
    let (store, _folder) = busy.release();
    assert!(matches!(second.poll(), Poll::Ready(Ok(()))));
    assert_eq!(notes(&store), ["first", "second", "never polled"]);
}

#[test]
fn the_change_of_a_task_that_is_cancelled_after_it_was_woken_is_committed() {
    let busy = Busy::new();
    let mut task = Task::new(&busy.store, "woken");
    assert!(task.poll().is_pending());
    let (store, _folder) = busy.release();
    assert_eq!(task.wakes(), 1);
    drop(task);
    assert_eq!(notes(&store), ["woken"]);
}

#[test]
fn the_change_of_a_cancelled_task_is_committed_without_another() {
    let busy = Busy::new();
    let mut task = Task::new(&busy.store, "cancelled");
    assert!(task.poll().is_pending());
    drop(task);
    let (store, _folder) = busy.release();
    assert_eq!(notes(&store), ["cancelled"]);
}

#[test]
fn a_blocked_thread_needs_no_task_to_run() {
    let busy = Busy::new();
    let mut task = Task::new(&busy.store, "of the task");
    assert!(task.poll().is_pending());
    let blocked = thread::spawn({
        let store = Arc::clone(&busy.store);
        move || {
            store.write(|transaction| {
                transaction.execute("INSERT INTO notes (text) VALUES ('of the thread')", &[]).map(drop)
            })
        }
    });
    let (store, _folder) = busy.release();
    blocked.join().expect("the thread does not panic").expect("its change is committed");
    assert_eq!(notes(&store), ["of the task", "of the thread"], "the oldest comes first");
    assert!(matches!(task.poll(), Poll::Ready(Ok(()))));
}

#[test]
fn a_thread_that_may_wait_commits_its_change_itself() {
    let database = TestDatabase::new();
    let store = database.open_notes();
    let run_by = |commit: &dyn Fn(Commit<ThreadId, Error>) -> ThreadId| {
        let add = "INSERT INTO notes (text) VALUES ('a note')";
        commit(store.submit(move |transaction| transaction.execute(add, &[]).map(|_| thread::current().id())))
    };
    assert_eq!(run_by(&|commit| commit.wait().expect("it is committed")), thread::current().id());
    let awaited = run_by(&|commit| {
        commit.commit_if_free();
        assert_eq!(notes(&store).len(), 2, "it is committed before somebody awaits it");
        block_on(commit).expect("it is committed")
    });
    assert_eq!(awaited, thread::current().id());
    let by_task = run_by(&|commit| block_on(commit).expect("it is committed"));
    assert_eq!(by_task == thread::current().id(), !store.is_remote(), "a task does not wait for a server");
}

#[test]
fn many_threads_and_tasks_are_all_answered() {
    let (_folder, store) = open();
    let threads: Vec<_> = (0..8)
        .map(|_| {
            let store = Arc::clone(&store);
            thread::spawn(move || {
                for _ in 0..50 {
                    let (mut first, second) = (Task::new(&store, "task"), Task::new(&store, "task"));
                    drop(first.poll());
                    second.commit.wait().expect("the second change is committed");
                    drop(first);
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().expect("no thread panics");
    }
    assert_eq!(notes(&store).len(), 800);
}

/// A sink that keeps the lines of each call.
#[derive(Default)]
struct Sink(Mutex<Vec<Vec<String>>>);

impl LineSink for Sink {
    fn append(&self, lines: &[String], _last_number: Option<i64>) {
        self.0.lock().push(lines.to_vec());
    }
}

#[test]
fn lines_of_a_commit_reach_their_sink_together_and_in_order_with_actions() {
    let busy = Busy::new();
    let sink = Arc::<Sink>::default();
    let add = |line: &'static str, fails: bool| {
        let sink = Arc::clone(&sink);
        busy.store.submit(move |transaction| {
            transaction.append_after_commit(sink, line.to_owned());
            if fails { Err(Error::Damaged("a test rolls this back")) } else { Ok(()) }
        })
    };
    let act = || {
        let sink = Arc::clone(&sink);
        busy.store.submit::<(), Error>(move |transaction| {
            transaction.after_commit(move || sink.append(&["an action".to_owned()], None));
            Ok(())
        })
    };
    drop((add("first", false), add("rolled back", true), add("second", false), act(), add("third", false)));
    drop(busy.release());
    let expected: [&[&str]; 3] = [&["first", "second"], &["an action"], &["third"]];
    assert_eq!(*sink.0.lock(), expected);
}
