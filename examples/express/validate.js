// @ts-check
'use strict';

// What a request body may hold: names, passwords and notes. Called by app.js with what parseJson returned; answers
// with a fresh object of exactly the expected members, or throws a Problem whose text never repeats the input.

const { SafeRegExp } = require('holdfast');
const { Problem } = require('./problems.js');

// Groups of letters and digits, each perhaps followed by one separator. Written the way such rules usually are: a
// backtracking engine needs time exponential in the length for 'aaaa…a!'. SafeRegExp needs one pass.
const LOGIN_NAME = new SafeRegExp(/^(?:[a-z0-9]+[._-]?)+$/);
const NAME_LENGTH = { least: 3, most: 32 };

// NIST SP 800-63B-4 section 3.1.1: length is what counts, no rules about kinds of characters, at least 64 accepted,
// every code point counted as one. It asks for 15 characters where a password is the only factor, and for 8 where it
// is not; raise `least` to 15 when you copy this service without adding a second factor.
const PASSWORD_LENGTH = { least: 8, most: 256 };

const NOTE_BYTES = 4096;

/**
 * @param {unknown} body
 * @returns {{ name: string, password: string }}
 */
function credentials(body) {
  const { name, password } = members(body, ['name', 'password']);
  if (!isLoginName(name)) {
    throw new Problem(400, `name must be a string of ${NAME_LENGTH.least} to ${NAME_LENGTH.most} characters: `
      + 'a to z and 0 to 9, with single ".", "_" or "-" after them');
  }
  if (!isPassword(password)) {
    throw new Problem(400,
      `password must be a string of ${PASSWORD_LENGTH.least} to ${PASSWORD_LENGTH.most} characters`);
  }
  return { name, password };
}

/**
 * @param {unknown} body
 * @returns {{ text: string }}
 */
function note(body) {
  const { text } = members(body, ['text']);
  // A lone surrogate has no UTF-8 form: it would come back from the file as another character.
  if (typeof text !== 'string' || text === '' || Buffer.byteLength(text) > NOTE_BYTES || !text.isWellFormed()) {
    throw new Problem(400, `text must be a well-formed string of 1 to ${NOTE_BYTES} bytes in UTF-8`);
  }
  return { text };
}

/**
 * The pattern is tried before the length on purpose: with an engine that runs in linear time the order of checks is
 * not what keeps the server alive.
 * @param {unknown} value
 * @returns {value is string}
 */
function isLoginName(value) {
  return typeof value === 'string' && LOGIN_NAME.test(value)
    && value.length >= NAME_LENGTH.least && value.length <= NAME_LENGTH.most;
}

/**
 * @param {unknown} value
 * @returns {value is string}
 */
function isPassword(value) {
  // A code point is one or two code units, so the cheap test bounds what is counted.
  if (typeof value !== 'string' || value.length > 2 * PASSWORD_LENGTH.most) return false;
  const length = [...value].length;
  return length >= PASSWORD_LENGTH.least && length <= PASSWORD_LENGTH.most;
}

/**
 * Exactly the named members, own ones, read once. An unexpected member is refused rather than ignored, so that
 * nothing a client invents travels further.
 * @param {unknown} body
 * @param {string[]} names
 * @returns {Record<string, unknown>}
 */
function members(body, names) {
  const isObject = typeof body === 'object' && body !== null && !Array.isArray(body);
  if (!isObject || Object.keys(body).length !== names.length || !names.every((name) => Object.hasOwn(body, name))) {
    throw new Problem(400, `the body must be a JSON object with exactly these members: ${names.join(', ')}`);
  }
  const found = Object.create(null);
  for (const name of names) found[name] = /** @type {any} */ (body)[name];
  return found;
}

module.exports = { credentials, note, isLoginName, isPassword, NOTE_BYTES };
