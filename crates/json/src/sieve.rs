//! The fast pass: sixty-four bytes at a time, it tells texts in which there is certainly nothing to find from those that the
//! exact scan has to look at. It may suspect a text that is fine; it never passes one that is not.
//!
//! There are two promises, for two callers. [`Trust::Nothing`]: a text that passes is JSON, and clean. [`Trust::Parser`]: a
//! text that passes is clean if it is JSON, which a parser is going to say; the grammar is not looked at twice then.

use crate::blocks::{BLOCK, Blocks, Masks, Pass, dispatch};
use crate::containers::{Containers, Wanted, Workspace};
use crate::grammar::{Grammar, Tokens};
use crate::hash::HashKey;
use crate::lanes::GROUP;
use crate::numbers::Numbers;
use crate::options::{Options, Policy};
use crate::strings::{StringScan, Strings};

/// Who says whether the text is JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trust {
    /// The guard itself.
    Nothing,
    /// A JSON parser that reads the same text after it and accepts RFC 8259's grammar only.
    Parser,
}

/// What the sieve looks for: the options, made ready once.
#[derive(Clone, Debug)]
pub(crate) struct Checks {
    proto_key: bool,
    constructor_key: bool,
    numbers: bool,
    max_depth: usize,
    max_keys: usize,
    /// In bytes of text.
    max_string: usize,
    wanted: Wanted,
}

impl Checks {
    pub(crate) fn new(options: &Options) -> Checks {
        let limits = options.limits;
        let hash_key = HashKey::of_process();
        // As UTF-8 and as a folded string has them; a key that has to be written with an escape is looked at in any case.
        let forbidden = options.forbidden.iter().flat_map(|name| {
            [hash_key.hash(String::from_utf16_lossy(name).as_bytes()), hash_key.hash(&folded(name))]
        });
        Checks {
            proto_key: options.proto_key != Policy::Ignore,
            constructor_key: options.constructor_key != Policy::Ignore,
            numbers: options.refuse_lossy,
            max_depth: limits.depth,
            max_keys: limits.keys,
            max_string: limits.string_length,
            wanted: Wanted {
                max_depth: limits.depth,
                duplicates: options.refuse_duplicates,
                forbidden: forbidden.collect(),
                operators: options.operator_keys != Policy::Ignore,
                max_key: limits.key_length,
                max_array: limits.array_length,
            },
        }
    }
}

/// UTF-16 with a byte a unit: Latin-1 as it is, and anything else some byte above 0x7F. Different keys may look the same then,
/// which only makes the sieve suspect more; equal ones look the same.
pub(crate) fn folded(text: &[u16]) -> Vec<u8> {
    text.iter().map(|&unit| if unit < 0x80 { unit as u8 } else { 0x80 | unit as u8 }).collect()
}

/// What the sieve says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The exact scan has to look.
    Suspicious,
    /// Clean; `ascii`: no byte is above 0x7F. If not, whether the bytes are UTF-8 is still open.
    Clean { ascii: bool },
}

/// Looks at `text`; without vector instructions everything is suspicious.
pub(crate) fn sieve(text: &[u8], checks: &Checks, trust: Trust) -> Verdict {
    let sieve = Sieve { text, checks };
    let verdict = match (trust, checks.wanted.anything(text)) {
        (Trust::Parser, false) => dispatch(Skim(sieve)),
        (Trust::Parser, true) => Workspace::lend(|work| dispatch(Walk(sieve, work))),
        (Trust::Nothing, false) => Workspace::lend(|work| dispatch(Judge::<false>(sieve, work))),
        (Trust::Nothing, true) => Workspace::lend(|work| dispatch(Judge::<true>(sieve, work))),
    };
    verdict.unwrap_or(Verdict::Suspicious)
}

/// The sieve on one text.
struct Sieve<'a> {
    text: &'a [u8],
    checks: &'a Checks,
}

struct Skim<'a>(Sieve<'a>);
struct Walk<'a>(Sieve<'a>, &'a mut Workspace);
struct Judge<'a, const COUNTS: bool>(Sieve<'a>, &'a mut Workspace);

impl Pass for Skim<'_> {
    type Output = Verdict;

    #[inline(always)]
    fn run<B: Blocks>(self) -> Verdict {
        self.0.skim::<B>()
    }
}

impl Pass for Walk<'_> {
    type Output = Verdict;

    #[inline(always)]
    fn run<B: Blocks>(self) -> Verdict {
        self.0.walk::<B>(self.1)
    }
}

impl<const COUNTS: bool> Pass for Judge<'_, COUNTS> {
    type Output = Verdict;

    #[inline(always)]
    fn run<B: Blocks>(self) -> Verdict {
        self.0.judge::<B, COUNTS>(self.1)
    }
}

impl Sieve<'_> {
    /// The default checks for a text that a parser reads afterwards: no token is looked at by itself.
    #[inline(always)]
    fn skim<B: Blocks>(self) -> Verdict {
        let mut common = Common::new(self.checks, self.text);
        let mut depth = 0;
        let text = Text::new(self.text);
        let mut next = text.first();
        while let Some((block, at)) = next {
            let masks = B::masks(block);
            let strings = common.next::<B>(&masks, at);
            let opens = (masks.open_brace | masks.open_bracket) & !strings.inside;
            let closes = (masks.close_brace | masks.close_bracket) & !strings.inside;
            let opened = i64::from(opens.count_ones());
            if depth + opened > common.max_depth {
                common.suspicious |= deepest(depth, opens, closes) > common.max_depth;
            }
            depth += opened - i64::from(closes.count_ones());
            next = if common.suspicious { None } else { text.after(at) };
        }
        common.verdict()
    }

    /// All checks but for the grammar.
    #[inline(always)]
    fn walk<B: Blocks>(self, work: &mut Workspace) -> Verdict {
        let mut common = Common::new(self.checks, self.text);
        let mut containers = Containers::new(&self.checks.wanted, work, self.text);
        let text = Text::new(self.text);
        let mut next = text.first();
        while let Some((block, at)) = next {
            let masks = B::masks(block);
            let strings = common.next::<B>(&masks, at);
            let tokens = Tokens::new(&masks, &strings);
            containers.next::<B, false, true>(&strings, &tokens, 0, at);
            common.suspicious |= containers.suspicious;
            next = if common.suspicious { None } else { text.after(at) };
        }
        if !common.suspicious {
            containers.finish::<B, false, true>();
            common.suspicious |= containers.suspicious;
        }
        common.verdict()
    }

    /// All checks, and the grammar: eight blocks at a time.
    #[inline(always)]
    fn judge<B: Blocks, const COUNTS: bool>(self, work: &mut Workspace) -> Verdict {
        let mut common = Common::new(self.checks, self.text);
        let mut grammar = Grammar::default();
        let mut containers = Containers::new(&self.checks.wanted, work, self.text);
        let text = Text::new(self.text);
        let mut strings = [Strings::default(); GROUP];
        let mut tokens = [Tokens::default(); GROUP];
        let mut next = text.first();
        let mut start = 0;
        loop {
            let mut count = 0;
            while let Some((block, at)) = next
                && count < GROUP
            {
                let masks = B::masks(block);
                strings[count] = common.next::<B>(&masks, at);
                tokens[count] = Tokens::new(&masks, &strings[count]);
                grammar.put(count, &masks, &strings[count], &tokens[count]);
                count += 1;
                next = text.after(at);
            }
            if count == 0 {
                break;
            }
            if count < GROUP {
                grammar.fill_up(count);
            }
            let wrong_in_object = grammar.judge::<B::Lanes>(self.text, start);
            for index in 0..count {
                let at = start + index * BLOCK;
                containers.next::<B, true, COUNTS>(
                    &strings[index],
                    &tokens[index],
                    wrong_in_object[index],
                    at,
                );
            }
            common.suspicious |= grammar.is_wrong | containers.suspicious;
            if common.suspicious {
                break;
            }
            start += count * BLOCK;
        }
        if !common.suspicious {
            containers.finish::<B, true, COUNTS>();
            common.suspicious |= containers.suspicious | !grammar.is_complete();
        }
        common.verdict()
    }
}

/// What both ways look for.
struct Common<'a> {
    checks: &'a Checks,
    text: &'a [u8],
    strings: StringScan,
    names: Names,
    numbers: Numbers,
    keys: usize,
    last_opening: usize,
    max_depth: i64,
    /// What is beyond the default checks. A text that is too short to be over a limit is not measured.
    counts_keys: bool,
    measures_strings: bool,
    has_rarer_checks: bool,
    high: u64,
    suspicious: bool,
}

impl<'a> Common<'a> {
    fn new(checks: &'a Checks, text: &'a [u8]) -> Self {
        let counts_keys = text.len() / 4 > checks.max_keys;
        let measures_strings = text.len() > checks.max_string;
        Common {
            checks,
            text,
            strings: StringScan::default(),
            names: Names::default(),
            numbers: Numbers::default(),
            keys: 0,
            last_opening: 0,
            max_depth: i64::try_from(checks.max_depth).unwrap_or(i64::MAX),
            counts_keys,
            measures_strings,
            has_rarer_checks: checks.numbers || counts_keys || measures_strings,
            high: 0,
            suspicious: false,
        }
    }

    #[inline(always)]
    fn next<B: Blocks>(&mut self, masks: &Masks, at: usize) -> Strings {
        let was_open = self.strings.is_open();
        let strings = self.strings.next::<B>(masks, self.text, at);
        let (proto, constructor) = self.names.next(masks, &strings);
        let dangerous = self.checks.proto_key && proto || self.checks.constructor_key && constructor;
        self.suspicious |= dangerous;
        self.high |= masks.high;
        if self.has_rarer_checks {
            self.rarer_checks(masks, &strings, was_open, at);
        }
        strings
    }

    /// The checks that are off by default, and look at single bytes.
    #[inline(always)]
    fn rarer_checks(&mut self, masks: &Masks, strings: &Strings, was_open: bool, at: usize) {
        if self.checks.numbers {
            let outside = !strings.inside;
            self.suspicious |=
                !self.numbers.fit(masks.digit & outside, masks.exponent & outside, self.text, at);
        }
        if self.counts_keys {
            self.keys += (masks.colon & !strings.inside).count_ones() as usize;
            self.suspicious |= self.keys > self.checks.max_keys;
        }
        if self.measures_strings {
            self.lengths(strings, was_open, at);
        }
    }

    /// A string is at most as long as its text. One that ends in the block it starts in is shorter than a block.
    #[inline(always)]
    fn lengths(&mut self, strings: &Strings, was_open: bool, at: usize) {
        let limit = self.checks.max_string;
        let mut closing = strings.closing;
        let mut opening = strings.opening;
        if was_open {
            let end = at + closing.trailing_zeros() as usize;
            self.suspicious |= end - self.last_opening > limit;
            closing &= closing.wrapping_sub(1);
        }
        if limit < BLOCK {
            while opening != 0 && closing != 0 {
                self.suspicious |= (closing.trailing_zeros() - opening.trailing_zeros()) as usize > limit + 1;
                opening &= opening - 1;
                closing &= closing - 1;
            }
        }
        if strings.opening != 0 {
            self.last_opening = at + 64 - strings.opening.leading_zeros() as usize;
        }
    }

    fn verdict(&self) -> Verdict {
        if self.suspicious || self.strings.suspicious || self.strings.is_open() {
            Verdict::Suspicious
        } else {
            Verdict::Clean { ascii: self.high == 0 }
        }
    }
}

/// Finds the strings `"__proto__"` and `"constructor"` by where their letters stand: bits of this block and the one before.
#[derive(Default)]
#[repr(C)]
struct Names {
    // Underscores and c's, which are looked at in each block, do not lie side by side: the compiler would read both at once,
    // and that has to wait until they are written.
    underscore: u64,
    quote: u64,
    letter_r: u64,
    letter_c: u64,
    /// There were two underscores in a row, or two c's as in `constructor`.
    pair: u64,
}

impl Names {
    #[inline(always)]
    fn next(&mut self, masks: &Masks, strings: &Strings) -> (bool, bool) {
        let pair = masks.underscore & back(masks.underscore, self.underscore, 1)
            | masks.letter_c & back(masks.letter_c, self.letter_c, 7);
        let found = if pair | self.pair == 0 { (false, false) } else { self.look(masks, strings) };
        *self = Names {
            quote: strings.opening,
            underscore: masks.underscore,
            letter_c: masks.letter_c,
            letter_r: masks.letter_r,
            pair,
        };
        found
    }

    #[inline(always)]
    fn look(&self, masks: &Masks, strings: &Strings) -> (bool, bool) {
        let proto = strings.closing
            & back(masks.underscore, self.underscore, 1)
            & back(masks.underscore, self.underscore, 2)
            & back(masks.underscore, self.underscore, 8)
            & back(masks.underscore, self.underscore, 9)
            & back(strings.opening, self.quote, 10);
        let constructor = strings.closing
            & back(masks.letter_r, self.letter_r, 1)
            & back(masks.letter_c, self.letter_c, 4)
            & back(masks.letter_r, self.letter_r, 6)
            & back(masks.letter_c, self.letter_c, 11)
            & back(strings.opening, self.quote, 12);
        (proto != 0, constructor != 0)
    }
}

/// For each place, the bit that stands `places` before it.
#[inline(always)]
fn back(now: u64, before: u64, places: u32) -> u64 {
    now << places | before >> (64 - places)
}

/// The greatest depth that the brackets of a block reach, from `depth` on.
#[cold]
fn deepest(mut depth: i64, opens: u64, closes: u64) -> i64 {
    let mut deepest = depth;
    let mut brackets = opens | closes;
    while brackets != 0 {
        let bracket = brackets & brackets.wrapping_neg();
        brackets ^= bracket;
        depth += if opens & bracket != 0 { 1 } else { -1 };
        deepest = deepest.max(depth);
    }
    deepest
}

/// A text in blocks, the last one filled up with spaces (at least one).
struct Text<'a> {
    blocks: &'a [[u8; BLOCK]],
    last: [u8; BLOCK],
}

// No closures here and above: one would be compiled by itself, without the instructions.
impl<'a> Text<'a> {
    #[inline(always)]
    fn new(text: &'a [u8]) -> Self {
        let (blocks, rest) = text.as_chunks::<BLOCK>();
        let mut last = [b' '; BLOCK];
        last[..rest.len()].copy_from_slice(rest);
        Text { blocks, last }
    }

    /// The first block, and where it starts.
    #[inline(always)]
    fn first(&self) -> Option<(&[u8; BLOCK], usize)> {
        Some((self.blocks.first().unwrap_or(&self.last), 0))
    }

    /// The block after the one at `at`.
    #[inline(always)]
    fn after(&self, at: usize) -> Option<(&[u8; BLOCK], usize)> {
        let index = at / BLOCK + 1;
        if index > self.blocks.len() {
            return None;
        }
        Some((self.blocks.get(index).unwrap_or(&self.last), at + BLOCK))
    }
}
