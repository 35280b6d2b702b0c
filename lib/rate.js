// @ts-check
'use strict';

/**
 * What the limiters have in common: how a rate is written in options, and how the state of a key becomes an answer.
 *
 * A rate is GCRA's emission interval in units that make it a whole number: `perMicrosecond` units are a microsecond.
 * The state of a key is its level: how many units from now on its bucket is full again, 0 for a full one. All of these
 * are integers that a double holds exactly (crates/limiter sees to it), and so is the arithmetic below.
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
    if (answer < 0) return this.refused(-1 - answer, cost);
    return {
      allowed: true,
      limit: this.limit,
      remaining: this.#tokens(answer),
      retryAfterMs: 0,
      resetMs: ceil(answer / this.perMillisecond),
    };
  }

  /**
   * What `peek` answers: whether one token could be taken.
   *
   * @param {number} level
   */
  peeked(level) {
    if (level + this.interval > this.capacity) return this.refused(level, 1);
    return this.consumed(level, 1);
  }

  /**
   * @param {number} level
   * @param {number} cost
   */
  refused(level, cost) {
    const missing = Math.max(0, level + cost * this.interval - this.capacity);
    return {
      allowed: false,
      limit: this.limit,
      remaining: this.#tokens(level),
      retryAfterMs: cost > this.burst ? Infinity : ceil(missing / this.perMillisecond),
      resetMs: ceil(level / this.perMillisecond),
    };
  }

  /**
   * What a call for several buckets answers when one of them refuses: how long all of them take.
   *
   * @param {{ level: number, cost: number }[]} buckets
   */
  refusedByOne(buckets) {
    const answers = buckets.map(({ level, cost }) => this.refused(level, cost));
    return {
      allowed: false,
      limit: this.limit,
      remaining: Math.min(...answers.map(({ remaining }) => remaining)),
      // Time may have passed since one of them refused, and it would not do so now.
      retryAfterMs: Math.max(1, ...answers.map(({ retryAfterMs }) => retryAfterMs)),
      resetMs: Math.max(...answers.map(({ resetMs }) => resetMs)),
    };
  }

  /**
   * What is in a bucket: at most the burst, which is a small integer.
   *
   * @param {number} level
   */
  #tokens(level) {
    return ((this.capacity - level) / this.interval) | 0;
  }
}

const MOST_SMALL = 2 ** 30 - 1;

/**
 * Math.ceil of a number that is not negative. Small results are V8's small integers, which take no memory of their own.
 *
 * @param {number} value
 */
function ceil(value) {
  if (!(value < MOST_SMALL)) return Math.ceil(value);
  const whole = value | 0;
  return whole < value ? whole + 1 : whole;
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

module.exports = { MOST_TOKENS, MOST_WINDOW_MS, RATE_OPTIONS, rateOf };
