//! Passwords given as text.

use zeroize::Zeroizing;

/// The longest password taken, in bytes. NIST 800-63B-4 asks for at least 64 characters; this leaves room for any
/// passphrase and bounds what a request can make us copy and hash.
pub const MAX_PASSWORD_BYTES: usize = 64 << 10;

/// Why text is not taken as a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasswordError {
    /// A lone surrogate: as UTF-8 it could only be replaced, and then different passwords would be the same.
    Encoding,
    /// Longer than [`MAX_PASSWORD_BYTES`].
    TooLong,
}

/// The password's UTF-8. The buffer never moves while it is filled, so no copy of a part stays behind.
pub fn password_from_utf16(units: &[u16]) -> Result<Zeroizing<Vec<u8>>, PasswordError> {
    if units.len() > MAX_PASSWORD_BYTES {
        return Err(PasswordError::TooLong);
    }
    let mut bytes = Zeroizing::new(Vec::with_capacity(units.len() * 3));
    for character in char::decode_utf16(units.iter().copied()) {
        let character = character.map_err(|_| PasswordError::Encoding)?;
        let mut buffer = Zeroizing::new([0; 4]);
        bytes.extend_from_slice(character.encode_utf8(&mut *buffer).as_bytes());
    }
    if bytes.len() > MAX_PASSWORD_BYTES { Err(PasswordError::TooLong) } else { Ok(bytes) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn well_formed_text_becomes_utf8() {
        let units: Vec<u16> = "pässwörd 🔑".encode_utf16().collect();
        assert_eq!(password_from_utf16(&units).unwrap().as_slice(), "pässwörd 🔑".as_bytes());
        assert_eq!(password_from_utf16(&[]).unwrap().as_slice(), b"");
    }

    #[test]
    fn lone_surrogates_are_refused() {
        for units in [&[0xD800][..], &[0x61, 0xDC00], &[0xDC00, 0xD800], &[0xD83D, 0x61]] {
            assert_eq!(password_from_utf16(units), Err(PasswordError::Encoding));
        }
    }

    #[test]
    fn length_is_limited_in_bytes() {
        assert!(password_from_utf16(&[0x61; MAX_PASSWORD_BYTES]).is_ok());
        assert_eq!(password_from_utf16(&[0x61; MAX_PASSWORD_BYTES + 1]), Err(PasswordError::TooLong));
        assert_eq!(password_from_utf16(&[0xE9; MAX_PASSWORD_BYTES / 2 + 1]), Err(PasswordError::TooLong));
    }
}
