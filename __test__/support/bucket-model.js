'use strict';

/**
 * A rate limiter as in a textbook, for comparison: a token bucket for each key, which is filled whenever it is looked at,
 * in exact fractions. Not GCRA, no table, no limit to its memory.
 *
 * Tokens are counted in parts, of which `window` make one token, so that in a microsecond `limit` parts come in.
 */
class BucketModel {
  #buckets = new Map();
  #now = 0n;

  /** @param {{ limit: number, windowMs: number, burst?: number }} rate */
  constructor({ limit, windowMs, burst = limit }) {
    this.limit = BigInt(limit);
    this.window = BigInt(windowMs) * 1000n;
    this.burst = BigInt(burst);
    this.full = this.burst * this.window;
  }

  /** Sets the time, in milliseconds, of which microseconds count. It does not go back. */
  at(milliseconds) {
    const now = BigInt(Math.floor(milliseconds * 1000));
    if (now > this.#now) this.#now = now;
  }

  consume(key, cost = 1) {
    const bucket = this.#filled(key);
    const price = BigInt(cost) * this.window;
    const allowed = bucket.parts >= price;
    const missing = price - bucket.parts;
    if (allowed) bucket.parts -= price;
    return this.#answer(bucket, allowed, cost, missing);
  }

  consumeMany(keys, cost = 1) {
    const price = BigInt(cost) * this.window;
    const counts = new Map();
    for (const key of keys) counts.set(key, (counts.get(key) ?? 0n) + price);
    const buckets = Array.from(counts, ([key, all]) => ({ bucket: this.#filled(key), all }));
    const allowed = buckets.every(({ bucket, all }) => bucket.parts >= all);
    if (allowed) for (const { bucket, all } of buckets) bucket.parts -= all;
    const answers = buckets.map(({ bucket, all }) =>
      this.#answer(bucket, allowed, Number(all / this.window), all - bucket.parts),
    );
    const most = (name) => Math.max(...answers.map((answer) => answer[name]));
    return {
      ...answers[0],
      remaining: Math.min(...answers.map(({ remaining }) => remaining)),
      retryAfterMs: most('retryAfterMs'),
      resetMs: most('resetMs'),
    };
  }

  peek(key) {
    const bucket = this.#filled(key);
    return this.#answer(bucket, bucket.parts >= this.window, 1, this.window - bucket.parts);
  }

  refund(key, cost = 1) {
    const bucket = this.#filled(key);
    const parts = bucket.parts + BigInt(cost) * this.window;
    bucket.parts = parts < this.full ? parts : this.full;
  }

  reset(key) {
    this.#buckets.delete(key);
  }

  #filled(key) {
    let bucket = this.#buckets.get(key);
    if (bucket === undefined) this.#buckets.set(key, (bucket = { parts: this.full, time: this.#now }));
    const parts = bucket.parts + (this.#now - bucket.time) * this.limit;
    bucket.parts = parts < this.full ? parts : this.full;
    bucket.time = this.#now;
    return bucket;
  }

  #answer({ parts }, allowed, cost, missing) {
    return {
      allowed,
      limit: Number(this.limit),
      remaining: Number(parts / this.window),
      retryAfterMs: allowed ? 0 : BigInt(cost) > this.burst ? Infinity : Math.max(0, this.#milliseconds(missing)),
      resetMs: this.#milliseconds(this.full - parts),
    };
  }

  /** In which so many parts come in, rounded up. */
  #milliseconds(parts) {
    const perMillisecond = this.limit * 1000n;
    return parts <= 0n ? 0 : Number((parts + perMillisecond - 1n) / perMillisecond);
  }
}

module.exports = { BucketModel };
