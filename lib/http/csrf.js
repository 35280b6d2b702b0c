// @ts-check
'use strict';

/**
 * Refuses what another site makes a browser send (cross-site request forgery). Browsers say where a request comes
 * from, and no page can make them say otherwise: `Sec-Fetch-Site` decides, or `Origin` in browsers and over connections
 * that have only that. Where neither came, no browser of this decade is at the other end; what carries nothing that a
 * browser adds by itself passes, and the rest needs a token.
 *
 * A token is sealed, so it is another text each time: an answer that is compressed does not give it away (BREACH).
 */

const { randomBytes, timingSafeEqual } = require('node:crypto');
const { createError, wrongType, wrongValue } = require('../errors.js');
const { Keyring } = require('../keyring.js');
const { integer, readOptions, table } = require('../options.js');
const { beforeHead } = require('./before-head.js');
const { forbidSharing } = require('./caching.js');
const { Cookie, cookieName } = require('./cookies.js');
const { publish } = require('./events.js');
const { headerOf } = require('./framing.js');
const { readOrigins } = require('./origins.js');
const { isSecure } = require('./request.js');
const { addMember, requestMember, responseOf } = require('./request-member.js');
const { sessionIdFor, sessionIdFrom } = require('./sealed-session.js');

const OPTIONS = table({
  keyring: readKeyring,
  trustedOrigins: readOrigins,
  header: readHeaderName,
  cookie: cookieName('csrf'),
  ttlMs: integer(1000, 400 * 86_400_000, 43_200_000),
  skip: readSkip,
});

const PURPOSE = Object.freeze({ __proto__: null, purpose: 'holdfast:csrf' });

/** 128 bits, in base64url. */
const NONCE_BYTES = 16;
const NONCE = /^[A-Za-z0-9_-]{22}$/;

/** Those made here have some 200 characters, and a header of another's choice may have 16,384. */
const MOST_TOKEN = 1024;

/** What the cookie of a request was set to with its answer. */
const NONCE_SET = Symbol('holdfast.csrf');

/** @param {unknown} [options] */
function csrf(options) {
  return createCsrf(options).middleware;
}

/**
 * For an application that is hardened as a whole: also the member of requests, which can be there before the
 * middleware runs.
 *
 * @param {unknown} [options]
 */
function createCsrf(options) {
  const { keyring, trustedOrigins, header, cookie: name, ttlMs, skip } = readOptions(options, OPTIONS);
  const sealing = Object.freeze({ ...PURPOSE, ttlMs });
  // Lax: a link from elsewhere brings the cookie along, or the page behind it would set another one, with which the
  // forms that are open in other windows fail.
  const [tcp, tls] = [false, true].map(
    (isTls) => new Cookie(name, { isSecure: isTls, sameSite: 'lax', path: '/', domain: undefined }),
  );

  /** @this {any} */
  function get() {
    return () => makeToken(this);
  }

  /** @this {any} @param {unknown} value */
  function set(value) {
    const own = { __proto__: null, value, configurable: true, enumerable: false, writable: true };
    Object.defineProperty(this, 'csrfToken', own);
  }

  const member = requestMember(get, set);

  /**
   * @param {any} req
   * @param {any} res
   * @param {(error?: unknown) => void} next
   */
  function csrf(req, res, next) {
    let reason;
    try {
      addMember(req, res, 'csrfToken', member);
      reason = reasonToRefuse(req);
    } catch (error) {
      return next(error);
    }
    if (reason === undefined) return next();
    publish('csrf.refused', req, { code: 'ERR_CSRF', reason });
    next(createError('ERR_CSRF', /** @type {any} */ (REASONS)[reason]));
  }

  /**
   * One of REASONS, or nothing.
   *
   * @param {any} req
   * @returns {string | undefined}
   */
  function reasonToRefuse(req) {
    const { method } = req;
    if (method === 'GET' || method === 'HEAD' || method === 'OPTIONS') return undefined;
    if (skip !== undefined && isSkipped(req)) return undefined;
    const site = headerOf(req, 'sec-fetch-site');
    const origin = headerOf(req, 'origin');
    if (site) {
      if (site === 'same-origin' || site === 'none') return undefined;
      // Also a value that nobody knows yet: it is a browser that sends it.
      return isTrusted(origin) ? undefined : 'cross-site';
    }
    if (origin) return isTrusted(origin) || isOwnOrigin(origin, req) ? undefined : 'origin';
    return hasAmbientAuthority(req) ? tokenReason(req) : undefined;
  }

  /** @param {any} req */
  function isSkipped(req) {
    const answer = /** @type {(req: any) => unknown} */ (skip)(req);
    // A promise, which an async function returns, is no yes.
    if (typeof answer !== 'boolean') throw wrongType('what options.skip returns', 'true or false');
    return answer;
  }

  /** @param {string | undefined} origin */
  function isTrusted(origin) {
    return trustedOrigins !== undefined && origin !== undefined && trustedOrigins.has(origin);
  }

  /**
   * Whether the token of the request is missing or wrong.
   *
   * @param {any} req
   */
  function tokenReason(req) {
    const token = tokenIn(req);
    if (token === undefined || keyring === undefined) return 'token-missing';
    if (token.length > MOST_TOKEN) return 'token-invalid';
    let opened;
    try {
      opened = keyring.openToken(token, PURPOSE);
    } catch (error) {
      return reasonOf(error);
    }
    const nonce = nonceIn(req);
    const { n, s } = /** @type {{ n: unknown, s: unknown }} */ ({ n: undefined, s: undefined, ...opened });
    const isOfCookie = nonce !== undefined && typeof n === 'string' && isSame(n, nonce);
    return isOfCookie && isOfSession(s, sessionIdFrom(req)) ? undefined : 'token-invalid';
  }

  /**
   * @param {any} req
   * @returns {string | undefined}
   */
  function tokenIn(req) {
    const given = headerOf(req, header);
    // Of one name, Set-Cookie, node:http makes an array.
    if (given !== undefined) return String(given);
    const { body } = req;
    if (typeof body !== 'object' || body === null || !Object.hasOwn(body, '_csrf')) return undefined;
    return typeof body._csrf === 'string' ? body._csrf : undefined;
  }

  /** @param {any} req */
  function makeToken(req) {
    if (keyring === undefined) throw wrongType('options.keyring', 'a Keyring, where csrfToken() is to make tokens');
    const nonce = nonceFor(req);
    // Of the session that begins with this answer, too. It is no token for another one, or for none.
    return keyring.sealToken({ n: nonce, s: sessionIdFor(req) }, sealing);
  }

  /**
   * What the token is bound to: the value of the cookie, which is set if there is none.
   *
   * @param {any} req
   * @returns {string}
   */
  function nonceFor(req) {
    if (req[NONCE_SET] !== undefined) return req[NONCE_SET];
    const res = responseOf(req);
    const given = nonceIn(req);
    if (given === undefined && res.headersSent) {
      throw createError('ERR_CLOSED', 'the head of the answer has been sent without a cookie: call csrfToken() before');
    }
    const nonce = given ?? randomBytes(NONCE_BYTES).toString('base64url');
    req[NONCE_SET] = nonce;
    beforeHead(req, res, () => {
      if (given === undefined) res.appendHeader('Set-Cookie', cookieFor(req).withValue(nonce));
      forbidSharing(res);
    });
    return nonce;
  }

  /** The value of the cookie, if it is one that was made here. @param {any} req */
  function nonceIn(req) {
    const values = cookieFor(req).valuesIn(req);
    return values.length === 1 && NONCE.test(values[0]) ? values[0] : undefined;
  }

  /** @param {any} req */
  function cookieFor(req) {
    return isSecure(req) ? tls : tcp;
  }

  return { middleware: csrf, member };
}

/** Why a request is refused, for events; and what its error says. */
const REASONS = Object.freeze({
  __proto__: null,
  'cross-site': 'the request was made by another site',
  origin: 'the request was made by another origin',
  'token-missing': 'the request needs a CSRF token, and has none',
  'token-expired': 'the CSRF token of the request is too old',
  'token-invalid': 'the CSRF token of the request is not valid for it',
});

/** @param {unknown} error */
function reasonOf(error) {
  const { code } = /** @type {{ code?: string }} */ (error);
  if (code === 'ERR_TOKEN_EXPIRED') return 'token-expired';
  if (code === 'ERR_DECRYPT' || code === 'ERR_UNKNOWN_KEY') return 'token-invalid';
  throw error;
}

/**
 * Whether the origin is that of the request itself. The host decides; the scheme only where the request is known to
 * have come over TLS, when plain HTTP is whoever is between here and the client. Where it does not seem so, a proxy may
 * have ended TLS that the application was not told of.
 *
 * @param {string} origin
 * @param {any} req
 */
function isOwnOrigin(origin, req) {
  const host = hostOf(req)?.toLowerCase();
  if (!host) return false;
  if (origin === `https://${host}` || `${origin}:443` === `https://${host}`) return true;
  return !isSecure(req) && (origin === `http://${host}` || `${origin}:80` === `http://${host}`);
}

/**
 * As the framework tells it, which may trust a proxy. A polluted Object.prototype is no framework.
 *
 * @param {any} req
 * @returns {string | undefined}
 */
function hostOf(req) {
  const { host } = req;
  const isFramework = typeof host === 'string' && host !== /** @type {any} */ (Object.prototype).host;
  return isFramework ? host : (headerOf(req, 'host') ?? headerOf(req, ':authority'));
}

/**
 * Whether there is something by which the request may be taken for somebody's, and which a browser adds by itself.
 *
 * @param {any} req
 */
function hasAmbientAuthority(req) {
  if (headerOf(req, 'cookie')) return true;
  const authorization = headerOf(req, 'authorization');
  if (authorization && !/^bearer /i.test(authorization)) return true;
  const { socket } = req;
  // Of TLS alone. A certificate may also count that this process has not verified.
  return socket?.authorized === true || Object.keys(socket?.getPeerCertificate?.() ?? {}).length > 0;
}

/**
 * @param {unknown} session What the token says.
 * @param {string | null} id
 */
function isOfSession(session, id) {
  if (id === null || typeof session !== 'string') return session === id;
  return isSame(session, id);
}

/**
 * In constant time for texts of one length.
 *
 * @param {string} one
 * @param {string} other
 */
function isSame(one, other) {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}

/** @type {import('../options.js').Reader<Keyring | undefined>} */
function readKeyring(value, name) {
  if (value !== undefined && !(value instanceof Keyring)) throw wrongType(name, 'a Keyring');
  return value;
}

/** @type {import('../options.js').Reader<string>} */
function readHeaderName(value, name) {
  if (value === undefined) return 'x-csrf-token';
  if (typeof value !== 'string') throw wrongType(name, 'a string');
  if (!HEADER_NAME.test(value)) throw wrongValue(name, 'the name of a header, of at most 64 characters');
  return value.toLowerCase();
}

const HEADER_NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,64}$/;

/** @type {import('../options.js').Reader<((req: unknown) => unknown) | undefined>} */
function readSkip(value, name) {
  if (value === undefined) return undefined;
  if (typeof value !== 'function') throw wrongType(name, 'a function');
  return /** @type {() => unknown} */ (value);
}

module.exports = { createCsrf, csrf };
