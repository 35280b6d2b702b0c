//! Reading a stored hash never panics, and what it lets through is within the limits.
#![no_main]

use holdfast_password::{Algorithm, Limits, Settings, Stored};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let limits = Limits { memory_kib: 1 << 16, passes: 8, lanes: 4, cost: 12, log_n: 16 };
    let settings = Settings { algorithm: Algorithm::Bcrypt(12), limits, pepper: None, bcrypt_truncates: false };
    if let Ok(stored) = Stored::parse(text, &limits) {
        let _ = stored.needs_rehash(&settings);
    }
});
