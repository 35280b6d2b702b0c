'use strict';

/** slowDown: how long requests wait, how many do at once, and what becomes of those whose clients go away. */

const assert = require('node:assert/strict');
const { EventEmitter, once } = require('node:events');
const net = require('node:net');
const { afterEach, describe, it } = require('node:test');
const { setTimeout: sleep } = require('node:timers/promises');
const { sequence } = require('../../lib/http/sequence.js');
const { slowDown } = require('../../lib/http/slow-down.js');
const { runNode } = require('../support/child.js');
const { SERVERS, ask, counted, eventsDuring, flood, pass } = require('../support/limited.js');

const TYPE = { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' };
const VALUE = { name: 'TypeError', code: 'ERR_INVALID_ARG_VALUE' };
const RANGE = { name: 'RangeError', code: 'ERR_OUT_OF_RANGE' };
const HOUR = 3_600_000;

/** No token comes back during a test. */
const fixed = (options) => slowDown({ windowMs: HOUR, ...options });

let running;
afterEach(() => running?.close());

/** A response as far as it is needed, and its connection. */
function exchange(address = '203.0.113.7') {
  const res = Object.assign(new EventEmitter(), { destroyed: false, headersSent: false, headers: {} });
  res.setHeader = (name, value) => (res.headers[name] = value);
  const req = { method: 'GET', url: '/', headers: {}, socket: { remoteAddress: address, destroyed: false } };
  return { req, res };
}

/** Requests one after the other, without waiting: the delay of each, or 0. */
async function delaysOf(middleware, requests) {
  const delays = [];
  for (const req of requests) {
    const { res } = exchange();
    let passed = 0;
    const [event] = await eventsDuring(() => {
      middleware({ ...exchange().req, ...req }, res, () => passed++);
    });
    res.emit('close');
    assert.equal(passed, event === undefined ? 1 : 0);
    delays.push(event?.delayMs ?? 0);
  }
  return delays;
}
const times = (count, value) => Array(count).fill(value);

async function until(isDone) {
  const end = performance.now() + 30_000;
  while (!isDone()) {
    assert.ok(performance.now() < end, 'this takes too long');
    await sleep(1);
  }
}

describe('the options', () => {
  for (const [what, options, error] of [
    ['no object', 5, TYPE],
    ['a name that there is none of', { burst: 5 }, { ...VALUE, message: /'burst' is none/ }],
    ['a limiter', { limiter: {} }, VALUE],
    ['a limit of none', { limit: 0 }, { ...RANGE, message: /^options\.limit / }],
    ['a window as text', { windowMs: '1' }, TYPE],
    ['fewer than none', { after: -1 }, RANGE],
    ['a half', { after: 0.5 }, RANGE],
    ['no number', { after: NaN }, RANGE],
    ['no delay', { delayMs: 0 }, RANGE],
    ['a delay of more than a minute', { delayMs: 60_001 }, RANGE],
    ['a delay without end', { maxDelayMs: Infinity }, RANGE],
    ['a longest delay of more than a minute', { maxDelayMs: 60_001 }, RANGE],
    ['no places', { maxWaiting: 0 }, RANGE],
    ['places without end', { maxWaiting: 1e9 }, RANGE],
    ['a name that cannot be a word', { name: 'a b' }, VALUE],
    ['a key that is none', { key: 'ip' }, TYPE],
    ['a skip that is none', { skip: 1 }, TYPE],
    ['no keys', { maxKeys: 0 }, RANGE],
    ['a prefix of none', { ipv6Prefix: 0 }, RANGE],
  ]) {
    it(`refuses ${what}`, () => assert.throws(() => slowDown(options), error));
  }

  it('takes the largest', () => {
    slowDown({ limit: 1e9, after: 1e9, delayMs: 1, maxDelayMs: 60_000, maxWaiting: 1e6, windowMs: 1000 });
  });

  it('makes a function with a name', () => assert.equal(slowDown().name, 'slowDown'));
});

describe('the delay', () => {
  it('grows by a step with each request over half of the limit', async () => {
    const delays = await delaysOf(fixed({ limit: 10 }), times(10, {}));
    assert.deepEqual(delays, [0, 0, 0, 0, 0, 250, 500, 750, 1000, 1250]);
  });

  it('grows to the longest, and stays there, whatever the limit is', async () => {
    const steps = Array.from({ length: 10 }, (_, index) => 100 * (index + 1));
    for (const limit of [1, 2, 10, 100]) {
      const delays = await delaysOf(fixed({ limit, after: 3, delayMs: 100, maxDelayMs: 1000 }), times(150, {}));
      assert.deepEqual(delays, [0, 0, 0, ...steps, ...times(137, 1000)]);
    }
  });

  it('is never longer than the longest, also where a step is', async () => {
    for (const [after, delayMs, expected] of [
      [1, 60_000, [0, 700, 700, 700]],
      [0, 300, [300, 600, 700, 700]],
    ]) {
      assert.deepEqual(await delaysOf(fixed({ after, delayMs, maxDelayMs: 700 }), times(4, {})), expected);
    }
  });

  it('is that of the key', async () => {
    const limit = fixed({ after: 1, delayMs: 10, key: (req) => req.user });
    const requests = ['ada', 'bob', 'ada', 'ada', undefined, undefined, 'bob'].map((user) => ({ user }));
    assert.deepEqual(await delaysOf(limit, requests), [0, 0, 10, 20, 0, 0, 10]);
  });

  it('is that of the key that was used most, and each is counted', async () => {
    const limit = fixed({ after: 1, delayMs: 10, maxDelayMs: 30, limit: 1, key: (req) => req.keys });
    const requests = [['a'], ['a'], ['a', 'b'], ['c', 'b'], ['b', 'c'], ['a', 'd'], ['a', 'd'], ['d']];
    const delays = await delaysOf(
      limit,
      requests.map((keys) => ({ keys })),
    );
    assert.deepEqual(delays, [0, 10, 20, 10, 20, 30, 30, 20]);
  });

  it('is none for what is skipped, which is not counted', async () => {
    const limit = fixed({ after: 1, delayMs: 10, skip: (req) => req.url === '/health' });
    const requests = [{ url: '/health' }, { url: '/health' }, {}, { url: '/health' }, {}];
    assert.deepEqual(await delaysOf(limit, requests), [0, 0, 0, 0, 10]);
    for (const given of [Promise.resolve(false), 1, 'yes']) {
      assert.deepEqual(await delaysOf(fixed({ after: 0, skip: () => given, delayMs: 5 }), times(2, {})), [5, 10]);
    }
  });

  it('goes as the tokens come back', async () => {
    const limit = slowDown({ limit: 100, windowMs: 200, after: 50, delayMs: 1, maxDelayMs: 5 });
    const delays = await delaysOf(limit, times(500, {}));
    assert.ok(delays.some((delay) => delay > 0));
    const end = performance.now() + 30_000;
    while ((await delaysOf(limit, [{}]))[0] > 0) {
      assert.ok(performance.now() < end, 'this takes too long');
      await sleep(20);
    }
  });

  it('is not given for a key that is none: that is an error', async () => {
    const { code } = await pass(fixed({ key: () => 5 }));
    assert.equal(code, 'ERR_INVALID_ARG_TYPE');
    const throwing = () => {
      throw undefined;
    };
    assert.equal((await pass(fixed({ key: throwing }))).code, 'ERR_INTERNAL');
    assert.equal((await pass(fixed({ skip: throwing }))).code, 'ERR_INTERNAL');
  });
});

describe('waiting', () => {
  it('ends after the delay, not before, and passes on once', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const limit = fixed({ after: 0, delayMs: 400, maxDelayMs: 1000 });
    const passed = [];
    const all = [0, 1, 2, 3].map((index) => {
      const { req, res } = exchange();
      limit(req, res, (...given) => passed.push([index, ...given]));
      return res;
    });
    assert.deepEqual(passed, []);
    t.mock.timers.tick(399);
    assert.deepEqual(passed, []);
    t.mock.timers.tick(1);
    assert.deepEqual(passed, [[0]]);
    t.mock.timers.tick(599);
    assert.deepEqual(passed, [[0], [1]]);
    t.mock.timers.tick(10_000);
    assert.deepEqual(passed, [[0], [1], [2], [3]]);
    for (const res of all) {
      assert.equal(res.listenerCount('close'), 0);
      res.emit('close');
    }
    assert.equal(passed.length, 4);
  });

  for (const kind of Object.keys(SERVERS)) {
    it(`lets others pass meanwhile, on ${kind}`, async () => {
      const order = [];
      const route = (req, res) => {
        order.push(req.headers.user);
        res.end('hello');
      };
      const limit = fixed({ after: 1, delayMs: 300, key: (req) => req.headers.user });
      running = await SERVERS[kind]([limit], { route });
      const as = (user) => ask(running.origin, { headers: { user } });
      await as('ada');
      const answers = await Promise.all([as('ada'), as('bob')]);
      assert.deepEqual(order, ['ada', 'bob', 'ada']);
      for (const { status, text } of answers) assert.deepEqual([status, text], [200, 'hello']);
    });
  }

  it('leaves the body of the request for those who come after', async () => {
    const route = async (req, res) => {
      const chunks = [];
      for await (const chunk of req) chunks.push(chunk);
      res.end(Buffer.concat(chunks));
    };
    running = await SERVERS.Express([fixed({ after: 0, delayMs: 20 })], { route });
    const body = 'x'.repeat(200_000);
    assert.equal((await ask(running.origin, { method: 'POST', body })).text, body);
  });
});

describe('places to wait', () => {
  it('are as many as there may be: more are refused, and told how long those before them wait', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const limit = fixed({ after: 0, delayMs: 1500, maxWaiting: 2, name: 'slow' });
    const passed = [];
    const all = [];
    const events = await eventsDuring(() => {
      for (let index = 0; index < 4; index++) {
        const { req, res } = exchange();
        all.push(res);
        limit(req, res, (error) => passed.push([index, error?.code, error?.retryAfterMs]));
      }
    });
    assert.deepEqual(passed, [
      [2, 'ERR_RATE_LIMITED', 4500],
      [3, 'ERR_RATE_LIMITED', 6000],
    ]);
    assert.deepEqual(
      all.map(({ headers }) => headers),
      [{}, {}, { 'Retry-After': '5' }, { 'Retry-After': '6' }],
    );
    assert.deepEqual(
      events.map(({ kind, policy, delayMs, code }) => [kind, policy, delayMs, code]),
      [
        ['rate-limit.slowed', 'slow', 1500, undefined],
        ['rate-limit.slowed', 'slow', 3000, undefined],
        ['rate-limit.exceeded', 'slow', undefined, 'ERR_RATE_LIMITED'],
        ['rate-limit.exceeded', 'slow', undefined, 'ERR_RATE_LIMITED'],
      ],
    );
    t.mock.timers.tick(1500);
    assert.deepEqual(passed.at(-1), [0, undefined, undefined]);
    const { req, res } = exchange();
    const [{ kind }] = await eventsDuring(() => limit(req, res, () => {}));
    assert.equal(kind, 'rate-limit.slowed', 'there is one place again');
  });

  it('do not keep those from passing who do not wait', async () => {
    const minute = { delayMs: 60_000, maxDelayMs: 60_000, maxWaiting: 3 };
    running = await SERVERS.Express([fixed({ ...minute, after: 1, key: (req) => req.headers.user })]);
    const asAda = () => ask(running.origin, { headers: { user: 'ada' } }).catch(() => ({}));
    const flooding = Array.from({ length: 20 }, asAda);
    let refused = 0;
    for (const answer of flooding) answer.then(({ status }) => (refused += status === 429 ? 1 : 0));
    await until(() => refused === 16);
    assert.deepEqual(await flood(running.origin, 5, (index) => ({ headers: { user: `user ${index}` } })), { 200: 5 });
    await running.close();
    await Promise.all(flooding);
  });
});

describe('a client that goes away', () => {
  /** A server with one place, and how often its route was reached. */
  async function onePlace(kind, delayMs) {
    let reached = 0;
    const route = (req, res) => {
      reached++;
      res.end();
    };
    const limit = fixed({ after: 0, delayMs, maxDelayMs: delayMs, maxWaiting: 1 });
    running = await SERVERS[kind]([limit], { route });
    return () => reached;
  }
  const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

  /** Sends, and goes away. Resolves when the server has noticed, with the kinds of events. */
  async function visit(text) {
    const gone = new Promise((resolve) => running.server.once('connection', (socket) => socket.once('close', resolve)));
    const socket = net.connect(running.port, '127.0.0.1');
    socket.on('error', () => {});
    const events = await eventsDuring(async () => {
      await once(socket, 'connect');
      socket.write(text);
      await sleep(30);
    });
    socket.destroy();
    await gone;
    return events.map(({ kind }) => kind);
  }

  for (const kind of Object.keys(SERVERS)) {
    it(`frees its place at once, and reaches nothing, on ${kind}`, async () => {
      const reached = await onePlace(kind, 60_000);
      const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
      for (let count = 0; count < 4; count++) {
        assert.deepEqual(await visit(GET), ['rate-limit.slowed'], 'the place is free');
      }
      assert.equal(reached(), 0);
      assert.ok(timers() < 4, 'none of the four timers of a minute is left');
    });
  }

  it('takes what it has sent behind it along: nothing of it is passed on', async () => {
    let reached = 0;
    const limit = fixed({ after: 0, delayMs: 150, maxDelayMs: 150 });
    running = await SERVERS['node:http alone']([limit], { route: () => reached++ });
    assert.deepEqual(await visit(GET.repeat(15)), times(15, 'rate-limit.slowed'));
    await sleep(400);
    assert.equal(reached, 0);
  });

  it('before it waits does not wait', async () => {
    const limit = fixed({ after: 0, delayMs: 60_000, maxDelayMs: 60_000, maxWaiting: 1 });
    for (let count = 0; count < 3; count++) {
      const { req, res } = exchange();
      res.destroyed = true;
      limit(req, res, () => assert.fail('nobody is there'));
    }
    const { req, res } = exchange();
    limit(req, res, () => assert.fail('it waits'));
    assert.equal(res.listenerCount('close'), 1, 'the place was free');
    res.emit('close');
  });

  it('does not keep a server from ending: with the connections the timers are gone', async () => {
    const { code, stdout } = await runNode(
      `
      const http = require('node:http');
      const { slowDown } = require(holdfast + '/lib/http/slow-down.js');
      const limit = slowDown({ after: 0, delayMs: 60_000, maxDelayMs: 60_000 });
      const server = http.createServer((req, res) => {
        limit(req, res, () => res.end());
        setTimeout(() => { server.close(); server.closeAllConnections(); }, 50);
      });
      server.listen(0, '127.0.0.1', () => {
        http.get({ port: server.address().port, host: '127.0.0.1' }).on('error', () => console.log('cut'));
      });
      `,
      { timeout: 20_000 },
    );
    assert.deepEqual([code, stdout], [0, 'cut\n']);
  });

  it('keeps the process for as long as it waits, as a request does', async () => {
    const { code, stdout } = await runNode(
      `
      const { EventEmitter } = require('node:events');
      const { slowDown } = require(holdfast + '/lib/http/slow-down.js');
      const res = Object.assign(new EventEmitter(), { destroyed: false });
      slowDown({ after: 0, delayMs: 20 })({ headers: {} }, res, () => console.log('passed'));
      `,
      { timeout: 20_000 },
    );
    assert.deepEqual([code, stdout], [0, 'passed\n']);
  });
});

describe('the event of a delay', () => {
  it('says which policy, how long, who and where, and nothing of what was sent', async () => {
    const limit = fixed({ after: 0, delayMs: 5, name: 'search', key: () => 'hunter2' });
    running = await SERVERS.Express([limit]);
    const sent = { path: '/find?q=hunter2', headers: { a: 'hunter2' } };
    const events = await eventsDuring(() => ask(running.origin, sent));
    const [{ time, requestId, ...event }] = events;
    assert.equal(new Date(time).toISOString(), time);
    assert.match(requestId, /^[0-9a-f-]{36}$/);
    const expected = { kind: 'rate-limit.slowed', address: '127.0.0.1', method: 'GET', route: '/find' };
    assert.deepEqual({ ...event }, { ...expected, policy: 'search', delayMs: 5 });
  });
});

describe('a slow-down among others', () => {
  it('counts for itself, and the waits follow one another', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const both = sequence([fixed({ after: 0, delayMs: 100 }), fixed({ after: 0, delayMs: 10, maxDelayMs: 10 })]);
    const { req, res } = exchange();
    let passed = 0;
    both(req, res, () => passed++);
    t.mock.timers.tick(100);
    assert.equal(passed, 0);
    t.mock.timers.tick(10);
    assert.equal(passed, 1);
  });

  it('is not changed by a polluted Object.prototype', async () => {
    const options = { after: 1e9, limit: 1e9, delayMs: 1, skip: () => true, key: () => undefined, burst: 1 };
    const pollution = { ...options, destroyed: true, app: 'x', forwarded: 'x' };
    let delays;
    for (const [name, value] of Object.entries(pollution)) {
      Object.defineProperty(Object.prototype, name, { value, configurable: true, writable: true });
    }
    try {
      delays = await delaysOf(fixed({ limit: 4 }), times(4, {}));
    } finally {
      for (const name of Object.keys(pollution)) delete Object.prototype[name];
    }
    assert.deepEqual(delays, [0, 0, 250, 500]);
  });

  it('of a flood delays or refuses all but those that are free', async () => {
    running = await SERVERS.Express([fixed({ limit: 40, after: 20, delayMs: 1, maxDelayMs: 10, maxWaiting: 5 })]);
    const events = await eventsDuring(async () => {
      const statuses = await flood(running.origin, 100);
      assert.equal(statuses[200] + (statuses[429] ?? 0), 100);
    });
    const kinds = counted(events.map(({ kind }) => kind));
    assert.equal(kinds['rate-limit.slowed'] + (kinds['rate-limit.exceeded'] ?? 0), 80);
  });
});
