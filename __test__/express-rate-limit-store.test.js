'use strict';

/**
 * HoldfastStore, as express-rate-limit calls it. The package itself is tested with it in consumers/frameworks.test.js.
 */

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { HoldfastStore, RateLimiter, RedisRateLimiter } = require('..');
const { MOST, Refusals } = require('../lib/refusals.js');
const { FakeIoredis } = require('./support/fake-redis.js');
const limiters = require('./support/limiters.js');

const TYPE = { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' };
const VALUE = { name: 'TypeError', code: 'ERR_INVALID_ARG_VALUE' };
const RANGE = { name: 'RangeError', code: 'ERR_OUT_OF_RANGE' };

/** A store with a limiter whose clock is `clock.now`, as is Date's, which has whole milliseconds. */
function timed(t, options, erl = {}) {
  const { clock, limiter } = limiters.timed(options);
  t.mock.restoreAll();
  t.mock.method(Date, 'now', () => Math.floor(clock.now));
  const store = new HoldfastStore({ limiter });
  store.init({ limit: options.limit, windowMs: options.windowMs, ...erl });
  return { clock, limiter, store };
}

/** Hits, and milliseconds until the reset. */
async function hit(store, clock, key = 'a') {
  const { totalHits, resetTime } = await store.increment(key);
  return [totalHits, resetTime.getTime() - Math.floor(clock.now)];
}

describe('HoldfastStore', () => {
  it('counts so that hits over the limit are those that the limiter refuses', async (t) => {
    const { store, clock } = timed(t, { limit: 3, windowMs: 9000 });
    assert.deepEqual(await hit(store, clock), [1, 3000]);
    assert.deepEqual(await hit(store, clock), [2, 6000]);
    assert.deepEqual(await hit(store, clock), [3, 9000]);
    // Until the next hit, and a millisecond for what two clocks round away.
    assert.deepEqual(await hit(store, clock), [4, 3001]);
    clock.now = 2999.5;
    assert.deepEqual(await hit(store, clock), [4, 1000], 'at least a second, as headers have nothing less');
    clock.now = 3000;
    assert.deepEqual(await hit(store, clock), [3, 9000]);
    assert.deepEqual(await hit(store, clock, 'b'), [1, 3000]);
  });

  it('says nothing of a key that has all its hits, and otherwise what they are', async (t) => {
    const { store, clock } = timed(t, { limit: 2, windowMs: 2000 });
    assert.equal(await store.get('a'), undefined);
    await store.increment('a');
    assert.deepEqual(await store.get('a'), { totalHits: 1, resetTime: new Date(1000) });
    await store.increment('a');
    assert.deepEqual(await store.get('a'), { totalHits: 2, resetTime: new Date(1001) });
    await store.increment('a');
    assert.deepEqual(await store.get('a'), { totalHits: 2, resetTime: new Date(1001) });
    clock.now = 2000;
    assert.equal(await store.get('a'), undefined);
  });

  it('gives back what is decremented, and everything for resetKey; nothing to keys it does not know', async (t) => {
    const { store, limiter } = timed(t, { limit: 3, windowMs: 3000 });
    for (const method of ['decrement', 'resetKey']) assert.equal(await store[method]('unknown'), undefined);
    assert.equal(limiter.stats().keys, 0);
    for (let count = 0; count < 3; count++) await store.increment('a');
    await store.decrement('a');
    assert.equal((await store.get('a')).totalHits, 2);
    await store.resetKey('a');
    assert.equal(await store.get('a'), undefined);
    await store.decrement('a');
    assert.equal((await store.increment('a')).totalHits, 1);
  });

  it('gives nothing back for what was refused, which took nothing', async (t) => {
    const { store, clock, limiter } = timed(t, { limit: 2, windowMs: 20_000 }, { skipFailedRequests: true });
    await store.increment('a');
    await store.increment('a');
    for (let count = 0; count < 5; count++) assert.equal((await store.increment('a')).totalHits, 3);
    for (let count = 0; count < 4; count++) await store.decrement('a');
    // Some versions give back what was refused long ago: a client can have a slow request answered before.
    clock.now = 9000;
    await store.decrement('a');
    assert.equal(limiter.peek('a').allowed, false, 'otherwise every other request would be allowed');
    await store.decrement('a');
    assert.equal(limiter.peek('a').remaining, 1, 'and this one was');
    assert.equal((await store.increment('a')).totalHits, 2);
  });

  it('gives every success back, of which a refusal is none unless it says so', async (t) => {
    for (const [statusCode, remaining] of [
      [429, 2],
      [202, 1],
    ]) {
      const erl = { skipSuccessfulRequests: true, statusCode };
      const { store, limiter } = timed(t, { limit: 2, windowMs: 20_000 }, erl);
      for (const totalHits of [1, 2, 3]) assert.equal((await store.increment('a')).totalHits, totalHits);
      await store.decrement('a');
      await store.decrement('a');
      assert.equal(limiter.peek('a').remaining, remaining);
    }
  });

  it('without these options remembers no refusals', async (t) => {
    const { store, limiter } = timed(t, { limit: 1, windowMs: 1000 });
    await store.increment('a');
    await store.increment('a');
    await store.decrement('a');
    assert.equal(limiter.peek('a').remaining, 1);
  });

  it('shows a burst over the limit as far as it can, and one under it', async (t) => {
    const large = timed(t, { limit: 2, windowMs: 2000, burst: 4 });
    const totals = async ({ store, clock }, count) => {
      const seen = [];
      while (seen.length < count) seen.push((await hit(store, clock))[0]);
      return seen;
    };
    assert.deepEqual(await totals(large, 5), [1, 1, 1, 2, 3]);
    const small = timed(t, { limit: 5, windowMs: 5000, burst: 2 });
    assert.deepEqual(await totals(small, 3), [4, 5, 6]);
  });

  it('makes its limiter of what rateLimit() has, and of its own options', async () => {
    const store = new HoldfastStore({ burst: 3, maxKeys: 10, ipv6Prefix: 64 });
    store.init({ limit: 2, windowMs: 3_600_000 });
    const totals = [];
    for (const end of [1, 2, 3, 4]) totals.push((await store.increment(`2001:db8::${end}`)).totalHits);
    assert.deepEqual(totals, [1, 1, 2, 3]);
    assert.equal((await store.increment('2001:db8:0:1::1')).totalHits, 1);
  });

  it('refuses everything for a limit of 0', async () => {
    const store = new HoldfastStore();
    store.init({ limit: 0, windowMs: 1000 });
    for (let count = 0; count < 3; count++) {
      const { totalHits, resetTime } = await store.increment('a');
      assert.equal(totalHits, 1);
      assert.ok(resetTime.getTime() > Date.now());
    }
  });

  it('takes a limiter with the limit that rateLimit() has', async () => {
    const rate = { limit: 3, windowMs: 1000 };
    for (const limiter of [new RateLimiter(rate), new RedisRateLimiter({ client: new FakeIoredis(), ...rate })]) {
      const store = new HoldfastStore({ limiter });
      assert.throws(() => store.init({ limit: 2, windowMs: 1000 }), { ...VALUE, message: /^options\.limit .*limiter/ });
      await assert.rejects(store.increment('a'), VALUE);
      new HoldfastStore({ limiter }).init({ limit: 3, windowMs: 77 });
    }
  });

  it('does what a limiter says that does not tell its limit', async () => {
    for (const limit of [1, 2.5, 5, 1e9]) {
      const own = limiters.timed({ limit: 3, windowMs: 1000 }).limiter;
      const names = ['consume', 'peek', 'refund', 'reset'];
      const limiter = Object.fromEntries(names.map((name) => [name, (key) => own[name](key)]));
      const store = new HoldfastStore({ limiter });
      store.init({ limit, windowMs: 77 });
      const allowed = [];
      for (let count = 0; count < 5; count++) {
        const { totalHits } = await store.increment('a');
        assert.ok(Number.isInteger(totalHits) && totalHits >= 1);
        allowed.push(totalHits <= limit);
      }
      assert.deepEqual(allowed, [true, true, true, false, false]);
    }
  });

  it('takes a limit that is a function with a limit of its own, or a limiter', async () => {
    const { limiter } = limiters.timed({ limit: 2, windowMs: 1000 });
    for (const store of [new HoldfastStore({ limit: 2 }), new HoldfastStore({ limiter })]) {
      store.init({ limit: () => 5, windowMs: 60_000 });
      const totals = [];
      for (let count = 0; count < 3; count++) totals.push((await store.increment('a')).totalHits);
      // Over the limit, whatever the function says that it is.
      assert.deepEqual(totals, [1, 2, Number.MAX_SAFE_INTEGER]);
    }
    const store = new HoldfastStore();
    const refused = { ...VALUE, message: /^options\.limit .*a rateLimit\(\) for each$/ };
    assert.throws(() => store.init({ limit: async () => 5, windowMs: 1000 }), refused);
    await assert.rejects(store.increment('a'), refused, 'express-rate-limit goes on after an error of init');
  });

  it('whose init failed fails every call', async () => {
    for (const [options, given, error] of [
      [{}, { limit: 5 }, TYPE],
      [{}, { limit: 5, windowMs: 0 }, RANGE],
      [{}, { limit: 5, windowMs: 0.5 }, RANGE],
      [{}, { limit: 2.5, windowMs: 1000 }, RANGE],
      [{}, { limit: NaN, windowMs: 1000 }, RANGE],
      [{}, { limit: Infinity, windowMs: 1000 }, RANGE],
      [{}, { limit: -1, windowMs: 1000 }, RANGE],
      [{}, { limit: '5', windowMs: 1000 }, TYPE],
      [{}, { windowMs: 1000 }, TYPE],
      [{ limit: 4 }, { limit: 5, windowMs: 1000 }, VALUE],
      [{ limiter: new RateLimiter({ limit: 1, windowMs: 1000 }) }, { limit: NaN, windowMs: 1000 }, RANGE],
    ]) {
      const store = new HoldfastStore(options);
      assert.throws(() => store.init(given), error, JSON.stringify(given));
      for (const method of ['increment', 'decrement', 'resetKey', 'get']) {
        await assert.rejects(store[method]('a'), error, method);
      }
    }
    const fresh = new HoldfastStore();
    for (const method of ['increment', 'decrement', 'resetKey', 'get']) {
      await assert.rejects(fresh[method]('a'), { ...VALUE, message: /^the store has no rate/ });
    }
  });

  it('is for one rateLimit(): a second one may only be the same', async () => {
    const store = new HoldfastStore();
    store.init({ limit: 2, windowMs: 60_000 });
    assert.equal((await store.increment('a')).totalHits, 1);
    store.init({ limit: 2, windowMs: 60_000, skipFailedRequests: true });
    assert.equal((await store.increment('a')).totalHits, 2, 'nothing is forgotten');
    assert.equal((await store.increment('a')).totalHits, 3);
    await store.decrement('a');
    assert.equal((await store.get('a')).totalHits, 2, 'that one was refused');
    for (const other of [
      { limit: 3, windowMs: 60_000 },
      { limit: 2, windowMs: 1000 },
      { limit: () => 2, windowMs: 60_000 },
    ]) {
      assert.throws(() => store.init(other), { ...VALUE, message: /^options\.store must be a new HoldfastStore/ });
      await assert.rejects(store.increment('a'), VALUE);
    }
    const shared = new HoldfastStore({ limit: 7 });
    shared.init({ limit: () => 1, windowMs: 1000 });
    shared.init({ limit: () => 2, windowMs: 1000 });
    assert.equal((await shared.increment('a')).totalHits, 1);
  });

  it('can be told from others by express-rate-limit', () => {
    const [first, second] = [1, 2].map(() => new RateLimiter({ limit: 1, windowMs: 1000 }));
    const [own, given, other, again] = [undefined, first, second, first].map(
      (limiter) => new HoldfastStore({ limiter }),
    );
    assert.deepEqual([own.localKeys, own.prefix], [true, '']);
    assert.deepEqual([given.localKeys, other.localKeys, again.localKeys], [false, false, false]);
    assert.notEqual(given.prefix, other.prefix);
    assert.equal(given.prefix, again.prefix);
    assert.match(given.prefix, /^\d+:$/);
  });

  it('takes a limiter that answers with promises, and passes its errors on', async () => {
    const calls = [];
    const { limiter } = limiters.timed({ limit: 1, windowMs: 1000 });
    const names = ['consume', 'peek', 'refund', 'reset'];
    const later = Object.fromEntries(
      names.map((name) => [name, async (...args) => (calls.push([name, ...args]), limiter[name](...args))]),
    );
    const store = new HoldfastStore({ limiter: later });
    store.init({ limit: 1, windowMs: 1000, skipFailedRequests: true });
    assert.deepEqual([(await store.increment('a')).totalHits, (await store.increment('a')).totalHits], [1, 2]);
    await store.decrement('a');
    await store.decrement('a');
    assert.equal(await store.get('a'), undefined);
    await store.resetKey('a');
    assert.deepEqual(
      calls.map(([name]) => name),
      ['consume', 'consume', 'refund', 'peek', 'reset'],
    );
    for (const [, ...args] of calls) assert.deepEqual(args, ['a']);
    const mine = new Error('mine');
    const fail = () => {
      throw mine;
    };
    for (const broken of [fail, async () => fail()]) {
      const failing = new HoldfastStore({ limiter: Object.fromEntries(names.map((name) => [name, broken])) });
      for (const method of ['increment', 'resetKey', 'get']) await assert.rejects(failing[method]('a'), mine);
      // The request has been answered, and some versions do not expect that this may fail.
      await failing.decrement('a');
    }
  });

  it('takes a limiter alone, with all its methods', () => {
    const limiter = new RateLimiter({ limit: 1, windowMs: 1000 });
    for (const more of [{ limit: 1 }, { burst: 1 }, { maxKeys: 1 }, { ipv6Prefix: 64 }]) {
      assert.throws(() => new HoldfastStore({ limiter, ...more }), { ...VALUE, message: /not both$/ });
    }
    for (const wrong of [null, {}, { consume() {}, peek() {}, refund() {} }, RateLimiter, 'x', { ...limiter }]) {
      assert.throws(() => new HoldfastStore({ limiter: wrong }), { ...TYPE, message: /^options\.limiter / });
    }
  });

  it('takes keys as a limiter does', async () => {
    const store = new HoldfastStore();
    store.init({ limit: 1, windowMs: 1000 });
    for (const key of [undefined, null, 5, {}]) await assert.rejects(store.increment(key), TYPE);
    await assert.rejects(store.increment('x'.repeat(65_537)), RANGE);
  });
});

describe('refusals', () => {
  it('are bounded, and those that have no room cancel what is given back to others', (t) => {
    t.mock.method(Date, 'now', () => 0);
    const refusals = new Refusals();
    for (let index = 0; index < MOST; index++) refusals.add(`key ${index}`);
    assert.equal(refusals.take('another'), false);
    refusals.add('one too many');
    refusals.add('two too many');
    assert.deepEqual([refusals.take('another'), refusals.take('one too many')], [true, true]);
    assert.equal(refusals.take('another'), false);
    assert.deepEqual([refusals.take('key 0'), refusals.take('key 0')], [true, false]);
    refusals.add('in its place');
    assert.deepEqual([refusals.take('another'), refusals.take('in its place')], [false, true]);
  });

  it('that are never taken are forgotten after an hour', (t) => {
    let now = 0;
    t.mock.method(Date, 'now', () => now);
    const refusals = new Refusals();
    for (let index = 0; index < MOST; index++) refusals.add(`key ${index}`);
    now = 3_600_000;
    refusals.add('too many');
    assert.equal(refusals.take('another'), true, 'not yet');
    now++;
    refusals.add('another');
    assert.equal(refusals.take('key 0'), false);
    assert.deepEqual([refusals.take('another'), refusals.take('another')], [true, false]);
  });

  it('are counted for each key, long ones too', (t) => {
    t.mock.method(Date, 'now', () => 0);
    const refusals = new Refusals();
    const long = 'x'.repeat(60_000);
    for (const key of ['a', 'a', long, `${long}a`]) refusals.add(key);
    assert.deepEqual(
      ['a', 'a', 'a', long, long, `${long}a`].map((key) => refusals.take(key)),
      [...[true, true, false], ...[true, false, true]],
    );
  });
});
