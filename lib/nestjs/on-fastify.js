// @ts-check
'use strict';

/**
 * HoldfastModule on Nest's Fastify adapter. What needs no body runs where Nest's middleware does, in front of it;
 * bodies are read when Fastify would have them parsed; the rest follows before guards. What middleware sets on
 * node:http's request (`session`, `safe`, `csrfToken`) is on Fastify's, too.
 */

const { wrongValue } = require('../errors.js');
const { sequence } = require('../http/sequence.js');
const { adopt } = require('./requests.js');

/** What Fastify or Nest would read if nobody else did. */
const BUILT_IN = ['application/json', 'application/x-www-form-urlencoded'];

/**
 * @param {any} adapter
 * @param {import('./harden-adapter.js').Hardening} hardening
 */
function hardenFastify(adapter, hardening) {
  const { headers, first, body, last, rawBody, members, types, refuse, answer } = hardening;
  const fastify = adapter.getInstance();
  decorate(fastify, members);
  const before = sequence(first);
  /** @type {Hook} */
  const hook = (request, reply, done) => {
    const raw = adopt(request);
    headers?.prepare(reply.raw);
    before(raw, reply.raw, (error) => (isError(error) ? refuseIn(reply, error, raw, done) : done()));
  };
  /** @param {any} req @param {any} res @param {(error?: unknown) => void} next */
  const middleware = (req, res, next) => {
    headers?.prepare(res);
    before(req, res, (error) => (isError(error) ? refuse(error, req, res, next) : next()));
  };
  useFirst(adapter, fastify, hook, middleware);
  if (body !== undefined) {
    takeBodies(adapter, fastify, types, rawBody);
    fastify.addHook('preParsing', readBody);
  }
  const after = sequence(last);
  const hasQuery = members.includes('safe');
  fastify.addHook('preValidation', checkRest);
  if (answer !== undefined) {
    answerForRouter(fastify, headers, answer);
    leaveToServer(fastify.server);
  }

  /**
   * Also for methods whose bodies Fastify would not look at, as Express does.
   *
   * @param {any} request
   * @param {any} reply
   * @param {any} payload
   * @param {(error?: unknown, payload?: unknown) => void} done
   */
  function readBody(request, reply, payload, done) {
    const { raw } = request;
    /** @type {import('../http/sequence.js').Middleware} */ (body)(raw, reply.raw, (error) => {
      if (isError(error)) refuseIn(reply, error, raw, done);
      else done(null, payload);
    });
  }

  /**
   * @param {any} request
   * @param {any} reply
   * @param {(error?: unknown) => void} done
   */
  function checkRest(request, reply, done) {
    const { raw } = request;
    // Each has what the other has read: of a method without a body for Fastify, of a type that a parser of its own
    // takes.
    if (request.body === undefined) request.body = raw.body;
    else raw.body = request.body;
    if (raw.rawBody !== undefined) request.rawBody = raw.rawBody;
    after(raw, reply.raw, (error) => {
      if (isError(error)) return refuseIn(reply, error, raw, done);
      // As Express's `req.query`, which has the same parser.
      if (hasQuery) request.query = raw.safe.query;
      done();
    });
  }

  /**
   * @param {any} reply
   * @param {unknown} error
   * @param {any} raw
   * @param {(error?: unknown) => void} done
   */
  function refuseIn(reply, error, raw, done) {
    refuse(error, raw, reply.raw, done, () => reply.hijack());
  }
}

/**
 * @typedef {(request: any, reply: any, done: (error?: unknown) => void) => void} Hook
 */

/**
 * Before all middleware, and before what Nest answers without any. The adapter has one place for that; whoever else
 * puts a hook there comes behind. The first versions of Nest 11 have none: there it is the first middleware, or where
 * the application brings @fastify/middie itself (`skipMiddie`) a hook.
 *
 * @param {any} adapter
 * @param {any} fastify
 * @param {Hook} hook
 * @param {import('../http/sequence.js').Middleware} middleware The same.
 */
function useFirst(adapter, fastify, hook, middleware) {
  if (typeof adapter.setOnRequestHook !== 'function') {
    if (typeof fastify.use === 'function' || adapter.isMiddieRegistered !== true) adapter.use(middleware);
    else fastify.addHook('onRequest', hook);
    return;
  }
  let other = adapter.onRequestHook;
  adapter.setOnRequestHook((/** @type {any} */ request, /** @type {any} */ reply, /** @type {any} */ done) => {
    hook(request, reply, (error) => {
      if (isError(error) || typeof other !== 'function') done(error);
      else runOther(request, reply, done);
    });
  });
  adapter.setOnRequestHook = (/** @type {unknown} */ given) => {
    other = given;
  };

  /** As the adapter does: it calls `done`, or returns a promise. @type {Hook} */
  function runOther(request, reply, done) {
    try {
      const result = other.call(adapter, request, reply, done);
      if (typeof result?.then === 'function') {
        result.then(
          () => done(),
          (/** @type {unknown} */ error) => done(error ?? new Error('the hook failed')),
        );
      }
    } catch (error) {
      done(error);
    }
  }
}

/**
 * Fastify's parsers for the types that are read already. Nest puts in its own when it starts, and Fastify takes no
 * second one for a type.
 *
 * @param {any} adapter
 * @param {any} fastify
 * @param {readonly (string | RegExp)[]} types
 * @param {{ isWanted: boolean }} rawBody
 */
function takeBodies(adapter, fastify, types, rawBody) {
  replace();
  const register = adapter.registerParserMiddleware;
  adapter.registerParserMiddleware = (/** @type {unknown} */ prefix, /** @type {unknown} */ isRawBodyWanted) => {
    fastify.removeContentTypeParser(types);
    register.call(adapter, prefix, false);
    replace();
    rawBody.isWanted = isRawBodyWanted === true;
  };

  function replace() {
    fastify.removeContentTypeParser([...BUILT_IN, ...types]);
    fastify.addContentTypeParser(types, (/** @type {any} */ request, /** @type {any} */ _, /** @type {any} */ done) => {
      done(null, request.raw.body);
    });
  }
}

/**
 * What Fastify's router refuses before any hook: a path that cannot be decoded, a parameter that is too long. The
 * option frameworkErrors is for that; an instance that is made already has it among its options. Where it does not
 * look there, Fastify answers by itself.
 *
 * @param {any} fastify
 * @param {import('./harden-adapter.js').Hardening['headers']} headers
 * @param {(error: unknown, req: any, res: any) => void} answer
 */
function answerForRouter(fastify, headers, answer) {
  const symbol = Object.getOwnPropertySymbols(fastify).find(({ description }) => description === 'fastify.options');
  if (symbol === undefined || typeof fastify[symbol] !== 'object' || fastify[symbol] === null) return;
  fastify[symbol].frameworkErrors = (
    /** @type {any} */ error,
    /** @type {any} */ request,
    /** @type {any} */ reply,
  ) => {
    headers?.prepare(reply.raw);
    headers?.middleware(request.raw, reply.raw, () => {});
    answer(error, request.raw, reply.raw);
  };
}

/**
 * What is no HTTP is hardenServer's to answer, and it leaves that to others who listen for it: Fastify does. Whoever
 * gave Fastify a listener of his own keeps it. Without any, Node closes the connection with a 400 that has no body.
 *
 * @param {any} server
 */
function leaveToServer(server) {
  for (const listener of server.listeners('clientError')) {
    if (listener.name === 'bound defaultClientErrorHandler') server.removeListener('clientError', listener);
  }
}

/**
 * @param {any} fastify
 * @param {readonly string[]} members
 */
function decorate(fastify, members) {
  for (const name of members) {
    if (fastify.hasRequestDecorator(name)) {
      throw wrongValue('the Fastify instance', `without a '${name}' of its own, or HoldfastModule without its`);
    }
    fastify.decorateRequest(name, {
      /** @this {any} */
      getter() {
        return this.raw[name];
      },
      /** @this {any} @param {unknown} value */
      setter(value) {
        this.raw[name] = value;
      },
    });
  }
}

/** @param {unknown} error */
function isError(error) {
  return error !== undefined && error !== null;
}

module.exports = { hardenFastify };
