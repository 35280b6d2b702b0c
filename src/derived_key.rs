//! Keys made of other secrets: HKDF-SHA-256 of random bytes, at once, and argon2id of a passphrase, on threads as a
//! PasswordHasher's. Called by `lib/derived-keys.js`.

use std::rc::Rc;

use holdfast_password::{Algorithm, Argon2Settings, KeySettings, Limits, Request, Settings};
use napi::Env;
use napi_derive::napi;

use crate::boundary::{Call, Code, Failure, HotFunction, Integers, Value, cold, hot_function};
use crate::password::{Hasher, ReadStats, Stop, password};

/// `(secret, salt, info, destination) => undefined`: fills the destination by HKDF-SHA-256.
#[napi(catch_unwind)]
pub fn key_derivation(env: Env) -> napi::Result<Value> {
    cold(&env, || hot_function(&env, Derive))
}

/// The functions of one pool of threads that make keys of passphrases, in this order. `dispatch(job, error, value)`
/// is called when a job is done; the value is a Buffer with memory of its own. `derive128` and `derive256`, for keys
/// of 16 and 32 bytes: `(job, passphrase, salt, memoryKiB, passes, lanes)`. `stats` and `stop` as `password_hasher`'s.
#[napi(catch_unwind)]
pub fn passphrase_keys(env: Env, threads: f64, max_queue: f64, dispatch: Value) -> napi::Result<Vec<Value>> {
    cold(&env, || {
        let threads = threads.integer("threads", 1..=1024)?;
        let max_queue = max_queue.integer("maxQueue", 0..=1 << 20)?;
        let hasher = Hasher::new(&env, no_hashes(), threads, max_queue, dispatch)?;
        Ok(vec![
            hot_function(&env, DeriveSlowly { hasher: Rc::clone(&hasher), length: 16 })?,
            hot_function(&env, DeriveSlowly { hasher: Rc::clone(&hasher), length: 32 })?,
            hot_function(&env, ReadStats(Rc::clone(&hasher)))?,
            hot_function(&env, Stop(hasher))?,
        ])
    })
}

/// Keys bring their settings along; hashes are neither made nor read.
fn no_hashes() -> Settings {
    let argon2 = Argon2Settings { memory_kib: 8, passes: 1, lanes: 1, tag_length: 32, salt_length: 16 };
    let limits = Limits { memory_kib: 0, passes: 0, lanes: 0, cost: 0, log_n: 0 };
    Settings { algorithm: Algorithm::Argon2id(argon2), limits, pepper: None, bcrypt_truncates: false }
}

struct Derive;

impl HotFunction for Derive {
    const NAME: &'static str = "derive";
    const ARGUMENTS: usize = 4;

    fn call(&self, call: &Call) -> Result<Value, Failure> {
        call.bytes(0, |secret| {
            call.bytes(1, |salt| {
                call.bytes(2, |info| {
                    call.output(3, |destination| {
                        holdfast_aead::derive_key(secret, salt, &[info], destination).map_err(|_| {
                            Failure::new(Code::OutOfRange, "a derived key has at most 8160 bytes")
                        })
                    })
                })
            })
        })?;
        Ok(call.undefined())
    }
}

/// For keys of this many bytes.
struct DeriveSlowly {
    hasher: Rc<Hasher>,
    length: usize,
}

impl HotFunction for DeriveSlowly {
    const NAME: &'static str = "derive";
    const ARGUMENTS: usize = 6;

    fn call(&self, call: &Call) -> Result<Value, Failure> {
        let job = call.integer(0, u32::MAX)?;
        let salt = call.bytes(2, |salt| match salt.len() {
            16..=64 => Ok(salt.to_vec()),
            _ => Err(Failure::new(Code::OutOfRange, "the salt must have 16 to 64 bytes")),
        })?;
        let (memory_kib, passes, lanes) =
            (call.integer(3, u32::MAX)?, call.integer(4, u32::MAX)?, call.integer(5, 255)?);
        if passes == 0 || lanes == 0 || memory_kib < 8 * lanes {
            return Err(Failure::new(Code::OutOfRange, "the memory must be at least 8 KiB for each lane"));
        }
        let argon2 =
            Argon2Settings { memory_kib, passes, lanes, tag_length: self.length, salt_length: salt.len() };
        let passphrase = password(call, 1)?;
        self.hasher.submit(job, Request::Derive(KeySettings { argon2, salt }), passphrase)?;
        Ok(call.undefined())
    }
}
