//! The ways a pattern can be run agree with each other: short ASCII texts on the tables, ASCII texts on their automaton,
//! and any text on the one for all characters. That they agree with ECMAScript is tested against V8, from JavaScript.
#![allow(clippy::unwrap_used, reason = "a failing unwrap is a failing test")]

use holdfast_regexp::{Characters, Error, Flags, Haystack, Limits, Matcher, Pattern};
use proptest::prelude::*;

const ATOMS: [&str; 20] = [
    "a", "b", "c", "[ab]", "[^a]", ".", r"\w", r"\W", r"\d", r"\s", "(a)", "(?:a|b)", "(b|c)", r"\bc", "a$",
    "^b", "(?:ab|b)", "é", "[^é]", r"\u{20}",
];
const LOOPS: [&str; 9] = ["", "", "*", "+", "?", "*?", "+?", "{2}", "{0,2}"];

fn pattern() -> impl Strategy<Value = String> {
    let term = (prop::sample::select(&ATOMS[..]), prop::sample::select(&LOOPS[..]));
    prop::collection::vec(term, 0..5).prop_map(|terms| {
        let term = |(atom, quantifier): (&str, &str)| {
            let fixed = atom.starts_with('^') || atom.ends_with('$');
            if fixed { atom.to_string() } else { format!("(?:{atom}){quantifier}") }
        };
        terms.into_iter().map(term).collect()
    })
}

fn flags() -> impl Strategy<Value = Flags> {
    (any::<bool>(), any::<bool>()).prop_map(|(dot_all, sticky)| Flags {
        dot_all,
        sticky,
        unicode: true,
        ..Flags::default()
    })
}

fn compile(source: &str, flags: Flags) -> Result<Pattern, Error> {
    let source: Vec<u16> = source.encode_utf16().collect();
    Pattern::compile(&source, flags, &Characters::default(), Limits::default())
}

fn find(matcher: &mut Matcher, haystack: Haystack<'_>, from: usize) -> Option<Vec<Option<usize>>> {
    let mut offsets = Vec::new();
    matcher.find(haystack, from, |_, offset| offsets.push(offset)).unwrap().then_some(offsets)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn every_way_to_run_a_pattern(source in pattern(), flags in flags(), text in "[abc0 \n]{0,20}", from in 0usize..8) {
        let pattern = match compile(&source, flags) {
            Ok(pattern) => pattern,
            Err(Error::Unsupported(_)) => return Ok(()),
            Err(error) => panic!("{source}: {error:?}"),
        };
        let mut matcher = pattern.matcher().unwrap();
        let units: Vec<u16> = text.encode_utf16().collect();
        let (ascii, wide) = (Haystack::Latin1(text.as_bytes()), Haystack::Utf16(&units));
        let from = from.min(text.len());

        let found = find(&mut matcher, ascii, from);
        prop_assert_eq!(&found, &find(&mut matcher, wide, from));
        prop_assert_eq!(found.is_some(), matcher.is_match(wide, from).unwrap());
        prop_assert_eq!(found.is_some(), matcher.is_match(ascii, from).unwrap());

        for haystack in [ascii, wide] {
            let mut subject = matcher.subject(haystack, true).unwrap();
            // Forward, as through a text, and back again.
            for from in (0..=text.len()).chain([from]) {
                let mut offsets = Vec::new();
                let found = matcher.find_in(&mut subject, from, |_, offset| offsets.push(offset)).unwrap();
                prop_assert_eq!(found.then_some(offsets), find(&mut matcher, ascii, from));
            }
        }

        let expected = find(&mut matcher, ascii, 0).is_some();
        // The tables take over somewhere in here.
        for _ in 0..150 {
            prop_assert_eq!(matcher.is_match(ascii, 0).unwrap(), expected);
        }
    }

    #[test]
    fn offsets_are_those_of_the_text(prefix in "[aé😀]{0,6}", suffix in "[aé😀]{0,6}") {
        let text = format!("{prefix}xy{suffix}");
        let units: Vec<u16> = text.encode_utf16().collect();
        let start = prefix.encode_utf16().count();
        for unicode in [false, true] {
            let flags = Flags { unicode, ..Flags::default() };
            let mut matcher = compile("(x)(y)(z)?", flags).unwrap().matcher().unwrap();
            let place = |offset: usize| Some(start + offset);
            let expected = vec![place(0), place(2), place(0), place(1), place(1), place(2), None, None];
            prop_assert_eq!(find(&mut matcher, Haystack::Utf16(&units), 0), Some(expected));
        }
    }
}

#[test]
fn limits() {
    let compile = |source: &str| {
        self::compile(source, Flags::default()).and_then(|pattern| pattern.matcher()).map(|_| ())
    };
    for source in [
        "(?:a{1000}){1000}".to_string(),
        "a{4294967296}".to_string(),
        "[a-z]{250001}".to_string(),
        format!("{}a{}", "(".repeat(201), ")".repeat(201)),
        format!("[{}]", "abcdefgh".repeat(9000)),
    ] {
        assert!(matches!(compile(&source), Err(Error::TooLarge(_))), "{}", &source[..12]);
    }
    assert_eq!(compile(&format!("{}a{}", "(?:".repeat(199), ")".repeat(199))), Ok(()));
    assert_eq!(compile("[a-z]{1000}"), Ok(()));
}

/// The deepest pattern that is let through, on a stack as small as a thread of Node's gets.
#[test]
fn the_deepest_pattern_fits_on_a_small_stack() {
    let source = format!("{}a{}", "(".repeat(200), ")".repeat(200));
    let run = move || {
        let pattern = compile(&source, Flags::default()).unwrap();
        assert!(pattern.matcher().unwrap().is_match(Haystack::Latin1(b"a"), 0).unwrap());
    };
    std::thread::Builder::new().stack_size(512 << 10).spawn(run).unwrap().join().unwrap();
}

/// What a search costs does not depend on what the text is like: the work of the automaton is one step a byte.
#[test]
fn hostile_texts_are_answered() {
    for (source, pump, suffix) in [
        ("^(?:a+)+$", "a", "!"),
        (r"\s+$", " ", "x"),
        ("^(?:a|a)+$", "a", "!"),
        (r"^\d+1337\d+$", "1337", "x"),
    ] {
        let text = pump.repeat(1_000_000 / pump.len()) + suffix;
        let mut matcher = self::compile(source, Flags::default()).unwrap().matcher().unwrap();
        assert!(!matcher.is_match(Haystack::Latin1(text.as_bytes()), 0).unwrap(), "{source}");
        assert_eq!(find(&mut matcher, Haystack::Latin1(text.as_bytes()), 0), None, "{source}");
    }
}
