'use strict';

/** safeJson over real connections: what it reads and refuses, how bodies arrive, and what other parsers see of it. */

const assert = require('node:assert/strict');
const http2 = require('node:http2');
const { AsyncLocalStorage } = require('node:async_hooks');
const { once } = require('node:events');
const { subscribe, unsubscribe } = require('node:diagnostics_channel');
const net = require('node:net');
const { after, before, describe, it } = require('node:test');
const express = require('express');
const { safeJson } = require('../../lib/http/safe-json.js');
const { listener, send, sendRaw, serve, until } = require('../support/serving.js');

const JSON_TYPE = { 'content-type': 'application/json' };
const FORM_TYPE = { 'content-type': 'application/x-www-form-urlencoded' };
const SECRET = 'hunter2';
const jsonWith = (parameter) => ({ 'content-type': `application/json; ${parameter}` });

/** One server of each kind for the file. */
const servers = new Map();
async function portOf(name, make) {
  if (!servers.has(name)) servers.set(name, await serve(make()));
  return servers.get(name).port;
}
const plain = () => portOf('plain', () => listener([safeJson()]));
const post = async (body, headers = JSON_TYPE) => send(await plain(), { method: 'POST', headers, body });

describe('safeJson reads', () => {
  const taken = [
    ['{"a":[1,2,{"b":null}]}', { a: [1, 2, { b: null }] }],
    ['"text"', 'text'],
    ['0', 0],
    ['null', null],
    ['\ufeff{}', {}],
    [' \r\n[]\t', []],
  ];
  for (const [text, value] of taken) {
    it(JSON.stringify(text), async () => {
      const { status, json } = await post(text);
      assert.deepEqual([status, json.body], [200, value]);
    });
  }

  it('forms, as objects without prototypes', async () => {
    const port = await portOf('form', () =>
      listener([safeJson()], (req, res) => res.end(String(Object.getPrototypeOf(req.body) === null) + req.body.a)),
    );
    assert.equal((await send(port, { method: 'POST', headers: FORM_TYPE, body: 'a=%C3%A9' })).text, 'trueé');
  });

  it('nothing of other types, which stay to be read', async () => {
    const port = await portOf('other', () =>
      listener([safeJson()], async (req, res) => {
        let bytes = 0;
        for await (const chunk of req) bytes += chunk.length;
        res.end(`${Object.hasOwn(req, 'body')} ${req.body} ${bytes}`);
      }),
    );
    const multipart = { 'content-type': 'multipart/form-data; boundary=x' };
    for (const headers of [{ 'content-type': 'text/plain' }, multipart, {}]) {
      const { text } = await send(port, { method: 'POST', headers, body: Buffer.alloc(50_000) });
      assert.equal(text, 'true undefined 50000');
    }
  });

  it('nothing where there is no body', async () => {
    for (const method of ['GET', 'HEAD', 'DELETE', 'OPTIONS', 'POST']) {
      const { status, text } = await send(await plain(), { method, headers: JSON_TYPE });
      assert.deepEqual([status, text], [200, method === 'HEAD' ? '' : '{}']);
    }
    assert.equal((await post('')).text, '{}');
    const headers = { ...JSON_TYPE, 'transfer-encoding': 'chunked' };
    const chunked = await send(await plain(), { method: 'POST', headers });
    assert.deepEqual([chunked.status, chunked.text], [200, '{}']);
  });

  it('the body of a GET', async () => {
    const { json } = await send(await plain(), { headers: { ...JSON_TYPE, 'content-length': 2 }, body: '[]' });
    assert.deepEqual(json.body, []);
  });

  it('just what the limits allow', async () => {
    assert.equal((await post(`"${'x'.repeat(10_238)}"`)).status, 200);
    assert.equal((await post(`"${'x'.repeat(10_239)}"`)).json.code, 'ERR_BODY_LIMIT');
    assert.equal((await post('['.repeat(32) + ']'.repeat(32))).status, 200);
    assert.equal((await post('['.repeat(33) + ']'.repeat(33))).json.code, 'ERR_JSON_LIMIT');
    const keys = (count) => `{${Array.from({ length: count }, (_, at) => `"${at}":1`)}}`;
    assert.equal((await post(keys(1000))).status, 200);
    assert.equal((await post(keys(1001))).json.code, 'ERR_JSON_LIMIT');
    const names = (count) => Array.from({ length: count }, (_, at) => `a${at}=`).join('&');
    assert.equal((await post(names(1000), FORM_TYPE)).status, 200);
    assert.equal((await post(names(1001), FORM_TYPE)).json.code, 'ERR_QUERY_LIMIT');
    assert.equal((await post(`a=${'x'.repeat(10_238)}`, FORM_TYPE)).status, 200);
    assert.equal((await post(`a=${'x'.repeat(10_239)}`, FORM_TYPE)).json.code, 'ERR_BODY_LIMIT');
  });
});

describe('safeJson refuses', () => {
  const refused = [
    ['no JSON', '{', JSON_TYPE, 400, 'ERR_JSON_SYNTAX', 'entity.parse.failed'],
    ['white space alone', ' ', JSON_TYPE, 400, 'ERR_JSON_SYNTAX', 'entity.parse.failed'],
    ['no UTF-8', Buffer.from('22ff22', 'hex'), JSON_TYPE, 400, 'ERR_JSON_ENCODING', 'entity.parse.failed'],
    ['__proto__', `{"__proto__":"${SECRET}"}`, JSON_TYPE, 400, 'ERR_JSON_PROTO_KEY', 'entity.verify.failed'],
    [
      'constructor.prototype',
      `{"constructor":{"prototype":"${SECRET}"}}`,
      JSON_TYPE,
      400,
      'ERR_JSON_CONSTRUCTOR_KEY',
      'entity.verify.failed',
    ],
    ['depth', '['.repeat(5000), JSON_TYPE, 413, 'ERR_JSON_LIMIT', 'entity.too.large'],
    ['size', SECRET.repeat(2000), JSON_TYPE, 413, 'ERR_BODY_LIMIT', 'entity.too.large'],
    ['gzip', 'x', { ...JSON_TYPE, 'content-encoding': 'gzip' }, 415, 'ERR_BODY_TYPE', 'encoding.unsupported'],
    ['two', 'x', { ...JSON_TYPE, 'content-encoding': 'identity, br' }, 415, 'ERR_BODY_TYPE', 'encoding.unsupported'],
    ['latin1', '{}', jsonWith('charset=latin1'), 415, 'ERR_BODY_TYPE', 'charset.unsupported'],
    ['half a parameter', '{}', jsonWith('charset'), 415, 'ERR_BODY_TYPE', 'charset.unsupported'],
    ['a type without end', '{}', jsonWith(`a="${'x'.repeat(500)}"`), 415, 'ERR_BODY_TYPE', 'charset.unsupported'],
    ['__proto__ in a form', `__proto__=${SECRET}`, FORM_TYPE, 400, 'ERR_QUERY_KEY', 'entity.verify.failed'],
    ['a name twice', `a=1&a=${SECRET}`, FORM_TYPE, 400, 'ERR_QUERY_DUPLICATE', 'entity.verify.failed'],
    ['half an escape', 'a=%', FORM_TYPE, 400, 'ERR_QUERY_ENCODING', 'entity.parse.failed'],
    ['a form in latin1', Buffer.from('613de9', 'hex'), FORM_TYPE, 400, 'ERR_QUERY_ENCODING', 'entity.parse.failed'],
    ['a form in gzip', 'x', { ...FORM_TYPE, 'content-encoding': 'gzip' }, 415, 'ERR_BODY_TYPE', 'encoding.unsupported'],
  ];
  const events = [];
  const listen = (event) => events.push(event);
  before(() => subscribe('holdfast:security', listen));
  after(() => unsubscribe('holdfast:security', listen));

  for (const [name, body, headers, status, code, type] of refused) {
    it(name, async () => {
      events.length = 0;
      const answer = await post(body, headers);
      const { message, ...rest } = answer.json;
      assert.deepEqual([answer.status, rest], [status, { code, type }]);
      assert.ok(!message.includes(SECRET));
      const [event, ...others] = events;
      assert.deepEqual(others, []);
      assert.deepEqual(
        [event.kind, event.code, event.method, event.route],
        [code.startsWith('ERR_JSON') ? 'json.refused' : 'body.refused', code, 'POST', '/'],
      );
      assert.ok(!JSON.stringify(event).includes(SECRET));
    });
  }

  it('takes the coding identity for none', async () => {
    assert.equal((await post('{}', { ...JSON_TYPE, 'content-encoding': 'Identity' })).status, 200);
  });

  it('has errors in the shape of http-errors', async () => {
    let seen;
    const port = await portOf('shape', () =>
      listener([safeJson()], undefined, (error, req, res) => {
        seen = error;
        res.end();
      }),
    );
    await send(port, { method: 'POST', headers: JSON_TYPE, body: 'x'.repeat(20_000) });
    const { status, statusCode, expose, code, type } = seen;
    assert.deepEqual({ status, statusCode, expose, code, type }, {
      status: 413,
      statusCode: 413,
      expose: true,
      code: 'ERR_BODY_LIMIT',
      type: 'entity.too.large',
    });
  });
});

describe('options', () => {
  it('are those of JsonGuard, with limits of their own', async () => {
    const port = await portOf('options', () =>
      listener([
        safeJson({
          limits: { bytes: 20, depth: undefined },
          duplicateKeys: 'error',
          types: ['text/json'],
          reviver: (key, value) => {
            if (value === 'throw') throw Object.assign(new Error(SECRET), { expose: true });
            return value === 1 ? 'one' : value;
          },
        }),
      ]),
    );
    const text = (body, type = 'text/json') => send(port, { method: 'POST', headers: { 'content-type': type }, body });
    assert.deepEqual((await text('{"a":1}')).json.body, { a: 'one' });
    assert.equal((await text('{"a":1,"a":1}')).json.code, 'ERR_JSON_DUPLICATE_KEY');
    assert.equal((await text('{"a":"0123456789012"}')).json.code, 'ERR_BODY_LIMIT');
    assert.equal((await text('{"a":1}', 'application/json')).text, '{}');
    const failed = await text('"throw"');
    assert.deepEqual([failed.status, failed.json.type], [500, undefined]);
  });

  it('say how forms are read, or that they are not', async () => {
    const [none, arrays] = await Promise.all([
      portOf('no forms', () => listener([safeJson({ urlencoded: false })])),
      portOf('forms', () =>
        listener([
          safeJson({ urlencoded: { duplicates: 'last', arrays: ['tag'], nested: true }, limits: { arrayLength: 3 } }),
        ]),
      ),
    ]);
    assert.equal((await send(none, { method: 'POST', headers: FORM_TYPE, body: 'a=1' })).text, '{}');
    const read = async (body) => (await send(arrays, { method: 'POST', headers: FORM_TYPE, body })).json;
    assert.deepEqual((await read('a=1&a=2&tag=x&b[c]=3')).body, { a: '2', tag: ['x'], b: { c: '3' } });
    assert.equal((await read('tag=1&tag=2&tag=3&tag=4')).code, 'ERR_QUERY_LIMIT');
  });

  const wrong = [
    [{ limit: 5 }, 'ERR_INVALID_ARG_VALUE'],
    [{ limits: 5 }, 'ERR_INVALID_ARG_TYPE'],
    [{ limits: null }, 'ERR_INVALID_ARG_TYPE'],
    [{ limits: { bytes: null } }, 'ERR_INVALID_ARG_TYPE'],
    [{ limits: { bytes: -1 } }, 'ERR_OUT_OF_RANGE'],
    [{ limits: { size: 1 } }, 'ERR_INVALID_ARG_VALUE'],
    [{ protoKey: 'keep' }, 'ERR_INVALID_ARG_VALUE'],
    [{ reviver: 1 }, 'ERR_INVALID_ARG_TYPE'],
    [{ types: 'application/json' }, 'ERR_INVALID_ARG_TYPE'],
    [{ types: ['*/*'] }, 'ERR_INVALID_ARG_VALUE'],
    [{ urlencoded: 'yes' }, 'ERR_INVALID_ARG_TYPE'],
    [{ urlencoded: null }, 'ERR_INVALID_ARG_TYPE'],
    [{ urlencoded: { duplicates: 'all' } }, 'ERR_INVALID_ARG_VALUE'],
    [{ urlencoded: { limits: {} } }, 'ERR_INVALID_ARG_VALUE'],
    [[], 'ERR_INVALID_ARG_TYPE'],
  ];
  for (const [options, code] of wrong) {
    it(`refuse ${JSON.stringify(options)}`, () => assert.throws(() => safeJson(options), { code }));
  }

  it('may be frozen, and are read once', async () => {
    const options = { limits: { bytes: 5 } };
    const middleware = safeJson(options);
    options.limits.bytes = 1000;
    const { port } = await serve(listener([middleware, safeJson(Object.freeze({ limits: Object.freeze({}) }))]));
    assert.equal((await send(port, { method: 'POST', headers: JSON_TYPE, body: '"12345"' })).status, 413);
  });
});

describe('how bodies arrive', () => {
  const HEAD = 'POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n';
  const LAST = 'GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n';
  const statuses = (text) => [...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => Number(status));
  const tick = () => new Promise((resolve) => setImmediate(resolve));

  it('byte by byte, with a length', async () => {
    const body = JSON.stringify({ text: 'ü€😀'.repeat(20) });
    const bytes = Buffer.from(body);
    const text = await sendRaw(await plain(), `${HEAD}Content-Length: ${bytes.length}\r\n\r\n`, async (socket) => {
      socket.setNoDelay();
      for (const byte of bytes) {
        socket.write(Buffer.of(byte));
        await tick();
      }
      socket.write(LAST);
    });
    assert.ok(Buffer.from(text, 'latin1').toString().includes(body));
  });

  it('byte by byte, in chunks, up to the limit and no further', async () => {
    const chunks = (body) => body.replace(/[^]/g, '1\r\n$&\r\n');
    const head = `${HEAD}Transfer-Encoding: chunked\r\n\r\n`;
    const fits = await sendRaw(await plain(), `${head}${chunks(`"${'x'.repeat(10_238)}"`)}0\r\n\r\n${LAST}`);
    assert.deepEqual(statuses(fits), [200, 200]);
    assert.match(fits, /"x{10238}"/);
    const over = await sendRaw(await plain(), `${head}${chunks(`"${'x'.repeat(10_239)}"`)}0\r\n\r\n${LAST}`);
    assert.deepEqual(statuses(over), [413]);
    assert.match(over, /^connection: close/im);
  });

  it('in pieces of all sizes', async () => {
    const { port } = await serve(listener([safeJson({ limits: { bytes: 1e6 } })]));
    for (const sizes of [[1, 99_999], [50_000, 50_000], Array(1000).fill(100), [99_999, 1], [16_384, 1, 83_615]]) {
      const body = `"${Array.from({ length: 99_998 }, (_, at) => 'abcdefg'[at % 7]).join('')}"`;
      let at = 0;
      const chunks = sizes.map((size) => body.slice(at, (at += size)));
      for (const headers of [JSON_TYPE, { ...JSON_TYPE, 'content-length': 100_000 }]) {
        const { text } = await send(port, { method: 'POST', headers, chunks });
        assert.equal(text, `{"body":${body}}`);
      }
    }
  });

  it('several on one connection, one after the other', async () => {
    const one = (body) => `${HEAD}Content-Length: ${body.length}\r\n\r\n${body}`;
    const bodies = ['[1]', '{', '[2]', `"${'x'.repeat(20_000)}"`, '[3]'];
    const text = await sendRaw(await plain(), bodies.map(one).join('') + LAST);
    assert.deepEqual(statuses(text), [200, 400, 200, 413, 200, 200]);
  });

  it('that are refused for a length beyond reading end the connection', async () => {
    const text = await sendRaw(await plain(), `${HEAD}Content-Length: 1000000\r\n\r\n`);
    assert.deepEqual(statuses(text), [413]);
    assert.match(text, /^connection: close/im);
  });

  it('that are refused are not read any further, however long the answer takes', async () => {
    const late = (error, req, res) => setTimeout(() => res.end('late'), 200);
    const { port, server } = await serve(listener([safeJson()], undefined, late));
    let received = 0;
    server.on('connection', (socket) => socket.on('close', () => (received = socket.bytesRead)));
    await sendRaw(port, `${HEAD}Transfer-Encoding: chunked\r\n\r\n`, (socket) => {
      const chunk = `10000\r\n${'x'.repeat(65_536)}\r\n`;
      (function more() {
        while (!socket.destroyed && socket.write(chunk));
        if (!socket.destroyed) socket.once('drain', more);
      })();
    });
    await until(() => received > 0);
    assert.ok(received < 2 ** 20, String(received));
  });

  it('after 100 Continue', async () => {
    const text = await sendRaw(await plain(), `${HEAD}Expect: 100-continue\r\nContent-Length: 3\r\n\r\n`, (socket) => {
      socket.once('data', () => socket.write(`[7]${LAST}`));
    });
    assert.deepEqual(statuses(text), [100, 200, 200]);
    assert.match(text, /\{"body":\[7\]\}/);
  });

  it('never, as the client goes away: next is called once, with an error', async () => {
    for (const framing of ['Content-Length: 10', 'Transfer-Encoding: chunked']) {
      const errors = [];
      const { port } = await serve(
        listener([safeJson()], () => errors.push('let through'), (error) => errors.push(error)),
      );
      const socket = net.connect(port, '127.0.0.1');
      socket.on('error', () => {});
      socket.write(`${HEAD}${framing}\r\n\r\n5\r\n[1,2,`);
      await new Promise((resolve) => setTimeout(resolve, 50));
      socket.destroy();
      await until(() => errors.length > 0);
      await new Promise((resolve) => setTimeout(resolve, 20));
      assert.deepEqual(errors.map(({ code, type, status }) => [code, type, status]), [
        ['ERR_BODY_ABORTED', 'request.aborted', 400],
      ]);
    }
  });

  it('without memory for what was only announced', async () => {
    const { port } = await serve(listener([safeJson({ limits: { bytes: 2 ** 28 } })]));
    const before = process.memoryUsage().arrayBuffers;
    const sockets = Array.from({ length: 20 }, () => net.connect(port, '127.0.0.1'));
    for (const socket of sockets) socket.write(`${HEAD}Content-Length: ${2 ** 28}\r\n\r\n"1234`);
    await new Promise((resolve) => setTimeout(resolve, 100));
    for (const socket of sockets) socket.write('5678');
    await new Promise((resolve) => setTimeout(resolve, 100));
    const taken = process.memoryUsage().arrayBuffers - before;
    for (const socket of sockets) socket.destroy();
    assert.ok(taken < 2 ** 24, `${taken} bytes`);
  });

  it('over HTTP/2', async () => {
    const server = http2.createServer({}, listener([safeJson()]));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const client = http2.connect(`http://127.0.0.1:${server.address().port}`);
    const request = client.request({ ':method': 'POST', 'content-type': 'application/json' });
    request.end('{"a":1}');
    let text = '';
    for await (const chunk of request.setEncoding('utf8')) text += chunk;
    const empty = client.request({ ':method': 'GET', 'content-type': 'application/json' });
    for await (const chunk of empty.setEncoding('utf8')) text += chunk;
    client.close();
    server.close();
    assert.equal(text, '{"body":{"a":1}}{}');
  });
});

describe('beside others', () => {
  it('a body that was set is left alone', async () => {
    const set = (req, res, next) => {
      req.body = { mine: true };
      next();
    };
    const { port } = await serve(listener([set, safeJson()]));
    assert.deepEqual((await send(port, { method: 'POST', headers: JSON_TYPE, body: '{' })).json.body, { mine: true });
  });

  it('a body that was read is left alone', async () => {
    const read = (req, res, next) => req.resume().on('end', () => next());
    const { port } = await serve(listener([read, safeJson()]));
    const { status, text } = await send(port, { method: 'POST', headers: JSON_TYPE, body: '{' });
    assert.deepEqual([status, text], [200, '{}']);
  });

  it('parsers of Express before it, and after it', async () => {
    const parsers = [express.json(), express.urlencoded({ extended: true }), express.text({ type: '*/*' })];
    for (const order of [[safeJson(), ...parsers], [express.json(), safeJson(), ...parsers]]) {
      const app = express();
      app.use(...order);
      app.post('/', (req, res) => res.json({ body: req.body }));
      const { port } = await serve(app);
      const read = async (headers, body) => (await send(port, { method: 'POST', headers, body })).json.body;
      assert.deepEqual(await read(JSON_TYPE, '{"a":1}'), { a: 1 });
      assert.deepEqual(await read(FORM_TYPE, 'a=1'), { a: '1' });
      assert.equal(await read({ 'content-type': 'text/plain' }, 'x'), 'x');
    }
  });

  it('twice, it reads once', async () => {
    const { port } = await serve(listener([safeJson(), safeJson({ limits: { bytes: 1 } })]));
    assert.deepEqual((await send(port, { method: 'POST', headers: JSON_TYPE, body: 'null' })).json, { body: null });
  });

  it('a stream that was paused is read', async () => {
    const pause = (req, res, next) => {
      req.pause();
      setTimeout(next, 20);
    };
    const { port } = await serve(listener([pause, safeJson()]));
    assert.deepEqual((await send(port, { method: 'POST', headers: JSON_TYPE, body: '[1]' })).json, { body: [1] });
  });

  it('a stream with an encoding is an error of the application', async () => {
    const decode = (req, res, next) => next(void req.setEncoding('utf8'));
    const { port } = await serve(listener([decode, safeJson()]));
    const { status, json } = await send(port, { method: 'POST', headers: JSON_TYPE, body: '[1]' });
    assert.deepEqual([status, json.code], [500, 'ERR_INVALID_ARG_TYPE']);
  });

  it('what comes later is in the asynchronous context of what came before', async () => {
    const storage = new AsyncLocalStorage();
    let requests = 0;
    const enter = (req, res, next) => storage.run(++requests, next);
    const { port } = await serve(listener([enter, safeJson()], (req, res) => res.end(String(storage.getStore()))));
    for (const expected of ['1', '2']) {
      assert.equal((await send(port, { method: 'POST', headers: JSON_TYPE, body: '[1]' })).text, expected);
    }
  });

  it('a polluted prototype gives no request a body', async () => {
    const polluted = {
      body: { isAdmin: true },
      'transfer-encoding': 'chunked',
      'content-encoding': 'gzip',
      type: 'polluted',
    };
    // node:http takes no header of a name that Object.prototype has. Those who send a body then have none.
    const dropped = { 'content-length': '5', 'content-type': 'application/json' };
    const port = await portOf('polluted', () =>
      listener([safeJson()], (req, res) => res.end(String(req.body?.a)), (error, req, res) => res.end(error.type)),
    );
    const raw = async (text) => (await sendRaw(port, text)).split('\r\n\r\n')[1];
    const line = 'POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n';
    for (const [name, value] of Object.entries(polluted)) Object.prototype[name] = value;
    try {
      Object.assign(Object.prototype, dropped);
      assert.equal(await raw(`${line}\r\n`), 'undefined');
      for (const name of Object.keys(dropped)) delete Object.prototype[name];
      assert.equal(await raw(`${line}\r\n`), 'undefined');
      assert.equal(await raw(`${line}Content-Length: 7\r\nContent-Type: text/plain\r\n\r\n{"a":1}`), 'undefined');
      assert.equal(await raw(`${line}Content-Length: 7\r\nContent-Type: application/json\r\n\r\n{"a":1}`), '1');
      const refused = await raw(`${line}Content-Length: 1\r\nContent-Type: application/json\r\n\r\n{`);
      assert.equal(refused, 'entity.parse.failed');
    } finally {
      for (const name of Object.keys({ ...polluted, ...dropped })) delete Object.prototype[name];
    }
  });
});
