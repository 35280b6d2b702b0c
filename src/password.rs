//! PasswordHasher's native side: settings in, jobs onto the pool, completions back.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;

use holdfast_password::{
    Algorithm, Argon2Hash, Argon2Settings, BcryptVersion, HashError, Job, Limits, MAX_PASSWORD_BYTES,
    Outcome, PasswordError, Pepper, Pool, Refusal, Request, ScryptSettings, Settings, Stopped, Stored,
    StoredError, Verdict, password_from_utf16,
};
use napi::Env;
use napi_derive::napi;
use zeroize::Zeroizing;

use crate::boundary::{
    Call, Characters, Code, Completion, CompletionReceiver, CompletionSender, Failure, HotFunction, Integers,
    Secret, SecretBytes, TextArgument, Value, cold, completion_channel, hot_function, last_panic,
    yield_to_others,
};

/// Every setting, checked by `lib/password.js` and checked again here.
#[napi(object, object_to_js = false)]
pub struct PasswordSettings {
    /// For new hashes: 0 argon2id, 1 bcrypt, 2 scrypt.
    pub algorithm: f64,
    #[napi(js_name = "memoryKiB")]
    pub memory_kib: f64,
    pub passes: f64,
    pub lanes: f64,
    pub tag_length: f64,
    pub salt_length: f64,
    pub cost: f64,
    pub bcrypt_truncates: bool,
    #[napi(js_name = "logN")]
    pub log_n: f64,
    pub r: f64,
    pub p: f64,
    pub threads: f64,
    pub max_queue: f64,
    #[napi(js_name = "maxMemoryKiB")]
    pub max_memory_kib: f64,
    pub max_passes: f64,
    pub max_lanes: f64,
    pub max_cost: f64,
    #[napi(js_name = "maxLogN")]
    pub max_log_n: f64,
}

/// The functions of one hasher, in this order. `dispatch(job, error, value)` is called when a job is done.
/// `hash(job, password)`: the value is the string. `verify(job, password, hasStored, stored)`: bit 0 valid, bit 1 needs
/// rehash. `needsRehash(stored) => boolean`. `stats() => number[]`: threads, running, queued, completed, rejected, arena
/// bytes, service time in milliseconds. `close(job)`: the value is 0. `stop(job) => boolean`: whether nothing will be
/// dispatched for it. Jobs are numbered upwards from 0, and after 2³² − 1 from 0 again.
///
/// `names` and `keys` are the peppers, the one for new hashes first; there may be none.
#[napi(catch_unwind)]
pub fn password_hasher(
    env: Env,
    settings: PasswordSettings,
    names: Vec<TextArgument>,
    keys: Vec<SecretBytes>,
    dispatch: Value,
) -> napi::Result<Vec<Value>> {
    cold(&env, || {
        let (threads, max_queue) = (
            settings.threads.integer("threads", 1..=1024)?,
            settings.max_queue.integer("maxQueue", 0..=1 << 20)?,
        );
        let settings = read_settings(&settings, &names, keys)?;
        let hasher = Hasher::new(&env, settings, threads, max_queue, dispatch)?;
        Ok(vec![
            hot_function(&env, Hash(Rc::clone(&hasher)))?,
            hot_function(&env, Verify(Rc::clone(&hasher)))?,
            hot_function(&env, NeedsRehash(Rc::clone(&hasher)))?,
            hot_function(&env, ReadStats(Rc::clone(&hasher)))?,
            hot_function(&env, Close(Rc::clone(&hasher)))?,
            hot_function(&env, Stop(hasher))?,
        ])
    })
}

/// A function `(stored) => number[]` that takes a stored hash apart: algorithm (0 argon2d, 1 argon2i, 2 argon2id, 3 bcrypt,
/// 4 scrypt), version (for bcrypt the letter's code), three parameters, the lengths of digest and salt, the salt, and the
/// name of a pepper, in UTF-8.
#[napi(catch_unwind)]
pub fn hash_reader(env: Env) -> napi::Result<Value> {
    cold(&env, || hot_function(&env, ReadHash))
}

/// How many threads a hasher has that was not told.
#[napi(catch_unwind)]
pub fn default_threads() -> u32 {
    std::thread::available_parallelism().map_or(1, |count| count.get().min(1024) as u32)
}

fn read_settings(
    settings: &PasswordSettings,
    names: &[TextArgument],
    keys: Vec<SecretBytes>,
) -> Result<Settings, Failure> {
    let algorithm = match settings.algorithm.integer("algorithm", 0..=2)? {
        0 => {
            let lanes = settings.lanes.integer("lanes", 1..=255)?;
            Algorithm::Argon2id(Argon2Settings {
                memory_kib: settings.memory_kib.integer("memoryKiB", 8 * lanes..=u32::MAX)?,
                passes: settings.passes.integer("passes", 1..=u32::MAX)?,
                lanes,
                tag_length: settings.tag_length.integer("tagLength", 12..=64)? as usize,
                salt_length: settings.salt_length.integer("saltLength", 8..=64)? as usize,
            })
        }
        1 => Algorithm::Bcrypt(settings.cost.integer("cost", 4..=31)?),
        _ => Algorithm::Scrypt(ScryptSettings {
            log_n: settings.log_n.integer("logN", 1..=31)?,
            r: settings.r.integer("r", 1..=u32::MAX)?,
            p: settings.p.integer("p", 1..=u32::MAX)?,
        }),
    };
    let limits = Limits {
        memory_kib: settings.max_memory_kib.integer("limits.memoryKiB", 8..=u32::MAX)?,
        passes: settings.max_passes.integer("limits.passes", 1..=u32::MAX)?,
        lanes: settings.max_lanes.integer("limits.lanes", 1..=255)?,
        cost: settings.max_cost.integer("limits.cost", 4..=31)?,
        log_n: settings.max_log_n.integer("limits.logN", 1..=31)?,
    };
    let names = names.iter().map(|name| String::from_utf16_lossy(&name.0));
    let keys: Vec<_> = names.zip(keys.into_iter().map(|key| key.0)).collect();
    let pepper = keys.first().map(|(current, _)| current.clone()).map(|current| Pepper { current, keys });
    Ok(Settings { algorithm, limits, pepper, bcrypt_truncates: settings.bcrypt_truncates })
}

/// Jobs onto a pool's threads, and what they came to back to one JavaScript function.
pub(crate) struct Hasher {
    settings: Arc<Settings>,
    pool: Arc<Pool<Job>>,
    sender: CompletionSender,
    receiver: CompletionReceiver,
    /// The last job's number.
    last: Cell<u64>,
}

impl Hasher {
    pub(crate) fn new(
        env: &Env,
        settings: Settings,
        threads: u32,
        max_queue: u32,
        dispatch: Value,
    ) -> Result<Rc<Hasher>, Failure> {
        let pool = Arc::new(Pool::new(threads as usize, max_queue as usize, yield_to_others));
        let abandoned = Arc::clone(&pool);
        let (sender, receiver) = completion_channel(env, dispatch, move || abandoned.abandon())?;
        Ok(Rc::new(Hasher { settings: Arc::new(settings), pool, sender, receiver, last: Cell::new(0) }))
    }

    /// The number of a job for which JavaScript, which numbers on from 0 after 2³² − 1, says `job`: the one that is nearest to
    /// the last.
    fn number(&self, job: u32) -> u64 {
        let last = self.last.get();
        last.wrapping_add_signed(i64::from(job.wrapping_sub(last as u32) as i32))
    }

    pub(crate) fn submit(
        &self,
        job: u32,
        request: Request,
        password: Zeroizing<Vec<u8>>,
    ) -> Result<(), Failure> {
        self.submit_then(job, request, password, |outcome| outcome.map_err(hash_failure))
    }

    /// Puts a job into the queue; `then` sees what it came to, on the thread that did it.
    fn submit_then(
        &self,
        job: u32,
        request: Request,
        password: Zeroizing<Vec<u8>>,
        then: impl FnOnce(Result<Outcome, HashError>) -> Result<Outcome, Failure> + Send + 'static,
    ) -> Result<(), Failure> {
        let sender = self.sender.clone();
        let number = self.number(job);
        self.last.set(number);
        self.receiver.expect();
        let is_key = matches!(request, Request::Derive(_));
        let task = Job { settings: Arc::clone(&self.settings), request, password };
        let deliver = move |outcome: Option<Result<Outcome, HashError>>| {
            let completion = match outcome.map(then) {
                Some(Ok(Outcome::Hash(text))) => Completion::Text(text),
                Some(Ok(Outcome::Verdict(Verdict { valid, needs_rehash }))) => {
                    Completion::Bits(u32::from(valid) | (u32::from(needs_rehash) << 1))
                }
                Some(Ok(Outcome::Key(key))) => Completion::Secret(key.0),
                Some(Err(failure)) => Completion::Failed(failure),
                None => Completion::Failed(last_panic()),
            };
            sender.send(job, completion);
        };
        self.pool.submit(number, task, deliver).map_err(|refusal| {
            self.receiver.unexpect();
            refused(refusal, is_key)
        })
    }
}

struct Hash(Rc<Hasher>);

impl HotFunction for Hash {
    const NAME: &'static str = "hash";
    const ARGUMENTS: usize = 2;

    fn call(&self, call: &Call) -> Result<Value, Failure> {
        let job = call.integer(0, u32::MAX)?;
        let password = password(call, 1)?;
        self.0.submit(job, Request::Hash, password)?;
        Ok(call.undefined())
    }
}

struct Verify(Rc<Hasher>);

impl HotFunction for Verify {
    const NAME: &'static str = "verify";
    const ARGUMENTS: usize = 4;

    fn call(&self, call: &Call) -> Result<Value, Failure> {
        let job = call.integer(0, u32::MAX)?;
        let password = password(call, 1)?;
        let stored = match call.integer(2, 1)? {
            0 => Ok(None),
            _ => stored(call, 3, &self.0.settings.limits).map(Some),
        };
        match stored {
            Ok(stored) => self.0.submit(job, Request::Verify(stored), password)?,
            Err(StoredError::Limit) => return Err(stored_failure(StoredError::Limit)),
            // A malformed hash costs the work of a real check too: how long it took must not tell which users have one.
            Err(StoredError::Malformed) => {
                self.0.submit_then(job, Request::Verify(None), password, |outcome| {
                    outcome.map_err(hash_failure)?;
                    Err(stored_failure(StoredError::Malformed))
                })?;
            }
        }
        Ok(call.undefined())
    }
}

pub(crate) struct Stop(pub(crate) Rc<Hasher>);

impl HotFunction for Stop {
    const NAME: &'static str = "stop";
    const ARGUMENTS: usize = 1;

    fn call(&self, call: &Call) -> Result<Value, Failure> {
        let job = call.integer(0, u32::MAX)?;
        let waited = self.0.pool.stop(self.0.number(job)) == Stopped::Waiting;
        if waited {
            self.0.receiver.unexpect();
        }
        Ok(call.boolean(waited))
    }
}

struct ReadHash;

impl HotFunction for ReadHash {
    const NAME: &'static str = "readHash";
    const ARGUMENTS: usize = 1;

    fn call(&self, call: &Call) -> Result<Value, Failure> {
        // To read it costs nothing, whatever it asks for.
        let limits = Limits {
            memory_kib: u32::MAX,
            passes: u32::MAX,
            lanes: u32::MAX,
            cost: u32::MAX,
            log_n: u32::MAX,
        };
        let stored = stored(call, 0, &limits).map_err(|_| stored_failure(StoredError::Malformed))?;
        let length = stored.digest_length();
        let (head, salt, key_id) = match &stored {
            Stored::Argon2(argon2) => {
                let Argon2Hash { decoded, key_id } = &**argon2;
                let algorithm = decoded.algorithm as u32;
                let params = &decoded.params;
                let version = decoded.version as u32;
                let head = [algorithm, version, params.memory_kib(), params.passes(), params.lanes()];
                (head, &decoded.salt[..], key_id.as_deref().unwrap_or_default())
            }
            Stored::Bcrypt(bcrypt) => {
                let version = match bcrypt.version {
                    BcryptVersion::A => b'a',
                    BcryptVersion::B => b'b',
                    BcryptVersion::X => b'x',
                    BcryptVersion::Y => b'y',
                };
                ([3, u32::from(version), bcrypt.cost, 0, 0], &bcrypt.salt[..], "")
            }
            Stored::Scrypt(scrypt) => {
                let ScryptSettings { log_n, r, p } = scrypt.settings;
                ([4, 0, log_n, r, p], &scrypt.salt[..], "")
            }
        };
        let bytes = salt.iter().chain(key_id.as_bytes()).map(|&byte| f64::from(byte));
        let lengths = [length as f64, salt.len() as f64];
        Ok(call.numbers(&head.map(f64::from).into_iter().chain(lengths).chain(bytes).collect::<Vec<_>>()))
    }
}

struct NeedsRehash(Rc<Hasher>);

impl HotFunction for NeedsRehash {
    const NAME: &'static str = "needsRehash";
    const ARGUMENTS: usize = 1;

    fn call(&self, call: &Call) -> Result<Value, Failure> {
        let settings = &self.0.settings;
        match stored(call, 0, &settings.limits) {
            Ok(stored) => Ok(call.boolean(stored.needs_rehash(settings))),
            // What asks for more than is allowed cannot be what new hashes are made with.
            Err(StoredError::Limit) => Ok(call.boolean(true)),
            Err(StoredError::Malformed) => Err(stored_failure(StoredError::Malformed)),
        }
    }
}

pub(crate) struct ReadStats(pub(crate) Rc<Hasher>);

impl HotFunction for ReadStats {
    const NAME: &'static str = "stats";
    const ARGUMENTS: usize = 0;

    fn call(&self, call: &Call) -> Result<Value, Failure> {
        let stats = self.0.pool.stats();
        Ok(call.numbers(&[
            stats.threads as f64,
            stats.running as f64,
            stats.queued as f64,
            stats.completed as f64,
            stats.rejected as f64,
            stats.arena_bytes as f64,
            stats.service_ms,
        ]))
    }
}

struct Close(Rc<Hasher>);

impl HotFunction for Close {
    const NAME: &'static str = "close";
    const ARGUMENTS: usize = 1;

    fn call(&self, call: &Call) -> Result<Value, Failure> {
        let job = call.integer(0, u32::MAX)?;
        let sender = self.0.sender.clone();
        self.0.receiver.expect();
        self.0.pool.close(move || sender.send(job, Completion::Bits(0)));
        Ok(call.undefined())
    }
}

fn refused(refusal: Refusal, is_key: bool) -> Failure {
    match refusal {
        Refusal::QueueFull if is_key => {
            Failure::new(Code::QueueFull, "too many passphrases are waiting to be made into keys: try again")
        }
        Refusal::QueueFull => {
            Failure::new(Code::QueueFull, "too many passwords are waiting to be hashed: try again")
        }
        Refusal::Closed => Failure::new(Code::Closed, "this PasswordHasher is closed: make a new one"),
        Refusal::NoThread => Failure::new(Code::Internal, "the operating system gave no thread"),
    }
}

pub(crate) fn password(call: &Call, index: usize) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let too_long = || Failure::new(Code::PasswordTooLong, "a password has at most 65,536 bytes");
    match call.secret(index)? {
        Secret::Bytes(bytes) if bytes.len() > MAX_PASSWORD_BYTES => Err(too_long()),
        Secret::Bytes(bytes) => Ok(bytes),
        Secret::Text(units) => password_from_utf16(&units).map_err(|error| match error {
            PasswordError::TooLong => too_long(),
            PasswordError::Encoding => Failure::new(
                Code::PasswordEncoding,
                "the password is not well-formed text (a lone surrogate): ask for another",
            ),
        }),
    }
}

fn stored(call: &Call, index: usize, limits: &Limits) -> Result<Stored, StoredError> {
    let text = call.characters(index, |text| {
        Ok(match text {
            // Text above ASCII is not UTF-8 here, and no hash either.
            Characters::Latin1(bytes) => {
                String::from_utf8(bytes.to_vec()).ok().filter(|text| text.is_ascii())
            }
            Characters::Utf16(_) => None,
        })
    });
    match text {
        Ok(Some(text)) => Stored::parse(&text, limits),
        _ => Err(StoredError::Malformed),
    }
}

fn hash_failure(error: HashError) -> Failure {
    match error {
        HashError::TooLong => Failure::new(
            Code::PasswordTooLong,
            "bcrypt reads 72 bytes and this password has more: use argon2id, or limit passwords to 72 bytes",
        ),
        HashError::Resources => {
            Failure::new(Code::Internal, "the operating system gave no memory or no random bytes")
        }
        HashError::UnknownKey => Failure::new(
            Code::UnknownKey,
            "the stored hash was made with a pepper that this PasswordHasher does not have: add it to 'pepper.keys'",
        ),
        // Nobody hears of it.
        HashError::Stopped => Failure::new(Code::Internal, "the job was stopped"),
    }
}

fn stored_failure(error: StoredError) -> Failure {
    match error {
        StoredError::Malformed => Failure::new(
            Code::HashMalformed,
            "the stored hash is not one that is known here (argon2, bcrypt, scrypt)",
        ),
        StoredError::Limit => Failure::new(
            Code::HashLimit,
            "the stored hash asks for more memory, passes, lanes or rounds than 'limits' allow",
        ),
    }
}
