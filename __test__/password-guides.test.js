'use strict';

/**
 * docs/passwords.md: its blocks of code run as they stand there, and what the packages that it leads away from have stored
 * verifies. Those packages are not installed here: password-peers.cases.json holds hashes that they made, and stubs take
 * the calls of the blocks headed "before", which bench/password-peers.mjs runs with the packages themselves.
 */

const assert = require('node:assert/strict');
const { EventEmitter, once } = require('node:events');
const fs = require('node:fs');
const http = require('node:http');
const path = require('node:path');
const { describe, it } = require('node:test');
const holdfast = require('..');
const { CODES } = require('../lib/errors.js');
const cases = require('./password-peers.cases.json');

const text = fs.readFileSync(path.join(__dirname, '..', 'docs', 'passwords.md'), 'utf8').replaceAll('\r\n', '\n');
const blocks = blocksByHeading(text);
const AsyncFunction = (async () => {}).constructor;

const BCRYPT = ['bcrypt', 'bcryptjs', '@node-rs/bcrypt'];
const ARGON2 = ['argon2', '@node-rs/argon2'];
const SMALL = { argon2: { memoryKiB: 64, passes: 1 } };

/** The blocks under each heading that has any. */
function blocksByHeading(markdown) {
  const found = {};
  let heading;
  for (const [, title, code] of markdown.matchAll(/^#+ (.+)$|^```js\n([^]*?)^```$/gm)) {
    if (title === undefined) (found[heading] ??= []).push(code);
    else heading = title;
  }
  return found;
}

/**
 * Runs a block, and returns the values of the names `wanted` at its end. Hashers that it makes are closed after the test.
 *
 * @param {Record<string, unknown>} [given] What the block uses and does not make.
 * @param {Record<string, unknown>} [replaced] Exports of Holdfast, by stubs.
 */
async function runBlock(t, [heading, at], wanted, given = {}, replaced = {}) {
  class PasswordHasher extends holdfast.PasswordHasher {
    constructor(options) {
      super(options);
      t.after(() => this.close());
    }
  }
  const packages = { ...stubs(t), holdfast: { ...holdfast, PasswordHasher, ...replaced } };
  const requireHere = (name) => packages[name] ?? assert.fail(`${name} is not known here`);
  const names = { require: requireHere, PasswordHasher, ...given };
  // In braces, so that it may declare what is given.
  const body = `'use strict'; {\n${blocks[heading][at]}\nreturn { ${wanted.join(', ')} }; }`;
  return new AsyncFunction(...Object.keys(names), body)(...Object.values(names));
}

/** The packages that people come from, as far as the blocks use them. What they store here is Holdfast's. */
function stubs(t) {
  const hasherOf = (options) => {
    const hasher = new holdfast.PasswordHasher(options);
    t.after(() => hasher.close());
    return hasher;
  };
  const bcrypt = hasherOf({ algorithm: 'bcrypt', bcrypt: { cost: 4 } });
  const argon2 = hasherOf(SMALL);
  const check = async (hasher, stored, password) => (await hasher.verify(stored, password)).valid;
  const likeBcrypt = {
    async hash(password, cost) {
      assert.equal(typeof cost, 'number');
      return bcrypt.hash(password);
    },
    compare: (password, stored) => check(bcrypt, stored, password),
  };
  const likeArgon2 = {
    hash: (password) => argon2.hash(password),
    verify: (stored, password) => check(argon2, stored, password),
  };
  return {
    bcrypt: likeBcrypt,
    bcryptjs: likeBcrypt,
    '@node-rs/bcrypt': {
      async hash(password, { cost }) {
        assert.equal(typeof cost, 'number');
        return bcrypt.hash(password);
      },
      verify: (password, stored) => check(bcrypt, stored, password),
    },
    argon2: likeArgon2,
    '@node-rs/argon2': likeArgon2,
  };
}

/** A hasher that is closed when the test ends. */
function hasherOf(t, options) {
  const hasher = new holdfast.PasswordHasher(options);
  t.after(() => hasher.close());
  return hasher;
}

/** The hashes whose title, of package, version and perhaps a peculiarity, fits. */
function storedBy(packages, peculiarity = /^$/) {
  return Object.entries(cases).flatMap(([title, entries]) => {
    const [, name, more = ''] = /^(\S+) [\d.]+(?:, (.+))?$/.exec(title);
    return packages.includes(name) && peculiarity.test(more) ? entries : [];
  });
}

/** What a comment behind a line of the block says comes out of it, up to an ellipsis. */
function promised([heading, at], line) {
  const [, comment] = new RegExp(`${line}.*// (.+?)…?$`, 'm').exec(blocks[heading][at]);
  return comment;
}

describe('docs/passwords.md', () => {
  it('has the blocks that are run here, and no others', () => {
    const counts = Object.fromEntries(Object.entries(blocks).map(([heading, { length }]) => [heading, length]));
    assert.deepEqual(counts, {
      Passwords: 1,
      Peppers: 1,
      AbortSignal: 1,
      'Without a hasher': 1,
      'Rehash at login': 1,
      'What differs': 1,
      'From bcrypt': 2,
      'From bcryptjs': 2,
      'From argon2': 3,
      'From @node-rs/argon2': 2,
      'From @node-rs/bcrypt': 2,
    });
  });

  it('links to headings that are there', () => {
    const slug = (title) =>
      title
        .toLowerCase()
        .replace(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-');
    const slugs = Array.from(text.matchAll(/^#+ (.+)$/gm), ([, title]) => slug(title));
    const links = Array.from(text.matchAll(/\]\(#([^)]+)\)/g), ([, link]) => link);
    assert.ok(links.length > 5);
    assert.deepEqual(
      links.filter((link) => !slugs.includes(link)),
      [],
    );
  });

  it('has the codes of errors with the status that they carry', () => {
    const rows = Array.from(text.matchAll(/^\| `([A-Z_]*ERR[A-Z_]*)` \| (\d*) ?\|/gm), ([, code, status]) => [
      code,
      status,
    ]);
    assert.ok(rows.length >= 8);
    for (const [code, status] of rows) assert.equal(String(CODES[code].status ?? ''), status, code);
  });

  it('begins with a hash and a guess', async (t) => {
    const place = ['Passwords', 0];
    const { stored, valid, needsRehash } = await runBlock(t, place, ['stored', 'valid', 'needsRehash']);
    assert.ok(stored.startsWith(promised(place, 'const stored')), stored);
    assert.equal(`${valid}, ${needsRehash}`, promised(place, 'const { valid'));
  });

  it('rotates a pepper', async (t) => {
    const place = ['Peppers', 0];
    const [newKey, oldKey] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)];
    const { hasher, stored } = await runBlock(t, place, ['hasher', 'stored'], { newKey, oldKey, password: 'pw' });
    assert.ok(stored.startsWith(promised(place, 'const stored')), stored);
    assert.deepEqual(await hasher.verify(stored, 'pw'), { valid: true, needsRehash: false });
    const ofPepper = (current, key) => hasherOf(t, { ...SMALL, pepper: { current, keys: { [current]: key } } });
    const old = await ofPepper('2025', oldKey).hash('pw');
    assert.deepEqual(await hasher.verify(old, 'pw'), { valid: true, needsRehash: true });
    const without = await hasherOf(t, SMALL).hash('pw');
    assert.deepEqual(await hasher.verify(without, 'pw'), { valid: true, needsRehash: true });
    const other = ofPepper('2024', oldKey);
    await assert.rejects(other.verify(old, 'pw'), { code: 'ERR_UNKNOWN_KEY' });
    assert.equal(other.stats().completed, 1, 'after the same work');
    assert.equal(other.needsRehash(old), true);
  });

  it('drops the login of a client that has gone', async (t) => {
    const hasher = hasherOf(t, { ...SMALL, threads: 1 });
    const { verifyFor } = await runBlock(t, ['AbortSignal', 0], ['verifyFor'], { hasher });
    const stored = await hasher.hash('pw');
    assert.equal(await verifyFor(new EventEmitter(), stored, 'pw'), true);
    assert.equal(await verifyFor(new EventEmitter(), stored, 'no'), false);
    const busy = hasherOf(t, { argon2: { memoryKiB: 32_768, passes: 8 }, threads: 1 });
    const { verifyFor: verifyBehind } = await runBlock(t, ['AbortSignal', 0], ['verifyFor'], { hasher: busy });
    const before = busy.hash('x');
    const response = new EventEmitter();
    const verdict = verifyBehind(response, stored, 'pw');
    assert.equal(busy.stats().running + busy.stats().queued, 2);
    response.emit('close');
    await assert.rejects(verdict, { name: 'AbortError', code: 'ABORT_ERR' });
    await before;
    assert.equal(busy.stats().completed, 1);
  });

  it('does without a hasher', async (t) => {
    const place = ['Without a hasher', 0];
    const wanted = ['valid', 'algorithm', 'params', 'salt', 'digestLength', 'argon2', 'measuredMs', 'hasher'];
    const { hasher, argon2, measuredMs, ...rest } = await runBlock(t, place, wanted, { password: 'pw' });
    assert.deepEqual(rest, {
      valid: true,
      algorithm: 'argon2id',
      params: { memoryKiB: 19_456, passes: 2, lanes: 1 },
      salt: rest.salt,
      digestLength: 32,
    });
    assert.equal(rest.salt.length, 16);
    assert.ok(measuredMs > 0);
    assert.deepEqual(holdfast.parseHash(await hasher.hash('pw')).params, argon2);
  });
});

describe('the block for a rehash at login', () => {
  const place = ['Rehash at login', 0];
  const [{ password, stored: old }] = storedBy(['bcrypt']);

  /** A table of one user, ada; what was asked of it; and the login. */
  async function table(t, replaceHash) {
    const hashes = new Map([['ada', old]]);
    const [replaced, logged] = [[], []];
    const users = {
      storedHash: async (name) => hashes.get(name) ?? null,
      replaceHash: async (name, stored, hash) => {
        replaced.push([name, stored]);
        await replaceHash?.();
        if (hashes.get(name) === stored) hashes.set(name, hash);
      },
    };
    const { login } = await runBlock(t, place, ['login'], { users, log: (error) => logged.push(error) });
    return { hashes, replaced, logged, login };
  }

  it('brings a hash up to date once', async (t) => {
    const { hashes, replaced, login } = await table(t);
    assert.equal(await login('ada', `${password}!`), false);
    assert.deepEqual(replaced, []);
    assert.equal(await login('ada', password), true);
    assert.deepEqual(replaced, [['ada', old]]);
    assert.match(hashes.get('ada'), /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    assert.equal(await login('ada', password), true);
    assert.equal(await login('ada', `${password}!`), false);
    assert.equal(replaced.length, 1);
  });

  it('says no to a user that does not exist', async (t) => {
    const { replaced, login } = await table(t);
    assert.equal(await login('bob', password), false);
    assert.deepEqual(replaced, []);
  });

  it('logs in also when the hash cannot be replaced', async (t) => {
    const failure = new Error('on purpose');
    const { hashes, logged, login } = await table(t, () => Promise.reject(failure));
    assert.equal(await login('ada', password), true);
    assert.deepEqual(logged, [failure]);
    assert.equal(hashes.get('ada'), old);
  });
});

describe('the block that answers errors', () => {
  it('says 503 and when to come back, 400 and why, or 500 and nothing', async (t) => {
    const { answer } = await runBlock(t, ['What differs', 0], ['answer']);
    const hasher = hasherOf(t, { argon2: { memoryKiB: 32_768, passes: 3 }, threads: 1, maxQueue: 0 });
    const running = hasher.hash('x');
    const full = await hasher.hash('x').catch((error) => error);
    await running;
    full.retryAfterMs = 2_001;
    const long = await hasher.hash('x'.repeat(65_537)).catch((error) => error);
    const errors = [full, long, new Error('secret')];
    const server = http.createServer((request, response) => answer(errors.shift(), response)).listen(0, '127.0.0.1');
    t.after(() => server.close());
    await once(server, 'listening');
    const answers = [];
    while (errors.length > 0) {
      const response = await fetch(`http://127.0.0.1:${server.address().port}/`, { headers: { connection: 'close' } });
      answers.push([response.status, response.headers.get('retry-after'), await response.text()]);
    }
    assert.deepEqual(answers, [
      [503, '3', full.message],
      [400, null, long.message],
      [500, null, ''],
    ]);
  });
});

describe('the guide', () => {
  for (const name of [...BCRYPT, ...ARGON2]) {
    const heading = `From ${name}`;
    const family = BCRYPT.includes(name) ? BCRYPT : ARGON2;

    it(`from ${name} begins with calls that work`, async (t) => {
      assert.match(blocks[heading][0], new RegExp(`^// before\n.*require\\('${name}'\\)`));
      const { register, login } = await runBlock(t, [heading, 0], ['register', 'login']);
      const stored = await register('pw');
      assert.equal(await login(stored, 'pw'), true);
      assert.equal(await login(stored, 'no'), false);
    });

    it(`from ${name} ends with calls that take what was stored`, async (t) => {
      assert.match(blocks[heading][1], /^\/\/ after\n.*require\('holdfast'\)/);
      const { register, login } = await runBlock(t, [heading, 1], ['register', 'login']);
      const stored = await register('pw');
      assert.match(stored, name === 'bcryptjs' ? /^\$2b\$12\$/ : /^\$argon2id\$/);
      assert.deepEqual(await login(stored, 'pw'), { valid: true, needsRehash: false });
      assert.deepEqual(await login(stored, 'no'), { valid: false, needsRehash: false });
      const others = storedBy(family, /^(?!a secret|its defaults)/);
      assert.ok(others.length > 10);
      for (const { stored: other, password } of others) {
        assert.deepEqual(await login(other, password), { valid: true, needsRehash: true }, other);
      }
    });
  }

  for (const name of ARGON2) {
    it(`from ${name} keeps the hashes of its defaults`, async (t) => {
      const { login } = await runBlock(t, [`From ${name}`, 1], ['login']);
      const [{ stored, password }] = storedBy([name], /^its defaults$/);
      assert.deepEqual(await login(stored, password), { valid: true, needsRehash: false });
    });
  }

  it('from argon2 gives a secret its name', async (t) => {
    const place = ['From argon2', 2];
    const entries = storedBy(ARGON2, /^a secret$/);
    assert.ok(entries.length >= 4);
    for (const { stored, password, secret: hex } of entries) {
      const given = { stored, password, secret: Buffer.from(hex, 'hex') };
      const { hasher, named, valid } = await runBlock(t, place, ['hasher', 'named', 'valid'], given);
      assert.equal(valid, true, stored);
      assert.equal(holdfast.parseHash(named(stored, '2026')).keyId, '2026');
      assert.equal((await hasher.verify(named(stored, '2026'), `${password}!`)).valid, false);
      assert.equal((await hasher.verify(stored, password)).valid, false, 'without its name');
    }
  });
});

describe('hashes made by the packages that people come from', () => {
  it('are of all of them, for every kind of password', () => {
    for (const name of [...BCRYPT, ...ARGON2]) {
      const passwords = storedBy([name]).map(({ password }) => password);
      for (const kind of [/^[ -~]+$/, /😀/u, /^$/, /^x{72}$/, /^(?:😀){18}$/u]) {
        assert.ok(
          passwords.some((password) => kind.test(password)),
          `${name}, ${kind}`,
        );
      }
    }
  });

  for (const [title, entries] of Object.entries(cases)) {
    it(`verify, and with no other password: ${title}`, async (t) => {
      const isTruncated = title.endsWith('truncated');
      const hasher = hasherOf(t, { ...SMALL, bcryptLong: isTruncated ? 'truncate' : 'error' });
      assert.ok(entries.length > 0);
      for (const { password, stored, secret } of entries) {
        const valid = async (other) => (await hasher.verify(stored, other)).valid;
        // One with a secret is taken only by its name: see above.
        assert.equal(await valid(password), secret === undefined, stored);
        assert.equal(await valid(`!${password}`), false, stored);
        if (password !== '') {
          const bytes = Buffer.from(password);
          bytes[Math.min(bytes.length, 72) - 1] ^= 1;
          assert.equal(await valid(bytes), false, stored);
          assert.equal(await valid(''), false, stored);
        }
        if (!isTruncated) assert.equal(await valid(`${password}!`), false, stored);
      }
    });
  }

  it('were truncated where a password is longer than 72 bytes, and verify only if the hasher truncates too', async (t) => {
    const [exact, truncating] = [hasherOf(t, SMALL), hasherOf(t, { ...SMALL, bcryptLong: 'truncate' })];
    const entries = storedBy(BCRYPT, /^truncated$/);
    assert.equal(entries.length, 6);
    for (const { password, stored } of entries) {
      assert.ok(Buffer.byteLength(password) > 72);
      assert.equal((await exact.verify(stored, password)).valid, false, stored);
      const first = Buffer.from(password).subarray(0, 72);
      for (const hasher of [exact, truncating]) assert.equal((await hasher.verify(stored, first)).valid, true, stored);
      assert.equal((await truncating.verify(stored, `${password}!`)).valid, true, stored);
    }
  });
});
