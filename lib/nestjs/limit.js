// @ts-check
'use strict';

/**
 * A limit with a name: the middleware, and the limiter behind it, which the application can have injected. Functions
 * among the options are asked with the framework's request, which has what guards and pipes have added.
 */

const { RateLimiter } = require('../limiter.js');
const { readTokens, readWindowMs } = require('../http/limit-options.js');
const { rateLimit } = require('../http/rate-limit.js');
const { askingOfFramework } = require('./requests.js');

/**
 * @param {string} name
 * @param {Record<string, unknown>} options As for rateLimit, without a prototype.
 * @returns {{ limiter: any, middleware: import('../http/sequence.js').Middleware }}
 */
function makeLimit(name, options) {
  const { limit, windowMs, burst, maxKeys, ipv6Prefix, ...rest } = options;
  const limiter = rest.limiter ?? limiterOf({ limit, windowMs, burst, maxKeys, ipv6Prefix });
  /** @type {Record<string, unknown>} */
  const settings = rest.limiter === undefined ? { ...rest, limiter } : { ...options }; // which rateLimit compares
  return { limiter, middleware: rateLimit({ __proto__: null, name, ...askingOfFramework(settings) }) };
}

/** @param {Record<string, unknown>} own */
function limiterOf(own) {
  const limit = readTokens(own.limit, 'options.limit');
  return new RateLimiter({ __proto__: null, ...own, limit, windowMs: readWindowMs(own.windowMs, 'options.windowMs') });
}

module.exports = { makeLimit };
