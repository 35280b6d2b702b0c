// @ts-check
'use strict';

/**
 * harden: an Express 5 application with every piece of lib/http in its place. The pieces are one layer of its router,
 * in front of all that comes later; 404 and errors are answered behind all that comes later.
 */

const { wrongType, wrongValue } = require('../errors.js');
const { Problem, answer } = require('../http/problem.js');
const { sequence } = require('../http/sequence.js');
const { createPieces } = require('./pieces.js');

/** What applications were hardened with. @type {WeakMap<object, unknown[]>} */
const hardened = new WeakMap();

/** Of a request: the application whose rules it is under. */
const RULES = Symbol('holdfast.rules');

/** In its place: the application whose rules it has left again. What that one found out and added is still there. */
const LEFT = Symbol('holdfast.left');

/**
 * @template T
 * @param {T} app
 * @param {unknown} [options]
 * @returns {T}
 */
function harden(app, options) {
  const application = checkApplication(app);
  const content = contentOf(options);
  const before = hardened.get(application);
  if (before !== undefined) {
    if (isSame(before, content)) return app;
    throw wrongValue('options', 'those of the first call: this application is hardened already');
  }
  const pieces = createPieces(options);
  if (application.router.stack.length > 0) {
    throw wrongValue('app', 'without routes and middleware: what was added before harden() would stand in front of it');
  }
  hardened.set(application, content);
  application.disable('x-powered-by');
  if (pieces.parseQuery !== undefined) application.set('query parser', pieces.parseQuery);
  putInFront(application, pieces);
  handleFrom(application, pieces);
  return app;
}

/**
 * @param {any} app
 * @param {ReturnType<typeof createPieces>} pieces
 */
function putInFront(app, { middlewares, prepare, limits }) {
  const run = sequence(middlewares);
  app.use(function hardened(/** @type {any} */ req, /** @type {any} */ res, /** @type {any} */ next) {
    if (req[RULES] !== app) {
      if (req[RULES] === LEFT) return next(wrongValue('app', BESIDE));
      if (req[RULES] !== undefined) return next(); // mounted in an application that is hardened
      req[RULES] = app;
      prepare(req, res); // mounted in one that is not
    }
    run(req, res, next);
  });
  // Also where the application is mounted: they are about its own routes, and nobody else knows of them.
  for (const { path, middleware } of limits) app.use(path, middleware);
}

/**
 * In the place of `app.handle`, which Express calls for each request: nothing else comes before its router, or after
 * what is added to it later. An application that is mounted is called with what comes after it, and leaves both to the
 * outer one.
 *
 * Members of requests and answers are added here and not by the pieces, because Express gives both another prototype
 * next: on Node 20 and 22 V8 takes 2 µs and more for each member that is added after that.
 *
 * @param {any} app
 * @param {ReturnType<typeof createPieces>} pieces
 */
function handleFrom(app, { prepare, problems }) {
  const { handle } = app;
  app.handle = function handleHardened(/** @type {any} */ req, /** @type {any} */ res, /** @type {any} */ callback) {
    if (callback !== undefined) return handleMounted(this, req, res, callback);
    if (req[RULES] === undefined) {
      req[RULES] = app;
      prepare(req, res);
      declareMembers(req);
    }
    if (problems === undefined) return handle.call(this, req, res);
    handle.call(this, req, res, (/** @type {unknown} */ error) => {
      if (error) return answer(error, req, res, problems);
      // A route that has answered may call next() all the same.
      if (!res.headersSent) answer(new Problem(404, 'there is nothing at this address'), req, res, problems);
    });
  };

  /**
   * What goes wrong under its own rules is answered by them. What it has no route for is the outer application's.
   *
   * @param {any} self
   * @param {any} req
   * @param {any} res
   * @param {(error?: unknown) => void} callback
   */
  function handleMounted(self, req, res, callback) {
    if (req[RULES] !== undefined) return handle.call(self, req, res, callback);
    handle.call(self, req, res, (/** @type {unknown} */ error) => {
      req[RULES] = LEFT;
      // 'router' and 'route' are words of Express's, and no errors.
      const isError = error && error !== 'router' && error !== 'route';
      if (isError && problems !== undefined) return answer(error, req, res, problems);
      callback(error);
    });
  }
}

const BESIDE = 'the only hardened application that a request passes: harden the one in which they are mounted instead';

/**
 * Those that Express and its router add themselves, for the same reason, unless they are there already. Measured on
 * Node 20, it makes up for most of what the pieces cost.
 *
 * @param {any} req
 */
function declareMembers(req) {
  req.next ??= undefined;
  req.baseUrl ??= undefined;
  req.originalUrl ??= undefined;
  req._parsedUrl ??= undefined;
  req.params ??= undefined;
  req.route ??= undefined;
}

/**
 * @param {any} app
 * @returns {any}
 */
function checkApplication(app) {
  const methods = ['use', 'set', 'disable', 'handle'];
  if (typeof app !== 'function' || !methods.every((name) => typeof app[name] === 'function')) {
    throw wrongType('app', 'an application of Express, as express() returns it');
  }
  if (!Array.isArray(routerOf(app)?.stack)) throw wrongValue('app', 'an application of Express 5');
  return app;
}

/** @param {any} app */
function routerOf(app) {
  try {
    return app.router;
  } catch {
    return undefined; // Express 4 throws
  }
}

/** Options are objects in objects, in an object. */
const DEEPEST = 6;
const OBJECT = Symbol('an object');
const ARRAY = Symbol('an array');
const END = Symbol('its end');

/**
 * What options are made of, to compare: plain objects and arrays by what is in them, all else (a keyring, a function)
 * by what it is.
 *
 * @param {unknown} options
 */
function contentOf(options) {
  /** @type {unknown[]} */
  const content = [];
  spell(options ?? {}, content, 0);
  return content;
}

/**
 * @param {any} value
 * @param {unknown[]} content
 * @param {number} depth
 */
function spell(value, content, depth) {
  if (depth < DEEPEST && Array.isArray(value)) {
    content.push(ARRAY);
    for (let at = 0; at < value.length; at++) spell(value[at], content, depth + 1);
    content.push(END);
  } else if (depth < DEEPEST && isPlain(value)) {
    content.push(OBJECT);
    for (const name of Object.keys(value).sort()) {
      if (value[name] === undefined) continue; // not given
      content.push(name);
      spell(value[name], content, depth + 1);
    }
    content.push(END);
  } else {
    content.push(value);
  }
}

/** @param {unknown} value */
function isPlain(value) {
  if (typeof value !== 'object' || value === null) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}

/**
 * @param {readonly unknown[]} one
 * @param {readonly unknown[]} other
 */
function isSame(one, other) {
  return one.length === other.length && one.every((part, at) => Object.is(part, other[at]));
}

module.exports = { harden };
