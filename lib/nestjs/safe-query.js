// @ts-check
'use strict';

/** `@SafeQuery()`: the query as safeQuery has parsed and checked it, on Express and on Fastify. */

const { createError, wrongType } = require('../errors.js');
const { common } = require('./nest.js');
const { nodeRequestOf } = require('./requests.js');

const fromRequest = common.createParamDecorator(queryOf);

/**
 * @param {...unknown} nameAndPipes As for Nest's own `@Query`.
 * @returns {ParameterDecorator}
 */
function SafeQuery(...nameAndPipes) {
  const [name, ...pipes] = nameAndPipes;
  if (typeof name === 'string') return fromRequest(name, ...pipes);
  for (const pipe of nameAndPipes) {
    const isPipe = typeof pipe === 'function' || typeof (/** @type {any} */ (pipe)?.transform) === 'function';
    if (!isPipe && pipe !== undefined) throw wrongType('name', 'a string, or a pipe');
  }
  return fromRequest(undefined, ...nameAndPipes.filter((pipe) => pipe !== undefined));
}

/**
 * @param {string | undefined} name
 * @param {any} context
 */
function queryOf(name, context) {
  const request = nodeRequestOf(context.switchToHttp().getRequest());
  if (!Object.hasOwn(request, 'safe')) {
    throw createError('ERR_INVALID_ARG_VALUE', '@SafeQuery() needs HoldfastModule, with its option query');
  }
  const { query } = request.safe;
  // Without a prototype there is nothing to inherit.
  return name === undefined ? query : query[name];
}

module.exports = { SafeQuery };
