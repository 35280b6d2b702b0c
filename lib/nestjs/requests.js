// @ts-check
'use strict';

/**
 * Express's request is node:http's own; Fastify's stands in front of it, in `raw`. The pieces of lib/http work with
 * node:http's, what applications write with their framework's: here is the way from each to the other.
 */

/**
 * Fastify's request, by node:http's. Express's needs no entry.
 *
 * @type {WeakMap<object, any>}
 */
const requests = new WeakMap();

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
 * Tells of the framework's request when node:http's is seen: in the functions of a limit, say.
 *
 * @param {any} request
 * @returns {any} node:http's, with the address that the framework says.
 */
function adopt(request) {
  const raw = nodeRequestOf(request);
  if (raw === request || requests.has(raw)) return raw;
  requests.set(raw, request);
  // As @fastify/middie does for middleware, which the application may not have.
  raw.originalUrl ??= raw.url;
  raw.id ??= request.id;
  raw.ip ??= request.ip;
  raw.ips ??= request.ips;
  raw.protocol ??= request.protocol;
  raw.hostname ??= request.hostname;
  const path = request.routeOptions?.url;
  if (typeof path === 'string') raw.route = { path };
  return raw;
}

/**
 * @param {any} raw
 * @returns {any} The framework's, as far as it is known by now.
 */
function frameworkRequestOf(raw) {
  return requests.get(raw) ?? raw;
}

module.exports = { adopt, frameworkRequestOf, nodeRequestOf, nodeResponseOf };
