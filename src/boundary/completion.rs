//! From other threads back to JavaScript: a channel whose receiving end is one JavaScript function of one environment.
//!
//! Over a Node threadsafe function. Node forbids calling one after its environment is gone, so every use goes through
//! [`Gate`], which an environment cleanup hook shuts first: hooks run in the reverse order of their registration, and
//! ours is registered after the threadsafe function's own.

use std::ffi::c_void;
use std::ptr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use napi::{Env, sys};
use zeroize::Zeroizing;

use super::{Code, Failure, Value, environment, guard};

/// What a background job came to.
pub(crate) enum Completion {
    Text(String),
    /// A set of bits that the JavaScript side knows.
    Bits(u32),
    /// Secret bytes, which become a Buffer of its own, never a part of Node's pool, and are wiped here.
    Secret(Zeroizing<Vec<u8>>),
    Failed(Failure),
}

/// Sends completions, from any thread. Cheap to clone.
#[derive(Clone)]
pub(crate) struct CompletionSender {
    gate: Arc<Gate>,
}

/// The JavaScript thread's end: keeps the event loop alive while jobs are under way, and closes the channel on drop.
pub(crate) struct CompletionReceiver {
    env: sys::napi_env,
    gate: Arc<Gate>,
}

struct Gate {
    /// Null once the environment is gone or the channel closed.
    function: Mutex<Function>,
    /// Jobs whose completion has not been delivered. Changed on the JavaScript thread only.
    pending: AtomicU32,
    /// What to do when the environment goes: nobody will hear of the jobs any more.
    on_teardown: Box<dyn Fn() + Send + Sync>,
}

struct Function(sys::napi_threadsafe_function);

// SAFETY: Node documents threadsafe functions as usable from any thread while they exist, which the mutex around this
// one ensures: it is nulled under the lock before Node may free it.
unsafe impl Send for Function {}

struct Message {
    job: u32,
    completion: Completion,
}

/// A channel to `dispatch`, a JavaScript function `(job, error, value) => void`.
pub(crate) fn completion_channel(
    env: &Env,
    dispatch: Value,
    on_teardown: impl Fn() + Send + Sync + 'static,
) -> Result<(CompletionSender, CompletionReceiver), Failure> {
    // Node unloads an addon with the last environment that loaded it, while a thread of ours may still run its code.
    napi::bindgen_prelude::retain_current_module_for_unload_safety();
    let env = env.raw();
    let failed = || Failure::new(Code::Internal, "a channel to the JavaScript thread could not be made");
    let name = super::call::string(env, "holdfast").ok_or_else(failed)?;
    let gate = Arc::new(Gate {
        function: Mutex::new(Function(ptr::null_mut())),
        pending: AtomicU32::new(0),
        on_teardown: Box::new(on_teardown),
    });
    let mut function = ptr::null_mut();
    // The context is a reference count that `release_context` gives back when Node is done with the function.
    let context = Arc::into_raw(Arc::clone(&gate)).cast_mut().cast::<c_void>();
    // SAFETY: `dispatch` and `name` are values of the call in progress; the context outlives the function.
    let status = unsafe {
        sys::napi_create_threadsafe_function(
            env,
            dispatch.raw(),
            ptr::null_mut(),
            name,
            0,
            1,
            context,
            Some(release_context),
            context,
            Some(deliver),
            &mut function,
        )
    };
    if status != sys::Status::napi_ok {
        // SAFETY: Node did not take the context.
        drop(unsafe { Arc::from_raw(context.cast::<Gate>().cast_const()) });
        return Err(failed());
    }
    gate.lock().0 = function;
    // SAFETY: the function was just made in this environment. Idle channels do not keep the process alive.
    unsafe { sys::napi_unref_threadsafe_function(env, function) };
    let hook = Arc::into_raw(Arc::clone(&gate)).cast_mut().cast::<c_void>();
    // SAFETY: the hook owns one reference count, given back by the hook itself or by whoever removes it. The pointer is
    // unique to this channel, as Node asks of hook and argument together.
    let status = unsafe { sys::napi_add_env_cleanup_hook(env, Some(tear_down), hook) };
    if status != sys::Status::napi_ok {
        // SAFETY: Node did not take the hook.
        drop(unsafe { Arc::from_raw(hook.cast::<Gate>().cast_const()) });
        gate.close();
        return Err(failed());
    }
    Ok((CompletionSender { gate: Arc::clone(&gate) }, CompletionReceiver { env, gate }))
}

impl CompletionSender {
    /// Delivers one completion on the JavaScript thread, or drops it when the environment is gone.
    pub(crate) fn send(&self, job: u32, completion: Completion) {
        let message = Box::into_raw(Box::new(Message { job, completion })).cast::<c_void>();
        let function = self.gate.lock();
        let sent = !function.0.is_null() && {
            // SAFETY: not null, so the environment has not been torn down; it cannot be meanwhile, because its hook
            // waits for the lock. The call only queues the message.
            let status = unsafe {
                sys::napi_call_threadsafe_function(
                    function.0,
                    message,
                    sys::ThreadsafeFunctionCallMode::nonblocking,
                )
            };
            status == sys::Status::napi_ok
        };
        drop(function);
        if !sent {
            // SAFETY: nobody took the box.
            drop(unsafe { Box::from_raw(message.cast::<Message>()) });
        }
    }
}

impl CompletionReceiver {
    /// Announces a job: until its completion is delivered the event loop stays alive. On the JavaScript thread.
    pub(crate) fn expect(&self) {
        if self.gate.pending.fetch_add(1, Ordering::Relaxed) == 0 {
            let function = self.gate.lock();
            if !function.0.is_null() {
                // SAFETY: not null, hence alive; this is the environment's thread.
                unsafe { sys::napi_ref_threadsafe_function(self.env, function.0) };
            }
        }
    }

    /// Takes the announcement of a job back that was not accepted.
    pub(crate) fn unexpect(&self) {
        self.gate.settle(self.env);
    }
}

impl Drop for CompletionReceiver {
    fn drop(&mut self) {
        if self.gate.lock().0.is_null() {
            return; // Torn down: the hook has run and given its reference back.
        }
        let hook = Arc::as_ptr(&self.gate).cast_mut().cast::<c_void>();
        // SAFETY: the hook is still registered, as it has not run; with it goes the reference count that it owned.
        unsafe {
            if sys::napi_remove_env_cleanup_hook(self.env, Some(tear_down), hook) == sys::Status::napi_ok {
                drop(Arc::from_raw(hook.cast::<Gate>().cast_const()));
            }
        }
        self.gate.close();
    }
}

impl Gate {
    fn lock(&self) -> MutexGuard<'_, Function> {
        self.function.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One job less is under way; with the last one the event loop may end. On the JavaScript thread.
    fn settle(&self, env: sys::napi_env) {
        if self.pending.fetch_sub(1, Ordering::Relaxed) == 1 {
            let function = self.lock();
            if !function.0.is_null() {
                // SAFETY: not null, hence alive; this is the environment's thread.
                unsafe { sys::napi_unref_threadsafe_function(env, function.0) };
            }
        }
    }

    /// No more sending. Messages already queued are still delivered.
    fn close(&self) {
        let mut function = self.lock();
        let raw = std::mem::replace(&mut function.0, ptr::null_mut());
        if !raw.is_null() {
            // SAFETY: it was not null, hence alive, and is released once: it has just been replaced by null.
            unsafe {
                sys::napi_release_threadsafe_function(raw, sys::ThreadsafeFunctionReleaseMode::release)
            };
        }
    }
}

/// The environment is about to go.
unsafe extern "C" fn tear_down(hook: *mut c_void) {
    // SAFETY: the reference count that the hook owns; it runs once.
    let gate = unsafe { Arc::from_raw(hook.cast::<Gate>().cast_const()) };
    // Node closes the threadsafe function itself, after this hook. Waits for a `send` in progress, which only queues.
    gate.lock().0 = ptr::null_mut();
    let _ = guard(|| {
        (gate.on_teardown)();
        Ok(())
    });
}

/// Node is done with the threadsafe function.
unsafe extern "C" fn release_context(_env: sys::napi_env, context: *mut c_void, _hint: *mut c_void) {
    // SAFETY: the reference count that `completion_channel` gave to the function; the finalizer runs once.
    drop(unsafe { Arc::from_raw(context.cast::<Gate>().cast_const()) });
}

/// On the JavaScript thread, for every message; with a null environment when it is only to be freed.
unsafe extern "C" fn deliver(
    env: sys::napi_env,
    dispatch: sys::napi_value,
    context: *mut c_void,
    data: *mut c_void,
) {
    // SAFETY: the box from `send`, delivered once.
    let message = unsafe { Box::from_raw(data.cast::<Message>()) };
    if env.is_null() || dispatch.is_null() {
        return;
    }
    // SAFETY: the context lives until `release_context`, which comes after the last delivery.
    let gate = unsafe { &*context.cast::<Gate>() };
    gate.settle(env);
    let _ = guard(|| {
        // SAFETY: `env` and `dispatch` belong to this callback.
        unsafe { call_dispatch(env, dispatch, &message) };
        Ok(())
    });
}

/// # Safety
/// On the JavaScript thread of `env`, with a handle scope open, as in a callback of Node's.
unsafe fn call_dispatch(env: sys::napi_env, dispatch: sys::napi_value, message: &Message) {
    let mut undefined = ptr::null_mut();
    let mut job = ptr::null_mut();
    // SAFETY: plain results in this environment.
    unsafe {
        if sys::napi_get_undefined(env, &mut undefined) != sys::Status::napi_ok
            || sys::napi_create_uint32(env, message.job, &mut job) != sys::Status::napi_ok
        {
            return;
        }
    }
    let (error, value) = match &message.completion {
        Completion::Text(text) => (Some(undefined), super::call::string(env, text)),
        Completion::Bits(bits) => {
            let mut number = ptr::null_mut();
            // SAFETY: as above.
            let status = unsafe { sys::napi_create_uint32(env, *bits, &mut number) };
            (Some(undefined), (status == sys::Status::napi_ok).then_some(number))
        }
        Completion::Secret(bytes) => (Some(undefined), super::call::buffer(env, bytes)),
        Completion::Failed(failure) => (environment::create_error(env, failure), Some(undefined)),
    };
    let (Some(error), Some(value)) = (error, value) else { return };
    let arguments = [job, error, value];
    // SAFETY: three arguments of this environment. An exception stays pending, and Node reports it as uncaught.
    unsafe { sys::napi_call_function(env, undefined, dispatch, 3, arguments.as_ptr(), ptr::null_mut()) };
}
