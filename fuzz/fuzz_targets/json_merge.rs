//! Two texts merge into what their values merge into, as bytes and as UTF-16 alike; and nothing panics on anything.
//! The input is both texts, with a 0xFF between them.
#![no_main]

use holdfast_json::{Mode, merge};
use libfuzzer_sys::fuzz_target;
use serde_json::{Map, Value};

fuzz_target!(|input: &[u8]| {
    let cut = input.iter().position(|&byte| byte == 0xFF).unwrap_or(input.len());
    let (target, patch) = (&input[..cut], input.get(cut + 1..).unwrap_or_default());
    for mode in [Mode::Deep, Mode::DeepConcat, Mode::Patch] {
        let mut bytes = Vec::new();
        merge(target, patch, mode, |piece| bytes.extend_from_slice(piece)).unwrap();
        let [Ok(target), Ok(patch)] = [target, patch].map(std::str::from_utf8) else { continue };
        let [Ok(into), Ok(from)] = [target, patch].map(serde_json::from_str::<Value>) else { continue };
        let merged: Value = serde_json::from_slice(&bytes).expect("two JSON texts make a JSON text");
        assert_eq!(merged, naive(&into, &from, mode));
        assert!(bytes.len() <= target.len() + patch.len());

        let [target, patch] = [target, patch].map(|text| text.encode_utf16().collect::<Vec<u16>>());
        let mut units = Vec::new();
        merge(&target, &patch, mode, |piece| units.extend_from_slice(piece)).unwrap();
        assert_eq!(String::from_utf16(&units).unwrap().as_bytes(), bytes);

        // What is there already is merged in without a change.
        let mut again = Vec::new();
        merge(&bytes, b"{}", Mode::Deep, |piece| again.extend_from_slice(piece)).unwrap();
        assert!(!merged.is_object() || again == bytes);
    }
});

/// Recursive: serde_json reads 128 levels.
fn naive(target: &Value, patch: &Value, mode: Mode) -> Value {
    match (target, patch) {
        (Value::Object(target), Value::Object(patch)) => {
            let mut result = target.clone();
            for (key, value) in patch {
                if mode == Mode::Patch && value.is_null() {
                    result.remove(key);
                    continue;
                }
                let value = match target.get(key) {
                    Some(old) => naive(old, value, mode),
                    None if mode == Mode::Patch => naive(&Value::Null, value, mode),
                    None => value.clone(),
                };
                result.insert(key.clone(), value);
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
