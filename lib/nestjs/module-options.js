// @ts-check
'use strict';

/**
 * The options of HoldfastModule, and the middleware that is made of them. They run in the order of harden(), in three
 * parts, as Fastify reads bodies between the first and the last: `first`, `body`, `last`.
 */

const { wrongType } = require('../errors.js');
const { OTHER, bodyKinds, readTypes } = require('../http/body-types.js');
const { allowOrigins } = require('../http/cors.js');
const { csrf } = require('../http/csrf.js');
const { headers } = require('../http/headers.js');
const { createBodyLimit } = require('../http/limit-body.js');
const { safeJson } = require('../http/safe-json.js');
const { createSafeQuery } = require('../http/safe-query.js');
const { createSession } = require('../http/sealed-session.js');
const { slowDown } = require('../http/slow-down.js');
const { Keyring } = require('../keyring.js');
const { readOptions, table, unchecked } = require('../options.js');
const { SafeRegExp } = require('../regexp.js');
const { makeLimit } = require('./limit.js');
const { rawBodies } = require('./raw-body.js');
const { readLimitName } = require('./tokens.js');

/** @typedef {import('../http/sequence.js').Middleware} Middleware */

/** safeJson's own. */
const JSON_TYPES = ['application/json', 'application/*+json'];
const FORM = 'application/x-www-form-urlencoded';

const OPTIONS = table({
  keyring: readKeyring,
  headers: part,
  cors: part,
  body: (value, name) => (typeof value === 'number' ? { __proto__: null, maxBytes: value } : part(value, name)),
  json: part,
  query: part,
  rateLimit: part,
  slowDown: part,
  session: part,
  csrf: part,
  limits: readLimits,
  problems: part,
  passwords: unchecked,
});

/** @typedef {ReturnType<typeof readModuleOptions>} ModuleOptions */

/**
 * @param {unknown} options
 */
function readModuleOptions(options) {
  return readOptions(options, OPTIONS);
}

/**
 * @param {ModuleOptions} options
 * @param {((error: unknown, req: any, res: any) => void) | undefined} answer Where there are problem documents.
 */
function makePieces(options, answer) {
  const { keyring } = options;
  const rawBody = { isWanted: false };
  const general = options.rateLimit === false ? undefined : makeLimit('default', options.rateLimit ?? {});
  const securityHeaders = options.headers === false ? undefined : headers(options.headers);
  const first = [
    securityHeaders,
    options.cors === undefined || options.cors === false ? undefined : allowOrigins(options.cors),
    general?.middleware,
    options.slowDown === undefined || options.slowDown === false ? undefined : slowDown(options.slowDown),
    options.body === false ? undefined : createBodyLimit(options.body, kindsOf(options)),
    options.session === false || keyring === undefined
      ? requireKeyring(options)
      : createSession({ __proto__: null, ...options.session, keyring }, answer).middleware,
  ];
  const query = options.query === false ? undefined : createSafeQuery(options.query);
  const last = [
    query?.middleware,
    options.csrf === false ? undefined : csrf({ __proto__: null, ...options.csrf, keyring }),
  ];
  return {
    general: general?.limiter,
    headers: securityHeaders,
    first: first.filter(isThere),
    body: options.json === false ? undefined : readBodies(options.json, rawBody),
    last: last.filter(isThere),
    parseQuery: query?.parse,
    rawBody,
  };
}

/**
 * What safeJson reads, and counts by itself.
 *
 * @param {ModuleOptions} options
 * @returns {(contentType: string | undefined) => number}
 */
function kindsOf({ json }) {
  if (json === false) return () => OTHER;
  return bodyKinds(readTypes(json?.types, 'options.types'), json?.urlencoded !== false);
}

/**
 * @param {Record<string, any> | undefined} options Of safeJson, which checks them.
 * @param {{ isWanted: boolean }} rawBody
 */
function readBodies(options, rawBody) {
  const parse = safeJson(options);
  const keep = rawBodies(options ?? {});
  return (/** @type {any} */ req, /** @type {any} */ res, /** @type {(error?: unknown) => void} */ next) => {
    if (rawBody.isWanted) keep(req);
    parse(req, res, next);
  };
}

/**
 * What a request gets besides: members that stand in `raw` under Fastify.
 *
 * @param {ModuleOptions} options
 */
function membersOf(options) {
  const members = [];
  if (options.session !== false && options.keyring !== undefined) members.push('session');
  if (options.query !== false) members.push('safe');
  if (options.csrf !== false) members.push('csrfToken');
  return members;
}

/**
 * The same, as Fastify takes types.
 *
 * @param {ModuleOptions} options
 * @returns {(string | RegExp)[]}
 */
function typesOf({ json }) {
  if (json === false) return [];
  const { types = JSON_TYPES, urlencoded = true } = /** @type {any} */ (json ?? {});
  const all = urlencoded ? [...types, FORM] : [...types];
  return [...new Set(all)].map((type) => (type.includes('*') ? patternOf(type) : type));
}

/** @param {string} type With `*` for some characters. */
function patternOf(type) {
  const [before, ...rest] = type.toLowerCase().split('*').map(SafeRegExp.escape);
  return new RegExp(`^${[before, ...rest].join('[^;\\s]+')}(?=$|[;\\s])`);
}

/**
 * @param {ModuleOptions} options
 * @returns {undefined}
 */
function requireKeyring({ session }) {
  if (session !== undefined && session !== false)
    throw wrongType('options.keyring', 'a Keyring, as options.session seals with it');
  return undefined;
}

/** @type {import('../options.js').Reader<Keyring | undefined>} */
function readKeyring(value, name) {
  if (value !== undefined && !(value instanceof Keyring)) throw wrongType(name, 'a Keyring');
  return value;
}

/**
 * The options of a piece, for the piece to check; `false` is none.
 *
 * @type {import('../options.js').Reader<Record<string, unknown> | false | undefined>}
 */
function part(value, name) {
  if (value === undefined || value === false) return value;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw wrongType(name, 'an object, or false');
  return Object.assign(Object.create(null), value);
}

/** @type {import('../options.js').Reader<Record<string, Record<string, unknown>>>} */
function readLimits(value, name) {
  const limits = Object.create(null);
  if (value === undefined) return limits;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw wrongType(name, 'an object');
  for (const key of Object.keys(value)) {
    readLimitName(key, `each name in ${name}`);
    const options = part(/** @type {any} */ (value)[key], `${name}.${key}`);
    if (options === undefined || options === false) throw wrongType(`${name}.${key}`, 'an object');
    limits[key] = options;
  }
  return limits;
}

/**
 * @param {Middleware | undefined} piece
 * @returns {piece is Middleware}
 */
function isThere(piece) {
  return piece !== undefined;
}

module.exports = { makePieces, membersOf, readModuleOptions, typesOf };
