// @ts-check
'use strict';

/**
 * PasswordHasher: promises over jobs on native threads. The defaults are argued in docs/passwords.md.
 */

const native = require('./native.js');
const { HoldfastError, createError, outOfRange, wrongType } = require('./errors.js');
const { integer, nested, oneOf, readOptions, table } = require('./options.js');
const { isBytes } = require('./content.js');

/** Bytes, and code units: as `MAX_PASSWORD_BYTES` and `MAX_LENGTH` in crates/password. */
const MAX_PASSWORD = 64 * 1024;
const MAX_STORED = 512;

const OPTIONS = table({
  algorithm: oneOf(['argon2id', 'bcrypt']),
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
  threads: integer(1, 1024, native.defaultThreads()),
  maxQueue: integer(0, 2 ** 20, 1024),
  limits: nested({
    memoryKiB: integer(8, 2 ** 31, 262144),
    passes: integer(1, 2 ** 20, 16),
    lanes: integer(1, 255, 16),
    cost: integer(4, 31, 16),
  }),
});

class PasswordHasher {
  #native;
  #threads;
  #nextJob = 0;
  /** Jobs under way. They hold on to the hasher, so that it is not collected before they are done. */
  #pending = new Map();
  /** @type {Promise<void> | undefined} */
  #closed;

  /** @param {unknown} [options] */
  constructor(options) {
    const { algorithm, argon2, bcrypt, threads, maxQueue, limits } = readOptions(options, OPTIONS);
    if (argon2.memoryKiB < 8 * argon2.lanes) {
      throw outOfRange('options.argon2.memoryKiB', 'at least 8 for each lane');
    }
    if (algorithm === 'argon2id') {
      for (const name of /** @type {const} */ (['memoryKiB', 'passes', 'lanes'])) {
        if (argon2[name] > limits[name]) throw outOfRange(`options.limits.${name}`, `at least options.argon2.${name}`);
      }
    } else if (bcrypt.cost > limits.cost) {
      throw outOfRange('options.limits.cost', 'at least options.bcrypt.cost');
    }
    this.#threads = threads;
    const pending = this.#pending;
    const [hash, verify, needsRehash, stats, close] = native.passwordHasher(
      {
        bcrypt: algorithm === 'bcrypt',
        ...argon2,
        cost: bcrypt.cost,
        threads,
        maxQueue,
        maxMemoryKiB: limits.memoryKiB,
        maxPasses: limits.passes,
        maxLanes: limits.lanes,
        maxCost: limits.cost,
      },
      /**
       * @param {number} job
       * @param {Error | undefined} error
       * @param {any} value
       */
      (job, error, value) => {
        const { resolve, reject } = pending.get(job);
        pending.delete(job);
        if (error === undefined) resolve(value);
        else reject(error);
      },
    );
    this.#native = { hash, verify, needsRehash, stats, close };
  }

  /** @param {unknown} password */
  async hash(password) {
    checkPassword(password);
    return this.#start((job) => this.#native.hash(job, password));
  }

  /**
   * @param {unknown} stored
   * @param {unknown} password
   */
  async verify(stored, password) {
    const isMissing = stored === null || stored === undefined;
    if (!isMissing && typeof stored !== 'string') throw wrongType('stored', 'a string, null or undefined');
    checkPassword(password);
    const bits = await this.#start((job) =>
      this.#native.verify(job, password, isMissing ? 0 : 1, isMissing ? '' : readable(stored)),
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
   * @param {(job: number) => void} submit
   * @returns {Promise<any>}
   */
  #start(submit) {
    return new Promise((resolve, reject) => {
      const job = this.#nextJob;
      this.#nextJob = (job + 1) % 2 ** 32;
      this.#pending.set(job, { resolve, reject, hasher: this });
      try {
        submit(job);
      } catch (error) {
        this.#pending.delete(job);
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

/** @param {unknown} password */
function checkPassword(password) {
  if (typeof password !== 'string' && !isBytes(password)) throw wrongType('password', 'a string or a Uint8Array');
  // Before it is copied. Native code counts the bytes of text, which are no fewer than its code units.
  if (password.length > MAX_PASSWORD) {
    throw createError('ERR_PASSWORD_TOO_LONG', `a password has at most ${MAX_PASSWORD} bytes`);
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

module.exports = { PasswordHasher };
