// @ts-check
'use strict';

/**
 * PasswordHasher: passwords into jobs on native threads, and what they come to.
 */

const native = require('./native.js');
const { createError, wrongType } = require('./errors.js');
const { readSignal } = require('./abort.js');
const { isBytes } = require('./content.js');
const { Jobs } = require('./jobs.js');
const { readPasswordOptions } = require('./password-options.js');

/** Bytes, and code units: as `MAX_PASSWORD_BYTES` and `MAX_LENGTH` in crates/password. */
const MAX_PASSWORD = 64 * 1024;
const MAX_STORED = 512;

class PasswordHasher {
  #jobs;
  #normalize;
  /** @type {Promise<void> | undefined} */
  #closed;

  /** @param {unknown} [options] */
  constructor(options) {
    const { settings, names, keys, normalize, threads } = readPasswordOptions(options);
    this.#normalize = normalize;
    /** @param {import('./jobs.js').Dispatch} dispatch */
    const open = (dispatch) => {
      const [hash, verify, needsRehash, stats, close, stop] = native.passwordHasher(settings, names, keys, dispatch);
      return { hash, verify, needsRehash, stats, close, stop };
    };
    this.#jobs = new Jobs(threads, open);
  }

  /**
   * @param {unknown} password
   * @param {unknown} [options]
   */
  async hash(password, options) {
    const signal = readSignal(options);
    const text = this.#read(password);
    return this.#jobs.start((job) => this.#jobs.native.hash(job, text), signal);
  }

  /**
   * @param {unknown} stored
   * @param {unknown} password
   * @param {unknown} [options]
   */
  async verify(stored, password, options) {
    const signal = readSignal(options);
    const isMissing = stored === null || stored === undefined;
    if (!isMissing && typeof stored !== 'string') throw wrongType('stored', 'a string, null or undefined');
    const text = this.#read(password);
    const bits = await this.#jobs.start(
      (job) => this.#jobs.native.verify(job, text, isMissing ? 0 : 1, isMissing ? '' : readable(stored)),
      signal,
    );
    return { valid: (bits & 1) === 1, needsRehash: (bits & 2) === 2 };
  }

  /** @param {unknown} stored */
  needsRehash(stored) {
    if (typeof stored !== 'string') throw wrongType('stored', 'a string');
    return this.#jobs.native.needsRehash(readable(stored));
  }

  stats() {
    const [threads, running, queued, completed, rejected, arenaBytes] = this.#jobs.native.stats();
    return { threads, running, queued, completed, rejected, arenaBytes };
  }

  close() {
    this.#closed ??= this.#jobs.start((job) => this.#jobs.native.close(job)).then(() => undefined);
    return this.#closed;
  }

  /**
   * The password as it is hashed.
   *
   * @param {unknown} password
   */
  #read(password) {
    if (typeof password !== 'string' && !isBytes(password)) throw wrongType('password', 'a string or a Uint8Array');
    // Before it is copied. Native code counts the bytes of text, which are no fewer than its code units.
    if (password.length > MAX_PASSWORD) {
      throw createError('ERR_PASSWORD_TOO_LONG', `a password has at most ${MAX_PASSWORD} bytes`);
    }
    return typeof password === 'string' && this.#normalize !== false ? password.normalize(this.#normalize) : password;
  }
}

/**
 * What no hash can be is not copied either: the empty string is malformed too.
 *
 * @param {string} stored
 */
function readable(stored) {
  return stored.length > MAX_STORED ? '' : stored;
}

module.exports = { PasswordHasher, readable };
