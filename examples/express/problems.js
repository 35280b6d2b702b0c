// @ts-check
'use strict';

// Everything that goes wrong, as a problem document (RFC 9457). app.js ends its chain with `problemHandler`, server.js
// uses `problemBytes` for requests that never reach Express. A client sees the status, a sentence written for it, and
// an errorId; the cause goes to the log under the same errorId. No stack, no rejected value, and nothing internal.

const http = require('node:http');
const { randomUUID } = require('node:crypto');
const { HoldfastError, JsonError } = require('holdfast');

const TYPE = 'application/problem+json';

/** An answer chosen by this service: the detail is meant for the client, whatever the status. */
class Problem extends Error {
  /**
   * @param {number} status
   * @param {string} detail
   * @param {{ headers?: Record<string, string>, cause?: unknown }} [options]
   */
  constructor(status, detail, { headers = {}, cause } = {}) {
    super(detail, { cause });
    this.name = 'Problem';
    this.status = status;
    this.headers = headers;
  }
}

/**
 * What may be told about an error. Only two kinds speak for themselves: a Problem, and an error of Holdfast that says
 * it may be shown. Of others, such as those of Express, a 4xx status is kept and the message is not: it can hold a
 * piece of the request.
 * @param {any} error
 * @returns {{ status: number, detail?: string, code?: string, headers: Record<string, string> }}
 */
function publicFace(error) {
  if (error instanceof Problem) {
    return { status: error.status, detail: error.message, headers: error.headers };
  }
  if ((error instanceof HoldfastError || error instanceof JsonError) && error.expose === true) {
    /** @type {Record<string, string>} */
    const headers = {};
    const { retryAfterMs } = /** @type {{ retryAfterMs?: number }} */ (error);
    if (retryAfterMs !== undefined) headers['Retry-After'] = String(Math.max(1, Math.ceil(retryAfterMs / 1000)));
    return { status: error.status ?? 400, detail: error.message, code: error.code, headers };
  }
  const status = error?.status;
  const isClientError = Number.isInteger(status) && status >= 400 && status < 500;
  return { status: isClientError ? status : 500, headers: {} };
}

/**
 * @param {{ status: number, detail?: string, code?: string }} face
 * @param {string} errorId
 */
function problemBytes({ status, detail, code }, errorId) {
  return Buffer.from(JSON.stringify({
    type: 'about:blank', // RFC 9457 section 4.2.1: the status says it all, the title is its phrase
    title: http.STATUS_CODES[status] ?? 'Error',
    status,
    detail,
    code,
    instance: `urn:uuid:${errorId}`, // names this occurrence; the path would repeat what the client sent
    errorId,
  }));
}

/**
 * Express's last middleware. `log` gets one plain object a problem.
 * @param {(entry: Record<string, unknown>) => void} log
 */
function problemHandler(log) {
  /**
   * @param {any} error
   * @param {any} req
   * @param {any} res
   * @param {(error: unknown) => void} next
   */
  return function answerWithProblem(error, req, res, next) {
    const errorId = randomUUID();
    const face = publicFace(error);
    log({
      level: face.status >= 500 ? 'error' : 'info',
      errorId,
      status: face.status,
      code: error?.code,
      method: req.method,
      path: req.path.slice(0, 200),
      // Of a client's mistake the sentence is enough; of ours, everything.
      error: face.status >= 500 ? describe(error) : String(error?.message ?? error),
    });
    if (res.headersSent) return next(error); // Express closes the connection: a half answer must not look whole
    res.status(face.status).set({ 'Content-Type': TYPE, ...face.headers }).end(problemBytes(face, errorId));
  };
}

/**
 * The stack, and the stacks of its causes.
 * @param {unknown} error
 * @returns {string}
 */
function describe(error) {
  const parts = [];
  for (let e = error; e !== undefined && parts.length < 5; e = e instanceof Error ? e.cause : undefined) {
    parts.push(e instanceof Error ? e.stack ?? String(e) : String(e));
  }
  return parts.join('\ncaused by: ');
}

/**
 * One JSON line on stderr.
 * @param {Record<string, unknown>} entry
 */
function logLine(entry) {
  process.stderr.write(`${JSON.stringify({ time: new Date().toISOString(), ...entry })}\n`);
}

module.exports = { Problem, problemHandler, problemBytes, describe, logLine, TYPE };
