//! Threads of our own before a bounded queue, so that hashing never takes one of the runtime's.
//!
//! Threads start when work comes and end when the pool is closed. Jobs start in the order they came. A thread that is free
//! takes the first job that waits and, when every other thread is busy, those behind it that can be done together with it.
//! So jobs spread over the threads first, none waits for company, and none overtakes another. A job that panics costs its own
//! result and that of its company, not the thread.

use std::collections::{BTreeMap, HashMap};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use crate::worker::Worker;

/// What the threads do.
pub trait Task: Send + Sized + 'static {
    /// What it comes to.
    type Output: Send + 'static;

    /// How many are done together at most.
    const MOST_TOGETHER: usize;

    /// Jobs with the same answer can be done together; those without one are done alone.
    fn company(&self) -> Option<u32>;

    /// Does the jobs, which can be done together, and returns what each came to.
    fn run(worker: &mut Worker, jobs: &[Running<Self>]) -> Vec<Self::Output>;
}

/// A job that a thread works on.
pub struct Running<T> {
    /// The job.
    pub task: T,
    stop: Arc<AtomicBool>,
}

impl<T> Running<T> {
    /// A job that nobody stops, but for tests.
    #[cfg(test)]
    pub(crate) fn new(task: T) -> Running<T> {
        Running { task, stop: Arc::default() }
    }

    /// As [`Pool::stop`] does.
    #[cfg(test)]
    pub(crate) fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    /// Whether nobody wants the result any more.
    pub fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

/// Takes what a job came to, when the pool has counted it as done; nothing when it panicked.
type Deliver<T> = Box<dyn FnOnce(Option<<T as Task>::Output>) + Send>;

/// Why a job was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// As many jobs wait as may.
    QueueFull,
    /// The pool is closed.
    Closed,
    /// The operating system gave no thread.
    NoThread,
}

/// Where a job was when it was stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// It waited; it is gone, and nothing will be delivered.
    Waiting,
    /// A thread works on it, and has been told. Something will be delivered.
    Running,
    /// It was done before.
    Done,
}

/// What the pool is doing.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Stats {
    /// Threads that run.
    pub threads: usize,
    /// Jobs being worked on.
    pub running: usize,
    /// Jobs waiting.
    pub queued: usize,
    /// Jobs done since the start.
    pub completed: u64,
    /// Jobs refused with [`Refusal::QueueFull`] since the start.
    pub rejected: u64,
    /// Bytes of argon2 memory that the threads hold.
    pub arena_bytes: usize,
    /// Mean time that a thread spent on each of the last jobs, in milliseconds; 0 before the first.
    pub service_ms: f64,
}

/// The threads and their queue. Dropping it finishes the accepted jobs, without waiting for them.
pub struct Pool<T: Task> {
    shared: Arc<Shared<T>>,
}

struct Shared<T: Task> {
    max_threads: usize,
    max_queue: usize,
    /// What a thread does first.
    on_start: fn(),
    state: Mutex<State<T>>,
    work: Condvar,
}

struct State<T: Task> {
    /// In the order they came.
    queue: BTreeMap<u64, (T, Deliver<T>)>,
    running: HashMap<u64, Arc<AtomicBool>>,
    /// Threads that work.
    busy: usize,
    closing: bool,
    stats: Stats,
    /// To call when the last thread has ended.
    on_closed: Vec<Box<dyn FnOnce() + Send>>,
}

/// What a thread takes at a time.
struct Batch<T: Task> {
    numbers: Vec<u64>,
    jobs: Vec<Running<T>>,
    deliver: Vec<Deliver<T>>,
}

impl<T: Task> Pool<T> {
    /// A pool without threads yet; each calls `on_start` first.
    pub fn new(max_threads: usize, max_queue: usize, on_start: fn()) -> Pool<T> {
        let state = Mutex::new(State {
            queue: BTreeMap::new(),
            running: HashMap::new(),
            busy: 0,
            closing: false,
            stats: Stats::default(),
            on_closed: Vec::new(),
        });
        Pool { shared: Arc::new(Shared { max_threads, max_queue, on_start, state, work: Condvar::new() }) }
    }

    /// Hands `task` to the next free thread, which then hands its result to `deliver`. Each job has a `number` larger than the
    /// one before it.
    pub fn submit(
        &self,
        number: u64,
        task: T,
        deliver: impl FnOnce(Option<T::Output>) + Send + 'static,
    ) -> Result<(), Refusal> {
        let mut state = self.shared.lock();
        if state.closing {
            return Err(Refusal::Closed);
        }
        let State { busy, stats: Stats { threads, .. }, .. } = *state;
        // What a free thread is about to take does not count as waiting.
        if state.queue.len() >= self.shared.max_queue + (self.shared.max_threads - busy) {
            state.stats.rejected += 1;
            return Err(Refusal::QueueFull);
        }
        if state.queue.len() >= threads - busy && threads < self.shared.max_threads {
            let shared = Arc::clone(&self.shared);
            let started = thread::Builder::new().name("holdfast-password".into()).spawn(move || shared.run());
            match started {
                Ok(_) => state.stats.threads += 1,
                // With a thread already there the job only waits longer.
                Err(_) if threads > 0 => {}
                Err(_) => return Err(Refusal::NoThread),
            }
        }
        state.queue.insert(number, (task, Box::new(deliver)));
        drop(state);
        self.shared.work.notify_one();
        Ok(())
    }

    /// Stops the job with this number. One that waits is dropped at once.
    pub fn stop(&self, number: u64) -> Stopped {
        let mut state = self.shared.lock();
        if let Some(job) = state.queue.remove(&number) {
            drop(state);
            // Its password is wiped here.
            drop(job);
            return Stopped::Waiting;
        }
        match state.running.get(&number) {
            Some(stop) => {
                stop.store(true, Ordering::Relaxed);
                Stopped::Running
            }
            None => Stopped::Done,
        }
    }

    /// What the pool is doing now.
    pub fn stats(&self) -> Stats {
        let state = self.shared.lock();
        Stats { queued: state.queue.len(), running: state.running.len(), ..state.stats }
    }

    /// Takes no more jobs; calls `on_closed`, from the last thread to end or from here, when the accepted ones are done.
    pub fn close(&self, on_closed: impl FnOnce() + Send + 'static) {
        let mut state = self.shared.lock();
        state.closing = true;
        if state.stats.threads == 0 {
            drop(state);
            on_closed();
        } else {
            state.on_closed.push(Box::new(on_closed));
            drop(state);
            self.shared.work.notify_all();
        }
    }

    /// Takes no more jobs and drops those that wait: for when nobody is left to hear of them.
    pub fn abandon(&self) {
        let mut state = self.shared.lock();
        state.closing = true;
        let dropped = std::mem::take(&mut state.queue);
        // Nobody waits for those that run either.
        for stop in state.running.values() {
            stop.store(true, Ordering::Relaxed);
        }
        drop(state);
        self.shared.work.notify_all();
        drop(dropped);
    }
}

impl<T: Task> Drop for Pool<T> {
    fn drop(&mut self) {
        self.close(|| {});
    }
}

impl<T: Task> Shared<T> {
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        // Jobs run outside the lock, so a poisoned lock cannot mean a half-made change.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A thread's life.
    fn run(&self) {
        (self.on_start)();
        let mut worker = Worker::new();
        let mut held = 0;
        while let Some(Batch { numbers, jobs, deliver }) = self.next_batch() {
            let started = std::time::Instant::now();
            let outputs = catch_unwind(AssertUnwindSafe(|| T::run(&mut worker, &jobs))).unwrap_or_default();
            // Passwords are wiped here.
            let _ = catch_unwind(AssertUnwindSafe(|| drop(jobs)));
            let panicked = outputs.len() != numbers.len();
            if panicked {
                worker.clear();
            }
            let each = started.elapsed().as_secs_f64() * 1000.0 / numbers.len() as f64;
            let mut state = self.lock();
            state.busy -= 1;
            for number in &numbers {
                state.running.remove(number);
            }
            let stats = &mut state.stats;
            for _ in &numbers {
                stats.completed += 1;
                stats.service_ms += (each - stats.service_ms) / stats.completed.min(16) as f64;
            }
            let holds = worker.arena_bytes();
            stats.arena_bytes = stats.arena_bytes + holds - held;
            held = holds;
            drop(state);
            let outputs = outputs.into_iter().map(Some).chain(std::iter::repeat_with(|| None));
            for (deliver, output) in deliver.into_iter().zip(outputs) {
                let output = if panicked { None } else { output };
                let _ = catch_unwind(AssertUnwindSafe(|| deliver(output)));
            }
        }
        drop(worker);
        let mut state = self.lock();
        state.stats.arena_bytes -= held;
        state.stats.threads -= 1;
        if state.stats.threads == 0 {
            let callbacks = std::mem::take(&mut state.on_closed);
            drop(state);
            for callback in callbacks {
                callback();
            }
        }
    }

    fn next_batch(&self) -> Option<Batch<T>> {
        let mut state = self.lock();
        loop {
            if let Some((number, first)) = state.queue.pop_first() {
                return Some(self.batch(&mut state, number, first));
            }
            if state.closing {
                return None;
            }
            state = self.work.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// The job that was first, and its company.
    fn batch(&self, state: &mut State<T>, number: u64, (task, deliver): (T, Deliver<T>)) -> Batch<T> {
        state.busy += 1;
        let company = task.company();
        let mut batch = Batch { numbers: Vec::new(), jobs: Vec::new(), deliver: Vec::new() };
        let mut add = |state: &mut State<T>, number: u64, task: T, deliver: Deliver<T>| {
            let stop = Arc::new(AtomicBool::new(false));
            state.running.insert(number, Arc::clone(&stop));
            batch.numbers.push(number);
            batch.jobs.push(Running { task, stop });
            batch.deliver.push(deliver);
        };
        add(state, number, task, deliver);
        if company.is_some() {
            // Threads that are free, or are not started yet, take one each.
            let free = self.max_threads - state.busy;
            for _ in 1..T::MOST_TOGETHER {
                let fits =
                    state.queue.first_key_value().is_some_and(|(_, (next, _))| next.company() == company);
                if !fits || state.queue.len() <= free {
                    break;
                }
                if let Some((number, (task, deliver))) = state.queue.pop_first() {
                    add(state, number, task, deliver);
                }
            }
        }
        batch
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::{self, Receiver, Sender};
    use std::time::Duration;

    const PATIENCE: Duration = Duration::from_secs(20);

    /// Calls a closure with the number of jobs that it is done together with.
    struct Call {
        company: Option<u32>,
        body: Mutex<Box<dyn FnMut(usize) + Send>>,
    }

    impl Call {
        fn new(company: Option<u32>, body: impl FnMut(usize) + Send + 'static) -> Call {
            Call { company, body: Mutex::new(Box::new(body)) }
        }
    }

    impl Task for Call {
        type Output = bool;

        const MOST_TOGETHER: usize = 4;

        fn company(&self) -> Option<u32> {
            self.company
        }

        fn run(_: &mut Worker, jobs: &[Running<Call>]) -> Vec<bool> {
            let each = |job: &Running<Call>| {
                (job.task.body.lock().unwrap())(jobs.len());
                job.is_stopped()
            };
            jobs.iter().map(each).collect()
        }
    }

    /// Numbers the jobs of all tests.
    fn submit(
        pool: &Pool<Call>,
        call: Call,
        deliver: impl FnOnce(Option<bool>) + Send + 'static,
    ) -> Result<u64, Refusal> {
        static LAST: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
        let number = LAST.fetch_add(1, Ordering::SeqCst);
        pool.submit(number, call, deliver).map(|()| number)
    }

    fn pool(threads: usize, queue: usize) -> Pool<Call> {
        Pool::new(threads, queue, || {})
    }

    /// Keeps one thread busy until something is sent, or the sender is gone.
    fn block(pool: &Pool<Call>) -> (u64, Sender<()>, Receiver<Option<bool>>) {
        let (release, gate) = mpsc::channel::<()>();
        let (started, has_started) = mpsc::channel();
        let (done, is_done) = mpsc::channel();
        let call = Call::new(None, move |_| {
            started.send(()).unwrap();
            let _ = gate.recv();
        });
        let deliver = move |result| {
            let _ = done.send(result);
        };
        let number = submit(pool, call, deliver).unwrap();
        has_started.recv_timeout(PATIENCE).unwrap();
        (number, release, is_done)
    }

    #[test]
    fn queue_is_bounded_and_in_order() {
        let pool = pool(1, 2);
        let (_, release, _) = block(&pool);
        let (done, results) = mpsc::channel();
        for number in 0..2 {
            let done = done.clone();
            submit(&pool, Call::new(None, |_| {}), move |_| done.send(number).unwrap()).unwrap();
        }
        assert_eq!(submit(&pool, Call::new(None, |_| {}), |_| {}), Err(Refusal::QueueFull));
        let stats = pool.stats();
        assert_eq!((stats.threads, stats.running, stats.queued, stats.rejected), (1, 1, 2, 1));
        release.send(()).unwrap();
        assert_eq!(results.recv_timeout(PATIENCE), Ok(0));
        assert_eq!(results.recv_timeout(PATIENCE), Ok(1));
    }

    #[test]
    fn without_a_queue_the_threads_still_work() {
        let pool = pool(2, 0);
        let (done, results) = mpsc::channel();
        for _ in 0..2 {
            let done = done.clone();
            submit(&pool, Call::new(Some(1), |_| {}), move |_| done.send(()).unwrap()).unwrap();
        }
        for _ in 0..2 {
            results.recv_timeout(PATIENCE).unwrap();
        }
    }

    #[test]
    fn jobs_of_a_kind_that_wait_are_done_together_and_none_overtakes() {
        let pool = pool(1, 100);
        let (_, release, _) = block(&pool);
        let (done, results) = mpsc::channel();
        for (number, company) in [1, 1, 1, 1, 1, 1, 2, 0, 1, 0, 2, 2].into_iter().enumerate() {
            let done = done.clone();
            let company = if company == 0 { None } else { Some(company) };
            submit(&pool, Call::new(company, move |together| done.send((number, together)).unwrap()), |_| {})
                .unwrap();
        }
        release.send(()).unwrap();
        let order: Vec<_> = (0..12).map(|_| results.recv_timeout(PATIENCE).unwrap()).collect();
        let expected = [
            (0, 4),
            (1, 4),
            (2, 4),
            (3, 4),
            (4, 2),
            (5, 2),
            (6, 1),
            (7, 1),
            (8, 1),
            (9, 1),
            (10, 2),
            (11, 2),
        ];
        assert_eq!(order, expected);
    }

    #[test]
    fn a_free_thread_leaves_one_job_for_each_other_that_is_free() {
        for (threads, busy, waiting, taken) in [
            (1, 0, 1, 1),
            (1, 0, 9, 4),
            (2, 0, 2, 1),
            (2, 0, 3, 2),
            (2, 1, 3, 3),
            (3, 0, 3, 1),
            (3, 0, 5, 3),
            (8, 2, 6, 1),
        ] {
            let pool = pool(threads, 100);
            let mut state = pool.shared.lock();
            state.busy = busy;
            for number in 1..waiting {
                state.queue.insert(number, (Call::new(Some(1), |_| {}), Box::new(|_| {})));
            }
            let first = (Call::new(Some(1), |_| {}), Box::new(|_| {}) as Deliver<Call>);
            let batch = pool.shared.batch(&mut state, 0, first);
            assert_eq!(batch.jobs.len(), taken, "{threads} threads, {busy} busy, {waiting} jobs");
            assert_eq!(batch.numbers, (0..taken as u64).collect::<Vec<_>>());
            state.queue.clear();
        }
    }

    #[test]
    fn a_panic_costs_those_that_are_done_together() {
        let pool = pool(1, 8);
        let (_, release, _) = block(&pool);
        let (done, results) = mpsc::channel();
        for number in 0..3 {
            let done = done.clone();
            let company = if number < 2 { Some(1) } else { None };
            let call = Call::new(company, move |_| assert_ne!(number, 1, "on purpose"));
            submit(&pool, call, move |result| done.send((number, result)).unwrap()).unwrap();
        }
        release.send(()).unwrap();
        for expected in [(0, None), (1, None), (2, Some(false))] {
            assert_eq!(results.recv_timeout(PATIENCE), Ok(expected));
        }
        assert_eq!(pool.stats().threads, 1);
        assert_eq!(pool.stats().completed, 4);
    }

    #[test]
    fn a_job_that_waits_is_dropped_when_stopped_and_one_that_runs_is_told() {
        let pool = pool(1, 1);
        let (running, release, is_done) = block(&pool);
        let (held, is_dropped) = mpsc::channel::<()>();
        let waiting =
            submit(&pool, Call::new(None, move |_| held.send(()).unwrap()), |_| panic!("delivered")).unwrap();
        assert_eq!(pool.stats().queued, 1);
        assert_eq!(pool.stop(waiting), Stopped::Waiting);
        assert!(is_dropped.recv_timeout(PATIENCE).is_err(), "what the job holds is gone at once");
        assert_eq!(pool.stats().queued, 0);
        assert_eq!(pool.stop(waiting), Stopped::Done);
        // Its place is free.
        submit(&pool, Call::new(None, |_| {}), |_| {}).unwrap();
        assert_eq!(pool.stop(running), Stopped::Running);
        release.send(()).unwrap();
        assert_eq!(is_done.recv_timeout(PATIENCE), Ok(Some(true)));
        assert_eq!(pool.stop(running), Stopped::Done);
        assert_eq!(pool.stop(12345), Stopped::Done);
    }

    #[test]
    fn closing_finishes_what_was_accepted() {
        for threads in 0..3 {
            let pool = pool(3, 100);
            let (done, results) = mpsc::channel();
            for _ in 0..threads * 5 {
                let done = done.clone();
                submit(&pool, Call::new(Some(1), |_| {}), move |_| done.send(()).unwrap()).unwrap();
            }
            let (closed, is_closed) = mpsc::channel();
            pool.close(move || closed.send(()).unwrap());
            assert_eq!(submit(&pool, Call::new(None, |_| {}), |_| {}), Err(Refusal::Closed));
            is_closed.recv_timeout(PATIENCE).unwrap();
            assert_eq!(results.try_iter().count(), threads * 5);
            let stats = pool.stats();
            assert_eq!((stats.threads, stats.running, stats.queued, stats.arena_bytes), (0, 0, 0, 0));
        }
    }

    #[test]
    fn abandoning_drops_what_waits_and_stops_what_runs() {
        let pool = pool(1, 100);
        let (_, release, is_done) = block(&pool);
        let (done, results) = mpsc::channel::<()>();
        submit(&pool, Call::new(None, |_| {}), move |_| done.send(()).unwrap()).unwrap();
        pool.abandon();
        let (closed, is_closed) = mpsc::channel();
        pool.close(move || closed.send(()).unwrap());
        release.send(()).unwrap();
        is_closed.recv_timeout(PATIENCE).unwrap();
        assert!(results.recv().is_err(), "the waiting job was dropped, not run");
        assert_eq!(is_done.recv_timeout(PATIENCE), Ok(Some(true)));
    }

    #[test]
    fn threads_begin_with_what_they_are_told() {
        static STARTED: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
        let pool = Pool::<Call>::new(2, 10, || {
            STARTED.fetch_add(1, Ordering::SeqCst);
        });
        let blocked = [block(&pool), block(&pool)];
        assert_eq!(STARTED.load(Ordering::SeqCst), 2);
        drop(blocked);
    }
}
