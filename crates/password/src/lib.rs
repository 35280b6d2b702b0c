//! Password hashing: argon2id and bcrypt, the strings they are stored as, and the threads that compute them.
//!
//! [`Settings`] say how new hashes are made and what a stored one may ask for; [`Worker`] computes; [`Pool`] owns the
//! threads and the bounded queue before them. Passwords are wiped when a job is done.
#![forbid(unsafe_code)]

mod argon2id;
mod bcrypt;
mod pool;
mod settings;
mod stored;
mod text;
mod worker;

pub use pool::{Pool, Refusal, Stats};
pub use settings::{Algorithm, Argon2Settings, Limits, Settings};
pub use stored::{Stored, StoredError};
pub use text::{MAX_PASSWORD_BYTES, PasswordError, password_from_utf16};
pub use worker::{HashError, Verdict, Worker};
