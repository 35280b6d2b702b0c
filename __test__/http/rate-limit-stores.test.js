'use strict';

/**
 * rateLimit over limiters that answer later: of somebody else, and one in Redis that two applications share, while it
 * is there and while it is not.
 */

const assert = require('node:assert/strict');
const { after, afterEach, before, beforeEach, describe, it } = require('node:test');
const { setTimeout: sleep } = require('node:timers/promises');
const { RateLimiter, RedisRateLimiter } = require('../..');
const { rateLimit } = require('../../lib/http/rate-limit.js');
const { SERVERS, ask, counted, eventsDuring, pass } = require('../support/limited.js');
const { CLIENTS, skip, startRedis } = require('../support/redis.js');

const HOUR = 3_600_000;

let servers = [];
afterEach(async () => {
  await Promise.all(servers.map(({ close }) => close()));
  servers = [];
});
async function serve(middlewares, kind = 'Express', how = {}) {
  const running = await SERVERS[kind](middlewares, how);
  servers.push(running);
  return running.origin;
}

/** A limiter of somebody else, which says what it was asked. */
function foreign(limiter, answer = async (value) => value) {
  const calls = [];
  const made = { calls, peek() {}, reset() {} };
  for (const method of ['consume', 'refund']) {
    made[method] = (...given) => {
      calls.push([method, ...given]);
      return answer(limiter[method](...given));
    };
  }
  return made;
}

const WAYS = {
  'at once': (value) => value,
  'by a promise': async (value) => value,
  'by a promise, later': (value) => sleep(5, value),
  'by something with then, twice': (value) => ({
    then(resolve) {
      resolve(value);
      setImmediate(resolve, value);
    },
  }),
};

describe('a limiter that answers', () => {
  for (const [way, answer] of Object.entries(WAYS)) {
    for (const kind of Object.keys(SERVERS)) {
      it(`${way}, is asked once a request, on ${kind}`, async () => {
        const limiter = foreign(new RateLimiter({ limit: 20, windowMs: HOUR }), answer);
        const origin = await serve([rateLimit({ limiter })], kind);
        const answers = await Promise.all(Array.from({ length: 50 }, () => ask(origin)));
        assert.deepEqual(counted(answers.map(({ status }) => status)), { 200: 20, 429: 30 });
        assert.equal(limiter.calls.length, 50);
        assert.deepEqual(limiter.calls[0], ['consume', '127.0.0.1', 1]);
        for (const { status, headers } of answers) {
          assert.match(headers.ratelimit, /^"default";r=\d+;t=\d+$/);
          assert.equal(headers['retry-after'] !== undefined, status === 429);
        }
      });
    }

    it(`${way}, is asked for several keys in turn; a refusal gives back what was taken`, async () => {
      const limiter = foreign(new RateLimiter({ limit: 2, windowMs: HOUR }), answer);
      const limit = rateLimit({ limiter, key: () => ['a', 'b', 'c'], cost: 2 });
      assert.equal(await pass(limit), undefined);
      await limiter.refund('a', 2);
      await limiter.refund('b', 1);
      limiter.calls.length = 0;
      const error = await pass(limit);
      assert.equal(error.code, 'ERR_RATE_LIMITED');
      assert.ok(error.retryAfterMs > HOUR / 3 && error.retryAfterMs <= HOUR / 2, String(error.retryAfterMs));
      assert.deepEqual(limiter.calls, [
        ['consume', 'a', 2],
        ['consume', 'b', 2],
        ['refund', 'a', 2],
      ]);
    });
  }

  it('tells the least that is left in any of several keys', async () => {
    const inner = new RateLimiter({ limit: 9, windowMs: HOUR });
    inner.consume('b', 5);
    const headers = {};
    const res = { setHeader: (name, value) => (headers[name] = value) };
    await pass(rateLimit({ limiter: foreign(inner), key: () => ['a', 'b', 'c'] }), {}, res);
    assert.match(headers.RateLimit, /;r=3;/);
  });
});

describe('a limiter that fails', () => {
  const failing = (consume) => ({ consume, peek() {}, refund() {}, reset() {} });

  it('lets nobody through, however it fails', async () => {
    const mine = new Error('mine');
    assert.equal(await pass(rateLimit({ limiter: failing(() => Promise.reject(mine)) })), mine);
    const throwing = failing(() => {
      throw mine;
    });
    assert.equal(await pass(rateLimit({ limiter: throwing })), mine);
    for (const reason of [undefined, null, false, '', 'route']) {
      const error = await pass(rateLimit({ limiter: failing(() => Promise.reject(reason)) }));
      assert.equal(error.code, 'ERR_INTERNAL');
    }
    for (const answer of [undefined, null, true, 'ok', {}, { allowed: false }, { allowed: 0 }]) {
      for (const wrap of [(value) => value, (value) => Promise.resolve(value)]) {
        assert.ok((await pass(rateLimit({ limiter: failing(() => wrap(answer)) }))) instanceof Error);
      }
    }
  });

  it('gives back what was taken from the keys before, and passes its error on', async () => {
    const mine = new Error('mine');
    const inner = new RateLimiter({ limit: 5, windowMs: HOUR });
    const limiter = failing(async (key, cost) => {
      if (key === 'c') throw mine;
      return inner.consume(key, cost);
    });
    limiter.refund = (key, cost) => inner.refund(key, cost);
    assert.equal(await pass(rateLimit({ limiter, key: () => ['a', 'b', 'c', 'd'] })), mine);
    assert.deepEqual(['a', 'b', 'd'].map((key) => inner.peek(key).remaining), [5, 5, 5]);
  });

  it('after the answer is gone changes nothing in it', async () => {
    const { promise, resolve } = deferred();
    const limiter = failing(() => promise);
    const hasty = (req, res, next) => {
      next();
      res.end('in the meantime');
    };
    const origin = await serve([hasty, rateLimit({ limiter })], 'node:http alone', { route() {} });
    const { text, headers } = await ask(origin);
    resolve({ allowed: true, limit: 1, remaining: 0, retryAfterMs: 0, resetMs: 0 });
    await sleep(5);
    assert.deepEqual([text, headers.ratelimit], ['in the meantime', undefined]);
  });
});

describe('two applications with one Redis', { skip, timeout: 60_000 }, () => {
  let redis;
  let connections;
  let prefixes = 0;
  before(async () => {
    redis = await startRedis();
  });
  after(() => redis?.kill());
  beforeEach(async () => {
    if (!redis.isRunning) await redis.start();
    connections = await Promise.all([CLIENTS.ioredis(redis.port), CLIENTS.ioredis(redis.port)]);
    prefixes++;
  });
  afterEach(() => connections.forEach(({ close }) => close()));

  /** Each with a connection and a limiter of its own, and the same settings. */
  const applications = (settings, options = {}, how = {}) =>
    Promise.all(
      connections.map(({ client }) => {
        const prefix = `test ${prefixes}:`;
        const limiter = new RedisRateLimiter({ client, prefix, windowMs: HOUR, timeoutMs: 5000, ...settings });
        return serve([rateLimit({ limiter, ...options })], 'Express', { trust: 'loopback', ...how });
      }),
    );

  /** Requests to both in turn, all at once. */
  async function both(origins, count, how = () => ({})) {
    const answers = Array.from({ length: count }, (_, index) => ask(origins[index % 2], how(index)));
    return Promise.all(answers);
  }
  const statusesOf = (answers) => counted(answers.map(({ status }) => status));

  it('allow exactly the limit, together', async () => {
    const origins = await applications({ limit: 70 });
    const answers = await both(origins, 200);
    assert.deepEqual(statusesOf(answers), { 200: 70, 429: 130 });
    for (const { status, headers } of answers) {
      assert.equal(headers['ratelimit-policy'], '"default";q=70;w=3600');
      assert.equal(headers['retry-after'] !== undefined, status === 429);
    }
    const remaining = answers.map(({ headers }) => Number(/r=(\d+)/.exec(headers.ratelimit)[1]));
    const allowed = remaining.filter((_, index) => answers[index].status === 200);
    assert.equal(new Set(allowed).size, 70, 'no number was told twice');
  });

  it('count an address and an account, from all or from none', async () => {
    const key = (req) => [req.ip, `account ${req.headers.account}`];
    const origins = await applications({ limit: 30 }, { key });
    const from = (ip, account) => () => ({ headers: { account, 'x-forwarded-for': ip } });
    assert.deepEqual(statusesOf(await both(origins, 30, from('203.0.113.1', 'ada'))), { 200: 30 });
    assert.deepEqual(statusesOf(await both(origins, 20, from('203.0.113.2', 'ada'))), { 429: 20 });
    const { status, headers } = await ask(origins[0], from('203.0.113.2', 'bob')());
    assert.equal(status, 200);
    assert.match(headers.ratelimit, /;r=29;/, 'the 20 refusals have taken nothing');
  });

  it('count only failures, and no guess escapes by coming together with others', async () => {
    const route = (req, res) => res.writeHead(req.headers.password === 'right' ? 204 : 401).end();
    const origins = await applications({ limit: 10 }, { skipSuccessful: true }, { route });
    const right = { headers: { password: 'right' } };
    for (let count = 0; count < 30; count++) assert.equal((await ask(origins[count % 2], right)).status, 204);
    const statuses = statusesOf(await both(origins, 60));
    assert.ok(statuses[401] <= 10, JSON.stringify(statuses));
    assert.equal(statuses[401] + statuses[429], 60);
    await both(origins, 10);
    assert.equal((await ask(origins[1], right)).status, 429);
  });

  it('each go on alone when it is away: open', async () => {
    const origins = await applications({ limit: 20, timeoutMs: 300 });
    assert.deepEqual(statusesOf(await both(origins, 10)), { 200: 10 });
    await redis.crash();
    const statuses = statusesOf(await both(origins, 100));
    assert.deepEqual(Object.keys(statuses), ['200', '429']);
    // What Redis had told each is known there: what is left of the limit is allowed by each, not once but twice.
    assert.ok(statuses[200] >= 10 && statuses[200] <= 30, JSON.stringify(statuses));
  });

  it('refuse when it is away, as problems of the server: closed', async () => {
    const closed = { limit: 20, timeoutMs: 300, onStoreError: 'closed' };
    const origins = await applications(closed, { key: () => ['a', 'b'] });
    assert.deepEqual(statusesOf(await both(origins, 10)), { 200: 10 });
    await redis.crash();
    const events = await eventsDuring(async () => {
      const answers = await both(origins, 50);
      assert.deepEqual(statusesOf(answers), { 503: 50 });
      for (const { code, headers } of answers) {
        assert.equal(code, 'ERR_RATE_STORE');
        assert.equal(headers.ratelimit, undefined);
      }
    });
    assert.deepEqual(events, [], 'nobody has asked too often');
    await redis.start();
    const end = performance.now() + 30_000;
    for (const origin of origins) {
      // The client has kept what it could not send, and sends it now: that may be all of the limit.
      while ((await ask(origin)).status === 503) {
        assert.ok(performance.now() < end, 'it does not come back');
        await sleep(50);
      }
    }
  });
});

function deferred() {
  const made = {};
  made.promise = new Promise((resolve) => (made.resolve = resolve));
  return made;
}
