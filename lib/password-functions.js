// @ts-check
'use strict';

/**
 * What does not need a PasswordHasher of one's own: hashPassword and verifyPassword over a shared one, parseHash, and
 * calibrate.
 */

const { performance } = require('node:perf_hooks');
const native = require('./native.js');
const { wrongType } = require('./errors.js');
const { integer, readOptions, table } = require('./options.js');
const { PasswordHasher, readable } = require('./password.js');

/** @type {PasswordHasher | undefined} */
let shared;

function sharedHasher() {
  shared ??= new PasswordHasher();
  return shared;
}

/**
 * @param {unknown} password
 * @param {unknown} [options]
 */
async function hashPassword(password, options) {
  return sharedHasher().hash(password, options);
}

/**
 * @param {unknown} stored
 * @param {unknown} password
 * @param {unknown} [options]
 */
async function verifyPassword(stored, password, options) {
  const { valid } = await sharedHasher().verify(stored, password, options);
  return valid;
}

const readHash = native.hashReader();
const ALGORITHMS = ['argon2d', 'argon2i', 'argon2id', 'bcrypt', 'scrypt'];
const HEAD = 7;

/** @param {unknown} stored */
function parseHash(stored) {
  if (typeof stored !== 'string') throw wrongType('stored', 'a string');
  const numbers = readHash(readable(stored));
  const [kind, version, first, second, third, digestLength, saltLength] = numbers;
  const bytes = Buffer.from(numbers.slice(HEAD));
  const salt = new Uint8Array(bytes.subarray(0, saltLength));
  const algorithm = ALGORITHMS[kind];
  if (algorithm === 'bcrypt') {
    return { algorithm, version: `2${String.fromCharCode(version)}`, params: { cost: first }, salt, digestLength };
  }
  if (algorithm === 'scrypt') {
    return { algorithm, params: { logN: first, r: second, p: third }, salt, digestLength };
  }
  const params = { memoryKiB: first, passes: second, lanes: third };
  const keyId = bytes.toString('utf8', saltLength);
  return { algorithm, version, params, salt, digestLength, ...(keyId === '' ? {} : { keyId }) };
}

/** RFC 9106's second recommendation, and the least that OWASP lists (with five passes). */
const MOST_MEMORY = 65536;
const LEAST_MEMORY = 7168;

const CALIBRATION = table({
  targetMs: integer(1, 60_000, 0),
  maxMemoryKiB: integer(LEAST_MEMORY, 2 ** 31, MOST_MEMORY),
});

/**
 * Memory first, because it is what attackers pay for: as much as fits into the time with two passes, then more passes.
 *
 * @param {unknown} options
 */
async function calibrate(options) {
  const { targetMs, maxMemoryKiB } = readOptions(options, CALIBRATION);
  if (targetMs === 0) throw wrongType('options.targetMs', 'a number');
  let passes = 2;
  let memoryKiB = LEAST_MEMORY;
  let measuredMs = await measure(memoryKiB, passes);
  // The time is nearly proportional to both: what seems to fit is tried, and made smaller until it does. Nothing is
  // measured that would take much longer than it may.
  let fitting = fit(memoryKiB, targetMs / measuredMs, maxMemoryKiB);
  for (let round = 0; round < 6 && fitting > LEAST_MEMORY; round++) {
    memoryKiB = fitting;
    measuredMs = await measure(memoryKiB, passes);
    if (measuredMs <= targetMs) break;
    fitting = fit(memoryKiB, (0.97 * targetMs) / measuredMs, memoryKiB - 1024);
  }
  if (measuredMs > targetMs) memoryKiB = LEAST_MEMORY;
  if (memoryKiB === LEAST_MEMORY) {
    // OWASP: 7 MiB with five passes is worth as much as 19 MiB with two.
    passes = 5;
    measuredMs = await measure(memoryKiB, passes);
  }
  // Where there is time left, more passes: fewer again while a guess takes too long.
  let guess = memoryKiB === maxMemoryKiB ? Math.min(MOST_PASSES, Math.floor((passes * targetMs) / measuredMs)) : 0;
  for (; guess > passes; guess--) {
    const longer = await measure(memoryKiB, guess);
    if (longer <= targetMs) {
      [passes, measuredMs] = [guess, longer];
      break;
    }
  }
  return { memoryKiB, passes, lanes: 1, measuredMs };
}

/**
 * So many times as much memory, in whole MiB, as far as there is.
 *
 * @param {number} memoryKiB
 * @param {number} times
 * @param {number} most
 */
function fit(memoryKiB, times, most) {
  const fitting = Math.min(memoryKiB * times, most);
  return Math.max(LEAST_MEMORY, fitting === most ? most : Math.floor(fitting / 1024) * 1024);
}

/** What a hasher accepts without being told more: the default of limits.passes. */
const MOST_PASSES = 16;

/**
 * The median of three hashes on a thread that has its memory already.
 *
 * @param {number} memoryKiB
 * @param {number} passes
 */
async function measure(memoryKiB, passes) {
  const hasher = new PasswordHasher({
    argon2: { memoryKiB, passes, lanes: 1 },
    limits: { memoryKiB, passes },
    threads: 1,
  });
  const times = [];
  for (let round = 0; round < 4; round++) {
    const start = performance.now();
    await hasher.hash('correct horse battery staple');
    times.push(performance.now() - start);
  }
  await hasher.close();
  return times.slice(1).sort((first, second) => first - second)[1];
}

module.exports = { calibrate, hashPassword, parseHash, verifyPassword };
