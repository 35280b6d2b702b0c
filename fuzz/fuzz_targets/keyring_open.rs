//! Bytes that nobody sealed never open and never panic: as a message, a token, and a stream.
#![no_main]

use holdfast_aead::{KeyId, Keyring, StreamOpener, StreamSealer, TokenMemory};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|sealed: &[u8]| {
    let Ok(id) = KeyId::new(b"k") else { unreachable!() };
    let Ok(ring) = Keyring::new(id, &[7; 32]) else { unreachable!() };
    let mut plaintext = vec![0; sealed.len()];
    assert!(ring.open(b"", sealed, &mut plaintext).is_err());
    assert!(ring.reseal(b"", sealed, &mut vec![0; sealed.len() + 99]).is_err());
    assert!(ring.open_token(&mut TokenMemory::default(), b"p", 0, sealed, |_| Ok(())).is_err());
    assert!(StreamOpener::new(&ring, b"", sealed).is_err());

    // Frames behind a header that is right.
    let mut header = vec![0; StreamSealer::header_length(&ring)];
    let Ok(_) = StreamSealer::new(&ring, b"", &mut header) else { unreachable!() };
    let Ok(mut opener) = StreamOpener::new(&ring, b"", &header) else { unreachable!() };
    if let Ok(progress) = opener.open(sealed, &mut plaintext) {
        assert!(progress.written == 0 && !progress.finished);
    }
});
