'use strict';

/** What is said, once, when requests come through a proxy that the application has not been told to trust. */

const assert = require('node:assert/strict');
const http = require('node:http');
const { afterEach, beforeEach, describe, it } = require('node:test');
const express = require('express');
const { rateLimit } = require('../../lib/http/rate-limit.js');
const { slowDown } = require('../../lib/http/slow-down.js');
const { SERVERS, ask, eventsDuring, listen, pass } = require('../support/limited.js');

const FORWARDED = [
  { 'x-forwarded-for': '203.0.113.9' },
  { 'x-forwarded-for': '' },
  { 'x-forwarded-for': 'nonsense; drop table' },
  { forwarded: 'for=203.0.113.9;proto=https' },
  { 'x-real-ip': '203.0.113.9' },
];

let running;
let said;
let warn;
beforeEach(() => {
  said = [];
  warn = (warning) => said.push(warning);
  process.on('warning', warn);
});
afterEach(async () => {
  process.off('warning', warn);
  await running?.close();
  running = undefined;
});

/** The events, and the warnings, that come of some requests. */
async function saidOf(requests) {
  const events = await eventsDuring(requests);
  await new Promise(setImmediate);
  return { events: events.filter(({ kind }) => kind === 'proxy.untrusted'), warnings: said };
}

for (const kind of Object.keys(SERVERS)) {
  describe(`a proxy that is not trusted, on ${kind}`, () => {
    for (const headers of FORWARDED) {
      const [[name, value]] = Object.entries(headers);
      it(`is told of by ${name}: ${value}, once`, async () => {
        running = await SERVERS[kind]([rateLimit(), rateLimit({ name: 'other' })]);
        const { events, warnings } = await saidOf(async () => {
          await ask(running.origin);
          for (let count = 0; count < 5; count++) await ask(running.origin, { path: '/a?b', headers });
        });
        const [event] = events;
        assert.deepEqual([events.length, warnings.length], [1, 1]);
        const header = { 'x-forwarded-for': 'X-Forwarded-For', forwarded: 'Forwarded', 'x-real-ip': 'X-Real-IP' }[name];
        assert.deepEqual([event.kind, event.address, event.header], ['proxy.untrusted', '127.0.0.1', header]);
        assert.equal(event.route, '/a');
        const [{ name: type, code, message }] = warnings;
        assert.deepEqual([type, code], ['HoldfastWarning', 'HOLDFAST_PROXY_UNTRUSTED']);
        assert.match(message, /trust proxy/);
        assert.match(message, /If there is no proxy/);
        assert.doesNotMatch(JSON.stringify(event) + message, /203\.0\.113\.9|drop table/);
      });
    }
  });
}

describe('nothing is said', () => {
  for (const [kind, trust] of [
    ['Express', 'loopback'],
    ['Express', true],
    ['Express', 1],
    ['Fastify with middie', '127.0.0.1'],
    ['Fastify with middie', true],
  ]) {
    it(`of a proxy that is trusted: ${kind}, ${trust}`, async () => {
      running = await SERVERS[kind]([rateLimit()], { trust });
      const { events, warnings } = await saidOf(async () => {
        for (const address of ['203.0.113.9', '203.0.113.9, 127.0.0.1', '127.0.0.1']) {
          await ask(running.origin, { headers: { 'x-forwarded-for': address, 'x-real-ip': address } });
        }
      });
      assert.deepEqual([events, warnings], [[], []]);
    });
  }

  it('without such a header, or where the application has keys of its own', async () => {
    running = await SERVERS.Express([rateLimit({ key: () => 'all' }), slowDown({ key: () => 'all' })]);
    const { events, warnings } = await saidOf(async () => {
      await ask(running.origin, { headers: { 'x-forwarded-host': 'a', 'x-forwarded-proto': 'https', via: '1.1 a' } });
      await ask(running.origin, { headers: FORWARDED[0] });
    });
    assert.deepEqual([events, warnings], [[], []]);
  });

  it('where something else has found out who the client is', async () => {
    const { events, warnings } = await saidOf(() => pass(rateLimit(), { headers: FORWARDED[0], ip: '203.0.113.9' }));
    assert.deepEqual([events, warnings], [[], []]);
  });

  it('of what is skipped', async () => {
    running = await SERVERS.Express([rateLimit({ skip: () => true })]);
    const { events, warnings } = await saidOf(() => ask(running.origin, { headers: FORWARDED[0] }));
    assert.deepEqual([events, warnings], [[], []]);
  });
});

describe('something is said', () => {
  it('of a proxy that is trusted and sends no header that a framework reads', async () => {
    running = await SERVERS.Express([rateLimit()], { trust: 'loopback' });
    const { events } = await saidOf(() => ask(running.origin, { headers: { 'x-real-ip': '203.0.113.9' } }));
    assert.equal(events[0].header, 'X-Real-IP');
  });

  it('of a proxy that is another than the trusted one', async () => {
    running = await SERVERS.Express([rateLimit()], { trust: '10.0.0.0/8' });
    const { events } = await saidOf(() => ask(running.origin, { headers: FORWARDED[0] }));
    assert.equal(events.length, 1);
  });

  it('by slowDown too', async () => {
    running = await SERVERS.Express([slowDown()]);
    const { events, warnings } = await saidOf(() => ask(running.origin, { headers: FORWARDED[0] }));
    assert.deepEqual([events.length, warnings.length], [1, 1]);
  });

  it('for each application of a process', async () => {
    for (let count = 0; count < 2; count++) {
      const app = express();
      app.use(rateLimit(), (req, res) => res.end());
      running = await listen(http.createServer(app));
      await ask(running.origin, { headers: FORWARDED[0] });
      await running.close();
    }
    assert.equal(said.length, 2);
  });

  it('by requests without a socket or a server, and by applications that are none', async () => {
    const limit = rateLimit();
    const headers = FORWARDED[0];
    for (const req of [{ socket: null }, { socket: {} }, { app: 'x' }, { app: {} }, { app: () => {} }]) {
      assert.equal(await pass(limit, { headers, ...req }), undefined);
    }
    const odd = Object.assign(() => {}, { enabled: () => true, get: () => undefined });
    assert.equal(await pass(limit, { headers, app: odd }), undefined);
  });
});
