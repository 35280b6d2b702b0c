// @ts-check
'use strict';

// How often what may be tried, and from where it may come: log-in storms that stop the guesser and not the owner,
// floods, and what other sites make a browser send.

const test = require('node:test');
const assert = require('node:assert/strict');
const { setTimeout: sleep } = require('node:timers/promises');
const { assertProblem, cookieOf, newAddress, onEachService, sessionCookie } = require('./service.js');

const WRONG = 'not the password';

onEachService((start, variant, shared) => {
  test('guesses are counted by address and account, and only when they are wrong', async () => {
    const service = await shared();
    const { name, password } = await service.signUp();
    const other = await service.signUp();
    const from = { 'x-forwarded-for': newAddress() };
    for (let i = 0; i < 15; i += 1) assert.equal((await service.logIn(name, password, { headers: from })).status, 200);
    const answers = await Promise.all(Array.from({ length: 15 }, () => service.logIn(name, WRONG, { headers: from })));
    assert.deepEqual(count(answers), { 401: 10, 429: 5 }, 'also when they come at once');
    const refused = await service.logIn(name, password, { headers: from });
    assertProblem(refused, 429, 'ERR_RATE_LIMITED');
    assert.match(String(refused.headers['retry-after']), /^[1-9][0-9]?$/);
    assert.equal(refused.headers['set-cookie'], undefined);
    assert.equal((await service.logIn(other.name, other.password, { headers: from })).status, 200, 'another account');
    assert.equal((await service.logIn(name, password)).status, 200, 'another address');
    const more = await Promise.all(Array.from({ length: 50 }, (_, i) =>
      service.logIn(`guess${i}`, WRONG, { headers: from })));
    assert.deepEqual(count(more), { 401: 40, 429: 10 }, 'one address, many accounts');
  });

  test('nobody locks an account’s owner out', { timeout: 60_000 }, async () => {
    const service = await shared();
    const { name, password, device } = await service.signUp();
    const own = { 'x-forwarded-for': newAddress() };
    for (let round = 0; round < 11; round += 1) { // a hundred addresses, and the owner's own
      await Promise.all(Array.from({ length: 10 }, () => service.logIn(name, WRONG)));
      await service.logIn(name, WRONG, { headers: own });
    }
    const isRefused = async (/** @type {any} */ options) =>
      assertProblem(await service.logIn(name, password, options), 429, 'ERR_RATE_LIMITED');
    await isRefused({});
    await isRefused({ headers: own });
    const login = await service.logIn(name, password, { cookie: device, headers: own });
    assert.equal(login.status, 200, 'a browser that was here before is counted by itself');
    const others = await service.signUp();
    await isRefused({ cookie: others.device });
    await isRefused({ cookie: `${device}; ${others.device}` });
    const guesses = await Promise.all(Array.from({ length: 12 }, () =>
      service.logIn(name, WRONG, { cookie: device, headers: own })));
    assert.deepEqual(count(guesses), { 401: 10, 429: 2 }, 'and counted');

    // On a new device there is the way by a message.
    await service.request('POST', '/password/forgot', { json: { name } });
    const end = Date.now() + 15_000;
    const message = () => service.outbox.find(({ kind, to }) => kind === 'password-reset' && to === name);
    while (message() === undefined && Date.now() < end) await sleep(5);
    const json = { token: message()?.token, password: `${password}!` };
    const reset = await service.request('POST', '/password/reset', { json });
    assert.equal(reset.status, 204, reset.text);
    await isRefused({});
    const again = await service.logIn(name, json.password, { cookie: cookieOf(reset, 'device') });
    assert.equal(again.status, 200);
  });

  test('sign-up, messages and new passwords have limits too', async () => {
    const service = await shared();
    const { password, cookie } = await service.signUp();
    const headers = { 'x-forwarded-for': newAddress() };
    const send = async (/** @type {string} */ target, /** @type {object} */ json, /** @type {number} */ times) =>
      count(await Promise.all(Array.from({ length: times }, () => service.request('POST', target, { json, headers }))));
    assert.deepEqual(await send('/signup', { name: 'A', password }, 12), { 400: 10, 429: 2 });
    assert.deepEqual(await send('/password/forgot', { name: 'nobody' }, 12), { 202: 10, 429: 2 });
    assert.deepEqual(await send('/password/reset', { token: 'x', password }, 22), { 400: 20, 429: 2 });
    const changes = await Promise.all(Array.from({ length: 12 }, () =>
      service.request('POST', '/password/change', { json: { current: WRONG, password }, cookie })));
    assert.deepEqual(count(changes), { 403: 10, 429: 2 }, 'by the session, whatever the address');
    const uploads = await Promise.all(Array.from({ length: 62 }, () => service.request('POST', '/files?name=a',
      { body: 'x', cookie, headers: { 'content-type': 'application/octet-stream' } })));
    assert.deepEqual(count(uploads), { 201: 20, 409: 40, 429: 2 });
  });

  test('a flood from one address is refused; others are served', { timeout: 60_000 }, async () => {
    const service = await shared();
    const headers = { 'x-forwarded-for': newAddress() };
    const all = [];
    const begin = performance.now();
    for (let i = 0; i < 7; i += 1) {
      const next = Array.from({ length: 100 }, () => service.request('GET', '/healthz', { headers }));
      all.push(...await Promise.all(next));
    }
    const { 200: served, 429: refused } = count(all);
    const back = Math.ceil((performance.now() - begin) / 100); // so many tokens have come back
    assert.ok(served >= 600 && served <= 600 + back && refused === 700 - served, `${served} served`);
    assertProblem(all.findLast(({ status }) => status === 429) ?? assert.fail(), 429, 'ERR_RATE_LIMITED');
    assert.equal((await service.request('GET', '/healthz')).status, 200);
  });

  test('who is not trusted cannot choose an address', async (t) => {
    const service = await start(t, { env: { TRUST_PROXY: '' } });
    const { name } = await service.signUp();
    const answers = await Promise.all(Array.from({ length: 12 }, () => service.logIn(name, WRONG)));
    assert.deepEqual(count(answers), { 401: 10, 429: 2 });
    assert.match(service.stderr, /proxy\.untrusted/, 'and the operator is told');
  });

  test('what another site makes a browser send is refused', async () => {
    const service = await shared();
    const { name, password, cookie } = await service.signUp();
    const note = await service.write(cookie, 'kept');
    const own = service.url;
    const changes = /** @type {[string, string, object | undefined][]} */ ([
      ['POST', '/notes', { text: 'forged' }],
      ['DELETE', `/notes/${note.id}`, undefined],
      ['POST', '/logout', undefined],
      ['POST', '/login', { name, password }],
      ['POST', '/password/change', { current: password, password: `${password}!` }],
      ['POST', '/files?name=a.txt', undefined],
    ]);
    const forged = [
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site' },
      { 'sec-fetch-site': 'cross-site', origin: own },
      { 'sec-fetch-site': undefined, origin: 'https://evil.example' },
      { 'sec-fetch-site': undefined, origin: 'null' },
      { 'sec-fetch-site': undefined, origin: `${own}.evil.example` },
      { 'sec-fetch-site': undefined },
    ];
    for (const [method, target, json] of changes) {
      for (const headers of forged) {
        const answer = await service.request(method, target, { json, cookie, headers });
        assert.equal(answer.status, 403, `${method} ${target} ${JSON.stringify(headers)}: ${answer.text}`);
        assertProblem(answer, 403, 'ERR_CSRF');
      }
    }
    assert.deepEqual(await service.notes(cookie), [note], 'nothing happened');

    const write = (/** @type {import('node:http').OutgoingHttpHeaders} */ headers, jar = cookie) =>
      service.request('POST', '/notes', { json: { text: 'own' }, cookie: jar,
        headers: { 'sec-fetch-site': undefined, ...headers } });
    assert.equal((await write({ origin: own })).status, 201);
    assert.equal((await write({ 'sec-fetch-site': 'none' })).status, 201);
    const given = await service.request('GET', '/csrf-token', { cookie });
    const jar = [cookie, ...(given.headers['set-cookie'] ?? []).map((header) => header.split(';')[0])].join('; ');
    assert.equal((await write({ 'x-csrf-token': given.json.token }, jar)).status, 201);
    const bob = await service.signUp();
    for (const answer of [
      await write({ 'x-csrf-token': given.json.token }), // without the cookie that belongs to it
      await write({ 'x-csrf-token': 'rubbish' }, jar),
      await write({ 'x-csrf-token': given.json.token }, jar.replace(cookie, bob.cookie)),
      await write({ 'x-csrf-token': given.json.token, 'sec-fetch-site': 'cross-site' }, jar),
    ]) assertProblem(answer, 403, 'ERR_CSRF');
    const program = await service.request('POST', '/login',
      { json: { name, password }, headers: { 'sec-fetch-site': undefined } });
    assert.ok(sessionCookie(program), 'a program without cookies needs nothing');
  });
}, { atOnce: true });

/** How many answers of each status. @param {{ status: number }[]} answers */
function count(answers) {
  /** @type {Record<number, number>} */
  const counts = {};
  for (const { status } of answers) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}
