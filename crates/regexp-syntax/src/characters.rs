//! What ECMAScript leaves to Unicode: properties, and which characters are equal under `i`. The data comes from outside,
//! from the V8 that runs, so that a pattern means here what it means there.
//!
//! Of ASCII, and of blocks without case, everything is known beforehand: most patterns need no data.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use crate::lower::missing;
use crate::set::Set;
use crate::{Error, Flags};

/// Blocks without cased characters, in every Unicode version so far: Hebrew to Myanmar, CJK to Yi, Hangul, surrogates
/// and CJK compatibility ideographs.
const UNCASED: [(u32, u32); 4] = [(0x0590, 0x109F), (0x2E80, 0xA63F), (0xAC00, 0xDFFF), (0xF900, 0xFAFF)];

/// Classes that are remembered between patterns; one pattern may have more.
const CLASSES_REMEMBERED: usize = 256;

/// Sets whose members are all here fold without data.
static FOLDS_WITHOUT_DATA: LazyLock<Set> =
    LazyLock::new(|| Set::from_ranges(UNCASED.into_iter().chain([(0, 0x7F)])));

/// ASCII under `i`: upper and lower case only. ECMA-262, §22.2.2.7.3, step 3.h, keeps all others away.
static ASCII: LazyLock<Arc<Folding>> =
    LazyLock::new(|| Arc::new(Folding::from_pairs((0x61..=0x7A).map(|letter| (letter, letter - 0x20)))));

/// ASCII under `i` with `u` or `v`: U+017F is an s too, and U+212A a k.
static UNICODE_ASCII: LazyLock<Arc<Folding>> = LazyLock::new(|| {
    let letters = (0x41..=0x5A).map(|letter| (letter, letter + 0x20));
    Arc::new(Folding::from_pairs(letters.chain([(0x017F, 0x73), (0x212A, 0x6B)])))
});

/// The data there is. Starts empty; what a pattern lacks, [`Characters::needs`] names.
#[derive(Clone, Default)]
pub struct Characters {
    properties: HashMap<String, Property>,
    upper_case: Option<Arc<Folding>>,
    simple_folding: Option<Arc<Folding>>,
    /// What V8 said about classes, if it is asked about them: characters, and whether they match.
    classes: Option<HashMap<String, Vec<(u32, bool)>>>,
}

/// The members of a property.
#[derive(Clone, Default)]
pub(crate) struct Property {
    pub(crate) characters: Set,
    /// Of a property of strings, those that are no single character.
    pub(crate) strings: Arc<[Vec<u32>]>,
}

impl Characters {
    /// The name under which [`Characters::needs`] asks which characters are equal with `i` alone: those with the same
    /// Canonicalize of ECMA-262, §22.2.2.7.3, by upper case.
    pub const UPPER_CASE: &str = "i";
    /// The same with `i` and `u` or `v`: by simple case folding.
    pub const SIMPLE_FOLDING: &str = "iu";

    /// The data that a pattern needs and that is not here, each name once: [`Characters::UPPER_CASE`],
    /// [`Characters::SIMPLE_FOLDING`], and properties as the pattern spells them, what stands in the braces. Where `i` and
    /// `v` are both set a property is asked for with its letter and braces, `p{…}` or `P{…}`, and folded.
    pub fn needs(&self, source: &[u16], flags: Flags) -> Result<Vec<String>, Error> {
        missing(source, flags, self)
    }

    /// Takes the ranges of a property, and its strings if it is one of strings.
    pub fn provide_property(&mut self, name: &str, ranges: &[(u32, u32)], strings: Vec<Vec<u32>>) {
        let (single, longer): (Vec<_>, Vec<_>) = strings.into_iter().partition(|string| string.len() == 1);
        let single = single.into_iter().flatten().map(|character| (character, character));
        let characters = Set::from_ranges(ranges.iter().copied().chain(single));
        self.properties.insert(name.to_string(), Property { characters, strings: longer.into() });
    }

    /// Makes patterns ask about classes with the flag `v` that have nested classes, operators or strings: for versions of V8
    /// that compute some of them in ways of their own. They are named by flags and text, as in `iv[\w--k]`.
    pub fn ask_about_classes(&mut self) {
        let classes = self.classes.get_or_insert_default();
        // Unlike the other names there is no end of these.
        if classes.len() > CLASSES_REMEMBERED {
            classes.clear();
        }
    }

    /// Takes characters, and 1 if the class matches them or 0: those about which V8 may be of its own opinion.
    pub fn provide_class(&mut self, name: &str, answers: &[(u32, u32)]) {
        let answers = answers.iter().map(|&(character, answer)| (character, answer != 0)).collect();
        self.classes.get_or_insert_default().insert(name.to_string(), answers);
    }

    /// The class `name` where `own` is what it should match, and the name to ask by when V8 has not been asked yet.
    pub(crate) fn class(&self, name: impl FnOnce() -> String, own: Set) -> Result<Set, String> {
        let Some(classes) = &self.classes else { return Ok(own) };
        let name = name();
        let Some(answers) = classes.get(&name) else { return Err(name) };
        let asked = Set::from_ranges(answers.iter().map(|&(character, _)| (character, character)));
        let matching = answers.iter().filter(|&&(_, matches)| matches);
        let matching = Set::from_ranges(matching.map(|&(character, _)| (character, character)));
        Ok(own.difference(&asked).union(&matching))
    }

    /// Takes pairs of characters that are equal with `i` alone; what they imply need not be listed.
    pub fn provide_upper_case(&mut self, pairs: &[(u32, u32)]) {
        self.upper_case = Some(Arc::new(Folding::from_pairs(pairs.iter().copied())));
    }

    /// Takes pairs of characters that are equal with `i` and `u` or `v`.
    pub fn provide_simple_folding(&mut self, pairs: &[(u32, u32)]) {
        self.simple_folding = Some(Arc::new(Folding::from_pairs(pairs.iter().copied())));
    }

    pub(crate) fn property(&self, name: &str) -> Option<&Property> {
        self.properties.get(name)
    }

    /// All characters' folding, with the name that it is asked for by.
    pub(crate) fn folding(&self, unicode: bool) -> Result<&Arc<Folding>, &'static str> {
        if unicode {
            self.simple_folding.as_ref().ok_or(Characters::SIMPLE_FOLDING)
        } else {
            self.upper_case.as_ref().ok_or(Characters::UPPER_CASE)
        }
    }

    /// A folding that is right for the characters of `set`.
    pub(crate) fn folding_of(&self, set: &Set, unicode: bool) -> Result<&Arc<Folding>, &'static str> {
        match (set.is_subset_of(&FOLDS_WITHOUT_DATA), unicode) {
            (true, true) => Ok(&UNICODE_ASCII),
            (true, false) => Ok(&ASCII),
            (false, _) => self.folding(unicode),
        }
    }
}

/// Which characters are equal: classes of two and more.
#[derive(Clone, Debug, Default)]
pub(crate) struct Folding {
    /// Character and class, sorted.
    members: Vec<(u32, usize)>,
    classes: Vec<Vec<u32>>,
}

impl Folding {
    fn from_pairs(pairs: impl IntoIterator<Item = (u32, u32)>) -> Folding {
        let mut class_of: HashMap<u32, usize> = HashMap::new();
        let mut classes: Vec<Vec<u32>> = Vec::new();
        for (left, right) in pairs {
            match (class_of.get(&left).copied(), class_of.get(&right).copied()) {
                (Some(one), Some(other)) if one == other => {}
                (Some(one), Some(other)) => {
                    let (one, other) = (one.min(other), one.max(other));
                    let moved = std::mem::take(&mut classes[other]);
                    class_of.extend(moved.iter().map(|&character| (character, one)));
                    classes[one].extend(moved);
                }
                (Some(class), None) | (None, Some(class)) => {
                    for character in [left, right] {
                        if class_of.insert(character, class).is_none() {
                            classes[class].push(character);
                        }
                    }
                }
                (None, None) if left == right => {}
                (None, None) => {
                    class_of.extend([(left, classes.len()), (right, classes.len())]);
                    classes.push(vec![left, right]);
                }
            }
        }
        for class in &mut classes {
            class.sort_unstable();
        }
        let mut members: Vec<_> = class_of.into_iter().collect();
        members.sort_unstable();
        Folding { members, classes }
    }

    /// The set with every character that equals one of its own.
    pub(crate) fn close(&self, set: &Set) -> Set {
        let mut more = Vec::new();
        for &(low, high) in set.ranges() {
            let first = self.members.partition_point(|&(character, _)| character < low);
            let within = self.members[first..].iter().take_while(|&&(character, _)| character <= high);
            more.extend(within.flat_map(|&(_, class)| &self.classes[class]).map(|&other| (other, other)));
        }
        if more.is_empty() {
            return set.clone();
        }
        Set::from_ranges(set.ranges().iter().copied().chain(more))
    }

    /// Every character that equals another, ascending, with the least of those that are equal.
    pub(crate) fn canonical(&self) -> Vec<(u32, u32)> {
        self.members.iter().map(|&(character, class)| (character, self.classes[class][0])).collect()
    }
}
