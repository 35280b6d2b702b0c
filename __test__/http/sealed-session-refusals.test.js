'use strict';

/**
 * Cookies that are no session: altered, doubled, too long, made for something else, or ended by the application. The
 * request goes on with an empty session, the cookie is removed, and there is an event that holds nothing of it.
 */

const assert = require('node:assert/strict');
const { randomBytes } = require('node:crypto');
const { describe, it } = require('node:test');
const { Keyring } = require('../..');
const { sealedSession } = require('../../lib/http/sealed-session.js');
const { Jar, ask, platforms } = require('../support/cookie-client.js');
const { eventsOf } = require('../support/security-events.js');
const { ring } = require('../support/ring.js');
const { sealMessage } = require('../support/xaes.js');
const cases = require('./sealed-session.cases.json');

const PURPOSE = 'holdfast:session:session';
const CLEARED = ['session=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax'];
const ID = 'AAAAAAAAAAAAAAAAAAAAAA';

function count(req, res) {
  const { session } = req;
  if (req.url === '/count') session.count = (session.count ?? 0) + 1;
  res.end(JSON.stringify({ id: session.id, isNew: session.isNew, members: session }));
}

const start = (options) => platforms['node:http']([sealedSession({ keyring: ring(), ...options })], count);

/** What a route sees of the cookie, and what becomes of it. */
async function seen(server, value, path = '/') {
  const { json, setCookies, status } = await ask(server, path, { headers: { cookie: value } });
  return { status, members: json.members, isNew: json.isNew, setCookies };
}

const REFUSED = { status: 200, members: {}, isNew: true, setCookies: CLEARED };

function seal(content, keyring = ring(), options = { purpose: PURPOSE }) {
  return keyring.sealToken(content, options);
}

function content(members = { count: 1 }, at = Date.now()) {
  return [1, ID, at, at, members];
}

describe('a cookie that is no session', () => {
  it('is altered anywhere, cut or lengthened', async (t) => {
    const events = eventsOf(t);
    const server = await start();
    const token = seal(content());
    assert.deepEqual((await seen(server, `session=${token}`)).members, { count: 1 });
    const altered = Array.from(token, (character, at) => {
      return token.slice(0, at) + (character === 'A' ? 'B' : 'A') + token.slice(at + 1);
    });
    altered.push(token.slice(1), token.slice(0, -1), `${token}A`, `${token}=`, `"${token}"`, `${token}.`, 'null', '1');
    altered.push(`${token.slice(0, 40)}%00${token.slice(43)}`, token.toLowerCase(), '', '{}', 'A'.repeat(4096));
    for (const value of altered) assert.deepEqual(await seen(server, `session=${value}`), REFUSED, value);
    assert.equal(events.length, altered.length);
    const reasons = new Set(events.map(({ kind, reason, code }) => `${kind} ${reason} ${code}`));
    // The key id stands in the clear, and one of those characters is in it.
    assert.deepEqual([...reasons].sort(), [
      'session.refused altered ERR_DECRYPT',
      'session.refused unknown-key ERR_UNKNOWN_KEY',
    ]);
    const text = JSON.stringify(events);
    assert.ok(!text.includes(token.slice(0, 8)) && !text.includes('session='), 'nothing of the cookie');
  });

  it('is sealed under a key that nobody has any more', async (t) => {
    const events = eventsOf(t);
    const server = await start({ keyring: ring('k2') });
    assert.deepEqual(await seen(server, `session=${seal(content())}`), REFUSED);
    assert.deepEqual([events[0].reason, events[0].code], ['unknown-key', 'ERR_UNKNOWN_KEY']);
  });

  it('is sealed by another key of the same id', async (t) => {
    const events = eventsOf(t);
    const server = await start({ keyring: new Keyring({ primary: 'k1', keys: { k1: Buffer.alloc(32, 9) } }) });
    assert.deepEqual(await seen(server, `session=${seal(content())}`), REFUSED);
    assert.equal(events[0].reason, 'altered');
  });

  it('is a token for something else, or another cookie', async (t) => {
    const events = eventsOf(t);
    const server = await start();
    const names = ['', 'sid', '__Host-session'].map((name) => `holdfast:session:${name}`);
    const purposes = ['session', 'holdfast:csrf', ...names];
    for (const purpose of purposes) {
      assert.deepEqual(await seen(server, `session=${seal(content(), ring(), { purpose })}`), REFUSED, purpose);
    }
    assert.equal(events.length, purposes.length);
  });

  it('comes twice, even if both are the same', async (t) => {
    const events = eventsOf(t);
    const server = await start();
    const token = seal(content());
    for (const values of [[token, token], ['x', token], [token, '']]) {
      const cookie = values.map((value) => `session=${value}`).join('; ');
      assert.deepEqual(await seen(server, cookie), REFUSED);
    }
    assert.deepEqual(await seen(server, `session=${token}; Session=x; __Host-session=x`), {
      ...REFUSED,
      members: { count: 1 },
      isNew: false,
      setCookies: [],
    });
    assert.deepEqual(events.map(({ reason, code }) => [reason, code]), Array(3).fill(['doubled', undefined]));
  });

  it('is too long, and not opened', async (t) => {
    const events = eventsOf(t);
    const open = t.mock.method(Keyring.prototype, 'openToken');
    const server = await start();
    const value = (length) => `session=${'A'.repeat(length)}`;
    assert.deepEqual(await seen(server, value(4097)), REFUSED);
    assert.deepEqual(await seen(server, value(12_000)), REFUSED);
    assert.equal(open.mock.callCount(), 0);
    assert.deepEqual(await seen(server, value(4096)), REFUSED);
    assert.equal(open.mock.callCount(), 1);
    assert.deepEqual(events.map(({ reason }) => reason), ['too-long', 'too-long', 'altered']);
  });

  for (const { content: shape, note = '' } of cases.shapes) {
    it(`is authentic, and says ${JSON.stringify(shape)} ${note}`, async (t) => {
      const events = eventsOf(t);
      const now = Date.now();
      const values = { ID, NOW: now, LATER: now + 6 * 60_000 };
      const filled = Array.isArray(shape) ? shape.map((value) => values[value] ?? value) : shape;
      const server = await start();
      assert.deepEqual(await seen(server, `session=${seal(filled)}`), REFUSED);
      assert.deepEqual(events.map(({ reason, code }) => [reason, code]), [['malformed', undefined]]);
    });
  }

  it('is authentic, and no JSON that anybody seals', async (t) => {
    const events = eventsOf(t);
    const server = await start();
    const now = Date.now();
    const texts = {
      [`[1,"${ID}",${now},${now},{"count":1}]`]: undefined,
      [`[1,"${ID}",${now},${now},{"__proto__":{"isAdmin":true}}]`]: 'ERR_JSON_PROTO_KEY',
      [`[1,"${ID}",${now},${now},{"a":{"constructor":{"prototype":{}}}}]`]: 'ERR_JSON_CONSTRUCTOR_KEY',
      [`[1,"${ID}",${now},${now},{"a":1]`]: 'ERR_JSON_SYNTAX',
    };
    for (const [text, code] of Object.entries(texts)) {
      const plaintext = Buffer.concat([Buffer.alloc(8), Buffer.from(text)]);
      const message = { kind: 2, id: 'k1', key: Buffer.alloc(32, 1), nonce: randomBytes(24), plaintext };
      const token = sealMessage({ ...message, aad: Buffer.from(PURPOSE) }).toString('base64url');
      const answer = await seen(server, `session=${token}`);
      assert.deepEqual(answer.members, code === undefined ? { count: 1 } : {}, text);
      assert.deepEqual(events.splice(0).map((event) => [event.reason, event.code]), code ? [['malformed', code]] : []);
    }
    assert.equal({}.isAdmin, undefined);
  });

  it('is none where its times are as far ahead as clocks may be', async (t) => {
    const now = Date.now();
    t.mock.method(Date, 'now', () => now);
    const server = await start();
    for (const [ahead, members] of [
      [5 * 60_000, { count: 1 }],
      [5 * 60_000 + 1, {}],
    ]) {
      const token = seal(content({ count: 1 }, now + ahead));
      assert.deepEqual((await seen(server, `session=${token}`)).members, members);
    }
  });

  it('is refused once, and counts as none for what follows', async (t) => {
    const events = eventsOf(t);
    const server = await start();
    const jar = new Jar([['session', 'forged']]);
    const first = await ask(server, '/count', { jar });
    assert.deepEqual(first.json.members, { count: 1 });
    assert.equal(first.setCookies.length, 1);
    assert.deepEqual((await ask(server, '/count', { jar })).json.members, { count: 2 });
    assert.equal(events.length, 1);
  });

  it('is not looked at where nobody reads the session', async (t) => {
    const events = eventsOf(t);
    const server = await platforms['node:http']([sealedSession({ keyring: ring() })], (req, res) => res.end('{}'));
    assert.deepEqual((await ask(server, '/', { headers: { cookie: 'session=forged' } })).setCookies, []);
    assert.deepEqual(events, []);
  });

  it('is not told from others where it is the keyring that does not work', async (t) => {
    const events = eventsOf(t);
    for (const platform of Object.values(platforms)) {
      for (const validate of [undefined, () => true]) {
        const keyring = ring();
        const server = await platform([sealedSession({ keyring, validate })], count);
        keyring.dispose();
        const cookie = `session=${seal(content())}`;
        const { status, setCookies, json } = await ask(server, '/', { headers: { cookie } });
        assert.deepEqual([status, setCookies, json.code], [500, [], 'ERR_CLOSED']);
      }
    }
    assert.deepEqual(events, []);
  });
});

describe('validate', () => {
  /** Ways to say the same. */
  const WAYS = {
    'at once': (verdict) => () => verdict,
    later: (verdict) => async () => verdict,
    'in a while': (verdict) => () => new Promise((resolve) => setTimeout(resolve, 5, verdict)),
    'as a thenable': (verdict) => () => ({ then: (resolve) => resolve(verdict) }),
  };

  for (const [platform, begin] of Object.entries(platforms)) {
    for (const [way, answer] of Object.entries(WAYS)) {
      it(`lets a session be, ${way}, on ${platform}`, async (t) => {
        const events = eventsOf(t);
        const server = await begin([sealedSession({ keyring: ring(), validate: answer(true) })], count);
        const jar = new Jar();
        await ask(server, '/count', { jar });
        assert.deepEqual((await ask(server, '/count', { jar })).json.members, { count: 2 });
        assert.deepEqual(events, []);
      });

      it(`ends a session, ${way}, on ${platform}`, async (t) => {
        const events = eventsOf(t);
        const server = await begin([sealedSession({ keyring: ring(), validate: answer(false) })], count);
        const jar = new Jar();
        const { id } = (await ask(server, '/count', { jar })).json;
        const { json, setCookies } = await ask(server, '/', { jar });
        assert.notEqual(json.id, id);
        assert.deepEqual([json.isNew, json.members, setCookies], [true, {}, CLEARED]);
        assert.deepEqual(events.map(({ kind, reason, code }) => [kind, reason, code]), [
          ['session.refused', 'invalid', undefined],
        ]);
        await ask(server, '/count', { jar });
        const again = await ask(server, '/count', { jar });
        assert.deepEqual(again.json.members, { count: 1 });
        assert.equal(again.setCookies.length, 1, 'a session that begins after one that was ended');
      });
    }

    for (const [way, wrong] of Object.entries({
      throws: () => {
        throw new Error('the database is away');
      },
      rejects: async () => {
        throw new Error('the database is away');
      },
      'gives undefined': () => {},
      'gives null': () => null,
      'gives a user': () => ({ id: 7 }),
      'gives a promise for a user': async () => ({ id: 7 }),
      'gives 1': () => 1,
    })) {
      it(`fails the request where it ${way}, and the session stays as it is, on ${platform}`, async (t) => {
        const events = eventsOf(t);
        const options = { keyring: ring(), validate: () => true };
        let times = 0;
        const failing = { keyring: ring(), validate: (...given) => (times++, wrong(...given)) };
        const good = await begin([sealedSession(options)], count);
        const bad = await begin([sealedSession(failing)], count);
        const jar = new Jar();
        await ask(good, '/count', { jar });
        const { status, setCookies, json } = await ask(bad, '/count', { jar });
        assert.deepEqual([status, setCookies, times], [500, [], 1]);
        assert.equal(json.code, /gives/.test(way) ? 'ERR_INVALID_ARG_TYPE' : undefined);
        assert.deepEqual((await ask(good, '/count', { jar })).json.members, { count: 2 });
        assert.deepEqual(events, []);
      });
    }
  }

  it('is asked once for a request that brings a session, before any route, and for no other', async () => {
    const asked = [];
    const middleware = sealedSession({
      keyring: ring(),
      validate(session, req) {
        assert.equal(session, req.session);
        assert.equal(session.isNew, false);
        asked.push([req.url, session.count, this === undefined]);
        return true;
      },
    });
    const route = (req, res) => {
      if (req.url === '/start') req.session.count = 1;
      res.end(String(req.url === '/silent' || req.session.count));
    };
    const server = await platforms['node:http']([middleware, middleware], route);
    const jar = new Jar();
    await ask(server, '/start', { jar });
    await ask(server, '/', { headers: { cookie: 'session=forged' } });
    await ask(server, '/', { headers: { cookie: 'other=1' } });
    assert.deepEqual(asked, []);
    await ask(server, '/silent', { jar });
    await ask(server, '/read', { jar });
    assert.deepEqual(asked, [
      ['/silent', 1, true],
      ['/read', 1, true],
    ]);
  });

  it('leaves nothing of a session that nobody could judge', async () => {
    const validate = () => {
      throw new Error('the database is away');
    };
    const tell = (error, req, res) => res.end(JSON.stringify([error.message, req.session, req.session.isNew]));
    const server = await platforms.Express([sealedSession({ keyring: ring(), validate })], count, tell);
    const { json, setCookies } = await ask(server, '/', { headers: { cookie: `session=${seal(content())}` } });
    assert.deepEqual([json, setCookies], [['the database is away', {}, true], []]);
  });

  it('opens nothing where no cookie came', async () => {
    const middleware = sealedSession({ keyring: ring(), validate: () => true });
    const server = await platforms.Express([middleware], (req, res) => res.end('{}'));
    assert.equal((await ask(server, '/')).headers.vary, undefined);
    const headers = { cookie: `session=${seal(content())}` };
    assert.equal((await ask(server, '/', { headers })).headers.vary, 'Cookie');
  });

  it('may change the session', async () => {
    const validate = (session) => {
      session.seen = (session.seen ?? 0) + 1;
      return true;
    };
    const server = await start({ validate });
    const jar = new Jar();
    await ask(server, '/count', { jar });
    await ask(server, '/', { jar });
    assert.deepEqual((await ask(server, '/', { jar })).json.members, { count: 1, seen: 2 });
  });

  it('calls what comes next once, also where that throws', async () => {
    for (const validate of [() => true, () => false]) {
      const middleware = sealedSession({ keyring: ring(), validate });
      let times = 0;
      const failing = new Error('of what comes next');
      const server = await platforms['node:http']([], (req, res) => {
        try {
          middleware(req, res, () => {
            times++;
            throw failing;
          });
        } catch (error) {
          res.end(String(error === failing));
        }
      });
      assert.equal((await ask(server, '/', { headers: { cookie: `session=${seal(content())}` } })).text, 'true');
      assert.equal(times, 1);
    }
  });

  it('may take longer than the answer of somebody else', async () => {
    for (const verdict of [true, false, undefined]) {
      let proceed;
      const validate = () => new Promise((resolve) => (proceed = () => resolve(verdict)));
      let done;
      const finished = new Promise((resolve) => (done = resolve));
      const middleware = sealedSession({ keyring: ring(), validate });
      const server = await platforms['node:http']([], (req, res) => {
        middleware(req, res, (error) => {
          res.end('dropped');
          done(error?.code);
        });
        res.end('timed out');
      });
      const { text } = await ask(server, '/', { headers: { cookie: `session=${seal(content())}` } });
      assert.equal(text, 'timed out');
      proceed();
      assert.equal(await finished, verdict === undefined ? 'ERR_INVALID_ARG_TYPE' : undefined);
    }
  });
});
