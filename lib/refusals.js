// @ts-check
'use strict';

/**
 * Which keys have requests that were refused and are still being answered. express-rate-limit gives a hit back for such
 * a request too, as for any that failed, when it has `skipFailedRequests`: a token that was never taken. Each refusal
 * here cancels one of these. Bounded: with more than fits, nothing is given back for a while, so that never too much
 * is.
 */

const { createHash } = require('node:crypto');

const MOST = 10_000;

/** Longer keys are kept as digests, of 44 characters. */
const LONGEST = 64;

class Refusals {
  /** Until when a hit may be given back, and how often, in the order of their times. @type {Map<string, Refused>} */
  #refused = new Map();
  /** Nothing is given back before. */
  #fullUntil = 0;

  /**
   * @param {string} key
   * @param {number} until After that time express-rate-limit gives nothing back.
   */
  add(key, until) {
    const now = Date.now();
    const name = short(key);
    const before = this.#refused.get(name);
    const count = before !== undefined && before.until > now ? before.count + 1 : 1;
    this.#refused.delete(name);
    for (const [oldest, refused] of this.#refused) {
      if (refused.until > now) break;
      this.#refused.delete(oldest);
    }
    if (this.#refused.size < MOST) this.#refused.set(name, { count, until });
    else this.#fullUntil = Math.max(this.#fullUntil, until);
  }

  /**
   * Whether a hit that is given back was refused, or may have been.
   *
   * @param {string} key
   */
  take(key) {
    const now = Date.now();
    const name = short(key);
    const refused = this.#refused.get(name);
    if (refused === undefined || refused.until <= now) return now < this.#fullUntil;
    refused.count--;
    if (refused.count === 0) this.#refused.delete(name);
    return true;
  }
}

/** @typedef {{ count: number, until: number }} Refused */

/** @param {string} key */
function short(key) {
  return key.length > LONGEST ? createHash('sha256').update(key).digest('base64') : key;
}

module.exports = { MOST, Refusals };
