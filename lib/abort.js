// @ts-check
'use strict';

/**
 * AbortSignals, as Node's own functions take them: listened to beside whoever else listens, and let go of when the work
 * is done.
 */

const { readOptions, table } = require('./options.js');
const { AbortError, wrongType } = require('./errors.js');

const OPTIONS = table({ signal: liveSignal });

const { addEventListener, removeEventListener } = EventTarget.prototype;
const isAborted = /** @type {() => boolean} */ (Object.getOwnPropertyDescriptor(AbortSignal.prototype, 'aborted')?.get);
const reasonOf = /** @type {() => unknown} */ (Object.getOwnPropertyDescriptor(AbortSignal.prototype, 'reason')?.get);

/**
 * The signal in `{ signal }`.
 *
 * @param {unknown} options
 */
function readSignal(options) {
  return readOptions(options, OPTIONS).signal;
}

/**
 * Reads a signal among options. Throws when it has fired already: the work is not begun.
 *
 * @type {import('./options.js').Reader<AbortSignal | undefined>}
 */
function liveSignal(value, name) {
  if (value === undefined) return undefined;
  let aborted;
  try {
    aborted = Reflect.apply(isAborted, value, []);
  } catch {
    throw wrongType(name, 'an AbortSignal');
  }
  if (aborted) throw new AbortError(Reflect.apply(reasonOf, value, []));
  return /** @type {AbortSignal} */ (value);
}

/**
 * What each signal has to tell. It is listened to once, however much work waits for it: Node warns of more than ten
 * listeners, and a server may well give one signal to all its requests.
 *
 * @type {WeakMap<AbortSignal, { waiting: Set<(error: Error) => void>, listener: () => void }>}
 */
const heard = new WeakMap();

/**
 * Calls `aborted` with the error when the signal fires. Returns how to stop listening.
 *
 * @param {AbortSignal | undefined} signal
 * @param {(error: Error) => void} aborted
 */
function onAbort(signal, aborted) {
  if (signal === undefined) return () => {};
  const { waiting } = heard.get(signal) ?? listen(signal);
  waiting.add(aborted);
  return () => {
    waiting.delete(aborted);
    if (waiting.size > 0 || heard.get(signal)?.waiting !== waiting) return;
    Reflect.apply(removeEventListener, signal, ['abort', heard.get(signal)?.listener]);
    heard.delete(signal);
  };
}

/** @param {AbortSignal} signal */
function listen(signal) {
  const waiting = new Set();
  const listener = () => {
    heard.delete(signal);
    const error = new AbortError(Reflect.apply(reasonOf, signal, []));
    for (const aborted of waiting) aborted(error);
  };
  const entry = { waiting, listener };
  heard.set(signal, entry);
  Reflect.apply(addEventListener, signal, ['abort', listener, { once: true }]);
  return entry;
}

module.exports = { liveSignal, onAbort, readSignal };
