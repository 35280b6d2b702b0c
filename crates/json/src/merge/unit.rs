//! What the merge asks of a unit of text, beyond what the scan does.

use std::hash::Hash;

use crate::Unit;
use crate::blocks::BLOCK;

/// A byte of UTF-8 or a UTF-16 code unit.
pub trait TextUnit: Unit + Eq + Hash + 'static {
    /// An ASCII character.
    fn ascii(byte: u8) -> Self;

    /// Appends a character that stood in the text as an escape. The two halves of a pair become one character, a half
    /// by itself something that no text without escapes can hold.
    fn append(text: &mut Vec<Self>, code: u16);

    /// How many units a byte order mark at the text's start takes.
    fn byte_order_mark(text: &[Self]) -> usize;

    /// The units as bytes: ASCII as it is, anything else as anything else.
    fn narrow(block: &[Self; BLOCK]) -> [u8; BLOCK];
}

impl TextUnit for u8 {
    #[inline(always)]
    fn ascii(byte: u8) -> u8 {
        byte
    }

    fn append(text: &mut Vec<u8>, code: u16) {
        let code = u32::from(code);
        // Text that passed the guard is UTF-8, which has no surrogates: what looks like one was an escape.
        if let (0xDC00..=0xDFFF, &[.., 0xED, high @ 0xA0..=0xAF, middle]) = (code, text.as_slice()) {
            let high = (u32::from(high & 0x0F) << 6) | u32::from(middle & 0x3F);
            let character = 0x1_0000 + (high << 10) + (code & 0x3FF);
            text.truncate(text.len() - 3);
            text.extend([18, 12, 6, 0].map(|shift| tail(character, shift)));
            let first = text.len() - 4;
            text[first] |= 0xF0;
        } else if code < 0x80 {
            text.push(code as u8);
        } else if code < 0x800 {
            text.extend([0xC0 | (code >> 6) as u8, tail(code, 0)]);
        } else {
            text.extend([0xE0 | (code >> 12) as u8, tail(code, 6), tail(code, 0)]);
        }
    }

    fn byte_order_mark(text: &[u8]) -> usize {
        if text.starts_with(b"\xEF\xBB\xBF") { 3 } else { 0 }
    }

    #[inline(always)]
    fn narrow(block: &[u8; BLOCK]) -> [u8; BLOCK] {
        *block
    }
}

/// Six bits of a character, as a following byte of UTF-8 has them.
fn tail(character: u32, shift: u32) -> u8 {
    0x80 | ((character >> shift) & 0x3F) as u8
}

impl TextUnit for u16 {
    #[inline(always)]
    fn ascii(byte: u8) -> u16 {
        u16::from(byte)
    }

    fn append(text: &mut Vec<u16>, code: u16) {
        text.push(code);
    }

    fn byte_order_mark(_: &[u16]) -> usize {
        0
    }

    #[inline(always)]
    fn narrow(block: &[u16; BLOCK]) -> [u8; BLOCK] {
        block.map(|unit| if unit > 0x7F { 0xFF } else { unit as u8 })
    }
}
