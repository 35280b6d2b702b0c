'use strict';

/** RedisRateLimiter while its server is killed, stopped, full, made a replica, or told to forget its scripts. */

const assert = require('node:assert/strict');
const { after, afterEach, before, beforeEach, describe, it } = require('node:test');
const { setTimeout: sleep } = require('node:timers/promises');
const { RedisRateLimiter } = require('..');
const { CLIENTS, callsOf, freePort, skip, startRedis } = require('./support/redis.js');

const YEAR = 366 * 86_400_000;
const RATE = { limit: 50, windowMs: YEAR };

/** No test ends because of this, but one that would wait for ever. */
const LONGEST_WAIT_MS = 60_000;

/** Calls `step` until `isDone`, with a pause between calls. */
async function until(isDone, step) {
  const end = performance.now() + LONGEST_WAIT_MS;
  while (!isDone()) {
    assert.ok(performance.now() < end, 'this takes too long');
    await step();
    await sleep(2);
  }
}

/** So many probes there can be in that time at most: half of 100, 200, 400 ms and so on lie between them. */
const mostProbes = (elapsedMs) => Math.ceil(Math.log2(elapsedMs / 50 + 1)) + Math.ceil(elapsedMs / 2500) + 1;

for (const [name, connect] of Object.entries(CLIENTS)) {
  describe(`an outage, with ${name}`, { skip, timeout: 4 * LONGEST_WAIT_MS }, () => {
    let server;
    let client;
    let send;
    let close;
    let count = 0;
    const make = (options) =>
      new RedisRateLimiter({ client, prefix: `t${count++}:`, ...RATE, timeoutMs: 200, ...options });
    before(async () => {
      server = await startRedis();
    });
    beforeEach(async () => {
      if (!server.isRunning) await server.start();
      ({ client, send, close } = await connect(server.port));
    });
    afterEach(() => close());
    after(() => server.kill());

    it('is noticed, bridged by this process, and over when the server is back', async () => {
      const [limiter, strict] = [make(), make({ onStoreError: 'closed' })];
      for (let call = 0; call < 30; call++) assert.equal((await limiter.consume('a')).allowed, true);
      await strict.consume('a');
      await server.crash();
      const crashed = performance.now();

      // At once, while the client finds out, and after that: none rejects, and Redis's 30 count.
      const answers = await Promise.all(Array.from({ length: 500 }, () => limiter.consume('a')));
      await until(
        () => performance.now() > crashed + 700,
        async () => answers.push(await limiter.consume('a')),
      );
      assert.equal(answers.filter(({ allowed }) => allowed).length, 20);
      assert.equal(limiter.stats().away, true);
      await until(
        () => strict.stats().away,
        () => assert.rejects(strict.consume('c'), { code: 'ERR_RATE_STORE', status: 503 }),
      );
      for (let call = 0; call < 100; call++) {
        const error = await strict.consume('c').catch((reason) => reason);
        assert.equal(error.code, 'ERR_RATE_STORE');
        assert.ok(error.retryAfterMs >= 1 && error.retryAfterMs <= 5000);
      }
      assert.ok(limiter.stats().probes >= 1);
      for (const { probes } of [limiter.stats(), strict.stats()]) {
        const elapsed = performance.now() - crashed;
        assert.ok(probes <= mostProbes(elapsed), `${probes} probes in ${elapsed} ms`);
      }

      await server.start();
      await until(
        () => !limiter.stats().away && !strict.stats().away,
        () => Promise.allSettled([limiter.consume('b', 0), strict.consume('b', 0)]),
      );
      const { answered, local } = limiter.stats();
      const whole = await callsOf(send, 'eval');
      await Promise.all(Array.from({ length: 300 }, () => limiter.consume('b', 0)));
      const seen = limiter.stats();
      assert.deepEqual([seen.answered, seen.local, seen.pending], [answered + 300, local, 0]);
      assert.equal(await callsOf(send, 'eval'), whole, 'the probe has brought the script');
      assert.equal(seen.away, false);
      assert.equal((await strict.consume('a')).remaining, 49, 'nothing was kept: see the documentation');
    });

    it('is not made longer by scripts that are gone: one call brings them back', async () => {
      const limiter = make();
      await limiter.consume('a');
      for (let round = 0; round < 3; round++) {
        await send('SCRIPT', 'FLUSH');
        const whole = await callsOf(send, 'eval');
        await Promise.all(Array.from({ length: 500 }, () => limiter.consume('a', 0)));
        assert.equal(await callsOf(send, 'eval'), whole + 1);
      }
      const { answered, failed, local } = limiter.stats();
      assert.deepEqual({ answered, failed, local }, { answered: 1501, failed: 0, local: 0 });
    });

    it('begins when the server stops answering, and ends when it goes on', async () => {
      const limiter = make({ timeoutMs: 40, maxPending: 20 });
      for (let call = 0; call < 10; call++) await limiter.consume('a');
      server.signal('SIGSTOP');
      try {
        const first = Array.from({ length: 60 }, () => limiter.consume('a'));
        const answers = await Promise.all(first);
        const stopped = limiter.stats();
        assert.deepEqual([stopped.away, stopped.lastFailure, stopped.failed], [true, 'TIMEOUT', 20]);
        assert.equal(answers.filter(({ allowed }) => allowed).length, 40, 'the ten that Redis has seen count');
        const end = performance.now() + 1500;
        await until(
          () => performance.now() > end,
          () => limiter.consume('a', 0),
        );
        const { pending, probes } = limiter.stats();
        assert.ok(probes >= 2 && probes <= 8 && pending === 20 + probes, `${pending} pending, ${probes} probes`);
      } finally {
        server.signal('SIGCONT');
      }
      await until(
        () => !limiter.stats().away && limiter.stats().pending === 0,
        () => limiter.consume('a', 0),
      );
      // The twenty were given up, and came late: they count, as calls that were made.
      assert.equal((await limiter.peek('a')).remaining, 20);
    });

    it('is what a full, a read-only and a forbidding server is too', async () => {
      const states = {
        OOM: [
          ['CONFIG', 'SET', 'maxmemory', '1'],
          ['CONFIG', 'SET', 'maxmemory', '0'],
        ],
        READONLY: [
          ['REPLICAOF', '127.0.0.1', String(await freePort())],
          ['REPLICAOF', 'NO', 'ONE'],
        ],
        NOPERM: [
          ['ACL', 'SETUSER', 'default', '-@scripting'],
          ['ACL', 'SETUSER', 'default', '+@all'],
        ],
      };
      for (const [code, [begin, end]] of Object.entries(states)) {
        const [limiter, strict] = [make(), make({ onStoreError: 'closed' })];
        await limiter.consume('a');
        await send(...begin);
        try {
          for (let call = 0; call < 49; call++) assert.equal((await limiter.consume('a')).allowed, true, code);
          assert.equal((await limiter.consume('a')).allowed, false);
          const { away, local, lastFailure } = limiter.stats();
          assert.deepEqual([away, local, lastFailure], [true, 50, code]);
          const error = await strict.consume('a').catch((reason) => reason);
          assert.equal(error.code, 'ERR_RATE_STORE');
          assert.match(error.cause.message, new RegExp(code));
        } finally {
          await send(...end);
        }
        await until(
          () => !limiter.stats().away && !strict.stats().away,
          () => Promise.allSettled([limiter.consume('a'), strict.consume('b')]),
        );
      }
    });

    it('of the client itself is no different: closed by its owner', async () => {
      const limiter = make();
      await limiter.consume('a', 49);
      await close();
      assert.equal((await limiter.consume('a')).allowed, true);
      assert.equal((await limiter.consume('a')).allowed, false);
      assert.equal(limiter.stats().away, true);
      ({ close } = await connect(server.port));
    });
  });
}

describe('a client that was never connected', { skip }, () => {
  it('holds a few probes, and not every call', async () => {
    const { Redis } = require('ioredis');
    const client = new Redis({ port: await freePort(), maxRetriesPerRequest: null, retryStrategy: () => 20 });
    client.on('error', () => {});
    try {
      const limiter = new RedisRateLimiter({ client, ...RATE, timeoutMs: 20, maxPending: 100 });
      await Promise.all(Array.from({ length: 1000 }, () => limiter.consume('a', 0)));
      const end = performance.now() + 1000;
      await until(
        () => performance.now() > end,
        () => limiter.consume('a', 0),
      );
      const { pending, probes, local } = limiter.stats();
      assert.ok(pending === 100 + probes && probes <= 8 && local > 1000, JSON.stringify(limiter.stats()));
    } finally {
      client.disconnect();
    }
  });
});
