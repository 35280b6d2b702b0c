// @ts-check
'use strict';

// What a request body may hold: names, passwords and notes. Called by app.js with what parseJson returned; answers
// with a fresh object of exactly the expected members, or throws a Problem whose text never repeats the input.

const { SafeRegExp } = require('holdfast');
const { Problem } = require('holdfast/express');

// Groups of letters and digits, each perhaps followed by one separator. Written the way such rules usually are: a
// backtracking engine needs time exponential in the length for 'aaaa…a!'. SafeRegExp needs one pass.
const LOGIN_NAME = new SafeRegExp(/^(?:[a-z0-9]+[._-]?)+$/);
const NAME_LENGTH = { least: 3, most: 32 };

// NIST SP 800-63B-4 section 3.1.1: length is what counts, no rules about kinds of characters, at least 64 accepted,
// every code point counted as one. It asks for 15 characters where a password is the only factor, and for 8 where it
// is not; raise `least` to 15 when you copy this service without adding a second factor.
const PASSWORD_LENGTH = { least: 8, most: 256 };

const NOTE_BYTES = 4096;
const TOKEN_LENGTH = 1024; // a reset token has some 250

// A name for people, which the service never uses as a path. Letters and digits of any script; no slashes, no controls,
// nothing that turns the direction of writing (so that what ends in "fdp.exe" does not look like a PDF), no dot or
// space at its ends.
const FILE_NAME = new SafeRegExp(/^[\p{L}\p{N}](?:[\p{L}\p{M}\p{N} ._()+-]*[\p{L}\p{M}\p{N})])?$/u);
const FILE_NAME_LENGTH = 100;

/**
 * `undefined` is what `safeJson` leaves where there is nothing it reads.
 * @param {any} req
 */
function bodyOf(req) {
  if (req.body !== undefined) return req.body;
  if (Number(req.headers['content-length'] ?? 0) === 0) throw new Problem(400, 'the body is empty');
  throw new Problem(415, 'the body must be application/json');
}

/**
 * @param {unknown} body
 * @returns {{ name: string, password: string }}
 */
function credentials(body) {
  const { name, password } = members(body, ['name', 'password']);
  return { name: loginName(name), password: passwordIn(password, 'password') };
}

/**
 * @param {unknown} body
 * @returns {{ name: string }}
 */
function forgotten(body) {
  return { name: loginName(members(body, ['name']).name) };
}

/**
 * @param {unknown} body
 * @returns {{ token: string, password: string }}
 */
function reset(body) {
  const { token, password } = members(body, ['token', 'password']);
  if (typeof token !== 'string' || token === '' || token.length > TOKEN_LENGTH) {
    throw new Problem(400, `token must be a string of 1 to ${TOKEN_LENGTH} characters`);
  }
  return { token, password: passwordIn(password, 'password') };
}

/**
 * @param {unknown} body
 * @returns {{ current: string, password: string }}
 */
function newPassword(body) {
  const { current, password } = members(body, ['current', 'password']);
  return { current: passwordIn(current, 'current'), password: passwordIn(password, 'password') };
}

/**
 * @param {unknown} name
 * @returns {string}
 */
function loginName(name) {
  if (isLoginName(name)) return name;
  throw new Problem(400, `name must be a string of ${NAME_LENGTH.least} to ${NAME_LENGTH.most} characters: `
    + 'a to z and 0 to 9, with single ".", "_" or "-" after them');
}

/**
 * @param {unknown} value
 * @param {string} member
 * @returns {string}
 */
function passwordIn(value, member) {
  if (isPassword(value)) return value;
  const { least, most } = PASSWORD_LENGTH;
  throw new Problem(400, `${member} must be a string of ${least} to ${most} characters`);
}

/**
 * The name of a file, as `safeQuery` found it in `?name=`.
 * @param {Record<string, unknown>} query
 * @returns {string}
 */
function fileName(query) {
  const { name } = members(query, ['name'], 'query');
  if (typeof name === 'string' && name.length <= FILE_NAME_LENGTH && FILE_NAME.test(name)) return name;
  throw new Problem(400, `name must have 1 to ${FILE_NAME_LENGTH} characters: letters, digits, and between them spaces `
    + 'and . _ ( ) + -');
}

/**
 * A file comes as it is, with its length: nothing guesses what is in it, and nothing is unpacked.
 * @param {import('node:http').IncomingHttpHeaders} headers
 * @returns {number} of bytes
 */
function fileLength(headers) {
  const type = headers['content-type'];
  if (type !== undefined && type !== 'application/octet-stream') {
    throw new Problem(415, 'a file must be sent as application/octet-stream');
  }
  if (headers['content-encoding'] !== undefined) throw new Problem(415, 'a file must not be compressed');
  if (headers['content-length'] === undefined) throw new Problem(411, 'the length of the file is missing');
  return Number(headers['content-length']); // digits: Node has refused the request otherwise
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
 * @param {string} [what]
 * @returns {Record<string, unknown>}
 */
function members(body, names, what = 'body') {
  const isObject = typeof body === 'object' && body !== null && !Array.isArray(body);
  if (!isObject || Object.keys(body).length !== names.length || !names.every((name) => Object.hasOwn(body, name))) {
    throw new Problem(400, `the ${what} must be an object with exactly these members: ${names.join(', ')}`);
  }
  const found = Object.create(null);
  for (const name of names) found[name] = /** @type {any} */ (body)[name];
  return found;
}

module.exports = {
  LOGIN_NAME, bodyOf, credentials, fileLength, fileName, forgotten, isLoginName, loginName, newPassword, note, reset,
};
