// @ts-check
'use strict';

/**
 * The signals that end servers: one listener for each signal however many servers there are, and one end of the process
 * when all that the signal began are done. Listeners are gone when what they wait for is.
 */

const os = require('node:os');
const { wrongType, wrongValue } = require('../errors.js');

/**
 * Ctrl-C under npm reaches a process more than once: from the terminal, from npm, and when the shell between them is
 * gone. That is one signal.
 */
const SAME_SIGNAL_MS = 1000;

/** Nobody can listen for these. */
const DEAF = new Set(['SIGKILL', 'SIGSTOP']);

/**
 * @typedef {{ close(reason: string): Promise<import('./graceful-shutdown.js').ShutdownReport> }} Shutdown
 */

/** @type {Map<NodeJS.Signals, Set<Shutdown>>} */
const waiting = new Map();

/** Those that end the process. @type {WeakSet<Shutdown>} */
const ending = new WeakSet();

/** When a signal began it. @type {WeakMap<Shutdown, number>} */
const began = new WeakMap();

/**
 * @param {Shutdown} shutdown
 * @param {readonly NodeJS.Signals[]} signals
 * @param {boolean} exit
 */
function listenForSignals(shutdown, signals, exit) {
  if (exit) ending.add(shutdown);
  for (const signal of signals) {
    let shutdowns = waiting.get(signal);
    if (shutdowns === undefined) {
      process.on(signal, onSignal);
      shutdowns = new Set();
      waiting.set(signal, shutdowns);
    }
    shutdowns.add(shutdown);
  }
}

/**
 * It is done. The same signal may come once more.
 *
 * @param {Shutdown} shutdown
 */
function forgetSignals(shutdown) {
  const restMs = (began.get(shutdown) ?? -Infinity) + SAME_SIGNAL_MS - performance.now();
  if (restMs > 0) setTimeout(forget, restMs, shutdown).unref();
  else forget(shutdown);
}

/** @param {Shutdown} shutdown */
function forget(shutdown) {
  for (const [signal, shutdowns] of waiting) {
    if (!shutdowns.delete(shutdown) || shutdowns.size > 0) continue;
    waiting.delete(signal);
    process.off(signal, onSignal);
  }
}

/** @param {NodeJS.Signals} signal */
function onSignal(signal) {
  const now = performance.now();
  const shutdowns = [...(waiting.get(signal) ?? [])];
  const fresh = shutdowns.filter((shutdown) => !began.has(shutdown));
  for (const shutdown of fresh) began.set(shutdown, now);
  if (fresh.length > 0) {
    void end(signal, fresh);
    return;
  }
  const isSecond = shutdowns.every((shutdown) => now - Number(began.get(shutdown)) >= SAME_SIGNAL_MS);
  if (isSecond && shutdowns.length > 0) process.exit(1);
}

/**
 * @param {NodeJS.Signals} signal
 * @param {Shutdown[]} shutdowns
 */
async function end(signal, shutdowns) {
  const reports = await Promise.all(shutdowns.map((shutdown) => shutdown.close(signal)));
  if (!shutdowns.some((shutdown) => ending.has(shutdown))) return;
  const failed = reports.filter((report) => Object.hasOwn(report, 'error'));
  // Nobody else is there any more to say why the exit code is 1.
  for (const { error } of failed) console.error('gracefulShutdown: onClose failed:', error);
  const isClean = failed.length === 0 && reports.every(({ cut }) => cut === 0);
  // Those who await close() come first.
  setImmediate(() => process.exit(isClean ? 0 : 1));
}

/** @type {import('../options.js').Reader<readonly NodeJS.Signals[]>} */
function readSignals(value, name) {
  if (value === undefined) return ['SIGTERM', 'SIGINT'];
  if (!Array.isArray(value)) throw wrongType(name, 'an array of names of signals');
  for (const signal of value) {
    if (typeof signal !== 'string') throw wrongType(name, 'an array of names of signals');
    if (!Object.hasOwn(os.constants.signals, signal) || DEAF.has(signal)) {
      throw wrongValue(name, 'an array of names of signals, without SIGKILL and SIGSTOP');
    }
  }
  return [...new Set(value)];
}

module.exports = { forgetSignals, listenForSignals, readSignals };
