'use strict';

/** harden() and the application: what it refuses, a second call, one application in another, what stays Express. */

const assert = require('node:assert/strict');
const { subscribe, unsubscribe } = require('node:diagnostics_channel');
const { describe, it } = require('node:test');
const express = require('express');
const { Keyring, RateLimiter } = require('../..');
const { harden } = require('../../lib/express/harden.js');
const { send, serve } = require('../support/serving.js');

const JSON_TYPE = { 'content-type': 'application/json' };
const SECRET = 'hunter2';
const TYPE = 'ERR_INVALID_ARG_TYPE';
const VALUE = 'ERR_INVALID_ARG_VALUE';
const RANGE = 'ERR_OUT_OF_RANGE';
const quiet = { log() {} };
const newKeyring = () => new Keyring({ primary: 'k1', keys: { k1: Buffer.alloc(32, 7) } });
const keyring = newKeyring();

describe('harden() refuses', () => {
  const limiter = new RateLimiter({ limit: 1, windowMs: 1 });
  const named = (options) => ({ limits: { a: { path: '/', ...options } } });
  const wrong = {
    'unknown names': [{ helmet: false }, VALUE, /'helmet' is none/],
    'no object': ['all', TYPE, /^options must be/],
    'null': [null, TYPE, /^options must be/],
    'a keyring that is none': [{ keyring: { k1: SECRET } }, TYPE, /^options\.keyring must be a Keyring/],
    'a session without a keyring': [{ session: {} }, VALUE, /options\.session .*options\.keyring/],
    'a keyring of the session': [{ keyring, session: { keyring } }, VALUE, /^options\.session .*keyring/],
    'a keyring of csrf': [{ csrf: { keyring } }, VALUE, /^options\.csrf .*keyring/],
    'a session that is no object': [{ keyring, session: 'yes' }, TYPE, /^options\.session must/],
    'all origins with credentials': [{ cors: { origins: '*', credentials: true } }, VALUE, /^options\.cors\.origins/],
    'cors: true': [{ cors: true }, TYPE, /^options\.cors must/],
    'headers: true': [{ headers: true }, TYPE, /^options\.headers must/],
    'unknown names of headers': [{ headers: { csp: {} } }, VALUE, /^options\.headers must .*'csp'/],
    'a size that is text': [{ body: '1mb' }, TYPE, /^options\.body must/],
    'a size below 0': [{ body: -1 }, RANGE, /^options\.body\.maxBytes must/],
    'a depth below 0': [{ json: { limits: { depth: -1 } } }, RANGE, /^options\.json\.limits\.depth must/],
    'unknown names of the query': [{ query: { parser: 'qs' } }, VALUE, /^options\.query must/],
    'a limit of 0': [{ rateLimit: { limit: 0 } }, RANGE, /^options\.rateLimit\.limit must/],
    'slowDown: true': [{ slowDown: true }, TYPE, /^options\.slowDown must/],
    'a log that is no function': [{ problems: { log: console } }, TYPE, /^options\.problems\.log must/],
    'limits in a list': [{ limits: [] }, TYPE, /^options\.limits must/],
    'a named limit without a path': [{ limits: { login: {} } }, TYPE, /^options\.limits\.login\.path must/],
    'a named limit that is nothing': [{ limits: { login: undefined } }, TYPE, /^options\.limits\.login must/],
    'a path without a slash': [{ limits: { login: { path: 'login' } } }, VALUE, /^options\.limits\.login\.path must/],
    'no path': [{ limits: { login: { path: [] } } }, TYPE, /^options\.limits\.login\.path must/],
    'a name that is none': [{ limits: { 'log in': { path: '/' } } }, VALUE, /^options\.limits\.log in\.name must/],
    'methods in lower case': [named({ methods: ['post'] }), VALUE, /^options\.limits\.a\.methods/],
    'a slow-down with its limit': [named({ slowDown: { limit: 5 } }), VALUE, /^options\.limits\.a\.slowDown .*'limit'/],
    'a slow-down beside a limiter': [named({ limiter, slowDown: {} }), VALUE, /^options\.limits\.a\.slowDown must/],
  };
  for (const [name, [options, code, message]] of Object.entries(wrong)) {
    it(name, () => {
      const app = express();
      assert.throws(
        () => harden(app, options),
        (error) => error.code === code && message.test(error.message) && !error.message.includes(SECRET),
      );
      // And it is as it was.
      assert.equal(app.enabled('x-powered-by'), true);
      assert.equal(app.router.stack.length, 0);
      harden(app);
    });
  }

  it('what is no application', () => {
    const methods = { use() {}, set() {}, disable() {}, handle() {} };
    for (const app of [undefined, null, {}, () => {}, express, express.Router(), methods]) {
      assert.throws(() => harden(app), { code: 'ERR_INVALID_ARG_TYPE' });
    }
  });

  it('an application of Express 4', () => {
    const four = () => {};
    Object.assign(four, { use() {}, set() {}, disable() {}, handle() {} });
    Object.defineProperty(four, 'router', {
      get() {
        throw new Error("'app.router' is deprecated!");
      },
    });
    assert.throws(() => harden(four), { code: 'ERR_INVALID_ARG_VALUE', message: /Express 5/ });
  });

  it('an application that has routes', () => {
    for (const add of [
      (app) => app.get('/', () => {}),
      (app) => app.use(() => {}),
      (app) => app.use('/x', express.Router()),
    ]) {
      const app = express();
      add(app);
      assert.throws(() => harden(app), { code: 'ERR_INVALID_ARG_VALUE', message: /^app must be without routes/ });
    }
  });
});

describe('a second call', () => {
  it('with equal options changes nothing', async () => {
    const app = express();
    const log = () => {};
    const options = () => ({
      keyring,
      problems: { log },
      limits: { login: { path: ['/login'], limit: 3, windowMs: 1000 } },
      cors: undefined,
    });
    harden(app, options());
    const { stack } = app.router;
    const { handle } = app;
    const layers = [...stack];
    const { limits, problems } = options();
    assert.equal(harden(app, options()), app);
    assert.equal(harden(app, { problems, limits, keyring }), app);
    app.get('/', (req, res) => res.send('x'));
    assert.equal(harden(app, options()), app);
    assert.deepEqual(stack.slice(0, -1), layers);
    assert.equal(app.handle, handle);
  });

  it('with none is as with none', () => {
    const app = express();
    harden(app);
    assert.equal(harden(app, {}), app);
    assert.equal(harden(app, undefined), app);
  });

  it('with others is refused', () => {
    const differences = [
      {},
      { keyring: newKeyring() },
      { keyring, rateLimit: { limit: 6 } },
      { keyring, rateLimit: { limit: 5 }, csrf: false },
      { keyring, rateLimit: { limit: 5, key: () => 'x' } },
      { keyring, rateLimit: [] },
      { keyring, rateLimit: false },
    ];
    for (const options of differences) {
      const app = express();
      harden(app, { keyring, rateLimit: { limit: 5 } });
      assert.throws(() => harden(app, options), { code: 'ERR_INVALID_ARG_VALUE', message: /hardened already/ });
    }
  });

  it('with the same object, changed, is refused', () => {
    const app = express();
    const options = { rateLimit: { limit: 5 } };
    harden(app, options);
    options.rateLimit.limit = 500;
    assert.throws(() => harden(app, options), { code: 'ERR_INVALID_ARG_VALUE' });
  });

  it('after a call that failed is the first', () => {
    const app = express();
    assert.throws(() => harden(app, { rateLimit: { limit: 0 } }));
    harden(app, { rateLimit: { limit: 1 } });
    assert.equal(app.router.stack.length, 1);
  });
});

describe('an application in another', () => {
  const noteRoutes = (app) => {
    app.post('/notes', (req, res) => res.json({ body: req.body, safe: req.safe.query, query: req.query }));
    app.get('/session', (req, res) => res.json({ session: typeof req.session, token: typeof req.csrfToken }));
    app.get('/fail', () => {
      throw new Error(SECRET);
    });
    return app;
  };
  const kinds = (work) => {
    const events = [];
    const listen = ({ kind }) => events.push(kind);
    subscribe('holdfast:security', listen);
    return work().then(() => {
      unsubscribe('holdfast:security', listen);
      return events;
    });
  };

  for (const [how, mount] of [
    ['by use', (outer, inner) => outer.use('/inner', inner)],
    ['in a router', (outer, inner) => outer.use(express.Router().use('/inner', inner))],
    ['in one that is not hardened', (outer, inner) => outer.use('/inner', express().use(inner))],
  ]) {
    it(`hardened, ${how}: runs under the outer rules`, async () => {
      const outer = harden(express(), { keyring, problems: quiet, rateLimit: { limit: 100, windowMs: 3_600_000 } });
      const inner = harden(express(), {
        problems: quiet,
        headers: false,
        rateLimit: { limit: 1, windowMs: 3_600_000, name: 'inner' },
        json: { limits: { bytes: 5 } },
        query: { duplicates: 'array' },
      });
      mount(outer, noteRoutes(inner));
      const { port } = await serve(outer);
      const ask = (path, body) => send(port, { path: `/inner${path}`, method: 'POST', headers: JSON_TYPE, body });
      for (const remaining of [99, 98]) {
        const { status, headers, json } = await ask('/notes?a=1', '{"long":"enough"}');
        assert.deepEqual([status, json.body, json.safe], [200, { long: 'enough' }, { a: '1' }]);
        assert.match(headers.ratelimit, new RegExp(`^"default";r=${remaining};`));
        assert.match(headers['content-security-policy'], /default-src/);
        assert.equal(headers['x-powered-by'], undefined);
      }
      assert.equal((await ask('/notes?a=1&a=2', '{}')).json.code, 'ERR_QUERY_DUPLICATE');
      assert.equal((await ask('/nothing', '{}')).json.status, 404);
      assert.equal((await ask('/fail')).json.status, 404);
      const failed = await send(port, { path: '/inner/fail' });
      assert.deepEqual([failed.json.status, failed.text.includes(SECRET)], [500, false]);
      assert.deepEqual((await send(port, { path: '/inner/session' })).json, { session: 'object', token: 'function' });
    });

    it(`not hardened, ${how}: runs under the outer rules`, async () => {
      const outer = harden(express(), { keyring, problems: quiet });
      mount(outer, noteRoutes(express()));
      const { port } = await serve(outer);
      const ask = (path, request) => send(port, { path: `/inner${path}`, ...request });
      const { headers, json } = await ask('/notes?a=1', { method: 'POST', headers: JSON_TYPE, body: '[1]' });
      assert.deepEqual(json, { body: [1], safe: { a: '1' }, query: { a: '1' } });
      assert.equal(headers['x-powered-by'], undefined);
      assert.equal((await ask('/nothing')).headers['content-type'], 'application/problem+json');
      assert.equal((await ask('/fail')).json.status, 500);
      assert.deepEqual((await ask('/session')).json, { session: 'object', token: 'function' });
    });
  }

  it('keeps its named limits, which are about its own routes', async () => {
    const outer = harden(express(), { problems: quiet });
    const inner = harden(express(), { limits: { login: { path: '/login', limit: 1, windowMs: 3_600_000 } } });
    inner.post('/login', (req, res) => res.json({}));
    outer.use('/inner', inner);
    const { port } = await serve(outer);
    const logIn = () => send(port, { path: '/inner/login', method: 'POST', headers: JSON_TYPE, body: '{}' });
    assert.equal((await logIn()).status, 200);
    assert.equal((await logIn()).json.code, 'ERR_RATE_LIMITED');
  });

  it('hardened in one that is not: runs under its own rules, and answers for its own errors', async () => {
    const outer = express();
    outer.get('/', (req, res) => res.send('outer'));
    outer.use('/inner', noteRoutes(harden(express(), { keyring, problems: quiet })));
    outer.use((req, res) => res.status(404).send('outer'));
    const { port } = await serve(outer);
    const post = (path, body, headers = JSON_TYPE) => send(port, { path, method: 'POST', headers, body });
    const events = await kinds(async () => {
      const { status, headers, json } = await post('/inner/notes?a=1', '[1]');
      assert.deepEqual([status, json], [200, { body: [1], safe: { a: '1' }, query: { a: '1' } }]);
      assert.match(headers['content-security-policy'], /default-src/);
      assert.equal(headers['cache-control'], 'no-store');
      assert.equal((await post('/inner/notes', '{')).json.code, 'ERR_JSON_SYNTAX');
      const site = { ...JSON_TYPE, 'sec-fetch-site': 'cross-site' };
      assert.equal((await post('/inner/notes', '{}', site)).json.code, 'ERR_CSRF');
    });
    assert.deepEqual(events, ['json.refused', 'problem', 'csrf.refused', 'problem']);
    assert.equal((await send(port, { path: '/inner/nothing' })).text, 'outer');
    assert.deepEqual((await send(port, { path: '/inner/session' })).json, { session: 'object', token: 'function' });
    assert.equal((await send(port)).headers['content-security-policy'], undefined);
  });

  it('hardened without problems in one that is not: the outer one answers errors', async () => {
    const outer = express();
    outer.use('/inner', noteRoutes(harden(express(), { problems: false })));
    outer.use((error, req, res, next) => {
      void next;
      res.status(error.status ?? 500).send(`outer ${error.code}`);
    });
    const { port } = await serve(outer);
    const sent = { path: '/inner/notes', method: 'POST', headers: JSON_TYPE, body: '{' };
    assert.equal((await send(port, sent)).text, 'outer ERR_JSON_SYNTAX');
  });
});

describe('what stays Express', () => {
  it('settings, params, routers, and requests that are sent through again', async () => {
    const app = express();
    app.set('trust proxy', 'loopback');
    harden(app, { problems: quiet });
    const router = express.Router({ mergeParams: true });
    router.get('/:note', (req, res) => {
      const { params, baseUrl, originalUrl, path, ip, hostname, protocol } = req;
      res.json({ params, baseUrl, originalUrl, path, ip, hostname, protocol, route: req.route.path });
    });
    app.use('/users/:user', router);
    app.get('/again', (req, res, next) => {
      req.url = '/users/1/2';
      app.handle(req, res, next);
    });
    const { port } = await serve(app);
    const headers = { host: 'x.example', 'x-forwarded-for': '203.0.113.7', 'x-forwarded-proto': 'https' };
    const { json } = await send(port, { path: '/users/5/n7?a=1', headers });
    assert.deepEqual(json, {
      params: { user: '5', note: 'n7' },
      baseUrl: '/users/5',
      originalUrl: '/users/5/n7?a=1',
      path: '/n7',
      ip: '203.0.113.7',
      hostname: 'x.example',
      protocol: 'https',
      route: '/:note',
    });
    assert.deepEqual((await send(port, { path: '/again' })).json.params, { user: '1', note: '2' });
    assert.equal((await send(port, { path: '/nothing' })).json.status, 404);
  });

  it('a body that whoever calls it has read, and what he has set', async () => {
    const app = harden(express(), { problems: quiet });
    app.post('/', (req, res) => res.json({ body: req.body, originalUrl: req.originalUrl, locals: res.locals.user }));
    const { port } = await serve((req, res) => {
      req.resume().on('end', () => {
        req.body = { read: true };
        req.originalUrl = '/original';
        res.locals = { user: 'ada' };
        app(req, res);
      });
    });
    const { json } = await send(port, { method: 'POST', headers: JSON_TYPE, body: '{}' });
    assert.deepEqual(json, { body: { read: true }, originalUrl: '/original', locals: 'ada' });
  });

  it('parsers that come after it have nothing to do', async () => {
    const app = harden(express(), { problems: quiet });
    app.use(express.json(), express.urlencoded({ extended: true }));
    app.post('/', (req, res) => res.json({ body: req.body }));
    const { port } = await serve(app);
    const post = (body, type) => send(port, { method: 'POST', headers: { 'content-type': type }, body });
    assert.deepEqual((await post('[1]', 'application/json')).json, { body: [1] });
    assert.deepEqual((await post('a=1', 'application/x-www-form-urlencoded')).json, { body: { a: '1' } });
  });
});
