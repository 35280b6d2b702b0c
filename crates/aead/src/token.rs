//! Tokens: JSON with a time at which it expires, sealed for a purpose, as base64url.
//!
//! The plaintext is 8 bytes of expiry (milliseconds since 1970, big-endian, 0 for none) ‖ JSON; the purpose is the associated
//! data. What is sealed is written in base64url without padding, of which each token has one spelling.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::gcm::Error;
use crate::keyring::{Keyring, Kind};
use crate::wipe::WipedBytes;

/// Bytes of a token's JSON at most. Tokens travel in cookies and headers, which servers limit to 8 or 16 KiB.
pub const MAX_TOKEN_JSON: usize = 64 * 1024;

/// Of the longest token: the header, the nonce, the tag and the expiry come to less than 128 bytes.
const MAX_TOKEN: usize = (MAX_TOKEN_JSON + 128) / 3 * 4 + 4;

const EXPIRY: usize = 8;

/// Memory for tokens, which is used again: to take it anew takes a fifth of the time of a short one. Plaintexts in it are wiped
/// after each call.
#[derive(Default)]
pub struct TokenMemory {
    plaintext: WipedBytes,
    sealed: Vec<u8>,
    text: Vec<u8>,
}

/// What longer tokens took is given back.
const MOST_KEPT: usize = 8 * 1024;

impl TokenMemory {
    fn tidy(&mut self) {
        self.plaintext.wipe();
        if self.sealed.len() > MOST_KEPT {
            *self = TokenMemory::default();
        }
    }
}

/// `bytes` with at least this length, whatever is in them.
fn at_least(bytes: &mut Vec<u8>, length: usize) -> &mut [u8] {
    if bytes.len() < length {
        bytes.resize(length, 0);
    }
    &mut bytes[..length]
}

impl Keyring {
    /// Seals `json`, at most [`MAX_TOKEN_JSON`] bytes, for `purpose`; `expires` is in milliseconds since 1970, or 0. Lends the
    /// token.
    pub fn seal_token<T>(
        &self,
        memory: &mut TokenMemory,
        purpose: &[u8],
        expires: u64,
        json: &[u8],
        body: impl FnOnce(&[u8]) -> T,
    ) -> Result<T, Error> {
        if json.len() > MAX_TOKEN_JSON {
            return Err(Error::Length);
        }
        let length = EXPIRY + json.len();
        let plaintext = memory.plaintext.at_least(length);
        plaintext[..EXPIRY].copy_from_slice(&expires.to_be_bytes());
        plaintext[EXPIRY..].copy_from_slice(json);
        let sealed = at_least(&mut memory.sealed, length + self.overhead());
        let token = self.seal_as(Kind::Token, purpose, plaintext, sealed).and_then(|length| {
            let text = at_least(&mut memory.text, length.div_ceil(3) * 4);
            let length = URL_SAFE_NO_PAD.encode_slice(&sealed[..length], text).map_err(|_| Error::Length)?;
            Ok(body(&text[..length]))
        });
        memory.tidy();
        token
    }

    /// Lends the JSON of a token that was sealed for `purpose` and at `now` has not expired.
    pub fn open_token<T>(
        &self,
        memory: &mut TokenMemory,
        purpose: &[u8],
        now: u64,
        token: &[u8],
        body: impl FnOnce(&[u8]) -> Result<T, Error>,
    ) -> Result<T, Error> {
        if token.len() > MAX_TOKEN {
            return Err(Error::Decrypt);
        }
        let sealed = at_least(&mut memory.sealed, token.len().div_ceil(4) * 3);
        // Refuses padding, line ends and bits that stand for nothing.
        let length = URL_SAFE_NO_PAD.decode_slice(token, sealed).map_err(|_| Error::Decrypt)?;
        let plaintext = memory.plaintext.at_least(length);
        let opened = self.open_as(Kind::Token, purpose, &sealed[..length], plaintext).and_then(|length| {
            let (expires, json) = plaintext[..length].split_first_chunk::<EXPIRY>().ok_or(Error::Decrypt)?;
            match u64::from_be_bytes(*expires) {
                0 => body(json),
                expires if expires > now => body(json),
                _ => Err(Error::Expired),
            }
        });
        memory.tidy();
        opened
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keyring::KeyId;

    fn ring() -> Keyring {
        Keyring::new(KeyId::new(b"k1").unwrap(), &[1; 32]).unwrap()
    }

    fn seal(ring: &Keyring, purpose: &[u8], expires: u64, json: &[u8]) -> Result<String, Error> {
        let text = |token: &[u8]| String::from_utf8(token.to_vec()).unwrap();
        ring.seal_token(&mut TokenMemory::default(), purpose, expires, json, text)
    }

    fn open(ring: &Keyring, purpose: &[u8], now: u64, token: &str) -> Result<Vec<u8>, Error> {
        ring.open_token(&mut TokenMemory::default(), purpose, now, token.as_bytes(), |json| Ok(json.to_vec()))
    }

    #[test]
    fn opens_what_it_sealed_until_it_expires() {
        let ring = ring();
        for length in (0..300).chain([MAX_TOKEN_JSON]) {
            let json = vec![b'1'; length];
            let token = seal(&ring, b"session", 1000, &json).unwrap();
            assert!(token.len() <= MAX_TOKEN);
            assert_eq!(open(&ring, b"session", 999, &token), Ok(json));
            for now in [1000, 1001, u64::MAX] {
                assert_eq!(open(&ring, b"session", now, &token), Err(Error::Expired));
            }
            assert_eq!(open(&ring, b"reset", 999, &token), Err(Error::Decrypt));
        }
        let for_ever = seal(&ring, b"session", 0, b"1").unwrap();
        assert_eq!(open(&ring, b"session", u64::MAX, &for_ever), Ok(b"1".to_vec()));
    }

    #[test]
    fn memory_is_used_again_and_holds_no_plaintext() {
        let ring = ring();
        let mut memory = TokenMemory::default();
        for length in [200, 10, 60_000, 0, 300, 7_000, 5] {
            let json = vec![b'7'; length];
            let token = ring.seal_token(&mut memory, b"p", 0, &json, <[u8]>::to_vec).unwrap();
            assert!(!memory.plaintext.contains(&b'7'));
            let opened = ring.open_token(&mut memory, b"p", 0, &token, |json| Ok(json.to_vec()));
            assert_eq!(opened, Ok(json));
            assert!(!memory.plaintext.contains(&b'7'));
            assert!(memory.sealed.len() <= MOST_KEPT && memory.text.len() <= 2 * MOST_KEPT);
            assert_eq!(
                ring.open_token(&mut memory, b"q", 0, &token, |_| Ok(())),
                Err(Error::Decrypt),
                "what an earlier call has left behind does not open"
            );
        }
    }

    #[test]
    fn lengths() {
        let ring = ring();
        assert_eq!(seal(&ring, b"p", 0, &vec![b'1'; MAX_TOKEN_JSON + 1]), Err(Error::Length));
        assert_eq!(open(&ring, b"p", 0, &"A".repeat(MAX_TOKEN + 4)), Err(Error::Decrypt));
        let long_id = Keyring::new(KeyId::new(&[b'x'; 32]).unwrap(), &[1; 32]).unwrap();
        let longest = seal(&long_id, b"p", 0, &vec![b'1'; MAX_TOKEN_JSON]).unwrap();
        assert_eq!(open(&long_id, b"p", 0, &longest).map(|json| json.len()), Ok(MAX_TOKEN_JSON));
        // Less than an expiry, sealed as a token.
        let mut sealed = [0; 99];
        let length = ring.seal_as(Kind::Token, b"p", b"1234567", &mut sealed).unwrap();
        assert_eq!(open(&ring, b"p", 0, &URL_SAFE_NO_PAD.encode(&sealed[..length])), Err(Error::Decrypt));
    }

    #[test]
    fn every_other_spelling_is_refused() {
        let ring = ring();
        for length in 0..4 {
            let token = seal(&ring, b"p", 0, &vec![b'1'; length]).unwrap();
            for other in [
                format!("{token}="),
                format!("{token}=="),
                format!("{token}\n"),
                format!(" {token}"),
                format!("{}.{}", &token[..5], &token[5..]),
            ] {
                assert_eq!(open(&ring, b"p", 0, &other), Err(Error::Decrypt), "{other}");
            }
            let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_+/";
            for &last in alphabet {
                let other = format!("{}{}", &token[..token.len() - 1], char::from(last));
                assert_eq!(open(&ring, b"p", 0, &other).is_ok(), other == token, "{other}");
            }
        }
    }
}
