// @ts-check
'use strict';

/** What the errors of a store mean, and the error that its users get. */

const { HoldfastError } = require('./errors.js');

/**
 * @param {number} retryAfterMs
 * @param {unknown} cause
 */
function storeError(retryAfterMs, cause) {
  const details = cause === undefined ? { retryAfterMs } : { retryAfterMs, cause };
  return new HoldfastError('ERR_RATE_STORE', 'the store of the rate limit is not available; try again', details);
}

/**
 * Errors that say that the store is well. All others count as its failure, those of the client and of its configuration
 * (NOAUTH, NOPERM) too.
 *
 * @param {unknown} error
 */
function isAboutKey(error) {
  return error instanceof Error && /^(WRONGTYPE|HOLDFAST)\b/.test(error.message);
}

/**
 * What kind of failure: Redis's word or the system's, and no text, which may hold anything.
 *
 * @param {unknown} error
 */
function codeOf(error) {
  if (!(error instanceof Error)) return 'UNKNOWN';
  // Before Redis 7 some errors of commands in a script have its line in front.
  const known = /^(?:@user_script: ?\d+: -?)?([A-Z]{2,32})\b/.exec(error.message);
  if (known !== null) return known[1];
  const code = Object.hasOwn(error, 'code') ? /** @type {any} */ (error).code : undefined;
  return typeof code === 'string' && /^[A-Z_]{2,32}$/.test(code) ? code : 'UNKNOWN';
}

module.exports = { codeOf, isAboutKey, storeError };
