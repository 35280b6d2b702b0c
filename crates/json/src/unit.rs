//! What texts are made of: bytes of UTF-8 or UTF-16 code units. Everything that JSON's grammar looks at is ASCII, and has
//! the same value in both.

/// One unit of a text.
pub trait Unit: Copy {
    /// The unit's value.
    fn code(self) -> u16;

    /// The character that `text` starts with, and its width in units: a code point, or a surrogate by itself.
    fn character(text: &[Self]) -> (u32, usize);

    /// How many units stand before the first quote, backslash or control character.
    fn plain_run(text: &[Self]) -> usize {
        text.iter().position(|unit| is_special(unit.code())).unwrap_or(text.len())
    }
}

impl Unit for u8 {
    #[inline(always)]
    fn code(self) -> u16 {
        u16::from(self)
    }

    fn character(text: &[u8]) -> (u32, usize) {
        let byte = |index: usize| text.get(index).map_or(0, |&byte| u32::from(byte));
        let tail = |index: usize| byte(index) & 0x3F;
        match byte(0) {
            first @ 0..0x80 => (first, 1),
            first @ 0..0xE0 => ((first & 0x1F) << 6 | tail(1), 2),
            first @ 0..0xF0 => ((first & 0x0F) << 12 | tail(1) << 6 | tail(2), 3),
            first => ((first & 0x07) << 18 | tail(1) << 12 | tail(2) << 6 | tail(3), 4),
        }
    }

    #[inline(always)]
    fn plain_run(text: &[u8]) -> usize {
        // Eight bytes at a time: most strings end within two steps, and no branch depends on where.
        let (words, _) = text.as_chunks::<8>();
        for (index, word) in words.iter().enumerate() {
            let special = special_bytes(u64::from_le_bytes(*word));
            if special != 0 {
                return 8 * index + (special.trailing_zeros() / 8) as usize;
            }
        }
        let done = 8 * words.len();
        done + text[done..].iter().position(|&byte| is_special(u16::from(byte))).unwrap_or(text.len() - done)
    }
}

impl Unit for u16 {
    #[inline(always)]
    fn code(self) -> u16 {
        self
    }

    fn character(text: &[u16]) -> (u32, usize) {
        (text.first().map_or(0, |&unit| u32::from(unit)), 1)
    }
}

#[inline(always)]
fn is_special(code: u16) -> bool {
    matches!(code, 0x22 | 0x5C | 0..0x20)
}

/// The top bit of each byte that is a quote, a backslash or below 0x20. Exact up to the first such byte, counted from the
/// lowest; above it a borrow may set a bit too many.
#[inline(always)]
fn special_bytes(word: u64) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const TOPS: u64 = 0x8080_8080_8080_8080;
    let below = |word: u64, limit: u64| word.wrapping_sub(ONES * limit) & !word & TOPS;
    below(word ^ (ONES * u64::from(b'"')), 1) | below(word ^ (ONES * u64::from(b'\\')), 1) | below(word, 0x20)
}
