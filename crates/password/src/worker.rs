//! One thread's work: making and checking hashes, and making keys.

use std::fmt;
use std::sync::Arc;

use ring::rand::{SecureRandom, SystemRandom};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::argon2id::{self, Arena};
use crate::bcrypt::{self, Input};
use crate::bcrypt_string;
use crate::pool::{Running, Task};
use crate::scrypt::{self, ScryptHash};
use crate::settings::{Algorithm, Argon2Settings, ScryptSettings, Settings};
use crate::stored::{Argon2Hash, Stored};

/// A password, and what to do with it.
pub struct Job {
    /// The hasher's.
    pub settings: Arc<Settings>,
    /// What to do.
    pub request: Request,
    /// Wiped when the job is done, or dropped.
    pub password: Zeroizing<Vec<u8>>,
}

/// What to do with a password.
pub enum Request {
    /// Make a new hash.
    Hash,
    /// Check it. Without a stored hash the work of a real check is done, and the answer is no.
    Verify(Option<Stored>),
    /// Make a key of it: argon2id's tag, without a pepper. The hasher's settings have no part in it.
    Derive(KeySettings),
}

/// What a key is made with. The caller has checked both.
pub struct KeySettings {
    /// `tag_length` is the key's length.
    pub argon2: Argon2Settings,
    /// As long as `argon2.salt_length` says.
    pub salt: Vec<u8>,
}

/// What a job came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// A new hash, as it is stored.
    Hash(String),
    /// What a verification found.
    Verdict(Verdict),
    /// A key.
    Key(Key),
}

/// The bytes of a key: wiped when they are dropped, and not printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Key(pub Zeroizing<Vec<u8>>);

impl fmt::Debug for Key {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Key({} bytes)", self.0.len())
    }
}

/// What a verification found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The password is the one that was hashed.
    pub valid: bool,
    /// It is, and the hash was not made with today's settings.
    pub needs_rehash: bool,
}

/// Why a job came to nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HashError {
    /// bcrypt reads 72 bytes, and this password has more.
    TooLong,
    /// The operating system gave no memory, or no random bytes.
    Resources,
    /// The stored hash was made with a pepper that is not known here.
    UnknownKey,
    /// Nobody wants the result any more.
    Stopped,
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

    fn run(&mut self, job: &Running<Job>) -> Result<Outcome, HashError> {
        if job.is_stopped() {
            return Err(HashError::Stopped);
        }
        let Job { settings, request, password } = &job.task;
        match job.task.work() {
            Work::Argon2(argon2) => {
                let salt =
                    if request.is_new() { random(argon2.salt_length)? } else { vec![0; argon2.salt_length] };
                let secret = pepper(settings, settings.key_id())?;
                let mut tag = vec![0; argon2.tag_length];
                let hashed = self.arena.hash(argon2, password, &salt, secret, &mut tag);
                hashed.map_err(|_| HashError::Resources)?;
                if !request.is_new() {
                    return Ok(verdict(settings, None, &tag, &vec![0; tag.len()]));
                }
                let text = argon2id::format(argon2, settings.key_id(), &salt, &tag);
                text.map(Outcome::Hash).map_err(|_| HashError::Resources)
            }
            Work::StoredArgon2(Argon2Hash { decoded, key_id }) => {
                let secret = pepper(settings, key_id.as_deref());
                // Without its pepper a hash cannot be checked; that takes as long as if it could.
                let tag = self.arena.rehash(decoded, password, secret.unwrap_or_default());
                let tag = tag.map_err(|_| HashError::Resources)?;
                secret?;
                Ok(verdict(settings, request.stored(), &tag, &decoded.hash))
            }
            Work::Scrypt(scrypt) => {
                let salt = if request.is_new() {
                    random(scrypt::SALT_LENGTH)?
                } else {
                    vec![0; scrypt::SALT_LENGTH]
                };
                let hash = scrypt::hash(scrypt, password, &salt, scrypt::HASH_LENGTH);
                let hash = hash.ok_or(HashError::Resources)?;
                if request.is_new() {
                    return Ok(Outcome::Hash(scrypt::format(scrypt, &salt, &hash)));
                }
                Ok(verdict(settings, None, &hash, &vec![0; hash.len()]))
            }
            Work::StoredScrypt(stored) => {
                let hash = scrypt::hash(stored.settings, password, &stored.salt, stored.hash.len());
                Ok(verdict(settings, request.stored(), &hash.ok_or(HashError::Resources)?, &stored.hash))
            }
            Work::Bcrypt(cost) => bcrypt_together(cost, std::slice::from_ref(job)).swap_remove(0),
            Work::Key(KeySettings { argon2, salt }) => {
                let mut key = Zeroizing::new(vec![0; argon2.tag_length]);
                let derived = self.arena.hash(argon2, password, salt, &[], &mut key);
                // Keys are made rarely and with much memory: it is not kept for the next.
                self.arena.clear();
                derived.map_err(|_| HashError::Resources)?;
                // A key that nobody waits for goes no further.
                if job.is_stopped() { Err(HashError::Stopped) } else { Ok(Outcome::Key(Key(key))) }
            }
        }
    }
}

impl Request {
    fn is_new(&self) -> bool {
        matches!(self, Request::Hash)
    }

    fn stored(&self) -> Option<&Stored> {
        match self {
            Request::Hash | Request::Derive(_) => None,
            Request::Verify(stored) => stored.as_ref(),
        }
    }
}

/// What there is to compute: for a new hash, or for no hash, what the settings say.
enum Work<'a> {
    Argon2(&'a Argon2Settings),
    StoredArgon2(&'a Argon2Hash),
    Scrypt(ScryptSettings),
    StoredScrypt(&'a ScryptHash),
    /// With this cost.
    Bcrypt(u32),
    Key(&'a KeySettings),
}

impl Job {
    fn work(&self) -> Work<'_> {
        if let Request::Derive(settings) = &self.request {
            return Work::Key(settings);
        }
        match (self.request.stored(), &self.settings.algorithm) {
            (Some(Stored::Argon2(stored)), _) => Work::StoredArgon2(stored),
            (Some(Stored::Bcrypt(stored)), _) => Work::Bcrypt(stored.cost),
            (Some(Stored::Scrypt(stored)), _) => Work::StoredScrypt(stored),
            (None, Algorithm::Argon2id(settings)) => Work::Argon2(settings),
            (None, Algorithm::Bcrypt(cost)) => Work::Bcrypt(*cost),
            (None, Algorithm::Scrypt(settings)) => Work::Scrypt(*settings),
        }
    }

    /// Whether bcrypt would read only a part of the password, and must not.
    fn is_too_long(&self) -> bool {
        self.password.len() > bcrypt::MAX_PASSWORD && !self.settings.bcrypt_truncates
    }

    /// What bcrypt is given; an error when it cannot be.
    fn bcrypt_input(&self) -> Result<(bcrypt::Salt, Input), HashError> {
        match self.request.stored() {
            Some(Stored::Bcrypt(hash)) => Ok((hash.salt, hash.input(&self.password))),
            _ if self.request.is_new() && self.is_too_long() => Err(HashError::TooLong),
            _ => {
                let mut salt = [0; bcrypt::SALT_LENGTH];
                if self.request.is_new() {
                    SystemRandom::new().fill(&mut salt).map_err(|_| HashError::Resources)?;
                }
                Ok((salt, Input::new(&self.password, &salt)))
            }
        }
    }

    /// What bcrypt's digest comes to.
    fn bcrypt_outcome(&self, cost: u32, salt: &bcrypt::Salt, digest: &bcrypt::Digest) -> Outcome {
        match (&self.request, self.request.stored()) {
            (Request::Hash, _) => Outcome::Hash(bcrypt_string::format(cost, salt, digest)),
            (_, Some(stored @ Stored::Bcrypt(hash))) if !self.is_too_long() => {
                verdict(&self.settings, Some(stored), digest, &hash.digest)
            }
            // A longer password than bcrypt reads was never hashed here: it is wrong, after the same work.
            _ => verdict(&self.settings, None, digest, &[0; bcrypt::DIGEST_LENGTH]),
        }
    }
}

impl Task for Job {
    type Output = Result<Outcome, HashError>;

    const MOST_TOGETHER: usize = bcrypt::MOST_TOGETHER;

    fn company(&self) -> Option<u32> {
        match self.work() {
            Work::Bcrypt(cost) => Some(cost),
            _ => None,
        }
    }

    fn run(worker: &mut Worker, jobs: &[Running<Job>]) -> Vec<Self::Output> {
        match jobs.first().and_then(|job| job.task.company()) {
            Some(cost) => bcrypt_together(cost, jobs),
            None => jobs.iter().map(|job| worker.run(job)).collect(),
        }
    }
}

/// One outcome for each job, all of which are bcrypt of this cost.
fn bcrypt_together(cost: u32, jobs: &[Running<Job>]) -> Vec<Result<Outcome, HashError>> {
    let mut inputs = Vec::with_capacity(jobs.len());
    let salts: Vec<Result<bcrypt::Salt, HashError>> = jobs
        .iter()
        .map(|job| {
            let (salt, input) = job.task.bcrypt_input()?;
            inputs.push(input);
            Ok(salt)
        })
        .collect();
    let go_on = || jobs.iter().zip(&salts).any(|(job, salt)| salt.is_ok() && !job.is_stopped());
    let mut digests = bcrypt::digests(cost, &inputs, &go_on).unwrap_or_default().into_iter();
    jobs.iter()
        .zip(&salts)
        .map(|(job, salt)| {
            let salt = salt.as_ref().map_err(|error| *error)?;
            let digest = digests.next().ok_or(HashError::Stopped)?;
            if job.is_stopped() {
                return Err(HashError::Stopped);
            }
            Ok(job.task.bcrypt_outcome(cost, salt, &digest))
        })
        .collect()
}

/// The secret with this name; the empty one without a name.
fn pepper<'a>(settings: &'a Settings, name: Option<&str>) -> Result<&'a [u8], HashError> {
    let Some(name) = name else { return Ok(&[]) };
    settings.pepper.as_ref().and_then(|pepper| pepper.key(name)).ok_or(HashError::UnknownKey)
}

/// Compares in constant time, also where there is nothing to be right.
fn verdict(settings: &Settings, stored: Option<&Stored>, found: &[u8], expected: &[u8]) -> Outcome {
    let is_equal = bool::from(found.ct_eq(expected));
    let valid = is_equal && stored.is_some();
    let needs_rehash = valid && stored.is_some_and(|stored| stored.needs_rehash(settings));
    Outcome::Verdict(Verdict { valid, needs_rehash })
}

fn random(length: usize) -> Result<Vec<u8>, HashError> {
    let mut bytes = vec![0; length];
    SystemRandom::new().fill(&mut bytes).map_err(|_| HashError::Resources)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{Limits, Pepper};

    const LIMITS: Limits = Limits { memory_kib: 1 << 18, passes: 16, lanes: 16, cost: 16, log_n: 20 };
    const ARGON2: Algorithm = Algorithm::Argon2id(Argon2Settings {
        memory_kib: 64,
        passes: 1,
        lanes: 1,
        tag_length: 32,
        salt_length: 16,
    });
    const BCRYPT: Algorithm = Algorithm::Bcrypt(4);
    const SCRYPT: Algorithm = Algorithm::Scrypt(ScryptSettings { log_n: 4, r: 1, p: 1 });

    fn settings(algorithm: Algorithm) -> Settings {
        Settings { algorithm, limits: LIMITS, pepper: None, bcrypt_truncates: false }
    }

    fn run(settings: &Settings, request: Request, password: &[u8]) -> Result<Outcome, HashError> {
        let task = Job {
            settings: Arc::new(settings.clone()),
            request,
            password: Zeroizing::new(password.to_vec()),
        };
        let mut outputs = Job::run(&mut Worker::new(), &[Running::new(task)]);
        assert_eq!(outputs.len(), 1);
        outputs.remove(0)
    }

    fn hash(settings: &Settings, password: &[u8]) -> String {
        match run(settings, Request::Hash, password) {
            Ok(Outcome::Hash(hash)) => hash,
            other => panic!("{other:?}"),
        }
    }

    /// Whether it is valid, and whether it should be made anew.
    fn verify(settings: &Settings, stored: &str, password: &[u8]) -> (bool, bool) {
        let stored = Stored::parse(stored, &LIMITS).unwrap();
        match run(settings, Request::Verify(Some(stored)), password) {
            Ok(Outcome::Verdict(Verdict { valid, needs_rehash })) => (valid, needs_rehash),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn verifies_what_it_hashed_and_nothing_else() {
        for settings in [ARGON2, BCRYPT, SCRYPT].map(settings) {
            for password in [&b""[..], b"a", b"nul\0inside", &[0xFF; 72]] {
                let stored = hash(&settings, password);
                assert_ne!(stored, hash(&settings, password), "salts must differ");
                assert_eq!(verify(&settings, &stored, password), (true, false));
                assert_eq!(verify(&settings, &stored, &[password, b"x"].concat()), (false, false));
                assert_eq!(verify(&settings, &stored, b"another"), (false, false));
            }
            let missing = run(&settings, Request::Verify(None), b"");
            assert_eq!(missing, Ok(Outcome::Verdict(Verdict { valid: false, needs_rehash: false })));
        }
    }

    #[test]
    fn bcrypt_takes_72_bytes_unless_it_is_told_to_truncate() {
        let exact = settings(BCRYPT);
        let stored = hash(&exact, &[b'x'; 72]);
        assert_eq!(run(&exact, Request::Hash, &[b'x'; 73]), Err(HashError::TooLong));
        assert_eq!(verify(&exact, &stored, &[b'x'; 73]), (false, false));
        let truncating = Settings { bcrypt_truncates: true, ..settings(BCRYPT) };
        assert_eq!(verify(&truncating, &stored, &[b'x'; 73]), (true, false));
        assert_eq!(verify(&truncating, &hash(&truncating, &[b'x'; 100]), &[b'x'; 72]), (true, false));
    }

    #[test]
    fn an_old_hash_asks_for_a_new_one_only_when_the_password_is_right() {
        let stored = hash(&settings(BCRYPT), b"pw");
        for today in [ARGON2, SCRYPT, Algorithm::Bcrypt(5)].map(settings) {
            assert_eq!(verify(&today, &stored, b"pw"), (true, true));
            assert_eq!(verify(&today, &stored, b"no"), (false, false));
        }
    }

    #[test]
    fn peppers_are_named_in_the_hash() {
        let key = |byte| Zeroizing::new(vec![byte; 32]);
        let with = |current: &str| Settings {
            pepper: Some(Pepper {
                current: current.into(),
                keys: vec![("2025".into(), key(1)), ("2026".into(), key(2))],
            }),
            ..settings(ARGON2)
        };
        let (old, new, without) = (with("2025"), with("2026"), settings(ARGON2));
        let stored = hash(&old, b"pw");
        assert!(stored.starts_with("$argon2id$v=19$m=64,t=1,p=1,keyid=MjAyNQ$"), "{stored}");
        assert_eq!(verify(&old, &stored, b"pw"), (true, false));
        assert_eq!(verify(&old, &stored, b"no"), (false, false));
        assert_eq!(verify(&new, &stored, b"pw"), (true, true), "rotated");
        assert_eq!(
            verify(&new, &hash(&without, b"pw"), b"pw"),
            (true, true),
            "made before there was a pepper"
        );
        let parsed = Stored::parse(&stored, &LIMITS).unwrap();
        assert_eq!(run(&without, Request::Verify(Some(parsed)), b"pw"), Err(HashError::UnknownKey));
        // The secret is part of the hash.
        let stripped = stored.replace(",keyid=MjAyNQ", "");
        assert_eq!(verify(&without, &stripped, b"pw"), (false, false));
        let renamed = stored.replace("MjAyNQ", "MjAyNg");
        assert_eq!(verify(&old, &renamed, b"pw"), (false, false));
    }

    #[test]
    fn those_done_together_come_to_what_each_alone_does() {
        let settings = Arc::new(settings(BCRYPT));
        let stored = hash(&settings, b"right");
        let request = |number: usize| match number {
            0 => Request::Hash,
            1 => Request::Verify(None),
            _ => Request::Verify(Some(Stored::parse(&stored, &LIMITS).unwrap())),
        };
        for numbers in [[0, 1, 2, 3], [2, 2, 3, 3], [3, 0, 0, 2], [1, 1, 1, 1], [4, 0, 4, 2]] {
            let jobs: Vec<_> = numbers
                .iter()
                .map(|&number| {
                    let password = match number {
                        3 => b"wrong".to_vec(),
                        4 => vec![b'x'; 80],
                        _ => b"right".to_vec(),
                    };
                    // A password that is too long, once to hash and once to verify.
                    let request = if number == 4 { Request::Hash } else { request(number) };
                    Running::new(Job {
                        settings: Arc::clone(&settings),
                        request,
                        password: Zeroizing::new(password),
                    })
                })
                .collect();
            let outcomes = Job::run(&mut Worker::new(), &jobs);
            for (number, outcome) in numbers.into_iter().zip(outcomes) {
                match (number, outcome) {
                    (0, Ok(Outcome::Hash(hash))) => {
                        assert_eq!(verify(&settings, &hash, b"right"), (true, false));
                    }
                    (1 | 3, Ok(Outcome::Verdict(verdict))) => assert!(!verdict.valid),
                    (2, Ok(Outcome::Verdict(verdict))) => assert!(verdict.valid),
                    (4, Err(HashError::TooLong)) => {}
                    other => panic!("{other:?}"),
                }
            }
        }
    }

    #[test]
    fn a_job_that_is_stopped_comes_to_nothing_and_the_others_go_on() {
        let settings = Arc::new(settings(BCRYPT));
        let job = || {
            Running::new(Job {
                settings: Arc::clone(&settings),
                request: Request::Hash,
                password: Zeroizing::new(vec![]),
            })
        };
        let jobs = [job(), job(), job()];
        jobs[1].stop();
        let outcomes = Job::run(&mut Worker::new(), &jobs);
        assert!(outcomes[0].is_ok() && outcomes[2].is_ok());
        assert_eq!(outcomes[1], Err(HashError::Stopped));
        let alone = [job()];
        alone[0].stop();
        assert_eq!(Job::run(&mut Worker::new(), &alone), [Err(HashError::Stopped)]);
    }

    fn key(salt: &[u8], lanes: u32, length: usize, passphrase: &[u8]) -> Vec<u8> {
        let argon2 =
            Argon2Settings { memory_kib: 256, passes: 3, lanes, tag_length: length, salt_length: salt.len() };
        // What the hasher itself is set to, its pepper included, has no part in a key.
        let pepper = Pepper { current: "k".into(), keys: vec![("k".into(), Zeroizing::new(vec![1; 32]))] };
        let hasher = Settings { pepper: Some(pepper), ..settings(BCRYPT) };
        match run(&hasher, Request::Derive(KeySettings { argon2, salt: salt.to_vec() }), passphrase) {
            Ok(Outcome::Key(Key(key))) => key.to_vec(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn keys_are_those_of_rustcrypto() {
        for lanes in [1, 2, 3, 4, 8] {
            for (length, salt) in [(16, &[7; 16][..]), (32, &[8; 16]), (32, &[9; 64])] {
                let params = argon2::Params::new(256, 3, lanes, Some(length)).unwrap();
                let mut expected = vec![0; length];
                argon2::Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, params)
                    .hash_password_into(b"correct horse", salt, &mut expected)
                    .unwrap();
                assert_eq!(
                    key(salt, lanes, length, b"correct horse"),
                    expected,
                    "{lanes} lanes, {length} bytes"
                );
                assert_ne!(key(salt, lanes, length, b"another horse"), expected);
            }
        }
    }

    #[test]
    fn a_key_keeps_no_memory_and_is_not_printed() {
        let argon2 = Argon2Settings { memory_kib: 64, passes: 1, lanes: 2, tag_length: 32, salt_length: 16 };
        let job = || {
            let request = Request::Derive(KeySettings { argon2, salt: vec![0; 16] });
            let settings = Arc::new(settings(ARGON2));
            Running::new(Job { settings, request, password: Zeroizing::new(b"pw".to_vec()) })
        };
        let mut worker = Worker::new();
        let outcomes = Job::run(&mut worker, &[job()]);
        assert_eq!(format!("{outcomes:?}"), "[Ok(Key(Key(32 bytes)))]");
        assert_eq!(worker.arena_bytes(), 0);
        let stopped = job();
        stopped.stop();
        assert_eq!(Job::run(&mut worker, &[stopped]), [Err(HashError::Stopped)]);
    }
}
