//! Strings, read exactly: short ones into the stack, long ones into memory that is used again.
//!
//! [`Characters`] tells Latin-1 apart, V8's one-byte strings, whose bytes have the same indices as UTF-16 code units. What is
//! wider stands as it is, lone surrogates included.

use std::cell::Cell;
use std::mem::MaybeUninit;
use std::ptr;

use napi::sys;

use super::{Code, Failure};

/// Strings shorter than this are read into the stack.
const STACK_UNITS: usize = 256;

/// Memory for long strings is kept for the next one up to this size: fresh pages cost more than the copy into them.
const KEPT_BYTES: usize = 4 << 20;

/// Text of an argument: as bytes when no character is over U+00FF, else as it stands in UTF-16.
#[derive(Clone, Copy)]
pub(crate) enum Characters<'a> {
    Latin1(&'a [u8]),
    Utf16(&'a [u16]),
}

impl Characters<'_> {
    /// In UTF-16 code units.
    pub(crate) fn len(&self) -> usize {
        match self {
            Characters::Latin1(bytes) => bytes.len(),
            Characters::Utf16(units) => units.len(),
        }
    }
}

thread_local! {
    static BYTES: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
    static UNITS: Cell<Vec<u16>> = const { Cell::new(Vec::new()) };
}

/// `is_latin1`: whether all characters are at most U+00FF, when that is known; long strings are read faster then.
#[inline]
pub(super) fn read_characters<T>(
    env: sys::napi_env,
    value: sys::napi_value,
    is_latin1: Option<bool>,
    body: impl FnOnce(Characters<'_>) -> Result<T, Failure>,
) -> Result<T, Failure> {
    match is_latin1 {
        None => read(env, value, |narrowed| match narrowed {
            Ok(bytes) => body(Characters::Latin1(bytes)),
            Err(units) => body(Characters::Utf16(units)),
        }),
        Some(true) => with_memory(&BYTES, |bytes| {
            // Most are no longer than one before them was: then one call is enough.
            if read_latin1(env, value, bytes)? + 1 >= bytes.capacity() {
                bytes.reserve(length_of(env, value)? + 1);
                read_latin1(env, value, bytes)?;
            }
            body(Characters::Latin1(bytes))
        }),
        Some(false) => with_memory(&UNITS, |units| {
            read_units(env, value, units)?;
            body(Characters::Utf16(units))
        }),
    }
}

/// The first `units` of the string, if it is longer than that.
pub(super) fn read_part<T>(
    env: sys::napi_env,
    value: sys::napi_value,
    is_latin1: bool,
    units: usize,
    body: impl FnOnce(Characters<'_>) -> Result<T, Failure>,
) -> Result<Option<T>, Failure> {
    if length_of(env, value)? <= units {
        return Ok(None);
    }
    let mut read = 0;
    if is_latin1 {
        return with_memory(&BYTES, |bytes| {
            bytes.reserve(units + 1);
            // SAFETY: there is room for `units` bytes and the terminator; Node writes `read` bytes, at most `units`.
            unsafe {
                let start = bytes.as_mut_ptr().cast();
                sys::napi_get_value_string_latin1(env, value, start, units + 1, &mut read);
                bytes.set_len(read);
            }
            body(Characters::Latin1(bytes)).map(Some)
        });
    }
    with_memory(&UNITS, |memory| {
        memory.reserve(units + 1);
        // SAFETY: as above, in units.
        unsafe {
            sys::napi_get_value_string_utf16(env, value, memory.as_mut_ptr(), units + 1, &mut read);
            memory.set_len(read);
        }
        body(Characters::Utf16(memory)).map(Some)
    })
}

/// The string as bytes when no unit is over U+00FF, else (as the error) as units.
#[inline]
fn read<T>(
    env: sys::napi_env,
    value: sys::napi_value,
    body: impl FnOnce(Result<&[u8], &[u16]>) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let mut units = [MaybeUninit::<u16>::uninit(); STACK_UNITS];
    let mut length = 0;
    // SAFETY: the buffer has STACK_UNITS units of room, its terminator included; Node writes `length` units.
    let status = unsafe {
        let start = units.as_mut_ptr().cast::<u16>();
        sys::napi_get_value_string_utf16(env, value, start, STACK_UNITS, &mut length)
    };
    if status != sys::Status::napi_ok {
        return Err(not_a_string());
    }
    if length < STACK_UNITS - 1 {
        // SAFETY: the first `length` units were written by the call above.
        let units = unsafe { std::slice::from_raw_parts(units.as_ptr().cast::<u16>(), length) };
        let mut bytes = [MaybeUninit::<u8>::uninit(); STACK_UNITS];
        return body(narrow(units, &mut bytes[..length]));
    }
    // It filled the buffer, so it may be longer: measure and read again.
    with_memory(&UNITS, |units| {
        read_units(env, value, units)?;
        with_memory(&BYTES, |bytes| {
            bytes.reserve(units.len());
            body(narrow(units, &mut bytes.spare_capacity_mut()[..units.len()]))
        })
    })
}

/// As much of a string whose characters are at most U+00FF as there is room for besides a terminator; returns how much.
fn read_latin1(env: sys::napi_env, value: sys::napi_value, bytes: &mut Vec<u8>) -> Result<usize, Failure> {
    let mut read = 0;
    bytes.clear();
    // SAFETY: there is room for the vector's capacity, in which Node writes `read` bytes, fewer than that, and a terminator. Of
    // a vector without memory nothing is read: it has no room for the terminator.
    unsafe {
        let room = bytes.capacity();
        if room > 0 {
            let start = bytes.as_mut_ptr().cast();
            if sys::napi_get_value_string_latin1(env, value, start, room, &mut read) != sys::Status::napi_ok {
                return Err(unreadable());
            }
        }
        bytes.set_len(read);
    }
    Ok(read)
}

fn read_units(env: sys::napi_env, value: sys::napi_value, units: &mut Vec<u16>) -> Result<(), Failure> {
    let length = length_of(env, value)?;
    units.reserve(length + 1);
    let mut read = 0;
    // SAFETY: there is room for `length` units and the terminator; Node writes `read` units, at most `length`.
    let status =
        unsafe { sys::napi_get_value_string_utf16(env, value, units.as_mut_ptr(), length + 1, &mut read) };
    if status != sys::Status::napi_ok {
        return Err(unreadable());
    }
    // SAFETY: as above.
    unsafe { units.set_len(read) };
    Ok(())
}

/// In UTF-16 code units.
pub(super) fn length_of(env: sys::napi_env, value: sys::napi_value) -> Result<usize, Failure> {
    let mut length = 0;
    // SAFETY: with no buffer the call only measures.
    let status = unsafe { sys::napi_get_value_string_utf16(env, value, ptr::null_mut(), 0, &mut length) };
    if status != sys::Status::napi_ok {
        return Err(not_a_string());
    }
    Ok(length)
}

/// Lends an empty vector, of memory that was used before where there is some: a nested call finds none and takes its own.
fn with_memory<U, T>(
    kept: &'static std::thread::LocalKey<Cell<Vec<U>>>,
    body: impl FnOnce(&mut Vec<U>) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let mut memory = kept.try_with(Cell::take).unwrap_or_default();
    let result = body(&mut memory);
    if memory.capacity() * size_of::<U>() <= KEPT_BYTES {
        memory.clear();
        // While the thread ends there may be no place to keep it.
        let _ = kept.try_with(|place| place.set(memory));
    }
    result
}

/// `units` in `bytes` when none is over U+00FF, or as they are. Both have the same length.
#[inline]
fn narrow<'a>(units: &'a [u16], bytes: &'a mut [MaybeUninit<u8>]) -> Result<&'a [u8], &'a [u16]> {
    assert_eq!(units.len(), bytes.len());
    // No early exit: without branches the loop becomes vector instructions.
    let mut seen = 0;
    for (byte, &unit) in bytes.iter_mut().zip(units) {
        seen |= unit;
        byte.write(unit as u8);
    }
    if seen <= 0xFF {
        // SAFETY: the loop has written every byte, as both slices have the same length.
        Ok(unsafe { std::slice::from_raw_parts(bytes.as_ptr().cast::<u8>(), bytes.len()) })
    } else {
        Err(units)
    }
}

fn not_a_string() -> Failure {
    Failure::new(Code::InvalidArgType, "a string was expected")
}

fn unreadable() -> Failure {
    Failure::new(Code::Internal, "a string could not be read")
}
