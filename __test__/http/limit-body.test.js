'use strict';

/** limitBody: by what is announced, before a byte is read; what safeJson reads is left to it. */

const assert = require('node:assert/strict');
const { subscribe, unsubscribe } = require('node:diagnostics_channel');
const { describe, it } = require('node:test');
const { limitBody } = require('../../lib/http/limit-body.js');
const { problemHandler } = require('../../lib/http/problem.js');
const { listener, send, sendRaw, serve } = require('../support/serving.js');

const BYTES = { 'content-type': 'application/octet-stream' };

async function count(req, res) {
  let bytes = 0;
  for await (const chunk of req) bytes += chunk.length;
  res.end(String(bytes));
}

/** The status and text of requests to a server with these options. */
async function client(options) {
  const { port } = await serve(listener([limitBody(options)], count));
  return async (request) => {
    const { status, text, json } = await send(port, { method: 'POST', headers: BYTES, ...request });
    return json?.code === undefined ? [status, text] : [status, json.code];
  };
}

describe('limitBody', () => {
  it('takes what the limit allows, to the byte', async () => {
    const ask = await client({ maxBytes: 1000 });
    assert.deepEqual(await ask({ body: Buffer.alloc(1000) }), [200, '1000']);
    assert.deepEqual(await ask({ body: Buffer.alloc(1001) }), [413, 'ERR_BODY_LIMIT']);
    assert.deepEqual(await ask({ headers: {}, body: Buffer.alloc(1001) }), [413, 'ERR_BODY_LIMIT']);
  });

  it('takes a megabyte by default', async () => {
    const ask = await client();
    assert.deepEqual(await ask({ body: Buffer.alloc(2 ** 20) }), [200, String(2 ** 20)]);
    assert.deepEqual(await ask({ body: Buffer.alloc(2 ** 20 + 1) }), [413, 'ERR_BODY_LIMIT']);
  });

  it('takes nothing of 0 bytes', async () => {
    const ask = await client({ maxBytes: 0 });
    assert.deepEqual(await ask({ body: '' }), [200, '0']);
    assert.deepEqual(await ask({ method: 'GET' }), [200, '0']);
    assert.deepEqual(await ask({ body: 'x' }), [413, 'ERR_BODY_LIMIT']);
  });

  it('refuses a body without a length', async () => {
    const ask = await client();
    assert.deepEqual(await ask({ chunks: ['x'] }), [411, 'ERR_BODY_LENGTH']);
    assert.deepEqual(await ask({ headers: { ...BYTES, 'transfer-encoding': 'chunked' } }), [411, 'ERR_BODY_LENGTH']);
  });

  it('leaves JSON and forms to safeJson', async () => {
    const ask = await client({ maxBytes: 5 });
    for (const type of ['application/json', 'application/x+json; charset=utf-8', 'application/x-www-form-urlencoded']) {
      assert.deepEqual(await ask({ headers: { 'content-type': type }, body: 'x'.repeat(10) }), [200, '10']);
      assert.deepEqual(await ask({ headers: { 'content-type': type }, chunks: ['x'.repeat(10)] }), [200, '10']);
    }
  });

  it('asks a function for each request with a body', async () => {
    const asked = [];
    const ask = await client({
      maxBytes: (req) => {
        asked.push(req.url);
        return { '/none': 0, '/any': Infinity }[req.url] ?? 5;
      },
    });
    assert.deepEqual(await ask({ method: 'GET' }), [200, '0']);
    assert.deepEqual(await ask({ body: '12345' }), [200, '5']);
    assert.deepEqual(await ask({ body: '123456' }), [413, 'ERR_BODY_LIMIT']);
    assert.deepEqual(await ask({ path: '/none', body: '1' }), [413, 'ERR_BODY_LIMIT']);
    assert.deepEqual(await ask({ path: '/any', body: '123456' }), [200, '6']);
    assert.deepEqual(await ask({ path: '/any', chunks: ['123456'] }), [200, '6']);
    assert.deepEqual(asked, ['/', '/', '/none', '/any', '/any']);
  });

  it('refuses answers of that function that are no number of bytes', async () => {
    const answers = { nan: NaN, less: -1, text: '5', none: undefined, promise: Promise.resolve(5) };
    const ask = await client({
      maxBytes: (req) => {
        if (req.url === '/throws') throw new Error('of the application');
        return answers[req.url.slice(1)];
      },
    });
    for (const name of Object.keys(answers)) assert.equal((await ask({ path: `/${name}`, body: 'x' }))[0], 500, name);
    assert.equal((await ask({ path: '/throws', body: 'x' }))[0], 500);
  });

  it("tells of it, and has body-parser's type", async () => {
    const events = [];
    const listen = (event) => events.push(event);
    subscribe('holdfast:security', listen);
    const { port } = await serve(listener([limitBody({ maxBytes: 5 })]));
    const { json } = await send(port, { method: 'POST', headers: BYTES, body: '123456' });
    await send(port, { method: 'POST', headers: BYTES, chunks: ['123456'] });
    unsubscribe('holdfast:security', listen);
    assert.equal(json.type, 'entity.too.large');
    assert.deepEqual(
      events.map(({ kind, code }) => [kind, code]),
      [
        ['body.refused', 'ERR_BODY_LIMIT'],
        ['body.refused', 'ERR_BODY_LENGTH'],
      ],
    );
  });

  it('ends the connection of what is not read, and the client sees why', async () => {
    const answerProblem = problemHandler();
    const fail = (error, req, res) => answerProblem(error, req, res, () => {});
    const { port } = await serve(listener([limitBody({ maxBytes: 5 })], undefined, fail));
    const long = await send(port, { method: 'POST', headers: BYTES, body: Buffer.alloc(2 * 2 ** 20) });
    assert.deepEqual([long.status, long.json.code, long.headers.connection], [413, 'ERR_BODY_LIMIT', 'close']);
    const { status, json, headers } = await send(port, {
      method: 'POST',
      headers: BYTES,
      chunks: Array(100).fill(Buffer.alloc(20_000)),
    });
    assert.deepEqual([status, json.code, headers.connection], [411, 'ERR_BODY_LENGTH', 'close']);
    const last = 'GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n';
    const text = await sendRaw(port, `POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\n\r\n123456${last}`);
    assert.deepEqual([...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status), ['413', '200']);
  });

  it('ends it whoever answers', async () => {
    const { port } = await serve(listener([limitBody({ maxBytes: 5 })]));
    const text = await sendRaw(port, 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 600000\r\n\r\n123456');
    assert.match(text, /^HTTP\/1\.1 413 [^]*\r\nConnection: close\r\n/);
  });

  for (const [options, code] of [
    [{ limit: 5 }, 'ERR_INVALID_ARG_VALUE'],
    [{ maxBytes: '5' }, 'ERR_INVALID_ARG_TYPE'],
    [{ maxBytes: -1 }, 'ERR_OUT_OF_RANGE'],
    [{ maxBytes: 1.5 }, 'ERR_OUT_OF_RANGE'],
    [{ maxBytes: NaN }, 'ERR_OUT_OF_RANGE'],
    [5, 'ERR_INVALID_ARG_TYPE'],
  ]) {
    it(`refuses the options ${JSON.stringify(options)}`, () => assert.throws(() => limitBody(options), { code }));
  }
});
