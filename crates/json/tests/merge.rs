//! The merge of two texts against a naive one on serde_json values, and against what a merge must never do.
#![allow(clippy::unwrap_used, reason = "a failing unwrap is a failing test")]

use holdfast_json::{Mode, merge};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

fn merged(target: &str, patch: &str, mode: Mode) -> String {
    let mut bytes = Vec::new();
    merge(target.as_bytes(), patch.as_bytes(), mode, |piece| bytes.extend_from_slice(piece)).unwrap();
    assert!(bytes.len() <= target.len() + patch.len(), "{target} {patch}");
    let [target, patch] = [target, patch].map(|text| text.encode_utf16().collect::<Vec<u16>>());
    let mut units = Vec::new();
    merge(&target, &patch, mode, |piece| units.extend_from_slice(piece)).unwrap();
    let text = String::from_utf8(bytes).unwrap();
    assert_eq!(text, String::from_utf16(&units).unwrap(), "bytes and units must agree");
    text
}

fn naive(target: &Value, patch: &Value, mode: Mode) -> Value {
    match (target, patch) {
        (Value::Object(target), Value::Object(patch)) => {
            let mut result = target.clone();
            for (key, value) in patch {
                if mode == Mode::Patch && value.is_null() {
                    result.remove(key);
                } else {
                    let value = match target.get(key) {
                        Some(old) => naive(old, value, mode),
                        None if mode == Mode::Patch => naive(&Value::Null, value, mode),
                        None => value.clone(),
                    };
                    result.insert(key.clone(), value);
                }
            }
            Value::Object(result)
        }
        (_, Value::Object(_)) if mode == Mode::Patch => naive(&Value::Object(Map::new()), patch, mode),
        (Value::Array(first), Value::Array(second)) if mode == Mode::DeepConcat => {
            Value::Array(first.iter().chain(second).cloned().collect())
        }
        _ => patch.clone(),
    }
}

/// An object's members, with a key now and then that is there already: the last counts.
fn value() -> impl Strategy<Value = String> {
    let key = prop::sample::select(vec![
        r#""a""#,
        r#""\u0061""#,
        r#""b""#,
        r#""c""#,
        r#""d""#,
        r#""""#,
        r#""é""#,
        r#""\u00e9""#,
        r#""😀""#,
        r#""\ud83d\ude00""#,
        r#""\"""#,
        r#""\\""#,
        r#""中\n""#,
        r#""\u4e2d\u000A""#,
        r#""a\/b""#,
        r#""a/b""#,
        r#""{[,""#,
    ]);
    let space = || prop::sample::select(vec!["", "", "", " ", "\n\t"]);
    let leaf = prop::sample::select(vec![
        "null",
        "null",
        "1.0e+2",
        "12345678901234567890",
        "true",
        r#""x\"]}""#,
        "[]",
        "{}",
        "[ ]",
        "{\n}",
        "[null]",
        r#"[{"a":null}]"#,
        "\"longer than the words and blocks that strings and arrays are skipped by, to be sure\"",
    ]);
    leaf.prop_map(str::to_owned).prop_recursive(5, 80, 8, move |inner| {
        let members = prop::collection::vec((space(), key.clone(), space(), inner.clone(), space()), 0..8);
        let elements = prop::collection::vec((space(), inner, space()), 0..5);
        prop_oneof![
            4 => members.prop_map(|members| {
                let members: Vec<String> =
                    members.iter().map(|(a, key, b, value, c)| format!("{a}{key}{b}:{b}{value}{c}")).collect();
                format!("{{{}}}", members.join(","))
            }),
            1 => elements.prop_map(|elements| {
                let elements: Vec<String> = elements.iter().map(|(a, value, b)| format!("{a}{value}{b}")).collect();
                format!("[{}]", elements.join(","))
            }),
        ]
    })
}

const MODES: [Mode; 3] = [Mode::Deep, Mode::DeepConcat, Mode::Patch];

fn parse(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(6000))]

    #[test]
    fn agrees_with_the_merge_of_values(target in value(), patch in value()) {
        for mode in MODES {
            let text = merged(&target, &patch, mode);
            let expected = naive(&parse(&target), &parse(&patch), mode);
            prop_assert_eq!(parse(&text), expected, "{:?} of {} and {}: {}", mode, target, patch, text);
        }
    }

    #[test]
    fn an_empty_patch_changes_nothing(target in value()) {
        let target = format!(" {{\"only\" : {target}}}\n");
        for mode in MODES {
            prop_assert_eq!(&merged(&target, " { } ", mode), &target);
        }
        prop_assert_eq!(merged("{}", &target, Mode::Deep), target.trim());
    }

    #[test]
    fn never_panics_on_anything(
        target in prop::collection::vec(prop::sample::select(b"{}[]:,\"\\an1 \xC3\xED\xA0\x80u0".to_vec()), 0..40),
        patch in prop::collection::vec(prop::sample::select(b"{}[]:,\"\\an1 \xC3\xED\xA0\x80u0".to_vec()), 0..40),
    ) {
        for mode in MODES {
            let mut length = 0;
            merge(&target, &patch, mode, |piece| length += piece.len()).unwrap();
            let [target, patch] = [&target, &patch].map(|text| text.iter().map(|&byte| u16::from(byte)).collect::<Vec<_>>());
            merge(&target, &patch, mode, |piece| length += piece.len()).unwrap();
        }
    }
}

#[test]
fn many_keys_are_found_in_every_spelling() {
    let keys: Vec<String> = (0..2000).map(|number| format!("kéy{number}")).collect();
    let spelt = |key: &str| key.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect::<String>();
    let plain: Vec<String> = keys.iter().map(|key| format!("\"{key}\":1")).collect();
    let escaped: Vec<String> = keys[1000..].iter().map(|key| format!("\"{}\":2", spelt(key))).collect();
    let text = merged(&format!("{{{}}}", plain.join(",")), &format!("{{{}}}", escaped.join(",")), Mode::Deep);
    let expected: Map<String, Value> = keys
        .iter()
        .enumerate()
        .map(|(place, key)| (key.clone(), json!(if place < 1000 { 1 } else { 2 })))
        .collect();
    assert_eq!(parse(&text), Value::Object(expected));
    assert_eq!(text.matches(':').count(), 2000);
    let reversed =
        merged(&format!("{{{}}}", escaped.join(",")), &format!("{{{}}}", plain.join(",")), Mode::Deep);
    assert_eq!(parse(&reversed).as_object().unwrap().len(), 2000);
    assert_eq!(reversed.matches(':').count(), 2000);
}

#[test]
fn places_and_spellings_stay() {
    for (target, patch, mode, expected) in [
        (r#"{ "a" : 1 , "b":2 }"#, r#"{"b": 3,"c" : 4}"#, Mode::Deep, r#"{ "a" : 1 , "b":3,"c" : 4 }"#),
        (r#"{"a":1,"b":2,"\u0061":3}"#, r#"{"a":4}"#, Mode::Deep, r#"{"a":4,"b":2}"#),
        (r#"{"a":1,"a":{"x":1,"y":2}}"#, r#"{"a":{"x":3}}"#, Mode::Deep, r#"{"a":{"x":3,"y":2}}"#),
        (
            r#"{"a":{"x":1},"a":{"y":2},"b":{"c":1}}"#,
            r#"{"b":{},"a":{"z":3}}"#,
            Mode::Deep,
            r#"{"a":{"y":2,"z":3},"b":{"c":1}}"#,
        ),
        (r#"{"a":1, "b":2, "a":3}"#, r#"{"c":4}"#, Mode::Deep, r#"{"a":1, "b":2, "a":3,"c":4}"#),
        (r#"{}"#, r#"{"a":1,"b":2,"a" : 3}"#, Mode::Deep, r#"{"a":3,"b":2}"#),
        (r#"{"a":[1 ]}"#, r#"{"a":[ 2]}"#, Mode::DeepConcat, r#"{"a":[1, 2]}"#),
        (r#"{ "a":1 , "b":2 , "c":3 }"#, r#"{"a":null,"b":null}"#, Mode::Patch, r#"{   "c":3 }"#),
        (r#"{ "a":1 , "b":2 , "c":3 }"#, r#"{"b":null,"c":null}"#, Mode::Patch, r#"{ "a":1 }"#),
        (
            r#"{ "a":1 , "b":2 }"#,
            r#"{"b":null,"a":null,"x":{"y":null,"z":{}}}"#,
            Mode::Patch,
            r#"{  "x":{"z":{}} }"#,
        ),
    ] {
        assert_eq!(merged(target, patch, mode), expected, "{target} {patch}");
    }
}

#[test]
fn depth_costs_no_stack_and_no_time() {
    const LEVELS: usize = 1_000_000;
    let open = "{\"\":".repeat(LEVELS);
    let close = "}".repeat(LEVELS);
    let text = |leaf: &str| format!("{open}{leaf}{close}");
    assert_eq!(merged(&text("{\"a\":1}"), &text("{\"b\":2}"), Mode::Deep), text("{\"a\":1,\"b\":2}"));
    assert_eq!(merged(&text("{\"a\":1}"), &text("{\"a\":null}"), Mode::Patch), text("{}"));
    assert_eq!(merged("1", &text("{\"a\":null}"), Mode::Patch), text("{}"));
    let arrays = |leaf: &str| format!("{}{leaf}{}", "[".repeat(LEVELS), "]".repeat(LEVELS));
    assert_eq!(merged(&arrays("1"), &arrays("2"), Mode::DeepConcat).len(), 4 * LEVELS + 3 - 2);
}

#[test]
fn repetitions_cost_no_more_than_their_text() {
    let many = vec!["\"a\":{}"; 200_000].join(",");
    let wide: Vec<String> = (0..100_000).map(|number| format!("\"{number}\":{number}")).collect();
    let patch = format!("{{\"a\":{{{}}}}}", wide.join(","));
    assert_eq!(merged(&format!("{{{many}}}"), &patch, Mode::Deep), patch);
    assert_eq!(merged("{}", &format!("{{{many}}}"), Mode::Deep), "{\"a\":{}}");
}
