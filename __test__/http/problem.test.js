'use strict';

/** Problem documents: what a client sees of an error, what log and events say, and that nothing gets in the way. */

const assert = require('node:assert/strict');
const { STATUS_CODES } = require('node:http');
const { execFile } = require('node:child_process');
const { subscribe, unsubscribe } = require('node:diagnostics_channel');
const path = require('node:path');
const { Writable } = require('node:stream');
const { after, before, describe, it } = require('node:test');
const { promisify } = require('node:util');
const vm = require('node:vm');
const express = require('express');
const { HoldfastError, parseJson } = require('../..');
const { createError } = require('../../lib/errors.js');
const { Problem, TYPE, answer, problemBody, problemHandler } = require('../../lib/http/problem.js');
const { send, sendRaw, serve, until } = require('../support/serving.js');

const SECRET = 'hunter2';
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** An application on node:http whose route is `route`; what it throws, or returns rejected, is a problem. */
function failing(route, settings) {
  return async (req, res) => {
    try {
      await route(req, res);
    } catch (error) {
      answer(error, req, res, settings);
    }
  };
}

describe('Problem', () => {
  it('is an Error with its status, as http-errors has it', () => {
    const cause = new Error('x');
    const problem = new Problem(404, 'there is no such note', { code: 'NO_NOTE', headers: { Allow: 'GET' }, cause });
    assert.ok(problem instanceof Error);
    const { name, message, status, statusCode, expose, code, headers } = problem;
    assert.deepEqual(
      { name, message, status, statusCode, expose, code, headers: { ...headers }, cause: problem.cause },
      {
        name: 'Problem',
        message: 'there is no such note',
        status: 404,
        statusCode: 404,
        expose: true,
        code: 'NO_NOTE',
        headers: { Allow: 'GET' },
        cause,
      },
    );
    assert.match(problem.stack, /^(Problem|Error): there is no such note\n/);
    assert.equal(Object.hasOwn(new Problem(404, 'x'), 'cause'), false);
    assert.equal(Object.getPrototypeOf(new Problem(404, 'x').headers), null);
  });

  const wrong = [
    [['404', 'x'], 'ERR_INVALID_ARG_TYPE'],
    [[399, 'x'], 'ERR_OUT_OF_RANGE'],
    [[600, 'x'], 'ERR_OUT_OF_RANGE'],
    [[404.5, 'x'], 'ERR_OUT_OF_RANGE'],
    [[NaN, 'x'], 'ERR_OUT_OF_RANGE'],
    [[404], 'ERR_INVALID_ARG_TYPE'],
    [[404, 'x', { detail: 'y' }], 'ERR_INVALID_ARG_VALUE'],
    [[404, 'x', { code: 1 }], 'ERR_INVALID_ARG_TYPE'],
    [[404, 'x', { code: '' }], 'ERR_INVALID_ARG_VALUE'],
    [[404, 'x', { code: 'a b' }], 'ERR_INVALID_ARG_VALUE'],
    [[404, 'x', { code: 'x\n' }], 'ERR_INVALID_ARG_VALUE'],
    [[404, 'x', { code: 'x'.repeat(65) }], 'ERR_INVALID_ARG_VALUE'],
    [[404, 'x', { headers: 'Allow: GET' }], 'ERR_INVALID_ARG_TYPE'],
    [[404, 'x', { headers: { 'a b': 'c' } }], 'ERR_INVALID_ARG_VALUE'],
    [[404, 'x', { headers: { Allow: `GET\r\nX-${SECRET}: 1` } }], 'ERR_INVALID_ARG_VALUE'],
    [[404, 'x', { headers: { Allow: 1 } }], 'ERR_INVALID_ARG_VALUE'],
    [[404, 'x', { headers: { 'Transfer-Encoding': 'chunked' } }], 'ERR_INVALID_ARG_VALUE'],
  ];
  for (const [args, code] of wrong) {
    it(`refuses ${JSON.stringify(args).slice(0, 80)}`, () => {
      assert.throws(
        () => new Problem(...args),
        (error) => error.code === code && !error.message.includes(SECRET),
      );
    });
  }

  it('takes nothing from a polluted prototype', () => {
    Object.prototype.code = 'POLLUTED';
    Object.prototype.headers = { 'x-polluted': '1' };
    Object.prototype.cause = 'polluted';
    try {
      const problem = new Problem(404, 'x', {});
      assert.equal(problem.code, undefined);
      assert.deepEqual(Object.keys(problem.headers), []);
      assert.equal(Object.hasOwn(problem, 'cause'), false);
    } finally {
      delete Object.prototype.code;
      delete Object.prototype.headers;
      delete Object.prototype.cause;
    }
  });
});

describe('problemBody', () => {
  it('makes the members of RFC 9457 and an errorId, as bytes', () => {
    const bytes = problemBody(431, 'id', 'détail', 'CODE');
    assert.ok(Buffer.isBuffer(bytes));
    assert.deepEqual(JSON.parse(bytes.toString()), {
      type: 'about:blank',
      title: 'Request Header Fields Too Large',
      status: 431,
      detail: 'détail',
      code: 'CODE',
      instance: 'urn:uuid:id',
      errorId: 'id',
    });
    assert.deepEqual(Object.keys(JSON.parse(problemBody(499, 'id').toString())), [
      'type',
      'title',
      'status',
      'instance',
      'errorId',
    ]);
    assert.equal(TYPE, 'application/problem+json');
  });

  it('is as long as it is meant to be', () => {
    assert.equal(JSON.parse(problemBody(400, 'id', 'x'.repeat(1e6)).toString()).detail.length, 1000);
  });

  it('is made of nothing that a polluted prototype has', () => {
    Object.prototype.toJSON = () => 'polluted';
    Object.prototype[499] = 'polluted';
    try {
      assert.equal(JSON.parse(problemBody(499, 'id').toString()).title, 'Error');
    } finally {
      delete Object.prototype.toJSON;
      delete Object.prototype[499];
    }
  });
});

function raise() {
  throw new Error(SECRET);
}

function withGetters(...names) {
  return Object.defineProperties(new Error(SECRET), Object.fromEntries(names.map((name) => [name, { get: raise }])));
}

describe('what a client sees', () => {
  const revoked = Proxy.revocable({}, {});
  revoked.revoke();
  class NotFound extends Error {
    get status() {
      return 404;
    }
  }
  const cyclic = new Error(SECRET);
  cyclic.cause = cyclic;
  const cases = {
    'a Problem': [() => new Problem(418, 'short and stout', { code: 'TEAPOT' }), 418, 'short and stout', 'TEAPOT'],
    'a Problem of the server': [() => new Problem(507, 'the disk is full'), 507, 'the disk is full'],
    'a Problem whose status was changed': [() => Object.assign(new Problem(404, SECRET), { status: 200 }), 500],
    'a Problem whose message was changed': [() => Object.assign(new Problem(404, 'x'), { message: { SECRET } }), 404],
    'a prototype of one': [() => Object.create(Problem.prototype), 500],
    'an error of Holdfast that may be shown': [
      () => createError('ERR_RATE_LIMITED', 'too many'),
      429,
      'too many',
      'ERR_RATE_LIMITED',
    ],
    'an error of Holdfast that may not': [() => createError('ERR_DECRYPT', SECRET), 500],
    'an argument of the wrong type': [() => createError('ERR_INVALID_ARG_TYPE', SECRET), 500],
    'an error of JSON': [() => parseJson('{'), 400, undefined, 'ERR_JSON_SYNTAX'],
    'an Error': [() => new Error(SECRET), 500],
    'an Error with status 404': [() => Object.assign(new Error(SECRET), { status: 404, code: SECRET }), 404],
    'an Error with statusCode 403': [() => Object.assign(new Error(SECRET), { statusCode: 403 }), 403],
    'an Error whose class has status 404': [() => new NotFound(SECRET), 404],
    'status 500 and statusCode 404': [() => Object.assign(new Error(SECRET), { status: 500, statusCode: 404 }), 404],
    'status 503, to be shown': [() => Object.assign(new Error(SECRET), { status: 503, expose: true }), 500],
    'status 200': [() => Object.assign(new Error(SECRET), { status: 200 }), 500],
    'status "404"': [() => Object.assign(new Error(SECRET), { status: '404' }), 500],
    'status 404.5': [() => Object.assign(new Error(SECRET), { status: 404.5 }), 500],
    'an object': [() => ({ status: 409, message: SECRET, headers: { 'x-secret': SECRET } }), 409],
    'text': [() => SECRET, 500],
    'null': [() => null, 500],
    'undefined': [() => undefined, 500],
    'a number': [() => 404, 500],
    'a symbol': [() => Symbol(SECRET), 500],
    'a function': [() => () => SECRET, 500],
    'an error of another realm': [() => vm.runInNewContext(`new Error('${SECRET}')`), 500],
    'an object without a prototype': [() => Object.assign(Object.create(null), { status: 404, message: SECRET }), 404],
    'a getter that throws': [() => withGetters('status'), 500],
    'getters everywhere': [() => withGetters('stack', 'message', 'name', 'cause', 'code'), 500],
    'a proxy that throws': [() => new Proxy({}, { get: raise, has: raise, getPrototypeOf: raise }), 500],
    'a proxy that is revoked': [() => revoked.proxy, 500],
    'a cause that is itself': [() => cyclic, 500],
    'a message of 30 MB': [() => new Error(SECRET.repeat(5e6)), 500],
    'a name that is an object': [() => Object.assign(new Error(SECRET), { name: { toString: null } }), 500],
  };
  for (const [name, [make, status, detail, code]] of Object.entries(cases)) {
    it(`of ${name}`, async () => {
      const entries = [];
      const { port, close } = await serve(
        failing(() => {
          throw make();
        }, { log: (entry) => entries.push(entry) }),
      );
      const { status: given, message, headers, text, json } = await send(port);
      await close();
      assert.equal(given, status);
      assert.equal(message, STATUS_CODES[status]);
      assert.equal(headers['content-type'], TYPE);
      assert.equal(headers['cache-control'], 'no-store');
      assert.equal(headers['x-content-type-options'], 'nosniff');
      assert.equal(headers['x-secret'], undefined);
      const members = ['type', 'title', 'status', 'detail', 'code', 'instance', 'errorId'];
      assert.deepEqual(Object.keys(json).filter((member) => !members.includes(member)), []);
      assert.equal(json.status, status);
      if (detail !== undefined) assert.equal(json.detail, detail);
      assert.equal(json.code, code);
      assert.match(json.errorId, UUID);
      assert.equal(json.instance, `urn:uuid:${json.errorId}`);
      assert.ok(!text.includes(SECRET) && !/\bat .*:\d+/.test(text), text);
      assert.equal(entries.length, 1);
      assert.equal(entries[0].errorId, json.errorId);
      assert.equal(entries[0].status, status);
      assert.equal(entries[0].level, status >= 500 ? 'error' : 'info');
      assert.ok(entries[0].error.length <= 8192);
    });
  }

  it('is not a status that a polluted prototype has', async () => {
    const { port, close } = await serve(
      failing(() => {
        throw new Error(SECRET);
      }, { log() {} }),
    );
    Object.prototype.status = 404;
    Object.prototype.detail = SECRET;
    Object.prototype.expose = true;
    try {
      const { status, text } = await send(port);
      assert.equal(status, 500);
      assert.ok(!text.includes(SECRET));
    } finally {
      delete Object.prototype.status;
      delete Object.prototype.detail;
      delete Object.prototype.expose;
    }
    await close();
  });
});

describe('the answer', () => {
  it('has the headers of a Problem, and Retry-After of an error that knows when', async () => {
    const throws = {
      '/problem': () => new Problem(405, 'x', { headers: { Allow: 'GET', 'Cache-Control': 'max-age=5' } }),
      '/later': () => new HoldfastError('ERR_QUEUE_FULL', 'full', { retryAfterMs: 1001 }),
      '/soon': () => new HoldfastError('ERR_RATE_LIMITED', 'too many', { retryAfterMs: 0 }),
      '/never': () => new HoldfastError('ERR_RATE_LIMITED', 'too many', { retryAfterMs: Infinity }),
    };
    const { port } = await serve(
      failing((req) => {
        throw throws[req.url]();
      }, { log() {} }),
    );
    const { headers } = await send(port, { path: '/problem' });
    assert.equal(headers.allow, 'GET');
    assert.equal(headers['cache-control'], 'max-age=5');
    assert.equal((await send(port, { path: '/later' })).headers['retry-after'], '2');
    assert.equal((await send(port, { path: '/soon' })).headers['retry-after'], '1');
    assert.equal((await send(port, { path: '/never' })).headers['retry-after'], undefined);
  });

  it('has no header of the content that was to be sent, and keeps those of security and cookies', async () => {
    const { port } = await serve(
      failing((req, res) => {
        res.statusMessage = SECRET;
        res.setHeader('Content-Length', 5);
        res.setHeader('Content-Encoding', 'gzip');
        res.setHeader('Content-Type', 'text/html');
        res.setHeader('Content-Disposition', 'attachment; filename=x');
        res.setHeader('Content-Range', 'bytes 0-1/2');
        res.setHeader('Cache-Control', 'public, max-age=3600');
        res.setHeader('Last-Modified', new Date(0).toUTCString());
        res.setHeader('ETag', '"x"');
        res.setHeader('Location', '/x');
        res.setHeader('Trailer', 'X-Sum');
        res.setHeader('Transfer-Encoding', 'chunked');
        res.setHeader('Content-Security-Policy', "default-src 'self'");
        res.setHeader('Set-Cookie', ['a=; Max-Age=0', 'b=1']);
        throw new Error(SECRET);
      }, { log() {} }),
    );
    const { status, message, headers, json } = await send(port);
    assert.equal(status, 500);
    assert.equal(message, 'Internal Server Error');
    assert.deepEqual(Object.keys(headers).sort(), [
      'cache-control',
      'connection',
      'content-length',
      'content-security-policy',
      'content-type',
      'date',
      'set-cookie',
      'x-content-type-options',
      ...(headers['keep-alive'] === undefined ? [] : ['keep-alive']),
    ].sort());
    assert.equal(headers['cache-control'], 'no-store');
    assert.deepEqual(headers['set-cookie'], ['a=; Max-Age=0', 'b=1']);
    assert.equal(json.status, 500);
  });

  it('to HEAD has no body', async () => {
    const { port } = await serve(
      failing(() => {
        throw new Problem(404, 'x');
      }),
      { rejectNonStandardBodyWrites: true },
    );
    const { status, headers, text } = await send(port, { method: 'HEAD' });
    assert.deepEqual([status, text], [404, '']);
    assert.ok(Number(headers['content-length']) > 100);
  });

  it('that has begun is cut', async () => {
    const { port } = await serve(
      failing(async (req, res) => {
        res.setHeader('Content-Length', 1000);
        await new Promise((resolve) => res.write('the first half', resolve));
        throw new Error(SECRET);
      }, { log() {} }),
    );
    const text = await sendRaw(port, 'GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    assert.match(text, /the first half$/);
  });

  it('that has ended stays, and so does its connection', async () => {
    const entries = [];
    const { port } = await serve(
      failing((req, res) => {
        res.end('whole');
        throw new Error(SECRET);
      }, { log: (entry) => entries.push(entry) }),
    );
    const both = 'GET /a HTTP/1.1\r\nHost: x\r\n\r\nGET /b HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n';
    const text = await sendRaw(port, both);
    assert.equal([...text.matchAll(/whole/g)].length, 2);
    assert.equal(entries.length, 2);
  });

  it('is made when what hooks into heads fails once, and the connection cut when it always does', async () => {
    const entries = [];
    const { port } = await serve(
      failing((req, res) => {
        let calls = 0;
        const { writeHead } = res;
        res.writeHead = function failingHead(...args) {
          if (calls++ === 0 || req.url === '/always') throw new Error(SECRET);
          return writeHead.apply(this, args);
        };
        throw new Problem(404, 'x');
      }, { log: (entry) => entries.push(entry) }),
    );
    assert.equal((await send(port)).status, 500);
    assert.deepEqual(entries.map(({ status }) => status), [404, 500]);
    await assert.rejects(send(port, { path: '/always' }));
  });

  it('says nothing of the rest when the client is gone', async () => {
    const { port, server } = await serve((req, res) => {
      req.on('close', () => answer(new Error('late'), req, res, { log() {} }));
    });
    await sendRaw(port, 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nab', (socket) => {
      return new Promise((resolve) => server.once('request', () => resolve(socket.destroy())));
    });
  });
});

describe('a body that nobody wants', () => {
  const refuse = failing(() => {
    throw new Problem(413, 'too large');
  });

  it('is read when it is short, and the connection kept', async () => {
    const { port } = await serve(refuse);
    const text = await sendRaw(
      port,
      `POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 65536\r\n\r\n${'x'.repeat(65_536)}` +
        'GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
    );
    assert.deepEqual([...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status), ['413', '413']);
  });

  it('ends the connection when it is long, and the client sees the answer', async () => {
    const { port } = await serve(refuse);
    const { status, headers } = await send(port, { method: 'POST', body: Buffer.alloc(3 * 2 ** 20) });
    assert.deepEqual([status, headers.connection], [413, 'close']);
  });

  it('ends the connection when its length is not known, and the client sees the answer', async () => {
    const { port } = await serve(refuse);
    const chunks = Array.from({ length: 50 }, () => Buffer.alloc(20_000));
    const { status, headers } = await send(port, { method: 'POST', chunks });
    assert.deepEqual([status, headers.connection], [413, 'close']);
  });

  it('is answered before it ends, and not read without end', async () => {
    const { port, server } = await serve(refuse);
    let received = 0;
    server.on('connection', (socket) => socket.on('close', () => (received = socket.bytesRead)));
    const head = 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000000\r\n\r\n';
    const text = await sendRaw(port, head, (socket) => {
      const chunk = Buffer.alloc(65_536);
      (function more() {
        while (!socket.destroyed && socket.write(chunk));
        if (!socket.destroyed) socket.once('drain', more);
      })();
    });
    assert.match(text, /^HTTP\/1\.1 413 /);
    await until(() => received > 0);
    assert.ok(received < 8 * 2 ** 20, String(received));
  });

  it('does not hold the connection when it does not come', async () => {
    const { port } = await serve(refuse);
    const text = await sendRaw(port, 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\nx');
    assert.match(text, /^HTTP\/1\.1 413 [^]*too large/);
  });

  it('that something was reading is not read by it any more', async () => {
    let written = 0;
    const write = (chunk, encoding, done) => done(void (written += chunk.length));
    const { port } = await serve(
      failing((req) => {
        req.pipe(new Writable({ write }));
        throw new Problem(403, 'x');
      }),
    );
    for (const bytes of [50_000, 2 * 2 ** 20]) {
      const { status } = await send(port, { method: 'POST', body: Buffer.alloc(bytes) });
      assert.deepEqual([status, written], [403, 0]);
    }
  });

  it('that something has begun to read, and is short, does not hold up its connection', async () => {
    const { port } = await serve(
      failing(async (req) => {
        await new Promise((resolve) => req.once('data', resolve));
        req.pause();
        throw new Problem(403, 'x');
      }),
    );
    const head = 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 60000\r\n';
    const body = 'x'.repeat(60_000);
    const text = await sendRaw(port, `${head}\r\n`, async (socket) => {
      socket.setNoDelay();
      for (let at = 0; at < body.length; at += 20_000) {
        socket.write(body.slice(at, at + 20_000));
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      socket.write(`${head}Connection: close\r\n\r\n${body}`);
    });
    assert.equal([...text.matchAll(/HTTP\/1\.1 403/g)].length, 2);
  });
});

describe('problemHandler', () => {
  it('is error middleware of Express, and a custom log gets every problem', async () => {
    const logged = [];
    const app = express();
    app.set('query parser', false);
    const thrown = new Error(SECRET, { cause: new TypeError('the cause') });
    app.get('/users/:id', (req) => {
      req.id = 'request-7';
      throw thrown;
    });
    app.get('/gone', async () => {
      await null;
      throw new Problem(410, 'it is gone', { code: 'GONE' });
    });
    app.use(problemHandler({ log: (...args) => logged.push(args) }));
    const { port } = await serve(app);
    const { json } = await send(port, { path: '/users/5?token=x' });
    const [[entry, error, req]] = logged;
    assert.equal(error, thrown);
    assert.equal(req.url, '/users/5?token=x');
    assert.deepEqual({ ...entry, error: '' }, {
      level: 'error',
      errorId: json.errorId,
      requestId: 'request-7',
      status: 500,
      code: undefined,
      method: 'GET',
      route: '/users/:id',
      error: '',
    });
    assert.match(entry.error, /^Error: hunter2\n +at .*\ncaused by: TypeError: the cause\n/s);
    await send(port, { path: '/gone' });
    const { level, status, code, error: text } = logged[1][0];
    assert.deepEqual([level, status, code, text], ['info', 410, 'GONE', 'Problem: it is gone']);
  });

  it('refuses options that it does not know', () => {
    assert.throws(() => problemHandler({ logger: console }), { code: 'ERR_INVALID_ARG_VALUE' });
    assert.throws(() => problemHandler({ log: console }), { code: 'ERR_INVALID_ARG_TYPE' });
    assert.throws(() => problemHandler(null), { code: 'ERR_INVALID_ARG_TYPE' });
    assert.equal(problemHandler().length, 4);
  });

  it('logs at most five causes and 8,192 characters, and never a body', async () => {
    let chain = new Error('cause 0');
    for (let depth = 1; depth < 100; depth++) chain = new Error(`cause ${depth}`, { cause: chain });
    const quoting = Object.assign(new SyntaxError(`Unexpected token in ${SECRET}`), {
      body: SECRET,
      status: 400,
      type: 'entity.parse.failed',
    });
    const thrown = [chain, new Error('x'.repeat(1e6)), quoting, new Error('outer', { cause: quoting })];
    const entries = [];
    const { port } = await serve(
      failing((req) => {
        throw thrown[Number(req.url.slice(1))];
      }, { log: (entry) => entries.push(entry) }),
    );
    for (const index of thrown.keys()) await send(port, { path: `/${index}` });
    assert.equal([...entries[0].error.matchAll(/caused by/g)].length, 4);
    assert.match(entries[0].error, /^Error: cause 99\n/);
    assert.equal(entries[1].error.length, 8192);
    assert.equal(entries[2].error, 'SyntaxError: entity.parse.failed');
    assert.match(entries[3].error, /caused by: SyntaxError: entity\.parse\.failed$/);
    assert.ok(!JSON.stringify(entries).includes(SECRET));
  });
});

describe('the log without an option', () => {
  /** What a process writes to stderr that answers one GET for `target`, by way of `route`. */
  async function stderrOf(target, route, options = '') {
    const script = `
      const net = require('node:net');
      const http = require('node:http');
      const { Problem, answer } = require(${JSON.stringify(path.join(__dirname, '../../lib/http/problem.js'))});
      const server = http.createServer((req, res) => {
        try { (${route})(req, res); } catch (error) { answer(error, req, res, {${options}}); }
      });
      server.listen(0, '127.0.0.1', () => {
        const socket = net.connect(server.address().port, '127.0.0.1');
        socket.write(Buffer.from('GET ${target} HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\n\\r\\n', 'latin1'));
        socket.resume().on('close', () => server.close());
      });`;
    return (await promisify(execFile)(process.execPath, ['-e', script])).stderr;
  }

  it("is one line of JSON for what is the server's fault", async () => {
    const stderr = await stderrOf('/a', "() => { throw new Error('first\\nsecond', { cause: new Error('third') }); }");
    assert.equal(stderr.split('\n').length, 2, stderr);
    const { time, level, errorId, requestId, status, method, route, error, ...rest } = JSON.parse(stderr);
    assert.deepEqual([level, status, method, route, rest], ['error', 500, 'GET', '/a', {}]);
    assert.match(errorId, UUID);
    assert.match(requestId, UUID);
    assert.ok(Math.abs(Date.parse(time) - Date.now()) < 60_000);
    assert.match(error, /^Error: first\nsecond\n +at [^]*caused by: Error: third\n/);
  });

  it("says nothing of a client's mistakes", async () => {
    assert.equal(await stderrOf('/a', "() => { throw new Problem(404, 'x'); }"), '');
  });

  it('has no character that a terminal obeys, whatever the path', async () => {
    // node:http lets no such path in; what stands in front of it may.
    const route = `(req) => {
      req.originalUrl = '/\\x9b31m\\x85x';
      throw new Error('a\\u202eb\\u2028c\\x7f\\x1b[2J');
    }`;
    const stderr = await stderrOf('/', route);
    assert.match(stderr, /^[\x20-\x7e]+\n$/);
    assert.equal(JSON.parse(stderr).error.split('\n')[0], 'Error: a\u202eb\u2028c\x7f\x1b[2J');
    assert.equal(JSON.parse(stderr).route, '/\x9b31m\x85x');
  });

  it('is taken when the log that was given fails, at once or later', async () => {
    for (const log of ["log() { throw new Error('the log'); }", "async log() { throw new Error('the log'); }"]) {
      const stderr = await stderrOf('/a', "() => { throw new Error('the cause'); }", log);
      assert.match(JSON.parse(stderr).error, /the cause/);
    }
  });
});

describe('the event', () => {
  const events = [];
  const listen = (event) => events.push(event);
  before(() => subscribe('holdfast:security', listen));
  after(() => unsubscribe('holdfast:security', listen));

  it('has the status, the code, and the errorId', async () => {
    const { port } = await serve(
      failing((req) => {
        if (req.url === '/foreign') throw Object.assign(new Error(SECRET), { code: 'ECONNREFUSED' });
        if (req.url === '/odd') throw Object.assign(new Error(SECRET), { code: `${SECRET} ${'x'.repeat(100)}` });
        throw new Problem(404, SECRET, { code: 'NONE' });
      }, { log() {} }),
    );
    const { json } = await send(port, { path: '/path?x=1' });
    await send(port, { path: '/foreign' });
    await send(port, { path: '/odd' });
    assert.deepEqual(
      events.map(({ kind, method, route, address, status, code }) => ({ kind, method, route, address, status, code })),
      [
        { kind: 'problem', method: 'GET', route: '/path', address: '127.0.0.1', status: 404, code: 'NONE' },
        { kind: 'problem', method: 'GET', route: '/foreign', address: '127.0.0.1', status: 500, code: 'ECONNREFUSED' },
        { kind: 'problem', method: 'GET', route: '/odd', address: '127.0.0.1', status: 500, code: undefined },
      ],
    );
    assert.equal(events[0].errorId, json.errorId);
    assert.ok(!JSON.stringify(events).includes(SECRET));
  });
});
