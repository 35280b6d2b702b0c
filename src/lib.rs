//! What JavaScript may call: the list, and nothing else. `lib/` is the only caller.
#![deny(unsafe_code)]
// What `#[napi]` exports has to be `pub`, and has no Rust callers who could miss the types it names.
#![allow(unreachable_pub, private_interfaces)]
// And it takes its arguments by value.
#![allow(clippy::needless_pass_by_value)]

mod aead;
mod aead_keyring;
mod aead_stream;
mod boundary;
mod derived_key;
mod json;
mod json_merge;
mod limiter;
mod password;
mod redos;
mod regexp;
mod regexp_characters;
mod regexp_replace;
mod regexp_series;
mod regexp_set;
#[cfg(feature = "test-hooks")]
mod test_hooks;

use napi::Env;
use napi_derive::napi;

use boundary::{Code, Value, cold, install_panic_hook};

/// Goes up when a native function changes; `lib/binding.js` refuses a binary with another number.
#[napi]
#[allow(non_upper_case_globals, reason = "a constant is exported under the name it has here")]
pub const abiVersion: u32 = 1;

/// Called once after loading, before anything else: registers the function that makes errors.
#[napi(catch_unwind)]
pub fn initialize(env: Env, create_error: Value) -> napi::Result<()> {
    install_panic_hook();
    cold(&env, || boundary::initialize(&env, create_error))
}

/// Every code that native code can throw, for the test that compares them with `lib/errors.js`.
#[napi(catch_unwind)]
pub fn error_codes() -> Vec<&'static str> {
    Code::ALL.map(Code::as_str).to_vec()
}
