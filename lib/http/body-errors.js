// @ts-check
'use strict';

/** Errors about bodies: with the `type` by which body-parser and those who handle its errors tell them apart. */

const { createError } = require('../errors.js');

/**
 * @param {string} code
 * @param {string} message
 * @param {string} type
 */
function bodyError(code, message, type) {
  return withType(createError(code, message), type);
}

/** @param {number} limit */
function tooLarge(limit) {
  return bodyError('ERR_BODY_LIMIT', `the body is larger than ${limit} bytes`, 'entity.too.large');
}

/**
 * @template {Error} T
 * @param {T} error
 * @param {string} value
 */
function withType(error, value) {
  const field = { __proto__: null, value, configurable: true, enumerable: true, writable: true };
  return Object.defineProperty(error, 'type', field);
}

module.exports = { bodyError, tooLarge, withType };
