// @ts-check
'use strict';

/**
 * The options of HoldfastModule, and the middleware that is made of them. They run in the order of harden(), in three
 * parts, as Fastify reads bodies between the first and the last: `first`, `body`, `last`.
 */

const { wrongType, wrongValue } = require('../errors.js');
const { inside } = require('../express/option-names.js');
const { OTHER } = require('../http/body-types.js');
const { allowOrigins } = require('../http/cors.js');
const { createCsrf } = require('../http/csrf.js');
const { createHeaders } = require('../http/headers.js');
const { createBodyLimit } = require('../http/limit-body.js');
const { createSafeJson } = require('../http/safe-json.js');
const { NONE, createSafeQuery } = require('../http/safe-query.js');
const { createSession } = require('../http/sealed-session.js');
const { slowDown } = require('../http/slow-down.js');
const { Keyring } = require('../keyring.js');
const { readOptions, table, unchecked } = require('../options.js');
const { SafeRegExp } = require('../regexp.js');
const { makeLimit } = require('./limit.js');
const { rawBodies } = require('./raw-body.js');
const { askingOfFramework } = require('./requests.js');
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
  const general = unless(options.rateLimit, 'rateLimit', (own) => makeLimit('default', own ?? {}));
  const headers = unless(options.headers, 'headers', createHeaders);
  const json = unless(options.json, 'json', createSafeJson);
  const query = unless(options.query, 'query', createSafeQuery);
  const session = sessionOf(options, answer);
  const csrf = unless(options.csrf, 'csrf', (own) => createCsrf(sealing(askingOfFramework(own), options.keyring)));
  const kindOf = json?.kindOf ?? (() => OTHER);
  const first = [
    headers?.middleware,
    unless(options.cors ?? false, 'cors', allowOrigins),
    general?.middleware,
    unless(options.slowDown ?? false, 'slowDown', (own) => slowDown(askingOfFramework(own))),
    unless(options.body, 'body', (own) => createBodyLimit(askingOfFramework(own), kindOf)),
    session?.middleware,
  ];
  const rawBody = { isWanted: false };
  return {
    general: general?.limiter,
    headers,
    first: first.filter(isThere),
    body: json && readBodies(json.middleware, rawBodies(kindOf, options.json), rawBody),
    last: [query?.middleware, csrf?.middleware].filter(isThere),
    prepare: preparation({ headers, json, query, session, csrf }),
    parseQuery: query?.parse,
    rawBody,
  };
}

/**
 * As harden() does before Express sees a request: what the pieces would add to it, and to its answer.
 *
 * @param {{ headers: any, json: any, query: any, session: any, csrf: any }} pieces
 */
function preparation({ headers, json, query, session, csrf }) {
  return (/** @type {any} */ req, /** @type {any} */ res) => {
    if (json !== undefined && !Object.hasOwn(req, 'body')) req.body = undefined;
    if (query !== undefined) req.safe = NONE;
    // Where there is another one, the piece itself says so.
    if (session !== undefined && !('session' in req)) Object.defineProperty(req, 'session', session.member);
    if (csrf !== undefined && !('csrfToken' in req)) Object.defineProperty(req, 'csrfToken', csrf.member);
    headers?.prepare(res);
  };
}

/**
 * @param {ModuleOptions} options
 * @param {((error: unknown, req: any, res: any) => void) | undefined} answer
 */
function sessionOf({ session, keyring }, answer) {
  if (session === false || (session === undefined && keyring === undefined)) return undefined;
  if (keyring === undefined) throw wrongValue('options.session', 'given together with options.keyring, which seals it');
  return inside('session', () => createSession(sealing(askingOfFramework(session), keyring), answer));
}

/**
 * @param {Record<string, any> | undefined} own
 * @param {Keyring | undefined} keyring
 */
function sealing(own, keyring) {
  if (own !== undefined && 'keyring' in own)
    throw wrongValue('options', 'without a keyring: it is one of options.keyring');
  return { __proto__: null, ...own, keyring };
}

/**
 * @param {Middleware} read safeJson.
 * @param {(req: any) => void} keep
 * @param {{ isWanted: boolean }} rawBody
 */
function readBodies(read, keep, rawBody) {
  return (/** @type {any} */ req, /** @type {any} */ res, /** @type {(error?: unknown) => void} */ next) => {
    if (rawBody.isWanted) keep(req);
    read(req, res, next);
  };
}

/**
 * @template T
 * @param {Record<string, any> | false | undefined} own The options of a piece: false for none.
 * @param {string} name
 * @param {(own: Record<string, any> | undefined) => T} create
 * @returns {T | undefined}
 */
function unless(own, name, create) {
  return own === false ? undefined : inside(name, () => create(own));
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
 * The types of bodies that safeJson reads, as Fastify takes them.
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
