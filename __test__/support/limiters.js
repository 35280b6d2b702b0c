'use strict';

/** Limiters whose clock stands still until a test moves it. */

const { RateLimiter } = require('../..');

/**
 * A limiter, and its clock: `now` is what it shows, `reads` how often it was looked at.
 *
 * @param {object} options
 */
function timed(options) {
  const clock = { now: 0, reads: 0 };
  const now = () => {
    clock.reads++;
    return clock.now;
  };
  return { clock, limiter: new RateLimiter({ ...options, now }) };
}

/**
 * The same with a table that has its largest size already, or room for 2000 keys: nobody has to make room for others while
 * it grows. All of it has recovered.
 *
 * @param {{ limit: number, windowMs: number, maxKeys?: number }} options
 */
function roomy(options) {
  const { clock, limiter } = timed(options);
  const { maxKeys = 2000, windowMs } = options;
  for (let index = 0; index < Math.max(100, 1.3 * maxKeys); index++) limiter.consume(`warm ${index}`);
  clock.now = 1000 * windowMs;
  return { clock, limiter, start: clock.now, evictions: limiter.stats().evictions };
}

module.exports = { roomy, timed };
