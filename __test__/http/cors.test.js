'use strict';

/** allowOrigins: who is allowed to read, what a preflight is told, and what cannot be configured. */

const assert = require('node:assert/strict');
const { subscribe, unsubscribe } = require('node:diagnostics_channel');
const { after, before, beforeEach, describe, it } = require('node:test');
const express = require('express');
const { allowOrigins } = require('../../lib/http/cors.js');
const { listener, send, serve } = require('../support/serving.js');

const ORIGIN = 'https://app.example';
const EVIL = 'https://evil.example';

const events = [];
const listen = (event) => events.push(event);
before(() => subscribe('holdfast:security', listen));
after(() => unsubscribe('holdfast:security', listen));
beforeEach(() => (events.length = 0));

async function client(options) {
  const { port } = await serve(listener([allowOrigins(options)], (req, res) => res.end(`route ${req.method}`)));
  return (request) => send(port, request);
}
const preflight = (origin) => ({
  method: 'OPTIONS',
  headers: { origin, 'access-control-request-method': 'PUT', 'access-control-request-headers': 'x-one,x-two' },
});

describe('allowOrigins', () => {
  it('lets listed origins read, and no other', async () => {
    const ask = await client({ origins: ['http://localhost:3000', ORIGIN], credentials: true });
    const allowed = await ask({ headers: { origin: ORIGIN } });
    assert.equal(allowed.headers['access-control-allow-origin'], ORIGIN);
    assert.equal(allowed.headers['access-control-allow-credentials'], 'true');
    assert.equal(allowed.headers.vary, 'Origin');
    assert.deepEqual(events, []);
    const alike = ['http://app.example', `${ORIGIN}:444`, `${ORIGIN}.evil.example`, ORIGIN.toUpperCase()];
    const others = [EVIL, 'null', '', ...alike];
    for (const origin of others) {
      const { status, headers, text } = await ask({ headers: { origin } });
      assert.deepEqual([status, text], [200, 'route GET']);
      assert.equal(headers['access-control-allow-origin'], undefined, origin);
      assert.equal(headers.vary, 'Origin');
    }
    assert.equal((await ask({})).headers.vary, 'Origin');
  });

  it('answers preflights', async () => {
    const ask = await client({ origins: [ORIGIN] });
    const { status, headers, text } = await ask(preflight(ORIGIN));
    assert.deepEqual([status, text], [204, '']);
    assert.equal(headers['access-control-allow-origin'], ORIGIN);
    assert.equal(headers['access-control-allow-methods'], 'GET,HEAD,PUT,PATCH,POST,DELETE');
    assert.equal(headers['access-control-allow-headers'], 'x-one,x-two');
    assert.equal(headers['access-control-max-age'], '600');
    assert.equal(headers['access-control-allow-credentials'], undefined);
    assert.match(headers.vary, /^Origin, Access-Control-Request-Headers$/);
    const evil = await ask(preflight(EVIL));
    assert.equal(evil.status, 204);
    assert.equal(evil.headers['access-control-allow-origin'], undefined);
  });

  it('says what the options say', async () => {
    const ask = await client({
      origins: [ORIGIN],
      methods: ['GET', 'POST'],
      allowedHeaders: ['X-Api-Key'],
      exposedHeaders: ['RateLimit', 'ETag'],
      maxAge: 0,
    });
    const { headers } = await ask(preflight(ORIGIN));
    assert.equal(headers['access-control-allow-methods'], 'GET,POST');
    assert.equal(headers['access-control-allow-headers'], 'X-Api-Key');
    assert.equal(headers['access-control-max-age'], '0');
    const actual = await ask({ headers: { origin: ORIGIN } });
    assert.equal(actual.headers['access-control-expose-headers'], 'RateLimit,ETag');
  });

  it('leaves OPTIONS that is no preflight to the application', async () => {
    const ask = await client({ origins: [ORIGIN] });
    const { text, headers } = await ask({ method: 'OPTIONS', headers: { origin: ORIGIN } });
    assert.equal(text, 'route OPTIONS');
    assert.equal(headers['access-control-allow-origin'], ORIGIN);
    assert.equal((await ask({ method: 'OPTIONS' })).text, 'route OPTIONS');
  });

  it("lets all origins read with '*', without Vary", async () => {
    const ask = await client({ origins: '*' });
    const { headers } = await ask({ headers: { origin: EVIL } });
    assert.equal(headers['access-control-allow-origin'], '*');
    assert.equal(headers['access-control-allow-credentials'], undefined);
    assert.equal(headers.vary, undefined);
    assert.deepEqual(events, []);
  });

  it('tells of other origins, but not of its own', async () => {
    const app = express();
    app.set('trust proxy', 'loopback');
    app.use(allowOrigins({ origins: [ORIGIN] }));
    const { port } = await serve(app);
    const ask = (headers, method = 'GET') => send(port, { path: '/x', method, headers });
    await ask({ origin: `http://127.0.0.1:${port}` });
    await ask({ origin: 'https://here.example', host: 'here.example', 'x-forwarded-proto': 'https' });
    await ask({ origin: 'https://odd.example', 'sec-fetch-site': 'same-origin' });
    await ask({});
    assert.deepEqual(events, []);
    await ask({ origin: EVIL });
    await send(port, { ...preflight(EVIL), path: '/x' });
    await ask({ origin: `https://127.0.0.1:${port}` });
    assert.deepEqual(
      events.map(({ kind, method, route }) => [kind, method, route]),
      [
        ['cors.refused', 'GET', '/x'],
        ['cors.refused', 'OPTIONS', '/x'],
        ['cors.refused', 'GET', '/x'],
      ],
    );
    assert.ok(!JSON.stringify(events).includes('evil'));
  });

  const wrong = [
    [undefined, 'ERR_INVALID_ARG_TYPE'],
    [{}, 'ERR_INVALID_ARG_TYPE'],
    [{ origins: true }, 'ERR_INVALID_ARG_TYPE'],
    [{ origins: ORIGIN }, 'ERR_INVALID_ARG_TYPE'],
    [{ origins: [/example/] }, 'ERR_INVALID_ARG_TYPE'],
    [{ origins: ['*'] }, 'ERR_INVALID_ARG_VALUE'],
    [{ origins: ['null'] }, 'ERR_INVALID_ARG_VALUE'],
    [{ origins: ['https://*.example'] }, 'ERR_INVALID_ARG_VALUE'],
    [{ origins: [`${ORIGIN}/`] }, 'ERR_INVALID_ARG_VALUE'],
    [{ origins: [`${ORIGIN}:443`] }, 'ERR_INVALID_ARG_VALUE'],
    [{ origins: ['app.example'] }, 'ERR_INVALID_ARG_VALUE'],
    [{ origins: '*', credentials: true }, 'ERR_INVALID_ARG_VALUE'],
    [{ origins: [ORIGIN], credentials: 'include' }, 'ERR_INVALID_ARG_TYPE'],
    [{ origins: [ORIGIN], methods: ['get'] }, 'ERR_INVALID_ARG_VALUE'],
    [{ origins: [ORIGIN], methods: 'GET' }, 'ERR_INVALID_ARG_TYPE'],
    [{ origins: [ORIGIN], allowedHeaders: ['a b'] }, 'ERR_INVALID_ARG_VALUE'],
    [{ origins: [ORIGIN], exposedHeaders: ['a\r\nb'] }, 'ERR_INVALID_ARG_VALUE'],
    [{ origins: [ORIGIN], maxAge: -1 }, 'ERR_OUT_OF_RANGE'],
    [{ origins: [ORIGIN], origin: true }, 'ERR_INVALID_ARG_VALUE'],
  ];
  for (const [options, code] of wrong) {
    it(`refuses the options ${JSON.stringify(options)}`, () => assert.throws(() => allowOrigins(options), { code }));
  }

  it('takes nothing from a polluted prototype', async () => {
    const ofCors = { credentials: true, headers: 'x-evil', exposedHeaders: 'x', preflightContinue: true };
    Object.assign(Object.prototype, ofCors);
    try {
      const ask = await client({ origins: [ORIGIN] });
      const { status, headers } = await ask(preflight(ORIGIN));
      assert.equal(status, 204);
      assert.equal(headers['access-control-allow-origin'], ORIGIN);
      assert.equal(headers['access-control-allow-headers'], 'x-one,x-two');
      assert.equal(headers['access-control-allow-credentials'], undefined);
      assert.equal(headers['access-control-expose-headers'], undefined);
    } finally {
      for (const name of Object.keys(ofCors)) delete Object.prototype[name];
    }
  });
});
