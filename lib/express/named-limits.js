// @ts-check
'use strict';

/**
 * Stricter limits for some paths: each a slow-down, if it has one, and a rate limit, for the methods that try
 * something. Mounted as `app.use` mounts, so that a path means the same to them as to the routes.
 */

const { METHODS } = require('node:http');
const { wrongType, wrongValue } = require('../errors.js');
const { readOptions, table, unchecked } = require('../options.js');
const { rateLimit } = require('../http/rate-limit.js');
const { sequence } = require('../http/sequence.js');
const { slowDown } = require('../http/slow-down.js');
const { inside } = require('./option-names.js');

/** @typedef {(req: any, res: any, next: (error?: unknown) => void) => void} Middleware */

/** Those that read. */
const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS']);

const OPTIONS = table({
  path: readPath,
  methods: readMethods,
  slowDown: unchecked,
  limit: unchecked,
  windowMs: unchecked,
  burst: unchecked,
  maxKeys: unchecked,
  ipv6Prefix: unchecked,
  limiter: unchecked,
  name: unchecked,
  key: unchecked,
  cost: unchecked,
  skipSuccessful: unchecked,
  skip: unchecked,
  headers: unchecked,
});

/** Those of slowDown that are not the limit's. */
const SLOW_DOWN_OPTIONS = table({
  after: unchecked,
  delayMs: unchecked,
  maxDelayMs: unchecked,
  maxWaiting: unchecked,
  maxKeys: unchecked,
  ipv6Prefix: unchecked,
  skip: unchecked,
});

/**
 * @param {unknown} limits By name.
 * @returns {{ path: string | string[], middleware: Middleware }[]}
 */
function createNamedLimits(limits) {
  if (limits === undefined) return [];
  if (typeof limits !== 'object' || limits === null || Array.isArray(limits)) {
    throw wrongType('options.limits', 'an object of limits by name');
  }
  return Object.keys(limits).map((name) => {
    return inside(`limits.${name.slice(0, 64)}`, () => createNamedLimit(name, /** @type {any} */ (limits)[name]));
  });
}

/**
 * @param {string} key
 * @param {unknown} options
 */
function createNamedLimit(key, options) {
  if (options === undefined) throw wrongType('options', 'an object with a path');
  const { path, methods, slowDown: slow, ...rate } = readOptions(options, OPTIONS);
  const settings = { __proto__: null, ...rate, name: rate.name ?? key };
  const limit = rateLimit(settings);
  const run = slow === undefined ? limit : sequence([slowDownBefore(settings, slow), limit]);
  /** @type {Middleware} */
  function limitNamed(req, res, next) {
    const isCounted = methods === undefined ? !SAFE_METHODS.has(req.method) : methods.has(req.method);
    if (isCounted) run(req, res, next);
    else next();
  }
  return { path, middleware: limitNamed };
}

/**
 * @param {any} settings Of the limit.
 * @param {unknown} slow
 */
function slowDownBefore({ limiter, limit, windowMs, key, name, skip, ipv6Prefix }, slow) {
  if (limiter !== undefined) {
    throw wrongValue('options.slowDown', 'given with limit and windowMs, and without a limiter: it counts by them');
  }
  const own = readOptions(slow, SLOW_DOWN_OPTIONS, 'options.slowDown');
  const shared = { skip: own.skip ?? skip, ipv6Prefix: own.ipv6Prefix ?? ipv6Prefix };
  return slowDown({ __proto__: null, ...own, ...shared, limit, windowMs, key, name });
}

/** @type {import('../options.js').Reader<string | string[]>} */
function readPath(value, name) {
  const paths = Array.isArray(value) ? [...value] : [value];
  if (paths.length === 0 || !paths.every((path) => typeof path === 'string')) {
    throw wrongType(name, 'a path, or an array of paths');
  }
  if (!paths.every((path) => path.startsWith('/'))) throw wrongValue(name, 'a path that starts with a slash');
  // Express takes '/' for every path only where it stands alone.
  return paths.includes('/') ? '/' : paths;
}

/** @type {import('../options.js').Reader<Set<string> | undefined>} */
function readMethods(value, name) {
  if (value === undefined) return undefined;
  if (!Array.isArray(value)) throw wrongType(name, 'an array of methods');
  if (value.length === 0 || !value.every((method) => METHODS.includes(method))) {
    throw wrongValue(name, 'an array of methods of HTTP, in upper case');
  }
  return new Set(value);
}

module.exports = { createNamedLimits };
