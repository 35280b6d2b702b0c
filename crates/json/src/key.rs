//! Comparing a key as it stands in the text, escapes and all, with a name.

use crate::scan::Unit;

/// Whether the characters between a key's quotes, unescaped, are `name`, which is ASCII. `text` is well-formed.
pub(crate) fn key_is<U: Unit>(text: &[U], name: &[u8]) -> bool {
    // The shortest spelling has one unit a character, the longest six (\u005f).
    if text.len() < name.len() || text.len() > 6 * name.len() {
        return false;
    }
    let mut at = 0;
    for &expected in name {
        let Some(unit) = text.get(at) else { return false };
        let (character, width) =
            if unit.code() == u16::from(b'\\') { unescape(&text[at..]) } else { (unit.code(), 1) };
        if character != u16::from(expected) {
            return false;
        }
        at += width;
    }
    at == text.len()
}

/// The code unit that an escape stands for, and the escape's length.
fn unescape<U: Unit>(escape: &[U]) -> (u16, usize) {
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
