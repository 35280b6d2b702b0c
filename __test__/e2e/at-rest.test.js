// @ts-check
'use strict';

// What lies in the data directory: keys that only the owner can read, a journal that shows nothing, and an `append`
// that resolves after fdatasync and not before. And, with the application in this process: what an error inside shows
// (nothing), how old hashes are renewed, and what a full queue answers.

const fs = require('node:fs');
const fdatasync = fs.fdatasync;
/** Stands between the journal and the disk: the journal takes its fdatasync from `fs` when it is loaded. */
const disk = { syncs: 0, hold: /** @type {Promise<void> | null} */ (null), error: /** @type {Error | null} */ (null) };
fs.fdatasync = /** @type {any} */ (async (/** @type {number} */ fd, /** @type {fs.NoParamCallback} */ done) => {
  disk.syncs += 1;
  await disk.hold;
  if (disk.error !== null) return done(disk.error);
  fdatasync(fd, done);
});

const test = require('node:test');
const assert = require('node:assert/strict');
const http = require('node:http');
const path = require('node:path');
const { once } = require('node:events');
const { setTimeout: sleep } = require('node:timers/promises');
const { Keyring, PasswordHasher, generateKey } = require('../../index.js');
const { createApp } = require('../../examples/express/app.js');
const { Accounts } = require('../../examples/notes/accounts.js');
const { assemble } = require('../../examples/notes/data.js');
const { Journal } = require('../../examples/notes/journal.js');
const { Service, assertProblem, newAddress, temporaryDirectory } = require('./service.js');

const PASSWORD = 'correct horse battery staple';
const newKeyring = () => new Keyring({ primary: 'k1', keys: { k1: generateKey() } });

test('the files show neither notes nor names, and only their owner can read them', async (t) => {
  const service = await Service.start(t);
  const { cookie } = await service.signUp('marker-name');
  await service.write(cookie, 'marker-text');
  await service.upload(cookie, 'marker-name', 'marker-text');
  await service.stop();
  const names = fs.readdirSync(service.dataDir, { recursive: true, encoding: 'utf8' }).sort();
  assert.deepEqual(names.filter((name) => !name.startsWith('files')), ['notes.journal', 'notes.keys']);
  assert.equal(names.length, 4);
  for (const name of names.filter((one) => one !== 'files')) {
    const file = path.join(service.dataDir, name);
    const content = fs.readFileSync(file);
    for (const marker of ['marker-name', 'marker-text', 'argon2', '"type"']) assert.ok(!content.includes(marker));
    if (process.platform !== 'win32') assert.equal(fs.statSync(file).mode & 0o777, 0o600, name);
  }
  const keys = fs.readFileSync(path.join(service.dataDir, 'notes.keys'), 'utf8');
  assert.match(keys, /^k[a-z0-9]{6} [A-Za-z0-9+/]{43}= \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{3})?Z\n$/);
});

test('a key file that others can read, is damaged, or is not the right one stops the start', async (t) => {
  const service = await Service.start(t);
  const { cookie } = await service.signUp();
  await service.write(cookie, 'kept');
  await service.stop();
  const { dataDir } = service;
  const file = path.join(dataDir, 'notes.keys');
  const good = fs.readFileSync(file, 'utf8');
  const secret = good.split(' ')[1];

  if (process.platform !== 'win32') {
    for (const mode of [0o644, 0o640, 0o604, 0o620]) {
      fs.chmodSync(file, mode);
      assert.match(await Service.startRefused(t, { dataDir }), /notes\.keys: .*chmod 600/);
    }
    fs.chmodSync(file, 0o600);
  }
  const damaged = [
    ['', /has no key/],
    ['\n', /has no key/],
    [good.replace(secret, secret.slice(4)), /line 1 of the key file/],
    [`${good}${good}`, /line 2 of the key file repeats the id of line 1/],
    [`${good}rubbish\n`, /line 2 of the key file/],
    [good.replace(secret, generateKey().toString('base64')), /record 0 of the journal .* cannot be opened/],
    [good.replace(/^k\w+/, 'other'), /record 0 of the journal .* cannot be opened/],
  ];
  for (const [content, expected] of damaged) {
    fs.writeFileSync(file, String(content));
    const message = await Service.startRefused(t, { dataDir });
    assert.match(message, /** @type {RegExp} */ (expected));
    assert.ok(!message.includes(secret.slice(4, 40)), 'the message holds no key');
  }
  fs.rmSync(file);
  assert.match(await Service.startRefused(t, { dataDir }), /key file .* is missing/);
  assert.ok(!fs.existsSync(file), 'no new key is made over a journal it cannot open');

  fs.writeFileSync(file, good, { mode: 0o600 });
  const again = await Service.start(t, { dataDir });
  assert.equal((await again.notes(cookie)).length, 1);
});

test('append resolves after fdatasync, and one serves all that wait', async (t) => {
  const journal = new Journal(path.join(temporaryDirectory(t), 'journal'), newKeyring());
  journal.replay(() => assert.fail('it is empty'), assert.fail);
  disk.syncs = 0;
  let release = () => {};
  disk.hold = new Promise((resolve) => { release = resolve; });
  let resolved = 0;
  const appends = Array.from({ length: 101 }, (_, i) => journal.append({ i }).then(() => { resolved += 1; }));
  while (disk.syncs === 0) await sleep(1);
  await sleep(20);
  assert.deepEqual({ resolved, syncs: disk.syncs }, { resolved: 0, syncs: 1 });
  disk.hold = null;
  release();
  await Promise.all(appends);
  assert.deepEqual({ resolved, syncs: disk.syncs }, { resolved: 101, syncs: 2 });
  await journal.close();
});

test('what was appended before close is there; nothing is taken after it', async (t) => {
  const file = path.join(temporaryDirectory(t), 'journal');
  const keyring = newKeyring();
  const journal = new Journal(file, keyring);
  journal.replay(assert.fail, assert.fail);
  const large = 'x'.repeat(200_000); // several batches
  const appends = Array.from({ length: 20 }, (_, i) => journal.append({ i, large }));
  await journal.close();
  await Promise.all(appends);
  await assert.rejects(journal.append({}), { name: 'JournalError', reason: 'CLOSED' });
  /** @type {number[]} */
  const found = [];
  const again = new Journal(file, keyring);
  again.replay(({ i }) => found.push(i), assert.fail);
  await again.close();
  assert.deepEqual(found, Array.from({ length: 20 }, (_, i) => i));
});

test('a full journal is a 507, a failing disk a 503: neither tells why, and reading goes on', async (t) => {
  const { journal, request, log } = await inProcess(t, { maxBytes: 2000 });
  const cookie = await request.signUp();
  for (let i = 0; i < 3; i += 1) await request('POST', '/notes', { text: 'x'.repeat(1000) }, cookie);
  assertProblem(await request('POST', '/notes', { text: 'over' }, cookie), 507);
  assert.equal(journal.healthy, true);

  const failing = await inProcess(t);
  const user = await failing.request.signUp();
  disk.error = new Error('EIO on /secret/path');
  t.after(() => { disk.error = null; });
  const answer = await failing.request('POST', '/notes', { text: 'a' }, user);
  assertProblem(answer, 503);
  disk.error = null;
  assertProblem(await failing.request('POST', '/notes', { text: 'b' }, user), 503);
  assertProblem(await failing.request('GET', '/healthz'), 503);
  assert.deepEqual((await failing.request('GET', '/notes', undefined, user)).json, { notes: [] });
  assert.ok(!answer.text.includes('secret'));
  const entry = failing.log.find(({ errorId }) => errorId === answer.json.errorId);
  assert.match(String(entry?.error), /caused by: .*caused by: .*EIO on \/secret\/path/s);
  assert.ok(log.length > 0);
});

test('an error inside is a 500 without message or stack; the log has both under the errorId', async (t) => {
  const broken = {
    healthy: true,
    replay: () => {},
    append: () => Promise.reject(Object.assign(new Error('internal: db password is hunter2'),
      { expose: true, detail: 'hunter2', code: 'ESECRET', status: 599 })),
  };
  const { request, log } = await inProcess(t, { journal: broken });
  const answer = await request('POST', '/signup', { name: 'ada', password: PASSWORD });
  assertProblem(answer, 500);
  assert.deepEqual(Object.keys(answer.json).sort(), ['errorId', 'instance', 'status', 'title', 'type']);
  assert.doesNotMatch(answer.text, /hunter2|internal|ESECRET/);
  const entry = log.find(({ errorId }) => errorId === answer.json.errorId);
  assert.match(String(entry?.error), /db password is hunter2\n\s+at /);
});

test('a log-in brings an old hash up to the current parameters, durably', async (t) => {
  const { store, request } = await inProcess(t);
  const old = new PasswordHasher({ argon2: { memoryKiB: 8192 } });
  t.after(() => old.close());
  const user = await store.addUser('ada', () => old.hash(PASSWORD));
  assert.match(user.hash, /m=8192,/);
  disk.syncs = 0;
  const wrong = await request('POST', '/login', { name: 'ada', password: `${PASSWORD}!` });
  assertProblem(wrong, 401);
  assert.match(user.hash, /m=8192,/);
  for (const syncs of [1, 1]) {
    assert.equal((await request('POST', '/login', { name: 'ada', password: PASSWORD })).status, 200);
    assert.match(user.hash, /m=19456,/);
    assert.equal(disk.syncs, syncs);
  }
});

test('more log-ins than the hasher takes: 503 with Retry-After, and the others are answered', async (t) => {
  const { request } = await inProcess(t, { hasher: new PasswordHasher({ threads: 1, maxQueue: 2 }) });
  await request.signUp();
  const answers = await Promise.all(Array.from({ length: 12 }, () =>
    request('POST', '/login', { name: 'ada', password: PASSWORD })));
  const refused = answers.filter(({ status }) => status !== 200);
  assert.ok(refused.length > 0 && refused.length < answers.length, `${refused.length} refused`);
  for (const answer of refused) {
    assertProblem(answer, 503, 'ERR_QUEUE_FULL');
    assert.match(answer.headers['retry-after'], /^[1-9][0-9]*$/);
  }
});

test('the log on stderr is one JSON line a problem, under the errorId the client got', async (t) => {
  const service = await Service.start(t);
  const answer = await service.request('POST', '/notes', { body: '{' });
  assertProblem(answer, 400, 'ERR_JSON_SYNTAX');
  await service.stop();
  const lines = service.stderr.trimEnd().split('\n').map((line) => JSON.parse(line));
  const found = lines.filter(({ errorId }) => errorId === answer.json.errorId);
  assert.equal(found.length, 1);
  const { time, error, requestId, ...rest } = found[0];
  assert.ok(Date.parse(time) > 0 && typeof error === 'string' && typeof requestId === 'string');
  assert.deepEqual(rest, { level: 'info', errorId: answer.json.errorId, status: 400, code: 'ERR_JSON_SYNTAX',
    method: 'POST', route: '/notes' });
});

/**
 * The application in this process, on a journal of the caller's or a real one.
 * @param {import('node:test').TestContext} t
 * @param {{ dataDir?: string, journal?: any, maxBytes?: number, hasher?: PasswordHasher }} [options]
 */
async function inProcess(t, options = {}) {
  const {
    maxBytes,
    dataDir = temporaryDirectory(t),
    journal = new Journal(path.join(dataDir, 'journal'), newKeyring(), { maxBytes }),
    hasher = new PasswordHasher({ threads: 1 }),
  } = options;
  const log = /** @type {Record<string, unknown>[]} */ ([]);
  const data = assemble({ dataDir, keyring: newKeyring(), journal });
  const service = { ...data, accounts: new Accounts({ ...data, hasher }) };
  const app = createApp(service, {
    sessionTtlMs: 60_000, trustProxy: 'loopback', log: (entry) => log.push(/** @type {any} */ (entry)),
  });
  const server = http.createServer(app).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(async () => {
    server.closeAllConnections();
    server.close();
    await hasher.close();
    await journal.close?.();
  });
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());

  /**
   * @param {string} method
   * @param {string} target
   * @param {unknown} [json]
   * @param {string} [cookie]
   */
  async function request(method, target, json, cookie) {
    const response = await fetch(`http://127.0.0.1:${port}${target}`, {
      method,
      headers: { 'sec-fetch-site': 'same-origin', 'x-forwarded-for': newAddress(),
        ...(json === undefined ? {} : { 'content-type': 'application/json' }),
        ...(cookie === undefined ? {} : { cookie }) },
      body: json === undefined ? undefined : JSON.stringify(json),
    });
    const text = await response.text();
    return { status: response.status, headers: Object.fromEntries(response.headers), text,
      json: text === '' ? undefined : JSON.parse(text) };
  }
  request.signUp = async () => {
    const { status, headers, text } =
      await request('POST', '/signup', { name: 'ada', password: PASSWORD });
    assert.equal(status, 201, text);
    return /session=[^;]*/.exec(headers['set-cookie'])?.[0];
  };
  return { journal, store: data.store, request, log };
}
