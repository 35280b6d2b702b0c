'use strict';

/**
 * What another site makes a browser send: lib/http/csrf.js, over real HTTP. The table of requests is in
 * csrf.cases.json: POST to http://shop.example where nothing else is said, with https://app.example among the trusted
 * origins.
 */

const assert = require('node:assert/strict');
const { once } = require('node:events');
const http2 = require('node:http2');
const { after, describe, it } = require('node:test');
const express = require('express');
const { createCsrf, csrf } = require('../../lib/http/csrf.js');
const { sealedSession } = require('../../lib/http/sealed-session.js');
const { Jar, ask, platforms, readSetCookie } = require('../support/cookie-client.js');
const { eventsOf } = require('../support/security-events.js');
const { ring } = require('../support/ring.js');
const { listener, send, sendRaw, serve } = require('../support/serving.js');
const { cert, sendTls, serveTls } = require('../support/tls-server.js');
const cases = require('./csrf.cases.json');

const PURPOSE = 'holdfast:csrf';
const trustedOrigins = ['https://app.example', 'https://www.shop.example:8443'];

/** GET answers with a token, other methods with what they are. */
function route(req, res) {
  if (req.url === '/login') req.session.userId = (req.session.userId ?? 0) + 1;
  if (req.url === '/visit') req.session.visits = (req.session.visits ?? 0) + 1;
  if (req.url === '/logout') req.session.destroy();
  res.end(req.method === 'GET' && !req.url.startsWith('/plain') ? req.csrfToken() : 'passed');
}

const start = (options, middlewares = []) =>
  platforms.Express([...middlewares, csrf({ keyring: ring(), ...options })], route);

/** A jar with something in it, so that a token is needed. */
const newJar = () => new Jar([['theme', 'dark']]);

async function post(server, jar, token, options = {}) {
  const headers = token === undefined ? {} : { 'x-csrf-token': token };
  const { status, json, text } = await ask(server, '/', { ...options, jar, method: 'POST', headers });
  if (status === 200) assert.equal(text, 'passed');
  else assert.deepEqual([status, json.code], [403, 'ERR_CSRF']);
  return status === 200;
}

describe('csrf', () => {
  describe('options', () => {
    for (const options of cases.options.taken) {
      it(`takes ${JSON.stringify(options)}`, () => {
        const middleware = csrf(options);
        assert.deepEqual([middleware.name, middleware.length], ['csrf', 3]);
      });
    }

    for (const { options, code, message } of cases.options.refused) {
      it(`refuses ${JSON.stringify(options)}`, () => {
        assert.throws(() => csrf(options), (error) => {
          assert.equal(error.code, code);
          assert.ok(error.message.startsWith(`${message} must be `), error.message);
          return true;
        });
      });
    }

    it('need not be given', () => {
      assert.equal(csrf().name, 'csrf');
      assert.throws(() => csrf(null), { code: 'ERR_INVALID_ARG_TYPE' });
    });
  });

  describe('by where a request comes from', () => {
    const proxied = (isTrusted) => {
      const app = express();
      app.set('trust proxy', isTrusted);
      app.use(csrf({ keyring: ring(), trustedOrigins }));
      app.use(route);
      // Four parameters, by which Express knows it.
      app.use((error, req, res, next) => void (next, res.status(error.status).json({ code: error.code })));
      return serve(app);
    };
    const servers = {
      'node:http': () => serve(listener([csrf({ keyring: ring(), trustedOrigins })], route)),
      Express: () => proxied(false),
      'Express behind a proxy': () => proxied(true),
    };

    for (const [where, begin] of Object.entries(servers)) {
      it(`decides ${cases.requests.length} requests, on ${where}`, async (t) => {
        const events = eventsOf(t);
        const server = await begin();
        let decided = 0;
        for (const { note, secure, proxied: by, headers, reason, ...request } of cases.requests) {
          const { method = 'POST', host = 'shop.example' } = request;
          const isBehindProxy = where === 'Express behind a proxy';
          if ((secure && !isBehindProxy) || (by !== undefined && by !== isBehindProxy)) continue;
          const all = { host, ...headers };
          if (secure) all['x-forwarded-proto'] = 'https';
          const { status, json } = await send(server.port, { method, path: '/plain', headers: all });
          assert.equal(status, reason === null ? 200 : 403, `${note}: ${status}`);
          const seen = events.splice(0);
          assert.deepEqual(seen.map((event) => event.reason), reason === null ? [] : [reason], note);
          if (reason !== null) {
            assert.equal(json.code, 'ERR_CSRF');
            assert.deepEqual([seen[0].kind, seen[0].code], ['csrf.refused', 'ERR_CSRF']);
            assert.doesNotMatch(JSON.stringify(seen), /example|Bearer|Basic|YTpi/, note);
          }
          decided++;
        }
        assert.ok(decided >= cases.requests.length - 7, `${decided}`);
      });
    }

    it('refuses with an error that may be shown, and has nothing of the request in it', async () => {
      const errors = [];
      const server = await serve(
        listener([csrf()], route, (error, req, res) => {
          errors.push(error);
          res.end();
        }),
      );
      const attacks = [
        { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' },
        { origin: 'https://evil.example' },
        { cookie: 'secret=1' },
        { cookie: 'secret=1', 'x-csrf-token': 'forged' },
      ];
      for (const headers of attacks) await send(server.port, { method: 'POST', headers });
      assert.equal(errors.length, attacks.length);
      for (const { code, status, statusCode, expose, message } of errors) {
        assert.deepEqual([code, status, statusCode, expose], ['ERR_CSRF', 403, 403, true]);
        assert.doesNotMatch(message, /evil|secret|forged/);
      }
    });

    it('has no origin of its own where no host is said', async () => {
      const server = await serve(listener([csrf()], route));
      const lines = { 'HTTP/1.0': '', 'HTTP/1.1': 'Host:\r\nConnection: close\r\n' };
      for (const [version, host] of Object.entries(lines)) {
        for (const origin of ['https://', 'http://', 'https://undefined', 'http://undefined', 'null']) {
          const head = `POST /plain ${version}\r\n${host}Origin: ${origin}\r\nContent-Length: 0\r\n\r\n`;
          assert.match(await sendRaw(server.port, head), /^HTTP\/1\.1 403 /, `${version} ${origin}`);
        }
      }
    });

    it('knows TLS without a framework, and certificates of clients, which browsers add by themselves', async () => {
      const middlewares = [csrf({ keyring: ring() })];
      const asking = { requestCert: true, rejectUnauthorized: false };
      const servers = {
        none: await serveTls(listener(middlewares, route)),
        verified: await serveTls(listener(middlewares, route), { ...asking, ca: cert }),
        unverified: await serveTls(listener(middlewares, route), asking),
      };
      const status = async (name, options) => {
        const answer = await sendTls(servers[name].port, { method: 'POST', ...options });
        return answer.status;
      };
      for (const name of Object.keys(servers)) {
        const host = `127.0.0.1:${servers[name].port}`;
        assert.equal(await status(name), 200, 'a program');
        assert.equal(await status(name, { hasCertificate: true }), name === 'none' ? 200 : 403, name);
        const sent = { hasCertificate: true, headers: { 'sec-fetch-site': 'same-origin' } };
        assert.equal(await status(name, sent), 200);
        assert.equal(await status(name, { headers: { origin: `https://${host}` } }), 200);
        assert.equal(await status(name, { headers: { origin: `http://${host}` } }), 403);
        const { headers } = await sendTls(servers[name].port);
        assert.match(headers['set-cookie'][0], /^__Host-csrf=.*; Secure$/);
      }
    });

    it('knows its own origin over HTTP/2, and sets the cookies of sessions and tokens', async () => {
      const middlewares = [sealedSession({ keyring: ring() }), csrf({ keyring: ring() })];
      const server = http2.createServer(listener(middlewares, route));
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      const origin = `http://127.0.0.1:${server.address().port}`;
      const client = http2.connect(origin);
      after(() => {
        client.destroy();
        server.close();
      });
      const ask = async (headers) => {
        const stream = client.request({ ':method': 'POST', ':path': '/plain', ...headers }).end();
        const [answer] = await once(stream, 'response');
        stream.resume();
        await once(stream, 'close');
        return answer;
      };
      assert.equal((await ask({ origin }))[':status'], 200);
      assert.equal((await ask({ origin: 'http://evil.example' }))[':status'], 403);
      assert.equal((await ask({ cookie: 'a=1' }))[':status'], 403);
      assert.equal((await ask({}))[':status'], 200);
      const { 'set-cookie': cookies } = await ask({ ':method': 'GET', ':path': '/visit' });
      assert.deepEqual(cookies.map((line) => readSetCookie(line).name).sort(), ['csrf', 'session']);
    });

    it('trusts nobody where no origins are given', async () => {
      const server = await serve(listener([csrf()], route));
      const headers = { 'sec-fetch-site': 'cross-site', origin: 'https://app.example' };
      assert.equal((await send(server.port, { method: 'POST', headers })).status, 403);
    });

    it('does not read headers, hosts or origins from a polluted prototype', async () => {
      const server = await serve(listener([csrf({ keyring: ring() })], route));
      const polluted = { 'sec-fetch-site': 'none', origin: 'http://shop.example', host: 'evil.example', _csrf: 'x' };
      const ask = (headers) => send(server.port, { method: 'POST', headers: { __proto__: null, ...headers } });
      for (const [name, value] of Object.entries(polluted)) {
        Object.prototype[name] = value;
        try {
          const evil = await ask({ host: 'shop.example', origin: 'https://evil.example', cookie: 'a=1' });
          assert.equal(evil.status, 403, name);
          if (name !== 'host') assert.equal((await ask({ host: 'shop.example', cookie: 'a=1' })).status, 403, name);
        } finally {
          delete Object.prototype[name];
        }
      }
    });
  });

  describe('skip', () => {
    it('lets pass what it says, and is asked for nothing that passes anyway', async () => {
      const asked = [];
      const server = await start({ skip: (req) => asked.push(req.url) > 0 && req.url === '/webhook' });
      const headers = { 'sec-fetch-site': 'cross-site' };
      assert.equal((await ask(server, '/webhook', { method: 'POST', headers })).status, 200);
      assert.equal((await ask(server, '/other', { method: 'POST', headers })).status, 403);
      await ask(server, '/webhook', { headers });
      assert.deepEqual(asked, ['/webhook', '/other']);
    });

    for (const [what, skip] of Object.entries({
      throws: () => {
        throw new Error('failed');
      },
      'gives a promise': async () => true,
      'gives undefined': () => {},
      'gives 1': () => 1,
    })) {
      it(`fails the request where it ${what}`, async () => {
        const server = await start({ skip });
        const { status, json } = await ask(server, '/', { method: 'POST' });
        assert.equal(status, 500);
        assert.equal(json.code, what === 'throws' ? undefined : 'ERR_INVALID_ARG_TYPE');
      });
    }
  });

  describe('tokens', () => {
    for (const [platform, begin] of Object.entries(platforms)) {
      it(`let a request pass with the cookie that came with them, on ${platform}`, async () => {
        const server = await begin([csrf({ keyring: ring() })], route);
        const jar = newJar();
        const { text: token, setCookies, headers } = await ask(server, '/', { jar });
        const { name, value, attributes } = readSetCookie(setCookies[0]);
        assert.deepEqual([setCookies.length, name], [1, 'csrf']);
        assert.match(value, /^[A-Za-z0-9_-]{22}$/);
        assert.deepEqual(attributes, ['Path=/', 'HttpOnly', 'SameSite=Lax']);
        assert.equal(headers['cache-control'], 'no-store');
        assert.ok(!token.includes(value) && token.length < 250);
        assert.equal(await post(server, jar, token), true);
        assert.equal(await post(server, jar, token), true, 'again, until it is too old');
        assert.equal(await post(server, jar), false);
        const other = newJar();
        await ask(server, '/', { jar: other });
        assert.equal(await post(server, other, token), false, 'with the cookie of somebody else');
        assert.equal(await post(server, newJar(), token), false, 'without the cookie');
      });
    }

    it('are other texts each time, of one cookie, which is set once', async () => {
      const server = await platforms.Express([csrf({ keyring: ring() })], (req, res) => {
        if (req.method !== 'GET') return res.end('passed');
        const { csrfToken } = req;
        res.end(JSON.stringify([req.csrfToken(), csrfToken(), req.csrfToken()]));
      });
      const jar = newJar();
      const { json, setCookies } = await ask(server, '/', { jar });
      assert.equal(setCookies.length, 1);
      assert.equal(new Set(json).size, 3);
      const again = await ask(server, '/', { jar });
      assert.equal(again.setCookies.length, 0);
      assert.equal(again.headers['cache-control'], 'no-store', 'a token is for one client');
      for (const token of [...json, ...again.json]) assert.equal(await post(server, jar, token), true);
    });

    it('cost nothing where nobody asks for one', async () => {
      const server = await start();
      const { setCookies, headers } = await ask(server, '/plain');
      assert.deepEqual([setCookies, headers['cache-control']], [[], undefined]);
    });

    it('come in the body, if that is text', async () => {
      const bodies = [];
      const parse = (req, res, next) => {
        if (req.method === 'POST') req.body = bodies.shift();
        next();
      };
      const server = await start({}, [parse]);
      const jar = newJar();
      const { text: token } = await ask(server, '/', { jar });
      const postBody = (body) => (bodies.push(body), post(server, jar));
      assert.equal(await postBody({ _csrf: token }), true);
      assert.equal(await postBody(Object.assign(Object.create(null), { _csrf: token })), true);
      for (const body of [undefined, null, token, [token], { _csrf: [token] }, { _csrf: { token } }, { csrf: token }]) {
        assert.equal(await postBody(body), false, JSON.stringify(body));
      }
      assert.equal(await postBody(Object.create({ _csrf: token })), false, 'its own');
      bodies.push({ _csrf: token });
      assert.equal(await post(server, jar, 'forged'), false, 'the header counts if there is one');
      bodies.push({ _csrf: 'forged' });
      assert.equal(await post(server, jar, token), true);
    });

    it('come in the header that the options name', async () => {
      const server = await start({ header: 'X-XSRF', cookie: 'xsrf' });
      const jar = newJar();
      const { text: token } = await ask(server, '/', { jar });
      assert.ok(jar.cookies.has('xsrf'));
      assert.equal(await post(server, jar, token), false);
      assert.equal((await ask(server, '/', { jar, method: 'POST', headers: { 'x-xsrf': token } })).status, 200);
      const twice = { 'x-xsrf': [token, token] };
      assert.equal((await ask(server, '/', { jar, method: 'POST', headers: twice })).status, 403);
    });

    it('are refused when altered, cut, empty, much too long, or made for something else', async (t) => {
      const server = await start();
      const jar = newJar();
      const { text: token } = await ask(server, '/', { jar });
      const events = eventsOf(t);
      const nonce = jar.cookies.get('csrf');
      const swap = (at) => token.slice(0, at) + (token[at] === 'A' ? 'B' : 'A') + token.slice(at + 1);
      const forged = Array.from(token, (character, at) => swap(at));
      forged.push(token.slice(1), token.slice(0, -1), `${token}A`, '', 'null', nonce);
      forged.push(token.repeat(9), `${token}, ${token}`);
      for (const purpose of ['csrf', 'session', 'holdfast:session:csrf']) {
        forged.push(ring().sealToken({ n: nonce, s: null }, { purpose }));
      }
      forged.push(ring('k2').sealToken({ n: nonce, s: null }, { purpose: PURPOSE }));
      for (const text of forged) assert.equal(await post(server, jar, text), false, text);
      assert.deepEqual(new Set(events.map(({ reason }) => reason)), new Set(['token-invalid']));
      assert.ok(!JSON.stringify(events).includes(nonce));
      const own = ring().sealToken({ n: nonce, s: null }, { purpose: PURPOSE });
      assert.equal(await post(server, jar, own), true);
      // However it is padded: what has no such length is not opened.
      const padded = ring().sealToken({ n: nonce, s: null, x: 'x'.repeat(800) }, { purpose: PURPOSE });
      assert.equal(await post(server, jar, padded), false);
    });

    for (const shape of cases.shapes) {
      it(`are refused when they say ${JSON.stringify(shape)}`, async () => {
        const server = await start();
        const jar = newJar();
        await ask(server, '/', { jar });
        const text = JSON.stringify(shape).replaceAll('NONCE', jar.cookies.get('csrf'));
        assert.equal(await post(server, jar, ring().sealToken(JSON.parse(text), { purpose: PURPOSE })), false);
      });
    }

    it('are no token together with a cookie that comes twice, or is empty', async () => {
      const server = await start();
      const jar = newJar();
      const { text: token } = await ask(server, '/', { jar });
      const nonce = jar.cookies.get('csrf');
      const headers = (cookie) => ({ cookie, 'x-csrf-token': token });
      const status = async (cookie) => (await ask(server, '/', { method: 'POST', headers: headers(cookie) })).status;
      assert.equal(await status(`csrf=${nonce}`), 200);
      const doubled = [`csrf=${nonce}; csrf=${nonce}`, `csrf=x; csrf=${nonce}`, `csrf=${nonce}; csrf=`];
      for (const cookie of [...doubled, 'csrf=', 'csrf']) {
        assert.equal(await status(cookie), 403, cookie);
      }
      const empty = ring().sealToken({ n: '', s: null }, { purpose: PURPOSE });
      const { status: ofEmpty } = await ask(server, '/', {
        method: 'POST',
        headers: { cookie: 'csrf=', 'x-csrf-token': empty },
      });
      assert.equal(ofEmpty, 403);
    });

    it('replace a cookie that was not made here', async () => {
      const server = await start();
      for (const value of ['', 'short', 'A'.repeat(23), 'AAAAAAAAAAAAAAAAAAAAA;', 'AAAAAAAAAAAAAAAAAAAAA.']) {
        const jar = new Jar([['csrf', value]]);
        const { text: token, setCookies } = await ask(server, '/', { jar });
        assert.equal(setCookies.length, 1, value);
        assert.equal(await post(server, jar, token), true);
      }
      const cookie = `csrf=${'A'.repeat(22)}; csrf=${'A'.repeat(22)}`;
      const { setCookies } = await ask(server, '/', { headers: { cookie } });
      assert.equal(setCookies.length, 1);
    });

    it('end with their time', async (t) => {
      let now = Date.now();
      t.mock.method(Date, 'now', () => now);
      const server = await start({ ttlMs: 60_000 });
      const jar = newJar();
      const { text: token } = await ask(server, '/', { jar });
      now += 59_999;
      assert.equal(await post(server, jar, token), true);
      now += 1;
      const events = eventsOf(t);
      assert.equal(await post(server, jar, token), false);
      assert.equal(events[0].reason, 'token-expired');
      const { text: newer, setCookies } = await ask(server, '/', { jar });
      assert.deepEqual(setCookies, []);
      assert.equal(await post(server, jar, newer), true);
      const usual = await start();
      const { text: long } = await ask(usual, '/', { jar });
      now += 43_200_000 - 1;
      assert.equal(await post(usual, jar, long), true);
      now += 1;
      assert.equal(await post(usual, jar, long), false);
    });

    it('outlive a rotation of keys', async () => {
      const jar = newJar();
      const { text: token } = await ask(await start(), '/', { jar });
      assert.equal(await post(await start({ keyring: ring('k2', ['k1', 'k2']) }), jar, token), true);
      assert.equal(await post(await start({ keyring: ring('k2') }), jar, token), false);
    });

    it('have over TLS a cookie that no other host can set, and no other counts', async () => {
      const server = await start();
      const jar = newJar();
      const { text: token, setCookies } = await ask(server, '/', { jar, secure: true });
      const { name, attributes } = readSetCookie(setCookies[0]);
      assert.equal(name, '__Host-csrf');
      assert.deepEqual(attributes, ['Path=/', 'HttpOnly', 'SameSite=Lax', 'Secure']);
      assert.equal(await post(server, jar, token, { secure: true }), true);
      const plain = newJar();
      const { text: planted } = await ask(server, '/', { jar: plain });
      assert.equal(await post(server, plain, planted), true);
      assert.equal(await post(server, plain, planted, { secure: true }), false);
      assert.equal(await post(server, jar, token), false);
    });

    it('are bound to the session', async () => {
      const server = await start({}, [sealedSession({ keyring: ring() })]);
      const jar = newJar();
      const { text: before } = await ask(server, '/', { jar });
      assert.deepEqual([...jar.cookies.keys()], ['theme', 'csrf'], 'no session for the sake of a token');
      assert.equal(await post(server, jar, before), true);
      const { text: visitor } = await ask(server, '/visit', { jar });
      assert.ok(jar.cookies.has('session'));
      assert.equal(await post(server, jar, before), false, 'of nobody');
      assert.equal(await post(server, jar, visitor), true, 'made with the session that began in that answer');
      await ask(server, '/visit', { jar });
      assert.equal(await post(server, jar, visitor), true, 'of the same session');
      const { text: user } = await ask(server, '/login', { jar });
      assert.equal(await post(server, jar, visitor), false, 'of the visitor that logged in');
      assert.equal(await post(server, jar, user), true, 'made with the id that the answer gave it');
      const copy = jar.copy();
      const { text: nobody } = await ask(server, '/logout', { jar });
      assert.ok(!jar.cookies.has('session'));
      assert.equal(await post(server, jar, user), false);
      assert.equal(await post(server, jar, nobody), true);
      assert.equal(await post(server, copy, nobody), false);
      // The cookie alone is not enough: whoever can set it has a token for it, of nobody or of their own session.
      const attacker = new Jar([['csrf', jar.cookies.get('csrf')]]);
      const { text: theirs } = await ask(server, '/visit', { jar: attacker });
      assert.equal(await post(server, copy, theirs), false);
    });

    it('are none of a session that has been ended since', async () => {
      let isValid = true;
      const server = await start({}, [sealedSession({ keyring: ring(), validate: () => isValid })]);
      const jar = newJar();
      await ask(server, '/visit', { jar });
      const { text: token } = await ask(server, '/', { jar });
      assert.equal(await post(server, jar.copy(), token), true);
      const nobody = ring().sealToken({ n: jar.cookies.get('csrf'), s: null }, { purpose: PURPOSE });
      assert.equal(await post(server, jar.copy(), nobody), false);
      isValid = false;
      assert.equal(await post(server, jar.copy(), token), false);
      assert.equal(await post(server, jar.copy(), nobody), true);
    });

    it('are of nobody where sessions are of another library', async () => {
      for (const session of [{ id: 'theirs' }, null, 'text', undefined, 7]) {
        const theirs = (req, res, next) => void ((req.session = session), next());
        const server = await start({}, [theirs]);
        const jar = newJar();
        const { text: token } = await ask(server, '/', { jar });
        assert.equal(ring().openToken(token, { purpose: PURPOSE }).s, null);
        assert.equal(await post(server, jar, token), true);
      }
    });

    it('are checked against the session that came, whatever was done to it since', async () => {
      const visits = (req, res, next) => {
        req.session.visits = (req.session.visits ?? 0) + 1;
        if (req.url === '/promote') req.session.userId = 1;
        next();
      };
      const server = await start({}, [sealedSession({ keyring: ring() }), visits]);
      const jar = newJar();
      const { text: token } = await ask(server, '/', { jar });
      const withToken = { jar: jar.copy(), method: 'POST', headers: { 'x-csrf-token': token } };
      assert.equal((await ask(server, '/promote', withToken)).status, 200);
      const nobody = ring().sealToken({ n: jar.cookies.get('csrf'), s: null }, { purpose: PURPOSE });
      const visitor = new Jar([['csrf', jar.cookies.get('csrf')]]);
      assert.equal(await post(server, visitor, nobody), true, 'the session began with this request');
    });

    it('read no session where none is needed', async (t) => {
      const events = eventsOf(t);
      const server = await start({}, [sealedSession({ keyring: ring() })]);
      const headers = { cookie: 'session=forged', 'sec-fetch-site': 'same-origin' };
      const { status, setCookies } = await ask(server, '/plain', { method: 'POST', headers });
      assert.deepEqual([status, setCookies, events], [200, [], []]);
    });

    it('need a keyring to be made, and to be checked', async (t) => {
      const server = await platforms.Express([csrf()], route);
      const { status, json } = await ask(server, '/');
      assert.deepEqual([status, json.code], [500, 'ERR_INVALID_ARG_TYPE']);
      assert.match(json.message, /options\.keyring must be a Keyring/);
      const events = eventsOf(t);
      assert.equal(await post(server, newJar(), 'token'), false);
      assert.equal(events[0].reason, 'token-missing');
      const headers = { 'sec-fetch-site': 'same-origin' };
      assert.equal((await ask(server, '/', { method: 'POST', headers })).status, 200);
    });

    it('fail the request where it is the keyring that does not work', async () => {
      const keyring = ring();
      const server = await start({ keyring });
      const jar = newJar();
      const { text: token } = await ask(server, '/', { jar });
      keyring.dispose();
      const { status, json } = await ask(server, '/', { jar, method: 'POST', headers: { 'x-csrf-token': token } });
      assert.deepEqual([status, json.code], [500, 'ERR_CLOSED']);
    });

    it('cannot be made with a cookie that can no longer be set', async () => {
      const server = await platforms['node:http']([csrf({ keyring: ring() })], (req, res) => {
        if (req.method !== 'GET') return res.end('passed');
        res.write('');
        res.flushHeaders();
        try {
          res.end(req.csrfToken());
        } catch (error) {
          res.end(error.code);
        }
      });
      assert.equal((await ask(server, '/')).text, 'ERR_CLOSED');
      const nonce = 'A'.repeat(22);
      const jar = new Jar([['csrf', nonce]]);
      const { text: token } = await ask(server, '/', { jar });
      assert.equal(await post(server, jar, token), true);
    });

    it('come with other cookies and caching that the route sets', async () => {
      const server = await platforms['node:http']([csrf({ keyring: ring() })], (req, res) => {
        const token = req.csrfToken();
        res.writeHead(200, { 'Set-Cookie': 'a=1', 'Cache-Control': 'public, max-age=60' }).end(token);
      });
      const { setCookies, headers } = await ask(server, '/');
      assert.deepEqual(setCookies.map((line) => readSetCookie(line).name), ['a', 'csrf']);
      assert.equal(headers['cache-control'], 'no-store');
    });
  });

  describe('as a member of the request', () => {
    it('is not enumerable, and may be replaced by the application', async () => {
      const server = await platforms.Express([csrf({ keyring: ring() })], (req, res) => {
        assert.ok(!Object.keys(req).includes('csrfToken'));
        req.csrfToken = () => 'theirs';
        assert.ok(!Object.keys(req).includes('csrfToken'));
        assert.equal(req.csrfToken(), 'theirs');
        req.csrfToken = () => 'again';
        assert.equal(req.csrfToken(), 'again');
        delete req.csrfToken;
        res.end(String(req.csrfToken));
      });
      assert.equal((await ask(server, '/')).text, 'undefined');
    });

    it('does not take the place of what another library has put there', async () => {
      const other = (req, res, next) => {
        req.csrfToken = () => 'theirs';
        next();
      };
      const server = await platforms.Express([other, csrf({ keyring: ring() })], route);
      assert.deepEqual((await ask(server, '/')).json.code, 'ERR_INVALID_ARG_VALUE');
    });

    it('is one where the middleware runs twice', async () => {
      const middleware = csrf({ keyring: ring() });
      const server = await platforms.Express([middleware, middleware, csrf({ keyring: ring('k2') })], route);
      const jar = newJar();
      const { text: token, setCookies } = await ask(server, '/', { jar });
      assert.equal(setCookies.length, 1);
      assert.equal(ring().inspect(token).keyId, 'k1');
    });

    it('may stand on the prototype of all requests of an application', async () => {
      const { middleware, member } = createCsrf({ keyring: ring() });
      const app = express();
      Object.defineProperty(app.request, 'csrfToken', member);
      app.use(middleware);
      app.use((req, res) => {
        assert.ok(!Object.hasOwn(req, 'csrfToken'));
        route(req, res);
      });
      const server = await serve(app);
      const jar = newJar();
      const { text: token } = await ask(server, '/', { jar });
      assert.equal(await post(server, jar, token), true);
    });

    it('calls what comes next once, also where that throws', async () => {
      const middleware = csrf();
      const failing = new Error('of what comes next');
      let times = 0;
      const server = await serve((req, res) => {
        try {
          middleware(req, res, () => {
            times++;
            throw failing;
          });
        } catch (error) {
          res.end(String(error === failing));
        }
      });
      assert.equal((await send(server.port)).text, 'true');
      const headers = { 'sec-fetch-site': 'cross-site' };
      assert.equal((await send(server.port, { method: 'POST', headers })).text, 'true');
      assert.equal(times, 2);
    });
  });
});
