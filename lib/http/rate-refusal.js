// @ts-check
'use strict';

/** How a request is refused that comes too often: the error, its Retry-After, and the event. */

const { HoldfastError } = require('../errors.js');
const { publish } = require('./events.js');
const { seconds } = require('./rate-fields.js');

const CODE = 'ERR_RATE_LIMITED';

/**
 * @param {any} req
 * @param {any} res
 * @param {string} policy
 * @param {number} retryAfterMs Infinity when waiting does not help.
 */
function refusal(req, res, policy, retryAfterMs) {
  publish('rate-limit.exceeded', req, { policy, code: CODE });
  const canRetry = retryAfterMs < Infinity;
  // Here and not only where problems are answered, as whoever else answers errors may not know of it.
  if (canRetry && !res.headersSent) res.setHeader('Retry-After', String(seconds(retryAfterMs)));
  return new HoldfastError(CODE, 'too many requests; try again later', canRetry ? { retryAfterMs } : {});
}

/**
 * What was thrown, for `next`: which takes what is no error for "go on", or, a string, for the name of a way out.
 *
 * @param {unknown} thrown
 */
function failure(thrown) {
  if (typeof thrown === 'object' && thrown !== null) return thrown;
  return new HoldfastError('ERR_INTERNAL', 'something that is no error was thrown where a request was counted');
}

module.exports = { failure, refusal };
