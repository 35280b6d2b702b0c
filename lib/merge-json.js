// @ts-check
'use strict';

/**
 * mergeJson: two JSON texts into one, without a value being built. Native code checks both texts and splices them; here
 * they are brought into one form, string or bytes, and findings become errors.
 */

const { MAX_STRING_LENGTH } = require('node:buffer').constants;
const { isSharedArrayBuffer } = require('node:util').types;
const native = require('./native.js');
const { wrongType, wrongValue } = require('./errors.js');
const { integer, nested, oneOf, readOptions, table } = require('./options.js');
const { isBytes } = require('./content.js');
const { byteLength, decode, finding, jsonError, scan } = require('./json.js');

const [mergeText, mergeBytes] = native.jsonMergers();

const OPTIONS = table({
  mode: oneOf(/** @type {const} */ (['deep', 'patch'])),
  arrays: oneOf(/** @type {const} */ (['replace', 'concat'])),
  limits: nested({ bytes: integer(0, 2 ** 30 - 1, 2 ** 30 - 1), depth: integer(0, 1_000_000, 128) }),
});
const DEFAULTS = readOptions(undefined, OPTIONS);

/** As native code counts them. */
const MODE = { deep: 0, concat: 1, patch: 2 };

/** V8 knows at once that a one-byte string has no such character, and stops at the first one in another. */
const WIDE = /[^\0-\xff]/;
const LONE_SURROGATES = /[\ud800-\udfff]/gu;
const { exec } = RegExp.prototype;
/** Shorter strings are read faster without knowing their form. */
const LONG = 256;

/**
 * @param {unknown} target
 * @param {unknown} patch
 * @param {unknown} [options]
 * @returns {string | Buffer}
 */
function mergeJson(target, patch, options) {
  const { mode, arrays, limits } = options === undefined ? DEFAULTS : readOptions(options, OPTIONS);
  if (mode === 'patch' && arrays === 'concat') {
    throw wrongValue('options.arrays', "'replace' where options.mode is 'patch': RFC 7396 replaces arrays");
  }
  const nativeMode = arrays === 'concat' ? MODE.concat : MODE[mode];
  const into = ownText(target, 'target');
  const from = ownText(patch, 'patch');
  checkLength(into, limits.bytes, 'target');
  checkLength(from, limits.bytes, 'patch');
  const report =
    typeof into === 'string'
      ? merged(into, typeof from === 'string' ? from : asString(from, into, limits.depth), nativeMode, limits.depth)
      : mergedBytes(into, typeof from === 'string' ? asBytes(from, into, limits.depth) : from, nativeMode, limits.depth);
  if (!Array.isArray(report)) return report;
  const [side, ...place] = report;
  throw side === 0 ? finding(place, into, 'target') : finding(place, from, 'patch');
}

/**
 * @param {string} target
 * @param {string} patch
 * @param {number} mode
 * @param {number} depth
 */
function merged(target, patch, mode, depth) {
  if (target.length + patch.length > MAX_STRING_LENGTH) {
    const problem = 'target and patch together are longer than a string can be: pass them as bytes';
    throw jsonError('ERR_JSON_LIMIT', problem, target, 0, []);
  }
  return mergeText(target, patch, mode, depth, isLatin1(target), isLatin1(patch));
}

/**
 * @param {Uint8Array} target
 * @param {Uint8Array} patch
 * @param {number} mode
 * @param {number} depth
 */
function mergedBytes(target, patch, mode, depth) {
  const room = target.length + patch.length;
  const out = Buffer.allocUnsafe(room);
  const length = mergeBytes(target, patch, mode, depth, out);
  if (typeof length !== 'number') return length;
  // A result much smaller than the room for it must not keep all of it alive.
  return length < room / 2 ? Buffer.from(out.subarray(0, length)) : out.subarray(0, length);
}

/**
 * Text that does not change while it is looked at.
 *
 * @param {unknown} text
 * @param {string} name
 */
function ownText(text, name) {
  if (typeof text === 'string') return text;
  if (!isBytes(text)) throw wrongType(name, 'a string or a Uint8Array');
  return isSharedArrayBuffer(text.buffer) ? new Uint8Array(text) : text;
}

/**
 * @param {string | Uint8Array} text
 * @param {number} limit
 * @param {string} name
 */
function checkLength(text, limit, name) {
  if (byteLength(text, limit) <= limit) return;
  throw jsonError('ERR_JSON_LIMIT', `${name}: the text is longer than limits.bytes allows`, text, 0, []);
}

/**
 * The patch for a target that is a string, after the checks that its bytes have to pass.
 *
 * @param {Uint8Array} patch
 * @param {string} target
 * @param {number} depth
 */
function asString(patch, target, depth) {
  return decode(patch, (check(patch, target, depth) & 1) === 1);
}

/**
 * The patch for a target that is bytes. UTF-8 has no lone surrogates, but JSON has escapes for them.
 *
 * @param {string} patch
 * @param {Uint8Array} target
 * @param {number} depth
 */
function asBytes(patch, target, depth) {
  check(patch, target, depth);
  const wellFormed = patch.isWellFormed()
    ? patch
    : patch.replace(LONE_SURROGATES, (half) => `\\u${half.charCodeAt(0).toString(16)}`);
  return Buffer.from(wellFormed, 'utf8');
}

/**
 * Checks a patch that is going to be converted: what is found has to be told of the patch as it was given. What is wrong
 * with the target comes first, as everywhere.
 *
 * @param {string | Uint8Array} patch
 * @param {string | Uint8Array} target
 * @param {number} depth
 */
function check(patch, target, depth) {
  const report = scan(patch, typeof patch === 'string' ? 1 : 0, depth, 0);
  if (typeof report === 'number') return report;
  const first = scan(target, typeof target === 'string' ? 1 : 0, depth, 0);
  throw typeof first === 'number' ? finding(report, patch, 'patch') : finding(first, target, 'target');
}

/**
 * Whether no character is over U+00FF; nothing for short strings, where it is not worth asking.
 *
 * @param {string} text
 */
function isLatin1(text) {
  return text.length < LONG ? undefined : Reflect.apply(exec, WIDE, [text]) === null;
}

module.exports = { mergeJson };
