//! Threads of our own before a bounded queue, so that hashing never takes one of the runtime's.
//!
//! Threads start when work comes and end when the pool is closed. Jobs run in the order they came. A job that panics
//! costs its own result, not the thread.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use crate::worker::Worker;

/// Work for one thread; what it returns is called when the pool has counted the job as done.
type Job = Box<dyn FnOnce(&mut Worker) -> Delivery + Send>;
type Delivery = Box<dyn FnOnce() + Send>;

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
    /// Mean time of the last jobs, in milliseconds; 0 before the first.
    pub service_ms: f64,
}

/// The threads and their queue. Dropping it finishes the accepted jobs, without waiting for them.
pub struct Pool {
    shared: Arc<Shared>,
}

struct Shared {
    max_threads: usize,
    max_queue: usize,
    state: Mutex<State>,
    work: Condvar,
}

#[derive(Default)]
struct State {
    queue: VecDeque<Job>,
    closing: bool,
    stats: Stats,
    /// To call when the last thread has ended.
    on_closed: Vec<Box<dyn FnOnce() + Send>>,
}

impl Pool {
    /// A pool without threads yet.
    pub fn new(max_threads: usize, max_queue: usize) -> Pool {
        let state = Mutex::new(State::default());
        Pool { shared: Arc::new(Shared { max_threads, max_queue, state, work: Condvar::new() }) }
    }

    /// Hands `work` to the next free thread, which then hands its result to `deliver`.
    pub fn submit<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Worker) -> T + Send + 'static,
        deliver: impl FnOnce(T) + Send + 'static,
    ) -> Result<(), Refusal> {
        let mut state = self.shared.lock();
        if state.closing {
            return Err(Refusal::Closed);
        }
        let Stats { threads, running, .. } = state.stats;
        // What a free thread is about to take does not count as waiting.
        if state.queue.len() >= self.shared.max_queue + (self.shared.max_threads - running) {
            state.stats.rejected += 1;
            return Err(Refusal::QueueFull);
        }
        if state.queue.len() >= threads - running && threads < self.shared.max_threads {
            let shared = Arc::clone(&self.shared);
            let started = thread::Builder::new().name("holdfast-password".into()).spawn(move || shared.run());
            match started {
                Ok(_) => state.stats.threads += 1,
                // With a thread already there the job only waits longer.
                Err(_) if threads > 0 => {}
                Err(_) => return Err(Refusal::NoThread),
            }
        }
        state.queue.push_back(Box::new(move |worker| {
            let result = work(worker);
            Box::new(move || deliver(result))
        }));
        drop(state);
        self.shared.work.notify_one();
        Ok(())
    }

    /// What the pool is doing now.
    pub fn stats(&self) -> Stats {
        let state = self.shared.lock();
        Stats { queued: state.queue.len(), ..state.stats }
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
        drop(state);
        self.shared.work.notify_all();
        drop(dropped);
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.close(|| {});
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // Jobs run outside the lock, so a poisoned lock cannot mean a half-made change.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A thread's life.
    fn run(&self) {
        let mut worker = Worker::new();
        let mut held = 0;
        while let Some(job) = self.next_job() {
            let started = std::time::Instant::now();
            let delivery = catch_unwind(AssertUnwindSafe(|| job(&mut worker))).ok();
            if delivery.is_none() {
                worker.clear();
            }
            let elapsed = started.elapsed().as_secs_f64() * 1000.0;
            let mut state = self.lock();
            let stats = &mut state.stats;
            stats.running -= 1;
            stats.completed += 1;
            stats.service_ms += (elapsed - stats.service_ms) / stats.completed.min(16) as f64;
            let holds = worker.arena_bytes();
            stats.arena_bytes = stats.arena_bytes + holds - held;
            held = holds;
            drop(state);
            if let Some(delivery) = delivery {
                let _ = catch_unwind(AssertUnwindSafe(delivery));
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

    fn next_job(&self) -> Option<Job> {
        let mut state = self.lock();
        loop {
            if let Some(job) = state.queue.pop_front() {
                state.stats.running += 1;
                return Some(job);
            }
            if state.closing {
                return None;
            }
            state = self.work.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;
    use std::time::Duration;

    const PATIENCE: Duration = Duration::from_secs(20);

    #[test]
    fn queue_is_bounded_and_in_order() {
        let pool = Pool::new(1, 2);
        let (release, gate) = mpsc::channel::<()>();
        let (started, has_started) = mpsc::channel();
        let (done, results) = mpsc::channel();
        let block = move |_: &mut Worker| {
            started.send(()).unwrap();
            gate.recv().unwrap();
        };
        pool.submit(block, |()| {}).unwrap();
        has_started.recv_timeout(PATIENCE).unwrap();
        for number in 0..2 {
            let done = done.clone();
            pool.submit(move |_| number, move |number| done.send(number).unwrap()).unwrap();
        }
        assert_eq!(pool.submit(|_| (), |()| {}), Err(Refusal::QueueFull));
        let stats = pool.stats();
        assert_eq!((stats.threads, stats.running, stats.queued, stats.rejected), (1, 1, 2, 1));
        release.send(()).unwrap();
        assert_eq!(results.recv_timeout(PATIENCE), Ok(0));
        assert_eq!(results.recv_timeout(PATIENCE), Ok(1));
    }

    #[test]
    fn without_a_queue_the_threads_still_work() {
        let pool = Pool::new(2, 0);
        let (done, results) = mpsc::channel();
        for _ in 0..2 {
            let done = done.clone();
            pool.submit(|_| (), move |()| done.send(()).unwrap()).unwrap();
        }
        for _ in 0..2 {
            results.recv_timeout(PATIENCE).unwrap();
        }
    }

    #[test]
    fn a_panic_costs_one_job() {
        let pool = Pool::new(1, 8);
        let (done, results) = mpsc::channel();
        pool.submit(|_| panic!("on purpose"), |()| {}).unwrap();
        pool.submit(|_| (), move |()| done.send(()).unwrap()).unwrap();
        results.recv_timeout(PATIENCE).unwrap();
        assert_eq!(pool.stats().threads, 1);
    }

    #[test]
    fn closing_finishes_what_was_accepted() {
        for threads in 0..3 {
            let pool = Pool::new(3, 100);
            let (done, results) = mpsc::channel();
            for _ in 0..threads * 5 {
                let done = done.clone();
                pool.submit(|_| (), move |()| done.send(()).unwrap()).unwrap();
            }
            let (closed, is_closed) = mpsc::channel();
            pool.close(move || closed.send(()).unwrap());
            assert_eq!(pool.submit(|_| (), |()| {}), Err(Refusal::Closed));
            is_closed.recv_timeout(PATIENCE).unwrap();
            assert_eq!(results.try_iter().count(), threads * 5);
            let stats = pool.stats();
            assert_eq!((stats.threads, stats.running, stats.queued, stats.arena_bytes), (0, 0, 0, 0));
        }
    }

    #[test]
    fn abandoning_drops_what_waits() {
        let pool = Pool::new(1, 100);
        let (started, has_started) = mpsc::channel();
        let (release, gate) = mpsc::channel::<()>();
        let (done, results) = mpsc::channel::<()>();
        let block = move |_: &mut Worker| {
            started.send(()).unwrap();
            gate.recv().unwrap();
        };
        pool.submit(block, |()| {}).unwrap();
        has_started.recv_timeout(PATIENCE).unwrap();
        pool.submit(|_| (), move |()| done.send(()).unwrap()).unwrap();
        pool.abandon();
        let (closed, is_closed) = mpsc::channel();
        pool.close(move || closed.send(()).unwrap());
        release.send(()).unwrap();
        is_closed.recv_timeout(PATIENCE).unwrap();
        assert!(results.recv().is_err(), "the waiting job was dropped, not run");
    }
}
