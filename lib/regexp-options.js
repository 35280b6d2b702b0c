// @ts-check
'use strict';

/** The options of SafeRegExp. */

const { wrongType } = require('./errors.js');
const { integer, readOptions, table } = require('./options.js');

const readers = table({
  memoryLimit: integer(65_536, 2 ** 32, 64 * 2 ** 20),
  backreferences,
});

const budget = table({ budget: required(integer(1, Number.MAX_SAFE_INTEGER, 0)) });

/** What holds without options. */
const DEFAULTS = limitsOf(undefined);

/**
 * @param {unknown} options
 * @returns {import('./regexp-program.js').Limits}
 */
function limitsOf(options) {
  const { memoryLimit, backreferences } = readOptions(options, readers);
  return { memoryLimit, budget: backreferences };
}

/**
 * Steps that a search may take in a pattern with back-references; nothing when they are refused.
 *
 * @param {unknown} value
 * @param {string} name
 * @returns {number | undefined}
 */
function backreferences(value, name) {
  if (value === undefined || value === 'error') return undefined;
  if (typeof value !== 'object') throw wrongType(name, "'error' or an object with a budget");
  return readOptions(value, budget, name).budget;
}

/**
 * @template T
 * @param {import('./options.js').Reader<T>} read
 * @returns {import('./options.js').Reader<T>}
 */
function required(read) {
  return (value, name) => {
    if (value === undefined) throw wrongType(name, 'given');
    return read(value, name);
  };
}

module.exports = { DEFAULTS, limitsOf };
