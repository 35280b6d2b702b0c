// @ts-check
'use strict';

/**
 * AES-GCM keys, and rings of named keys. JavaScript takes the output from Node's buffer pool and native code fills it.
 */

const native = require('./native.js');
const { createError, outOfRange, wrongType, wrongValue } = require('./errors.js');
const { integer, readOptions, table, unchecked } = require('./options.js');
const { isBytes, requireBytes, toBytes } = require('./content.js');
const { parseJson } = require('./json.js');

const fillRandom = native.randomFiller();

const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const RING_NONCE_BYTES = 24;
/** The values that native code writes into the first byte. */
const KIND = /** @type {const} */ ({ message: 1, token: 2 });

const EXPIRY_BYTES = 8;
/** Of a token's JSON. Tokens travel in cookies and headers, which servers limit to 8 or 16 KiB. */
const MAX_TOKEN_JSON = 64 * 1024;
const MAX_TOKEN = Math.ceil(((MAX_TOKEN_JSON + 128) * 4) / 3);

const NO_BYTES = new Uint8Array(0);

function generateKey() {
  const key = Buffer.alloc(KEY_BYTES);
  fillRandom(key);
  return key;
}

class AesGcmKey {
  #encrypt;
  #decrypt;
  #seal;
  #open;

  /** @param {unknown} key */
  constructor(key) {
    [this.#encrypt, this.#decrypt, this.#seal, this.#open] = native.aesGcmKey(checkKey(key, 'key', [16, KEY_BYTES]));
  }

  /**
   * @param {unknown} nonce
   * @param {unknown} plaintext
   * @param {unknown} [options]
   */
  encrypt(nonce, plaintext, options) {
    const bytes = toBytes(plaintext, 'plaintext');
    const { aad, into } = readCall(options);
    const out = output(into, bytes.length + TAG_BYTES);
    return written(out, this.#encrypt(checkNonce(nonce), aad, bytes, out));
  }

  /**
   * @param {unknown} nonce
   * @param {unknown} ciphertextAndTag
   * @param {unknown} [options]
   */
  decrypt(nonce, ciphertextAndTag, options) {
    const bytes = requireBytes(ciphertextAndTag, 'ciphertextAndTag');
    const { aad, into } = readCall(options);
    const out = output(into, plaintextLength(bytes, TAG_BYTES));
    return written(out, this.#decrypt(checkNonce(nonce), aad, bytes, out));
  }

  /**
   * @param {unknown} plaintext
   * @param {unknown} [options]
   */
  seal(plaintext, options) {
    const bytes = toBytes(plaintext, 'plaintext');
    const { aad, into } = readCall(options);
    const out = output(into, NONCE_BYTES + bytes.length + TAG_BYTES);
    return written(out, this.#seal(aad, bytes, out));
  }

  /**
   * @param {unknown} sealed
   * @param {unknown} [options]
   */
  open(sealed, options) {
    const bytes = requireBytes(sealed, 'sealed');
    const { aad, into } = readCall(options);
    const out = output(into, plaintextLength(bytes, NONCE_BYTES + TAG_BYTES));
    return written(out, this.#open(aad, bytes, out));
  }
}

class Keyring {
  #seal;
  #open;
  #overhead;

  /** @param {unknown} options */
  constructor(options) {
    const { primary, keys } = readOptions(options, RING_OPTIONS);
    if (typeof primary !== 'string') throw wrongType('options.primary', 'a string');
    if (typeof keys !== 'object' || keys === null || isBytes(keys)) {
      throw wrongType('options.keys', 'an object of key ids and keys');
    }
    const ids = Object.keys(keys);
    if (!ids.includes(primary)) throw wrongValue('options.primary', 'one of the ids in options.keys');
    if (!ids.every((id) => /^[A-Za-z0-9_-]{1,32}$/.test(id))) {
      throw wrongValue('options.keys', 'named by ids of 1 to 32 ASCII letters, digits, - and _');
    }
    const ordered = [primary, ...ids.filter((id) => id !== primary)];
    const bytes = ordered.map((id) => checkKey(/** @type {any} */ (keys)[id], 'each of options.keys', [KEY_BYTES]));
    [this.#seal, this.#open] = native.keyring(ordered, bytes);
    this.#overhead = 2 + primary.length + RING_NONCE_BYTES + TAG_BYTES;
  }

  /**
   * @param {unknown} plaintext
   * @param {unknown} [options]
   */
  seal(plaintext, options) {
    const bytes = toBytes(plaintext, 'plaintext');
    const { aad, into } = readCall(options);
    const out = output(into, bytes.length + this.#overhead);
    return written(out, this.#seal(KIND.message, aad, bytes, out));
  }

  /**
   * @param {unknown} sealed
   * @param {unknown} [options]
   */
  open(sealed, options) {
    const { aad, into } = readCall(options);
    return this.#openAs(KIND.message, aad, requireBytes(sealed, 'sealed'), into);
  }

  /**
   * @param {unknown} value
   * @param {unknown} options
   */
  sealToken(value, options) {
    const { purpose, ttlMs } = readOptions(options, SEAL_TOKEN_OPTIONS);
    const json = JSON.stringify(value);
    if (json === undefined) throw wrongType('value', 'what JSON can express');
    const text = Buffer.from(json, 'utf8');
    if (text.length > MAX_TOKEN_JSON) throw outOfRange('value', `at most ${MAX_TOKEN_JSON} bytes of JSON`);
    parseJson(text); // What openToken will refuse must not be sealed.
    const plaintext = Buffer.allocUnsafe(EXPIRY_BYTES + text.length);
    plaintext.writeBigUInt64BE(ttlMs === undefined ? 0n : BigInt(Date.now() + ttlMs), 0);
    text.copy(plaintext, EXPIRY_BYTES);
    const out = Buffer.allocUnsafe(plaintext.length + this.#overhead);
    return written(out, this.#seal(KIND.token, purpose, plaintext, out)).toString('base64url');
  }

  /**
   * @param {unknown} token
   * @param {unknown} options
   */
  openToken(token, options) {
    const { purpose } = readOptions(options, OPEN_TOKEN_OPTIONS);
    if (typeof token !== 'string') throw wrongType('token', 'a string');
    if (token.length > MAX_TOKEN) throw decryptionFailed();
    const sealed = Buffer.from(token, 'base64url');
    // Node skips what is not base64url: two spellings would open as one token.
    if (sealed.toString('base64url') !== token) throw decryptionFailed();
    const plaintext = this.#openAs(KIND.token, purpose, sealed, undefined);
    if (plaintext.length < EXPIRY_BYTES) throw decryptionFailed();
    const expiry = plaintext.readBigUInt64BE(0);
    if (expiry !== 0n && expiry <= BigInt(Date.now())) {
      throw createError('ERR_TOKEN_EXPIRED', 'the token has expired: ask for a new one');
    }
    return parseJson(plaintext.subarray(EXPIRY_BYTES));
  }

  /**
   * @param {number} kind
   * @param {Uint8Array} aad
   * @param {Uint8Array} sealed
   * @param {Uint8Array | undefined} into
   */
  #openAs(kind, aad, sealed, into) {
    const idLength = sealed.length > 1 ? sealed[1] : 0;
    const out = output(into, plaintextLength(sealed, 2 + idLength + RING_NONCE_BYTES + TAG_BYTES));
    return written(out, this.#open(kind, aad, sealed, out));
  }
}

const CALL_OPTIONS = table({ aad: unchecked, into: unchecked });
const RING_OPTIONS = table({ primary: unchecked, keys: unchecked });
const OPEN_TOKEN_OPTIONS = table({ purpose: readPurpose });
const SEAL_TOKEN_OPTIONS = table({ purpose: readPurpose, ttlMs: readTtl });

/** @param {unknown} options */
function readCall(options) {
  if (options === undefined) return { aad: NO_BYTES, into: undefined };
  const { aad, into } = readOptions(options, CALL_OPTIONS);
  return {
    aad: aad === undefined ? NO_BYTES : toBytes(aad, 'options.aad'),
    into: into === undefined ? undefined : requireBytes(into, 'options.into'),
  };
}

/**
 * @param {unknown} value
 * @param {string} name
 */
function readPurpose(value, name) {
  if (typeof value !== 'string') throw wrongType(name, 'a string');
  if (value === '') throw wrongValue(name, "a name for what the token is for, such as 'session'");
  return toBytes(value, name);
}

/** @type {import('./options.js').Reader<number | undefined>} */
function readTtl(value, name) {
  return value === undefined ? undefined : integer(1, 2 ** 48, 1)(value, name);
}

/**
 * @param {unknown} key
 * @param {string} name
 * @param {number[]} lengths
 */
function checkKey(key, name, lengths) {
  const expected = `${lengths.join(' or ')} bytes, as generateKey makes them`;
  if (typeof key === 'string') throw wrongType(name, `${expected}; text is not a key, it has to be derived from it`);
  if (!isBytes(key)) throw wrongType(name, `a Uint8Array of ${expected}`);
  if (!lengths.includes(key.length)) throw wrongValue(name, expected);
  return key;
}

/** @param {unknown} nonce */
function checkNonce(nonce) {
  if (requireBytes(nonce, 'nonce').length !== NONCE_BYTES) throw wrongValue('nonce', `${NONCE_BYTES} bytes`);
  return nonce;
}

/**
 * @param {Uint8Array | undefined} into
 * @param {number} length
 */
function output(into, length) {
  if (into === undefined) return Buffer.allocUnsafe(length);
  if (into.length < length) throw outOfRange('options.into', `at least ${length} bytes`);
  return Buffer.isBuffer(into) ? into : Buffer.from(into.buffer, into.byteOffset, into.byteLength);
}

/**
 * @param {Buffer} out
 * @param {number} length
 */
function written(out, length) {
  return out.length === length ? out : out.subarray(0, length);
}

/**
 * @param {Uint8Array} sealed
 * @param {number} overhead
 */
function plaintextLength(sealed, overhead) {
  if (sealed.length < overhead) throw decryptionFailed();
  return sealed.length - overhead;
}

function decryptionFailed() {
  return createError('ERR_DECRYPT', 'decryption failed');
}

module.exports = { AesGcmKey, Keyring, generateKey };
