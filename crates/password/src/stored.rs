//! Stored hashes: reading them, before any of their demands is met.

use argon2_rust::{Decoded, Error as Argon2Error, Version};

use crate::argon2id;
use crate::bcrypt_string::{self, BcryptHash, BcryptVersion};
use crate::scrypt::{self, ScryptHash};
use crate::settings::{Algorithm, Limits, Settings};

/// The longest stored hash read. An argon2 string with the longest salt, tag and name of a secret used here has 280 characters.
const MAX_LENGTH: usize = 512;

/// A stored hash, taken apart, and within its limits.
#[derive(Clone, Debug)]
pub enum Stored {
    /// `$argon2d$`, `$argon2i$`, `$argon2id$`
    Argon2(Box<Argon2Hash>),
    /// `$2a$`, `$2b$`, `$2x$`, `$2y$`
    Bcrypt(BcryptHash),
    /// `$scrypt$`
    Scrypt(ScryptHash),
}

/// A stored argon2 hash, taken apart.
#[derive(Clone, Debug)]
pub struct Argon2Hash {
    /// Everything but the next.
    pub decoded: Decoded,
    /// The name of the secret that it was made with.
    pub key_id: Option<String>,
}

/// Why a stored hash is not used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoredError {
    /// It is no hash that is known here.
    Malformed,
    /// It asks for more than its limits allow.
    Limit,
}

impl Stored {
    /// Reads `text` and compares what it asks for with `limits`.
    pub fn parse(text: &str, limits: &Limits) -> Result<Stored, StoredError> {
        if text.len() > MAX_LENGTH {
            return Err(StoredError::Malformed);
        }
        if text.starts_with("$argon2") {
            parse_argon2(text, limits)
        } else if text.starts_with("$scrypt$") {
            scrypt::parse(text, limits).map(Stored::Scrypt)
        } else {
            parse_bcrypt(text, limits)
        }
    }

    /// Whether a hash made with `settings` would differ in anything but its salt and tag.
    pub fn needs_rehash(&self, settings: &Settings) -> bool {
        match (self, &settings.algorithm) {
            (Stored::Argon2(stored), Algorithm::Argon2id(today)) => {
                let Argon2Hash { decoded, key_id } = &**stored;
                decoded.algorithm != argon2_rust::Algorithm::Argon2id
                    || decoded.version != Version::V0x13
                    || decoded.params.memory_kib() != today.memory_kib
                    || decoded.params.passes() != today.passes
                    || decoded.params.lanes() != today.lanes
                    || decoded.salt.len() != today.salt_length
                    || decoded.hash.len() != today.tag_length
                    || !decoded.ad.is_empty()
                    || key_id.as_deref() != settings.key_id()
            }
            (Stored::Bcrypt(stored), Algorithm::Bcrypt(cost)) => {
                stored.cost != *cost || stored.version != BcryptVersion::B
            }
            (Stored::Scrypt(stored), Algorithm::Scrypt(today)) => {
                stored.settings != *today
                    || stored.salt.len() != scrypt::SALT_LENGTH
                    || stored.hash.len() != scrypt::HASH_LENGTH
            }
            _ => true,
        }
    }

    /// Bytes of what the password is compared with.
    pub fn digest_length(&self) -> usize {
        match self {
            Stored::Argon2(stored) => stored.decoded.hash.len(),
            Stored::Bcrypt(stored) => stored.digest.len(),
            Stored::Scrypt(stored) => stored.hash.len(),
        }
    }
}

fn parse_argon2(text: &str, limits: &Limits) -> Result<Stored, StoredError> {
    let (key_id, text) = argon2id::split_key_id(text).ok_or(StoredError::Malformed)?;
    let decoded = argon2_rust::decode_phc(&text).map_err(|error| match error {
        Argon2Error::MemoryTooMuch
        | Argon2Error::TimeTooLarge
        | Argon2Error::LanesTooMany
        | Argon2Error::ThreadsTooMany => StoredError::Limit,
        _ => StoredError::Malformed,
    })?;
    let params = &decoded.params;
    if params.memory_kib() > limits.memory_kib
        || params.passes() > limits.passes
        || params.lanes() > limits.lanes
    {
        return Err(StoredError::Limit);
    }
    Ok(Stored::Argon2(Box::new(Argon2Hash { decoded, key_id })))
}

fn parse_bcrypt(text: &str, limits: &Limits) -> Result<Stored, StoredError> {
    let stored = bcrypt_string::parse(text).ok_or(StoredError::Malformed)?;
    if stored.cost > limits.cost { Err(StoredError::Limit) } else { Ok(Stored::Bcrypt(stored)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Argon2Settings;
    use proptest::prelude::*;

    const LIMITS: Limits = Limits { memory_kib: 1 << 18, passes: 16, lanes: 16, cost: 16, log_n: 20 };

    fn today(algorithm: Algorithm) -> Settings {
        Settings { algorithm, limits: LIMITS, pepper: None, bcrypt_truncates: false }
    }

    const TAG: &str = "CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";

    fn argon2(parameters: &str) -> String {
        format!("$argon2id$v=19${parameters}$c29tZXNhbHRzb21lc2FsdA${TAG}")
    }

    #[test]
    fn demands_over_the_limits() {
        for parameters in [
            "m=4294967295,t=1,p=1",
            "m=262145,t=1,p=1",
            "m=64,t=4294967295,p=1",
            "m=64,t=17,p=1",
            "m=1024,t=1,p=17",
        ] {
            assert_eq!(
                Stored::parse(&argon2(parameters), &LIMITS).unwrap_err(),
                StoredError::Limit,
                "{parameters}"
            );
        }
        let bcrypt = "$2b$31$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";
        assert_eq!(Stored::parse(bcrypt, &LIMITS).unwrap_err(), StoredError::Limit);
    }

    #[test]
    fn malformed() {
        let long = argon2(&format!("m=64,t=1,p=1,x={}", "y".repeat(600)));
        for text in [
            "",
            "plain",
            "$argon2id$",
            "$argon2id$v=19$m=64$a$b",
            &argon2("m=64,t=1,p=1,keyid=QUFB,keyid=QUFB"),
            &argon2("keyid=QUFB,m=64,t=1,p=1"),
            &argon2("m=64,t=1,p=1,foo=1"),
            &argon2("m=64,t=1,p=1,m=64"),
            &argon2("m=64,t=1,p=1").replace("v=19", "v=19,keyid=QUFB"),
            &argon2("m=64,t=1,p=1,keyid="),
            &argon2("m=64,t=1,p=1,keyid=!"),
            &argon2("m=64,t=1,p=1,keyid=/w"),
            &argon2("m=-1,t=1,p=1"),
            &long,
        ] {
            assert_eq!(Stored::parse(text, &LIMITS).unwrap_err(), StoredError::Malformed, "{text}");
        }
    }

    proptest! {
        /// Whatever stands in a table: an answer, never a panic.
        #[test]
        fn any_text_is_read(text in "\\PC{0,80}", place in 0usize..120, byte in any::<u8>(), which in 0usize..4) {
            let known = [
                argon2("m=64,t=2,p=1,keyid=QUFB"),
                "$argon2i$m=64,t=2,p=1$c29tZXNhbHQ$Bh21/eJH8YBDyij2rzNMFBJxlNjZOXgA".to_owned(),
                "$2b$10$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW".to_owned(),
                "$scrypt$ln=10,r=8,p=1$c29tZXNhbHQ$4nDCgqqi/MYvPUrUq8ZfVUrFto43iXYW7ryycatUzoI".to_owned(),
            ];
            let mut changed = known[which].clone().into_bytes();
            let place = place % changed.len();
            changed[place] = byte;
            for text in [text, String::from_utf8_lossy(&changed).into_owned(), known[which][..place].to_owned()] {
                // What is accepted is within its limits, whatever was changed.
                match Stored::parse(&text, &LIMITS) {
                    Ok(Stored::Argon2(hash)) => {
                        let params = &hash.decoded.params;
                        prop_assert!(params.memory_kib() <= LIMITS.memory_kib && params.passes() <= LIMITS.passes);
                        prop_assert!(params.lanes() <= LIMITS.lanes);
                    }
                    Ok(Stored::Bcrypt(hash)) => prop_assert!((4..=LIMITS.cost).contains(&hash.cost)),
                    Ok(Stored::Scrypt(hash)) => {
                        prop_assert!(hash.settings.memory_kib() <= u64::from(LIMITS.memory_kib));
                        prop_assert!(hash.settings.p <= LIMITS.lanes && hash.settings.log_n <= LIMITS.log_n);
                    }
                    Err(_) => {}
                }
            }
        }
    }

    /// As some have written them.
    #[test]
    fn parameters_come_in_any_order() {
        for parameters in ["m=64,t=2,p=1", "t=2,m=64,p=1", "p=1,m=64,t=2", "p=1,t=2,m=64,keyid=QUFB"] {
            let Ok(Stored::Argon2(hash)) = Stored::parse(&argon2(parameters), &LIMITS) else {
                panic!("{parameters}");
            };
            let params = &hash.decoded.params;
            assert_eq!((params.memory_kib(), params.passes(), params.lanes()), (64, 2, 1), "{parameters}");
            assert_eq!(hash.key_id.is_some(), parameters.contains("keyid"), "{parameters}");
        }
    }

    #[test]
    fn needs_rehash_looks_at_every_parameter() {
        let settings =
            Argon2Settings { memory_kib: 64, passes: 2, lanes: 1, tag_length: 32, salt_length: 16 };
        let current = today(Algorithm::Argon2id(settings));
        let stored = Stored::parse(&argon2("m=64,t=2,p=1"), &LIMITS).unwrap();
        assert!(!stored.needs_rehash(&current));
        for changed in [
            Argon2Settings { memory_kib: 65, ..settings },
            Argon2Settings { passes: 3, ..settings },
            Argon2Settings { lanes: 2, ..settings },
            Argon2Settings { tag_length: 33, ..settings },
            Argon2Settings { salt_length: 17, ..settings },
        ] {
            assert!(stored.needs_rehash(&today(Algorithm::Argon2id(changed))));
        }
        for other in [
            argon2("m=64,t=2,p=1").replace("argon2id", "argon2i"),
            argon2("m=64,t=2,p=1").replace("v=19", "v=16"),
        ] {
            assert!(Stored::parse(&other, &LIMITS).unwrap().needs_rehash(&current));
        }
        assert!(stored.needs_rehash(&today(Algorithm::Bcrypt(10))));
        let bcrypt =
            Stored::parse("$2b$10$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", &LIMITS).unwrap();
        assert!(!bcrypt.needs_rehash(&today(Algorithm::Bcrypt(10))));
        assert!(bcrypt.needs_rehash(&today(Algorithm::Bcrypt(11))));
        assert!(bcrypt.needs_rehash(&current));
        let old =
            Stored::parse("$2a$10$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", &LIMITS).unwrap();
        assert!(old.needs_rehash(&today(Algorithm::Bcrypt(10))));
    }
}
