//! The raw hot-call layer: a native function that carries its instance in the callback's `data` pointer.
//!
//! A `#[napi]` method pays for a receiver check, an unwrap and heap strings; this pays for none of them.

use std::ffi::{c_char, c_void};
use std::ptr;

use napi::{Env, sys};

use super::call::MAX_ARGUMENTS;
use super::{Call, Code, Failure, Value, environment, guard};

/// What a hot function does. The implementor is its instance: owned by the JavaScript function, dropped with it.
pub(crate) trait HotFunction: 'static {
    /// The function's `name`, for stack traces.
    const NAME: &'static str;
    /// How many arguments are read.
    const ARGUMENTS: usize;

    /// One call. `&self`: state that changes sits in a cell, and no JavaScript runs inside, so calls never nest.
    fn call(&self, call: &Call) -> Result<Value, Failure>;
}

/// A JavaScript function that calls `instance`. When the function is collected, the instance is dropped.
pub(crate) fn hot_function<F: HotFunction>(env: &Env, instance: F) -> Result<Value, Failure> {
    function_in(env.raw(), instance)
}

pub(super) fn function_in<F: HotFunction>(env: sys::napi_env, instance: F) -> Result<Value, Failure> {
    let instance = Box::into_raw(Box::new(instance)).cast::<c_void>();
    let mut function = ptr::null_mut();
    // SAFETY: name and length agree; `data` outlives the function, whose finalizer below is what frees it.
    let status = unsafe {
        sys::napi_create_function(
            env,
            F::NAME.as_ptr().cast::<c_char>(),
            F::NAME.len() as isize,
            Some(trampoline::<F>),
            instance,
            &mut function,
        )
    };
    if status == sys::Status::napi_ok {
        // SAFETY: the finalizer gets the same box, once: when the function is collected or the environment ends.
        // A collected function cannot be called, so no call sees a freed instance.
        let status = unsafe {
            sys::napi_add_finalizer(
                env,
                function,
                instance,
                Some(finalize::<F>),
                ptr::null_mut(),
                ptr::null_mut(),
            )
        };
        if status == sys::Status::napi_ok {
            return Ok(Value::from_raw(function));
        }
        // The function exists without a finalizer and is dropped uncalled by our caller: leak the instance rather
        // than leave the function with a dangling pointer.
        return Err(Failure::new(Code::Internal, "a native function could not be bound to its instance"));
    }
    // SAFETY: nobody took the box.
    drop(unsafe { Box::from_raw(instance.cast::<F>()) });
    Err(Failure::new(Code::Internal, "a native function could not be made"))
}

unsafe extern "C" fn trampoline<F: HotFunction>(
    env: sys::napi_env,
    info: sys::napi_callback_info,
) -> sys::napi_value {
    const { assert!(F::ARGUMENTS <= MAX_ARGUMENTS) };
    let mut count = F::ARGUMENTS;
    let mut arguments = [ptr::null_mut(); MAX_ARGUMENTS];
    let mut instance = ptr::null_mut();
    // SAFETY: `env` and `info` come from Node for this call; the array has `count` places.
    let status = unsafe {
        sys::napi_get_cb_info(env, info, &mut count, arguments.as_mut_ptr(), ptr::null_mut(), &mut instance)
    };
    if status != sys::Status::napi_ok {
        return ptr::null_mut();
    }
    // SAFETY: `data` is the box that `hot_function` made for this function, alive as long as the function is.
    let instance = unsafe { &*instance.cast::<F>() };
    // SAFETY: environment and arguments are those of this call, and `call` ends with it.
    let call = unsafe { Call::new(env, arguments) };
    match guard(|| instance.call(&call)) {
        Ok(value) => value.raw(),
        Err(failure) => {
            environment::throw(env, &failure);
            ptr::null_mut()
        }
    }
}

unsafe extern "C" fn finalize<F: HotFunction>(
    _env: sys::napi_env,
    instance: *mut c_void,
    _hint: *mut c_void,
) {
    // SAFETY: the box from `hot_function`, handed over once.
    let instance = unsafe { Box::from_raw(instance.cast::<F>()) };
    // A panic in a destructor must not cross into Node either.
    let _ = guard(|| {
        drop(instance);
        Ok(())
    });
}
