// @ts-check
'use strict';

/**
 * Express's request is node:http's own; Fastify's stands in front of it, in `raw`. The pieces of lib/http work with
 * node:http's, what applications write with their framework's: here is the way from each to the other.
 */

/**
 * Fastify's request, on node:http's. A property, as an entry of a WeakMap costs the garbage collector as much as the
 * rest.
 */
const FRAMEWORK = Symbol('holdfast.framework');

/**
 * @param {any} request A framework's, or node:http's.
 * @returns {any} node:http's.
 */
function nodeRequestOf(request) {
  return Object.hasOwn(request, 'raw') && request.raw?.headers !== undefined ? request.raw : request;
}

/**
 * @param {any} response Fastify's reply, Express's response, or node:http's.
 * @returns {any} node:http's.
 */
function nodeResponseOf(response) {
  return Object.hasOwn(response, 'raw') && typeof response.raw?.setHeader === 'function' ? response.raw : response;
}

/**
 * Gives node:http's request what lib/http reads of a framework's, as @fastify/middie does for middleware.
 *
 * @param {any} request Fastify's.
 * @returns {any} node:http's.
 */
function adopt(request) {
  const { raw } = request;
  raw[FRAMEWORK] = request;
  raw.originalUrl = raw.url;
  raw.id = request.id;
  raw.ip = request.ip;
  raw.ips = request.ips;
  raw.protocol = request.protocol;
  return raw;
}

/**
 * @param {any} raw
 * @returns {any} The framework's.
 */
function frameworkRequestOf(raw) {
  return Object.hasOwn(raw, FRAMEWORK) ? raw[FRAMEWORK] : raw;
}

/**
 * A copy of options whose functions are asked with the framework's request, which is their last argument. What is
 * neither a function nor anything else that it may be, the piece refuses.
 *
 * @template {Record<string, unknown> | undefined} O
 * @param {O} options Without a prototype.
 * @returns {O}
 */
function askingOfFramework(options) {
  if (options === undefined) return options;
  const asking = { __proto__: null, ...options };
  for (const [name, given] of Object.entries(asking)) {
    if (typeof given !== 'function') continue;
    /** @type {any} */ (asking)[name] = (/** @type {any[]} */ ...args) => {
      args.push(frameworkRequestOf(args.pop()));
      return given(...args);
    };
  }
  return /** @type {any} */ (asking);
}

/**
 * For what happens in a route, which is known by then: of a request that nobody has adopted, too.
 *
 * @param {any} request A framework's.
 * @returns {any} node:http's.
 */
function routedRequestOf(request) {
  const raw = nodeRequestOf(request);
  if (raw === request) return raw;
  if (!Object.hasOwn(raw, FRAMEWORK)) adopt(request);
  // A getter that makes an object at each call, so that it is not asked for each request.
  const path = request.routeOptions?.url;
  if (typeof path === 'string' && raw.route === undefined) raw.route = { path };
  return raw;
}

module.exports = { adopt, askingOfFramework, frameworkRequestOf, nodeRequestOf, nodeResponseOf, routedRequestOf };
