// @ts-check
'use strict';

/**
 * What is logged of an error: of the server's the stack and its causes, of a client's mistake the message, bounded in
 * depth and length, and never a body. What is thrown can be anything; nothing here throws because of it.
 */

const { isNativeError } = require('node:util').types;

const MOST_TEXT = 8192;
const MOST_CAUSES = 5;
const MOST_CODE = 64;

/** Controls that JSON lets through, separators of lines, and marks that turn the direction of text. */
const UNSEEN = /[\x7f-\x9f\u2028-\u202e\u2066-\u2069]/g;

/**
 * The log of those who give none: what is the server's fault, as one line of JSON on stderr.
 *
 * @param {import('../../express.js').ProblemEntry} entry
 */
function logServerErrors(entry) {
  if (entry.level !== 'error') return;
  const line = JSON.stringify({ __proto__: null, time: new Date().toISOString(), ...entry });
  // What ends a line is escaped by JSON; this does something to terminals, and to those who read them. Not written by
  // process.stderr.write, which ends the process when nobody reads.
  console.error(line.replace(UNSEEN, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`));
}

/**
 * The stack, and the stacks of its causes.
 *
 * @param {unknown} error
 */
function describe(error) {
  let text = attempt(() => stackOf(error));
  let cause = causeOf(error);
  for (let depth = 1; depth < MOST_CAUSES && cause !== undefined && text.length < MOST_TEXT; depth++) {
    const current = cause;
    text += `\ncaused by: ${attempt(() => stackOf(current))}`;
    cause = causeOf(current);
  }
  return text.slice(0, MOST_TEXT);
}

/**
 * The message, with the error's name.
 *
 * @param {unknown} error
 */
function summarize(error) {
  return attempt(() => summaryOf(error)).slice(0, MOST_TEXT);
}

/**
 * The code by which a library, or Node, tells its errors apart.
 *
 * @param {any} error
 * @returns {string | undefined}
 */
function codeOf(error) {
  const code = attempt(() => (typeof error === 'object' && error !== null ? ownOf(error, 'code') : undefined));
  return isCode(code) ? code : undefined;
}

/**
 * @param {unknown} value
 * @returns {value is string}
 */
function isCode(value) {
  return typeof value === 'string' && value.length <= MOST_CODE && /^[\w.-]+$/.test(value);
}

/** @param {any} error */
function stackOf(error) {
  const stack = isError(error) && !isQuoting(error) ? error.stack : undefined;
  return (typeof stack === 'string' ? stack : summaryOf(error)).slice(0, MOST_TEXT);
}

/**
 * @param {any} error
 * @returns {string}
 */
function summaryOf(error) {
  if (typeof error !== 'object' || error === null) return String(error);
  const name = isError(error) ? String(error.name) : 'thrown, and no error';
  const message = isQuoting(error) ? ownOf(error, 'type') : error.message;
  return typeof message === 'string' && message !== '' ? `${name}: ${message}` : name;
}

/**
 * Whether it is body-parser's: such an error holds the body, and quotes it in its message.
 *
 * @param {object} error
 */
function isQuoting(error) {
  return Object.hasOwn(error, 'body');
}

/**
 * @param {any} error
 * @returns {unknown}
 */
function causeOf(error) {
  return attempt(() => (isError(error) ? ownOf(error, 'cause') : undefined));
}

/**
 * @param {() => any} read Of something that may throw whenever it is touched.
 * @returns {any}
 */
function attempt(read) {
  try {
    return read();
  } catch {
    return 'what cannot be described';
  }
}

/**
 * @param {any} value
 * @returns {value is Error}
 */
function isError(value) {
  return isNativeError(value) || value instanceof Error;
}

/**
 * @param {any} object
 * @param {string} name
 */
function ownOf(object, name) {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}

module.exports = { MOST_CODE, codeOf, describe, isCode, logServerErrors, ownOf, summarize };
