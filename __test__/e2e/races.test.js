// @ts-check
'use strict';

// What the examples' shared parts do when two things happen at once, when the disk fails in between, and with what
// older versions have written. In this process, with a hasher and a journal that wait when they are told to.

const test = require('node:test');
const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { Readable } = require('node:stream');
const { text } = require('node:stream/consumers');
const { setTimeout: sleep } = require('node:timers/promises');
const { Keyring, generateKey } = require('../../index.js');
const { Accounts } = require('../../examples/notes/accounts.js');
const { Journal, JournalError } = require('../../examples/notes/journal.js');
const { Outbox } = require('../../examples/notes/outbox.js');
const { Store } = require('../../examples/notes/store.js');
const { Uploads } = require('../../examples/notes/uploads.js');
const { temporaryDirectory } = require('./service.js');

const PURPOSE = 'password-reset';
const OLD = 'the old password';
const NEW = 'the new password';

test('a journal of the first version is read, and goes on', async (t) => {
  const file = path.join(temporaryDirectory(t), 'journal');
  const keyring = newKeyring();
  const journal = new Journal(file, keyring);
  journal.replay(assert.fail, assert.fail);
  for (const entry of [
    { type: 'user', id: 'u1', name: 'ada', hash: 'h1' },
    { type: 'note', user: 'u1', note: { id: 'n1', text: 'one', created: 'then' } },
    { type: 'note', user: 'u1', note: { id: 'n2', text: 'two', created: 'then' } },
    { type: 'delete', user: 'u1', note: 'n1' },
    { type: 'hash', user: 'u1', hash: 'h2' },
    { type: 'epoch', user: 'u1', epoch: 1 },
  ]) await journal.append(entry);
  await journal.close();

  const again = new Journal(file, keyring);
  const store = new Store(again);
  const user = store.userByName('ada') ?? assert.fail();
  assert.deepEqual([user.hash, user.role, user.epoch, [...user.notes.keys()], user.files.size],
    ['h2', 'member', 1, ['n2'], 0]);
  assert.equal(store.owner({ user: 'u1', epoch: 1 }), user, 'its sessions go on');
  await store.setAdmin('ada');
  assert.equal(await store.setPassword(user, 2, async () => 'h3'), 3);
  await store.addFile(user, { id: 'f1', name: 'a', bytes: 3, created: 'now' });
  await again.close();
  const last = new Journal(file, keyring);
  const { hash, role, epoch, files } = new Store(last).userByName('ada') ?? assert.fail();
  assert.deepEqual([hash, role, epoch, [...files.keys()]], ['h3', 'admin', 3, ['f1']]);
  await last.close();
});

test('who logs in with the old password while a new one is set gets nothing that lasts', async () => {
  const { store, user, accounts, hasher, token } = await one();
  hasher.needsRehash = true;
  hasher.hold('verify');
  const login = accounts.logIn({ name: 'ada', password: OLD });
  await accounts.reset({ token: token(), password: NEW });
  hasher.release();
  const { epoch } = await login;
  assert.equal(store.owner({ user: user.id, epoch }), undefined, 'the session is over before it begins');
  assert.equal(user.hash, `#${NEW}`, 'and the old password is not brought back by hashing it anew');
});

test('the old password is not hashed anew over one that is on its way to the disk', async () => {
  const { user, accounts, hasher, journal, token } = await one();
  hasher.needsRehash = true;
  journal.hold();
  const reset = accounts.reset({ token: token(), password: NEW });
  await sleep(1);
  const login = accounts.logIn({ name: 'ada', password: OLD });
  await sleep(1);
  journal.release();
  await Promise.all([reset, login]);
  assert.equal(user.hash, `#${NEW}`);
});

test('a token is used up by the first of two, wherever the second comes', async () => {
  for (const place of ['hash', 'disk']) {
    const { user, accounts, hasher, journal, token } = await one();
    const used = token();
    if (place === 'hash') hasher.hold('hash');
    else journal.hold();
    const first = accounts.reset({ token: used, password: NEW });
    await sleep(1);
    await assert.rejects(accounts.reset({ token: used, password: 'a third password' }), { status: 400 });
    hasher.release();
    journal.release();
    await first;
    assert.equal(user.hash, `#${NEW}`);
    await assert.rejects(accounts.reset({ token: used, password: 'a third password' }), { status: 400 });
  }
});

test('a log-out while a token is used makes it void', async () => {
  const { user, accounts, hasher, token } = await one();
  hasher.hold('hash');
  const reset = accounts.reset({ token: token(), password: NEW });
  await accounts.endSessions(user);
  hasher.release();
  await assert.rejects(reset, { status: 400 });
  assert.equal(user.hash, `#${OLD}`);
});

test('a session that begins with a new password does not outlive a log-out at the same moment', async () => {
  const { store, user, accounts, journal } = await one();
  journal.hold();
  const change = accounts.changePassword(user, { current: OLD, password: NEW });
  await sleep(1);
  const logout = accounts.endSessions(user);
  await sleep(1);
  journal.release();
  const [{ epoch }] = await Promise.all([change, logout]);
  assert.equal(user.epoch, 2);
  assert.equal(store.owner({ user: user.id, epoch }), undefined);
});

test('a new password that cannot be written is none, and can be tried again', async () => {
  const { user, accounts, journal, token } = await one();
  const used = token();
  journal.failure = new JournalError('FULL');
  await assert.rejects(accounts.reset({ token: used, password: NEW }), { status: 507 });
  assert.equal(user.hash, `#${OLD}`);
  journal.failure = null;
  await accounts.reset({ token: used, password: NEW });
  assert.equal(user.hash, `#${NEW}`);
});

test('an account gets one message in five minutes, and another one when the first is void', async () => {
  const { user, accounts, outbox } = await one();
  for (let i = 0; i < 5; i += 1) accounts.forgot({ name: 'ada' });
  accounts.forgot({ name: 'nobody' });
  await sleep(5);
  assert.deepEqual(outbox.map(({ kind }) => kind), ['password-reset']);
  await accounts.endSessions(user); // the token in it is void
  accounts.forgot({ name: 'ada' });
  await sleep(5);
  assert.deepEqual(outbox.map(({ kind }) => kind), ['password-reset', 'password-reset']);
  await accounts.reset({ token: outbox[1].token, password: NEW });
  assert.equal(user.hash, `#${NEW}`);
});

test('an outbox that is full, or cannot be written, loses messages and says so; it never grows', async (t) => {
  const file = path.join(temporaryDirectory(t), 'outbox.jsonl');
  /** @type {string[]} */
  const warnings = [];
  const outbox = new Outbox(file, { maxBytes: 500, warn: (message) => warnings.push(message) });
  for (let i = 0; i < 1100; i += 1) outbox.send({ kind: 'test', to: `user${i}` });
  await outbox.close();
  const lines = fs.readFileSync(file, 'utf8').trimEnd().split('\n').map((line) => JSON.parse(line).to);
  assert.deepEqual(lines, Array.from(lines, (_, i) => `user${i}`), 'in order');
  assert.ok(fs.statSync(file).size <= 500);
  assert.equal(lines.length + warnings.length, 1100);
  fs.renameSync(file, `${file}.taken`);
  outbox.send({ kind: 'test', to: 'next' });
  await outbox.close();
  assert.equal(JSON.parse(fs.readFileSync(file, 'utf8')).to, 'next', 'a new file');
  const nowhere = new Outbox(path.join(file, 'x'), { warn: (message) => warnings.push(message) });
  nowhere.send({ kind: 'test', to: 'x' });
  await nowhere.close();
  assert.match(warnings[warnings.length - 1], /cannot be written/);
});

test('a file whose entry cannot be written is none; one whose entry may be there waits for a start', async (t) => {
  const { store, user, journal, keyring } = await one();
  const directory = path.join(temporaryDirectory(t), 'files');
  const uploads = new Uploads(directory, { keyring, store });
  journal.failure = new JournalError('FULL');
  await assert.rejects(save(uploads, user, 'content'), { status: 507 });
  assert.deepEqual(fs.readdirSync(directory), []);
  assert.deepEqual(user.arriving, { notes: 0, files: 0, bytes: 0 });
  journal.failure = null;

  const { id } = await save(uploads, user, 'content');
  journal.failure = new JournalError('FULL');
  await assert.rejects(uploads.remove(user, id), { status: 507 });
  journal.failure = null;
  assert.equal(await text((await uploads.open(user, id)).stream), 'content', 'it is back');

  journal.fail();
  await assert.rejects(uploads.remove(user, id), { status: 503 });
  assert.deepEqual(fs.readdirSync(directory), [`${id}.part`]);
  await assert.rejects(uploads.open(user, id), { status: 404 });
  await assert.rejects(save(uploads, user, 'more'), { status: 503 });
  assert.deepEqual(fs.readdirSync(directory), [`${id}.part`], 'nothing is begun any more');
  journal.mend();
  const after = new Uploads(directory, { keyring, store }); // the entry is not there: the file is
  assert.equal(await text((await after.open(user, id)).stream), 'content');

  journal.hold();
  const upload = save(after, user, 'uncertain');
  await until(() => journal.waiting > 0);
  journal.fail();
  journal.release();
  await assert.rejects(upload, { status: 503 });
  assert.equal(fs.readdirSync(directory).filter((name) => name.endsWith('.part')).length, 1);
  new Uploads(directory, { keyring, store });
  assert.deepEqual(fs.readdirSync(directory), [id]);
});

test('a source that has another length than it said, or fails, leaves nothing', async (t) => {
  const { store, user, keyring } = await one();
  const directory = path.join(temporaryDirectory(t), 'files');
  const uploads = new Uploads(directory, { keyring, store });
  for (const bytes of [3, 8]) {
    await assert.rejects(uploads.save(user, 'a', bytes, Readable.from(['con', 'tent'])), { status: 400 });
  }
  const failing = new Readable({ read() { this.destroy(new Error('reset')); } });
  await assert.rejects(uploads.save(user, 'a', 8, failing), { status: 400 });
  assert.deepEqual(fs.readdirSync(directory), []);
  assert.deepEqual(user.arriving, { notes: 0, files: 0, bytes: 0 });

  // When it is the disk that fails, the source stays whole: a client can still be answered.
  fs.rmSync(directory, { recursive: true });
  const source = new Readable({ read() { this.push('x'); } });
  await assert.rejects(uploads.save(user, 'a', 1e6, source), { code: 'ENOENT' });
  assert.equal(source.destroyed, false);
  source.destroy();
});

test('a file that is being deleted is not there, and is deleted once', async (t) => {
  const { store, user, journal, keyring } = await one();
  const uploads = new Uploads(path.join(temporaryDirectory(t), 'files'), { keyring, store });
  const { id } = await save(uploads, user, 'content');
  journal.hold();
  const removal = uploads.remove(user, id);
  await assert.rejects(uploads.remove(user, id), { status: 404 });
  await assert.rejects(uploads.open(user, id), { status: 404 });
  await until(() => journal.waiting > 0);
  journal.release();
  await removal;
  assert.equal(user.files.size, 0);
});

test('a file opens for its owner, whatever the journal says', async (t) => {
  const { store, user, accounts, keyring } = await one();
  const uploads = new Uploads(path.join(temporaryDirectory(t), 'files'), { keyring, store });
  const file = await save(uploads, user, 'content');
  const { user: other } = await accounts.signUp({ name: 'eve', password: OLD });
  await store.addFile(other, file);
  await assert.rejects(uploads.open(other, file.id), { code: 'ERR_DECRYPT' });
});

test('who reads a file only in part holds nothing open', async (t) => {
  if (process.platform !== 'linux') return t.skip('looks into /proc');
  const { store, user, keyring } = await one();
  const directory = path.join(temporaryDirectory(t), 'files');
  const uploads = new Uploads(directory, { keyring, store });
  const { id } = await save(uploads, user, 'x'.repeat(3_000_000));
  const held = () => fs.readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return fs.readlinkSync(`/proc/self/fd/${fd}`).includes(id);
    } catch {
      return false;
    }
  }).length;
  const { stream } = await uploads.open(user, id);
  assert.equal(held(), 1);
  stream.destroy();
  await until(() => held() === 0);
  fs.writeFileSync(path.join(directory, id), 'rubbish');
  await assert.rejects(uploads.open(user, id), { code: 'ERR_DECRYPT' });
  await until(() => held() === 0);
});

/** One user, with parts that wait, and fail, when they are told to. */
async function one() {
  const keyring = newKeyring();
  const hasher = new SlowHasher();
  const journal = new SlowJournal();
  const store = new Store(journal);
  /** @type {any[]} */
  const outbox = [];
  const accounts = new Accounts({
    store, keyring, hasher: /** @type {any} */ (hasher), outbox: { send: (message) => outbox.push(message) },
  });
  const { user } = await accounts.signUp({ name: 'ada', password: OLD });
  const token = () =>
    keyring.sealToken({ user: user.id, epoch: user.epoch }, { purpose: PURPOSE, ttlMs: 60_000 });
  return { store, user, accounts, hasher, journal, keyring, outbox, token };
}

class Gate {
  open = Promise.resolve();
  release = () => {};
  waiting = 0;

  hold() {
    this.open = new Promise((resolve) => { this.release = resolve; });
  }

  async pass() {
    this.waiting += 1;
    await this.open;
    this.waiting -= 1;
  }
}

class SlowHasher {
  needsRehash = false;
  #gate = new Gate();
  #held = '';

  /** @param {'hash' | 'verify'} method */
  hold(method) {
    this.#held = method;
    this.#gate.hold();
  }

  release() {
    this.#gate.release();
  }

  /** @param {string} password */
  async hash(password) {
    if (this.#held === 'hash') await this.#gate.pass();
    return `#${password}`;
  }

  /**
   * @param {string | null} hash
   * @param {string} password
   */
  async verify(hash, password) {
    if (this.#held === 'verify') await this.#gate.pass();
    return { valid: hash === `#${password}`, needsRehash: this.needsRehash };
  }
}

class SlowJournal extends Gate {
  healthy = true;
  /** @type {Error | null} */
  failure = null;

  replay() {}

  fail() {
    this.healthy = false;
    this.failure = new JournalError('FAILED');
  }

  mend() {
    this.healthy = true;
    this.failure = null;
  }

  async append() {
    await this.pass();
    if (this.failure !== null) throw this.failure;
  }
}

/**
 * @param {Uploads} uploads
 * @param {import('../../examples/notes/store.js').User} user
 * @param {string} content
 */
function save(uploads, user, content) {
  return uploads.save(user, 'a.txt', content.length, Readable.from([Buffer.from(content)]));
}

/** @param {() => boolean} condition */
async function until(condition) {
  const end = Date.now() + 5000;
  while (!condition()) {
    if (Date.now() > end) assert.fail('it did not happen');
    await sleep(2);
  }
}

function newKeyring() {
  return new Keyring({ primary: 'k1', keys: { k1: generateKey() } });
}
