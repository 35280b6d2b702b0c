'use strict';

/** RedisRateLimiter on a server that is well: answers, arguments, names of keys, what is kept and for how long. */

const assert = require('node:assert/strict');
const { createHash } = require('node:crypto');
const { after, before, describe, it } = require('node:test');
const { setTimeout: sleep } = require('node:timers/promises');
const { HoldfastStore, RateLimiter, RedisRateLimiter } = require('..');
const { FakeIoredis, FakeNodeRedis } = require('./support/fake-redis.js');
const { runNode } = require('./support/child.js');
const { CLIENTS, callsOf, skip, startRedis } = require('./support/redis.js');

const HOUR = 3_600_000;
const YEAR = 366 * 24 * HOUR;
const WRONG_TYPE = { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' };
const WRONG_VALUE = { name: 'TypeError', code: 'ERR_INVALID_ARG_VALUE' };
const OUT_OF_RANGE = { name: 'RangeError', code: 'ERR_OUT_OF_RANGE' };

/** A second digest of the name in Redis, written down from the documentation. */
const digestOf = (key) => `#${createHash('sha256').update(Buffer.from(key, 'utf16le')).digest('base64url')}`;

describe('RedisRateLimiter', () => {
  const rate = { limit: 5, windowMs: HOUR };

  it('takes a client by its methods, and nothing else', async () => {
    for (const client of [new FakeIoredis(), new FakeNodeRedis()]) {
      const limiter = new RedisRateLimiter({ client, ...rate });
      assert.equal((await limiter.consume('a')).allowed, true);
      assert.equal(client.sent.length, 1);
    }
    const methods = { eval() {}, del() {} };
    // As redis 3, whose methods take callbacks.
    for (const client of [{}, methods, { ...methods, evalsha() {} }, { evalSha() {} }, 'redis://', () => {}, null, 1]) {
      assert.throws(() => new RedisRateLimiter({ client, ...rate }), WRONG_TYPE);
    }
    assert.throws(() => new RedisRateLimiter(rate), /options\.client/);
  });

  it('sends the key as a key and numbers as plain text, so that a cluster and Lua can read them', async () => {
    const [client, other] = [new FakeIoredis(), new FakeNodeRedis()];
    const wide = { limit: 1e9, windowMs: YEAR, prefix: 'p:' };
    await new RedisRateLimiter({ client, ...wide }).consume('a', 1e9);
    const [[command, digest, keys, key, ...values]] = client.sent;
    assert.deepEqual([command, keys, key], ['evalsha', 1, 'p:a']);
    assert.match(digest, /^[0-9a-f]{40}$/);
    for (const value of values) assert.match(value, /^-?\d{1,16}$/);
    await new RedisRateLimiter({ client: other, ...wide }).consume('a', 1e9);
    const sent = { __proto__: null, keys: ['p:a'], arguments: values };
    assert.deepEqual(other.sent, [['evalSha', digest, sent]]);
  });

  it('has a prefix, that tells rates apart unless it is given', async () => {
    const named = async (options) => {
      const client = new FakeIoredis();
      await new RedisRateLimiter({ client, limit: 5, windowMs: 1000, ...options }).consume('key');
      return client.sent[0][3];
    };
    assert.equal(await named({}), 'holdfast:5/1000ms:key');
    assert.equal(await named({ burst: 5 }), 'holdfast:5/1000ms:key');
    assert.equal(await named({ burst: 9 }), 'holdfast:5/1000ms,9:key');
    assert.equal(await named({ prefix: 'login {eu}:' }), 'login {eu}:key');
    for (const prefix of ['', 'é:', 'a\n', '\ud800', 'x'.repeat(257)]) {
      await assert.rejects(named({ prefix }), WRONG_VALUE);
    }
    for (const prefix of [null, 1, ['x']]) await assert.rejects(named({ prefix }), WRONG_TYPE);
  });

  it('names keys so that no two are the same, none chooses its place in a cluster, and none is long', async () => {
    const client = new FakeIoredis();
    const limiter = new RedisRateLimiter({ client, ...rate, prefix: 'p:' });
    const named = async (key) => {
      await limiter.consume(key);
      return client.sent.at(-1)[3].slice(2);
    };
    for (const key of ['', 'a', 'user:42', ' ~', 'a|b', 'x'.repeat(128), '203.0.113.7', '%7B', 'a#b']) {
      assert.equal(await named(key), key);
    }
    const replaced = [
      'x'.repeat(129),
      'x'.repeat(65_536),
      '{a}',
      'a{',
      '}',
      'é',
      '日本',
      'a\nb',
      '\0',
      '\x7f',
      '\ud800',
    ];
    replaced.push('\udc00', '\ufffd', '#', digestOf('{a}'), 'a\r\nDEL b');
    for (const key of replaced) assert.equal(await named(key), digestOf(key));
    assert.equal(new Set(replaced.map(digestOf)).size, replaced.length);
    assert.equal(await named('::ffff:203.0.113.7'), '203.0.113.7');
    assert.equal(await named('2001:db8:0:12ff::1'), '2001:db8:0:1200::/56');
  });

  it('refuses other keys and costs, by rejecting, and never says what they were', async () => {
    const client = new FakeIoredis();
    const limiter = new RedisRateLimiter({ client, ...rate });
    for (const method of ['consume', 'peek', 'refund', 'reset']) {
      for (const key of [undefined, null, 1, ['a'], Buffer.from('a'), { toString: () => 'a' }]) {
        await assert.rejects(limiter[method](key), WRONG_TYPE);
      }
      const long = 'hunter2'.repeat(10_000);
      await assert.rejects(limiter[method](long), { ...OUT_OF_RANGE, message: /^(?!.*hunter2).*65536/ });
    }
    for (const method of ['consume', 'refund']) {
      for (const cost of [-1, 0.5, NaN, Infinity, 1e9 + 1])
        await assert.rejects(limiter[method]('a', cost), OUT_OF_RANGE);
      for (const cost of ['1', null, 1n, [1]]) await assert.rejects(limiter[method]('a', cost), WRONG_TYPE);
    }
    assert.deepEqual(client.sent, []);
    assert.deepEqual(limiter.stats().pending, 0);
  });

  it('reads integers that a client gives as text', async () => {
    const client = new FakeIoredis(() => '-1');
    const { allowed, retryAfterMs } = await new RedisRateLimiter({ client, ...rate }).consume('a', 6);
    assert.deepEqual([allowed, retryAfterMs], [false, Infinity]);
  });

  it('takes what is no level for a failure: a client that queues, or a mock', async () => {
    const replies = [undefined, null, '', 'OK', 'QUEUED', NaN, 1.5, 2 ** 60, -7, 6, true, [], [0], {}, () => 0];
    for (const reply of replies) {
      const units = { limit: 5, windowMs: 1, burst: 5 };
      const answer = typeof reply === 'number' && Number.isInteger(reply) ? reply * 1e12 : reply;
      const open = new RedisRateLimiter({ client: new FakeIoredis(() => answer), ...units, windowMs: 3_600_000 });
      const { allowed, remaining } = await open.consume('a');
      assert.deepEqual([allowed, remaining], [true, 4]);
      const { away, failed, local, lastFailure } = open.stats();
      const state = { away: true, failed: 1, local: 1, lastFailure: 'REPLY' };
      assert.deepEqual({ away, failed, local, lastFailure }, state);
      const client = new FakeIoredis(() => answer);
      const closed = new RedisRateLimiter({ client, ...rate, onStoreError: 'closed' });
      for (const method of ['consume', 'peek', 'refund']) {
        await assert.rejects(closed[method]('a'), { code: 'ERR_RATE_STORE' });
      }
    }
    for (const zero of [0, '0', 0n]) {
      const limiter = new RedisRateLimiter({ client: new FakeIoredis(() => zero), ...rate });
      assert.equal((await limiter.consume('a')).remaining, 5);
      await limiter.reset('a');
    }
  });

  it('that loads the script with a key of somebody else answers the calls for other keys', async () => {
    let isLoaded = false;
    const client = new FakeIoredis((command, args) => {
      if (command === 'evalsha' && !isLoaded) throw new Error('NOSCRIPT No matching script');
      isLoaded = true;
      if (args[2].endsWith('bad')) throw new Error('WRONGTYPE Operation against a key holding the wrong kind of value');
      return 0;
    });
    const limiter = new RedisRateLimiter({ client, ...rate, onStoreError: 'closed' });
    const calls = await Promise.allSettled(['bad', 'a', 'b', 'c'].map((key) => limiter.consume(key)));
    assert.deepEqual(
      calls.map(({ status }) => status),
      ['rejected', 'fulfilled', 'fulfilled', 'fulfilled'],
    );
    assert.deepEqual([limiter.stats().away, client.sent.filter(([command]) => command === 'eval').length], [false, 1]);
  });

  it('takes a RateLimiter as its fallback, or false', () => {
    const client = new FakeIoredis();
    for (const fallback of [new RateLimiter(rate), false, undefined])
      new RedisRateLimiter({ client, ...rate, fallback });
    for (const fallback of [true, null, {}, () => {}, Object.create(RateLimiter.prototype)]) {
      assert.throws(() => new RedisRateLimiter({ client, ...rate, fallback }), WRONG_TYPE);
    }
  });

  it('keeps no process alive, also while a call waits for an answer that never comes', async () => {
    const { code, stderr, stdout } = await runNode(`
      const { RedisRateLimiter } = require(holdfast);
      class Client { defineCommand() {} evalsha() { return new Promise(() => {}); } eval() {} del() {} }
      const limiter = new RedisRateLimiter({ client: new Client(), limit: 5, windowMs: 1000, timeoutMs: 60000 });
      limiter.consume('a');
      process.once('exit', () => console.log(limiter.stats().pending));`);
    assert.deepEqual({ code, stderr, stdout }, { code: 0, stderr: '', stdout: '1\n' });
  });

  it('minds no pollution of Object.prototype', async () => {
    const run = (names) =>
      runNode(`
        const { RedisRateLimiter } = require(holdfast);
        class Client {
          answers = [['evalsha', Error('NOSCRIPT x')], ['eval', 1], ['evalsha', -2], ['evalsha', Error('LOADING x')]];
          defineCommand() {}
          evalsha() { return this.next('evalsha'); }
          eval() { return this.next('eval'); }
          del() { return Promise.resolve(0); }
          next(command) {
            const [expected, answer] = this.answers.shift();
            if (expected !== command) throw new Error('unexpected');
            return typeof answer === 'number' ? Promise.resolve(answer) : Promise.reject(answer);
          }
        }
        const client = new Client();
        for (const name of ${JSON.stringify(names)}) {
          const field = { __proto__: null, value: 'closed', configurable: true, writable: true, enumerable: true };
          Object.defineProperty(Object.prototype, name, field);
        }
        (async () => {
          const limiter = new RedisRateLimiter({ client, limit: 5, windowMs: 3600000 });
          const seen = [];
          for (let call = 0; call < 4; call++) seen.push(await limiter.consume('a'));
          seen.push(limiter.stats());
          return seen.map((record) => Object.entries(record));
        })().then((seen) => process.stdout.write(seen.join()));`);
    const names = [
      'prefix',
      'onStoreError',
      'timeoutMs',
      'maxPending',
      'fallback',
      'ipv6Prefix',
      'burst',
      'next',
      'tick',
    ];
    names.push(
      'isOver',
      'isProbe',
      'cause',
      'code',
      'retryAfterMs',
      'cost',
      'units',
      'mirror',
      'local',
      'question',
      'limit',
    );
    const [clean, polluted] = [await run([]), await run(names)];
    assert.deepEqual({ ...polluted }, { ...clean });
    assert.match(clean.stdout, /away,true,lastFailure,LOADING,pending,0,answered,2,failed,1,local,2/);
    assert.equal(clean.stderr, '');
  });
});

for (const [name, connect] of Object.entries(CLIENTS)) {
  describe(`RedisRateLimiter with ${name}`, { skip }, () => {
    let server;
    let client;
    let send;
    let close;
    let count = 0;
    const make = (options) => new RedisRateLimiter({ client, prefix: `t${count++}:`, ...options });
    before(async () => {
      server = await startRedis();
      ({ client, send, close } = await connect(server.port));
    });
    after(() => {
      close();
      server.kill();
    });

    it('counts for a store of express-rate-limit', async () => {
      const rate = { limit: 5, windowMs: HOUR };
      const stores = [1, 2].map(() => {
        const limiter = new RedisRateLimiter({ client, ...rate, prefix: 'store:' });
        const store = new HoldfastStore({ limiter });
        store.init({ ...rate, skipFailedRequests: true });
        return store;
      });
      const hits = [];
      for (let hit = 0; hit < 7; hit++) hits.push((await stores[hit % 2].increment('a')).totalHits);
      assert.deepEqual(hits, [1, 2, 3, 4, 5, 6, 6]);
      // What this store has refused took nothing.
      await stores[1].decrement('a');
      assert.equal((await stores[0].get('a')).totalHits, 5);
      await stores[1].decrement('a');
      assert.equal((await stores[0].get('a')).totalHits, 4);
      await stores[0].resetKey('a');
      assert.equal(await stores[1].get('a'), undefined);
    });

    it('takes tokens until there are none, and says what is left', async () => {
      const limiter = make({ limit: 3, windowMs: YEAR });
      for (const remaining of [2, 1, 0]) {
        const { resetMs, ...rest } = await limiter.consume('a');
        assert.deepEqual(rest, { allowed: true, limit: 3, remaining, retryAfterMs: 0 });
        assert.ok(resetMs > ((2.9 - remaining) * YEAR) / 3 && resetMs <= ((3 - remaining) * YEAR) / 3);
      }
      const { allowed, remaining, retryAfterMs, resetMs } = await limiter.consume('a');
      assert.deepEqual([allowed, remaining], [false, 0]);
      assert.ok(retryAfterMs > (0.9 * YEAR) / 3 && retryAfterMs <= YEAR / 3 && resetMs <= YEAR);
      assert.equal((await limiter.consume('b')).allowed, true);
      const { pending, answered, failed, local } = limiter.stats();
      assert.deepEqual({ pending, answered, failed, local }, { pending: 0, answered: 5, failed: 0, local: 0 });
    });

    it('takes all of a cost or nothing', async () => {
      const limiter = make({ limit: 10, windowMs: YEAR, burst: 20 });
      assert.equal((await limiter.consume('a', 15)).remaining, 5);
      assert.deepEqual((await limiter.consume('a', 6)).allowed, false);
      assert.equal((await limiter.consume('a', 5)).allowed, true);
      const never = await limiter.consume('b', 21);
      assert.deepEqual([never.allowed, never.remaining, never.retryAfterMs], [false, 20, Infinity]);
      assert.equal((await limiter.consume('b', 1e9)).allowed, false);
      assert.equal((await limiter.consume('b', 20)).allowed, true);
    });

    it('writes nothing when it refuses, takes nothing, or only looks', async () => {
      const prefix = `quiet-${name}:`;
      const limiter = make({ limit: 2, windowMs: YEAR, prefix });
      await limiter.peek('a');
      await limiter.consume('a', 0);
      await limiter.consume('a', 3);
      await limiter.refund('a', 5);
      assert.equal(await send('EXISTS', `${prefix}a`), 0);
      await limiter.consume('a', 2);
      const state = await send('GET', `${prefix}a`);
      const sets = await callsOf(send, 'set');
      for (let call = 0; call < 3; call++) {
        assert.equal((await limiter.consume('a')).allowed, false);
        assert.equal((await limiter.peek('a')).allowed, false);
        assert.equal((await limiter.consume('a', 0)).allowed, true);
      }
      assert.equal(await send('GET', `${prefix}a`), state);
      assert.equal(await callsOf(send, 'set'), sets);
    });

    it('gives tokens back, never more than there can be, and forgets a key', async () => {
      const prefix = `back-${name}:`;
      const limiter = make({ limit: 4, windowMs: YEAR, prefix });
      await limiter.consume('a', 4);
      assert.equal(await limiter.refund('a'), undefined);
      assert.equal((await limiter.peek('a')).remaining, 1);
      await limiter.refund('a', 0);
      assert.equal((await limiter.peek('a')).remaining, 1);
      await limiter.refund('a', 1e9);
      assert.equal((await limiter.peek('a')).remaining, 4);
      assert.equal(await send('EXISTS', `${prefix}a`), 0, 'a full bucket takes no memory');
      await limiter.consume('a', 4);
      assert.equal(await limiter.reset('a'), undefined);
      assert.equal((await limiter.consume('a', 4)).allowed, true);
    });

    it('shares its keys with every limiter of the same prefix', async () => {
      const options = { limit: 3, windowMs: YEAR, prefix: `shared-${name}:` };
      const [one, other] = [make(options), make(options)];
      await one.consume('a', 2);
      assert.equal((await other.peek('a')).remaining, 1);
      assert.equal((await make({ ...options, prefix: `apart-${name}:` }).peek('a')).remaining, 3);
    });

    it('lets a recovered key go', async () => {
      const prefix = `gone-${name}:`;
      const limiter = make({ limit: 10, windowMs: 50, prefix });
      await Promise.all(Array.from({ length: 200 }, (_, key) => limiter.consume(String(key), 1 + (key % 10))));
      const ttl = await send('PTTL', `${prefix}9`);
      assert.ok(ttl <= 1051, `${ttl} ms`);
      // Not before it has recovered, however Redis reads its clock for that: a second later.
      await make({ limit: 1, windowMs: HOUR, prefix }).consume('slow');
      const level = Number(await send('GET', `${prefix}slow`)) / 1000;
      const [[seconds, micros], slow] = [await send('TIME'), await send('PTTL', `${prefix}slow`)];
      assert.ok(Number(seconds) * 1000 + Number(micros) / 1000 + slow > level + 990);
      await send('DEL', `${prefix}slow`);
      let left;
      for (let wait = 0; wait < 600; wait++) {
        left = await send('KEYS', `${prefix}*`);
        if (left.length === 0) return;
        await sleep(50);
      }
      assert.fail(`${left.length} keys are left`);
    });

    it('refuses for one recovery at most after the clock went backwards', async () => {
      const prefix = `clock-${name}:`;
      const limiter = make({ limit: 10, windowMs: HOUR, prefix });
      const [seconds] = await send('TIME');
      await send('SET', `${prefix}a`, `${BigInt(seconds) * 1_000_000n + 30n * 24n * 3_600_000_000n}`);
      const looked = await limiter.peek('a');
      const refused = await limiter.consume('a');
      for (const { allowed, resetMs, retryAfterMs } of [looked, refused]) {
        assert.deepEqual([allowed, resetMs, retryAfterMs], [false, HOUR, HOUR / 10]);
      }
      const written = BigInt(await send('GET', `${prefix}a`)) / 1_000_000n - BigInt(seconds);
      assert.ok(written >= 3600n && written < 3700n, 'an empty bucket from now on, not the time that was there');
    });

    it('leaves alone what is not its own, and answers by itself then', async () => {
      const prefix = `theirs-${name}:`;
      const limiter = make({ limit: 3, windowMs: YEAR, prefix });
      for (const value of ['garbage', '', '1.5', '-5', '1:2:3', '17e9', ' 1']) {
        await send('SET', `${prefix}text`, value);
        assert.equal((await limiter.consume('text', 0)).allowed, true);
        assert.equal(await limiter.refund('text'), undefined);
        assert.equal(await send('GET', `${prefix}text`), value);
      }
      assert.equal(limiter.stats().lastFailure, 'HOLDFAST');
      await send('LPUSH', `${prefix}list`, 'x');
      for (const allowed of [true, true, true, false]) assert.equal((await limiter.consume('list')).allowed, allowed);
      const { away, failed, local, lastFailure } = limiter.stats();
      assert.deepEqual(
        { away, failed, local, lastFailure },
        { away: false, failed: 18, local: 18, lastFailure: 'WRONGTYPE' },
      );
      assert.equal((await limiter.consume('well')).remaining, 2);
      assert.equal(limiter.stats().local, 18, 'other keys go to Redis as before');

      const strict = make({ limit: 3, windowMs: YEAR, prefix, onStoreError: 'closed' });
      const error = await strict.consume('list').catch((reason) => reason);
      assert.equal(error.code, 'ERR_RATE_STORE');
      assert.match(error.cause.message, /WRONGTYPE/);
      await strict.reset('list');
      assert.equal((await strict.consume('list')).allowed, true);
    });

    it('takes a state of any length as no more than an empty bucket', async () => {
      const prefix = `long-${name}:`;
      const limiter = make({ limit: 3, windowMs: HOUR, prefix });
      for (const state of ['9'.repeat(400), '9'.repeat(30), `1:${'9'.repeat(30)}`]) {
        await send('SET', `${prefix}a`, state);
        const { allowed, remaining, resetMs } = await limiter.consume('a');
        assert.deepEqual([allowed, remaining, resetMs], [false, 0, HOUR]);
      }
    });

    it('tells keys apart that a client would send as the same bytes', async () => {
      const limiter = make({ limit: 1, windowMs: YEAR });
      const keys = ['', '\ud800', '\udbff', '\udc00', '\ufffd', '#', '{a}', '{b}', 'x'.repeat(200), 'x'.repeat(201)];
      for (const key of keys) assert.equal((await limiter.consume(key)).allowed, true);
      for (const key of keys) assert.equal((await limiter.consume(key)).allowed, false);
    });
  });
}
