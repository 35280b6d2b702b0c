// @ts-check
'use strict';

/**
 * Refuses requests that come too often, with ERR_RATE_LIMITED. Tokens are taken before anything else happens to the
 * request, so that those in parallel count each, and are given back after the answer where only failures count. With a
 * limiter in this process there is no promise in it, and no turn of the event loop.
 */

const { outOfRange, wrongType, wrongValue } = require('../errors.js');
const { RateLimiter, rateIn } = require('../limiter.js');
const { readOptions, table, unchecked } = require('../options.js');
const { MOST_TOKENS } = require('../rate.js');
const { sharedRateIn } = require('../redis-limiter.js');
const { countedKeys } = require('./counted-keys.js');
const { flag, readFunction, readName, readTokens, readWindowMs } = require('./limit-options.js');
const { RateFields } = require('./rate-fields.js');
const { failure, refusal } = require('./rate-refusal.js');

const OPTIONS = table({
  limit: unchecked,
  windowMs: unchecked,
  burst: unchecked,
  maxKeys: unchecked,
  ipv6Prefix: unchecked,
  limiter: readLimiter,
  name: readName,
  key: readFunction,
  cost: readCost,
  skipSuccessful: flag(false),
  skip: readFunction,
  headers: flag(true),
});

/**
 * @typedef {import('./rate-fields.js').Answer} Answer
 * @typedef {object} Limiter
 * @property {(key: string, cost: number) => Answer | Promise<Answer>} consume
 * @property {(key: string, cost: number) => unknown} refund
 */

/**
 * @param {unknown} [options]
 * @returns {(req: any, res: any, next: (error?: unknown) => void) => void}
 */
function rateLimit(options) {
  const { limiter: given, name, key, cost, skip, skipSuccessful, headers, ...own } = readOptions(
    options,
    OPTIONS,
  );
  const limiter = limiterOf(given, own);
  const localRate = rateIn(limiter);
  const rate = localRate ?? sharedRateIn(limiter);
  const consume = localRate === undefined ? consumeAnywhere : consumeHere;
  const fields = headers ? new RateFields(name, rate) : undefined;
  const keysOf = countedKeys(key);
  if (typeof cost === 'number' && rate !== undefined && cost > rate.burst) {
    throw outOfRange('options.cost', 'at most the burst, as otherwise every request would be refused');
  }

  return function rateLimit(req, res, next) {
    try {
      // Nothing else that is true in JavaScript: a promise would be, whatever it says later.
      if (skip === undefined || skip(req) !== true) {
        const keys = keysOf(req);
        if (keys !== undefined) {
          const tokens = typeof cost === 'number' ? cost : checkCost(cost(req));
          const answer = consume(limiter, keys, tokens);
          if (answer instanceof Promise) return void answered(answer, req, res, keys, tokens, next);
          judge(req, res, keys, tokens, answer);
        }
      }
    } catch (error) {
      return next(failure(error));
    }
    next();
  };

  /**
   * @param {Promise<Answer>} answer
   * @param {any} req
   * @param {any} res
   * @param {string | string[]} keys
   * @param {number} tokens
   * @param {(error?: unknown) => void} next
   */
  async function answered(answer, req, res, keys, tokens, next) {
    try {
      judge(req, res, keys, tokens, await answer);
    } catch (error) {
      return next(failure(error));
    }
    next();
  }

  /**
   * Throws when the request is refused.
   *
   * @param {any} req
   * @param {any} res
   * @param {string | string[]} keys
   * @param {number} tokens
   * @param {Answer} answer
   */
  function judge(req, res, keys, tokens, answer) {
    // It may have been answered while a store was asked.
    if (fields !== undefined && !res.headersSent) fields.write(res, answer);
    if (!answer.allowed) throw refusal(req, res, name, answer.retryAfterMs);
    if (skipSuccessful) giveBackAfter(res, limiter, keys, tokens);
  }
}

/**
 * @param {any} limiter A RateLimiter.
 * @param {string | string[]} keys
 * @param {number} cost
 * @returns {Answer}
 */
function consumeHere(limiter, keys, cost) {
  return typeof keys === 'string' ? limiter.consume(keys, cost) : limiter.consumeMany(keys, cost);
}

/**
 * @param {Limiter} limiter
 * @param {string | string[]} keys
 * @param {number} cost
 * @returns {Promise<Answer> | Answer}
 */
function consumeAnywhere(limiter, keys, cost) {
  if (typeof keys !== 'string') return consumeEach(limiter, keys, cost);
  const answer = limiter.consume(keys, cost);
  // A promise of another make may call back twice.
  return isThenable(answer) ? Promise.resolve(answer) : answer;
}

/**
 * From each key in turn, or from none: what was taken when one refuses is given back. Others who ask at that very
 * moment may be refused for it, and nobody is allowed more.
 *
 * @param {Limiter} limiter
 * @param {string[]} keys
 * @param {number} cost
 */
async function consumeEach(limiter, keys, cost) {
  /** @type {Answer | undefined} */
  let least;
  for (let index = 0; index < keys.length; index++) {
    try {
      const answer = await limiter.consume(keys[index], cost);
      if (!answer.allowed) {
        giveBack(limiter, keys.slice(0, index), cost);
        return answer;
      }
      if (least === undefined || answer.remaining < least.remaining) least = answer;
    } catch (error) {
      giveBack(limiter, keys.slice(0, index), cost);
      throw error;
    }
  }
  return /** @type {Answer} */ (least);
}

/**
 * When all of the answer has been handed to the system: 'finish' does not come when the connection was closed before.
 *
 * @param {any} res
 * @param {Limiter} limiter
 * @param {string | string[]} keys
 * @param {number} cost
 */
function giveBackAfter(res, limiter, keys, cost) {
  res.on('finish', () => {
    if (res.statusCode < 400) giveBack(limiter, typeof keys === 'string' ? [keys] : keys, cost);
  });
}

/**
 * As far as the store is there: a request that has been answered cannot fail any more, and what is not given back is
 * only missing until it comes back by itself.
 *
 * @param {Limiter} limiter
 * @param {string[]} keys
 * @param {number} cost
 */
function giveBack(limiter, keys, cost) {
  for (const key of keys) {
    try {
      const given = limiter.refund(key, cost);
      if (isThenable(given)) given.then(undefined, ignore);
    } catch {
      // See above.
    }
  }
}

/**
 * @param {any} value
 * @returns {value is PromiseLike<any>}
 */
function isThenable(value) {
  return typeof value === 'object' && value !== null && typeof value.then === 'function';
}

function ignore() {}

/**
 * @param {any} given
 * @param {Record<string, unknown>} own The options of a limiter.
 */
function limiterOf(given, own) {
  if (given === undefined) {
    const limit = readTokens(own.limit, 'options.limit');
    const windowMs = readWindowMs(own.windowMs, 'options.windowMs');
    return new RateLimiter({ __proto__: null, ...own, limit, windowMs });
  }
  const names = Object.keys(own).filter((name) => own[name] !== undefined);
  if (names.length === 0) return given;
  throw wrongValue('options', `either a limiter or the settings of one, not both: without ${names.join(', ')}`);
}

/** @type {import('../options.js').Reader<Limiter | undefined>} */
function readLimiter(value, name) {
  if (value === undefined) return undefined;
  const limiter = /** @type {any} */ (value);
  const methods = ['consume', 'peek', 'refund', 'reset'];
  if (typeof value !== 'object' || value === null || methods.some((method) => typeof limiter[method] !== 'function')) {
    throw wrongType(name, `a limiter, with the methods ${methods.join(', ')}`);
  }
  return limiter;
}

/** @type {import('../options.js').Reader<number | ((req: any) => unknown)>} */
function readCost(value, name) {
  if (value === undefined) return 1;
  if (typeof value === 'function') return /** @type {(req: any) => unknown} */ (value);
  if (typeof value !== 'number') throw wrongType(name, 'a number, or a function of the request that returns one');
  // None would be no limit.
  if (!Number.isInteger(value) || value < 1 || value > MOST_TOKENS) {
    throw outOfRange(name, `an integer from 1 to ${MOST_TOKENS}`);
  }
  return value;
}

/**
 * @param {unknown} cost
 * @returns {number}
 */
function checkCost(cost) {
  const name = 'what options.cost returns';
  if (typeof cost !== 'number') throw wrongType(name, 'a number, and no promise');
  if (!Number.isInteger(cost) || cost < 0 || cost > MOST_TOKENS) {
    throw outOfRange(name, `an integer from 0 to ${MOST_TOKENS}`);
  }
  return cost;
}

module.exports = { rateLimit };
