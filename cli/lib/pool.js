// @ts-check
'use strict';

/**
 * Worker threads that take tasks in turn. A worker that dies (out of memory, or stuck) is replaced, and its task is
 * answered as failed: nothing waits for it for ever. A worker that cannot even start ends the whole scan.
 */

const { Worker } = require('node:worker_threads');

const { WORKER_STACK_MIB } = require('./depth.js');

const HEAP_MIB = 1536;
/** Milliseconds. Longer than any file or pattern takes on a machine that is not starved. */
const STUCK_MS = 120_000;

/**
 * @typedef {{ kind: 'file', file: string }} FileTask
 * @typedef {{ kind: 'pattern', source: string, flags: string, timeoutMs: number }} PatternTask
 * @typedef {FileTask | PatternTask} Task
 * @typedef {{ result: any } | { failure: string }} Answer
 * @typedef {{ task: Task, resolve: (answer: Answer) => void }} Waiting
 */

class Pool {
  /** @type {Set<Worker>} */
  #workers = new Set();
  /** @type {Waiting[]} */
  #queue = [];
  #first = 0;
  /** @type {Worker[]} */
  #idle = [];
  /** @type {(error: Error) => void} */
  #fail = () => {};
  #closed = false;
  #file;
  #heapMib;

  /**
   * @param {number} size
   * @param {{ file?: string, heapMib?: number }} [worker] Other than usual in tests.
   */
  constructor(size, { file = require.resolve('./worker.js'), heapMib = HEAP_MIB } = {}) {
    this.#file = file;
    this.#heapMib = heapMib;
    /** Rejects when workers cannot be had at all. @type {Promise<never>} */
    this.broken = new Promise((_, reject) => { this.#fail = reject; });
    this.broken.catch(() => {});
    for (let count = 0; count < size; count += 1) this.#start();
  }

  /**
   * @param {Task} task
   * @returns {Promise<Answer>}
   */
  run(task) {
    return new Promise((resolve) => {
      this.#queue.push({ task, resolve });
      this.#next();
    });
  }

  async close() {
    this.#closed = true;
    await Promise.all([...this.#workers].map((worker) => worker.terminate()));
  }

  #next() {
    while (this.#idle.length > 0 && this.#first < this.#queue.length) {
      const worker = /** @type {Worker} */ (this.#idle.pop());
      const waiting = this.#queue[this.#first];
      this.#first += 1;
      if (this.#first === this.#queue.length || this.#first > 1024) {
        this.#queue.splice(0, this.#first);
        this.#first = 0;
      }
      this.#give(worker, waiting);
    }
  }

  #start() {
    const worker = new Worker(this.#file, {
      resourceLimits: { stackSizeMb: WORKER_STACK_MIB, maxOldGenerationSizeMb: this.#heapMib },
      // The parser's loader takes a path to load from this one.
      env: withoutLoaderPath(),
    });
    this.#workers.add(worker);
    let started = false;
    let reason = 'a worker ended';
    worker.on('error', (error) => { reason = error.message; });
    worker.on('message', (message) => {
      if (message.unusable !== undefined) reason = message.unusable;
      if (message.unusable !== undefined) void worker.terminate();
      if (message.ready !== true) return;
      started = true;
      this.#idle.push(worker);
      this.#next();
    });
    worker.on('exit', () => {
      this.#workers.delete(worker);
      this.#idle = this.#idle.filter((each) => each !== worker);
      if (this.#closed) return;
      if (started) this.#start();
      else this.#fail(new Error(reason));
    });
  }

  /**
   * @param {Worker} worker
   * @param {Waiting} waiting
   */
  #give(worker, { task, resolve }) {
    let reason = 'the worker ended';
    const timer = setTimeout(() => end({ failure: 'took too long' }), STUCK_MS);
    const onError = (/** @type {Error} */ error) => { reason = error.message; };
    const onExit = () => end({ failure: reason });
    const onMessage = (/** @type {Answer} */ answer) => {
      stop();
      this.#idle.push(worker);
      resolve(answer);
      this.#next();
    };
    const stop = () => {
      clearTimeout(timer);
      worker.off('message', onMessage);
      worker.off('exit', onExit);
      worker.off('error', onError);
    };
    const end = (/** @type {Answer} */ answer) => {
      stop();
      void worker.terminate();
      resolve(answer);
    };
    worker.on('message', onMessage);
    worker.on('exit', onExit);
    worker.on('error', onError);
    worker.postMessage(task);
  }
}

function withoutLoaderPath() {
  const { NAPI_RS_NATIVE_LIBRARY_PATH: _, ...rest } = process.env;
  return rest;
}

module.exports = { Pool };
