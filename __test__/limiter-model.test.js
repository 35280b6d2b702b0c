'use strict';

/**
 * RateLimiter against a model in exact fractions (support/bucket-model.js): the same answers, field by field, wherever
 * all keys have room; never more than the model allows where they have not.
 *
 * More with HOLDFAST_TRACES, from another start with HOLDFAST_SEED.
 */

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { RateLimiter } = require('..');
const { BucketModel } = require('./support/bucket-model.js');
const { Random } = require('./support/random.js');

const SEED = Number(process.env.HOLDFAST_SEED ?? 1);
const TRACES = Number(process.env.HOLDFAST_TRACES ?? 400);
const STEPS = 300;

const DAY = 86_400_000;
const YEAR = 366 * DAY;
const LATEST = 2 ** 42;

/** Rates that are whole numbers as they are, or nearly so; the others are rounded, see below. */
const RATES = [
  { limit: 7, windowMs: 1000 },
  { limit: 1, windowMs: 1 },
  { limit: 3, windowMs: 1000, burst: 1 },
  { limit: 1e9, windowMs: DAY },
  { limit: 1e9, windowMs: DAY, burst: 3 },
  { limit: 1e9, windowMs: 1 },
  { limit: 5, windowMs: 60_000, burst: 1000 },
  { limit: 100, windowMs: 60_000 },
  { limit: 1, windowMs: YEAR, burst: 142 },
  { limit: 999_983, windowMs: 1000, burst: 10 },
  { limit: 8191, windowMs: 131_071, burst: 127 },
];

function randomRate(random) {
  const limit = 1 + random.below(random.pick([3, 100, 10_000]));
  const windowMs = 1 + random.below(random.pick([10, 5000, DAY]));
  return random.below(2) === 0 ? { limit, windowMs } : { limit, windowMs, burst: 1 + random.below(2 * limit) };
}

/** A time after `now`, and now and then one before it: from parts of a microsecond to years. */
function later(random, now, { limit, windowMs, burst = limit }) {
  const token = windowMs / limit;
  const step = random.pick([
    0,
    0.0004,
    0.001,
    random.below(3000) / 1000,
    token,
    token - 0.001,
    token * random.below(5),
    (token * random.below(1000)) / 300,
    windowMs,
    burst * token,
    burst * token - 0.001,
    -random.below(10_000) / 7,
  ]);
  const jump = random.below(150) === 0 ? random.pick([YEAR, 5 * YEAR, -now]) : 0;
  return Math.min(LATEST, Math.max(0, now + step + jump));
}

function randomCost(random, { limit, burst = limit }) {
  const costs = [1, 1, 1, 1, 0, 2, 1 + random.below(burst), burst, burst + 1];
  return Math.min(1e9, random.pick(costs));
}

/** The next call: its name and its arguments. */
function randomCall(random, rate, keys) {
  const key = random.pick(keys);
  const kind = random.below(20);
  if (kind < 12) return ['consume', key, randomCost(random, rate)];
  if (kind < 14) return ['peek', key];
  if (kind < 16) return ['refund', key, randomCost(random, rate)];
  if (kind < 17) return ['reset', key];
  const several = [key, ...random.list(3, () => random.pick(keys))];
  return ['consumeMany', several, randomCost(random, rate)];
}

describe('RateLimiter', () => {
  it(`answers as the model does: ${TRACES} traces of ${STEPS} calls`, (t) => {
    const random = new Random(SEED);
    const counts = { calls: 0, allowed: 0, refused: 0 };
    for (let trace = 0; trace < TRACES; trace++) {
      const rate = trace < 3 * RATES.length ? RATES[trace % RATES.length] : randomRate(random);
      const keys = Array.from({ length: 1 + random.below(6) }, (_, index) => `key ${index}`);
      let now = random.pick([0, 0.5, 1e6, 1.7e12, 2 ** 41, LATEST - 1000]);
      const model = new BucketModel(rate);
      const limiter = new RateLimiter({ ...rate, now: () => now });
      const calls = [];
      for (let step = 0; step < STEPS; step++) {
        now = later(random, now, rate);
        const [name, ...args] = randomCall(random, rate, keys);
        calls.push([now, name, ...args]);
        model.at(now);
        const [actual, expected] = [limiter[name](...args), model[name](...args)];
        const same = name === 'refund' || name === 'reset' || isSame(actual, expected);
        if (!same) assert.deepEqual(actual, expected, JSON.stringify({ trace, rate, calls: calls.slice(-10) }));
        counts.calls++;
        if (actual !== undefined) counts[actual.allowed ? 'allowed' : 'refused']++;
      }
      assert.equal(limiter.stats().evictions, 0);
    }
    t.diagnostic(JSON.stringify(counts));
    assert.ok(Math.min(counts.allowed, counts.refused) > counts.calls / 10, 'both happen often');
  });

  it('is slower than the model by less than a millionth where whole numbers cannot hold a rate', () => {
    for (const rate of [
      { limit: 999_999_937, windowMs: 1000 },
      { limit: 999_999_937, windowMs: 3_600_000, burst: 1e9 },
      { limit: 999_999_937, windowMs: YEAR },
      { limit: 999_999_929, windowMs: 2_147_483_647, burst: 1e9 },
    ]) {
      const { limit, windowMs, burst = limit } = rate;
      let now = 0;
      const limiter = new RateLimiter({ ...rate, now: () => now });
      const model = new BucketModel(rate);
      limiter.consume('a', burst);
      model.consume('a', burst);
      for (const part of [1e-6, 1e-3, 0.1, 0.5, 0.999]) {
        now = (windowMs * burst * part) / limit;
        model.at(now);
        const [slow, exact] = [limiter.peek('a').remaining, model.peek('a').remaining];
        assert.ok(slow <= exact, `${slow} of ${exact}`);
        assert.ok(exact - slow <= 1 + exact / 1e6, `${slow} of ${exact}`);
      }
    }
  });

  it('keeps its times exact when the finest ones move to another epoch, for years', () => {
    // Units of 2^-30 microseconds: 2^62 of them are 71 minutes.
    const rate = { limit: 999_999_937, windowMs: 1, burst: 2 };
    let now = 0;
    const limiter = new RateLimiter({ ...rate, now: () => now });
    for (let hour = 0; hour < 5000; hour++) {
      now = hour * 3_600_000;
      assert.equal(limiter.consume('a', 2).allowed, true);
      assert.equal(limiter.consume('a').allowed, false);
      now += 0.0015;
      assert.equal(limiter.consume('a', 2).allowed, true);
    }
  });
});

/** As deepEqual, which takes longer. */
function isSame(actual, expected) {
  for (const name in expected) if (!Object.is(actual[name], expected[name])) return false;
  return Object.keys(actual).length === 5;
}

describe('with more keys than there is room for', () => {
  // The smallest table has 14 cells.
  for (const [maxKeys, live] of [
    [1, 42],
    [100, 300],
    [1000, 3000],
  ]) {
    it(`no key is allowed more than the model allows: ${live} keys for ${maxKeys}`, (t) => {
      const random = new Random(SEED + maxKeys);
      const rate = { limit: 5, windowMs: 10_000, burst: 8 };
      let now = 0;
      const limiter = new RateLimiter({ ...rate, maxKeys, now: () => now });
      const model = new BucketModel(rate);
      const [counts, seen] = [{ allowed: 0, refused: 0, stricter: 0 }, []];
      // Enough hits that three times as many keys are always in use as there is room for.
      for (let step = 0; step < 100_000; step++) {
        now += random.below(2) === 0 ? 0 : 5000 / live;
        model.at(now);
        const key = `key ${random.below(live)}`;
        const kind = random.below(30);
        if (kind === 0) {
          // What is given back was taken: only where the limiter did allow it.
          if (seen.length > 0) {
            const taken = seen.splice(random.below(seen.length), 1)[0];
            limiter.refund(taken);
            model.refund(taken);
          }
          continue;
        }
        if (kind === 1) {
          limiter.reset(key);
          model.reset(key);
          continue;
        }
        if (kind === 2) {
          const several = [key, ...random.list(3, () => `key ${random.below(live)}`)];
          if (limiter.consumeMany(several).allowed) {
            assert.equal(model.consumeMany(several).allowed, true, `step ${step}, ${several}`);
            seen.push(...several);
          }
          continue;
        }
        const cost = random.pick([1, 1, 1, 2, 5]);
        const before = model.peek(key);
        const peeked = limiter.peek(key);
        assert.ok(peeked.remaining <= before.remaining, `${peeked.remaining} of ${before.remaining}`);
        assert.ok(peeked.resetMs >= before.resetMs && peeked.retryAfterMs >= before.retryAfterMs);
        const { allowed } = limiter.consume(key, cost);
        if (!allowed) {
          counts.refused++;
          if (before.remaining >= cost) counts.stricter++;
          continue;
        }
        counts.allowed++;
        assert.equal(model.consume(key, cost).allowed, true, `step ${step}, ${key}, cost ${cost}`);
        seen.push(...Array(cost).fill(key));
        if (seen.length > 1000) seen.splice(0, 500);
      }
      const { keys, evictions } = limiter.stats();
      t.diagnostic(JSON.stringify({ ...counts, keys, evictions }));
      assert.ok(counts.stricter > 0 && evictions > 0, 'otherwise there was room enough');
      assert.ok(counts.allowed > 1000 && counts.refused > 1000);
    });
  }
});
