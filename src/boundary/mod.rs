//! Where Rust meets Node-API: arguments in, results out, errors, panics, threads. The only `unsafe` of the addon.
//!
//! Two kinds of native function exist. *Cold* ones (constructors, configuration) are `#[napi]` functions whose body
//! runs under [`cold`]. *Hot* ones are made by [`hot_function`]: a callback whose `data` pointer is the instance it works
//! on, with arguments read into stack buffers first. Both turn a panic into `ERR_INTERNAL` and throw every error
//! through the one constructor that `lib/native.js` registers, so that each has its JavaScript class and its `code`.
#![allow(unsafe_code)]

mod arguments;
mod call;
mod clock;
mod completion;
mod environment;
mod failure;
mod guard;
mod hot;
mod memory;
mod offsets;
mod priority;
mod text;

pub(crate) use arguments::{Integers, SecretBytes, TextArgument, Value};
pub(crate) use call::{Call, Secret, array};
pub(crate) use clock::microseconds;
pub(crate) use completion::{Completion, CompletionReceiver, CompletionSender, completion_channel};
pub(crate) use environment::{cold, initialize};
pub(crate) use failure::{Code, Failure};
use guard::guard;
pub(crate) use guard::{install_panic_hook, last_panic};
pub(crate) use hot::{HotFunction, hot_function};
pub(crate) use memory::ExternalMemory;
pub(crate) use offsets::Offsets;
pub(crate) use priority::yield_to_others;
pub(crate) use text::Characters;
