// @ts-check
'use strict';

// The notes service as an Express application: routes, and the checks in front of them. server.js mounts it on a
// server; the tests mount it with parts of their own. It keeps no state: users and notes are the store's.

const express = require('express');
const { parseJson, SafeRegExp } = require('holdfast');
const { Problem, problemHandler, logLine } = require('./problems.js');
const { Sessions } = require('./session.js');
const validate = require('./validate.js');

const BODY_LIMITS = Object.freeze({ bytes: 10 * 1024, depth: 32 });
const JSON_TYPE = new SafeRegExp(/^application\/json[ \t]*(?:;[ \t]*charset=(?:utf-8|"utf-8")[ \t]*)?$/i);

/**
 * @param {object} parts
 * @param {import('./store.js').Store} parts.store
 * @param {import('holdfast').Keyring} parts.keyring seals the session cookies
 * @param {import('holdfast').PasswordHasher} parts.hasher
 * @param {number} parts.sessionTtlMs
 * @param {false | 'loopback' | number} [parts.trustProxy]
 * @param {(entry: Record<string, unknown>) => void} [parts.log]
 */
function createApp({ store, keyring, hasher, sessionTtlMs, trustProxy = false, log = logLine }) {
  const sessions = new Sessions(keyring, sessionTtlMs);
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('query parser', false); // no route takes a query
  app.set('trust proxy', trustProxy);
  app.use(securityHeaders, requireHost, refuseCrossSite);

  app.route('/healthz')
    .get((/** @type {any} */ req, /** @type {any} */ res) => {
      if (!store.healthy) throw new Problem(503, 'nothing can be saved at the moment');
      res.json({ status: 'ok' });
    })
    .all(methodNotAllowed('GET, HEAD'));

  app.route('/signup')
    .post(jsonBody, async (/** @type {any} */ req, /** @type {any} */ res) => {
      const { name, password } = validate.credentials(req.body);
      const user = await store.addUser(name, () => hasher.hash(password));
      sessions.start(req, res, user);
      res.status(201).json({ name });
    })
    .all(methodNotAllowed('POST'));

  app.route('/login')
    .post(jsonBody, async (/** @type {any} */ req, /** @type {any} */ res) => {
      const { name, password } = validate.credentials(req.body);
      const user = store.userByName(name);
      // Without a user the hasher does the work of a real one: the time of the answer does not tell who exists.
      const { valid, needsRehash } = await hasher.verify(user?.hash ?? null, password);
      if (user === undefined || !valid) throw new Problem(401, 'name or password is wrong');
      if (needsRehash) await store.setHash(user, await hasher.hash(password));
      sessions.start(req, res, user);
      res.json({ name });
    })
    .all(methodNotAllowed('POST'));

  app.route('/logout')
    .post(async (/** @type {any} */ req, /** @type {any} */ res) => {
      const user = currentUser(req, res);
      await store.endSessions(user);
      sessions.clear(req, res);
      res.status(204).end();
    })
    .all(methodNotAllowed('POST'));

  app.route('/notes')
    .get((/** @type {any} */ req, /** @type {any} */ res) => {
      res.json({ notes: [...currentUser(req, res).notes.values()] });
    })
    .post(jsonBody, async (/** @type {any} */ req, /** @type {any} */ res) => {
      const user = currentUser(req, res);
      const { text } = validate.note(req.body);
      res.status(201).json(await store.addNote(user, text));
    })
    .all(methodNotAllowed('GET, HEAD, POST'));

  app.route('/notes/:id')
    .delete(async (/** @type {any} */ req, /** @type {any} */ res) => {
      await store.deleteNote(currentUser(req, res), req.params.id);
      res.status(204).end();
    })
    .all(methodNotAllowed('DELETE'));

  app.use(() => {
    throw new Problem(404, 'there is nothing at this address');
  });
  app.use(problemHandler(log));
  return app;

  /**
   * @param {any} req
   * @param {any} res
   */
  function currentUser(req, res) {
    const session = sessions.read(req, res);
    const user = store.user(session.user);
    if (user === undefined || user.epoch !== session.epoch) throw sessions.refuse(req, res);
    return user;
  }
}

/**
 * The answers are data for programs: no browser may guess another type, keep a copy, run or frame anything.
 * @param {any} req
 * @param {any} res
 * @param {() => void} next
 */
function securityHeaders(req, res, next) {
  res.set({
    'Cache-Control': 'no-store',
    'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
    'Cross-Origin-Resource-Policy': 'same-origin',
    'Referrer-Policy': 'no-referrer',
    'X-Content-Type-Options': 'nosniff',
  });
  if (req.secure) res.set('Strict-Transport-Security', 'max-age=31536000');
  next();
}

/**
 * RFC 9112 section 3.2. Node would do it, without a problem document.
 * @param {any} req
 * @param {any} res
 * @param {() => void} next
 */
function requireHost(req, res, next) {
  if (req.headers.host === undefined && req.httpVersion === '1.1') throw new Problem(400, 'the Host header is missing');
  next();
}

/**
 * Browsers say where a request comes from; programs such as curl say nothing and carry no cookies of others. The
 * cookie's SameSite=Lax stands behind this, for browsers that do not say.
 * @param {any} req
 * @param {any} res
 * @param {() => void} next
 */
function refuseCrossSite(req, res, next) {
  const site = req.headers['sec-fetch-site'];
  const isHarmless = site === undefined || site === 'same-origin' || site === 'none';
  if (!isHarmless && req.method !== 'GET' && req.method !== 'HEAD') {
    throw new Problem(403, 'this request comes from another site');
  }
  next();
}

const readBytes = express.raw({ type: () => true, limit: BODY_LIMITS.bytes, inflate: false });

/**
 * The body as JSON: the type is checked before a byte is read, the bytes are checked before a value is built.
 * @param {any} req
 * @param {any} res
 * @param {(error?: unknown) => void} next
 */
function jsonBody(req, res, next) {
  const type = req.headers['content-type'];
  const isEmpty = req.headers['transfer-encoding'] === undefined && !(Number(req.headers['content-length']) > 0);
  if (isEmpty) throw new Problem(400, 'the body is empty');
  if (type === undefined || type.length > 100 || !JSON_TYPE.test(type)) {
    throw new Problem(415, 'the body must be application/json in UTF-8');
  }
  readBytes(req, res, (/** @type {any} */ error) => {
    if (error?.type === 'entity.too.large') {
      return next(new Problem(413, `the body is larger than ${BODY_LIMITS.bytes} bytes`, { cause: error }));
    }
    if (error?.type === 'encoding.unsupported') {
      return next(new Problem(415, 'the body must not be compressed', { cause: error }));
    }
    if (error) return next(error);
    try {
      req.body = parseJson(req.body, { limits: BODY_LIMITS });
    } catch (refusal) {
      return next(refusal);
    }
    next();
  });
}

/** @param {string} allow */
function methodNotAllowed(allow) {
  return () => {
    throw new Problem(405, 'this address does not take this method', { headers: { Allow: allow } });
  };
}

module.exports = { createApp };
