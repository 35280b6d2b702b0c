// @ts-check
'use strict';

/**
 * The errors of Holdfast: one table of codes, one way to make them. Native code makes its errors through `createError`
 * too. Messages say what was wrong, what was expected and what to do; they never contain a rejected value.
 */

/**
 * Every code. `status` and `expose` are set where an HTTP handler may pass the error on to the client.
 *
 * @type {Readonly<Record<string, { base?: 'type' | 'range' | 'json' | 'abort', status?: number }>>}
 */
const CODES = withoutPrototypes({
  ERR_INVALID_ARG_TYPE: { base: 'type' },
  ERR_INVALID_ARG_VALUE: { base: 'type' },
  ERR_OUT_OF_RANGE: { base: 'range' },
  ERR_INTERNAL: {},
  ERR_BINDING: {},
  ERR_REGEXP_BACKREFERENCE: {},
  ERR_REGEXP_BUDGET: {},
  ERR_REGEXP_MEMORY: {},
  ERR_REGEXP_TOO_LARGE: {},
  ERR_REGEXP_UNSUPPORTED: {},
  ERR_JSON_SYNTAX: { base: 'json', status: 400 },
  ERR_JSON_ENCODING: { base: 'json', status: 400 },
  ERR_JSON_PROTO_KEY: { base: 'json', status: 400 },
  ERR_JSON_CONSTRUCTOR_KEY: { base: 'json', status: 400 },
  ERR_JSON_FORBIDDEN_KEY: { base: 'json', status: 400 },
  ERR_JSON_DUPLICATE_KEY: { base: 'json', status: 400 },
  ERR_JSON_NUMBER: { base: 'json', status: 400 },
  ERR_JSON_LIMIT: { base: 'json', status: 413 },
  ERR_QUERY_ENCODING: { status: 400 },
  ERR_QUERY_KEY: { status: 400 },
  ERR_QUERY_DUPLICATE: { status: 400 },
  ERR_QUERY_LIMIT: { status: 413 },
  ERR_PASSWORD_TOO_LONG: { status: 400 },
  ERR_PASSWORD_ENCODING: { status: 400 },
  ERR_HASH_MALFORMED: {},
  ERR_HASH_LIMIT: {},
  ERR_QUEUE_FULL: { status: 503 },
  ERR_CLOSED: {},
  ERR_DECRYPT: {},
  ERR_UNKNOWN_KEY: {},
  ERR_KEY_EXHAUSTED: {},
  ERR_KEY_FILE: {},
  ERR_TOKEN_EXPIRED: {},
  ERR_STREAM_TRUNCATED: {},
  ERR_RATE_STORE: { status: 503 },
  ERR_RATE_LIMITED: { status: 429 },
  ERR_BODY_LIMIT: { status: 413 },
  ERR_BODY_LENGTH: { status: 411 },
  ERR_BODY_TYPE: { status: 415 },
  ERR_BODY_ABORTED: { status: 400 },
  ERR_CSRF: { status: 403 },
  ERR_SESSION_LIMIT: {},
  ERR_PATTERN: { status: 400 },
  ERR_ENVIRONMENT: {},
  ERR_PEER: {},
  ABORT_ERR: { base: 'abort' },
});

class HoldfastError extends Error {
  /**
   * @param {string} code
   * @param {string} message
   * @param {{ cause?: unknown, retryAfterMs?: number }} [details]
   */
  constructor(code, message, details = {}) {
    super(message, Object.hasOwn(details, 'cause') ? { cause: details.cause } : undefined);
    label(this, code);
    if (Object.hasOwn(details, 'retryAfterMs')) addField(this, 'retryAfterMs', details.retryAfterMs);
  }
}
nameClass(HoldfastError, 'HoldfastError');

/** As Node's own functions that take an AbortSignal reject, with the signal's reason as the cause. */
class AbortError extends HoldfastError {
  /** @param {unknown} reason */
  constructor(reason) {
    super('ABORT_ERR', 'the operation was aborted', { cause: reason });
  }
}
nameClass(AbortError, 'AbortError');

class JsonError extends SyntaxError {
  /**
   * @param {string} code
   * @param {string} message
   * @param {{ path: (string | number)[], pointer: string, offset: number, line: number, column: number }} place
   */
  constructor(code, message, place) {
    super(message);
    label(this, code);
    addField(this, 'path', place.path);
    addField(this, 'pointer', place.pointer);
    addField(this, 'offset', place.offset);
    addField(this, 'line', place.line);
    addField(this, 'column', place.column);
  }
}
nameClass(JsonError, 'JsonError');

/**
 * The error for a code: a TypeError or RangeError for wrong arguments, as Node's own, otherwise a HoldfastError.
 *
 * @param {string} code
 * @param {string} message
 */
function createError(code, message) {
  const base = CODES[code]?.base;
  if (base === 'type') return label(new TypeError(message), code);
  if (base === 'range') return label(new RangeError(message), code);
  return new HoldfastError(code, message);
}

/**
 * @param {string} name What was wrong, as the caller knows it: `input`, `options.cost`.
 * @param {string} expected What it must be, after "must be".
 */
function wrongType(name, expected) {
  return createError('ERR_INVALID_ARG_TYPE', `${name} must be ${expected}`);
}

/**
 * @param {string} name
 * @param {string} expected
 */
function wrongValue(name, expected) {
  return createError('ERR_INVALID_ARG_VALUE', `${name} must be ${expected}`);
}

/**
 * @param {string} name
 * @param {string} expected
 */
function outOfRange(name, expected) {
  return createError('ERR_OUT_OF_RANGE', `${name} must be ${expected}`);
}

/**
 * What the table or a row leaves out, a polluted Object.prototype must not fill in.
 *
 * @template {object} T
 * @param {T} rows
 * @returns {Readonly<T>}
 */
function withoutPrototypes(rows) {
  for (const row of Object.values(rows)) Object.setPrototypeOf(row, null);
  return Object.freeze(Object.setPrototypeOf(rows, null));
}

/**
 * @template {Error} T
 * @param {T} error
 * @param {string} code
 */
function label(error, code) {
  const { status } = CODES[code];
  addField(error, 'code', code);
  if (status !== undefined) {
    addField(error, 'status', status);
    addField(error, 'statusCode', status); // what Fastify and Nest look at
    addField(error, 'expose', true);
  }
  return /** @type {T & { code: string, status?: number, statusCode?: number, expose?: boolean }} */ (error);
}

/**
 * As by assignment, but for a setter of the name that Object.prototype may have been given.
 *
 * @param {Error} error
 * @param {string} name
 * @param {unknown} value
 */
function addField(error, name, value) {
  const field = { __proto__: null, value, configurable: true, enumerable: true, writable: true };
  Object.defineProperty(error, name, field);
}

/**
 * As for the built-in errors: on the prototype and not enumerable, so that it is not printed with the fields.
 *
 * @param {Function} errorClass
 * @param {string} name
 */
function nameClass(errorClass, name) {
  Object.defineProperty(errorClass.prototype, 'name', { value: name, configurable: true, writable: true });
}

module.exports = { AbortError, CODES, HoldfastError, JsonError, createError, outOfRange, wrongType, wrongValue };
