//! The native side of AesGcmKey and Keyring. Output goes into buffers that JavaScript allocated.

use std::rc::Rc;

use holdfast_aead::{Error, GcmKey, KeyId, Keyring, Kind, NONCE_LENGTH, XaesKey};
use napi::Env;
use napi_derive::napi;

use crate::boundary::{
    Call, Code, Failure, HotFunction, SecretBytes, TextArgument, Value, cold, hot_function,
};

/// 32 random bytes into `destination`: `(destination) => undefined`.
#[napi(catch_unwind)]
pub fn random_filler(env: Env) -> napi::Result<Value> {
    cold(&env, || hot_function(&env, FillRandom))
}

/// The functions of one AES-GCM key, in this order; each writes to its last argument and returns how many bytes:
/// `encrypt(nonce, aad, plaintext, destination)`, `decrypt(nonce, aad, sealed, destination)`,
/// `seal(aad, plaintext, destination)`, `open(aad, sealed, destination)`.
#[napi(catch_unwind)]
pub fn aes_gcm_key(env: Env, key: SecretBytes) -> napi::Result<Vec<Value>> {
    cold(&env, || {
        let key = Rc::new(GcmKey::new(&key.0).map_err(failure)?);
        Ok(vec![
            hot_function(&env, Encrypt(Rc::clone(&key)))?,
            hot_function(&env, Decrypt(Rc::clone(&key)))?,
            hot_function(&env, Seal(Rc::clone(&key)))?,
            hot_function(&env, Open(key))?,
        ])
    })
}

/// The functions of one ring, whose primary key is the first: `seal(kind, aad, plaintext, destination)` and
/// `open(kind, aad, sealed, destination)`, with `destination` as long as the longer side.
#[napi(catch_unwind)]
pub fn keyring(env: Env, ids: Vec<TextArgument>, keys: Vec<SecretBytes>) -> napi::Result<Vec<Value>> {
    cold(&env, || {
        let mut entries = ids.iter().zip(&keys).map(|(id, key)| -> Result<_, Failure> {
            let id = String::from_utf16_lossy(&id.0);
            let id = KeyId::new(id.as_bytes())
                .map_err(|_| invalid("a key id is not 1 to 32 letters, digits, - or _"))?;
            Ok((id, XaesKey::new(&key.0).map_err(failure)?))
        });
        let primary = entries.next().ok_or_else(|| invalid("a ring needs a key"))??;
        let mut ring = Keyring::new(primary);
        for entry in entries {
            let (id, key) = entry?;
            if !ring.add(id, key) {
                return Err(invalid("a key id is there twice"));
            }
        }
        let ring = Rc::new(ring);
        Ok(vec![hot_function(&env, RingSeal(Rc::clone(&ring)))?, hot_function(&env, RingOpen(ring))?])
    })
}

struct FillRandom;

impl HotFunction for FillRandom {
    const NAME: &'static str = "random";
    const ARGUMENTS: usize = 1;

    fn call(&self, call: &Call) -> Result<Value, Failure> {
        call.output(0, |destination| holdfast_aead::random(destination).map_err(failure))?;
        Ok(call.undefined())
    }
}

struct Encrypt(Rc<GcmKey>);

impl HotFunction for Encrypt {
    const NAME: &'static str = "encrypt";
    const ARGUMENTS: usize = 4;

    fn call(&self, call: &Call) -> Result<Value, Failure> {
        with_nonce(call, |nonce, aad, plaintext, destination| {
            self.0.encrypt(nonce, aad, plaintext, destination)
        })
    }
}

struct Decrypt(Rc<GcmKey>);

impl HotFunction for Decrypt {
    const NAME: &'static str = "decrypt";
    const ARGUMENTS: usize = 4;

    fn call(&self, call: &Call) -> Result<Value, Failure> {
        with_nonce(call, |nonce, aad, sealed, destination| self.0.decrypt(nonce, aad, sealed, destination))
    }
}

struct Seal(Rc<GcmKey>);

impl HotFunction for Seal {
    const NAME: &'static str = "seal";
    const ARGUMENTS: usize = 4;

    fn call(&self, call: &Call) -> Result<Value, Failure> {
        with_content(call, 0, |aad, plaintext, destination| self.0.seal(aad, plaintext, destination))
    }
}

struct Open(Rc<GcmKey>);

impl HotFunction for Open {
    const NAME: &'static str = "open";
    const ARGUMENTS: usize = 4;

    fn call(&self, call: &Call) -> Result<Value, Failure> {
        with_content(call, 0, |aad, sealed, destination| self.0.open(aad, sealed, destination))
    }
}

struct RingSeal(Rc<Keyring>);

impl HotFunction for RingSeal {
    const NAME: &'static str = "seal";
    const ARGUMENTS: usize = 4;

    fn call(&self, call: &Call) -> Result<Value, Failure> {
        let kind = kind(call)?;
        with_content(call, 1, |aad, plaintext, destination| self.0.seal(kind, aad, plaintext, destination))
    }
}

struct RingOpen(Rc<Keyring>);

impl HotFunction for RingOpen {
    const NAME: &'static str = "open";
    const ARGUMENTS: usize = 4;

    fn call(&self, call: &Call) -> Result<Value, Failure> {
        let kind = kind(call)?;
        with_content(call, 1, |aad, sealed, destination| self.0.open(kind, aad, sealed, destination))
    }
}

fn kind(call: &Call) -> Result<Kind, Failure> {
    match call.integer(0, 2)? {
        1 => Ok(Kind::Message),
        2 => Ok(Kind::Token),
        _ => Err(invalid("there is no such kind of message")),
    }
}

fn with_nonce(
    call: &Call,
    body: impl FnOnce(&[u8; NONCE_LENGTH], &[u8], &[u8], &mut [u8]) -> Result<usize, Error>,
) -> Result<Value, Failure> {
    call.bytes(0, |nonce| {
        let nonce = nonce.try_into().map_err(|_| invalid("a nonce has 12 bytes"))?;
        with_content(call, 1, |aad, input, destination| body(nonce, aad, input, destination))
    })
}

/// Associated data, input and destination are three arguments in a row, from `first` on.
fn with_content(
    call: &Call,
    first: usize,
    body: impl FnOnce(&[u8], &[u8], &mut [u8]) -> Result<usize, Error>,
) -> Result<Value, Failure> {
    let written = call.bytes(first, |aad| {
        call.bytes(first + 1, |input| {
            call.output(first + 2, |destination| body(aad, input, destination).map_err(failure))
        })
    })?;
    Ok(call.length(written))
}

fn failure(error: Error) -> Failure {
    match error {
        Error::Decrypt => Failure::new(Code::Decrypt, "decryption failed"),
        Error::UnknownKey => {
            Failure::new(Code::UnknownKey, "the message was sealed under a key that this ring does not hold")
        }
        Error::KeyExhausted => Failure::new(
            Code::KeyExhausted,
            "this key has sealed as many messages as random nonces are safe for: use a new key, or a Keyring",
        ),
        Error::KeyLength => invalid("a key has 16 or 32 bytes, in a ring 32"),
        Error::Length => {
            Failure::new(Code::OutOfRange, "the destination is too short, or the message too long")
        }
        Error::Random => Failure::new(Code::Internal, "the operating system gave no random bytes"),
    }
}

fn invalid(message: &'static str) -> Failure {
    Failure::new(Code::InvalidArgValue, message)
}
