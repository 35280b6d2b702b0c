//! The grammar of RFC 8259 on bit masks: which tokens may stand next to each other, and what numbers and words look like.
//! What depends on the container around it comes out as masks, for the walk over the brackets.
//!
//! A mask moved by one place, with the bit that left the block before, says what stands before each byte; where white space
//! may lie between, an addition carries the bit to the other end of the run.

use crate::blocks::Masks;
use crate::strings::Strings;

/// The tokens of a block, outside strings.
#[derive(Clone, Copy)]
pub(crate) struct Tokens {
    pub(crate) opens: u64,
    pub(crate) closes: u64,
    pub(crate) colon: u64,
    pub(crate) comma: u64,
    pub(crate) digit: u64,
}

impl Tokens {
    #[inline(always)]
    pub(crate) fn new(masks: &Masks, strings: &Strings) -> Tokens {
        let outside = !strings.inside;
        Tokens {
            opens: (masks.open_brace | masks.open_bracket) & outside,
            closes: (masks.close_brace | masks.close_bracket) & outside,
            colon: masks.colon & outside,
            comma: masks.comma & outside,
            digit: masks.digit & outside,
        }
    }
}

/// What goes on from one block to the next: of each mask the bit that leaves it.
#[derive(Default)]
pub(crate) struct Grammar {
    scalar: u64,
    digit: u64,
    dot: u64,
    exponent: u64,
    sign: u64,
    /// A sign that follows an exponent.
    exponent_sign: u64,
    first_zero: u64,
    /// The part of a word that lies in the next block.
    word: u64,
    fraction: u64,
    power: u64,
    after_value: u64,
    after_open: u64,
    after_comma: u64,
    after_key: u64,
    /// In a string that stands where a key does.
    in_key: u64,
}

/// What a block's tokens are like.
pub(crate) struct Judgement {
    /// What is wrong anywhere.
    pub(crate) wrong: u64,
    /// What is wrong in an object: a value where a key has to be, or a key without a colon.
    pub(crate) wrong_in_object: u64,
}

impl Grammar {
    /// Whether the text may end here: nothing but white space since a value.
    pub(crate) fn is_complete(&self) -> bool {
        self.after_value != 0
    }

    #[inline(always)]
    pub(crate) fn judge(
        &mut self,
        masks: &Masks,
        strings: &Strings,
        tokens: &Tokens,
        text: &[u8],
        at: usize,
    ) -> Judgement {
        let Strings { inside, opening, closing, .. } = *strings;
        let Tokens { opens, closes, colon, comma, digit, .. } = *tokens;
        let space = masks.space & !inside;
        let scalar = !(inside | closing | space | opens | closes | colon | comma);
        let before_scalar = shift(scalar, &mut self.scalar);
        let starts = scalar & !before_scalar;
        let mut wrong = masks.control & inside;

        // Words.
        let mut word = std::mem::take(&mut self.word);
        let mut words = starts & !(digit | masks.minus);
        while words != 0 {
            let place = words.trailing_zeros();
            words &= words - 1;
            let span = ((1u128 << word_at(text, at + place as usize)) - 1) << place;
            word |= span as u64;
            self.word |= (span >> 64) as u64;
        }

        // Numbers.
        let number = scalar & !word;
        let first = starts & number;
        let dot = masks.dot & number;
        let exponent = masks.exponent & number;
        let sign = (masks.minus | masks.plus) & number;
        let after_digit = shift(digit, &mut self.digit);
        let after_dot = shift(dot, &mut self.dot);
        let after_sign = shift(sign, &mut self.sign);
        let mut signs = first & masks.minus;
        let mut after_first_sign = after_sign;
        wrong |= number & !(digit | sign | dot | exponent);
        wrong |= (dot | exponent) & !after_digit;
        wrong |= (after_dot | after_sign) & !digit;
        // Few numbers have one.
        if exponent | self.exponent | self.exponent_sign | self.power != 0 {
            let after_exponent = shift(exponent, &mut self.exponent);
            let exponent_sign = sign & after_exponent;
            let after_exponent_sign = shift(exponent_sign, &mut self.exponent_sign);
            signs |= exponent_sign;
            after_first_sign &= !after_exponent_sign;
            wrong |= after_exponent & !(digit | sign);
            // The digits of an exponent end before a dot, and before another exponent.
            let power = (after_exponent | after_exponent_sign) & digit;
            wrong |= end_of_run(power, digit, &mut self.power) & (dot | exponent);
        }
        wrong |= sign & !signs;
        let first_zero = masks.zero & (first | after_first_sign & digit);
        wrong |= shift(first_zero, &mut self.first_zero) & digit;
        // The digits of a fraction end before another dot.
        wrong |= end_of_run(after_dot & digit, digit, &mut self.fraction) & dot;

        // Neighbours.
        let value_ends = (closing | closes) << 1 | before_scalar & !scalar;
        let after_value = skip_space(value_ends, (closing | closes) >> 63, space, &mut self.after_value);
        let after_open = skip_space(opens << 1, opens >> 63, space, &mut self.after_open);
        let after_comma = skip_space(comma << 1, comma >> 63, space, &mut self.after_comma);
        let value_starts = opening | starts | opens;
        wrong |= after_value & value_starts;
        wrong |= (comma | colon) & !after_value;
        wrong |= closes & !(after_value | after_open);
        let key_places = after_open | after_comma;
        // From the opening quotes of strings in such places to their closing ones.
        let key_ends = end_of_run(opening & key_places, inside, &mut self.in_key) & closing;
        let after_key = skip_space(key_ends << 1, key_ends >> 63, space, &mut self.after_key);
        wrong |= colon & !after_key;

        Judgement { wrong, wrong_in_object: key_places & value_starts & !opening | after_key & !colon }
    }
}

/// `mask` one place on, with what left the block before.
#[inline(always)]
fn shift(mask: u64, carried: &mut u64) -> u64 {
    let shifted = mask << 1 | *carried;
    *carried = mask >> 63;
    shifted
}

/// For each bit of `starts`, where its run of bits in `runs` starts, the place behind that run.
#[inline(always)]
fn end_of_run(starts: u64, runs: u64, carried: &mut u64) -> u64 {
    let (sum, overflows) = ((starts | *carried) & runs).overflowing_add(runs);
    let ends = sum & !runs | *carried & !runs;
    *carried = u64::from(overflows);
    ends
}

/// `places` and what the block before left, each moved over the white space that starts there; `leaving` goes to the next.
#[inline(always)]
fn skip_space(places: u64, leaving: u64, space: u64, carried: &mut u64) -> u64 {
    let places = places | *carried;
    if space == 0 {
        *carried = leaving;
        return places;
    }
    let (sum, overflows) = (places & space).overflowing_add(space);
    *carried = leaving | u64::from(overflows);
    sum & !space | places & !space
}

/// The length of the word at `at`, or 0 when there is none, or more than a word: its letters are then taken for a number, and
/// refused.
#[inline(never)]
fn word_at(text: &[u8], at: usize) -> u32 {
    let rest = text.get(at..).unwrap_or_default();
    let length = match rest {
        [b't', b'r', b'u', b'e', ..] | [b'n', b'u', b'l', b'l', ..] => 4,
        [b'f', b'a', b'l', b's', b'e', ..] => 5,
        _ => return 0,
    };
    let is_end = matches!(
        rest.get(length),
        None | Some(b' ' | b'\n' | b'\r' | b'\t' | b',' | b']' | b'}' | b':' | b'[' | b'{' | b'"')
    );
    if is_end { length as u32 } else { 0 }
}
