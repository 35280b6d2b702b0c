// @ts-check
'use strict';

/**
 * HoldfastModule on Nest's Express adapter: all pieces as one layer, in front of Nest's own, which the module's constructor
 * is early enough for. Nest's body parsers are not put in, as safeJson takes their place.
 */

const { wrongValue } = require('../errors.js');
const { sequence } = require('../http/sequence.js');

/**
 * @param {any} adapter
 * @param {import('./harden-adapter.js').Hardening} hardening
 */
function hardenExpress(adapter, { first, body, last, rawBody, refuse }) {
  const app = adapter.getInstance();
  const layers = app.router?.stack ?? [];
  if (layers.some((/** @type {any} */ layer) => layer.route !== undefined)) {
    throw wrongValue('the Express application', 'without routes: HoldfastModule has to come before them');
  }
  app.disable('x-powered-by');
  const pieces = body === undefined ? [...first, ...last] : [...first, body, ...last];
  const all = sequence(pieces);
  adapter.use(function hardened(/** @type {any} */ req, /** @type {any} */ res, /** @type {any} */ next) {
    all(req, res, (error) => (error === undefined || error === null ? next() : refuse(error, req, res, next)));
  });
  if (body === undefined) return;
  adapter.registerParserMiddleware = (/** @type {unknown} */ prefix, /** @type {unknown} */ isRawBodyWanted) => {
    rawBody.isWanted = isRawBodyWanted === true;
  };
}

module.exports = { hardenExpress };
