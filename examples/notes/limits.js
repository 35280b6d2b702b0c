// @ts-check
'use strict';

// How often what may be tried, by name: for `harden()` in Express, for `@RateLimit()` in Nest. Nobody may lock an
// account's owner out by guessing wrong: so a device that the owner has used before (devices.js) is counted by itself.

const { ipKey } = require('holdfast');

const MINUTE = 60_000;
const QUARTER = 15 * MINUTE;
const HOUR = 60 * MINUTE;

/**
 * @param {object} parts
 * @param {import('./store.js').Store} parts.store
 * @param {import('./devices.js').Devices} parts.devices
 */
function limits({ store, devices }) {
  return {
    // Guesses: from one address at one account; from one address at all of them (an office has one address, and a
    // Monday morning); and at one account from everywhere, as NIST SP 800-63B-4 section 3.2.2 asks, a hundred
    // failures. While somebody guesses from a hundred addresses, the owner gets in on a new device by a new password.
    login: { limit: 10, windowMs: QUARTER, skipSuccessful: true, key: addressAndGuesser },
    'login-address': { limit: 50, windowMs: QUARTER, skipSuccessful: true, key: strangersAddress },
    'login-account': { limit: 100, windowMs: HOUR, skipSuccessful: true, key: guesser },
    // Each costs a hash, and a place among the users.
    signup: { limit: 10, windowMs: HOUR },
    // For the account there is a limit in accounts.js, which does not show in the answer.
    forgot: { limit: 10, windowMs: QUARTER },
    reset: { limit: 20, windowMs: QUARTER, skipSuccessful: true },
    // Guesses by whoever has come by a session.
    change: { limit: 10, windowMs: QUARTER, skipSuccessful: true, key: userOf },
    upload: { limit: 60, windowMs: QUARTER, key: userOf },
  };

  /**
   * `account <name>`, or `device <id>` of one of its owner.
   * @param {any} req
   */
  function guesser(req) {
    const name = nameIn(req);
    return name === undefined ? undefined : devices.key(req, store.userByName(name), name);
  }

  /** @param {any} req */
  function addressAndGuesser(req) {
    const who = guesser(req);
    return who && `${ipKey(req.ip)} ${who}`;
  }

  /** @param {any} req */
  function strangersAddress(req) {
    return guesser(req)?.startsWith('device ') ? undefined : req.ip;
  }
}

/**
 * Nothing is validated yet; whatever is no short string is no account's name either.
 * @param {any} req
 * @returns {string | undefined}
 */
function nameIn(req) {
  const name = req.body?.name;
  return typeof name === 'string' && name.length <= 64 ? name : undefined;
}

/** @param {any} req */
function userOf(req) {
  return req.session.user; // undefined, and not counted: who has no session is refused
}

module.exports = { limits };
