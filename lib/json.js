// @ts-check
'use strict';

/**
 * parseJson: a native scan of the text, which builds nothing, then V8's JSON.parse, which has the last word on what is
 * JSON. The place of a finding is worked out only when there is one.
 */

const { MAX_STRING_LENGTH } = require('node:buffer').constants;
const { isSharedArrayBuffer } = require('node:util').types;
const native = require('./native.js');
const { JsonError, wrongType } = require('./errors.js');
const { integer, nested, oneOf, readOptions, table } = require('./options.js');
const { isBytes } = require('./content.js');

const scan = native.jsonScanner();

/** In the order of the native side's kinds. */
const FINDINGS = [
  ['ERR_JSON_SYNTAX', 'the text is not JSON'],
  ['ERR_JSON_ENCODING', 'the bytes are not UTF-8'],
  ['ERR_JSON_LIMIT', 'the text nests deeper than limits.depth allows'],
  ['ERR_JSON_PROTO_KEY', 'the text has a key that sets a prototype when it is copied or merged'],
  ['ERR_JSON_CONSTRUCTOR_KEY', 'the text has a constructor with a prototype, which pollutes when it is merged'],
];
const [SYNTAX, , LIMIT] = FINDINGS;

const POLICIES = /** @type {const} */ (['error', 'remove', 'ignore']);
const OPTIONS = table({
  protoKey: oneOf(POLICIES),
  constructorKey: oneOf(POLICIES),
  limits: nested({ bytes: integer(0, 2 ** 30 - 1, 2 ** 30 - 1), depth: integer(0, 1_000_000, 128) }),
});
const DEFAULTS = readOptions(undefined, OPTIONS);

/**
 * @param {unknown} input
 * @param {unknown} [options]
 */
function parseJson(input, options) {
  const { protoKey, constructorKey, limits } = options === undefined ? DEFAULTS : readOptions(options, OPTIONS);
  const isText = typeof input === 'string';
  if (!isText && !isBytes(input)) throw wrongType('input', 'a string or a Uint8Array');
  // The text must not change between the scan and the parse.
  const text = isText || !isSharedArrayBuffer(input.buffer) ? input : new Uint8Array(input);
  // What does not fit in a string cannot be parsed, whatever the limit.
  const maxBytes = Math.min(limits.bytes, MAX_STRING_LENGTH);
  if (byteLength(text, maxBytes) > maxBytes) {
    throw jsonError(LIMIT[0], 'the text is longer than limits.bytes allows', text, 0, []);
  }
  const policies = POLICIES.indexOf(protoKey) | (POLICIES.indexOf(constructorKey) << 2);
  const report = scan(text, isText ? 1 : 0, limits.depth, policies);
  if (typeof report !== 'number') throw finding(report, text);
  const value = acceptJson(typeof text === 'string' ? text : decode(text, (report & 1) === 1));
  if ((report & 2) === 2) removeKeys(value, protoKey === 'remove', constructorKey === 'remove');
  return value;
}

/**
 * The text's length in bytes, or its length in code units where that is already too much.
 *
 * @param {string | Uint8Array} text
 * @param {number} limit
 */
function byteLength(text, limit) {
  if (typeof text !== 'string' || text.length > limit || text.length * 3 <= limit) return text.length;
  return Buffer.byteLength(text, 'utf8');
}

/**
 * @param {Uint8Array} bytes
 * @param {boolean} isAscii
 */
function decode(bytes, isAscii) {
  const start = bytes[0] === 0xef ? 3 : 0; // The scan has seen that it is a byte order mark, or no JSON.
  // Node decodes Latin-1 about twice as fast as UTF-8, and for ASCII they are the same.
  const { latin1Slice, utf8Slice } = /** @type {any} */ (Buffer.prototype);
  return Reflect.apply(isAscii ? latin1Slice : utf8Slice, bytes, [start, bytes.length]);
}

/**
 * JSON.parse, without its message, which quotes the text.
 *
 * @param {string} text
 */
function acceptJson(text) {
  try {
    return JSON.parse(text);
  } catch (error) {
    // The scan accepts what RFC 8259 does, so this is memory, or a bug of ours; say the least.
    if (!(error instanceof SyntaxError)) throw error;
    throw jsonError(SYNTAX[0], SYNTAX[1], text, text.length, []);
  }
}

/**
 * @param {number[]} report
 * @param {string | Uint8Array} text
 */
function finding([kind, offset, ...steps], text) {
  const path = [];
  for (let at = 0; at < steps.length; at += 2) {
    const [start, end] = [steps[at], steps[at + 1]];
    path.push(start === -1 ? end : JSON.parse(slice(text, start, end)));
  }
  const [code, message] = FINDINGS[kind];
  return jsonError(code, message, text, offset, path);
}

/**
 * @param {string} code
 * @param {string} message
 * @param {string | Uint8Array} text
 * @param {number} offset
 * @param {(string | number)[]} path
 */
function jsonError(code, message, text, offset, path) {
  const pointer = path.map((step) => `/${String(step).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
  const { line, column } = placeOf(text, offset);
  return new JsonError(code, `${message} (line ${line}, column ${column})`, { path, pointer, offset, line, column });
}

/**
 * Line and column, from 1. A line ends with LF, CR LF or CR.
 *
 * @param {string | Uint8Array} text
 * @param {number} offset
 */
function placeOf(text, offset) {
  let line = 1;
  let start = 0;
  for (let at = 0; at < offset; at++) {
    const code = typeof text === 'string' ? text.charCodeAt(at) : text[at];
    const next = typeof text === 'string' ? text.charCodeAt(at + 1) : text[at + 1];
    if (code === 0x0a || (code === 0x0d && next !== 0x0a)) {
      line++;
      start = at + 1;
    }
  }
  return { line, column: offset - start + 1 };
}

/**
 * @param {string | Uint8Array} text
 * @param {number} start
 * @param {number} end
 */
function slice(text, start, end) {
  return typeof text === 'string' ? text.slice(start, end) : Buffer.from(text.subarray(start, end)).toString('utf8');
}

/**
 * Deletes exactly the offending members. Iterative: the depth of the value is the depth of the text.
 *
 * @param {unknown} root
 * @param {boolean} proto
 * @param {boolean} constructor
 */
function removeKeys(root, proto, constructor) {
  const open = [root];
  while (open.length > 0) {
    const value = /** @type {any} */ (open.pop());
    if (typeof value !== 'object' || value === null) continue;
    if (!Array.isArray(value)) {
      if (proto && Object.hasOwn(value, '__proto__')) delete value.__proto__;
      if (constructor && hasPrototype(Object.hasOwn(value, 'constructor') && value.constructor)) {
        delete value.constructor;
      }
    }
    for (const key of Object.keys(value)) open.push(value[key]);
  }
}

/** @param {unknown} value */
function hasPrototype(value) {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && Object.hasOwn(value, 'prototype');
}

module.exports = { hasPrototype, parseJson };
