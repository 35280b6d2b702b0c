'use strict';

/** The life of keys in a ring: inspect, reseal, rotate, dispose, and how many there may be. */

const assert = require('node:assert/strict');
const { randomBytes } = require('node:crypto');
const { describe, it } = require('node:test');
const { AesGcmKey, Keyring, aesGcmEncrypt, generateKey } = require('..');
const { ring } = require('./support/ring.js');

const DECRYPT = { name: 'HoldfastError', code: 'ERR_DECRYPT', message: 'decryption failed' };
const UNKNOWN = { name: 'HoldfastError', code: 'ERR_UNKNOWN_KEY' };
const CLOSED = { name: 'HoldfastError', code: 'ERR_CLOSED' };
const TYPE = { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' };
const VALUE = { name: 'TypeError', code: 'ERR_INVALID_ARG_VALUE' };

/** The first buffer that comes out of a stream: its header. */
async function streamHeader(keys) {
  for await (const part of keys.sealFile(['x'])) return part;
  return undefined;
}

describe('inspect', () => {
  it('says which key sealed a message, a token and a stream, and whether it is still the primary one', async () => {
    for (const primary of ['a', 'k1', 'x'.repeat(32), 'A-z_09']) {
      const old = new Keyring({ primary, keys: { [primary]: generateKey() } });
      const rotated = old.rotate('new', generateKey());
      for (const sealed of [
        old.seal(''),
        old.seal('x'.repeat(1000)),
        old.sealToken(1, { purpose: 'p' }),
        old.sealToken('x'.repeat(500), { purpose: 'p' }),
        await streamHeader(old),
        new Uint8Array(old.seal('x')),
      ]) {
        assert.deepEqual(old.inspect(sealed), { keyId: primary, stale: false });
        assert.deepEqual(rotated.inspect(sealed), { keyId: primary, stale: true });
      }
    }
  });

  it('knows the id of a key that the ring does not hold, and authenticates nothing', () => {
    const sealed = ring('k2').seal('x');
    assert.deepEqual(ring('k1').inspect(sealed), { keyId: 'k2', stale: true });
    sealed[sealed.length - 1] ^= 1;
    assert.deepEqual(ring('k2').inspect(sealed), { keyId: 'k2', stale: false });
  });

  it('refuses what has no such header', () => {
    const keys = ring();
    for (const header of [
      [],
      [1],
      [1, 2],
      [1, 2, 107],
      [1, 0],
      [0, 1, 107],
      [4, 1, 107],
      [255, 1, 107],
      [1, 1, 0x20],
    ]) {
      assert.throws(() => keys.inspect(Buffer.from(header)), DECRYPT, `${header}`);
      assert.throws(() => keys.inspect(Buffer.from(header).toString('base64url')), DECRYPT, `${header}`);
    }
    assert.throws(() => keys.inspect(Buffer.concat([Buffer.from([1, 33]), Buffer.alloc(60, 'x')])), DECRYPT);
    assert.throws(() => keys.inspect(Buffer.concat([Buffer.from([1, 255]), Buffer.alloc(300, 'x')])), DECRYPT);
    for (const text of ['', '=', '\ud800', '💥💥', 'not a token']) assert.throws(() => keys.inspect(text), DECRYPT);
    for (const sealed of [undefined, null, 1, {}, [1, 1, 107], new ArrayBuffer(9)]) {
      assert.throws(() => keys.inspect(sealed), TYPE);
    }
  });
});

describe('reseal', () => {
  it('seals anew under the primary key, with the same associated data', () => {
    const old = ring('k1');
    const rotated = old.rotate('k2', Buffer.alloc(32, 2));
    for (const plaintext of [Buffer.alloc(0), Buffer.from('note'), randomBytes(100_000)]) {
      for (const aad of [undefined, 'x', Buffer.alloc(300, 1)]) {
        const sealed = old.seal(plaintext, { aad });
        const again = rotated.reseal(sealed, { aad });
        assert.ok(Buffer.isBuffer(again));
        assert.deepEqual(rotated.inspect(again), { keyId: 'k2', stale: false });
        assert.ok(ring('k2').open(again, { aad }).equals(plaintext));
        assert.throws(() => old.open(again, { aad }), UNKNOWN);
        assert.ok(rotated.open(rotated.reseal(again, { aad }), { aad }).equals(plaintext), 'also when it is not stale');
        assert.throws(() => rotated.reseal(sealed, { aad: 'y' }), DECRYPT);
      }
    }
  });

  it('goes from ids of any length to ids of any length', () => {
    for (const [from, to] of [
      ['a', 'x'.repeat(32)],
      ['x'.repeat(32), 'a'],
    ]) {
      const old = new Keyring({ primary: from, keys: { [from]: Buffer.alloc(32, 5) } });
      const rotated = old.rotate(to, Buffer.alloc(32, 6));
      const again = rotated.reseal(old.seal('note'));
      assert.equal(again.length, 2 + to.length + 24 + 4 + 16);
      assert.equal(rotated.open(again).toString(), 'note');
    }
  });

  it('writes into a buffer that is long enough, and elsewhere than the message', () => {
    const keys = ring();
    const sealed = keys.seal('note');
    const into = Buffer.alloc(sealed.length + 5, 0xee);
    const again = keys.reseal(sealed, { into });
    assert.deepEqual([again.buffer, again.byteOffset, again.length], [into.buffer, into.byteOffset, sealed.length]);
    assert.ok(into.subarray(sealed.length).every((byte) => byte === 0xee));
    assert.throws(() => keys.reseal(sealed, { into: sealed }), VALUE);
    const short = { name: 'RangeError', code: 'ERR_OUT_OF_RANGE' };
    assert.throws(() => keys.reseal(sealed, { into: Buffer.alloc(sealed.length - 1) }), short);
  });

  it('refuses damaged messages, unknown keys, tokens and what is not bytes', () => {
    const keys = ring();
    const sealed = keys.seal('note');
    for (let at = 0; at < sealed.length; at++) {
      const damaged = Buffer.from(sealed);
      damaged[at] ^= 1;
      assert.throws(
        () => keys.reseal(damaged),
        (error) => ['ERR_DECRYPT', 'ERR_UNKNOWN_KEY'].includes(error.code),
      );
      assert.throws(() => keys.reseal(sealed.subarray(0, at)), DECRYPT);
    }
    assert.throws(() => keys.reseal(ring('k2').seal('x')), UNKNOWN);
    assert.throws(() => keys.reseal(Buffer.from(keys.sealToken(1, { purpose: 'p' }), 'base64url')), DECRYPT);
    for (const wrong of [undefined, null, 'x', keys.sealToken(1, { purpose: 'p' }), {}]) {
      assert.throws(() => keys.reseal(wrong), TYPE);
    }
  });
});

describe('rotate', () => {
  it('makes a new ring that seals under the new key and opens under all', () => {
    const session = { purpose: 'session' };
    const rings = [ring('k1')];
    for (let index = 2; index < 6; index++) rings.push(rings.at(-1).rotate(`k${index}`, Buffer.alloc(32, index)));
    const newest = rings.at(-1);
    assert.ok(newest instanceof Keyring && newest !== rings[0]);
    rings.forEach((keys, index) => {
      assert.equal(keys.inspect(keys.seal('x')).keyId, `k${index + 1}`, 'a ring stays as it is');
      assert.equal(newest.open(keys.seal('x')).toString(), 'x');
      assert.deepEqual(newest.openToken(keys.sealToken({ a: 1 }, session), session), { a: 1 });
      if (index > 0) assert.throws(() => rings[index - 1].open(keys.seal('x')), UNKNOWN);
    });
  });

  it('refuses an id that is taken or is none, and keys that are none', () => {
    const keys = ring('k1', ['k1', 'k2']);
    for (const id of ['k1', 'k2', '', 'a b', 'é', '\ud800', 'x'.repeat(33), '__proto__\n']) {
      assert.throws(() => keys.rotate(id, generateKey()), VALUE, id);
    }
    for (const id of [undefined, null, 3, {}, Buffer.from('k3')])
      assert.throws(() => keys.rotate(id, generateKey()), TYPE);
    for (const length of [0, 16, 31, 33]) assert.throws(() => keys.rotate('k3', Buffer.alloc(length)), VALUE);
    for (const key of [undefined, null, 'a passphrase of 32 characters...', Array(32).fill(1)]) {
      assert.throws(() => keys.rotate('k3', key), TYPE);
    }
    assert.throws(() => keys.rotate('k3', 'a passphrase'), /keyFromPassphrase/);
    const proto = keys.rotate('__proto__', generateKey());
    assert.deepEqual(proto.inspect(proto.seal('x')), { keyId: '__proto__', stale: false });
  });

  it('refuses a key that the ring has, under whatever id', () => {
    const keys = ring('k2', ['k1', 'k2']);
    for (const byte of [1, 2]) assert.throws(() => keys.rotate('k3', Buffer.alloc(32, byte)), VALUE);
    assert.equal(keys.rotate('k3', Buffer.alloc(32, 3)).inspect(keys.seal('x')).stale, true);
  });

  it('keeps copies of the keys', () => {
    const key = Buffer.alloc(32, 2);
    const rotated = ring('k1').rotate('k2', key);
    key.fill(0);
    assert.equal(ring('k2').open(rotated.seal('x')).toString(), 'x');
  });
});

describe('a ring', () => {
  it('has at most 1,000 keys', () => {
    const entries = (count) =>
      Object.fromEntries(Array.from({ length: count }, (_, at) => [`k${at}`, Buffer.alloc(32, at)]));
    const largest = new Keyring({ primary: 'k999', keys: entries(1000) });
    assert.equal(largest.open(ring('k7').seal('x')).toString(), 'x');
    assert.throws(() => new Keyring({ primary: 'k0', keys: entries(1001) }), VALUE);
    assert.throws(() => largest.rotate('one-more', generateKey()), { name: 'RangeError', code: 'ERR_OUT_OF_RANGE' });
  });

  it('cannot be made of functions that somebody else made', () => {
    const watched = [];
    const options = new Proxy(
      { primary: 'k1', keys: { k1: generateKey() } },
      { get: (target, name) => (watched.push(name), target[name]) },
    );
    const keys = new Keyring(options);
    assert.equal(keys.open(keys.seal('x')).toString(), 'x');
    assert.deepEqual(watched.sort(), ['keys', 'primary'], 'options are read by the names that they have');
  });
});

describe('dispose', () => {
  const symbol = Symbol.dispose;

  it('ends a Keyring: everything that needs a key is refused, and inspect still answers', async () => {
    const keys = ring();
    const sealed = keys.seal('x');
    const token = keys.sealToken(1, { purpose: 'p' });
    keys.dispose();
    keys.dispose();
    for (const call of [
      () => keys.seal('x'),
      () => keys.open(sealed),
      () => keys.reseal(sealed),
      () => keys.rotate('k2', generateKey()),
      () => keys.sealToken(1, { purpose: 'p' }),
      () => keys.openToken(token, { purpose: 'p' }),
      () => keys.sealStream(),
      () => keys.sealWebStream(),
      () => keys.sealFile([]),
    ]) {
      assert.throws(call, CLOSED, String(call));
      assert.throws(call, /disposed/);
    }
    await assert.rejects(async () => {
      for await (const part of keys.openFile(ring().sealFile(['x']))) assert.fail(part);
    }, CLOSED);
    assert.deepEqual(keys.inspect(sealed), { keyId: 'k1', stale: false });
  });

  it('ends an AesGcmKey', () => {
    const key = new AesGcmKey(Buffer.alloc(32, 1));
    const [nonce, sealed] = [Buffer.alloc(12), key.seal('x')];
    key.dispose();
    key.dispose();
    for (const call of [
      () => key.seal('x'),
      () => key.open(sealed),
      () => key.encrypt(nonce, 'x'),
      () => key.decrypt(nonce, aesGcmEncrypt(Buffer.alloc(32, 1), nonce, 'x')),
    ]) {
      assert.throws(call, CLOSED, String(call));
    }
  });

  it('leaves rings alone that share keys', () => {
    const old = ring('k1');
    const sealed = old.seal('x');
    const rotated = old.rotate('k2', Buffer.alloc(32, 2));
    old.dispose();
    assert.equal(rotated.open(sealed).toString(), 'x');
    assert.equal(rotated.rotate('k3', generateKey()).open(sealed).toString(), 'x');
    rotated.dispose();
    assert.throws(() => rotated.open(sealed), CLOSED);
  });

  it('of a subclass is what `using` calls', () => {
    const seen = [];
    class Mine extends Keyring {
      dispose() {
        seen.push('mine');
        super.dispose();
      }
    }
    new Mine({ primary: 'k1', keys: { k1: generateKey() } })[symbol]();
    assert.deepEqual(seen, ['mine']);
  });

  it('is what `using` calls', () => {
    assert.equal(typeof symbol, 'symbol', 'every version of Node that is supported has it');
    for (const disposable of [ring(), new AesGcmKey(generateKey())]) {
      disposable[symbol]();
      assert.throws(() => disposable.seal('x'), CLOSED);
    }
  });
});
