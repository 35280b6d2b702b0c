//! The engines agree with each other, and the memoised one keeps to its bound. That they agree with ECMAScript is tested
//! against V8, from JavaScript.
#![allow(clippy::unwrap_used, reason = "a failing unwrap is a failing test")]

use proptest::prelude::*;

use crate::Characters;
use crate::Flags;
use crate::automaton::{Alphabet, Automaton, claims};
use crate::pattern::Limits;
use crate::program::{Form, Program};
use crate::search::{Backtracker, Progress};
use crate::units::Unit;
use holdfast_regexp_syntax::lower;

fn pattern() -> impl Strategy<Value = String> {
    let atom = prop::sample::select(vec![
        "a", "b", "c", "[ab]", "[^a]", ".", r"\w", r"\W", "ab", "", r"\b", r"\B", "^", "$", "é", "[^é]",
        r"\ud83d", r"\ude00",
    ]);
    atom.prop_map(String::from).prop_recursive(4, 24, 4, |inner| {
        let suffix = prop::sample::select(vec![
            "*", "+", "?", "*?", "+?", "??", "{2}", "{0,2}", "{1,2}?", "{2,}", "{0,3}",
        ]);
        let around = prop::sample::select(vec!["(?=", "(?!", "(?<=", "(?<!"]);
        prop_oneof![
            3 => prop::collection::vec(inner.clone(), 1..4).prop_map(|parts| parts.concat()),
            2 => prop::collection::vec(inner.clone(), 2..7).prop_map(|parts| format!("(?:{})", parts.join("|"))),
            3 => (inner.clone(), suffix).prop_map(|(body, suffix)| format!("(?:{body}){suffix}")),
            2 => inner.clone().prop_map(|body| format!("({body})")),
            2 => (around, inner).prop_map(|(around, body)| format!("{around}{body})")),
        ]
    })
}

fn text() -> impl Strategy<Value = Vec<u16>> {
    let unit = prop_oneof![
        8 => prop::sample::select(vec![0x61u16, 0x62, 0x63]),
        1 => prop::sample::select(vec![0x0A, 0x0D, 0x20, 0xE9]),
        1 => prop::sample::select(vec![0xD83D, 0xDE00, 0x2028]),
    ];
    prop::collection::vec(unit, 0..14)
}

fn flags() -> impl Strategy<Value = Flags> {
    any::<[bool; 4]>().prop_map(|[dot_all, sticky, unicode, multiline]| Flags {
        dot_all,
        sticky,
        unicode,
        multiline,
        ..Flags::default()
    })
}

/// Patterns of which it is known what matches start with: words, rare characters, windows of them.
fn leading() -> impl Strategy<Value = String> {
    let words =
        prop::collection::vec("[a-j]{2,4}", 1..14).prop_map(|words| format!("(?:{})", words.join("|")));
    let others = prop::sample::select(vec![
        "[A-Z]",
        r"[A-Z]\w",
        r"\d\d",
        r"\d{4}",
        "[α-ω]",
        "[α-ωж-яЀ-Џ]b?",
        r"(?=\d\d)",
        r"(?<=a)[A-Z]",
        "[bé]",
        "\"[^a]",
        "[^x]",
        r"[\u{1f600}-\u{1f64f}α]",
        r"\ud83d",
    ]);
    let start = prop_oneof![2 => words, 3 => others.prop_map(String::from)];
    (
        prop::sample::select(vec!["", "", r"\b", r"\B"]),
        start,
        prop_oneof![3 => Just(String::new()), 1 => pattern()],
    )
        .prop_map(|(assertion, start, rest)| format!("{assertion}{start}{rest}"))
}

/// Mostly what no match starts with, and long.
fn long_text() -> impl Strategy<Value = Vec<u16>> {
    let filler = prop::sample::select(vec![0x78u16, 0x78, 0xE9, 0x4E2D, 0x3D0]);
    let part = prop_oneof![
        "[a-j]{1,6}",
        "[0-9]{1,5}",
        "[A-Z][a-z]?",
        "[α-ωж-я]{1,3}",
        "\"[a-b]",
        "[\u{1f600}-\u{1f602}]",
        "[ xé]"
    ];
    let lone = prop::sample::select(vec![0xD83Du16, 0xDE00]);
    let part = prop_oneof![9 => part.prop_map(|part| part.encode_utf16().collect()), 1 => lone.prop_map(|unit| vec![unit])];
    (filler, prop::collection::vec((0usize..200, part), 1..9), any::<bool>()).prop_map(
        |(filler, parts, narrow)| {
            let mut text = Vec::new();
            for (count, part) in parts {
                text.extend(std::iter::repeat_n(filler, count));
                text.extend(part);
            }
            // Every other text has one-byte units.
            if narrow { text.into_iter().map(|unit| unit & 0xFF).collect() } else { text }
        },
    )
}

type Slots = Option<Vec<u32>>;

struct Case {
    lowered: holdfast_regexp_syntax::Lowered,
    flags: Flags,
    engine: Backtracker,
}

impl Case {
    fn new(source: &str, flags: Flags) -> Option<Case> {
        let source: Vec<u16> = source.encode_utf16().collect();
        let lowered = lower(&source, flags, &Characters::default(), false).ok()?;
        let engine = Backtracker::new(&lowered.root, lowered.groups, flags.unicode, Vec::new());
        Some(Case { lowered, flags, engine })
    }

    fn find(&mut self, text: &[u16], from: usize, progress: &mut Progress) -> Slots {
        let (root, sticky, limits) = (&self.lowered.root, self.flags.sticky, Limits::default());
        let found = if self.flags.unicode {
            self.engine.find::<u16, true>(root, text, from, sticky, progress, limits)
        } else {
            self.engine.find::<u16, false>(root, text, from, sticky, progress, limits)
        };
        found.unwrap().then(|| self.engine.slots().to_vec())
    }

    fn find_narrow<U: Unit>(&mut self, text: &[U], from: usize, progress: &mut Progress) -> Slots {
        let (root, sticky) = (&self.lowered.root, self.flags.sticky);
        let found = self.engine.find::<U, false>(root, text, from, sticky, progress, Limits::default());
        found.unwrap().then(|| self.engine.slots().to_vec())
    }

    fn memoised(&self, captures: bool, length: usize) -> Progress {
        let form = Form { captures, memoised: true, unicode: self.flags.unicode };
        let program = Program::compile(&self.lowered.root, self.lowered.groups, form).unwrap();
        Progress::memoised(captures, &program, length)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn the_engines_agree(source in pattern(), flags in flags(), text in text(), from in 0usize..6) {
        let Some(mut case) = Case::new(&source, flags) else { return Ok(()) };
        let from = from.min(text.len());
        let from = if flags.unicode && from > 0 && from < text.len()
            && text[from] & 0xFC00 == 0xDC00 && text[from - 1] & 0xFC00 == 0xD800 { from - 1 } else { from };
        let expected = case.find(&text, from, &mut Progress::new(true));

        let mut memoised = case.memoised(true, text.len());
        prop_assert_eq!(&case.find(&text, from, &mut memoised), &expected);
        let mut memoised = case.memoised(false, text.len());
        let bounds = expected.as_ref().map(|slots| slots[..2].to_vec());
        prop_assert_eq!(&case.find(&text, from, &mut memoised), &bounds);
        prop_assert_eq!(&case.find(&text, from, &mut Progress::new(false)), &bounds);

        if let Ok(bytes) = text.iter().map(|&unit| u8::try_from(unit)).collect::<Result<Vec<u8>, _>>() {
            prop_assert_eq!(&case.find_narrow(&bytes, from, &mut Progress::new(true)), &expected);
            let claims = claims(&case.lowered.root, case.lowered.groups);
            if claims.bounds && claims.cover(crate::pattern::Haystack::Latin1(&bytes)) {
                let mut slots = vec![None; if claims.captures { 2 * case.lowered.groups as usize + 2 } else { 2 }];
                let mut automaton = Automaton::build(&case.lowered.root, Alphabet::Latin1).unwrap();
                let found = automaton.find(&bytes, from, flags.sticky, &mut slots).then(|| {
                    slots.iter().map(|slot| slot.map_or(u32::MAX, |slot| slot.get() as u32)).collect::<Vec<_>>()
                });
                let expected = if claims.captures { &expected } else { &bounds };
                prop_assert_eq!(&found, expected);
            }
        }
    }

    /// A sticky search looks for no start: tried at one place after the other, it finds what a search finds.
    #[test]
    fn no_start_is_passed_over(source in leading(), flags in flags(), text in long_text()) {
        let Some(mut case) = Case::new(&source, Flags { sticky: false, ..flags }) else { return Ok(()) };
        let Some(mut sticky) = Case::new(&source, Flags { sticky: true, ..flags }) else { return Ok(()) };
        let bytes: Option<Vec<u8>> = text.iter().map(|&unit| u8::try_from(unit).ok()).collect();
        let mut from = 0;
        while from <= text.len() {
            let new = || Progress::new(true);
            let expected = (from..=text.len()).find_map(|at| sticky.find(&text, at, &mut new()));
            prop_assert_eq!(&case.find(&text, from, &mut new()), &expected);
            if let Some(bytes) = &bytes {
                prop_assert_eq!(&case.find_narrow(bytes, from, &mut new()), &expected);
            }
            let Some(slots) = expected else { break };
            from = slots[0] as usize + 1;
        }
    }

    #[test]
    fn early_matches_stay(source in pattern(), flags in flags(), text in text(), cut in 0usize..14) {
        let Some(mut case) = Case::new(&source, flags) else { return Ok(()) };
        let cut = cut.min(text.len());
        let part = if cut > 0 && text[cut - 1] & 0xFC00 == 0xD800 { &text[..cut - 1] } else { &text[..cut] };
        let (root, sticky, limits) = (&case.lowered.root, flags.sticky, Limits::default());
        let found = if flags.unicode {
            case.engine.find_early::<u16, true>(root, part, sticky, true, limits)
        } else {
            case.engine.find_early::<u16, false>(root, part, sticky, true, limits)
        };
        if found.unwrap() {
            let early = case.engine.slots().to_vec();
            prop_assert_eq!(case.find(&text, 0, &mut Progress::new(true)), Some(early));
        }
    }

    #[test]
    fn searches_may_share_what_they_remember(source in pattern(), flags in flags(), text in text()) {
        let Some(mut case) = Case::new(&source, flags) else { return Ok(()) };
        let mut shared = case.memoised(true, text.len());
        let mut from = 0;
        while from <= text.len() {
            let expected = case.find(&text, from, &mut Progress::new(true));
            prop_assert_eq!(&case.find(&text, from, &mut shared), &expected);
            let Some(slots) = expected else { break };
            let next = slots[1] as usize;
            from = if slots[0] == slots[1] { next + 1 } else { next };
            if flags.unicode && from > 0 && from < text.len()
                && text[from] & 0xFC00 == 0xDC00 && text[from - 1] & 0xFC00 == 0xD800 {
                from += 1;
            }
        }
    }

    /// No instruction runs more than once for each position, progress of the loops around it, and way through a lookaround.
    #[test]
    fn the_memoised_engine_is_linear(source in pattern(), unit in "[abc]{1,4}", end in "[abc]{0,2}") {
        let flags = Flags::default();
        let Some(mut case) = Case::new(&source, flags) else { return Ok(()) };
        let form = Form { captures: true, memoised: true, unicode: false };
        let program = Program::compile(&case.lowered.root, case.lowered.groups, form).unwrap();
        let loops = program.places.iter().map(|place| place.loops.len()).max().unwrap_or(0) as u64 + 1;
        let text: Vec<u16> = (unit.repeat(200) + &end).encode_utf16().collect();
        let mut progress = Progress::memoised(true, &program, text.len());
        let mut from = 0;
        while from <= text.len() {
            let Some(slots) = case.find(&text, from, &mut progress) else { break };
            from = (slots[1] as usize).max(from + 1);
        }
        let most = 4 * program.insts.len() as u64 * loops * (text.len() as u64 + 1);
        prop_assert!(progress.steps() <= most, "{} steps, {} at most", progress.steps(), most);
    }
}

/// What captures in lookarounds cost in memory: a text of a megabyte is within the default limit.
#[test]
fn captures_in_lookarounds_fit_into_memory() {
    let mut case = Case::new("(?:(?=(a*))a)*", Flags::default()).unwrap();
    let text = vec![b'a'; 1_000_000];
    let found = case.find_narrow(&text, 0, &mut Progress::new(true));
    assert_eq!(found, Some(vec![0, 1_000_000, 999_999, 1_000_000]));
}
