//! What the running V8 says about characters, kept for the patterns that this thread compiles. `lib/regexp-characters.js`
//! asks V8; nothing here changes what a compiled pattern does.

use std::cell::RefCell;

use holdfast_regexp::{Characters, Flags};
use napi::Env;
use napi::bindgen_prelude::Int32Array;
use napi_derive::napi;

use crate::boundary::{Code, Failure, TextArgument, cold};
use crate::regexp::failure;

thread_local! {
    static CHARACTERS: RefCell<Characters> = RefCell::default();
}

/// Runs `body` on what is known on this thread.
pub(crate) fn with_characters<T>(body: impl FnOnce(&Characters) -> T) -> T {
    CHARACTERS.with_borrow(body)
}

/// The names of the data that `source` needs and that has not been provided. Throws as compiling it would.
#[napi(catch_unwind)]
pub fn regexp_needs(env: Env, source: TextArgument, flags: TextArgument) -> napi::Result<Vec<String>> {
    cold(&env, || {
        let flags = String::from_utf16_lossy(&flags.0);
        // What it does not know, compiling refuses.
        let Some(flags) = Flags::parse(&flags) else { return Ok(Vec::new()) };
        with_characters(|characters| characters.needs(&source.0, flags)).map_err(failure)
    })
}

/// Makes patterns ask about classes of the flag `v` too. Called before `regexpNeeds` where V8 needs it.
#[napi(catch_unwind)]
pub fn regexp_ask_about_classes() {
    CHARACTERS.with_borrow_mut(Characters::ask_about_classes);
}

/// Provides data under the name that `regexpNeeds` gave it: `i` and `iu` as pairs of characters that are equal, a class
/// as characters with 1 or 0, all else as first and last characters of ranges, and strings.
#[napi(catch_unwind)]
pub fn regexp_provide(
    env: Env,
    name: TextArgument,
    pairs: Int32Array,
    strings: Vec<TextArgument>,
) -> napi::Result<()> {
    cold(&env, || {
        let name = String::from_utf16_lossy(&name.0);
        let (pairs, rest) = pairs.as_chunks::<2>();
        let read = |value: i32| u32::try_from(value).ok().filter(|&value| value <= u32::from(char::MAX));
        let pairs: Option<Vec<_>> =
            pairs.iter().map(|&[left, right]| Some((read(left)?, read(right)?))).collect();
        let Some(pairs) = pairs.filter(|_| rest.is_empty()) else {
            return Err(Failure::new(Code::OutOfRange, "pairs of code points were expected"));
        };
        CHARACTERS.with_borrow_mut(|characters| match name.as_str() {
            Characters::UPPER_CASE => characters.provide_upper_case(&pairs),
            Characters::SIMPLE_FOLDING => characters.provide_simple_folding(&pairs),
            class if class.starts_with("v[") || class.starts_with("iv[") => {
                characters.provide_class(class, &pairs);
            }
            _ => {
                let strings = strings.iter().map(|string| code_points(&string.0)).collect();
                characters.provide_property(&name, &pairs, strings);
            }
        });
        Ok(())
    })
}

fn code_points(units: &[u16]) -> Vec<u32> {
    let characters = char::decode_utf16(units.iter().copied());
    characters
        .map(|character| character.map_or_else(|lone| lone.unpaired_surrogate().into(), u32::from))
        .collect()
}
