'use strict';

/** skipSuccessful: only failures count, and guesses that come together are no exception. */

const assert = require('node:assert/strict');
const { once } = require('node:events');
const net = require('node:net');
const { afterEach, describe, it } = require('node:test');
const { setTimeout: sleep } = require('node:timers/promises');
const { RateLimiter } = require('../..');
const { rateLimit } = require('../../lib/http/rate-limit.js');
const { SERVERS, ask, flood } = require('../support/limited.js');

const HOUR = 3_600_000;
const ADDRESS = '127.0.0.1';

let running;
afterEach(() => running?.close());

/** A server whose log-in takes some time, and the limiter of its failures. */
async function logIns(kind, { limit = 5, options = {}, route = logIn } = {}) {
  const limiter = new RateLimiter({ limit, windowMs: HOUR });
  running = await SERVERS[kind]([rateLimit({ limiter, skipSuccessful: true, ...options })], { route });
  return { limiter, origin: running.origin, left: () => limiter.peek(ADDRESS).remaining };
}

async function logIn(req, res) {
  await sleep(10);
  res.statusCode = req.headers.password === 'right' ? 204 : 401;
  res.end();
}

const right = { headers: { password: 'right' } };
const wrong = { headers: { password: 'wrong' } };

/** When the answer is with the client the server may not have heard of it. */
async function until(isDone) {
  const end = performance.now() + 20_000;
  while (!isDone()) {
    assert.ok(performance.now() < end, 'this takes too long');
    await sleep(1);
  }
}

for (const kind of Object.keys(SERVERS)) {
  describe(`skipSuccessful on ${kind}`, () => {
    it('counts wrong passwords, and no right ones', async () => {
      const { origin, left } = await logIns(kind);
      for (let count = 0; count < 20; count++) assert.equal((await ask(origin, right)).status, 204);
      await until(() => left() === 5);
      for (let count = 0; count < 5; count++) assert.equal((await ask(origin, wrong)).status, 401);
      assert.equal((await ask(origin, right)).status, 429, 'who has guessed too often is not let in');
    });

    it('allows no more guesses to those that come together', async () => {
      const { origin, left } = await logIns(kind);
      assert.deepEqual(await flood(origin, 100, () => wrong), { 401: 5, 429: 95 });
      assert.equal(left(), 0);
    });

    it('gives each success its own token back, and nothing for a failure among them', async () => {
      const { origin, left } = await logIns(kind, { limit: 60 });
      const statuses = await flood(origin, 60, (index) => (index % 3 === 0 ? wrong : right));
      assert.deepEqual(statuses, { 204: 40, 401: 20 });
      await until(() => left() === 40);
    });

    it('gives nothing back for what was refused, or answered with 400 and more', async () => {
      const route = (req, res) => res.writeHead(Number(req.headers.status)).end();
      const { origin, left } = await logIns(kind, { limit: 20, route });
      for (const [status, counts] of [
        [200, false],
        [204, false],
        [302, false],
        [304, false],
        [399, false],
        [400, true],
        [401, true],
        [404, true],
        [429, true],
        [500, true],
        [503, true],
      ]) {
        const before = left();
        await ask(origin, { headers: { status: String(status) } });
        await until(() => left() === (counts ? before - 1 : before));
        assert.equal(left(), counts ? before - 1 : before, String(status));
      }
    });
  });
}

describe('a success', () => {
  it('gives back what it cost, to each key', async () => {
    const options = { cost: 3, key: () => ['a', 'b'] };
    const { origin, limiter } = await logIns('Express', { limit: 10, options });
    limiter.consume('a', 2);
    await ask(origin, right);
    await until(() => limiter.peek('a').remaining === 8 && limiter.peek('b').remaining === 10);
    await ask(origin, wrong);
    assert.deepEqual([limiter.peek('a').remaining, limiter.peek('b').remaining], [5, 7]);
  });

  it('gives back to each of several limits what that one took', async () => {
    const [one, two] = [5, 7].map((limit) => new RateLimiter({ limit, windowMs: HOUR }));
    const always = rateLimit({ limiter: one, cost: 1 });
    const failures = rateLimit({ limiter: two, skipSuccessful: true, cost: 2 });
    running = await SERVERS.Express([always, failures], { route: logIn });
    await ask(running.origin, right);
    await until(() => two.peek(ADDRESS).remaining === 7);
    assert.equal(one.peek(ADDRESS).remaining, 4);
  });

  it('is none when the client did not wait for it', async () => {
    const answered = deferred();
    const route = async (req, res) => {
      await once(res, 'close');
      res.statusCode = 200;
      res.end('hello');
      answered.resolve();
    };
    const { left } = await logIns('node:http alone', { route });
    const socket = net.connect(running.port, '127.0.0.1');
    socket.on('error', () => {});
    socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await until(() => left() === 4);
    socket.destroy();
    await answered.promise;
    await sleep(20);
    assert.equal(left(), 4);
  });

  it('is none when the answer was cut off', async () => {
    const route = (req, res) => {
      res.write('the beginning of');
      setImmediate(() => res.destroy());
    };
    const { origin, left } = await logIns('Express', { route });
    await assert.rejects(ask(origin));
    await sleep(20);
    assert.equal(left(), 4);
  });

  it('after a long time does not bring more than there can be', async () => {
    let now = 0;
    const limiter = new RateLimiter({ limit: 2, windowMs: 1000, now: () => now });
    const route = (req, res) => {
      now += 1_000_000;
      res.end();
    };
    running = await SERVERS.Express([rateLimit({ limiter, skipSuccessful: true })], { route });
    for (let count = 0; count < 5; count++) await ask(running.origin);
    assert.equal(limiter.peek(ADDRESS).remaining, 2);
  });

  it('of an account that an attacker has does not help with that of another: failures stay counted', async () => {
    const { origin, left } = await logIns('Express', { limit: 10 });
    const seen = { 204: 0, 401: 0, 429: 0 };
    for (let round = 0; round < 10; round++) {
      const statuses = await flood(origin, 20, (index) => (index % 2 === 0 ? right : wrong));
      for (const [status, count] of Object.entries(statuses)) seen[status] += count;
    }
    await until(() => seen[401] + left() === 10);
    assert.ok(seen[401] >= 9, 'the last token may have been for one that was right');
  });

  it('is not counted at all without a key, and changes nothing', async () => {
    const { origin, limiter } = await logIns('Express', { options: { key: () => undefined } });
    await ask(origin, right);
    assert.equal(limiter.stats().keys, 0);
  });
});

describe('what fails while tokens are given back', () => {
  for (const [what, refund] of [
    ['throws', () => assert.fail('the store is away')],
    ['rejects', () => Promise.reject(new Error('the store is away'))],
    ['rejects in its own way', () => ({ then: (_, reject) => reject(new Error('the store is away')) })],
    ['is no promise', () => ({ then: 1 })],
  ]) {
    it(`${what}: the request has been answered, and nothing happens`, async () => {
      const limiter = new RateLimiter({ limit: 5, windowMs: HOUR });
      const calls = [];
      const foreign = {
        consume: (key, cost) => limiter.consume(key, cost),
        peek() {},
        refund(...given) {
          calls.push(given);
          return refund();
        },
        reset() {},
      };
      running = await SERVERS.Express([rateLimit({ limiter: foreign, skipSuccessful: true, key: () => ['a', 'b'] })]);
      assert.equal((await ask(running.origin)).status, 200);
      await until(() => calls.length === 2);
      assert.deepEqual(calls, [
        ['a', 1],
        ['b', 1],
      ]);
      assert.equal((await ask(running.origin)).status, 200);
    });
  }
});

function deferred() {
  const made = {};
  made.promise = new Promise((resolve) => (made.resolve = resolve));
  return made;
}
