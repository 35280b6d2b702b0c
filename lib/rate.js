// @ts-check
'use strict';

/**
 * What the limiters have in common: how a rate is written in options, and how the state of a key becomes an answer.
 *
 * A rate is GCRA's emission interval in units that make it a whole number: `perMicrosecond` units are a microsecond. The
 * state of a key is its level: how many units from now on its bucket is full again, 0 for a full one. All of these are
 * integers that a double holds exactly (crates/limiter sees to it), and so is the arithmetic below.
 */

const native = require('./native.js');
const { integer, unchecked } = require('./options.js');

/** A year, and the day it sometimes has more. */
const MOST_WINDOW_MS = 366 * 24 * 60 * 60 * 1000;
const MOST_TOKENS = 1e9;

const readLimit = integer(1, MOST_TOKENS, NaN);
const readWindow = integer(1, MOST_WINDOW_MS, NaN);

/** For `readOptions`; `undefined` where there is no default is for `rateOf` to refuse. */
const RATE_OPTIONS = Object.freeze({ limit: unchecked, windowMs: unchecked, burst: unchecked });

class Rate {
  /**
   * @param {number} limit
   * @param {number} windowMs
   * @param {number} burst
   */
  constructor(limit, windowMs, burst) {
    const [interval, perMicrosecond] = native.limiterRate(limit, windowMs, burst);
    this.limit = limit;
    this.windowMs = windowMs;
    this.burst = burst;
    /** The level that one token costs. */
    this.interval = interval;
    this.perMicrosecond = perMicrosecond;
    /** The highest level: that of an empty bucket. */
    this.capacity = burst * interval;
    this.perMillisecond = perMicrosecond * 1000;
  }

  /**
   * What `consume` answers.
   *
   * @param {number} answer The level after tokens were taken, or, when they were refused, -1 less the level as it is.
   * @param {number} cost
   */
  consumed(answer, cost) {
    return answer >= 0 ? this.#result(true, answer, 0) : this.#result(false, -1 - answer, cost);
  }

  /**
   * What `peek` answers: whether one token could be taken.
   *
   * @param {number} level
   */
  peeked(level) {
    return this.#result(level + this.interval <= this.capacity, level, 1);
  }

  /**
   * @param {boolean} allowed
   * @param {number} level
   * @param {number} cost
   */
  #result(allowed, level, cost) {
    return {
      allowed,
      limit: this.limit,
      remaining: Math.floor((this.capacity - level) / this.interval),
      retryAfterMs: allowed ? 0 : this.#waitMs(level, cost),
      resetMs: Math.ceil(level / this.perMillisecond),
    };
  }

  /**
   * @param {number} level
   * @param {number} cost
   */
  #waitMs(level, cost) {
    if (cost > this.burst) return Infinity;
    return Math.ceil((level + cost * this.interval - this.capacity) / this.perMillisecond);
  }
}

/**
 * The rate that options ask for.
 *
 * @param {{ limit: unknown, windowMs: unknown, burst: unknown }} options
 */
function rateOf({ limit, windowMs, burst }) {
  const tokens = required(limit, 'options.limit', readLimit);
  const window = required(windowMs, 'options.windowMs', readWindow);
  return new Rate(tokens, window, burst === undefined ? tokens : readLimit(burst, 'options.burst'));
}

/**
 * @param {unknown} value
 * @param {string} name
 * @param {import('./options.js').Reader<number>} reader
 */
function required(value, name, reader) {
  // Not given is as wrong as any other type.
  return reader(value === undefined ? null : value, name);
}

module.exports = { MOST_TOKENS, RATE_OPTIONS, rateOf };
