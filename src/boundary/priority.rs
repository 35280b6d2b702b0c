//! How much the system thinks of our threads.

/// Lets this thread step back behind those of normal priority, where the system can do that for a single thread; docs/passwords.md
/// has what it brings. A system that refuses changes nothing.
pub(crate) fn yield_to_others() {
    #[cfg(target_os = "linux")]
    {
        /// Of 19, which is the least.
        const NICE: libc::c_int = 10;
        // SAFETY: a plain system call. On Linux, unlike elsewhere, 0 means the calling thread.
        unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, NICE) };
    }
}
