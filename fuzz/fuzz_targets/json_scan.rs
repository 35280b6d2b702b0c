//! The scanner accepts exactly what serde_json does, on bytes and on UTF-16 alike.
#![no_main]

use holdfast_json::{Options, Policy, scan, scan_bytes};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let options = Options { max_depth: 100, proto_key: Policy::Ignore, constructor_key: Policy::Ignore };
    let accepted = scan_bytes(bytes, &options).is_ok();
    let Ok(text) = std::str::from_utf8(bytes) else {
        assert!(!accepted);
        return;
    };
    let json = text.strip_prefix('\u{feff}').unwrap_or(text);
    assert_eq!(accepted, serde_json::from_str::<serde::de::IgnoredAny>(json).is_ok());
    let units: Vec<u16> = json.encode_utf16().collect();
    assert_eq!(accepted, scan(&units, &options).is_ok());
    let strict = Options { proto_key: Policy::Refuse, constructor_key: Policy::Remove, ..options };
    let _ = scan_bytes(bytes, &strict);
});
