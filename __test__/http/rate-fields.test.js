'use strict';

/**
 * RateLimit and RateLimit-Policy: what they say (rate-fields.cases.json), that a parser of structured fields reads it,
 * and that a client who believes it is treated as it was told.
 */

const assert = require('node:assert/strict');
const { afterEach, describe, it } = require('node:test');
const { RedisRateLimiter } = require('../..');
const { rateLimit } = require('../../lib/http/rate-limit.js');
const { FakeIoredis } = require('../support/fake-redis.js');
const { SERVERS, ask, pass } = require('../support/limited.js');
const { timed } = require('../support/limiters.js');
const { Random } = require('../support/random.js');
const { parseList } = require('../support/structured-fields.js');
const cases = require('./rate-fields.cases.json');

/** What a response got, with one header for each name. */
function recorder(before = {}) {
  const headers = { ...before };
  const res = { getHeader: (name) => headers[name], setHeader: (name, value) => (headers[name] = value) };
  return { headers, res };
}

/** The headers of one request of a cost, and whether it was refused. */
async function told(limit, cost = 1) {
  const { headers, res } = recorder();
  const error = await pass(limit, { cost }, res);
  return { headers, refused: error !== undefined };
}

const byCost = (limiter, more) => rateLimit({ limiter, cost: (req) => req.cost, ...more });

describe('the fields of', () => {
  for (const { name, rate, policy, steps } of cases) {
    it(name, async () => {
      const { clock, limiter } = timed(rate);
      const limit = byCost(limiter);
      for (const { at, cost, standing, retryAfter } of steps) {
        clock.now = at;
        const { headers } = await told(limit, cost);
        const expected = { 'RateLimit-Policy': policy, RateLimit: standing };
        if (retryAfter !== undefined) expected['Retry-After'] = retryAfter;
        assert.deepEqual(headers, expected, `${cost} at ${at}`);
        assert.equal(parseList(headers.RateLimit)[0].name, 'default');
      }
    });
  }
});

describe('a client who believes them', () => {
  const RATES = 150;

  function* rates(seed) {
    const random = new Random(seed);
    const below = (bound) => random.below(bound);
    for (let round = 0; round < RATES; round++) {
      const limit = 1 + below(20);
      const windowMs = 1 + below(30_000);
      yield { below, rate: { limit, windowMs, burst: below(2) === 0 ? limit : 1 + below(30) } };
    }
  }

  it('and keeps to q in any w seconds is never refused', async () => {
    for (const { below, rate } of rates(1)) {
      const { clock, limiter } = timed(rate);
      const limit = byCost(limiter);
      const [{ parameters }] = parseList((await told(limit, 0)).headers['RateLimit-Policy']);
      const sent = [];
      for (let step = 0; step < 100; step++) {
        // As soon as the policy allows, or later.
        const soonest = sent.length < parameters.q ? clock.now : sent.at(-parameters.q) + parameters.w * 1000;
        clock.now = Math.max(clock.now, soonest) + (below(3) === 0 ? below(5000) : 0);
        sent.push(clock.now);
        assert.equal((await told(limit)).refused, false, JSON.stringify(rate));
      }
    }
  });

  it('finds another token after t seconds, and not a second before', async () => {
    for (const { below, rate } of rates(2)) {
      const { clock, limiter } = timed(rate);
      const limit = byCost(limiter);
      for (let step = 0; step < 30; step++) {
        clock.now += below(2 * rate.windowMs);
        const [{ parameters }] = parseList((await told(limit, below(rate.burst + 1))).headers.RateLimit);
        const { r, t } = parameters;
        const context = JSON.stringify({ ...rate, r, t });
        if (t === undefined) {
          assert.equal(r, rate.burst, context);
          continue;
        }
        const now = clock.now;
        if (t > 1) {
          clock.now = now + (t - 1) * 1000 - 2;
          assert.equal(limiter.peek('203.0.113.7').remaining, r, context);
        }
        clock.now = now + t * 1000;
        assert.ok(limiter.peek('203.0.113.7').remaining > r, context);
      }
    }
  });

  it('and comes back after Retry-After is not refused, which is never before t', async () => {
    let refusals = 0;
    for (const { below, rate } of rates(3)) {
      const { clock, limiter } = timed(rate);
      const limit = byCost(limiter);
      for (let step = 0; step < 30; step++) {
        clock.now += below(rate.windowMs);
        const cost = 1 + below(rate.burst);
        const { headers, refused } = await told(limit, cost);
        if (!refused) continue;
        refusals++;
        const [{ parameters }] = parseList(headers.RateLimit);
        assert.ok(Number(headers['Retry-After']) >= parameters.t);
        clock.now += Number(headers['Retry-After']) * 1000;
        assert.equal((await told(limit, cost)).refused, false, JSON.stringify(rate));
      }
    }
    assert.ok(refusals > 500, String(refusals));
  });
});

describe('several limits on one response', () => {
  let running;
  afterEach(() => running?.close());

  for (const kind of Object.keys(SERVERS)) {
    it(`are a list, in the order in which they were asked, on ${kind}`, async () => {
      const limits = ['general', 'search', 'x_-9'].map((name, index) => {
        const { limiter } = timed({ limit: 10 * (index + 1), windowMs: 60_000 });
        return rateLimit({ limiter, name });
      });
      running = await SERVERS[kind](limits);
      const { headers } = await ask(running.origin);
      assert.deepEqual(parseList(headers['ratelimit-policy']), [
        { name: 'general', parameters: { q: 10, w: 60 } },
        { name: 'search', parameters: { q: 20, w: 60 } },
        { name: 'x_-9', parameters: { q: 30, w: 60 } },
      ]);
      assert.deepEqual(parseList(headers.ratelimit), [
        { name: 'general', parameters: { r: 9, t: 6 } },
        { name: 'search', parameters: { r: 19, t: 3 } },
        { name: 'x_-9', parameters: { r: 29, t: 2 } },
      ]);
    });
  }

  it('are also listed when the last one refuses, and those behind it are not', async () => {
    const make = (name, limit) => rateLimit({ name, limiter: timed({ limit, windowMs: 60_000 }).limiter });
    running = await SERVERS.Express([make('a', 5), make('b', 1), make('c', 5)]);
    await ask(running.origin);
    const { status, headers } = await ask(running.origin);
    assert.equal(status, 429);
    assert.equal(headers.ratelimit, '"a";r=3;t=12, "b";r=0;t=60');
    assert.equal(headers['ratelimit-policy'], '"a";q=5;w=60, "b";q=1;w=60');
  });

  it('stand behind what others have set, once or several times', async () => {
    for (const [before, expected] of [
      ['"other";r=1', '"other";r=1, "default";r=0;t=60'],
      [['"one";r=1', '"two";r=2'], '"one";r=1, "two";r=2, "default";r=0;t=60'],
    ]) {
      const { headers, res } = recorder({ RateLimit: before });
      await pass(rateLimit({ limiter: timed({ limit: 1, windowMs: 60_000 }).limiter }), {}, res);
      assert.equal(headers.RateLimit, expected);
      assert.equal(headers['RateLimit-Policy'], '"default";q=1;w=60');
    }
  });

  it('can be silent', async () => {
    const { limiter } = timed({ limit: 1, windowMs: 60_000 });
    running = await SERVERS.Express([rateLimit({ limiter, headers: false })]);
    await ask(running.origin);
    const { status, headers } = await ask(running.origin);
    assert.deepEqual([status, headers.ratelimit, headers['ratelimit-policy']], [429, undefined, undefined]);
    assert.equal(headers['retry-after'], '60', 'this one stays');
  });
});

describe('of limiters that are not ours', () => {
  const answering = (answer) => ({ consume: () => answer, peek() {}, refund() {}, reset() {} });
  const shown = async (answer) => (await told(rateLimit({ limiter: answering(answer) }))).headers;

  it('the policy is the limit that they answer with, without a window', async () => {
    const full = { allowed: true, limit: 10, remaining: 9, retryAfterMs: 0, resetMs: 1500 };
    assert.deepEqual(await shown(full), { 'RateLimit-Policy': '"default";q=10', RateLimit: '"default";r=9;t=2' });
    const empty = { allowed: false, limit: 10, remaining: 0, retryAfterMs: 2500, resetMs: 9000 };
    assert.deepEqual(await shown(empty), {
      'RateLimit-Policy': '"default";q=10',
      RateLimit: '"default";r=0;t=3',
      'Retry-After': '3',
    });
  });

  it('the policy follows when the limit changes', async () => {
    const answer = { allowed: true, limit: 10, remaining: 9, retryAfterMs: 0, resetMs: 0 };
    const limit = rateLimit({ limiter: answering(answer) });
    const policies = [];
    for (answer.limit of [10, 20, 10]) policies.push((await told(limit)).headers['RateLimit-Policy']);
    assert.deepEqual(policies, ['"default";q=10', '"default";q=20', '"default";q=10']);
  });

  it('the fields can be read whatever comes', async () => {
    for (const odd of [undefined, null, NaN, Infinity, -1, 1.5, 2 ** 60, 'x"', '1\r\nSet-Cookie: a=b', {}, []]) {
      const answer = { allowed: true, limit: odd, remaining: odd, retryAfterMs: odd, resetMs: odd };
      const headers = await shown(answer);
      for (const name of ['RateLimit', 'RateLimit-Policy']) assert.equal(parseList(headers[name]).length, 1);
      if (odd === Infinity) assert.equal(parseList(headers.RateLimit)[0].parameters.t, undefined, 'never is no time');
      const refused = await shown({ ...answer, allowed: false });
      for (const name of ['RateLimit', 'RateLimit-Policy']) assert.equal(parseList(refused[name]).length, 1);
      assert.match(refused['Retry-After'] ?? '1', /^[1-9]\d*$/);
    }
  });

  it('a RedisRateLimiter is ours', async () => {
    const client = new FakeIoredis(() => 6_000_000);
    const limiter = new RedisRateLimiter({ client, limit: 10, windowMs: 60_000, burst: 20 });
    const { headers } = await told(rateLimit({ limiter, name: 'shared' }));
    assert.deepEqual(headers, { 'RateLimit-Policy': '"shared";q=20;w=120', RateLimit: '"shared";r=19;t=6' });
  });
});
