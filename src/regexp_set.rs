//! SafeRegExpSet's native side: compiles the patterns of a set, and makes the functions that ask it about a text.

use std::cell::RefCell;
use std::rc::Rc;

use holdfast_regexp::{Characters, Flags, Limits, Pattern, PatternSet, SetError};
use napi::Env;
use napi_derive::napi;

use crate::boundary::{Call, ExternalMemory, Failure, HotFunction, TextArgument, Value, cold, hot_function};
use crate::regexp::{failure, haystack, unsupported};
use crate::regexp_characters::with_characters;

/// V8 is told again when the set has grown or shrunk by so many bytes.
const ANNOUNCED_STEP: usize = 1 << 20;
/// Bytes that a pattern takes in the set, by the process's memory; what its matcher takes is counted.
const PATTERN_BYTES: usize = 2 << 10;

/// A compiled set. Each function comes in two forms: for a string, of which JavaScript may know whether it is Latin-1, and
/// for a `Uint8Array` of UTF-8.
#[napi(object, object_from_js = false)]
pub struct CompiledRegExpSet {
    /// `(text, isLatin1?) => boolean`
    pub test: Value,
    /// `(utf8) => boolean`
    pub test_bytes: Value,
    /// `(text, isLatin1?) => number[]`: the places of the patterns that match, ascending.
    pub r#match: Value,
    /// `(utf8) => number[]`
    pub match_bytes: Value,
}

/// Compiles the sources and flags of RegExps that V8 has accepted.
#[napi(catch_unwind)]
pub fn regexp_set_compile(
    env: Env,
    sources: Vec<TextArgument>,
    flags: Vec<TextArgument>,
    memory_limit: f64,
    backreference_steps: Option<f64>,
) -> napi::Result<CompiledRegExpSet> {
    cold(&env, || {
        // lib/regexp-options.js has checked both; a cast of what is out of range saturates.
        let limits = Limits {
            memory: memory_limit as usize,
            backreference_steps: backreference_steps.map(|steps| steps as u64),
        };
        let patterns = with_characters(|characters| {
            let both = sources.iter().zip(&flags).enumerate();
            both.map(|(index, (source, flags))| {
                compile(source, flags, characters, limits).map_err(|failure| at(index, failure))
            })
            .collect::<Result<Vec<_>, _>>()
        })?;
        let set = PatternSet::new(patterns, limits.memory);
        let bytes = held_by(&set);
        let memory = ExternalMemory::announce(&env, bytes);
        let shared = Rc::new(Set { set: RefCell::new(set), memory: RefCell::new((memory, bytes)) });
        Ok(CompiledRegExpSet {
            test: hot_function(&env, Test(Rc::clone(&shared)))?,
            test_bytes: hot_function(&env, TestBytes(Rc::clone(&shared)))?,
            r#match: hot_function(&env, Match(Rc::clone(&shared)))?,
            match_bytes: hot_function(&env, MatchBytes(shared))?,
        })
    })
}

fn compile(
    source: &TextArgument,
    flags: &TextArgument,
    characters: &Characters,
    limits: Limits,
) -> Result<Pattern, Failure> {
    let flags = Flags::parse(&String::from_utf16_lossy(&flags.0))
        .ok_or_else(|| unsupported("a flag that this version does not know"))?;
    Pattern::compile(&source.0, flags, characters, limits).map_err(failure)
}

/// What the functions of one set share.
struct Set {
    set: RefCell<PatternSet>,
    /// What V8 was told of, and how much that was.
    memory: RefCell<(ExternalMemory, usize)>,
}

impl Set {
    /// The set's answer about the text in the first argument. Tells V8 of what it holds then.
    fn ask<T>(
        &self,
        call: &Call,
        question: impl FnOnce(&mut PatternSet) -> Result<Result<T, SetError>, Failure>,
    ) -> Result<T, Failure> {
        let mut set = self.set.borrow_mut();
        let answer = question(&mut set);
        let (now, mut memory) = (held_by(&set), self.memory.borrow_mut());
        if now.abs_diff(memory.1) > ANNOUNCED_STEP {
            *memory = (call.external_memory(now), now);
        }
        answer?.map_err(|SetError { index, error }| at(index, failure(error)))
    }
}

struct Test(Rc<Set>);
struct TestBytes(Rc<Set>);
struct Match(Rc<Set>);
struct MatchBytes(Rc<Set>);

impl HotFunction for Test {
    const NAME: &'static str = "test";
    const ARGUMENTS: usize = 2;

    fn call(&self, call: &Call) -> Result<Value, Failure> {
        let found =
            self.0.ask(call, |set| call.known_characters(0, 1, |text| Ok(set.is_match(haystack(text)))))?;
        Ok(call.boolean(found))
    }
}

impl HotFunction for TestBytes {
    const NAME: &'static str = "testBytes";
    const ARGUMENTS: usize = 1;

    fn call(&self, call: &Call) -> Result<Value, Failure> {
        let found = self.0.ask(call, |set| call.bytes(0, |utf8| Ok(set.is_match_bytes(utf8))))?;
        Ok(call.boolean(found))
    }
}

impl HotFunction for Match {
    const NAME: &'static str = "match";
    const ARGUMENTS: usize = 2;

    fn call(&self, call: &Call) -> Result<Value, Failure> {
        let indices =
            self.0.ask(call, |set| call.known_characters(0, 1, |text| Ok(set.matches(haystack(text)))))?;
        Ok(numbers(call, &indices))
    }
}

impl HotFunction for MatchBytes {
    const NAME: &'static str = "matchBytes";
    const ARGUMENTS: usize = 1;

    fn call(&self, call: &Call) -> Result<Value, Failure> {
        let indices = self.0.ask(call, |set| call.bytes(0, |utf8| Ok(set.matches_bytes(utf8))))?;
        Ok(numbers(call, &indices))
    }
}

fn numbers(call: &Call, indices: &[usize]) -> Value {
    // At most 65,536, and so exact.
    call.numbers(&indices.iter().map(|&index| index as f64).collect::<Vec<_>>())
}

fn held_by(set: &PatternSet) -> usize {
    set.memory_usage() + set.len() * PATTERN_BYTES
}

/// Says which pattern it was.
fn at(index: usize, failure: Failure) -> Failure {
    let Failure { code, message } = failure;
    Failure::new(code, format!("patterns[{index}]: {message}"))
}
