'use strict';

/** What goes wrong where pieces meet, and not in any one of them: each of these has happened. */

const assert = require('node:assert/strict');
const net = require('node:net');
const { after, describe, it } = require('node:test');
const { setTimeout: sleep } = require('node:timers/promises');
const express = require('express');
const { Keyring, RateLimiter, generateKey } = require('../..');
const { gracefulShutdown, harden, hardenServer } = require('../../lib/express/index.js');
const { serve } = require('../support/serving.js');

const keyring = new Keyring({ primary: 'k1', keys: { k1: generateKey() } });
const quiet = { log() {} };
const closing = [];
after(() => Promise.all(closing.map((server) => server.close())));

async function started(listener) {
  const server = await serve(listener);
  closing.push(server);
  return server;
}

/** Sends bytes, and gives what comes until the server closes the connection, or for this long. */
function raw(port, text, ms = 10_000) {
  return new Promise((resolve) => {
    let received = '';
    const socket = net.connect(port, '127.0.0.1', () => socket.write(text));
    const timer = setTimeout(() => socket.destroy(), ms);
    socket.setEncoding('latin1').on('data', (chunk) => (received += chunk));
    socket.on('error', () => {});
    socket.on('close', () => {
      clearTimeout(timer);
      resolve(received);
    });
  });
}

const request = (line, headers = {}, body = '') => {
  const all = { Host: 'a', Connection: 'close', ...(body === '' ? {} : { 'Content-Length': body.length }), ...headers };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return `${line} HTTP/1.1\r\n${lines.join('')}\r\n${body}`;
};

describe('a session that is not valid any more', () => {
  const READERS = {
    'nothing before': {},
    'the key of the rate limit': { rateLimit: { key: (req) => `user ${req.session.user}` } },
    'skip of the rate limit': { rateLimit: { skip: (req) => req.session.user === 'root' } },
    'the key of slowing down': { slowDown: { key: (req) => `user ${req.session.user}` } },
    'the size of bodies': { body: { maxBytes: (req) => (req.session.user === 'root' ? 1e6 : 1e3) } },
  };
  for (const [reader, options] of Object.entries(READERS)) {
    it(`is none, also when it was read by ${reader}`, async () => {
      let isValid = true;
      const app = harden(express(), { keyring, ...options, session: { validate: () => isValid } });
      app.post('/login', (req, res) => {
        req.session.user = 'ada';
        res.end();
      });
      app.post('/me', (req, res) => res.end(`user ${req.session.user}`));
      const { port } = await started(app);
      const [, cookie] = /set-cookie: (session=[^;]+)/i.exec(await raw(port, request('POST /login')));
      const me = request('POST /me', { Cookie: cookie, Origin: 'http://a', 'Content-Type': 'text/plain' }, 'x');
      assert.match(await raw(port, me), /user ada$/);
      isValid = false;
      assert.match(await raw(port, me), /user undefined$/);
    });
  }
});

describe('several hardened applications', () => {
  const crossSite = { 'Sec-Fetch-Site': 'cross-site', Cookie: 'x=1' };

  it('one after the other never leave a request without rules', async () => {
    const first = harden(express(), { csrf: false, problems: quiet });
    const second = harden(express(), { keyring, problems: quiet });
    let transfers = 0;
    second.post('/transfer', (req, res) => res.end(String(++transfers)));
    const { port } = await started(express().use(first).use('/admin', second));
    assert.match(await raw(port, request('POST /admin/transfer', crossSite)), /^HTTP\/1\.1 500 /);
    const { port: alone } = await started(express().use('/admin', second));
    assert.match(await raw(alone, request('POST /admin/transfer', crossSite)), /^HTTP\/1\.1 403 /);
    assert.equal(transfers, 0);
  });

  it('in one that is not hardened answer for their own errors, and leave the rest to it', async () => {
    const inner = harden(express(), { problems: quiet });
    inner.get('/fail', () => {
      throw new Error('hunter2');
    });
    const { port } = await started(express().use('/inner', inner).use((req, res) => res.status(404).end('outer')));
    const failed = await raw(port, request('GET /inner/fail'));
    assert.match(failed, /^HTTP\/1\.1 500 [^]*application\/problem\+json/);
    assert.ok(!failed.includes('hunter2'));
    assert.match(await raw(port, request('GET /inner/nothing')), /^HTTP\/1\.1 404 [^]*outer$/);
  });
});

it('a body that ends while a limiter is asked does not reach a route', async () => {
  const seen = [];
  const local = new RateLimiter({ limit: 100, windowMs: 1000 });
  const limiter = {
    consume: (key, cost) => sleep(200).then(() => local.consume(key, cost)),
    peek() {},
    refund() {},
    reset() {},
  };
  const app = harden(express(), { rateLimit: { limiter }, problems: { log: ({ code }) => seen.push(code) } });
  app.put('/settings', (req, res) => {
    seen.push('the route');
    res.end();
  });
  const { port } = await started(app);
  const headers = { 'Content-Type': 'application/json', 'Content-Length': 50 };
  await raw(port, `${request('PUT /settings', headers)}{"a":1`, 50);
  for (let tries = 0; tries < 100 && seen.length === 0; tries++) await sleep(50);
  assert.deepEqual(seen, ['ERR_BODY_ABORTED']);
});

describe('a server', () => {
  it('counts the headers of an upgrade, too', async () => {
    const { port, server } = await started(() => {});
    hardenServer(server, { maxHeadersCount: 20 });
    server.on('upgrade', (req, socket) => socket.end('HTTP/1.1 101 Switching Protocols\r\n\r\n'));
    const few = { Connection: 'Upgrade', Upgrade: 'websocket' };
    const many = Object.fromEntries(Array.from({ length: 30 }, (_, index) => [`X-${index}`, 1]));
    assert.match(await raw(port, request('GET /', few)), /^HTTP\/1\.1 101 /);
    assert.match(await raw(port, request('GET /', { ...few, ...many })), /^HTTP\/1\.1 431 /);
  });

  it('does not take an application that reads late for a client that sends slowly', async () => {
    const { port, server } = await started(async (req, res) => {
      await sleep(3000);
      let bytes = 0;
      for await (const chunk of req) bytes += chunk.length;
      res.end(`got ${bytes}`);
    });
    hardenServer(server, { requestTimeoutMs: 1000, headersTimeoutMs: 1000 });
    assert.match(await raw(port, request('POST /', {}, 'x'.repeat(400_000))), /got 400000$/);
  });

  it('that is shutting down handles no request whose answer it cannot send', async () => {
    const handled = [];
    const { port, server } = await started((req, res) => {
      handled.push(req.url);
      setTimeout(() => res.end(), 20);
    });
    const shutdown = gracefulShutdown(server, { exit: false, signals: [] });
    const socket = net.connect(port, '127.0.0.1');
    socket.on('error', () => {});
    let received = '';
    socket.setEncoding('latin1').on('data', (chunk) => (received += chunk));
    await new Promise((resolve) => server.once('connection', resolve));
    const closed = shutdown.close('test');
    for (const name of ['a', 'b', 'c']) socket.write(`POST /${name} HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n`);
    await closed;
    socket.destroy();
    assert.equal(received.match(/HTTP\/1\.1 200/g)?.length ?? 0, handled.length);
    assert.ok(handled.length <= 1);
  });
});
