//! The guard accepts exactly what serde_json does, on bytes and on UTF-16 alike, and its fast pass never changes the answer.
#![no_main]

use holdfast_json::{Guard, Limits, Options, Policy, Trust, exact_only};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let limits = Limits { depth: 100, ..Limits::default() };
    let lenient =
        Options { proto_key: Policy::Ignore, constructor_key: Policy::Ignore, limits, ..Options::default() };
    let accepted = Guard::new(lenient.clone()).check_bytes(bytes, Trust::Nothing).is_ok();
    let Ok(text) = std::str::from_utf8(bytes) else {
        assert!(!accepted);
        return;
    };
    let json = text.strip_prefix('\u{feff}').unwrap_or(text);
    let is_json = serde_json::from_str::<serde::de::IgnoredAny>(json).is_ok();
    assert_eq!(accepted, is_json);
    let units: Vec<u16> = json.encode_utf16().collect();
    assert_eq!(accepted, exact_only(&units, &lenient).is_ok());

    let strict = Options {
        constructor_key: Policy::Remove,
        operator_keys: Policy::Refuse,
        forbidden: [[u16::from(b'a')].into()].into(),
        refuse_duplicates: true,
        refuse_lossy: true,
        limits: Limits { depth: 20, keys: 40, key_length: 20, string_length: 70, array_length: 10 },
        ..Options::default()
    };
    for options in [lenient, Options::default(), strict] {
        let guard = Guard::new(options.clone());
        let expected = exact_only(json.as_bytes(), &options);
        let result = guard.check_bytes(json.as_bytes(), Trust::Nothing);
        // A second byte order mark is one too many, and the first is none of `json`.
        if !json.starts_with('\u{feff}') {
            assert_eq!(result, expected);
            // Of what is no JSON a parser would have the last word.
            if is_json {
                assert_eq!(guard.check_bytes(json.as_bytes(), Trust::Parser), expected);
            }
        }
        assert_eq!(guard.check_units(&units, Trust::Nothing), exact_only(&units, &options));
    }
});
