// @ts-check
'use strict';

/**
 * Whatever goes wrong, as a problem document (RFC 9457): the last middleware of an application, and what the others
 * that answer errors use (harden() for its 404, Nest's filter, servers for what is no HTTP). A client sees a status, a
 * sentence written for it, and an errorId; the cause goes to the log under the same errorId. What is thrown can
 * be anything, and never keeps the answer from being made.
 */

const http = require('node:http');
const { randomUUID } = require('node:crypto');
const { HoldfastError, JsonError, outOfRange, wrongType, wrongValue } = require('../errors.js');
const { readOptions, table, unchecked } = require('../options.js');
const { publish } = require('./events.js');
const { MOST_CODE, codeOf, describe, isCode, logServerErrors, ownOf, summarize } = require('./problem-log.js');
const { requestIdOf, routeOf } = require('./request.js');
const { endAnswer } = require('./unread-body.js');

const TYPE = 'application/problem+json';

const MOST_DETAIL = 1000;

/** Prototypes that are looked through for a `status`. */
const MOST_PROTOTYPES = 10;

/** Without a prototype: there are numbers that are no status. @type {Record<number, string | undefined>} */
const TITLES = Object.assign(Object.create(null), http.STATUS_CODES);

/** An error whose message is for the client, whatever the status. */
class Problem extends Error {
  status;
  statusCode;
  expose = true;
  code;
  headers;

  /**
   * @param {number} status
   * @param {string} detail
   * @param {unknown} [options]
   */
  constructor(status, detail, options) {
    const { code, headers, cause } = readOptions(options, PROBLEM_OPTIONS);
    if (typeof status !== 'number') throw wrongType('status', 'a number');
    if (!isErrorStatus(status)) throw outOfRange('status', 'an integer from 400 to 599');
    if (typeof detail !== 'string') throw wrongType('detail', 'a string');
    super(detail, cause === undefined ? undefined : { cause });
    this.status = status;
    this.statusCode = status;
    this.code = code;
    this.headers = headers;
  }
}
const NAME = { __proto__: null, value: 'Problem', configurable: true, writable: true };
Object.defineProperty(Problem.prototype, 'name', NAME); // as for the built-in errors, not among the fields

/** What the answer says of itself. */
const OWN_HEADERS = new Set(['content-length', 'content-type', 'trailer', 'transfer-encoding']);

const PROBLEM_OPTIONS = table({
  /** @type {import('../options.js').Reader<string | undefined>} */
  code: (value, name) => {
    if (value === undefined) return undefined;
    if (typeof value !== 'string') throw wrongType(name, 'a string');
    if (!isCode(value)) throw wrongValue(name, `1 to ${MOST_CODE} letters, digits, "_", "." or "-"`);
    return value;
  },
  /** @type {import('../options.js').Reader<Readonly<Record<string, string>>>} */
  headers: (value, name) => {
    const headers = Object.create(null);
    if (value === undefined) return Object.freeze(headers);
    if (typeof value !== 'object' || value === null) throw wrongType(name, 'an object');
    for (const key of Object.keys(value)) {
      const text = /** @type {any} */ (value)[key];
      if (!isHeader(key, text)) throw wrongValue(name, 'an object of names and values of headers');
      if (OWN_HEADERS.has(key.toLowerCase())) throw wrongValue(name, `without ${[...OWN_HEADERS].join(', ')}`);
      headers[key] = text;
    }
    return Object.freeze(headers);
  },
  cause: unchecked,
});

/**
 * @typedef {import('../../express.js').ProblemEntry} ProblemEntry
 * @typedef {{ log?: (entry: ProblemEntry, error: unknown, req: any) => unknown }} ProblemSettings
 */

const HANDLER_OPTIONS = table({
  /** @type {import('../options.js').Reader<ProblemSettings['log']>} */
  log: (value, name) => {
    if (value !== undefined && typeof value !== 'function') throw wrongType(name, 'a function');
    return /** @type {any} */ (value);
  },
});

/**
 * @param {unknown} [options]
 */
function problemHandler(options) {
  const settings = readProblemOptions(options);
  /**
   * Four parameters, by which Express knows it.
   *
   * @param {unknown} error
   * @param {any} req
   * @param {any} res
   * @param {(error?: unknown) => void} next
   */
  return function answerWithProblem(error, req, res, next) {
    void next;
    answer(error, req, res, settings);
  };
}

/**
 * @param {unknown} [options]
 * @param {string} [name]
 * @returns {ProblemSettings}
 */
function readProblemOptions(options, name) {
  return readOptions(options, HANDLER_OPTIONS, name);
}

/**
 * Logs the error and answers with it. Where an answer has begun, it is cut: half of one must not look whole.
 *
 * @param {unknown} error
 * @param {any} req
 * @param {any} res
 * @param {ProblemSettings} [settings]
 */
function answer(error, req, res, settings) {
  const errorId = randomUUID();
  const face = faceOf(error);
  report(error, face, errorId, req, settings?.log);
  for (const shown of [face, INTERNAL]) {
    if (res.headersSent) break;
    try {
      return send(shown, errorId, req, res);
    } catch (failure) {
      // What hooks into the writing of heads has failed: of a session, of a logger.
      report(failure, INTERNAL, errorId, req, settings?.log);
    }
  }
  if (!res.writableEnded) res.destroy();
}

/**
 * @typedef {object} Face What a client may see of an error.
 * @property {number} status
 * @property {string} [detail]
 * @property {string} [code]
 * @property {Readonly<Record<string, string>>} [headers]
 * @property {number} [retryAfterMs]
 */

const INTERNAL = Object.freeze(faceWith(500));

/**
 * Only two kinds of errors speak for themselves: a Problem, and an error of Holdfast that says it may be shown. Of
 * others, such as those of Express, a 4xx status is kept and the message is not: it can hold a piece of the request.
 *
 * @param {any} error
 * @returns {Face}
 */
function faceOf(error) {
  try {
    if (error instanceof Problem) {
      return isErrorStatus(error.status) ? faceWith(error.status, error.message, error.code, error.headers) : INTERNAL;
    }
    if ((error instanceof HoldfastError || error instanceof JsonError) && ownOf(error, 'expose') === true) {
      const status = ownOf(error, 'status');
      if (!isErrorStatus(status)) return INTERNAL;
      return faceWith(status, error.message, ownOf(error, 'code'), undefined, ownOf(error, 'retryAfterMs'));
    }
    const status = statusOf(error);
    return status === undefined ? INTERNAL : faceWith(status);
  } catch {
    return INTERNAL; // a getter or a proxy of the application's
  }
}

/**
 * Every member its own: what is left out, a polluted Object.prototype must not fill in.
 *
 * @param {number} status
 * @param {unknown} [detail]
 * @param {string} [code]
 * @param {Readonly<Record<string, string>>} [headers]
 * @param {number} [retryAfterMs]
 * @returns {Face}
 */
function faceWith(status, detail, code, headers, retryAfterMs) {
  return { status, detail: typeof detail === 'string' ? detail : undefined, code, headers, retryAfterMs };
}

/**
 * The status of a client's mistake by which an error of another library is known: its own, or its class's.
 *
 * @param {unknown} error
 * @returns {number | undefined}
 */
function statusOf(error) {
  if (typeof error !== 'object' || error === null) return undefined;
  for (const name of ['status', 'statusCode']) {
    let holder = error;
    for (let steps = 0; steps < MOST_PROTOTYPES && holder !== null && holder !== Object.prototype; steps++) {
      if (Object.hasOwn(holder, name)) {
        const status = /** @type {any} */ (error)[name];
        if (Number.isInteger(status) && status >= 400 && status < 500) return status;
        break;
      }
      holder = Object.getPrototypeOf(holder);
    }
  }
  return undefined;
}

/**
 * Of an answer that the application had begun to make: they describe a content that is not sent, or allow to keep it.
 * The rest stays: headers of security, those of other origins, and cookies, as a refusal may have to clear one.
 */
const OF_CONTENT = new Set([
  'accept-ranges',
  'age',
  'content-digest',
  'content-disposition',
  'content-encoding',
  'content-language',
  'content-location',
  'content-md5',
  'content-range',
  'digest',
  'etag',
  'expires',
  'last-modified',
  'location',
  'pragma',
  'repr-digest',
  'trailer',
  'transfer-encoding',
]);

/**
 * @param {Face} face
 * @param {string} errorId
 * @param {any} req
 * @param {any} res
 */
function send(face, errorId, req, res) {
  const { status, detail, code, headers, retryAfterMs } = face;
  const body = problemBody(status, errorId, detail, code);
  for (const name of res.getHeaderNames()) {
    if (OF_CONTENT.has(name)) res.removeHeader(name);
  }
  res.statusCode = status;
  if (!(req.httpVersionMajor >= 2)) res.statusMessage = TITLES[status] ?? 'Error';
  res.setHeader('Cache-Control', 'no-store'); // the errorId is that of one occurrence
  res.setHeader('X-Content-Type-Options', 'nosniff');
  if (retryAfterMs !== undefined && Number.isFinite(retryAfterMs)) {
    res.setHeader('Retry-After', String(Math.max(1, Math.ceil(retryAfterMs / 1000))));
  }
  if (headers !== undefined) {
    for (const name of Object.keys(headers)) res.setHeader(name, headers[name]);
  }
  res.setHeader('Content-Type', TYPE);
  res.setHeader('Content-Length', body.length);
  endAnswer(req, res, body);
}

/**
 * The document, as bytes.
 *
 * @param {number} status
 * @param {string} errorId
 * @param {string} [detail]
 * @param {string} [code]
 */
function problemBody(status, errorId, detail, code) {
  return Buffer.from(
    JSON.stringify({
      __proto__: null,
      type: 'about:blank', // RFC 9457 section 4.2.1: the status says it all, the title is its phrase
      title: TITLES[status] ?? 'Error',
      status,
      detail: detail?.slice(0, MOST_DETAIL),
      code,
      instance: `urn:uuid:${errorId}`, // names this occurrence; the path would repeat what the client sent
      errorId,
    }),
  );
}

/**
 * To the log and to those who listen for events. Neither may keep the answer from being made.
 *
 * @param {unknown} error
 * @param {Face} face
 * @param {string} errorId
 * @param {any} req
 * @param {ProblemSettings['log']} log
 */
function report(error, { status, code: ownCode }, errorId, req, log) {
  const code = ownCode ?? codeOf(error);
  const isOurs = status >= 500;
  /** @type {ProblemEntry} */
  const entry = {
    level: isOurs ? 'error' : 'info',
    errorId,
    requestId: requestIdOf(req),
    status,
    code,
    method: req.method,
    route: routeOf(req),
    error: isOurs ? describe(error) : summarize(error),
  };
  publish('problem', req, { status, code, errorId });
  if (log === undefined) return logServerErrors(entry);
  try {
    const done = log(entry, error, req);
    if (done instanceof Promise) done.catch(() => logServerErrors(entry));
  } catch {
    logServerErrors(entry);
  }
}

/** @param {unknown} status */
function isErrorStatus(status) {
  return Number.isInteger(status) && Number(status) >= 400 && Number(status) < 600;
}

/**
 * @param {string} name
 * @param {unknown} value
 */
function isHeader(name, value) {
  if (typeof value !== 'string') return false;
  try {
    http.validateHeaderName(name);
    http.validateHeaderValue(name, value);
    return true;
  } catch {
    return false;
  }
}

module.exports = { Problem, TYPE, answer, problemBody, problemHandler, readProblemOptions };
