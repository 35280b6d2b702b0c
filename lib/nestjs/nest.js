// @ts-check
'use strict';

/**
 * Nest itself, which the application brings: @nestjs/common and @nestjs/core, 11 or 12. Nothing else in lib/ loads
 * them. Decorators are called as the functions that they are, as there is no compiler here.
 */

const { loadPeer } = require('../http/peers.js');

const PURPOSE = 'holdfast/nestjs is made for NestJS 11 and 12; holdfast/express does without.';

const common = loadPeer('@nestjs/common', PURPOSE);
const core = loadPeer('@nestjs/core', PURPOSE);

/**
 * What a compiler makes of `@Injectable()` and of `@Inject(token)` at each of the constructor's parameters.
 *
 * @template {Function} C
 * @param {C} target
 * @param {readonly unknown[]} tokens
 * @returns {C}
 */
function injectable(target, tokens) {
  common.Injectable()(target);
  for (const [index, token] of tokens.entries()) common.Inject(token)(target, undefined, index);
  return target;
}

module.exports = { common, core, injectable };
