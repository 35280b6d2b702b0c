'use strict';

/**
 * HoldfastThrottlerStorage, as the guard of @nestjs/throttler calls it. The module itself is tested with it in
 * consumers/frameworks.test.js.
 */

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { HoldfastThrottlerStorage } = require('..');
const { MOST_RATES } = require('../lib/nest-throttler-storage.js');

const TYPE = { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' };
const VALUE = { name: 'TypeError', code: 'ERR_INVALID_ARG_VALUE' };
const RANGE = { name: 'RangeError', code: 'ERR_OUT_OF_RANGE' };

/** A storage and its clock; `hit` answers with a list, in the order of the type's fields. */
function timed({ ttl = 10_000, limit = 2, blockDuration = ttl, name = 'default', ...options } = {}) {
  const clock = { now: 0 };
  const storage = new HoldfastThrottlerStorage({ ...options, now: () => clock.now });
  const hit = async (key = 'key', rate = {}) => {
    const given = { ttl, limit, blockDuration, name, ...rate };
    const record = await storage.increment(key, given.ttl, given.limit, given.blockDuration, given.name);
    assert.deepEqual(Object.keys(record), ['totalHits', 'timeToExpire', 'isBlocked', 'timeToBlockExpire']);
    return Object.values(record);
  };
  return { clock, storage, hit };
}

describe('HoldfastThrottlerStorage', () => {
  it('counts hits, in seconds rounded up', async () => {
    const { clock, hit } = timed();
    assert.deepEqual(await hit(), [1, 5, false, 0]);
    assert.deepEqual(await hit(), [2, 10, false, 0]);
    clock.now = 4999;
    assert.deepEqual(await hit('another'), [1, 5, false, 0]);
    clock.now = 5000;
    assert.deepEqual(await hit(), [2, 10, false, 0], 'one has come back');
    clock.now = 15_001;
    assert.deepEqual(await hit(), [1, 5, false, 0]);
    clock.now = 15_002;
    assert.deepEqual(await hit(), [2, 10, false, 0]);
  });

  it('blocks for blockDuration from the first hit over the limit, which others do not prolong', async () => {
    const { clock, hit } = timed({ blockDuration: 30_000 });
    await hit();
    await hit();
    clock.now = 1000;
    assert.deepEqual(await hit(), [3, 30, true, 30]);
    for (const [now, left] of [
      [1001, 30],
      [2000, 29],
      [15_000, 16],
      [30_999, 1],
      [30_999.9, 1],
    ]) {
      clock.now = now;
      assert.deepEqual((await hit()).slice(2), [true, left], String(now));
      assert.equal((await hit())[0], 3);
    }
    clock.now = 31_000;
    assert.deepEqual(await hit(), [1, 5, false, 0]);
  });

  it('blocks for ttl by default, though one hit would have come back before', async () => {
    const { clock, hit } = timed();
    await hit();
    await hit();
    assert.deepEqual(await hit(), [3, 10, true, 10]);
    clock.now = 5000;
    assert.deepEqual(await hit(), [3, 5, true, 5]);
    clock.now = 9999;
    assert.deepEqual(await hit(), [3, 1, true, 1]);
    clock.now = 10_000;
    assert.deepEqual(await hit(), [1, 5, false, 0]);
  });

  it('without a block lets hits through as they come back', async () => {
    for (const blockDuration of [0, -1]) {
      const { clock, hit } = timed({ blockDuration });
      await hit();
      await hit();
      assert.deepEqual(await hit(), [3, 10, true, 5]);
      clock.now = 4999;
      assert.deepEqual(await hit(), [3, 6, true, 1]);
      clock.now = 5000;
      assert.deepEqual(await hit(), [2, 10, false, 0]);
    }
  });

  it('forgives nothing after a block that is shorter than ttl, and says so', async () => {
    const { clock, hit } = timed({ blockDuration: 1000 });
    await hit();
    await hit();
    assert.deepEqual(await hit(), [3, 10, true, 5], 'not one second: trying again would not succeed');
    clock.now = 1000;
    assert.deepEqual(await hit(), [3, 9, true, 4]);
    // That began another block, until one hit has come back and beyond.
    clock.now = 4500;
    assert.deepEqual(await hit(), [3, 6, true, 1]);
    clock.now = 5000;
    assert.deepEqual(await hit(), [3, 5, true, 1]);
    clock.now = 5500;
    assert.deepEqual(await hit(), [2, 10, false, 0]);
  });

  it('lets nobody through for a limit of 0 or less, and everybody for one of Infinity', async () => {
    for (const limit of [0, -1, 0.9]) {
      const { hit } = timed({ limit, blockDuration: 3000 });
      assert.deepEqual(await hit(), [1, 10, true, 3]);
      assert.deepEqual(await hit('key', { blockDuration: 0 }), [1, 10, true, 10]);
    }
    const { hit } = timed({ limit: Infinity });
    for (let count = 0; count < 100; count++) assert.equal((await hit())[2], false);
    assert.deepEqual((await timed({ limit: 2.9 }).hit())[0], 1);
  });

  it('rounds limits down and times up', async () => {
    const { clock, hit } = timed({ limit: 2.9, ttl: 9999.1, blockDuration: 0.5 });
    await hit();
    await hit();
    assert.deepEqual(await hit(), [3, 10, true, 5]);
    clock.now = 4999;
    assert.equal((await hit())[2], true);
    clock.now = 5000;
    assert.equal((await hit())[2], false);
    assert.equal((await hit('short', { ttl: 0 }))[2], false);
    assert.equal((await hit('short', { ttl: -5 }))[2], false);
  });

  it('keeps keys, rates and throttlers apart', async () => {
    const { hit } = timed({ limit: 1 });
    const others = [{}, { limit: 3 }, { ttl: 20_000 }, { name: 'long' }];
    for (const key of ['a', 'b']) for (const rate of others) assert.equal((await hit(key, rate))[0], 1);
    // Blocked under one rate is blocked under all that have the name and the duration.
    assert.equal((await hit('a'))[2], true);
    assert.equal((await hit('a', { limit: 3 }))[2], true);
    assert.equal((await hit('b', { limit: 3 }))[2], false);
    assert.equal((await hit('a', { limit: 3, name: 'long' }))[2], false);
    assert.equal((await hit('a', { limit: 3, blockDuration: 5000 }))[2], false);
  });

  it('takes addresses as limiters do', async () => {
    const { hit } = timed({ limit: 1 });
    assert.equal((await hit('2001:db8::1'))[2], false);
    assert.equal((await hit('2001:db8::2'))[2], true);
    assert.equal((await hit('2001:db8:0:100::2'))[2], false);
  });

  it(`has at most ${MOST_RATES} rates, and as many blocks, and goes on with those it has`, async () => {
    const { hit, storage } = timed();
    for (let limit = 1; limit <= MOST_RATES; limit++) await hit('key', { limit });
    const refused = { ...RANGE, message: /^limit, ttl and blockDuration must be among 100 / };
    await assert.rejects(hit('key', { limit: MOST_RATES + 1 }), refused);
    await assert.rejects(hit('key', { name: 'another' }), refused);
    assert.equal((await hit('key', { limit: MOST_RATES }))[0], 2);
    for (let blockDuration = 1; blockDuration < MOST_RATES; blockDuration++)
      await hit('key', { limit: 7, blockDuration });
    await assert.rejects(hit('key', { limit: 7, blockDuration: 77_777 }), refused);
    const blocked = { limit: 1, blockDuration: 1 };
    assert.equal((await hit('blocked', blocked))[2], false);
    assert.equal((await hit('blocked', blocked))[2], true);
    storage.onApplicationShutdown();
    assert.equal((await hit('blocked', blocked))[2], false);
    assert.equal((await hit('key', { limit: MOST_RATES }))[0], 1, 'forgotten');
  });

  it('does not grow with refused or unlimited requests', async () => {
    const { hit } = timed();
    for (let limit = -1000; limit < 0.9; limit += 0.5) await hit('key', { limit });
    for (let limit = 2e9; limit < 2e9 + 200; limit++) await hit('key', { limit });
    assert.equal((await hit('another'))[0], 1);
  });

  it('rejects what it cannot count', async () => {
    const { hit } = timed();
    for (const key of [undefined, null, 5, {}]) await assert.rejects(hit(key ?? null), TYPE);
    await assert.rejects(hit('x'.repeat(65_537)), RANGE);
    for (const name of ['ttl', 'limit', 'blockDuration']) {
      for (const value of ['5', null, undefined, {}, 5n])
        await assert.rejects(hit('key', { [name]: value }), TYPE, name);
      await assert.rejects(hit('key', { [name]: NaN }), RANGE, name);
    }
    for (const name of ['ttl', 'blockDuration']) {
      for (const value of [Infinity, 367 * 86_400_000])
        await assert.rejects(hit('key', { [name]: value }), RANGE, name);
    }
    for (const name of [undefined, null, 5, Symbol('x')]) await assert.rejects(hit('key', { name }), TYPE);
    assert.deepEqual(await hit(), [1, 5, false, 0], 'and nothing was taken');
  });

  it('reads its options at once', () => {
    for (const [options, error] of [
      [{ maxKeys: 0 }, RANGE],
      [{ maxKeys: '5' }, TYPE],
      [{ now: 5 }, TYPE],
      [{ limit: 5 }, VALUE],
      [null, TYPE],
    ]) {
      assert.throws(() => new HoldfastThrottlerStorage(options), error);
    }
  });

  it('has bounded memory for each rate: whoever is blocked stays so through a flood', async () => {
    const { clock, hit } = timed({ maxKeys: 100, limit: 1 });
    for (let index = 0; index < 20; index++) for (let count = 0; count < 2; count++) await hit(`blocked ${index}`);
    for (let index = 0; index < 3000; index++) await hit(`address ${index}`);
    clock.now = 9999;
    for (let index = 0; index < 20; index++) assert.equal((await hit(`blocked ${index}`))[2], true);
  });
});
