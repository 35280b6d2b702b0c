// @ts-check
'use strict';

/**
 * safeJson: reads the body of a request and sets `req.body`, in the place of express.json and express.urlencoded. The
 * bytes are counted as they come, and what they hold is checked before a value exists. Errors carry the `type` that
 * body-parser gives them, so that handlers written for it go on working.
 */

const { isUtf8: isUtf8Text } = require('node:buffer');
const { HoldfastError, JsonError, createError, wrongType } = require('../errors.js');
const { JsonGuard } = require('../json.js');
const { readOptions, table, unchecked } = require('../options.js');
const { parseQuery } = require('../query.js');
const { bodyError, tooLarge, withType } = require('./body-errors.js');
const { FORM, MOST_CHARACTERS, OTHER, bodyKinds, isUtf8, readTypes } = require('./body-types.js');
const { publish } = require('./events.js');
const { UNKNOWN, bodyLengthOf, headerOf } = require('./framing.js');
const { ABORTED, DECODED, MISFRAMED, TOO_LARGE, readBody } = require('./read-body.js');
const { leaveUnread } = require('./unread-body.js');

/** @typedef {(req: any, res: any, next: (error?: unknown) => void) => void} Middleware */

const DEFAULT_LIMITS = Object.freeze({ __proto__: null, bytes: 10 * 1024, depth: 32, keys: 1000 });

const FORM_OPTIONS = table({ duplicates: unchecked, arrays: unchecked, nested: unchecked });

/** Those that are not read here are JsonGuard's to read. */
const OPTIONS = table({
  protoKey: unchecked,
  constructorKey: unchecked,
  forbiddenKeys: unchecked,
  operatorKeys: unchecked,
  duplicateKeys: unchecked,
  numbers: unchecked,
  reviver: unchecked,
  limits: readLimits,
  types: readTypes,
  urlencoded: readForms,
});

/**
 * @param {unknown} [options]
 * @returns {Middleware}
 */
function safeJson(options) {
  return createSafeJson(options).middleware;
}

/**
 * For an application that is hardened as a whole: also which bodies are read.
 *
 * @param {unknown} [options]
 * @returns {{ middleware: Middleware, kindOf: (contentType: string | undefined) => number }}
 */
function createSafeJson(options) {
  const { types, urlencoded, ...json } = readOptions(options, OPTIONS);
  const guard = new JsonGuard({ __proto__: null, ...json });
  const { bytes: limit } = json.limits;
  const formOptions = urlencoded === undefined ? undefined : formOptionsOf(urlencoded, json.limits);
  const kindOf = bodyKinds(types, formOptions !== undefined);

  /** @type {Middleware} */
  function safeJson(req, res, next) {
    if (!Object.hasOwn(req, 'body')) req.body = undefined; // and not what Object.prototype may have been given
    const length = bodyLengthOf(req);
    if (length === 0 || req.body !== undefined || req.readableEnded) return next();
    if (req.destroyed && req.complete) return next();
    const contentType = headerOf(req, 'content-type');
    const kind = kindOf(contentType);
    if (kind === OTHER) return next();
    if (req.destroyed) return refuse(req, errorOf(ABORTED, limit), next);
    const refusal = refusalOf(req, contentType, length, limit);
    if (refusal !== undefined) {
      leaveUnread(req, res);
      return refuse(req, refusal, next);
    }
    readBody(req, length, limit, (result) => {
      if (typeof result === 'symbol') {
        leaveUnread(req, res);
        return refuse(req, errorOf(result, limit), next);
      }
      try {
        if (result.length > 0) req.body = kind === FORM ? parseForm(result, formOptions) : guard.parse(result);
      } catch (error) {
        return refuse(req, error, next);
      }
      next();
    });
  }

  return { middleware: safeJson, kindOf };
}

/**
 * What is wrong with a body that has not been read.
 *
 * @param {any} req
 * @param {any} contentType
 * @param {number} length
 * @param {number} limit
 */
function refusalOf(req, contentType, length, limit) {
  if (length > limit) return tooLarge(limit);
  const encoding = headerOf(req, 'content-encoding');
  if (encoding !== undefined && encoding !== '' && encoding.trim().toLowerCase() !== 'identity') {
    return bodyError('ERR_BODY_TYPE', 'the body must not be compressed', 'encoding.unsupported');
  }
  if (contentType === 'application/json') return undefined;
  const isRight = contentType.length > MOST_CHARACTERS ? undefined : isUtf8(contentType);
  if (isRight === true) return undefined;
  const message = isRight === false ? 'the body must be UTF-8' : 'the Content-Type has parameters that cannot be read';
  return bodyError('ERR_BODY_TYPE', message, 'charset.unsupported');
}

/**
 * @param {symbol} why
 * @param {number} limit
 */
function errorOf(why, limit) {
  if (why === TOO_LARGE) return tooLarge(limit);
  if (why === ABORTED) return bodyError('ERR_BODY_ABORTED', 'the body has no end', 'request.aborted');
  if (why === MISFRAMED) {
    return bodyError('ERR_BODY_ABORTED', 'the body is not as long as its Content-Length says', 'request.size.invalid');
  }
  return wrongType('what the stream of the request gives', 'bytes: safeJson comes before whatever sets an encoding');
}

/** body-parser's words for what the content is refused for; for the rest, a key or a number, `entity.verify.failed`. */
const CONTENT_TYPES = new Map([
  ['ERR_JSON_SYNTAX', 'entity.parse.failed'],
  ['ERR_JSON_ENCODING', 'entity.parse.failed'],
  ['ERR_JSON_LIMIT', 'entity.too.large'],
  ['ERR_QUERY_ENCODING', 'entity.parse.failed'],
  ['ERR_QUERY_LIMIT', 'entity.too.large'],
]);

/**
 * @param {any} req
 * @param {any} error
 * @param {(error?: unknown) => void} next
 */
function refuse(req, error, next) {
  const isOfJson = error instanceof JsonError;
  if (isOfJson || error instanceof HoldfastError) {
    const { code } = /** @type {any} */ (error);
    if (!Object.hasOwn(error, 'type')) withType(error, CONTENT_TYPES.get(code) ?? 'entity.verify.failed');
    publish(isOfJson ? 'json.refused' : 'body.refused', req, { code });
  }
  next(error);
}

/**
 * @param {Uint8Array} bytes
 * @param {unknown} options
 */
function parseForm(bytes, options) {
  // Decoding would put U+FFFD in the place of what is wrong.
  if (!isUtf8Text(bytes)) throw createError('ERR_QUERY_ENCODING', 'the form is not UTF-8');
  return parseQuery(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8'), options);
}

/**
 * Those given, and the defaults for the rest.
 *
 * @param {unknown} value
 * @param {string} name
 * @returns {Record<string, any>}
 */
function readLimits(value, name) {
  if (value !== undefined && (typeof value !== 'object' || value === null)) throw wrongType(name, 'an object');
  /** @type {Record<string, any>} */
  const limits = { __proto__: null, .../** @type {object | undefined} */ (value) };
  for (const [limit, most] of Object.entries(DEFAULT_LIMITS)) {
    if (limits[limit] === undefined) limits[limit] = most;
  }
  return limits;
}

/**
 * What of parseQuery's options may be given for forms; undefined for none.
 *
 * @param {unknown} value
 * @param {string} name
 */
function readForms(value, name) {
  if (value === false) return undefined;
  if (value === undefined || value === true) return readOptions(undefined, FORM_OPTIONS, name);
  if (typeof value !== 'object') throw wrongType(name, 'true, false or an object');
  return readOptions(value, FORM_OPTIONS, name);
}

/**
 * @param {{ duplicates: unknown, arrays: unknown, nested: unknown }} options
 * @param {Record<string, any>} limits
 */
function formOptionsOf({ duplicates, arrays, nested }, { bytes, depth, keys, arrayLength }) {
  const longest = arrayLength === undefined ? undefined : Math.min(arrayLength, MOST_PARAMETERS);
  const limits = { __proto__: null, bytes, depth, parameters: Math.min(keys, MOST_PARAMETERS), arrayLength: longest };
  const options = { __proto__: null, duplicates: duplicates ?? 'error', arrays, nested, limits };
  parseQuery('', options); // says what is wrong with them
  return options;
}

/** The highest limit that parseQuery takes. */
const MOST_PARAMETERS = 2 ** 24;

module.exports = { createSafeJson, safeJson };
