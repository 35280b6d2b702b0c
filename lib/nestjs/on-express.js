// @ts-check
'use strict';

/**
 * HoldfastModule on Nest's Express adapter: all pieces as one layer, in front of Nest's own, which the module's
 * constructor is early enough for. Nest's body parsers are not put in, as safeJson takes their place.
 */

const { wrongValue } = require('../errors.js');
const { sequence } = require('../http/sequence.js');
const { common } = require('./nest.js');

/**
 * @param {any} adapter
 * @param {import('./harden-adapter.js').Hardening} hardening
 */
function hardenExpress(adapter, { first, body, last, parseQuery, rawBody, refuse, answer }) {
  const app = adapter.getInstance();
  const layers = app.router?.stack ?? [];
  if (layers.some((/** @type {any} */ layer) => layer.route !== undefined)) {
    throw wrongValue('the Express application', 'without routes: HoldfastModule has to come before them');
  }
  app.disable('x-powered-by');
  if (parseQuery !== undefined) app.set('query parser', parseQuery);
  const pieces = body === undefined ? [...first, ...last] : [...first, body, ...last];
  const all = sequence(pieces);
  adapter.use(function hardened(/** @type {any} */ req, /** @type {any} */ res, /** @type {any} */ next) {
    all(req, res, (error) => (error === undefined || error === null ? next() : refuse(error, req, res, next)));
  });
  if (answer !== undefined) answerRest(app, answer);
  if (body === undefined) return;
  refuseParsers(adapter);
  adapter.registerParserMiddleware = (/** @type {unknown} */ prefix, /** @type {unknown} */ isRawBodyWanted) => {
    rawBody.isWanted = isRawBodyWanted === true;
  };
}

/**
 * `app.useBodyParser('json', { limit })` would do nothing, as the bodies have been read.
 *
 * @param {any} adapter
 */
function refuseParsers(adapter) {
  const { useBodyParser } = adapter;
  adapter.useBodyParser = (/** @type {unknown} */ type, /** @type {unknown[]} */ ...rest) => {
    if (type === 'json' || type === 'urlencoded') {
      throw wrongValue(
        `app.useBodyParser('${type}')`,
        "left out: HoldfastModule reads these bodies, see its option 'json'",
      );
    }
    return useBodyParser.call(adapter, type, ...rest);
  };
}

/**
 * What no handler of Nest's answers, as it is outside of the global prefix, say: Express would make HTML of it.
 *
 * @param {any} app
 * @param {(error: unknown, req: any, res: any) => void} answer
 */
function answerRest(app, answer) {
  const { handle } = app;
  /** @this {any} @param {any} req @param {any} res @param {any} [next] Where it is mounted in another application. */
  app.handle = function handleAll(req, res, next) {
    return handle.call(this, req, res, next ?? finish);

    /** @param {unknown} [error] */
    function finish(error) {
      answer(error ?? new common.NotFoundException(), req, res);
    }
  };
}

module.exports = { hardenExpress };
