// @ts-check
'use strict';

/**
 * Rate limiting in this process: GCRA over a table of bounded memory. One native call for each key, which answers with
 * one number.
 */

const native = require('./native.js');
const { createError, outOfRange, wrongType } = require('./errors.js');
const { integer, readOptions, table } = require('./options.js');
const { MAX_KEY, checkKey, ipKey, readPrefix } = require('./ip-key.js');
const { MOST_TOKENS, RATE_OPTIONS, rateOf } = require('./rate.js');

const DEFAULT_KEYS = 1_000_000;
const MOST_KEYS = 1e9;

/** For consumeMany: an address, an account, and what else one request has. */
const MOST_AT_ONCE = 64;

const LIMITER_OPTIONS = table({
  ...RATE_OPTIONS,
  maxKeys: integer(1, MOST_KEYS, DEFAULT_KEYS),
  ipv6Prefix: readPrefix,
  now: readClock,
});

class RateLimiter {
  #rate;
  #clock;
  #ipv6Prefix;
  #take;
  #consume;
  #peek;
  #refund;
  #raise;
  #reset;
  #stats;

  /** @param {unknown} options */
  constructor(options) {
    const { maxKeys, ipv6Prefix, now, ...rate } = readOptions(options, LIMITER_OPTIONS);
    this.#rate = rateOf(rate);
    this.#clock = now;
    this.#ipv6Prefix = ipv6Prefix;
    const { limit, windowMs, burst } = this.#rate;
    const functions = native.rateLimiter(limit, windowMs, burst, maxKeys, ipv6Prefix, now !== undefined);
    [this.#take, this.#consume, this.#peek, this.#refund, this.#raise, this.#reset, this.#stats] = functions;
  }

  /**
   * @param {unknown} key
   * @param {unknown} [cost]
   */
  consume(key, cost = 1) {
    if (typeof key !== 'string' || key.length > MAX_KEY) checkKey(key, 'key');
    if (cost === 1 && this.#clock === undefined) return this.#rate.consumed(this.#take(key), 1);
    const tokens = readCost(cost);
    return this.#rate.consumed(this.#consume(key, tokens, this.#now()), tokens);
  }

  /**
   * @param {unknown} keys
   * @param {unknown} [cost]
   */
  consumeMany(keys, cost = 1) {
    const checked = readKeys(keys);
    const tokens = readCost(cost);
    const now = this.#now();
    // Looked at before any is taken from: where memory is full, what is taken from a key that has no place cannot be given
    // back. The first one says so itself.
    const most = this.#rate.capacity - tokens * this.#rate.interval;
    for (let index = 1; index < checked.length; index++) {
      if (this.#peek(checked[index], now) > most) return this.#refuse(checked, 0, tokens, now);
    }
    let highest = 0;
    for (let index = 0; index < checked.length; index++) {
      const answer = this.#consume(checked[index], tokens, now);
      if (answer < 0) return this.#refuse(checked, index, tokens, now);
      highest = Math.max(highest, answer);
    }
    return this.#rate.consumed(highest, tokens);
  }

  /**
   * Gives back what was taken from the keys before one that refused, which happens when two of them have one bucket.
   *
   * @param {string[]} keys
   * @param {number} taken
   * @param {number} cost
   * @param {number | undefined} now
   */
  #refuse(keys, taken, cost, now) {
    for (let index = 0; index < taken; index++) this.#refund(keys[index], cost, now);
    /**
     * Several of the keys may have one bucket, which has to hold enough for all of them. @type {Map<string, number>}
     */
    const costs = new Map();
    for (const key of keys) {
      const bucket = ipKey(key, this.#ipv6Prefix);
      costs.set(bucket, (costs.get(bucket) ?? 0) + cost);
    }
    return this.#rate.refusedByOne(
      Array.from(costs, ([bucket, all]) => ({ level: this.#peek(bucket, now), cost: all })),
    );
  }

  /** @param {unknown} key */
  peek(key) {
    checkKey(key, 'key');
    return this.#rate.peeked(this.#peek(key, this.#now()));
  }

  /**
   * @param {unknown} key
   * @param {unknown} [cost]
   */
  refund(key, cost = 1) {
    checkKey(key, 'key');
    this.#refund(key, readCost(cost), this.#now());
  }

  /** @param {unknown} key */
  reset(key) {
    checkKey(key, 'key');
    this.#reset(key, this.#now());
  }

  stats() {
    const [keys, bytes, evictions] = this.#stats();
    return { keys, bytes, evictions };
  }

  /** In microseconds, where the clock is the caller's. */
  #now() {
    const clock = this.#clock;
    if (clock === undefined) return undefined;
    const now = clock();
    if (typeof now !== 'number' || !(now >= 0 && now <= LATEST_MS)) {
      throw createError('ERR_OUT_OF_RANGE', 'options.now must return milliseconds, from 0 to 2^42');
    }
    return Math.floor(now * 1000);
  }

  /**
   * For the limiter that asks a store first: remembers a level that was seen there.
   *
   * @param {RateLimiter} limiter
   * @param {string} key
   * @param {number} level
   */
  static observe(limiter, key, level) {
    limiter.#raise(key, level, limiter.#now());
  }

  /**
   * The rate of a limiter, or nothing for what is none.
   *
   * @param {any} value
   */
  static rateIn(value) {
    return typeof value === 'object' && value !== null && #rate in value ? value.#rate : undefined;
  }
}

const { observe, rateIn } = RateLimiter;
// @ts-expect-error Not for users.
delete RateLimiter.observe;
// @ts-expect-error Not for users.
delete RateLimiter.rateIn;

/** In microseconds, still a whole number that a double holds exactly. */
const LATEST_MS = 2 ** 42;

/** @type {import('./options.js').Reader<(() => unknown) | undefined>} */
function readClock(value, name) {
  if (value === undefined) return undefined;
  if (typeof value !== 'function') throw wrongType(name, 'a function that returns milliseconds');
  return /** @type {() => unknown} */ (value);
}

/**
 * @param {unknown} cost
 * @returns {number}
 */
function readCost(cost) {
  if (typeof cost !== 'number') throw wrongType('cost', 'a number');
  if (!Number.isInteger(cost) || cost < 0 || cost > MOST_TOKENS) {
    throw outOfRange('cost', `an integer from 0 to ${MOST_TOKENS}`);
  }
  return cost;
}

/**
 * A copy, as the caller's may change: getters and proxies run here and not between two keys.
 *
 * @param {unknown} keys
 * @returns {string[]}
 */
function readKeys(keys) {
  if (!Array.isArray(keys)) throw wrongType('keys', 'an array of strings');
  const { length } = keys;
  // Of a proxy it may be anything.
  if (!(Number.isInteger(length) && length >= 1 && length <= MOST_AT_ONCE))
    throw outOfRange('keys', `an array of 1 to ${MOST_AT_ONCE} keys`);
  const checked = [];
  for (let index = 0; index < length; index++) {
    const key = keys[index];
    checkKey(key, 'each of keys');
    checked.push(key);
  }
  return checked;
}

module.exports = { RateLimiter, observe, rateIn, readCost };
