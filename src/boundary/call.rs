//! One call of a hot function: its arguments, read without heap allocation while they are short, and its results.

use std::cell::RefCell;
use std::ffi::{CString, c_char};
use std::ptr;

use napi::{Env, sys};
use zeroize::Zeroizing;

use super::text::{self, Characters};
use super::{Code, Failure, Value};

/// The most arguments a hot function takes.
pub(super) const MAX_ARGUMENTS: usize = 6;
/// Content that is secret.
pub(crate) enum Secret {
    Text(Zeroizing<Vec<u16>>),
    Bytes(Zeroizing<Vec<u8>>),
}

/// A call in progress. Valid on this thread until the callback returns.
pub(crate) struct Call {
    env: sys::napi_env,
    arguments: [sys::napi_value; MAX_ARGUMENTS],
    /// Memory lent out in this call: no byte is lent for writing while it is lent in any other way.
    lent: RefCell<Lent>,
}

#[derive(Default)]
struct Lent {
    inputs: [Region; MAX_ARGUMENTS],
    input_count: usize,
    output: Option<Region>,
}

/// Addresses `.0` up to, not including, `.1`.
#[derive(Clone, Copy, Default)]
struct Region(usize, usize);

impl Region {
    fn overlaps(self, other: Region) -> bool {
        let is_empty = |region: Region| region.0 == region.1;
        !is_empty(self) && !is_empty(other) && self.0 < other.1 && other.0 < self.1
    }
}

impl Call {
    /// # Safety
    /// `env` and `arguments` belong to the callback in progress, and the value does not outlive it. Missing arguments
    /// are `undefined`, as `napi_get_cb_info` fills them in.
    pub(super) unsafe fn new(env: sys::napi_env, arguments: [sys::napi_value; MAX_ARGUMENTS]) -> Call {
        Call { env, arguments, lent: RefCell::default() }
    }

    /// The text of argument `index`, told apart by its widest character. The buffers live on the stack or are used again.
    #[inline]
    pub(crate) fn characters<T>(
        &self,
        index: usize,
        body: impl FnOnce(Characters<'_>) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        text::read_characters(self.env, self.arguments[index], None, body)
    }

    /// As [`Call::characters`], of which JavaScript knows in argument `hint` whether all are at most U+00FF; if it says
    /// so wrongly, others are cut to their low byte.
    #[inline]
    pub(crate) fn known_characters<T>(
        &self,
        index: usize,
        hint: usize,
        body: impl FnOnce(Characters<'_>) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let mut is_latin1 = false;
        // SAFETY: a plain read of an argument.
        let status = unsafe { sys::napi_get_value_bool(self.env, self.arguments[hint], &mut is_latin1) };
        let known = (status == sys::Status::napi_ok).then_some(is_latin1);
        text::read_characters(self.env, self.arguments[index], known, body)
    }

    /// Bytes that reading the text in argument `index` takes; `hint` as for [`Call::known_characters`].
    pub(crate) fn text_bytes(&self, index: usize, hint: usize) -> Result<usize, Failure> {
        let mut is_latin1 = false;
        // SAFETY: a plain read of an argument; without a hint it stays false.
        unsafe { sys::napi_get_value_bool(self.env, self.arguments[hint], &mut is_latin1) };
        Ok(text::length_of(self.env, self.arguments[index])? * if is_latin1 { 1 } else { 2 })
    }

    /// The first `units` of the text in argument `index`, if it is longer than that; `hint` as for
    /// [`Call::known_characters`]. Nothing when it is not longer, or the hint is none.
    pub(crate) fn part<T>(
        &self,
        index: usize,
        hint: usize,
        units: usize,
        body: impl FnOnce(Characters<'_>) -> Result<T, Failure>,
    ) -> Result<Option<T>, Failure> {
        let mut is_latin1 = false;
        // SAFETY: a plain read of an argument.
        let status = unsafe { sys::napi_get_value_bool(self.env, self.arguments[hint], &mut is_latin1) };
        if status != sys::Status::napi_ok {
            return Ok(None);
        }
        text::read_part(self.env, self.arguments[index], is_latin1, units, body)
    }

    /// The content of argument `index`, a string or a `Uint8Array`, which is secret: in buffers that are wiped.
    pub(crate) fn secret(&self, index: usize) -> Result<Secret, Failure> {
        let mut kind = 0;
        // SAFETY: a plain query of an argument.
        unsafe { sys::napi_typeof(self.env, self.arguments[index], &mut kind) };
        if kind != sys::ValueType::napi_string {
            return self.bytes(index, |bytes| Ok(Secret::Bytes(Zeroizing::new(bytes.to_vec()))));
        }
        // SAFETY: the environment and the argument belong to the call in progress.
        let units = unsafe { super::arguments::read_utf16(self.env, self.arguments[index]) }
            .ok_or_else(|| Failure::new(Code::Internal, "a string could not be read"))?;
        Ok(Secret::Text(Zeroizing::new(units)))
    }

    /// The bytes of argument `index`, a `Uint8Array`, in place; a view of shared memory is copied first, because
    /// another thread may be writing to it.
    pub(crate) fn bytes<T>(
        &self,
        index: usize,
        body: impl FnOnce(&[u8]) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let view = self.view(index)?;
        if view.shared {
            let mut copy = Zeroizing::new(vec![0u8; view.length]);
            // SAFETY: the memory is mapped for `length` bytes as long as the view lives, which the call's handle scope
            // ensures. Another thread may write meanwhile: then the copy holds some mixture, and nothing else happens,
            // as nothing is decided on before it is made.
            unsafe { ptr::copy_nonoverlapping(view.start, copy.as_mut_ptr(), view.length) };
            return body(&copy);
        }
        self.lend_input(view.region())?;
        if view.length == 0 {
            return body(&[]);
        }
        // SAFETY: the array buffer is kept alive by the call's handle scope; no JavaScript runs before `body` returns
        // (nothing in a `Call` calls back), so it is neither detached nor resized nor written to by JavaScript; and
        // `lend_input` and `lend_output` see to it that it is not lent for writing in this call.
        body(unsafe { std::slice::from_raw_parts(view.start, view.length) })
    }

    /// The bytes of argument `index`, a `Uint8Array`, in place; nothing for a view of shared memory, which the caller copies
    /// when it is going to read the bytes again.
    #[inline]
    pub(crate) fn private_bytes<T>(
        &self,
        index: usize,
        body: impl FnOnce(&[u8]) -> Result<T, Failure>,
    ) -> Result<Option<T>, Failure> {
        let view = self.view(index)?;
        if view.shared {
            return Ok(None);
        }
        self.lend_input(view.region())?;
        if view.length == 0 {
            return body(&[]).map(Some);
        }
        // SAFETY: as in `bytes`.
        body(unsafe { std::slice::from_raw_parts(view.start, view.length) }).map(Some)
    }

    /// The bytes of argument `index` to write to, a `Uint8Array` that is not shared and overlaps no other argument.
    /// Once per call.
    pub(crate) fn output<T>(
        &self,
        index: usize,
        body: impl FnOnce(&mut [u8]) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let view = self.view(index)?;
        self.lend_output(&view)?;
        if view.length == 0 {
            return body(&mut []);
        }
        // SAFETY: as in `bytes`; `lend_output` has made sure that no other slice of this memory exists.
        body(unsafe { std::slice::from_raw_parts_mut(view.start, view.length) })
    }

    fn lend_input(&self, region: Region) -> Result<(), Failure> {
        let mut lent = self.lent.borrow_mut();
        if lent.output.is_some_and(|output| output.overlaps(region)) {
            return Err(overlap());
        }
        let count = lent.input_count;
        assert!(count < MAX_ARGUMENTS, "a call lends each argument once");
        lent.inputs[count] = region;
        lent.input_count += 1;
        Ok(())
    }

    fn lend_output(&self, view: &View) -> Result<(), Failure> {
        if view.shared {
            return Err(Failure::new(Code::InvalidArgType, "the output must not be shared memory"));
        }
        let mut lent = self.lent.borrow_mut();
        assert!(lent.output.is_none(), "a call has one output");
        let region = view.region();
        if lent.inputs[..lent.input_count].iter().any(|input| input.overlaps(region)) {
            return Err(overlap());
        }
        lent.output = Some(region);
        Ok(())
    }

    /// Argument `index` as an integer of at most `max`.
    pub(crate) fn integer(&self, index: usize, max: u32) -> Result<u32, Failure> {
        let mut number = 0.0;
        // SAFETY: a plain read of an argument.
        let status = unsafe { sys::napi_get_value_double(self.env, self.arguments[index], &mut number) };
        if status != sys::Status::napi_ok {
            return Err(Failure::new(Code::InvalidArgType, "a number was expected"));
        }
        super::Integers::integer(number, "the number", 0..=max)
    }

    /// Argument `index` as an integer that a double holds exactly, from 0 on.
    pub(crate) fn safe_integer(&self, index: usize) -> Result<u64, Failure> {
        const MAX_SAFE: f64 = 9_007_199_254_740_991.0;
        let mut number = -1.0;
        // SAFETY: a plain read of an argument; what is not a number leaves it as it is.
        unsafe { sys::napi_get_value_double(self.env, self.arguments[index], &mut number) };
        if (0.0..=MAX_SAFE).contains(&number) && number.fract() == 0.0 {
            // In range and whole: the cast is exact.
            Ok(number as u64)
        } else {
            Err(Failure::new(Code::OutOfRange, "the number must be an integer from 0 to 2^53 - 1"))
        }
    }

    pub(crate) fn boolean(&self, value: bool) -> Value {
        let mut result = ptr::null_mut();
        // SAFETY: a plain result in the environment of the call. On failure it stays null, which Node takes as undefined.
        unsafe { sys::napi_get_boolean(self.env, value, &mut result) };
        Value::from_raw(result)
    }

    /// The environment, to make functions in.
    pub(crate) fn env(&self) -> Env {
        Env::from_raw(self.env)
    }

    /// A JavaScript function, as `hot_function` makes them.
    pub(crate) fn function<F: super::HotFunction>(&self, instance: F) -> Result<Value, Failure> {
        super::hot::function_in(self.env, instance)
    }

    /// Tells V8 of memory that a JavaScript object is going to keep alive.
    pub(crate) fn external_memory(&self, bytes: usize) -> super::ExternalMemory {
        super::ExternalMemory::new(self.env, bytes)
    }

    pub(crate) fn undefined(&self) -> Value {
        // Node takes a null result as undefined.
        Value::from_raw(ptr::null_mut())
    }

    /// An array of numbers, for results that are rare enough to be objects. Nothing is returned of it when the
    /// environment is closing.
    pub(crate) fn numbers(&self, values: &[f64]) -> Value {
        let mut array = ptr::null_mut();
        // SAFETY: plain results in the environment of the call; a failure leaves a hole or null.
        unsafe {
            if sys::napi_create_array_with_length(self.env, values.len(), &mut array) != sys::Status::napi_ok
            {
                return self.undefined();
            }
            for (index, &value) in (0u32..).zip(values) {
                let mut number = ptr::null_mut();
                if sys::napi_create_double(self.env, value, &mut number) == sys::Status::napi_ok {
                    sys::napi_set_element(self.env, array, index, number);
                }
            }
        }
        Value::from_raw(array)
    }

    /// An array of values. Nothing is returned of it when the environment is closing.
    pub(crate) fn values(&self, values: &[Value]) -> Value {
        array_in(self.env, values)
    }

    /// A number of bytes.
    pub(crate) fn length(&self, length: usize) -> Value {
        self.whole(length as u64)
    }

    /// A number of at most 2^53. Smaller ones have no memory of their own.
    #[inline]
    pub(crate) fn whole(&self, value: u64) -> Value {
        match i32::try_from(value) {
            Ok(small) => self.number(small),
            Err(_) => self.double(value as f64),
        }
    }

    pub(crate) fn double(&self, value: f64) -> Value {
        let mut result = ptr::null_mut();
        // SAFETY: a plain result in the environment of the call. On failure it stays null, which Node takes as undefined.
        unsafe { sys::napi_create_double(self.env, value, &mut result) };
        Value::from_raw(result)
    }

    /// Argument `index` as it came, to be returned.
    pub(crate) fn argument(&self, index: usize) -> Value {
        Value::from_raw(self.arguments[index])
    }

    pub(crate) fn number(&self, value: i32) -> Value {
        let mut result = ptr::null_mut();
        // SAFETY: as above.
        unsafe { sys::napi_create_int32(self.env, value, &mut result) };
        Value::from_raw(result)
    }

    /// A JavaScript string of these characters, at most V8's longest.
    pub(crate) fn string(&self, characters: Characters<'_>) -> Result<Value, Failure> {
        let mut value = ptr::null_mut();
        // SAFETY: pointer and length describe the slice. Node refuses what is too long for a string.
        let status = unsafe {
            match characters {
                Characters::Latin1(bytes) => sys::napi_create_string_latin1(
                    self.env,
                    bytes.as_ptr().cast::<c_char>(),
                    bytes.len() as isize,
                    &mut value,
                ),
                Characters::Utf16(units) => {
                    sys::napi_create_string_utf16(self.env, units.as_ptr(), units.len() as isize, &mut value)
                }
            }
        };
        if status != sys::Status::napi_ok {
            return Err(Failure::new(Code::Internal, "a string could not be made"));
        }
        Ok(Value::from_raw(value))
    }

    /// A `Uint8Array`.
    fn view(&self, index: usize) -> Result<View, Failure> {
        let (mut kind, mut length, mut start, mut buffer, mut offset) =
            (0, 0, ptr::null_mut(), ptr::null_mut(), 0);
        let mut unshared = false;
        // SAFETY: plain reads of an argument; all out pointers are valid.
        let status = unsafe {
            let status = sys::napi_get_typedarray_info(
                self.env,
                self.arguments[index],
                &mut kind,
                &mut length,
                &mut start,
                &mut buffer,
                &mut offset,
            );
            if status == sys::Status::napi_ok {
                // False for a SharedArrayBuffer.
                sys::napi_is_arraybuffer(self.env, buffer, &mut unshared);
            }
            status
        };
        if status != sys::Status::napi_ok || kind != sys::TypedarrayType::uint8_array {
            return Err(Failure::new(Code::InvalidArgType, "a typed array of another kind was expected"));
        }
        Ok(View { start: start.cast::<u8>(), length, shared: !unshared })
    }
}

/// An array of values, for cold functions. Nothing is returned of it when the environment is closing.
pub(crate) fn array(env: &Env, values: &[Value]) -> Value {
    array_in(env.raw(), values)
}

fn array_in(env: sys::napi_env, values: &[Value]) -> Value {
    let mut array = ptr::null_mut();
    // SAFETY: plain results in the environment of the call, and values of this call; a failure leaves a hole or null, which
    // Node takes as undefined.
    unsafe {
        if sys::napi_create_array_with_length(env, values.len(), &mut array) == sys::Status::napi_ok {
            for (index, value) in (0u32..).zip(values) {
                sys::napi_set_element(env, array, index, value.raw());
            }
        }
    }
    Value::from_raw(array)
}

struct View {
    start: *mut u8,
    length: usize,
    shared: bool,
}

impl View {
    fn region(&self) -> Region {
        Region(self.start as usize, self.start as usize + self.length)
    }
}

fn overlap() -> Failure {
    Failure::new(Code::InvalidArgValue, "the output overlaps the input: pass a separate Uint8Array as 'into'")
}

/// A JavaScript string. Nothing when the environment is closing.
pub(super) fn string(env: sys::napi_env, text: &str) -> Option<sys::napi_value> {
    let mut value = ptr::null_mut();
    // SAFETY: pointer and length describe `text`.
    let status = unsafe {
        sys::napi_create_string_utf8(env, text.as_ptr().cast::<c_char>(), text.len() as isize, &mut value)
    };
    (status == sys::Status::napi_ok).then_some(value)
}

/// A Buffer with memory of its own that holds `bytes`. Nothing when there is no memory, or the environment is closing.
pub(super) fn buffer(env: sys::napi_env, bytes: &[u8]) -> Option<sys::napi_value> {
    let (mut start, mut value) = (ptr::null_mut(), ptr::null_mut());
    // SAFETY: both out pointers are valid.
    let status = unsafe { sys::napi_create_buffer(env, bytes.len(), &mut start, &mut value) };
    if status != sys::Status::napi_ok {
        return None;
    }
    // SAFETY: the memory was just made with room for as many bytes, and nobody else knows of it yet.
    unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), start.cast::<u8>(), bytes.len()) };
    Some(value)
}

/// `text` up to its first NUL, NUL-terminated.
pub(super) fn c_string(text: &str) -> CString {
    CString::new(text.split('\0').next().unwrap_or_default()).unwrap_or_default()
}
