//! The native side of RateLimiter: one crossing for each call, a number as the answer, from which `lib/rate.js` makes the result.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use holdfast_limiter::{Answer, Key, Limiter, Rate, group};
use napi::Env;
use napi_derive::napi;

use crate::boundary::{
    Call, Characters, Code, ExternalMemory, Failure, HotFunction, Integers, Value, cold, hot_function,
    microseconds,
};

/// The table grows by 64 KiB at a time; V8 is told of every so many bytes.
const ANNOUNCED_BYTES: usize = 1 << 20;

/// Of an IPv6 address.
const MOST_BITS: u32 = 128;

const MOST_TOKENS: u32 = 1_000_000_000;

const MOST_KEYS: u32 = 1_000_000_000;

/// A rate in whole numbers: `[interval, units in a microsecond]`. The product of interval and burst is at most 2^52.
#[napi(catch_unwind)]
pub fn limiter_rate(env: Env, limit: f64, window_ms: f64, burst: f64) -> napi::Result<Vec<f64>> {
    cold(&env, || {
        let rate = rate(limit, window_ms, burst)?;
        // Both are at most 2^52.
        Ok(vec![rate.interval() as f64, rate.per_microsecond() as f64])
    })
}

/// The functions of one limiter, in this order. A level is a number of units of the rate; `now`, in microseconds, is read when
/// `is_timed`, and otherwise the system's clock.
/// `take(key)`: as `consume` of one token by the system's clock;
/// `consume(key, cost, now)`: the level after the tokens were taken, or -1 less the level when they were refused;
/// `peek(key, now)`: the level; `refund(key, cost, now)`; `raise(key, level, now)`: to this level, if it is lower;
/// `reset(key, now)`; `stats()`: `[keys, bytes, evictions]`.
#[napi(catch_unwind)]
pub fn rate_limiter(
    env: Env,
    limit: f64,
    window_ms: f64,
    burst: f64,
    max_keys: f64,
    ipv6_prefix: f64,
    is_timed: bool,
) -> napi::Result<Vec<Value>> {
    cold(&env, || {
        let rate = rate(limit, window_ms, burst)?;
        let keys = max_keys.integer("maxKeys", 1..=MOST_KEYS)?;
        let prefix = ipv6_prefix.integer("ipv6Prefix", 1..=MOST_BITS)?;
        let mut seed = [0; 32];
        holdfast_aead::random(&mut seed)
            .map_err(|_| Failure::new(Code::Internal, "the operating system gave no random bytes"))?;
        let limiter = Rc::new(Shared {
            limiter: RefCell::new(Limiter::new(rate, keys as usize, &seed)),
            prefix,
            is_timed,
            announced: Cell::new(0),
            memory: RefCell::new(ExternalMemory::announce(&env, 0)),
        });
        Ok(vec![
            hot_function(&env, Take(Rc::clone(&limiter)))?,
            hot_function(&env, Consume(Rc::clone(&limiter)))?,
            hot_function(&env, Peek(Rc::clone(&limiter)))?,
            hot_function(&env, Refund(Rc::clone(&limiter)))?,
            hot_function(&env, Raise(Rc::clone(&limiter)))?,
            hot_function(&env, Reset(Rc::clone(&limiter)))?,
            hot_function(&env, ReadStats(limiter))?,
        ])
    })
}

/// `(key, bits) => string`: what stands for an address, or the text as it is.
#[napi(catch_unwind)]
pub fn ip_group(env: Env) -> napi::Result<Value> {
    cold(&env, || hot_function(&env, GroupAddress))
}

fn rate(limit: f64, window_ms: f64, burst: f64) -> Result<Rate, Failure> {
    /// 366 days.
    const MOST_WINDOW_MS: f64 = 366.0 * 86_400_000.0;
    let limit = limit.integer("limit", 1..=MOST_TOKENS)?;
    let burst = burst.integer("burst", 1..=MOST_TOKENS)?;
    if !(1.0..=MOST_WINDOW_MS).contains(&window_ms) || window_ms.fract() != 0.0 {
        return Err(Failure::new(Code::OutOfRange, "windowMs must be an integer of at most 366 days"));
    }
    // In range and whole: the cast is exact.
    Rate::new(limit.into(), window_ms as u64 * 1000, burst.into()).ok_or_else(|| {
        Failure::new(
            Code::OutOfRange,
            "options.burst must be small enough to be full again in 142 years: windowMs / limit is the time for one token",
        )
    })
}

struct Shared {
    limiter: RefCell<Limiter>,
    prefix: u32,
    is_timed: bool,
    announced: Cell<usize>,
    memory: RefCell<ExternalMemory>,
}

impl Shared {
    #[inline]
    fn with<T>(
        &self,
        call: &Call,
        now: usize,
        body: impl FnOnce(&mut Limiter, Key, u64) -> T,
    ) -> Result<T, Failure> {
        let now = if self.is_timed { call.safe_integer(now)? } else { microseconds() };
        self.at(call, now, body)
    }

    /// Calls never nest, as no JavaScript runs in them.
    #[inline]
    fn at<T>(
        &self,
        call: &Call,
        now: u64,
        body: impl FnOnce(&mut Limiter, Key, u64) -> T,
    ) -> Result<T, Failure> {
        let limiter = &mut *self.limiter.borrow_mut();
        let key = call.characters(0, |text| {
            Ok(match text {
                Characters::Latin1(text) => match group(text, self.prefix) {
                    Some(address) => limiter.key(address.as_bytes()),
                    None => limiter.key(text),
                },
                Characters::Utf16(text) => limiter.wide_key(text),
            })
        })?;
        let result = body(limiter, key, now);
        let bytes = limiter.stats().bytes;
        if bytes.abs_diff(self.announced.get()) >= ANNOUNCED_BYTES {
            self.announced.set(bytes);
            self.memory.borrow_mut().change(bytes);
        }
        Ok(result)
    }
}

struct Take(Rc<Shared>);

impl HotFunction for Take {
    const NAME: &'static str = "take";
    const ARGUMENTS: usize = 1;

    fn call(&self, call: &Call) -> Result<Value, Failure> {
        let answer = self.0.at(call, microseconds(), |limiter, key, now| limiter.consume(key, 1, now))?;
        Ok(encoded(call, answer))
    }
}

struct Consume(Rc<Shared>);

impl HotFunction for Consume {
    const NAME: &'static str = "consume";
    const ARGUMENTS: usize = 3;

    fn call(&self, call: &Call) -> Result<Value, Failure> {
        let cost = call.integer(1, MOST_TOKENS)?;
        let answer = self.0.with(call, 2, |limiter, key, now| limiter.consume(key, cost.into(), now))?;
        Ok(encoded(call, answer))
    }
}

#[inline]
fn encoded(call: &Call, answer: Answer) -> Value {
    match answer {
        Answer::Taken(level) => call.whole(level),
        Answer::Refused(level) => call.double(-1.0 - level as f64),
    }
}

struct Peek(Rc<Shared>);

impl HotFunction for Peek {
    const NAME: &'static str = "peek";
    const ARGUMENTS: usize = 2;

    fn call(&self, call: &Call) -> Result<Value, Failure> {
        let level = self.0.with(call, 1, Limiter::peek)?;
        Ok(call.whole(level))
    }
}

struct Refund(Rc<Shared>);

impl HotFunction for Refund {
    const NAME: &'static str = "refund";
    const ARGUMENTS: usize = 3;

    fn call(&self, call: &Call) -> Result<Value, Failure> {
        let cost = call.integer(1, MOST_TOKENS)?;
        self.0.with(call, 2, |limiter, key, now| limiter.refund(key, cost.into(), now))?;
        Ok(call.undefined())
    }
}

struct Raise(Rc<Shared>);

impl HotFunction for Raise {
    const NAME: &'static str = "raise";
    const ARGUMENTS: usize = 3;

    fn call(&self, call: &Call) -> Result<Value, Failure> {
        let level = call.safe_integer(1)?;
        self.0.with(call, 2, |limiter, key, now| limiter.raise(key, level, now))?;
        Ok(call.undefined())
    }
}

struct Reset(Rc<Shared>);

impl HotFunction for Reset {
    const NAME: &'static str = "reset";
    const ARGUMENTS: usize = 2;

    fn call(&self, call: &Call) -> Result<Value, Failure> {
        self.0.with(call, 1, Limiter::reset)?;
        Ok(call.undefined())
    }
}

struct ReadStats(Rc<Shared>);

impl HotFunction for ReadStats {
    const NAME: &'static str = "stats";
    const ARGUMENTS: usize = 0;

    fn call(&self, call: &Call) -> Result<Value, Failure> {
        let stats = self.0.limiter.borrow().stats();
        Ok(call.numbers(&[stats.keys as f64, stats.bytes as f64, stats.evictions as f64]))
    }
}

struct GroupAddress;

impl HotFunction for GroupAddress {
    const NAME: &'static str = "group";
    const ARGUMENTS: usize = 2;

    fn call(&self, call: &Call) -> Result<Value, Failure> {
        let prefix = call.integer(1, MOST_BITS)?;
        call.characters(0, |text| {
            let group = match text {
                Characters::Latin1(text) => group(text, prefix),
                Characters::Utf16(_) => None,
            };
            match group {
                Some(group) => call.string(Characters::Latin1(group.as_bytes())),
                None => Ok(call.argument(0)),
            }
        })
    }
}
