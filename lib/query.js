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
const { recentlyRead } = require('./recently-read.js');

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
const settingsFor = recentlyRead(settingsOf);

/** @typedef {ReturnType<typeof settingsOf>} QuerySettings */

const QUESTION_MARK = 0x3f;

/**
 * @param {unknown} query
 * @param {unknown} [options]
 * @returns {Record<string, unknown>}
 */
function parseQuery(query, options) {
  const settings = settingsFor(options);
  if (typeof query !== 'string') throw wrongType('query', 'a string');
  if (isLonger(query, settings.bytes)) throw tooMany('the query is longer than limits.bytes allows');
  // What stands between ASCII characters of well-formed text is well-formed.
  if (!query.isWellFormed()) {
    throw createError('ERR_QUERY_ENCODING', 'the query has a lone surrogate, which no UTF-8 can stand for');
  }
  return parse(query, settings);
}

/**
 * @param {string} query
 * @param {QuerySettings} settings
 */
function parse(query, settings) {
  const tree = settings.nested ? createTree(settings) : undefined;
  /** @type {Record<string, any>} */
  const result = { __proto__: null };
  const { length } = query;
  const { parameters } = settings;
  let place = 0;
  // The next of each at or after where we are, or the end. Looked for again only when we have passed it: each is found
  // in one pass over the text, whatever the text.
  let equals = -1;
  let percent = -1;
  let plus = -1;
  let bracket = -1;
  for (let start = query.charCodeAt(0) === QUESTION_MARK ? 1 : 0; start < length;) {
    const end = next(query, '&', start);
    if (end > start) {
      if (++place > parameters) throw tooMany('the query has more parameters than limits.parameters allows');
      if (equals < start) equals = next(query, '=', start);
      if (percent < start) percent = next(query, '%', start);
      if (plus < start) plus = next(query, '+', start);
      if (bracket < start) bracket = next(query, '[', start);
      const middle = equals < end ? equals : end;
      let name = query.slice(start, middle);
      let hasBracket = bracket < middle;
      if (percent < middle || plus < middle) {
        name = decode(name, place);
        hasBracket = true; // or may have
        if (percent < middle) percent = next(query, '%', middle);
        if (plus < middle) plus = next(query, '+', middle);
      }
      let value = middle === end ? '' : query.slice(middle + 1, end);
      if (percent < end || plus < end) value = decode(value, place);
      if (name === '__proto__' || (hasBracket && isDangerousName(name))) {
        const why = 'has a name that sets a prototype when the result is copied or merged';
        throw createError('ERR_QUERY_KEY', `parameter ${place} ${why}`);
      }
      if (tree === undefined) add(result, name, value, settings, place);
      else tree.add(name, value, place);
    }
    start = end + 1;
  }
  return tree === undefined ? result : tree.finish();
}

/**
 * @param {Record<string, any>} result
 * @param {string} name
 * @param {string} value
 * @param {QuerySettings} settings
 * @param {number} place
 */
function add(result, name, value, settings, place) {
  const existing = result[name];
  if (settings.arrays !== undefined && settings.arrays.has(name)) {
    if (existing === undefined) result[name] = append([], value, settings, place);
    else append(existing, value, settings, place);
  } else {
    result[name] = existing === undefined ? value : collect(existing, value, settings, place);
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
  const spaced = withSpaces(text);
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
 * The text with a space for every plus sign. In a short text a slice or two take half the time of replaceAll.
 *
 * @param {string} text
 */
function withSpaces(text) {
  if (text.length > 100) return text.replaceAll('+', ' ');
  let spaced = '';
  let start = 0;
  for (let at = text.indexOf('+'); at !== -1; at = text.indexOf('+', start)) {
    spaced += `${text.slice(start, at)} `;
    start = at + 1;
  }
  return start === 0 ? text : spaced + text.slice(start);
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
 * An ordinary object: V8 reads its members faster than those of one without a prototype.
 *
 * @param {unknown} options
 */
function settingsOf(options) {
  const { duplicates, arrays, nested: isNested, limits } = readOptions(options, OPTIONS);
  const { bytes, parameters, depth, arrayLength } = limits;
  return { duplicates, arrays, nested: isNested, bytes, parameters, depth, arrayLength };
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
