//! XAES-256-GCM against C2SP's accumulated tests: many random messages, and the hash of all ciphertexts.
//! C2SP `XAES-256-GCM.md`, "Accumulated randomized tests".
#![allow(clippy::unwrap_used, reason = "a failing unwrap is a failing test")]

use holdfast_aead::{TAG_LENGTH, XaesKey};
use shake::{ExtendableOutput, Shake128, Shake128Reader, Update, XofReader};
use xaes_256_gcm::Xaes256Gcm;
use xaes_256_gcm::aead::{Aead, KeyInit, Payload};

fn read<const N: usize>(stream: &mut Shake128Reader) -> [u8; N] {
    let mut bytes = [0; N];
    stream.read(&mut bytes);
    bytes
}

/// A length of one byte, then as many bytes.
fn read_vector(stream: &mut Shake128Reader) -> Vec<u8> {
    let [length] = read(stream);
    let mut bytes = vec![0; usize::from(length)];
    stream.read(&mut bytes);
    bytes
}

/// The hashes over what this crate and what RustCrypto seals.
fn accumulated(iterations: usize) -> [String; 2] {
    let mut random = Shake128::default().finalize_xof();
    let [mut ours, mut theirs] = [Shake128::default(), Shake128::default()];
    for _ in 0..iterations {
        let key: [u8; 32] = read(&mut random);
        let nonce: [u8; 24] = read(&mut random);
        let plaintext = read_vector(&mut random);
        let aad = read_vector(&mut random);

        let oracle = Xaes256Gcm::new_from_slice(&key).unwrap();
        theirs.update(&oracle.encrypt(&nonce.into(), Payload { msg: &plaintext, aad: &aad }).unwrap());

        let key = XaesKey::new(&key).unwrap();
        let mut sealed = vec![0; plaintext.len() + TAG_LENGTH];
        assert_eq!(key.encrypt(&nonce, &aad, &plaintext, &mut sealed), Ok(sealed.len()));
        ours.update(&sealed);
        let mut opened = vec![0; plaintext.len()];
        assert_eq!(key.decrypt(&nonce, &aad, &sealed, &mut opened), Ok(opened.len()));
        assert_eq!(opened, plaintext);
    }
    [ours, theirs].map(|hash| {
        let hash: [u8; 32] = read(&mut hash.finalize_xof());
        hash.iter().map(|byte| format!("{byte:02x}")).collect()
    })
}

// Where the random numbers start is in the specification, too: this tells a broken test from a broken cipher.
#[test]
fn the_random_numbers_are_those_of_the_specification() {
    let start: [u8; 16] = read(&mut Shake128::default().finalize_xof());
    assert_eq!(u128::from_be_bytes(start), 0x7f9c2ba4e88f827d616045507605853e);
}

#[test]
fn ten_thousand_messages() {
    let expected = "e6b9edf2df6cec60c8cbd864e2211b597fb69a529160cd040d56c0c210081939";
    assert_eq!(accumulated(10_000), [expected; 2]);
}

#[test]
#[ignore = "takes about 8 seconds; run with --ignored after a change to xaes.rs or its dependencies"]
fn a_million_messages() {
    let expected = "2163ae1445985a30b60585ee67daa55674df06901b890593e824b8a7c885ab15";
    assert_eq!(accumulated(1_000_000), [expected; 2]);
}
