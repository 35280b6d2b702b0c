// @ts-check
'use strict';

/**
 * The pieces that harden()'s options ask for, made and in their order: headers first, so that refusals have them; what
 * is cheap before what is not, so that a flood is refused before its bodies are read; the named limits last, as they
 * look at what was read.
 */

const { wrongType, wrongValue } = require('../errors.js');
const { Keyring } = require('../keyring.js');
const { readOptions, table, unchecked } = require('../options.js');
const { OTHER } = require('../http/body-types.js');
const { allowOrigins } = require('../http/cors.js');
const { createCsrf } = require('../http/csrf.js');
const { createHeaders } = require('../http/headers.js');
const { createBodyLimit } = require('../http/limit-body.js');
const { answer, readProblemOptions } = require('../http/problem.js');
const { rateLimit } = require('../http/rate-limit.js');
const { createSafeJson } = require('../http/safe-json.js');
const { NONE, createSafeQuery } = require('../http/safe-query.js');
const { createSession } = require('../http/sealed-session.js');
const { slowDown } = require('../http/slow-down.js');
const { createNamedLimits } = require('./named-limits.js');
const { inside } = require('./option-names.js');

/** @typedef {(req: any, res: any, next: (error?: unknown) => void) => void} Middleware */

const OPTIONS = table({
  /** @type {import('../options.js').Reader<Keyring | undefined>} */
  keyring: (value, name) => {
    if (value !== undefined && !(value instanceof Keyring)) throw wrongType(name, 'a Keyring');
    return value;
  },
  headers: unchecked,
  cors: unchecked,
  body: unchecked,
  json: unchecked,
  query: unchecked,
  rateLimit: unchecked,
  slowDown: unchecked,
  limits: unchecked,
  session: unchecked,
  csrf: unchecked,
  problems: unchecked,
});

/** @param {unknown} options Of harden(). */
function createPieces(options) {
  const given = readOptions(options, OPTIONS);
  const { keyring } = given;
  const problems = unless(given.problems, 'problems', readProblemOptions);
  const headers = unless(given.headers, 'headers', createHeaders);
  const json = unless(given.json, 'json', createSafeJson);
  const query = unless(given.query, 'query', createSafeQuery);
  const session = sessionOf(given.session, keyring, problems);
  const csrf = unless(given.csrf, 'csrf', (own) => createCsrf(withKeyring(own, 'csrf', keyring)));
  const kindOf = json === undefined ? () => OTHER : json.kindOf;
  /** @type {(Middleware | undefined)[]} */
  const middlewares = [
    headers?.middleware,
    given.cors === undefined ? undefined : unless(given.cors, 'cors', allowOrigins),
    unless(given.rateLimit, 'rateLimit', rateLimit),
    given.slowDown === undefined ? undefined : unless(given.slowDown, 'slowDown', slowDown),
    unless(given.body, 'body', (own) => createBodyLimit(typeof own === 'number' ? { maxBytes: own } : own, kindOf)),
    session?.middleware,
    json?.middleware,
    query?.middleware,
    csrf?.middleware,
  ];
  return {
    middlewares: /** @type {Middleware[]} */ (middlewares.filter((piece) => piece !== undefined)),
    limits: createNamedLimits(given.limits),
    prepare: preparation({ headers, json, query, session, csrf }),
    parseQuery: query?.parse,
    problems,
  };
}

/**
 * Adds what the pieces would add to a request and its answer, before anything of it is needed.
 *
 * @param {{ headers: any, json: any, query: any, session: any, csrf: any }} pieces
 */
function preparation({ headers, json, query, session, csrf }) {
  /**
   * @param {any} req
   * @param {any} res
   */
  return function prepare(req, res) {
    if (json !== undefined && !Object.hasOwn(req, 'body')) req.body = undefined;
    if (query !== undefined) req.safe = NONE;
    // Where there is another one, the piece itself says so.
    if (session !== undefined && !('session' in req)) Object.defineProperty(req, 'session', session.member);
    if (csrf !== undefined && !('csrfToken' in req)) Object.defineProperty(req, 'csrfToken', csrf.member);
    headers?.prepare(res);
  };
}

/**
 * @template T
 * @param {unknown} own An option: false for no such piece.
 * @param {string} name
 * @param {(own: unknown) => T} create
 * @returns {T | undefined}
 */
function unless(own, name, create) {
  return own === false ? undefined : inside(name, () => create(own));
}

/**
 * @param {unknown} own
 * @param {Keyring | undefined} keyring
 * @param {import('../http/problem.js').ProblemSettings | undefined} problems
 */
function sessionOf(own, keyring, problems) {
  if (own === false || (own === undefined && keyring === undefined)) return undefined;
  if (keyring === undefined) throw wrongValue('options.session', 'given together with options.keyring, which seals it');
  /** @type {import('../http/before-head.js').Answer} */
  const answerFailure = (error, req, res) => answer(error, req, res, problems);
  return inside('session', () => createSession(withKeyring(own, 'session', keyring), answerFailure));
}

/**
 * @param {unknown} own
 * @param {string} name
 * @param {Keyring | undefined} keyring
 */
function withKeyring(own, name, keyring) {
  if (own === undefined) return { __proto__: null, keyring };
  if (typeof own !== 'object' || own === null || Array.isArray(own)) throw wrongType('options', 'an object, or false');
  if (Object.hasOwn(own, 'keyring')) throw wrongValue('options', 'without a keyring: it is one of options.keyring');
  return { __proto__: null, ...own, keyring };
}

module.exports = { createPieces };
