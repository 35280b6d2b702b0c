//! The native side of Keyring: messages and tokens.

use std::cell::RefCell;
use std::rc::Rc;

use holdfast_aead::{Error, KeyId, Keyring, MAX_TOKEN_JSON, TokenMemory};
use holdfast_json::{DEFAULT_DEPTH, Guard, Options, Policy, Trust};
use napi::Env;
use napi_derive::napi;
use zeroize::Zeroizing;

use crate::aead::{Dispose, Slot, failure, invalid, with_content};
use crate::aead_stream::{OpenStream, SealStream};
use crate::boundary::{
    Call, Characters, Code, ExternalMemory, Failure, HotFunction, SecretBytes, TextArgument, Value, array,
    cold, hot_function,
};
use crate::json::limits_of;

/// What a key takes with its id and its schedules, and what a ring takes besides.
const KEY_BYTES: usize = 400;
const RING_BYTES: usize = 4 << 10;

/// Of one ring. Each message goes through the list once.
const MOST_KEYS: usize = 1000;

/// The functions of one ring, whose primary key is the first, in this order:
/// `seal(aad, plaintext, destination)`, `open(aad, sealed, destination)` and `reseal(aad, sealed, destination)` return how
/// many bytes they wrote;
/// `sealToken(purpose, expires, json, isLatin1)` returns the token, or nothing when `openToken` would object to the JSON;
/// `openToken(purpose, now, token, isLatin1)` returns the JSON, in an array when parseJson is to say what is wrong with it;
/// `sealStream(aad, destination)` and `openStream(aad, header)`, for which see `aead_stream.rs`;
/// `rotate(id, key)` returns these functions for a ring with another primary key;
/// `dispose()`.
#[napi(catch_unwind)]
pub fn keyring(env: Env, ids: Vec<TextArgument>, keys: Vec<SecretBytes>) -> napi::Result<Value> {
    cold(&env, || {
        let mut entries = ids.iter().zip(&keys).map(|(id, key)| -> Result<_, Failure> {
            Ok((key_id(String::from_utf16_lossy(&id.0).as_bytes())?, &key.0))
        });
        let (primary, key) = entries.next().ok_or_else(|| invalid("a ring needs a key"))??;
        let mut ring = Keyring::new(primary, key).map_err(failure)?;
        for entry in entries {
            let (id, key) = entry?;
            if ring.size() == MOST_KEYS {
                return Err(too_many());
            }
            if !ring.add(id, key).map_err(failure)? {
                return Err(invalid("a key id is there twice"));
            }
        }
        Ok(array(&env, &functions(&env, ring)?))
    })
}

fn functions(env: &Env, ring: Keyring) -> Result<Vec<Value>, Failure> {
    let memory = ExternalMemory::announce(env, ring.size() * KEY_BYTES + RING_BYTES);
    let ring = Rc::new(Slot::new("Keyring", ring));
    Ok(vec![
        hot_function(env, Seal { ring: Rc::clone(&ring), _memory: memory })?,
        hot_function(env, Open(Rc::clone(&ring)))?,
        hot_function(env, Reseal(Rc::clone(&ring)))?,
        hot_function(env, SealToken(Tokens::new(&ring)))?,
        hot_function(env, OpenToken(Tokens::new(&ring)))?,
        hot_function(env, SealStream(Rc::clone(&ring)))?,
        hot_function(env, OpenStream(Rc::clone(&ring)))?,
        hot_function(env, Rotate(Rc::clone(&ring)))?,
        hot_function(env, Dispose(ring))?,
    ])
}

struct Seal {
    ring: Rc<Slot<Keyring>>,
    /// Of all functions of the ring.
    _memory: ExternalMemory,
}

impl HotFunction for Seal {
    const NAME: &'static str = "seal";
    const ARGUMENTS: usize = 3;

    fn call(&self, call: &Call) -> Result<Value, Failure> {
        self.ring.with(|ring| {
            with_content(call, 0, |aad, plaintext, destination| ring.seal(aad, plaintext, destination))
        })
    }
}

struct Open(Rc<Slot<Keyring>>);

impl HotFunction for Open {
    const NAME: &'static str = "open";
    const ARGUMENTS: usize = 3;

    fn call(&self, call: &Call) -> Result<Value, Failure> {
        self.0.with(|ring| {
            with_content(call, 0, |aad, sealed, destination| ring.open(aad, sealed, destination))
        })
    }
}

struct Reseal(Rc<Slot<Keyring>>);

impl HotFunction for Reseal {
    const NAME: &'static str = "reseal";
    const ARGUMENTS: usize = 3;

    fn call(&self, call: &Call) -> Result<Value, Failure> {
        self.0.with(|ring| {
            with_content(call, 0, |aad, sealed, destination| ring.reseal(aad, sealed, destination))
        })
    }
}

/// What both directions need.
struct Tokens {
    ring: Rc<Slot<Keyring>>,
    guard: Guard,
    memory: RefCell<TokenMemory>,
}

impl Tokens {
    fn new(ring: &Rc<Slot<Keyring>>) -> Tokens {
        Tokens { ring: Rc::clone(ring), guard: token_guard(), memory: RefCell::default() }
    }
}

struct SealToken(Tokens);

impl HotFunction for SealToken {
    const NAME: &'static str = "sealToken";
    const ARGUMENTS: usize = 4;

    fn call(&self, call: &Call) -> Result<Value, Failure> {
        let Tokens { ring, guard, memory } = &self.0;
        let expires = call.safe_integer(1)?;
        ring.with(|ring| {
            call.bytes(0, |purpose| {
                call.known_characters(2, 3, |json| {
                    with_utf8(json, |json| {
                        if guard.check_bytes(json, Trust::Parser).is_err() {
                            return Ok(call.undefined());
                        }
                        let text = |token: &[u8]| call.string(Characters::Latin1(token));
                        match ring.seal_token(&mut memory.borrow_mut(), purpose, expires, json, text) {
                            Ok(token) => token,
                            Err(Error::Length) => Err(too_much_json()),
                            Err(error) => Err(failure(error)),
                        }
                    })
                })
            })
        })
    }
}

struct OpenToken(Tokens);

impl HotFunction for OpenToken {
    const NAME: &'static str = "openToken";
    const ARGUMENTS: usize = 4;

    fn call(&self, call: &Call) -> Result<Value, Failure> {
        let Tokens { ring, guard, memory } = &self.0;
        let now = call.safe_integer(1)?;
        ring.with(|ring| {
            call.bytes(0, |purpose| {
                call.known_characters(2, 3, |token| {
                    // Base64url is ASCII.
                    let Characters::Latin1(token) = token else { return Err(failure(Error::Decrypt)) };
                    let opened = ring.open_token(&mut memory.borrow_mut(), purpose, now, token, |json| {
                        let is_clean = guard.check_bytes(json, Trust::Parser).is_ok();
                        Ok((text(call, json)?, is_clean))
                    });
                    let (text, is_clean) = opened.map_err(failure)?;
                    let text = text?;
                    Ok(if is_clean { text } else { call.values(&[text]) })
                })
            })
        })
    }
}

/// A JavaScript string. What is not UTF-8 was not sealed as a token.
fn text(call: &Call, json: &[u8]) -> Result<Result<Value, Failure>, Error> {
    if json.is_ascii() {
        return Ok(call.string(Characters::Latin1(json)));
    }
    let text = str::from_utf8(json).map_err(|_| Error::Decrypt)?;
    let units = Zeroizing::new(text.encode_utf16().collect::<Vec<_>>());
    Ok(call.string(Characters::Utf16(&units)))
}

struct Rotate(Rc<Slot<Keyring>>);

impl HotFunction for Rotate {
    const NAME: &'static str = "rotate";
    const ARGUMENTS: usize = 2;

    fn call(&self, call: &Call) -> Result<Value, Failure> {
        let id = call.characters(0, |id| match id {
            Characters::Latin1(id) => key_id(id),
            Characters::Utf16(_) => key_id(b""),
        })?;
        let rotated = self.0.with(|ring| {
            if ring.size() >= MOST_KEYS {
                return Err(too_many());
            }
            call.bytes(1, |key| ring.rotate(id, key).map_err(failure))
        })?;
        let ring = rotated.ok_or_else(|| {
            invalid(
                "this ring has a key of that id: a new key needs a new id, as messages name their key by it",
            )
        })?;
        Ok(call.values(&functions(&call.env(), ring)?))
    }
}

/// parseJson's rules without options, as the text is parsed by V8.
fn token_guard() -> Guard {
    Guard::new(Options {
        proto_key: Policy::Refuse,
        constructor_key: Policy::Refuse,
        operator_keys: Policy::Ignore,
        forbidden: Default::default(),
        refuse_duplicates: false,
        refuse_lossy: false,
        limits: limits_of(&[DEFAULT_DEPTH as f64]),
    })
}

/// Lends the characters in UTF-8. JSON.stringify writes lone surrogates as escapes, save those of JSON.rawJSON.
fn with_utf8<T>(json: Characters<'_>, body: impl FnOnce(&[u8]) -> Result<T, Failure>) -> Result<T, Failure> {
    let longest = match json {
        Characters::Latin1(bytes) if bytes.is_ascii() => return body(bytes),
        _ => json.len(),
    };
    if longest > MAX_TOKEN_JSON {
        return Err(too_much_json());
    }
    let text: Zeroizing<String> = Zeroizing::new(match json {
        Characters::Latin1(bytes) => bytes.iter().map(|&byte| char::from(byte)).collect(),
        Characters::Utf16(units) => {
            String::from_utf16(units).map_err(|_| invalid("the JSON is not well-formed text"))?
        }
    });
    body(text.as_bytes())
}

fn key_id(text: &[u8]) -> Result<KeyId, Failure> {
    KeyId::new(text).map_err(|_| invalid("a key id must be 1 to 32 ASCII letters, digits, - and _"))
}

fn too_many() -> Failure {
    Failure::new(Code::OutOfRange, format!("a ring must have at most {MOST_KEYS} keys: drop the oldest"))
}

fn too_much_json() -> Failure {
    Failure::new(Code::OutOfRange, format!("value must be at most {MAX_TOKEN_JSON} bytes of JSON"))
}
