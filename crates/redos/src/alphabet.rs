//! The characters of a pattern, as few as it can tell apart: those that are in the same of its sets are one letter.

use std::collections::HashMap;

use holdfast_regexp_syntax::Set;

use crate::bits::Bits;

/// Sets times letters: two megabytes.
const MAX_MEMBERS: usize = 1 << 24;

/// Letters are numbered from 0.
pub(crate) struct Alphabet {
    /// Of each letter the character that stands for it in texts.
    characters: Vec<u32>,
    /// And one above U+00FF, if it has any.
    wide: Vec<Option<u32>>,
    /// Of each set which letters it has.
    members: Vec<Bits>,
}

impl Alphabet {
    /// The letters of these sets among the characters up to `last`. None: too many sets with too many letters.
    pub(crate) fn of(sets: &[Set], last: u32) -> Option<Alphabet> {
        // Where each set begins or ends to have what comes.
        let mut changes = Vec::new();
        for (index, set) in sets.iter().enumerate() {
            for &(low, high) in set.ranges() {
                changes.push((low, index, true));
                if high < last {
                    changes.push((high + 1, index, false));
                }
            }
        }
        changes.sort_unstable();
        let mut letters: HashMap<Bits, usize> = HashMap::new();
        let mut characters: Vec<u32> = Vec::new();
        let mut wide: Vec<Option<u32>> = Vec::new();
        let (mut within, mut low, mut at) = (Bits::new(sets.len()), 0, 0);
        loop {
            while let Some(&(place, set, is_in)) = changes.get(at).filter(|change| change.0 == low) {
                debug_assert_eq!(place, low);
                within.set(set, is_in);
                at += 1;
            }
            let high = changes.get(at).map_or(last, |change| change.0 - 1);
            let candidate = best(low, high);
            match letters.get(&within) {
                Some(&letter) if rank(candidate) < rank(characters[letter]) => characters[letter] = candidate,
                Some(_) => {}
                None if characters.len() * sets.len() >= MAX_MEMBERS => return None,
                None => {
                    letters.insert(within.clone(), characters.len());
                    characters.push(candidate);
                    wide.push(None);
                }
            }
            let letter = letters[&within];
            wide[letter] = wide[letter].or_else(|| first_wide(low, high));
            if high >= last {
                break;
            }
            low = high + 1;
        }
        let mut members = vec![Bits::new(characters.len()); sets.len()];
        for (within, letter) in letters {
            for set in within.iter() {
                members[set].set(letter, true);
            }
        }
        Some(Alphabet { characters, wide, members })
    }

    pub(crate) fn len(&self) -> usize {
        self.characters.len()
    }

    pub(crate) fn character(&self, letter: usize) -> u32 {
        self.characters[letter]
    }

    /// A character of the letter above U+00FF.
    pub(crate) fn wide(&self, letter: usize) -> Option<u32> {
        self.wide[letter]
    }

    /// The letters of a set, by its number.
    pub(crate) fn members(&self, set: usize) -> &Bits {
        &self.members[set]
    }
}

/// A character above U+00FF, no half of a surrogate pair: U+4E2D if it may be.
fn first_wide(low: u32, high: u32) -> Option<u32> {
    [0x4E2D, low.max(0x100)]
        .into_iter()
        .find(|wide| (low..=high).contains(wide) && !(0xD800..0xE000).contains(wide))
}

/// The character of a range that is easiest to read.
fn best(low: u32, high: u32) -> u32 {
    let ascii = (low..=high.min(0x7E)).min_by_key(|&character| rank(character));
    match ascii {
        Some(character) if rank(character) < UNREADABLE => character,
        _ => [0xA1, 0x100, low].into_iter().find(|character| (low..=high).contains(character)).unwrap_or(low),
    }
}

const UNREADABLE: u32 = 1000;

/// Letters before digits before signs before white space before what cannot be seen.
fn rank(character: u32) -> u32 {
    match character {
        0x61..=0x7A => character - 0x61,
        0x30..=0x39 => 100 + character - 0x30,
        0x41..=0x5A => 200 + character - 0x41,
        0x21 => 300,
        0x20 => 500,
        0x22..=0x7E => 400 + character - 0x22,
        0x0A => 600,
        0x09 | 0x0D => 601,
        0xD800..=0xDFFF => UNREADABLE + 0x11_0000 + character,
        0..0x20 => UNREADABLE + 0x20_0000 + character,
        _ => UNREADABLE + character,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(ranges: &[(u32, u32)]) -> Set {
        Set::from_ranges(ranges.iter().copied())
    }

    #[test]
    fn letters_are_what_sets_tell_apart() {
        let sets = [set(&[(0x61, 0x7A)]), set(&[(0x30, 0x39), (0x61, 0x66)]), set(&[(0x61, 0x66)])];
        let alphabet = Alphabet::of(&sets, 0xFFFF).expect("few");
        let letters = |number: usize| {
            let has = alphabet.members(number);
            let mut letters: Vec<_> = (0..alphabet.len())
                .filter(|&letter| has.has(letter))
                .map(|letter| alphabet.character(letter))
                .collect();
            letters.sort_unstable();
            letters
        };
        // a to f, g to z, 0 to 9, and all else, for which ! stands.
        assert_eq!(alphabet.len(), 4);
        assert_eq!(letters(0), [0x61, 0x67]);
        assert_eq!(letters(1), [0x30, 0x61]);
        assert_eq!(letters(2), [0x61]);
        assert!((0..4).any(|letter| alphabet.character(letter) == 0x41));
    }

    #[test]
    fn the_last_character_is_one() {
        let alphabet = Alphabet::of(&[set(&[(0xFFFF, 0xFFFF)]), set(&[])], 0xFFFF).expect("few");
        assert_eq!(alphabet.len(), 2);
        let alphabet = Alphabet::of(&[set(&[(0, 0xFFFF)])], 0xFFFF).expect("few");
        assert_eq!(alphabet.len(), 1);
        assert_eq!(Alphabet::of(&[], 0xFFFF).expect("few").len(), 1);
    }
}
