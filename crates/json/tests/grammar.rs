//! The scanner against serde_json: it accepts what RFC 8259 accepts, and nothing else.
#![allow(clippy::unwrap_used, reason = "a failing unwrap is a failing test")]

use holdfast_json::{Finding, FindingKind, Guard, Limits, Options, Policy, Report, Step, Trust, exact_only};
use proptest::prelude::*;

/// Nothing but the grammar, and a depth of 100.
fn lenient() -> Options {
    Options { proto_key: Policy::Ignore, constructor_key: Policy::Ignore, ..strict() }
}

fn strict() -> Options {
    Options { limits: Limits { depth: 100, ..Limits::default() }, ..Options::default() }
}

/// What the guard says, which has to be what the exact scan alone says; and where a parser follows, the same of all JSON.
fn check_bytes(bytes: &[u8], options: &Options) -> Result<Report, Finding> {
    let guard = Guard::new(options.clone());
    let result = guard.check_bytes(bytes, Trust::Nothing);
    let mark = if bytes.starts_with(b"\xEF\xBB\xBF") { 3 } else { 0 };
    if std::str::from_utf8(bytes).is_ok() && mark == 0 {
        assert_eq!(result, exact_only(bytes, options), "the sieve must not change the answer");
    }
    if std::str::from_utf8(bytes).is_ok_and(|text| is_json(text.strip_prefix('\u{feff}').unwrap_or(text))) {
        assert_eq!(guard.check_bytes(bytes, Trust::Parser), result);
    }
    result
}

fn check_units(text: &str, options: &Options) -> Result<Report, Finding> {
    let units: Vec<u16> = text.encode_utf16().collect();
    let result = Guard::new(options.clone()).check_units(&units, Trust::Nothing);
    assert_eq!(result.as_ref().err(), exact_only(&units, options).as_ref().err());
    result
}

/// Checks syntax only: builds nothing, so that numbers of any size and lone surrogates pass, as they do in JavaScript.
fn is_json(text: &str) -> bool {
    serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok()
}

fn accepts(text: &str) -> bool {
    // A byte order mark is skipped in bytes only; a string has none.
    let bytes = if text.starts_with('\u{feff}') {
        exact_only(text.as_bytes(), &lenient())
    } else {
        check_bytes(text.as_bytes(), &lenient())
    };
    let wide = check_units(text, &lenient());
    assert_eq!(bytes.is_ok(), wide.is_ok(), "bytes and units must agree");
    bytes.is_ok()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn agrees_on_token_soup(
        tokens in prop::collection::vec(prop::sample::select(vec![
            "{", "}", "[", "]", ",", ":", "\"a\"", "\"\\u0041\"", "\"\\x\"", "1", "-0", "01", "1.", "1.5", "1e5", "1e",
            "-", "true", "false", "null", "nul", " ", "\n", "\t", "\"é\"", "\"", "\u{feff}", "+1", ".5", "\u{a0}",
        ]), 0..12)
    ) {
        let text = tokens.concat();
        prop_assert_eq!(accepts(&text), is_json(&text), "{}", text);
    }

    #[test]
    fn agrees_on_damaged_documents(
        keys in prop::collection::vec("[a-c\"\\\\é]{0,3}", 1..5),
        cut in 0usize..60, put in prop::sample::select(vec!["", "\"", "{", "]", ",", "\\", "\u{1}", "0"]),
    ) {
        let members: Vec<String> = keys.iter()
            .map(|key| format!("{}: [1, {{\"x\": -2.5e-3}}, \"{}\"]", serde_json::to_string(key).unwrap(), "\\n\\u00e9"))
            .collect();
        let mut text = format!("{{{}}}", members.join(", "));
        prop_assert!(accepts(&text));
        let cut = (0..=cut.min(text.len())).rev().find(|&at| text.is_char_boundary(at)).unwrap();
        text.insert_str(cut, put);
        prop_assert_eq!(accepts(&text), is_json(&text), "{}", text);
    }

    #[test]
    fn never_panics_on_bytes(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        let accepted = check_bytes(&bytes, &lenient()).is_ok();
        let text = String::from_utf8(bytes);
        let expected = text.is_ok_and(|text| is_json(text.strip_prefix('\u{feff}').unwrap_or(&text)));
        prop_assert_eq!(accepted, expected);
    }
}

#[test]
fn finds_dangerous_keys_in_every_spelling() {
    for key in ["__proto__", "\\u005f_proto__", "\\u005F\\u005f\\u0070roto__", "__prot\\u006F__"] {
        for (text, depth) in [
            (format!("{{\"{key}\":1}}"), 1),
            (format!("[0,{{\"a\":{{\"{key}\" : {{}}}}}}]"), 3),
            (format!("{{\"x\":1,\"{key}\":null}}"), 1),
        ] {
            let finding = check_bytes(text.as_bytes(), &strict()).unwrap_err();
            assert_eq!((finding.kind, finding.path.len()), (FindingKind::ProtoKey, depth), "{text}");
            assert_eq!(finding.offset, text.find(key).unwrap() - 1);
        }
    }
    for passing in [
        "{\"__proto\":1}",
        "{\"__proto___\":1}",
        "[\"__proto__\"]",
        "{\"a\":\"__proto__\"}",
        "{\"\\\\u005f_proto__\":1}",
    ] {
        assert!(check_bytes(passing.as_bytes(), &strict()).is_ok(), "{passing}");
    }
}

#[test]
fn finds_constructors_with_a_prototype() {
    let text = r#"{"a":[{"constructor" : {"x":1,"prototype":{}}}]}"#;
    let finding = check_bytes(text.as_bytes(), &strict()).unwrap_err();
    assert_eq!(finding.kind, FindingKind::ConstructorKey);
    assert_eq!(finding.offset, 7);
    assert_eq!(
        finding.path,
        [Step::Key { start: 1, end: 4 }, Step::Index(0), Step::Key { start: 7, end: 20 }]
    );
    for passing in [
        r#"{"constructor":"Acme"}"#,
        r#"{"constructor":{"name":"Acme"}}"#,
        r#"{"constructor":[{"prototype":1}]}"#,
        r#"{"prototype":{"constructor":{}}}"#,
        r#"{"constructor":{"x":{"prototype":1}}}"#,
    ] {
        assert!(check_bytes(passing.as_bytes(), &strict()).is_ok(), "{passing}");
    }
}

#[test]
fn malformed_comes_before_dangerous() {
    let finding = check_bytes(br#"{"__proto__":1"#, &strict()).unwrap_err();
    assert_eq!(finding.kind, FindingKind::Syntax);
}

#[test]
fn depth_is_counted_and_costs_no_stack() {
    let options = Options { limits: Limits { depth: 1_000_000, ..Limits::default() }, ..strict() };
    let deep = "[".repeat(1_000_000) + &"]".repeat(1_000_000);
    assert!(check_bytes(deep.as_bytes(), &options).is_ok());
    let finding = check_bytes(deep.as_bytes(), &strict()).unwrap_err();
    assert_eq!((finding.kind, finding.offset, finding.path.len()), (FindingKind::Depth, 100, 100));
}

#[test]
fn policies() {
    let remove = Options { proto_key: Policy::Remove, constructor_key: Policy::Remove, ..strict() };
    let report = check_bytes(br#"{"__proto__":1}"#, &remove).unwrap();
    assert_eq!((report.cuts, report.ascii), (vec![(1, 14)], true));
    assert!(!check_bytes("{\"é\":1}".as_bytes(), &remove).unwrap().ascii);
    assert!(check_bytes(br#"{"__proto__":1}"#, &lenient()).unwrap().cuts.is_empty());
    assert_eq!(check_bytes(b"\xEF\xBB\xBF1", &lenient()).map(|_| ()), Ok(()));
    assert_eq!(check_bytes(b"\"\xC3\"", &lenient()).unwrap_err().kind, FindingKind::Encoding);
}
