'use strict';

/** harden() over real HTTP: what is on and in which order, each piece off, and every error a problem document. */

const assert = require('node:assert/strict');
const fs = require('node:fs');
const http = require('node:http');
const os = require('node:os');
const path = require('node:path');
const { subscribe, unsubscribe } = require('node:diagnostics_channel');
const { after, describe, it } = require('node:test');
const express = require('express');
const { Keyring } = require('../..');
const { harden } = require('../../lib/express/harden.js');
const { Problem } = require('../../lib/http/problem.js');
const { send, sendRaw, serve } = require('../support/serving.js');

const JSON_TYPE = { 'content-type': 'application/json' };
const FORM_TYPE = { 'content-type': 'application/x-www-form-urlencoded' };
const TYPE = 'application/problem+json';
const SECRET = 'hunter2';
const quiet = { log() {} };
const keyring = new Keyring({ primary: 'k1', keys: { k1: Buffer.alloc(32, 7) } });

/** A hardened application with a few routes, listening. */
async function hardened(options, addRoutes = () => {}) {
  const app = express();
  app.set('trust proxy', 'loopback');
  harden(app, { problems: quiet, ...options });
  app.all('/echo', (req, res) => res.json({ body: req.body, query: req.query, safe: req.safe?.query }));
  app.get('/fail', () => {
    throw new Error(SECRET);
  });
  app.get('/fail/async', async () => {
    await null;
    throw new Error(SECRET);
  });
  addRoutes(app);
  const { port } = await serve(app);
  const ask = (target, request = {}) => send(port, { path: target, ...request });
  const post = (target, body, headers = JSON_TYPE) => ask(target, { method: 'POST', headers, body });
  return { app, port, ask, post };
}

function assertProblem({ status, headers, json, text }, expected, code) {
  assert.equal(status, expected, text);
  assert.equal(headers['content-type'], TYPE);
  assert.equal(json.status, expected);
  assert.equal(json.title, http.STATUS_CODES[expected]);
  assert.equal(json.code, code);
  assert.equal(json.instance, `urn:uuid:${json.errorId}`);
  assert.ok(!text.includes(SECRET), text);
}

describe('harden() by default', () => {
  it('returns the application, with everything in place', async () => {
    const app = express();
    assert.equal(harden(app, { problems: quiet }), app);
    app.post('/echo', (req, res) => res.json({ body: req.body, safe: req.safe.query }));
    const { port } = await serve(app);
    const answer = await send(port, { path: '/echo?a=1', method: 'POST', headers: JSON_TYPE, body: '{"b":2}' });
    assert.equal(answer.status, 200);
    assert.deepEqual(answer.json, { body: { b: 2 }, safe: { a: '1' } });
    const { headers } = answer;
    assert.equal(headers['x-powered-by'], undefined);
    assert.match(headers['content-security-policy'], /^default-src 'self';/);
    assert.match(headers['permissions-policy'], /camera=\(\)/);
    assert.equal(headers['cache-control'], 'no-store');
    assert.equal(headers['x-content-type-options'], 'nosniff');
    assert.match(headers.ratelimit, /^"default";r=599;t=\d+$/);
    assert.match(headers['ratelimit-policy'], /^"default";q=600;w=60/);
    assert.equal(headers['set-cookie'], undefined);
    assert.equal(headers['access-control-allow-origin'], undefined);
  });

  it('answers every refusal as a problem, with all headers', async () => {
    const { ask, post } = await hardened({ rateLimit: { limit: 1000 } });
    const refusals = [
      [await ask('/nothing'), 404, undefined],
      [await post('/nothing', '{}'), 404, undefined],
      [await ask('/fail'), 500, undefined],
      [await ask('/fail/async'), 500, undefined],
      [await ask('/%E0%A4%A'), 404, undefined],
      [await post('/echo', '{'), 400, 'ERR_JSON_SYNTAX'],
      [await post('/echo', `{"__proto__":"${SECRET}"}`), 400, 'ERR_JSON_PROTO_KEY'],
      [await post('/echo', 'x'.repeat(10_241)), 413, 'ERR_BODY_LIMIT'],
      [await post('/echo', `"${'x'.repeat(300_000)}"`), 413, 'ERR_BODY_LIMIT'],
      [await post('/echo', '{}', { 'content-type': 'application/json; charset=latin1' }), 415, 'ERR_BODY_TYPE'],
      [await post('/echo', 'a=1&a=2', FORM_TYPE), 400, 'ERR_QUERY_DUPLICATE'],
      [await post('/echo', Buffer.alloc(2 ** 20 + 1), { 'content-type': 'image/png' }), 413, 'ERR_BODY_LIMIT'],
      [await ask('/echo', { method: 'POST', chunks: ['x'] }), 411, 'ERR_BODY_LENGTH'],
      [await ask(`/echo?a=1&a=${SECRET}`), 400, 'ERR_QUERY_DUPLICATE'],
      [await post('/echo', '{}', { ...JSON_TYPE, 'sec-fetch-site': 'cross-site' }), 403, 'ERR_CSRF'],
      [await ask('/echo', { method: 'DELETE', headers: { origin: 'https://evil.example' } }), 403, 'ERR_CSRF'],
    ];
    for (const [answer, status, code] of refusals) {
      assertProblem(answer, status, code);
      assert.match(answer.headers['content-security-policy'], /object-src 'none'/);
      assert.equal(answer.headers['x-frame-options'], 'DENY');
      assert.equal(answer.headers['cache-control'], 'no-store');
      assert.equal(answer.headers['x-powered-by'], undefined);
      assert.match(answer.headers.ratelimit, /^"default"/);
    }
  });

  it('limits each address', async () => {
    const { ask } = await hardened({ rateLimit: { limit: 2, windowMs: 3_600_000 } });
    const from = (address) => ask('/echo', { headers: { 'x-forwarded-for': address } });
    assert.equal((await from('203.0.113.1')).status, 200);
    assert.equal((await from('203.0.113.1')).status, 200);
    const refused = await from('203.0.113.1');
    assertProblem(refused, 429, 'ERR_RATE_LIMITED');
    assert.ok(Number(refused.headers['retry-after']) > 0);
    assert.match(refused.headers['content-security-policy'], /default-src/);
    assert.equal((await from('203.0.113.2')).status, 200);
  });

  it('answers HEAD and OPTIONS as Express does', async () => {
    const { ask } = await hardened({}, (app) => app.get('/page', (req, res) => res.send('page')));
    const head = await ask('/page', { method: 'HEAD' });
    assert.deepEqual([head.status, head.text, head.headers['content-length']], [200, '', '4']);
    const options = await ask('/page', { method: 'OPTIONS' });
    assert.deepEqual([options.status, options.headers.allow], [200, 'GET, HEAD']);
    assert.match(options.headers['content-security-policy'], /default-src/);
    const missing = await ask('/nothing', { method: 'HEAD' });
    assert.deepEqual([missing.status, missing.text], [404, '']);
    assert.equal((await ask('/fail', { method: 'HEAD' })).status, 500);
  });

  it('keeps a connection after a body that was refused', async () => {
    const { port } = await hardened();
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    const ask = (body) => send(port, { path: '/echo', method: 'POST', headers: JSON_TYPE, body, agent });
    assert.equal((await ask('x'.repeat(20_000))).status, 413);
    assert.equal((await ask('{')).status, 400);
    assert.deepEqual((await ask('[1]')).json.body, [1]);
    // A long one ends it, and the agent makes another.
    const long = await ask('x'.repeat(2_000_000));
    assert.deepEqual([long.status, long.headers.connection], [413, 'close']);
    assert.deepEqual((await ask('[2]')).json.body, [2]);
    agent.destroy();
  });

  it('makes req.query of names that cannot pollute, and the same as req.safe.query', async () => {
    const { ask } = await hardened({ query: { duplicates: 'last', arrays: ['tag'] } });
    const { json } = await ask('/echo?a=1&a=2&tag=x&toString=1&b[c]=1');
    const expected = { a: '2', tag: ['x'], toString: '1', 'b[c]': '1' };
    assert.deepEqual(json.query, expected);
    assert.deepEqual(json.safe, expected);
    assert.deepEqual((await ask('/echo')).json, { query: {}, safe: {} });
    for (const name of ['__proto__', '__proto__[x]', 'constructor[prototype][x]']) {
      assertProblem(await ask(`/echo?${name}=1`), 400, 'ERR_QUERY_KEY');
    }
  });

  it('ignores next() of a route that has answered', async () => {
    const logged = [];
    const { ask } = await hardened({ problems: { log: (entry) => logged.push(entry) } }, (app) => {
      app.get('/both', (req, res, next) => {
        res.send('answered');
        next();
      });
    });
    assert.equal((await ask('/both')).text, 'answered');
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(logged, []);
  });

  it('lets handlers of errors that come later be first', async () => {
    const { ask, post } = await hardened({}, (app) => {
      app.use((error, req, res, next) => {
        if (error.type !== 'entity.parse.failed') return next(error);
        res.status(422).send('mine');
      });
    });
    assert.deepEqual((await post('/echo', '{')).text, 'mine');
    assertProblem(await ask('/fail'), 500);
  });

  it('logs by its option, and publishes events', async () => {
    const logged = [];
    const events = [];
    const listen = (event) => events.push(event);
    subscribe('holdfast:security', listen);
    const { ask } = await hardened({ problems: { log: (entry, error) => logged.push([entry, error]) } }, (app) => {
      app.get('/users/:id', () => {
        throw new Problem(410, 'gone', { code: 'GONE' });
      });
    });
    const { json } = await ask('/users/5');
    unsubscribe('holdfast:security', listen);
    const [[entry, error]] = logged;
    assert.ok(error instanceof Problem);
    assert.deepEqual([entry.level, entry.status, entry.code, entry.route], ['info', 410, 'GONE', '/users/:id']);
    assert.equal(entry.errorId, json.errorId);
    assert.deepEqual(events.map(({ kind, errorId }) => [kind, errorId]), [['problem', json.errorId]]);
  });
});

describe('with a keyring', () => {
  const routes = (app) => {
    app.post('/login', (req, res) => {
      req.session.user = req.body.user;
      res.json({ token: req.csrfToken() });
    });
    app.get('/me', (req, res) => res.json({ user: req.session.user ?? null, isNew: req.session.isNew }));
    app.post('/huge', (req, res) => {
      req.session.text = 'x'.repeat(6000);
      res.json({});
    });
  };
  const cookiesOf = ({ headers }) => (headers['set-cookie'] ?? []).map((cookie) => cookie.split(';')[0]).join('; ');

  it('there are sessions, and CSRF tokens', async () => {
    const { ask, post } = await hardened({ keyring }, routes);
    const login = await post('/login', '{"user":"ada"}');
    assert.equal(login.status, 200, login.text);
    const cookie = cookiesOf(login);
    assert.match(cookie, /\bsession=/);
    assert.deepEqual((await ask('/me', { headers: { cookie } })).json, { user: 'ada', isNew: false });
    assertProblem(await post('/echo', '{}', { ...JSON_TYPE, cookie }), 403, 'ERR_CSRF');
    const headers = { ...JSON_TYPE, cookie, 'x-csrf-token': login.json.token };
    assert.equal((await post('/echo', '{}', headers)).status, 200);
    assert.equal((await post('/echo', `_csrf=${login.json.token}`, { ...FORM_TYPE, cookie })).status, 200);
  });

  it('what cannot be sealed is a problem like others', async () => {
    const logged = [];
    const { post } = await hardened({ keyring, problems: { log: (entry) => logged.push(entry) } }, routes);
    const answer = await post('/huge', '{}');
    assertProblem(answer, 500);
    assert.equal(logged[0].code, 'ERR_SESSION_LIMIT');
    assert.match(answer.headers['content-security-policy'], /default-src/);
  });

  it('options of the session are its own', async () => {
    let asked = 0;
    const session = { name: 'sid', validate: async () => ++asked > 0 && false };
    const { ask, post } = await hardened({ keyring, session, csrf: false }, (app) => {
      app.post('/in', (req, res) => {
        req.session.user = req.body.user;
        res.json({});
      });
      app.get('/me', (req, res) => res.json({ user: req.session.user ?? null }));
    });
    const login = await post('/in', '{"user":"ada"}');
    assert.match(cookiesOf(login), /^sid=/);
    assert.deepEqual((await ask('/me', { headers: { cookie: cookiesOf(login) } })).json, { user: null });
    assert.equal(asked, 1);
  });

  it('session: false is none', async () => {
    const { ask } = await hardened({ keyring, session: false }, (app) => {
      app.get('/none', (req, res) => res.json({ session: typeof req.session, token: typeof req.csrfToken() }));
    });
    assert.deepEqual((await ask('/none')).json, { session: 'undefined', token: 'string' });
  });
});

describe('the order of the pieces', () => {
  it('a flood is refused before its bodies, which are refused before they are parsed', async () => {
    const { ask } = await hardened({ rateLimit: { limit: 1, windowMs: 3_600_000 } });
    const evil = { method: 'POST', headers: { ...JSON_TYPE, 'sec-fetch-site': 'cross-site' }, body: '{' };
    assertProblem(await ask('/echo?a=1&a=2', evil), 400, 'ERR_JSON_SYNTAX');
    assertProblem(await ask('/echo?a=1&a=2', evil), 429, 'ERR_RATE_LIMITED');
  });

  it('the body, then the query, then CSRF, then the named limits', async () => {
    const { ask } = await hardened({ limits: { login: { path: '/login', limit: 1, windowMs: 3_600_000 } } });
    const request = (body, site) => ({ method: 'POST', headers: { ...JSON_TYPE, 'sec-fetch-site': site }, body });
    assertProblem(await ask('/login?a=1&a=2', request('{', 'cross-site')), 400, 'ERR_JSON_SYNTAX');
    assertProblem(await ask('/login?a=1&a=2', request('{}', 'cross-site')), 400, 'ERR_QUERY_DUPLICATE');
    assertProblem(await ask('/login', request('{}', 'cross-site')), 403, 'ERR_CSRF');
    assertProblem(await ask('/login', request('{}', 'same-origin')), 404);
    assertProblem(await ask('/login', request('{}', 'same-origin')), 429, 'ERR_RATE_LIMITED');
  });

  it('CORS before all that refuses, so that other origins read refusals', async () => {
    const cors = { origins: ['https://app.example'], credentials: true };
    const { ask } = await hardened({ cors, rateLimit: { limit: 1, windowMs: 3_600_000 } });
    const headers = { origin: 'https://app.example' };
    const preflight = { method: 'OPTIONS', headers: { ...headers, 'access-control-request-method': 'POST' } };
    assert.equal((await ask('/echo', preflight)).status, 204);
    assertProblem(await ask('/nothing', { headers }), 404);
    const refused = await ask('/nothing', { headers });
    assertProblem(refused, 429, 'ERR_RATE_LIMITED');
    assert.equal(refused.headers['access-control-allow-origin'], 'https://app.example');
  });

  it('slow-down before the size of bodies', async () => {
    const events = [];
    const listen = ({ kind }) => events.push(kind);
    subscribe('holdfast:security', listen);
    const { post } = await hardened({ slowDown: { limit: 1, windowMs: 3_600_000, after: 0, delayMs: 1 } });
    assertProblem(await post('/echo', 'x'.repeat(20_000)), 413, 'ERR_BODY_LIMIT');
    unsubscribe('holdfast:security', listen);
    assert.deepEqual(events, ['rate-limit.slowed', 'body.refused', 'problem']);
  });
});

describe('named limits', () => {
  const WINDOW = { windowMs: 3_600_000 };

  it('are for their path and those below, and for methods that try something', async () => {
    const { ask, post } = await hardened({ limits: { login: { path: ['/login', '/sign-in'], limit: 2, ...WINDOW } } });
    for (const target of ['/login', '/LOGIN/x/']) assertProblem(await post(target, '{}'), 404);
    const refused = await post('/sign-in', '{}');
    assertProblem(refused, 429, 'ERR_RATE_LIMITED');
    assert.match(refused.headers['ratelimit-policy'], /"login";q=2/);
    assertProblem(await ask('/login'), 404);
    assert.equal((await ask('/login', { method: 'HEAD' })).status, 404);
    assertProblem(await post('/loginx', '{}'), 404);
  });

  it('are for the methods that are given', async () => {
    const read = { path: ['/x', '/'], methods: ['GET'], limit: 1, ...WINDOW };
    const { ask, post } = await hardened({ limits: { read } });
    assert.equal((await ask('/echo')).status, 200);
    assertProblem(await ask('/echo'), 429, 'ERR_RATE_LIMITED');
    assert.equal((await post('/echo', '{}')).status, 200);
  });

  it('count what failed, by keys that look at the body', async () => {
    const key = (req) => [req.ip, String(req.body?.user)];
    const limits = { login: { path: '/login', limit: 2, ...WINDOW, key, skipSuccessful: true } };
    const { ask } = await hardened({ limits }, (app) => {
      app.post('/login', (req, res) => res.status(req.body.password === 'right' ? 200 : 401).json({}));
    });
    const from = async (address, user, password) => {
      const headers = { ...JSON_TYPE, 'x-forwarded-for': address };
      return (await ask('/login', { method: 'POST', headers, body: JSON.stringify({ user, password }) })).status;
    };
    for (let times = 0; times < 5; times++) assert.equal(await from('203.0.113.9', 'bob', 'right'), 200);
    assert.equal(await from('203.0.113.1', 'ada', 'wrong'), 401);
    assert.equal(await from('203.0.113.2', 'ada', 'wrong'), 401);
    assert.equal(await from('203.0.113.3', 'ada', 'right'), 429);
    assert.equal(await from('203.0.113.3', 'bob', 'right'), 200);
  });

  it('slow down before they refuse', async () => {
    const events = [];
    const listen = ({ kind, policy }) => kind.startsWith('rate-limit') && events.push([kind, policy]);
    subscribe('holdfast:security', listen);
    const slowDown = { after: 1, delayMs: 1 };
    const { post } = await hardened({ limits: { login: { path: '/login', limit: 2, ...WINDOW, slowDown } } });
    assertProblem(await post('/login', '{}'), 404);
    assertProblem(await post('/login', '{}'), 404);
    assertProblem(await post('/login', '{}'), 429, 'ERR_RATE_LIMITED');
    unsubscribe('holdfast:security', listen);
    assert.deepEqual(events, [
      ['rate-limit.slowed', 'login'],
      ['rate-limit.slowed', 'login'],
      ['rate-limit.exceeded', 'login'],
    ]);
  });
});

describe('each piece can be off', () => {
  it('headers', async () => {
    const { ask } = await hardened({ headers: false });
    const { headers } = await ask('/echo');
    assert.equal(headers['content-security-policy'], undefined);
    assert.equal(headers['cache-control'], undefined);
    assert.equal(headers['x-powered-by'], undefined);
  });

  it('the rate limit', async () => {
    const { headers } = await (await hardened({ rateLimit: false })).ask('/echo');
    assert.equal(headers.ratelimit, undefined);
  });

  it('the size of bodies', async () => {
    const { ask } = await hardened({ body: false }, (app) => {
      app.put('/upload', async (req, res) => {
        let bytes = 0;
        for await (const chunk of req) bytes += chunk.length;
        res.json({ bytes });
      });
    });
    const [headers, chunks] = [{ 'content-type': 'image/png' }, Array(30).fill(Buffer.alloc(65_536))];
    assert.deepEqual((await ask('/upload', { method: 'PUT', headers, chunks })).json, { bytes: 30 * 65_536 });
  });

  it('JSON, of which no body is left to anybody then', async () => {
    const { post } = await hardened({ json: false, body: 100 }, (app) => app.use(express.json()));
    assert.equal((await post('/echo', '[1]')).json.body, undefined);
    assertProblem(await post('/echo', `"${'x'.repeat(100)}"`), 413, 'ERR_BODY_LIMIT');
  });

  it("the query, which is Express's then", async () => {
    const { ask } = await hardened({ query: false });
    assert.deepEqual((await ask('/echo?a=1&a=2')).json, { query: { a: ['1', '2'] } });
  });

  it('CSRF', async () => {
    const { post } = await hardened({ csrf: false });
    assert.equal((await post('/echo', '{}', { ...JSON_TYPE, 'sec-fetch-site': 'cross-site' })).status, 200);
  });

  it('problems, which are Express\'s then', async () => {
    const app = express();
    app.set('env', 'test');
    harden(app, { problems: false });
    const { port } = await serve(app);
    const { status, headers } = await send(port, { path: '/nothing' });
    assert.deepEqual([status, headers['content-type']], [404, 'text/html; charset=utf-8']);
  });

  it('all of them', async () => {
    const off = { headers: false, body: false, json: false, query: false, rateLimit: false, csrf: false };
    const { ask } = await hardened(off);
    assert.equal((await ask('/echo')).status, 200);
    assertProblem(await ask('/nothing'), 404);
  });
});

describe('pieces with options', () => {
  it('body: a number, a function, limits of JSON above it', async () => {
    const { post } = await hardened({ body: 10, json: { limits: { bytes: 50 } } });
    assert.equal((await post('/echo', '"12345678901234"')).status, 200);
    assertProblem(await post('/echo', `"${'x'.repeat(50)}"`), 413, 'ERR_BODY_LIMIT');
    assertProblem(await post('/echo', '12345678901', { 'content-type': 'text/plain' }), 413, 'ERR_BODY_LIMIT');
    const uploads = await hardened({ body: { maxBytes: (req) => (req.path === '/echo' ? 5 : 10) } });
    assertProblem(await uploads.post('/echo', '123456', { 'content-type': 'text/plain' }), 413, 'ERR_BODY_LIMIT');
    assertProblem(await uploads.post('/other', '123456', { 'content-type': 'text/plain' }), 404);
  });

  it('types of JSON are those that limitBody leaves', async () => {
    const { ask } = await hardened({ json: { types: ['text/json'] } });
    const chunked = (type) => ask('/echo', { method: 'POST', headers: { 'content-type': type }, chunks: ['[1]'] });
    assert.deepEqual((await chunked('text/json')).json.body, [1]);
    assertProblem(await chunked('application/json'), 411, 'ERR_BODY_LENGTH');
  });

  it('headers over TLS, by a proxy that is trusted', async () => {
    const { ask } = await hardened();
    const { headers } = await ask('/echo', { headers: { 'x-forwarded-proto': 'https' } });
    assert.match(headers['strict-transport-security'], /^max-age=31536000/);
    assert.equal((await ask('/echo')).headers['strict-transport-security'], undefined);
  });
});

describe('pages', () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'holdfast-pages-'));
  after(() => fs.rmSync(folder, { recursive: true }));
  fs.writeFileSync(path.join(folder, 'page.txt'), '<script nonce="NONCE">1</script>');
  fs.writeFileSync(path.join(folder, 'script.js'), 'export {};');

  it('views have a nonce, and files their own Cache-Control', async () => {
    const { ask } = await hardened({}, (app) => {
      app.engine('txt', (file, locals, done) => {
        done(null, fs.readFileSync(file, 'utf8').replace('NONCE', locals.cspNonce));
      });
      app.set('views', folder);
      app.get('/', (req, res) => res.render('page.txt'));
      app.use('/static', express.static(folder, { maxAge: '1d' }));
    });
    const [first, second] = [await ask('/'), await ask('/')];
    const [, nonce] = /nonce="([^"]{24})"/.exec(first.text);
    assert.ok(first.headers['content-security-policy'].includes(`script-src 'self' 'nonce-${nonce}'`));
    assert.notEqual(second.text, first.text);
    assert.equal(first.headers['cache-control'], 'no-store');
    const file = await ask('/static/script.js');
    assert.equal(file.headers['cache-control'], 'public, max-age=86400');
    assert.doesNotMatch(file.headers['content-security-policy'], /nonce/);
    const { status } = await ask('/static/script.js', { headers: { 'if-none-match': file.headers.etag } });
    assert.equal(status, 304);
    assertProblem(await ask('/static/nothing.js'), 404);
    assertProblem(await ask('/static/%2e%2e/secret'), 404);
  });
});

describe('a polluted Object.prototype', () => {
  it('changes nothing', async () => {
    const off = { headers: false, rateLimit: false, csrf: false, json: false };
    const polluted = { ...off, status: 200, body: { isAdmin: true }, safe: 1 };
    const names = Object.keys(polluted);
    const { port } = await hardened({}, (app) => app.get('/body', (req, res) => res.json({ body: String(req.body) })));
    const ask = (target, method = 'GET', more = '') =>
      sendRaw(port, `${method} ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${more}\r\n`);
    for (const name of names) Object.prototype[name] = polluted[name];
    try {
      assert.match(await ask('/body'), /"body":"undefined"/);
      assert.match(await ask('/fail'), /^HTTP\/1\.1 500 /);
      assert.match(await ask('/echo', 'POST', 'Sec-Fetch-Site: cross-site\r\n'), /^HTTP\/1\.1 403 /);
      assert.match(await ask('/echo?a=1&a=2'), /^HTTP\/1\.1 400 /);
      const app = harden(express(), {});
      assert.equal(app.router.stack.length, 1);
    } finally {
      for (const name of names) delete Object.prototype[name];
    }
  });
});
