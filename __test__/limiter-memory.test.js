'use strict';

/**
 * The memory of a RateLimiter: bounded whatever keys come, given back when they have recovered or the limiter is gone,
 * and who is over the limit stays so through a flood of others.
 */

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { RateLimiter } = require('..');
const { BucketModel } = require('./support/bucket-model.js');
const { runNode } = require('./support/child.js');
const { roomy, timed } = require('./support/limiters.js');

const MIB = 2 ** 20;

/** For each key, and beside them: the segment that was begun last, and the list of segments. */
const BYTES_PER_KEY = 24;
const ASIDE = 70_000;

const RATE = { limit: 10, windowMs: 10_000 };

describe('a flood of keys', () => {
  for (const maxKeys of [1, 100, 1000, 20_000, 200_000]) {
    it(`takes at most 24 bytes for each of ${maxKeys} keys, and is counted`, (t) => {
      const { limiter, clock } = timed({ ...RATE, maxKeys });
      const flood = 10 * Math.max(maxKeys, 100);
      let [most, allowed] = [0, 0];
      for (let index = 0; index < flood; index++) {
        // All of them stay in use: a token takes a second.
        clock.now = (index * 500) / flood;
        allowed += Number(limiter.consume(`address ${index}`).allowed);
        if (index % 256 === 0) most = Math.max(most, limiter.stats().bytes);
      }
      const { keys, bytes, evictions } = limiter.stats();
      t.diagnostic(JSON.stringify({ flood, keys, bytes, evictions, most }));
      assert.ok(keys >= maxKeys * 0.9, 'there is room for as many as were asked for');
      assert.ok(most <= BYTES_PER_KEY * maxKeys + ASIDE, `${most} bytes`);
      assert.ok(keys * 16 <= bytes, 'each one takes a hash and a time');
      assert.equal(keys + evictions, allowed, 'who is let through is stored, or it or another one is not');
      assert.ok(evictions > maxKeys);
    });
  }

  it('evicts nobody while there is room', () => {
    const { limiter, evictions: before } = roomy({ ...RATE, maxKeys: 100_000 });
    for (let index = 0; index < 100_000; index++) assert.ok(limiter.consume(`address ${index}`).allowed);
    const { keys, evictions, bytes } = limiter.stats();
    // A set of 28 cells can be full by chance.
    assert.ok(evictions - before <= 10, String(evictions - before));
    assert.ok(keys >= 99_990 && keys <= 110_000, String(keys));
    assert.ok(bytes <= BYTES_PER_KEY * 100_000 + ASIDE);
  });

  it('evicts nobody while the table grows', () => {
    let [evicted, refused] = [0, 0];
    for (let round = 0; round < 3000; round++) {
      const { limiter } = timed({ limit: 1, windowMs: 60_000 });
      for (let index = 0; index < 150; index++) refused += Number(!limiter.consume(`address ${index}`).allowed);
      evicted += limiter.stats().evictions;
    }
    assert.deepEqual({ evicted, refused }, { evicted: 0, refused: 0 });
  });

  for (const [times, isExact] of [
    [3, true],
    [10, false],
  ]) {
    const title = isExact ? 'is told what it would be told alone' : 'is never allowed sooner';
    it(`of ${times} times as many as there is room for: whoever was over the limit ${title}`, () => {
      for (const maxKeys of [100, 1000]) {
        const { limiter, clock, start, evictions } = roomy({ ...RATE, maxKeys });
        const model = new BucketModel(RATE);
        model.at(start);
        const drained = Array.from({ length: maxKeys / 10 }, (_, index) => `drained ${index}`);
        for (const key of drained) assert.deepEqual(limiter.consume(key, 10), model.consume(key, 10));
        const flood = times * maxKeys;
        const counts = { refused: 0, allowed: 0 };
        for (let index = 0; index < flood; index++) {
          clock.now = start + (index * 2000) / flood;
          limiter.consume(`address ${index}`);
          if (index % (maxKeys / 20) > 0) continue;
          model.at(clock.now);
          for (const key of drained) {
            const [actual, expected] = [limiter.peek(key), model.peek(key)];
            counts[actual.allowed ? 'allowed' : 'refused']++;
            if (isExact) assert.deepEqual(actual, expected, `${key} at ${clock.now}`);
            assert.ok(expected.allowed || !actual.allowed, `${key} at ${clock.now}`);
            assert.ok(actual.retryAfterMs >= expected.retryAfterMs && actual.remaining <= expected.remaining);
          }
        }
        assert.ok(limiter.stats().evictions - evictions > flood / 5);
        assert.ok(counts.refused > 0 && (!isExact || counts.allowed > 0));
      }
    });
  }

  it('of keys as full as any makes nobody fuller', () => {
    // Even where those that are over the limit have to make room for each other.
    const { limiter } = timed({ ...RATE, maxKeys: 100 });
    const keys = Array.from({ length: 1000 }, (_, index) => `drained ${index}`);
    let allowed = 0;
    for (let round = 0; round < 3; round++) for (const key of keys) allowed += Number(limiter.consume(key, 10).allowed);
    assert.ok(allowed >= 90 && allowed <= 1000, String(allowed));
    const before = keys.map((key) => limiter.consume(key, 10).allowed);
    assert.ok(!before.some(Boolean), 'by now each of them has had its ten tokens, or none');
  });
});

describe('keys that have recovered', () => {
  it('make room without being evicted, for ever', () => {
    const { limiter, clock, start, evictions } = roomy({ ...RATE, maxKeys: 1000 });
    for (let index = 0; index < 50_000; index++) {
      // 900 are in use at any time.
      clock.now = start + (index * 1000) / 900;
      assert.equal(limiter.consume(`address ${index}`).remaining, 9, String(index));
    }
    assert.equal(limiter.stats().evictions, evictions);
    assert.ok(limiter.stats().keys <= 1300);
  });

  it('are no longer counted when new ones have come', () => {
    const { limiter, clock } = timed({ ...RATE, maxKeys: 10_000 });
    for (let index = 0; index < 10_000; index++) limiter.consume(`address ${index}`);
    const { keys: before, evictions } = limiter.stats();
    assert.ok(before > 9000);
    clock.now = 20_000;
    for (let index = 0; index < 1000; index++) limiter.consume(`other ${index}`);
    assert.ok(limiter.stats().keys < before / 2, JSON.stringify(limiter.stats()));
    assert.equal(limiter.stats().evictions, evictions);
  });

  it('give their memory back after a flood', () => {
    const { limiter, clock } = timed({ ...RATE, maxKeys: 1_000_000 });
    for (let index = 0; index < 300_000; index++) limiter.consume(`address ${index}`);
    const { bytes: flooded } = limiter.stats();
    assert.ok(flooded > 4.5 * MIB && flooded < BYTES_PER_KEY * 400_000, String(flooded));
    for (let index = 0; index < 60_000; index++) {
      clock.now = 20_000 + index * 10;
      assert.equal(limiter.consume(`other ${index}`).remaining, 9);
    }
    const { bytes, keys } = limiter.stats();
    assert.ok(bytes < flooded / 3, `${bytes} of ${flooded}`);
    assert.ok(keys < 60_000);
  });

  it('leave those that have not as they are, while the table grows and gets smaller', () => {
    const rate = { limit: 100, windowMs: 100_000 };
    const { limiter, clock } = timed({ ...rate, maxKeys: 1_000_000 });
    for (let index = 0; index < 5000; index++) limiter.consume(`warm ${index}`);
    const start = 1_000_000;
    clock.now = start;
    const model = new BucketModel(rate);
    model.at(start);
    const drained = Array.from({ length: 500 }, (_, index) => `drained ${index}`);
    const sizes = new Set();
    let exact = 0;
    const compare = () => {
      sizes.add(limiter.stats().bytes >> 20);
      model.at(clock.now);
      exact = 0;
      for (const key of drained) {
        const [actual, expected] = [limiter.peek(key), model.peek(key)];
        assert.ok(actual.remaining <= expected.remaining && actual.resetMs >= expected.resetMs, key);
        exact += Number(actual.resetMs === expected.resetMs);
      }
    };
    for (const key of drained) assert.equal(limiter.consume(key, 100).allowed, model.consume(key, 100).allowed);
    for (let index = 0; index < 300_000; index++) {
      limiter.consume(`address ${index}`);
      if (index % 10_000 === 0) compare();
    }
    for (let index = 0; index < 60_000; index++) {
      clock.now = start + 2000 + index;
      limiter.consume(`other ${index}`);
      if (index % 2000 === 0) compare();
    }
    assert.ok(sizes.size > 4, [...sizes].join());
    assert.ok(limiter.stats().bytes < 3 * MIB);
    assert.ok(exact > 0.99 * drained.length, String(exact));
  });

  it('of a whole table can be forgotten by one call after years', () => {
    const { limiter, clock } = timed({ limit: 1e9, windowMs: 1, burst: 1e9, maxKeys: 1000 });
    for (let index = 0; index < 5000; index++) limiter.consume(`address ${index}`, 1e9);
    clock.now = 2 ** 41;
    for (let index = 0; index < 100; index++) {
      assert.equal(limiter.consume(`address ${index}`, 1e9).allowed, true);
      assert.equal(limiter.consume(`address ${index}`).allowed, false);
    }
  });
});

describe('the memory of limiters', { skip: process.platform === 'win32' && 'what RSS is differs' }, () => {
  it('that are collected is given back, and V8 collects them as it knows what they take', async (t) => {
    const { code, signal, stdout, stderr } = await runNode(
      `
      const { RateLimiter } = require(holdfast);
      const { setImmediate: turn } = require('node:timers/promises');
      const keys = Array.from({ length: 100_000 }, (_, index) => 'address ' + index);
      const filled = () => {
        const limiter = new RateLimiter({ limit: 1, windowMs: 3_600_000 });
        for (const key of keys) limiter.consume(key);
        return limiter.stats().bytes;
      };
      (async () => {
        const rss = {};
        for (const isAsked of [true, false]) {
          filled();
          const start = process.memoryUsage.rss();
          let bytes = 0;
          for (let count = 0; count < 60; count++) {
            bytes += filled();
            if (isAsked) gc();
            // In a turn of its own what was collected is finalized.
            await turn();
          }
          rss[isAsked ? 'asked' : 'unasked'] = { bytes, rss: process.memoryUsage.rss() - start };
        }
        console.log(JSON.stringify(rss));
      })();`,
      { flags: ['--expose-gc'] },
    );
    assert.equal(code, 0, `${signal} ${stderr}`);
    t.diagnostic(stdout.trim());
    for (const { bytes, rss } of Object.values(JSON.parse(stdout))) {
      assert.ok(bytes > 100 * MIB);
      assert.ok(rss < bytes / 2, `${rss} of ${bytes}`);
    }
  });

  it('that are small and many is given back too', async () => {
    const { code, stdout, stderr } = await runNode(
      `
      const { RateLimiter } = require(holdfast);
      const { setImmediate: turn } = require('node:timers/promises');
      (async () => {
        const rounds = [];
        for (let round = 0; round < 24; round++) {
          for (let count = 0; count < 5000; count++) {
            new RateLimiter({ limit: 1, windowMs: 1000 }).consume('a');
            if (count % 500 === 0) await turn();
          }
          gc();
          await turn();
          gc();
          await turn();
          rounds.push(process.memoryUsage.rss());
        }
        // V8 and the allocator take some rounds to have what they need.
        console.log(rounds.at(-1) - rounds[11]);
      })();`,
      { flags: ['--expose-gc'] },
    );
    assert.equal(code, 0, stderr);
    // 60,000 limiters of 1 KiB and more, kept, would be over it.
    assert.ok(Number(stdout) < 32 * MIB, stdout);
  });
});
