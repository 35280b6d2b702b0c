// @ts-check
'use strict';

/**
 * HoldfastStore: a store for express-rate-limit that counts with a limiter. express-rate-limit refuses when `totalHits`
 * is over its limit, and is told a number that makes it do what the limiter said.
 */

const { createError, outOfRange, wrongType, wrongValue } = require('./errors.js');
const { readOptions, table, unchecked } = require('./options.js');
const { MOST_TOKENS } = require('./rate.js');
const { RateLimiter, rateIn } = require('./limiter.js');
const { sharedRateIn } = require('./redis-limiter.js');
const { Refusals } = require('./refusals.js');

const STORE_OPTIONS = table({
  limiter: readLimiter,
  limit: unchecked,
  burst: unchecked,
  maxKeys: unchecked,
  ipv6Prefix: unchecked,
});

/** The limiters that were given to stores, numbered. @type {WeakMap<object, number>} */
const numbers = new WeakMap();
let numbered = 0;

class HoldfastStore {
  #settings;
  #limiter;
  /**
   * Of rateLimit(); without a limit when that is a function.
   *
   * @type {{ limit: number | undefined, windowMs: unknown } | undefined}
   */
  #rate;
  /** Why `init` failed: express-rate-limit reports that, and goes on to ask the store. @type {unknown} */
  #failure;
  /** @type {Refusals | undefined} */
  #refusals;

  /** @param {unknown} [options] */
  constructor(options) {
    const { limiter, ...settings } = readOptions(options, STORE_OPTIONS);
    if (limiter !== undefined && Object.values(settings).some((setting) => setting !== undefined)) {
      throw wrongValue('options', 'either a limiter or the settings of one for the store to make, not both');
    }
    if (limiter === undefined) check(settings);
    this.#settings = settings;
    this.#limiter = limiter;
    // By these express-rate-limit finds out whether a request was counted twice. Stores may share a limiter.
    this.localKeys = limiter === undefined;
    this.prefix = limiter === undefined ? '' : `${numberOf(limiter)}:`;
  }

  /** @param {Record<string, unknown>} options Those of rateLimit(). */
  init(options) {
    try {
      this.#start(options);
    } catch (error) {
      this.#failure = error;
      throw error;
    }
  }

  /** @param {Record<string, unknown>} options */
  #start(options) {
    const { limit, windowMs, skipFailedRequests, skipSuccessfulRequests, statusCode } = ownOf(options);
    const rate = { limit: readLimit(limit), windowMs };
    // With these a hit is given back also for what was refused.
    const isSuccess = skipSuccessfulRequests && Number(statusCode) < 400;
    if (skipFailedRequests || isSuccess) this.#refusals ??= new Refusals();
    if (this.#rate !== undefined) {
      // What is counted stays: a rateLimit() that is made for each request would start anew each time.
      if (this.#rate.limit === rate.limit && this.#rate.windowMs === windowMs) return;
      throw wrongValue('options.store', 'a new HoldfastStore for each rateLimit(): this one has another rate already');
    }
    if (this.#limiter !== undefined) sameLimit(this.#limiter, rate.limit);
    this.#limiter ??= new RateLimiter({ ...this.#settings, limit: this.#tokens(rate.limit), windowMs });
    this.#rate = rate;
  }

  /**
   * The limit of the limiter that is made.
   *
   * @param {number | undefined} limit
   */
  #tokens(limit) {
    const { limit: own } = this.#settings;
    if (limit === undefined && own === undefined) {
      const advice = 'for limits that differ use a rateLimit() for each';
      throw wrongValue('options.limit', `a number, as a store has to know it beforehand; ${advice}`);
    }
    if (limit !== undefined && own !== undefined && limit !== own) {
      throw wrongValue('options.limit', 'the same in rateLimit() and in the store, or be left out in the store');
    }
    // 0 refuses everything: every hit is over it.
    return own ?? (limit === 0 ? 1 : limit);
  }

  #started() {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#limiter === undefined) {
      throw createError('ERR_INVALID_ARG_VALUE', 'the store has no rate: pass it to rateLimit(), which gives it one');
    }
    return this.#limiter;
  }

  /** @param {string} key */
  async increment(key) {
    const result = await this.#started().consume(key);
    const resetTime = timeOf(result);
    if (!result.allowed) this.#refusals?.add(key);
    return { totalHits: result.allowed ? this.#used(result) : this.#tooMany(result), resetTime };
  }

  /** @param {string} key */
  async decrement(key) {
    const limiter = this.#started();
    // What was refused has taken nothing.
    if (this.#refusals?.take(key)) return;
    try {
      await limiter.refund(key);
    } catch {
      // The request has been answered, and some versions do not expect that this may fail: the hit is not given back.
    }
  }

  /** @param {string} key */
  async resetKey(key) {
    await this.#started().reset(key);
  }

  /** @param {string} key */
  async get(key) {
    const result = await this.#started().peek(key);
    if (result.resetMs === 0) return undefined;
    return { totalHits: this.#used(result), resetTime: timeOf(result) };
  }

  /**
   * Hits that leave express-rate-limit as many as there are tokens. With a burst over the limit there can be more of
   * these than it can say.
   *
   * @param {RateLimitResult} result
   */
  #used({ limit, remaining }) {
    return Math.max(1, Math.floor(this.#rate?.limit ?? limit) - remaining);
  }

  /**
   * Hits that are over the limit, whatever a function may say that it is.
   *
   * @param {RateLimitResult} result
   */
  #tooMany({ limit }) {
    if (this.#rate !== undefined && this.#rate.limit === undefined) return Number.MAX_SAFE_INTEGER;
    return Math.floor(this.#rate?.limit ?? limit) + 1;
  }
}

/** What headers can say is whole seconds: after less than one, Retry-After could be 0. */
const LEAST_WAIT_MS = 1000;

/**
 * When to try again, or when all tokens are there. Not a part of a millisecond too early: the limiter's clock and this
 * one are read one after the other, and rounded.
 *
 * @param {RateLimitResult} result
 */
function timeOf({ allowed, retryAfterMs, resetMs }) {
  return new Date(Date.now() + (allowed ? resetMs : Math.max(retryAfterMs + 1, LEAST_WAIT_MS)));
}

/**
 * Refuses wrong settings before there is a rate.
 *
 * @param {Record<string, unknown>} settings
 */
function check(settings) {
  const limit = settings.limit === undefined ? 1 : settings.limit;
  new RateLimiter({ ...settings, limit, windowMs: 1000 });
}

/**
 * The limiter decides, and the headers say what rateLimit() has: who writes a lower limit there means it. Limiters of
 * other kinds do not tell theirs.
 *
 * @param {object} limiter
 * @param {number | undefined} limit
 */
function sameLimit(limiter, limit) {
  const rate = rateIn(limiter) ?? sharedRateIn(limiter);
  if (rate === undefined || limit === undefined || rate.limit === limit) return;
  throw wrongValue('options.limit', 'that of the limiter in the store');
}

/** @param {object} limiter */
function numberOf(limiter) {
  const known = numbers.get(limiter);
  if (known !== undefined) return known;
  numbered++;
  numbers.set(limiter, numbered);
  return numbered;
}

/** @type {import('./options.js').Reader<Limiter | undefined>} */
function readLimiter(value, name) {
  if (value === undefined) return undefined;
  const limiter = /** @type {any} */ (value);
  const methods = ['consume', 'peek', 'refund', 'reset'];
  if (typeof value !== 'object' || value === null || methods.some((method) => typeof limiter[method] !== 'function')) {
    throw wrongType(name, `a limiter, with the methods ${methods.join(', ')}`);
  }
  return limiter;
}

/**
 * What express-rate-limit compares hits with; nothing when that is a function.
 *
 * @param {unknown} limit
 */
function readLimit(limit) {
  if (typeof limit === 'function') return undefined;
  if (typeof limit !== 'number') throw wrongType('options.limit', 'a number');
  if (!(limit >= 0 && limit <= MOST_TOKENS)) throw outOfRange('options.limit', `a number from 0 to ${MOST_TOKENS}`);
  return limit;
}

/**
 * @param {Record<string, unknown>} options
 * @returns {Record<string, unknown>}
 */
function ownOf(options) {
  return Object.assign(Object.create(null), options);
}

/**
 * @typedef {{ allowed: boolean, limit: number, remaining: number, retryAfterMs: number, resetMs: number }}
 *   RateLimitResult
 * @typedef {{ consume(key: string): RateLimitResult | Promise<RateLimitResult>, peek(key: string): RateLimitResult |
 *   Promise<RateLimitResult>, refund(key: string): unknown, reset(key: string): unknown, }} Limiter
 */

module.exports = { HoldfastStore };
