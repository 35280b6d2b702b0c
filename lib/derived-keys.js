// @ts-check
'use strict';

/**
 * Keys made of other secrets: deriveKey, by HKDF-SHA-256 of random bytes, and keyFromPassphrase, by argon2id of a
 * passphrase, on native threads that all calls share. Every key has memory of its own, never a part of Node's pool.
 */

const native = require('./native.js');
const { createError, outOfRange, wrongType, wrongValue } = require('./errors.js');
const { integer, readOptions, table } = require('./options.js');
const { isBytes, toBytes } = require('./content.js');
const { liveSignal } = require('./abort.js');
const { Jobs } = require('./jobs.js');

const KEY_BYTES = 32;
/** 128 bits: nobody tries them all. */
const LEAST_SECRET = 16;
const MAX_SECRET = 64 * 1024;
const MAX_INFO = 64 * 1024;
const MAX_HKDF_SALT = 1024;
/** RFC 5869, §2.3: 255 hashes. */
const MAX_DERIVED = 255 * 32;

const NO_BYTES = new Uint8Array(0);

const derive = native.keyDerivation();

const DERIVE_OPTIONS = table({ salt: readSalt, length: integer(1, MAX_DERIVED, KEY_BYTES) });

/**
 * @param {unknown} secret
 * @param {unknown} info
 * @param {unknown} [options]
 */
function deriveKey(secret, info, options) {
  const { salt, length } = readOptions(options, DERIVE_OPTIONS);
  const purpose = readInfo(info);
  const key = Buffer.alloc(length);
  derive(checkSecret(secret), salt, purpose, key);
  return key;
}

/** @param {unknown} secret */
function checkSecret(secret) {
  const forText = 'keyFromPassphrase makes a key of a password or a passphrase';
  if (typeof secret === 'string') throw wrongType('secret', `random bytes, in a Uint8Array, not text; ${forText}`);
  if (!isBytes(secret)) throw wrongType('secret', 'a Uint8Array');
  if (secret.length < LEAST_SECRET) {
    throw wrongValue('secret', `at least ${LEAST_SECRET} random bytes, fewer are as good as a password; ${forText}`);
  }
  if (secret.length > MAX_SECRET) throw outOfRange('secret', `at most ${MAX_SECRET} bytes`);
  return secret;
}

/** @param {unknown} info */
function readInfo(info) {
  if (typeof info !== 'string') throw wrongType('info', 'a string');
  if (info === '') throw wrongValue('info', "a name for what the key is for, such as 'cookies'");
  const tooLong = () => outOfRange('info', `at most ${MAX_INFO} bytes of UTF-8`);
  // Before it is copied: it has no fewer bytes than code units.
  if (info.length > MAX_INFO) throw tooLong();
  const bytes = toBytes(info, 'info');
  if (bytes.length > MAX_INFO) throw tooLong();
  return bytes;
}

/** @type {import('./options.js').Reader<Uint8Array>} */
function readSalt(value, name) {
  if (value === undefined) return NO_BYTES;
  if (!isBytes(value)) throw wrongType(name, 'a Uint8Array');
  if (value.length > MAX_HKDF_SALT) throw outOfRange(name, `at most ${MAX_HKDF_SALT} bytes`);
  return value;
}

/** Bytes, as `MAX_PASSWORD_BYTES` in crates/password. */
const MAX_PASSPHRASE = 64 * 1024;
const LEAST_SALT = 16;
const MAX_SALT = 64;

/** Argued in docs/keys.md. */
const THREADS = Math.min(2, native.defaultThreads());
const MAX_QUEUE = 128;

const PASSPHRASE_OPTIONS = table({
  // RFC 9106, §4, the second recommended option: 64 MiB, 3 passes, 4 lanes. The most is twice the memory of the first.
  memoryKiB: integer(8, 2 ** 22, 65536),
  passes: integer(1, 2 ** 20, 3),
  lanes: integer(1, 255, 4),
  length: readLength,
  // The last: a signal that has fired hides no mistake.
  signal: liveSignal,
});

/**
 * @param {unknown} passphrase
 * @param {unknown} salt
 * @param {unknown} [options]
 * @returns {Promise<Buffer>}
 */
async function keyFromPassphrase(passphrase, salt, options) {
  const text = readPassphrase(passphrase);
  const ownSalt = checkSalt(salt);
  const { memoryKiB, passes, lanes, length, signal } = readOptions(options, PASSPHRASE_OPTIONS);
  if (memoryKiB < 8 * lanes) throw outOfRange('options.memoryKiB', 'at least 8 for each lane');
  const jobs = sharedJobs();
  const { derive128, derive256 } = jobs.native;
  const submit = length === KEY_BYTES ? derive256 : derive128;
  return jobs.start((job) => submit(job, text, ownSalt, memoryKiB, passes, lanes), signal);
}

/** @param {unknown} passphrase */
function readPassphrase(passphrase) {
  if (typeof passphrase !== 'string') {
    throw wrongType('passphrase', 'a string; random bytes need no argon2, deriveKey makes keys of them');
  }
  if (passphrase === '') throw wrongValue('passphrase', 'a string that is not empty');
  // Before it is copied: it has no fewer bytes than code units.
  if (passphrase.length > MAX_PASSPHRASE || Buffer.byteLength(passphrase) > MAX_PASSPHRASE) {
    throw createError('ERR_PASSWORD_TOO_LONG', `a passphrase has at most ${MAX_PASSPHRASE} bytes`);
  }
  // As UTF-8 it could only be replaced, and then different passphrases would give the same key.
  if (!passphrase.isWellFormed()) {
    throw createError(
      'ERR_PASSWORD_ENCODING',
      'the passphrase is not well-formed text (a lone surrogate): ask for another',
    );
  }
  return passphrase;
}

/** @param {unknown} salt */
function checkSalt(salt) {
  if (!isBytes(salt))
    throw wrongType('salt', `a Uint8Array of ${LEAST_SALT} random bytes, kept with what the key is for`);
  if (salt.length < LEAST_SALT || salt.length > MAX_SALT) {
    throw outOfRange('salt', `${LEAST_SALT} to ${MAX_SALT} bytes long, and random`);
  }
  return salt;
}

/** @type {import('./options.js').Reader<16 | 32>} */
function readLength(value, name) {
  if (value === undefined) return KEY_BYTES;
  if (typeof value !== 'number') throw wrongType(name, 'a number');
  if (value !== 16 && value !== KEY_BYTES) throw wrongValue(name, '16 or 32 bytes, what AES-128 and AES-256 take');
  return value;
}

/** @type {ReturnType<typeof openJobs> | undefined} */
let shared;

/** One for all parameters, so that nothing grows with them; its threads start with the first key. */
function sharedJobs() {
  shared ??= openJobs();
  return shared;
}

function openJobs() {
  /** @param {import('./jobs.js').Dispatch} dispatch */
  const open = (dispatch) => {
    const [derive128, derive256, stats, stop] = native.passphraseKeys(THREADS, MAX_QUEUE, dispatch);
    return { derive128, derive256, stats, stop };
  };
  return new Jobs(THREADS, open);
}

module.exports = { deriveKey, keyFromPassphrase };
