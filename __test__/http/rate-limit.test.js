'use strict';

/** rateLimit: who is counted, how exactly, and what is refused, on each kind of server. */

const assert = require('node:assert/strict');
const { once } = require('node:events');
const http = require('node:http');
const os = require('node:os');
const path = require('node:path');
const fs = require('node:fs');
const { afterEach, describe, it } = require('node:test');
const express = require('express');
const { RateLimiter, ipKey } = require('../..');
const { rateLimit } = require('../../lib/http/rate-limit.js');
const { SERVERS, ask, counted, eventsDuring, expressApp, flood, listen, pass } = require('../support/limited.js');
const { timed } = require('../support/limiters.js');

const TYPE = { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' };
const VALUE = { name: 'TypeError', code: 'ERR_INVALID_ARG_VALUE' };
const RANGE = { name: 'RangeError', code: 'ERR_OUT_OF_RANGE' };
const HOUR = 3_600_000;

/** No token comes back during a test. */
const fixed = (limit, more = {}) => rateLimit({ limit, windowMs: HOUR, ...more });

let servers = [];
afterEach(async () => {
  await Promise.all(servers.map(({ close }) => close()));
  servers = [];
});
async function serve(middlewares, how, kind = 'Express') {
  const running = await SERVERS[kind](middlewares, how);
  servers.push(running);
  return running.origin;
}
const from = (address) => ({ headers: { 'x-forwarded-for': address } });

describe('the options', () => {
  const limiter = new RateLimiter({ limit: 2, windowMs: HOUR });
  for (const [what, options, error] of [
    ['no object', 600, TYPE],
    ['null', null, TYPE],
    ['a name that there is none of', { max: 5 }, { ...VALUE, message: /'max' is none/ }],
    ['a limit of none', { limit: 0 }, { ...RANGE, message: /^options\.limit / }],
    ['a limit as text', { limit: '5' }, TYPE],
    ['no limit in particular', { limit: null }, TYPE],
    ['a fraction of a millisecond', { windowMs: 0.5 }, RANGE],
    ['a window of a century', { windowMs: 3.2e12 }, RANGE],
    ['a burst of none', { burst: 0 }, RANGE],
    ['keys without number', { maxKeys: Infinity }, RANGE],
    ['a prefix that no address has', { ipv6Prefix: 129 }, RANGE],
    ['an empty name', { name: '' }, VALUE],
    ['a name with a quote', { name: 'a"' }, VALUE],
    ['a name with a line end', { name: 'a\r\nb' }, VALUE],
    ['a name in another alphabet', { name: 'é' }, VALUE],
    ['a name without end', { name: 'a'.repeat(65) }, VALUE],
    ['a number for a name', { name: 1 }, TYPE],
    ['a key that is none', { key: 'ip' }, TYPE],
    ['a skip that is none', { skip: true }, TYPE],
    ['a cost of nothing', { cost: 0 }, RANGE],
    ['a cost of a half', { cost: 0.5 }, RANGE],
    ['a cost as text', { cost: '1' }, TYPE],
    ['a cost over the limit', { limit: 3, cost: 4 }, { ...RANGE, message: /^options\.cost .*burst/ }],
    ['a cost over the burst', { limit: 10, burst: 3, cost: 4 }, RANGE],
    ['a cost over that of the limiter', { limiter, cost: 3 }, RANGE],
    ['a word for a flag', { skipSuccessful: 'yes' }, TYPE],
    ['a number for a flag', { headers: 1 }, TYPE],
    ['a limiter that is none', { limiter: {} }, { ...TYPE, message: /consume, peek, refund, reset/ }],
    ['a limiter that is nothing', { limiter: null }, TYPE],
    ['a limiter and a limit', { limiter, limit: 2 }, { ...VALUE, message: /either.*without limit$/ }],
    ['a limiter and memory', { limiter, maxKeys: 5, ipv6Prefix: 64 }, { ...VALUE, message: /maxKeys, ipv6Prefix/ }],
  ]) {
    it(`refuses ${what}`, () => assert.throws(() => rateLimit(options), error));
  }

  it('says nothing of what was given', () => {
    for (const options of [{ name: 'hunter2"' }, { limit: 'hunter2' }, { cost: 'hunter2' }, { limiter: 'hunter2' }]) {
      assert.throws(() => rateLimit(options), { message: /^(?!.*hunter2)/ });
    }
  });

  it('may be left out: 600 in a minute by address', async () => {
    const headers = {};
    const res = { setHeader: (name, value) => (headers[name] = value) };
    assert.equal(await pass(rateLimit(), {}, res), undefined);
    assert.deepEqual(headers, { 'RateLimit-Policy': '"default";q=600;w=60', RateLimit: '"default";r=599;t=1' });
  });

  it('makes a function with a name', () => {
    assert.equal(rateLimit().name, 'rateLimit');
    assert.equal(rateLimit().length, 3);
  });
});

for (const kind of Object.keys(SERVERS)) {
  describe(`a limit, on ${kind}`, () => {
    it('lets exactly as many pass of those that come at once', async () => {
      const origin = await serve([fixed(50)], {}, kind);
      assert.deepEqual(await flood(origin, 200), { 200: 50, 429: 150 });
      assert.deepEqual(await flood(origin, 10), { 429: 10 });
    });

    it('refuses with what a client needs to know, and nothing else', async () => {
      const { limiter } = timed({ limit: 2, windowMs: 3000 });
      let reached = 0;
      const route = (req, res) => {
        reached++;
        res.end();
      };
      const origin = await serve([rateLimit({ limiter, name: 'small' })], { route }, kind);
      assert.equal((await ask(origin)).headers['retry-after'], undefined);
      await ask(origin);
      const refused = await ask(origin);
      assert.deepEqual([refused.status, refused.code], [429, 'ERR_RATE_LIMITED']);
      assert.equal(refused.headers['retry-after'], '2', '1500 milliseconds');
      assert.equal(refused.headers['ratelimit'], '"small";r=0;t=2');
      assert.doesNotMatch(refused.message, /\d/);
      assert.equal(reached, 2, 'the route did not run');
    });

    it('takes tokens of every method, and when there is no body, no route, no answer', async () => {
      const route = (req, res) => (req.method === 'DELETE' ? req.socket.destroy() : res.writeHead(404).end());
      const origin = await serve([fixed(6)], { route }, kind);
      for (const method of ['GET', 'HEAD', 'OPTIONS', 'POST', 'PUT']) {
        assert.equal((await ask(origin, { method })).status, 404, method);
      }
      await assert.rejects(ask(origin, { method: 'DELETE' }));
      assert.equal((await ask(origin)).status, 429);
    });
  });
}

describe('who is counted', () => {
  for (const kind of Object.keys(SERVERS)) {
    it(`is the connection's address on ${kind}, whatever a header says`, async () => {
      const origin = await serve([fixed(3)], {}, kind);
      const spoofed = (index) => ({
        headers: {
          'x-forwarded-for': `198.51.100.${index}, 203.0.113.${index}`,
          'x-real-ip': `198.51.100.${index}`,
          forwarded: `for=198.51.100.${index}`,
          'cf-connecting-ip': `198.51.100.${index}`,
          'true-client-ip': `198.51.100.${index}`,
          'x-client-ip': `198.51.100.${index}`,
        },
      });
      assert.deepEqual(await flood(origin, 20, spoofed), { 200: 3, 429: 17 });
    });
  }

  for (const [kind, trust] of [
    ['Express', 'loopback'],
    ['Express', 1],
    ['Fastify with middie', '127.0.0.1'],
  ]) {
    it(`is the client of a proxy that is trusted (${kind}, ${trust})`, async () => {
      const origin = await serve([fixed(2)], { trust }, kind);
      const asked = async (address) => (await ask(origin, from(address))).status;
      assert.deepEqual([await asked('203.0.113.1'), await asked('203.0.113.1')], [200, 200]);
      assert.equal(await asked('203.0.113.1'), 429);
      assert.equal(await asked('203.0.113.2'), 200);
      assert.equal(await asked('198.51.100.99, 203.0.113.1'), 429, 'what the client itself has sent is not believed');
    });

    it(`is a household, of IPv6: /56 (${kind}, ${trust})`, async () => {
      const origin = await serve([fixed(3)], { trust }, kind);
      const asked = async (address) => (await ask(origin, from(address))).status;
      const household = ['2001:db8:0:1200::1', '2001:0DB8:0:12ff:ffff::2', '2001:db8:0:1234:5678::'];
      for (const address of household) assert.equal(await asked(address), 200);
      assert.equal(await asked('2001:db8:0:1299::9'), 429);
      assert.equal(await asked('2001:db8:0:1300::1'), 200, 'the next one');
      for (const address of ['::ffff:203.0.113.7', '203.0.113.7', '::FFFF:cb00:7107']) {
        assert.equal(await asked(address), 200);
      }
      assert.equal(await asked('203.0.113.7'), 429, 'one address however it is written');
    });
  }

  it('can be narrower or wider, of IPv6', async () => {
    const origin = await serve([fixed(1, { ipv6Prefix: 64 })], { trust: 'loopback' });
    const asked = async (address) => (await ask(origin, from(address))).status;
    assert.deepEqual([await asked('2001:db8:0:1200::1'), await asked('2001:db8:0:1200::2')], [200, 429]);
    assert.equal(await asked('2001:db8:0:1201::1'), 200);
  });

  it('is everybody together where connections have no address: nobody passes uncounted', async (t) => {
    if (process.platform === 'win32') return t.skip('no Unix sockets');
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'holdfast-limit-'));
    const socketPath = path.join(folder, 's');
    const server = http.createServer(expressApp([fixed(3)])).listen(socketPath);
    t.after(() => {
      server.close();
      fs.rmSync(folder, { recursive: true });
    });
    await once(server, 'listening');
    const status = () =>
      new Promise((resolve, reject) => {
        const get = http.get({ socketPath }, (res) => resolve(res.resume().statusCode));
        get.once('error', reject);
      });
    const statuses = await Promise.all(Array.from({ length: 10 }, status));
    assert.deepEqual(counted(statuses), { 200: 3, 429: 7 });
  });

  it('does not fail for a client that is gone already', async () => {
    const limit = fixed(1);
    assert.equal(await pass(limit, { socket: { remoteAddress: undefined } }), undefined);
    assert.equal((await pass(limit, { socket: null })).code, 'ERR_RATE_LIMITED');
    assert.equal(await pass(limit), undefined, 'and takes nothing from those who are there');
  });

  it('may be an address with a zone or a port, or what is none and too long: it is a key', async () => {
    for (const ip of ['fe80::1%eth0', '203.0.113.7:4711', 'x'.repeat(65_537), '\ud800', '__proto__', '']) {
      const limit = fixed(1);
      assert.equal(await pass(limit, { ip }), undefined);
      assert.equal((await pass(limit, { ip })).code, 'ERR_RATE_LIMITED');
      assert.equal(await pass(limit, { ip: 'another' }), undefined);
    }
  });
});

describe('a key of the application', () => {
  it('counts by what it returns', async () => {
    const key = (req) => `user ${req.headers.user}`;
    const origin = await serve([fixed(2, { key })]);
    const as = (user) => async () => (await ask(origin, { headers: { user } })).status;
    const [ada, bob] = [as('ada'), as('bob')];
    assert.deepEqual([await ada(), await ada(), await ada(), await bob()], [200, 200, 429, 200]);
  });

  it('takes from all of several, or from none', async () => {
    const limiter = new RateLimiter({ limit: 3, windowMs: HOUR });
    const key = (req) => [req.headers.address, `account ${req.headers.account}`];
    const origin = await serve([rateLimit({ limiter, key })]);
    const asked = async (address, account) => (await ask(origin, { headers: { address, account } })).status;
    for (let count = 0; count < 3; count++) assert.equal(await asked('a', 'ada'), 200);
    assert.equal(await asked('a', 'bob'), 429, 'the address is used up');
    assert.equal(await asked('b', 'ada'), 429, 'so is the account');
    assert.equal(limiter.peek('b').remaining, 3);
    assert.equal(limiter.peek('account bob').remaining, 3);
    assert.equal(await asked('b', 'bob'), 200);
    assert.equal(limiter.peek('b').remaining, 2);
  });

  it('counts the pair that docs/express.md has', async () => {
    const key = (req) => [req.ip, `${ipKey(req.ip)} ${String(req.headers.name).slice(0, 64)}`];
    const origin = await serve([fixed(2, { key })], { trust: 'loopback' });
    const asked = async (ip, name) => (await ask(origin, { headers: { name, 'x-forwarded-for': ip } })).status;
    assert.deepEqual([await asked('2001:db8::1', 'ada'), await asked('2001:db8::2', 'ada')], [200, 200]);
    assert.equal(await asked('2001:db8::3', 'ada'), 429);
  });

  it('counts a single one in an array as that one', async () => {
    const limiter = new RateLimiter({ limit: 1, windowMs: HOUR });
    assert.equal(await pass(rateLimit({ limiter, key: () => ['a'] })), undefined);
    assert.equal((await pass(rateLimit({ limiter, key: () => 'a' }))).code, 'ERR_RATE_LIMITED');
  });

  it('does not count a request without one, and writes no headers for it', async () => {
    const origin = await serve([fixed(1, { key: () => undefined })]);
    for (let count = 0; count < 5; count++) {
      const { status, headers } = await ask(origin);
      assert.deepEqual([status, headers.ratelimit, headers['ratelimit-policy']], [200, undefined, undefined]);
    }
  });

  it('of any length is one: what a client sends must not be an error of ours', async () => {
    const [long, other] = ['a', 'b'].map((end) => 'x'.repeat(100_000) + end);
    for (const keysOf of [(name) => name, (name) => [name, `and ${name}`]]) {
      const limit = fixed(1, { key: (req) => keysOf(req.name) });
      assert.equal(await pass(limit, { name: long }), undefined);
      assert.equal((await pass(limit, { name: long })).code, 'ERR_RATE_LIMITED');
      assert.equal(await pass(limit, { name: other }), undefined);
    }
  });

  it('that is none is an error of the programmer, with its name', async () => {
    for (const given of [null, 1, true, {}, Symbol('a'), Promise.resolve('a'), Buffer.from('a'), new Set(['a'])]) {
      const error = await pass(fixed(1, { key: () => given }));
      assert.equal(error.code, 'ERR_INVALID_ARG_TYPE');
      assert.equal(error.status, undefined, 'so that it is answered with 500');
      assert.match(error.message, /options\.key/);
    }
    for (const given of [['a', undefined], [null], [['a']], [1]]) {
      assert.equal((await pass(fixed(1, { key: () => given }))).code, 'ERR_INVALID_ARG_TYPE');
    }
    for (const given of [[], Array(65).fill('a')]) {
      const { code, message } = await pass(fixed(1, { key: () => given }));
      assert.equal(code, 'ERR_OUT_OF_RANGE');
      assert.match(message, /options\.key/);
    }
    const most = Array.from({ length: 64 }, (_, index) => `key ${index}`);
    assert.equal(await pass(fixed(1, { key: () => most })), undefined);
  });

  it('that throws is passed on, and lets nobody through, whatever it throws', async () => {
    const mine = Object.assign(new Error('mine'), { status: 400 });
    const throwing = (thrown) => () => {
      throw thrown;
    };
    for (const option of ['key', 'cost', 'skip']) {
      assert.equal(await pass(fixed(1, { [option]: throwing(mine) })), mine);
      for (const thrown of [undefined, null, 0, '', 'route', 'router']) {
        assert.equal((await pass(fixed(1, { [option]: throwing(thrown) }))).code, 'ERR_INTERNAL');
      }
    }
    const origin = await serve([fixed(1, { key: throwing(mine) })]);
    assert.deepEqual(await flood(origin, 3), { 400: 3 });
  });
});

describe('a cost', () => {
  it('is what a request takes', async () => {
    const origin = await serve([fixed(10, { cost: 3 })]);
    assert.deepEqual(await flood(origin, 8), { 200: 3, 429: 5 });
  });

  it('may depend on the request; 0 is nothing', async () => {
    const { limiter } = timed({ limit: 10, windowMs: HOUR });
    const origin = await serve([rateLimit({ limiter, cost: (req) => Number(req.headers.size) })]);
    const asked = async (size) => ask(origin, { headers: { size } });
    assert.equal((await asked(4)).headers.ratelimit, '"default";r=6;t=360');
    assert.equal((await asked(7)).status, 429);
    assert.equal((await asked(6)).status, 200);
    assert.equal((await asked(0)).status, 200);
    assert.equal((await asked(1)).status, 429);
  });

  it('of more than there can be is refused without a time at which to come back', async () => {
    const origin = await serve([fixed(10, { cost: () => 11 })]);
    const { status, code, headers } = await ask(origin);
    assert.deepEqual([status, code, headers['retry-after']], [429, 'ERR_RATE_LIMITED', undefined]);
    assert.equal((await pass(fixed(10, { cost: () => 11 }))).retryAfterMs, undefined);
  });

  it('that is none is an error of the programmer', async () => {
    for (const [given, code] of [
      [undefined, 'ERR_INVALID_ARG_TYPE'],
      ['1', 'ERR_INVALID_ARG_TYPE'],
      [Promise.resolve(1), 'ERR_INVALID_ARG_TYPE'],
      [NaN, 'ERR_OUT_OF_RANGE'],
      [-1, 'ERR_OUT_OF_RANGE'],
      [1e9 + 1, 'ERR_OUT_OF_RANGE'],
    ]) {
      const error = await pass(fixed(1, { cost: () => given }));
      assert.equal(error.code, code);
      assert.match(error.message, /options\.cost/);
    }
  });

  it('is taken from each of several keys', async () => {
    const limiter = new RateLimiter({ limit: 10, windowMs: HOUR });
    assert.equal(await pass(rateLimit({ limiter, cost: 4, key: () => ['a', 'b'] })), undefined);
    assert.deepEqual([limiter.peek('a').remaining, limiter.peek('b').remaining], [6, 6]);
  });
});

describe('skip', () => {
  it('lets pass what it says, uncounted and without headers', async () => {
    const origin = await serve([fixed(1, { skip: (req) => req.url === '/health' })]);
    for (let count = 0; count < 5; count++) {
      const { status, headers } = await ask(origin, { path: '/health' });
      assert.deepEqual([status, headers.ratelimit], [200, undefined]);
    }
    assert.deepEqual([(await ask(origin)).status, (await ask(origin)).status], [200, 429]);
  });

  it('is asked for true and nothing like it: a promise of false is no permission', async () => {
    for (const given of [Promise.resolve(false), 1, 'yes', {}, undefined, null]) {
      const limit = fixed(1, { skip: () => given });
      await pass(limit);
      assert.equal((await pass(limit)).code, 'ERR_RATE_LIMITED');
    }
  });
});

describe('a limit among others', () => {
  it('counts for itself, and may share a limiter', async () => {
    const limiter = new RateLimiter({ limit: 3, windowMs: HOUR });
    const [one, two] = [rateLimit({ limiter }), rateLimit({ limiter })];
    assert.deepEqual([await pass(one), await pass(two), await pass(one)], [undefined, undefined, undefined]);
    assert.equal((await pass(two)).code, 'ERR_RATE_LIMITED');
    assert.equal(await pass(fixed(1)), undefined);
  });

  it('of a path counts what comes there, in an application that is mounted too', async () => {
    const app = express();
    const inner = express();
    app.set('env', 'test');
    inner.set('env', 'test');
    inner.post('/login', fixed(2), (req, res) => res.end());
    app.use('/api', fixed(4), inner);
    const running = await listen(http.createServer(app));
    servers.push(running);
    const login = { method: 'POST', path: '/api/login' };
    const statuses = [];
    for (let count = 0; count < 5; count++) statuses.push((await ask(running.origin, login)).status);
    assert.deepEqual(statuses, [200, 200, 429, 429, 429]);
  });

  it('says when to come back also where nobody knows its errors: Express answers by itself', async () => {
    const app = express();
    app.set('env', 'test');
    app.use(rateLimit({ limiter: timed({ limit: 1, windowMs: HOUR }).limiter }), (req, res) => res.end());
    const running = await listen(http.createServer(app));
    servers.push(running);
    await ask(running.origin);
    const { status, headers } = await ask(running.origin);
    assert.deepEqual([status, headers['retry-after']], [429, '3600']);
    assert.equal(headers.ratelimit, '"default";r=0;t=3600');
  });

  it('calls next once, and what comes after it fails for itself', async () => {
    const limit = fixed(5);
    let calls = 0;
    const failing = () => {
      calls++;
      throw new Error('from a route');
    };
    const res = { headersSent: true };
    assert.throws(() => limit({ headers: {}, socket: {} }, res, failing), /from a route/);
    assert.equal(calls, 1);
  });

  it('leaves alone an answer whose head is gone', async () => {
    const setHeader = () => assert.fail('this would throw');
    const limit = fixed(1);
    assert.equal(await pass(limit, {}, { headersSent: true, setHeader }), undefined);
    assert.equal((await pass(limit, {}, { headersSent: true, setHeader })).code, 'ERR_RATE_LIMITED');
  });
});

describe('the event of a refusal', () => {
  it('says which limit, who, and where, and nothing of what was sent', async () => {
    const origin = await serve([fixed(1, { name: 'login', key: (req) => String(req.headers.account) })]);
    const request = { method: 'POST', path: '/login?token=hunter2', headers: { account: 'hunter2' }, body: 'hunter2' };
    const events = await eventsDuring(async () => {
      for (let count = 0; count < 3; count++) await ask(origin, request);
    });
    assert.equal(events.length, 2);
    for (const { time, requestId, ...event } of events) {
      assert.equal(new Date(time).toISOString(), time);
      assert.match(requestId, /^[0-9a-f-]{36}$/);
      const expected = { kind: 'rate-limit.exceeded', address: '127.0.0.1', method: 'POST', route: '/login' };
      assert.deepEqual({ ...event }, { ...expected, policy: 'login', code: 'ERR_RATE_LIMITED' });
    }
    assert.notEqual(events[0].requestId, events[1].requestId);
    assert.doesNotMatch(JSON.stringify(events), /hunter2/);
  });
});

describe('a polluted Object.prototype', () => {
  const POLLUTION = {
    limit: 1000,
    windowMs: 1,
    burst: 1000,
    limiter: { consume: () => ({ allowed: true }), peek() {}, refund() {}, reset() {} },
    skip: () => true,
    skipSuccessful: true,
    cost: 0,
    key: () => undefined,
    name: 'evil',
    headers: false,
    allowed: true,
    retryAfterMs: 1,
    then: (resolve) => resolve({ allowed: true }),
    'x-forwarded-for': '198.51.100.1',
    forwarded: 'for=198.51.100.1',
    'x-real-ip': '198.51.100.1',
    app: 'x',
    ips: ['198.51.100.1', '198.51.100.2'],
  };

  it('changes no option, no count, no header and no error, and warns of nothing', async (t) => {
    const warn = t.mock.method(process, 'emitWarning', () => {});
    const before = fixed(2);
    const seen = [];
    const headers = [];
    const req = { headers: {}, socket: { remoteAddress: '203.0.113.7' } };
    const res = { getHeader() {}, setHeader: (name, value) => headers.push(`${name}: ${value}`) };
    for (const [name, value] of Object.entries(POLLUTION)) {
      Object.defineProperty(Object.prototype, name, { value, configurable: true, writable: true });
    }
    try {
      const after = fixed(1);
      for (const limit of [before, before, before, after, after]) limit(req, res, (error) => seen.push(error?.code));
    } finally {
      for (const name of Object.keys(POLLUTION)) delete Object.prototype[name];
    }
    assert.deepEqual(seen, [undefined, undefined, 'ERR_RATE_LIMITED', undefined, 'ERR_RATE_LIMITED']);
    assert.equal(headers.filter((line) => line === 'RateLimit-Policy: "default";q=2;w=3600').length, 3);
    assert.equal(headers.filter((line) => line === 'RateLimit-Policy: "default";q=1;w=3600').length, 2);
    assert.equal(headers.filter((line) => /^Retry-After: \d{4}$/.test(line)).length, 2);
    assert.equal(warn.mock.callCount(), 0);
  });
});
