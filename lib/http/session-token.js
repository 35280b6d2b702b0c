// @ts-check
'use strict';

/**
 * What stands in the cookie of a session: a token of the Keyring, whose purpose is the name of the cookie. What is
 * opened is authentic, and its shape is looked at nevertheless: another version of this code may have sealed it, or a
 * process whose clock is wrong.
 */

const { createError, wrongValue } = require('../errors.js');
const { RESERVED } = require('./session-object.js');

/** The first number of what is sealed. */
const VERSION = 1;

/** RFC 6265bis, section 5.6: browsers take name and value of up to this many bytes; some count the attributes, too. */
const MOST_COOKIE = 4096;

/** How far the clocks of two processes may be apart. */
const CLOCK_SKEW_MS = 5 * 60_000;

/** 128 bits in base64url. */
const SESSION_ID = /^[A-Za-z0-9_-]{22}$/;

/** By the codes of the Keyring; whatever else goes wrong is not the cookie's fault. */
const REASONS = Object.freeze({
  __proto__: null,
  ERR_DECRYPT: 'altered',
  ERR_UNKNOWN_KEY: 'unknown-key',
  ERR_TOKEN_EXPIRED: 'expired',
});

/** Why a cookie is no session. */
class Refusal {
  /**
   * @param {string} reason
   * @param {string} [code]
   */
  constructor(reason, code) {
    this.reason = reason;
    this.code = code;
  }
}

/**
 * @typedef {object} Content
 * @property {string} id
 * @property {number} createdAt
 * @property {number} lastSeen When it was sealed.
 * @property {object} members
 *
 * @typedef {object} Lifetimes
 * @property {number} idleMs
 * @property {number} absoluteMs
 */

/** Opens and seals the tokens of one cookie. */
class SessionTokens {
  #keyring;
  #lifetimes;
  #purpose;

  /**
   * @param {any} keyring
   * @param {import('./cookies.js').Cookie} cookie
   * @param {Lifetimes} lifetimes
   */
  constructor(keyring, cookie, lifetimes) {
    this.#keyring = keyring;
    this.#lifetimes = lifetimes;
    this.#purpose = Object.freeze({ __proto__: null, purpose: `holdfast:session:${cookie.name}` });
    this.cookie = cookie;
  }

  /**
   * @param {string} token
   * @returns {Content | Refusal}
   */
  open(token) {
    if (token.length > MOST_COOKIE) return new Refusal('too-long');
    let opened;
    try {
      opened = this.#keyring.openToken(token, this.#purpose);
    } catch (error) {
      return refusalOf(error);
    }
    const now = Date.now();
    const content = readContent(opened, now);
    if (content === undefined) return new Refusal('malformed');
    // The token has an end of its own; the times that are allowed may have become shorter since.
    const { idleMs, absoluteMs } = this.#lifetimes;
    if (now - content.lastSeen >= idleMs || now - content.createdAt >= absoluteMs) return new Refusal('expired');
    return content;
  }

  /**
   * Whether the token was sealed under another key than the one that seals now.
   *
   * @param {string} token
   */
  isStale(token) {
    return this.#keyring.inspect(token).stale;
  }

  /**
   * The `Set-Cookie` of a session, or nothing when it is over.
   *
   * @param {Content} content
   * @param {number} length Of the members' text.
   * @returns {string | undefined}
   * @throws {Error} `ERR_SESSION_LIMIT`
   */
  seal({ id, createdAt, lastSeen, members }, length) {
    // What is far too long is not sealed first.
    if (length > MOST_COOKIE) throw tooLarge();
    const { idleMs, absoluteMs } = this.#lifetimes;
    const ttlMs = Math.min(idleMs, createdAt + absoluteMs - lastSeen);
    if (ttlMs <= 0) return undefined;
    const header = this.cookie.withValue(this.#token([VERSION, id, createdAt, lastSeen, members], ttlMs), ttlMs);
    if (header.length > MOST_COOKIE) throw tooLarge();
    return header;
  }

  /**
   * @param {unknown} content
   * @param {number} ttlMs
   * @returns {string}
   */
  #token(content, ttlMs) {
    try {
      return this.#keyring.sealToken(content, { ...this.#purpose, ttlMs });
    } catch (error) {
      const { code } = /** @type {{ code?: string }} */ (error);
      if (code === undefined || !code.startsWith('ERR_JSON_')) throw error;
      // The route has put it there: it is no mistake of the client's, which that error would be.
      if (code === 'ERR_JSON_LIMIT') throw wrongValue('req.session', 'JSON that is nested less deeply');
      throw wrongValue('req.session', 'JSON without names that set a prototype, such as __proto__');
    }
  }
}

/**
 * @param {unknown} error
 * @throws What is not the cookie's fault.
 */
function refusalOf(error) {
  const { code } = /** @type {{ code?: string }} */ (error);
  const reason = code === undefined ? undefined : /** @type {any} */ (REASONS)[code];
  if (reason !== undefined) return new Refusal(reason, code);
  if (code !== undefined && code.startsWith('ERR_JSON_')) return new Refusal('malformed', code);
  throw error;
}

/**
 * @param {any} opened
 * @param {number} now
 * @returns {Content | undefined}
 */
function readContent(opened, now) {
  if (!Array.isArray(opened) || opened.length !== 5) return undefined;
  const [version, id, createdAt, lastSeen, members] = opened;
  if (version !== VERSION || typeof id !== 'string' || !SESSION_ID.test(id)) return undefined;
  if (!isTime(createdAt, now) || !isTime(lastSeen, now) || createdAt > lastSeen) return undefined;
  if (typeof members !== 'object' || members === null || Array.isArray(members)) return undefined;
  if (Object.keys(members).some((name) => RESERVED.has(name))) return undefined;
  return { id, createdAt, lastSeen, members };
}

/**
 * @param {unknown} value
 * @param {number} now
 */
function isTime(value, now) {
  return typeof value === 'number' && Number.isInteger(value) && value > 0 && value <= now + CLOCK_SKEW_MS;
}

function tooLarge() {
  return createError(
    'ERR_SESSION_LIMIT',
    `the cookie of the session would have more than ${MOST_COOKIE} bytes: keep ids in it, and look up the rest by them`,
  );
}

module.exports = { Refusal, SessionTokens };
