'use strict';

/**
 * What cannot be sealed: too much, what is not JSON, what comes too late. The answer is a problem and not the route's,
 * wherever the route is when it happens; the session that the client has stays, and so does the process.
 */

const assert = require('node:assert/strict');
const { once } = require('node:events');
const { createReadStream } = require('node:fs');
const { PassThrough, Readable, pipeline } = require('node:stream');
const { after, before, describe, it } = require('node:test');
const { createSession, sealedSession } = require('../../lib/http/sealed-session.js');
const { Jar, ask, platforms, readSetCookie } = require('../support/cookie-client.js');
const { ring } = require('../support/ring.js');
const cases = require('./sealed-session.cases.json');

const MOST = 4096;

/** What problems log: a line to stderr for each. */
let logged = '';
const { write } = process.stderr;
before(() => {
  process.stderr.write = (text) => {
    logged += text;
    return true;
  };
});
after(() => {
  process.stderr.write = write;
});

/** The entry that was logged since this was asked last. */
function lastLogged() {
  const entries = logged.trim().split('\n').filter(Boolean).map((line) => JSON.parse(line));
  logged = '';
  return entries;
}

/** Where a route is when its answer begins. */
const PLACES = {
  'at once': (req, res) => res.end('text'),
  'after a promise': async (req, res) => {
    await null;
    res.end('text');
  },
  'in a timer': (req, res) => void setTimeout(() => res.end('text'), 1),
  'in a callback of the file system': (req, res) => {
    createReadStream(__filename).once('open', () => res.end('text'));
  },
  'by writeHead': (req, res) => res.writeHead(200, { 'Content-Type': 'text/html', 'Content-Length': 4 }).end('text'),
  'by a write in a timer': (req, res) => {
    setTimeout(() => {
      res.write('te');
      setTimeout(() => res.end('xt'), 5);
    }, 1);
  },
  'by a file that is piped': (req, res) => void createReadStream(__filename).pipe(res),
  'by a pipeline': (req, res) => pipeline(Readable.from(['te', 'xt']), res, () => {}),
  'by a pipeline that is awaited': async (req, res) => {
    const { pipeline: flow } = require('node:stream/promises');
    await flow(Readable.from(['te', 'xt']), res);
  },
  'by a stream that goes on': (req, res) => {
    const source = new PassThrough();
    source.pipe(res);
    const timer = setInterval(() => source.write('x'.repeat(100_000)), 1);
    res.on('close', () => {
      clearInterval(timer);
      source.destroy();
    });
  },
  'by flushHeaders': (req, res) => void (res.flushHeaders(), res.end('text')),
  'with headers of its content': (req, res) => {
    res.setHeader('Content-Type', 'text/html');
    res.setHeader('Content-Length', 4);
    res.setHeader('ETag', '"x"');
    res.setHeader('Last-Modified', new Date(0).toUTCString());
    res.setHeader('Content-Encoding', 'gzip');
    res.setHeader('Content-Disposition', 'attachment');
    res.setHeader('Cache-Control', 'public, max-age=60');
    res.statusMessage = 'Fine';
    res.end('text');
  },
};

describe('a session that is too large', () => {
  for (const [platform, start] of Object.entries(platforms)) {
    for (const [place, answer] of Object.entries(PLACES)) {
      it(`is answered with a problem, ${place}, on ${platform}`, async () => {
        const server = await start([sealedSession({ keyring: ring() })], (req, res) => {
          if (req.url === '/start') req.session.count = 1;
          if (req.url === '/start' || req.url === '/read') return res.end(String(req.session.count));
          req.session.count = 2;
          req.session.text = 'x'.repeat(MOST);
          return answer(req, res);
        });
        const jar = new Jar();
        await ask(server, '/start', { jar });
        lastLogged();
        const { status, message, headers, json, setCookies } = await ask(server, '/', { jar });
        assert.deepEqual([status, message], [500, 'Internal Server Error']);
        assert.equal(headers['content-type'], 'application/problem+json');
        assert.equal(headers['cache-control'], 'no-store');
        for (const name of ['etag', 'last-modified', 'content-encoding', 'content-disposition', 'vary']) {
          assert.equal(headers[name], undefined, name);
        }
        assert.deepEqual([json.status, json.detail, json.code], [500, undefined, undefined], 'nothing from inside');
        assert.deepEqual(setCookies, []);
        const [{ code, errorId, error }, ...more] = lastLogged();
        assert.deepEqual([code, errorId, more], ['ERR_SESSION_LIMIT', json.errorId, []]);
        assert.match(error, /4096 bytes/);
        assert.equal((await ask(server, '/read', { jar })).text, '1', 'as it was');
      });
    }
  }

  it('is one whose cookie has more than 4,096 bytes with its name and attributes', async () => {
    for (const options of [{}, { name: 'a-longer-name', path: '/some/where', domain: 'shop.example' }]) {
      const server = await platforms.Express([sealedSession({ keyring: ring(), ...options })], (req, res) => {
        const length = Number(req.url.slice(1));
        if (length > 0) req.session.text = 'x'.repeat(length);
        res.end(String(req.session.text?.length));
      });
      const jar = new Jar();
      let [fits, fails] = [1, MOST];
      while (fails - fits > 1) {
        const middle = (fits + fails) >> 1;
        const { status, setCookies } = await ask(server, `/${middle}`, { secure: true });
        if (status === 200) assert.ok(setCookies[0].length <= MOST);
        if (status === 200) fits = middle;
        else fails = middle;
      }
      const { setCookies } = await ask(server, `/${fits}`, { jar, secure: true });
      // Three bytes become four characters.
      assert.ok(setCookies[0].length > MOST - 4, `${setCookies[0].length}`);
      assert.ok(readSetCookie(setCookies[0]).value.length > 3800);
      assert.equal((await ask(server, '/0', { jar, secure: true })).text, String(fits), 'and it comes back');
    }
    lastLogged();
  });

  it('is too large also where Keyring would say so', async () => {
    const server = await platforms['node:http']([sealedSession({ keyring: ring() })], (req, res) => {
      req.session.text = 'x'.repeat(70_000);
      res.end('text');
    });
    assert.equal((await ask(server, '/')).status, 500);
    assert.equal(lastLogged()[0].code, 'ERR_SESSION_LIMIT');
  });

  it('can be told before the answer, by save', async () => {
    for (const start of Object.values(platforms)) {
      const server = await start([sealedSession({ keyring: ring() })], (req, res) => {
        req.session.text = 'x'.repeat(Number(req.url.slice(1)));
        req.session.save();
        if (req.url !== '/1') return res.end('too large');
        res.end(req.session.text);
      });
      const jar = new Jar();
      const { text, setCookies } = await ask(server, '/1', { jar });
      assert.deepEqual([text, setCookies.length], ['x', 1]);
      const refused = await ask(server, '/4000', { jar });
      // The route's own error, which its application answers; then the session is what it cannot be.
      assert.equal(refused.status, 500);
      assert.deepEqual(refused.setCookies, []);
    }
    lastLogged();
  });

  it('can be put right when save has told', async () => {
    const server = await platforms['node:http']([sealedSession({ keyring: ring() })], (req, res) => {
      req.session.text = 'x'.repeat(4000);
      let code;
      try {
        req.session.save();
      } catch (error) {
        ({ code } = error);
        req.session.text = 'short';
      }
      res.end(code);
    });
    const { text, setCookies, status } = await ask(server, '/');
    assert.deepEqual([status, text, setCookies.length], [200, 'ERR_SESSION_LIMIT', 1]);
  });

  it('is no error for save where there is nothing to seal', async () => {
    const server = await platforms['node:http']([sealedSession({ keyring: ring() })], (req, res) => {
      req.session.save();
      res.end('text');
    });
    const { status, setCookies } = await ask(server, '/');
    assert.deepEqual([status, setCookies], [200, []]);
  });

  it('is answered by whoever the application says', async () => {
    const seen = [];
    const { middleware } = createSession({ keyring: ring() }, (error, req, res) => {
      seen.push(error.code, req.url);
      res.statusCode = 507;
      res.end('theirs');
    });
    const server = await platforms['node:http']([middleware], (req, res) => {
      req.session.text = 'x'.repeat(MOST);
      res.end('text');
    });
    const { status, text } = await ask(server, '/big');
    assert.deepEqual([status, text, seen], [507, 'theirs', ['ERR_SESSION_LIMIT', '/big']]);
  });
});

describe('a session with what is not JSON', () => {
  const cycle = {};
  cycle.self = [cycle];
  const deep = () => {
    let value = [];
    for (let depth = 0; depth < 100_000; depth++) value = [value];
    return value;
  };
  const WRONG = {
    'a function': [() => 1, /req\.session\.wrong must be JSON: .* a function/],
    'a symbol': [Symbol('s'), /symbol/],
    'a BigInt': [1n, /bigint/],
    'a function inside': [{ a: [{ b: () => 1 }] }, /req\.session\.wrong must be .*function/],
    'a symbol inside': [[Symbol('s')], /req\.session\.wrong must be .*symbol/],
    'a BigInt inside': [{ a: 1n }, /bigint/],
    'a cycle': [cycle, /holds itself/],
    'a depth that no parser takes': [deep(), /too deeply/],
    'a depth that parseJson does not take': [JSON.parse('['.repeat(1200) + ']'.repeat(1200)), /nested less deeply/],
    'a name that sets a prototype': [JSON.parse('{"__proto__": {"isAdmin": true}}'), /set a prototype/],
    'such a name further inside': [JSON.parse('{"a": [{"__proto__": 1}]}'), /set a prototype/],
    'a constructor with a prototype': [{ constructor: { prototype: { isAdmin: true } } }, /set a prototype/],
  };

  for (const [what, [value, message]] of Object.entries(WRONG)) {
    it(`says so of ${what}`, async () => {
      const server = await platforms['node:http']([sealedSession({ keyring: ring() })], (req, res) => {
        if (req.url === '/start') req.session.count = 1;
        else req.session.wrong = value;
        res.end(req.session.id);
      });
      const jar = new Jar();
      await ask(server, '/start', { jar });
      lastLogged();
      const { status, json, setCookies } = await ask(server, '/', { jar });
      assert.deepEqual([status, setCookies], [500, []]);
      const [{ code, error, errorId }] = lastLogged();
      assert.deepEqual([code, errorId], ['ERR_INVALID_ARG_VALUE', json.errorId]);
      assert.match(error, message);
    });
  }

  it('is not to blame where it is the keyring that does not seal', async () => {
    const keyring = ring();
    const server = await platforms['node:http']([sealedSession({ keyring })], (req, res) => {
      req.session.count = 1;
      keyring.dispose();
      res.end('text');
    });
    const { status, setCookies } = await ask(server, '/');
    assert.deepEqual([status, setCookies], [500, []]);
    assert.deepEqual(lastLogged().map(({ code }) => code), ['ERR_CLOSED']);
  });

  it('says so of a function in a member that is otherwise as it was', async () => {
    const server = await platforms['node:http']([sealedSession({ keyring: ring() })], (req, res) => {
      if (req.url === '/start') req.session.cart = { items: 1 };
      else req.session.cart.add = () => 1;
      res.end();
    });
    const jar = new Jar();
    await ask(server, '/start', { jar });
    assert.equal((await ask(server, '/', { jar })).status, 500);
    lastLogged();
  });

  it('takes what JSON makes of it: dates as text, undefined as nothing', async () => {
    const others = { '中文 😀': 'Zoë', 7: 'seven', lone: '\ud800', '': 0 };
    const server = await platforms['node:http']([sealedSession({ keyring: ring() })], (req, res) => {
      const given = { at: new Date(0), nothing: undefined, none: null };
      if (req.url === '/start') Object.assign(req.session, given);
      if (req.url === '/start') Object.assign(req.session, others);
      res.end(JSON.stringify(req.session));
    });
    const jar = new Jar();
    await ask(server, '/start', { jar });
    const { json, setCookies } = await ask(server, '/', { jar });
    assert.deepEqual(json, { at: '1970-01-01T00:00:00.000Z', none: null, ...others });
    assert.deepEqual(setCookies, [], 'what comes back is what was sealed');
  });

  for (const name of cases.reserved) {
    it(`refuses a member named ${name}, however it is made`, async () => {
      const ways = {
        '/assign': (session) => void (session[name] = 1),
        '/object': (session) => Object.assign(session, JSON.parse(`{ ${JSON.stringify(name)}: { "isAdmin": true } }`)),
        '/define': (session) => Object.defineProperty(session, name, { value: 1, enumerable: true }),
      };
      const server = await platforms['node:http']([sealedSession({ keyring: ring() })], (req, res) => {
        req.session.count = 1;
        if (ways[req.url] === undefined) return res.end(String(req.session.isAdmin));
        ways[req.url](req.session);
        res.end('text');
      }, (error, req, res) => {
        res.statusCode = 500;
        res.end(`${error.code} ${error.message}`);
      });
      for (const path of ['/assign', '/object']) {
        const { status, text } = await ask(server, path);
        assert.equal(status, 500, path);
        assert.match(text, /^ERR_INVALID_ARG_VALUE req\.session must be without a member named/);
        assert.ok(text.includes(name));
      }
      lastLogged();
      const defined = await ask(server, '/define');
      assert.deepEqual([defined.status, defined.setCookies], [500, []]);
      assert.equal(lastLogged()[0].code, 'ERR_INVALID_ARG_VALUE');
      assert.equal((await ask(server, '/')).text, 'undefined');
      assert.equal({}.isAdmin, undefined);
    });
  }

  it('has members that were made to stay: an end is an end', async () => {
    const server = await platforms['node:http']([sealedSession({ keyring: ring() })], (req, res) => {
      if (req.url === '/start') req.session.userId = 7;
      if (req.url === '/freeze') {
        const before = Object.freeze(req.session);
        before.destroy();
        assert.notEqual(req.session, before);
      }
      if (req.url === '/define') {
        Object.defineProperty(req.session, 'userId', { value: 7, configurable: false, enumerable: true });
        req.session.extra = 1;
        req.session.destroy();
        req.session.extra = 2;
      }
      res.end(JSON.stringify(req.session));
    });
    for (const [path, members] of Object.entries({ '/freeze': {}, '/define': { extra: 2 } })) {
      const jar = new Jar();
      await ask(server, '/start', { jar });
      assert.deepEqual((await ask(server, path, { jar })).json, members);
      assert.deepEqual((await ask(server, '/', { jar })).json, members);
    }
  });
});

describe('a session that changes after the head has been sent', () => {
  const CHANGES = {
    'a member after the end': (req, res) => {
      res.end('text');
      req.session.count = 2;
    },
    'a member while the answer is written': (req, res) => {
      res.write('te');
      req.session.count = 2;
      res.end('xt');
    },
    'inside of a member': async (req, res) => {
      res.end('text');
      await null;
      req.session.list.push(1);
    },
    'into what is not JSON': (req, res) => {
      res.end('text');
      req.session.count = 1n;
    },
    'though it was not read before': (req, res) => {
      res.write('te');
      req.session.count = 3;
      res.end('xt');
    },
  };

  for (const [what, change] of Object.entries(CHANGES)) {
    it(`is said once: ${what}`, async (t) => {
      const warnings = [];
      t.mock.method(process, 'emitWarning', (...given) => warnings.push(given));
      const server = await platforms['node:http']([sealedSession({ keyring: ring() })], (req, res) => {
        if (req.url === '/start') Object.assign(req.session, { count: 1, list: [] });
        if (req.url === '/start') return res.end();
        if (!what.includes('not read before')) req.session.count = 1;
        res.on('close', () => setImmediate(setImmediate, () => res.emit('looked at')));
        return change(req, res);
      });
      const jar = new Jar();
      await ask(server, '/start', { jar });
      for (let times = 0; times < 3; times++) {
        const looked = once(server.server, 'request').then(([, res]) => once(res, 'looked at'));
        const { status, text } = await ask(server, '/', { jar });
        assert.deepEqual([status, text], [200, 'text']);
        await looked;
      }
      const [[message, { type, code }], ...more] = warnings;
      assert.match(message, /after the head of the answer/);
      assert.deepEqual([type, code, more], ['HoldfastWarning', 'HOLDFAST_SESSION_LATE', []]);
    });
  }

  it('is not said where nothing changes', async (t) => {
    const warn = t.mock.method(process, 'emitWarning', () => {});
    const server = await platforms['node:http']([sealedSession({ keyring: ring() })], async (req, res) => {
      req.session.count = 1;
      res.on('close', () => setImmediate(setImmediate, () => res.emit('looked at')));
      res.write('te');
      await null;
      assert.match(req.session.id, /^.{22}$/);
      res.end(`xt${req.session.count}`);
    });
    const looked = once(server.server, 'request').then(([, res]) => once(res, 'looked at'));
    assert.equal((await ask(server, '/')).text, 'text1');
    await looked;
    assert.equal(warn.mock.callCount(), 0);
  });

  for (const call of ['destroy', 'regenerate', 'save']) {
    it(`cannot ${call} any more`, async () => {
      const server = await platforms['node:http']([sealedSession({ keyring: ring() })], (req, res) => {
        req.session.count = 1;
        if (req.url === '/unread') res.flushHeaders();
        const { session } = req;
        res.write('te');
        try {
          session[call]();
          res.end('xt');
        } catch (error) {
          res.end(`${error.code} ${error.message}`);
        }
      });
      for (const path of ['/', '/unread']) {
        const { text } = await ask(server, path);
        assert.match(text, new RegExp(`^teERR_CLOSED .*call ${call}\\(\\) before`));
      }
    });
  }
});
