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
const { oneOf, readOptions, table } = require('./options.js');
const { isBytes, isLatin1 } = require('./content.js');
const { IN_FULL, PLAIN, decode } = require('./json.js');
const { errorOf, jsonError } = require('./json-finding.js');
const { LIMITS, sizesOf } = require('./json-options.js');
const { recentlyRead } = require('./recently-read.js');

const OPTIONS = table({
  mode: oneOf(/** @type {const} */ (['deep', 'patch'])),
  arrays: oneOf(/** @type {const} */ (['replace', 'concat'])),
  limits: LIMITS,
});

/** As native code counts them. */
const MODE = { deep: 0, concat: 1, patch: 2 };

const LONE_SURROGATES = /[\ud800-\udfff]/gu;

/**
 * @typedef {object} Ready
 * @property {number} maxBytes
 * @property {(target: string, patch: string, ...areLatin1: (boolean | undefined)[]) => string | number[]} mergeText
 * @property {(target: Uint8Array, patch: Uint8Array, out: Buffer) => number | number[]} mergeBytes
 * @property {(input: string | Uint8Array, isText: 0 | 1, question: 0) => number | number[]} guard
 */

const readyFor = recentlyRead(makeReady);

/**
 * @param {unknown} options
 * @returns {Ready}
 */
function makeReady(options) {
  const { mode, arrays, limits } = readOptions(options, OPTIONS);
  if (mode === 'patch' && arrays === 'concat') {
    throw wrongValue('options.arrays', "'replace' where options.mode is 'patch': RFC 7396 replaces arrays");
  }
  const sizes = sizesOf(limits);
  const [mergeText, mergeBytes] = native.jsonMergers(arrays === 'concat' ? MODE.concat : MODE[mode], sizes);
  const [, , guard] = native.jsonGuard(PLAIN, sizes, []);
  return { maxBytes: limits.bytes, mergeText, mergeBytes, guard };
}

/**
 * @param {unknown} target
 * @param {unknown} patch
 * @param {unknown} [options]
 * @returns {string | Buffer}
 */
function mergeJson(target, patch, options) {
  const ready = readyFor(options);
  const into = ownText(target, 'target');
  const from = ownText(patch, 'patch');
  checkLength(into, ready.maxBytes, 'target');
  checkLength(from, ready.maxBytes, 'patch');
  const report =
    typeof into === 'string'
      ? merged(into, typeof from === 'string' ? from : asString(from, into, ready), ready)
      : mergedBytes(into, typeof from === 'string' ? asBytes(from, into, ready) : from, ready);
  if (!Array.isArray(report)) return report;
  const [side, ...found] = report;
  throw side === 0 ? errorOf(found, into, 'target') : errorOf(found, from, 'patch');
}

/**
 * @param {string} target
 * @param {string} patch
 * @param {Ready} ready
 */
function merged(target, patch, { mergeText }) {
  if (target.length + patch.length > MAX_STRING_LENGTH) {
    const problem = 'target and patch together are longer than a string can be: pass them as bytes';
    throw jsonError('ERR_JSON_LIMIT', problem, target, 0, []);
  }
  return mergeText(target, patch, isLatin1(target), isLatin1(patch));
}

/**
 * @param {Uint8Array} target
 * @param {Uint8Array} patch
 * @param {Ready} ready
 */
function mergedBytes(target, patch, { mergeBytes }) {
  const room = target.length + patch.length;
  const out = Buffer.allocUnsafe(room);
  const length = mergeBytes(target, patch, out);
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
  // A code unit is at most three bytes.
  const most = typeof text === 'string' ? 3 * text.length : text.length;
  if (most <= limit || (typeof text === 'string' && text.length <= limit && Buffer.byteLength(text) <= limit)) return;
  throw jsonError('ERR_JSON_LIMIT', `${name}: the text is longer than limits.bytes allows`, text, 0, []);
}

/**
 * The patch for a target that is a string, after the checks that its bytes have to pass.
 *
 * @param {Uint8Array} patch
 * @param {string} target
 * @param {Ready} ready
 */
function asString(patch, target, ready) {
  return decode(patch, check(patch, target, ready) === 1);
}

/**
 * The patch for a target that is bytes. UTF-8 has no lone surrogates, but JSON has escapes for them.
 *
 * @param {string} patch
 * @param {Uint8Array} target
 * @param {Ready} ready
 */
function asBytes(patch, target, ready) {
  check(patch, target, ready);
  const wellFormed = patch.isWellFormed()
    ? patch
    : patch.replace(LONE_SURROGATES, (half) => `\\u${half.charCodeAt(0).toString(16)}`);
  return Buffer.from(wellFormed, 'utf8');
}

/**
 * Checks a patch that is going to be converted: what is found has to be told of the patch as it was given. What is
 * wrong with the target comes first, as everywhere.
 *
 * @param {string | Uint8Array} patch
 * @param {string | Uint8Array} target
 * @param {Ready} ready
 */
function check(patch, target, { guard }) {
  const report = guard(patch, typeof patch === 'string' ? 1 : 0, IN_FULL);
  if (typeof report === 'number') return report;
  const first = guard(target, typeof target === 'string' ? 1 : 0, IN_FULL);
  throw typeof first === 'number' ? errorOf(report, patch, 'patch') : errorOf(first, target, 'target');
}

module.exports = { mergeJson };
