'use strict';

/** AesGcmKey against node:crypto and WebCrypto, and what it has in common with Keyring: `into`, and wrong arguments. */

const assert = require('node:assert/strict');
const { createCipheriv, createDecipheriv, randomBytes, webcrypto } = require('node:crypto');
const { describe, it } = require('node:test');
const { AesGcmKey, Keyring, generateKey } = require('..');
const { Random } = require('./support/random.js');
const { ring } = require('./support/ring.js');

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
        { into: Buffer.alloc(200), nonce },
      ]) {
        assert.throws(() => call(Buffer.alloc(99), options), { name: 'TypeError', code: 'ERR_INVALID_ARG_VALUE' });
      }
    }
  });
});
