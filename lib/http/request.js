// @ts-check
'use strict';

/**
 * What is read from a request wherever it comes from: Express, Fastify's middleware engine, or node:http alone. Each
 * framework adds getters of the same names (`ip`, `secure`, `originalUrl`), which honour its trust of proxies.
 */

const { randomUUID } = require('node:crypto');

/** Of a path that a client chose: events and logs hold no more of it. */
const MOST_ROUTE = 200;

/** @type {WeakMap<object, string>} */
const ids = new WeakMap();

/**
 * The client's address: `req.ip` where there is a framework, which honours its trust of proxies, or the socket's. Empty
 * when the socket is gone.
 *
 * @param {any} req
 * @returns {string}
 */
function addressOf(req) {
  return given(req, 'ip') ?? req.socket?.remoteAddress ?? '';
}

/**
 * Whether the request came over TLS, to this process or to a proxy that is trusted.
 *
 * @param {any} req
 * @returns {boolean}
 */
function isSecure(req) {
  const secure = given(req, 'secure');
  if (typeof secure === 'boolean') return secure;
  const protocol = given(req, 'protocol');
  if (typeof protocol === 'string') return protocol === 'https';
  return req.socket?.encrypted === true;
}

/**
 * The id that a logger or a framework gave the request (`req.id`), or one that is made here and stays the same. What a
 * client sends is never taken for one.
 *
 * @param {any} req
 * @returns {string}
 */
function requestIdOf(req) {
  const own = given(req, 'id');
  if (typeof own === 'string' || typeof own === 'number') return String(own);
  let id = ids.get(req);
  if (id === undefined) {
    id = randomUUID();
    ids.set(req, id);
  }
  return id;
}

/**
 * The route by which the request was handled (`/users/:id`) if a router has set it, otherwise the path, without the
 * query.
 *
 * @param {any} req
 * @returns {string}
 */
function routeOf(req) {
  const pattern = given(req, 'route')?.path;
  if (typeof pattern === 'string') return (given(req, 'baseUrl') ?? '') + pattern;
  return pathOf(req).slice(0, MOST_ROUTE);
}

/**
 * @param {any} req
 * @returns {string}
 */
function pathOf(req) {
  const url = given(req, 'originalUrl') ?? req.url ?? '';
  const end = url.indexOf('?');
  return end === -1 ? url : url.slice(0, end);
}

/**
 * What a framework gave the request, itself or its prototypes; not what Object.prototype may have been given.
 *
 * @param {any} req
 * @param {string} name
 */
function given(req, name) {
  const value = req[name];
  return value !== undefined && value === /** @type {any} */ (Object.prototype)[name] ? undefined : value;
}

module.exports = { addressOf, isSecure, pathOf, requestIdOf, routeOf };
