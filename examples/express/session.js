// @ts-check
'use strict';

// The session: a sealed cookie. The server keeps no session table; the cookie is a token that only this key ring can
// make, bound to its purpose and to a time. Called by app.js. A cookie that is missing, altered, expired, doubled or
// made for something else is one case: 401, and the cookie is cleared.

const { HoldfastError } = require('holdfast');
const { Problem } = require('./problems.js');

const PURPOSE = 'session';
const REFUSALS = new Set(['ERR_DECRYPT', 'ERR_UNKNOWN_KEY', 'ERR_TOKEN_EXPIRED']);

class Sessions {
  #keyring;
  #ttlMs;

  /**
   * @param {import('holdfast').Keyring} keyring
   * @param {number} ttlMs
   */
  constructor(keyring, ttlMs) {
    this.#keyring = keyring;
    this.#ttlMs = ttlMs;
  }

  /**
   * @param {any} req
   * @param {any} res
   * @param {{ id: string, epoch: number }} user
   */
  start(req, res, user) {
    const token = this.#keyring.sealToken({ user: user.id, epoch: user.epoch },
      { purpose: PURPOSE, ttlMs: this.#ttlMs });
    res.append('Set-Cookie', setCookie(req, token, Math.ceil(this.#ttlMs / 1000)));
  }

  /**
   * @param {any} req
   * @param {any} res
   */
  clear(req, res) {
    res.append('Set-Cookie', setCookie(req, '', 0));
  }

  /**
   * What the cookie says, authenticated.
   * @param {any} req
   * @param {any} res
   * @returns {{ user: string, epoch: number }}
   */
  read(req, res) {
    const found = cookies(req.headers.cookie, cookieName(req));
    if (found.length === 0) throw new Problem(401, 'log in first');
    try {
      if (found.length === 1) {
        return /** @type {any} */ (this.#keyring.openToken(found[0], { purpose: PURPOSE }));
      }
    } catch (error) {
      if (!(error instanceof HoldfastError && REFUSALS.has(error.code))) throw error;
    }
    throw this.refuse(req, res);
  }

  /**
   * The one answer to a cookie that is no good.
   * @param {any} req
   * @param {any} res
   */
  refuse(req, res) {
    this.clear(req, res);
    return new Problem(401, 'the session is not valid or no longer valid; log in again');
  }
}

/**
 * The prefix makes browsers insist on Secure, Path=/ and no Domain, so that a neighbouring host cannot plant the
 * cookie; they refuse it without TLS. `req.secure` is Express's: TLS here, or a trusted proxy that says so.
 * @param {any} req
 */
function cookieName(req) {
  return req.secure ? '__Host-session' : 'session';
}

/**
 * @param {any} req
 * @param {string} value
 * @param {number} maxAge seconds
 */
function setCookie(req, value, maxAge) {
  const secure = req.secure ? '; Secure' : '';
  return `${cookieName(req)}=${value}; Path=/; Max-Age=${maxAge}; HttpOnly; SameSite=Lax${secure}`;
}

/**
 * All values that the Cookie header (RFC 6265 section 4.2.1) gives to a name: two are one too many, and the caller
 * must be able to tell.
 * @param {string | undefined} header
 * @param {string} name
 */
function cookies(header, name) {
  const start = `${name}=`;
  return (header ?? '').split(';').map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(start)).map((pair) => pair.slice(start.length));
}

module.exports = { Sessions };
