//! SafeRegExp's native side: compiles, and makes the functions that run a pattern.
//!
//! Offsets go to JavaScript through the environment's buffer: start and end of the match and of each group, -1 for a
//! group that took no part; where there are several matches, one after the other.

use std::cell::RefCell;
use std::rc::Rc;

use holdfast_regexp::{Error, Flags, Haystack, Limits, Matcher, Pattern};
use napi::Env;
use napi_derive::napi;

use crate::boundary::{
    Call, Characters, Code, ExternalMemory, Failure, HotFunction, Offsets, TextArgument, Value, cold,
    hot_function,
};
use crate::regexp_characters::with_characters;
use crate::regexp_replace::{Prepare, Replace, ReplaceShort, Replacement, Results};
use crate::regexp_series::{
    All, AllOf, BOUNDS, Batch, CAPTURES, More, NewSession, SEPARATORS, Series, WHOLE_SEPARATORS,
};

/// No string of V8 is longer (2²⁹ − 24 code units), so offsets fit an Int32Array.
pub(crate) const MAX_OFFSET: u32 = 1 << 30;

/// Of a long text so many units are read and searched first: matches are often near the start, and reading it all costs more.
const EARLY: usize = 2048;

/// Bytes that a compiled pattern takes beyond what regex-automata counts: 15 KiB or so, by the process's memory.
const UNCOUNTED_BYTES: usize = 16 << 10;

/// A compiled pattern.
#[napi(object, object_from_js = false)]
pub struct CompiledRegExp {
    /// `(text) => boolean`
    pub test: Value,
    /// `(text) => boolean`: the first match's offsets.
    pub exec: Value,
    /// `() => [testLong, execFrom, all, more, batch, replace, session, table, testBytes, execBytes]`: the functions that not every pattern needs.
    /// - `testLong(text, isLatin1) => boolean`
    /// - `execFrom(text, from, isLatin1) => boolean`
    /// - `table() => boolean`: puts the automaton that `test` runs for short texts into the buffer, if it has room: class
    ///   bits, states, start, the classes of 256 characters, which states accept, and the transitions.
    /// - `testBytes(utf8) => boolean`, `execBytes(utf8, from) => boolean`: offsets are bytes
    /// - the others: `regexp_series.rs`, `regexp_replace.rs`
    pub others: Value,
    /// Capturing groups, the whole match not counted.
    pub groups: u32,
    /// In the order of their first groups.
    pub names: Vec<GroupName>,
    /// The pattern is a plain string.
    pub is_literal: bool,
    /// Which engine runs it.
    pub engine: &'static str,
}

/// A name, and the groups that have it: of several, at most one takes part in a match.
#[napi(object, object_from_js = false)]
pub struct GroupName {
    pub name: String,
    pub numbers: Vec<u32>,
}

impl From<&(Vec<u16>, Vec<u32>)> for GroupName {
    fn from((name, numbers): &(Vec<u16>, Vec<u32>)) -> GroupName {
        // An identifier: it has no lone surrogates.
        GroupName { name: String::from_utf16_lossy(name), numbers: numbers.clone() }
    }
}

/// Compiles the `source` and `flags` of a RegExp that V8 has accepted.
#[napi(catch_unwind)]
pub fn regexp_compile(
    env: Env,
    source: TextArgument,
    flags: TextArgument,
    memory_limit: f64,
    backreference_steps: Option<f64>,
) -> napi::Result<CompiledRegExp> {
    cold(&env, || {
        // lib/regexp-options.js has checked both; a cast of what is out of range saturates.
        let limits = Limits {
            memory: memory_limit as usize,
            backreference_steps: backreference_steps.map(|steps| steps as u64),
        };
        let names = String::from_utf16_lossy(&flags.0);
        let flags =
            Flags::parse(&names).ok_or_else(|| unsupported("a flag that this version does not know"))?;
        let pattern = with_characters(|characters| Pattern::compile(&source.0, flags, characters, limits));
        let pattern = pattern.map_err(failure)?;
        let matcher = pattern.matcher().map_err(failure)?;
        let engine = matcher.engine();
        let _memory = ExternalMemory::announce(&env, matcher.memory_usage() + UNCOUNTED_BYTES);
        let program = Rc::new(Program {
            matcher: RefCell::new(matcher),
            offsets: Offsets::of(&env)?,
            memory_limit: limits.memory,
            width: 2 * (pattern.groups() as usize + 1),
            is_global: names.contains('g'),
            is_unicode: flags.unicode || flags.unicode_sets,
            series: RefCell::new(None),
            replacement: RefCell::new(None),
            results: RefCell::default(),
            _memory,
        });
        Ok(CompiledRegExp {
            test: hot_function(&env, Test(Rc::clone(&program)))?,
            exec: hot_function(&env, Exec(Rc::clone(&program)))?,
            others: hot_function(&env, Others(program))?,
            groups: pattern.groups(),
            names: pattern.group_names().iter().map(GroupName::from).collect(),
            is_literal: pattern.is_literal(),
            engine,
        })
    })
}

/// The environment's buffer for offsets, as an ArrayBuffer of so many 32-bit places; replaces the one before.
#[napi(catch_unwind)]
pub fn regexp_offsets(env: Env, places: u32) -> napi::Result<Value> {
    cold(&env, || Offsets::of(&env)?.resize(&env, places as usize))
}

/// What the functions of one pattern share.
pub(crate) struct Program {
    pub(crate) matcher: RefCell<Matcher>,
    pub(crate) offsets: Rc<Offsets>,
    memory_limit: usize,
    /// Places that the offsets of one match take.
    pub(crate) width: usize,
    pub(crate) is_global: bool,
    /// Whether an empty match is followed by one at the next code point, not at the next code unit.
    pub(crate) is_unicode: bool,
    /// The matches that `more` goes on with.
    pub(crate) series: RefCell<Option<Box<Series<'static>>>>,
    /// What `replace` replaces by.
    pub(crate) replacement: RefCell<Option<Replacement>>,
    pub(crate) results: RefCell<Results>,
    _memory: ExternalMemory,
}

impl Program {
    /// The text in the first argument, which JavaScript knows in argument `hint` to be Latin-1 or not. What is over the memory
    /// limit is not even read.
    pub(crate) fn long_text<T>(
        &self,
        call: &Call,
        hint: usize,
        body: impl FnOnce(Characters<'_>) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        if call.text_bytes(0, hint)? > self.memory_limit {
            return Err(failure(Error::Memory));
        }
        call.known_characters(0, hint, body)
    }

    /// The first match at or after `from`, its offsets in the buffer.
    #[inline]
    fn find(&self, call: &Call, text: Characters<'_>, from: usize) -> Result<bool, Failure> {
        let haystack = haystack(text);
        if from > haystack.len() {
            return Err(past_the_end());
        }
        self.offsets.lend(call, |places| {
            let places = places.get_mut(..self.width).ok_or_else(too_narrow)?;
            self.matcher.borrow_mut().find(haystack, from, writer(places)).map_err(failure)
        })
    }

    /// The first match, its offsets in the buffer, if it shows in the first part of a text.
    fn find_early(&self, call: &Call, part: Characters<'_>) -> Result<bool, Failure> {
        self.offsets.lend(call, |places| {
            let places = places.get_mut(..self.width).ok_or_else(too_narrow)?;
            self.matcher.borrow_mut().find_early(haystack(part), true, writer(places)).map_err(failure)
        })
    }
}

struct Test(Rc<Program>);

impl HotFunction for Test {
    const NAME: &'static str = "test";
    const ARGUMENTS: usize = 1;

    #[inline]
    fn call(&self, call: &Call) -> Result<Value, Failure> {
        let found = call
            .characters(0, |text| self.0.matcher.borrow_mut().is_match(haystack(text), 0).map_err(failure))?;
        Ok(call.boolean(found))
    }
}

struct Exec(Rc<Program>);

impl HotFunction for Exec {
    const NAME: &'static str = "exec";
    const ARGUMENTS: usize = 1;

    #[inline]
    fn call(&self, call: &Call) -> Result<Value, Failure> {
        let found = call.characters(0, |text| self.0.find(call, text, 0))?;
        Ok(call.boolean(found))
    }
}

struct Others(Rc<Program>);

impl HotFunction for Others {
    const NAME: &'static str = "others";
    const ARGUMENTS: usize = 0;

    fn call(&self, call: &Call) -> Result<Value, Failure> {
        let program = || Rc::clone(&self.0);
        Ok(call.values(&[
            call.function(TestLong(program()))?,
            call.function(ExecFrom(program()))?,
            call.function(All(program()))?,
            call.function(More(program()))?,
            call.function(Batch(program()))?,
            call.function(Replace(program()))?,
            call.function(NewSession(program()))?,
            call.function(Table(program()))?,
            call.function(TestBytes(program()))?,
            call.function(ExecBytes(program()))?,
            call.function(Prepare(program()))?,
            call.function(ReplaceShort(program()))?,
            call.function(AllOf::<BOUNDS>(program()))?,
            call.function(AllOf::<CAPTURES>(program()))?,
            call.function(AllOf::<SEPARATORS>(program()))?,
            call.function(AllOf::<WHOLE_SEPARATORS>(program()))?,
        ]))
    }
}

struct TestLong(Rc<Program>);

impl HotFunction for TestLong {
    const NAME: &'static str = "testLong";
    const ARGUMENTS: usize = 2;

    fn call(&self, call: &Call) -> Result<Value, Failure> {
        let early = call.part(0, 1, EARLY, |text| {
            self.0.matcher.borrow_mut().find_early(haystack(text), false, |_, _| ()).map_err(failure)
        })?;
        if early == Some(true) {
            return Ok(call.boolean(true));
        }
        let found = self.0.long_text(call, 1, |text| {
            self.0.matcher.borrow_mut().is_match(haystack(text), 0).map_err(failure)
        })?;
        Ok(call.boolean(found))
    }
}

struct ExecFrom(Rc<Program>);

impl HotFunction for ExecFrom {
    const NAME: &'static str = "execFrom";
    const ARGUMENTS: usize = 3;

    fn call(&self, call: &Call) -> Result<Value, Failure> {
        let from = call.integer(1, MAX_OFFSET)? as usize;
        if from == 0 && call.part(0, 2, EARLY, |text| self.0.find_early(call, text))? == Some(true) {
            return Ok(call.boolean(true));
        }
        let found = self.0.long_text(call, 2, |text| self.0.find(call, text, from))?;
        Ok(call.boolean(found))
    }
}

struct TestBytes(Rc<Program>);

impl HotFunction for TestBytes {
    const NAME: &'static str = "testBytes";
    const ARGUMENTS: usize = 1;

    fn call(&self, call: &Call) -> Result<Value, Failure> {
        let found = call
            .bytes(0, |utf8| self.0.matcher.borrow_mut().is_match_bytes(within(utf8)?, 0).map_err(failure))?;
        Ok(call.boolean(found))
    }
}

struct ExecBytes(Rc<Program>);

impl HotFunction for ExecBytes {
    const NAME: &'static str = "execBytes";
    const ARGUMENTS: usize = 2;

    fn call(&self, call: &Call) -> Result<Value, Failure> {
        let from = call.integer(1, i32::MAX as u32)? as usize;
        let found = call.bytes(0, |utf8| {
            if from > within(utf8)?.len() {
                return Err(past_the_end());
            }
            self.0.offsets.lend(call, |places| {
                let places = places.get_mut(..self.0.width).ok_or_else(too_narrow)?;
                self.0.matcher.borrow_mut().find_bytes(utf8, from, writer(places)).map_err(failure)
            })
        })?;
        Ok(call.boolean(found))
    }
}

/// Bytes whose offsets fit an Int32Array.
fn within(utf8: &[u8]) -> Result<&[u8], Failure> {
    let fits = i32::try_from(utf8.len()).is_ok();
    fits.then_some(utf8).ok_or_else(|| {
        Failure::new(Code::OutOfRange, "the bytes must be less than 2 GiB: search them in parts")
    })
}

struct Table(Rc<Program>);

impl HotFunction for Table {
    const NAME: &'static str = "table";
    const ARGUMENTS: usize = 0;

    fn call(&self, call: &Call) -> Result<Value, Failure> {
        let Some(table) = self.0.matcher.borrow_mut().table() else { return Ok(call.boolean(false)) };
        let states = table.accepts.len() as u32;
        let numbers = [table.class_bits, states, table.start].into_iter();
        let classes = table.class.iter().map(|&class| u32::from(class));
        let accepts = table.accepts.iter().map(|&accepts| u32::from(accepts));
        let all = numbers.chain(classes).chain(accepts).chain(table.next.iter().copied());
        let length = 3 + table.class.len() + table.accepts.len() + table.next.len();
        Ok(call.boolean(self.0.offsets.lend(call, |places| {
            // What it walks through has 16 bits.
            let fits = length <= places.len() && (states << table.class_bits) <= 1 << 16;
            if fits {
                places.iter_mut().zip(all).for_each(|(place, number)| *place = number as i32);
            }
            fits
        })))
    }
}

/// Writes offsets, -1 for a group that took no part.
#[inline]
pub(crate) fn writer(places: &mut [i32]) -> impl FnMut(usize, Option<usize>) {
    move |place, offset| {
        // A search for bounds alone has two places.
        if let Some(place) = places.get_mut(place) {
            *place = offset.and_then(|offset| i32::try_from(offset).ok()).unwrap_or(-1);
        }
    }
}

#[inline]
pub(crate) fn haystack(text: Characters<'_>) -> Haystack<'_> {
    match text {
        Characters::Latin1(bytes) => Haystack::Latin1(bytes),
        Characters::Utf16(units) => Haystack::Utf16(units),
    }
}

pub(crate) fn failure(error: impl Into<Error>) -> Failure {
    match error.into() {
        Error::BackReference => Failure::new(
            Code::RegexpBackreference,
            "the pattern has a back-reference, which cannot be matched in linear time: compare the captures after matching",
        ),
        Error::Unsupported(construct) => unsupported(construct),
        Error::Memory => Failure::new(
            Code::RegexpMemory,
            "the search needs more memory than options.memoryLimit: work on a shorter text, or raise the limit",
        ),
        Error::Budget => Failure::new(
            Code::RegexpBudget,
            "the search took more steps than options.backreferences.budget: compare the captures after matching instead",
        ),
        Error::TooLarge(what) => Failure::new(
            Code::RegexpTooLarge,
            format!("{what}: write a smaller pattern, or check lengths in code"),
        ),
    }
}

pub(crate) fn past_the_end() -> Failure {
    Failure::new(Code::OutOfRange, "the start lies after the text's end")
}

pub(crate) fn too_narrow() -> Failure {
    Failure::new(Code::Internal, "the buffer for offsets is too small")
}

pub(crate) fn unsupported(construct: &str) -> Failure {
    Failure::new(
        Code::RegexpUnsupported,
        format!("this version cannot run {construct} exactly: rewrite the pattern without it"),
    )
}
