'use strict';

/** hardenServer: who loses a connection, who keeps it, what is answered, and that it leaves node:http as it is. */

const assert = require('node:assert/strict');
const { once } = require('node:events');
const fs = require('node:fs');
const http = require('node:http');
const http2 = require('node:http2');
const net = require('node:net');
const path = require('node:path');
const { Duplex, Readable } = require('node:stream');
const { after, beforeEach, describe, it } = require('node:test');
const { setTimeout: sleep } = require('node:timers/promises');
const express = require('express');
const { hardenServer } = require('../../lib/http/harden-server.js');
const { root, runNode } = require('../support/child.js');
const { RawClient, closeAll, collectEvents, createServer, get, listen, until } = require('../support/raw-http.js');

const TYPE = { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' };
const VALUE = { name: 'TypeError', code: 'ERR_INVALID_ARG_VALUE' };
const RANGE = { name: 'RangeError', code: 'ERR_OUT_OF_RANGE' };

const SHORT = { headersTimeoutMs: 300, requestTimeoutMs: 300, keepAliveTimeoutMs: 300 };
const HOUR = 3_600_000;

/** Answers at once, never, or by what the request says. */
function app(req, res) {
  if (req.url.startsWith('/never')) return;
  if (req.url.startsWith('/stream')) return res.write('begun');
  if (req.url.startsWith('/echo')) return req.pipe(res);
  res.end(`ok ${req.url}`);
}

/** Of all servers, so that tests that run together look for their own. */
const events = collectEvents();
const forgetEvents = () => (events.length = 0);
after(async () => {
  events.stop();
  await closeAll();
});
/** Most of them wait for a time-out. */
const TOGETHER = { concurrency: true };
const eventOf = ({ problem }) => events.find(({ errorId }) => errorId === problem.errorId);

async function serve(settings = SHORT, { kind = 'http', listener = app, options } = {}) {
  const server = hardenServer(createServer(kind, listener, options), settings);
  server.port = await listen(server);
  return server;
}
const post = (path, length, body = '') =>
  `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: ${length}\r\n\r\n${body}`;

function assertProblem(client, status) {
  assert.equal(client.statuses.at(-1), status, client.text);
  assert.match(client.text, /\r\nContent-Type: application\/problem\+json\r\n/);
  assert.match(client.text, /\r\nConnection: close\r\n/i);
  const { type, title, errorId, instance, ...rest } = client.problem;
  assert.deepEqual([type, title, rest], ['about:blank', http.STATUS_CODES[status], { status }]);
  assert.equal(instance, `urn:uuid:${errorId}`);
}

describe('the arguments', () => {
  for (const [what, server, options, error] of [
    ['no server', undefined, undefined, TYPE],
    ['a server of net', new net.Server(), undefined, TYPE],
    ['a server of HTTP/2', http2.createServer(), undefined, { ...TYPE, message: /HTTP\/2/ }],
    ['an application', express(), undefined, TYPE],
    ['options that are none', new http.Server(), 5, TYPE],
    ['an unknown name', new http.Server(), { timeout: 5 }, { ...VALUE, message: /'timeout' is none/ }],
    ['a time-out of none', new http.Server(), { headersTimeoutMs: 0 }, RANGE],
    ['a time-out as text', new http.Server(), { requestTimeoutMs: '5' }, TYPE],
    ['a fraction', new http.Server(), { keepAliveTimeoutMs: 0.5 }, RANGE],
    ['Infinity', new http.Server(), { maxConnections: Infinity }, RANGE],
    ['no connections', new http.Server(), { maxConnections: 0 }, RANGE],
    ['no headers', new http.Server(), { maxHeadersCount: 0 }, RANGE],
    ['heads that take longer than requests', new http.Server(), { headersTimeoutMs: 2, requestTimeoutMs: 1 }, RANGE],
  ]) {
    it(`refuses ${what}`, () => {
      assert.throws(() => hardenServer(server, options), error);
    });
  }

  it('leaves a server alone whose options are wrong', () => {
    const server = new http.Server();
    assert.throws(() => hardenServer(server, { headersTimeoutMs: -1 }), RANGE);
    assert.equal(server.maxConnections, undefined);
    assert.equal(server.listenerCount('clientError'), 0);
    assert.equal(Object.hasOwn(server, 'emit'), false);
  });

  it('returns the server, with the settings that node:http checks, too', () => {
    const server = new http.Server();
    assert.equal(hardenServer(server), server);
    const { headersTimeout, requestTimeout, keepAliveTimeout, maxRequestsPerSocket, maxConnections } = server;
    assert.deepEqual([headersTimeout, requestTimeout, keepAliveTimeout], [10_000, 30_000, 5_000]);
    assert.deepEqual([maxRequestsPerSocket, maxConnections], [1000, 10_000]);
  });

  it('has the defaults that docs/server.md gives', () => {
    const text = fs.readFileSync(path.join(root, 'docs', 'server.md'), 'utf8');
    const rows = text.matchAll(/^\| `(\w+)` \| ([\d,]+) \|/gm);
    const defaults = Object.fromEntries(Array.from(rows, ([, name, value]) => [name, value.replace(',', '')]));
    const server = hardenServer(new http.Server());
    for (const [name, property] of [
      ['headersTimeoutMs', 'headersTimeout'],
      ['requestTimeoutMs', 'requestTimeout'],
      ['keepAliveTimeoutMs', 'keepAliveTimeout'],
      ['maxRequestsPerSocket', 'maxRequestsPerSocket'],
      ['maxConnections', 'maxConnections'],
    ]) {
      assert.equal(server[property], Number(defaults[name]), name);
    }
    assert.equal(server.maxHeadersCount, Number(defaults.maxHeadersCount) + 1);
  });

  it('takes the shorter of the defaults for heads, as node:http does', () => {
    const { headersTimeout } = hardenServer(new http.Server(), { requestTimeoutMs: 2000 });
    assert.equal(headersTimeout, 2000);
  });

  it('is changed by a second call, and listens once', () => {
    const server = hardenServer(new http.Server());
    const listeners = server.eventNames().map((name) => server.listenerCount(name));
    hardenServer(server, { keepAliveTimeoutMs: 1234 });
    assert.equal(server.keepAliveTimeout, 1234);
    assert.deepEqual(server.eventNames().map((name) => server.listenerCount(name)), listeners);
  });

  it('reads no option from a polluted Object.prototype', () => {
    Object.prototype.maxConnections = 1;
    try {
      assert.equal(hardenServer(new http.Server(), {}).maxConnections, 10_000);
    } finally {
      delete Object.prototype.maxConnections;
    }
  });
});

describe('clients and time', TOGETHER, () => {
  after(closeAll); // what is still open has events of its own
  for (const kind of ['http', 'https']) describe(`slow clients, ${kind}`, TOGETHER, () => slowClients(kind));
  describe('who is left alone', TOGETHER, leftAlone);
  describe('servers as they come', TOGETHER, servers);
});

function slowClients(kind) {
  const begin = async (server, ...texts) => {
    const client = await RawClient.connect(server.port, { kind });
    for (const text of texts) client.send(text);
    return client;
  };
  /** Of the other time-outs none comes. */
  const only = (name) => ({ requestTimeoutMs: HOUR, keepAliveTimeoutMs: HOUR, [name]: 300 });

  it('a connection without a byte is closed, without a word', async () => {
    const server = await serve({ ...only('headersTimeoutMs') }, { kind });
    const client = await (await begin(server)).closed;
    assert.deepEqual([client.text, client.ending], ['', 'end']);
  });

  it('a head that does not come to its end: 408', async () => {
    const server = await serve(only('headersTimeoutMs'), { kind });
    const client = await begin(server, 'GET / HTTP/1.1\r\n');
    await client.trickle('a: b\r\n').closed;
    assertProblem(client, 408);
    const { reason, address } = eventOf(client);
    assert.equal(reason, 'headers-timeout');
    assert.match(address, /127\.0\.0\.1$/);
  });

  it('a second head that does not come to its end: 408', async () => {
    const server = await serve(only('headersTimeoutMs'), { kind });
    const client = await begin(server, get());
    await client.received(/ok/);
    await client.send('GET / HTTP/1.1\r\n').trickle('a: b\r\n').closed;
    assert.deepEqual(client.statuses, [200, 408]);
  });

  it('line ends between requests, again and again', async () => {
    const server = await serve(only('headersTimeoutMs'), { kind });
    const client = await begin(server, get());
    await client.received(/ok/);
    await client.trickle('\r\n').closed;
    assert.equal(client.statuses[0], 200);
  });

  it('a body that does not come to its end: 408, and the application knows', async () => {
    let aborted;
    const listener = (req) => {
      req.on('error', () => {});
      req.on('close', () => (aborted = !req.complete));
    };
    const server = await serve(only('requestTimeoutMs'), { kind, listener });
    const client = await begin(server, post('/', 1000));
    await client.trickle('a').closed;
    assertProblem(client, 408);
    await until(() => aborted !== undefined);
    assert.equal(aborted, true);
    const { reason, method } = eventOf(client);
    assert.deepEqual([reason, method], ['request-timeout', 'POST']);
  });

  it('a chunked body that does not come to its end', async () => {
    const server = await serve({ ...SHORT }, { kind, listener: (req) => req.resume() });
    const client = await begin(server, 'POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n');
    await client.trickle('1\r\na\r\n').closed;
    assertProblem(client, 408);
  });

  it('a body that goes on behind its answer: cut', async () => {
    const server = await serve(SHORT, { kind, listener: (req, res) => res.end('enough') });
    const client = await begin(server, post('/', 1000));
    await client.trickle('a').closed;
    assert.deepEqual(client.statuses, [200]);
  });

  it('a body under an answer that has begun: cut, and no second answer', async () => {
    const server = await serve(SHORT, { kind });
    const client = await begin(server, post('/echo', 1000));
    await client.trickle('a').closed;
    assert.deepEqual(client.statuses, [200]);
    assert.doesNotMatch(client.text, /408|problem/);
  });

  it('a body behind a request that is not answered: cut, without an answer that would be the wrong one', async () => {
    const server = await serve(SHORT, { kind });
    const client = await begin(server, get('/never'), post('/echo', 1000));
    await client.trickle('a').closed;
    assert.equal(client.text, '');
  });

  it('a connection that is idle is closed, and one that is not is kept', async () => {
    const server = await serve({ ...SHORT, keepAliveTimeoutMs: 1000 }, { kind });
    const [idle, busy] = await Promise.all([begin(server, get('/idle')), begin(server)]);
    busy.trickle(get('/busy'), 100);
    await idle.closed;
    assert.deepEqual([idle.statuses, idle.ending], [[200], 'end']);
    const { length } = busy.statuses;
    await until(() => busy.statuses.length > length || busy.isClosed);
    assert.equal(busy.isClosed, false);
  });

  it('who does not read the answer', async () => {
    let ended;
    const listener = (req, res) => {
      ended = once(res, 'close');
      Readable.from(endless()).pipe(res);
    };
    const server = await serve(SHORT, { kind, listener });
    const client = await begin(server);
    client.socket.pause();
    client.send(get());
    await until(() => ended !== undefined);
    await ended;
    assert.ok(events.reasons().includes('reader-timeout'));
  });

  it('who does not read what is written without waiting', async () => {
    let timer;
    const listener = (req, res) => {
      timer = setInterval(() => res.write('ü'.repeat(50_000)), 20);
      res.on('close', () => clearInterval(timer));
    };
    const server = await serve(SHORT, { kind, listener });
    const client = await begin(server);
    client.socket.pause();
    client.send(get());
    await until(() => server.sockets.size === 1);
    await until(() => server.sockets.size === 0);
  });

  it('who reads slowly, and reads on, keeps the connection', async () => {
    const listener = (req, res) => Readable.from(endless()).pipe(res);
    const server = await serve(SHORT, { kind, listener });
    const client = await begin(server, get());
    let reads = 0;
    client.socket.pause();
    while (reads++ < 45) {
      client.socket.resume();
      await sleep(20);
      client.socket.pause();
      await sleep(80);
      assert.equal(client.isClosed, false);
    }
  });
}

function* endless() {
  const chunk = Buffer.alloc(65_536, 'a');
  for (;;) yield chunk;
}

function leftAlone() {
  it('an answer that takes long, and one that says nothing for long', async () => {
    const server = await serve();
    const waiting = (await RawClient.connect(server.port)).send(get('/never'));
    const streaming = (await RawClient.connect(server.port)).send(get('/stream'));
    const posted = (await RawClient.connect(server.port)).send(post('/never', 3, 'abc'));
    await sleep(2500);
    assert.deepEqual([waiting.isClosed, streaming.isClosed, posted.isClosed], [false, false, false]);
    assert.match(streaming.text, /begun/);
  });

  it('a body that comes in time, in pieces', async () => {
    const server = await serve({ requestTimeoutMs: 5000, headersTimeoutMs: 300 });
    const client = (await RawClient.connect(server.port)).send(post('/echo', 5));
    for (const letter of 'hello') {
      await sleep(200);
      client.send(letter);
    }
    await client.received(/h[^]*e[^]*l[^]*l[^]*o/);
  });

  it('an upgraded connection, whenever it is that the application begins to listen', async () => {
    const server = await serve();
    for (const name of ['upgrade', 'connect', 'checkContinue']) assert.equal(server.listenerCount(name), 0);
    server.on('upgrade', (req, socket) => {
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n');
      socket.on('data', (chunk) => socket.write(chunk));
    });
    server.on('connect', (req, socket) => socket.write('HTTP/1.1 200 OK\r\n\r\n'));
    const upgraded = (await RawClient.connect(server.port)).send(get('/', 'Connection: Upgrade\r\nUpgrade: echo\r\n'));
    const tunnel = (await RawClient.connect(server.port)).send('CONNECT x:1 HTTP/1.1\r\nHost: x:1\r\n\r\n');
    await Promise.all([upgraded.received(/ 101 /), tunnel.received(/ 200 /)]);
    await sleep(2000);
    await upgraded.send('still there').received(/still there/);
    assert.equal(tunnel.isClosed, false);
  });

  it('a request to upgrade that nobody listens for is a request', async () => {
    const server = await serve();
    const client = (await RawClient.connect(server.port)).send(get('/', 'Connection: Upgrade\r\nUpgrade: echo\r\n'));
    await client.received(/ 200 [^]*ok/);
  });

  it('CONNECT that nobody listens for closes the connection, as ever', async () => {
    const server = await serve();
    const client = (await RawClient.connect(server.port)).send('CONNECT x:1 HTTP/1.1\r\nHost: x:1\r\n\r\n');
    assert.equal((await client.closed).text, '');
  });

  it('what an application does with 100-continue and other expectations', async () => {
    const server = await serve();
    const send = async (expect, path = '/') => {
      const head = `POST ${path} HTTP/1.1\r\nHost: x\r\nExpect: ${expect}\r\nContent-Length: 1\r\n\r\n`;
      return (await RawClient.connect(server.port)).send(head);
    };
    const plain = await send('100-continue', '/echo');
    await plain.received(/ 100 Continue/);
    await plain.send('x').received(/ 200 [^]*x/);

    // All by itself, without 'request': it may take its time.
    server.on('checkContinue', (req, res) => setTimeout(() => res.writeHead(201).end(), 1500));
    const own = await send('100-continue');
    own.send('x');
    await own.received(/ 201 /);

    server.on('checkExpectation', (req, res) => res.writeHead(202).end());
    await (await send('tea')).received(/ 202 /);
  });

  it('a process that was busy does not count the time', async () => {
    const { stdout, stderr } = await runNode(`
      const http = require('node:http');
      const net = require('node:net');
      const { hardenServer } = require(holdfast + '/lib/http/harden-server.js');
      const server = http.createServer({ connectionsCheckingInterval: 100 }, (req, res) => {
        if (req.url === '/busy') {
          slow.write('Host: x\\r\\n\\r\\n');
          for (const end = Date.now() + 4000; Date.now() < end;);
        }
        res.end();
      });
      hardenServer(server, { headersTimeoutMs: 2500, requestTimeoutMs: 2500 });
      let slow;
      server.listen(0, '127.0.0.1', () => {
        slow = net.connect(server.address().port, '127.0.0.1', () => slow.write('GET / HTTP/1.1\\r\\n'));
        slow.on('data', (chunk) => console.log(String(chunk).slice(9, 12)));
        slow.on('close', () => process.exit());
        slow.on('data', () => slow.destroy());
        const busy = net.connect(server.address().port, '127.0.0.1');
        setTimeout(() => busy.write('GET /busy HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n'), 1000);
      });
    `);
    assert.equal(stdout, '200\n', stderr);
  });

  it('a server whose process has nothing else to do', async () => {
    const { code, signal } = await runNode(
      `
      const http = require('node:http');
      const net = require('node:net');
      const { hardenServer } = require(holdfast + '/lib/http/harden-server.js');
      const server = hardenServer(http.createServer());
      server.listen(0, '127.0.0.1', () => {
        const client = net.connect(server.address().port, '127.0.0.1', () => {
          client.unref();
          setTimeout(() => { for (const socket of sockets) socket.unref(); server.unref(); }, 100);
        });
      });
      const sockets = [];
      server.on('connection', (socket) => sockets.push(socket));
    `,
      { timeout: 8000 },
    );
    assert.deepEqual([code, signal], [0, null]);
  });
}

describe('what never reaches the application', () => {
  beforeEach(forgetEvents);

  const CASES = [
    ['no HTTP', 'GARBAGE\r\n\r\n', 400, 'malformed'],
    ['TLS', Buffer.from('16030100c8010000c40303', 'hex'), 400, 'malformed'],
    ['another protocol', 'SSH-2.0-x\r\n', 400, 'malformed'],
    ['a version that is none', 'GET / HTTP/9.9\r\n\r\n', 400, 'malformed'],
    ['a control character in a header', 'GET / HTTP/1.1\r\na: b\0c\r\n\r\n', 400, 'malformed'],
    ['a line without a colon', 'GET / HTTP/1.1\r\nHost: x\r\nno colon\r\n\r\n', 400, 'malformed'],
    ['two lengths', 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n', 400, 'malformed'],
    ['a length and chunks', `${post('/', 5).slice(0, -2)}Transfer-Encoding: chunked\r\n\r\n`, 400, 'malformed'],
    ['a length below 0', post('/', -1), 400, 'malformed'],
    ['headers without end', `GET / HTTP/1.1\r\na: ${'b'.repeat(20_000)}\r\n\r\n`, 431, 'max-headers'],
    ['an address without end', `GET /${'a'.repeat(20_000)} HTTP/1.1\r\n\r\n`, 431, 'max-headers'],
    ['another expectation', get('/', 'Expect: tea\r\n'), 417, 'expectation'],
    ['65 headers', get('/', 'a: b\r\n'.repeat(64)), 431, 'max-headers-count'],
    ['500 headers', get('/', 'a: b\r\n'.repeat(500)), 431, undefined],
  ];
  for (const [what, bytes, status, reason] of CASES) {
    it(`${what}: ${status}`, async () => {
      let requests = 0;
      const listener = (req, res) => {
        requests++;
        res.setHeader('Connection', 'close').end();
      };
      const server = await serve({}, { listener });
      const client = await (await RawClient.connect(server.port)).send(bytes).closed;
      assertProblem(client, status);
      assert.equal(requests, 0);
      assert.equal(client.statuses.length, 1);
      assert.equal(events.length, 1);
      if (reason !== undefined) assert.equal(events[0].reason, reason);
      assert.equal(events[0].errorId, client.problem.errorId);
      assert.equal(client.ending, 'end');
    });
  }

  it('64 headers are taken, and none is left out', async () => {
    let seen;
    const server = await serve({}, { listener: (req, res) => res.end(String((seen = req.rawHeaders.length / 2))) });
    const client = (await RawClient.connect(server.port)).send(get('/', 'a: b\r\n'.repeat(63)));
    await client.received(/ 200 /);
    assert.equal(seen, 64);
  });

  // Node 20 collects headers 31 or 32 at a time, and leaves out what is over the count without a word.
  for (const maxHeadersCount of [31, 40, 62, 64]) {
    it(`what a proxy appended cannot be pushed out by headers in front of it, ${maxHeadersCount}`, async () => {
      let seen = 'nothing';
      const listener = (req, res) => res.end((seen = req.headers['x-forwarded-for']));
      const server = await serve({ maxHeadersCount }, { listener });
      for (const more of [-3, -2, -1, 0, 1, 2, 3, 12, 24, 31, 32, 33, 62, 80]) {
        const count = maxHeadersCount + more;
        seen = 'nothing';
        const client = await RawClient.connect(server.port);
        client.send(get('/', `${'a: b\r\n'.repeat(count - 2)}X-Forwarded-For: 192.0.2.1\r\n`));
        await until(() => client.statuses.length > 0);
        const expected = more <= 0 ? [200, '192.0.2.1'] : [431, 'nothing'];
        assert.deepEqual([client.statuses[0], seen], expected, String(more));
      }
    });
  }

  it('nor does a request behind a body that was too late', async () => {
    const urls = [];
    const server = await serve(SHORT, { listener: (req) => urls.push(req.url) && req.on('error', () => {}).resume() });
    const client = (await RawClient.connect(server.port, { allowHalfOpen: true })).send(post('/first', 2, 'a'));
    await client.received(/ 408 /);
    client.send(`b${get('/second')}`);
    await until(() => server.sockets.size === 0);
    assert.deepEqual([urls, client.statuses], [['/first'], [408]]);
  });

  it('goes on being garbage while it is answered, and is one event', async () => {
    const server = await serve({});
    const client = await RawClient.connect(server.port, { allowHalfOpen: true });
    client.send('GARBAGE\r\n').trickle('GARBAGE\r\n'.repeat(100), 5);
    await until(() => server.sockets.size === 0);
    assertProblem(client, 400);
    assert.equal(events.length, 1);
  });

  it('garbage behind a request that is under way is not answered: it would be taken for its answer', async () => {
    const server = await serve({});
    const client = await (await RawClient.connect(server.port)).send(`${get('/never')}GARBAGE\r\n\r\n`).closed;
    assert.equal(client.text, '');
  });

  it('garbage behind an answer is answered', async () => {
    const server = await serve({});
    const client = (await RawClient.connect(server.port)).send(get());
    await client.received(/ok/);
    await client.send('GARBAGE\r\n\r\n').closed;
    assert.deepEqual(client.statuses, [200, 400]);
  });

  it('garbage in a body', async () => {
    const server = await serve({}, { listener: (req) => req.resume() });
    const client = await RawClient.connect(server.port);
    await client.send('POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n').closed;
    assertProblem(client, 400);
  });

  it('a client that goes in the middle of a request is no event, and the application knows at once', async () => {
    let aborted = 0;
    const server = await serve({}, { listener: (req) => req.on('error', () => aborted++) });
    for (const text of ['GET /', post('/', 100, 'abc')]) {
      const client = await RawClient.connect(server.port);
      client.socket.end(text);
      await client.closed;
      assert.equal(client.text, '');
    }
    await until(() => aborted === 1);
    assert.deepEqual(events.reasons(), []);
  });

  it('nothing of what was sent comes back', async () => {
    const server = await serve({});
    for (const bytes of ['canary7531\r\n\r\n', 'GET / HTTP/1.1\r\ncanary7531 x: y\r\n\r\n']) {
      const client = await (await RawClient.connect(server.port)).send(bytes).closed;
      assert.equal(client.statuses[0], 400);
      assert.doesNotMatch(client.text + JSON.stringify(events), /canary7531/);
    }
  });

  it('an application that listens for clientError answers itself, slow clients included', async () => {
    const server = await serve();
    const codes = [];
    const own = (error, socket) => {
      codes.push(error.code);
      socket.end('HTTP/1.1 418 I am a teapot\r\n\r\n');
    };
    server.on('clientError', own);
    const garbage = (await RawClient.connect(server.port)).send('GARBAGE\r\n\r\n');
    const slow = (await RawClient.connect(server.port)).send('GET /');
    await Promise.all([garbage.closed, slow.closed]);
    assert.deepEqual([garbage.statuses, slow.statuses], [[418], [418]]);
    assert.deepEqual(codes.sort(), ['ERR_HTTP_REQUEST_TIMEOUT', 'HPE_INVALID_METHOD']);

    server.off('clientError', own);
    const again = await (await RawClient.connect(server.port)).send('GARBAGE\r\n\r\n').closed;
    assertProblem(again, 400);
  });

  it('a listener for clientError that does nothing does not keep a slow client', async () => {
    const server = await serve();
    server.on('clientError', () => {});
    const slow = (await RawClient.connect(server.port)).send('GET /');
    await slow.closed;
    assert.equal(slow.text, '');
  });
});

describe('counts', () => {
  beforeEach(forgetEvents);

  it('closes more connections than there may be, and says so', async () => {
    const server = await serve({ maxConnections: 3 });
    const clients = [];
    for (let count = 0; count < 6; count++) clients.push(await RawClient.connect(server.port));
    await until(() => clients.filter((client) => client.isClosed).length === 3);
    assert.deepEqual(events.reasons(), Array(3).fill('max-connections'));
    assert.match(events[0].address, /127\.0\.0\.1$/);
  });

  for (const kind of ['http', 'https']) {
    it(`closes more connections of an address than there may be, and counts who is gone, ${kind}`, async () => {
      let requests = 0;
      const listener = (req, res) => res.end(`ok ${requests++}`);
      const server = await serve({ maxConnectionsPerAddress: 2 }, { kind, listener });
      const connect = (localAddress) => RawClient.connect(server.port, { kind, localAddress });
      const first = [await connect('127.0.0.2'), await connect('127.0.0.2')];
      const third = await connect('127.0.0.2');
      await third.closed;
      assert.deepEqual(events.reasons(), ['max-connections-per-address']);
      const other = (await connect('127.0.0.3')).send(get());
      await other.received(/ok/);
      first[0].socket.destroy();
      await until(() => server.sockets.size === 2);
      const fourth = (await connect('127.0.0.2')).send(get());
      await fourth.received(/ok/);
      assert.equal(first[1].isClosed, false);
    });
  }

  it('counts what is open already when it is told to', async () => {
    const server = await serve({});
    const before = await RawClient.connect(server.port);
    await until(() => server.sockets.size === 1);
    hardenServer(server, { maxConnectionsPerAddress: 1 });
    const second = (await RawClient.connect(server.port)).send(get());
    assert.equal((await second.closed).text, '');
    before.socket.destroy();
    await until(() => server.sockets.size === 0);
    await (await RawClient.connect(server.port)).send(get()).received(/ok/);
    hardenServer(server, {});
    await (await RawClient.connect(server.port)).send(get()).received(/ok/);
  });

  it('ends a connection after so many requests', async () => {
    const server = await serve({ maxRequestsPerSocket: 3 });
    const client = (await RawClient.connect(server.port)).send(get().repeat(2));
    await client.received(/ok[^]*ok/);
    assert.doesNotMatch(client.text, /Connection: close/i);
    await client.send(get().repeat(3)).closed;
    assert.equal(client.statuses.length, 3);
    assert.match(client.text, /Connection: close/i);
    await until(() => events.length > 0);
    assert.deepEqual(events.reasons(), ['max-requests-per-socket', 'max-requests-per-socket']);
  });
});

function servers() {
  it('one that listens already, with connections that are open', async () => {
    const server = http.createServer(app);
    const port = await listen(server);
    const before = (await RawClient.connect(port)).send(get());
    await before.received(/ok/);
    hardenServer(server, SHORT);
    await before.send(get('/second')).received(/second/);
    await before.closed;
  });

  it('sockets that are none of the system', async () => {
    const server = hardenServer(http.createServer(app), SHORT);
    const busy = setInterval(() => {}, 1000);
    const [near, far] = pair();
    server.emit('connection', near);
    const answered = once(far, 'data');
    far.write(get());
    assert.match(String((await answered)[0]), / 200 /);
    far.resume();
    await once(near, 'close');

    const [slowNear, slowFar] = pair();
    server.emit('connection', slowNear);
    slowFar.write('GET / HT');
    await once(slowNear, 'close');
    clearInterval(busy);
  });

  it('a TLS handshake that never ends', async () => {
    const server = await serve(SHORT, { kind: 'https' });
    const client = await RawClient.connect(server.port);
    await client.closed;
    assert.ok(events.reasons().includes('handshake-timeout'));
    await until(() => server.sockets.size === 0);
  });

  it('TLS on connections whose addresses are not those of the system', async () => {
    const server = createServer('https', app);
    // As behind a proxy that says who is there, before the handshake.
    server.on('connection', () => {});
    hardenServer(server, { ...SHORT, keepAliveTimeoutMs: 60_000 });
    const emit = server.emit;
    server.emit = (name, ...values) => {
      if (name === 'connection') Object.defineProperty(values[0], 'remoteAddress', { value: '192.0.2.1' });
      return emit.call(server, name, ...values);
    };
    const port = await listen(server);
    const client = (await RawClient.connect(port, { kind: 'https' })).send(get('/first'));
    await client.received(/first/);
    const later = (await RawClient.connect(port, { kind: 'https' })).send(get('/second'));
    await later.received(/second/);
    await sleep(2000);
    await client.send(get('/third')).received(/third/);
    assert.equal(later.isClosed, false);
  });

  it('requests that are played through it without a connection', () => {
    const server = hardenServer(http.createServer((req, res) => res.push(req.url)));
    for (const socket of [undefined, null, {}, { on: 1 }]) {
      const answers = [];
      assert.equal(server.emit('request', { url: '/', socket }, answers), true);
      assert.deepEqual(answers, ['/']);
    }
    assert.equal(server.emit('upgrade', {}), false);
    assert.equal(server.emit('secureConnection'), false);
  });

  it('listeners that were there before, and their order', async () => {
    const order = [];
    const server = http.createServer((req, res) => res.end(String(order.push('second'))));
    server.prependListener('request', () => order.push('first'));
    hardenServer(server);
    const port = await listen(server);
    await (await RawClient.connect(port)).send(get()).received(/2$/);
    assert.deepEqual(order, ['first', 'second']);
    assert.equal(server.emit('nobody listens'), false);
    assert.equal(server.emit('request-like', 1, 2, 3), false);
  });

  it('an Express application', async () => {
    const application = express();
    application.get('/', (req, res) => res.json({ ok: true }));
    const server = hardenServer(application.listen(0, '127.0.0.1'), SHORT);
    await once(server, 'listening');
    const client = (await RawClient.connect(server.address().port)).send(get());
    await client.received(/\{"ok":true\}/);
    await client.closed;
    server.close();
  });

  it('no timer is left when the connections are gone', async () => {
    const { stdout, stderr } = await runNode(`
      const http = require('node:http');
      const { hardenServer } = require(holdfast + '/lib/http/harden-server.js');
      const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
      const intervals = new Set();
      const { setInterval: make, clearInterval: clear } = globalThis;
      globalThis.setInterval = (...values) => { const timer = make(...values); intervals.add(timer); return timer; };
      globalThis.clearInterval = (timer) => { intervals.delete(timer); clear(timer); };
      const server = hardenServer(http.createServer((req, res) => res.end('ok')));
      server.listen(0, '127.0.0.1', async () => {
        const { port } = server.address();
        const before = intervals.size;
        await fetch('http://127.0.0.1:' + port, { headers: { connection: 'close' } }).then((answer) => answer.text());
        const during = intervals.size;
        setTimeout(() => { console.log(before, during, intervals.size); process.exit(); }, 1300);
      });
    `);
    assert.equal(stdout, '0 1 0\n', stderr);
  });
}

/** Two streams, each of which reads what is written to the other. */
function pair() {
  const half = () =>
    new Duplex({
      read() {},
      write(chunk, encoding, callback) {
        this.other.push(chunk);
        callback();
      },
      final(callback) {
        this.other.push(null);
        callback();
      },
    });
  const [near, far] = [half(), half()];
  near.other = far;
  far.other = near;
  return [near, far];
}

describe('200 slow-loris sockets', () => {
  it('are gone in time, and a request is answered meanwhile', async () => {
    const server = await serve({ headersTimeoutMs: 500, maxConnections: 300 });
    const slow = await Promise.all(Array.from({ length: 200 }, () => RawClient.connect(server.port)));
    for (const client of slow) client.send('GET / HTTP/1.1\r\nHost: x\r\n').trickle('a: b\r\n', 100);
    const gone = Promise.all(slow.map((client) => client.closed));
    let answers = 0;
    let isOver = false;
    void gone.then(() => (isOver = true));
    while (!isOver) {
      const client = await RawClient.connect(server.port);
      await client.send(get('/', 'Connection: close\r\n')).closed;
      assert.deepEqual(client.statuses, [200]);
      answers++;
    }
    assert.ok(answers > 10, String(answers));
    assert.ok(slow.every((client) => client.statuses[0] === 408));
    assert.equal(server.sockets.size, 0);
  });
});
