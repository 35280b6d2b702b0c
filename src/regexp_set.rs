//! SafeRegExpSet's native side: compiles the patterns of a set, and makes the functions that ask it about a text.

use std::cell::RefCell;
use std::rc::Rc;

use holdfast_regexp::{Flags, Haystack, Pattern, PatternSet, SetError};
use napi::Env;
use napi_derive::napi;

use crate::boundary::{Call, ExternalMemory, Failure, HotFunction, TextArgument, Value, cold, hot_function};
use crate::regexp::{failure, haystack, unsupported};

/// V8 is told again when the set has grown or shrunk by so many bytes.
const ANNOUNCED_STEP: usize = 1 << 20;
/// Bytes that a pattern takes in the set, by the process's memory; what its matcher takes is counted.
const PATTERN_BYTES: usize = 2 << 10;

/// A compiled set. Each function comes in two forms: for a string and for a `Uint8Array` of UTF-8.
#[napi(object, object_from_js = false)]
pub struct CompiledRegExpSet {
    /// `(text) => boolean`
    pub test: Value,
    pub test_bytes: Value,
    /// `(text) => number[]`: the places of the patterns that match, ascending.
    pub r#match: Value,
    pub match_bytes: Value,
}

/// Compiles the sources and flags of RegExps that V8 has accepted. `memory_limit` is in bytes.
#[napi(catch_unwind)]
pub fn regexp_set_compile(
    env: Env,
    sources: Vec<TextArgument>,
    flags: Vec<TextArgument>,
    memory_limit: f64,
) -> napi::Result<CompiledRegExpSet> {
    cold(&env, || {
        let mut patterns = Vec::with_capacity(sources.len());
        for (index, (source, flags)) in sources.iter().zip(&flags).enumerate() {
            patterns.push(compile(source, flags).map_err(|failure| at(index, failure))?);
        }
        // JavaScript has checked that it is a whole number of bytes.
        let set = PatternSet::new(patterns, memory_limit as usize);
        let bytes = held_by(&set);
        let memory = ExternalMemory::announce(&env, bytes);
        let shared = Rc::new(Set { set: RefCell::new(set), memory: RefCell::new((memory, bytes)) });
        Ok(CompiledRegExpSet {
            test: hot_function(&env, Test::<false>(Rc::clone(&shared)))?,
            test_bytes: hot_function(&env, Test::<true>(Rc::clone(&shared)))?,
            r#match: hot_function(&env, Match::<false>(Rc::clone(&shared)))?,
            match_bytes: hot_function(&env, Match::<true>(shared))?,
        })
    })
}

fn compile(source: &TextArgument, flags: &TextArgument) -> Result<Pattern, Failure> {
    let source =
        String::from_utf16(&source.0).map_err(|_| unsupported("a lone surrogate, written as such"))?;
    let flags = Flags::parse(&String::from_utf16_lossy(&flags.0))
        .ok_or_else(|| unsupported("a flag that this version does not know"))?;
    Pattern::compile(&source, flags).map_err(failure)
}

/// What the functions of one set share.
struct Set {
    set: RefCell<PatternSet>,
    /// What V8 was told of, and how much that was.
    memory: RefCell<(ExternalMemory, usize)>,
}

impl Set {
    /// Asks the set about the text in the first argument, in bytes or a string, and tells V8 of what it holds then.
    fn ask<T>(
        &self,
        call: &Call,
        in_bytes: bool,
        question: impl FnOnce(&mut PatternSet, Haystack<'_>) -> Result<T, SetError>,
    ) -> Result<T, Failure> {
        let mut set = self.set.borrow_mut();
        let ask = |haystack: Haystack<'_>| {
            question(&mut set, haystack).map_err(|SetError { index, error }| at(index, failure(error)))
        };
        let answer = if in_bytes {
            call.bytes(0, |bytes| decoded(bytes, ask))
        } else {
            call.text(0, |text| ask(haystack(text)))
        };
        let (now, mut memory) = (held_by(&set), self.memory.borrow_mut());
        if now.abs_diff(memory.1) > ANNOUNCED_STEP {
            *memory = (call.external_memory(now), now);
        }
        answer
    }
}

struct Test<const IN_BYTES: bool>(Rc<Set>);

impl<const IN_BYTES: bool> HotFunction for Test<IN_BYTES> {
    const NAME: &'static str = "test";
    const ARGUMENTS: usize = 1;

    fn call(&self, call: &Call) -> Result<Value, Failure> {
        Ok(call.boolean(self.0.ask(call, IN_BYTES, PatternSet::is_match)?))
    }
}

struct Match<const IN_BYTES: bool>(Rc<Set>);

impl<const IN_BYTES: bool> HotFunction for Match<IN_BYTES> {
    const NAME: &'static str = "match";
    const ARGUMENTS: usize = 1;

    fn call(&self, call: &Call) -> Result<Value, Failure> {
        let indices = self.0.ask(call, IN_BYTES, PatternSet::matches)?;
        Ok(call.numbers(&indices.into_iter().map(|index| index as f64).collect::<Vec<_>>()))
    }
}

/// The text whose UTF-8 this is; U+FFFD stands where it is none, as `TextDecoder` has it. ASCII is not copied.
fn decoded<T>(bytes: &[u8], body: impl FnOnce(Haystack<'_>) -> T) -> T {
    if bytes.is_ascii() {
        return body(Haystack::Latin1(bytes));
    }
    let units = bytes.utf8_chunks().flat_map(|chunk| {
        let replaced = if chunk.invalid().is_empty() { "" } else { "\u{FFFD}" };
        chunk.valid().encode_utf16().chain(replaced.encode_utf16())
    });
    body(Haystack::Utf16(&units.collect::<Vec<_>>()))
}

fn held_by(set: &PatternSet) -> usize {
    set.memory_usage() + set.len() * PATTERN_BYTES
}

/// Says which pattern it was.
fn at(index: usize, failure: Failure) -> Failure {
    let Failure { code, message } = failure;
    Failure::new(code, format!("patterns[{index}]: {message}"))
}
