// @ts-check
'use strict';

/**
 * The options of parseJson, JsonGuard and sanitize: one table, so that each name means the same everywhere. A limit
 * that is not given is Infinity; the depth has a default, as what comes after parsing recurses.
 */

const { wrongType } = require('./errors.js');
const { integer, nested, oneOf, readOptions, table } = require('./options.js');

const POLICIES = /** @type {const} */ (['error', 'remove', 'ignore']);
const MAX_BYTES = 2 ** 30 - 1;

const OPTIONS = table({
  protoKey: oneOf(POLICIES),
  constructorKey: oneOf(POLICIES),
  forbiddenKeys: keys,
  operatorKeys: oneOf(/** @type {const} */ (['ignore', 'error', 'remove'])),
  duplicateKeys: oneOf(/** @type {const} */ (['last', 'error'])),
  numbers: oneOf(/** @type {const} */ (['lossy', 'error'])),
  limits: nested({
    bytes: integer(0, MAX_BYTES, Infinity),
    depth: integer(0, 1_000_000, 128),
    keys: integer(0, MAX_BYTES, Infinity),
    keyLength: integer(0, MAX_BYTES, Infinity),
    stringLength: integer(0, MAX_BYTES, Infinity),
    arrayLength: integer(0, MAX_BYTES, Infinity),
  }),
  reviver: callback,
});
const DEFAULTS = Object.freeze(readOptions(undefined, OPTIONS));

/** @typedef {typeof DEFAULTS} ReadJsonOptions */

/**
 * @param {unknown} options
 * @returns {ReadJsonOptions}
 */
function readJsonOptions(options) {
  return options === undefined ? DEFAULTS : Object.freeze(readOptions(options, OPTIONS));
}

/**
 * Exact names, as a set.
 *
 * @param {unknown} value
 * @param {string} name
 * @returns {Set<string> | null}
 */
function keys(value, name) {
  if (value === undefined) return null;
  if (!Array.isArray(value)) throw wrongType(name, 'an array of strings');
  const read = new Set();
  for (let at = 0; at < value.length; at++) {
    const key = value[at];
    if (typeof key !== 'string') throw wrongType(`${name}[${at}]`, 'a string');
    read.add(key);
  }
  return read;
}

/**
 * @param {unknown} value
 * @param {string} name
 * @returns {((this: any, key: string, value: any) => any) | undefined}
 */
function callback(value, name) {
  if (value !== undefined && typeof value !== 'function') throw wrongType(name, 'a function');
  return /** @type {any} */ (value);
}

module.exports = { readJsonOptions };
