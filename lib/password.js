// @ts-check
'use strict';

/**
 * PasswordHasher: promises over jobs on native threads.
 */

const native = require('./native.js');
const { HoldfastError, createError, wrongType } = require('./errors.js');
const { onAbort, readSignal } = require('./abort.js');
const { isBytes } = require('./content.js');
const { readPasswordOptions } = require('./password-options.js');

/** Bytes, and code units: as `MAX_PASSWORD_BYTES` and `MAX_LENGTH` in crates/password. */
const MAX_PASSWORD = 64 * 1024;
const MAX_STORED = 512;

class PasswordHasher {
  #native;
  #threads;
  #normalize;
  #nextJob = 0;
  /** Jobs under way. They hold on to the hasher, so that it is not collected before they are done. */
  #pending = new Map();
  /** @type {Promise<void> | undefined} */
  #closed;

  /** @param {unknown} [options] */
  constructor(options) {
    const { settings, names, keys, normalize, threads } = readPasswordOptions(options);
    this.#threads = threads;
    this.#normalize = normalize;
    const pending = this.#pending;
    const [hash, verify, needsRehash, stats, close, stop] = native.passwordHasher(
      settings,
      names,
      keys,
      /**
       * @param {number} job
       * @param {Error | undefined} error
       * @param {any} value
       */
      (job, error, value) => {
        const waiting = pending.get(job);
        // It was aborted while a thread worked on it.
        if (waiting === undefined) return;
        pending.delete(job);
        if (error === undefined) waiting.resolve(value);
        else waiting.reject(error);
      },
    );
    this.#native = { hash, verify, needsRehash, stats, close, stop };
  }

  /**
   * @param {unknown} password
   * @param {unknown} [options]
   */
  async hash(password, options) {
    const signal = readSignal(options);
    const text = this.#read(password);
    return this.#start((job) => this.#native.hash(job, text), signal);
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
    const bits = await this.#start(
      (job) => this.#native.verify(job, text, isMissing ? 0 : 1, isMissing ? '' : readable(stored)),
      signal,
    );
    return { valid: (bits & 1) === 1, needsRehash: (bits & 2) === 2 };
  }

  /** @param {unknown} stored */
  needsRehash(stored) {
    if (typeof stored !== 'string') throw wrongType('stored', 'a string');
    return this.#native.needsRehash(readable(stored));
  }

  stats() {
    const [threads, running, queued, completed, rejected, arenaBytes] = this.#native.stats();
    return { threads, running, queued, completed, rejected, arenaBytes };
  }

  close() {
    this.#closed ??= this.#start((job) => this.#native.close(job)).then(() => undefined);
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

  /**
   * @param {(job: number) => void} submit
   * @param {AbortSignal} [signal]
   * @returns {Promise<any>}
   */
  #start(submit, signal) {
    return new Promise((resolve, reject) => {
      const job = this.#nextJob;
      this.#nextJob = (job + 1) % 2 ** 32;
      const forget = onAbort(signal, (error) => {
        this.#pending.delete(job);
        this.#native.stop(job);
        reject(error);
      });
      /** @param {(value: any) => void} settle */
      const finish = (settle) => (/** @type {any} */ value) => {
        forget();
        settle(value);
      };
      this.#pending.set(job, { resolve: finish(resolve), reject: finish(reject), hasher: this });
      try {
        submit(job);
      } catch (error) {
        this.#pending.delete(job);
        forget();
        const { code, message } = /** @type {NodeJS.ErrnoException} */ (error);
        reject(code === 'ERR_QUEUE_FULL' ? new HoldfastError(code, message, this.#retry()) : error);
      }
    });
  }

  /** When a place in the queue should be free: the time in which the threads finish one job. */
  #retry() {
    const stats = this.#native.stats();
    const serviceMs = stats[6];
    return { retryAfterMs: Math.max(1, Math.ceil(serviceMs / this.#threads)) };
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
