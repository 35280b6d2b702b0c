//! A pattern, flags and a text from bytes: no panic, and ASCII texts give the same on every automaton.
#![no_main]

use holdfast_regexp::{Flags, Haystack, Pattern};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (&str, &str, Vec<u16>, usize)| {
    let (source, flags, units, from) = input;
    let Some(flags) = Flags::parse(flags) else { return };
    let Ok(pattern) = Pattern::compile(source, flags) else { return };
    let Ok(mut matcher) = pattern.matcher() else { return };
    let from = from % (units.len() + 1);
    let mut wide = Vec::new();
    let Ok(found) = matcher.find(Haystack::Utf16(&units), from, |_, offset| wide.push(offset)) else { return };
    assert_eq!(matcher.is_match(Haystack::Utf16(&units), from), Ok(found));
    if units.iter().all(|&unit| unit < 0x80) {
        let bytes: Vec<u8> = units.iter().map(|&unit| unit as u8).collect();
        let mut ascii = Vec::new();
        assert_eq!(matcher.find(Haystack::Latin1(&bytes), from, |_, offset| ascii.push(offset)), Ok(found));
        assert!(!found || ascii == wide);
    }
});
