//! One message each of AES-GCM and of a Keyring: whichever single bit of key, nonce, associated data, header,
//! ciphertext or tag is flipped, it does not open, and no plaintext is left behind.
#![allow(clippy::unwrap_used, reason = "a failing unwrap is a failing test")]

use holdfast_aead::{Error, GcmKey, KeyId, Keyring, TAG_LENGTH};

const AAD: &[u8] = b"associated data, 25 bytes";
/// Two blocks and a part of one.
const PLAINTEXT: &[u8] = b"thirty-six bytes, none of them zero.";

/// `bytes` with one bit flipped, for every bit.
fn flips(bytes: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    (0..bytes.len() * 8).map(|bit| {
        let mut flipped = bytes.to_vec();
        flipped[bit / 8] ^= 1 << (bit % 8);
        flipped
    })
}

fn open_gcm(key: &[u8], nonce: &[u8], aad: &[u8], sealed: &[u8]) -> (Result<usize, Error>, Vec<u8>) {
    let mut plain = vec![0xAA; PLAINTEXT.len()];
    let opened = GcmKey::new(key).unwrap().decrypt(nonce.try_into().unwrap(), aad, sealed, &mut plain);
    (opened, plain)
}

fn aes_gcm(key: &[u8]) {
    let nonce = *b"twelve bytes";
    let mut sealed = vec![0; PLAINTEXT.len() + TAG_LENGTH];
    GcmKey::new(key).unwrap().encrypt(&nonce, AAD, PLAINTEXT, &mut sealed).unwrap();
    // Without a flip it opens: what follows is refused for the flip.
    assert_eq!(open_gcm(key, &nonce, AAD, &sealed), (Ok(PLAINTEXT.len()), PLAINTEXT.to_vec()));

    let refused = (Err(Error::Decrypt), vec![0; PLAINTEXT.len()]);
    for (bit, key) in flips(key).enumerate() {
        assert_eq!(open_gcm(&key, &nonce, AAD, &sealed), refused, "key, bit {bit}");
    }
    for (bit, nonce) in flips(&nonce).enumerate() {
        assert_eq!(open_gcm(key, &nonce, AAD, &sealed), refused, "nonce, bit {bit}");
    }
    for (bit, aad) in flips(AAD).enumerate() {
        assert_eq!(open_gcm(key, &nonce, &aad, &sealed), refused, "associated data, bit {bit}");
    }
    for (bit, sealed) in flips(&sealed).enumerate() {
        assert_eq!(open_gcm(key, &nonce, AAD, &sealed), refused, "ciphertext and tag, bit {bit}");
    }
}

#[test]
fn aes_128_gcm() {
    aes_gcm(b"a key of 16 byte");
}

#[test]
fn aes_256_gcm() {
    aes_gcm(b"a key of 32 bytes for this test.");
}

const SECRET: &[u8; 32] = b"another key of 32 bytes, for it.";
const ID: &[u8] = b"key";

fn ring(secret: &[u8]) -> Keyring {
    Keyring::new(KeyId::new(ID).unwrap(), secret).unwrap()
}

fn open(ring: &Keyring, aad: &[u8], sealed: &[u8]) -> (Result<usize, Error>, Vec<u8>) {
    let mut plain = vec![0; sealed.len()];
    let opened = ring.open(aad, sealed, &mut plain);
    (opened, plain)
}

#[test]
fn keyring() {
    let mut ring = ring(SECRET);
    let mut sealed = vec![0; PLAINTEXT.len() + ring.overhead()];
    ring.seal(AAD, PLAINTEXT, &mut sealed).unwrap();
    let (opened, plain) = open(&ring, AAD, &sealed);
    assert_eq!((opened, &plain[..PLAINTEXT.len()]), (Ok(PLAINTEXT.len()), PLAINTEXT));

    let refused = (Err(Error::Decrypt), vec![0; sealed.len()]);
    for (bit, secret) in flips(SECRET).enumerate() {
        assert_eq!(open(&self::ring(&secret), AAD, &sealed), refused, "key, bit {bit}");
    }
    for (bit, aad) in flips(AAD).enumerate() {
        assert_eq!(open(&ring, &aad, &sealed), refused, "associated data, bit {bit}");
    }
    // A flip in the header can name another key. The ring gets the same secret under each of those names, so that only
    // the authentication of the header is left to refuse them.
    let mut named = 0;
    for damaged in flips(&sealed) {
        let id = damaged.get(2..2 + usize::from(damaged[1])).and_then(|id| KeyId::new(id).ok());
        named += usize::from(id.is_some_and(|id| ring.add(id, SECRET).unwrap()));
    }
    // "k", "ke", and those with 5 other characters for the k, 6 for the e, 5 for the y. A longer id takes in bytes of
    // the nonce, which are random, and seldom characters of an id.
    assert!(named >= 18, "{named}");
    for (bit, damaged) in flips(&sealed).enumerate() {
        assert_eq!(open(&ring, AAD, &damaged), refused, "header, nonce, ciphertext and tag, bit {bit}");
    }
}
