// @ts-check
'use strict';

/**
 * Content that callers pass in: text or bytes. Text becomes UTF-8 only when that loses nothing.
 */

const { isUint8Array } = require('node:util').types;
const { wrongType, wrongValue } = require('./errors.js');

/**
 * Of this realm or another (a vm context, as test runners use), and not what merely inherits from Uint8Array.
 *
 * @param {unknown} value
 * @returns {value is Uint8Array}
 */
function isBytes(value) {
  return isUint8Array(value);
}

/**
 * The content's bytes: those given, or the text's UTF-8.
 *
 * @param {unknown} content
 * @param {string} name
 * @returns {Uint8Array}
 */
function toBytes(content, name) {
  if (isBytes(content)) return present(content, name);
  if (typeof content !== 'string') throw wrongType(name, 'a string or a Uint8Array');
  // A lone surrogate has no UTF-8; Node would write U+FFFD in its place.
  if (!content.isWellFormed()) throw wrongValue(name, 'well-formed text; it has a lone surrogate');
  return Buffer.from(content, 'utf8');
}

/**
 * @param {unknown} value
 * @param {string} name
 * @returns {Uint8Array}
 */
function requireBytes(value, name) {
  if (!isBytes(value)) throw wrongType(name, 'a Uint8Array');
  return present(value, name);
}

/** What bytes must be whose memory is gone. */
const GONE = 'memory that is still there; it was transferred or resized';

/**
 * @template {Uint8Array} T
 * @param {T} bytes
 * @param {string} name
 */
function present(bytes, name) {
  if (bytes.length === 0 && isGone(bytes)) throw wrongValue(name, GONE);
  return bytes;
}

/**
 * Whether these bytes have lost their memory, to another thread for example. Such a view only looks empty, but for the
 * methods of typed arrays, which throw.
 *
 * @param {Uint8Array} bytes
 */
function isGone(bytes) {
  if (bytes.length > 0) return false;
  try {
    Reflect.apply(at, bytes, [0]);
    return false;
  } catch {
    return true;
  }
}

const { at } = Uint8Array.prototype;

/** V8 knows at once that a one-byte string has no such character, and stops at the first one in another. */
const WIDE = /[^\0-\xff]/;
const { exec } = RegExp.prototype;

/** Native code reads shorter strings as fast without knowing. */
const LONG = 256;

/**
 * Whether a string has no character above U+00FF, in which case native code reads it three times as fast; undefined
 * for a string that is too short for that to matter.
 *
 * @param {string} text
 */
function isLatin1(text) {
  return text.length < LONG ? undefined : Reflect.apply(exec, WIDE, [text]) === null;
}

module.exports = { GONE, isBytes, isGone, isLatin1, requireBytes, toBytes };
