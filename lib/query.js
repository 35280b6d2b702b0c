// @ts-check
'use strict';

/**
 * parseQuery: `application/x-www-form-urlencoded` text, as in a URL's query, into objects without prototypes. It splits
 * and decodes as URLSearchParams does, and refuses what that repairs: malformed percent-encoding, and text that is not
 * UTF-8. One pass, in JavaScript: most queries are shorter than a native call is long. lib/query-nested.js gives
 * brackets their meaning.
 */

const { createError, wrongType } = require('./errors.js');
const { integer, nested, oneOf, readOptions, table } = require('./options.js');
const { append, collect, createTree, isDangerousName } = require('./query-nested.js');

const OPTIONS = table({
  duplicates: oneOf(/** @type {const} */ (['last', 'first', 'array', 'error'])),
  arrays: names,
  nested: flag,
  limits: nested({
    bytes: integer(0, 2 ** 30 - 1, 2 ** 20),
    parameters: integer(0, 2 ** 24, 1000),
    depth: integer(0, 1_000_000, 5),
    arrayLength: integer(0, 2 ** 24, 1000),
  }),
});
const DEFAULTS = readOptions(undefined, OPTIONS);

/** @typedef {typeof DEFAULTS} QueryOptions */

/**
 * @param {unknown} query
 * @param {unknown} [options]
 * @returns {Record<string, unknown>}
 */
function parseQuery(query, options) {
  const read = options === undefined ? DEFAULTS : readOptions(options, OPTIONS);
  if (typeof query !== 'string') throw wrongType('query', 'a string');
  if (isLonger(query, read.limits.bytes)) throw tooMany('the query is longer than limits.bytes allows');
  // What stands between ASCII characters of well-formed text is well-formed.
  if (!query.isWellFormed()) {
    throw createError('ERR_QUERY_ENCODING', 'the query has a lone surrogate, which no UTF-8 can stand for');
  }
  return read.nested ? parseNested(query, read) : parseFlat(query, read);
}

/**
 * @param {string} query
 * @param {QueryOptions} read
 */
function parseFlat(query, read) {
  /** @type {Record<string, any>} */
  const result = Object.create(null);
  eachParameter(query, read, (name, value, place) => {
    const existing = result[name];
    if (read.arrays !== undefined && read.arrays.has(name)) {
      if (existing === undefined) result[name] = append([], value, read, place);
      else append(existing, value, read, place);
    } else {
      result[name] = existing === undefined ? value : collect(existing, value, read, place);
    }
  });
  return result;
}

/**
 * @param {string} query
 * @param {QueryOptions} read
 */
function parseNested(query, read) {
  const tree = createTree(read);
  eachParameter(query, read, tree.add);
  return tree.finish();
}

/**
 * Calls `use` with each name and value, decoded, and the parameter's place, from 1.
 *
 * @param {string} query
 * @param {QueryOptions} read
 * @param {(name: string, value: string, place: number) => void} use
 */
function eachParameter(query, read, use) {
  const { length } = query;
  const { parameters } = read.limits;
  const hasBrackets = query.includes('[') || query.includes('%5');
  let place = 0;
  // The next of each at or after `start`, or the end. Looked for again only when `start` has passed it: each is found
  // in one pass over the text, whatever the text.
  let equals = -1;
  let percent = -1;
  let plus = -1;
  for (let start = query.startsWith('?') ? 1 : 0; start < length; ) {
    const end = next(query, '&', start);
    if (end > start) {
      if (++place > parameters) throw tooMany('the query has more parameters than limits.parameters allows');
      if (equals < start) equals = next(query, '=', start);
      if (percent < start) percent = next(query, '%', start);
      if (plus < start) plus = next(query, '+', start);
      const middle = equals < end ? equals : end;
      let name = query.slice(start, middle);
      let value = middle === end ? '' : query.slice(middle + 1, end);
      if (percent < end || plus < end) {
        name = decode(name, place);
        value = decode(value, place);
      }
      if (name === '__proto__' || (hasBrackets && isDangerousName(name))) {
        const why = 'has a name that sets a prototype when the result is copied or merged';
        throw createError('ERR_QUERY_KEY', `parameter ${place} ${why}`);
      }
      use(name, value, place);
    }
    start = end + 1;
  }
}

/**
 * @param {string} query
 * @param {string} character
 * @param {number} start
 */
function next(query, character, start) {
  const at = query.indexOf(character, start);
  return at === -1 ? query.length : at;
}

/**
 * @param {string} text
 * @param {number} place
 */
function decode(text, place) {
  const spaced = text.includes('+') ? text.replaceAll('+', ' ') : text;
  if (!spaced.includes('%')) return spaced;
  try {
    // Refuses escapes cut short, overlong forms and surrogates.
    return decodeURIComponent(spaced);
  } catch (error) {
    if (!(error instanceof URIError)) throw error;
    throw createError('ERR_QUERY_ENCODING', `parameter ${place} is not percent-encoded UTF-8`);
  }
}

/**
 * Whether the text has more than `limit` bytes of UTF-8.
 *
 * @param {string} text
 * @param {number} limit
 */
function isLonger(text, limit) {
  if (text.length > limit || text.length * 3 <= limit) return text.length > limit;
  return Buffer.byteLength(text, 'utf8') > limit;
}

/** @param {string} what */
function tooMany(what) {
  return createError('ERR_QUERY_LIMIT', what);
}

/**
 * Names of parameters, as a set.
 *
 * @param {unknown} value
 * @param {string} name
 * @returns {Set<string> | undefined}
 */
function names(value, name) {
  if (value === undefined) return undefined;
  if (!Array.isArray(value)) throw wrongType(name, 'an array of strings');
  const read = new Set();
  for (let at = 0; at < value.length; at++) {
    const item = value[at];
    if (typeof item !== 'string') throw wrongType(`${name}[${at}]`, 'a string');
    read.add(item);
  }
  return read;
}

/**
 * @param {unknown} value
 * @param {string} name
 */
function flag(value, name) {
  if (value === undefined) return false;
  if (typeof value !== 'boolean') throw wrongType(name, 'true or false');
  return value;
}

module.exports = { parseQuery };
