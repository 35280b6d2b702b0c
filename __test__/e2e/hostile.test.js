// @ts-check
'use strict';

// What attackers send, over real HTTP: every input gets its 4xx problem document, quickly, and repeats nothing of what
// was sent; the process lives and nothing is lost. The slowest of all answers is printed for each group of inputs.

const test = require('node:test');
const assert = require('node:assert/strict');
const fs = require('node:fs');
const net = require('node:net');
const path = require('node:path');
const { spawnSync } = require('node:child_process');
const { setTimeout: sleep } = require('node:timers/promises');
const { Keyring } = require('../../index.js');
const { Service, assertProblem, onEachService } = require('./service.js');

const VALIDATE = require.resolve('../../examples/notes/validate.js');
const MAX_MS = 50;
const CANARY = 'canary7531'; // stands in the rejected values; must never come back
const PASSWORD = 'correct horse battery staple';

/**
 * @typedef {object} Hostile
 * @property {string} name
 * @property {string} [method]
 * @property {string} [target]
 * @property {string | Uint8Array} [body]
 * @property {import('node:http').OutgoingHttpHeaders} [headers]
 * @property {number} status
 * @property {string} [code]
 * @property {string} [allow]
 */

/**
 * A body at the address where it would do harm.
 * @param {string} name
 * @param {string} target
 * @param {string | Uint8Array} body
 * @param {number} status
 * @param {string} [code]
 * @returns {Hostile}
 */
const post = (name, target, body, status, code) => ({ name, target, body, status, code });
const latin1 = (/** @type {string} */ text) => Buffer.from(text, 'latin1');
const login = (/** @type {string} */ name, password = `"${PASSWORD}"`) => `{"name":${name},"password":${password}}`;

/** @type {Record<string, Hostile[]>} */
const GROUPS = {
  'prototype pollution': [
    post('__proto__', '/notes', '{"__proto__":{"admin":true}}', 400, 'ERR_JSON_PROTO_KEY'),
    post('__proto__ beside the text', '/notes', `{"text":"${CANARY}","__proto__":{"admin":true}}`, 400,
      'ERR_JSON_PROTO_KEY'),
    post('constructor.prototype', '/notes', '{"constructor":{"prototype":{}}}', 400, 'ERR_JSON_CONSTRUCTOR_KEY'),
    post('escaped', '/notes', '{"\\u005f_proto__":{"admin":true}}', 400, 'ERR_JSON_PROTO_KEY'),
    post('escaped all over', '/notes', '{"\\u005F\\u005f\\u0070roto\\u005f\\u005f":1}', 400, 'ERR_JSON_PROTO_KEY'),
    post('deep in an array', '/notes', '{"text":[[{"a":[{"__proto__":1}]}]]}', 400, 'ERR_JSON_PROTO_KEY'),
    post('at sign-up', '/signup', `{"name":"eve","password":"${PASSWORD}","__proto__":{"admin":true}}`, 400,
      'ERR_JSON_PROTO_KEY'),
  ],
  'size and depth': [
    post('100,000 deep', '/notes', '['.repeat(100_000) + ']'.repeat(100_000), 413,
      'ERR_BODY_LIMIT'),
    post('2,000 deep', '/notes', '['.repeat(2000) + ']'.repeat(2000), 413, 'ERR_JSON_LIMIT'),
    post('1,700 objects deep', '/notes', '{"":'.repeat(1700) + '1' + '}'.repeat(1700), 413, 'ERR_JSON_LIMIT'),
    post('33 deep', '/notes', '['.repeat(33) + ']'.repeat(33), 413, 'ERR_JSON_LIMIT'),
    post('11 KB', '/notes', JSON.stringify({ text: 'x'.repeat(11 * 1024) }), 413, 'ERR_BODY_LIMIT'),
    { ...post('11 KB in chunks', '/notes', JSON.stringify({ text: 'x'.repeat(11 * 1024) }), 413, 'ERR_BODY_LIMIT'),
      headers: { 'content-length': undefined, 'transfer-encoding': 'chunked' } },
    post('a note of 9 KB', '/notes', JSON.stringify({ text: 'x'.repeat(9 * 1024) }), 400),
  ],
  'malformed JSON': [
    post('empty body', '/notes', '', 400),
    { name: 'no body', target: '/notes', status: 400 },
    post('cut off', '/notes', `{"text":"${CANARY}`, 400, 'ERR_JSON_SYNTAX'),
    post('trailing comma', '/notes', `{"text":"${CANARY}",}`, 400, 'ERR_JSON_SYNTAX'),
    post('single quotes', '/notes', `{'text':'${CANARY}'}`, 400, 'ERR_JSON_SYNTAX'),
    post('NaN', '/notes', '{"text":NaN}', 400, 'ERR_JSON_SYNTAX'),
    post('white space alone', '/notes', '  \n', 400, 'ERR_JSON_SYNTAX'),
    post('two values', '/notes', '{"text":"a"}{"text":"b"}', 400, 'ERR_JSON_SYNTAX'),
    post('not UTF-8', '/notes', latin1('{"text":"\xff\xfe"}'), 400, 'ERR_JSON_ENCODING'),
    post('overlong UTF-8', '/notes', latin1('{"text":"\xc0\xaf"}'), 400, 'ERR_JSON_ENCODING'),
    post('a surrogate in UTF-8', '/notes', latin1('{"text":"\xed\xa0\x80"}'), 400, 'ERR_JSON_ENCODING'),
  ],
  'wrong types': [
    ...['1', 'true', 'null', '[]', '{}', '"text"', `["${CANARY}"]`].map((body) =>
      post(`the body ${body}`, '/notes', body, 400)),
    ...['1', 'true', 'null', '[]', '{}', '["a"]', '""', `{"toString":"${CANARY}"}`].map((value) =>
      post(`the text ${value}`, '/notes', `{"text":${value}}`, 400)),
    ...['1', 'null', '["ada"]', '{"$ne":null}', '{"length":5}'].flatMap((value) => [
      post(`the name ${value}`, '/login', login(value), 400),
      post(`the password ${value}`, '/login', login('"ada"', value), 400),
    ]),
    post('one member too many', '/signup', `{"name":"eve","password":"${PASSWORD}","${CANARY}":true}`, 400),
    post('one member too few', '/signup', '{"name":"eve"}', 400),
  ],
  'names and passwords': [
    post('a ReDoS string as name', '/login', login(`"${'a'.repeat(10_000)}!"`), 400),
    post('a ReDoS string as name at sign-up', '/signup', login(`"${'a'.repeat(10_000)}!"`), 400),
    post('a short ReDoS string', '/login', login(`"${'a'.repeat(40)}!"`), 400),
    post('upper case', '/signup', login(`"A${CANARY}"`), 400),
    post('a line end behind the name', '/signup', login(`"${CANARY}\\n"`), 400),
    post('an accent', '/signup', login(`"${CANARY}\u00e9"`), 400),
    post('a lone surrogate in the name', '/signup', login('"ada\\ud800"'), 400),
    post('a lone surrogate in the password', '/signup', login('"eve"', '"\\ud800 correct horse"'), 400,
      'ERR_PASSWORD_ENCODING'),
    post('a lone surrogate in the password of a user', '/login', login('"ada"', '"\\ud800 correct horse"'), 400,
      'ERR_PASSWORD_ENCODING'),
    post('a lone surrogate in the password of nobody', '/login', login('"nobody"', '"\\ud800 correct horse"'), 400,
      'ERR_PASSWORD_ENCODING'),
    post('a lone surrogate in a note', '/notes', '{"text":"\\udc00"}', 400),
    post('7 characters', '/signup', login('"eve"', '"7777777"'), 400),
    post('257 characters', '/signup', login('"eve"', `"${'7'.repeat(257)}"`), 400),
    post('9,000 characters', '/login', login('"ada"', `"${'7'.repeat(9000)}"`), 400),
  ],
  'content types': [
    ...['text/plain', 'application/x-www-form-urlencoded', 'application/jsonp', 'multipart/form-data; boundary=x',
      'application/octet-stream', `application/json${' '.repeat(5000)}x`].map((type) =>
      ({ ...post(type.slice(0, 40), '/notes', '{"text":"a"}', 415), headers: { 'content-type': type } })),
    { ...post('UTF-16', '/notes', '{"text":"a"}', 415, 'ERR_BODY_TYPE'),
      headers: { 'content-type': 'application/json; charset=utf-16' } },
    { ...post('gzip', '/notes', Buffer.alloc(100), 415, 'ERR_BODY_TYPE'), headers: { 'content-encoding': 'gzip' } },
  ],
  'methods and addresses': [
    { name: 'PUT /notes', method: 'PUT', target: '/notes', body: '{}', status: 405, allow: 'GET, HEAD, POST' },
    { name: 'OPTIONS /notes', method: 'OPTIONS', target: '/notes', status: 405, allow: 'GET, HEAD, POST' },
    { name: 'GET /login', method: 'GET', target: '/login', status: 405, allow: 'POST' },
    { name: 'GET /notes/x', method: 'GET', target: '/notes/x', status: 405, allow: 'DELETE' },
    { name: 'POST /healthz', method: 'POST', target: '/healthz', body: '{}', status: 405, allow: 'GET, HEAD' },
    { name: 'no such note', method: 'DELETE', target: `/notes/${CANARY}`, status: 404 },
    { name: 'a note named __proto__', method: 'DELETE', target: '/notes/__proto__', status: 404 },
    { name: 'nowhere', method: 'GET', target: `/${CANARY}`, status: 404 },
    { name: 'up and away', method: 'GET', target: `/notes/..%2f..%2f${CANARY}`, status: 405, allow: 'DELETE' },
    { name: 'a bad escape', method: 'DELETE', target: `/notes/%zz${CANARY}`, status: 400 },
    { name: 'cross-site', target: '/notes', body: '{"text":"a"}', headers: { 'sec-fetch-site': 'cross-site' },
      status: 403, code: 'ERR_CSRF' },
    { name: 'same-site', target: '/notes', body: '{"text":"a"}', headers: { 'sec-fetch-site': 'same-site' },
      status: 403, code: 'ERR_CSRF' },
  ],
};

test('the rule for names runs in linear time', (t) => {
  // In a process of its own, which can be ended: a backtracking engine would not come back.
  const script = `
    const { isLoginName } = require(${JSON.stringify(VALIDATE)});
    const hostile = 'a'.repeat(1_000_000) + '!';
    isLoginName(hostile);
    const begin = performance.now();
    const answers = ['ada_lovelace-1815', hostile].map(isLoginName);
    console.log(JSON.stringify({ answers, ms: performance.now() - begin }));`;
  const { stdout, stderr } = spawnSync(process.execPath, ['-e', script], { encoding: 'utf8', timeout: 20_000 });
  const { answers, ms } = JSON.parse(stdout || 'null') ?? assert.fail(`no answer: ${stderr}`);
  assert.deepEqual(answers, [true, false]);
  t.diagnostic(`a hostile name of 1,000,001 characters: ${ms.toFixed(2)} ms`);
  assert.ok(ms < 1000);
});

onEachService((start, variant, shared, variantName) => {
  const isNest = variantName.startsWith('Nest');

  test('every hostile input gets its problem document within 50 ms, and nothing is lost', async (t) => {
    const service = await start(t);
    const { cookie } = await service.signUp();
    const kept = await service.write(cookie, 'kept');
    const send = (/** @type {Hostile} */ { method = 'POST', target = '', body, headers }) =>
      service.request(method, target, { body, headers, cookie });

    for (const [group, inputs] of Object.entries(GROUPS)) {
      for (const input of inputs) await send(input); // warm-up: what is measured is the service, not the compiler
      let slowest = { name: '', ms: 0 };
      for (const input of inputs) {
        const tries = [];
        for (let i = 0; i < 3; i += 1) {
          const answer = await send(input);
          try {
            const status = isNest && input.status === 405 ? 404 : input.status; // Nest does not tell them apart
            assertProblem(answer, status, input.code);
            assert.equal(answer.headers.allow, status === 405 ? input.allow : undefined);
            assert.ok(!answer.text.includes(CANARY), `the answer repeats what was sent: ${answer.text}`);
          } catch (error) {
            throw new Error(`${group}: ${input.name}: ${error instanceof Error ? error.message : error}`);
          }
          tries.push(answer.ms);
          if (answer.ms > slowest.ms) slowest = { name: input.name, ms: answer.ms };
        }
        const best = Math.min(...tries);
        assert.ok(best < MAX_MS, `${group}: ${input.name} takes ${best.toFixed(1)} ms`);
      }
      t.diagnostic(`${group}: ${inputs.length} inputs × 3, slowest ${slowest.ms.toFixed(2)} ms (${slowest.name})`);
    }

    assert.equal(service.child.exitCode, null, 'the process lives');
    assert.equal((await service.request('GET', '/healthz')).status, 200);
    assert.deepEqual(await service.notes(cookie), [kept]);
    await service.stop();
    const after = await start(t, { dataDir: service.dataDir });
    assert.deepEqual(await after.notes(cookie), [kept]);
    assert.ok(!service.stderr.includes(PASSWORD), 'the log holds no password');
  });

  test('a cookie that is altered, cut, doubled or made for something else is refused and cleared', async (t) => {
    const service = await shared();
    const { cookie } = await service.signUp();
    const token = cookie.slice('session='.length);
    const keyring = new Keyring(firstKey(service.dataDir));
    /** @type {Record<string, string>} */
    const cookies = {};
    for (let i = 0; i < token.length; i += 7) cookies[`character ${i} flipped`] = `session=${flip(token, i)}`;
    cookies['the last character flipped'] = `session=${flip(token, token.length - 1)}`;
    let all = token;
    for (let i = 0; i < token.length; i += 7) all = flip(all, i);
    cookies['every 7th character flipped'] = `session=${all}`;
    cookies['cut by one'] = `session=${token.slice(0, -1)}`;
    cookies['one longer'] = `session=${token}A`;
    cookies['padded'] = `session=${token}=`;
    cookies['quoted'] = `session="${token}"`;
    cookies['empty'] = 'session=';
    cookies['long'] = `session=${'A'.repeat(5000)}`;
    cookies['doubled'] = `${cookie}; ${cookie}`;
    cookies['another purpose'] = `session=${keyring.sealToken({ user: 'x', epoch: 0 }, { purpose: 'reset' })}`;
    cookies['no such user'] = `session=${keyring.sealToken({ user: '__proto__', epoch: 0 }, { purpose: 'session' })}`;

    const forms = Object.entries(cookies);
    let slowest = 0;
    for (const [name, altered] of forms) {
      const tries = [];
      for (let i = 0; i < 3; i += 1) {
        const answer = await service.request('GET', '/notes', { cookie: altered });
        try {
          assertProblem(answer, 401);
          assert.match(String(answer.headers['set-cookie']), /^session=; Max-Age=0; Path=\/; HttpOnly; SameSite=Lax$/);
        } catch (error) {
          throw new Error(`${name}: ${error instanceof Error ? error.message : error}`);
        }
        tries.push(answer.ms);
        slowest = Math.max(slowest, answer.ms);
      }
      assert.ok(Math.min(...tries) < MAX_MS, name);
    }
    t.diagnostic(`cookies: ${forms.length} forms × 3, slowest ${slowest.toFixed(2)} ms`);

    const missing = await service.request('GET', '/notes');
    assertProblem(missing, 401);
    assert.equal(missing.headers['set-cookie'], undefined, 'there is nothing to clear');
    assert.deepEqual(await service.notes(`other=1; ${cookie}; sessions=x`), [], 'the right one works among others');
  });

  test('an expired cookie is refused and cleared', async (t) => {
    const service = await start(t, { env: { SESSION_TTL_MS: '1500' } });
    const { cookie } = await service.signUp();
    assert.equal((await service.request('GET', '/notes', { cookie })).status, 200);
    await sleep(1600);
    const answer = await service.request('GET', '/notes', { cookie });
    assertProblem(answer, 401);
    assert.match(String(answer.headers['set-cookie']), /^session=; Max-Age=0; Path=\/;/);
    t.diagnostic(`an expired cookie: ${answer.ms.toFixed(2)} ms`);
  });

  test('what is not HTTP, or strange HTTP, is answered with a problem document too, and cut off', async (t) => {
    const service = await shared();
    const head = 'POST /notes HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n';
    const inputs = {
      'two lengths': [`${head}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}`, 400],
      'a length and chunks': [`${head}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`, 400],
      'a length that is none': [`${head}Content-Length: 1e3\r\n\r\n{}`, 400],
      'a bad chunk': [`${head}Transfer-Encoding: chunked\r\n\r\nxyz\r\n`, 400],
      'a header of 20 KB': [`GET /healthz HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(20 * 1024)}\r\n\r\n`, 431],
      'an expectation': ['GET /healthz HTTP/1.1\r\nHost: x\r\nExpect: gold\r\n\r\n', 417],
      'no HTTP': ['\x16\x03\x01\x02\x00\x01', 400],
    };
    for (const [name, [bytes, status]] of Object.entries(inputs)) {
      const { text, ms } = await exchange(service, String(bytes));
      const [top, body] = text.split('\r\n\r\n');
      assert.match(top, new RegExp(`^HTTP/1\\.1 ${status} `), name);
      assert.match(top, /\r\nContent-Type: application\/problem\+json\r\n/, name);
      assert.equal(JSON.parse(body).status, status, name);
      assert.ok(service.stderr.includes(JSON.parse(body).errorId), name);
      t.diagnostic(`${name}: ${ms.toFixed(2)} ms`);
    }
    const { text } = await exchange(service, 'GET /healthz HTTP/1.1\r\n\r\n');
    assert.match(text, /^HTTP\/1\.1 400 /, 'no host: Node answers by itself');
    assert.equal((await service.request('GET', '/healthz')).status, 200);
  });
});

/**
 * Sends bytes and reads until the server closes.
 * @param {Service} service
 * @param {string} bytes
 * @returns {Promise<{ text: string, ms: number }>}
 */
function exchange(service, bytes) {
  return new Promise((resolve, reject) => {
    const begin = performance.now();
    let text = '';
    const socket = net.connect(Number(new URL(service.url).port), '127.0.0.1', () => socket.write(bytes, 'latin1'));
    socket.setEncoding('utf8').on('data', (chunk) => { text += chunk; });
    socket.on('error', reject);
    socket.on('close', () => resolve({ text, ms: performance.now() - begin }));
  });
}

/**
 * Another character of the base64url alphabet.
 * @param {string} token
 * @param {number} index
 */
function flip(token, index) {
  return token.slice(0, index) + (token[index] === 'A' ? 'B' : 'A') + token.slice(index + 1);
}

/** @param {string} dataDir */
function firstKey(dataDir) {
  const [id, base64] = fs.readFileSync(path.join(dataDir, 'notes.keys'), 'utf8').split(' ');
  return { primary: id, keys: { [id]: Buffer.from(base64, 'base64') } };
}
