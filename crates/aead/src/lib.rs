//! AES-GCM under one key, and rings of named keys that seal with XAES-256-GCM.
//!
//! AES-GCM itself is *ring*'s; this crate adds random nonces with a message limit, the XAES key derivation, and the
//! header that names a key. Decryption has one error, which says nothing.
#![forbid(unsafe_code)]

mod gcm;
mod hkdf;
mod keyring;
mod random;
mod stream;
mod token;
mod wipe;
mod xaes;

pub use gcm::{Error, GcmKey, NONCE_LENGTH, TAG_LENGTH};
pub use hkdf::{MAX_DERIVED, derive_key};
pub use keyring::{KeyId, KeyIdError, Keyring};
pub use random::random;
pub use stream::{CHUNK_LENGTH, FRAME_OVERHEAD, Progress, StreamOpener, StreamSealer};
pub use token::{MAX_TOKEN_JSON, TokenMemory};
pub use wipe::burn_stack;
pub use xaes::XaesKey;
