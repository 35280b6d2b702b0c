// @ts-check
'use strict';

/** The tokens of what HoldfastModule provides besides the classes of `holdfast`. */

const { wrongType, wrongValue } = require('../errors.js');

const NAME = /^[A-Za-z0-9_-]{1,64}$/;

/** What was given to forRoot, or made by forRootAsync. */
const OPTIONS = 'HOLDFAST_MODULE_OPTIONS';

/**
 * @param {unknown} name
 * @returns {string}
 */
function rateLimiterToken(name) {
  return `HOLDFAST_RATE_LIMITER_${readLimitName(name, 'name')}`;
}

/**
 * @param {unknown} value
 * @param {string} name
 * @returns {string}
 */
function readLimitName(value, name) {
  if (typeof value !== 'string') throw wrongType(name, 'a string');
  if (!NAME.test(value)) throw wrongValue(name, '1 to 64 letters, digits, - and _');
  return value;
}

module.exports = { OPTIONS, rateLimiterToken, readLimitName };
