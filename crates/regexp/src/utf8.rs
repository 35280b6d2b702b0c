//! UTF-8, valid or not, as units for the backtracking engine, with the way back to byte offsets.

use crate::pattern::Error;
use crate::units::BAD;

pub(crate) struct Decoded {
    units: Vec<u32>,
    /// Where each unit starts, and the end.
    bytes: Vec<u32>,
}

impl Decoded {
    /// With `unicode` a unit is a character; otherwise a character outside the BMP is two, as in UTF-16.
    pub(crate) fn new(utf8: &[u8], unicode: bool, memory: usize) -> Result<Decoded, Error> {
        // No more units than bytes.
        let length = u32::try_from(utf8.len()).map_err(|_| Error::Memory)? as usize;
        if 8 * (length + 1) > memory {
            return Err(Error::Memory);
        }
        let (mut units, mut bytes) = (Vec::with_capacity(length), Vec::with_capacity(length + 1));
        let mut at = 0u32;
        for chunk in utf8.utf8_chunks() {
            for character in chunk.valid().chars() {
                let mut pair = [0; 2];
                match character.encode_utf16(&mut pair) {
                    [high, low] if !unicode => {
                        units.extend([u32::from(*high), u32::from(*low)]);
                        bytes.extend([at, at + 2]);
                    }
                    _ => {
                        units.push(u32::from(character));
                        bytes.push(at);
                    }
                }
                at += character.len_utf8() as u32;
            }
            for _ in chunk.invalid() {
                units.push(BAD);
                bytes.push(at);
                at += 1;
            }
        }
        bytes.push(at);
        Ok(Decoded { units, bytes })
    }

    pub(crate) fn units(&self) -> &[u32] {
        &self.units
    }

    pub(crate) fn memory_usage(&self) -> usize {
        4 * (self.units.capacity() + self.bytes.capacity())
    }

    /// The first unit that does not start before `byte`.
    pub(crate) fn unit_at(&self, byte: usize) -> usize {
        self.bytes.partition_point(|&start| (start as usize) < byte).min(self.units.len())
    }

    pub(crate) fn byte_at(&self, unit: usize) -> usize {
        self.bytes[unit] as usize
    }
}
