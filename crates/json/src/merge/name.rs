//! Keys as they compare: without quotes and escapes. What has no escapes is compared in place.

use crate::key::unescape;

use super::TextUnit;

const BACKSLASH: u16 = b'\\' as u16;

/// Appends the characters of `text`, which stood between quotes.
pub(super) fn unescape_into<U: TextUnit>(text: &[U], into: &mut Vec<U>) {
    let mut rest = text;
    while let Some(&first) = rest.first() {
        let width = if first.code() == BACKSLASH {
            let (code, width) = unescape(rest);
            U::append(into, code);
            width
        } else {
            into.push(first);
            1
        };
        rest = rest.get(width..).unwrap_or_default();
    }
}
