//! The characters of a pattern, as few as it can tell apart: those that are in the same of its sets are one letter.

use std::collections::HashMap;

use holdfast_regexp_syntax::Set;

use crate::bits::Bits;

/// Letters are numbered from 0.
pub(crate) struct Alphabet {
    /// Of each letter the character that stands for it in texts.
    characters: Vec<u32>,
    /// Of each set which letters it has.
    members: Vec<Bits>,
}

impl Alphabet {
    /// The letters of these sets among the characters up to `last`.
    pub(crate) fn of(sets: &[Set], last: u32) -> Alphabet {
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
                None => {
                    letters.insert(within.clone(), characters.len());
                    characters.push(candidate);
                }
            }
            if high >= last {
                break;
            }
            low = high + 1;
        }
        let mut members = vec![Bits::new(characters.len()); sets.len()];
        for (within, letter) in letters {
            for (set, members) in members.iter_mut().enumerate() {
                members.set(letter, within.has(set));
            }
        }
        Alphabet { characters, members }
    }

    pub(crate) fn len(&self) -> usize {
        self.characters.len()
    }

    pub(crate) fn character(&self, letter: usize) -> u32 {
        self.characters[letter]
    }

    /// The letters of a set, by its number.
    pub(crate) fn members(&self, set: usize) -> &Bits {
        &self.members[set]
    }
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
        let alphabet = Alphabet::of(&sets, 0xFFFF);
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
        let alphabet = Alphabet::of(&[set(&[(0xFFFF, 0xFFFF)]), set(&[])], 0xFFFF);
        assert_eq!(alphabet.len(), 2);
        let alphabet = Alphabet::of(&[set(&[(0, 0xFFFF)])], 0xFFFF);
        assert_eq!(alphabet.len(), 1);
        assert_eq!(Alphabet::of(&[], 0xFFFF).len(), 1);
    }
}
