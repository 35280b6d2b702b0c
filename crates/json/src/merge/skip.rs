//! Past a value without looking at its tokens: strings to their quote, arrays and objects to the bracket that closes
//! them, 64 units at a time. In a well-formed text only brackets of one kind need to be counted, and only between
//! strings.

use std::marker::PhantomData;

use crate::blocks::{BLOCK, Blocks, Pass, dispatch};

use super::TextUnit;

/// The end of the value that starts at `at`.
#[inline]
pub(super) fn value_end<U: TextUnit>(text: &[U], at: usize) -> usize {
    match code(text, at) {
        QUOTE => string_end(text, at).0,
        OPEN_OBJECT => container_end::<U, b'{', b'}'>(text, at),
        OPEN_ARRAY => container_end::<U, b'[', b']'>(text, at),
        _ => {
            let rest = text.get(at..).unwrap_or_default();
            let ends = |unit: &U| matches!(unit.code(), COMMA | CLOSE_OBJECT | CLOSE_ARRAY | 0..=SPACE);
            at + rest.iter().position(ends).unwrap_or(rest.len())
        }
    }
}

/// The end of the string whose opening quote is at `at`, and whether it has escapes.
#[inline]
pub(super) fn string_end<U: TextUnit>(text: &[U], at: usize) -> (usize, bool) {
    let mut at = at + 1;
    let mut escaped = false;
    loop {
        at += U::plain_run(text.get(at..).unwrap_or_default());
        match code(text, at) {
            QUOTE => return (at + 1, escaped),
            BACKSLASH => at += 2,
            _ => return (at.min(text.len()), escaped), // Not well-formed.
        }
        escaped = true;
    }
}

#[inline]
pub(super) fn whitespace_end<U: TextUnit>(text: &[U], at: usize) -> usize {
    let mut at = at;
    while matches!(code(text, at), SPACE | 0x0A | 0x0D | 0x09) {
        at += 1;
    }
    at
}

/// The unit at `at`; after the end something that JSON has no use for.
#[inline(always)]
pub(super) fn code<U: TextUnit>(text: &[U], at: usize) -> u16 {
    text.get(at).map_or(0, |unit| unit.code())
}

/// The end of the container whose opening bracket is at `start`.
fn container_end<U: TextUnit, const OPEN: u8, const CLOSE: u8>(text: &[U], start: usize) -> usize {
    let pass = ContainerEnd::<U, OPEN, CLOSE> { text, start };
    dispatch(pass).unwrap_or_else(|| scan_blocks::<U, Portable, OPEN, CLOSE>(text, start))
}

struct ContainerEnd<'a, U, const OPEN: u8, const CLOSE: u8> {
    text: &'a [U],
    start: usize,
}

impl<U: TextUnit, const OPEN: u8, const CLOSE: u8> Pass for ContainerEnd<'_, U, OPEN, CLOSE> {
    type Output = usize;

    #[inline(always)]
    fn run<B: Blocks>(self) -> usize {
        scan_blocks::<U, With<B>, OPEN, CLOSE>(self.text, self.start)
    }
}

/// A way to look at blocks. Traits, not closures: all of it has to be inlined where the instructions are known.
trait Look {
    /// Where in this block the container ends, if it does.
    fn end_in<const OPEN: u8, const CLOSE: u8>(state: &mut State, block: &[u8; BLOCK]) -> Option<usize>;

    /// Each bit becomes the parity of itself and those below: with quotes, one from an opening to before a closing one.
    fn parity(bits: u64) -> u64;
}

/// With the instructions that make masks.
struct With<B>(PhantomData<B>);

impl<B: Blocks> Look for With<B> {
    #[inline(always)]
    fn end_in<const OPEN: u8, const CLOSE: u8>(state: &mut State, block: &[u8; BLOCK]) -> Option<usize> {
        let masks = B::masks(block);
        let (opens, closes) = if OPEN == b'{' {
            (masks.open_brace, masks.close_brace)
        } else {
            (masks.open_bracket, masks.close_bracket)
        };
        let outside = state.outside::<Self>(masks.quote, masks.backslash);
        state.count(opens & outside, closes & outside)
    }

    #[inline(always)]
    fn parity(bits: u64) -> u64 {
        B::parity(bits)
    }
}

/// Without them. Most blocks hold no bracket that counts and no backslash; there the number of quotes says all.
struct Portable;

impl Look for Portable {
    #[inline(always)]
    fn end_in<const OPEN: u8, const CLOSE: u8>(state: &mut State, block: &[u8; BLOCK]) -> Option<usize> {
        let (quotes, flags) = survey::<OPEN, CLOSE>(block);
        if flags == 0 && !state.escaped {
            state.inside ^= 0u64.wrapping_sub(u64::from(quotes & 1));
            return None;
        }
        let backslashes = if flags & HAS_BACKSLASH == 0 { 0 } else { mask(block, |byte| byte == b'\\') };
        let outside = state.outside::<Self>(mask(block, |byte| byte == b'"'), backslashes);
        if flags & HAS_BRACKET == 0 {
            return None;
        }
        let opens = mask(block, |byte| byte == OPEN) & outside;
        state.count(opens, mask(block, |byte| byte == CLOSE) & outside)
    }

    #[inline(always)]
    fn parity(bits: u64) -> u64 {
        [1, 2, 4, 8, 16, 32].into_iter().fold(bits, |bits, shift| bits ^ (bits << shift))
    }
}

/// One block after the other, up to the one in which the container ends.
#[inline(always)]
fn scan_blocks<U: TextUnit, L: Look, const OPEN: u8, const CLOSE: u8>(text: &[U], start: usize) -> usize {
    let mut state = State { depth: 1, inside: 0, escaped: false };
    let mut at = start + 1;
    let (blocks, rest) = text.get(at..).unwrap_or_default().as_chunks::<BLOCK>();
    for block in blocks {
        if let Some(end) = L::end_in::<OPEN, CLOSE>(&mut state, &U::narrow(block)) {
            return at + end;
        }
        at += BLOCK;
    }
    let mut last = [U::ascii(b' '); BLOCK];
    for (place, &unit) in last.iter_mut().zip(rest) {
        *place = unit;
    }
    match L::end_in::<OPEN, CLOSE>(&mut state, &U::narrow(&last)) {
        Some(end) => at + end,
        None => text.len(),
    }
}

struct State {
    depth: usize,
    /// All ones inside a string, or nothing.
    inside: u64,
    /// The next character belongs to an escape.
    escaped: bool,
}

impl State {
    /// What is in no string, of the next block.
    #[inline(always)]
    fn outside<L: Look>(&mut self, quotes: u64, backslashes: u64) -> u64 {
        let mut quotes = quotes;
        if backslashes != 0 || self.escaped {
            quotes &= !self.escapes(backslashes);
        }
        let inside = L::parity(quotes) ^ self.inside;
        self.inside = 0u64.wrapping_sub(inside >> 63);
        !inside
    }

    /// Where in the block the container ends, if it does: after the bracket that takes the depth to nothing.
    #[inline(always)]
    fn count(&mut self, opens: u64, closes: u64) -> Option<usize> {
        let closed = closes.count_ones() as usize;
        if closed < self.depth {
            self.depth = self.depth + opens.count_ones() as usize - closed;
            return None;
        }
        let mut rest = opens | closes;
        while rest != 0 {
            let bit = rest & rest.wrapping_neg();
            rest ^= bit;
            if opens & bit != 0 {
                self.depth += 1;
            } else if self.depth == 1 {
                return Some(bit.trailing_zeros() as usize + 1);
            } else {
                self.depth -= 1;
            }
        }
        None
    }

    /// Which characters follow a backslash that is none itself.
    #[inline]
    fn escapes(&mut self, backslashes: u64) -> u64 {
        let mut escaped = u64::from(self.escaped);
        let mut rest = backslashes & !escaped;
        self.escaped = false;
        while rest != 0 {
            let place = rest.trailing_zeros();
            if place == 63 {
                self.escaped = true;
                break;
            }
            escaped |= 2 << place;
            rest &= !(3 << place);
        }
        escaped
    }
}

const HAS_BRACKET: u8 = 1;
const HAS_BACKSLASH: u8 = 2;

/// How many quotes, and whether there is a bracket or a backslash. No branch: it becomes vector instructions.
#[inline(always)]
fn survey<const OPEN: u8, const CLOSE: u8>(block: &[u8; BLOCK]) -> (u8, u8) {
    let (mut quotes, mut brackets, mut backslashes) = (0u8, 0u8, 0u8);
    for &byte in block {
        quotes = quotes.wrapping_add(u8::from(byte == b'"'));
        brackets |= u8::from(byte == OPEN) | u8::from(byte == CLOSE);
        backslashes |= u8::from(byte == b'\\');
    }
    (quotes, (brackets * HAS_BRACKET) | (backslashes * HAS_BACKSLASH))
}

/// One bit for each byte. Written so that it becomes vector instructions: every byte keeps the bit of its place in
/// eight, and eight of them add up to a byte of the result.
#[inline(always)]
fn mask(block: &[u8; BLOCK], is_member: impl Fn(u8) -> bool) -> u64 {
    let mut bits = [0u8; BLOCK];
    for ((bit, &byte), &place) in bits.iter_mut().zip(block).zip(&PLACES) {
        *bit = 0u8.wrapping_sub(u8::from(is_member(byte))) & place;
    }
    let (eights, _) = bits.as_chunks::<8>();
    let mut sums = [0u8; 8];
    for (sum, eight) in sums.iter_mut().zip(eights) {
        *sum = eight.iter().map(|&bit| u32::from(bit)).sum::<u32>() as u8;
    }
    u64::from_le_bytes(sums)
}

const PLACES: [u8; BLOCK] = {
    let mut places = [0; BLOCK];
    let mut at = 0;
    while at < BLOCK {
        places[at] = 1 << (at % 8);
        at += 1;
    }
    places
};

pub(super) const QUOTE: u16 = b'"' as u16;
pub(super) const COMMA: u16 = b',' as u16;
pub(super) const COLON: u16 = b':' as u16;
pub(super) const OPEN_OBJECT: u16 = b'{' as u16;
pub(super) const CLOSE_OBJECT: u16 = b'}' as u16;
pub(super) const OPEN_ARRAY: u16 = b'[' as u16;
const CLOSE_ARRAY: u16 = b']' as u16;
const BACKSLASH: u16 = b'\\' as u16;
const SPACE: u16 = b' ' as u16;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// One unit after the other.
    fn naive_end<U: TextUnit>(text: &[U]) -> usize {
        let (mut depth, mut inside, mut escaped) = (0, false, false);
        for (at, unit) in text.iter().enumerate() {
            match u8::try_from(unit.code()).unwrap_or(0) {
                _ if escaped => escaped = false,
                b'\\' if inside => escaped = true,
                b'"' => inside = !inside,
                b'[' | b'{' if !inside => depth += 1,
                b']' | b'}' if !inside => {
                    depth -= 1;
                    if depth == 0 {
                        return at + 1;
                    }
                }
                _ => {}
            }
        }
        text.len()
    }

    /// Whatever the processor has.
    fn portable_end<U: TextUnit>(text: &[U]) -> usize {
        if code(text, 0) == OPEN_OBJECT {
            scan_blocks::<U, Portable, b'{', b'}'>(text, 0)
        } else {
            scan_blocks::<U, Portable, b'[', b']'>(text, 0)
        }
    }

    fn agrees(text: &str) {
        let units: Vec<u16> = text.encode_utf16().collect();
        assert_eq!(portable_end(text.as_bytes()), naive_end(text.as_bytes()), "{text}");
        assert_eq!(portable_end(&units), naive_end(&units), "{text}");
        assert_eq!(value_end(text.as_bytes(), 0), naive_end(text.as_bytes()), "{text}");
        assert_eq!(value_end(&units, 0), naive_end(&units), "{text}");
    }

    /// A value: its brackets match.
    fn value() -> impl Strategy<Value = String> {
        let leaf = prop_oneof![
            "[ -~é中😀]{0,80}".prop_map(|text| serde_json::to_string(&text).unwrap_or_default()),
            r#"(\\\\|\\"|\\u005d|[\]\[}{]){0,70}"#.prop_map(|text| format!("\"{text}\"")),
            Just("12".to_owned()),
            Just(" ".repeat(61) + "null"),
        ];
        leaf.prop_recursive(4, 40, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(|items| format!("[{}]", items.join(","))),
                prop::collection::vec(inner, 0..6).prop_map(|items| {
                    let members: Vec<String> = items.iter().map(|item| format!("\"}}\":{item}")).collect();
                    format!("{{{}}}", members.join(", "))
                }),
            ]
        })
    }

    proptest! {
        #[test]
        fn containers_end_where_they_do(items in prop::collection::vec(value(), 0..4), after in "[\\]}\", x]{0,70}") {
            agrees(&format!("[{}]{after}", items.join(",")));
            let members: Vec<String> = items.iter().map(|item| format!("\"\\\"{{\" : {item}")).collect();
            agrees(&format!("{{{}}}{after}", members.join(",")));
        }
    }

    #[test]
    fn escapes_across_blocks() {
        for length in 50..140 {
            for backslashes in 0..6 {
                let quote = if backslashes % 2 == 1 { "\"]" } else { "" };
                agrees(&format!("[\"{}{}{quote}\"]]", " ".repeat(length), "\\".repeat(backslashes)));
            }
        }
    }
}
