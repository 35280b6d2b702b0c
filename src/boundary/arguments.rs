//! Arguments of cold functions, as `#[napi]` parameters that are read exactly: no coercion, no replacement of lone
//! surrogates, integers only in their range.

use std::ops::RangeInclusive;
use std::ptr;

use napi::bindgen_prelude::{FromNapiValue, ToNapiValue, TypeName, ValidateNapiValue};
use napi::{ValueType, sys};
use zeroize::Zeroizing;

use super::{Code, Failure};

/// A JavaScript value as it came, or on its way back.
#[derive(Clone, Copy)]
pub(crate) struct Value(sys::napi_value);

impl Value {
    pub(super) fn from_raw(value: sys::napi_value) -> Value {
        Value(value)
    }

    pub(super) fn raw(self) -> sys::napi_value {
        self.0
    }
}

impl FromNapiValue for Value {
    unsafe fn from_napi_value(_env: sys::napi_env, value: sys::napi_value) -> napi::Result<Self> {
        Ok(Value(value))
    }
}

impl ToNapiValue for Value {
    unsafe fn to_napi_value(_env: sys::napi_env, value: Self) -> napi::Result<sys::napi_value> {
        Ok(value.0)
    }
}

/// Text as its UTF-16 code units.
pub(crate) struct TextArgument(pub(crate) Vec<u16>);

/// Bytes that are secret: a copy that is wiped when it is dropped.
pub(crate) struct SecretBytes(pub(crate) Zeroizing<Vec<u8>>);

/// Reads a string exactly. `None` when `value` is not a string.
///
/// # Safety
/// `env` is the environment of the call in progress and `value` a handle of it.
pub(super) unsafe fn read_utf16(env: sys::napi_env, value: sys::napi_value) -> Option<Vec<u16>> {
    let mut length = 0;
    // SAFETY: with no buffer the call only measures.
    let status = unsafe { sys::napi_get_value_string_utf16(env, value, ptr::null_mut(), 0, &mut length) };
    if status != sys::Status::napi_ok {
        return None;
    }
    let mut units = vec![0u16; length + 1];
    // SAFETY: the buffer has room for `length` units and the terminator.
    let status =
        unsafe { sys::napi_get_value_string_utf16(env, value, units.as_mut_ptr(), units.len(), &mut length) };
    if status != sys::Status::napi_ok {
        return None;
    }
    units.truncate(length);
    Some(units)
}

fn not_a_string() -> napi::Error {
    // The JavaScript side checks types before it calls; this is the second line of defence.
    napi::Error::new(napi::Status::StringExpected, "a string was expected")
}

impl FromNapiValue for TextArgument {
    unsafe fn from_napi_value(env: sys::napi_env, value: sys::napi_value) -> napi::Result<Self> {
        // SAFETY: handed through from napi-derive, which holds both for the call.
        unsafe { read_utf16(env, value) }.map(TextArgument).ok_or_else(not_a_string)
    }
}

impl FromNapiValue for SecretBytes {
    unsafe fn from_napi_value(env: sys::napi_env, value: sys::napi_value) -> napi::Result<Self> {
        let mut arguments = [ptr::null_mut(); super::call::MAX_ARGUMENTS];
        arguments[0] = value;
        // SAFETY: environment and value belong to the call in progress, and `call` ends here.
        let call = unsafe { super::Call::new(env, arguments) };
        call.bytes(0, |bytes| Ok(SecretBytes(Zeroizing::new(bytes.to_vec()))))
            .map_err(|failure| napi::Error::new(napi::Status::InvalidArg, failure.message.into_owned()))
    }
}

macro_rules! named {
    ($($type:ty: $name:literal $value_type:expr),*) => { $(
        impl TypeName for $type {
            fn type_name() -> &'static str { $name }
            fn value_type() -> ValueType { $value_type }
        }
        impl ValidateNapiValue for $type {}
    )* };
}
named!(Value: "unknown" ValueType::Unknown, TextArgument: "string" ValueType::String, SecretBytes: "Uint8Array" ValueType::Object);

/// Reads integers exactly: a fraction, a negative number or one past the range is an error, never another number.
pub(crate) trait Integers {
    /// `self` as an integer within `range`.
    fn integer(self, name: &'static str, range: RangeInclusive<u32>) -> Result<u32, Failure>;
}

impl Integers for f64 {
    fn integer(self, name: &'static str, range: RangeInclusive<u32>) -> Result<u32, Failure> {
        let (low, high) = (f64::from(*range.start()), f64::from(*range.end()));
        if self.fract() == 0.0 && self >= low && self <= high {
            // In range and whole: the cast is exact.
            Ok(self as u32)
        } else {
            Err(Failure::new(Code::OutOfRange, format!("{name} must be an integer from {low} to {high}")))
        }
    }
}
