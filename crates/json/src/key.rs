//! Keys as they stand in the text, escapes and all, compared by the characters they stand for.

use crate::unit::Unit;

/// The code units that the characters between a string's quotes stand for. `text` is well-formed.
pub(crate) fn units<U: Unit>(text: &[U]) -> impl Iterator<Item = u16> + Clone {
    let mut rest = text;
    // The second half of a pair that one UTF-8 sequence stands for.
    let mut low = None;
    std::iter::from_fn(move || {
        if let Some(unit) = low.take() {
            return Some(unit);
        }
        let first = rest.first()?;
        let (unit, width) = if first.code() == u16::from(b'\\') {
            unescape(rest)
        } else {
            let (character, width) = U::character(rest);
            if let Ok(unit) = u16::try_from(character) {
                (unit, width)
            } else {
                let above = character - 0x1_0000;
                low = Some(0xDC00 | (above & 0x3FF) as u16);
                (0xD800 | (above >> 10) as u16, width)
            }
        };
        rest = rest.get(width..).unwrap_or_default();
        Some(unit)
    })
}

/// Whether the characters between a key's quotes, unescaped, are `name`, which is ASCII. `text` is well-formed.
#[inline]
pub(crate) fn key_is<U: Unit>(text: &[U], name: &[u8]) -> bool {
    // The shortest spelling has one unit a character, the longest six (\u005f).
    if text.len() < name.len() || text.len() > 6 * name.len() {
        return false;
    }
    units(text).eq(name.iter().copied().map(u16::from))
}

/// The code unit that an escape stands for, and the escape's length.
pub(crate) fn unescape<U: Unit>(escape: &[U]) -> (u16, usize) {
    let code = |index: usize| escape.get(index).map_or(0, |unit| unit.code());
    let character = match u8::try_from(code(1)).unwrap_or(0) {
        b'u' => {
            let digits = (2..6)
                .map(|index| char::from_u32(u32::from(code(index))).and_then(|digit| digit.to_digit(16)));
            let value = digits.fold(0, |value, digit| (value << 4) | digit.unwrap_or(0));
            return (value as u16, 6);
        }
        b'b' => 0x08,
        b'f' => 0x0C,
        b'n' => 0x0A,
        b'r' => 0x0D,
        b't' => 0x09,
        literal => u16::from(literal),
    };
    (character, 2)
}
