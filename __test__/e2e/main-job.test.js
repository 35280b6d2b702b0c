// @ts-check
'use strict';

// The examples do their job over real HTTP: accounts, sessions and notes, and they are there after a restart.

const test = require('node:test');
const assert = require('node:assert/strict');
const fs = require('node:fs');
const net = require('node:net');
const path = require('node:path');
const { spawnSync } = require('node:child_process');
const { setTimeout: sleep } = require('node:timers/promises');
const { readConfig } = require('../../examples/notes/config.js');
const {
  Service, assertProblem, onEachService, sessionCookie, setCookie, temporaryDirectory,
} = require('./service.js');

test('settings are taken as they are meant, or not at all', () => {
  const defaults = { dataDir: '/default' };
  assert.deepEqual(readConfig({ PATH: '/bin' }, defaults), {
    port: 3000, host: '127.0.0.1', dataDir: path.resolve('/default'), sessionTtlMs: 43_200_000, trustProxy: false,
    admin: undefined, platform: 'express', development: true,
  });
  const wrong = {
    PORT: ['80a', '65536', '-1', ' 80', '8e1', '0x50', '80.0'],
    HOST: ['a b', '[::1]:80', 'x'.repeat(254)],
    DATA_DIR: ['a\0b'],
    SESSION_TTL_MS: ['0', '999', '2592000001'],
    TRUST_PROXY: ['true', '0', '10', 'uniquelocal'],
    ADMIN: ['A', 'ad', '__proto__', 'a'.repeat(33)],
    PLATFORM: ['koa', 'hapi'],
  };
  for (const [name, values] of Object.entries(wrong)) {
    for (const value of values) {
      assert.throws(() => readConfig({ [name]: value }, defaults), (/** @type {any} */ error) =>
        error.code === 'ERR_ENVIRONMENT' && error.message.includes(`${name} must `), `${name}=${value}`);
    }
    assert.deepEqual(readConfig({ [name]: '' }, defaults), readConfig({}, defaults), `an empty ${name} is none`);
  }
  const given = readConfig({ PORT: '0', HOST: '::1', TRUST_PROXY: '2', ADMIN: 'ada', DATA_DIR: 'x' }, defaults);
  assert.deepEqual([given.port, given.trustProxy, given.admin, given.dataDir], [0, 2, 'ada', path.resolve('x')]);
  const isDevelopment = (/** @type {Record<string, string>} */ env) => readConfig(env, defaults).development;
  for (const HOST of ['localhost', '127.0.0.1', '127.1.2.3', '::1']) assert.equal(isDevelopment({ HOST }), true, HOST);
  for (const HOST of ['0.0.0.0', '::', '10.0.0.1', '127.example.org', '127.0.0.1.example']) {
    assert.equal(isDevelopment({ HOST }), false, HOST);
  }
  assert.equal(isDevelopment({ NODE_ENV: 'production' }), false);
});

test('the proving ground is there on this machine in development, and nowhere else', async (t) => {
  const headers = { 'x-forwarded-for': undefined };
  const here = await Service.start(t);
  assert.match(here.stdout, /In a browser: http:\S+\/proving-ground\n/);
  const page = await here.request('GET', '/proving-ground/', { headers });
  assert.equal(page.status, 200);
  assert.match(page.text, /^<!doctype html>/i);
  assertProblem(await here.request('GET', '/proving-ground/'), 404); // through a proxy
  for (const [name, value] of [['NODE_ENV', 'production'], ['HOST', '0.0.0.0']]) {
    const service = await Service.start(t, { env: { [name]: value } });
    assert.doesNotMatch(service.stdout, /proving-ground/);
    service.url = service.url.replace('localhost', '127.0.0.1');
    assertProblem(await service.request('GET', '/proving-ground/', { headers }), 404);
  }
});

onEachService((start, variant, shared) => {
  test('sign up, log in, write, read, delete, log out', async () => {
    const service = await shared();
    const { name, password, cookie: first } = await service.signUp();

    const login = await service.request('POST', '/login', { json: { name, password } });
    assert.equal(login.status, 200);
    assert.deepEqual(login.json, { name });
    const cookie = sessionCookie(login);
    assert.notEqual(cookie, first, 'every session is sealed with a nonce of its own');

    assert.deepEqual(await service.notes(cookie), []);
    const one = await service.write(cookie, 'one');
    const two = await service.write(cookie, 'zwei – 二 – \u{1f512} "quoted"\n');
    assert.deepEqual(await service.notes(cookie), [one, two]);

    const gone = await service.request('DELETE', `/notes/${one.id}`, { cookie });
    assert.equal(gone.status, 204);
    assertProblem(await service.request('DELETE', `/notes/${one.id}`, { cookie }), 404);
    assert.deepEqual(await service.notes(cookie), [two]);

    const logout = await service.request('POST', '/logout', { cookie });
    assert.equal(logout.status, 204);
    assert.match(setCookie(logout, 'session'), /^session=; Max-Age=0; Path=\/;/);
    assertProblem(await service.request('GET', '/notes', { cookie }), 401);
    assertProblem(await service.request('GET', '/notes', { cookie: first }), 401);

    const again = await service.request('POST', '/login', { json: { name, password } });
    assert.deepEqual(await service.notes(sessionCookie(again)), [two]);
  });

  test('users do not see, and cannot delete, the notes of others', async () => {
    const service = await shared();
    const ada = await service.signUp();
    const bob = await service.signUp();
    const note = await service.write(ada.cookie, 'private');
    assert.deepEqual(await service.notes(bob.cookie), []);
    assertProblem(await service.request('DELETE', `/notes/${note.id}`, { cookie: bob.cookie }), 404);
    assert.deepEqual(await service.notes(ada.cookie), [note]);
  });

  test('a name can be taken once, also by two sign-ups at the same moment', async () => {
    const service = await shared();
    const password = 'correct horse battery staple';
    const answers = await Promise.all(Array.from({ length: 8 }, () =>
      service.request('POST', '/signup', { json: { name: 'ada', password } })));
    assert.deepEqual(answers.map(({ status }) => status).sort(), [201, 409, 409, 409, 409, 409, 409, 409]);
    assertProblem(await service.request('POST', '/signup', { json: { name: 'ada', password } }), 409);
  });

  test('a wrong password and a missing user look the same and take alike', async (t) => {
    const service = await shared();
    const { name } = await service.signUp();
    const times = { wrong: /** @type {number[]} */ ([]), missing: /** @type {number[]} */ ([]) };
    for (let round = 0; round < 21; round += 1) {
      const wrong = await service.logIn(name, 'not the password');
      const missing = await service.logIn('nobody', 'not the password');
      assertProblem(wrong, 401);
      assertProblem(missing, 401);
      assert.equal(wrong.json.detail, missing.json.detail);
      times.wrong.push(wrong.ms);
      times.missing.push(missing.ms);
    }
    const [wrong, missing] = [median(times.wrong), median(times.missing)];
    t.diagnostic(`median of 21 log-ins: wrong password ${wrong.toFixed(2)} ms, missing user ${missing.toFixed(2)} ms`);
    // Without the work for missing users the ratio is below a tenth.
    assert.ok(missing > wrong / 2 && missing < wrong * 2, `${missing} ms against ${wrong} ms`);
  });

  test('the limits hold: notes of a user, size of a note', async () => {
    const service = await shared();
    const { cookie } = await service.signUp();
    await service.write(cookie, 'x'.repeat(4096));
    assertProblem(await service.request('POST', '/notes', { json: { text: 'x'.repeat(4097) }, cookie }), 400);
    assertProblem(await service.request('POST', '/notes', { json: { text: '\u20ac'.repeat(1366) }, cookie }), 400);
    const answers = await Promise.all(Array.from({ length: 120 }, (_, i) =>
      service.request('POST', '/notes', { json: { text: `note ${i}` }, cookie })));
    const statuses = answers.map(({ status }) => status);
    assert.equal(statuses.filter((status) => status === 201).length, 99);
    assert.equal(statuses.filter((status) => status === 409).length, 21);
    assert.equal((await service.notes(cookie)).length, 100);
  });

  test('headers: nothing to sniff, cache, run or frame, and nothing about the server', async () => {
    const service = await shared();
    const { cookie } = await service.signUp();
    const answers = [
      await service.request('GET', '/healthz'),
      await service.request('GET', '/notes', { cookie }),
      await service.request('GET', '/notes'),
      await service.request('GET', '/nowhere'),
    ];
    assert.deepEqual(answers.map(({ status }) => status), [200, 200, 401, 404]);
    for (const { headers } of answers) {
      assert.equal(headers['cache-control'], 'no-store');
      assert.match(String(headers['content-security-policy']), /default-src 'self'.*frame-ancestors 'none'/);
      assert.doesNotMatch(String(headers['content-security-policy']), /unsafe/);
      assert.equal(headers['referrer-policy'], 'no-referrer');
      assert.equal(headers['x-content-type-options'], 'nosniff');
      assert.equal(headers['x-powered-by'], undefined);
      assert.equal(headers['strict-transport-security'], undefined);
    }
  });

  test('the cookie: HttpOnly and SameSite, and Secure with its prefix behind a trusted proxy', async (t) => {
    const json = { name: 'ada', password: 'correct horse battery staple' };
    const headers = { 'x-forwarded-proto': 'https' };

    const open = await start(t, { env: { SESSION_TTL_MS: '60000', TRUST_PROXY: '' } });
    const plain = setCookie(await open.request('POST', '/signup', { json, headers }), 'session');
    assert.match(plain, /^session=[A-Za-z0-9_-]+; Max-Age=60; Path=\/; HttpOnly; SameSite=Lax$/,
      'who is not trusted cannot say that this is TLS');

    const proxied = await start(t, { env: { SESSION_TTL_MS: '60000' } });
    const answer = await proxied.request('POST', '/signup', { json, headers });
    assert.match(setCookie(answer, 'device'), /^__Host-device=.*; HttpOnly; SameSite=Lax; Secure$/);
    assert.match(setCookie(answer, 'session'),
      /^__Host-session=[A-Za-z0-9_-]+; Max-Age=60; Path=\/; HttpOnly; SameSite=Lax; Secure$/);
    assert.match(String(answer.headers['strict-transport-security']), /^max-age=\d+; includeSubDomains$/);
    const cookie = sessionCookie(answer);
    assert.equal((await proxied.request('GET', '/notes', { cookie, headers })).status, 200);
    const bare = cookie.replace('__Host-', '');
    assertProblem(await proxied.request('GET', '/notes', { cookie: bare, headers }), 401);
  });

});

// What the process does, and not the framework: on the two that have least in common.
onEachService((start, variant) => {
  test('everything is there after a restart, the session too, and what was ended is over', async (t) => {
    const before = await start(t);
    const { name, password, cookie } = await before.signUp();
    const gone = await before.signUp();
    assert.equal((await before.request('POST', '/logout', { cookie: gone.cookie })).status, 204);
    const kept = await before.write(cookie, 'kept');
    const deleted = await before.write(cookie, 'deleted');
    await before.request('DELETE', `/notes/${deleted.id}`, { cookie });
    assert.deepEqual(await before.stop(), { code: 0, signal: null });

    const after = await start(t, { dataDir: before.dataDir });
    assert.deepEqual(await after.notes(cookie), [kept]);
    assert.equal((await after.request('POST', '/login', { json: { name, password } })).status, 200);
    assertProblem(await after.request('GET', '/notes', { cookie: gone.cookie }), 401);
  });

  test('the curl lines work when pasted', async (t) => {
    if (process.platform === 'win32' || spawnSync('curl', ['--version']).status !== 0) {
      return t.skip('no POSIX shell with curl');
    }
    const dataDir = temporaryDirectory(t);
    for (let round = 0; round < 2; round += 1) { // the second one finds the user of the first
      const service = await start(t, { dataDir });
      const lines = service.stdout.split('\n').filter((line) => line.startsWith('  curl '));
      assert.equal(lines.length, 4);
      const cwd = temporaryDirectory(t);
      const answers = lines.map((line) => {
        const { status, stdout, stderr } = spawnSync('sh', ['-c', line], { cwd, encoding: 'utf8' });
        assert.equal(status, 0, stderr);
        return JSON.parse(stdout);
      });
      assert.match(answers[0].name, /^ada/);
      assert.equal(answers[1].text, 'hello');
      assert.deepEqual(answers[2], { notes: [answers[1]] });
      assert.deepEqual([answers[3].name, answers[3].bytes], ['hello.txt', 9]);
      await service.stop();
    }
  });

  test('wrong settings stop the start, all named in one message; a port that is taken does too', async (t) => {
    const dataDir = temporaryDirectory(t);
    const env = { PORT: 'canary', HOST: 'a canary', TRUST_PROXY: 'true' };
    const message = await Service.startRefused(t, { dataDir, env, variant });
    assert.match(message, /^Notes service: .*\n {2}PORT must .*\n {2}HOST must .*\n {2}TRUST_PROXY must .*\.\n$/);
    assert.doesNotMatch(message, /canary/);
    assert.deepEqual(fs.readdirSync(dataDir), []);
    const taken = net.createServer().listen(0, '127.0.0.1');
    t.after(() => taken.close());
    await new Promise((resolve) => taken.once('listening', resolve));
    const { port } = /** @type {net.AddressInfo} */ (taken.address());
    assert.match(await Service.startRefused(t, { dataDir, env: { PORT: String(port) }, variant }), /cannot listen/);
    assert.deepEqual(fs.readdirSync(dataDir).sort(), ['files', 'notes.journal', 'notes.keys'], 'no lock is left');
  });

  test('a signal that comes twice at once, as under npm, ends in order; a second one later forces', async (t) => {
    if (process.platform === 'win32') return t.skip('no signals');
    const halfRequest = async (/** @type {Service} */ service) => {
      const socket = net.connect(Number(new URL(service.url).port), '127.0.0.1');
      socket.on('error', () => {});
      t.after(() => socket.destroy());
      await new Promise((resolve) => socket.write('POST /login HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n'
        + 'Content-Type: application/json\r\n\r\n{', resolve));
      await service.request('GET', '/healthz'); // answered after the server has seen the other
    };

    const once = await start(t);
    once.child.kill('SIGINT');
    await sleep(20);
    once.child.kill('SIGINT');
    assert.deepEqual(await once.ended, { code: 0, signal: null });

    const twice = await start(t);
    await halfRequest(twice);
    twice.child.kill('SIGTERM');
    await sleep(1500);
    assert.equal(twice.child.exitCode, null, 'the request under way is waited for');
    twice.child.kill('SIGTERM');
    assert.deepEqual(await twice.ended, { code: 1, signal: null });
    assert.equal(fs.existsSync(path.join(twice.dataDir, 'notes.lock')), false);
  });
}, { names: ['Express', 'Nest on Fastify'] });

/** @param {number[]} numbers */
function median(numbers) {
  return numbers.toSorted((a, b) => a - b)[numbers.length >> 1];
}
