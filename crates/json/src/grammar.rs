//! The grammar of RFC 8259 on bit masks: which tokens may stand next to each other, and what numbers and words look like.
//! What depends on the container around it comes out as masks, for the walk over the brackets.
//!
//! A mask moved by one place, with the bit that left the block before, says what stands before each byte; where white space
//! may lie between, an addition carries the bit to the other end of the run. Eight blocks are judged at once, as one long mask:
//! strings, numbers and white space go on from one block into the next.

use crate::blocks::{BLOCK, Masks};
use crate::lanes::{self, GROUP, Lanes};
use crate::strings::Strings;

/// The tokens of a block, outside strings.
#[derive(Clone, Copy, Debug, Default)]
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

/// The blocks to be judged, and what goes on from those before: of each mask the bit that leaves it.
#[derive(Default)]
pub(crate) struct Grammar {
    blocks: Blocks,
    scalar: u64,
    digit: u64,
    dot: u64,
    exponent: u64,
    sign: u64,
    /// A sign that follows an exponent.
    exponent_sign: u64,
    first_zero: u64,
    ends: u64,
    opens: u64,
    comma: u64,
    key_ends: u64,
    /// The part of a word that lies in the next group.
    word: u64,
    /// In a fraction's digits, in an exponent's, in a string that stands where a key does.
    fraction: u64,
    power: u64,
    in_key: u64,
    /// After so and so, with nothing but white space since.
    after_value: u64,
    after_open: u64,
    after_comma: u64,
    after_key: u64,
    /// Something is wrong, wherever it stands.
    pub(crate) is_wrong: bool,
}

/// What blocks are made of, as it is put in.
#[derive(Default)]
struct Blocks {
    inside: lanes::Masks,
    opening: lanes::Masks,
    closing: lanes::Masks,
    control: lanes::Masks,
    space: lanes::Masks,
    opens: lanes::Masks,
    closes: lanes::Masks,
    colon: lanes::Masks,
    comma: lanes::Masks,
    digit: lanes::Masks,
    zero: lanes::Masks,
    minus: lanes::Masks,
    plus: lanes::Masks,
    dot: lanes::Masks,
    exponent: lanes::Masks,
}

impl Grammar {
    /// Whether the text may end here: nothing but white space since a value.
    pub(crate) fn is_complete(&self) -> bool {
        self.after_value != 0
    }

    /// Puts in the block with this `index` in the group.
    #[inline(always)]
    pub(crate) fn put(&mut self, index: usize, masks: &Masks, strings: &Strings, tokens: &Tokens) {
        let blocks = &mut self.blocks;
        blocks.inside[index] = strings.inside;
        blocks.opening[index] = strings.opening;
        blocks.closing[index] = strings.closing;
        blocks.control[index] = masks.control;
        blocks.space[index] = masks.space;
        blocks.opens[index] = tokens.opens;
        blocks.closes[index] = tokens.closes;
        blocks.colon[index] = tokens.colon;
        blocks.comma[index] = tokens.comma;
        blocks.digit[index] = tokens.digit;
        blocks.zero[index] = masks.zero;
        blocks.minus[index] = masks.minus;
        blocks.plus[index] = masks.plus;
        blocks.dot[index] = masks.dot;
        blocks.exponent[index] = masks.exponent;
    }

    /// Puts white space in place of the blocks from `count` on: the text is over.
    pub(crate) fn fill_up(&mut self, count: usize) {
        let blank = Masks { space: u64::MAX, ..Masks::default() };
        for index in count..GROUP {
            self.put(index, &blank, &Strings::default(), &Tokens::default());
        }
    }

    /// Judges the group, which starts at `at` in the text. For each block what is wrong if it is in an object: a value where a
    /// key has to be, or a key without a colon.
    #[inline(always)]
    pub(crate) fn judge<L: Lanes>(&mut self, text: &[u8], at: usize) -> lanes::Masks {
        let blocks = &self.blocks;
        let inside = L::load(&blocks.inside);
        let opening = L::load(&blocks.opening);
        let closing = L::load(&blocks.closing);
        let opens = L::load(&blocks.opens);
        let closes = L::load(&blocks.closes);
        let colon = L::load(&blocks.colon);
        let comma = L::load(&blocks.comma);
        let digit = L::load(&blocks.digit);
        let minus = L::load(&blocks.minus);
        let space = L::load(&blocks.space).without(inside);
        let separators = colon.or(comma);
        let tokens = opens.or(closes).or(separators);
        let scalar = inside.or(closing).or(space).or(tokens).not();
        let before_scalar = scalar.shift(&mut self.scalar);
        let starts = scalar.without(before_scalar);
        let mut wrong = L::load(&blocks.control).and(inside);

        // Words.
        let words = starts.without(digit.or(minus));
        let mut number = scalar;
        if !words.is_zero() || self.word != 0 {
            number = scalar.without(L::load(&self.words(&words.store(), text, at)));
        }

        // Numbers.
        let blocks = &self.blocks;
        let first = starts.and(number);
        let dot = L::load(&blocks.dot).and(number);
        let exponent = L::load(&blocks.exponent).and(number);
        let sign = minus.or(L::load(&blocks.plus)).and(number);
        let after_digit = digit.shift(&mut self.digit);
        let after_dot = dot.shift(&mut self.dot);
        let after_sign = sign.shift(&mut self.sign);
        let after_exponent = exponent.shift(&mut self.exponent);
        let exponent_sign = sign.and(after_exponent);
        let after_exponent_sign = exponent_sign.shift(&mut self.exponent_sign);
        let first_sign = first.and(minus);
        wrong = wrong.or(number.without(digit.or(sign).or(dot).or(exponent)));
        wrong = wrong.or(sign.without(first_sign.or(exponent_sign)));
        wrong = wrong.or(dot.or(exponent).without(after_digit));
        wrong = wrong.or(after_dot.or(after_sign).without(digit));
        wrong = wrong.or(after_exponent.without(digit.or(sign)));
        let first_digit = first.or(after_sign.without(after_exponent_sign).and(digit));
        let first_zero = L::load(&blocks.zero).and(first_digit);
        wrong = wrong.or(first_zero.shift(&mut self.first_zero).and(digit));
        // The digits of a fraction end before another dot, those of an exponent before both.
        let fraction_ends = behind_runs(after_dot, digit, &mut self.fraction);
        wrong = wrong.or(fraction_ends.and(dot));
        let power_ends = behind_runs(after_exponent.or(after_exponent_sign), digit, &mut self.power);
        wrong = wrong.or(power_ends.and(dot.or(exponent)));

        // Neighbours.
        let behind_values = closing.or(closes).shift(&mut self.ends).or(before_scalar.without(scalar));
        let after_value = skip_space(behind_values, space, &mut self.after_value);
        let after_open = skip_space(opens.shift(&mut self.opens), space, &mut self.after_open);
        let after_comma = skip_space(comma.shift(&mut self.comma), space, &mut self.after_comma);
        let value_starts = opening.or(starts).or(opens);
        wrong = wrong.or(after_value.and(value_starts));
        wrong = wrong.or(separators.without(after_value));
        wrong = wrong.or(closes.without(after_value.or(after_open)));
        let key_places = after_open.or(after_comma);
        // From the opening quotes of strings in such places to their closing ones.
        let key_ends = behind_runs(opening.and(key_places), inside, &mut self.in_key).and(closing);
        let after_key = skip_space(key_ends.shift(&mut self.key_ends), space, &mut self.after_key);
        wrong = wrong.or(colon.without(after_key));

        self.is_wrong |= !wrong.is_zero();
        let values = key_places.and(value_starts).without(opening);
        values.or(after_key.without(colon)).store()
    }

    /// The words that start at the ones of `starts`. What is no word stays out: it is taken for a number, and refused.
    #[inline(never)]
    fn words(&mut self, starts: &lanes::Masks, text: &[u8], at: usize) -> lanes::Masks {
        let mut word = [0; GROUP];
        for (index, (word, &starts)) in word.iter_mut().zip(starts).enumerate() {
            *word = std::mem::take(&mut self.word);
            let mut starts = starts;
            while starts != 0 {
                let place = starts.trailing_zeros();
                starts &= starts - 1;
                let length = word_at(text, at + BLOCK * index + place as usize);
                let span = ((1u128 << length) - 1) << place;
                *word |= span as u64;
                self.word |= (span >> BLOCK) as u64;
            }
        }
        word
    }
}

/// For each bit of `starts`, where a run of bits in `runs` starts, the place behind that run.
#[inline(always)]
fn behind_runs<L: Lanes>(starts: L, runs: L, carry: &mut u64) -> L {
    starts.and(runs).add(runs, carry).without(runs)
}

/// Each place moved over the white space that starts there.
#[inline(always)]
fn skip_space<L: Lanes>(places: L, space: L, carry: &mut u64) -> L {
    behind_runs(places, space, carry).or(places.without(space))
}

/// The length of the word at `at`, or 0 when there is none, or more than a word: its letters are then taken for a number, and
/// refused.
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
