// @ts-check
'use strict';

/** Options that rateLimit and slowDown have in common, and those of the limiter that is made of them. */

const { wrongType, wrongValue } = require('../errors.js');
const { integer } = require('../options.js');
const { MOST_TOKENS, MOST_WINDOW_MS } = require('../rate.js');

/**
 * @template T
 * @typedef {import('../options.js').Reader<T>} Reader
 */

/** A structured field's string and a log's word, without anything to escape. */
const NAME = /^[A-Za-z0-9_-]{1,64}$/;

const readTokens = integer(1, MOST_TOKENS, 600);
const readWindowMs = integer(1, MOST_WINDOW_MS, 60_000);

/** @type {Reader<string>} */
function readName(value, name) {
  if (value === undefined) return 'default';
  if (typeof value !== 'string') throw wrongType(name, 'a string');
  if (!NAME.test(value)) throw wrongValue(name, '1 to 64 letters, digits, - and _');
  return value;
}

/** @type {Reader<((req: any) => any) | undefined>} */
function readFunction(value, name) {
  if (value === undefined) return undefined;
  if (typeof value !== 'function') throw wrongType(name, 'a function of the request');
  return /** @type {(req: any) => any} */ (value);
}

/**
 * @param {boolean} fallback
 * @returns {Reader<boolean>}
 */
function flag(fallback) {
  return (value, name) => {
    if (value === undefined) return fallback;
    if (typeof value !== 'boolean') throw wrongType(name, 'true or false');
    return value;
  };
}

module.exports = { flag, readFunction, readName, readTokens, readWindowMs };
