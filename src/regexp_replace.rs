//! `replace` with a string: the whole result is built here and crosses once. ECMA-262, §22.2.6.11 and §22.1.3.19.1.
//!
//! The replacement has been parsed by lib/regexp-replacement.js; its operations lie in the buffer for offsets, two places
//! each: a span of the replacement's own text, or -1 and the number of a group, -2 the text before the match, -3 after it, -4 and
//! the number of a group that stands in place of the one before if it took part.

use std::rc::Rc;

use crate::boundary::{Call, Characters, Code, Failure, HotFunction, Value};
use crate::regexp::{MAX_OFFSET, Program, failure, haystack, too_narrow, writer};
use crate::regexp_series::Series;

/// V8's longest string: 2²⁹ − 24 code units.
const MAX_STRING: usize = (1 << 29) - 24;

/// Units by which a result may outgrow its text before it is moved.
const ROOM: usize = 32;

/// The longest result of which the memory is used again, in units.
const KEPT: usize = 1024;

const GROUP: i32 = -1;
const BEFORE: i32 = -2;
const AFTER: i32 = -3;
const INSTEAD: i32 = -4;

/// What matches are replaced by.
pub(crate) struct Replacement {
    text: Owned,
    operations: Vec<(i32, i32)>,
    /// Whether there is a group among them.
    has_groups: bool,
}

enum Owned {
    Latin1(Vec<u8>),
    Utf16(Vec<u16>),
}

/// `prepare(replacement, operations)`: what `replace` replaces by from now on. Without operations the replacement stands for
/// itself.
pub(crate) struct Prepare(pub(crate) Rc<Program>);

impl HotFunction for Prepare {
    const NAME: &'static str = "prepare";
    const ARGUMENTS: usize = 2;

    fn call(&self, call: &Call) -> Result<Value, Failure> {
        let count = call.integer(1, MAX_OFFSET)? as usize;
        let mut operations = self.0.offsets.lend(call, |places| {
            let places = places.get(..2 * count).ok_or_else(too_narrow)?;
            Ok(places.chunks_exact(2).map(|pair| (pair[0], pair[1])).collect::<Vec<_>>())
        })?;
        let text = call.characters(0, |replacement| {
            if operations.is_empty() {
                operations.push((0, replacement.len() as i32));
            }
            Ok(match replacement {
                Characters::Latin1(bytes) => Owned::Latin1(bytes.to_vec()),
                Characters::Utf16(units) => Owned::Utf16(units.to_vec()),
            })
        })?;
        let has_groups =
            operations.iter().any(|&(what, group)| (what == GROUP || what == INSTEAD) && group > 0);
        self.0.replacement.replace(Some(Replacement { text, operations, has_groups }));
        Ok(call.undefined())
    }
}

/// `replace(text, isLatin1)`: the result, undefined when nothing matched, false when no string is long enough for it. Not
/// global: the first match only.
pub(crate) struct Replace(pub(crate) Rc<Program>);

impl HotFunction for Replace {
    const NAME: &'static str = "replace";
    const ARGUMENTS: usize = 2;

    fn call(&self, call: &Call) -> Result<Value, Failure> {
        self.0.long_text(call, 1, |text| replace(&self.0, call, text))
    }
}

/// `replaceShort(text)`: the same for texts that are read quickly anyway.
pub(crate) struct ReplaceShort(pub(crate) Rc<Program>);

impl HotFunction for ReplaceShort {
    const NAME: &'static str = "replaceShort";
    const ARGUMENTS: usize = 1;

    fn call(&self, call: &Call) -> Result<Value, Failure> {
        call.characters(0, |text| replace(&self.0, call, text))
    }
}

fn replace(program: &Program, call: &Call, text: Characters<'_>) -> Result<Value, Failure> {
    let mut results = program.results.borrow_mut();
    results.empty(); // should the last call have ended in a panic
    let result = replace_into(&mut results, program, call, text);
    results.empty();
    result
}

fn replace_into(
    Results { bytes, units }: &mut Results,
    program: &Program,
    call: &Call,
    text: Characters<'_>,
) -> Result<Value, Failure> {
    let replacement = program.replacement.borrow();
    let Some(Replacement { text: replacement, operations, has_groups }) = replacement.as_ref() else {
        return Err(Failure::new(Code::Internal, "there is no replacement"));
    };
    let width = if *has_groups { program.width } else { 2 };
    let matches = Matches { call, program, whole: text, width };
    let (outcome, is_narrow) = match (text, replacement) {
        (Characters::Latin1(text), Owned::Latin1(by)) => (matches.build(text, by, operations, bytes)?, true),
        (Characters::Latin1(text), Owned::Utf16(by)) => (matches.build(text, by, operations, units)?, false),
        (Characters::Utf16(text), Owned::Latin1(by)) => (matches.build(text, by, operations, units)?, false),
        (Characters::Utf16(text), Owned::Utf16(by)) => (matches.build(text, by, operations, units)?, false),
    };
    match outcome {
        Outcome::Unchanged => Ok(call.undefined()),
        Outcome::TooLong => Ok(call.boolean(false)),
        Outcome::Built if is_narrow => call.string(Characters::Latin1(bytes)),
        Outcome::Built => call.string(Characters::Utf16(units)),
    }
}

/// Memory for results of `replace`, used again.
#[derive(Default)]
pub(crate) struct Results {
    bytes: Vec<u8>,
    units: Vec<u16>,
}

impl Results {
    fn empty(&mut self) {
        let Results { bytes, units } = self;
        bytes.clear();
        units.clear();
        if bytes.capacity() > KEPT || units.capacity() > KEPT {
            *self = Results::default();
        }
    }
}

enum Outcome {
    Unchanged,
    TooLong,
    Built,
}

struct Matches<'a> {
    call: &'a Call,
    program: &'a Program,
    whole: Characters<'a>,
    /// Places that the offsets of a match take, as far as the replacement asks for them.
    width: usize,
}

impl Matches<'_> {
    fn build<T, R, U>(
        &self,
        text: &[T],
        replacement: &[R],
        operations: &[(i32, i32)],
        result: &mut Vec<U>,
    ) -> Result<Outcome, Failure>
    where
        T: Copy + Into<U>,
        R: Copy + Into<U>,
    {
        let mut copied = 0;
        let mut is_changed = false;
        let mut expand = |places: &[i32]| -> Result<bool, Failure> {
            if !is_changed {
                result.try_reserve(text.len() + ROOM).map_err(|_| no_memory())?;
                is_changed = true;
            }
            let span = |group: i32| {
                let place = 2 * usize::try_from(group).ok()?;
                let start = usize::try_from(*places.get(place)?).ok()?;
                Some(start..usize::try_from(*places.get(place + 1)?).ok()?)
            };
            let whole = span(0).unwrap_or(0..0);
            let mut fits = append(result, &text[copied..whole.start])?;
            let mut before = 0;
            for &(first, second) in operations {
                fits &= match first {
                    GROUP => {
                        before = result.len();
                        append(result, span(second).map_or(&[][..], |span| &text[span]))?
                    }
                    INSTEAD => match span(second) {
                        Some(span) => {
                            result.truncate(before);
                            append(result, &text[span])?
                        }
                        None => true,
                    },
                    BEFORE => append(result, &text[..whole.start])?,
                    AFTER => append(result, &text[whole.end..])?,
                    _ => {
                        let literal = replacement.get(first as usize..second as usize);
                        append(result, literal.ok_or_else(too_narrow)?)?
                    }
                };
                if !fits {
                    return Ok(false);
                }
            }
            copied = whole.end;
            Ok(fits)
        };
        if !self.each(&mut expand)? {
            return Ok(Outcome::TooLong);
        }
        if !is_changed {
            return Ok(Outcome::Unchanged);
        }
        Ok(if append(result, &text[copied..])? { Outcome::Built } else { Outcome::TooLong })
    }

    /// Calls `expand` with the offsets of each match until it returns false, which is returned then.
    fn each(&self, expand: &mut impl FnMut(&[i32]) -> Result<bool, Failure>) -> Result<bool, Failure> {
        let Program { matcher, offsets, width, is_global, is_unicode, .. } = self.program;
        offsets.lend(self.call, |places| {
            let places = places.get_mut(..*width).ok_or_else(too_narrow)?;
            if !*is_global {
                let haystack = haystack(self.whole);
                let found = matcher.borrow_mut().find(haystack, 0, writer(places)).map_err(failure)?;
                return if found { expand(places) } else { Ok(true) };
            }
            let mut series = Series::new(self.program, self.whole, self.width)?;
            let mut matcher = matcher.borrow_mut();
            while series.next(&mut matcher, *is_unicode, places)? {
                if !expand(places)? {
                    return Ok(false);
                }
            }
            Ok(true)
        })
    }
}

/// False when the result became longer than any string.
fn append<T: Copy + Into<U>, U>(result: &mut Vec<U>, part: &[T]) -> Result<bool, Failure> {
    if result.len() + part.len() > MAX_STRING {
        return Ok(false);
    }
    result.try_reserve(part.len()).map_err(|_| no_memory())?;
    result.extend(part.iter().map(|&unit| unit.into()));
    Ok(true)
}

fn no_memory() -> Failure {
    Failure::new(Code::RegexpMemory, "there is no memory for the result: work on a shorter text")
}
