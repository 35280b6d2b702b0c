// @ts-check
'use strict';

/**
 * RateLimitGuard: the limits of a route, before its pipes and its handler run and after its body has been read. A
 * request is counted once, however many of these guards stand in front of the route.
 */

const { createError } = require('../errors.js');
const { injectable } = require('./nest.js');
const { RateLimits } = require('./rate-limits.js');
const { nodeResponseOf, routedRequestOf } = require('./requests.js');

class RateLimitGuard {
  #limits;

  /** @param {RateLimits} limits Of HoldfastModule. */
  constructor(limits) {
    this.#limits = limits;
  }

  /**
   * @param {any} context
   * @returns {boolean | Promise<boolean>}
   */
  canActivate(context) {
    const limit = this.#limits.of(context.getClass(), context.getHandler());
    if (limit === null) return true;
    if (context.getType() !== 'http') {
      // To let it pass would be a limit that is none.
      throw createError(
        'ERR_INVALID_ARG_VALUE',
        `@RateLimit is for HTTP, and this handler is for ${context.getType()}`,
      );
    }
    const http = context.switchToHttp();
    const request = routedRequestOf(http.getRequest());
    if (this.#limits.hasCounted(request)) return true;
    const response = nodeResponseOf(http.getResponse());
    return new Promise((resolve, reject) => {
      limit(request, response, (error) => (error === undefined || error === null ? resolve(true) : reject(error)));
    });
  }
}
injectable(RateLimitGuard, [RateLimits]);

module.exports = { RateLimitGuard };
