// @ts-check
'use strict';

/**
 * A PasswordHasher's options. The defaults are argued in docs/passwords.md.
 */

const native = require('./native.js');
const { outOfRange, wrongType, wrongValue } = require('./errors.js');
const { integer, nested, oneOf, readOptions, table, unchecked } = require('./options.js');
const { isBytes } = require('./content.js');

/** In the order that native code knows. */
const ALGORITHMS = /** @type {const} */ (['argon2id', 'bcrypt', 'scrypt']);

/** Argon2's own limit is 2³² − 1 bytes; no secret needs to be as long. */
const MAX_PEPPER = 1024;
const MAX_PEPPERS = 64;

/** What a stored hash may hold of it: in the PHC string's base64 and on one line. */
const PEPPER_NAME = /^[A-Za-z0-9._-]{1,32}$/;

const OPTIONS = table({
  algorithm: oneOf(ALGORITHMS),
  // OWASP Password Storage Cheat Sheet, 2026-08: argon2id with 19 MiB, 2 passes, 1 lane. RFC 9106: 16-byte salt,
  // 32-byte tag.
  argon2: nested({
    memoryKiB: integer(8, 2 ** 31, 19456),
    passes: integer(1, 2 ** 20, 2),
    lanes: integer(1, 255, 1),
    tagLength: integer(12, 64, 32),
    saltLength: integer(8, 64, 16),
  }),
  bcrypt: nested({ cost: integer(4, 31, 12) }),
  bcryptLong: oneOf(['error', 'truncate']),
  // OWASP, the same: N = 2^17, r = 8, p = 1.
  scrypt: nested({ logN: integer(1, 31, 17), r: integer(1, 1024, 8), p: integer(1, 255, 1) }),
  pepper,
  normalize: form,
  threads: integer(1, 1024, native.defaultThreads()),
  maxQueue: integer(0, 2 ** 20, 1024),
  limits: nested({
    memoryKiB: integer(8, 2 ** 31, 262144),
    passes: integer(1, 2 ** 20, 16),
    lanes: integer(1, 255, 16),
    cost: integer(4, 31, 16),
    logN: integer(1, 31, 20),
  }),
});

const PEPPER = table({ current: unchecked, keys: unchecked });

/**
 * @typedef {object} Read
 * @property {object} settings As `passwordHasher` of the native side takes them.
 * @property {string[]} names Of the peppers, the current one first.
 * @property {Uint8Array[]} keys
 * @property {'NFC' | 'NFKC' | false} normalize
 * @property {number} threads
 */

/**
 * @param {unknown} options
 * @returns {Read}
 */
function readPasswordOptions(options) {
  const read = readOptions(options, OPTIONS);
  const { algorithm, argon2, bcrypt, scrypt, limits, threads, maxQueue, normalize } = read;
  if (argon2.memoryKiB < 8 * argon2.lanes) throw outOfRange('options.argon2.memoryKiB', 'at least 8 for each lane');
  if (algorithm === 'argon2id') {
    for (const name of /** @type {const} */ (['memoryKiB', 'passes', 'lanes'])) {
      if (argon2[name] > limits[name]) throw outOfRange(`options.limits.${name}`, `at least options.argon2.${name}`);
    }
  } else if (algorithm === 'bcrypt') {
    if (bcrypt.cost > limits.cost) throw outOfRange('options.limits.cost', 'at least options.bcrypt.cost');
  } else {
    checkScrypt(scrypt, limits);
  }
  const [names, keys] = read.pepper;
  if (names.length > 0 && algorithm !== 'argon2id') {
    throw wrongValue('options.pepper', "used with algorithm 'argon2id': bcrypt and scrypt take no secret");
  }
  const settings = {
    algorithm: ALGORITHMS.indexOf(algorithm),
    ...argon2,
    cost: bcrypt.cost,
    bcryptTruncates: read.bcryptLong === 'truncate',
    ...scrypt,
    threads,
    maxQueue,
    maxMemoryKiB: limits.memoryKiB,
    maxPasses: limits.passes,
    maxLanes: limits.lanes,
    maxCost: limits.cost,
    maxLogN: limits.logN,
  };
  return { settings, names, keys, normalize, threads };
}

/**
 * @param {{ logN: number, r: number, p: number }} scrypt
 * @param {{ logN: number, memoryKiB: number, lanes: number }} limits
 */
function checkScrypt({ logN, r, p }, limits) {
  // RFC 7914: N must be less than 2^(128 · r / 8).
  if (logN >= 16 * r) throw outOfRange('options.scrypt.logN', 'less than 16 · options.scrypt.r');
  if (logN > limits.logN) throw outOfRange('options.limits.logN', 'at least options.scrypt.logN');
  if (p > limits.lanes) throw outOfRange('options.limits.lanes', 'at least options.scrypt.p');
  if ((r * (2 ** logN + p)) / 8 > limits.memoryKiB) {
    throw outOfRange('options.limits.memoryKiB', 'at least what options.scrypt take, r · (2^logN + p) / 8');
  }
}

/**
 * Names and keys, the current one first.
 *
 * @param {unknown} value
 * @param {string} name
 * @returns {[string[], Uint8Array[]]}
 */
function pepper(value, name) {
  if (value === undefined) return [[], []];
  const { current, keys } = readOptions(value, PEPPER, name);
  if (typeof current !== 'string') throw wrongType(`${name}.current`, 'a string');
  if (typeof keys !== 'object' || keys === null || Array.isArray(keys)) throw wrongType(`${name}.keys`, 'an object');
  if (!Object.hasOwn(keys, current)) throw wrongValue(`${name}.current`, `one of the names in ${name}.keys`);
  const names = [current, ...Object.keys(keys).filter((other) => other !== current)];
  if (names.length > MAX_PEPPERS) throw outOfRange(`${name}.keys`, `at most ${MAX_PEPPERS} keys`);
  return [
    names,
    names.map((each) => {
      if (!PEPPER_NAME.test(each)) {
        throw wrongValue(`${name}.keys`, 'keys whose names are 1 to 32 of the characters A-Z a-z 0-9 . _ -');
      }
      const key = /** @type {any} */ (keys)[each];
      if (!isBytes(key)) throw wrongType(`${name}.keys['${each}']`, 'a Uint8Array');
      if (key.length < 16 || key.length > MAX_PEPPER) {
        throw outOfRange(`${name}.keys['${each}']`, `16 to ${MAX_PEPPER} random bytes`);
      }
      return key;
    }),
  ];
}

/**
 * @param {unknown} value
 * @param {string} name
 * @returns {'NFC' | 'NFKC' | false}
 */
function form(value, name) {
  if (value === undefined || value === false) return false;
  if (value !== 'NFC' && value !== 'NFKC') throw wrongValue(name, "'NFC', 'NFKC' or false");
  return value;
}

module.exports = { readPasswordOptions };
