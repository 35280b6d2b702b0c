'use strict';

/** hashPassword and verifyPassword, parseHash, calibrate. */

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { PasswordHasher, calibrate, hashPassword, parseHash, verifyPassword } = require('..');
const { runNode } = require('./support/child.js');
const cases = require('./password.cases.json');

describe('hashPassword and verifyPassword', () => {
  it('are those of a hasher with the defaults', async () => {
    const stored = await hashPassword('correct horse');
    assert.match(stored, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    assert.equal(new PasswordHasher().needsRehash(stored), false);
    assert.equal(await verifyPassword(stored, 'correct horse'), true);
    assert.equal(await verifyPassword(stored, Buffer.from('correct horse')), true);
    assert.equal(await verifyPassword(stored, 'wrong'), false);
    assert.equal(await verifyPassword(null, 'wrong'), false);
    assert.equal(await verifyPassword(undefined, ''), false);
    await assert.rejects(verifyPassword('x', 'wrong'), { code: 'ERR_HASH_MALFORMED' });
    await assert.rejects(hashPassword(), { code: 'ERR_INVALID_ARG_TYPE' });
    await assert.rejects(hashPassword('x', { signal: AbortSignal.abort() }), { code: 'ABORT_ERR' });
    await assert.rejects(verifyPassword(stored, 'x', { signal: AbortSignal.abort() }), { code: 'ABORT_ERR' });
    await assert.rejects(hashPassword('x', { cost: 12 }), { code: 'ERR_INVALID_ARG_VALUE' });
  });
});

describe('parseHash', () => {
  it('takes hashes apart', () => {
    const salt = new Uint8Array(Buffer.from('somesalt'));
    assert.deepEqual(parseHash('$argon2i$v=16$m=64,t=2,p=1$c29tZXNhbHQ$Bh21/eJH8YBDyij2rzNMFBJxlNjZOXgA8TmVH6qMZno'), {
      algorithm: 'argon2i',
      version: 16,
      params: { memoryKiB: 64, passes: 2, lanes: 1 },
      salt,
      digestLength: 32,
    });
    assert.deepEqual(
      parseHash('$argon2id$v=19$m=4294967295,t=9,p=255,keyid=MjAyNQ$c29tZXNhbHQ$Bh21/eJH8YBDyij2rzNMFBJxlNjZOXgA'),
      {
        algorithm: 'argon2id',
        version: 19,
        params: { memoryKiB: 4294967295, passes: 9, lanes: 255 },
        salt,
        digestLength: 24,
        keyId: '2025',
      },
    );
    assert.deepEqual(parseHash('$2x$31$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW'), {
      algorithm: 'bcrypt',
      version: '2x',
      params: { cost: 31 },
      salt: new Uint8Array(Buffer.from('10410410410410410410410410410410', 'hex')),
      digestLength: 23,
    });
    assert.deepEqual(parseHash('$scrypt$ln=30,r=1000,p=255$c29tZXNhbHQ$Bh21/eJH8YBDyij2rzNMFBJxlNjZOXgA8TmVH6qMZno'), {
      algorithm: 'scrypt',
      params: { logN: 30, r: 1000, p: 255 },
      salt,
      digestLength: 32,
    });
  });

  it('reads every hash that verifies, and says what the hasher was told', async () => {
    for (const { stored } of [...cases.argon2, ...cases.bcrypt]) {
      const { algorithm, digestLength, salt } = parseHash(stored);
      assert.ok(stored.startsWith(algorithm === 'bcrypt' ? '$2' : `$${algorithm}$`));
      assert.ok(digestLength >= 12 && salt instanceof Uint8Array && salt.length >= 8);
    }
    const argon2 = { memoryKiB: 64, passes: 3, lanes: 2, tagLength: 24, saltLength: 12 };
    const hasher = new PasswordHasher({ argon2 });
    const { params, salt, digestLength } = parseHash(await hasher.hash('x'));
    assert.deepEqual({ ...params, tagLength: digestLength, saltLength: salt.length }, argon2);
    await hasher.close();
  });

  it('refuses what is none', () => {
    for (const stored of cases.malformed)
      assert.throws(() => parseHash(stored), { code: 'ERR_HASH_MALFORMED' }, stored);
    for (const stored of [undefined, null, 1, {}, Buffer.from('$2b$')]) {
      assert.throws(() => parseHash(stored), { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' });
    }
  });
});

describe('calibrate', () => {
  it('finds parameters within the time, that a hasher takes', async () => {
    const { memoryKiB, passes, lanes, measuredMs } = await calibrate({ targetMs: 60, maxMemoryKiB: 32_768 });
    assert.ok(memoryKiB >= 7168 && memoryKiB <= 32_768 && passes >= 2 && lanes === 1 && measuredMs > 0);
    // A machine that is busy may be too slow even for the least; then it says so.
    assert.ok(measuredMs <= 60 || memoryKiB === 7168, `${measuredMs} ms with ${memoryKiB} KiB and ${passes} passes`);
    const hasher = new PasswordHasher({ argon2: { memoryKiB, passes, lanes } });
    assert.equal((await hasher.verify(await hasher.hash('x'), 'x')).valid, true);
    await hasher.close();
  });

  it('asks for no more memory than fits into the time', async () => {
    const { code, stdout } = await runNode(`
      const { calibrate } = require(holdfast);
      calibrate({ targetMs: 1, maxMemoryKiB: 2 ** 31 }).then(({ memoryKiB, passes }) => {
        console.log(memoryKiB, passes, process.resourceUsage().maxRSS < 300 * 1024);
      });`);
    assert.deepEqual({ code, stdout }, { code: 0, stdout: '7168 5 true\n' });
  });

  it('stays with the least that OWASP lists when there is no time', async () => {
    const { memoryKiB, passes, measuredMs } = await calibrate({ targetMs: 1, maxMemoryKiB: 7168 });
    assert.deepEqual([memoryKiB, passes], [7168, 5]);
    assert.ok(measuredMs > 1);
  });

  it('takes its options as all do', async () => {
    for (const [options, code] of [
      [undefined, 'ERR_INVALID_ARG_TYPE'],
      [{}, 'ERR_INVALID_ARG_TYPE'],
      [{ targetMs: '100' }, 'ERR_INVALID_ARG_TYPE'],
      [{ targetMs: 0 }, 'ERR_OUT_OF_RANGE'],
      [{ targetMs: 60_001 }, 'ERR_OUT_OF_RANGE'],
      [{ targetMs: 10, maxMemoryKiB: 7167 }, 'ERR_OUT_OF_RANGE'],
      [{ targetMs: 10, memoryKiB: 7168 }, 'ERR_INVALID_ARG_VALUE'],
    ]) {
      await assert.rejects(calibrate(options), { code }, JSON.stringify(options));
    }
  });
});
