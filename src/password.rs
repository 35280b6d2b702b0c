//! PasswordHasher's native side: settings in, jobs onto the pool, completions back.

use std::rc::Rc;
use std::sync::Arc;

use holdfast_password::{
    Algorithm, Argon2Settings, HashError, Limits, MAX_PASSWORD_BYTES, PasswordError, Pool, Refusal, Settings,
    Stored, StoredError, Verdict, Worker, password_from_utf16,
};
use napi::Env;
use napi_derive::napi;
use zeroize::Zeroizing;

use crate::boundary::{
    Call, Characters, Code, Completion, CompletionReceiver, CompletionSender, Failure, HotFunction, Integers,
    Secret, Value, cold, completion_channel, guard, hot_function,
};

/// Every setting, checked by `lib/password.js` and checked again here.
#[napi(object, object_to_js = false)]
pub struct PasswordSettings {
    /// Whether new hashes are bcrypt, not argon2id.
    pub bcrypt: bool,
    #[napi(js_name = "memoryKiB")]
    pub memory_kib: f64,
    pub passes: f64,
    pub lanes: f64,
    pub tag_length: f64,
    pub salt_length: f64,
    pub cost: f64,
    pub threads: f64,
    pub max_queue: f64,
    #[napi(js_name = "maxMemoryKiB")]
    pub max_memory_kib: f64,
    pub max_passes: f64,
    pub max_lanes: f64,
    pub max_cost: f64,
}

/// The functions of one hasher, in this order. `dispatch(job, error, value)` is called when a job is done.
/// `hash(job, password)`: the value is the string. `verify(job, password, hasStored, stored)`: bit 0 valid, bit 1 needs
/// rehash. `needsRehash(stored) => boolean`. `stats() => number[]`: threads, running, queued, completed, rejected, arena
/// bytes, service time in milliseconds. `close(job)`: the value is 0.
#[napi(catch_unwind)]
pub fn password_hasher(env: Env, settings: PasswordSettings, dispatch: Value) -> napi::Result<Vec<Value>> {
    cold(&env, || {
        let (threads, max_queue) = (
            settings.threads.integer("threads", 1..=1024)?,
            settings.max_queue.integer("maxQueue", 0..=1 << 20)?,
        );
        let settings = read_settings(&settings)?;
        let pool = Arc::new(Pool::new(threads as usize, max_queue as usize));
        let abandoned = Arc::clone(&pool);
        let (sender, receiver) = completion_channel(&env, dispatch, move || abandoned.abandon())?;
        let hasher = Rc::new(Hasher { settings, pool, sender, receiver });
        Ok(vec![
            hot_function(&env, Hash(Rc::clone(&hasher)))?,
            hot_function(&env, Verify(Rc::clone(&hasher)))?,
            hot_function(&env, NeedsRehash(Rc::clone(&hasher)))?,
            hot_function(&env, ReadStats(Rc::clone(&hasher)))?,
            hot_function(&env, Close(hasher))?,
        ])
    })
}

/// How many threads a hasher has that was not told.
#[napi(catch_unwind)]
pub fn default_threads() -> u32 {
    std::thread::available_parallelism().map_or(1, |count| count.get().min(1024) as u32)
}

fn read_settings(settings: &PasswordSettings) -> Result<Settings, Failure> {
    let algorithm = if settings.bcrypt {
        Algorithm::Bcrypt(settings.cost.integer("cost", 4..=31)?)
    } else {
        let lanes = settings.lanes.integer("lanes", 1..=255)?;
        Algorithm::Argon2id(Argon2Settings {
            memory_kib: settings.memory_kib.integer("memoryKiB", 8 * lanes..=u32::MAX)?,
            passes: settings.passes.integer("passes", 1..=u32::MAX)?,
            lanes,
            tag_length: settings.tag_length.integer("tagLength", 12..=64)? as usize,
            salt_length: settings.salt_length.integer("saltLength", 8..=64)? as usize,
        })
    };
    let limits = Limits {
        memory_kib: settings.max_memory_kib.integer("limits.memoryKiB", 8..=u32::MAX)?,
        passes: settings.max_passes.integer("limits.passes", 1..=u32::MAX)?,
        lanes: settings.max_lanes.integer("limits.lanes", 1..=255)?,
        cost: settings.max_cost.integer("limits.cost", 4..=31)?,
    };
    Ok(Settings { algorithm, limits })
}

struct Hasher {
    settings: Settings,
    pool: Arc<Pool>,
    sender: CompletionSender,
    receiver: CompletionReceiver,
}

impl Hasher {
    /// Runs `work` on the pool, under the panic guard, and sends what it came to.
    fn submit(
        &self,
        job: u32,
        work: impl FnOnce(&mut Worker) -> Result<Completion, Failure> + Send + 'static,
    ) -> Result<(), Failure> {
        let sender = self.sender.clone();
        self.receiver.expect();
        let guarded = move |worker: &mut Worker| {
            guard(|| work(worker)).unwrap_or_else(|failure| {
                if failure.code == Code::Internal {
                    worker.clear();
                }
                Completion::Failed(failure)
            })
        };
        let submitted = self.pool.submit(guarded, move |completion| sender.send(job, completion));
        submitted.map_err(|refusal| {
            self.receiver.unexpect();
            self.refusal(refusal)
        })
    }

    fn refusal(&self, refusal: Refusal) -> Failure {
        match refusal {
            Refusal::QueueFull => {
                Failure::new(Code::QueueFull, "too many passwords are waiting to be hashed: try again")
            }
            Refusal::Closed => Failure::new(Code::Closed, "this PasswordHasher is closed: make a new one"),
            Refusal::NoThread => Failure::new(Code::Internal, "the operating system gave no thread"),
        }
    }
}

struct Hash(Rc<Hasher>);

impl HotFunction for Hash {
    const NAME: &'static str = "hash";
    const ARGUMENTS: usize = 2;

    fn call(&self, call: &Call) -> Result<Value, Failure> {
        let job = call.integer(0, u32::MAX)?;
        let password = password(call, 1)?;
        let settings = self.0.settings;
        self.0.submit(job, move |worker| {
            worker.hash(&settings, &password).map(Completion::Text).map_err(hash_failure)
        })?;
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
        let settings = self.0.settings;
        let stored = match call.integer(2, 1)? {
            0 => Ok(None),
            _ => stored(call, 3, &settings.limits).map(Some),
        };
        if stored.as_ref().err() == Some(&StoredError::Limit) {
            return Err(stored_failure(StoredError::Limit));
        }
        self.0.submit(job, move |worker| {
            // A malformed hash costs the work of a real check too: how long it took must not tell which users have one.
            let checked = stored.as_ref().ok().and_then(Option::as_ref);
            let Verdict { valid, needs_rehash } =
                worker.verify(&settings, checked, &password).map_err(hash_failure)?;
            stored.map_err(stored_failure)?;
            Ok(Completion::Bits(u32::from(valid) | (u32::from(needs_rehash) << 1)))
        })?;
        Ok(call.undefined())
    }
}

struct NeedsRehash(Rc<Hasher>);

impl HotFunction for NeedsRehash {
    const NAME: &'static str = "needsRehash";
    const ARGUMENTS: usize = 1;

    fn call(&self, call: &Call) -> Result<Value, Failure> {
        let Settings { algorithm, limits } = &self.0.settings;
        match stored(call, 0, limits) {
            Ok(stored) => Ok(call.boolean(stored.needs_rehash(algorithm))),
            // What asks for more than is allowed cannot be what new hashes are made with.
            Err(StoredError::Limit) => Ok(call.boolean(true)),
            Err(StoredError::Malformed) => Err(stored_failure(StoredError::Malformed)),
        }
    }
}

struct ReadStats(Rc<Hasher>);

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

fn password(call: &Call, index: usize) -> Result<Zeroizing<Vec<u8>>, Failure> {
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
    }
}

fn stored_failure(error: StoredError) -> Failure {
    match error {
        StoredError::Malformed => Failure::new(
            Code::HashMalformed,
            "the stored hash is not one that is known here (argon2, $2a$, $2b$, $2y$)",
        ),
        StoredError::Limit => Failure::new(
            Code::HashLimit,
            "the stored hash asks for more memory, passes, lanes or rounds than 'limits' allow",
        ),
    }
}
