'use strict';

/**
 * Sessions over real HTTP, on node:http alone and in Express: when a cookie is set, what it says, and how long it
 * lasts. Cookies that are refused are in sealed-session-refusals.test.js, what cannot be sealed in
 * sealed-session-limits.test.js.
 */

const assert = require('node:assert/strict');
const http = require('node:http');
const { Readable } = require('node:stream');
const { describe, it } = require('node:test');
const { inspect } = require('node:util');
const express = require('express');
const { Keyring } = require('../..');
const { createSession, sealedSession } = require('../../lib/http/sealed-session.js');
const { Jar, ask, platforms, readSetCookie } = require('../support/cookie-client.js');
const { eventsOf } = require('../support/security-events.js');
const { ring } = require('../support/ring.js');
const { listener, send, sendRaw, serve } = require('../support/serving.js');
const { sendTls, serveTls } = require('../support/tls-server.js');
const cases = require('./sealed-session.cases.json');

const MINUTE = 60_000;
const START = Date.UTC(2026, 10, 23);

/** A clock that tests set. Tokens and sessions both look at Date.now. */
function clock(t) {
  const time = { now: START };
  t.mock.method(Date, 'now', () => time.now);
  return time;
}

/** By their names: what routes do with the session, and the session as JSON in the answer. */
const ROUTES = {
  none: () => {},
  read: (session) => session.user,
  count: (session) => (session.count = (session.count ?? 0) + 1),
  nested: (session) => (session.cart ??= []).push('book'),
  login: (session) => (session.userId = 7),
  empty: (session) => Object.keys(session).forEach((name) => delete session[name]),
  destroy: (session) => session.destroy(),
  restart: (session) => (session.destroy(), (session.count = 1)),
  regenerate: (session) => session.regenerate(),
};

function byName(req, res) {
  const name = req.url.slice(1);
  if (name === 'none') return res.end('{}');
  ROUTES[name](req.session);
  const { id, createdAt, isNew } = req.session;
  res.end(JSON.stringify({ id, createdAt, isNew, members: req.session }));
}

describe('sealedSession', () => {
  describe('options', () => {
    for (const options of cases.options.taken) {
      it(`takes ${JSON.stringify(options)}`, () => {
        const middleware = sealedSession({ keyring: ring(), ...options });
        assert.equal(middleware.name, 'sealedSession');
        assert.equal(middleware.length, 3);
      });
    }

    for (const { options, code, message } of cases.options.refused) {
      it(`refuses ${JSON.stringify(options)}`, () => {
        assert.throws(() => sealedSession({ keyring: ring(), ...options }), (error) => {
          assert.equal(error.code, code);
          assert.ok(error.message.startsWith(`${message} must be `), error.message);
          return true;
        });
      });
    }

    it('needs a keyring', () => {
      for (const options of [undefined, {}]) {
        assert.throws(() => sealedSession(options), { code: 'ERR_INVALID_ARG_TYPE', message: /options\.keyring/ });
      }
      assert.throws(() => sealedSession(null), { code: 'ERR_INVALID_ARG_TYPE' });
      assert.throws(() => sealedSession(ring()), { code: 'ERR_INVALID_ARG_TYPE', message: /options\.keyring/ });
    });

    it('name at most 100 privileges', () => {
      const privileges = Array.from({ length: 100 }, (_, at) => `p${at}`);
      sealedSession({ keyring: ring(), privileges });
      const more = { keyring: ring(), privileges: [...privileges, 'p100'] };
      assert.throws(() => sealedSession(more), { code: 'ERR_INVALID_ARG_VALUE', message: /options\.privileges/ });
    });

    it('are read once', async () => {
      const privileges = ['account'];
      const options = { keyring: ring(), name: 'sid', privileges };
      const server = await platforms['node:http']([sealedSession(options)], byName);
      options.name = 'other';
      privileges[0] = 'userId';
      const jar = new Jar();
      const { id } = (await ask(server, '/count', { jar })).json;
      assert.deepEqual([...jar.cookies.keys()], ['sid']);
      assert.equal((await ask(server, '/login', { jar })).json.id, id);
    });
  });

  for (const [platform, start] of Object.entries(platforms)) {
    describe(`on ${platform}`, () => {
      it('sets nothing where the session is not read, or stays without members', async (t) => {
        const open = t.mock.method(Keyring.prototype, 'openToken');
        const server = await start([sealedSession({ keyring: ring() })], byName);
        for (const path of ['/none', '/read', '/regenerate', '/destroy', '/empty']) {
          const { setCookies, status } = await ask(server, path);
          assert.deepEqual([setCookies, status], [[], 200], path);
        }
        assert.equal((await ask(server, '/none')).headers.vary, undefined);
        const jar = new Jar();
        await ask(server, '/count', { jar });
        await ask(server, '/none', { jar });
        assert.equal(open.mock.callCount(), 0, 'nobody has read it');
        await ask(server, '/read', { jar });
        assert.equal(open.mock.callCount(), 1, 'once, however often it is read');
      });

      it('keeps members from one request to the next', async (t) => {
        const time = clock(t);
        const server = await start([sealedSession({ keyring: ring() })], byName);
        const jar = new Jar();
        const first = await ask(server, '/count', { jar });
        assert.deepEqual(first.json.members, { count: 1 });
        assert.equal(first.json.isNew, true);
        assert.match(first.json.id, /^[A-Za-z0-9_-]{22}$/);
        assert.equal(first.json.createdAt, START);
        const { name, value, attributes } = readSetCookie(first.setCookies[0]);
        assert.equal(first.setCookies.length, 1);
        assert.equal(name, 'session');
        assert.match(value, /^[A-Za-z0-9_-]+$/);
        assert.deepEqual(attributes, ['Max-Age=1800', 'Path=/', 'HttpOnly', 'SameSite=Lax']);
        time.now += MINUTE;
        const second = await ask(server, '/count', { jar });
        assert.deepEqual(second.json, { id: first.json.id, createdAt: START, isNew: false, members: { count: 2 } });
        assert.notEqual(jar.cookies.get('session'), value);
      });

      it('sees changes inside of members', async () => {
        const server = await start([sealedSession({ keyring: ring() })], byName);
        const jar = new Jar();
        await ask(server, '/nested', { jar });
        await ask(server, '/nested', { jar });
        assert.deepEqual((await ask(server, '/read', { jar })).json.members, { cart: ['book', 'book'] });
      });

      it('clears the cookie of a session that was emptied or ended', async () => {
        const server = await start([sealedSession({ keyring: ring() })], byName);
        for (const path of ['/empty', '/destroy']) {
          const jar = new Jar();
          const { id } = (await ask(server, '/count', { jar })).json;
          const { setCookies, json, headers } = await ask(server, path, { jar });
          assert.deepEqual(setCookies, ['session=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax']);
          assert.equal(headers['cache-control'], 'no-store');
          assert.deepEqual(json.members, {});
          assert.equal(jar.cookies.size, 0);
          assert.equal(json.isNew, path === '/destroy');
          assert.equal(json.id === id, path === '/empty');
        }
      });

      it('begins another session after the end of one', async (t) => {
        const events = eventsOf(t);
        const time = clock(t);
        const server = await start([sealedSession({ keyring: ring() })], byName);
        const jar = new Jar();
        await ask(server, '/login', { jar });
        const old = jar.copy();
        const { id } = (await ask(server, '/login', { jar })).json;
        time.now += MINUTE;
        const { json } = await ask(server, '/restart', { jar });
        assert.deepEqual(json, { id: json.id, createdAt: time.now, isNew: true, members: { count: 1 } });
        assert.notEqual(json.id, id);
        const after = await ask(server, '/read', { jar });
        assert.deepEqual(after.json, { ...json, isNew: false });
        // What a sealed cookie cannot do: options.validate is for that.
        assert.equal((await ask(server, '/read', { jar: old })).json.members.userId, 7);
        assert.deepEqual(events, []);
      });

      it('gives another id and beginning by regenerate, and members stay', async (t) => {
        const time = clock(t);
        const events = eventsOf(t);
        const server = await start([sealedSession({ keyring: ring() })], byName);
        const jar = new Jar();
        const first = (await ask(server, '/count', { jar })).json;
        time.now += MINUTE;
        const second = await ask(server, '/regenerate', { jar });
        assert.deepEqual(second.json.members, { count: 1 });
        assert.notEqual(second.json.id, first.id);
        assert.deepEqual([second.json.createdAt, second.json.isNew], [time.now, false]);
        assert.equal(second.setCookies.length, 1);
        assert.equal((await ask(server, '/read', { jar })).json.id, second.json.id);
        assert.equal(events.length, 1);
        const [{ kind, reason, route, method }] = events;
        assert.deepEqual([kind, reason, route, method], ['session.rotated', 'regenerate', '/regenerate', 'GET']);
      });

      it('may be ended by assigning null, and by nothing else', async () => {
        const server = await start([sealedSession({ keyring: ring() })], (req, res) => {
          if (req.url === '/null') req.session = null;
          else if (req.url === '/undefined') req.session = undefined;
          else if (req.url === '/object') req.session = { user: 'admin' };
          else req.session.count = 1;
          res.end(JSON.stringify(req.session));
        });
        for (const path of ['/null', '/undefined']) {
          const jar = new Jar();
          await ask(server, '/', { jar });
          assert.equal((await ask(server, path, { jar })).text, '{}');
          assert.equal(jar.cookies.size, 0);
        }
        const jar = new Jar();
        await ask(server, '/', { jar });
        const refused = await ask(server, '/object', { jar });
        assert.deepEqual([refused.status, refused.json.code], [500, 'ERR_INVALID_ARG_VALUE']);
      });
    });
  }

  describe('times', () => {
    it('sets the cookie again when a tenth of the idle time is over, and not before', async (t) => {
      const time = clock(t);
      const server = await platforms['node:http']([sealedSession({ keyring: ring() })], byName);
      const jar = new Jar();
      await ask(server, '/count', { jar });
      time.now += 3 * MINUTE - 1;
      assert.deepEqual((await ask(server, '/read', { jar })).setCookies, []);
      time.now += 1;
      assert.equal((await ask(server, '/none', { jar })).setCookies.length, 0, 'nobody read it');
      const renewed = await ask(server, '/read', { jar });
      assert.equal(renewed.setCookies.length, 1);
      assert.match(renewed.setCookies[0], /; Max-Age=1800;/);
      assert.equal(renewed.headers['cache-control'], 'no-store');
      time.now += 3 * MINUTE - 1;
      assert.deepEqual((await ask(server, '/read', { jar })).setCookies, []);
    });

    it('is over when it was idle', async (t) => {
      const time = clock(t);
      const events = eventsOf(t);
      const server = await platforms['node:http']([sealedSession({ keyring: ring() })], byName);
      const jar = new Jar();
      const { id } = (await ask(server, '/count', { jar })).json;
      time.now += 30 * MINUTE - 1;
      assert.equal((await ask(server, '/read', { jar })).json.id, id, 'and is used now');
      time.now += 30 * MINUTE - 1;
      assert.equal((await ask(server, '/read', { jar })).json.id, id);
      time.now += 30 * MINUTE;
      const over = await ask(server, '/read', { jar });
      assert.notEqual(over.json.id, id);
      assert.deepEqual([over.json.members, over.json.isNew], [{}, true]);
      assert.equal(jar.cookies.size, 0);
      assert.deepEqual(events.map(({ kind, reason, code }) => [kind, reason, code]), [
        ['session.refused', 'expired', 'ERR_TOKEN_EXPIRED'],
      ]);
    });

    it('is over when it is too old, however often it is used', async (t) => {
      const time = clock(t);
      const options = { keyring: ring(), idleMs: 40 * MINUTE, absoluteMs: 60 * MINUTE };
      const server = await platforms['node:http']([sealedSession(options)], byName);
      const jar = new Jar();
      const { id } = (await ask(server, '/count', { jar })).json;
      time.now += 30 * MINUTE;
      assert.match((await ask(server, '/count', { jar })).setCookies[0], /; Max-Age=1800;/, 'what is left');
      time.now += 30 * MINUTE - 1;
      const last = await ask(server, '/count', { jar });
      assert.equal(last.json.id, id);
      assert.match(last.setCookies[0], /; Max-Age=1;/);
      time.now += 1;
      assert.notEqual((await ask(server, '/count', { jar })).json.id, id);
    });

    it('begins anew when its id changes', async (t) => {
      const time = clock(t);
      const options = { keyring: ring(), idleMs: 60 * MINUTE, absoluteMs: 60 * MINUTE };
      const server = await platforms['node:http']([sealedSession(options)], byName);
      const jar = new Jar();
      await ask(server, '/count', { jar });
      time.now += 59 * MINUTE;
      const { id } = (await ask(server, '/login', { jar })).json;
      time.now += 59 * MINUTE;
      assert.equal((await ask(server, '/read', { jar })).json.id, id);
    });

    it('is over while a request is under way, and is not sealed again', async (t) => {
      const time = clock(t);
      const options = { keyring: ring(), idleMs: 10 * MINUTE, absoluteMs: 10 * MINUTE };
      const server = await platforms['node:http']([sealedSession(options)], (req, res) => {
        req.session.count = (req.session.count ?? 0) + 1;
        if (req.url === '/slow') time.now += 10 * MINUTE;
        res.end();
      });
      const jar = new Jar();
      await ask(server, '/', { jar });
      assert.deepEqual((await ask(server, '/slow', { jar })).setCookies, [
        'session=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax',
      ]);
    });

    it('obeys times that have become shorter, and clocks that are a little apart', async (t) => {
      const time = clock(t);
      const long = await platforms['node:http']([sealedSession({ keyring: ring() })], byName);
      const options = { keyring: ring(), idleMs: 10 * MINUTE };
      const idle = await platforms['node:http']([sealedSession(options)], byName);
      const absolute = await platforms['node:http'](
        [sealedSession({ keyring: ring(), absoluteMs: 10 * MINUTE })],
        byName,
      );
      const jar = new Jar();
      const { id } = (await ask(long, '/count', { jar })).json;
      for (const server of [idle, absolute]) {
        time.now = START - MINUTE;
        assert.equal((await ask(server, '/read', { jar: jar.copy() })).json.id, id, 'of a clock that is ahead');
        time.now = START + 10 * MINUTE - 1;
        assert.equal((await ask(server, '/read', { jar: jar.copy() })).json.id, id);
        time.now = START + 10 * MINUTE;
        assert.notEqual((await ask(server, '/read', { jar: jar.copy() })).json.id, id);
      }
      // Sealed again by the clock that is behind, it still opens everywhere.
      time.now = START - MINUTE;
      await ask(long, '/count', { jar });
      time.now = START;
      assert.deepEqual((await ask(long, '/read', { jar })).json.members, { count: 2 });
    });
  });

  describe('privileges', () => {
    /** Sets members to the JSON in the path. */
    const assign = (req, res) => {
      const { session } = req;
      const before = session.id;
      for (const [name, value] of Object.entries(JSON.parse(decodeURIComponent(req.url.slice(1))))) {
        if (value === 'DELETE') delete session[name];
        else session[name] = value;
      }
      res.end(JSON.stringify({ before, id: session.id, createdAt: session.createdAt }));
    };

    const change = (server, jar, members) => ask(server, `/${encodeURIComponent(JSON.stringify(members))}`, { jar });

    for (const name of ['user', 'userId', 'role', 'roles', 'passport']) {
      it(`gives another id when ${name} changes`, async (t) => {
        const events = eventsOf(t);
        const time = clock(t);
        const server = await platforms['node:http']([sealedSession({ keyring: ring() })], assign);
        const jar = new Jar();
        let { id } = (await change(server, jar, { theme: 'dark' })).json;
        for (const value of [1, 2, { a: [1] }, { a: [2] }, 'DELETE']) {
          time.now += 1;
          const { json } = await change(server, jar, { [name]: value });
          assert.equal(json.before, id);
          assert.notEqual(json.id, id, `to ${JSON.stringify(value)}`);
          assert.equal(json.createdAt, time.now);
          const { json: again } = await change(server, jar, {});
          assert.deepEqual([again.before, again.createdAt], [json.id, json.createdAt], 'as it was told');
          id = json.id;
        }
        assert.equal(events.length, 5);
        assert.ok(events.every(({ kind, reason }) => kind === 'session.rotated' && reason === 'privilege'));
      });
    }

    it('change inside, too; the same once more is no change, nor are other members', async (t) => {
      const events = eventsOf(t);
      const server = await platforms['node:http']([sealedSession({ keyring: ring() })], (req, res) => {
        const { session } = req;
        if (req.url === '/start') session.user = { name: 'Ana', roles: ['reader'] };
        if (req.url === '/promote') session.user.roles.push('admin');
        if (req.url === '/same') session.user = { name: 'Ana', roles: ['reader'] };
        if (req.url === '/other') session.users = 1;
        // The id is not read: it is changed all the same.
        res.end();
      });
      const jar = new Jar();
      await ask(server, '/start', { jar });
      await ask(server, '/same', { jar });
      await ask(server, '/other', { jar });
      assert.equal(events.length, 0);
      await ask(server, '/promote', { jar });
      assert.equal(events.length, 1);
    });

    it('of a session that is new need no other id', async (t) => {
      const events = eventsOf(t);
      const server = await platforms['node:http']([sealedSession({ keyring: ring() })], assign);
      const { json } = await change(server, new Jar(), { userId: 7 });
      assert.equal(json.before, json.id);
      assert.deepEqual(events, []);
    });

    it('count for the beginning, too, whoever asks for that first', async (t) => {
      const time = clock(t);
      const server = await platforms['node:http']([sealedSession({ keyring: ring() })], (req, res) => {
        req.session.userId = Number(req.url.slice(1));
        res.end(String(req.session.createdAt));
      });
      const jar = new Jar();
      await ask(server, '/1', { jar });
      time.now += MINUTE;
      assert.equal((await ask(server, '/1', { jar })).json, START);
      assert.equal((await ask(server, '/2', { jar })).json, time.now);
    });

    it('and regenerate are no event for a session that is new, or begins after the end of another', async (t) => {
      const events = eventsOf(t);
      const server = await platforms['node:http']([sealedSession({ keyring: ring() })], (req, res) => {
        const { session } = req;
        const ids = [session.id];
        session.regenerate();
        ids.push(session.id);
        if (req.url === '/end') session.destroy();
        ids.push(session.id);
        session.userId = 7;
        res.end(JSON.stringify(ids));
      });
      const jar = new Jar();
      const { json } = await ask(server, '/', { jar });
      assert.notEqual(json[0], json[1]);
      const { json: others } = await ask(server, '/end', { jar });
      assert.equal(others[0], json[1]);
      assert.equal(new Set([...json, ...others]).size, 4);
      assert.deepEqual(events, []);
    });

    it('are those that options.privileges names', async () => {
      const options = { keyring: ring(), privileges: ['account', 'constructor2'] };
      const server = await platforms['node:http']([sealedSession(options)], assign);
      const jar = new Jar();
      const { id } = (await change(server, jar, { theme: 'dark' })).json;
      assert.equal((await change(server, jar, { userId: 7 })).json.id, id);
      assert.notEqual((await change(server, jar, { account: 7 })).json.id, id);
    });

    it('are not read from a polluted prototype', async (t) => {
      const events = eventsOf(t);
      const server = await platforms['node:http']([sealedSession({ keyring: ring() })], byName);
      const jar = new Jar();
      await ask(server, '/count', { jar });
      Object.prototype.userId = 1;
      try {
        await ask(server, '/count', { jar });
      } finally {
        delete Object.prototype.userId;
      }
      await ask(server, '/count', { jar });
      assert.deepEqual(events, []);
    });

    it('that change together with regenerate change the id once more, and there is one event', async (t) => {
      const events = eventsOf(t);
      const server = await platforms['node:http']([sealedSession({ keyring: ring() })], (req, res) => {
        const ids = [req.session.id];
        if (req.url === '/login') {
          req.session.regenerate();
          ids.push(req.session.id);
          req.session.userId = 7;
          ids.push(req.session.id, req.session.id);
        } else req.session.count = 1;
        res.end(JSON.stringify(ids));
      });
      const jar = new Jar();
      await ask(server, '/', { jar });
      const { json } = await ask(server, '/login', { jar });
      assert.equal(new Set(json).size, 3);
      assert.deepEqual((await ask(server, '/', { jar })).json, [json[3]]);
      assert.deepEqual(events.map(({ reason }) => reason), ['regenerate']);
    });
  });

  describe('the cookie', () => {
    for (const { options, secure, name, attributes } of cases.names) {
      it(`is ${name} for ${JSON.stringify(options)} ${secure ? 'over TLS' : 'without TLS'}`, async () => {
        const server = await platforms.Express([sealedSession({ keyring: ring(), ...options })], byName);
        const jar = new Jar();
        const { setCookies } = await ask(server, '/count', { jar, secure });
        assert.equal(setCookies.length, 1);
        const cookie = readSetCookie(setCookies[0]);
        assert.equal(cookie.name, name);
        assert.deepEqual(cookie.attributes, ['Max-Age=1800', ...attributes]);
        assert.equal((await ask(server, '/count', { jar, secure })).json.members.count, 2);
        const [cleared] = (await ask(server, '/destroy', { jar, secure })).setCookies;
        assert.equal(cleared, [`${name}=`, 'Max-Age=0', ...attributes].join('; '));
      });
    }

    it('is for this host alone over TLS, which node:http tells, too', async () => {
      const server = await serveTls(listener([sealedSession({ keyring: ring() })], byName));
      const { headers } = await sendTls(server.port, { path: '/count' });
      const { name, value } = readSetCookie(headers['set-cookie'][0]);
      assert.equal(name, '__Host-session');
      const cookie = `${name}=${value}`;
      const { text } = await sendTls(server.port, { path: '/count', headers: { cookie } });
      assert.deepEqual(JSON.parse(text).members, { count: 2 });
    });

    it('without a prefix is nothing over TLS, and the other way round', async (t) => {
      const events = eventsOf(t);
      const server = await platforms.Express([sealedSession({ keyring: ring() })], byName);
      const [plain, tls] = [new Jar(), new Jar()];
      await ask(server, '/count', { jar: plain });
      await ask(server, '/count', { jar: tls, secure: true });
      const renamed = (jar, name) => new Jar([[name, [...jar.cookies.values()][0]]]);
      for (const [jar, secure] of [
        [plain, true],
        [tls, false],
      ]) {
        const { json, setCookies } = await ask(server, '/read', { jar, secure });
        assert.deepEqual([json.isNew, json.members, setCookies], [true, {}, []]);
      }
      assert.deepEqual(events, []);
      // Nor does one open under the name of the other.
      for (const [jar, secure] of [
        [renamed(plain, '__Host-session'), true],
        [renamed(tls, 'session'), false],
      ]) {
        assert.deepEqual((await ask(server, '/read', { jar, secure })).json.members, {});
      }
      assert.deepEqual(events.map(({ reason }) => reason), ['altered', 'altered']);
    });

    it('is none where secure is true and the request did not come over TLS; that is said once', async (t) => {
      const warnings = [];
      t.mock.method(process, 'emitWarning', (...given) => warnings.push(given));
      const server = await platforms.Express([sealedSession({ keyring: ring(), secure: true })], byName);
      const jar = new Jar();
      await ask(server, '/count', { jar, secure: true });
      const read = await ask(server, '/read', { jar });
      assert.deepEqual([read.json.members, read.setCookies, read.headers.vary], [{}, [], undefined]);
      assert.deepEqual(warnings, [], 'nothing was lost');
      for (let times = 0; times < 3; times++) {
        const { json, setCookies, headers } = await ask(server, '/count', { jar });
        assert.deepEqual([json.members, setCookies, headers['cache-control']], [{ count: 1 }, [], undefined]);
      }
      const [[message, { type, code }], ...more] = warnings;
      assert.match(message, /secure is true/);
      assert.deepEqual([type, code, more], ['HoldfastWarning', 'HOLDFAST_SESSION_TLS', []]);
      assert.equal((await ask(server, '/count', { jar, secure: true })).json.members.count, 2);
    });

    it('is added to those that the route sets, in whatever way', async () => {
      const routes = {
        '/set': (res) => void (res.setHeader('Set-Cookie', ['a=1', 'b=1']), res.end()),
        '/append': (res) => void (res.appendHeader('Set-Cookie', 'a=1'), res.end()),
        '/object': (res) => res.writeHead(200, { 'set-cookie': 'a=1' }).end(),
        '/array': (res) => res.writeHead(200, ['Set-Cookie', 'a=1', 'set-cookie', 'b=1']).end(),
        '/stream': (res) => void Readable.from(['a', 'b']).pipe(res),
        '/redirect': (res) => res.writeHead(303, { Location: '/' }).end(),
        '/flush': (res) => void (res.flushHeaders(), res.end()),
      };
      const server = await platforms['node:http']([sealedSession({ keyring: ring() })], (req, res) => {
        req.session.count = (req.session.count ?? 0) + 1;
        routes[req.url](res);
      });
      const jar = new Jar();
      for (const [path, names] of Object.entries({
        '/set': ['a', 'b', 'session'],
        '/append': ['a', 'session'],
        '/object': ['a', 'session'],
        '/array': ['a', 'b', 'session'],
        '/stream': ['session'],
        '/redirect': ['session'],
        '/flush': ['session'],
      })) {
        const { setCookies } = await ask(server, path, { jar });
        assert.deepEqual(setCookies.map((line) => readSetCookie(line).name), names, path);
      }
      const { setCookies } = await ask(server, '/set', { jar, method: 'HEAD' });
      assert.equal(setCookies.length, 3);
    });

    it('comes with the answers of Express, also to errors', async () => {
      const routes = {
        '/json': (req, res) => res.json({}),
        '/send': (req, res) => res.send('text'),
        '/status': (req, res) => res.sendStatus(204),
        '/redirect': (req, res) => res.redirect('/'),
        '/cookie': (req, res) => res.cookie('a', '1').send('text'),
        '/file': (req, res) => res.sendFile(__filename),
        '/not-modified': (req, res) => res.status(304).end(),
        '/throws': () => {
          throw new Error('failed');
        },
        '/rejects': async () => {
          throw new Error('failed');
        },
      };
      const server = await platforms.Express([sealedSession({ keyring: ring() })], (req, res) => {
        req.session.count = (req.session.count ?? 0) + 1;
        return routes[req.path](req, res);
      });
      const jar = new Jar();
      let last = '';
      for (const path of Object.keys(routes)) {
        await ask(server, path, { jar });
        assert.notEqual(jar.cookies.get('session'), last, path);
        last = jar.cookies.get('session');
      }
    });

    for (const { set, written, read, vary } of cases.caching) {
      it(`is not kept by caches where Cache-Control is ${JSON.stringify(set)}`, async () => {
        const server = await platforms['node:http']([sealedSession({ keyring: ring() })], (req, res) => {
          if (set !== null) res.setHeader('Cache-Control', set);
          if (req.url === '/write') req.session.count = 1;
          res.end(String(req.session.count));
        });
        const jar = new Jar();
        const first = await ask(server, '/write', { jar });
        assert.equal(first.headers['cache-control'], written);
        const second = await ask(server, '/read', { jar });
        assert.equal(second.headers['cache-control'], read ?? undefined);
        assert.equal(second.headers.vary, vary ?? undefined);
        assert.equal(first.headers.vary, written.toLowerCase().includes('no-store') ? undefined : 'Cookie');
      });
    }

    for (const { set, vary } of cases.vary) {
      it(`is named in Vary where that was ${JSON.stringify(set)}`, async () => {
        const server = await platforms['node:http']([sealedSession({ keyring: ring() })], (req, res) => {
          if (set !== null) res.setHeader('Vary', set);
          res.end(String(req.session.count));
        });
        assert.equal((await ask(server, '/')).headers.vary, vary);
      });
    }

    it('counts Cache-Control and Vary that writeHead is given', async () => {
      const server = await platforms['node:http']([sealedSession({ keyring: ring() })], (req, res) => {
        req.session.count = 1;
        res.writeHead(200, { 'Cache-Control': 'public, max-age=60', Vary: 'Accept' }).end();
      });
      const { headers } = await ask(server, '/');
      assert.deepEqual([headers['cache-control'], headers.vary], ['no-store', 'Accept']);
    });
  });

  describe('with several processes', () => {
    it('is shared by those with the same keys', async () => {
      const servers = [];
      for (let number = 0; number < 2; number++) {
        servers.push(await platforms['node:http']([sealedSession({ keyring: ring() })], byName));
      }
      const jar = new Jar();
      for (let count = 1; count <= 4; count++) {
        assert.equal((await ask(servers[count % 2], '/count', { jar })).json.members.count, count);
      }
    });

    it('is sealed anew under the primary key', async () => {
      const start = (primary, ids) =>
        platforms['node:http']([sealedSession({ keyring: ring(primary, ids) })], byName);
      const old = await start('k1', ['k1']);
      const both = await start('k2', ['k1', 'k2']);
      const newer = await start('k2', ['k2']);
      const jar = new Jar();
      const { id, createdAt } = (await ask(old, '/count', { jar })).json;
      assert.equal((await ask(both, '/none', { jar })).setCookies.length, 0);
      assert.equal((await ask(both, '/read', { jar })).setCookies.length, 1);
      assert.equal(ring('k2').inspect(jar.cookies.get('session')).keyId, 'k2');
      assert.equal((await ask(both, '/read', { jar })).setCookies.length, 0, 'once');
      const { json } = await ask(newer, '/read', { jar });
      assert.deepEqual(json, { id, createdAt, isNew: false, members: { count: 1 } });
    });

    it('is that of the answer that comes last, as a whole', async () => {
      const waiting = [];
      const server = await platforms['node:http']([sealedSession({ keyring: ring() })], async (req, res) => {
        req.session[req.url.slice(1)] = 1;
        if (req.url !== '/start') await new Promise((resolve) => (waiting.push(resolve) === 2 ? waiting[0]() : 0));
        res.end();
        waiting[1]?.();
      });
      const jar = new Jar();
      await ask(server, '/start', { jar });
      const copies = [jar.copy(), jar.copy()];
      await Promise.all([ask(server, '/one', { jar: copies[0] }), ask(server, '/two', { jar: copies[1] })]);
      const open = (copy) => ring().openToken(copy.cookies.get('session'), { purpose: 'holdfast:session:session' })[4];
      assert.deepEqual(open(copies[0]), { start: 1, one: 1 });
      assert.deepEqual(open(copies[1]), { start: 1, two: 1 });
    });

    it('belongs to its request, also on one connection', async () => {
      const server = await platforms['node:http']([sealedSession({ keyring: ring() })], async (req, res) => {
        req.session.path = req.url;
        await new Promise((resolve) => setTimeout(resolve, req.url === '/0' ? 20 : 0));
        res.end(req.session.path);
      });
      const head = (path, rest = '') => `GET ${path} HTTP/1.1\r\nHost: a\r\n${rest}\r\n`;
      const text = await sendRaw(server.port, head('/0') + head('/1') + head('/2', 'Connection: close\r\n'));
      const answers = text.split(/(?=HTTP\/1\.1 200)/);
      assert.equal(answers.length, 3);
      const seen = answers.map((answer) => {
        const token = /^Set-Cookie: session=([^;]*)/im.exec(answer)[1];
        const [, id, , , members] = ring().openToken(token, { purpose: 'holdfast:session:session' });
        assert.ok(answer.endsWith(members.path));
        return id + members.path;
      });
      assert.equal(new Set(seen.map((id) => id.slice(0, 22))).size, 3);
      assert.deepEqual(seen.map((id) => id.slice(22)), ['/0', '/1', '/2']);
    });
  });

  describe('as a member of the request', () => {
    it('is not enumerable, and read through what wraps the request', async () => {
      const server = await platforms.Express([sealedSession({ keyring: ring() })], (req, res) => {
        assert.ok(!Object.keys(req).includes('session'));
        req.session.count = 1;
        const { session } = new Proxy(req, {});
        assert.equal(session, req.session);
        assert.equal(Object.create(req).session, req.session);
        res.end('seen');
      });
      assert.equal((await ask(server, '/')).text, 'seen');
    });

    it('is the first one where the middleware runs twice, or another one of its kind', async () => {
      const middleware = sealedSession({ keyring: ring(), name: 'first' });
      const other = sealedSession({ keyring: ring(), name: 'second' });
      const server = await platforms.Express([middleware, middleware, other], byName);
      const jar = new Jar();
      await ask(server, '/count', { jar });
      assert.equal((await ask(server, '/count', { jar })).json.members.count, 2);
      assert.deepEqual([...jar.cookies.keys()], ['first']);
    });

    it('does not take the place of what another library has put there', async () => {
      const others = [{ value: { theirs: true } }, { get: () => ({ theirs: true }) }, { set() {} }];
      for (const start of Object.values(platforms)) {
        for (const descriptor of others) {
          const other = (req, res, next) => void (Object.defineProperty(req, 'session', descriptor), next());
          const server = await start([other, sealedSession({ keyring: ring() })], byName);
          const { status, json } = await ask(server, '/none');
          assert.deepEqual([status, json.code], [500, 'ERR_INVALID_ARG_VALUE']);
        }
      }
    });

    it('is not that of a polluted prototype', async () => {
      const server = await platforms['node:http']([sealedSession({ keyring: ring() })], byName);
      const jar = new Jar();
      await ask(server, '/count', { jar });
      const attack = { session: { user: 'admin' }, res: {}, cookie: jar.header, idleMs: 1, value: 1 };
      const { cookie, ...others } = attack;
      try {
        Object.assign(Object.prototype, others);
        assert.equal((await ask(server, '/count', { jar })).json.members.count, 2);
        // With another of the name node:http would join it, and the two are refused.
        Object.assign(Object.prototype, { cookie });
        assert.equal((await ask(server, '/read')).json.isNew, true);
      } finally {
        for (const name of Object.keys(attack)) delete Object.prototype[name];
      }
    });

    it('may stand on the prototype of all requests of an application', async (t) => {
      const open = t.mock.method(Keyring.prototype, 'openToken');
      const asked = [];
      const validate = (session) => asked.push(session.count) > 0;
      const { middleware, member } = createSession({ keyring: ring(), validate });
      const app = express();
      Object.defineProperty(app.request, 'session', member);
      app.use(middleware);
      const mounted = express();
      mounted.use((req, res) => byName(req, res));
      app.use('/mounted', mounted);
      app.use((req, res) => byName(req, res));
      const server = await serve(app);
      const jar = new Jar();
      await ask(server, '/count', { jar });
      assert.equal((await ask(server, '/mounted/count', { jar })).json.members.count, 2);
      assert.equal((await ask(server, '/count', { jar })).json.members.count, 3);
      assert.deepEqual(asked, [1, 2]);
      assert.equal(open.mock.callCount(), 2);
      assert.equal(Object.hasOwn(http.IncomingMessage.prototype, 'session'), false);
    });

    it('is an object without a prototype of its own, whatever Object.prototype has', async () => {
      let inspected;
      const server = await platforms['node:http']([sealedSession({ keyring: ring() })], (req, res) => {
        req.session.count = 1;
        inspected = inspect(req.session);
        const { session } = req;
        const names = [];
        for (const name in session) names.push(name);
        res.end(JSON.stringify([session.isAdmin, session.toString, session.constructor, names]));
      });
      Object.prototype.isAdmin = true;
      try {
        assert.deepEqual((await ask(server, '/')).json, [null, null, null, ['count']]);
      } finally {
        delete Object.prototype.isAdmin;
      }
      assert.match(inspected, /count: 1/);
      assert.doesNotMatch(inspected, /keyring|k1|id:/);
    });

    it('calls back where it is asked to, as passport does', async () => {
      const server = await platforms['node:http']([sealedSession({ keyring: ring() })], async (req, res) => {
        const { session } = req;
        const call = (name) => new Promise((resolve, reject) => {
          let isLater = false;
          session[name]((error) => (error || !isLater ? reject(error ?? new Error('at once')) : resolve()));
          isLater = true;
        });
        if (req.url === '/login') {
          await call('regenerate');
          session.passport = { user: 7 };
          await call('save');
        }
        if (req.url === '/logout') {
          delete session.passport.user;
          await call('save');
          await call('regenerate');
        }
        if (req.url === '/end') await call('destroy');
        if (req.url === '/wrong') session.regenerate('now');
        if (req.url === '/large') {
          session.text = 'x'.repeat(4096);
          const error = await call('save').catch((failure) => failure);
          delete session.text;
          return res.end(error.code);
        }
        res.end(JSON.stringify(session));
      });
      const jar = new Jar();
      assert.equal((await ask(server, '/login', { jar })).text, '{"passport":{"user":7}}');
      assert.equal((await ask(server, '/logout', { jar })).text, '{"passport":{}}');
      const { json: wrong } = await ask(server, '/wrong', { jar });
      assert.match(`${wrong.code} ${wrong.message}`, /^ERR_INVALID_ARG_TYPE done must be/);
      assert.equal((await ask(server, '/large', { jar })).text, 'ERR_SESSION_LIMIT');
      assert.equal((await ask(server, '/end', { jar })).text, '{}');
      assert.equal(jar.cookies.size, 0);
    });

    it('is nothing to a client that is gone', async () => {
      let done;
      const finished = new Promise((resolve) => (done = resolve));
      const server = await platforms['node:http']([sealedSession({ keyring: ring() })], async (req, res) => {
        req.session.count = 1;
        if (req.url === '/') return res.end('here');
        await new Promise((resolve) => req.on('close', resolve));
        req.session.count = 2;
        res.end('gone');
        done();
      });
      const leave = (socket) => void setTimeout(() => socket.destroy(), 20);
      await sendRaw(server.port, 'GET /gone HTTP/1.1\r\nHost: a\r\n\r\n', leave);
      await finished;
      assert.equal((await send(server.port)).text, 'here');
    });
  });
});
