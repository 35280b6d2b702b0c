// @ts-check
'use strict';

// The notes service as an Express application: `harden()`, and the routes behind it. server.js mounts it on a server;
// the tests mount it with parts of their own. It keeps no state: that is in the parts.

const { pipeline } = require('node:stream/promises');
const express = require('express');
const { harden, Problem } = require('holdfast/express');
const { LIMITS } = require('../notes/store.js');
const { downloadHeaders, isUpload } = require('../notes/uploads.js');
const validate = require('../notes/validate.js');

const IDLE_MS = 30 * 60_000;
const JSON_LIMITS = Object.freeze({ bytes: 10 * 1024, depth: 32 });

/**
 * @param {import('../notes/data.js').Data & { accounts: import('../notes/accounts.js').Accounts }} service
 * @param {object} options
 * @param {number} options.sessionTtlMs
 * @param {false | 'loopback' | number} [options.trustProxy]
 * @param {(entry: object) => void} options.log
 * @param {any} [options.provingGround] middleware: only where nobody else can come
 */
function createApp(service, { sessionTtlMs, trustProxy = false, log, provingGround }) {
  const { accounts, devices, keyring, limits, store, uploads } = service;
  const app = express();
  app.disable('etag'); // nothing is cached
  app.set('trust proxy', trustProxy);

  harden(app, {
    keyring,
    body: { maxBytes: (req) => (isUpload(req) ? LIMITS.bytesPerFile : JSON_LIMITS.bytes) },
    json: { limits: JSON_LIMITS, urlencoded: false }, // other sites can send forms without asking the browser first
    session: {
      absoluteMs: sessionTtlMs,
      idleMs: Math.min(sessionTtlMs, IDLE_MS),
      validate: (session) => store.owner(session) !== undefined, // log-out, a new password: over at once
    },
    limits: {
      login: { ...limits.login, path: '/login' },
      'login-address': { ...limits['login-address'], path: '/login' },
      'login-account': { ...limits['login-account'], path: '/login' },
      signup: { ...limits.signup, path: '/signup' },
      forgot: { ...limits.forgot, path: '/password/forgot' },
      reset: { ...limits.reset, path: '/password/reset' },
      change: { ...limits.change, path: '/password/change' },
      upload: { ...limits.upload, path: '/files', methods: ['POST'] },
    },
    problems: { log },
  });
  if (provingGround) app.use('/proving-ground', provingGround);

  app.route('/healthz')
    .get((req, res) => {
      if (!store.healthy) throw new Problem(503, 'nothing can be saved at the moment');
      res.json({ status: 'ok' });
    })
    .all(methodNotAllowed('GET, HEAD'));

  // For clients that send cookies but neither Origin nor Sec-Fetch-Site: to be sent back as x-csrf-token.
  app.route('/csrf-token')
    .get((req, res) => {
      res.json({ token: req.csrfToken() });
    })
    .all(methodNotAllowed('GET, HEAD'));

  // ------------------------------------------------------------------------------------------------------- accounts

  app.route('/signup')
    .post(async (req, res) => {
      const { user, epoch } = await accounts.signUp(validate.credentials(validate.bodyOf(req)));
      startSession(req, res, user, epoch);
      res.status(201).json({ name: user.name });
    })
    .all(methodNotAllowed('POST'));

  app.route('/login')
    .post(async (req, res) => {
      const { user, epoch } = await accounts.logIn(validate.credentials(validate.bodyOf(req)));
      startSession(req, res, user, epoch);
      res.json({ name: user.name });
    })
    .all(methodNotAllowed('POST'));

  app.route('/logout')
    .post(async (req, res) => {
      await accounts.endSessions(currentUser(req));
      req.session.destroy();
      res.status(204).end();
    })
    .all(methodNotAllowed('POST'));

  app.route('/account')
    .get((req, res) => {
      const { name, role } = currentUser(req);
      res.json({ name, role });
    })
    .all(methodNotAllowed('GET, HEAD'));

  app.route('/password/change')
    .post(async (req, res) => {
      const user = currentUser(req);
      const { epoch } = await accounts.changePassword(user, validate.newPassword(validate.bodyOf(req)));
      startSession(req, res, user, epoch); // the one session that goes on
      res.status(204).end();
    })
    .all(methodNotAllowed('POST'));

  app.route('/password/forgot')
    .post((req, res) => {
      accounts.forgot(validate.forgotten(validate.bodyOf(req)));
      res.status(202).json({ status: 'if there is such an account, a token is on its way' });
    })
    .all(methodNotAllowed('POST'));

  app.route('/password/reset')
    .post(async (req, res) => {
      const user = await accounts.reset(validate.reset(validate.bodyOf(req)));
      devices.remember(req, res, user);
      res.status(204).end(); // and no session: whoever has the new password logs in with it
    })
    .all(methodNotAllowed('POST'));

  // ---------------------------------------------------------------------------------------------------------- notes

  app.route('/notes')
    .get((req, res) => {
      res.json({ notes: [...currentUser(req).notes.values()] });
    })
    .post(async (req, res) => {
      const user = currentUser(req);
      const { text } = validate.note(validate.bodyOf(req));
      res.status(201).json(await store.addNote(user, text));
    })
    .all(methodNotAllowed('GET, HEAD, POST'));

  app.route('/notes/:id')
    .delete(async (req, res) => {
      await store.deleteNote(currentUser(req), req.params.id);
      res.status(204).end();
    })
    .all(methodNotAllowed('DELETE'));

  // ---------------------------------------------------------------------------------------------------------- files

  app.route('/files')
    .get((req, res) => {
      res.json({ files: [...currentUser(req).files.values()] });
    })
    .post(async (req, res) => {
      const user = currentUser(req);
      const name = validate.fileName(req.safe.query);
      res.status(201).json(await uploads.save(user, name, validate.fileLength(req.headers), req));
    })
    .all(methodNotAllowed('GET, HEAD, POST'));

  app.route('/files/:id')
    .get(async (req, res) => {
      const { file, stream } = await uploads.open(currentUser(req), req.params.id);
      res.set(downloadHeaders(file));
      await send(stream, res);
    })
    .delete(async (req, res) => {
      await uploads.remove(currentUser(req), req.params.id);
      res.status(204).end();
    })
    .all(methodNotAllowed('GET, HEAD, DELETE'));

  // --------------------------------------------------------------------------------------------------------- admins

  app.use('/admin', (req, res, next) => {
    if (currentUser(req).role !== 'admin') throw new Problem(403, 'this is for admins');
    next();
  });

  app.route('/admin/users')
    .get((req, res) => {
      const users = Array.from(store.users(), ({ name, role, notes, files }) =>
        ({ name, role, notes: notes.size, files: files.size }));
      res.json({ users });
    })
    .all(methodNotAllowed('GET, HEAD'));

  app.route('/admin/users/:name/sessions/end')
    .post(async (req, res) => {
      const user = store.userByName(validate.loginName(req.params.name));
      if (user === undefined) throw new Problem(404, 'there is no such user');
      await accounts.endSessions(user);
      res.status(204).end();
    })
    .all(methodNotAllowed('POST'));

  return app;

  /**
   * Whoever was there before, this is a session with an id of its own.
   * @param {any} req
   * @param {any} res
   * @param {import('../notes/store.js').User} user
   * @param {number} epoch
   */
  function startSession(req, res, user, epoch) {
    req.session.regenerate();
    req.session.user = user.id;
    req.session.epoch = epoch;
    devices.remember(req, res, user);
  }

  /** @param {any} req */
  function currentUser(req) {
    const user = store.owner(req.session);
    if (user === undefined) throw new Problem(401, 'log in first');
    return user;
  }
}

/** The client does not want the rest. */
const GONE = new Set(['ECONNRESET', 'EPIPE', 'ERR_STREAM_PREMATURE_CLOSE', 'ERR_STREAM_UNABLE_TO_PIPE']);

/**
 * What fails in the middle cuts the connection: half a file must not look whole.
 * @param {import('node:stream').Readable} stream
 * @param {import('node:http').ServerResponse} res
 */
async function send(stream, res) {
  try {
    await pipeline(stream, res);
  } catch (error) {
    stream.destroy(); // Node 24 leaves it as it is when the client was gone before
    if (!GONE.has(/** @type {NodeJS.ErrnoException} */ (error).code ?? '')) throw error;
  }
}

/** @param {string} allow */
function methodNotAllowed(allow) {
  return () => {
    throw new Problem(405, 'this address does not take this method', { headers: { Allow: allow } });
  };
}

module.exports = { createApp };
