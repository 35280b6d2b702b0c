//! Where a match can start: what lets the backtracking engine pass over the rest of a text.
//!
//! Where the first characters of every match are known, a window of them is moved over the text as Horspool does with a
//! word: the unit under the window's last place tells how far it can move.

use std::cell::OnceCell;

use aho_corasick::Span;
use aho_corasick::packed::Searcher;

use crate::matcher::LONG;
use crate::prefilter::{finder, prefixes};
use crate::scan::{Few, Finder, find_pair, weight};
use crate::units::{Unit, is_line_terminator};
use holdfast_regexp_syntax::{Assertion, Node};
use holdfast_regexp_syntax::{LAST_CODE_POINT, Set};

pub(crate) enum Start {
    Anywhere,
    /// Only where the text starts.
    Input,
    /// Only where a line starts.
    Line,
    /// Only before one of these.
    OneOf(Box<Finder>),
    Window(Box<Window>),
    /// Only before one of these few units.
    Few(Few),
}

/// The most places of a window: bits of a mask.
const MAX_WIDTH: usize = 8;
/// A wider window moves quickly by itself.
const SHORT: usize = 3;
/// What a set weighs at the most whose members are rare in texts: letters and spaces are not among them.
const RARE: u32 = 64;

/// What the first units of every match can be. Units are told apart by their low byte only.
pub(crate) struct Window {
    width: usize,
    /// Two places that only few units can be at (or one, twice), if there is one, and these units.
    few: Option<[(usize, Few); 2]>,
    /// The places that each byte can be at, a bit for each.
    masks: [u8; 256],
    /// How far the window moves when its last place holds this byte; 0 if a match may be here.
    shifts: [u8; 256],
    /// Otherwise a place that only rare units can be at, if there is one.
    rare: Option<(usize, Finder)>,
    /// Strings that matches in Latin-1 start with, where no place has few units, and how they are found in long texts.
    strings: Option<Vec<Vec<u8>>>,
    finder: OnceCell<Option<Searcher>>,
}

impl Window {
    fn new(places: &[Set], root: &Node) -> Window {
        let mut masks = [0; 256];
        for (place, set) in places.iter().enumerate() {
            for &(low, high) in set.ranges() {
                // A range of 256 has every low byte.
                for code in low..=high.min(low.saturating_add(255)) {
                    masks[(code & 0xFF) as usize] |= 1 << place;
                }
            }
        }
        let last = places.len() as u32 - 1;
        let shifts = masks.map(|mask: u8| (last + 1).saturating_sub(8 - mask.leading_zeros()) as u8);
        let mut few: Vec<_> =
            places.iter().enumerate().filter_map(|(at, set)| Some((at, Few::of(set)?))).collect();
        // What can be fewest units comes first, and among these what is rare in texts.
        few.sort_by_key(|(_, few)| (few.others(), few.frequency()));
        let few = match few[..] {
            [one, other, ..] => Some([one, other]),
            [one] => Some([one, one]),
            [] => None,
        };
        let strings = if few.is_none() { prefixes(root) } else { None };
        let rare = places.iter().enumerate().min_by_key(|(_, set)| weight(set));
        let rare = rare.filter(|(_, set)| few.is_none() && places.len() <= SHORT && weight(set) <= RARE);
        let rare = rare.map(|(place, set)| (place, Finder::new(set)));
        Window { width: places.len(), few, masks, shifts, rare, strings, finder: OnceCell::new() }
    }

    fn next<U: Unit>(&self, text: &[U], at: usize) -> Option<usize> {
        let Some([(one, ones), (other, others)]) = &self.few else {
            if let (Some(strings), Some(bytes)) = (&self.strings, U::bytes(text))
                && bytes.len() >= LONG
                && let Some(finder) = self.finder.get_or_init(|| finder(strings))
            {
                return finder.find_in(bytes, Span::from(at..bytes.len())).map(|found| found.start());
            }
            return match &self.rare {
                Some((place, finder)) => self.find_rare(*place, finder, text, at),
                None => self.slide(text, at),
            };
        };
        let starts = (text.len() + 1).checked_sub(at + self.width)?;
        let first = (&text[at + one..at + one + starts], ones);
        let second = (&text[at + other..at + other + starts], others);
        let fits = |place: usize| self.fits(&text[at + place..at + place + self.width]);
        find_pair(first, second, fits).map(|place| at + place)
    }

    fn find_rare<U: Unit>(&self, place: usize, finder: &Finder, text: &[U], mut at: usize) -> Option<usize> {
        while at + self.width <= text.len() {
            // Half a pair is a unit like others here.
            at = finder.find::<U, false>(text, at + place)? - place;
            if self.fits(text.get(at..at + self.width)?) {
                return Some(at);
            }
            at += 1;
        }
        None
    }

    fn fits<U: Unit>(&self, text: &[U]) -> bool {
        let mut places = text.iter().enumerate();
        places.all(|(place, unit)| self.masks[(unit.code() & 0xFF) as usize] & (1 << place) != 0)
    }

    fn slide<U: Unit>(&self, text: &[U], at: usize) -> Option<usize> {
        let mut end = at + self.width;
        while let Some(unit) = text.get(end - 1) {
            let shift = self.shifts[(unit.code() & 0xFF) as usize];
            if shift > 0 {
                end += usize::from(shift);
                continue;
            }
            let start = end - self.width;
            let fits =
                |(place, unit): (usize, &U)| self.masks[(unit.code() & 0xFF) as usize] & (1 << place) != 0;
            if text[start..end].iter().enumerate().all(fits) {
                return Some(start);
            }
            end += 1;
        }
        None
    }
}

impl Start {
    /// `unicode`: characters above U+FFFF are pairs of units.
    pub(crate) fn of(root: &Node, unicode: bool) -> Start {
        if leads_with(root, &[Assertion::InputStart]) {
            return Start::Input;
        }
        if leads_with(root, &[Assertion::InputStart, Assertion::LineStart]) {
            return Start::Line;
        }
        // What may match empty starts anywhere, unless it says first what has to come.
        let Some(leading) = (if root.is_nullable() { demanded(root) } else { Some(root) }) else {
            return Start::Anywhere;
        };
        let mut places = Vec::new();
        lead(leading, unicode, &mut places);
        if places.len() > 1 {
            return Start::Window(Box::new(Window::new(&places, root)));
        }
        match first(leading) {
            Some(set) if set.ranges() != [(0, LAST_CODE_POINT)] => one_of(&set),
            _ => Start::Anywhere,
        }
    }

    /// The first place at or after `at` where a match may start.
    pub(crate) fn next<U: Unit, const PAIRS: bool>(&self, text: &[U], at: usize) -> Option<usize> {
        match self {
            Start::Anywhere => Some(at),
            Start::Input => (at == 0).then_some(0),
            Start::Line => {
                if at == 0 {
                    return Some(0);
                }
                let rest = text[at - 1..].iter().position(|unit| is_line_terminator(unit.code()))?;
                Some(at + rest)
            }
            Start::Window(window) => window.next(text, at),
            Start::Few(few) => few.find(text, at),
            Start::OneOf(finder) => finder.find::<U, PAIRS>(text, at),
        }
    }
}

fn one_of(set: &Set) -> Start {
    Few::of(set).map_or_else(|| Start::OneOf(Box::new(Finder::new(set))), Start::Few)
}

/// What has to follow where a match starts, because a lookahead says so before anything is consumed.
fn demanded(node: &Node) -> Option<&Node> {
    match node {
        Node::Look { behind: false, negative: false, body } if !body.is_nullable() => Some(body),
        Node::Concatenation(parts) => parts
            .iter()
            .take_while(|part| matches!(part, Node::Empty | Node::Assertion(_) | Node::Look { .. }))
            .find_map(demanded),
        Node::Capture(_, body) => demanded(body),
        _ => None,
    }
}

/// Whether every match starts with one of these assertions holding where it starts.
fn leads_with(node: &Node, assertions: &[Assertion]) -> bool {
    match node {
        Node::Assertion(assertion) => assertions.contains(assertion),
        Node::Concatenation(parts) => {
            for part in parts {
                if leads_with(part, assertions) {
                    return true;
                }
                // Only what consumes nothing may stand before it.
                if !matches!(part, Node::Empty | Node::Assertion(_) | Node::Look { .. }) {
                    return false;
                }
            }
            false
        }
        Node::Alternation(branches) => branches.iter().all(|branch| leads_with(branch, assertions)),
        Node::Repetition { min, body, .. } => *min > 0 && leads_with(body, assertions),
        Node::Capture(_, body) => leads_with(body, assertions),
        Node::Empty | Node::Class(_) | Node::Look { .. } | Node::BackReference { .. } => false,
    }
}

/// The characters that a non-empty match of the node may start with; nothing when that is not known.
fn first(node: &Node) -> Option<Set> {
    match node {
        Node::Empty | Node::Assertion(_) | Node::Look { .. } => Some(Set::default()),
        Node::BackReference { .. } => None,
        Node::Class(set) => Some(set.clone()),
        Node::Concatenation(parts) => {
            let mut all = Set::default();
            for part in parts {
                all = all.union(&first(part)?);
                if !part.is_nullable() {
                    break;
                }
            }
            Some(all)
        }
        Node::Alternation(branches) => {
            branches.iter().try_fold(Set::default(), |all, branch| Some(all.union(&first(branch)?)))
        }
        Node::Repetition { max: Some(0), .. } => Some(Set::default()),
        Node::Repetition { body, .. } | Node::Capture(_, body) => first(body),
    }
}

/// Appends what the first units of every match of the node can be, as far as that is known and short. Whether all of the
/// node's units are among them, so that what follows comes right after.
fn lead(node: &Node, unicode: bool, places: &mut Vec<Set>) -> bool {
    if places.len() >= MAX_WIDTH {
        return false;
    }
    match node {
        Node::Empty | Node::Assertion(_) | Node::Look { .. } => true,
        Node::BackReference { .. } => false,
        Node::Class(set) => {
            let is_unit = set.within(0x1_0000, LAST_CODE_POINT).ranges().is_empty();
            if unicode && !is_unit {
                let units = set.within(0, 0xFFFF).union(&Set::from_ranges([(0xD800, 0xDBFF)]));
                places.push(units);
                return false;
            }
            places.push(set.clone());
            true
        }
        Node::Concatenation(parts) => parts.iter().all(|part| lead(part, unicode, places)),
        Node::Alternation(branches) => {
            let mut merged: Option<Vec<Set>> = None;
            let mut is_whole = true;
            for branch in branches {
                let mut here = Vec::new();
                is_whole &= lead(branch, unicode, &mut here);
                merged = Some(match merged {
                    None => here,
                    Some(before) => {
                        is_whole &= before.len() == here.len();
                        before.iter().zip(&here).map(|(one, other)| one.union(other)).collect()
                    }
                });
            }
            places.extend(merged.unwrap_or_default());
            places.truncate(MAX_WIDTH);
            is_whole
        }
        Node::Repetition { min, max, body, .. } => {
            for _ in 0..*min {
                if !lead(body, unicode, places) {
                    return false;
                }
            }
            *max == Some(*min)
        }
        Node::Capture(_, body) => lead(body, unicode, places),
    }
}
