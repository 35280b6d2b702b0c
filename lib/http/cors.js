// @ts-check
'use strict';

/**
 * allowOrigins: the package cors with a list of origins that is checked when it is made, and answers to preflights
 * alone: another OPTIONS request is the application's. What is not allowed is not refused here: the browser keeps the
 * answer from its page, and csrf refuses what would change something. There is an event.
 */

const { METHODS } = require('node:http');
const { wrongType, wrongValue } = require('../errors.js');
const { integer, readOptions, table } = require('../options.js');
const { publish } = require('./events.js');
const { headerOf } = require('./framing.js');
const { readOrigins } = require('./origins.js');
const { loadPeer } = require('./peers.js');
const { isSecure } = require('./request.js');

const OPTIONS = table({
  origins: readAllowed,
  credentials: readFlag,
  methods: namesIn(METHODS, 'methods of HTTP, in upper case'),
  allowedHeaders: namesIn(undefined, 'names of headers'),
  exposedHeaders: namesIn(undefined, 'names of headers'),
  maxAge: integer(0, 86_400, 600),
});

const DEFAULT_METHODS = ['GET', 'HEAD', 'PUT', 'PATCH', 'POST', 'DELETE'];

/**
 * @param {unknown} options
 * @returns {(req: any, res: any, next: (error?: unknown) => void) => void}
 */
function allowOrigins(options) {
  const { origins, credentials, methods, allowedHeaders, exposedHeaders, maxAge } = readOptions(options, OPTIONS);
  if (origins === '*' && credentials) {
    const why = 'every site could read what the server answers to its users';
    throw wrongValue('options.origins', `a list where credentials are allowed: with '*' ${why}`);
  }
  const cors = loadPeer('cors', 'allowOrigins() uses it.');
  // Each name is given: cors puts them into an ordinary object.
  const handle = cors({
    __proto__: null,
    origin: origins === '*' ? '*' : [...origins],
    credentials,
    methods: methods ?? DEFAULT_METHODS,
    allowedHeaders,
    headers: undefined,
    exposedHeaders,
    maxAge,
    preflightContinue: false,
    optionsSuccessStatus: 204,
  });

  return function allowOrigins(req, res, next) {
    const origin = headerOf(req, 'origin');
    if (origin !== undefined && origins !== '*' && !origins.has(origin) && !isOwnOrigin(origin, req)) {
      publish('cors.refused', req);
    }
    const isPreflight = origin !== undefined && headerOf(req, 'access-control-request-method') !== undefined;
    handle(req.method === 'OPTIONS' && !isPreflight ? { method: 'GET', headers: req.headers } : req, res, next);
  };
}

/**
 * Whether the page is this server's. Only what is told depends on it.
 *
 * @param {string} origin
 * @param {any} req
 */
function isOwnOrigin(origin, req) {
  if (headerOf(req, 'sec-fetch-site') === 'same-origin') return true;
  const host = typeof req.host === 'string' ? req.host : headerOf(req, 'host');
  return origin === `${isSecure(req) ? 'https' : 'http'}://${host}`;
}

/** @type {import('../options.js').Reader<Set<string> | '*'>} */
function readAllowed(value, name) {
  if (value === '*') return '*';
  if (value === undefined || value === null) throw wrongType(name, "an array of origins, or '*'");
  return /** @type {Set<string>} */ (readOrigins(value, name));
}

/** @type {import('../options.js').Reader<boolean>} */
function readFlag(value, name) {
  if (value === undefined) return false;
  if (typeof value !== 'boolean') throw wrongType(name, 'true or false');
  return value;
}

/**
 * A list of tokens (RFC 9110 section 5.6.2), or of some of them.
 *
 * @param {readonly string[] | undefined} known
 * @param {string} what
 * @returns {import('../options.js').Reader<string[] | undefined>}
 */
function namesIn(known, what) {
  return (value, name) => {
    if (value === undefined) return undefined;
    if (!Array.isArray(value)) throw wrongType(name, `an array of ${what}`);
    return Array.from(value, (item, at) => {
      if (typeof item !== 'string') throw wrongType(`${name}[${at}]`, 'a string');
      const isKnown = known === undefined ? /^[\w!#$%&'*+.^`|~-]+$/.test(item) : known.includes(item);
      if (!isKnown) throw wrongValue(name, `an array of ${what}`);
      return item;
    });
  };
}

module.exports = { allowOrigins };
