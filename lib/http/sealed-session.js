// @ts-check
'use strict';

/**
 * Sessions in a sealed cookie: `req.session`. A request that does not read it pays for one property; a request that
 * does, for opening a token, and for sealing one when something has changed. The server keeps nothing.
 *
 * Two answers at the same time are two sessions of one beginning: that which the browser gets last stays, as a whole. A
 * cookie that was copied is valid until it is over: `validate` is there to end it before.
 */

const { wrongType, wrongValue } = require('../errors.js');
const { Keyring } = require('../keyring.js');
const { integer, oneOf, readOptions, table } = require('../options.js');
const { Cookie, cookieDomain, cookieName, cookiePath } = require('./cookies.js');
const { answer: answerWithProblem } = require('./problem.js');
const { isSecure } = require('./request.js');
const { addMember, requestMember, responseOf } = require('./request-member.js');
const { RESERVED, isSession } = require('./session-object.js');
const { SessionState } = require('./session-state.js');
const { SessionTokens } = require('./session-token.js');

/** As long as browsers keep a cookie (RFC 6265bis, section 5.5). */
const MOST_MS = 400 * 86_400_000;
const MOST_PRIVILEGES = 100;

const OPTIONS = table({
  keyring: readKeyring,
  name: cookieName('session'),
  idleMs: integer(1000, MOST_MS, 1_800_000),
  absoluteMs: integer(1000, MOST_MS, 43_200_000),
  sameSite: oneOf(/** @type {const} */ (['lax', 'strict', 'none'])),
  secure: readSecure,
  path: cookiePath,
  domain: cookieDomain,
  privileges: readPrivileges,
  validate: readValidate,
});

/** The session of a request, once it has been opened. */
const STATE = Symbol('holdfast.session');

/** Of a request: its session has been validated, or is being so. */
const VALIDATED = Symbol('holdfast.session.validated');

/** @param {unknown} options */
function sealedSession(options) {
  return createSession(options).middleware;
}

/**
 * For an application that is hardened as a whole: also the member of requests, which can be there before the
 * middleware runs, and the answer to a session that cannot be sealed.
 *
 * @param {unknown} options
 * @param {import('./before-head.js').Answer} [answer]
 */
function createSession(options, answer = answerWithProblem) {
  const { secure, validate, ...settings } = readSettings(options, answer);
  const over = tokensOver(settings);

  /** @this {any} */
  function get() {
    return stateOf(this).session;
  }

  /** @this {any} @param {unknown} value */
  function set(value) {
    if (value !== null && value !== undefined) {
      throw wrongValue('req.session', 'changed by its members; null ends it, as destroy() does');
    }
    stateOf(this).destroy();
  }

  /** @param {any} req @returns {SessionState} */
  function stateOf(req) {
    return (req[STATE] ??= new SessionState(settings, tokensFor(req), req, responseOf(req)));
  }

  /** @param {any} req */
  function tokensFor(req) {
    if (secure === 'auto') return isSecure(req) ? over.tls : over.tcp;
    if (secure) return isSecure(req) ? over.tls : undefined;
    return over.tcp;
  }

  const member = requestMember(get, set);

  /**
   * @param {any} req
   * @param {any} res
   * @param {(error?: unknown) => void} next
   */
  function sealedSession(req, res, next) {
    let state;
    try {
      state = stateToValidate(req, res);
    } catch (error) {
      return next(error);
    }
    if (state === undefined) return next();
    validateState(state, req, next);
  }

  /**
   * @param {any} req
   * @param {any} res
   * @returns {SessionState | undefined}
   */
  function stateToValidate(req, res) {
    if (!addMember(req, res, 'session', member) || validate === undefined) return undefined;
    // Once for a request, however often this is called.
    if (req[VALIDATED] === true || !isBrought(req)) return undefined;
    req[VALIDATED] = true;
    const state = stateOf(req);
    return state.isNew ? undefined : state;
  }

  /**
   * @param {SessionState} state
   * @param {any} req
   * @param {(error?: unknown) => void} next
   */
  function validateState(state, req, next) {
    let verdict;
    try {
      verdict = /** @type {Function} */ (validate)(state.session, req);
    } catch (error) {
      return failed(error);
    }
    if (typeof verdict === 'boolean') return decided(verdict);
    Promise.resolve(verdict).then(decided, failed);

    /** @param {unknown} isValid */
    function decided(isValid) {
      if (typeof isValid !== 'boolean') return failed(wrongType('what options.validate returns', 'true or false'));
      if (!isValid) state.refuse('invalid');
      next();
    }

    /** @param {unknown} error */
    function failed(error) {
      // Nobody knows whether it is valid: for this request it is none, and for the next one it is asked again.
      state.abandon();
      next(error);
    }
  }

  /** @param {any} req */
  function isBrought(req) {
    const tokens = tokensFor(req);
    return tokens !== undefined && tokens.cookie.valuesIn(req).length > 0;
  }

  return { middleware: sealedSession, member };
}

/**
 * The id of the session that came with the request, for what came with it; null where none did.
 *
 * @param {any} req
 * @returns {string | null}
 */
function sessionIdFrom(req) {
  return isSession(req.session) ? req[STATE].idFromClient : null;
}

/**
 * The id of the session that the client has after this answer, as far as one can know; null where it has none.
 *
 * @param {any} req
 * @returns {string | null}
 */
function sessionIdFor(req) {
  return isSession(req.session) ? req[STATE].idForClient : null;
}

/**
 * @param {unknown} options
 * @param {import('./before-head.js').Answer} answer
 */
function readSettings(options, answer) {
  const read = readOptions(options, OPTIONS);
  if (read.sameSite === 'none' && read.secure !== true) {
    throw wrongValue('options.sameSite', "'lax' or 'strict' where options.secure is not true: browsers refuse 'none'");
  }
  /** @type {Set<string>} */
  const warned = new Set();
  /** @param {string} code @param {string} message */
  const warn = (code, message) => {
    if (warned.has(code)) return;
    warned.add(code);
    process.emitWarning(message, { type: 'HoldfastWarning', code });
  };
  return { ...read, answer, warn };
}

/** @param {Omit<ReturnType<typeof readSettings>, 'secure' | 'validate'>} settings */
function tokensOver({ keyring, name, sameSite, path, domain, idleMs, absoluteMs }) {
  // What came over TLS is never read from the cookie without a prefix: a neighbouring host, or whoever is between here
  // and a client that speaks plain HTTP, can set that one.
  const [tcp, tls] = [false, true].map((isSecure) => {
    const cookie = new Cookie(name, { isSecure, sameSite, path, domain });
    return new SessionTokens(keyring, cookie, { idleMs, absoluteMs });
  });
  return { tcp, tls };
}

/** @type {import('../options.js').Reader<Keyring>} */
function readKeyring(value, name) {
  if (!(value instanceof Keyring)) throw wrongType(name, 'a Keyring');
  return value;
}

/** @type {import('../options.js').Reader<boolean | 'auto'>} */
function readSecure(value, name) {
  if (value === undefined) return 'auto';
  if (typeof value !== 'boolean' && value !== 'auto') throw wrongType(name, "true, false or 'auto'");
  return value;
}

const PRIVILEGES = Object.freeze(['user', 'userId', 'role', 'roles', 'passport']);

/** @type {import('../options.js').Reader<readonly string[]>} */
function readPrivileges(value, name) {
  if (value === undefined) return PRIVILEGES;
  if (!Array.isArray(value)) throw wrongType(name, 'an array of names');
  if (value.length > MOST_PRIVILEGES) throw wrongValue(name, `an array of at most ${MOST_PRIVILEGES} names`);
  return Array.from(value, (member, at) => {
    if (typeof member !== 'string') throw wrongType(`${name}[${at}]`, 'a string');
    if (RESERVED.has(member)) throw wrongValue(`${name}[${at}]`, 'the name of a member: this is one of the session');
    return member;
  });
}

/** @type {import('../options.js').Reader<((session: unknown, req: unknown) => unknown) | undefined>} */
function readValidate(value, name) {
  if (value === undefined) return undefined;
  if (typeof value !== 'function') throw wrongType(name, 'a function');
  return /** @type {() => unknown} */ (value);
}

module.exports = { createSession, sealedSession, sessionIdFor, sessionIdFrom };
