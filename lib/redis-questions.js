// @ts-check
'use strict';

/**
 * What a RedisRateLimiter can be asked. Each question says what the script takes for it, what the script's answer
 * means, what that answer tells the local limiter, and how a local limiter is asked the same.
 */

const { observe } = require('./limiter.js');

/**
 * @typedef {ReturnType<typeof import('./rate.js').rateOf>} Rate
 * @typedef {import('./limiter.js').RateLimiter} LocalLimiter
 *
 * @typedef {object} Question
 * @property {(rate: Rate, cost: number) => number} units To take; less than nothing to give back.
 * @property {(rate: Rate, answer: number, cost: number) => unknown} result
 * @property {(mirror: LocalLimiter, key: string, cost: number, answer: number) => void} mirror
 * @property {(local: LocalLimiter, key: string, cost: number) => unknown} local
 */

/** @type {Question} */
const CONSUME = {
  // A product that a double does not hold exactly is more than any bucket has, however it is rounded.
  units: (rate, cost) => cost * rate.interval,
  result: (rate, answer, cost) => rate.consumed(answer, cost),
  mirror: (mirror, key, _, answer) => observe(mirror, key, answer >= 0 ? answer : -1 - answer),
  local: (local, key, cost) => local.consume(key, cost),
};

/** @type {Question} */
const PEEK = {
  units: () => 0,
  result: (rate, answer) => rate.peeked(answer),
  mirror: CONSUME.mirror,
  local: (local, key) => local.peek(key),
};

/** @type {Question} */
const REFUND = {
  units: (rate, cost) => -cost * rate.interval,
  result: () => undefined,
  mirror(mirror, key, cost, answer) {
    mirror.refund(key, cost);
    observe(mirror, key, answer);
  },
  local: (local, key, cost) => local.refund(key, cost),
};

/** @type {Question} */
const RESET = {
  units: () => 0,
  result: () => undefined,
  mirror: (mirror, key) => mirror.reset(key),
  local: (local, key) => local.reset(key),
};

module.exports = { CONSUME, PEEK, REFUND, RESET };
