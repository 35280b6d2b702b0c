//! HKDF-SHA-256, RFC 5869, over *ring*.

use ring::hkdf::{HKDF_SHA256, KeyType, Salt};

use crate::gcm::Error;
use crate::wipe::burn_stack;

/// Bytes that one secret and one `info` give at most: 255 hashes (RFC 5869, §2.3).
pub const MAX_DERIVED: usize = 255 * 32;

/// Fills `destination` with a key derived from `secret`. An empty salt is the one that RFC 5869 takes when none is given.
pub fn derive_key(secret: &[u8], salt: &[u8], info: &[&[u8]], destination: &mut [u8]) -> Result<(), Error> {
    if destination.len() > MAX_DERIVED {
        return Err(Error::Length);
    }
    let result = derive(secret, salt, info, destination);
    burn_stack();
    result
}

/// Not inlined: what it leaves on the stack is burnt by its caller.
#[inline(never)]
fn derive(secret: &[u8], salt: &[u8], info: &[&[u8]], destination: &mut [u8]) -> Result<(), Error> {
    let pseudorandom_key = Salt::new(HKDF_SHA256, salt).extract(secret);
    let key = pseudorandom_key.expand(info, Bytes(destination.len())).map_err(|_| Error::Length)?;
    key.fill(destination).map_err(|_| Error::Length)
}

struct Bytes(usize);

impl KeyType for Bytes {
    fn len(&self) -> usize {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(text: &str) -> Vec<u8> {
        (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
    }

    // RFC 5869, A.1 and A.3.
    #[test]
    fn vectors_of_the_specification() {
        let secret = [0x0b; 22];
        for (salt, info, expected) in [
            (
                "000102030405060708090a0b0c",
                "f0f1f2f3f4f5f6f7f8f9",
                "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865",
            ),
            ("", "", "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"),
        ] {
            let mut key = [0; 42];
            assert_eq!(derive_key(&secret, &hex(salt), &[&hex(info)], &mut key), Ok(()));
            assert_eq!(key[..], hex(expected));
        }
    }

    #[test]
    fn lengths() {
        let (mut longest, mut too_long) = (vec![0; MAX_DERIVED], vec![0; MAX_DERIVED + 1]);
        assert_eq!(derive_key(b"secret", b"", &[], &mut longest), Ok(()));
        assert!(longest[MAX_DERIVED - 16..].iter().any(|&byte| byte != 0));
        assert_eq!(derive_key(b"secret", b"", &[], &mut too_long), Err(Error::Length));
        assert_eq!(derive_key(b"secret", b"", &[b"in", b"fo"], &mut longest[..9]), Ok(()));
        let mut whole = [0; 9];
        assert_eq!(derive_key(b"secret", b"", &[b"info"], &mut whole), Ok(()));
        assert_eq!(longest[..9], whole);
    }
}
