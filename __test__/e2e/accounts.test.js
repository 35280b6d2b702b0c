// @ts-check
'use strict';

// Passwords: a new one, one that was forgotten, and what each ends. Tokens and cookies made for something else. And who
// is an admin.

const test = require('node:test');
const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { setTimeout: sleep } = require('node:timers/promises');
const { Keyring } = require('../../index.js');
const {
  Service, assertProblem, cookieOf, onEachService, sessionCookie, setCookie, temporaryDirectory,
} = require('./service.js');

const OTHER = 'another horse, another staple';
const RESET_MS = 15_000;

onEachService((start, variant, shared) => {
  test('a new password ends every session but the one that chose it, and every reset token', async (t) => {
    const service = await start(t);
    const { name, password, cookie } = await service.signUp();
    const elsewhere = sessionCookie(await service.logIn(name, password));
    const [message] = await forgot(service, name);

    const wrong = await change(service, elsewhere, { current: OTHER, password: OTHER });
    assertProblem(wrong, 403);
    assert.equal((await service.notes(cookie)).length, 0, 'nothing happened');
    for (const body of [{ password: OTHER }, { current: password }, { current: password, password: 'short' },
      { current: [password], password: OTHER }, { current: password, password: OTHER, more: true }]) {
      assertProblem(await change(service, cookie, body), 400);
    }
    assertProblem(await service.request('POST', '/password/change', { json: { current: password, password: OTHER } }),
      401);

    const changed = await change(service, elsewhere, { current: password, password: OTHER });
    assert.equal(changed.status, 204, changed.text);
    const over = await service.request('GET', '/notes', { cookie });
    assertProblem(over, 401);
    assert.match(setCookie(over, 'session'), /^session=; Max-Age=0;/, 'a cookie that is over is cleared');
    assertProblem(await service.request('GET', '/notes', { cookie: elsewhere }), 401);
    assert.deepEqual(await service.notes(sessionCookie(changed)), []);
    assertProblem(await service.logIn(name, password), 401);
    assert.equal((await service.logIn(name, OTHER)).status, 200);
    assertProblem(await reset(service, message.token, password), 400);
    assert.equal((await service.logIn(name, OTHER)).status, 200, 'the token from before changed nothing');
    assert.equal(service.outbox.filter(({ kind, to }) => kind === 'password-changed' && to === name).length, 1);

    await service.stop();
    const after = await start(t, { dataDir: service.dataDir });
    assertProblem(await after.request('GET', '/notes', { cookie }), 401);
    assert.deepEqual(await after.notes(sessionCookie(changed)), []);
    assert.equal((await after.logIn(name, OTHER)).status, 200);
  });

  test('a token for a new password is good once, and nobody sees who has an account', async () => {
    const service = await shared();
    const { name, password, cookie } = await service.signUp();
    await service.write(cookie, 'kept');
    const [message, ...rest] = await forgot(service, name);
    assert.deepEqual(rest, []);
    const missing = await service.request('POST', '/password/forgot', { json: { name: 'nobody' } });
    const present = await service.request('POST', '/password/forgot', { json: { name } });
    assert.deepEqual([missing.status, present.status], [202, 202]);
    assert.equal(missing.text, present.text);
    assert.deepEqual(Object.keys(missing.headers).sort(), Object.keys(present.headers).sort());
    for (const answer of [missing, present]) assert.equal(answer.headers['set-cookie'], undefined);

    await sleep(100);
    const messages = service.outbox.filter(({ to }) => to === name || to === 'nobody');
    assert.deepEqual(messages.map(({ kind, to }) => [kind, to]), [['password-reset', name]],
      'one message in five minutes: the token in it is still good');
    assert.ok(!service.stderr.includes(message.token) && !service.stdout.includes(message.token));
    if (process.platform !== 'win32') {
      assert.equal(fs.statSync(path.join(service.dataDir, 'outbox.jsonl')).mode & 0o777, 0o600);
    }

    for (const short of ['', '1234567', 7, null]) assertProblem(await reset(service, message.token, short), 400);
    const candidates = [OTHER, `${OTHER}!`, `${OTHER}?`];
    const answers = await Promise.all(candidates.map((one) => reset(service, message.token, one)));
    assert.deepEqual(answers.map(({ status }) => status).sort(), [204, 400, 400], 'also when all come at once');
    const chosen = candidates[answers.findIndex(({ status }) => status === 204)];
    assert.ok(answers.every(({ headers }) => !String(headers['set-cookie']).includes('session=')), 'it is no log-in');
    assertProblem(await reset(service, message.token, password), 400);
    assertProblem(await service.request('GET', '/notes', { cookie }), 401);
    assertProblem(await service.logIn(name, password), 401);
    const login = await service.logIn(name, chosen);
    assert.deepEqual((await service.notes(sessionCookie(login))).map(({ text }) => text), ['kept']);
  });

  test('tokens and cookies are good for one purpose, and for their time', async () => {
    const service = await shared();
    const { name, password, cookie, device } = await service.signUp();
    const [{ token }] = await forgot(service, name);
    const keyring = new Keyring(keysOf(service.dataDir));
    const content = /** @type {any} */ (keyring.openToken(token, { purpose: 'password-reset' }));
    const seal = (/** @type {object} */ value, /** @type {string} */ purpose, ttlMs = 60_000) =>
      keyring.sealToken(value, { purpose, ttlMs });
    const expired = seal(content, 'password-reset', 1);
    await sleep(10);
    const bad = {
      'of another purpose': seal(content, 'e-mail-change'),
      'of a session’s purpose': seal(content, 'session'),
      'a session': cookie.split('=')[1],
      'a device': device.split('=')[1],
      'expired': expired,
      'of another epoch': seal({ ...content, epoch: content.epoch + 1 }, 'password-reset'),
      'of another user': seal({ ...content, user: '__proto__' }, 'password-reset'),
      'of no user': seal({}, 'password-reset'),
      'of nothing': seal([], 'password-reset'),
      'of another service': new Keyring({ primary: 'k1', keys: { k1: Buffer.alloc(32, 7) } })
        .sealToken(content, { purpose: 'password-reset' }),
      'altered': token.slice(0, 80) + (token[80] === 'A' ? 'B' : 'A') + token.slice(81),
      'cut': token.slice(0, -1),
      'rubbish': 'rubbish',
      'long': 'A'.repeat(1025),
      'empty': '',
    };
    for (const [what, one] of Object.entries(bad)) {
      const answer = await reset(service, one, OTHER);
      assert.equal(answer.status, 400, `${what}: ${answer.text}`);
      assertProblem(answer, 400);
    }
    for (const one of [1, null, [token], { token }]) assertProblem(await reset(service, one, OTHER), 400);
    for (const value of [token, device.split('=')[1]]) {
      assertProblem(await service.request('GET', '/notes', { cookie: `session=${value}` }), 401);
    }
    assert.equal((await service.logIn(name, password)).status, 200, 'the password is as it was');
    assert.equal((await reset(service, token, OTHER)).status, 204, 'and the token still good');
  });

  test('an admin is whom the settings name, and only an account that is there', async (t) => {
    const dataDir = temporaryDirectory(t);
    assert.match(await Service.startRefused(t, { dataDir, env: { ADMIN: 'ada' }, variant }), /ADMIN names no account/);
    assert.match(await Service.startRefused(t, { dataDir, env: { ADMIN: '../ada' }, variant }), /ADMIN/);
    const before = await start(t, { dataDir });
    const ada = await before.signUp('ada');
    const bob = await before.signUp('bob');
    assert.deepEqual((await before.request('GET', '/account', { cookie: ada.cookie })).json,
      { name: 'ada', role: 'member' });
    assertProblem(await before.request('GET', '/admin/users', { cookie: ada.cookie }), 403);
    await before.stop();

    const service = await start(t, { dataDir, env: { ADMIN: 'ada' } });
    assertProblem(await service.request('GET', '/account', { cookie: ada.cookie }), 401);
    const cookie = sessionCookie(await service.logIn('ada', ada.password));
    assert.deepEqual((await service.request('GET', '/account', { cookie })).json, { name: 'ada', role: 'admin' });
    await service.write(bob.cookie, 'secret of bob');
    const list = await service.request('GET', '/admin/users', { cookie });
    assert.deepEqual(list.json, { users: [
      { name: 'ada', role: 'admin', notes: 0, files: 0 },
      { name: 'bob', role: 'member', notes: 1, files: 0 },
    ] });

    for (const [method, target] of [['GET', '/admin/users'], ['POST', '/admin/users/ada/sessions/end'],
      ['POST', '/admin/users/nobody/sessions/end']]) {
      assertProblem(await service.request(method, target), 401);
      assertProblem(await service.request(method, target, { cookie: bob.cookie }), 403);
    }
    const end = (/** @type {string} */ user) =>
      service.request('POST', `/admin/users/${user}/sessions/end`, { cookie });
    assertProblem(await end('nobody'), 404);
    for (const name of ['A', '__proto__', '%2e%2e%2fada', 'ada%0a', `${'a'.repeat(2000)}!`]) {
      const answer = await end(name); // 414: Fastify's router
      assertProblem(answer, answer.status === 414 ? 414 : 400, answer.json.code);
    }
    assert.equal((await end('bob')).status, 204);
    assertProblem(await service.request('GET', '/notes', { cookie: bob.cookie }), 401);
    assert.equal((await service.request('GET', '/account', { cookie })).status, 200);
    await service.stop();

    const after = await start(t, { dataDir });
    assertProblem(await after.request('GET', '/account', { cookie }), 401);
    const member = sessionCookie(await after.logIn('ada', ada.password));
    assertProblem(await after.request('GET', '/admin/users', { cookie: member }), 403);
  });

  test('a log-in by a browser that was here before is remembered apart from its session', async () => {
    const service = await shared();
    const { name, password, device } = await service.signUp();
    const again = await service.logIn(name, password, { cookie: device });
    assert.match(setCookie(again, 'device'), /; Path=\/; Max-Age=7776000; HttpOnly; SameSite=Lax$/);
    const open = (/** @type {string} */ cookie) =>
      /** @type {{ device: string }} */ (new Keyring(keysOf(service.dataDir)).openToken(cookie.split('=')[1],
        { purpose: 'device' })).device;
    assert.equal(open(cookieOf(again, 'device')), open(device));
    assert.notEqual(open(cookieOf(await service.logIn(name, password), 'device')), open(device));
    assertProblem(await service.request('GET', '/notes', { cookie: device }), 401);
  });
}, { atOnce: true });

/**
 * Asks for a token, and waits until it would have been mailed.
 * @param {Service} service
 * @param {string} name
 */
async function forgot(service, name) {
  const answer = await service.request('POST', '/password/forgot', { json: { name } });
  assert.equal(answer.status, 202, answer.text);
  const end = Date.now() + RESET_MS;
  const found = () => service.outbox.filter(({ kind, to }) => kind === 'password-reset' && to === name);
  while (found().length === 0 && Date.now() < end) await sleep(5);
  assert.ok(found().length > 0, 'a message is in the outbox');
  return found();
}

/**
 * @param {Service} service
 * @param {unknown} token
 * @param {unknown} password
 */
function reset(service, token, password) {
  return service.request('POST', '/password/reset', { json: { token, password } });
}

/**
 * @param {Service} service
 * @param {string} cookie
 * @param {object} json
 */
function change(service, cookie, json) {
  return service.request('POST', '/password/change', { json, cookie });
}

/** @param {string} dataDir */
function keysOf(dataDir) {
  const [id, base64] = fs.readFileSync(path.join(dataDir, 'notes.keys'), 'utf8').split(' ');
  return { primary: id, keys: { [id]: Buffer.from(base64, 'base64') } };
}
