//! The native side of AesGcmKey and of aesGcmEncrypt and aesGcmDecrypt, and what all of encryption has in common. Output goes
//! into buffers that JavaScript allocated.

use std::cell::RefCell;
use std::rc::Rc;

use holdfast_aead::{Error, GcmKey, NONCE_LENGTH, burn_stack};
use napi::Env;
use napi_derive::napi;

use crate::boundary::{Call, Code, Failure, HotFunction, SecretBytes, Value, cold, hot_function};

/// Random bytes: `(destination) => undefined`.
#[napi(catch_unwind)]
pub fn random_filler(env: Env) -> napi::Result<Value> {
    cold(&env, || hot_function(&env, FillRandom))
}

/// The functions for a key that is used once, in this order; each writes to its last argument and returns how many bytes:
/// `encrypt(key, nonce, aad, plaintext, destination)`, `decrypt(key, nonce, aad, sealed, destination)`.
#[napi(catch_unwind)]
pub fn aes_gcm(env: Env) -> napi::Result<Vec<Value>> {
    cold(&env, || Ok(vec![hot_function(&env, EncryptOnce)?, hot_function(&env, DecryptOnce)?]))
}

/// The functions of one AES-GCM key, in this order; those that take a destination return how many bytes they wrote to it:
/// `encrypt(nonce, aad, plaintext, destination)`, `decrypt(nonce, aad, sealed, destination)`,
/// `seal(aad, plaintext, destination)`, `open(aad, sealed, destination)`, `dispose()`.
#[napi(catch_unwind)]
pub fn aes_gcm_key(env: Env, key: SecretBytes) -> napi::Result<Vec<Value>> {
    cold(&env, || {
        let key = Rc::new(Slot::new("AesGcmKey", gcm_key(&key.0)?));
        Ok(vec![
            hot_function(&env, Encrypt(Rc::clone(&key)))?,
            hot_function(&env, Decrypt(Rc::clone(&key)))?,
            hot_function(&env, Seal(Rc::clone(&key)))?,
            hot_function(&env, Open(Rc::clone(&key)))?,
            hot_function(&env, Dispose(key))?,
        ])
    })
}

/// What JavaScript can dispose of while functions for it are still there.
pub(crate) struct Slot<T> {
    name: &'static str,
    content: RefCell<Option<T>>,
}

impl<T> Slot<T> {
    pub(crate) fn new(name: &'static str, content: T) -> Slot<T> {
        Slot { name, content: RefCell::new(Some(content)) }
    }

    /// Calls never nest, as no JavaScript runs in them.
    #[inline]
    pub(crate) fn with<R>(&self, body: impl FnOnce(&mut T) -> Result<R, Failure>) -> Result<R, Failure> {
        match &mut *self.content.borrow_mut() {
            Some(content) => body(content),
            None => Err(Failure::new(
                Code::Closed,
                format!("this {} has been disposed of: make a new one", self.name),
            )),
        }
    }

    /// Drops the content, which wipes it.
    pub(crate) fn dispose(&self) {
        self.content.replace(None);
        burn_stack();
    }
}

/// Disposes of what is in a slot: `() => undefined`. A second time does nothing.
pub(crate) struct Dispose<T: 'static>(pub(crate) Rc<Slot<T>>);

impl<T> HotFunction for Dispose<T> {
    const NAME: &'static str = "dispose";
    const ARGUMENTS: usize = 0;

    fn call(&self, call: &Call) -> Result<Value, Failure> {
        self.0.dispose();
        Ok(call.undefined())
    }
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

struct EncryptOnce;

impl HotFunction for EncryptOnce {
    const NAME: &'static str = "encrypt";
    const ARGUMENTS: usize = 5;

    fn call(&self, call: &Call) -> Result<Value, Failure> {
        with_key(call, |key| {
            with_nonce(call, 1, |nonce, aad, plaintext, destination| {
                key.encrypt(nonce, aad, plaintext, destination)
            })
        })
    }
}

struct DecryptOnce;

impl HotFunction for DecryptOnce {
    const NAME: &'static str = "decrypt";
    const ARGUMENTS: usize = 5;

    fn call(&self, call: &Call) -> Result<Value, Failure> {
        with_key(call, |key| {
            with_nonce(call, 1, |nonce, aad, sealed, destination| {
                key.decrypt(nonce, aad, sealed, destination)
            })
        })
    }
}

fn with_key(call: &Call, body: impl FnOnce(GcmKey) -> Result<Value, Failure>) -> Result<Value, Failure> {
    let result = call.bytes(0, |key| body(gcm_key(key)?));
    burn_stack();
    result
}

fn gcm_key(bytes: &[u8]) -> Result<GcmKey, Failure> {
    let key = GcmKey::new(bytes).map_err(failure);
    burn_stack();
    key
}

struct Encrypt(Rc<Slot<GcmKey>>);

impl HotFunction for Encrypt {
    const NAME: &'static str = "encrypt";
    const ARGUMENTS: usize = 4;

    fn call(&self, call: &Call) -> Result<Value, Failure> {
        self.0.with(|key| {
            with_nonce(call, 0, |nonce, aad, plaintext, destination| {
                key.encrypt(nonce, aad, plaintext, destination)
            })
        })
    }
}

struct Decrypt(Rc<Slot<GcmKey>>);

impl HotFunction for Decrypt {
    const NAME: &'static str = "decrypt";
    const ARGUMENTS: usize = 4;

    fn call(&self, call: &Call) -> Result<Value, Failure> {
        self.0.with(|key| {
            with_nonce(call, 0, |nonce, aad, sealed, destination| {
                key.decrypt(nonce, aad, sealed, destination)
            })
        })
    }
}

struct Seal(Rc<Slot<GcmKey>>);

impl HotFunction for Seal {
    const NAME: &'static str = "seal";
    const ARGUMENTS: usize = 3;

    fn call(&self, call: &Call) -> Result<Value, Failure> {
        self.0.with(|key| {
            with_content(call, 0, |aad, plaintext, destination| key.seal(aad, plaintext, destination))
        })
    }
}

struct Open(Rc<Slot<GcmKey>>);

impl HotFunction for Open {
    const NAME: &'static str = "open";
    const ARGUMENTS: usize = 3;

    fn call(&self, call: &Call) -> Result<Value, Failure> {
        self.0
            .with(|key| with_content(call, 0, |aad, sealed, destination| key.open(aad, sealed, destination)))
    }
}

/// Nonce, associated data, input and destination are four arguments in a row, from `first` on.
#[inline]
fn with_nonce(
    call: &Call,
    first: usize,
    body: impl FnOnce(&[u8; NONCE_LENGTH], &[u8], &[u8], &mut [u8]) -> Result<usize, Error>,
) -> Result<Value, Failure> {
    call.bytes(first, |nonce| {
        let nonce = nonce.try_into().map_err(|_| invalid("a nonce has 12 bytes"))?;
        with_content(call, first + 1, |aad, input, destination| body(nonce, aad, input, destination))
    })
}

/// Associated data, input and destination are three arguments in a row, from `first` on.
#[inline]
pub(crate) fn with_content(
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

pub(crate) fn failure(error: Error) -> Failure {
    match error {
        Error::Decrypt => Failure::new(Code::Decrypt, "decryption failed"),
        Error::UnknownKey => {
            Failure::new(Code::UnknownKey, "the message was sealed under a key that this ring does not hold")
        }
        Error::Expired => Failure::new(Code::TokenExpired, "the token has expired: ask for a new one"),
        Error::SameKey => {
            invalid("the new key is one that this ring has already: make a new one with generateKey")
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

pub(crate) fn invalid(message: &'static str) -> Failure {
    Failure::new(Code::InvalidArgValue, message)
}
