//! Stored hashes: reading them, before any of their demands is met.

use argon2_rust::{Decoded, Error as Argon2Error, Version};

use crate::bcrypt::{self, BcryptHash};
use crate::settings::{Algorithm, Limits};

/// The longest stored hash read. An argon2 string with the longest salt and tag used here has 230 characters.
const MAX_LENGTH: usize = 512;

/// A stored hash, taken apart, and within its limits.
#[derive(Clone, Debug)]
pub enum Stored {
    /// `$argon2d$`, `$argon2i$`, `$argon2id$`
    Argon2(Box<Decoded>),
    /// `$2a$`, `$2b$`, `$2y$`
    Bcrypt(BcryptHash),
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
        if text.starts_with("$argon2") { parse_argon2(text, limits) } else { parse_bcrypt(text, limits) }
    }

    /// Whether a hash made with `algorithm` would differ in anything but its salt and tag.
    pub fn needs_rehash(&self, algorithm: &Algorithm) -> bool {
        match (self, algorithm) {
            (Stored::Argon2(stored), Algorithm::Argon2id(settings)) => {
                stored.algorithm != argon2_rust::Algorithm::Argon2id
                    || stored.version != Version::V0x13
                    || stored.params.memory_kib() != settings.memory_kib
                    || stored.params.passes() != settings.passes
                    || stored.params.lanes() != settings.lanes
                    || stored.salt.len() != settings.salt_length
                    || stored.hash.len() != settings.tag_length
                    || !stored.ad.is_empty()
            }
            (Stored::Bcrypt(stored), Algorithm::Bcrypt(cost)) => stored.cost != *cost || !stored.is_2b,
            (Stored::Argon2(_), Algorithm::Bcrypt(_)) | (Stored::Bcrypt(_), Algorithm::Argon2id(_)) => true,
        }
    }
}

fn parse_argon2(text: &str, limits: &Limits) -> Result<Stored, StoredError> {
    // A tag made with a secret cannot be checked without it, and no secret can be given yet.
    if text.contains("keyid=") {
        return Err(StoredError::Malformed);
    }
    let stored = argon2_rust::decode_phc(text).map_err(|error| match error {
        Argon2Error::MemoryTooMuch
        | Argon2Error::TimeTooLarge
        | Argon2Error::LanesTooMany
        | Argon2Error::ThreadsTooMany => StoredError::Limit,
        _ => StoredError::Malformed,
    })?;
    let params = &stored.params;
    if params.memory_kib() > limits.memory_kib
        || params.passes() > limits.passes
        || params.lanes() > limits.lanes
    {
        return Err(StoredError::Limit);
    }
    Ok(Stored::Argon2(Box::new(stored)))
}

fn parse_bcrypt(text: &str, limits: &Limits) -> Result<Stored, StoredError> {
    let stored = bcrypt::parse(text).ok_or(StoredError::Malformed)?;
    if stored.cost > limits.cost { Err(StoredError::Limit) } else { Ok(Stored::Bcrypt(stored)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Argon2Settings;

    const LIMITS: Limits = Limits { memory_kib: 1 << 18, passes: 16, lanes: 16, cost: 16 };
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
            &argon2("m=64,t=1,p=1,keyid=AAAA"),
            &argon2("m=-1,t=1,p=1"),
            &long,
        ] {
            assert_eq!(Stored::parse(text, &LIMITS).unwrap_err(), StoredError::Malformed, "{text}");
        }
    }

    #[test]
    fn needs_rehash_looks_at_every_parameter() {
        let settings =
            Argon2Settings { memory_kib: 64, passes: 2, lanes: 1, tag_length: 32, salt_length: 16 };
        let current = Algorithm::Argon2id(settings);
        let stored = Stored::parse(&argon2("m=64,t=2,p=1"), &LIMITS).unwrap();
        assert!(!stored.needs_rehash(&current));
        for changed in [
            Argon2Settings { memory_kib: 65, ..settings },
            Argon2Settings { passes: 3, ..settings },
            Argon2Settings { lanes: 2, ..settings },
            Argon2Settings { tag_length: 33, ..settings },
            Argon2Settings { salt_length: 17, ..settings },
        ] {
            assert!(stored.needs_rehash(&Algorithm::Argon2id(changed)));
        }
        for other in [
            argon2("m=64,t=2,p=1").replace("argon2id", "argon2i"),
            argon2("m=64,t=2,p=1").replace("v=19", "v=16"),
        ] {
            assert!(Stored::parse(&other, &LIMITS).unwrap().needs_rehash(&current));
        }
        assert!(stored.needs_rehash(&Algorithm::Bcrypt(10)));
        let bcrypt =
            Stored::parse("$2b$10$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", &LIMITS).unwrap();
        assert!(!bcrypt.needs_rehash(&Algorithm::Bcrypt(10)));
        assert!(bcrypt.needs_rehash(&Algorithm::Bcrypt(11)));
        assert!(bcrypt.needs_rehash(&current));
        let old =
            Stored::parse("$2a$10$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", &LIMITS).unwrap();
        assert!(old.needs_rehash(&Algorithm::Bcrypt(10)));
    }
}
