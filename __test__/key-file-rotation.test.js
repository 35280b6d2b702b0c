'use strict';

/**
 * rotateKeyring: the old keys stay, the new one comes first, and whatever fails, is killed or runs at the same time, the
 * file holds the old keys or all of them, and nothing is left beside it but, after a kill, the lock.
 */

const assert = require('node:assert/strict');
const { randomBytes } = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');
const { describe, it } = require('node:test');
const { createKeyring, loadKeyring, rotateKeyring } = require('..');
const { assertRing, contents, freshPath, lineOf, writeKeys } = require('./support/key-files.js');
const { runNode } = require('./support/child.js');

const WINDOWS = process.platform === 'win32' ? 'Windows has no such modes, owners and signals' : false;
const KEY_FILE = { name: 'HoldfastError', code: 'ERR_KEY_FILE' };
const LOCKED = {
  ...KEY_FILE,
  message: /locked: another rotation .* \.lock added; wait, and remove it when no rotation/,
};
const [A, B] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)];

const beside = (file) => fs.readdirSync(path.dirname(file)).filter((name) => name !== path.basename(file));

describe('rotateKeyring', () => {
  it('adds a new primary key, and keeps the old ones', () => {
    const file = freshPath();
    const messages = [createKeyring(file).seal('0')];
    for (let round = 1; round <= 5; round++) {
      const ring = rotateKeyring(file);
      messages.push(ring.seal(String(round)));
      const keys = contents(file);
      assert.equal(keys.length, round + 1);
      for (const made of [ring, loadKeyring(file)]) {
        assertRing(
          made,
          keys.map(({ id }) => id),
          keys.map(({ key }) => key),
        );
        messages.forEach((message, at) => assert.equal(made.open(message).toString(), String(at)));
      }
      assert.deepEqual(beside(file), []);
    }
    const keys = contents(file);
    assert.equal(new Set(keys.map(({ key }) => key.toString('hex'))).size, 6);
    assert.equal(new Set(keys.map(({ id }) => id)).size, 6);
  });

  for (const [what, text] of [
    ['comments', `# the shop's keys\n\n${lineOf('k1', A)}# until March\n${lineOf('k0', B)}`],
    ['no last end', lineOf('k1', A).trimEnd()],
    ['CRLF', `${lineOf('k1', A)}${lineOf('k0', B)}`.replaceAll('\n', '\r\n')],
  ]) {
    it(`changes nothing else in the file: ${what}`, () => {
      const file = writeKeys(text);
      rotateKeyring(file, { id: 'new' });
      const rotated = fs.readFileSync(file, 'utf8');
      assert.match(rotated, /^new [A-Za-z0-9+/]{43}= \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\n/);
      assert.equal(rotated.slice(rotated.indexOf('\n') + 1), text);
      const marked = writeKeys(`\ufeff${text}`);
      rotateKeyring(marked, { id: 'new' });
      const [first, second] = fs.readFileSync(marked, 'utf8').split('\n', 2);
      assert.match(first, /^\ufeffnew /);
      assert.equal(second, text.split('\n')[0]);
      loadKeyring(marked);
    });
  }

  it('refuses an id that is there, and one that is none, before it changes anything', () => {
    const text = lineOf('k1', A) + lineOf('__proto__', B);
    const file = writeKeys(text);
    for (const id of ['k1', '__proto__', 'a b', '', 'x'.repeat(33)]) {
      assert.throws(() => rotateKeyring(file, { id }), { name: 'TypeError', code: 'ERR_INVALID_ARG_VALUE' });
    }
    assert.throws(() => rotateKeyring(file, { id: 1 }), { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' });
    assert.equal(fs.readFileSync(file, 'utf8'), text);
    assert.deepEqual(beside(file), []);
    rotateKeyring(file, { id: 'constructor' });
  });

  it('refuses what loadKeyring refuses, and leaves it as it is', { skip: WINDOWS }, () => {
    for (const [text, mode] of [
      ['', 0o600],
      ['x\n', 0o600],
      [lineOf('k1', A), 0o640],
      [lineOf('k1', A).slice(0, -5), 0o600],
    ]) {
      const file = writeKeys(text);
      fs.chmodSync(file, mode);
      assert.throws(() => rotateKeyring(file), KEY_FILE);
      assert.equal(fs.readFileSync(file, 'utf8'), text);
      assert.deepEqual(beside(file), []);
    }
    const missing = freshPath();
    assert.throws(() => rotateKeyring(missing), { code: 'ENOENT' });
    assert.throws(() => rotateKeyring(path.dirname(missing)), {
      ...KEY_FILE,
      message: /no regular file|not a regular/,
    });
    assert.deepEqual(fs.readdirSync(path.dirname(missing)), []);
  });

  it('makes no file that loadKeyring would refuse', () => {
    const lines = Array.from({ length: 999 }, (_, at) => lineOf(`k${at}`, randomBytes(32))).join('');
    const file = writeKeys(lines);
    rotateKeyring(file);
    const thousand = fs.readFileSync(file);
    assert.throws(() => rotateKeyring(file), { ...KEY_FILE, message: /may hold 1000 keys at most: remove/ });
    assert.deepEqual(fs.readFileSync(file), thousand);
    loadKeyring(file);

    const added = 'new '.length + 44 + ' 2026-11-22T10:00:00Z\n'.length;
    const large = writeKeys(lineOf('k1', A).padEnd(1024 * 1024 - added, '#'));
    rotateKeyring(large, { id: 'new' });
    assert.equal(fs.statSync(large).size, 1024 * 1024);
    loadKeyring(large);
    assert.throws(() => rotateKeyring(large), { ...KEY_FILE, message: /may hold 1048576 bytes at most/ });
    for (const each of [file, large]) assert.deepEqual(beside(each), []);
  });

  it("keeps the file's mode", { skip: WINDOWS }, () => {
    for (const mode of [0o400, 0o600, 0o700]) {
      const file = writeKeys(lineOf('k1', A));
      fs.chmodSync(file, mode);
      const umask = process.umask(0o777);
      try {
        rotateKeyring(file);
      } finally {
        process.umask(umask);
      }
      assert.equal(fs.statSync(file).mode & 0o7777, mode);
    }
  });

  const notRoot = process.getuid?.() === 0 ? false : 'only root can give a file to somebody else';
  it("keeps the file's owner when root rotates", { skip: notRoot }, () => {
    const file = writeKeys(lineOf('k1', A));
    fs.chownSync(file, 12_345, 23_456);
    rotateKeyring(file);
    const { uid, gid, mode } = fs.statSync(file);
    assert.deepEqual([uid, gid, mode & 0o777], [12_345, 23_456, 0o600]);
  });

  it('rotates the file that links lead to, under one lock', { skip: WINDOWS }, () => {
    const file = writeKeys(lineOf('k1', A));
    const link = freshPath('link');
    fs.symlinkSync(file, link);
    rotateKeyring(link);
    assert.ok(fs.lstatSync(link).isSymbolicLink());
    assert.equal(contents(file).length, 2);
    fs.writeFileSync(`${file}.lock`, '');
    assert.throws(() => rotateKeyring(link), LOCKED);
    assert.deepEqual(beside(link), []);
  });

  it('is never seen half done: the new file takes the place of the old one', () => {
    const file = writeKeys(lineOf('k1', A));
    const reader = fs.openSync(file);
    rotateKeyring(file);
    assert.equal(fs.readFileSync(reader, 'utf8'), lineOf('k1', A), 'who has the old file open reads all of it');
    fs.closeSync(reader);
  });

  it('is on the disk before it is in its place, and then its name', { skip: WINDOWS }, (t) => {
    const file = writeKeys(lineOf('k1', A));
    const steps = [];
    for (const name of ['writeSync', 'fsyncSync', 'renameSync']) {
      const original = fs[name];
      t.mock.method(fs, name, (first, ...rest) => {
        const folder = typeof first === 'number' && fs.fstatSync(first).isDirectory();
        steps.push(folder ? `${name} folder` : name);
        return original(first, ...rest);
      });
    }
    rotateKeyring(file);
    assert.deepEqual(steps, ['writeSync', 'fsyncSync', 'renameSync', 'fsyncSync folder']);
  });

  it('writes in as many pieces as it takes', (t) => {
    const file = writeKeys(lineOf('k1', A));
    const original = fs.writeSync;
    t.mock.method(fs, 'writeSync', (fd, bytes, from, length) => original(fd, bytes, from, Math.min(length, 7)));
    rotateKeyring(file);
    t.mock.restoreAll();
    assert.equal(contents(file).length, 2);
    loadKeyring(file);
  });
});

describe('a rotation that fails', () => {
  for (const name of ['fstatSync', 'readSync', 'fchmodSync', 'writeSync', 'fsyncSync', 'closeSync', 'renameSync']) {
    for (const nth of [1, 2]) {
      it(`at call ${nth} of ${name} leaves the old file and nothing else, or the whole new one`, (t) => {
        const file = writeKeys(lineOf('k1', A));
        const mine = Object.assign(new Error('no space'), { code: 'ENOSPC' });
        const original = fs[name];
        let calls = 0;
        t.mock.method(fs, name, (...args) => {
          calls += 1;
          if (calls !== nth) return original(...args);
          if (name === 'closeSync') original(...args);
          throw mine;
        });
        let thrown;
        try {
          rotateKeyring(file);
        } catch (error) {
          thrown = error;
        }
        t.mock.restoreAll();
        // The second sync is that of the folder, when the file is in its place.
        const isDone = calls < nth || (name === 'fsyncSync' && nth === 2);
        assert.equal(thrown, isDone ? undefined : mine);
        assert.equal(contents(file).length, isDone ? 2 : 1);
        assert.deepEqual(beside(file), []);
        loadKeyring(file);
        rotateKeyring(file);
      });
    }
  }

  it('where no file may be made passes on what the file system says', { skip: WINDOWS }, (t) => {
    const file = writeKeys(lineOf('k1', A));
    const denied = Object.assign(new Error('denied'), { code: 'EACCES', syscall: 'open' });
    t.mock.method(fs, 'openSync', () => {
      throw denied;
    });
    assert.throws(() => rotateKeyring(file), denied);
  });

  it('finds a lock: says so, and does not touch it', () => {
    const file = writeKeys(lineOf('k1', A));
    fs.writeFileSync(`${file}.lock`, 'of somebody else');
    assert.throws(() => rotateKeyring(file), LOCKED);
    assert.throws(
      () => rotateKeyring(file),
      (error) => !error.message.includes(path.basename(file)),
    );
    assert.equal(fs.readFileSync(`${file}.lock`, 'utf8'), 'of somebody else');
    assert.equal(fs.readFileSync(file, 'utf8'), lineOf('k1', A));
    loadKeyring(file);
    fs.rmSync(`${file}.lock`);
    rotateKeyring(file);
  });

  for (const [name, after] of [
    ['openSync', true],
    ['readSync', false],
    ['writeSync', false],
    ['writeSync', true],
    ['fsyncSync', true],
    ['renameSync', false],
    ['renameSync', true],
  ]) {
    it(
      `by SIGKILL ${after ? 'after' : 'before'} ${name} leaves whole keys, and a lock that is told of`,
      { skip: WINDOWS },
      async () => {
        const file = writeKeys(lineOf('k1', A));
        const { signal } = await runNode(`
        const fs = require('node:fs');
        const { rotateKeyring } = require(holdfast);
        const original = fs.${name};
        fs.${name} = (...args) => {
          const result = ${after} ? original(...args) : undefined;
          process.kill(process.pid, 'SIGKILL');
          return result;
        };
        rotateKeyring(${JSON.stringify(file)});`);
        assert.equal(signal, 'SIGKILL');
        const renamed = name === 'renameSync' && after;
        loadKeyring(file);
        assert.equal(contents(file).length, renamed ? 2 : 1);
        assert.deepEqual(beside(file), renamed ? [] : ['written.keys.lock']);
        if (!renamed) {
          assert.equal(fs.statSync(`${file}.lock`).mode & 0o777, 0o600);
          assert.throws(() => rotateKeyring(file), LOCKED);
          fs.rmSync(`${file}.lock`);
        }
        rotateKeyring(file);
        assert.equal(contents(file).length, renamed ? 3 : 2);
      },
    );
  }
});

describe('rotations at the same time', () => {
  const [PROCESSES, ROUNDS] = [4, 25];

  it('lose no key, and a reader sees whole files only', async (t) => {
    const file = freshPath();
    const first = createKeyring(file).seal('first');
    let [running, loads] = [true, 0];
    const rotators = Array.from({ length: PROCESSES }, () =>
      runNode(`
        const { loadKeyring, rotateKeyring } = require(holdfast);
        const file = ${JSON.stringify(file)};
        let [done, locked] = [0, 0];
        while (done < ${ROUNDS}) {
          try {
            const sealed = rotateKeyring(file).seal('mine');
            done += 1;
            if (loadKeyring(file).open(sealed).toString() !== 'mine') throw new Error('lost');
          } catch (error) {
            if (!/locked/.test(error.message)) throw error;
            locked += 1;
          }
        }
        console.log(locked);`),
    );
    const ended = Promise.all(rotators).finally(() => (running = false));
    while (running) {
      assert.equal(loadKeyring(file).open(first).toString(), 'first');
      loads += 1;
      await new Promise((resolve) => setImmediate(resolve));
    }
    const results = await ended;
    for (const { code, stderr } of results) assert.deepEqual({ code, stderr }, { code: 0, stderr: '' });
    const keys = contents(file);
    assert.equal(keys.length, 1 + PROCESSES * ROUNDS);
    assert.equal(new Set(keys.map(({ key }) => key.toString('hex'))).size, keys.length);
    assert.deepEqual(beside(file), []);
    const locked = results.reduce((sum, { stdout }) => sum + Number(stdout), 0);
    t.diagnostic(`${keys.length} keys, ${locked} times locked, ${loads} times read meanwhile`);
    assert.ok(locked > 0 && loads > 0, 'they did meet');
  });
});
