'use strict';

/** AesGcmKey against node:crypto and WebCrypto, Keyring against the documented format, and both against damage. */

const assert = require('node:assert/strict');
const { createCipheriv, createDecipheriv, randomBytes, webcrypto } = require('node:crypto');
const { describe, it } = require('node:test');
const { AesGcmKey, Keyring, generateKey } = require('..');
const { Random } = require('./support/random.js');
const { openMessage, sealMessage, xaesSeal } = require('./support/xaes.js');
const cases = require('./aead.cases.json');

const SEED = Number(process.env.HOLDFAST_SEED ?? 20_261_121);
/** Bytes; the edges of AES blocks, of stack buffers and of Node's buffer pool among them. */
const SIZES = [0, 1, 15, 16, 17, 31, 32, 33, 255, 256, 4096, 8191, 8192, 65_536, 1_000_003];
const DECRYPT = { name: 'HoldfastError', code: 'ERR_DECRYPT', message: 'decryption failed' };
const NO_BYTES = Buffer.alloc(0);

function nodeEncrypt(key, nonce, plaintext, aad) {
  const cipher = createCipheriv(`aes-${key.length * 8}-gcm`, key, nonce);
  cipher.setAAD(aad);
  return Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
}

function nodeDecrypt(key, nonce, sealed, aad) {
  const decipher = createDecipheriv(`aes-${key.length * 8}-gcm`, key, nonce, { authTagLength: 16 });
  decipher.setAAD(aad);
  decipher.setAuthTag(sealed.subarray(sealed.length - 16));
  return Buffer.concat([decipher.update(sealed.subarray(0, sealed.length - 16)), decipher.final()]);
}

function ring(primary = 'k1', ids = [primary]) {
  const byte = (id) => Number(id.replace(/\D/g, '')) || 1;
  return new Keyring({ primary, keys: Object.fromEntries(ids.map((id) => [id, Buffer.alloc(32, byte(id))])) });
}

describe('generateKey', () => {
  it('makes 32 bytes, different each time, in a buffer of their own', () => {
    const keys = Array.from({ length: 1000 }, () => generateKey());
    assert.equal(new Set(keys.map((key) => key.toString('hex'))).size, 1000);
    for (const key of keys) assert.ok(Buffer.isBuffer(key) && key.length === 32);
    // Not a slice of Node's pool, where other code's buffers lie beside it.
    assert.equal(keys[0].buffer.byteLength, 32);
    const bits = keys.reduce(
      (count, key) => key.reduce((sum, byte) => sum + byte.toString(2).replaceAll('0', '').length, count),
      0,
    );
    // Half of 256,000 bits, give or take ten standard deviations.
    assert.ok(Math.abs(bits - 128_000) < 10 * Math.sqrt(64_000), `${bits} bits are set`);
  });
});

describe('AesGcmKey', () => {
  for (const keyLength of [16, 32]) {
    it(`makes and takes what node:crypto does, with ${keyLength * 8} bits`, () => {
      const random = new Random(SEED);
      for (const size of [...SIZES, ...Array.from({ length: 200 }, () => random.below(300))]) {
        const [key, nonce, plaintext, aad] = [keyLength, 12, size, random.below(40)].map((length) =>
          randomBytes(length),
        );
        const ours = new AesGcmKey(key);
        const theirs = nodeEncrypt(key, nonce, plaintext, aad);
        const sealed = ours.encrypt(nonce, plaintext, { aad });
        assert.ok(Buffer.isBuffer(sealed) && sealed.equals(theirs), `${size} bytes`);
        assert.ok(ours.decrypt(nonce, theirs, { aad }).equals(plaintext), `${size} bytes`);
        if (aad.length === 0) assert.ok(ours.encrypt(nonce, plaintext).equals(theirs));

        const withNonce = ours.seal(plaintext, { aad });
        assert.equal(withNonce.length, 12 + size + 16);
        assert.ok(nodeDecrypt(key, withNonce.subarray(0, 12), withNonce.subarray(12), aad).equals(plaintext));
        assert.ok(ours.open(Buffer.concat([nonce, theirs]), { aad }).equals(plaintext));
      }
    });

    it(`makes and takes what WebCrypto does, with ${keyLength * 8} bits`, async () => {
      for (const size of [0, 1, 16, 1000]) {
        const [key, iv, plaintext, aad] = [keyLength, 12, size, 9].map((length) => randomBytes(length));
        const algorithm = { name: 'AES-GCM', iv, additionalData: aad };
        const theirKey = await webcrypto.subtle.importKey('raw', key, 'AES-GCM', false, ['encrypt', 'decrypt']);
        const ours = new AesGcmKey(key);
        const theirs = Buffer.from(await webcrypto.subtle.encrypt(algorithm, theirKey, plaintext));
        assert.ok(ours.decrypt(iv, theirs, { aad }).equals(plaintext));
        const opened = await webcrypto.subtle.decrypt(algorithm, theirKey, ours.encrypt(iv, plaintext, { aad }));
        assert.ok(Buffer.from(opened).equals(plaintext));
      }
    });
  }

  it('takes text as UTF-8, and text and bytes alike', () => {
    const key = new AesGcmKey(Buffer.alloc(32, 1));
    const nonce = Buffer.alloc(12, 2);
    for (const text of ['', 'a', 'é中😀\u0000', 'x'.repeat(10_000)]) {
      const sealed = key.encrypt(nonce, text, { aad: text });
      assert.ok(sealed.equals(key.encrypt(nonce, Buffer.from(text), { aad: Buffer.from(text) })));
      assert.equal(key.decrypt(nonce, sealed, { aad: text }).toString(), text);
    }
    const view = new Uint8Array(Buffer.from('0123456789').buffer.slice(0), 0, 4);
    assert.ok(key.open(key.seal(view)).equals(view));
  });

  it('takes content in shared memory', () => {
    const key = new AesGcmKey(Buffer.alloc(32, 1));
    const shared = new Uint8Array(new SharedArrayBuffer(20), 3, 16).fill(5);
    const sealed = key.seal(shared, { aad: shared });
    const inShared = new Uint8Array(new SharedArrayBuffer(sealed.length));
    inShared.set(sealed);
    assert.ok(key.open(inShared, { aad: shared }).equals(Buffer.alloc(16, 5)));
  });

  it('seals the same content differently every time', () => {
    const key = new AesGcmKey(generateKey());
    const sealed = new Set(Array.from({ length: 1000 }, () => key.seal('same').toString('hex')));
    assert.equal(new Set([...sealed].map((hex) => hex.slice(0, 24))).size, 1000);
  });

  it('rejects every flipped bit and every cut, with one error that says nothing', () => {
    const key = new AesGcmKey(Buffer.alloc(16, 7));
    const sealed = key.seal('attack at dawn', { aad: 'to Bob' });
    const [nonce, rest] = [sealed.subarray(0, 12), sealed.subarray(12)];
    const errors = [];
    const reject = (open) => {
      try {
        open();
      } catch (error) {
        errors.push(error);
        return;
      }
      assert.fail('accepted');
    };
    for (let bit = 0; bit < sealed.length * 8; bit++) {
      const damaged = Buffer.from(sealed);
      damaged[bit >> 3] ^= 1 << (bit & 7);
      reject(() => key.open(damaged, { aad: 'to Bob' }));
      reject(() => key.decrypt(damaged.subarray(0, 12), damaged.subarray(12), { aad: 'to Bob' }));
    }
    for (let cut = 0; cut < sealed.length; cut++) reject(() => key.open(sealed.subarray(0, cut), { aad: 'to Bob' }));
    for (let cut = 0; cut < rest.length; cut++)
      reject(() => key.decrypt(nonce, rest.subarray(0, cut), { aad: 'to Bob' }));
    for (const aad of ['', 'to bob', 'to Bob ', 'to Bo', 'to Bob\0', undefined])
      reject(() => key.open(sealed, { aad }));
    reject(() => key.open(Buffer.concat([sealed, Buffer.alloc(1)]), { aad: 'to Bob' }));
    reject(() => new AesGcmKey(Buffer.alloc(16, 8)).open(sealed, { aad: 'to Bob' }));
    reject(() => new AesGcmKey(Buffer.alloc(32, 7)).open(sealed, { aad: 'to Bob' }));
    const seen = (error) => JSON.stringify([error.name, error.code, error.message, error.cause, Object.keys(error)]);
    assert.deepEqual(
      [...new Set(errors.map(seen))],
      [JSON.stringify(['HoldfastError', 'ERR_DECRYPT', 'decryption failed', undefined, ['code']])],
    );
  });

  it('refuses keys and nonces of the wrong length or type', () => {
    for (const length of [0, 1, 15, 17, 24, 31, 33, 64]) {
      assert.throws(() => new AesGcmKey(Buffer.alloc(length)), { name: 'TypeError', code: 'ERR_INVALID_ARG_VALUE' });
    }
    const text = 'a passphrase of 32 characters...';
    assert.throws(
      () => new AesGcmKey(text),
      (error) => error.code === 'ERR_INVALID_ARG_TYPE' && !error.message.includes(text),
    );
    for (const key of [undefined, null, 32, {}, new ArrayBuffer(32), new Uint16Array(16), Array(32).fill(1)]) {
      assert.throws(() => new AesGcmKey(key), { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' });
    }
    const key = new AesGcmKey(generateKey());
    for (const length of [0, 11, 13, 16, 24]) {
      for (const call of ['encrypt', 'decrypt']) {
        assert.throws(() => key[call](Buffer.alloc(length), Buffer.alloc(16)), {
          name: 'TypeError',
          code: 'ERR_INVALID_ARG_VALUE',
        });
      }
    }
    for (const nonce of [undefined, null, 'twelve bytes', 12, [1]]) {
      assert.throws(() => key.encrypt(nonce, 'x'), { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' });
    }
  });

  it('keeps a copy of the key', () => {
    const bytes = Buffer.alloc(32, 1);
    const key = new AesGcmKey(bytes);
    bytes.fill(0);
    assert.equal(new AesGcmKey(Buffer.alloc(32, 1)).open(key.seal('x')).toString(), 'x');
  });
});

/** The four calls that write, each with a fresh instance, its input and what it must write. */
const WRITERS = {
  'AesGcmKey.encrypt': (options, plaintext) => {
    const nonce = Buffer.alloc(12, 3);
    return {
      out: new AesGcmKey(Buffer.alloc(32, 1)).encrypt(nonce, plaintext, options),
      open: (out) => nodeDecrypt(Buffer.alloc(32, 1), nonce, out, NO_BYTES),
    };
  },
  'AesGcmKey.seal': (options, plaintext) => {
    const key = new AesGcmKey(Buffer.alloc(32, 1));
    return { out: key.seal(plaintext, options), open: (out) => key.open(out) };
  },
  'Keyring.seal': (options, plaintext) => ({ out: ring().seal(plaintext, options), open: (out) => ring().open(out) }),
};
const READERS = {
  'AesGcmKey.decrypt': (sealed, options) =>
    new AesGcmKey(Buffer.alloc(32, 1)).decrypt(Buffer.alloc(12, 3), sealed, options),
  'AesGcmKey.open': (sealed, options) => new AesGcmKey(Buffer.alloc(32, 1)).open(sealed, options),
  'Keyring.open': (sealed, options) => ring().open(sealed, options),
};
const SEALED = {
  'AesGcmKey.decrypt': () => new AesGcmKey(Buffer.alloc(32, 1)).encrypt(Buffer.alloc(12, 3), 'plaintext'),
  'AesGcmKey.open': () => new AesGcmKey(Buffer.alloc(32, 1)).seal('plaintext'),
  'Keyring.open': () => ring().seal('plaintext'),
};

describe('the option into', () => {
  for (const [name, write] of Object.entries(WRITERS)) {
    it(`of ${name}`, () => {
      const length = write({}, 'plaintext').out.length;
      for (const [extra, make] of [
        [0, (size) => Buffer.alloc(size)],
        [9, (size) => Buffer.alloc(size, 0xee)],
        [0, (size) => new Uint8Array(size)],
        [5, (size) => new Uint8Array(size + 8).subarray(4, size + 4)],
      ]) {
        const into = make(length + extra);
        const rest = Buffer.from(into.subarray(length));
        const { out, open } = write({ into }, 'plaintext');
        assert.ok(Buffer.isBuffer(out) && out.length === length);
        assert.deepEqual([out.buffer, out.byteOffset], [into.buffer, into.byteOffset], 'a part of into, not a copy');
        assert.equal(open(out).toString(), 'plaintext');
        assert.ok(rest.equals(into.subarray(length)), 'nothing is written behind the result');
      }
      for (const short of [0, 1, length - 1]) {
        assert.throws(() => write({ into: Buffer.alloc(short) }, 'plaintext'), {
          name: 'RangeError',
          code: 'ERR_OUT_OF_RANGE',
        });
      }
      const memory = Buffer.alloc(200);
      for (const [from, to] of [
        [0, 0],
        [0, 8],
        [8, 0],
        [0, length - 1],
        [length - 1, 0],
      ]) {
        const plaintext = memory.subarray(from, from + 9);
        const overlapping = { name: 'TypeError', code: 'ERR_INVALID_ARG_VALUE' };
        if (to < from + 9 && from < to + length) {
          const before = Buffer.from(memory);
          assert.throws(() => write({ into: memory.subarray(to, to + length) }, plaintext), overlapping);
          assert.throws(
            () => write({ into: memory.subarray(to, to + length), aad: plaintext }, 'plaintext'),
            overlapping,
          );
          assert.ok(memory.equals(before), 'nothing has been written');
        } else {
          assert.ok(write({ into: memory.subarray(to, to + length) }, plaintext).out.length === length);
        }
      }
      assert.ok(
        write({ into: memory.subarray(9, 9 + length) }, memory.subarray(0, 9)).out.length === length,
        'side by side',
      );
      assert.throws(() => write({ into: new Uint8Array(new SharedArrayBuffer(200)) }, 'plaintext'), {
        code: 'ERR_INVALID_ARG_TYPE',
      });
      for (const into of [null, 'x'.repeat(200), new ArrayBuffer(200), new Uint16Array(200), [], {}]) {
        assert.throws(() => write({ into }, 'plaintext'), { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' });
      }
    });
  }

  for (const [name, read] of Object.entries(READERS)) {
    it(`of ${name}`, () => {
      const sealed = SEALED[name]();
      for (const size of [9, 10, 500]) {
        const into = Buffer.alloc(size, 0xee);
        const out = read(sealed, { into });
        assert.equal(out.toString(), 'plaintext');
        assert.deepEqual([out.buffer, out.byteOffset, out.length], [into.buffer, into.byteOffset, 9]);
        assert.ok(into.subarray(9).every((byte) => byte === 0xee));
      }
      assert.equal(Buffer.from(read(sealed, { into: new Uint8Array(9) })).toString(), 'plaintext');
      assert.throws(() => read(sealed, { into: Buffer.alloc(8) }), { name: 'RangeError', code: 'ERR_OUT_OF_RANGE' });
      assert.throws(() => read(sealed, { into: sealed }), { name: 'TypeError', code: 'ERR_INVALID_ARG_VALUE' });
      assert.throws(() => read(sealed, { into: new Uint8Array(new SharedArrayBuffer(99)) }), {
        code: 'ERR_INVALID_ARG_TYPE',
      });
      const damaged = Buffer.from(sealed);
      damaged[damaged.length - 1] ^= 1;
      const into = Buffer.alloc(40, 0xee);
      assert.throws(() => read(damaged, { into }), DECRYPT);
      assert.ok(!into.includes('plaintext'), 'what did not authenticate is not left behind');
    });
  }
});

describe('AesGcmKey and Keyring refuse', () => {
  const key = new AesGcmKey(generateKey());
  const nonce = Buffer.alloc(12);
  const calls = {
    encrypt: (content, options) => key.encrypt(nonce, content, options),
    seal: (content, options) => key.seal(content, options),
    'ring.seal': (content, options) => ring().seal(content, options),
  };
  const opening = {
    decrypt: (content, options) => key.decrypt(nonce, content, options),
    open: (content, options) => key.open(content, options),
    'ring.open': (content, options) => ring().open(content, options),
  };

  it('text with a lone surrogate, without repeating it', () => {
    for (const text of ['\ud800', 'secret\udc00', '\udc00\ud800', `${'x'.repeat(5000)}\ud83d`]) {
      for (const call of Object.values(calls)) {
        const refused = (error) => error.code === 'ERR_INVALID_ARG_VALUE' && !error.message.includes('secret');
        assert.throws(() => call(text), refused);
        assert.throws(() => call('x', { aad: text }), refused);
      }
    }
  });

  it('content that is neither text nor bytes, and sealed content that is not bytes', () => {
    for (const content of [
      undefined,
      null,
      7,
      {},
      [],
      new ArrayBuffer(8),
      new Uint32Array(2),
      Object.create(Uint8Array.prototype),
    ]) {
      for (const call of [...Object.values(calls), ...Object.values(opening)]) {
        assert.throws(() => call(content), { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' });
        assert.throws(() => call(Buffer.alloc(99), { aad: content ?? 1 }), {
          name: 'TypeError',
          code: 'ERR_INVALID_ARG_TYPE',
        });
      }
    }
    for (const call of Object.values(opening)) {
      assert.throws(() => call('text'), { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' });
    }
  });

  it('options that are not theirs', () => {
    for (const call of [...Object.values(calls), ...Object.values(opening)]) {
      for (const options of [null, 1, 'aad', [], () => ({})]) {
        assert.throws(() => call(Buffer.alloc(99), options), { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' });
      }
      for (const options of [
        { add: 'x' },
        { AAD: 'x' },
        { [Symbol('aad')]: 'x' },
        { into: Buffer.alloc(200), nonce },
      ]) {
        assert.throws(() => call(Buffer.alloc(99), options), { name: 'TypeError', code: 'ERR_INVALID_ARG_VALUE' });
      }
    }
  });
});

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
