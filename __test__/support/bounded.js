'use strict';

/**
 * Runs a function for a limited time. V8's regular expressions look for such a limit whenever they go back, so a
 * pattern that makes V8 explode ends here. Native code does not: what it runs must end by itself.
 */

const vm = require('node:vm');

const KEY = Symbol.for('holdfast.bounded');
const script = new vm.Script(`globalThis[Symbol.for('holdfast.bounded')]()`);

/**
 * The result of `run` as `{ value }`, or nothing when it takes longer than `timeout` milliseconds.
 *
 * @template T
 * @param {() => T} run
 * @param {number} [timeout]
 * @returns {{ value: T } | undefined}
 */
function bounded(run, timeout = 1000) {
  globalThis[KEY] = run;
  try {
    return { value: script.runInThisContext({ timeout }) };
  } catch (error) {
    if (error.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT') return undefined;
    throw error;
  } finally {
    delete globalThis[KEY];
  }
}

module.exports = { bounded };
