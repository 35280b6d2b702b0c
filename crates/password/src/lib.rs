//! Password hashing: argon2, bcrypt and scrypt, the strings they are stored as, and the threads that compute them; and keys
//! made of passphrases, on the same threads.
//!
//! [`Settings`] say how new hashes are made and what a stored one may ask for; a [`Job`] is a password and what to do with it;
//! [`Pool`] owns the threads and the bounded queue before them. Passwords are wiped when a job is done.
#![forbid(unsafe_code)]

mod argon2id;
mod bcrypt;
mod bcrypt_string;
mod blowfish;
mod pi;
mod pool;
mod scrypt;
mod settings;
mod stored;
mod text;
mod worker;

pub use bcrypt_string::{BcryptHash, BcryptVersion};
pub use pool::{Pool, Refusal, Running, Stats, Stopped, Task};
pub use scrypt::ScryptHash;
pub use settings::{Algorithm, Argon2Settings, Limits, Pepper, ScryptSettings, Settings};
pub use stored::{Argon2Hash, Stored, StoredError};
pub use text::{MAX_PASSWORD_BYTES, PasswordError, password_from_utf16};
pub use worker::{HashError, Job, Key, KeySettings, Outcome, Request, Verdict, Worker};
