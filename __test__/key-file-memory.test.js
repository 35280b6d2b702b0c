'use strict';

/**
 * What key files leave behind in memory, which is nothing, and what a polluted Object.prototype does to them, which is
 * nothing either.
 */

const assert = require('node:assert/strict');
const fs = require('node:fs');
const { describe, it } = require('node:test');
const { createKeyring, loadKeyring, rotateKeyring } = require('..');
const { FILE, readKeyLines } = require('../lib/key-lines.js');
const { assertRing, contents, freshPath, lineOf, writeKeys } = require('./support/key-files.js');
const { runNode } = require('./support/child.js');
const { keys } = require('./key-file.cases.json');

const KEY_FILE = { name: 'HoldfastError', code: 'ERR_KEY_FILE' };
const keyOf = (letter) => Buffer.from(keys[letter], 'base64');

describe('a polluted Object.prototype', () => {
  /** Of options and fields here, in lib/, in Node's fs and in its options. */
  const NAMES = [
    ...['id', 'env', 'key', 'start', 'end', 'primary', 'keys', 'text', 'form', 'publish', 'write', 'named', 'stat'],
    ...['source', 'unit', 'ends', 'leastFields', 'expected', 'base', 'status', 'cause', 'value', 'get', 'enumerable'],
    ...['mode', 'flag', 'flags', 'encoding', 'bigint', 'recursive', 'fd', 'offset', 'position', 'flush', 'signal'],
    ...['href', 'protocol', 'hostname', 'windows', 'uid', 'gid', 'size', 'throwIfNoEntry', 'withFileTypes', 'platform'],
  ];
  const VALUES = ['other', 0o777, { id: 'other' }, () => 1];

  it('changes nothing', () => {
    const file = writeKeys(`${lineOf('k1', keyOf('A'))}${lineOf('k2', keyOf('B'))}`);
    const [malformed, made, rotated] = [writeKeys('k1 x'), freshPath('made.keys'), freshPath('rotated.keys')];
    const code = (call) => {
      try {
        call();
      } catch (error) {
        return error.code;
      }
      return 'none';
    };
    const calls = {
      load: () => loadKeyring(file),
      create: () => createKeyring(made, {}),
      rotate: () => rotateKeyring(rotated, {}),
      exists: () => code(() => createKeyring(file)),
      malformed: () => code(() => loadKeyring(malformed)),
      'no source': () => code(() => loadKeyring({})),
      'no variable': () => code(() => loadKeyring({ env: 'HOLDFAST_NONE' })),
      'a URL': () => loadKeyring(new URL(`file://${file}`)),
    };
    if (process.platform === 'win32') delete calls['a URL']; // C: is no part of such a text.
    for (const name of NAMES) {
      for (const value of VALUES) {
        fs.rmSync(made, { force: true });
        fs.writeFileSync(rotated, lineOf('k1', keyOf('A')), { mode: 0o600 });
        const results = polluted(name, value, () => Object.entries(calls).map(([what, call]) => [what, call()]));
        const { load, create, rotate, 'a URL': url = load, ...codes } = Object.fromEntries(results);
        for (const ring of [load, url]) assertRing(ring, ['k1', 'k2'], [keyOf('A'), keyOf('B')]);
        for (const [ring, path, last] of [
          [create, made, []],
          [rotate, rotated, ['k1']],
        ]) {
          const lines = contents(path);
          assert.match(lines[0].id, /^k[a-z2-9]{6}$/);
          assert.deepEqual(
            lines.slice(1).map(({ id }) => id),
            last,
          );
          assertRing(
            ring,
            lines.map(({ id }) => id),
            lines.map(({ key }) => key),
          );
          if (process.platform !== 'win32') assert.equal(fs.statSync(path).mode & 0o777, 0o600);
        }
        assert.deepEqual(codes, {
          exists: 'EEXIST',
          malformed: 'ERR_KEY_FILE',
          'no source': 'ERR_INVALID_ARG_TYPE',
          'no variable': 'ERR_KEY_FILE',
        });
      }
    }
  });

  function polluted(name, value, body) {
    Object.defineProperty(Object.prototype, name, { __proto__: null, value, configurable: true, writable: true });
    try {
      return body();
    } catch (error) {
      throw new Error(`with Object.prototype.${name} = ${String(value)}`, { cause: error });
    } finally {
      delete Object.prototype[name];
    }
  }
});

describe('keys in memory', () => {
  it('are wiped from every buffer that fs was given', (t) => {
    const seen = new Set();
    for (const name of ['readSync', 'writeSync']) {
      const original = fs[name];
      t.mock.method(fs, name, (fd, bytes, ...rest) => {
        const result = original(fd, bytes, ...rest);
        if (bytes.some((byte) => byte !== 0)) seen.add(bytes);
        return result;
      });
    }
    const file = freshPath();
    const checked = (count, call) => {
      seen.clear();
      call();
      assert.equal(seen.size, count, String(call));
      for (const bytes of seen)
        assert.ok(
          bytes.every((byte) => byte === 0),
          String(call),
        );
    };
    const malformed = writeKeys(`${lineOf('k1', keyOf('A'))}x\n`);
    checked(1, () => createKeyring(file));
    checked(1, () => loadKeyring(file));
    checked(2, () => rotateKeyring(file));
    checked(1, () => assert.throws(() => loadKeyring(malformed), KEY_FILE));
    checked(1, () => assert.throws(() => rotateKeyring(malformed), KEY_FILE));
    t.mock.method(fs, 'fsyncSync', () => assert.fail('no sync'));
    checked(1, () => assert.throws(() => createKeyring(freshPath()), /no sync/));
    checked(2, () => assert.throws(() => rotateKeyring(file), /no sync/));
  });

  it('are wiped where they were decoded, whether a ring comes of them or not', async () => {
    const good = writeKeys(lineOf('k1', keyOf('A')) + lineOf('k2', keyOf('B')));
    const { code, stdout, stderr } = await runNode(`
      const aead = require(holdfast + '/lib/aead.js');
      const keyring = require(holdfast + '/lib/keyring.js');
      const lines = require(holdfast + '/lib/key-lines.js');
      const seen = [];
      let fails = false;
      keyring.Keyring = class {
        constructor({ keys }) {
          seen.push(...Object.values(keys));
          if (!seen.every((key) => key.some((byte) => byte !== 0))) throw new Error('wiped too early');
          if (fails) throw new Error('no ring');
        }
      };
      const generate = aead.generateKey;
      aead.generateKey = () => generate();
      const { createKeyring, loadKeyring, rotateKeyring } = require(holdfast + '/lib/key-file.js');
      const good = ${JSON.stringify(good)};
      process.env.KEYS = 'k1 ${keys.A}';
      const calls = [() => loadKeyring(good), () => rotateKeyring(good), () => createKeyring(good + '2'), () => createKeyring(good + '3'),
        () => loadKeyring({ env: 'KEYS' })];
      for (fails of [false, true]) {
        for (const call of calls) {
          seen.length = 0;
          try { call(); } catch (error) { if (!/no ring|EEXIST/.test(error.message)) throw error; }
          if (seen.length === 0) throw new Error('no keys');
          console.log(seen.length, seen.every((key) => key.every((byte) => byte === 0)));
        }
      }`);
    assert.deepEqual({ code, stderr }, { code: 0, stderr: '' });
    assert.equal(stdout, [2, 3, 1, 1, 1, 3, 4, 1, 1, 1].map((count) => `${count} true\n`).join(''));
  });

  it('are wiped when a later line, or a later character, is refused', (t) => {
    const cut = `k3 ${keys.C.slice(0, 42)}!= 2026-11-22T10:00:00Z`;
    const text = Buffer.from(`${lineOf('k1', keyOf('A'))}${lineOf('k2', keyOf('B'))}${cut}`);
    const wiped = new Set();
    const typedArray = Object.getPrototypeOf(Uint8Array.prototype);
    const { fill } = typedArray;
    t.mock.method(typedArray, 'fill', function (...values) {
      if (this.length === 32 && this.some((byte) => byte !== 0)) wiped.add(this);
      return Reflect.apply(fill, this, values);
    });
    assert.throws(() => readKeyLines(text, FILE), { ...KEY_FILE, message: /^line 3 .* a key / });
    t.mock.restoreAll();
    assert.equal(wiped.size, 3);
    for (const key of wiped) assert.ok(key.every((byte) => byte === 0));
  });

  it('are not made into strings on the way', (t) => {
    const file = freshPath();
    const swapped = writeKeys(`${keys.A} k1 2026-11-22T10:00:00Z\nk1 k2 ${keys.B}`);
    const made = [];
    for (const name of ['toString', 'latin1Slice', 'asciiSlice', 'utf8Slice', 'base64Slice', 'hexSlice']) {
      const original = Buffer.prototype[name];
      t.mock.method(Buffer.prototype, name, function (...range) {
        made.push(Reflect.apply(original, this, range));
        return made.at(-1);
      });
    }
    createKeyring(file);
    rotateKeyring(file);
    loadKeyring(file);
    assert.throws(() => loadKeyring(swapped), KEY_FILE);
    assert.throws(() => rotateKeyring(swapped), KEY_FILE);
    t.mock.restoreAll();
    assert.ok(made.length > 5, 'ids and times are read');
    for (const text of made) assert.ok(text.length <= 32, 'and nothing as long as a key');
  });

  it('never become strings that stay', async () => {
    const file = freshPath();
    const snapshot = freshPath();
    const run = (more) =>
      runNode(
        `const { createKeyring, loadKeyring, rotateKeyring } = require(holdfast);
        const [file, snapshot] = ${JSON.stringify([file, snapshot])};
        globalThis.rings = [${more}];
        require('node:v8').writeHeapSnapshot(snapshot);`,
        { flags: ['--max-old-space-size=512'] },
      );
    const strings = () => {
      const taken = fs.readFileSync(snapshot, 'latin1');
      fs.rmSync(snapshot);
      const keys = contents(file).map(({ key }) => key.toString('base64'));
      // Without ends, of which a slice could be cut; the snapshot writes a slash as it is.
      return keys.map((key) => taken.includes(key.slice(4, 36)));
    };
    const first = await run('createKeyring(file), rotateKeyring(file), loadKeyring(file)');
    assert.deepEqual({ code: first.code, stderr: first.stderr }, { code: 0, stderr: '' });
    assert.deepEqual(strings(), [false, false]);
    // The same search finds what is there.
    await run("require('node:fs').readFileSync(file, 'latin1')");
    assert.deepEqual(strings(), [true, true]);
  });
});
