// @ts-check
'use strict';

/**
 * HoldfastThrottlerStorage: a storage for @nestjs/throttler, in memory that is bounded: a limiter for each rate that
 * the guard asks for, and one for each duration of blocks.
 */

const { outOfRange, wrongType } = require('./errors.js');
const { readOptions, table, unchecked } = require('./options.js');
const { MOST_TOKENS, MOST_WINDOW_MS } = require('./rate.js');
const { RateLimiter } = require('./limiter.js');

/** Of each, names of throttlers included. In a program there are a few; more are computed from something. */
const MOST_RATES = 100;

const STORAGE_OPTIONS = table({ maxKeys: unchecked, now: unchecked });

class HoldfastThrottlerStorage {
  #settings;
  /** @type {Map<string, RateLimiter>} */
  #rates = new Map();
  /** @type {Map<string, RateLimiter>} */
  #blocks = new Map();

  /** @param {unknown} [options] */
  constructor(options) {
    this.#settings = { ...readOptions(options, STORAGE_OPTIONS) };
    // Refuses wrong options now.
    this.#limiter(1, 1);
  }

  /**
   * @param {unknown} key
   * @param {unknown} ttl
   * @param {unknown} limit
   * @param {unknown} blockDuration
   * @param {unknown} throttlerName
   */
  async increment(key, ttl, limit, blockDuration, throttlerName) {
    if (typeof throttlerName !== 'string') throw wrongType('throttlerName', 'a string');
    const windowMs = Math.max(1, readTime(ttl, 'ttl'));
    const blockMs = readTime(blockDuration, 'blockDuration');
    const tokens = readLimit(limit);
    if (tokens < 1) return denied(windowMs, blockMs);
    const rate = this.#find(this.#rates, `${tokens}/${windowMs} ${throttlerName}`, tokens, windowMs);
    const block = blockMs > 0 ? this.#find(this.#blocks, `${blockMs} ${throttlerName}`, 1, blockMs) : undefined;
    const blocked = block?.peek(key);
    if (blocked !== undefined && !blocked.allowed) return refused(rate.peek(key), blocked.retryAfterMs);
    const result = rate.consume(key);
    if (result.allowed) {
      return {
        totalHits: tokens - result.remaining,
        timeToExpire: seconds(result.resetMs),
        isBlocked: false,
        timeToBlockExpire: 0,
      };
    }
    block?.consume(key);
    return refused(result, blockMs);
  }

  /** Called by Nest: gives the memory back. */
  onApplicationShutdown() {
    this.#rates.clear();
    this.#blocks.clear();
  }

  /**
   * @param {Map<string, RateLimiter>} limiters
   * @param {string} name
   * @param {number} limit
   * @param {number} windowMs
   */
  #find(limiters, name, limit, windowMs) {
    const known = limiters.get(name);
    if (known !== undefined) return known;
    if (limiters.size >= MOST_RATES) {
      throw outOfRange(
        'limit, ttl and blockDuration',
        `among ${MOST_RATES} different settings at most, as each takes memory: choose from a few`,
      );
    }
    const limiter = this.#limiter(limit, windowMs);
    limiters.set(name, limiter);
    return limiter;
  }

  /**
   * @param {number} limit
   * @param {number} windowMs
   */
  #limiter(limit, windowMs) {
    return new RateLimiter({ ...this.#settings, limit, windowMs });
  }
}

/**
 * As the module's own storage, which counts a refused hit once.
 *
 * @param {{ limit: number, retryAfterMs: number, resetMs: number }} result
 * @param {number} blockMs
 */
function refused({ limit, retryAfterMs, resetMs }, blockMs) {
  const wait = Math.max(retryAfterMs, blockMs);
  return {
    totalHits: limit + 1,
    timeToExpire: seconds(Math.max(wait, resetMs)),
    isBlocked: true,
    timeToBlockExpire: seconds(wait),
  };
}

/**
 * For a limit of 0, or less: nothing is allowed.
 *
 * @param {number} windowMs
 * @param {number} blockMs
 */
function denied(windowMs, blockMs) {
  return refused({ limit: 0, retryAfterMs: blockMs > 0 ? blockMs : windowMs, resetMs: windowMs }, blockMs);
}

/** @param {number} milliseconds */
function seconds(milliseconds) {
  return Math.ceil(milliseconds / 1000);
}

/**
 * Milliseconds, as the guard gives them: a number, which may come from a computation.
 *
 * @param {unknown} value
 * @param {string} name
 */
function readTime(value, name) {
  if (typeof value !== 'number') throw wrongType(name, 'a number');
  if (!(value <= MOST_WINDOW_MS)) throw outOfRange(name, 'a number of milliseconds up to 366 days');
  return Math.max(0, Math.ceil(value));
}

/** @param {unknown} limit */
function readLimit(limit) {
  if (typeof limit !== 'number') throw wrongType('limit', 'a number');
  if (Number.isNaN(limit)) throw outOfRange('limit', 'a number of requests');
  // Infinity is a way to say that there is none.
  return Math.min(Math.floor(limit), MOST_TOKENS);
}

module.exports = { HoldfastThrottlerStorage, MOST_RATES };
