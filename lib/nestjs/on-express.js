// @ts-check
'use strict';

/**
 * HoldfastModule on Nest's Express adapter: all pieces as one layer, in front of Nest's own, which the module's
 * constructor is early enough for. Nest's body parsers are not put in, as safeJson takes their place.
 */

const { wrongValue } = require('../errors.js');
const { Problem } = require('../http/problem.js');
const { sequence } = require('../http/sequence.js');
const { NOTHING } = require('./problem-filter.js');

/** Of a request: it has been prepared. */
const PREPARED = Symbol('holdfast.prepared');

/**
 * @param {any} adapter
 * @param {import('./harden-adapter.js').Hardening} hardening
 */
function hardenExpress(adapter, { first, body, last, prepare, parseQuery, rawBody, refuse, answer }) {
  const app = adapter.getInstance();
  const layers = app.router?.stack ?? [];
  if (layers.some((/** @type {any} */ layer) => layer.route !== undefined)) {
    throw wrongValue('the Express application', 'without routes: HoldfastModule has to come before them');
  }
  app.disable('x-powered-by');
  if (parseQuery !== undefined) app.set('query parser', parseQuery);
  const all = sequence(body === undefined ? [...first, ...last] : [...first, body, ...last]);
  adapter.use(function hardened(/** @type {any} */ req, /** @type {any} */ res, /** @type {any} */ next) {
    if (req[PREPARED] !== true) prepare(req, res); // The application is mounted in another one.
    all(req, res, (error) => (error === undefined || error === null ? next() : refuse(error, req, res, next)));
  });
  handleFrom(app, prepare, answer);
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
 * In the place of `app.handle`, as harden() does: a request is prepared before Express gives it another prototype, and
 * what no handler of Nest's answers, as it is outside of the global prefix, say, is no HTML of Express's.
 *
 * @param {any} app
 * @param {(req: any, res: any) => void} prepare
 * @param {((error: unknown, req: any, res: any) => void) | undefined} answer
 */
function handleFrom(app, prepare, answer) {
  const { handle } = app;
  /** @this {any} @param {any} req @param {any} res @param {any} [next] Where it is mounted in another application. */
  app.handle = function handleHardened(req, res, next) {
    if (next !== undefined) return handle.call(this, req, res, next);
    req[PREPARED] = true;
    prepare(req, res);
    declareMembers(req);
    if (answer === undefined) return handle.call(this, req, res);
    handle.call(this, req, res, (/** @type {unknown} */ error) => {
      if (error) answer(error, req, res);
      // What has answered may call next() all the same.
      else if (!res.headersSent) answer(new Problem(404, NOTHING), req, res);
    });
  };
}

/**
 * Those that Express and its router add: on Node 20 and 22 each costs V8 2 µs after the prototype has been changed.
 *
 * @param {any} req
 */
function declareMembers(req) {
  req.next ??= undefined;
  req.baseUrl ??= undefined;
  req.originalUrl ??= undefined;
  req._parsedUrl ??= undefined;
  req.params ??= undefined;
  req.route ??= undefined;
}

module.exports = { hardenExpress };
