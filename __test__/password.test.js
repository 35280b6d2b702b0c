'use strict';

/** PasswordHasher: hashes that others understand, the edges of passwords, the queue, and the life of its threads. */

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { PasswordHasher } = require('..');
const { runNode } = require('./support/child.js');
const cases = require('./password.cases.json');

const SMALL = { argon2: { memoryKiB: 8, passes: 1 } };
const BCRYPT = { algorithm: 'bcrypt', bcrypt: { cost: 4 } };
/** Takes long enough that the next statement runs before it is done. */
const SLOW = { argon2: { memoryKiB: 32_768, passes: 3 }, threads: 1 };

/** A hasher that is closed when the test ends. */
function hasherOf(t, options) {
  const hasher = new PasswordHasher(options);
  t.after(() => hasher.close());
  return hasher;
}

const passwordOf = ({ password, repeat = 1, bytes }) =>
  bytes === undefined ? password.repeat(repeat) : Buffer.from(bytes, 'hex');

describe('hashes', () => {
  it('of argon2id are PHC strings with the parameters asked for', async (t) => {
    const argon2 = { memoryKiB: 64, passes: 3, lanes: 2, tagLength: 24, saltLength: 12 };
    const hash = await hasherOf(t, { argon2 }).hash('correct horse');
    assert.match(hash, /^\$argon2id\$v=19\$m=64,t=3,p=2\$[A-Za-z0-9+/]{16}\$[A-Za-z0-9+/]{32}$/);
    assert.match(
      await hasherOf(t).hash('correct horse'),
      /^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/,
    );
  });

  it('of bcrypt are $2b$ strings with the cost asked for', async (t) => {
    assert.match(await hasherOf(t, BCRYPT).hash('correct horse'), /^\$2b\$04\$[./A-Za-z0-9]{53}$/);
    assert.match(await hasherOf(t, { ...BCRYPT, bcrypt: { cost: 5 } }).hash(''), /^\$2b\$05\$/);
  });

  it('have a salt of their own each', async (t) => {
    for (const options of [SMALL, BCRYPT]) {
      const hasher = hasherOf(t, options);
      const hashes = await Promise.all(Array.from({ length: 100 }, () => hasher.hash('same')));
      assert.equal(new Set(hashes.map((hash) => hash.split('$').at(-2) + hash.slice(7, 29))).size, 100);
      assert.equal(new Set(hashes).size, 100);
    }
  });

  for (const [name, options] of Object.entries({ argon2id: SMALL, bcrypt: BCRYPT })) {
    it(`of ${name} verify the password and no other`, async (t) => {
      const hasher = hasherOf(t, options);
      const passwords = [
        '',
        ' ',
        'a',
        'A',
        'password',
        'passwor',
        'password ',
        'pässwörd 😀',
        'a\u0301',
        'á',
        'x'.repeat(72),
        'x'.repeat(71),
        '\ufeffa',
      ];
      for (const password of passwords) {
        const hash = await hasher.hash(password);
        const verdicts = await Promise.all(passwords.map((other) => hasher.verify(hash, other)));
        verdicts.forEach(({ valid, needsRehash }, at) => {
          assert.deepEqual(
            { valid, needsRehash },
            { valid: passwords[at] === password, needsRehash: false },
            `${password} and ${passwords[at]}`,
          );
        });
      }
    });

    it(`of ${name} are the same for text and its UTF-8, whatever holds the bytes`, async (t) => {
      const hasher = hasherOf(t, options);
      const text = 'pässwörd\u0000 😀';
      const bytes = new TextEncoder().encode(text);
      const shared = new Uint8Array(new SharedArrayBuffer(bytes.length + 5), 5);
      shared.set(bytes);
      const forms = [text, bytes, Buffer.from(text), Buffer.from(`xx${text}`).subarray(2), shared];
      for (const form of forms) {
        const hash = await hasher.hash(form);
        for (const other of forms) assert.equal((await hasher.verify(hash, other)).valid, true);
        assert.equal((await hasher.verify(hash, text.slice(0, 8))).valid, false, 'NUL does not end a password');
      }
      const notUtf8 = Buffer.from([0xff, 0x00, 0xc3]);
      assert.equal((await hasher.verify(await hasher.hash(notUtf8), notUtf8)).valid, true);
      assert.equal((await hasher.verify(await hasher.hash(notUtf8), '\ufffd\u0000\ufffd')).valid, false);
    });

    it(`of ${name} take the bytes as they were at the call`, async (t) => {
      const hasher = hasherOf(t, options);
      const bytes = Buffer.from('secret');
      const [hashing, wasBytes] = [hasher.hash(bytes), Buffer.from(bytes)];
      bytes.fill(0);
      assert.equal((await hasher.verify(await hashing, wasBytes)).valid, true);
      assert.ok(wasBytes.equals(Buffer.from('secret')), "the input is not wiped, it is the caller's");
    });
  }
});

describe('hashes made by others', () => {
  for (const [family, options] of [
    ['argon2', SMALL],
    ['bcrypt', BCRYPT],
  ]) {
    it(`verify: ${cases[family].length} of ${family}`, async (t) => {
      const hasher = hasherOf(t, options);
      for (const entry of cases[family]) {
        const password = passwordOf(entry);
        assert.equal((await hasher.verify(entry.stored, password)).valid, true, entry.stored);
        const wrong = Buffer.concat([Buffer.from(password), Buffer.from('!')]);
        assert.equal((await hasher.verify(entry.stored, wrong)).valid, false, entry.stored);
        if (password.length > 0) assert.equal((await hasher.verify(entry.stored, '')).valid, false, entry.stored);
      }
    });
  }

  it('do not verify with one character changed', async (t) => {
    const hasher = hasherOf(t, SMALL);
    const { stored, password } = cases.argon2.at(-3);
    for (let at = stored.lastIndexOf('$') + 1; at < stored.length - 1; at++) {
      const changed = stored.slice(0, at) + (stored[at] === 'A' ? 'B' : 'A') + stored.slice(at + 1);
      assert.equal((await hasher.verify(changed, password)).valid, false, changed);
    }
  });

  for (const stored of cases.malformed) {
    it(`are malformed: ${JSON.stringify(stored).slice(0, 60)}`, async (t) => {
      const hasher = hasherOf(t, SMALL);
      await assert.rejects(hasher.verify(stored, 'password'), {
        name: 'HoldfastError',
        code: 'ERR_HASH_MALFORMED',
      });
      assert.throws(() => hasher.needsRehash(stored), { name: 'HoldfastError', code: 'ERR_HASH_MALFORMED' });
      const { completed, arenaBytes } = hasher.stats();
      assert.deepEqual(
        { completed, arenaBytes },
        { completed: 1, arenaBytes: 8 * 1024 },
        'after the work of a real check',
      );
    });
  }

  for (const stored of cases.over) {
    it(`ask for too much: ${stored.slice(0, 40)}`, async (t) => {
      const hasher = hasherOf(t);
      await assert.rejects(hasher.verify(stored, 'password'), {
        name: 'HoldfastError',
        code: 'ERR_HASH_LIMIT',
      });
      assert.equal(hasher.needsRehash(stored), true);
      const { threads, completed, arenaBytes } = hasher.stats();
      assert.deepEqual(
        { threads, completed, arenaBytes },
        { threads: 0, completed: 0, arenaBytes: 0 },
        'before any memory is taken',
      );
    });
  }

  it('are held to the limits exactly', async (t) => {
    const limits = { memoryKiB: 64, passes: 2, lanes: 4, cost: 4 };
    const hasher = hasherOf(t, { argon2: { memoryKiB: 8, passes: 1 }, limits });
    const hash = (m, time, p) =>
      `$argon2id$v=19$m=${m},t=${time},p=${p}$c29tZXNhbHQ$4nDCgqqi/MYvPUrUq8ZfVUrFto43iXYW7ryycatUzoI`;
    assert.equal((await hasher.verify(hash(64, 2, 4), 'x')).valid, false);
    for (const [m, time, p] of [
      [65, 2, 4],
      [64, 3, 4],
      [64, 2, 5],
    ]) {
      await assert.rejects(hasher.verify(hash(m, time, p), 'x'), { code: 'ERR_HASH_LIMIT' });
    }
    assert.equal(
      (await hasher.verify('$2b$04$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW', 'x')).valid,
      false,
    );
    await assert.rejects(hasher.verify('$2b$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW', 'x'), {
      code: 'ERR_HASH_LIMIT',
    });
  });
});

describe('needsRehash', () => {
  const current = { memoryKiB: 64, passes: 2, lanes: 2, tagLength: 32, saltLength: 16 };

  it('is false for what the hasher makes, and true when any parameter differs', async (t) => {
    const hasher = hasherOf(t, { argon2: current });
    const own = await hasher.hash('pw');
    assert.equal(hasher.needsRehash(own), false);
    assert.deepEqual(await hasher.verify(own, 'pw'), { valid: true, needsRehash: false });
    for (const change of [
      { memoryKiB: 65 },
      { memoryKiB: 63 },
      { passes: 1 },
      { passes: 3 },
      { lanes: 1 },
      { tagLength: 31 },
      { saltLength: 17 },
    ]) {
      const hash = await hasherOf(t, { argon2: { ...current, ...change } }).hash('pw');
      assert.equal(hasher.needsRehash(hash), true, JSON.stringify(change));
      assert.deepEqual(await hasher.verify(hash, 'pw'), { valid: true, needsRehash: true });
      assert.deepEqual(await hasher.verify(hash, 'wrong'), { valid: false, needsRehash: false });
    }
  });

  it('looks at algorithm and version', async (t) => {
    const [argon2, bcrypt] = [
      hasherOf(t, { argon2: { memoryKiB: 64, passes: 2, saltLength: 8 } }),
      hasherOf(t, BCRYPT),
    ];
    for (const { stored } of cases.argon2.filter((entry) => entry.stored.includes('m=64,t=2,p=1$c29tZXNhbHQ$'))) {
      assert.equal(argon2.needsRehash(stored), !stored.startsWith('$argon2id$v=19$'), stored);
      assert.equal(bcrypt.needsRehash(stored), true);
    }
    for (const { stored } of cases.bcrypt) {
      assert.equal(bcrypt.needsRehash(stored), !stored.startsWith('$2b$'), stored);
      assert.equal(argon2.needsRehash(stored), true);
      assert.equal(hasherOf(t, { ...BCRYPT, bcrypt: { cost: 5 } }).needsRehash(stored), true);
    }
    for (const stored of [undefined, null, 1, {}, Buffer.from('x')]) {
      assert.throws(() => bcrypt.needsRehash(stored), { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' });
    }
  });
});

describe('passwords', () => {
  it('have at most 72 bytes for bcrypt, and are never truncated', async (t) => {
    const hasher = hasherOf(t, BCRYPT);
    for (const longest of ['x'.repeat(72), 'é'.repeat(36), '😀'.repeat(18), Buffer.alloc(72)]) {
      const hash = await hasher.hash(longest);
      assert.equal((await hasher.verify(hash, longest)).valid, true);
      const longer = Buffer.concat([Buffer.from(longest), Buffer.from('y')]);
      await assert.rejects(hasher.hash(longer), {
        name: 'HoldfastError',
        code: 'ERR_PASSWORD_TOO_LONG',
        status: 400,
        expose: true,
      });
      assert.deepEqual(
        await hasher.verify(hash, longer),
        { valid: false, needsRehash: false },
        'the first 72 bytes are right',
      );
    }
  });

  it('have at most 64 KiB', async (t) => {
    for (const options of [SMALL, BCRYPT]) {
      const hasher = hasherOf(t, options);
      const tooLong = { name: 'HoldfastError', code: 'ERR_PASSWORD_TOO_LONG', status: 400, expose: true };
      const stored = await hasher.hash('x');
      for (const longest of ['x'.repeat(65_536), '中'.repeat(21_845), Buffer.alloc(65_536)]) {
        assert.equal((await hasher.verify(stored, longest)).valid, false);
        if (options === SMALL) assert.equal((await hasher.verify(await hasher.hash(longest), longest)).valid, true);
      }
      for (const longer of ['x'.repeat(65_537), '中'.repeat(21_846), Buffer.alloc(65_537), 'x'.repeat(50_000_000)]) {
        await assert.rejects(hasher.hash(longer), tooLong);
        await assert.rejects(hasher.verify(stored, longer), tooLong);
        await assert.rejects(hasher.verify(null, longer), tooLong);
      }
    }
  });

  it('are well-formed text', async (t) => {
    const hasher = hasherOf(t, SMALL);
    const encoding = (error) =>
      error.code === 'ERR_PASSWORD_ENCODING' &&
      error.status === 400 &&
      error.expose &&
      !error.message.includes('secret');
    for (const password of ['\ud800', '\udc00', 'secret\ud83d', '\ude00\ud83d', `${'x'.repeat(1000)}\ud800y`]) {
      await assert.rejects(hasher.hash(password), encoding);
      await assert.rejects(hasher.verify(await hasher.hash('x'), password), encoding);
      await assert.rejects(hasher.verify(null, password), encoding);
    }
  });

  it('are text or bytes', async (t) => {
    const hasher = hasherOf(t, SMALL);
    for (const password of [
      undefined,
      null,
      1,
      1n,
      true,
      {},
      [],
      () => 1,
      Symbol('x'),
      new ArrayBuffer(8),
      new Uint16Array(4),
      Object.create(Uint8Array.prototype),
    ]) {
      await assert.rejects(hasher.hash(password), { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' });
      await assert.rejects(hasher.verify(null, password), { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' });
    }
    for (const stored of [1, true, {}, [], Buffer.from('x'), new String('x')]) {
      await assert.rejects(hasher.verify(stored, 'x'), { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' });
    }
    assert.equal(hasher.stats().completed, 0);
  });

  it('of users that do not exist cost the same work and are wrong', async (t) => {
    for (const [options, arenaBytes] of [
      [{ argon2: { memoryKiB: 512, passes: 1 } }, 512 * 1024],
      [BCRYPT, 0],
    ]) {
      const hasher = hasherOf(t, { ...options, threads: 1 });
      assert.deepEqual(await hasher.verify(null, 'x'), { valid: false, needsRehash: false });
      assert.deepEqual(await hasher.verify(undefined, 'x'), { valid: false, needsRehash: false });
      assert.deepEqual(await hasher.verify(undefined, ''), { valid: false, needsRehash: false });
      const stats = hasher.stats();
      assert.deepEqual([stats.completed, stats.arenaBytes], [3, arenaBytes]);
    }
  });
});

describe('the queue', () => {
  it('is bounded: what comes on top is refused, and told when to come back', async (t) => {
    for (const [threads, maxQueue] of [
      [1, 0],
      [1, 1],
      [2, 3],
    ]) {
      const hasher = hasherOf(t, { ...SLOW, threads, maxQueue });
      const jobs = await Promise.allSettled(
        Array.from({ length: threads + maxQueue + 4 }, (_, at) =>
          at % 2 === 0 ? hasher.hash('x') : hasher.verify(null, 'x'),
        ),
      );
      const refused = jobs.filter(({ status }) => status === 'rejected').map(({ reason }) => reason);
      assert.equal(refused.length, 4, `${threads} threads, ${maxQueue} may wait`);
      assert.deepEqual(
        jobs.slice(0, -4).map(({ status }) => status),
        Array(threads + maxQueue).fill('fulfilled'),
      );
      for (const error of refused) {
        const { name, code, status, expose, retryAfterMs } = error;
        assert.deepEqual(
          { name, code, status, expose },
          { name: 'HoldfastError', code: 'ERR_QUEUE_FULL', status: 503, expose: true },
        );
        assert.ok(Number.isInteger(retryAfterMs) && retryAfterMs >= 1);
      }
      const { completed, rejected, running, queued } = hasher.stats();
      assert.deepEqual(
        { completed, rejected, running, queued },
        { completed: threads + maxQueue, rejected: 4, running: 0, queued: 0 },
      );

      // Now a job has been measured. The whole of it must not be told to be over in a millisecond.
      const again = await Promise.allSettled(Array.from({ length: threads + maxQueue + 1 }, () => hasher.hash('x')));
      assert.ok(again.at(-1).reason.retryAfterMs > 1, 'from the measured time');
    }
  });

  it('is counted: every job is somewhere, once', async (t) => {
    const hasher = hasherOf(t, { argon2: { memoryKiB: 1024, passes: 1 }, threads: 2, maxQueue: 1000 });
    assert.deepEqual(hasher.stats(), { threads: 0, running: 0, queued: 0, completed: 0, rejected: 0, arenaBytes: 0 });
    let submitted = 0;
    const jobs = [];
    const check = () => {
      const { threads, running, queued, completed, rejected, arenaBytes } = hasher.stats();
      assert.equal(running + queued + completed, submitted);
      assert.ok(running <= threads && threads <= 2 && rejected === 0 && arenaBytes <= 2 * 1024 * 1024);
    };
    for (let round = 0; round < 30; round++) {
      for (let job = 0; job < 3; job++) {
        submitted++;
        jobs.push(hasher.hash('x').then(check));
        check();
      }
      await new Promise((resolve) => setImmediate(resolve));
      check();
    }
    await Promise.all(jobs);
    assert.deepEqual(hasher.stats(), {
      threads: 2,
      running: 0,
      queued: 0,
      completed: 90,
      rejected: 0,
      arenaBytes: 2 * 1024 * 1024,
    });
  });

  it('is first in, first out', async (t) => {
    const hasher = hasherOf(t, { ...SMALL, threads: 1 });
    const order = [];
    await Promise.all(Array.from({ length: 50 }, async (_, at) => order.push((await hasher.hash('x'), at))));
    assert.deepEqual(
      order,
      Array.from({ length: 50 }, (_, at) => at),
    );
  });

  it('does not start more threads than there is work', async (t) => {
    const hasher = hasherOf(t, { ...SMALL, threads: 16 });
    for (let round = 0; round < 5; round++) await hasher.hash('x');
    assert.ok(hasher.stats().threads <= 2, 'one job at a time');
  });

  it('gives large memory back', async (t) => {
    const hasher = hasherOf(t, { ...SMALL, threads: 1 });
    await hasher.verify(cases.argon2[1].stored, 'x');
    assert.equal(hasher.stats().arenaBytes, 256 * 1024);
    await hasher.hash('x');
    assert.equal(hasher.stats().arenaBytes, 8 * 1024);
  });
});

describe('close', () => {
  it('finishes what was accepted, takes no more, and ends the threads', async () => {
    const hasher = new PasswordHasher({ argon2: { memoryKiB: 1024, passes: 1 }, threads: 2 });
    const jobs = Array.from({ length: 20 }, (_, at) => hasher.hash(`password ${at}`));
    const closing = hasher.close();
    assert.equal(hasher.close(), closing);
    const closed = { name: 'HoldfastError', code: 'ERR_CLOSED' };
    const refused = [hasher.hash('x'), hasher.verify(null, 'x')].map((job) => assert.rejects(job, closed));
    let done = 0;
    const counted = jobs.map((job) => job.then(() => done++));
    assert.equal(await closing, undefined);
    assert.equal(done, 20, 'closed comes last');
    await Promise.all([...refused, ...counted]);
    assert.deepEqual(hasher.stats(), { threads: 0, running: 0, queued: 0, completed: 20, rejected: 0, arenaBytes: 0 });
    await assert.rejects(hasher.hash('x'), closed);
    assert.equal(hasher.close(), closing);
    assert.equal(hasher.needsRehash(await jobs[0]), false, 'it can still be asked');
  });

  it('of a hasher that was never used', async () => {
    const hasher = new PasswordHasher();
    await hasher.close();
    await assert.rejects(hasher.hash('x'), { code: 'ERR_CLOSED' });
  });
});

describe('the process', () => {
  it('ends by itself while a hasher is idle, and not while a job is under way', async () => {
    const { code, signal, stdout, stderr } = await runNode(`
      const { PasswordHasher } = require(holdfast);
      const unused = new PasswordHasher();
      const hasher = new PasswordHasher({ argon2: { memoryKiB: 32768, passes: 4 }, threads: 2 });
      Promise.all([1, 2, 3, 4].map((n) => hasher.hash('x'))).then(() => {
        console.log(hasher.stats().threads);
        hasher.verify(null, 'x').then(() => console.log('last'));
      });`);
    assert.deepEqual({ code, signal, stdout, stderr }, { code: 0, signal: null, stdout: '2\nlast\n', stderr: '' });
  });

  it('can be ended while jobs are under way and waiting', async () => {
    const { code, stdout, stderr } = await runNode(`
      const { PasswordHasher } = require(holdfast);
      const hasher = new PasswordHasher({ threads: 2 });
      for (let job = 0; job < 100; job++) hasher.hash('x').then(() => { if (job === 5) { console.log('out'); process.exit(7); } });`);
    assert.deepEqual({ code, stdout, stderr }, { code: 7, stdout: 'out\n', stderr: '' });
  });

  it('reads files while 50 hashes run, on a libuv pool of one thread', async () => {
    const { code, stdout, stderr } = await runNode(
      `
      const { PasswordHasher } = require(holdfast);
      const fs = require('node:fs');
      const hasher = new PasswordHasher({ threads: 1 });
      const jobs = Array.from({ length: 50 }, () => hasher.hash('x'));
      fs.readFile(holdfast + '/package.json', () => console.log(hasher.stats().completed));
      Promise.all(jobs).then(() => console.log(hasher.stats().completed));`,
      { env: { UV_THREADPOOL_SIZE: '1' } },
    );
    assert.deepEqual({ code, stderr }, { code: 0, stderr: '' });
    const [atFile, atEnd] = stdout.trim().split('\n').map(Number);
    // Were the hashes on libuv's only thread, the file would come after all of them.
    assert.ok(atFile < 40 && atEnd === 50, stdout);
  });

  it(
    'drops the threads of a hasher that is collected, but none of its jobs',
    { skip: process.platform !== 'linux' },
    async () => {
      const { code, stdout, stderr } = await runNode(
        `
      const { PasswordHasher } = require(holdfast);
      const fs = require('node:fs');
      const comm = (task) => { try { return fs.readFileSync('/proc/self/task/' + task + '/comm', 'utf8'); } catch { return ''; } };
      const threads = () => fs.readdirSync('/proc/self/task').filter((task) => comm(task).startsWith('holdfast')).length;
      const until = async (condition) => {
        for (let round = 0; round < 1000 && !condition(); round++) {
          gc();
          await new Promise((resolve) => setTimeout(resolve, 10));
        }
      };
      (async () => {
        await Promise.all(Array.from({ length: 20 }, () => new PasswordHasher({ argon2: { memoryKiB: 8 }, threads: 1 }).hash('x')));
        const before = threads();
        await until(() => threads() === 0);
        const after = threads();
        // Nothing but the promises is held here.
        const slow = { argon2: { memoryKiB: 16384, passes: 2 }, threads: 1 };
        const jobs = (() => { const hasher = new PasswordHasher(slow); return Array.from({ length: 20 }, () => hasher.hash('x')); })();
        for (let round = 0; round < 5; round++) { gc(); await new Promise(setImmediate); }
        const under = threads();
        const hashes = await Promise.all(jobs);
        await until(() => threads() === 0);
        console.log(JSON.stringify({ before: before > 0, after, under, hashes: new Set(hashes).size, end: threads() }));
      })();`,
        { flags: ['--expose-gc'] },
      );
      assert.deepEqual({ code, stderr }, { code: 0, stderr: '' });
      assert.deepEqual(JSON.parse(stdout), { before: true, after: 0, under: 1, hashes: 20, end: 0 });
    },
  );
});
