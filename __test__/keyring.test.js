'use strict';

/** Keyring and its tokens: against the documented format, made by node:crypto alone, and against damage. */

const assert = require('node:assert/strict');
const { randomBytes } = require('node:crypto');
const { describe, it } = require('node:test');
const { Keyring, generateKey } = require('..');
const { Random } = require('./support/random.js');
const { ring } = require('./support/ring.js');
const { openMessage, sealMessage, xaesSeal } = require('./support/xaes.js');
const cases = require('./keyring.cases.json');

const SEED = Number(process.env.HOLDFAST_SEED ?? 20_261_121);
const DECRYPT = { name: 'HoldfastError', code: 'ERR_DECRYPT', message: 'decryption failed' };
const NO_BYTES = Buffer.alloc(0);

describe('Keyring', () => {
  it("agrees with the specification's own vectors, which vouch for the oracle here", () => {
    // C2SP, XAES-256-GCM.md, "Test Vectors".
    const nonce = Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWX');
    const [one, three] = [1, 3].map((byte) => Buffer.alloc(32, byte));
    assert.equal(
      xaesSeal(one, nonce, Buffer.from('XAES-256-GCM'), NO_BYTES).toString('hex'),
      'ce546ef63c9cc60765923609b33a9a1974e96e52daf2fcf7075e2271',
    );
    assert.equal(
      xaesSeal(three, nonce, Buffer.from('XAES-256-GCM'), Buffer.from('c2sp.org/XAES-256-GCM')).toString('hex'),
      '986ec1832593df5443a179437fd083bf3fdb41abd740a21f71eb769d',
    );
  });

  for (const { plaintext, aad, sealed } of cases.messages) {
    it(`opens the documented message, associated data ${JSON.stringify(aad)}`, () => {
      assert.equal(ring().open(Buffer.from(sealed, 'hex'), { aad }).toString(), plaintext);
    });
  }

  it('makes and takes what the documented format says', () => {
    const random = new Random(SEED);
    for (const size of [0, 1, 16, 100, 9000]) {
      for (const id of ['a', 'key-2026_11', 'x'.repeat(32)]) {
        const [key, plaintext, aad, nonce] = [32, size, random.below(30), 24].map((length) => randomBytes(length));
        const ours = new Keyring({ primary: id, keys: { [id]: key } });
        const sealed = ours.seal(plaintext, { aad });
        assert.equal(sealed.length, 2 + id.length + 24 + size + 16);
        assert.deepEqual([sealed[0], sealed[1], sealed.subarray(2, 2 + id.length).toString()], [1, id.length, id]);
        assert.ok(openMessage(sealed, key, aad).equals(plaintext));
        assert.ok(ours.open(sealMessage({ kind: 1, id, key, nonce, plaintext, aad }), { aad }).equals(plaintext));
      }
    }
  });

  it('opens old messages after a rotation, and says which key is missing by code alone', () => {
    const before = ring('k1');
    const message = before.seal('note');
    const token = before.sealToken({ user: 7 }, { purpose: 'session' });
    const rotated = ring('k2', ['k1', 'k2']);
    assert.equal(rotated.open(message).toString(), 'note');
    assert.deepEqual(rotated.openToken(token, { purpose: 'session' }), { user: 7 });
    assert.equal(rotated.seal('x').subarray(2, 4).toString(), 'k2');
    const unknown = (error) =>
      error.name === 'HoldfastError' && error.code === 'ERR_UNKNOWN_KEY' && !error.message.includes('k1');
    assert.throws(() => ring('k2').open(message), unknown);
    assert.throws(() => ring('k2').openToken(token, { purpose: 'session' }), unknown);
    assert.throws(() => before.open(rotated.seal('x')), unknown);
    // The same id with another key is not unknown, it is wrong.
    assert.throws(() => new Keyring({ primary: 'k1', keys: { k1: generateKey() } }).open(message), DECRYPT);
  });

  it('rejects every flipped bit, every cut and every other aad', () => {
    const both = ring('k1', ['k1', 'k3']);
    const sealed = both.seal('attack at dawn', { aad: 'to Bob' });
    for (let bit = 0; bit < sealed.length * 8; bit++) {
      const damaged = Buffer.from(sealed);
      damaged[bit >> 3] ^= 1 << (bit & 7);
      // In the key id and its length, which stand in the clear, a flipped bit may name a key that is not there.
      const inId = bit >> 3 >= 1 && bit >> 3 <= 3;
      assert.throws(
        () => both.open(damaged, { aad: 'to Bob' }),
        (error) => error.code === 'ERR_DECRYPT' || (inId && error.code === 'ERR_UNKNOWN_KEY'),
        `bit ${bit}`,
      );
    }
    for (let cut = 0; cut < sealed.length; cut++)
      assert.throws(() => both.open(sealed.subarray(0, cut), { aad: 'to Bob' }), DECRYPT);
    assert.throws(() => both.open(Buffer.concat([sealed, NO_BYTES, Buffer.alloc(1)]), { aad: 'to Bob' }), DECRYPT);
    for (const aad of ['', 'to bob', 'to Bob\0', undefined]) assert.throws(() => both.open(sealed, { aad }), DECRYPT);
    assert.throws(() => both.open(NO_BYTES), DECRYPT);
  });

  it('does not let the header flow into the associated data', () => {
    // Key id 'k1' with aad '1x' and key id 'k11' with aad 'x' read alike when they are put one behind the other.
    const key = Buffer.alloc(32, 1);
    const sealed = new Keyring({ primary: 'k1', keys: { k1: key } }).seal('note', { aad: '1x' });
    const forged = Buffer.concat([Buffer.from([1, 3]), Buffer.from('k11'), sealed.subarray(4)]);
    const other = new Keyring({ primary: 'k11', keys: { k11: key } });
    for (const aad of ['x', '1x', '']) assert.throws(() => other.open(forged, { aad }), DECRYPT);
  });

  it('keeps messages and tokens apart', () => {
    const keys = ring();
    const token = Buffer.from(keys.sealToken(1, { purpose: 'session' }), 'base64url');
    assert.throws(() => keys.open(token, { aad: 'session' }), DECRYPT);
    const message = keys.seal(Buffer.concat([Buffer.alloc(8), Buffer.from('1')]), { aad: 'session' });
    assert.throws(() => keys.openToken(message.toString('base64url'), { purpose: 'session' }), DECRYPT);
    for (const kind of [0, 2, 3, 255]) {
      const forged = Buffer.from(message);
      forged[0] = kind;
      assert.throws(() => keys.open(forged, { aad: 'session' }), DECRYPT);
      assert.throws(() => keys.openToken(forged.toString('base64url'), { purpose: 'session' }), DECRYPT);
    }
  });

  it('is not changed by what happens to the objects it was made from', () => {
    const keys = { k1: Buffer.alloc(32, 1) };
    const options = { primary: 'k1', keys };
    const made = new Keyring(options);
    keys.k1.fill(0);
    keys.k2 = Buffer.alloc(32, 2);
    options.primary = 'k2';
    assert.equal(ring().open(made.seal('x')).toString(), 'x');
    assert.equal(made.open(ring().seal('x')).toString(), 'x');
  });

  it('refuses options that do not make a ring', () => {
    const key = generateKey();
    const refused = [
      [undefined, 'ERR_INVALID_ARG_TYPE'],
      [null, 'ERR_INVALID_ARG_TYPE'],
      [{}, 'ERR_INVALID_ARG_TYPE'],
      [{ primary: 'a' }, 'ERR_INVALID_ARG_TYPE'],
      [{ primary: 1, keys: { 1: key } }, 'ERR_INVALID_ARG_TYPE'],
      [{ primary: 'a', keys: null }, 'ERR_INVALID_ARG_TYPE'],
      [{ primary: 'a', keys: key }, 'ERR_INVALID_ARG_TYPE'],
      [{ primary: 'a', keys: {} }, 'ERR_INVALID_ARG_VALUE'],
      [{ primary: 'a', keys: { b: key } }, 'ERR_INVALID_ARG_VALUE'],
      [{ primary: 'toString', keys: { a: key } }, 'ERR_INVALID_ARG_VALUE'],
      [{ primary: '__proto__', keys: { a: key } }, 'ERR_INVALID_ARG_VALUE'],
      [{ primary: '', keys: { '': key } }, 'ERR_INVALID_ARG_VALUE'],
      [{ primary: 'a b', keys: { 'a b': key } }, 'ERR_INVALID_ARG_VALUE'],
      [{ primary: 'é', keys: { é: key } }, 'ERR_INVALID_ARG_VALUE'],
      [{ primary: 'a\n', keys: { 'a\n': key } }, 'ERR_INVALID_ARG_VALUE'],
      [{ primary: 'x'.repeat(33), keys: { ['x'.repeat(33)]: key } }, 'ERR_INVALID_ARG_VALUE'],
      [{ primary: 'a', keys: { a: key, 'b/c': key } }, 'ERR_INVALID_ARG_VALUE'],
      [{ primary: 'a', keys: { a: Buffer.alloc(16) } }, 'ERR_INVALID_ARG_VALUE'],
      [{ primary: 'a', keys: { a: key, b: Buffer.alloc(31) } }, 'ERR_INVALID_ARG_VALUE'],
      [{ primary: 'a', keys: { a: 'x'.repeat(32) } }, 'ERR_INVALID_ARG_TYPE'],
      [{ primary: 'a', keys: { a: key, b: undefined } }, 'ERR_INVALID_ARG_TYPE'],
      [{ primary: 'a', keys: { a: key }, extra: 1 }, 'ERR_INVALID_ARG_VALUE'],
      [{ primary: 'a', keys: Object.create({ a: key }) }, 'ERR_INVALID_ARG_VALUE'],
    ];
    for (const [options, code] of refused) {
      assert.throws(() => new Keyring(options), { name: 'TypeError', code }, JSON.stringify(options));
    }
  });
});

describe('streams', () => {
  for (const { plaintext, aad, sealed } of cases.streams) {
    it(`open as documented, "${plaintext}" with "${aad}"`, async () => {
      const parts = [];
      for await (const part of ring().openFile([Buffer.from(sealed, 'hex')], { aad })) parts.push(part);
      assert.equal(Buffer.concat(parts).toString(), plaintext);
    });
  }
});

describe('tokens', () => {
  const session = { purpose: 'session' };

  for (const { value, purpose, expires, token } of cases.tokens) {
    it(`open as documented, expiry ${expires}`, () => assert.deepEqual(ring().openToken(token, { purpose }), value));
  }

  it('carry JSON values, and what JSON.stringify makes of others', () => {
    const keys = ring();
    const values = [
      null,
      true,
      0,
      -1.5,
      '',
      'é中😀\u0000',
      [],
      {},
      [1, [2]],
      { a: { b: [null] } },
      '\ud800',
      { toJSON: () => ({ x: 1 }) },
      new Date(0),
      NaN,
      [undefined],
      'x'.repeat(60_000),
      { constructor: 'Acme', prototype: 1 },
    ];
    for (const value of values) {
      const token = keys.sealToken(value, session);
      assert.match(token, /^[A-Za-z0-9_-]+$/);
      assert.deepEqual(keys.openToken(token, session), JSON.parse(JSON.stringify(value)));
    }
    for (const value of [undefined, () => 1, Symbol('x'), { toJSON: () => undefined }]) {
      assert.throws(() => keys.sealToken(value, session), { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' });
    }
    // What JSON.stringify itself refuses, with its own error.
    const cycle = {};
    cycle.self = cycle;
    for (const value of [1n, cycle]) assert.throws(() => keys.sealToken(value, session), TypeError);
    const mine = new RangeError('mine');
    assert.throws(() => keys.sealToken({ toJSON: () => { throw mine; } }, session), mine); // prettier-ignore
  });

  it('refuse, when sealed, what would be refused when opened', () => {
    const keys = ring();
    assert.throws(() => keys.sealToken(JSON.parse('{"a":[{"__proto__":1}]}'), session), { code: 'ERR_JSON_PROTO_KEY' });
    assert.throws(() => keys.sealToken({ constructor: { prototype: 1 } }, session), {
      code: 'ERR_JSON_CONSTRUCTOR_KEY',
    });
    const deep = Array.from({ length: 129 }).reduce((inner) => [inner], 0);
    assert.throws(() => keys.sealToken(deep, session), { code: 'ERR_JSON_LIMIT' });
    assert.deepEqual(keys.openToken(keys.sealToken(deep[0], session), session), deep[0]);
  });

  it('refuse, when opened, what an older version may have sealed', () => {
    const key = Buffer.alloc(32, 1);
    for (const [json, code] of [
      ['{"__proto__":1}', 'ERR_JSON_PROTO_KEY'],
      ['{', 'ERR_JSON_SYNTAX'],
    ]) {
      const plaintext = Buffer.concat([Buffer.alloc(8), Buffer.from(json)]);
      const sealed = sealMessage({
        kind: 2,
        id: 'k1',
        key,
        nonce: randomBytes(24),
        plaintext,
        aad: Buffer.from('session'),
      });
      assert.throws(() => ring().openToken(sealed.toString('base64url'), session), { code });
    }
    const short = sealMessage({
      kind: 2,
      id: 'k1',
      key,
      nonce: randomBytes(24),
      plaintext: Buffer.alloc(7),
      aad: Buffer.from('session'),
    });
    assert.throws(() => ring().openToken(short.toString('base64url'), session), DECRYPT);
  });

  it('hold up to 64 KiB of JSON', () => {
    const keys = ring();
    const largest = 'x'.repeat(64 * 1024 - 2);
    assert.equal(keys.openToken(keys.sealToken(largest, session), session), largest);
    const longId = 'x'.repeat(32);
    const withLongId = new Keyring({ primary: longId, keys: { [longId]: generateKey() } });
    assert.equal(withLongId.openToken(withLongId.sealToken(largest, session), session), largest);
    assert.throws(() => keys.sealToken(`${largest}x`, session), { name: 'RangeError', code: 'ERR_OUT_OF_RANGE' });
    assert.throws(() => keys.openToken('A'.repeat(50_000_000), session), DECRYPT);
  });

  it('are bound to their purpose', () => {
    const keys = ring();
    const token = keys.sealToken(1, session);
    for (const purpose of ['reset', 'Session', 'session ', 'sessio', 'session\0']) {
      assert.throws(() => keys.openToken(token, { purpose }), DECRYPT);
    }
    for (const purpose of [undefined, null, 1, Buffer.from('session')]) {
      assert.throws(() => keys.sealToken(1, { purpose }), { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' });
      assert.throws(() => keys.openToken(token, { purpose }), { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' });
    }
    for (const purpose of ['', '\ud800']) {
      assert.throws(() => keys.sealToken(1, { purpose }), { name: 'TypeError', code: 'ERR_INVALID_ARG_VALUE' });
      assert.throws(() => keys.openToken(token, { purpose }), { name: 'TypeError', code: 'ERR_INVALID_ARG_VALUE' });
    }
    assert.throws(() => keys.sealToken(1), { code: 'ERR_INVALID_ARG_TYPE' });
    assert.throws(() => keys.openToken(token), { code: 'ERR_INVALID_ARG_TYPE' });
    assert.throws(() => keys.openToken(token, { purpose: 'session', ttlMs: 1 }), { code: 'ERR_INVALID_ARG_VALUE' });
    assert.throws(() => keys.sealToken(1, { purpose: 'session', ttl: 1 }), { code: 'ERR_INVALID_ARG_VALUE' });
  });

  it('expire to the millisecond, and only once they have been authenticated', (t) => {
    const keys = ring();
    let now = 1_900_000_000_000;
    t.mock.method(Date, 'now', () => now);
    const token = keys.sealToken({ user: 7 }, { purpose: 'session', ttlMs: 1000 });
    const forEver = keys.sealToken(1, session);
    now += 999;
    assert.deepEqual(keys.openToken(token, session), { user: 7 });
    for (const later of [1, 1, 1_000_000_000]) {
      now += later;
      assert.throws(() => keys.openToken(token, session), { name: 'HoldfastError', code: 'ERR_TOKEN_EXPIRED' });
      assert.equal(keys.openToken(forEver, session), 1);
    }
    const damaged = `${token.slice(0, -2)}${token.at(-2) === 'A' ? 'B' : 'A'}${token.at(-1)}`;
    assert.throws(() => keys.openToken(damaged, session), DECRYPT);
    assert.throws(() => keys.openToken(token, { purpose: 'reset' }), DECRYPT);
    for (const ttlMs of [0, -1, 1.5, NaN, Infinity, 2 ** 48 + 1]) {
      assert.throws(() => keys.sealToken(1, { purpose: 'session', ttlMs }), {
        name: 'RangeError',
        code: 'ERR_OUT_OF_RANGE',
      });
    }
    for (const ttlMs of [null, '1000', 1000n]) {
      assert.throws(() => keys.sealToken(1, { purpose: 'session', ttlMs }), {
        name: 'TypeError',
        code: 'ERR_INVALID_ARG_TYPE',
      });
    }
    assert.equal(keys.openToken(keys.sealToken(1, { purpose: 'session', ttlMs: 2 ** 48 }), session), 1);
  });

  it('reject a change of any character', () => {
    const keys = ring();
    const token = keys.sealToken({ user: 7 }, session);
    for (let at = 0; at < token.length; at++) {
      for (const character of ['A', 'Q', '_', '-', '.', '=', ' ', 'é']) {
        if (token[at] === character) continue;
        const damaged = token.slice(0, at) + character + token.slice(at + 1);
        // Characters 1 to 5 hold the key id and its length.
        assert.throws(
          () => keys.openToken(damaged, session),
          (error) => error.code === 'ERR_DECRYPT' || (at >= 1 && at <= 5 && error.code === 'ERR_UNKNOWN_KEY'),
          damaged,
        );
      }
      assert.throws(() => keys.openToken(token.slice(0, at), session), DECRYPT);
    }
  });

  it('have one spelling', () => {
    const keys = ring();
    let refused = 0;
    for (let length = 0; length < 6; length++) {
      const token = keys.sealToken('x'.repeat(length), session);
      const standard = Buffer.from(token, 'base64url').toString('base64');
      const others = [
        `${token}=`,
        `${token}==`,
        ` ${token}`,
        `${token}\n`,
        `${token}!`,
        `${token.slice(0, 9)}\n${token.slice(9)}`,
        `${token}A`,
      ];
      if (standard !== token) others.push(standard);
      // The bits of the last character that stand for nothing.
      const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
      for (const last of alphabet) {
        const other = token.slice(0, -1) + last;
        if (other !== token && Buffer.from(other, 'base64url').equals(Buffer.from(token, 'base64url')))
          others.push(other);
      }
      for (const other of others) {
        assert.throws(() => keys.openToken(other, session), DECRYPT, other);
        refused++;
      }
    }
    assert.ok(refused > 70, `${refused} spellings were tried`);
    for (const token of ['', 'A', '=', '\ud800', '💥'.repeat(50)])
      assert.throws(() => keys.openToken(token, session), DECRYPT);
    for (const token of [undefined, null, 1, Buffer.from('x'), {}]) {
      assert.throws(() => keys.openToken(token, session), { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' });
    }
  });
});
