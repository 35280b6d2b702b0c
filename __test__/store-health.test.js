'use strict';

/** When a store counts as away, when it is asked again, and calls that are given up: with a store that is a script. */

const assert = require('node:assert/strict');
const { after, describe, it } = require('node:test');
const { setImmediate: turn, setTimeout: sleep } = require('node:timers/promises');
const { RateLimiter, RedisRateLimiter } = require('..');
const { Deadlines, Waiting } = require('../lib/deadlines.js');
const { StoreHealth } = require('../lib/store-health.js');
const { FakeIoredis } = require('./support/fake-redis.js');

// The timers of limiters keep no process alive; here there is nothing else that does.
const alive = setInterval(() => {}, 1000);
after(() => clearInterval(alive));

const YEAR = 366 * 86_400_000;
const RATE = { limit: 3, windowMs: YEAR };
const never = () => new Promise(() => {});
const refuse = (message, fields) => () => {
  throw Object.assign(new Error(message), fields);
};

/** A promise, and how to settle it. */
function deferred() {
  let settle;
  const promise = new Promise((resolve, reject) => (settle = { resolve, reject }));
  return { promise, ...settle };
}

/** performance.now() stands still, but for `pass`. */
function stoppedClock(t) {
  let now = performance.now();
  t.mock.method(performance, 'now', () => now);
  return (milliseconds) => (now += milliseconds);
}

/** setTimeout makes a timer that runs when it is told to, and says after how long it would have. */
function stoppedTimer(t) {
  let timer;
  t.mock.method(globalThis, 'setTimeout', (run, delay) => {
    assert.equal(timer, undefined, 'one timer');
    timer = { run, delay, isSet: true, unref: () => timer, refresh: () => (timer.isSet = true) };
    return timer;
  });
  return () => {
    if (!timer.isSet) return undefined;
    timer.isSet = false;
    timer.run();
    return timer.delay;
  };
}

describe('a store that fails', () => {
  const failures = {
    ECONNREFUSED: refuse('connect ECONNREFUSED 127.0.0.1:6379', { code: 'ECONNREFUSED' }),
    LOADING: refuse('LOADING Redis is loading the dataset in memory'),
    READONLY: refuse("READONLY You can't write against a read only replica."),
    MASTERDOWN: refuse("MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'."),
    CLUSTERDOWN: refuse('CLUSTERDOWN The cluster is down'),
    OOM: refuse("OOM command not allowed when used memory > 'maxmemory'."),
    BUSY: refuse('BUSY Redis is busy running a script.'),
    NOAUTH: refuse('NOAUTH Authentication required.'),
    NOPERM: refuse('NOPERM User default has no permissions to run the evalsha command'),
    MOVED: refuse('MOVED 3999 127.0.0.1:6381'),
    UNKNOWN: refuse('Connection is closed.'),
    ERR: refuse('ERR unknown command `evalsha`'),
  };

  for (const [code, answer] of Object.entries(failures)) {
    it(`with ${code}: answers by itself, and leaves the store alone`, async () => {
      const client = new FakeIoredis(answer);
      const limiter = new RedisRateLimiter({ client, ...RATE });
      for (const allowed of [true, true, true, false]) assert.equal((await limiter.consume('a')).allowed, allowed);
      assert.equal(client.sent.length, 1);
      const { away, lastFailure, failed, local, rejected } = limiter.stats();
      const expected = { away: true, lastFailure: code, failed: 1, local: 4, rejected: 0 };
      assert.deepEqual({ away, lastFailure, failed, local, rejected }, expected);
    });

    it(`with ${code}: rejects where it is told to`, async () => {
      const client = new FakeIoredis(answer);
      const limiter = new RedisRateLimiter({ client, ...RATE, onStoreError: 'closed' });
      const cause = await (async () => answer())().catch((error) => error);
      const [first, second] = [
        await limiter.consume('a').catch((error) => error),
        await limiter.peek('a').catch((error) => error),
      ];
      for (const error of [first, second]) {
        const { name, status, expose, retryAfterMs } = error;
        assert.deepEqual([name, error.code, status, expose], ['HoldfastError', 'ERR_RATE_STORE', 503, true]);
        assert.ok(Number.isInteger(retryAfterMs) && retryAfterMs >= 1 && retryAfterMs <= 100);
        assert.doesNotMatch(error.message, new RegExp(code === 'ERR' ? 'evalsha' : code));
      }
      assert.equal(first.cause.message, cause.message);
      assert.equal('cause' in second, false, 'not the error of another call');
      assert.equal(limiter.stats().rejected, 2);
    });
  }

  it('by throwing, or with what is no error', async () => {
    for (const thrown of [new TypeError('x'), 'text', null, undefined, { message: 'WRONGTYPE' }]) {
      const client = new FakeIoredis();
      client.evalsha = () => {
        throw thrown;
      };
      const limiter = new RedisRateLimiter({ client, ...RATE });
      assert.equal((await limiter.consume('a')).allowed, true);
      assert.deepEqual([limiter.stats().away, limiter.stats().pending], [true, 0]);
    }
  });

  it('is stood in for by a limiter of its user, for every method', async () => {
    const fallback = new RateLimiter({ limit: 2, windowMs: YEAR });
    const limiter = new RedisRateLimiter({ client: new FakeIoredis(failures.LOADING), ...RATE, fallback });
    assert.equal((await limiter.consume('a', 2)).limit, 2);
    assert.equal((await limiter.peek('a')).allowed, false);
    assert.equal(await limiter.refund('a'), undefined);
    assert.equal(fallback.peek('a').remaining, 1);
    assert.equal(await limiter.reset('a'), undefined);
    assert.equal(fallback.peek('a').remaining, 2);
    assert.equal(limiter.stats().local, 4);
  });

  it('is stood in for by nothing, and everything is allowed that ever is', async () => {
    const limiter = new RedisRateLimiter({ client: new FakeIoredis(failures.LOADING), ...RATE, fallback: false });
    const full = { allowed: true, limit: 3, remaining: 3, retryAfterMs: 0, resetMs: 0 };
    for (let call = 0; call < 10; call++) assert.deepEqual(await limiter.consume('a'), full);
    assert.deepEqual(await limiter.consume('a', 4), { ...full, allowed: false, retryAfterMs: Infinity });
    assert.deepEqual(await limiter.peek('a'), full);
    assert.equal(await limiter.refund('a', 4), undefined);
    assert.equal(await limiter.reset('a'), undefined);
  });

  it('leaves what it said last: a key that is over its limit stays there', async () => {
    const client = new FakeIoredis((command, [, , key]) => (key.endsWith('full') ? -1 - 3 * 10_540_800_000_000 : 0));
    const limiter = new RedisRateLimiter({ client, ...RATE });
    assert.equal((await limiter.consume('full')).allowed, false);
    assert.equal((await limiter.consume('new')).allowed, true);
    client.answer = failures.ECONNREFUSED;
    assert.equal((await limiter.consume('full')).allowed, false);
    assert.equal((await limiter.consume('new')).allowed, true);
    await limiter.reset('full');
    assert.equal((await limiter.consume('full')).allowed, true);
  });
});

describe('a store that is back', () => {
  it('is found by one call at a time, which takes the script along', async (t) => {
    const pass = stoppedClock(t);
    const client = new FakeIoredis(refuse('LOADING'));
    const limiter = new RedisRateLimiter({ client, ...RATE });
    await limiter.consume('a');
    const { promise, resolve } = deferred();
    client.answer = () => promise;
    pass(101);
    const calls = Array.from({ length: 50 }, () => limiter.consume('b'));
    await turn();
    assert.deepEqual(
      client.sent.map(([command]) => command),
      ['evalsha', 'eval'],
    );
    assert.equal((await calls[49]).allowed, false, 'the others do not wait for it');
    assert.equal(limiter.stats().away, true);
    resolve(0);
    assert.deepEqual(await calls[0], { allowed: true, limit: 3, remaining: 3, retryAfterMs: 0, resetMs: 0 });
    const { away, probes, pending } = limiter.stats();
    assert.deepEqual({ away, probes, pending }, { away: false, probes: 1, pending: 0 });
    await limiter.consume('c');
    assert.deepEqual(client.sent.at(-1)[0], 'evalsha');
  });

  it('is asked less and less often, at random moments, and never more rarely than every five seconds', (t) => {
    const pass = stoppedClock(t);
    for (const random of [0, 0.5, 0.999]) {
      const mocked = t.mock.method(Math, 'random', () => random);
      const health = new StoreHealth();
      health.failed(health.epoch);
      const delays = [];
      for (let probe = 0; probe < 9; probe++) {
        let waited = 0;
        while (!health.beginProbe()) waited += pass(1) && 1;
        assert.equal(health.beginProbe(), false, 'one at a time');
        delays.push(waited);
        health.probeFailed();
        health.probeSettled(false);
      }
      const expected = [100, 200, 400, 800, 1600, 3200, 5000, 5000, 5000];
      assert.deepEqual(
        delays,
        expected.map((most) => Math.ceil((most * (1 + random)) / 2)),
      );
      mocked.mock.restore();
    }
  });

  it('and away again is asked as rarely as if it had not been back', (t) => {
    const pass = stoppedClock(t);
    t.mock.method(Math, 'random', () => 0.999999);
    const health = new StoreHealth();
    const delays = [];
    for (const well of [0, 10, 500, 9999, 10_001]) {
      pass(well);
      health.failed(health.epoch);
      delays.push(health.retryAfterMs);
      pass(health.retryAfterMs);
      assert.equal(health.beginProbe(), true);
      health.probeAnswered();
      health.probeSettled(true);
    }
    assert.deepEqual(delays, [100, 200, 400, 800, 100]);
  });

  it('is not away for what was asked before', () => {
    const health = new StoreHealth();
    const before = health.epoch;
    health.failed(before);
    health.failed(before);
    assert.equal(health.isAway, true);
    health.probeAnswered();
    health.failed(before);
    assert.equal(health.isAway, false);
    health.failed(health.epoch);
    assert.equal(health.isAway, true);
  });

  it('is asked at once when an answer came too late, and not when an error did', (t) => {
    stoppedClock(t);
    for (const isAnswer of [true, false]) {
      const health = new StoreHealth();
      health.failed(health.epoch);
      assert.equal(health.beginProbe(), false, 'not yet');
      health.probeSettled(isAnswer);
      assert.equal(health.beginProbe(), isAnswer);
    }
  });

  it('is asked at once when an answer comes late, and gets no more probes than a few that it never answers', (t) => {
    const pass = stoppedClock(t);
    const health = new StoreHealth();
    health.failed(health.epoch);
    let probes = 0;
    for (let call = 0; call < 100; call++) {
      pass(5000);
      if (!health.beginProbe()) continue;
      probes++;
      health.probeFailed();
    }
    assert.deepEqual([probes, health.probes], [8, 8]);
    health.probeSettled(true);
    assert.equal(health.beginProbe(), true);
  });
});

describe('a call that is not answered', () => {
  it('is given up, and what comes later is for nobody', async () => {
    const { promise, resolve } = deferred();
    const client = new FakeIoredis(() => promise);
    const limiter = new RedisRateLimiter({ client, ...RATE, timeoutMs: 20 });
    assert.equal((await limiter.consume('a')).remaining, 2);
    const { away, lastFailure, pending, failed, local } = limiter.stats();
    const expected = { away: true, lastFailure: 'TIMEOUT', pending: 1, failed: 1, local: 1 };
    assert.deepEqual({ away, lastFailure, pending, failed, local }, expected);
    resolve(0);
    await turn();
    assert.deepEqual([limiter.stats().pending, limiter.stats().answered, limiter.stats().away], [0, 0, true]);
  });

  it('and fails later, fails for nobody', async () => {
    const { promise, reject } = deferred();
    const limiter = new RedisRateLimiter({ client: new FakeIoredis(() => promise), ...RATE, timeoutMs: 20 });
    await limiter.consume('a');
    reject(new Error('Connection is closed.'));
    await turn();
    assert.deepEqual([limiter.stats().pending, limiter.stats().failed], [0, 1]);
  });

  it('rejects where it is told to, without a cause', async () => {
    const limiter = new RedisRateLimiter({
      client: new FakeIoredis(never),
      ...RATE,
      timeoutMs: 20,
      onStoreError: 'closed',
    });
    const error = await limiter.consume('a').catch((reason) => reason);
    assert.deepEqual([error.code, 'cause' in error], ['ERR_RATE_STORE', false]);
  });

  it('counts among those under way, which are bounded: more are no proof that the store is away', async () => {
    const answers = [];
    const client = new FakeIoredis(() => {
      const answer = deferred();
      answers.push(answer);
      return answer.promise;
    });
    const limiter = new RedisRateLimiter({ client, ...RATE, maxPending: 10, timeoutMs: 60_000, fallback: false });
    const calls = Array.from({ length: 25 }, () => limiter.consume('a'));
    await calls[24];
    assert.equal(client.sent.length, 10);
    const { away, pending, failed, local } = limiter.stats();
    assert.deepEqual({ away, pending, failed, local }, { away: false, pending: 10, failed: 0, local: 15 });
    for (const { resolve } of answers) resolve(0);
    await Promise.all(calls);
    assert.equal(limiter.stats().pending, 0);
    void limiter.consume('a');
    await turn();
    assert.equal(client.sent.length, 11);
  });

  it('does not make an endless queue of probes in a client that keeps them', async (t) => {
    const pass = stoppedClock(t);
    const client = new FakeIoredis(never);
    const limiter = new RedisRateLimiter({ client, ...RATE, maxPending: 100, timeoutMs: 1, fallback: false });
    const calls = Array.from({ length: 100 }, () => limiter.consume('a'));
    await Promise.all(calls);
    for (let call = 0; call < 40; call++) {
      pass(5000);
      await limiter.consume('a');
    }
    assert.equal(client.sent.length, 108);
    assert.deepEqual([limiter.stats().pending, limiter.stats().probes], [108, 8]);
  });
});

describe('deadlines', () => {
  class Call extends Waiting {
    constructor(name) {
      super();
      this.name = name;
    }
  }

  it('come in the order of the calls, after four to five ticks, and not for what is over', (t) => {
    const tick = stoppedTimer(t);
    const expired = [];
    const deadlines = new Deadlines(100, (call) => {
      call.isOver = true;
      expired.push(call.name);
    });
    const add = (name) => {
      const call = new Call(name);
      deadlines.add(call);
      return call;
    };
    add('a');
    const over = add('b');
    for (let ticks = 0; ticks < 4; ticks++) assert.equal(tick(), 25);
    add('c');
    over.isOver = true;
    assert.deepEqual(expired, []);
    tick();
    assert.deepEqual(expired, ['a']);
    for (let ticks = 0; ticks < 3; ticks++) tick();
    assert.deepEqual(expired, ['a']);
    tick();
    assert.deepEqual(expired, ['a', 'c']);
    assert.equal(tick(), undefined, 'no timer without calls');
    add('d');
    for (let ticks = 0; ticks < 5; ticks++) tick();
    assert.deepEqual(expired, ['a', 'c', 'd']);
  });

  it('that a busy process has missed are not over before it has looked for answers', async () => {
    const { promise, resolve } = deferred();
    const limiter = new RedisRateLimiter({ client: new FakeIoredis(() => promise), ...RATE, timeoutMs: 40 });
    const call = limiter.consume('a');
    await sleep(0);
    setImmediate(() => resolve(0));
    const until = performance.now() + 200;
    while (performance.now() < until);
    assert.equal((await call).remaining, 3);
    assert.deepEqual([limiter.stats().answered, limiter.stats().failed], [1, 0]);
  });

  it('use one timer for all calls', async (t) => {
    const started = t.mock.method(globalThis, 'setTimeout');
    const client = new FakeIoredis();
    const limiter = new RedisRateLimiter({ client, ...RATE });
    for (let round = 0; round < 20; round++) {
      await Promise.all(Array.from({ length: 50 }, (_, key) => limiter.peek(String(key))));
    }
    assert.equal(started.mock.callCount(), 1);
    assert.equal(client.sent.length, 1000);
  });
});
