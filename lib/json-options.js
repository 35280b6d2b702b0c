// @ts-check
'use strict';

/**
 * The options of everything that reads JSON or takes JSON-shaped values: one table, and what it is read into.
 */

const { outOfRange, wrongType, wrongValue } = require('./errors.js');
const { integer, nested, oneOf, readOptions, table, unchecked } = require('./options.js');

const POLICIES = /** @type {const} */ (['error', 'remove', 'ignore']);

/** What comes after parsing recurses: class-validator overflows at about 800 levels, JSON.stringify at 4,200. */
const DEFAULT_DEPTH = 128;

/** V8 calls a reviver from a recursion of its own, which overflows at some thousand levels. */
const MOST_DEPTH_WITH_REVIVER = 1000;

const MOST_FORBIDDEN_KEYS = 1000;

const LIMITS = nested({
  bytes: integer(0, 2 ** 30 - 1, 2 ** 30 - 1),
  depth: integer(0, 1_000_000, DEFAULT_DEPTH),
  keys: integer(0, 2 ** 30 - 1, Infinity),
  keyLength: integer(0, 2 ** 30 - 1, Infinity),
  stringLength: integer(0, 2 ** 30 - 1, Infinity),
  arrayLength: integer(0, 2 ** 30 - 1, Infinity),
});

const OPTIONS = table({
  protoKey: oneOf(POLICIES),
  constructorKey: oneOf(POLICIES),
  forbiddenKeys: names,
  operatorKeys: oneOf(/** @type {const} */ (['ignore', 'error', 'remove'])),
  duplicateKeys: oneOf(/** @type {const} */ (['last', 'error'])),
  numbers: oneOf(/** @type {const} */ (['lossy', 'error'])),
  limits: LIMITS,
  reviver: unchecked,
});

/**
 * The limits that the native guard takes, in its order; that of the bytes is looked at before.
 *
 * @param {ReturnType<typeof LIMITS>} limits
 */
function sizesOf({ depth, keys, keyLength, stringLength, arrayLength }) {
  return [depth, keys, keyLength, stringLength, arrayLength];
}

/** @typedef {ReturnType<typeof readJsonOptions>} ReadJsonOptions */

/**
 * @param {unknown} options
 */
function readJsonOptions(options) {
  const read = readOptions(options, OPTIONS);
  const { reviver, limits } = read;
  if (reviver !== undefined && typeof reviver !== 'function') throw wrongType('options.reviver', 'a function');
  if (reviver !== undefined && limits.depth > MOST_DEPTH_WITH_REVIVER) {
    throw wrongValue('options.limits.depth', `at most ${MOST_DEPTH_WITH_REVIVER} where there is a reviver`);
  }
  return Object.freeze(read);
}

/**
 * @param {unknown} value
 * @param {string} name
 * @returns {ReadonlySet<string> | null}
 */
function names(value, name) {
  if (value === undefined) return null;
  if (!Array.isArray(value)) throw wrongType(name, 'an array of strings');
  if (value.length > MOST_FORBIDDEN_KEYS) throw outOfRange(`${name}.length`, `at most ${MOST_FORBIDDEN_KEYS}`);
  const set = new Set();
  for (let index = 0; index < value.length; index++) {
    if (typeof value[index] !== 'string') throw wrongType(`${name}[${index}]`, 'a string');
    set.add(value[index]);
  }
  return set.size === 0 ? null : set;
}

module.exports = { LIMITS, POLICIES, readJsonOptions, sizesOf };
