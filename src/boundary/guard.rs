//! The panic guard: no panic reaches Node, where it would abort the process.
//!
//! The panic's own message is dropped, because it may quote the data that was worked on; its place in the source is
//! kept, because that is what a bug report needs.

use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;

use super::{Code, Failure};

thread_local! {
    static PANICKED_AT: Cell<Option<String>> = const { Cell::new(None) };
}

/// Replaces the hook that prints panics of this library's own copy of the standard library: it notes the place, silently.
pub(crate) fn install_panic_hook() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        panic::set_hook(Box::new(|info| {
            let place = info.location().map(|at| {
                let file = at.file().rsplit(['/', '\\']).next().unwrap_or_default();
                format!("{file}:{}", at.line())
            });
            // During thread teardown the cell may be gone already; then the place is lost, and nothing else.
            let _ = PANICKED_AT.try_with(|cell| cell.set(place));
        }));
    });
}

/// Runs `body`; a panic in it becomes a [`Failure`] with [`Code::Internal`].
///
/// Callers hold no lock and no half-written state across the call that they look at again after a failure, except the
/// instance itself, which they must leave in a state that the next call can start from.
pub(crate) fn guard<T>(body: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    panic::catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|_| Err(last_panic()))
}

/// What to say of the panic that somebody has caught on this thread just now.
pub(crate) fn last_panic() -> Failure {
    let place = PANICKED_AT.try_with(|cell| {
        let place = cell.take();
        cell.set(place.clone());
        place
    });
    let place = place.ok().flatten();
    let place = place.as_deref().unwrap_or("an unknown place");
    Failure::new(
        Code::Internal,
        format!("internal error at {place}: this is a bug in holdfast, please report it"),
    )
}
