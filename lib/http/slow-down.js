// @ts-check
'use strict';

/**
 * Lets requests wait that come too often: with each one more than are free the wait is a step longer. How many wait at
 * once, and how long, is bounded; who goes away meanwhile frees the place.
 */

const { RateLimiter } = require('../limiter.js');
const { integer, readOptions, table, unchecked } = require('../options.js');
const { MOST_TOKENS } = require('../rate.js');
const { countedKeys } = require('./counted-keys.js');
const { publish } = require('./events.js');
const { readFunction, readName, readTokens, readWindowMs } = require('./limit-options.js');
const { failure, refusal } = require('./rate-refusal.js');

/** A connection that waits is one that is held: by the client, and by this process. */
const LONGEST_MS = 60_000;

const OPTIONS = table({
  limit: readTokens,
  windowMs: readWindowMs,
  after: integer(0, MOST_TOKENS, NaN),
  delayMs: integer(1, LONGEST_MS, 250),
  maxDelayMs: integer(1, LONGEST_MS, 10_000),
  maxWaiting: integer(1, 1_000_000, 1000),
  maxKeys: unchecked,
  ipv6Prefix: unchecked,
  name: readName,
  key: readFunction,
  skip: readFunction,
});

/**
 * @param {unknown} [options]
 * @returns {(req: any, res: any, next: (error?: unknown) => void) => void}
 */
function slowDown(options) {
  const { delayMs, maxDelayMs, maxWaiting, name, key, skip, ...rate } = readOptions(options, OPTIONS);
  const { limit, windowMs, maxKeys, ipv6Prefix } = rate;
  const after = Number.isNaN(rate.after) ? Math.floor(limit / 2) : rate.after;
  // As deep as the longest delay needs, and at least the limit, so that a window is remembered. No deeper: who flooded
  // would have to wait for tokens whose use made no delay longer.
  const burst = Math.min(MOST_TOKENS, Math.max(limit, after + Math.ceil(maxDelayMs / delayMs)));
  const limiter = new RateLimiter({ __proto__: null, limit, windowMs, burst, maxKeys, ipv6Prefix });
  const keysOf = countedKeys(key);
  let waiting = 0;

  return function slowDown(req, res, next) {
    let delay = 0;
    try {
      if (skip === undefined || skip(req) !== true) delay = delayOf(keysOf(req));
      if (delay > 0 && waiting >= maxWaiting) throw refusal(req, res, name, delay);
    } catch (error) {
      return next(failure(error));
    }
    if (delay === 0) return next();
    publish('rate-limit.slowed', req, { policy: name, delayMs: delay });
    wait(req, res, delay, next);
  };

  /**
   * Of several keys each is counted, and the one that was used most decides.
   *
   * @param {string | string[] | undefined} keys
   */
  function delayOf(keys) {
    if (keys === undefined) return 0;
    if (typeof keys === 'string') return delayAfter(limiter.consume(keys).remaining);
    let remaining = burst;
    for (const key of keys) remaining = Math.min(remaining, limiter.consume(key).remaining);
    return delayAfter(remaining);
  }

  /**
   * Where there was no token left for the request, the longest: a bucket is at least that deep.
   *
   * @param {number} remaining
   */
  function delayAfter(remaining) {
    const over = burst - remaining - after;
    return over > 0 ? Math.min(maxDelayMs, over * delayMs) : 0;
  }

  /**
   * The timer keeps the process alive, as the request does, which may be one without a socket, in a test. It ends with
   * the connection, so that a server that is closed does not wait for it longer than for its clients.
   *
   * @param {any} req
   * @param {any} res
   * @param {number} delay
   * @param {() => void} next
   */
  function wait(req, res, delay, next) {
    if (res.destroyed) return;
    waiting++;
    const timer = setTimeout(go, delay);
    res.on('close', leave);

    function go() {
      waiting--;
      res.removeListener('close', leave);
      // Before Node 24 answers that stand behind others on their connection do not hear that it is closed.
      if (!res.destroyed && !req.socket?.destroyed) next();
    }

    /** Not passed on: nobody is there to be answered, and nothing was begun that would have to be ended. */
    function leave() {
      waiting--;
      clearTimeout(timer);
    }
  }
}

module.exports = { slowDown };
