//! The native side of sealed streams.

use std::rc::Rc;

use holdfast_aead::{Error, Keyring, Progress, StreamOpener, StreamSealer};

use crate::aead::{Dispose, Slot, failure};
use crate::boundary::{Call, Code, Failure, HotFunction, Value, hot_function};

/// `sealStream(aad, destination) => [seal, sealInPlace, dispose]`, with the header in the destination. `seal(plaintext,
/// isLast: 0 | 1, destination)` takes whole chunks, or as the last call one at most, and returns how many bytes it wrote.
/// `sealInPlace(frame)` fills in what a frame lacks that holds a whole chunk of plaintext in its place.
pub(crate) struct SealStream(pub(crate) Rc<Slot<Keyring>>);

impl HotFunction for SealStream {
    const NAME: &'static str = "sealStream";
    const ARGUMENTS: usize = 2;

    fn call(&self, call: &Call) -> Result<Value, Failure> {
        let sealer = self.0.with(|ring| {
            call.bytes(0, |aad| {
                call.output(1, |destination| StreamSealer::new(ring, aad, destination).map_err(failure))
            })
        })?;
        let sealer = Rc::new(Slot::new("stream", sealer));
        let env = call.env();
        Ok(call.values(&[
            hot_function(&env, Seal(Rc::clone(&sealer)))?,
            hot_function(&env, SealInPlace(Rc::clone(&sealer)))?,
            hot_function(&env, Dispose(sealer))?,
        ]))
    }
}

/// `openStream(aad, header) => [open, openInPlace, dispose]`. `open(sealed, destination)` opens the whole frames at the front
/// of `sealed` and returns how many bytes it read, how many it wrote, and whether that was the end (1, else 0).
/// `openInPlace(frame)` returns whether it was the last; its plaintext is where its ciphertext was.
pub(crate) struct OpenStream(pub(crate) Rc<Slot<Keyring>>);

impl HotFunction for OpenStream {
    const NAME: &'static str = "openStream";
    const ARGUMENTS: usize = 2;

    fn call(&self, call: &Call) -> Result<Value, Failure> {
        let opener = self.0.with(|ring| {
            call.bytes(0, |aad| call.bytes(1, |header| StreamOpener::new(ring, aad, header).map_err(failure)))
        })?;
        let opener = Rc::new(Slot::new("stream", opener));
        let env = call.env();
        Ok(call.values(&[
            hot_function(&env, Open(Rc::clone(&opener)))?,
            hot_function(&env, OpenInPlace(Rc::clone(&opener)))?,
            hot_function(&env, Dispose(opener))?,
        ]))
    }
}

struct Seal(Rc<Slot<StreamSealer>>);

impl HotFunction for Seal {
    const NAME: &'static str = "seal";
    const ARGUMENTS: usize = 3;

    fn call(&self, call: &Call) -> Result<Value, Failure> {
        let last = call.integer(1, 1)? == 1;
        let written = self.0.with(|sealer| {
            call.bytes(0, |plaintext| {
                call.output(2, |destination| sealer.seal(plaintext, last, destination).map_err(too_long))
            })
        })?;
        Ok(call.length(written))
    }
}

struct Open(Rc<Slot<StreamOpener>>);

impl HotFunction for Open {
    const NAME: &'static str = "open";
    const ARGUMENTS: usize = 2;

    fn call(&self, call: &Call) -> Result<Value, Failure> {
        let Progress { read, written, finished } = self.0.with(|opener| {
            call.bytes(0, |sealed| {
                call.output(1, |destination| opener.open(sealed, destination).map_err(failure))
            })
        })?;
        Ok(call.numbers(&[read as f64, written as f64, f64::from(u8::from(finished))]))
    }
}

struct SealInPlace(Rc<Slot<StreamSealer>>);

impl HotFunction for SealInPlace {
    const NAME: &'static str = "sealInPlace";
    const ARGUMENTS: usize = 1;

    fn call(&self, call: &Call) -> Result<Value, Failure> {
        self.0.with(|sealer| call.output(0, |frame| sealer.seal_in_place(frame).map_err(too_long)))?;
        Ok(call.undefined())
    }
}

struct OpenInPlace(Rc<Slot<StreamOpener>>);

impl HotFunction for OpenInPlace {
    const NAME: &'static str = "openInPlace";
    const ARGUMENTS: usize = 1;

    fn call(&self, call: &Call) -> Result<Value, Failure> {
        let last =
            self.0.with(|opener| call.output(0, |frame| opener.open_in_place(frame).map_err(failure)))?;
        Ok(call.boolean(last))
    }
}

fn too_long(error: Error) -> Failure {
    match error {
        Error::KeyExhausted => {
            Failure::new(Code::KeyExhausted, "the stream has 256 TiB, which is the most: begin another one")
        }
        error => failure(error),
    }
}
