'use strict';

/** Two of the applications of the matrix: Express with every piece put in by hand, and Express with harden(). */

const express = require('express');
const { SafeRegExp } = require('../../..');
const holdfast = require('../../../lib/express/index.js');
const { FAILURES, ITEM, itemOf, logIn, rules } = require('./rules.js');

const ITEM_PATTERN = new SafeRegExp(ITEM);

/** The pieces one by one, in the order of harden(). */
function pieces() {
  const { keyring, cors, csrf, body, general, login, small, problems } = rules();
  const app = express();
  app.disable('x-powered-by');
  app.set('trust proxy', 'loopback');
  app.use(holdfast.headers());
  app.use(holdfast.allowOrigins(cors));
  app.use(holdfast.rateLimit(general));
  app.use(holdfast.limitBody(body));
  app.use(holdfast.sealedSession({ keyring }));
  app.use(holdfast.safeJson());
  app.use(holdfast.safeQuery());
  app.use(holdfast.csrf({ keyring, ...csrf }));
  app.post('/login', holdfast.rateLimit(login));
  routes(app, holdfast.rateLimit(small));
  app.use((req, res, next) => next(new holdfast.Problem(404, 'there is nothing at this address')));
  app.use(holdfast.problemHandler(problems));
  return app;
}

function hardened() {
  const { general, login, small, ...options } = rules();
  const { name, ...loginLimit } = login;
  const app = express();
  app.set('trust proxy', 'loopback');
  holdfast.harden(app, { ...options, rateLimit: general, limits: { [name]: { path: '/login', ...loginLimit } } });
  routes(app, holdfast.rateLimit(small));
  return app;
}

function routes(app, small) {
  app.get('/health', (req, res) => res.json({ ok: true }));
  app.all('/echo', (req, res) => res.json({ body: req.body ?? null }));
  app.post('/raw-type', (req, res) => res.json({ parsed: req.body !== undefined }));
  app.get('/query', (req, res) => res.json({ query: req.safe.query }));
  app.get('/csrf', (req, res) => res.json({ token: req.csrfToken() }));
  app.get('/limited', small, (req, res) => res.json({ ok: true }));
  app.post('/login', (req, res) => res.json(logIn(req.body?.password)));
  app.get('/items/:id', (req, res) => res.json(itemOf(req.params.id, ITEM_PATTERN)));
  app.get('/page', (req, res) => res.type('html').send(`<script nonce="${res.locals.cspNonce}">1</script>`));
  app.put('/upload', async (req, res) => {
    let bytes = 0;
    for await (const chunk of req) bytes += chunk.length;
    res.json({ bytes });
  });
  app.route('/session')
    .get((req, res) => res.json({ user: req.session.user ?? null, isNew: req.session.isNew }))
    .post((req, res) => {
      req.session.user = req.body.user;
      res.json({ ok: true });
    })
    .delete((req, res) => {
      req.session.destroy();
      res.json({ ok: true });
    });
  app.get('/fail/async', async () => {
    await null;
    throw new Error('hunter2');
  });
  app.get('/fail/:kind', (req) => {
    throw FAILURES[req.params.kind]();
  });
}

module.exports = { hardened, pieces };
