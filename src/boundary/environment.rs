//! What belongs to one Node environment (the main thread, or one worker): how errors are made there.

use std::ffi::c_void;
use std::ptr;
use std::rc::Rc;

use napi::{Env, Status, sys};

use super::{Code, Failure, Offsets, Value, guard};

/// Lives in the environment's instance data, from `initialize` until the environment is torn down.
struct EnvironmentState {
    /// `(code, message) => Error`, from `lib/errors.js`.
    create_error: sys::napi_ref,
    offsets: Rc<Offsets>,
}

/// Registers the JavaScript function that makes errors. Called once by `lib/native.js`, right after loading.
pub(crate) fn initialize(env: &Env, create_error: Value) -> Result<(), Failure> {
    let env = env.raw();
    let mut kind = 0;
    // SAFETY: `env` is the environment of the call in progress and `create_error` one of its arguments.
    let status = unsafe { sys::napi_typeof(env, create_error.raw(), &mut kind) };
    if status != sys::Status::napi_ok || kind != sys::ValueType::napi_function {
        return Err(Failure::new(Code::InvalidArgType, "initialize takes a function that makes errors"));
    }
    let mut reference = ptr::null_mut();
    // SAFETY: as above; the reference is released by `drop_state`.
    let status = unsafe { sys::napi_create_reference(env, create_error.raw(), 1, &mut reference) };
    if status != sys::Status::napi_ok {
        return Err(Failure::new(Code::Internal, "the error constructor could not be kept"));
    }
    let state = Box::into_raw(Box::new(EnvironmentState {
        create_error: reference,
        offsets: Rc::new(Offsets::new()),
    }));
    // SAFETY: `state` is a fresh, owned box; Node hands it to `drop_state` exactly once, at teardown. Nothing else in
    // the addon uses the instance data slot, and `initialize` runs once per environment: a second call would leak the
    // first box, which is harmless.
    let status = unsafe {
        sys::napi_set_instance_data(env, state.cast::<c_void>(), Some(drop_state), ptr::null_mut())
    };
    if status != sys::Status::napi_ok {
        // SAFETY: Node did not take the box.
        drop(unsafe { Box::from_raw(state) });
        return Err(Failure::new(Code::Internal, "the environment's state could not be kept"));
    }
    Ok(())
}

unsafe extern "C" fn drop_state(env: sys::napi_env, state: *mut c_void, _hint: *mut c_void) {
    // SAFETY: the pointer is the box that `initialize` handed over, and this is the one call for it.
    let state = unsafe { Box::from_raw(state.cast::<EnvironmentState>()) };
    // SAFETY: the reference was created in this environment and is deleted once.
    unsafe { sys::napi_delete_reference(env, state.create_error) };
    state.offsets.release(env);
}

/// What all patterns of the environment write offsets to.
pub(super) fn offsets(env: sys::napi_env) -> Result<Rc<Offsets>, Failure> {
    let state = state(env).ok_or_else(|| Failure::new(Code::Internal, "the addon is not initialised"))?;
    Ok(Rc::clone(&state.offsets))
}

fn state<'env>(env: sys::napi_env) -> Option<&'env EnvironmentState> {
    let mut state = ptr::null_mut();
    // SAFETY: `env` is the environment of the call in progress; the slot holds null or our box.
    let status = unsafe { sys::napi_get_instance_data(env, &mut state) };
    if status != sys::Status::napi_ok || state.is_null() {
        return None;
    }
    // SAFETY: the box lives until teardown, and this thread is the only one that uses it.
    Some(unsafe { &*state.cast::<EnvironmentState>() })
}

/// Runs the body of a cold `#[napi]` function: errors and panics are thrown with their class and code.
pub(crate) fn cold<T>(env: &Env, body: impl FnOnce() -> Result<T, Failure>) -> napi::Result<T> {
    guard(body).map_err(|failure| {
        throw(env.raw(), &failure);
        napi::Error::from_status(Status::PendingException)
    })
}

/// Leaves `failure` as the pending exception of the environment.
pub(super) fn throw(env: sys::napi_env, failure: &Failure) {
    if let Some(error) = create_error(env, failure) {
        // SAFETY: `error` was just made in this environment.
        unsafe { sys::napi_throw(env, error) };
        return;
    }
    let mut pending = false;
    // SAFETY: plain queries on the environment of the call in progress.
    unsafe { sys::napi_is_exception_pending(env, &mut pending) };
    if !pending {
        // Not initialised yet, or the constructor could not run (the environment is closing): a plain error.
        let code = super::call::c_string(failure.code.as_str());
        let message = super::call::c_string(&failure.message);
        // SAFETY: both are NUL-terminated and outlive the call.
        unsafe { sys::napi_throw_error(env, code.as_ptr(), message.as_ptr()) };
    }
}

/// The JavaScript error for `failure`, or nothing when it cannot be made in this environment any more.
pub(super) fn create_error(env: sys::napi_env, failure: &Failure) -> Option<sys::napi_value> {
    let state = state(env)?;
    let code = super::call::string(env, failure.code.as_str())?;
    let message = super::call::string(env, &failure.message)?;
    let (mut constructor, mut receiver, mut error) = (ptr::null_mut(), ptr::null_mut(), ptr::null_mut());
    let arguments = [code, message];
    // SAFETY: the reference belongs to this environment; the out pointers are valid; two arguments are passed.
    unsafe {
        if sys::napi_get_reference_value(env, state.create_error, &mut constructor) != sys::Status::napi_ok
            || sys::napi_get_undefined(env, &mut receiver) != sys::Status::napi_ok
            || sys::napi_call_function(env, receiver, constructor, 2, arguments.as_ptr(), &mut error)
                != sys::Status::napi_ok
        {
            return None;
        }
    }
    Some(error)
}
