// @ts-check
'use strict';

/**
 * What the native guard finds, as JavaScript has it: path, pointer, line and column, all worked out only when there is
 * something to report.
 */

const { JsonError } = require('./errors.js');

/** In the order of the native side's kinds. */
const FINDINGS = [
  ['ERR_JSON_SYNTAX', 'the text is not JSON'],
  ['ERR_JSON_ENCODING', 'the bytes are not UTF-8'],
  ['ERR_JSON_LIMIT', 'the text nests deeper than limits.depth allows'],
  ['ERR_JSON_PROTO_KEY', 'the text has a key that sets a prototype when it is copied or merged'],
  ['ERR_JSON_CONSTRUCTOR_KEY', 'the text has a constructor with a prototype, which pollutes when it is merged'],
  ['ERR_JSON_FORBIDDEN_KEY', 'the text has a key that options.forbiddenKeys names'],
  ['ERR_JSON_FORBIDDEN_KEY', 'the text has a key that starts with $, which queries take for an operator'],
  ['ERR_JSON_DUPLICATE_KEY', 'the text has an object with the same key twice'],
  ['ERR_JSON_NUMBER', 'the text has a number that a double cannot hold: send it as a string'],
  ['ERR_JSON_LIMIT', 'the text has more keys than limits.keys allows'],
  ['ERR_JSON_LIMIT', 'the text has a longer key than limits.keyLength allows'],
  ['ERR_JSON_LIMIT', 'the text has a longer string than limits.stringLength allows'],
  ['ERR_JSON_LIMIT', 'the text has a longer array than limits.arrayLength allows'],
];
const [SYNTAX] = FINDINGS;

/**
 * The error for one finding: its kind, its offset, the number of steps of its path, and the steps.
 *
 * @param {number[]} found
 * @param {string | Uint8Array} text
 * @param {string} [name] Of the argument, where there is more than one.
 */
function errorOf(found, text, name) {
  const [code, message] = FINDINGS[found[0]];
  return jsonError(code, name === undefined ? message : `${name}: ${message}`, text, found[1], pathOf(found, 0, text));
}

/**
 * All findings of a list.
 *
 * @param {number[]} found
 * @param {string | Uint8Array} text
 */
function listOf(found, text) {
  const list = [];
  for (let at = 0; at < found.length; at += 3 + 2 * found[at + 2]) {
    const path = pathOf(found, at, text);
    list.push({ code: FINDINGS[found[at]][0], path, pointer: pointerOf(path), offset: found[at + 1] });
  }
  return list;
}

/**
 * @param {string | Uint8Array} text
 */
function notJson(text) {
  return jsonError(SYNTAX[0], SYNTAX[1], text, text.length, []);
}

/**
 * @param {string} code
 * @param {string} message
 * @param {string | Uint8Array} text
 * @param {number} offset
 * @param {(string | number)[]} path
 */
function jsonError(code, message, text, offset, path) {
  const { line, column } = placeOf(text, offset);
  const place = { path, pointer: pointerOf(path), offset, line, column };
  return new JsonError(code, `${message} (line ${line}, column ${column})`, place);
}

/**
 * @param {number[]} found
 * @param {number} at
 * @param {string | Uint8Array} text
 * @returns {(string | number)[]}
 */
function pathOf(found, at, text) {
  const path = [];
  const end = at + 3 + 2 * found[at + 2];
  for (let step = at + 3; step < end; step += 2) {
    const start = found[step];
    path.push(start === -1 ? found[step + 1] : JSON.parse(slice(text, start, found[step + 1])));
  }
  return path;
}

/**
 * RFC 6901.
 *
 * @param {(string | number)[]} path
 */
function pointerOf(path) {
  return path.map((step) => `/${String(step).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

/**
 * Line and column, from 1. A line ends with LF, CR LF or CR.
 *
 * @param {string | Uint8Array} text
 * @param {number} offset
 */
function placeOf(text, offset) {
  const [feed, carriage] = typeof text === 'string' ? ['\n', '\r'] : [0x0a, 0x0d];
  let line = 1;
  let start = 0;
  let nextFeed = next(text, feed, 0);
  let nextReturn = next(text, carriage, 0);
  for (;;) {
    // A return right before a feed ends no line: the feed does.
    if (nextReturn + 1 === nextFeed) nextReturn = next(text, carriage, nextFeed);
    const end = Math.min(nextFeed, nextReturn);
    if (end >= offset) return { line, column: offset - start + 1 };
    line++;
    start = end + 1;
    if (end === nextFeed) nextFeed = next(text, feed, start);
    else nextReturn = next(text, carriage, start);
  }
}

/**
 * @param {any} text
 * @param {string | number} character
 * @param {number} from
 * @returns {number} Infinity where there is no more.
 */
function next(text, character, from) {
  const at =
    typeof text === 'string'
      ? text.indexOf(/** @type {string} */ (character), from)
      : indexOf.call(text, character, from);
  return at === -1 ? Infinity : at;
}

const { indexOf } = Buffer.prototype;

/**
 * @param {string | Uint8Array} text
 * @param {number} start
 * @param {number} end
 */
function slice(text, start, end) {
  return typeof text === 'string' ? text.slice(start, end) : Buffer.from(text.subarray(start, end)).toString('utf8');
}

module.exports = { errorOf, jsonError, listOf, notJson, pointerOf };
