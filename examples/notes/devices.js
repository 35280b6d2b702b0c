// @ts-check
'use strict';

// Browsers in which somebody has logged in before: a sealed cookie says so, for one account. It opens nothing. It only
// has guesses counted apart from those of strangers, who otherwise could lock an account's owner out by guessing often
// enough. (OWASP, "Slow Down Online Guessing Attacks with Device Cookies".)

const { randomUUID } = require('node:crypto');
const { HoldfastError } = require('holdfast');

const PURPOSE = 'device';
const TTL_MS = 90 * 24 * 60 * 60 * 1000;
const LONGEST = 1024;

class Devices {
  #keyring;

  /** @param {import('holdfast').Keyring} keyring */
  constructor(keyring) {
    this.#keyring = keyring;
  }

  /**
   * After a log-in.
   * @param {any} req
   * @param {any} res of Express or of Fastify
   * @param {{ id: string }} user
   */
  remember(req, res, { id }) {
    const device = this.#of(req, id) ?? randomUUID();
    const token = this.#keyring.sealToken({ user: id, device }, { purpose: PURPOSE, ttlMs: TTL_MS });
    const cookie = `${cookieName(req)}=${token}; Path=/; Max-Age=${TTL_MS / 1000}; HttpOnly; SameSite=Lax`;
    (res.raw ?? res).appendHeader('Set-Cookie', isSecure(req) ? `${cookie}; Secure` : cookie);
  }

  /**
   * What guesses at an account are counted by: the account, or the device that its owner has used.
   * @param {any} req
   * @param {{ id: string } | undefined} user
   * @param {string} name
   */
  key(req, user, name) {
    const device = this.#of(req, user?.id);
    return device === undefined ? `account ${name}` : `device ${device}`;
  }

  /**
   * @param {any} req
   * @param {string | undefined} id of a user
   * @returns {string | undefined}
   */
  #of(req, id) {
    const start = `${cookieName(req)}=`;
    const cookies = (req.headers.cookie ?? '').split('; ').filter((/** @type {string} */ one) => one.startsWith(start));
    if (cookies.length !== 1 || cookies[0].length > LONGEST) return undefined;
    try {
      const { user, device } =
        /** @type {any} */ (this.#keyring.openToken(cookies[0].slice(start.length), { purpose: PURPOSE }));
      return user === id ? device : undefined;
    } catch (error) {
      if (error instanceof HoldfastError) return undefined; // altered, expired, of another service: a stranger's
      throw error;
    }
  }
}

/** @param {any} req */
function cookieName(req) {
  return isSecure(req) ? '__Host-device' : 'device';
}

/**
 * As the framework sees it, which knows the proxies that are trusted.
 * @param {any} req
 */
function isSecure(req) {
  return req.protocol === 'https';
}

module.exports = { Devices };
