//! Patterns and the IR they become, written down by hand from ECMA-262. That V8 agrees is tested from JavaScript.
#![allow(clippy::unwrap_used, reason = "a failing unwrap is a failing test")]

use proptest::prelude::*;

use super::{Lowered, lower, missing};
use crate::Characters;
use crate::ir::Node;
use crate::set::{LAST_CODE_POINT, LAST_CODE_UNIT, Set};
use crate::{Error, Flags};

#[path = "../tests/support/mod.rs"]
mod support;

fn units(source: &str) -> Vec<u16> {
    source.encode_utf16().collect()
}

fn lowered(source: &[u16], flags: &str) -> Lowered {
    let flags = Flags::parse(flags).unwrap();
    let mut characters = Characters::default();
    let names = missing(source, flags, &characters).unwrap();
    support::provide(&mut characters, &names);
    lower(source, flags, &characters, true).unwrap()
}

fn root(source: &str, flags: &str) -> Node {
    lowered(&units(source), flags).root
}

/// The IR in short: sets as ranges, groups by number, all else as its notation.
fn show(node: &Node) -> String {
    let list = |nodes: &[Node], between: &str| nodes.iter().map(show).collect::<Vec<_>>().join(between);
    match node {
        Node::Empty => "ε".into(),
        Node::Class(set) => format!("[{}]", characters(set)),
        Node::Assertion(assertion) => format!("{assertion:?}"),
        Node::Concatenation(parts) => list(parts, " "),
        Node::Alternation(branches) => format!("({})", list(branches, "|")),
        Node::Repetition { min, max, greedy, body, .. } => {
            let max = max.map_or(String::new(), |max| max.to_string());
            format!("{{{min},{max}{}{}}}", if *greedy { ' ' } else { '?' }, show(body))
        }
        Node::Capture(number, body) => format!("<{number} {}>", show(body)),
        Node::Look { behind, negative, body } => {
            format!(
                "{}{}{{{}}}",
                if *behind { '<' } else { '>' },
                if *negative { '!' } else { '=' },
                show(body)
            )
        }
        Node::BackReference { groups, ignore_case } => {
            format!("\\{groups:?}{}", if *ignore_case { "i" } else { "" })
        }
    }
}

fn characters(set: &Set) -> String {
    let show = |value: u32| match char::from_u32(value) {
        Some(character) if character.is_ascii_graphic() => character.to_string(),
        _ => format!("{value:X}"),
    };
    let range = |&(low, high): &(u32, u32)| {
        if low == high { show(low) } else { format!("{}-{}", show(low), show(high)) }
    };
    set.ranges().iter().map(range).collect::<Vec<_>>().join(" ")
}

/// `(pattern, flags, IR)`
fn assert_lowered(cases: &[(&str, &str, &str)]) {
    for (source, flags, expected) in cases {
        assert_eq!(show(&root(source, flags)), *expected, "/{source}/{flags}");
    }
}

#[test]
fn everything_has_a_node() {
    assert_lowered(&[
        ("", "", "ε"),
        ("a|", "", "([a]|ε)"),
        ("(?=a)(?!b)(?<=c)(?<!d)", "", ">={[a]} >!{[b]} <={[c]} <!{[d]}"),
        ("(?=a)*?", "", "{0,?>={[a]}}"),
        ("a{2,}b{3}?c{,4}", "", "{2, [a]} {3,3?[b]} [c] [{] [,] [4] [}]"),
        ("^$", "m", "LineStart LineEnd"),
        ("^$", "", "InputStart InputEnd"),
        (r"\b\B", "i", "WordBoundary NotWordBoundary"),
        (r"\b\B", "iu", "FoldedWordBoundary NotFoldedWordBoundary"),
        (r"\b", "iv", "FoldedWordBoundary"),
        (".", "", "[0-9 B-C E-2027 202A-FFFF]"),
        (".", "su", "[0-10FFFF]"),
        ("[][^]", "", "[] [0-FFFF]"),
        ("(a)\\1", "", "<1 [a]> \\[1]"),
        ("\\1(a)", "i", "\\[1]i <1 [A a]>"),
        ("(?<n>a)|(?<n>b)|\\k<n>", "", "(<1 [a]>|<2 [b]>|\\[1, 2])"),
        ("(?<\\u{1D4D0}>a)\\k<𝓐>*1", "u", "<1 [a]> {0, \\[1]} [1]"),
        ("(?<ab>.)\\k<a\\u0062>(?<abc>x)\\k<abc>", "s", "<1 [0-FFFF]> \\[1] <2 [x]> \\[2]"),
    ]);
}

#[test]
fn annex_b() {
    assert_lowered(&[
        (r"\1", "", "[1]"),
        (r"\1(?:a)", "", "[1] [a]"),
        (r"(?i:a)\1", "", "[A a] [1]"),
        (r"(a)\2\8\18", "", "<1 [a]> [2] [8] [1] [8]"),
        (r"[(]\1", "", "[(] [1]"),
        (r"\(\1", "", "[(] [1]"),
        (r"\101\400\0\00\08\377\3777", "", "[A] [20] [0] [0] [0] [0] [8] [FF] [FF] [7]"),
        (r"[\1\8\101\400]", "", "[1 20 0 8 A]"),
        (r"\ca\c1\c", "", "[1] [\\] [c] [1] [\\] [c]"),
        (r"[\c1\c_\ca][\c][\c-]", "", "[1 11 1F] [\\ c] [- \\ c]"),
        (r"\c*", "", "[\\] {0, [c]}"),
        (r"\k<a>\k", "", "[k] [<] [a] [>] [k]"),
        (r"\u\x\u{2}\p{L}\a\-", "", "[u] [x] {2,2 [u]} [p] [{] [L] [}] [a] [-]"),
        (r"[\w-z][a-\d][\d-\d]", "", "[- 0-9 A-Z _ a-z] [- 0-9 a] [- 0-9]"),
        (r"[\b\B\-\k]", "", "[8 - B k]"),
        (r"\cA[\cA]", "u", "[1] [1]"),
        ("]{}a{x", "", "[]] [{] [}] [a] [{] [x]"),
        ("a{99999999999999999999}", "", "{2147483647, [a]}"),
        ("a{1,99999999999999999999}?", "", "{1,?[a]}"),
        ("a{01,02}", "", "{1,2 [a]}"),
    ]);
}

#[test]
fn surrogates_as_they_stand() {
    let cases: [(&[u16], &str, &str); 10] = [
        (&[0xD83D], "", "[D83D]"),
        (&[0xD83D], "u", "[D83D]"),
        (&[0xD83D, 0xDE00], "", "[D83D] [DE00]"),
        (&[0xD83D, 0xDE00], "u", "[1F600]"),
        (&[0xDE00, 0xD83D], "v", "[DE00] [D83D]"),
        // An escape does not pair with what stands as such.
        (&[0xD83D, 0x5C, 0x75, 0x64, 0x65, 0x30, 0x30], "u", "[D83D] [DE00]"),
        (&[0x5C, 0x75, 0x64, 0x38, 0x33, 0x64, 0xDE00], "u", "[D83D] [DE00]"),
        (&[0x5C, 0xD83D, 0x2A], "", "{0, [D83D]}"),
        (&[0x5C, 0xD83D, 0xDE00, 0x2A], "", "[D83D] {0, [DE00]}"),
        (&[0x5C, 0x5C, 0xD83D], "", "[\\] [D83D]"),
    ];
    for (source, flags, expected) in cases {
        assert_eq!(show(&lowered(source, flags).root), expected, "{source:x?} {flags}");
    }
    let class = [0x5B, 0xD83D, 0xDE00, 0x2D, 0xDE02, 0x5D];
    assert_eq!(show(&lowered(&class, "").root), "[D83D DE00-DE02]");
    assert_lowered(&[(r"\ud83d\ude00", "u", "[1F600]"), (r"\ud83d\ude00", "", "[D83D] [DE00]")]);
}

#[test]
fn case_folding() {
    assert_lowered(&[
        ("k", "i", "[K k]"),
        ("k", "iu", "[K k 212A]"),
        ("ſ", "i", "[17F]"),
        ("ſ", "iu", "[S s 17F]"),
        ("ß", "i", "[DF]"),
        ("ß", "iu", "[DF 1E9E]"),
        ("σ", "i", "[3A3 3C2-3C3]"),
        ("µ", "i", "[B5 39C 3BC]"),
        ("İ", "iu", "[130]"),
        ("ı", "i", "[131]"),
        ("\u{345}", "i", "[345 399 3B9 1FBE]"),
        ("𐐀", "iu", "[10400 10428]"),
        ("𐐀", "i", "[D801] [DC00]"),
        (r"\w", "i", "[0-9 A-Z _ a-z]"),
        (r"\w", "iu", "[0-9 A-Z _ a-z 17F 212A]"),
        (r"\W", "iu", "[0-/ :-@ [-^ ` {-17E 180-2129 212B-10FFFF]"),
        ("[^k]", "iu", "[0-J L-j l-2129 212B-10FFFF]"),
        (r"[^\W]", "iv", "[0-9 A-Z _ a-z 17F 212A]"),
        ("[א-ת]", "i", "[5D0-5EA]"),
    ]);
    // With u, A is no lower-case letter and equals one that is; with v, it equals one.
    let has_a = |source: &str, flags: &str| show(&root(source, flags)).starts_with("[0-@ [");
    assert!(!has_a(r"\P{Ll}", "iu") && has_a(r"\P{Ll}", "iv"));
    assert!(!show(&root(r"[^\P{Ll}]", "iu")).contains("a-z"));
    assert!(show(&root(r"[^\P{Ll}]", "iv")).starts_with("[A-Z a-z"));
}

#[test]
fn inline_flags_end_with_their_group() {
    assert_lowered(&[
        ("a(?i:a(?-i:a)a)a", "", "[a] [A a] [a] [A a] [a]"),
        ("^(?m:^(?-m:$)$)$", "", "InputStart LineStart InputEnd LineEnd InputEnd"),
        ("(?-s:.)|(?i-m:a^)", "ms", "([0-9 B-C E-2027 202A-FFFF]|[A a] InputStart)"),
        (r"(?i:\b\w)\b", "u", "FoldedWordBoundary [0-9 A-Z _ a-z 17F 212A] WordBoundary"),
        (r"(a)(?i:\1)\1", "", "<1 [a]> \\[1]i \\[1]"),
    ]);
}

#[test]
fn classes_of_the_flag_v() {
    assert_lowered(&[
        (r"[\w--\d]", "v", "[A-Z _ a-z]"),
        (r"[\w&&[a-f0-3]&&\D]", "v", "[a-f]"),
        (r"[[a-z]--[aeiou]--z]", "v", "[b-d f-h j-n p-t v-y]"),
        ("[^[^a-c]]", "v", "[a-c]"),
        (r"[\q{b|abc||ab}d]", "v", "([a] [b] ([c]|ε)|[b d]|ε)"),
        (r"[\q{ab|c|d}--\q{ab|d}]", "v", "[c]"),
        (r"[\q{ab|c}&&\q{ab|d}]", "v", "[a] [b]"),
        (r"[\q{AB|ab}--\q{Ab}]", "v", "([A] [B]|[a] [b])"),
        (r"[\q{AB|ab|x}--\q{Ab}]", "iv", "[X x]"),
        (r"[\q{K}--k]", "iv", "[]"),
        (r"[^\q{ab}&&a]", "v", "[0-10FFFF]"),
        (r"[^k]", "iv", "[0-J L-j l-2129 212B-10FFFF]"),
        (r"[\p{Lu}&&\p{ASCII}]", "v", "[A-Z]"),
        (r"[\p{Emoji_Keycap_Sequence}&&\q{0️⃣}]", "v", "[0] [FE0F] [20E3]"),
        (r"[\-\&&\!]", "v", "[! & -]"),
    ]);
}

#[test]
fn data_is_asked_for_only_where_it_is_needed() {
    let cases: &[(&str, &str, &[&str])] = &[
        (r"\w\W\d\s.[^a-z]\bK", "i", &[]),
        (r"\w\W\d\s.[^a-z]\bK[\0-\x7f]", "iu", &[]),
        ("日本[א-ת]", "i", &[]),
        ("é", "", &[]),
        ("é", "i", &["i"]),
        ("[a-é]", "iv", &["iu"]),
        ("(?-i:é)", "i", &[]),
        ("(?i:é)é", "u", &["iu"]),
        (r"\p{L}\P{L}[\p{Script=Greek}]", "u", &["L", "Script=Greek"]),
        (r"\p{RGI_Emoji}", "v", &["RGI_Emoji"]),
        // What is in the property is not known yet.
        (r"\p{L}", "iu", &["L", "iu"]),
        (r"[\p{L}\P{L}]", "iv", &["P{L}", "iu", "p{L}"]),
        (r"\p{L}\\p{M}", "", &[]),
        (r"(a)\1", "i", &["i"]),
        (r"(a)\1", "", &[]),
    ];
    for (source, flags, names) in cases {
        let flags = Flags::parse(flags).unwrap();
        let mut characters = Characters::default();
        let needs = |characters: &Characters| characters.needs(&units(source), flags).unwrap();
        assert_eq!(needs(&characters), *names, "{source}");
        let outcome = lower(&units(source), flags, &characters, true).map(|_| ());
        let lacking = Err(Error::Unsupported("characters without data about them"));
        assert_eq!(outcome, if names.is_empty() { Ok(()) } else { lacking }, "{source}");
        characters.provide_upper_case(&[]);
        characters.provide_simple_folding(&[]);
        for name in *names {
            characters.provide_property(name, &[], Vec::new());
        }
        assert_eq!(needs(&characters), [""; 0], "{source}");
    }
}

#[test]
fn names_and_references() {
    let Lowered { groups, names, canonical, .. } = lowered(&units(r"(?<b>.)|()(?<a>.)(?<b>.)\k<a>"), "i");
    assert_eq!(groups, 4);
    assert_eq!(names, [(units("b"), vec![1, 4]), (units("a"), vec![3])]);
    assert!(
        canonical.is_sorted() && canonical.contains(&(0x3C2, 0x3A3)) && canonical.contains(&(0x3A3, 0x3A3))
    );
    assert!(!canonical.iter().any(|&(character, _)| character == 0x20));
    assert_eq!(lowered(&units(r"(a)\1é"), "").canonical, []);
    for source in [r"(a)\1", r"\k<a>(?<a>)"] {
        let outcome = lower(&units(source), Flags::default(), &Characters::default(), false);
        assert_eq!(outcome.map(|_| ()), Err(Error::BackReference), "{source}");
    }
}

#[test]
fn limits() {
    let refused = |source: String, flags: &str| {
        let flags = Flags::parse(flags).unwrap();
        let mut characters = Characters::default();
        let source = units(&source);
        let names = match missing(&source, flags, &characters) {
            Err(error) => return matches!(error, Error::TooLarge(_)),
            Ok(names) => names,
        };
        support::provide(&mut characters, &names);
        matches!(lower(&source, flags, &characters, true), Err(Error::TooLarge(_)))
    };
    assert!(refused("a".repeat(65_537), "") && !refused("a".repeat(65_536), ""));
    assert!(refused(r"[\p{L}x]".repeat(8000), "u") && refused(r"\p{L}".repeat(13_000), "v"));
    assert!(refused("[".repeat(201) + "a" + &"]".repeat(201), "v"));
    assert!(!refused("[".repeat(200) + "a" + &"]".repeat(200), "v"));
    let named: String = (0..5000).map(|number| format!("(?<g{number}>)")).collect();
    assert!(!refused(named + r"\k<g4999>", ""));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// Without u, every code unit is written in some way in which it stands for itself.
    #[test]
    fn characters_in_all_their_spellings(unit in any::<u16>(), followed_by in prop::sample::select(&b"0a-\\x"[..])) {
        let set = show(&Node::Class(Set::from_ranges([(unit.into(), unit.into())])));
        let next = show(&Node::Class(Set::from_ranges([(followed_by.into(), followed_by.into())])));
        let mut spellings = vec![units(&format!("\\u{unit:04X}"))];
        if unit < 0x100 {
            spellings.push(units(&format!("\\x{unit:02X}")));
            spellings.push(units(&format!("\\{unit:03o}")));
        }
        if !u8::try_from(unit).is_ok_and(|byte| byte.is_ascii_alphanumeric()) {
            spellings.push(vec![0x5C, unit]);
        }
        if !u8::try_from(unit).is_ok_and(|byte| br"^$\.*+?()[]{}|/".contains(&byte)) {
            spellings.push(vec![unit]);
        }
        for spelling in spellings {
            prop_assert_eq!(show(&lowered(&spelling, "").root), set.clone());
            let tail = if followed_by == b'\\' { vec![0x5C, 0x5C] } else { vec![followed_by.into()] };
            let both: Vec<u16> = spelling.into_iter().chain(tail).collect();
            prop_assert_eq!(show(&lowered(&both, "").root), format!("{set} {next}"));
        }
    }

    /// Whatever is folded holds all of the characters that are equal, or none.
    #[test]
    fn folded_sets_are_closed(low in 0u32..0x2200, width in 0u32..0x40, flags in prop::sample::select(&["i", "iu", "iv"][..])) {
        let escape = |value: u32| format!("\\u{value:04x}");
        let source = units(&format!("[{}-{}]", escape(low), escape(low + width)));
        let flags = Flags::parse(flags).unwrap();
        let mut characters = Characters::default();
        let names = missing(&source, flags, &characters).unwrap();
        support::provide(&mut characters, &names);
        let Node::Class(set) = lower(&source, flags, &characters, true).unwrap().root else { panic!("no class") };
        prop_assert!(Set::from_ranges([(low, low + width)]).is_subset_of(&set));
        let last = if flags == Flags::parse("i").unwrap() { LAST_CODE_UNIT } else { LAST_CODE_POINT };
        let all = Set::default().complement(last);
        if let Ok(folding) = characters.folding_of(&all, last == LAST_CODE_POINT) {
            prop_assert_eq!(folding.close(&set), set.clone());
            prop_assert_eq!(folding.close(&set.complement(last)), set.complement(last));
        }
    }
}
