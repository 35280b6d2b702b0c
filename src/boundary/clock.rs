//! A clock that never goes back and does not stand still while the machine sleeps.

/// Microseconds since some moment before this process began, such as the start of the machine.
#[cfg(any(target_os = "linux", target_vendor = "apple"))]
pub(crate) fn microseconds() -> u64 {
    // Linux's CLOCK_MONOTONIC, which is Rust's Instant, stands still during sleep; Apple's does not.
    #[cfg(target_os = "linux")]
    const CLOCK: libc::clockid_t = libc::CLOCK_BOOTTIME;
    #[cfg(not(target_os = "linux"))]
    const CLOCK: libc::clockid_t = libc::CLOCK_MONOTONIC;
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the place for the result is valid. The clocks exist on every system that Node runs on.
    unsafe { libc::clock_gettime(CLOCK, &mut time) };
    let [seconds, nanoseconds] = [time.tv_sec, time.tv_nsec].map(|part| u64::try_from(part).unwrap_or(0));
    seconds * 1_000_000 + nanoseconds / 1000
}

/// Microseconds since the first call. On Windows Rust's Instant is the performance counter, which goes on during sleep.
#[cfg(not(any(target_os = "linux", target_vendor = "apple")))]
pub(crate) fn microseconds() -> u64 {
    use std::sync::LazyLock;
    use std::time::Instant;

    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    u64::try_from(START.elapsed().as_micros()).unwrap_or(u64::MAX)
}
