// @ts-check
'use strict';

/**
 * What the calls of encryption have in common: options that are read anew each time, keys, nonces, and where the result goes.
 */

const { markAsUntransferable } = require('node:worker_threads');
const { createError, outOfRange, wrongType, wrongValue } = require('./errors.js');
const { isBytes, requireBytes, toBytes } = require('./content.js');
const { readOptions, table, unchecked } = require('./options.js');

const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

const NO_BYTES = new Uint8Array(0);

/** @type {{ aad: Uint8Array, into: Uint8Array | undefined }} */
const NO_OPTIONS = Object.freeze({ aad: NO_BYTES, into: undefined });
const { hasOwnProperty } = Object.prototype;
const CALL_OPTIONS = table({ aad: unchecked, into: unchecked });

/**
 * `aad` and `into`. What `readOptions` does takes longer than to seal a short message, so here only names that are
 * enumerable are held against the known ones, as those are that somebody has written.
 *
 * @param {unknown} options
 */
function readCall(options) {
  if (options === undefined) return NO_OPTIONS;
  if (typeof options !== 'object' || options === null || Array.isArray(options)) readOptions(options, CALL_OPTIONS);
  const given = /** @type {any} */ (options);
  let aad, into;
  for (const name in given) {
    if (!hasOwnProperty.call(given, name)) continue;
    if (name === 'aad') aad = given.aad;
    else if (name === 'into') into = given.into;
    else readOptions(options, CALL_OPTIONS);
  }
  return {
    aad: aad === undefined ? NO_BYTES : toBytes(aad, 'options.aad'),
    into: into === undefined ? undefined : requireBytes(into, 'options.into'),
  };
}

/**
 * The object itself, when its enumerable names are in the table.
 *
 * @param {unknown} options
 * @param {Record<string, import('./options.js').Reader<any>>} readers Made by `table`.
 * @returns {any}
 */
function ownOptions(options, readers) {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) readOptions(options, readers);
  for (const name in /** @type {object} */ (options)) {
    if (readers[name] === undefined && Object.hasOwn(/** @type {object} */ (options), name))
      readOptions(options, readers);
  }
  return options;
}

/**
 * @param {unknown} key
 * @param {string} name
 * @param {readonly number[]} lengths
 */
function checkKey(key, name, lengths) {
  const expected = `${lengths.join(' or ')} bytes, as generateKey makes them`;
  if (typeof key === 'string') {
    throw wrongType(name, `${expected}; a passphrase is no key: make one of it with keyFromPassphrase`);
  }
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
  if (into === undefined) return allocate(length);
  if (into.length < length) throw outOfRange('options.into', `at least ${length} bytes`);
  return Buffer.isBuffer(into) ? into : Buffer.from(into.buffer, into.byteOffset, into.byteLength);
}

/** As Node 24's pool; that of Node 20 and 22 has an eighth, and for buffers of a kilobyte it is made anew all the time. */
const POOL_BYTES = 64 * 1024;
const FROM_POOL = Object.freeze({ least: 192, most: 4096 });

/** @type {Buffer} */
let pool = Buffer.alloc(0);
let taken = 0;

/**
 * From Node's pool, or from one that is larger where that makes a difference.
 *
 * @param {number} length
 */
function allocate(length) {
  const fits = length >= FROM_POOL.least && length <= FROM_POOL.most;
  if (!fits || Buffer.poolSize >= POOL_BYTES) return Buffer.allocUnsafe(length);
  if (taken + length > pool.length) {
    pool = Buffer.allocUnsafeSlow(POOL_BYTES);
    // Or who hands one result to another thread takes all the others along, as with Node's pool.
    markAsUntransferable(pool.buffer);
    taken = 0;
  }
  const start = taken;
  // The next one starts at a multiple of eight, as in Node's.
  taken = (start + length + 7) & ~7;
  return pool.subarray(start, start + length);
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

module.exports = {
  KEY_BYTES,
  NONCE_BYTES,
  NO_BYTES,
  TAG_BYTES,
  checkKey,
  checkNonce,
  decryptionFailed,
  output,
  ownOptions,
  plaintextLength,
  readCall,
  written,
};
