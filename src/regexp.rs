//! SafeRegExp's native side: compiles, and makes the functions that run a pattern.

use std::cell::RefCell;
use std::rc::Rc;

use holdfast_regexp::{Error, Flags, Haystack, Limits, Matcher, Pattern, Subject};
use napi::Env;
use napi_derive::napi;

use crate::boundary::{
    Call, Code, ExternalMemory, Failure, HotFunction, Text, TextArgument, Value, cold, hot_function,
};

/// No string of V8 is longer (2²⁹ − 24 code units), so offsets fit an Int32Array.
const MAX_OFFSET: u32 = 1 << 30;

/// Bytes that a compiled pattern takes beyond what regex-automata counts: 15 KiB or so, by the process's memory.
const UNCOUNTED_BYTES: usize = 16 << 10;

/// A compiled pattern.
#[napi(object, object_from_js = false)]
pub struct CompiledRegExp {
    /// `(text) => boolean`
    pub test: Value,
    /// `(text, from, offsets: Int32Array) => boolean`; `offsets` gets start and end of the match and of each group, -1
    /// for a group that took no part.
    pub exec: Value,
    /// `() => [keep, execKept]`, a pair of functions with a text of its own. `keep(text)` keeps a copy of `text`, the empty
    /// text frees it. `execKept(from, offsets) => boolean` is `exec` in it; going forward, a series of calls costs one walk.
    pub keeper: Value,
    /// Capturing groups, the whole match not counted.
    pub groups: u32,
    /// The numbers of the named groups, ascending.
    pub named: Vec<u32>,
    /// The pattern is a plain string.
    pub is_literal: bool,
}

/// Compiles the `source` and `flags` of a RegExp that V8 has accepted.
#[napi(catch_unwind)]
pub fn regexp_compile(env: Env, source: TextArgument, flags: TextArgument) -> napi::Result<CompiledRegExp> {
    cold(&env, || {
        let source =
            String::from_utf16(&source.0).map_err(|_| unsupported("a lone surrogate, written as such"))?;
        let flags = String::from_utf16_lossy(&flags.0);
        let flags =
            Flags::parse(&flags).ok_or_else(|| unsupported("a flag that this version does not know"))?;
        let pattern = Pattern::compile(&source, flags, Limits::default()).map_err(failure)?;
        let matcher = pattern.matcher().map_err(failure)?;
        let _memory = ExternalMemory::announce(&env, matcher.memory_usage() + UNCOUNTED_BYTES);
        let program = Rc::new(Program { matcher: RefCell::new(matcher), _memory });
        Ok(CompiledRegExp {
            test: hot_function(&env, Test(Rc::clone(&program)))?,
            exec: hot_function(&env, Exec(Rc::clone(&program)))?,
            keeper: hot_function(&env, NewKeeper(program))?,
            groups: pattern.groups(),
            named: pattern.named_groups().to_vec(),
            is_literal: pattern.is_literal(),
        })
    })
}

/// What the functions of one pattern share.
struct Program {
    matcher: RefCell<Matcher>,
    _memory: ExternalMemory,
}

struct Test(Rc<Program>);

impl HotFunction for Test {
    const NAME: &'static str = "test";
    const ARGUMENTS: usize = 1;

    #[inline]
    fn call(&self, call: &Call) -> Result<Value, Failure> {
        let found =
            call.text(0, |text| self.0.matcher.borrow_mut().is_match(haystack(text), 0).map_err(failure))?;
        Ok(call.boolean(found))
    }
}

struct Exec(Rc<Program>);

impl HotFunction for Exec {
    const NAME: &'static str = "exec";
    const ARGUMENTS: usize = 3;

    fn call(&self, call: &Call) -> Result<Value, Failure> {
        let from = call.integer(1, MAX_OFFSET)? as usize;
        let found = call.text(0, |text| {
            let haystack = haystack(text);
            if from > haystack.len() {
                return Err(Failure::new(Code::OutOfRange, "the start lies after the text's end"));
            }
            call.offsets(2, |offsets| {
                self.0.matcher.borrow_mut().find(haystack, from, writer(offsets)).map_err(failure)
            })
        })?;
        Ok(call.boolean(found))
    }
}

struct NewKeeper(Rc<Program>);

impl HotFunction for NewKeeper {
    const NAME: &'static str = "keeper";
    const ARGUMENTS: usize = 0;

    fn call(&self, call: &Call) -> Result<Value, Failure> {
        let kept = Rc::new(Kept { program: Rc::clone(&self.0), text: RefCell::new(None) });
        let keep = call.function(Keep(Rc::clone(&kept)))?;
        Ok(call.values(&[keep, call.function(ExecKept(kept))?]))
    }
}

struct Kept {
    program: Rc<Program>,
    text: RefCell<Option<(Subject, ExternalMemory)>>,
}

struct Keep(Rc<Kept>);

impl HotFunction for Keep {
    const NAME: &'static str = "keep";
    const ARGUMENTS: usize = 1;

    fn call(&self, call: &Call) -> Result<Value, Failure> {
        let subject = call.text(0, |text| {
            let haystack = haystack(text);
            if haystack.is_empty() {
                return Ok(None);
            }
            self.0.program.matcher.borrow().subject(haystack).map(Some).map_err(failure)
        })?;
        self.0.text.replace(subject.map(|subject| {
            let memory = call.external_memory(subject.memory_usage());
            (subject, memory)
        }));
        Ok(call.undefined())
    }
}

struct ExecKept(Rc<Kept>);

impl HotFunction for ExecKept {
    const NAME: &'static str = "execKept";
    const ARGUMENTS: usize = 2;

    fn call(&self, call: &Call) -> Result<Value, Failure> {
        let from = call.integer(0, MAX_OFFSET)? as usize;
        let mut text = self.0.text.borrow_mut();
        let Some((subject, _)) = text.as_mut().filter(|(subject, _)| from <= subject.len()) else {
            return Err(Failure::new(Code::OutOfRange, "the start lies after the text's end"));
        };
        let mut matcher = self.0.program.matcher.borrow_mut();
        let found =
            call.offsets(1, |offsets| matcher.find_in(subject, from, writer(offsets)).map_err(failure))?;
        Ok(call.boolean(found))
    }
}

/// Writes offsets, -1 for a group that took no part.
fn writer(offsets: &mut [i32]) -> impl FnMut(usize, Option<usize>) {
    move |place, offset| offsets[place] = offset.and_then(|offset| i32::try_from(offset).ok()).unwrap_or(-1)
}

pub(crate) fn haystack(text: Text<'_>) -> Haystack<'_> {
    match text {
        Text::Ascii(bytes) => Haystack::Latin1(bytes),
        Text::Utf16(units) => Haystack::Utf16(units),
    }
}

pub(crate) fn failure(error: Error) -> Failure {
    match error {
        Error::BackReference => Failure::new(
            Code::RegexpBackreference,
            "the pattern has a back-reference, which cannot be matched in linear time: compare the captures after matching",
        ),
        Error::Unsupported(construct) => unsupported(construct),
        Error::Memory | Error::Budget => unsupported("this text"),
        Error::TooLarge(what) => Failure::new(
            Code::RegexpTooLarge,
            format!("{what}: write a smaller pattern, or check lengths in code"),
        ),
    }
}

pub(crate) fn unsupported(construct: &str) -> Failure {
    Failure::new(
        Code::RegexpUnsupported,
        format!("this version cannot run {construct} exactly: rewrite the pattern without it"),
    )
}
