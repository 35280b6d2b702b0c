//! What is said of patterns. That counting is right is tested here too: against the machine that takes every step.
#![allow(clippy::unwrap_used, reason = "a failing unwrap is a failing test")]

use std::time::Duration;

use holdfast_regexp_syntax::{Characters, Flags, Set, lower};
use proptest::prelude::*;

use crate::alphabet::Alphabet;
use crate::analysis::{Analysis, Complexity, Limits, Reason, analyze};
use crate::budget::Budget;
use crate::count::{Counter, Searches, Tally};
use crate::graph::Graph;
use crate::machine::Machine;
use crate::program::{Loops, Program, Shape};

pub(crate) fn analysis(source: &str, flags: &str) -> Analysis {
    let units: Vec<u16> = source.encode_utf16().collect();
    let limits = Limits { time: Duration::from_secs(60) };
    analyze(&units, Flags::parse(flags).unwrap(), &Characters::default(), limits)
}

fn complexity(source: &str) -> Complexity {
    analysis(source, "").complexity
}

#[test]
fn exponential_ones() {
    for source in [
        "(a|a)*b",
        "(a+)+b",
        "(x+x+)+y",
        r"^(([a-z])+.)+[A-Z]([a-z])+$",
        "(.*)*=",
        "^(?=(a+)+$)b",
        "^(?!(a+)+$)b",
        "(a|aa)+$",
        "(?:a|a?)+b",
        "^(a?){25}a{25}$",
        "^(?:a{0,25}){0,25}b",
        "((a*)*)*b",
        "^(?:a?){30}b|\\s+$",
        "^(?:a|a){30}$",
        r"^(?:\w|\d){30}$",
        "^(?:a|aa){40}$",
        "^(?:(?:ab)?){30}$",
        "^(?:(?:ab){1,15}){1,15}$",
        "^ab(?:c{1,15}){1,15}$",
        "^(?:(?:a|b)|(?:b|a))*c$",
        r"^([a-zA-Z0-9_.-])+@(([a-zA-Z0-9-])+\.)+([a-zA-Z0-9]{2,4})+$",
    ] {
        assert_eq!(complexity(source), Complexity::Exponential, "{source}");
    }
}

#[test]
fn polynomial_ones() {
    for (source, degree) in [
        (r"\s+$", 2),
        (r"^\d+1337\d+$", 2),
        ("a*b", 2),
        ("^a*a*b", 2),
        ("^a*a*a*b", 3),
        ("a*a*b", 3),
        ("^(?:.*,){3}P", 3),
        ("(?:.*,){20}P", 21),
        ("(?=a*b)c", 2),
        (r"(?:(?=(a*))a)*b", 3),
        (r"\d{1,5000}$", 2),
        ("x*$", 2),
        (r"^.*a.*b$", 2),
        ("^.*a.*b.*c$", 3),
        (r"^.+@.+\..+$", 3),
    ] {
        assert_eq!(complexity(source), Complexity::Polynomial(degree), "{source}");
    }
}

/// Where a search may begin at any place, what is looked for at the start of the text only is not all there is.
#[test]
fn searches_with_g_and_y_begin_anywhere() {
    assert_eq!(complexity(r"^\s*|\s*$"), Complexity::Linear);
    assert_eq!(analysis(r"^\s*|\s*$", "g").complexity, Complexity::Polynomial(2));
    assert_eq!(analysis("^|a*b", "g").complexity, Complexity::Polynomial(2));
    assert_eq!(analysis("^|a*b", "y").complexity, Complexity::Linear);
    assert_eq!(analysis("^a*b", "g").complexity, Complexity::Linear);
    // The first match would take all the spaces, but for a letter before them.
    let trim = analysis(r"^\s+|\s+$", "g").attack.unwrap();
    assert!(!trim.prefix.is_empty());
    assert_eq!(analysis("(?:a|a)*b", "y").complexity, Complexity::Exponential);
}

#[test]
fn linear_ones() {
    for source in [
        "",
        "a",
        "^",
        "a*",
        "(?:a*)*",
        "^[a-z]+(?:-[a-z]+)*$",
        r"^\d{1,3}(,\d{3})*$",
        "^[^@]+@[^@]+$",
        "(a|b)*",
        "(?:a|a)*?",
        r"\d+",
        r"^\s+$",
        r"[^]*",
        r"^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,}$",
        r"\w{1,10}@",
        r"\d{0,300}x",
        r"\s{1,500}$",
        "(?<!a)b",
        "(?:|a)*",
        r#"(['"])[a-z]\1"#,
        "^(?:a|b|ab)c$",
        "[]",
        "(?:)*",
        "(?:a|)*$|^(?:a|)*",
    ] {
        assert_eq!(complexity(source), Complexity::Linear, "{source}");
    }
}

#[test]
fn hotspots_are_the_loops_that_do_it() {
    let spans = |source: &str| -> Vec<(u32, u32)> {
        analysis(source, "").hotspots.iter().map(|span| (span.start, span.end)).collect()
    };
    assert_eq!(spans("(a+)+b"), [(0, 5)]);
    assert_eq!(spans("^(?:a+)+=(?:a+)+$"), [(1, 8)]);
    assert_eq!(spans("(?:a?){100}a{100}b"), [(0, 11)]);
    assert_eq!(spans("x(?:y(?:a|a)*b)*"), [(5, 13)]);
    assert_eq!(spans(r"\s+$"), [(0, 3)]);
    assert_eq!(spans(r"^\d+1337\d+$"), [(1, 4), (8, 11)]);
    assert_eq!(spans("ü\u{1F600}(?<name>a+)+b"), [(3, 15)]);
}

#[test]
fn attacks_are_texts() {
    let Analysis { attack, steps, .. } = analysis(r"^<(a+)+>$", "");
    let attack = attack.unwrap();
    let text = |units: &[u16]| String::from_utf16(units).unwrap();
    assert_eq!(text(&attack.prefix), "<a");
    assert!(text(&attack.pump).chars().all(|character| character == 'a'));
    assert!(steps.len() > 3);
    assert!(steps.windows(2).all(|pair| pair[1].1 > pair[0].1 && pair[1].2 > pair[0].2));
}

/// V8 does not try what needs a two-byte character in a text that has none.
#[test]
fn attacks_have_a_wide_character_where_the_pattern_needs_one() {
    for source in ["^(?:a+)+\u{4e2d}$", r"\s+[\u4e00-\u9fff]", r"[\w.]+@\u4e2d"] {
        let attack = analysis(source, "").attack.unwrap();
        let text = [attack.prefix, attack.pump, attack.suffix].concat();
        assert!(text.iter().any(|&unit| unit > 0xFF), "{source}");
    }
}

#[test]
fn halves_of_surrogate_pairs_do_not_stand_in_for_characters() {
    let source = r"^(?:[\ud83d][\ude00]|[\ud83d][\ude00])*$";
    assert!(analysis(source, "u").attack.is_none());
    assert_eq!(analysis(r"(?:\ud83d|\ud83d)*$", "u").complexity, Complexity::Exponential);
    assert_eq!(analysis(source, "").complexity, Complexity::Exponential);
}

#[test]
fn back_references_are_unknown_or_worse() {
    // What a group asks about the text around it is not asked about the text that a reference compares.
    for source in [r"(^a)(?:\1+)+$", r"(\ba)(?:\1|\1)*$", r"(?:(?!b)(\ba))(?:\1|\1)*$"] {
        assert_ne!(complexity(source), Complexity::Linear, "{source}");
    }
    for source in [r"^(a+)+\1b$", r"(a+)+\1$"] {
        assert_eq!(complexity(source), Complexity::Exponential, "{source}");
    }
    let realm = r#"(?:.*,)*[ \t]*([^ \t]+)[ \t]+realm=(["']?)([^"']*)\2"#;
    assert_eq!(complexity(realm), Complexity::Exponential);
    assert_eq!(complexity(r"^(x?)(?:a?){30}\1$"), Complexity::Exponential);
    assert!(matches!(
        complexity(r"^(a*)\1$"),
        Complexity::Unknown(Reason::BackReference) | Complexity::Polynomial(2)
    ));
}

#[test]
fn lookarounds_the_other_way_are_their_own_matchers() {
    assert_eq!(complexity("(?<=a*)b"), Complexity::Polynomial(2));
    assert_eq!(complexity("(?<=^(a+)+)b"), Complexity::Exponential);
    assert_eq!(complexity(r"(?<=\$)\d"), Complexity::Linear);
    // One character behind is a condition like a word boundary.
    for source in ["(?<!a)a+b", "(?<=^|,)[^,]+;", r"(?<!\s)\s+$", r"(?<![\w-])[\w-]+(?=-preview)"] {
        assert_eq!(complexity(source), Complexity::Linear, "{source}");
    }
    assert_eq!(complexity("(?<=^|a)a+b"), Complexity::Polynomial(2));
    assert_eq!(complexity("(?<=a|b)a+b"), Complexity::Polynomial(2));
}

#[test]
fn ways_that_read_nothing_are_not_called_linear() {
    for source in ["(?:(?:|){30})*b", "()\\1((|){30})*b", "(?:a?|b?){30}c"] {
        assert_eq!(complexity(source), Complexity::Unknown(Reason::EmptyWays), "{source}");
    }
    assert_eq!(complexity("^(?:a?b?){3}$"), Complexity::Linear);
}

#[test]
fn hostile_patterns_get_an_answer() {
    let many: Vec<String> = (0..10_000).map(|number| format!("a{number}")).collect();
    let nested = format!("{}a{}", "(?:".repeat(190), ")*".repeat(190));
    let optional = "a?".repeat(2000);
    let stars = "a*".repeat(300);
    let classes: String =
        (0..2000).map(|number| format!("[a-{}]*", char::from_u32(0x100 + number).unwrap())).collect();
    for source in [
        many.join("|"),
        format!("(?:{})*b", many.join("|")),
        nested,
        "(?:a{1000}){1000}".into(),
        "(?:(?:a{1,1000}){1,1000}){1,1000}b".into(),
        optional.clone(),
        format!("^(?:{optional})*b"),
        stars,
        classes,
        "(".repeat(1000) + &")".repeat(1000),
        format!("{}{}", "(?:".repeat(7), "){64}".repeat(7)),
        format!("{}{}", "(?:".repeat(3), "){1999}".repeat(3)),
        format!("(?:{}{})*b", "(?:".repeat(5), "a{0}){64}".repeat(5)),
        r"(a)\1(?:(?:|){60})*b".into(),
        r"()\1(?:(|){30})*b".into(),
        format!(r"{}\1b", "(a?)".repeat(2000)),
        format!(
            "(?:(?<={})x){{64}}",
            (0..12_000)
                .map(|place| char::from_u32(0x4E00 + place).unwrap().to_string())
                .collect::<Vec<_>>()
                .join("|")
        ),
        format!("(?:(?:(?:{}){{64}}){{64}}){{64}}", "(?:a|b){0}".repeat(3000)),
        (0..19_000).map(|place| char::from_u32(0x4E00 + place).unwrap()).collect(),
        format!("^(?:{})*$", "(?:a|b)?".repeat(500)),
    ] {
        let started = std::time::Instant::now();
        let found = complexity(&source);
        let text = &source[..source.len().min(30)];
        assert!(
            started.elapsed() < Duration::from_secs(10),
            "{text}: {:?} after {:?}",
            found,
            started.elapsed()
        );
    }
}

const ATOMS: [&str; 25] = [
    "a",
    "b",
    "[ab]",
    ".",
    "^",
    "$",
    r"\b",
    r"\B",
    "(?:",
    "(?:",
    "(",
    ")",
    ")",
    ")*",
    ")+",
    ")?",
    ")*?",
    "){2}",
    ")+?",
    "|",
    "(?=",
    "(?<!",
    "(?<=a)",
    "(?<!^|b)",
    "(?<=[ab]|$)",
];

/// Patterns of these pieces, made whole by brackets at both ends.
fn pattern() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(&ATOMS[..]), 1..14).prop_map(|pieces| {
        let (mut text, mut open) = (String::new(), Vec::new());
        for piece in pieces {
            if piece.starts_with('(') && !piece.ends_with(')') {
                open.push(piece);
                text.push_str(piece);
            } else if let Some(quantifier) = piece.strip_prefix(')') {
                let Some(opened) = open.pop() else { continue };
                text.push(')');
                // V8 takes no quantifier after a lookbehind.
                if opened != "(?<!" {
                    text.push_str(quantifier);
                }
            } else {
                text.push_str(piece);
            }
        }
        text + &")".repeat(open.len())
    })
}

/// A pattern made ready for counting, with the letters of "ab\n c".
struct Counted {
    program: Program,
    graphs: Vec<Graph>,
    alphabet: Alphabet,
}

impl Counted {
    fn of(source: &str, flags: Flags) -> Counted {
        let units: Vec<u16> = source.encode_utf16().collect();
        let lowered = lower(&units, flags, &Characters::default(), true).unwrap();
        let shape = Shape { steps: 10_000, loops: Loops::Exact, sticky: flags.sticky, unicode: false };
        let program = Program::compile(&lowered.root, lowered.groups, shape).unwrap();
        let mut budget = plenty();
        let graphs = (0..program.regions.len())
            .map(|region| Graph::of(&program, region, &mut budget).unwrap())
            .collect();
        let mut sets = program.sets.clone();
        sets.extend(program.asked.sets().cloned());
        sets.extend(
            "ab\n c".chars().map(|letter| Set::from_ranges([(u32::from(letter), u32::from(letter))])),
        );
        let alphabet = Alphabet::of(&sets, program.last).unwrap();
        Counted { program, graphs, alphabet }
    }

    fn letters(&self, text: &str) -> Vec<u32> {
        let letter =
            |c: char| (0..self.alphabet.len()).find(|&place| self.alphabet.character(place) == u32::from(c));
        text.chars().map(|c| letter(c).unwrap() as u32).collect()
    }

    fn steps(&self, text: &str) -> Tally {
        let counter = Counter::new(&self.program, &self.graphs, &self.alphabet);
        counter.count(&self.letters(text), Searches::First, &mut plenty()).unwrap()
    }
}

fn plenty() -> Budget {
    Budget::new(1 << 40, Budget::deadline(Duration::from_secs(6000)))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, ..ProptestConfig::default() })]

    #[test]
    fn counting_agrees_with_taking_every_step(
        source in pattern(),
        text in "[ab\n ]{0,9}",
        multiline: bool,
        sticky: bool,
    ) {
        let counted = Counted::of(&source, Flags { multiline, sticky, ..Flags::default() });
        let characters: Vec<u32> = text.chars().map(u32::from).collect();
        let Ok(taken) = Machine::run(&counted.program, &characters, &[], 1_000_000) else { return Ok(()) };
        let Tally { steps, matched, .. } = counted.steps(&text);
        prop_assert_eq!(matched, taken.matched);
        prop_assert_eq!(steps, taken.steps as f64);
    }

    #[test]
    fn what_is_called_linear_is_so_on_any_text(
        source in pattern(),
        multiline: bool,
        texts in prop::collection::vec(("[ab\n ]{0,2}", "[ab\n ]{1,4}", "[abc\n ]{0,2}"), 6),
    ) {
        if analysis(&source, if multiline { "m" } else { "" }).complexity != Complexity::Linear {
            return Ok(());
        }
        let counted = Counted::of(&source, Flags { multiline, ..Flags::default() });
        for (prefix, pump, suffix) in texts {
            let steps = |times: usize| counted.steps(&format!("{prefix}{}{suffix}", pump.repeat(times))).steps;
            prop_assert!(steps(240) < 2.2 * steps(120) + 200.0, "{:?} {:?} {:?}", prefix, pump, suffix);
        }
    }
}
