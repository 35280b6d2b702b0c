//! Where the strings of a text are, block by block, and whether an escape could spell a dangerous key.

use crate::blocks::{Blocks, Masks};

/// What a block has of strings.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Strings {
    /// From each opening quote up to, not including, the closing one.
    pub(crate) inside: u64,
    pub(crate) opening: u64,
    pub(crate) closing: u64,
    /// Backslashes, in strings or not.
    pub(crate) backslash: u64,
}

/// What goes on from one block to the next.
#[derive(Default)]
pub(crate) struct StringScan {
    /// All ones inside a string.
    inside: u64,
    /// 1 when the next block's first byte is escaped.
    escaped: u64,
    /// There is an escape that is none, or one that could spell a letter of a dangerous key.
    pub(crate) suspicious: bool,
}

impl StringScan {
    /// Whether the text up to here ends inside a string.
    pub(crate) fn is_open(&self) -> bool {
        self.inside != 0
    }

    /// The strings of the block at `at`, which starts where the block before ended.
    #[inline(always)]
    pub(crate) fn next<B: Blocks>(&mut self, masks: &Masks, text: &[u8], at: usize) -> Strings {
        let mut quote = masks.quote;
        if masks.backslash | self.escaped != 0 {
            quote &= !self.escapes(masks.backslash, text, at);
        }
        let inside = B::parity(quote) ^ self.inside;
        self.inside = ((inside as i64) >> 63) as u64;
        Strings { inside, opening: quote & inside, closing: quote & !inside, backslash: masks.backslash }
    }

    /// The bytes that are escaped by a backslash before them. A run of backslashes escapes every second one of itself; with
    /// an odd number it escapes what follows (Langdale and Lemire, "Parsing Gigabytes of JSON per Second", section 3.1.1).
    #[inline(never)]
    fn escapes(&mut self, backslash: u64, text: &[u8], at: usize) -> u64 {
        const EVEN: u64 = 0x5555_5555_5555_5555;
        let backslash = backslash & !self.escaped;
        let follows = backslash << 1 | self.escaped;
        let odd_starts = backslash & !EVEN & !follows;
        let (sequences, carry) = odd_starts.overflowing_add(backslash);
        self.escaped = u64::from(carry);
        let escaped = (EVEN ^ (sequences << 1)) & follows;
        let mut starts = escaped >> 1 | self.escaped << 63;
        while starts != 0 {
            let start = at + starts.trailing_zeros() as usize;
            starts &= starts - 1;
            self.suspicious |= is_suspicious(text.get(start + 1..).unwrap_or_default());
        }
        escaped
    }
}

/// `escape` begins after the backslash. The characters of `__proto__`, `constructor` and `prototype` are U+005F to U+0075, and
/// `$`, which starts operators, is U+0024.
fn is_suspicious(escape: &[u8]) -> bool {
    match escape {
        [b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't', ..] => false,
        [b'u', first, second, third, fourth, ..] => {
            let is_hex = [first, second, third, fourth].into_iter().all(u8::is_ascii_hexdigit);
            !is_hex || (*first == b'0' && *second == b'0' && matches!(third, b'2' | b'5'..=b'7'))
        }
        _ => true,
    }
}
