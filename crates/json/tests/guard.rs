//! The guard against documents that are made from trees, so that what is in them is known: however they are spelt, and
//! wherever the sieve's blocks happen to end.
#![allow(clippy::unwrap_used, reason = "a failing unwrap is a failing test")]

use std::collections::HashSet;
use std::fmt::Write;

use holdfast_json::{FindingKind, Guard, Limits, Options, Policy, Trust, exact_only};

/// Mulberry32.
struct Random(u32);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x6D2B_79F5);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 15)).wrapping_mul(mixed | 1);
        mixed ^= mixed.wrapping_add((mixed ^ (mixed >> 7)).wrapping_mul(mixed | 61));
        (mixed ^ (mixed >> 14)) as usize % bound
    }

    fn pick<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.below(items.len())]
    }
}

enum Tree {
    Object(Vec<(String, Tree)>),
    Array(Vec<Tree>),
    String(String),
    /// A number as it is written, and whether a double holds it.
    Number(&'static str, bool),
    Word(&'static str),
}

const KEYS: [&str; 20] = [
    "a",
    "b",
    "id",
    "name",
    "customer",
    "constructor",
    "prototype",
    "__proto__",
    "_proto_",
    "__proto",
    "$gt",
    "$",
    "é",
    "ü",
    "中文",
    "😀",
    "a key that is longer than sixteen bytes",
    "a key that is longer than sixteen byteś",
    "",
    "tab\t\"",
];

const NUMBERS: [(&str, bool); 16] = [
    ("0", true),
    ("-0", true),
    ("-1", true),
    ("12.5", true),
    ("1e5", true),
    ("-2.5E-3", true),
    ("1e400", false),
    ("9007199254740992", true),
    ("9007199254740993", false),
    ("0.12345678901234567890", true),
    ("1E+308", true),
    ("12345678901234567890123", false),
    ("-1e999", false),
    ("1152921504606846976", true),
    ("10", true),
    ("0.0e-0", true),
];

fn tree(random: &mut Random, depth: usize) -> Tree {
    match random.below(if depth == 0 { 6 } else { 10 }) {
        0 | 1 => Tree::String(random.pick(&KEYS).repeat(random.below(4))),
        2 | 3 => {
            let (number, fits) = random.pick(&NUMBERS);
            Tree::Number(number, fits)
        }
        4 => Tree::Word(random.pick(&["true", "false", "null"])),
        5 => Tree::Word(random.pick(&["{}", "[]", "{ }", "[\n]"])),
        6 | 7 => {
            let length = random.below(6);
            Tree::Array((0..length).map(|_| tree(random, depth - 1)).collect())
        }
        _ => {
            // Few keys twice, in large objects too.
            let length = if random.below(20) == 0 { random.below(90) } else { random.below(7) };
            let member = |index: usize, random: &mut Random| {
                let key =
                    if random.below(3) == 0 { random.pick(&KEYS).into() } else { format!("key {index}") };
                (key, tree(random, depth - 1))
            };
            Tree::Object((0..length).map(|index| member(index, random)).collect())
        }
    }
}

fn spell(tree: &Tree, random: &mut Random, text: &mut String) {
    space(random, text);
    match tree {
        Tree::Number(literal, _) | Tree::Word(literal) => text.push_str(literal),
        Tree::String(content) => string(content, random, text),
        Tree::Array(elements) => {
            text.push('[');
            for (index, element) in elements.iter().enumerate() {
                text.push_str(if index > 0 { "," } else { "" });
                spell(element, random, text);
            }
            text.push(']');
        }
        Tree::Object(members) => {
            text.push('{');
            for (index, (key, value)) in members.iter().enumerate() {
                text.push_str(if index > 0 { "," } else { "" });
                space(random, text);
                string(key, random, text);
                space(random, text);
                text.push(':');
                spell(value, random, text);
            }
            text.push('}');
        }
    }
    space(random, text);
}

fn space(random: &mut Random, text: &mut String) {
    text.push_str(random.pick(&[
        "",
        "",
        "",
        "",
        "",
        " ",
        "\n",
        "\t \r\n",
        "                                   ",
    ]));
}

fn string(content: &str, random: &mut Random, text: &mut String) {
    let escapes = random.below(6) == 0;
    text.push('"');
    for unit in content.encode_utf16() {
        if escapes && random.below(3) == 0 || unit < 0x20 {
            write!(text, "\\u{unit:04x}").unwrap();
        } else if unit == u16::from(b'"') || unit == u16::from(b'\\') {
            text.push('\\');
            text.push(char::from(unit as u8));
        } else if let Some(character) = char::from_u32(u32::from(unit)) {
            text.push(character);
        } else {
            write!(text, "\\u{unit:04X}").unwrap();
        }
    }
    text.push('"');
}

/// Everything that is in a tree, however often.
fn kinds(tree: &Tree, options: &Options, depth: usize, keys: &mut usize, found: &mut HashSet<FindingKind>) {
    let limits = options.limits;
    let mut add = |kind: FindingKind| found.insert(kind);
    match tree {
        Tree::Number(_, fits) => {
            if options.refuse_lossy && !fits {
                add(FindingKind::Number);
            }
        }
        Tree::Word(word) => {
            if word.starts_with(['{', '[']) && depth + 1 > limits.depth {
                add(FindingKind::Depth);
            }
        }
        Tree::String(content) => {
            if content.encode_utf16().count() > limits.string_length {
                add(FindingKind::StringLength);
            }
        }
        Tree::Array(elements) => {
            if depth + 1 > limits.depth {
                add(FindingKind::Depth);
            }
            if elements.len() > limits.array_length {
                add(FindingKind::ArrayLength);
            }
            for element in elements {
                kinds(element, options, depth + 1, keys, found);
            }
        }
        Tree::Object(members) => {
            if depth + 1 > limits.depth {
                add(FindingKind::Depth);
            }
            let mut names = HashSet::new();
            for (key, value) in members {
                *keys += 1;
                let units: Vec<u16> = key.encode_utf16().collect();
                let mut add = |kind: FindingKind| found.insert(kind);
                if *keys > limits.keys {
                    add(FindingKind::Keys);
                }
                if units.len() > limits.key_length {
                    add(FindingKind::KeyLength);
                }
                if key == "__proto__" && options.proto_key == Policy::Refuse {
                    add(FindingKind::ProtoKey);
                }
                let has_prototype = matches!(value, Tree::Object(members) if members.iter().any(|(key, _)| key == "prototype"));
                if key == "constructor" && has_prototype && options.constructor_key == Policy::Refuse {
                    add(FindingKind::ConstructorKey);
                }
                if key.starts_with('$') && options.operator_keys == Policy::Refuse {
                    add(FindingKind::OperatorKey);
                }
                if options.forbidden.contains(units.as_slice()) {
                    add(FindingKind::ForbiddenKey);
                }
                if !names.insert(key) && options.refuse_duplicates {
                    add(FindingKind::DuplicateKey);
                }
                kinds(value, options, depth + 1, keys, found);
            }
        }
    }
}

fn some_options(random: &mut Random) -> Options {
    let policies = [Policy::Refuse, Policy::Remove, Policy::Ignore];
    let limit = |random: &mut Random, values: &[usize]| {
        if random.below(2) == 0 { usize::MAX } else { random.pick(values) }
    };
    let forbidden =
        random.pick(&[&[][..], &[][..], &["中文"][..], &["b", "é", "key 3"][..], &["a", "tab\t\""][..]]);
    Options {
        proto_key: random.pick(&policies),
        constructor_key: random.pick(&policies),
        operator_keys: random.pick(&policies),
        forbidden: forbidden.iter().map(|name| name.encode_utf16().collect()).collect(),
        refuse_duplicates: random.below(2) == 0,
        refuse_lossy: random.below(2) == 0,
        limits: Limits {
            depth: if random.below(2) == 0 { 128 } else { random.below(6) },
            keys: limit(random, &[0, 1, 3, 10, 40]),
            key_length: limit(random, &[0, 2, 5, 12, 40]),
            string_length: limit(random, &[0, 2, 5, 20, 63, 64, 65, 100]),
            array_length: limit(random, &[0, 1, 2, 4]),
        },
    }
}

#[test]
fn finds_what_is_in_the_tree_and_nothing_else() {
    let mut random = Random(20_261_122);
    let (mut clean, mut refused) = (0, 0);
    for round in 0..30_000 {
        let tree = tree(&mut random, 4);
        let mut text = String::new();
        // Every place relative to the blocks.
        text.push_str(&" ".repeat(random.below(65)));
        spell(&tree, &mut random, &mut text);
        let options = some_options(&mut random);
        let mut expected = HashSet::new();
        kinds(&tree, &options, 0, &mut 0, &mut expected);

        let guard = Guard::new(options.clone());
        let units: Vec<u16> = text.encode_utf16().collect();
        let bytes = guard.check_bytes(text.as_bytes(), Trust::Nothing);
        let label = || format!("round {round}: {text} with {options:?}");
        assert_eq!(bytes, exact_only(text.as_bytes(), &options), "{}", label());
        assert_eq!(bytes, guard.check_bytes(text.as_bytes(), Trust::Parser), "{}", label());
        let wide = guard.check_units(&units, Trust::Nothing);
        assert_eq!(wide, guard.check_units(&units, Trust::Parser), "{}", label());
        assert_eq!(wide, exact_only(&units, &options), "{}", label());
        assert_eq!(wide.is_ok(), bytes.is_ok(), "{}", label());
        // As Latin-1, where characters beyond it are left out of all forms.
        let latin1: Vec<u16> = units.iter().copied().filter(|&unit| unit <= 0xFF).collect();
        let narrow: Vec<u8> = latin1.iter().map(|&unit| unit as u8).collect();
        for trust in [Trust::Nothing, Trust::Parser] {
            let (narrow, wide) = (guard.check_latin1(&narrow, trust), guard.check_units(&latin1, trust));
            assert_eq!(narrow.map(|report| report.cuts), wide.map(|report| report.cuts), "{}", label());
        }
        assert_eq!(guard.list_latin1(&narrow, 100), guard.list_units(&latin1, 100), "{}", label());
        match &bytes {
            Ok(report) => {
                clean += 1;
                assert!(expected.is_empty(), "{expected:?} was overlooked, {}", label());
                assert_eq!(report.ascii, text.is_ascii());
                assert!(guard.list_bytes(text.as_bytes(), 100).is_empty());
            }
            Err(finding) => {
                refused += 1;
                let kind = finding.kind;
                assert!(expected.contains(&kind), "{finding:?} among {expected:?}, {}", label());
                let list = guard.list_bytes(text.as_bytes(), 100);
                assert!(list.contains(finding));
                assert_eq!(list.len(), guard.list_units(&units, 100).len());
                if !list.iter().any(|finding| finding.kind.ends_scan()) {
                    let listed: HashSet<_> = list.iter().map(|finding| finding.kind).collect();
                    assert_eq!(listed, expected, "{}", label());
                }
            }
        }
    }
    assert!(clean > 5_000 && refused > 5_000, "{clean} clean, {refused} refused");
}

#[test]
fn damage_anywhere_is_judged_as_the_exact_scan_judges_it() {
    let mut random = Random(7);
    let (mut json, mut broken) = (0, 0);
    for round in 0..60_000 {
        let mut text = " ".repeat(random.below(65));
        spell(&tree(&mut random, 3), &mut random, &mut text);
        for _ in 0..random.below(3) {
            let at = random.below(text.len() + 1);
            if !text.is_char_boundary(at) {
                continue;
            }
            let end = (at + random.below(3)).min(text.len());
            let put = random.pick(&[
                "", "{", "}", "[", "]", ",", ":", "\"", "\\", "\\u00", "\u{0}", "\n", "0", "1", "-", "+",
                ".", "e", "E5", "true", "nul", "é", "9e", "e9", "00", "-0", "\"\"", "[1", "\"a\":", "{\"a\"",
                "\u{1f}", "\\\\", "\\\"",
            ]);
            if text.is_char_boundary(end) {
                text.replace_range(at..end, put);
            }
        }
        let options = if round % 2 == 0 { Options::default() } else { some_options(&mut random) };
        let guard = Guard::new(options.clone());
        let result = guard.check_bytes(text.as_bytes(), Trust::Nothing);
        assert_eq!(result, exact_only(text.as_bytes(), &options), "round {round}: {text} with {options:?}");
        let is_json = serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok();
        if result.is_ok() {
            assert!(is_json, "{text}");
        }
        if is_json {
            assert_eq!(result, guard.check_bytes(text.as_bytes(), Trust::Parser), "{text}");
            json += 1;
        } else {
            broken += 1;
        }
    }
    assert!(json > 10_000 && broken > 10_000, "{json} and {broken}");
}

#[test]
fn cutting_removes_the_members_and_leaves_json() {
    let options = Options {
        proto_key: Policy::Remove,
        constructor_key: Policy::Remove,
        operator_keys: Policy::Remove,
        ..Options::default()
    };
    let guard = Guard::new(options);
    for (text, left) in [
        (r#"{"__proto__":1}"#, "{}"),
        (r#"{"__proto__":1,"a":2}"#, r#"{"a":2}"#),
        (r#"{"a":2,"__proto__":1}"#, r#"{"a":2}"#),
        (r#"{"__proto__":1,"$a":1,"a":2}"#, r#"{"a":2}"#),
        (r#"{"a":2,"__proto__":1,"$a":1}"#, r#"{"a":2}"#),
        (r#"{"__proto__":1,"a":2,"$a":1}"#, r#"{"a":2}"#),
        (r#"{"a":2,"__proto__":1,"b":3}"#, r#"{"a":2,"b":3}"#),
        (r#"{"__proto__":1,"$a":1}"#, "{}"),
        (r#"[{"constructor":{"__proto__":1,"prototype":2},"b":3}]"#, r#"[{"b":3}]"#),
        (r#"{"constructor":{"prototype":{"constructor":{"prototype":1}}}}"#, "{}"),
        (r#"{"constructor":{"$x":1}}"#, r#"{"constructor":{}}"#),
    ] {
        let cuts = guard.check_bytes(text.as_bytes(), Trust::Nothing).unwrap().cuts;
        assert_eq!(without(text, &cuts), left);
        let spaced = text.replace(':', " : ").replace(',', " ,\n").replace('{', "{ ").replace('}', " }");
        let cuts = guard.check_bytes(spaced.as_bytes(), Trust::Nothing).unwrap().cuts;
        let parsed: serde_json::Value = serde_json::from_str(&without(&spaced, &cuts)).unwrap();
        assert_eq!(parsed, serde_json::from_str::<serde_json::Value>(left).unwrap(), "{spaced}");
    }
}

fn without(text: &str, cuts: &[(usize, usize)]) -> String {
    let mut left = String::new();
    let mut from = 0;
    for &(start, end) in cuts {
        assert!(from <= start && start < end, "cuts are in order and apart");
        left.push_str(&text[from..start]);
        from = end;
    }
    left + &text[from..]
}

#[test]
fn many_keys_are_told_apart_and_found_again() {
    let options = Options { refuse_duplicates: true, ..Options::default() };
    let guard = Guard::new(options);
    for count in [1, 2, 30, 31, 32, 33, 34, 63, 64, 65, 1000, 100_000] {
        let members: Vec<String> =
            (0..count).map(|index| format!("\"key {index}\":[{index},{{\"a\":1}}]")).collect();
        let text = format!("{{{}}}", members.join(","));
        assert!(guard.check_bytes(text.as_bytes(), Trust::Nothing).is_ok(), "{count}");
        assert_eq!(guard.list_bytes(text.as_bytes(), 9), []);
        for again in [0, count / 2, count - 1] {
            let text = format!("{{{},\"key {again}\":0}}", members.join(","));
            let finding = guard.check_bytes(text.as_bytes(), Trust::Parser).unwrap_err();
            assert_eq!(finding.kind, FindingKind::DuplicateKey);
            assert_eq!(finding.offset, text.rfind("\"key").unwrap());
        }
        // Large objects in large objects, each with a table of its own.
        let nested = format!("{{\"before\":{text},{},\"after\":{text}}}", members.join(","));
        assert!(guard.check_bytes(nested.as_bytes(), Trust::Nothing).is_ok());
        let nested = format!("{{{},\"x\":{text},\"key 0\":{text}}}", members.join(","));
        assert_eq!(
            guard.check_bytes(nested.as_bytes(), Trust::Nothing).unwrap_err().kind,
            FindingKind::DuplicateKey
        );
    }
}

#[test]
fn a_guard_forgets_the_text_before() {
    let guard = Guard::new(Options { refuse_duplicates: true, ..Options::default() });
    for broken in ["]]]}}}[[[{{{", "[[[[[[[[", "{\"a\":{\"b\":", "]".repeat(64).as_str(), &"[".repeat(5000)] {
        assert!(guard.check_bytes(broken.as_bytes(), Trust::Nothing).is_err());
        let _ = guard.check_bytes(broken.as_bytes(), Trust::Parser);
        assert!(guard.check_bytes(br#"{"a":[{"a":1},{"a":1}]}"#, Trust::Nothing).is_ok());
        assert!(guard.check_bytes(br#"{"a":[{"a":1,"a":1}]}"#, Trust::Nothing).is_err());
    }
}

#[test]
fn paths_are_bounded_together() {
    let options = Options { limits: Limits { depth: 1_000_000, ..Limits::default() }, ..Options::default() };
    let guard = Guard::new(options);
    let deep = "{\"__proto__\":".repeat(500_000) + "1" + &"}".repeat(500_000);
    let list = guard.list_bytes(deep.as_bytes(), 100);
    assert_eq!(list.len(), 100);
    let deepest = "[".repeat(900_000) + "{\"__proto__\":1,\"__proto__\":2}" + &"]".repeat(900_000);
    let list = guard.list_bytes(deepest.as_bytes(), 100);
    assert_eq!(list.iter().map(|finding| finding.path.len()).collect::<Vec<_>>(), [900_001]);
}
