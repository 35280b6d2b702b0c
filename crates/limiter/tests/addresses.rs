//! What an address is as a key: the table that the JavaScript side has too, and every address against plain arithmetic.

use std::net::{Ipv4Addr, Ipv6Addr};

use holdfast_limiter::group;
use proptest::prelude::*;
use serde_json::Value;

fn key_of(text: &str, prefix: u32) -> String {
    match group(text.as_bytes(), prefix) {
        Some(group) => String::from_utf8(group.as_bytes().to_vec()).expect("text"),
        None => text.to_owned(),
    }
}

fn cases(name: &str) -> Vec<Value> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../__test__/limiter.cases.json");
    let text = std::fs::read_to_string(path).expect("the table of cases");
    let table: Value = serde_json::from_str(&text).expect("JSON");
    table[name].as_array().expect("a list").clone()
}

#[test]
fn the_table() {
    let addresses = cases("addresses");
    assert!(addresses.len() > 30);
    for case in addresses {
        let text = case["text"].as_str().expect("text");
        let prefix =
            case["prefix"].as_u64().map_or(56, |prefix| u32::try_from(prefix).expect("a number of bits"));
        assert_eq!(key_of(text, prefix), case["key"].as_str().expect("text"), "{text} in {prefix}");
    }
    let others = cases("others");
    assert!(others.len() > 10);
    for text in others {
        let characters = text.as_str().expect("text").chars();
        // What has wider characters does not come here.
        let Ok(bytes) = characters.map(u8::try_from).collect::<Result<Vec<_>, _>>() else { continue };
        assert!(group(&bytes, 56).is_none(), "{text}");
    }
}

proptest! {
    #[test]
    fn an_address_stands_for_its_prefix_however_it_is_written(bits in any::<u128>(), zeros in any::<u128>(), prefix in 1..=128_u32) {
        // With runs of zeros, which have short forms.
        let address = Ipv6Addr::from_bits(bits & zeros.rotate_left(7) & zeros);
        let network = Ipv6Addr::from_bits((address.to_bits() >> (128 - prefix)) << (128 - prefix));
        let key = format!("{network}/{prefix}");
        let words = address.segments();
        let long = words.map(|word| format!("{word:04X}")).join(":");
        for text in [address.to_string(), long.clone(), long.to_lowercase(), format!("{address}%eth0")] {
            prop_assert_eq!(key_of(&text, prefix), key.clone());
        }
        // A key is no address, and stays what it is.
        prop_assert_eq!(key_of(&key, prefix), key);
    }

    #[test]
    fn an_ipv4_address_in_ipv6_is_the_ipv4_address(bits in any::<u32>(), prefix in 1..=128_u32) {
        let address = Ipv4Addr::from_bits(bits);
        let mapped = address.to_ipv6_mapped();
        let [.., high, low] = mapped.segments();
        for text in [mapped.to_string(), format!("::ffff:{high:x}:{low:x}"), format!("0:0:0:0:0:FFFF:{address}")] {
            prop_assert_eq!(key_of(&text, prefix), address.to_string());
        }
        prop_assert_eq!(key_of(&address.to_string(), prefix), address.to_string());
    }

    #[test]
    fn no_text_is_too_much(text in any::<Vec<u8>>(), prefix in any::<u32>()) {
        // Lengths, bytes that are no UTF-8, and prefixes that the JavaScript side does not let through.
        let _ = group(&text, prefix);
        let _ = group(&[b"::", text.as_slice()].concat(), prefix);
    }
}
