//! Functions for tests, not in release builds: some panic on purpose, so that `__test__/panic.test.js` can show that Node
//! survives; one tells what a class of a pattern matches.

use std::rc::Rc;

use holdfast_password::{Pool, Running, Task, Worker};
use holdfast_regexp_syntax::{Flags, class_members};
use napi::Env;
use napi_derive::napi;

use crate::boundary::{
    Call, Code, Completion, CompletionReceiver, CompletionSender, Failure, HotFunction, TextArgument, Value,
    cold, completion_channel, hot_function, last_panic,
};
use crate::regexp::failure;
use crate::regexp_characters::with_characters;

/// What a pattern that is one class matches.
#[napi(object, object_from_js = false)]
pub struct RegExpClass {
    /// First and last characters of ranges.
    pub ranges: Vec<u32>,
    /// In order of preference, as code points.
    pub strings: Vec<Vec<u32>>,
}

/// The class that `source` is, or nothing when it is no class.
#[napi(catch_unwind)]
pub fn test_regexp_class(
    env: Env,
    source: TextArgument,
    flags: TextArgument,
) -> napi::Result<Option<RegExpClass>> {
    cold(&env, || {
        let flags = Flags::parse(&String::from_utf16_lossy(&flags.0)).unwrap_or_default();
        let members = with_characters(|characters| class_members(&source.0, flags, characters));
        Ok(members.map_err(failure)?.map(|(ranges, strings)| RegExpClass {
            ranges: ranges.into_iter().flat_map(|(low, high)| [low, high]).collect(),
            strings,
        }))
    })
}

/// Panics in a cold function.
#[napi(catch_unwind)]
pub fn test_panic_cold(env: Env) -> napi::Result<()> {
    cold(&env, || panic!("on purpose: this text must not reach JavaScript"))
}

/// `panicHot()`, which panics in the call, and `panicThread(job)`, which panics on a thread; `dispatch` hears of that.
#[napi(catch_unwind)]
pub fn test_panic_functions(env: Env, dispatch: Value) -> napi::Result<Vec<Value>> {
    cold(&env, || {
        let (sender, receiver) = completion_channel(&env, dispatch, || ())?;
        let on_thread = PanicOnThread { pool: Pool::new(1, 8, || {}), sender, receiver: Rc::new(receiver) };
        Ok(vec![hot_function(&env, PanicHot)?, hot_function(&env, on_thread)?])
    })
}

struct PanicHot;

impl HotFunction for PanicHot {
    const NAME: &'static str = "panicHot";
    const ARGUMENTS: usize = 0;

    fn call(&self, _: &Call) -> Result<Value, Failure> {
        panic!("on purpose: this text must not reach JavaScript")
    }
}

struct Panic;

impl Task for Panic {
    type Output = ();

    const MOST_TOGETHER: usize = 1;

    fn company(&self) -> Option<u32> {
        None
    }

    fn run(_: &mut Worker, _: &[Running<Panic>]) -> Vec<()> {
        panic!("on purpose: this text must not reach JavaScript")
    }
}

struct PanicOnThread {
    pool: Pool<Panic>,
    sender: CompletionSender,
    receiver: Rc<CompletionReceiver>,
}

impl HotFunction for PanicOnThread {
    const NAME: &'static str = "panicThread";
    const ARGUMENTS: usize = 1;

    fn call(&self, call: &Call) -> Result<Value, Failure> {
        let job = call.integer(0, u32::MAX)?;
        let sender = self.sender.clone();
        self.receiver.expect();
        let deliver = move |_: Option<()>| sender.send(job, Completion::Failed(last_panic()));
        let submitted = self.pool.submit(u64::from(job), Panic, deliver);
        submitted.map_err(|_| Failure::new(Code::Internal, "the job was not taken"))?;
        Ok(call.undefined())
    }
}

/// The work of regular expressions on this thread since the last call, in steps.
#[napi(catch_unwind)]
pub fn regexp_work() -> f64 {
    holdfast_regexp::take_work() as f64
}
