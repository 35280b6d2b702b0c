// @ts-check
'use strict';

/**
 * Puts the pieces into an application of Nest, through the adapter of its platform: once, before anything else is put
 * in.
 */

const { wrongValue } = require('../errors.js');
const { common } = require('./nest.js');
const { hardenExpress } = require('./on-express.js');
const { hardenFastify } = require('./on-fastify.js');

/**
 * @typedef {import('../http/sequence.js').Middleware} Middleware
 * @typedef {(error?: unknown) => void} Next
 * @typedef {(error: unknown, req: any, res: any, next: Next, takeOver?: () => void) => void} Refuse
 * @typedef {object} Hardening
 * @property {{ middleware: Middleware, prepare: (res: any) => void } | undefined} headers The first of `first`.
 * @property {Middleware[]} first
 * @property {Middleware | undefined} body
 * @property {Middleware[]} last
 * @property {(req: any, res: any) => void} prepare
 * @property {((text: any) => unknown) | undefined} parseQuery
 * @property {{ isWanted: boolean }} rawBody To be set where Nest's own parsers would keep the bytes.
 * @property {readonly string[]} members
 * @property {readonly (string | RegExp)[]} types What `body` reads.
 * @property {Refuse} refuse
 * @property {((error: unknown, req: any, res: any) => void) | undefined} answer Where there are problem documents.
 */

const PLATFORMS = Object.freeze({ __proto__: null, express: hardenExpress, fastify: hardenFastify });

/** @type {WeakSet<object>} */
const hardened = new WeakSet();

/**
 * @param {any} adapter
 * @param {Omit<Hardening, 'refuse' | 'answer'>} pieces
 * @param {import('./problem-filter.js').ProblemFilter | undefined} filter Without one Nest's exception layer answers.
 */
function hardenAdapter(adapter, pieces, filter) {
  const type = adapter.getType();
  const harden = /** @type {any} */ (PLATFORMS)[type];
  if (harden === undefined) throw wrongValue('the HTTP adapter', "Nest's for Express or for Fastify");
  if (hardened.has(adapter)) {
    throw wrongValue(
      'HoldfastModule',
      'imported once in an application: it is global, so that forRoot stands in one module',
    );
  }
  hardened.add(adapter);
  const answer = filter?.answer.bind(filter);
  harden(adapter, { ...pieces, answer, refuse: answer === undefined ? passOn : answerWith(answer) });
}

/**
 * Answers at once. The exception layer would do the same, but for what it makes of a SyntaxError, and under a flood a
 * refusal has to cost little.
 *
 * @param {(error: unknown, req: any, res: any) => void} answer
 * @returns {Refuse}
 */
function answerWith(answer) {
  return (error, req, res, next, takeOver) => {
    takeOver?.();
    answer(error, req, res);
  };
}

/** @type {Refuse} */
function passOn(error, req, res, next) {
  next(asHttpException(error));
}

/**
 * Nest makes 400 of every SyntaxError; an exception of its own it leaves as it is.
 *
 * @param {any} error
 */
function asHttpException(error) {
  const { status, message, code, expose } = error;
  if (expose !== true || !Number.isInteger(status)) return error;
  return new common.HttpException({ statusCode: status, message, code }, status, { cause: error });
}

module.exports = { hardenAdapter };
