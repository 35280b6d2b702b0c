// @ts-check
'use strict';

/** Pieces say `options.limit` of what is `options.limits.login.limit` to those who call harden(). */

const { createError } = require('../errors.js');

const OF_OPTIONS = new Set(['ERR_INVALID_ARG_TYPE', 'ERR_INVALID_ARG_VALUE', 'ERR_OUT_OF_RANGE']);

/**
 * What `create` returns; what it throws about its options, with the name that they have here.
 *
 * @template T
 * @param {string} name
 * @param {() => T} create
 * @returns {T}
 */
function inside(name, create) {
  try {
    return create();
  } catch (thrown) {
    const { code, message } = /** @type {{ code: string, message: string }} */ (thrown);
    if (!OF_OPTIONS.has(code) || !/^options\b/.test(message)) throw thrown;
    const error = createError(code, message.replace(/^options\b/, () => `options.${name}`));
    throw Object.assign(error, { cause: thrown });
  }
}

module.exports = { inside };
