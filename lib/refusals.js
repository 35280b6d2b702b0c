// @ts-check
'use strict';

/**
 * Which keys have requests that were refused and are still being answered. express-rate-limit gives a hit back for such
 * a request too, as for any that failed, when it has `skipFailedRequests`: a token that was never taken. Each refusal
 * here cancels one of these. Bounded: one that does not fit cancels one of another key, so that never too much is given
 * back.
 */

const { createHash } = require('node:crypto');

const MOST = 10_000;

/** Longer keys are kept as digests, of 44 characters. */
const LONGEST = 64;

/**
 * An answer takes no longer. Some versions of express-rate-limit do not give back what was refused as long ago as the
 * `resetTime`, others do: a client that has a slow request answered first may choose when.
 */
const LONGEST_ANSWER_MS = 3_600_000;

class Refusals {
  /** How often, and when last, in the order of that. @type {Map<string, { count: number, at: number }>} */
  #refused = new Map();
  /** Of keys for which there was no room. */
  #others = 0;

  /** @param {string} key */
  add(key) {
    const now = Date.now();
    const name = short(key);
    const count = this.#refused.get(name)?.count ?? 0;
    this.#refused.delete(name);
    for (const [oldest, { at }] of this.#refused) {
      if (now - at <= LONGEST_ANSWER_MS) break;
      this.#refused.delete(oldest);
    }
    if (this.#refused.size < MOST) this.#refused.set(name, { count: count + 1, at: now });
    else this.#others++;
  }

  /**
   * Whether a hit that is given back was refused, or may have been.
   *
   * @param {string} key
   */
  take(key) {
    const name = short(key);
    const refused = this.#refused.get(name);
    if (refused !== undefined) {
      refused.count--;
      if (refused.count === 0) this.#refused.delete(name);
      return true;
    }
    if (this.#others === 0) return false;
    this.#others--;
    return true;
  }
}

/** @param {string} key */
function short(key) {
  return key.length > LONGEST ? createHash('sha256').update(key).digest('base64') : key;
}

module.exports = { MOST, Refusals };
