//! Native memory that JavaScript objects keep alive, announced to V8: it sees small objects only, and would collect them
//! much too late.

use napi::{Env, sys};

/// An announcement, taken back when it is dropped. Lives and dies on the thread of its environment.
pub(crate) struct ExternalMemory {
    env: sys::napi_env,
    bytes: i64,
}

impl ExternalMemory {
    pub(super) fn new(env: sys::napi_env, bytes: usize) -> ExternalMemory {
        let memory = ExternalMemory { env, bytes: i64::try_from(bytes).unwrap_or(i64::MAX) };
        memory.adjust(memory.bytes);
        memory
    }

    /// Announces `bytes` in `env`.
    pub(crate) fn announce(env: &Env, bytes: usize) -> ExternalMemory {
        ExternalMemory::new(env.raw(), bytes)
    }

    /// Announces `bytes` in place of what was.
    pub(crate) fn change(&mut self, bytes: usize) {
        let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
        self.adjust(bytes - self.bytes);
        self.bytes = bytes;
    }

    fn adjust(&self, change: i64) {
        let mut total = 0;
        // SAFETY: the environment exists as long as its values do, and instances are dropped by their finalizers, which
        // run before it goes. Node allows this call in finalizers. A failure only makes V8's estimate wrong.
        unsafe { sys::napi_adjust_external_memory(self.env, change, &mut total) };
    }
}

impl Drop for ExternalMemory {
    fn drop(&mut self) {
        self.adjust(-self.bytes);
    }
}
