// @ts-check
'use strict';

/**
 * parseJson and its relatives: a native guard looks at the text and builds nothing, then V8's JSON.parse has the last
 * word on what is JSON and builds the value. Where V8 says that it is none, the guard is asked for the place.
 */

const { MAX_STRING_LENGTH } = require('node:buffer').constants;
const native = require('./native.js');
const { JsonError, wrongType } = require('./errors.js');
const { isBytes, isLatin1 } = require('./content.js');
const { errorOf, jsonError, listOf, notJson } = require('./json-finding.js');
const { POLICIES, readJsonOptions, sizesOf } = require('./json-options.js');
const { recentlyRead } = require('./recently-read.js');
const { cleanValue } = require('./sanitize.js');

/** The two keys are refused, and nothing else. */
const PLAIN = POLICIES.indexOf('ignore') << 4;

/** What the native guard is asked, and what it says of memory that another thread can write to. */
const IN_FULL = 0;
const LIST = 1;
const SHARED = 2;

const { latin1Slice, utf8Slice } = /** @type {any} */ (Buffer.prototype);

/**
 * Texts up to here are looked at in JavaScript: the call of a native function takes longer. Measured with bodies of
 * 134 to 257 characters; nothing longer is sure to be within the default depth.
 */
const MOST_SMALL = 257;

class JsonGuard {
  #ready;

  /** @param {unknown} [options] */
  constructor(options) {
    this.#ready = makeReady(options);
  }

  /** @param {unknown} input */
  parse(input) {
    return parse(input, this.#ready);
  }

  /** @param {unknown} input */
  tryParse(input) {
    return tryParse(input, this.#ready);
  }

  /** @param {unknown} input */
  scan(input) {
    return scan(input, this.#ready);
  }
}

/**
 * The native functions know nothing of a reviver, which is often a new function at each call.
 *
 * @type {(what: any) => any[]}
 */
const guardsFor = recentlyRead((what) => {
  const { policies, sizes, forbidden } = /** @type {any} */ (what ?? { policies: PLAIN, sizes: [], forbidden: [] });
  return native.jsonGuard(policies, sizes, forbidden.map(codeUnits));
});

/**
 * Options are objects written at the call, most often, with the same content each time.
 */
const readyFor = recentlyRead(makeReady);

/**
 * @param {unknown} input
 * @param {unknown} [options]
 */
function parseJson(input, options) {
  return parse(input, readyFor(options));
}

/**
 * @param {unknown} input
 * @param {unknown} [options]
 */
function tryParseJson(input, options) {
  return tryParse(input, readyFor(options));
}

/**
 * @param {unknown} input
 * @param {unknown} [options]
 */
function scanJson(input, options) {
  return scan(input, readyFor(options));
}

/**
 * @typedef {object} Ready
 * @property {import('./json-options.js').ReadJsonOptions} settings
 * @property {number} maxBytes
 * @property {number} maxSmall Texts up to this length nest within the limit, and nothing else is checked but the two
 * keys.
 * @property {(text: string, isLatin1: boolean | undefined) => number | number[]} guardText
 * @property {(bytes: Uint8Array) => string | number | number[]} guardBytes The text, or what is to say of it.
 * @property {(input: unknown, isText: 0 | 1, question: 0 | 1) => number | number[]} guard
 */

/**
 * @param {unknown} options
 * @returns {Ready}
 */
function makeReady(options) {
  const settings = readJsonOptions(options);
  const { limits } = settings;
  const policies =
    POLICIES.indexOf(settings.protoKey) |
    (POLICIES.indexOf(settings.constructorKey) << 2) |
    (POLICIES.indexOf(settings.operatorKeys) << 4) |
    (settings.duplicateKeys === 'error' ? 1 << 6 : 0) |
    (settings.numbers === 'error' ? 1 << 7 : 0);
  const sizes = sizesOf(limits);
  const forbidden = [...(settings.forbiddenKeys ?? [])];
  // What does not fit in a string cannot be parsed, whatever the limit.
  const maxBytes = Math.min(limits.bytes, MAX_STRING_LENGTH);
  const [guardText, guardBytes, guard] = guardsFor({ policies, sizes, forbidden });
  const isPlain = policies === PLAIN && forbidden.length === 0 && sizes.slice(1).every((size) => size === Infinity);
  // A text of n characters nests at most n / 2 deep.
  const maxSmall =
    isPlain && settings.reviver === undefined ? Math.min(MOST_SMALL, 2 * limits.depth + 1, maxBytes / 3) : -1;
  return { settings, maxBytes, maxSmall, guardText, guardBytes, guard };
}

/** @param {string} text */
function codeUnits(text) {
  return Array.from({ length: text.length }, (_, at) => text.charCodeAt(at));
}

/**
 * @param {unknown} input
 * @param {Ready} ready
 * @returns {unknown}
 */
function parse(input, ready) {
  const text = contentOf(input, ready);
  if (text.length <= ready.maxSmall) {
    const value = parseSmall(text);
    if (value !== UNSURE) return value;
  }
  const report = typeof text === 'string' ? ready.guardText(text, isLatin1(text)) : ready.guardBytes(text);
  // One native call for the guard and the string: a call costs as much as looking at a kilobyte.
  if (typeof report === 'string') return accept(report, text, ready);
  if (typeof report !== 'number') {
    if (report[0] >= 0) throw errorOf(report, text);
    return accept(without(report, text), text, ready);
  }
  // The bytes must not change between the guard's look and the parser's.
  if (report === SHARED) return parse(new Uint8Array(/** @type {Uint8Array} */ (text)), ready);
  return accept(typeof text === 'string' ? text : decode(text, report === 1), text, ready);
}

const UNSURE = Symbol('the guard has to look');

/**
 * A small text that is certainly fine, or `UNSURE`. Only `\\u` spells a letter in another way.
 *
 * @param {string | Uint8Array} text
 */
function parseSmall(text) {
  const json = typeof text === 'string' ? text : utf8Slice.call(text, 0, text.length);
  // Searching for one character is several times faster than for a word, so the word comes second.
  if (json.indexOf('_') !== -1 && json.includes('__proto__')) return UNSURE;
  if (json.indexOf('\\') !== -1 && json.includes('\\u')) return UNSURE;
  if (json.includes('constructor')) return UNSURE;
  // What Node writes for bytes that are not UTF-8.
  if (typeof text !== 'string' && json.indexOf('\ufffd') !== -1) return UNSURE;
  try {
    return JSON.parse(json);
  } catch {
    return UNSURE;
  }
}

/**
 * @param {unknown} input
 * @param {Ready} ready
 */
function tryParse(input, ready) {
  try {
    return { ok: true, value: parse(input, ready) };
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
    return { ok: false, error };
  }
}

/**
 * @param {unknown} input
 * @param {Ready} ready
 */
function scan(input, ready) {
  let text;
  try {
    text = contentOf(input, ready);
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
    const { code, path, pointer, offset } = /** @type {any} */ (error);
    return [{ code, path, pointer, offset }];
  }
  const list = ready.guard(text, typeof text === 'string' ? 1 : 0, LIST);
  if (typeof list === 'number') return scan(new Uint8Array(/** @type {Uint8Array} */ (text)), ready);
  return listOf(list, text);
}

/**
 * @param {unknown} input
 * @param {Ready} ready
 * @returns {string | Uint8Array}
 */
function contentOf(input, ready) {
  if (typeof input !== 'string' && !isBytes(input)) throw wrongType('input', 'a string or a Uint8Array');
  const { maxBytes } = ready;
  // A code unit is at most three bytes.
  if (input.length > maxBytes || (typeof input === 'string' && input.length * 3 > maxBytes)) {
    const length = typeof input === 'string' && input.length <= maxBytes ? Buffer.byteLength(input) : input.length;
    if (length > maxBytes) {
      throw jsonError('ERR_JSON_LIMIT', 'the text is longer than limits.bytes allows', input, 0, []);
    }
  }
  return input;
}

/**
 * @param {Uint8Array} bytes
 * @param {boolean} isAscii
 * @returns {string}
 */
function decode(bytes, isAscii) {
  const start = bytes[0] === 0xef ? 3 : 0; // The guard has seen that it is a byte order mark, or no JSON.
  // Node decodes Latin-1 about twice as fast as UTF-8, and for ASCII they are the same.
  return (isAscii ? latin1Slice : utf8Slice).call(bytes, start, bytes.length);
}

/**
 * JSON.parse, without its message, which quotes the text.
 *
 * @param {any} json
 * @param {string | Uint8Array} text What `json` was made of.
 * @param {Ready} ready
 */
function accept(json, text, ready) {
  const { reviver } = ready.settings;
  try {
    if (reviver === undefined) return JSON.parse(json);
    // What a reviver puts in has not been looked at.
    return cleanValue(JSON.parse(json, /** @type {any} */ (reviver)), ready.settings);
  } catch (error) {
    if (!(error instanceof SyntaxError) || error instanceof JsonError) throw error;
    const report = ready.guard(text, typeof text === 'string' ? 1 : 0, IN_FULL);
    if (typeof report !== 'number' && report[0] >= 0) throw errorOf(report, text);
    // The guard accepts what RFC 8259 does: the error is the reviver's own, or this is a bug of ours.
    throw reviver === undefined ? notJson(text) : error;
  }
}

/**
 * The text without the members to remove.
 *
 * @param {number[]} cuts Minus one, then start and end of each.
 * @param {string | Uint8Array} text
 */
function without(cuts, text) {
  const pieces = [];
  let from = 0;
  for (let at = 1; at < cuts.length; at += 2) {
    pieces.push(from, cuts[at]);
    from = cuts[at + 1];
  }
  pieces.push(from, text.length);
  let json = '';
  for (let at = 0; at < pieces.length; at += 2) {
    json +=
      typeof text === 'string'
        ? text.slice(pieces[at], pieces[at + 1])
        : decode(text.subarray(pieces[at], pieces[at + 1]), false); // None but the first starts inside a string.
  }
  return json;
}

module.exports = { IN_FULL, JsonGuard, PLAIN, decode, parseJson, scanJson, tryParseJson };
