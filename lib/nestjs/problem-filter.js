// @ts-check
'use strict';

/**
 * ProblemFilter: whatever is thrown in a Nest application, as the problem document that Express applications answer
 * with (lib/http/problem.js). An HttpException is the application's own word: its status is kept, and its message
 * told where it is about a mistake of the client's. What is not HTTP goes the way that it would without the filter.
 */

const { STATUS_CODES } = require('node:http');
const { Problem, answer, readProblemOptions } = require('../http/problem.js');
const { isCode } = require('../http/problem-log.js');
const { loadPeer } = require('../http/peers.js');
const { common } = require('./nest.js');
const { frameworkRequestOf, nodeResponseOf, routedRequestOf } = require('./requests.js');

/** Of ValidationPipe, say, as one detail. */
const MOST_MESSAGES = 20;

/** Nest's own 404, with the path that the client asked for; harden()'s words for it. */
const NOT_FOUND = /^Cannot [A-Z-]+ /;
const NOTHING = 'there is nothing at this address';

/**
 * What routers and parsers say, with a piece of the request in it. Nest 11 makes exceptions of it that look like
 * others.
 */
const QUOTING = /^Failed to decode param | is not valid JSON$/;

class ProblemFilter {
  #settings;

  /** @param {unknown} [options] */
  constructor(options) {
    const { log } = readProblemOptions(options);
    const report = log ?? toLogger(new common.Logger('Problem'));
    this.#settings = {
      __proto__: null,
      /** @type {typeof report} */
      log: (entry, error, req) => report(entry, thrownIn(error), frameworkRequestOf(req)),
    };
  }

  /**
   * @param {unknown} error
   * @param {any} host
   */
  catch(error, host) {
    if (host.getType() !== 'http') return elsewhere(error, host);
    const http = host.switchToHttp();
    const response = http.getResponse();
    const raw = nodeResponseOf(response);
    // Middleware that has answered, and called next() all the same.
    if (raw.headersSent && isOfRouter(error)) return undefined;
    if (raw !== response) takeOver(response, raw);
    this.answer(error, routedRequestOf(http.getRequest()), raw);
    return undefined;
  }

  /**
   * For what goes wrong outside of Nest, in middleware.
   *
   * @param {unknown} error
   * @param {any} req node:http's.
   * @param {any} res
   */
  answer(error, req, res) {
    answer(told(error), req, res, this.#settings);
  }
}
common.Catch()(ProblemFilter);

/** An HttpException, with as much of it as clients may see. */
class Told extends Problem {}

/**
 * @param {any} error
 * @returns {unknown}
 */
function told(error) {
  if (!isHttpException(error)) return error;
  const status = error.getStatus();
  if (!Number.isInteger(status) || status < 400 || status > 599) return error;
  // Nest's own translation of an error that speaks for itself, or does not.
  if (error.cause instanceof Error && statusIn(error.cause) === status && isTranslated(error)) return error.cause;
  const detail = isOfRouter(error) ? NOTHING : status < 500 ? detailOf(error.getResponse(), status) : undefined;
  const code = isCode(error.errorCode) ? error.errorCode : undefined;
  const problem = new Told(status, detail ?? '', { __proto__: null, code, cause: error });
  // A problem without a detail: its title says all.
  if (detail === undefined) problem.message = /** @type {any} */ (undefined);
  return problem;
}

/**
 * Of every version and copy of Nest.
 *
 * @param {any} error
 */
function isHttpException(error) {
  return error instanceof Error && typeof (/** @type {any} */ (error).getStatus) === 'function';
}

/**
 * Whether nothing is there. What the application throws about something that it looked for says so in other words.
 *
 * @param {any} error
 */
function isOfRouter(error) {
  return isHttpException(error) && error.getStatus() === 404 && NOT_FOUND.test(error.message);
}

/** @param {any} error */
function statusIn(error) {
  return Object.hasOwn(error, 'statusCode') ? error.statusCode : undefined;
}

/**
 * Whether nobody has put the cause into words of their own.
 *
 * @param {any} error
 */
function isTranslated(error) {
  return error.message === error.cause.message || error.message === STATUS_CODES[error.getStatus()];
}

/**
 * @param {any} response The text or object that the exception was made with.
 * @param {number} status
 */
function detailOf(response, status) {
  const given = typeof response === 'object' && response !== null ? response.message : response;
  const text = Array.isArray(given) ? given.slice(0, MOST_MESSAGES).map(String).join('; ') : given;
  if (typeof text !== 'string' || text === '' || text === STATUS_CODES[status] || QUOTING.test(text)) return undefined;
  return text;
}

/**
 * What the application threw.
 *
 * @param {unknown} error
 */
function thrownIn(error) {
  return error instanceof Told ? error.cause : error;
}

/**
 * What is the server's fault goes where the application's log goes.
 *
 * @param {any} logger
 * @returns {(entry: import('../../express.js').ProblemEntry) => void}
 */
function toLogger(logger) {
  return (entry) => {
    if (entry.level === 'error') logger.error(entry);
  };
}

/**
 * Fastify's reply is not asked any more. The headers that it has been given stay.
 *
 * @param {any} reply
 * @param {any} raw
 */
function takeOver(reply, raw) {
  for (const [name, value] of Object.entries(reply.getHeaders())) {
    try {
      if (value !== undefined && !raw.headersSent) raw.setHeader(name, value);
    } catch {
      // It is none: Fastify would have said so when it came to send it.
    }
  }
  reply.hijack();
}

/**
 * A microservice, a gateway, a resolver.
 *
 * @param {unknown} error
 * @param {any} host
 */
function elsewhere(error, host) {
  const purpose = 'ProblemFilter needs it in this application.';
  const type = host.getType();
  if (type === 'rpc') {
    const { BaseRpcExceptionFilter } = loadPeer('@nestjs/microservices', purpose);
    return new BaseRpcExceptionFilter().catch(error, host);
  }
  if (type === 'ws') {
    const { BaseWsExceptionFilter } = loadPeer('@nestjs/websockets', purpose);
    return new BaseWsExceptionFilter().catch(error, host);
  }
  throw error;
}

module.exports = { NOTHING, ProblemFilter };
