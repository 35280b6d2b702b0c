//! `replace` with a string: the whole result is built here and crosses once. ECMA-262, §22.2.6.11 and §22.1.3.19.1.
//!
//! The replacement has been parsed by lib/regexp-replacement.js; its operations lie in the buffer for offsets, two places
//! each: a span of the replacement's own text, or -1 and the number of a group, -2 the text before the match, -3 after it.

use std::rc::Rc;

use crate::boundary::{Call, Characters, Code, Failure, HotFunction, Value};
use crate::regexp::{MAX_OFFSET, Program, failure, haystack, past_the_end, too_narrow, writer};
use crate::regexp_series::Series;

/// V8's longest string: 2²⁹ − 24 code units.
const MAX_STRING: usize = (1 << 29) - 24;

const GROUP: i32 = -1;
const BEFORE: i32 = -2;
const AFTER: i32 = -3;

/// `replace(text, isLatin1, replacement, operations, from)`: the result, undefined when nothing matched, false when no string
/// is long enough for it. Without operations the replacement stands for itself. Not global: one match at or after
/// `from`, whose bounds come first in the buffer.
pub(crate) struct Replace(pub(crate) Rc<Program>);

impl HotFunction for Replace {
    const NAME: &'static str = "replace";
    const ARGUMENTS: usize = 5;

    fn call(&self, call: &Call) -> Result<Value, Failure> {
        let count = call.integer(3, MAX_OFFSET)? as usize;
        let from = call.integer(4, MAX_OFFSET)? as usize;
        let mut operations = self.0.offsets.lend(call, |places| {
            let places = places.get(..2 * count).ok_or_else(too_narrow)?;
            Ok(places.chunks_exact(2).map(|pair| (pair[0], pair[1])).collect::<Vec<_>>())
        })?;
        call.known_characters(0, 1, |text| {
            call.characters(2, |replacement| {
                if operations.is_empty() {
                    operations.push((0, replacement.len() as i32));
                }
                self.replace(call, text, replacement, &operations, from)
            })
        })
    }
}

impl Replace {
    fn replace(
        &self,
        call: &Call,
        text: Characters<'_>,
        replacement: Characters<'_>,
        operations: &[(i32, i32)],
        from: usize,
    ) -> Result<Value, Failure> {
        use Characters::{Latin1, Utf16};
        let asks = operations.iter().any(|&(what, group)| what == GROUP && group > 0);
        let width = if asks { self.0.width } else { 2 };
        let matches = Matches { call, program: &self.0, whole: text, from, width };
        let is_narrow = matches!((text, replacement), (Latin1(_), Latin1(_)));
        let (mut bytes, mut units) = (Vec::<u8>::new(), Vec::<u16>::new());
        let outcome = match (text, replacement) {
            (Latin1(text), Latin1(replacement)) => matches.build(text, replacement, operations, &mut bytes),
            (Latin1(text), Utf16(replacement)) => matches.build(text, replacement, operations, &mut units),
            (Utf16(text), Latin1(replacement)) => matches.build(text, replacement, operations, &mut units),
            (Utf16(text), Utf16(replacement)) => matches.build(text, replacement, operations, &mut units),
        }?;
        match outcome {
            Outcome::Unchanged => Ok(call.undefined()),
            Outcome::TooLong => Ok(call.boolean(false)),
            Outcome::Built if is_narrow => call.string(Latin1(&bytes)),
            Outcome::Built => call.string(Utf16(&units)),
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
    from: usize,
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
                result.try_reserve(text.len()).map_err(|_| no_memory())?;
                is_changed = true;
            }
            let span = |group: i32| {
                let place = 2 * usize::try_from(group).ok()?;
                let start = usize::try_from(*places.get(place)?).ok()?;
                Some(start..usize::try_from(*places.get(place + 1)?).ok()?)
            };
            let whole = span(0).unwrap_or(0..0);
            let mut fits = append(result, &text[copied..whole.start])?;
            for &(first, second) in operations {
                fits &= match first {
                    GROUP => append(result, span(second).map_or(&[][..], |span| &text[span]))?,
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
                if self.from > haystack.len() {
                    return Err(past_the_end());
                }
                let found =
                    matcher.borrow_mut().find(haystack, self.from, writer(places)).map_err(failure)?;
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
