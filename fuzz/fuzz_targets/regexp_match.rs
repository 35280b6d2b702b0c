//! A pattern, flags and a text from bytes: no panic, the engines agree with each other, in UTF-16, in one byte a
//! character and in UTF-8, and the work of one search is linear. That they agree with ECMAScript is tested from
//! JavaScript.
#![no_main]

use holdfast_regexp::{Characters, Flags, Haystack, Limits, Matcher, Offset, Pattern, take_work};
use libfuzzer_sys::fuzz_target;

/// Steps a search may take for each place of the text and each character of the pattern, its repeats expanded: 16 and
/// some before it remembers what it has done, then each instruction, which is up to four to a character, at most once,
/// with what entering and leaving it takes.
const STEPS: u64 = 64;
/// Steps that need no explanation, in any search.
const CONSTANT: u64 = 20_000;

type Found = Option<Vec<Offset>>;

fuzz_target!(|input: (&str, &str, Vec<u16>, usize)| {
    let (source, flags, mut units, from) = input;
    let Some(flags) = Flags::parse(flags) else { return };
    units.truncate(1 << 12);
    let from = from % (units.len() + 1);
    let Some(mut usual) = matcher(source, flags) else { return };
    let expanded = expanded(source);

    take_work();
    let Some(found) = find(&mut usual, Haystack::Utf16(&units), from) else { return };
    let steps = take_work();
    let most = STEPS * expanded * (units.len() as u64 + 1) + CONSTANT;
    assert!(steps <= most, "{steps} steps, at most {most} expected");
    assert_eq!(usual.is_match(Haystack::Utf16(&units), from), Ok(found.is_some()));

    // No automaton looks ahead, so this pattern, which means the same, runs on the other engine.
    if let Some(mut backtracking) = matcher(&format!("(?:{source})(?=)"), flags) {
        assert!(find(&mut backtracking, Haystack::Utf16(&units), from).is_none_or(|other| other == found));
    }
    if units.iter().all(|&unit| unit <= 0xFF) {
        let bytes: Vec<u8> = units.iter().map(|&unit| unit as u8).collect();
        assert!(find(&mut usual, Haystack::Latin1(&bytes), from).is_none_or(|other| other == found));
    }
    // With u and v, searches of UTF-16 also start between the halves of a pair, where UTF-8 has no place.
    if let (Ok(text), 0, false) = (String::from_utf16(&units), from, flags.unicode || flags.unicode_sets) {
        assert!(find_bytes(&mut usual, &text).is_none_or(|other| other == found));
    }
});

fn matcher(source: &str, flags: Flags) -> Option<Matcher> {
    let source: Vec<u16> = source.encode_utf16().collect();
    let mut characters = Characters::default();
    for name in characters.needs(&source, flags).ok()? {
        provide(&mut characters, &name);
    }
    Pattern::compile(&source, flags, &characters, Limits::default()).ok()?.matcher().ok()
}

/// Any data will do where the engines are compared with each other.
fn provide(characters: &mut Characters, name: &str) {
    match name {
        Characters::UPPER_CASE => {
            characters.provide_upper_case(&[(0xE9, 0xC9), (0x3C2, 0x3A3), (0x3C3, 0x3A3)])
        }
        Characters::SIMPLE_FOLDING => {
            characters.provide_simple_folding(&[
                (0xE9, 0xC9),
                (0x3C2, 0x3C3),
                (0x3A3, 0x3C3),
                (0x10400, 0x10428),
            ]);
        }
        _ => {
            let strings = vec![vec![0x31, 0xFE0F, 0x20E3], vec![0x31]];
            characters.provide_property(name, &[(0x41, 0x5A), (0x3B1, 0x3C9), (0x1F600, 0x1F64F)], strings);
        }
    }
}

/// What a search finds, or nothing when it gives up.
fn find(matcher: &mut Matcher, haystack: Haystack<'_>, from: usize) -> Option<Found> {
    let mut offsets = Vec::new();
    let found = matcher.find(haystack, from, |_, offset| offsets.push(offset)).ok()?;
    Some(found.then_some(offsets))
}

/// The same in UTF-8, in UTF-16 code units.
fn find_bytes(matcher: &mut Matcher, text: &str) -> Option<Found> {
    let mut offsets = Vec::new();
    let found = matcher.find_bytes(text.as_bytes(), 0, |_, offset| offsets.push(offset)).ok()?;
    let unit = |byte: usize| {
        let start = text.floor_char_boundary(byte);
        text[..start].encode_utf16().count() + usize::from(start < byte)
    };
    Some(found.then(|| offsets.iter().map(|offset| offset.map(unit)).collect()))
}

/// A bound for the characters of a pattern, its counted repeats expanded: every number in braces multiplies.
fn expanded(source: &str) -> u64 {
    let mut product = source.len() as u64 + 1;
    for number in source.split(|character: char| !character.is_ascii_digit()) {
        product = product.saturating_mul(number.parse().unwrap_or(1).max(1)).min(1 << 32);
    }
    product
}
