//! Bytes that nobody sealed never open and never panic.
#![no_main]

use holdfast_aead::{KeyId, Keyring, Kind, XaesKey};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|sealed: &[u8]| {
    let (Ok(id), Ok(key)) = (KeyId::new(b"k"), XaesKey::new(&[7; 32])) else { unreachable!() };
    let ring = Keyring::new((id, key));
    let mut plaintext = vec![0; sealed.len()];
    for kind in [Kind::Message, Kind::Token] {
        assert!(ring.open(kind, b"", sealed, &mut plaintext).is_err());
    }
});
