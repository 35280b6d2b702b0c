'use strict';

/** What PasswordHasher stores and reads beside its defaults: old bcrypt, long passwords, scrypt, peppers, Unicode forms. */

const assert = require('node:assert/strict');
const crypto = require('node:crypto');
const { describe, it } = require('node:test');
const { PasswordHasher, parseHash } = require('..');

const SMALL = { argon2: { memoryKiB: 8, passes: 1 } };
const BCRYPT = { algorithm: 'bcrypt', bcrypt: { cost: 4 } };
const SCRYPT = { algorithm: 'scrypt', scrypt: { logN: 4, r: 8, p: 1 } };

function hasherOf(t, options) {
  const hasher = new PasswordHasher(options);
  t.after(() => hasher.close());
  return hasher;
}

describe('bcrypt', () => {
  // From the test set of crypt_blowfish, where the defect was found and mended.
  it('$2x$ verifies with the defect it was made with', async (t) => {
    const hasher = hasherOf(t, BCRYPT);
    const made = 'CE5elHaaO4EbggVDjb8P19RukzXSM3e';
    const stored = (version) => `$${version}$05$/OK.fbVrR/bpIqNJ5ianF.${made}`;
    const [one, three] = [Buffer.from('a3', 'hex'), Buffer.from('ffffa3', 'hex')];
    for (const [version, password, valid] of [
      ['2x', one, true],
      ['2x', three, true],
      ['2y', three, true],
      ['2y', one, false],
      ['2a', three, true],
      ['2b', one, false],
    ]) {
      const verdict = await hasher.verify(stored(version), password);
      assert.deepEqual(verdict, { valid, needsRehash: valid }, `${version} ${password.toString('hex')}`);
    }
  });

  it('reads 72 bytes of longer passwords when it is told to truncate', async (t) => {
    const [exact, truncating] = [hasherOf(t, BCRYPT), hasherOf(t, { ...BCRYPT, bcryptLong: 'truncate' })];
    const long = 'é'.repeat(60);
    const stored = await truncating.hash(long);
    assert.equal((await truncating.verify(stored, long)).valid, true);
    assert.equal((await truncating.verify(stored, `${'é'.repeat(36)}x`)).valid, true, 'as other libraries do');
    assert.equal((await truncating.verify(stored, 'é'.repeat(35))).valid, false);
    assert.equal((await exact.verify(stored, long)).valid, false);
    assert.equal((await exact.verify(stored, 'é'.repeat(36))).valid, true);
    await assert.rejects(exact.hash(long), { code: 'ERR_PASSWORD_TOO_LONG' });
  });

  it('of many passwords at once is that of each alone', async (t) => {
    const hasher = hasherOf(t, { ...BCRYPT, threads: 1 });
    const passwords = Array.from({ length: 60 }, (_, at) => 'äé x'.slice(at % 4).repeat(at % 7));
    const stored = await Promise.all(passwords.map((password) => hasher.hash(password)));
    const verdicts = await Promise.all(
      stored.flatMap((hash, at) => [hasher.verify(hash, passwords[at]), hasher.verify(hash, `${passwords[at]}!`)]),
    );
    verdicts.forEach(({ valid }, at) => assert.equal(valid, at % 2 === 0, String(at)));
    for (const [at, hash] of stored.entries()) assert.equal((await hasher.verify(hash, passwords[at])).valid, true);
  });
});

describe('scrypt', () => {
  it('is what node:crypto computes', async (t) => {
    const hasher = hasherOf(t, SCRYPT);
    for (const [logN, r, p] of [
      [1, 1, 1],
      [4, 8, 1],
      [10, 8, 2],
      [7, 3, 5],
    ]) {
      const own = hasherOf(t, { algorithm: 'scrypt', scrypt: { logN, r, p } });
      for (const password of ['', 'pässwörd 😀', 'a\0b', 'x'.repeat(300)]) {
        const stored = await own.hash(password);
        assert.match(
          stored,
          new RegExp(`^\\$scrypt\\$ln=${logN},r=${r},p=${p}\\$[A-Za-z0-9+/]{22}\\$[A-Za-z0-9+/]{43}$`),
        );
        const [, , , salt, hash] = stored.split('$');
        const expected = crypto.scryptSync(password, Buffer.from(salt, 'base64'), 32, { N: 2 ** logN, r, p });
        assert.equal(hash, expected.toString('base64').replace(/=+$/, ''));
        assert.equal((await hasher.verify(stored, password)).valid, true);
        assert.equal((await hasher.verify(stored, `${password}!`)).valid, false);
      }
    }
  });

  it('asks for a new hash when any parameter differs', async (t) => {
    const stored = await hasherOf(t, SCRYPT).hash('pw');
    assert.equal(hasherOf(t, SCRYPT).needsRehash(stored), false);
    for (const change of [{ logN: 5 }, { r: 7 }, { p: 2 }]) {
      const hasher = hasherOf(t, { ...SCRYPT, scrypt: { ...SCRYPT.scrypt, ...change } });
      assert.deepEqual(await hasher.verify(stored, 'pw'), { valid: true, needsRehash: true });
    }
    assert.equal(hasherOf(t).needsRehash(stored), true);
    assert.equal(hasherOf(t, SCRYPT).needsRehash(await hasherOf(t, SMALL).hash('pw')), true);
    assert.deepEqual(await hasherOf(t, SCRYPT).verify(null, 'pw'), { valid: false, needsRehash: false });
  });

  it('is held to the limits, before any memory is taken', async (t) => {
    const rest = 'c29tZXNhbHQ$4nDCgqqi/MYvPUrUq8ZfVUrFto43iXYW7ryycatUzoI';
    const hasher = hasherOf(t);
    for (const parameters of [
      'ln=21,r=2,p=1',
      'ln=20,r=3,p=1',
      'ln=31,r=8,p=1',
      'ln=4,r=1,p=17',
      'ln=1,r=1048576,p=16',
    ]) {
      await assert.rejects(hasher.verify(`$scrypt$${parameters}$${rest}`, 'x'), { code: 'ERR_HASH_LIMIT' }, parameters);
    }
    assert.equal(hasher.stats().completed, 0);
    for (const parameters of [
      'ln=4,r=8',
      'ln=4,r=8,p=0',
      'ln=04,r=8,p=1',
      'N=16,r=8,p=1',
      'ln=16,r=1,p=1',
      'ln=1,r=268435456,p=16',
    ]) {
      const verifying = hasher.verify(`$scrypt$${parameters}$${rest}`, 'x');
      await assert.rejects(verifying, { code: 'ERR_HASH_MALFORMED' }, parameters);
    }
    const RANGE = { code: 'ERR_OUT_OF_RANGE' };
    for (const [scrypt, limits] of [
      [{ logN: 21 }, {}],
      [{ logN: 18, r: 9 }, {}],
      [{ p: 17 }, {}],
      [{ logN: 16, r: 1 }, {}],
      [{}, { logN: 16 }],
      [{}, { memoryKiB: 131_072 }],
    ]) {
      assert.throws(() => new PasswordHasher({ algorithm: 'scrypt', scrypt, limits }), RANGE);
    }
    new PasswordHasher({ algorithm: 'scrypt', limits: { logN: 17, memoryKiB: 131_073 } });
  });
});

describe('peppers', () => {
  const keys = { 2025: Buffer.alloc(32, 1), 'spring.2026_a-b': Buffer.alloc(16, 2) };
  const withPepper = (current) => ({ ...SMALL, pepper: { current, keys } });

  it('are part of the hash, and named in it', async (t) => {
    const hasher = hasherOf(t, withPepper('2025'));
    const stored = await hasher.hash('pw');
    assert.match(stored, /^\$argon2id\$v=19\$m=8,t=1,p=1,keyid=MjAyNQ\$[^$]{22}\$[^$]{43}$/);
    assert.deepEqual(await hasher.verify(stored, 'pw'), { valid: true, needsRehash: false });
    assert.deepEqual(await hasher.verify(stored, 'no'), { valid: false, needsRehash: false });
    assert.deepEqual(await hasher.verify(null, 'pw'), { valid: false, needsRehash: false });
    const stripped = stored.replace(',keyid=MjAyNQ', '');
    assert.equal((await hasher.verify(stripped, 'pw')).valid, false, 'it cannot be cut off');
    assert.equal(parseHash(stored).keyId, '2025');
  });

  it('are rotated at log-in', async (t) => {
    const [old, now] = [hasherOf(t, withPepper('2025')), hasherOf(t, withPepper('spring.2026_a-b'))];
    for (const stored of [await old.hash('pw'), await hasherOf(t, SMALL).hash('pw')]) {
      assert.deepEqual(await now.verify(stored, 'pw'), { valid: true, needsRehash: true });
      assert.equal(now.needsRehash(stored), true);
    }
    assert.equal(now.needsRehash(await now.hash('pw')), false);
  });

  it('that are not there are an error, after the work', async (t) => {
    const stored = await hasherOf(t, withPepper('2025')).hash('pw');
    for (const options of [SMALL, { ...SMALL, pepper: { current: 'x', keys: { x: Buffer.alloc(32) } } }]) {
      const hasher = hasherOf(t, options);
      const unknown = { name: 'HoldfastError', code: 'ERR_UNKNOWN_KEY' };
      await assert.rejects(hasher.verify(stored, 'pw'), unknown);
      assert.equal(hasher.stats().completed, 1);
      assert.equal(hasher.needsRehash(stored), true);
    }
  });

  it('are copied when the hasher is made', async (t) => {
    const key = Buffer.alloc(32, 7);
    const pepper = { current: 'a', keys: { a: key } };
    const hasher = hasherOf(t, { ...SMALL, pepper });
    const stored = await hasher.hash('pw');
    key.fill(0);
    pepper.keys.a = Buffer.alloc(32, 9);
    assert.equal((await hasher.verify(stored, 'pw')).valid, true);
  });

  it('are own properties, with names and lengths that fit', () => {
    const good = Buffer.alloc(32);
    const make = (pepper) => new PasswordHasher({ ...SMALL, pepper });
    make({ current: 'a', keys: Object.assign(Object.create(null), { a: good, b: new Uint8Array(1024) }) });
    for (const [pepper, code] of [
      [null, 'ERR_INVALID_ARG_TYPE'],
      ['a', 'ERR_INVALID_ARG_TYPE'],
      [{}, 'ERR_INVALID_ARG_TYPE'],
      [{ current: 'a' }, 'ERR_INVALID_ARG_TYPE'],
      [{ current: 'a', keys: [good] }, 'ERR_INVALID_ARG_TYPE'],
      [{ current: 1, keys: { 1: good } }, 'ERR_INVALID_ARG_TYPE'],
      [{ current: 'a', keys: { a: 'x'.repeat(32) } }, 'ERR_INVALID_ARG_TYPE'],
      [{ current: 'a', keys: { a: good }, old: 1 }, 'ERR_INVALID_ARG_VALUE'],
      [{ current: 'b', keys: { a: good } }, 'ERR_INVALID_ARG_VALUE'],
      [{ current: 'toString', keys: { a: good } }, 'ERR_INVALID_ARG_VALUE'],
      [{ current: 'a', keys: Object.create({ a: good }) }, 'ERR_INVALID_ARG_VALUE'],
      [{ current: '', keys: { '': good } }, 'ERR_INVALID_ARG_VALUE'],
      [{ current: 'a$b', keys: { a$b: good } }, 'ERR_INVALID_ARG_VALUE'],
      [{ current: 'é', keys: { é: good } }, 'ERR_INVALID_ARG_VALUE'],
      [{ current: 'a', keys: { a: good, ['x'.repeat(33)]: good } }, 'ERR_INVALID_ARG_VALUE'],
      [{ current: 'a', keys: { a: Buffer.alloc(15) } }, 'ERR_OUT_OF_RANGE'],
      [{ current: 'a', keys: { a: Buffer.alloc(1025) } }, 'ERR_OUT_OF_RANGE'],
      [
        { current: 'k0', keys: Object.fromEntries(Array.from({ length: 65 }, (_, n) => [`k${n}`, good])) },
        'ERR_OUT_OF_RANGE',
      ],
    ]) {
      assert.throws(() => make(pepper), { code }, JSON.stringify(pepper)?.slice(0, 80));
    }
    for (const algorithm of ['bcrypt', 'scrypt']) {
      const pepper = { current: 'a', keys: { a: good } };
      assert.throws(() => new PasswordHasher({ algorithm, pepper }), { code: 'ERR_INVALID_ARG_VALUE' });
    }
  });
});

describe('normalize', () => {
  it('brings text, and not bytes, into one form', async (t) => {
    const [composed, decomposed, compatible] = ['\u00e9', 'e\u0301', '\ufb01']; // é twice, and the ligature fi
    const plain = hasherOf(t, SMALL);
    assert.equal((await plain.verify(await plain.hash(composed), decomposed)).valid, false);
    for (const [normalize, ligature] of [
      ['NFC', false],
      ['NFKC', true],
    ]) {
      const hasher = hasherOf(t, { ...SMALL, normalize });
      const stored = await hasher.hash(decomposed);
      assert.equal((await hasher.verify(stored, composed)).valid, true);
      assert.equal((await plain.verify(stored, composed)).valid, true);
      assert.equal((await hasher.verify(stored, Buffer.from(decomposed))).valid, false);
      assert.equal((await hasher.verify(await hasher.hash('fi'), compatible)).valid, ligature);
      // A character can become several; the limit is the one of what is hashed.
      await assert.rejects(hasher.hash('\ud800'), { code: 'ERR_PASSWORD_ENCODING' });
    }
    const hasher = hasherOf(t, { ...SMALL, normalize: 'NFKC' });
    await assert.rejects(hasher.hash('\ufdfa'.repeat(60_000)), { code: 'ERR_PASSWORD_TOO_LONG' });
  });
});
