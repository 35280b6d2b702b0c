//! UTF-16 haystacks as bytes for the automaton: generalised UTF-8, where a surrogate is three bytes like any other unit.
//!
//! With `u` a surrogate pair is one character of four bytes and only lone surrogates stand alone (WTF-8); without `u`
//! every code unit is a character of its own. Nothing is replaced, so the mapping can be undone exactly.

/// The haystack's bytes.
pub(crate) fn encode(units: &[u16], join_pairs: bool) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(units.len() * 3);
    let mut at = 0;
    while at < units.len() {
        // Most of most texts is ASCII: a block of it becomes vector instructions.
        let block = units[at..].first_chunk::<BLOCK>();
        if let Some(block) = block.filter(|block| block.iter().fold(0, |all, unit| all | unit) < 0x80) {
            bytes.extend(block.map(|unit| unit as u8));
            at += BLOCK;
            continue;
        }
        let end = (at + BLOCK).min(units.len());
        while at < end {
            let unit = units[at];
            at += 1;
            let mut character = u32::from(unit);
            if join_pairs
                && is_high_surrogate(unit)
                && let Some(&low) = units.get(at).filter(|&&next| is_low_surrogate(next))
            {
                character = 0x1_0000 + ((character & 0x3FF) << 10) + (u32::from(low) & 0x3FF);
                at += 1;
            }
            push(&mut bytes, character);
        }
    }
    bytes
}

/// Units looked at together.
const BLOCK: usize = 16;

fn push(bytes: &mut Vec<u8>, character: u32) {
    let continuation = |shift: u32| 0x80 | ((character >> shift) & 0x3F) as u8;
    match character {
        0..0x80 => bytes.push(character as u8),
        0x80..0x800 => {
            bytes.extend([0xC0 | (character >> 6) as u8, continuation(0)]);
        }
        0x800..0x1_0000 => {
            bytes.extend([0xE0 | (character >> 12) as u8, continuation(6), continuation(0)]);
        }
        _ => {
            bytes.extend([
                0xF0 | (character >> 18) as u8,
                continuation(12),
                continuation(6),
                continuation(0),
            ]);
        }
    }
}

/// A place in a haystack, as an offset of its bytes and of its units; always at the start of a character or the end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) byte: usize,
    pub(crate) unit: usize,
}

impl Place {
    /// Forward to the character that contains `unit`, which does not lie before this place.
    pub(crate) fn forward_to_unit(mut self, bytes: &[u8], unit: usize) -> Place {
        while let Some(&lead) = bytes.get(self.byte) {
            let (bytes, units) = width(lead);
            if self.unit + units > unit {
                break;
            }
            self.byte += bytes;
            self.unit += units;
        }
        self
    }

    /// Forward to `byte`, which is a character's first or the end, and does not lie before this place.
    pub(crate) fn forward_to_byte(mut self, bytes: &[u8], byte: usize) -> Place {
        while self.byte < byte {
            let (bytes, units) = width(bytes[self.byte]);
            self.byte += bytes;
            self.unit += units;
        }
        self
    }
}

/// Bytes and units of the character that starts with `lead`.
fn width(lead: u8) -> (usize, usize) {
    match lead {
        0..0x80 => (1, 1),
        0x80..0xE0 => (2, 1),
        0xE0..0xF0 => (3, 1),
        _ => (4, 2),
    }
}

fn is_high_surrogate(unit: u16) -> bool {
    unit & 0xFC00 == 0xD800
}

fn is_low_surrogate(unit: u16) -> bool {
    unit & 0xFC00 == 0xDC00
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn well_formed_text_is_utf8(text in ".*") {
            let units: Vec<u16> = text.encode_utf16().collect();
            prop_assert_eq!(encode(&units, true), text.as_bytes());
        }

        #[test]
        fn offsets_go_both_ways(
            units in prop::collection::vec(
                prop_oneof![0u16..0x80, 0xD7F0u16..0xE010, any::<u16>()], 0..40),
            join in any::<bool>(),
        ) {
            let bytes = encode(&units, join);
            for unit in 0..=units.len() {
                let place = Place::default().forward_to_unit(&bytes, unit);
                prop_assert_eq!(Place::default().forward_to_byte(&bytes, place.byte), place);
                let inside_pair = join && unit > 0 && unit < units.len()
                    && is_low_surrogate(units[unit]) && is_high_surrogate(units[unit - 1]) && place.unit == unit - 1;
                prop_assert_eq!(place.unit, if inside_pair { unit - 1 } else { unit });
            }
        }
    }
}
