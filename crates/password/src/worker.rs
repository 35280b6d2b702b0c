//! One thread's work: making and checking hashes.

use ring::rand::{SecureRandom, SystemRandom};
use subtle::ConstantTimeEq;

use crate::argon2id::{self, Arena};
use crate::bcrypt;
use crate::settings::{Algorithm, Settings};
use crate::stored::Stored;

/// What a verification found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The password is the one that was hashed.
    pub valid: bool,
    /// It is, and the hash was not made with today's settings.
    pub needs_rehash: bool,
}

/// Why no hash was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HashError {
    /// bcrypt reads 72 bytes, and this password has more.
    TooLong,
    /// The operating system gave no memory, or no random bytes.
    Resources,
}

/// The state of one worker thread.
pub struct Worker {
    arena: Arena,
}

impl Default for Worker {
    fn default() -> Worker {
        Worker::new()
    }
}

impl Worker {
    /// A worker without memory yet.
    pub fn new() -> Worker {
        Worker { arena: Arena::new() }
    }

    /// Bytes of argon2 memory held.
    pub fn arena_bytes(&self) -> usize {
        self.arena.bytes()
    }

    /// Gives the argon2 memory back.
    pub fn clear(&mut self) {
        self.arena.clear();
    }

    /// A new hash, with a fresh random salt.
    pub fn hash(&mut self, settings: &Settings, password: &[u8]) -> Result<String, HashError> {
        match &settings.algorithm {
            Algorithm::Argon2id(argon2) => {
                let mut salt = vec![0; argon2.salt_length];
                random(&mut salt)?;
                let mut tag = vec![0; argon2.tag_length];
                self.arena.hash(argon2, password, &salt, &mut tag).map_err(|_| HashError::Resources)?;
                argon2id::format(argon2, &salt, &tag).map_err(|_| HashError::Resources)
            }
            Algorithm::Bcrypt(cost) => {
                if password.len() > bcrypt::MAX_PASSWORD {
                    return Err(HashError::TooLong);
                }
                let mut salt = [0; 16];
                random(&mut salt)?;
                Ok(bcrypt::format(*cost, salt, &bcrypt::digest(*cost, salt, password)))
            }
        }
    }

    /// Checks a password. Without a stored hash it does the work of a real check and says no.
    pub fn verify(
        &mut self,
        settings: &Settings,
        stored: Option<&Stored>,
        password: &[u8],
    ) -> Result<Verdict, HashError> {
        let valid = match stored {
            None => {
                self.dummy(settings, password)?;
                false
            }
            Some(Stored::Argon2(argon2)) => {
                let tag = self.arena.rehash(argon2, password).map_err(|_| HashError::Resources)?;
                tag.ct_eq(&argon2.hash).into()
            }
            Some(Stored::Bcrypt(hash)) => {
                let digest = bcrypt::digest(hash.cost, hash.salt, password);
                // A longer password than bcrypt reads was never hashed here: it is wrong, after the same work.
                bool::from(digest.ct_eq(&hash.digest)) && password.len() <= bcrypt::MAX_PASSWORD
            }
        };
        let needs_rehash = valid && stored.is_some_and(|stored| stored.needs_rehash(&settings.algorithm));
        Ok(Verdict { valid, needs_rehash })
    }

    fn dummy(&mut self, settings: &Settings, password: &[u8]) -> Result<(), HashError> {
        match &settings.algorithm {
            Algorithm::Argon2id(argon2) => {
                let mut tag = vec![0; argon2.tag_length];
                let salt = vec![0; argon2.salt_length];
                self.arena.hash(argon2, password, &salt, &mut tag).map_err(|_| HashError::Resources)?;
                std::hint::black_box(tag);
            }
            Algorithm::Bcrypt(cost) => {
                std::hint::black_box(bcrypt::digest(*cost, [0; 16], password));
            }
        }
        Ok(())
    }
}

fn random(bytes: &mut [u8]) -> Result<(), HashError> {
    SystemRandom::new().fill(bytes).map_err(|_| HashError::Resources)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{Argon2Settings, Limits};

    const LIMITS: Limits = Limits { memory_kib: 1 << 18, passes: 16, lanes: 16, cost: 16 };
    const ARGON2: Settings = Settings {
        algorithm: Algorithm::Argon2id(Argon2Settings {
            memory_kib: 64,
            passes: 1,
            lanes: 1,
            tag_length: 32,
            salt_length: 16,
        }),
        limits: LIMITS,
    };
    const BCRYPT: Settings = Settings { algorithm: Algorithm::Bcrypt(4), limits: LIMITS };

    #[test]
    fn verifies_what_it_hashed_and_nothing_else() {
        let mut worker = Worker::new();
        for settings in [ARGON2, BCRYPT] {
            for password in [&b""[..], b"a", b"nul\0inside", &[0xFF; 72]] {
                let hash = worker.hash(&settings, password).unwrap();
                assert_ne!(hash, worker.hash(&settings, password).unwrap(), "salts must differ");
                let stored = Stored::parse(&hash, &LIMITS).unwrap();
                let mut verify = |password: &[u8]| worker.verify(&settings, Some(&stored), password).unwrap();
                assert_eq!(verify(password), Verdict { valid: true, needs_rehash: false });
                assert!(!verify(&[password, b"x"].concat()).valid);
                assert!(!verify(b"another").valid);
            }
        }
    }

    #[test]
    fn bcrypt_takes_72_bytes() {
        let mut worker = Worker::new();
        assert!(worker.hash(&BCRYPT, &[b'x'; 72]).is_ok());
        assert_eq!(worker.hash(&BCRYPT, &[b'x'; 73]), Err(HashError::TooLong));
    }

    #[test]
    fn a_missing_hash_is_never_valid() {
        let mut worker = Worker::new();
        for settings in [ARGON2, BCRYPT] {
            assert!(!worker.verify(&settings, None, b"").unwrap().valid);
        }
    }

    #[test]
    fn an_old_hash_asks_for_a_new_one_only_when_the_password_is_right() {
        let mut worker = Worker::new();
        let stored = Stored::parse(&worker.hash(&BCRYPT, b"pw").unwrap(), &LIMITS).unwrap();
        assert_eq!(
            worker.verify(&ARGON2, Some(&stored), b"pw").unwrap(),
            Verdict { valid: true, needs_rehash: true }
        );
        assert_eq!(
            worker.verify(&ARGON2, Some(&stored), b"no").unwrap(),
            Verdict { valid: false, needs_rehash: false }
        );
    }
}
