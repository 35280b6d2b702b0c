//! bcrypt strings, over the `bcrypt` crate's raw function.
//!
//! `$<version>$<cost>$<22 characters of salt><31 characters of digest>`. `$2a$`, `$2b$` and `$2y$` are computed alike:
//! they name the same algorithm, fixed at different times. `$2x$` names the one with the sign-extension bug, which is
//! not computed here, and is malformed.

use base64::Engine;
use base64::alphabet;
use base64::engine::general_purpose::{self, GeneralPurpose};
use bcrypt::bcrypt;
use zeroize::Zeroizing;

/// Bytes of a password that bcrypt reads.
pub(crate) const MAX_PASSWORD: usize = 72;
const SALT_LENGTH: usize = 16;
/// The last of 24 bytes of output was dropped by the first implementation, and by all since.
pub(crate) const DIGEST_LENGTH: usize = 23;
const STRING_LENGTH: usize = 60;

/// A stored bcrypt hash, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BcryptHash {
    pub(crate) is_2b: bool,
    pub(crate) cost: u32,
    pub(crate) salt: [u8; SALT_LENGTH],
    pub(crate) digest: [u8; DIGEST_LENGTH],
}

/// The digest of `password`, of which at most [`MAX_PASSWORD`] bytes are read, as every implementation does.
pub(crate) fn digest(cost: u32, salt: [u8; SALT_LENGTH], password: &[u8]) -> [u8; DIGEST_LENGTH] {
    let mut key = Zeroizing::new([0u8; MAX_PASSWORD]);
    let length = password.len().min(MAX_PASSWORD);
    key[..length].copy_from_slice(&password[..length]);
    // The key ends in a NUL where there is room for one.
    let key_length = (length + 1).min(MAX_PASSWORD);
    let output = bcrypt(cost, salt, &key[..key_length]);
    let mut digest = [0; DIGEST_LENGTH];
    digest.copy_from_slice(&output[..DIGEST_LENGTH]);
    digest
}

/// A new `$2b$` string.
pub(crate) fn format(cost: u32, salt: [u8; SALT_LENGTH], digest: &[u8; DIGEST_LENGTH]) -> String {
    format!("$2b${cost:02}${}{}", BASE64.encode(salt), BASE64.encode(digest))
}

pub(crate) fn parse(text: &str) -> Option<BcryptHash> {
    if text.len() != STRING_LENGTH || !text.is_ascii() {
        return None;
    }
    let (version, rest) = text.split_at(4);
    if !matches!(version, "$2a$" | "$2b$" | "$2y$") {
        return None;
    }
    let (cost, rest) = rest.split_at(2);
    let (separator, rest) = rest.split_at(1);
    let (salt, digest) = rest.split_at(22);
    if separator != "$" || !cost.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let cost = cost.parse().ok().filter(|cost| (4..=31).contains(cost))?;
    Some(BcryptHash { is_2b: version == "$2b$", cost, salt: decode(salt)?, digest: decode(digest)? })
}

/// Other implementations leave rubbish in the unused low bits of the last character: it is ignored here as it is there.
const BASE64: GeneralPurpose =
    GeneralPurpose::new(&alphabet::BCRYPT, general_purpose::NO_PAD.with_decode_allow_trailing_bits(true));

fn decode<const N: usize>(text: &str) -> Option<[u8; N]> {
    BASE64.decode(text).ok()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_the_crate_and_with_published_hashes() {
        // From OpenBSD's and crypt_blowfish's test sets, as Openwall publishes them.
        for (password, hash) in [
            ("U*U", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"),
            ("U*U*", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.VGOzA784oUp/Z0DY336zx7pLYAy0lwK"),
            ("", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.7uG0VCzI2bS7j6ymqJi9CdcdxiRTWNy"),
        ] {
            let parsed = parse(hash).unwrap();
            assert_eq!(digest(parsed.cost, parsed.salt, password.as_bytes()), parsed.digest, "{password}");
        }
        for length in [0, 1, 8, 71, 72, 73, 200] {
            let password = vec![b'x'; length];
            let theirs = bcrypt::hash_with_salt(&password, 4, [7; 16]).unwrap().to_string();
            assert_eq!(format(4, [7; 16], &digest(4, [7; 16], &password)), theirs, "{length}");
        }
    }

    #[test]
    fn malformed_strings() {
        let good = "$2b$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";
        assert!(parse(good).is_some());
        for bad in [
            "",
            "$2b$05$",
            &good[..59],
            &format!("{good}x"),
            &good.replace("$2b$", "$2x$"),
            &good.replace("$05$", "$03$"),
            &good.replace("$05$", "$32$"),
            &good.replace("$05$", "$+5$"),
            &good.replace("CCCC.", "CC é."),
            &good.replace("E5YPO", "E5Y!O"),
        ] {
            assert!(parse(bad).is_none(), "{bad}");
        }
    }
}
