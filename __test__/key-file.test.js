'use strict';

/**
 * createKeyring and loadKeyring: what a key file or a variable may say and who may read it, that nothing is overwritten
 * and nothing left behind, and that no part of a key gets into an error. Rotation is in key-file-rotation.test.js, what
 * stays in memory in key-file-memory.test.js.
 */

const assert = require('node:assert/strict');
const { randomBytes } = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');
const { pathToFileURL } = require('node:url');
const { describe, it } = require('node:test');
const { Keyring, createKeyring, loadKeyring, rotateKeyring } = require('..');
const { FILE, keyLine, readKeyLines } = require('../lib/key-lines.js');
const { assertRing, contents, execute, freshPath, lineOf, writeKeys } = require('./support/key-files.js');
const { runNode } = require('./support/child.js');
const cases = require('./key-file.cases.json');

const WINDOWS = process.platform === 'win32' ? 'Windows has no such modes and files' : false;
const KEY_FILE = { name: 'HoldfastError', code: 'ERR_KEY_FILE' };
const MEBIBYTE = 1024 * 1024;

const keyOf = (letter) => Buffer.from(cases.keys[letter], 'base64');
const fill = (text) => text.replace(/<([ABC])>/g, (all, letter) => cases.keys[letter]);
/** Keys in the order in which a text names them. */
const keysIn = (text) => Array.from(text.matchAll(/^[^#\n]*<([ABC])>/gm), ([, letter]) => keyOf(letter));

/** The error, in which there is nothing of the text: no eight characters in a row of any key. */
function refused(call, secrets) {
  let thrown;
  assert.throws(call, (error) => ((thrown = error), true));
  const said = `${thrown.message}${thrown.stack}${JSON.stringify(thrown)}${Object.values(thrown).join()}`;
  for (const secret of secrets) {
    for (let at = 0; at + 8 <= secret.length; at++) assert.ok(!said.includes(secret.slice(at, at + 8)), said);
  }
  return thrown;
}
const SECRETS = Object.values(cases.keys).flatMap((key) => [key, Buffer.from(key, 'base64').toString('hex')]);

describe('createKeyring', () => {
  it('makes a file that loadKeyring reads', () => {
    const file = freshPath();
    const before = Date.now();
    const ring = createKeyring(file);
    const [{ id, key, created }, ...more] = contents(file);
    assert.equal(more.length, 0);
    assert.match(
      fs.readFileSync(file, 'latin1'),
      /^k[a-km-np-z2-9]{6} [A-Za-z0-9+/]{43}= \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\n$/,
    );
    assert.ok(Date.parse(created) > before - 1001 && Date.parse(created) <= Date.now());
    assertRing(ring, [id], [key]);
    assertRing(loadKeyring(file), [id], [key]);
    assert.deepEqual(fs.readdirSync(path.dirname(file)), [path.basename(file)]);
  });

  it('makes another key and another id every time', () => {
    const made = Array.from({ length: 50 }, () => {
      const file = freshPath();
      createKeyring(file);
      return contents(file)[0];
    });
    assert.equal(new Set(made.map(({ key }) => key.toString('hex'))).size, 50);
    assert.equal(new Set(made.map(({ id }) => id)).size, 50);
  });

  it('takes an id, and a file: URL', () => {
    const file = freshPath('a key#file ü.keys');
    createKeyring(pathToFileURL(file), { id: 'shop_2026-11' });
    const [{ id, key }] = contents(file);
    assert.equal(id, 'shop_2026-11');
    assertRing(loadKeyring(pathToFileURL(file)), [id], [key]);
    assertRing(loadKeyring(path.relative('', file)), [id], [key]);
    for (const wrong of ['', 'a b', 'a\n', 'é', 'x'.repeat(33), '#k']) {
      const untouched = freshPath();
      assert.throws(() => createKeyring(untouched, { id: wrong }), { code: 'ERR_INVALID_ARG_VALUE' });
      assert.ok(!fs.existsSync(untouched));
    }
  });

  it('gives the file mode 0600, under any umask', { skip: WINDOWS }, () => {
    for (const umask of [0, 0o002, 0o022, 0o077, 0o177, 0o277, 0o777]) {
      const file = freshPath();
      const before = process.umask(umask);
      try {
        createKeyring(file);
      } finally {
        process.umask(before);
      }
      assert.equal(fs.statSync(file).mode & 0o7777, 0o600, umask.toString(8));
    }
  });

  it('never gives it another mode on the way', { skip: WINDOWS }, (t) => {
    const modes = new Set();
    for (const name of ['fchmodSync', 'writeSync', 'fsyncSync', 'closeSync']) {
      const original = fs[name];
      t.mock.method(fs, name, (fd, ...rest) => {
        const stat = fs.fstatSync(fd);
        if (stat.isFile()) modes.add(stat.mode & 0o7777);
        return original(fd, ...rest);
      });
    }
    const before = process.umask(0);
    try {
      createKeyring(freshPath());
    } finally {
      process.umask(before);
    }
    assert.deepEqual([...modes], [0o600]);
  });

  it('never overwrites, and passes on the error of Node', { skip: WINDOWS }, () => {
    const file = freshPath();
    const folder = path.dirname(file);
    fs.writeFileSync(file, 'mine', { mode: 0o644 });
    fs.symlinkSync(path.join(folder, 'nowhere'), path.join(folder, 'dangling'));
    fs.symlinkSync(file, path.join(folder, 'link'));
    fs.mkdirSync(path.join(folder, 'folder'));
    for (const name of [path.basename(file), 'dangling', 'link', 'folder']) {
      const existing = path.join(folder, name);
      const error = refused(() => createKeyring(existing), []);
      assert.deepEqual([error.code, error.syscall, error.path], ['EEXIST', 'open', existing]);
    }
    assert.equal(fs.readFileSync(file, 'utf8'), 'mine');
    assert.equal(fs.statSync(file).mode & 0o777, 0o644);
    assert.ok(!fs.existsSync(path.join(folder, 'nowhere')));
    assert.throws(() => createKeyring(path.join(folder, 'missing', 'app.keys')), { code: 'ENOENT', syscall: 'open' });
  });

  it('is on the disk before it returns: the file, then the folder', { skip: WINDOWS }, (t) => {
    const steps = [];
    for (const name of ['writeSync', 'fsyncSync']) {
      const original = fs[name];
      t.mock.method(fs, name, (fd, ...rest) => {
        steps.push(`${name} ${fs.fstatSync(fd).isDirectory() ? 'folder' : 'file'}`);
        return original(fd, ...rest);
      });
    }
    createKeyring(freshPath());
    assert.deepEqual(steps, ['writeSync file', 'fsyncSync file', 'fsyncSync folder']);
  });

  for (const name of ['fchmodSync', 'fstatSync', 'writeSync', 'fsyncSync', 'closeSync']) {
    it(`leaves nothing behind when ${name} fails`, (t) => {
      const file = freshPath();
      const mine = Object.assign(new Error('no space'), { code: 'ENOSPC' });
      const original = fs[name];
      const failing = (fd, ...rest) => {
        if (name === 'closeSync') original(fd, ...rest);
        throw mine;
      };
      t.mock.method(fs, name, failing, { times: 1 });
      assert.throws(() => createKeyring(file), mine);
      assert.deepEqual(fs.readdirSync(path.dirname(file)), []);
    });
  }

  it('writes no key where the file system keeps no modes', { skip: WINDOWS }, (t) => {
    const file = freshPath();
    t.mock.method(fs, 'fchmodSync', (fd) => fs.chmodSync(file, 0o755));
    const writes = t.mock.method(fs, 'writeSync');
    assert.throws(() => createKeyring(file), KEY_FILE);
    assert.equal(writes.mock.callCount(), 0);
    assert.ok(!fs.existsSync(file));
  });
});

describe('loadKeyring', () => {
  for (const { what, text, ids } of cases.files) {
    it(`reads ${what}`, () => assertRing(loadKeyring(writeKeys(fill(text))), ids, keysIn(text)));
  }

  for (const { what, text, message } of cases.malformed) {
    it(`refuses ${what}`, () => {
      const error = refused(() => loadKeyring(writeKeys(fill(text))), [...SECRETS, ...secretsOf(fill(text))]);
      assert.deepEqual([error.name, error.code], [KEY_FILE.name, KEY_FILE.code]);
      assert.ok(error.message.startsWith(message), error.message);
      assert.match(error.message, /: expected |remove /);
    });
  }

  /** Whatever stands where a key should, and may be one with a slip in it. */
  function secretsOf(text) {
    return text.split(/\s+/).filter((field) => field.length > 30 && !/^REPLACE|^abcdef/.test(field));
  }

  it('refuses UTF-16', () => {
    const text = `k1 ${cases.keys.A} 2026-11-22T10:00:00Z\r\n`;
    for (const bytes of [Buffer.from(`\ufeff${text}`, 'utf16le'), Buffer.from(`\ufeff${text}`, 'utf16le').swap16()]) {
      assert.throws(() => loadKeyring(writeKeys(bytes)), { ...KEY_FILE, message: /UTF-16 text: save it as UTF-8$/ });
    }
    assert.throws(() => loadKeyring(writeKeys(Buffer.from(text, 'utf16le'))), { ...KEY_FILE, message: /^line 1 / });
  });

  it('cut off anywhere, has whole keys or none', () => {
    const created = '2026-11-22T10:00:00Z';
    const [first, second] = [`k22 ${cases.keys.A} ${created}`, `k1 ${cases.keys.B} ${created}`];
    for (const end of ['\n', '\r\n']) {
      const text = first + end + second + end;
      const outcomes = { none: 0, one: 0, both: 0 };
      for (let cut = 0; cut <= text.length; cut++) {
        const load = () => loadKeyring(writeKeys(text.slice(0, cut)));
        const afterFirst = cut - first.length;
        const afterSecond = cut - first.length - end.length - second.length;
        if (afterSecond >= 0) {
          assertRing(load(), ['k22', 'k1'], [keyOf('A'), keyOf('B')]);
          outcomes.both += 1;
        } else if (afterFirst >= 0 && afterFirst <= end.length) {
          assertRing(load(), ['k22'], [keyOf('A')]);
          outcomes.one += 1;
        } else {
          refused(load, SECRETS);
          assert.throws(load, KEY_FILE, `cut at ${cut}`);
          outcomes.none += 1;
        }
      }
      assert.deepEqual([outcomes.one, outcomes.both], [end.length + 1, end.length + 1]);
      assert.equal(outcomes.none, text.length - 2 * end.length - 1);
    }
  });

  it('with any byte changed, has the same keys, another id or none, and never another length of key', () => {
    const text = Buffer.from(`k1 ${cases.keys.A} 2026-11-22T10:00:00Z\n`);
    let refusals = 0;
    for (let at = 0; at < text.length; at++) {
      for (const byte of [0, 0x0a, 0x0d, 0x20, 0x23, 0x2c, 0x3d, 0x41, 0x7f, 0xc3, 0xff]) {
        const damaged = Buffer.from(text);
        damaged[at] = byte;
        try {
          for (const { key } of readKeyLines(damaged, FILE)) assert.equal(key.length, 32);
        } catch (error) {
          assert.equal(error.code, 'ERR_KEY_FILE');
          refusals += 1;
        }
      }
    }
    assert.ok(refusals > text.length * 9);
  });

  for (const [what, size] of [
    ['1000 keys', 1000],
    ['the longest ids', 999],
  ]) {
    it(`reads ${what}, and no more`, () => {
      const keys = Array.from({ length: 1001 }, () => randomBytes(32));
      const ids = keys.map((key, at) => String(at).padStart(what === '1000 keys' ? 1 : 32, '0'));
      const lines = ids.map((id, at) => lineOf(id, keys[at]));
      assertRing(loadKeyring(writeKeys(lines.slice(0, size).join(''))), ids.slice(0, size), keys);
      assert.throws(() => loadKeyring(writeKeys(lines.join(''))), { ...KEY_FILE, message: /more than 1000 keys/ });
    });
  }

  it('reads 1 MiB, and no more', () => {
    const line = lineOf('k1', keyOf('A'));
    const file = writeKeys(line + '#'.repeat(MEBIBYTE - line.length));
    assertRing(loadKeyring(file), ['k1'], [keyOf('A')]);
    fs.appendFileSync(file, '#');
    assert.throws(() => loadKeyring(file), { ...KEY_FILE, message: /^the key file is larger than 1048576 bytes: / });
    fs.truncateSync(file, 2 ** 40); // It takes no space, and would take the memory.
    assert.throws(() => loadKeyring(file), { ...KEY_FILE, message: /larger than/ });
  });

  it('refuses every mode that gives rights to others, and no other', { skip: WINDOWS }, () => {
    const file = writeKeys(lineOf('k1', keyOf('A')));
    for (const owner of [0o400, 0o600, 0o700]) {
      for (let others = 0; others <= 0o77; others++) {
        fs.chmodSync(file, owner | others);
        if (others === 0) assertRing(loadKeyring(file), ['k1'], [keyOf('A')]);
        else
          assert.throws(() => loadKeyring(file), { ...KEY_FILE, message: /run chmod 600 on it/ }, others.toString(8));
      }
    }
  });

  it('looks at the mode of what it opened, not of what the path names', { skip: WINDOWS }, (t) => {
    const [mine, other] = [writeKeys(lineOf('mine', keyOf('A'))), writeKeys(lineOf('other', keyOf('B')))];
    fs.chmodSync(other, 0o644);
    const link = freshPath('link');
    let swapTo;
    const swap = (target) => {
      if (swapTo !== undefined) fs.unlinkSync(link);
      fs.symlinkSync(target, link);
      swapTo = target;
    };
    for (const name of ['statSync', 'lstatSync', 'accessSync', 'existsSync']) {
      t.mock.method(fs, name, () => assert.fail(`${name} looks at a path`));
    }
    const fstat = fs.fstatSync;
    t.mock.method(fs, 'fstatSync', (fd) => {
      swap(swapTo === mine ? other : mine);
      return fstat(fd);
    });
    swap(other);
    assert.throws(() => loadKeyring(link), { ...KEY_FILE, message: /chmod/ });
    assert.equal(fs.readlinkSync(link), mine);
    assertRing(loadKeyring(link), ['mine'], [keyOf('A')]);
  });

  it('does not read on Windows what it would not understand there', async () => {
    const file = writeKeys(lineOf('k1', keyOf('A')));
    fs.chmodSync(file, 0o644);
    const { code, stderr } = await runNode(`
      const { loadKeyring } = require(holdfast);
      Object.defineProperty(process, 'platform', { value: 'win32' });
      loadKeyring(${JSON.stringify(file)});`);
    assert.deepEqual({ code, stderr }, { code: 0, stderr: '' });
  });

  it('follows links, as Kubernetes lays them', { skip: WINDOWS }, () => {
    const file = writeKeys(lineOf('k1', keyOf('A')));
    const folder = path.dirname(file);
    fs.symlinkSync(folder, path.join(folder, '..data'));
    fs.symlinkSync(path.join('..data', path.basename(file)), path.join(folder, 'app.keys'));
    assertRing(loadKeyring(path.join(folder, 'app.keys')), ['k1'], [keyOf('A')]);
    fs.chmodSync(file, 0o640);
    assert.throws(() => loadKeyring(path.join(folder, 'app.keys')), KEY_FILE, 'the mode of what the link leads to');
  });

  it('refuses what is no regular file, without waiting', { skip: WINDOWS }, async () => {
    const folder = path.dirname(freshPath());
    const fifo = path.join(folder, 'fifo');
    execute('mkfifo', '-m', '600', fifo);
    fs.symlinkSync(fifo, path.join(folder, 'link'));
    for (const special of [folder, fifo, path.join(folder, 'link'), '/dev/null', '/dev/zero']) {
      const { code, signal, stdout, stderr } = await runNode(
        `try { require(holdfast).loadKeyring(${JSON.stringify(special)}) } catch (error) { console.log(error.code, error.message) }`,
        { timeout: 20_000 },
      );
      assert.deepEqual({ code, signal, stderr }, { code: 0, signal: null, stderr: '' }, special);
      assert.match(
        stdout,
        /^ERR_KEY_FILE the key file is not a regular file: give the path of one, or a link to one\n$/,
      );
    }
  });

  it('passes on what the file system says', () => {
    assert.throws(() => loadKeyring(freshPath()), { code: 'ENOENT', syscall: 'open' });
    assert.throws(() => rotateKeyring(freshPath()), { code: 'ENOENT' });
    assert.throws(() => loadKeyring(path.join(writeKeys('x'), 'x')), { code: /^(?:ENOTDIR|ENOENT)$/ });
  });

  it('closes what it opened, whatever comes of it', { skip: WINDOWS }, () => {
    const good = writeKeys(lineOf('k1', keyOf('A')));
    const attempts = [
      () => loadKeyring(good),
      () => loadKeyring(writeKeys('x')),
      () => loadKeyring(path.dirname(good)),
      () => createKeyring(freshPath()),
      () => createKeyring(good),
      () => rotateKeyring(writeKeys(lineOf('k1', keyOf('A')))),
      () => rotateKeyring(writeKeys('x')),
    ];
    const next = () => {
      const fd = fs.openSync(good);
      fs.closeSync(fd);
      return fd;
    };
    const before = next();
    for (const attempt of [...attempts, ...attempts]) {
      try {
        attempt();
      } catch {
        // Some are refused.
      }
      assert.equal(next(), before, String(attempt));
    }
  });

  it('reads in as many pieces as it takes, and sees that the file changes meanwhile', (t) => {
    const file = writeKeys(lineOf('k1', keyOf('A')) + lineOf('k2', keyOf('B')));
    const original = fs.readSync;
    let between = () => {};
    t.mock.method(fs, 'readSync', (fd, bytes, offset, length, position) => {
      const read = original(fd, bytes, offset, Math.min(length, 7), position);
      between();
      return read;
    });
    assertRing(loadKeyring(file), ['k1', 'k2'], [keyOf('A'), keyOf('B')]);
    between = () => fs.appendFileSync(file, '#');
    assert.throws(() => loadKeyring(file), { ...KEY_FILE, message: /changed while it was read: try again/ });
    between = () => fs.truncateSync(file, 20);
    assert.throws(() => loadKeyring(file), { ...KEY_FILE, message: /changed while it was read: try again/ });
  });

  it('does not take keys for a path, nor repeat them', () => {
    const text = fs.readFileSync(writeKeys(lineOf('k1', keyOf('A'))), 'utf8');
    for (const keys of [text, text.trim(), `# mine\n${text}`, text.split(' ').slice(0, 2).join(' '), `k0 x,${text}`]) {
      for (const call of [loadKeyring, createKeyring, rotateKeyring]) {
        assert.throws(
          () => call(keys),
          (error) => error.code === 'ERR_INVALID_ARG_VALUE' && !error.message.includes(keyOf('A').slice(0, 20)),
        );
      }
    }
  });

  it('takes a path, a file: URL or { env }, and nothing else', () => {
    const file = writeKeys(lineOf('k1', keyOf('A')));
    for (const source of [
      undefined,
      null,
      1,
      true,
      Symbol('x'),
      () => file,
      Buffer.from(file),
      [file],
      {},
      { env: 1 },
    ]) {
      const error = refused(() => loadKeyring(source), []);
      assert.deepEqual([error.name, error.code], ['TypeError', 'ERR_INVALID_ARG_TYPE'], String(error));
    }
    const http = new URL('https://example.com/app.keys');
    const wrong = ['', `${file}\0`, http, new URL('file:///%00'), new URL('file:///a%2fb'), { env: 'A', path: file }];
    for (const source of wrong) {
      const error = refused(() => loadKeyring(source), ['example.com', file]);
      assert.deepEqual([error.name, error.code], ['TypeError', 'ERR_INVALID_ARG_VALUE'], String(error));
      if (source.env !== undefined) continue;
      for (const call of [createKeyring, rotateKeyring]) {
        assert.throws(() => call(source), { name: 'TypeError', code: 'ERR_INVALID_ARG_VALUE' });
      }
    }
    for (const call of [createKeyring, rotateKeyring]) {
      for (const source of [undefined, null, 1, Buffer.from(file), { env: 'A' }]) {
        assert.throws(() => call(source), { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' });
      }
    }
  });
});

describe('loadKeyring from the environment', () => {
  const NAME = 'HOLDFAST_KEYS_UNDER_TEST';
  const load = (value) => {
    process.env[NAME] = value;
    try {
      return loadKeyring({ env: NAME });
    } finally {
      delete process.env[NAME];
    }
  };

  for (const { text, ids, message } of cases.variables) {
    it(`${ids === undefined ? 'refuses' : 'reads'} ${JSON.stringify(text)}`, () => {
      if (ids !== undefined) {
        const named = text.replace(/#[^,;\n]*/g, '');
        return assertRing(
          load(fill(text)),
          ids,
          Array.from(named.matchAll(/<(.)>/g), ([, letter]) => keyOf(letter)),
        );
      }
      const error = refused(() => load(fill(text)), SECRETS);
      assert.deepEqual([error.name, error.code], [KEY_FILE.name, KEY_FILE.code]);
      assert.ok(error.message.startsWith(message), error.message);
    });
  }

  it('reads what createKeyring writes', () => {
    const file = freshPath();
    const sealed = createKeyring(file).seal('note');
    assert.equal(load(fs.readFileSync(file, 'utf8')).open(sealed).toString(), 'note');
  });

  it('cut off anywhere, has whole keys or none', () => {
    const text = `k2 ${cases.keys.A},k1 ${cases.keys.B}`;
    const whole = text.indexOf(',');
    for (let cut = 0; cut < text.length; cut++) {
      if (cut === whole || cut === whole + 1) assertRing(load(text.slice(0, cut)), ['k2'], [keyOf('A')]);
      else assert.throws(() => load(text.slice(0, cut)), KEY_FILE, `cut at ${cut}`);
    }
  });

  it('takes the name of a variable that is set, and no other property of process.env', (t) => {
    assert.throws(() => loadKeyring({ env: NAME }), { ...KEY_FILE, message: /is not set/ });
    for (const env of ['toString', 'constructor', '__proto__']) assert.throws(() => loadKeyring({ env }), KEY_FILE);
    Object.prototype[NAME] = `k1 ${cases.keys.A}`;
    t.after(() => delete Object.prototype[NAME]);
    assert.throws(() => loadKeyring({ env: NAME }), { ...KEY_FILE, message: /is not set/ });
    // The value in place of the name, as people write it.
    for (const env of ['', 'A=B', 'A B', 'É', `k1 ${cases.keys.A}`, cases.keys.A, '1A', 'A\0', 'x'.repeat(257)]) {
      const error = refused(() => loadKeyring({ env }), SECRETS);
      assert.deepEqual([error.name, error.code], ['TypeError', 'ERR_INVALID_ARG_VALUE']);
    }
  });

  it('reads 1 MiB, and no more', () => {
    const text = `k1 ${cases.keys.A},#`;
    assertRing(load(text.padEnd(MEBIBYTE, '#')), ['k1'], [keyOf('A')]);
    assert.throws(() => load(text.padEnd(MEBIBYTE + 1, '#')), { ...KEY_FILE, message: /variable is larger than/ });
  });
});

describe('the text of a key', () => {
  it("is written and read as Node's base64", () => {
    for (let round = 0; round < 300; round++) {
      const key = round === 0 ? Buffer.alloc(32) : round === 1 ? Buffer.alloc(32, 255) : randomBytes(32);
      const line = keyLine({ id: 'k1', key }, new Date(0));
      assert.equal(line.toString('latin1'), `k1 ${key.toString('base64')} 1970-01-01T00:00:00Z\n`);
      assert.deepEqual(
        readKeyLines(line, FILE).map((named) => Buffer.from(named.key)),
        [key],
      );
    }
  });

  it('is read in one spelling alone', () => {
    const text = lineOf('k1', keyOf('C'));
    const [start, end] = [3, 3 + 44];
    let taken = 0;
    for (let at = start; at < end; at++) {
      for (let byte = 0; byte < 256; byte++) {
        const changed = Buffer.from(text, 'latin1');
        changed[at] = byte;
        const field = changed.toString('latin1', start, end);
        const expected = Buffer.from(field, 'base64');
        const canonical = expected.length === 32 && expected.toString('base64') === field;
        if (canonical) {
          assert.deepEqual(Buffer.from(readKeyLines(changed, FILE)[0].key), expected);
          taken += 1;
        } else assert.throws(() => readKeyLines(changed, FILE), KEY_FILE, `${byte} at ${at}`);
      }
    }
    assert.equal(taken, 42 * 64 + 16 + 1);
  });
});
