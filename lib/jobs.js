// @ts-check
'use strict';

/**
 * Promises over jobs on native threads: for PasswordHasher, and for keys of passphrases.
 */

const { HoldfastError } = require('./errors.js');
const { onAbort } = require('./abort.js');

/**
 * @typedef {(job: number, error: Error | undefined, value: any) => void} Dispatch Called when a job is done.
 * @typedef {{ stats: () => number[], stop: (job: number) => boolean }} Threads
 */

/** @template {Threads} T */
class Jobs {
  /** The native functions. @type {T} */
  native;
  #threads;
  #nextJob = 0;
  /** Jobs under way. They hold on to the native functions, so that these are not collected before they are done. */
  #pending = new Map();

  /**
   * @param {number} threads
   * @param {(dispatch: Dispatch) => T} open
   */
  constructor(threads, open) {
    this.#threads = threads;
    const pending = this.#pending;
    this.native = open((job, error, value) => {
      const waiting = pending.get(job);
      // It was aborted while a thread worked on it.
      if (waiting === undefined) return;
      pending.delete(job);
      if (error === undefined) waiting.resolve(value);
      else waiting.reject(error);
    });
  }

  /**
   * @param {(job: number) => void} submit
   * @param {AbortSignal} [signal]
   * @returns {Promise<any>}
   */
  start(submit, signal) {
    return new Promise((resolve, reject) => {
      const job = this.#nextJob;
      this.#nextJob = (job + 1) % 2 ** 32;
      const forget = onAbort(signal, (error) => {
        this.#pending.delete(job);
        this.native.stop(job);
        reject(error);
      });
      /** @param {(value: any) => void} settle */
      const finish = (settle) => (/** @type {any} */ value) => {
        forget();
        settle(value);
      };
      this.#pending.set(job, { resolve: finish(resolve), reject: finish(reject), jobs: this });
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
    const serviceMs = this.native.stats()[6];
    return { retryAfterMs: Math.max(1, Math.ceil(serviceMs / this.#threads)) };
  }
}

module.exports = { Jobs };
