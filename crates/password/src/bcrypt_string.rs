//! bcrypt's strings: `$<version>$<cost>$<22 characters of salt><31 characters of digest>`.

use base64::Engine;
use base64::alphabet;
use base64::engine::general_purpose::{self, GeneralPurpose};

use crate::bcrypt::{Digest, Input, Salt};

const STRING_LENGTH: usize = 60;

/// What a string says made it. `$2a$`, `$2b$` and `$2y$` are computed alike: they name the same algorithm, fixed at different
/// times in different places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BcryptVersion {
    /// `$2a$`
    A,
    /// `$2b$`, which new hashes are.
    B,
    /// `$2x$`: made with the sign-extension bug.
    X,
    /// `$2y$`
    Y,
}

/// A stored bcrypt hash, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BcryptHash {
    /// Which of its names it has.
    pub version: BcryptVersion,
    /// log2 of the rounds.
    pub cost: u32,
    /// 16 bytes.
    pub salt: Salt,
    pub(crate) digest: Digest,
}

impl BcryptHash {
    /// The password, ready for the rounds.
    pub(crate) fn input(&self, password: &[u8]) -> Input {
        match self.version {
            BcryptVersion::X => Input::sign_extended(password, &self.salt),
            BcryptVersion::A | BcryptVersion::B | BcryptVersion::Y => Input::new(password, &self.salt),
        }
    }
}

/// A new `$2b$` string.
pub(crate) fn format(cost: u32, salt: &Salt, digest: &Digest) -> String {
    format!("$2b${cost:02}${}{}", BASE64.encode(salt), BASE64.encode(digest))
}

pub(crate) fn parse(text: &str) -> Option<BcryptHash> {
    if text.len() != STRING_LENGTH || !text.is_ascii() {
        return None;
    }
    let (version, rest) = text.split_at(4);
    let version = match version {
        "$2a$" => BcryptVersion::A,
        "$2b$" => BcryptVersion::B,
        "$2x$" => BcryptVersion::X,
        "$2y$" => BcryptVersion::Y,
        _ => return None,
    };
    let (cost, rest) = rest.split_at(2);
    let (separator, rest) = rest.split_at(1);
    let (salt, digest) = rest.split_at(22);
    if separator != "$" || !cost.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let cost = cost.parse().ok().filter(|cost| (4..=31).contains(cost))?;
    Some(BcryptHash { version, cost, salt: decode(salt)?, digest: decode(digest)? })
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
    use crate::bcrypt::digests;

    fn verifies(password: &[u8], hash: &str) -> bool {
        let parsed = parse(hash).unwrap();
        digests(parsed.cost, &[parsed.input(password)], &|| true).unwrap()[0] == parsed.digest
    }

    /// From OpenBSD's and crypt_blowfish's test sets, as Openwall publishes them.
    #[test]
    fn published_hashes() {
        let long = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789chars after 72 are ignored";
        for (password, hash) in [
            (&b"U*U"[..], "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"),
            (b"U*U*", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.VGOzA784oUp/Z0DY336zx7pLYAy0lwK"),
            (b"U*U*U", "$2a$05$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a"),
            (b"", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.7uG0VCzI2bS7j6ymqJi9CdcdxiRTWNy"),
            (long, "$2a$05$abcdefghijklmnopqrstuu5s2v8.iXieOjg/.AySBTTZIIVFJeBui"),
            (b"\xA3", "$2x$05$/OK.fbVrR/bpIqNJ5ianF.CE5elHaaO4EbggVDjb8P19RukzXSM3e"),
            (b"\xFF\xFF\xA3", "$2x$05$/OK.fbVrR/bpIqNJ5ianF.CE5elHaaO4EbggVDjb8P19RukzXSM3e"),
            (b"\xFF\xFF\xA3", "$2y$05$/OK.fbVrR/bpIqNJ5ianF.CE5elHaaO4EbggVDjb8P19RukzXSM3e"),
            (b"\xFF\xA3345", "$2y$05$/OK.fbVrR/bpIqNJ5ianF.nRht2l/HRhr6zmCp9vYUvvsqynflf9e"),
        ] {
            assert!(verifies(password, hash), "{hash}");
            let another = [password.get(..1).unwrap_or_default(), b"!"].concat();
            assert!(!verifies(&another, hash), "{hash}");
        }
        // With the bug mended it is another password.
        assert!(!verifies(b"\xA3", "$2y$05$/OK.fbVrR/bpIqNJ5ianF.CE5elHaaO4EbggVDjb8P19RukzXSM3e"));
    }

    #[test]
    fn strings_are_read_as_they_are_written() {
        let text = format(5, &[7; 16], &[9; 23]);
        assert_eq!(text.len(), STRING_LENGTH);
        let read = parse(&text).unwrap();
        assert_eq!(
            (read.version, read.cost, read.salt, read.digest),
            (BcryptVersion::B, 5, [7; 16], [9; 23])
        );
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
            &good.replace("$2b$", "$2$"),
            &good.replace("$2b$", "$2c$"),
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
