//! The buffer through which native code hands match offsets to JavaScript, one for each environment: a typed array as an
//! argument would cost more than a short match.
//!
//! Only lib/regexp-program.js gets the ArrayBuffer, and it neither transfers nor hands it on: it is never detached.

use std::cell::Cell;
use std::ffi::c_void;
use std::ptr;

use napi::{Env, sys};

use super::{Call, Code, Failure, Value, environment};

/// The buffer as it is now; it is replaced when a pattern needs a larger one.
pub(crate) struct Offsets {
    start: Cell<*mut i32>,
    places: Cell<usize>,
    reference: Cell<sys::napi_ref>,
}

impl Offsets {
    pub(super) fn new() -> Offsets {
        Offsets {
            start: Cell::new(ptr::null_mut()),
            places: Cell::new(0),
            reference: Cell::new(ptr::null_mut()),
        }
    }

    /// That of the environment.
    pub(crate) fn of(env: &Env) -> Result<std::rc::Rc<Offsets>, Failure> {
        environment::offsets(env.raw())
    }

    /// Replaces the buffer by a new one of this size, which is returned as an ArrayBuffer.
    pub(crate) fn resize(&self, env: &Env, places: usize) -> Result<Value, Failure> {
        let (mut start, mut buffer, mut reference) =
            (ptr::null_mut::<c_void>(), ptr::null_mut(), ptr::null_mut());
        // SAFETY: plain results in the environment of the call in progress.
        let status = unsafe {
            match sys::napi_create_arraybuffer(env.raw(), places * size_of::<i32>(), &mut start, &mut buffer)
            {
                sys::Status::napi_ok => sys::napi_create_reference(env.raw(), buffer, 1, &mut reference),
                status => status,
            }
        };
        if status != sys::Status::napi_ok {
            return Err(Failure::new(Code::Internal, "the buffer for offsets could not be made"));
        }
        self.release(env.raw());
        self.start.set(start.cast::<i32>());
        self.places.set(places);
        self.reference.set(reference);
        Ok(Value::from_raw(buffer))
    }

    /// Lends the buffer; inside `body` it cannot be lent again and is empty.
    #[inline]
    pub(crate) fn lend<T>(&self, _: &Call, body: impl FnOnce(&mut [i32]) -> T) -> T {
        let places = Lent { offsets: self, places: self.places.replace(0) };
        if places.places == 0 {
            return body(&mut []);
        }
        // SAFETY: V8 aligns buffers to 8 bytes and keeps this one, which the reference holds, where it is. No JavaScript
        // runs while a `Call` is in progress, and the size is 0 while this slice exists, so that it is the only one.
        body(unsafe { std::slice::from_raw_parts_mut(self.start.get(), places.places) })
    }

    pub(super) fn release(&self, env: sys::napi_env) {
        self.places.set(0);
        let reference = self.reference.replace(ptr::null_mut());
        if !reference.is_null() {
            // SAFETY: the reference was created in this environment and is deleted once.
            unsafe { sys::napi_delete_reference(env, reference) };
        }
    }
}

/// Takes the buffer back, also when the borrower panics.
struct Lent<'a> {
    offsets: &'a Offsets,
    places: usize,
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        self.offsets.places.set(self.places);
    }
}
