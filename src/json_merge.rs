//! The native side of mergeJson: both texts are checked, then spliced. One call, so that what was checked is what is
//! merged.

use std::borrow::Cow;
use std::cell::Cell;
use std::rc::Rc;
use std::thread::LocalKey;

use holdfast_json::{Finding, Guard, Mode, Options, Report, TextUnit, Trust, merge};
use napi::Env;
use napi_derive::napi;

use crate::boundary::{
    Call, Characters, Code, Failure, HotFunction, Integers, Value, array, cold, hot_function,
};
use crate::json::{describe, limits_of};

/// Memory for a string's characters is kept for the next one up to this size.
const KEPT_BYTES: usize = 4 << 20;

thread_local! {
    static BYTES: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
    static UNITS: Cell<Vec<u16>> = const { Cell::new(Vec::new()) };
}

/// Two functions, for strings and for bytes:
/// `(target, patch, targetIsLatin1, patchIsLatin1) => string | number[]` and
/// `(target, patch, destination) => number | number[]`, where `destination` is as long as both together and the number
/// says how much of it was written.
///
/// `mode`: 0 deep, 1 deep with arrays joined, 2 RFC 7396. `limits` are as of `jsonGuard`. The numbers for a text that
/// does not pass: 0 for the target or 1 for the patch, and then the finding, as of `jsonGuard`.
#[napi(catch_unwind)]
pub fn json_mergers(env: Env, mode: f64, limits: Vec<f64>) -> napi::Result<Value> {
    cold(&env, || {
        let mode = match Integers::integer(mode, "mode", 0..=2)? {
            0 => Mode::Deep,
            1 => Mode::DeepConcat,
            _ => Mode::Patch,
        };
        let guard = Guard::new(Options { limits: limits_of(&limits), ..Options::default() });
        let merging = Rc::new(Merging { mode, guard });
        let functions =
            [hot_function(&env, MergeText(merging.clone()))?, hot_function(&env, MergeBytes(merging))?];
        Ok(array(&env, &functions))
    })
}

struct MergeText(Rc<Merging>);
struct MergeBytes(Rc<Merging>);

impl HotFunction for MergeText {
    const NAME: &'static str = "mergeText";
    const ARGUMENTS: usize = 4;

    fn call(&self, call: &Call) -> Result<Value, Failure> {
        let merging = &*self.0;
        call.known_characters(0, 2, |target| {
            call.known_characters(1, 3, |patch| match (target, patch) {
                (Characters::Latin1(target), Characters::Latin1(patch))
                    if target.is_ascii() && patch.is_ascii() =>
                {
                    merging.text(call, &BYTES, Guard::check_latin1, [target, patch], |bytes| {
                        call.string(Characters::Latin1(bytes))
                    })
                }
                _ => {
                    let [target, patch] = [widened(target), widened(patch)];
                    merging.text(call, &UNITS, Guard::check_units, [&target, &patch], |units| {
                        string(call, units)
                    })
                }
            })
        })
    }
}

impl HotFunction for MergeBytes {
    const NAME: &'static str = "mergeBytes";
    const ARGUMENTS: usize = 3;

    fn call(&self, call: &Call) -> Result<Value, Failure> {
        let merging = &*self.0;
        call.bytes(0, |target| {
            call.bytes(1, |patch| {
                if let Err(place) = merging.check(Guard::check_bytes, [target, patch]) {
                    return Ok(call.numbers(&place));
                }
                call.output(2, |destination| {
                    let mut written = 0;
                    let mut fits = true;
                    merging.splice(target, patch, |piece| {
                        let end = written + piece.len();
                        match destination.get_mut(written..end) {
                            Some(place) => place.copy_from_slice(piece),
                            None => fits = false,
                        }
                        written = end;
                    })?;
                    if !fits {
                        return Err(Failure::new(Code::OutOfRange, "the destination is too short"));
                    }
                    Ok(call.length(written))
                })
            })
        })
    }
}

struct Merging {
    mode: Mode,
    guard: Guard,
}

/// One of the guard's ways to look at a text.
type Check<U> = fn(&Guard, &[U], Trust) -> Result<Report, Finding>;

impl Merging {
    /// Whether target and patch are JSON that may be merged; if not, which is not, and what was found. No parser comes
    /// after this, so it is all up to the guard.
    fn check<U>(&self, check: Check<U>, texts: [&[U]; 2]) -> Result<(), Vec<f64>> {
        for (side, text) in [0.0, 1.0].into_iter().zip(texts) {
            if let Err(finding) = check(&self.guard, text, Trust::Nothing) {
                return Err([side].into_iter().chain(describe(&finding)).collect());
            }
        }
        Ok(())
    }

    fn splice<U: TextUnit>(&self, target: &[U], patch: &[U], write: impl FnMut(&[U])) -> Result<(), Failure> {
        merge(target, patch, self.mode, write)
            .map_err(|_| Failure::new(Code::OutOfRange, "a text is longer than can be merged"))
    }

    fn text<U: TextUnit>(
        &self,
        call: &Call,
        kept: &'static LocalKey<Cell<Vec<U>>>,
        check: Check<U>,
        [target, patch]: [&[U]; 2],
        string: impl FnOnce(&[U]) -> Result<Value, Failure>,
    ) -> Result<Value, Failure> {
        if let Err(place) = self.check(check, [target, patch]) {
            return Ok(call.numbers(&place));
        }
        let mut result = kept.try_with(Cell::take).unwrap_or_default();
        result.clear();
        result.reserve(target.len() + patch.len());
        self.splice(target, patch, |piece| result.extend_from_slice(piece))?;
        let value = string(&result);
        if result.capacity() * size_of::<U>() <= KEPT_BYTES {
            // While the thread ends there may be no place to keep it.
            let _ = kept.try_with(|place| place.set(result));
        }
        value
    }
}

fn widened(text: Characters<'_>) -> Cow<'_, [u16]> {
    match text {
        Characters::Latin1(bytes) => bytes.iter().map(|&byte| u16::from(byte)).collect(),
        Characters::Utf16(units) => Cow::Borrowed(units),
    }
}

/// With one byte a character where that is enough.
fn string(call: &Call, units: &[u16]) -> Result<Value, Failure> {
    if units.iter().fold(0, |seen, unit| seen | unit) > 0xFF {
        return call.string(Characters::Utf16(units));
    }
    let bytes: Vec<u8> = units.iter().map(|&unit| unit as u8).collect();
    call.string(Characters::Latin1(&bytes))
}
