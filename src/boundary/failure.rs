//! What can go wrong on the native side: the one Rust enum behind `err.code`, and the error that carries it.
//!
//! `lib/errors.js` holds the table of all codes with their classes; `__test__/errors.test.js` fails when a code here
//! is missing there.

use std::borrow::Cow;

/// The codes that native code can throw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Code {
    Internal,
    InvalidArgType,
    InvalidArgValue,
    OutOfRange,
    RegexpBackreference,
    RegexpBudget,
    RegexpMemory,
    RegexpTooLarge,
    RegexpUnsupported,
    PasswordTooLong,
    PasswordEncoding,
    HashMalformed,
    HashLimit,
    QueueFull,
    Closed,
    Decrypt,
    UnknownKey,
    KeyExhausted,
    TokenExpired,
}

impl Code {
    /// Every code, for the test that compares them with the JavaScript table.
    pub(crate) const ALL: [Code; 19] = [
        Code::Internal,
        Code::InvalidArgType,
        Code::InvalidArgValue,
        Code::OutOfRange,
        Code::RegexpBackreference,
        Code::RegexpBudget,
        Code::RegexpMemory,
        Code::RegexpTooLarge,
        Code::RegexpUnsupported,
        Code::PasswordTooLong,
        Code::PasswordEncoding,
        Code::HashMalformed,
        Code::HashLimit,
        Code::QueueFull,
        Code::Closed,
        Code::Decrypt,
        Code::UnknownKey,
        Code::KeyExhausted,
        Code::TokenExpired,
    ];

    /// The value of `err.code`.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Code::Internal => "ERR_INTERNAL",
            Code::InvalidArgType => "ERR_INVALID_ARG_TYPE",
            Code::InvalidArgValue => "ERR_INVALID_ARG_VALUE",
            Code::OutOfRange => "ERR_OUT_OF_RANGE",
            Code::RegexpBackreference => "ERR_REGEXP_BACKREFERENCE",
            Code::RegexpBudget => "ERR_REGEXP_BUDGET",
            Code::RegexpMemory => "ERR_REGEXP_MEMORY",
            Code::RegexpTooLarge => "ERR_REGEXP_TOO_LARGE",
            Code::RegexpUnsupported => "ERR_REGEXP_UNSUPPORTED",
            Code::PasswordTooLong => "ERR_PASSWORD_TOO_LONG",
            Code::PasswordEncoding => "ERR_PASSWORD_ENCODING",
            Code::HashMalformed => "ERR_HASH_MALFORMED",
            Code::HashLimit => "ERR_HASH_LIMIT",
            Code::QueueFull => "ERR_QUEUE_FULL",
            Code::Closed => "ERR_CLOSED",
            Code::Decrypt => "ERR_DECRYPT",
            Code::UnknownKey => "ERR_UNKNOWN_KEY",
            Code::KeyExhausted => "ERR_KEY_EXHAUSTED",
            Code::TokenExpired => "ERR_TOKEN_EXPIRED",
        }
    }
}

/// An error on its way to JavaScript. The message never contains a secret or a rejected value.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) code: Code,
    pub(crate) message: Cow<'static, str>,
}

impl Failure {
    pub(crate) fn new(code: Code, message: impl Into<Cow<'static, str>>) -> Failure {
        Failure { code, message: message.into() }
    }

    pub(crate) fn message(&self) -> &str {
        &self.message
    }
}
