'use strict';

/** aesGcmEncrypt and aesGcmDecrypt, and what holds for every length. */

const assert = require('node:assert/strict');
const { createCipheriv, createDecipheriv, randomBytes, webcrypto } = require('node:crypto');
const { describe, it } = require('node:test');
const { AesGcmKey, aesGcmDecrypt, aesGcmEncrypt, generateKey } = require('..');
const { ring } = require('./support/ring.js');

const DECRYPT = { name: 'HoldfastError', code: 'ERR_DECRYPT', message: 'decryption failed' };
const TYPE = { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' };
const VALUE = { name: 'TypeError', code: 'ERR_INVALID_ARG_VALUE' };
const LONGEST = 70_000;

describe('aesGcmEncrypt and aesGcmDecrypt', () => {
  for (const keyLength of [16, 32]) {
    it(`make and take what node:crypto and WebCrypto do, with ${keyLength * 8} bits`, async () => {
      for (const size of [0, 1, 15, 16, 17, 200, 1000, 4096, 100_003]) {
        const [key, nonce, plaintext, aad] = [keyLength, 12, size, size % 41].map((length) => randomBytes(length));
        const cipher = createCipheriv(`aes-${keyLength * 8}-gcm`, key, nonce);
        cipher.setAAD(aad);
        const theirs = Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
        const ours = aesGcmEncrypt(key, nonce, plaintext, { aad });
        assert.ok(Buffer.isBuffer(ours) && ours.equals(theirs), `${size} bytes`);
        assert.ok(aesGcmDecrypt(key, nonce, theirs, { aad }).equals(plaintext));
        const decipher = createDecipheriv(`aes-${keyLength * 8}-gcm`, key, nonce, { authTagLength: 16 });
        decipher.setAAD(aad);
        decipher.setAuthTag(ours.subarray(size));
        assert.ok(Buffer.concat([decipher.update(ours.subarray(0, size)), decipher.final()]).equals(plaintext));

        const subtleKey = await webcrypto.subtle.importKey('raw', key, 'AES-GCM', false, ['encrypt', 'decrypt']);
        const algorithm = { name: 'AES-GCM', iv: nonce, additionalData: aad };
        assert.ok(Buffer.from(await webcrypto.subtle.decrypt(algorithm, subtleKey, ours)).equals(plaintext));
        assert.ok(Buffer.from(await webcrypto.subtle.encrypt(algorithm, subtleKey, plaintext)).equals(ours));
      }
    });
  }

  it('are what AesGcmKey does, with text, without options, and into a buffer', () => {
    const [key, nonce] = [generateKey(), randomBytes(12)];
    const kept = new AesGcmKey(key);
    for (const text of ['', 'a', 'é中😀\u0000']) {
      const sealed = aesGcmEncrypt(key, nonce, text);
      assert.ok(sealed.equals(kept.encrypt(nonce, text)));
      assert.equal(aesGcmDecrypt(key, nonce, sealed).toString(), text);
      const into = Buffer.alloc(50, 0xee);
      const written = aesGcmEncrypt(key, nonce, text, { into });
      assert.deepEqual(
        [written.buffer, written.byteOffset, written.length],
        [into.buffer, into.byteOffset, sealed.length],
      );
      assert.ok(written.equals(sealed));
      assert.ok(into.subarray(sealed.length).every((byte) => byte === 0xee));
    }
  });

  it('reject every flipped bit and every cut with one error', () => {
    const [key, nonce] = [Buffer.alloc(32, 1), Buffer.alloc(12, 2)];
    const sealed = aesGcmEncrypt(key, nonce, 'attack at dawn', { aad: 'to Bob' });
    const flip = (bytes, bit) => {
      const flipped = Buffer.from(bytes);
      flipped[bit >> 3] ^= 1 << (bit & 7);
      return flipped;
    };
    for (let bit = 0; bit < sealed.length * 8; bit++) {
      assert.throws(() => aesGcmDecrypt(key, nonce, flip(sealed, bit), { aad: 'to Bob' }), DECRYPT);
    }
    for (let bit = 0; bit < 96; bit++) {
      assert.throws(() => aesGcmDecrypt(key, flip(nonce, bit), sealed, { aad: 'to Bob' }), DECRYPT);
    }
    for (let bit = 0; bit < 256; bit++) {
      assert.throws(() => aesGcmDecrypt(flip(key, bit), nonce, sealed, { aad: 'to Bob' }), DECRYPT);
    }
    for (let bit = 0; bit < 48; bit++) {
      assert.throws(() => aesGcmDecrypt(key, nonce, sealed, { aad: flip(Buffer.from('to Bob'), bit) }), DECRYPT);
    }
    for (let cut = 0; cut < sealed.length; cut++) {
      assert.throws(() => aesGcmDecrypt(key, nonce, sealed.subarray(0, cut), { aad: 'to Bob' }), DECRYPT);
    }
  });

  it('refuse keys and nonces of other lengths and types, and name what to use', () => {
    const [key, nonce] = [generateKey(), Buffer.alloc(12)];
    const calls = [(...head) => aesGcmEncrypt(...head, 'x'), (...head) => aesGcmDecrypt(...head, Buffer.alloc(20))];
    for (const call of calls) {
      for (const length of [0, 1, 15, 17, 24, 31, 33, 64])
        assert.throws(() => call(Buffer.alloc(length), nonce), VALUE);
      for (const length of [0, 11, 13, 16, 24]) assert.throws(() => call(key, Buffer.alloc(length)), VALUE);
      for (const wrong of [undefined, null, 32, {}, new ArrayBuffer(32), Array(32).fill(1), 'twelve bytes']) {
        assert.throws(() => call(wrong, nonce), TYPE);
        assert.throws(() => call(key, wrong), TYPE);
      }
      const passphrase = 'a passphrase of 32 characters...';
      assert.throws(
        () => call(passphrase, nonce),
        (error) => error.message.includes('keyFromPassphrase') && !error.message.includes(passphrase),
      );
    }
    for (const wrong of [undefined, null, 1, {}]) {
      assert.throws(() => aesGcmEncrypt(key, nonce, wrong), TYPE);
      assert.throws(() => aesGcmDecrypt(key, nonce, wrong), TYPE);
    }
    assert.throws(() => aesGcmDecrypt(key, nonce, 'text of a sealed message'), TYPE);
    assert.throws(() => aesGcmEncrypt(key, nonce, '\ud800'), VALUE);
  });

  it('take views of any kind of memory', () => {
    const shared = new Uint8Array(new SharedArrayBuffer(40)).fill(3);
    const [key, nonce] = [shared.subarray(0, 32), shared.subarray(5, 17)];
    const sealed = aesGcmEncrypt(key, nonce, shared, { aad: shared });
    assert.ok(aesGcmDecrypt(Buffer.alloc(32, 3), Buffer.alloc(12, 3), sealed, { aad: shared }).equals(shared));
    const detached = new Uint8Array(32);
    structuredClone(detached, { transfer: [detached.buffer] });
    assert.throws(() => aesGcmEncrypt(detached, Buffer.alloc(12), 'x'), VALUE);
  });

  it('refuse views whose memory is gone, which only look empty', () => {
    const detached = new Uint8Array(32);
    structuredClone(detached, { transfer: [detached.buffer] });
    const memory = new ArrayBuffer(8, { maxByteLength: 8 });
    const outside = new Uint8Array(memory, 4, 4);
    memory.resize(2);
    const key = new AesGcmKey(Buffer.alloc(32, 1));
    for (const gone of [detached, outside]) {
      assert.equal(gone.length, 0);
      for (const call of [
        () => aesGcmEncrypt(Buffer.alloc(32, 1), Buffer.alloc(12), gone),
        () => key.seal(gone),
        () => key.seal('x', { aad: gone }),
        () => key.seal('x', { into: gone }),
        () => ring().seal(gone),
        () => ring().sealStream({ aad: gone }),
      ]) {
        assert.throws(call, VALUE, String(call));
      }
    }
    assert.equal(key.open(key.seal(new Uint8Array(0))).length, 0, 'nothing is something else');
  });
});

describe('results', () => {
  it('are not taken along when another one is transferred', () => {
    const key = new AesGcmKey(Buffer.alloc(32, 1));
    for (const length of [10, 300, 3000]) {
      const [first, second] = [key.seal(Buffer.alloc(length, 'A')), key.seal(Buffer.alloc(length, 'B'))];
      // Node 20 copies what may not be transferred, later versions throw.
      try {
        structuredClone(first, { transfer: [first.buffer] });
      } catch (error) {
        assert.equal(error.name, 'DataCloneError');
      }
      for (const sealed of [first, second]) assert.equal(key.open(sealed).length, length);
    }
  });

  it('do not overwrite each other after an input that lies about its length', () => {
    const key = new AesGcmKey(Buffer.alloc(32, 1));
    const before = Array.from({ length: 40 }, (_, at) => key.seal(Buffer.alloc(1000, at)));
    for (const length of [NaN, -1, 0.5, 1e9, '300', {}]) {
      const liar = Object.defineProperty(Buffer.alloc(300), 'length', { value: length });
      try {
        key.seal(liar);
      } catch (error) {
        assert.ok(error instanceof Error);
      }
    }
    for (let at = 0; at < 100; at++) key.seal(Buffer.alloc(1000, 0xff));
    before.forEach((sealed, at) => assert.ok(key.open(sealed).equals(Buffer.alloc(1000, at))));
  });
});

describe('what was sealed opens', () => {
  const content = randomBytes(LONGEST);
  const sealedRoom = Buffer.alloc(LONGEST + 100);
  const openedRoom = Buffer.alloc(LONGEST);
  const key = new AesGcmKey(generateKey());
  const keys = ring();

  for (const [name, subject, overhead] of [
    ['AesGcmKey', key, 28],
    ['Keyring', keys, 44],
  ]) {
    it(`at every length up to ${LONGEST} bytes, by ${name}`, () => {
      for (let length = 0; length <= LONGEST; length++) {
        const plaintext = content.subarray(0, length);
        const sealed = subject.seal(plaintext, { into: sealedRoom });
        const opened = subject.open(sealed, { into: openedRoom });
        if (sealed.length !== length + overhead || Buffer.compare(opened, plaintext) !== 0)
          assert.fail(`${length} bytes`);
      }
    });

    it(`in results that do not overlap, by ${name}`, () => {
      // Results of these lengths come from pools.
      const lengths = Array.from({ length: 3000 }, (_, at) => (at * 37) % 5000);
      const sealed = lengths.map((length) => subject.seal(content.subarray(0, length)));
      const opened = sealed.map((message) => subject.open(message));
      opened.forEach((plaintext, at) =>
        assert.ok(plaintext.equals(content.subarray(0, lengths[at])), `${lengths[at]}`),
      );
      for (const message of opened) message.fill(0);
      sealed.forEach((message, at) => assert.equal(subject.open(message).length, lengths[at]));
    });
  }
});
