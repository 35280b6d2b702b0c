'use strict';

/** headers(): what is sent by default, by options, over TLS, with a nonce, and beside what routes set themselves. */

const assert = require('node:assert/strict');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { after, describe, it } = require('node:test');
const express = require('express');
const helmet = require('helmet');
const { headers } = require('../../lib/http/headers.js');
const { runNode } = require('../support/child.js');
const { listener, send, serve } = require('../support/serving.js');

const CSP = 'content-security-policy';
const DEFAULT_POLICY =
  "default-src 'self';base-uri 'none';object-src 'none';frame-ancestors 'none';form-action 'self';" +
  "script-src 'self';style-src 'self';img-src 'self' data:";
const NONCE = /'nonce-([A-Za-z0-9+/]{22}==)'/g;

/** The headers of an answer of `route` behind `headers(options)`. */
async function headersOf(options, route, request) {
  const { port, close } = await serve(listener([headers(options)], route));
  const { headers: given, text } = await send(port, request);
  await close();
  return { ...given, text };
}
const readNonce = (req, res) => res.end(res.locals.cspNonce);

describe('headers() by default', () => {
  it('sends these, and no others', async () => {
    const { date, connection, 'content-length': length, text, ...rest } = await headersOf(undefined);
    assert.ok(date && connection && length && text !== undefined);
    assert.deepEqual(rest, {
      [CSP]: DEFAULT_POLICY,
      'cache-control': 'no-store',
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-resource-policy': 'same-origin',
      'origin-agent-cluster': '?1',
      'permissions-policy':
        'accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), magnetometer=(), ' +
        'microphone=(), midi=(), payment=(), usb=()',
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
      'x-dns-prefetch-control': 'off',
      'x-download-options': 'noopen',
      'x-frame-options': 'DENY',
      'x-permitted-cross-domain-policies': 'none',
      'x-xss-protection': '0',
    });
  });

  it('sends all that helmet sends', async () => {
    const given = await headersOf(undefined);
    const ofHelmet = await (async () => {
      const { port } = await serve(listener([helmet()]));
      return (await send(port)).headers;
    })();
    const missing = Object.keys(ofHelmet).filter((name) => given[name] === undefined);
    assert.deepEqual(missing, ['strict-transport-security']);
  });

  it('takes away what Express says of itself, also in an application that is mounted', async () => {
    const app = express();
    app.use(headers());
    const inner = express();
    inner.get('/', (req, res) => res.send('x'));
    app.use('/inner', inner);
    app.get('/', (req, res) => res.send('x'));
    app.get('/own', (req, res) => res.set('X-Powered-By', 'steam').send('x'));
    const { port } = await serve(app);
    assert.equal((await send(port)).headers['x-powered-by'], undefined);
    assert.equal((await send(port, { path: '/inner' })).headers['x-powered-by'], undefined);
    assert.equal((await send(port, { path: '/own' })).headers['x-powered-by'], 'steam');
  });
});

describe('Strict-Transport-Security', () => {
  const over = async (protocol, options) => {
    const app = express();
    app.set('trust proxy', 'loopback');
    app.use(headers({ strictTransportSecurity: options }));
    const { port, close } = await serve(app);
    const { headers: given } = await send(port, { headers: { 'x-forwarded-proto': protocol } });
    await close();
    return given['strict-transport-security'];
  };

  it('is sent over TLS alone', async () => {
    assert.equal(await over('https'), 'max-age=31536000; includeSubDomains');
    assert.equal(await over('http'), undefined);
  });

  it('is as the options say', async () => {
    assert.equal(await over('https', false), undefined);
    assert.equal(await over('https', { maxAge: 60 }), 'max-age=60; includeSubDomains');
    assert.equal(await over('https', { maxAge: 0, includeSubDomains: false }), 'max-age=0');
    assert.equal(await over('https', { preload: true }), 'max-age=31536000; includeSubDomains; preload');
  });

  it('is not believed of a proxy that is not trusted', async () => {
    const app = express();
    app.use(headers());
    const { port } = await serve(app);
    const { headers: given } = await send(port, { headers: { 'x-forwarded-proto': 'https' } });
    assert.equal(given['strict-transport-security'], undefined);
  });
});

describe('the nonce', () => {
  it('is 128 random bits, in script-src and style-src, and the same for one answer', async () => {
    const given = await headersOf(undefined, (req, res) => {
      const { locals } = res;
      res.end(JSON.stringify([locals.cspNonce, locals.cspNonce, { ...locals }.cspNonce]));
    });
    const [nonce, ...others] = JSON.parse(given.text);
    assert.deepEqual(others, [nonce, nonce]);
    assert.equal(Buffer.from(nonce, 'base64').length, 16);
    assert.equal(given[CSP], DEFAULT_POLICY.replace(/(?:script|style)-src 'self'/g, `$& 'nonce-${nonce}'`));
  });

  it('is another one for each answer', async () => {
    const { port } = await serve(listener([headers()], readNonce));
    const answers = await Promise.all(Array.from({ length: 20 }, () => send(port)));
    assert.equal(new Set(answers.map(({ text }) => text)).size, 20);
    for (const { headers: given, text } of answers) {
      assert.deepEqual([...given[CSP].matchAll(NONCE)].map(([, nonce]) => nonce), [text, text]);
    }
  });

  it('is in what views of Express see, and in no policy that nobody reads it for', async () => {
    const app = express();
    app.engine('txt', (file, locals, done) => done(null, `<script nonce="${locals.cspNonce}">`));
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'holdfast-views-'));
    after(() => fs.rmSync(folder, { recursive: true }));
    fs.writeFileSync(path.join(folder, 'page.txt'), '');
    app.set('views', folder);
    app.use(headers());
    app.get('/page', (req, res) => res.render('page.txt'));
    app.get('/json', (req, res) => res.json({}));
    const { port } = await serve(app);
    const page = await send(port, { path: '/page' });
    const [[, nonce]] = page.headers[CSP].matchAll(NONCE);
    assert.equal(page.text, `<script nonce="${nonce}">`);
    assert.equal((await send(port, { path: '/json' })).headers[CSP], DEFAULT_POLICY);
  });

  it('keeps what stands in res.locals', async () => {
    const setLocals = (req, res, next) => {
      res.locals = { user: 'ada' };
      next();
    };
    const { port } = await serve(
      listener([setLocals, headers()], (req, res) => res.end(`${res.locals.user} ${res.locals.cspNonce.length}`)),
    );
    assert.equal((await send(port)).text, 'ada 24');
  });

  it('cannot be had when the head has been sent', async () => {
    const { text } = await headersOf(undefined, (req, res) => {
      res.write('x');
      try {
        res.end(res.locals.cspNonce);
      } catch (error) {
        res.end(`${error.code}: ${error.message}`);
      }
    });
    assert.equal(
      text,
      'xERR_INVALID_ARG_VALUE: res.locals.cspNonce must be read before the head of the answer is sent',
    );
  });

  it('does not keep a log from reading res.locals when all has been sent', async () => {
    let logged;
    await headersOf(undefined, (req, res) => {
      res.locals.user = 'ada';
      res.end('x');
      logged = JSON.stringify({ ...res.locals });
    });
    assert.equal(logged, '{"user":"ada"}');
  });

  it('is in locals that cannot be extended, or are none', async () => {
    for (const locals of [Object.freeze({ user: 'ada' }), null, undefined]) {
      const set = (req, res, next) => {
        res.locals = locals;
        next();
      };
      const { port } = await serve(
        listener([set, headers()], (req, res) => res.end(`${res.locals.user} ${res.locals.cspNonce.length}`)),
      );
      assert.equal((await send(port)).text, `${locals?.user} 24`);
    }
  });

  it('stays the same when the head has been sent', async () => {
    const { text } = await headersOf(undefined, (req, res) => {
      res.write(res.locals.cspNonce);
      res.end(res.locals.cspNonce);
    });
    assert.equal(text.slice(0, 24), text.slice(24));
  });

  it('changes no policy of the route', async () => {
    const given = await headersOf(undefined, (req, res) => {
      res.setHeader('Content-Security-Policy', "default-src 'none'");
      res.end(res.locals.cspNonce);
    });
    assert.equal(given[CSP], "default-src 'none'");
    const none = await headersOf(undefined, (req, res) => {
      res.removeHeader('Content-Security-Policy');
      res.end(res.locals.cspNonce);
    });
    assert.equal(none[CSP], undefined);
  });
});

describe('contentSecurityPolicy', () => {
  const policyWith = async (directives, route) => (await headersOf({ contentSecurityPolicy: directives }, route))[CSP];
  const withNonce = async (directives) => (await policyWith(directives, readNonce)).replace(NONCE, "'nonce'");

  it('adds directives, and takes the place of ours', async () => {
    const policy = await policyWith({
      'img-src': ["'self'", 'https://images.example'],
      connectSrc: 'wss://live.example https://api.example',
      upgradeInsecureRequests: [],
      'form-action': null,
    });
    assert.equal(
      policy,
      "default-src 'self';base-uri 'none';object-src 'none';frame-ancestors 'none';script-src 'self';" +
        "style-src 'self';img-src 'self' https://images.example;connect-src wss://live.example https://api.example;" +
        'upgrade-insecure-requests',
    );
  });

  it('has the nonce wherever it means something', async () => {
    assert.match(await withNonce({ 'script-src': 'https://cdn.example' }), /script-src https:\/\/cdn.example 'nonce';/);
    assert.match(await withNonce({ 'script-src': [] }), /script-src 'nonce';/);
    assert.match(await policyWith({ 'script-src': [] }), /;script-src;/);
    assert.match(await withNonce({ 'script-src-elem': "'strict-dynamic'" }), /-elem 'strict-dynamic' 'nonce'$/);
    assert.match(await withNonce({ 'script-src': "'none'" }), /script-src 'none';style-src 'self' 'nonce';/);
    assert.match(await withNonce({ 'style-src': ["'self'", "'unsafe-inline'"] }), /style-src 'self' 'unsafe-inline';/);
    assert.doesNotMatch(await withNonce({ 'script-src': null, 'style-src': null }), /nonce/);
  });

  it('false: no policy, and a nonce all the same', async () => {
    const given = await headersOf({ contentSecurityPolicy: false }, readNonce);
    assert.equal(given[CSP], undefined);
    assert.equal(given['x-frame-options'], 'SAMEORIGIN');
    assert.equal(given.text.length, 24);
  });

  it('says the same of frames as X-Frame-Options', async () => {
    const frames = async (ancestors) => {
      return (await headersOf({ contentSecurityPolicy: { 'frame-ancestors': ancestors } }))['x-frame-options'];
    };
    assert.equal(await frames("'none'"), 'DENY');
    assert.equal(await frames("'self'"), 'SAMEORIGIN');
    assert.equal(await frames(['https://partner.example']), undefined);
    assert.equal(await frames(null), 'SAMEORIGIN');
  });
});

describe('permissionsPolicy and others', () => {
  it('add to our features, or take their place', async () => {
    const given = await headersOf({
      permissionsPolicy: { geolocation: ['self', 'https://maps.example'], fullscreen: ['*'], camera: ['self'] },
      referrerPolicy: 'no-referrer, strict-origin-when-cross-origin',
      cacheControl: 'private, max-age=60',
    });
    assert.match(given['permissions-policy'], /geolocation=\(self "https:\/\/maps\.example"\), /);
    assert.match(given['permissions-policy'], /camera=\(self\), .*microphone=\(\), .*, fullscreen=\*$/);
    assert.equal(given['referrer-policy'], 'no-referrer,strict-origin-when-cross-origin');
    assert.equal(given['cache-control'], 'private, max-age=60');
  });

  it('can be off', async () => {
    const given = await headersOf({ permissionsPolicy: false, cacheControl: false });
    assert.equal(given['permissions-policy'], undefined);
    assert.equal(given['cache-control'], undefined);
  });
});

describe('Cache-Control', () => {
  it('is that of the route, however it sets it', async () => {
    const { port } = await serve(
      listener([headers()], (req, res) => {
        if (req.url === '/set') res.setHeader('Cache-Control', 'max-age=1');
        if (req.url === '/head') res.writeHead(200, { 'Cache-Control': 'max-age=2' });
        if (req.url === '/list') res.writeHead(200, 'OK', ['cache-control', 'max-age=3']);
        if (req.url === '/none') res.writeHead(200);
        res.end();
      }),
    );
    const of = async (target) => (await send(port, { path: target })).headers['cache-control'];
    assert.deepEqual(
      [await of('/set'), await of('/head'), await of('/list'), await of('/none'), await of('/')],
      ['max-age=1', 'max-age=2', 'max-age=3', 'no-store', 'no-store'],
    );
  });

  it('is that of express.static', async () => {
    const app = express();
    app.use(headers());
    app.use('/long', express.static(__dirname, { maxAge: 1000 }));
    app.use('/plain', express.static(__dirname));
    const { port } = await serve(app);
    const of = async (target) => (await send(port, { path: target })).headers;
    assert.equal((await of('/long/headers.test.js'))['cache-control'], 'public, max-age=1');
    const plain = await of('/plain/headers.test.js');
    assert.equal(plain['cache-control'], 'public, max-age=0');
    assert.equal(plain['x-content-type-options'], 'nosniff');
    assert.equal(plain[CSP], DEFAULT_POLICY);
    assert.equal((await of('/plain/nothing'))['cache-control'], 'no-store');
  });

  it('does not hide that a head is written twice', async () => {
    const { text } = await headersOf(undefined, (req, res) => {
      res.writeHead(200);
      assert.throws(() => res.writeHead(200), { code: 'ERR_HTTP_HEADERS_SENT' });
      res.end('thrown');
    });
    assert.equal(text, 'thrown');
  });
});

describe('options', () => {
  const SECRET = 'hunter2';
  const wrong = [
    [{ hsts: false }, 'ERR_INVALID_ARG_VALUE'],
    [{ contentSecurityPolicy: true }, 'ERR_INVALID_ARG_TYPE'],
    [{ contentSecurityPolicy: [] }, 'ERR_INVALID_ARG_TYPE'],
    [{ contentSecurityPolicy: { 'script-scr': ["'self'"] } }, 'ERR_INVALID_ARG_VALUE'],
    [{ contentSecurityPolicy: { 'img-src': ["'self'"], imgSrc: [] } }, 'ERR_INVALID_ARG_VALUE'],
    [{ contentSecurityPolicy: { 'default-src': null } }, 'ERR_INVALID_ARG_VALUE'],
    [{ contentSecurityPolicy: { 'img-src': 5 } }, 'ERR_INVALID_ARG_TYPE'],
    [{ contentSecurityPolicy: { 'img-src': [5] } }, 'ERR_INVALID_ARG_TYPE'],
    [{ contentSecurityPolicy: { 'img-src': [`${SECRET};script-src *`] } }, 'ERR_INVALID_ARG_VALUE'],
    [{ contentSecurityPolicy: { 'img-src': [`${SECRET},default-src *`] } }, 'ERR_INVALID_ARG_VALUE'],
    [{ contentSecurityPolicy: { 'img-src': [`${SECRET}\r\nX: 1`] } }, 'ERR_INVALID_ARG_VALUE'],
    [{ contentSecurityPolicy: { 'img-src': ['https://é.example'] } }, 'ERR_INVALID_ARG_VALUE'],
    [{ contentSecurityPolicy: { 'img-src': ['self'] } }, 'ERR_INVALID_ARG_VALUE'],
    [{ contentSecurityPolicy: { 'script-src': [`'nonce-${SECRET}'`] } }, 'ERR_INVALID_ARG_VALUE'],
    [{ contentSecurityPolicy: { 'script-src': ["'unsafe-inline'"] } }, 'ERR_INVALID_ARG_VALUE'],
    [{ contentSecurityPolicy: { scriptSrc: "'self' 'UNSAFE-INLINE'" } }, 'ERR_INVALID_ARG_VALUE'],
    [{ contentSecurityPolicy: { 'default-src': ["'unsafe-inline'"] } }, 'ERR_INVALID_ARG_VALUE'],
    [{ strictTransportSecurity: 60 }, 'ERR_INVALID_ARG_TYPE'],
    [{ strictTransportSecurity: { maxAge: -1 } }, 'ERR_OUT_OF_RANGE'],
    [{ strictTransportSecurity: { maxage: 1 } }, 'ERR_INVALID_ARG_VALUE'],
    [{ strictTransportSecurity: { preload: 1 } }, 'ERR_INVALID_ARG_TYPE'],
    [{ strictTransportSecurity: { preload: true, maxAge: 60 } }, 'ERR_INVALID_ARG_VALUE'],
    [{ strictTransportSecurity: { preload: true, includeSubDomains: false } }, 'ERR_INVALID_ARG_VALUE'],
    [{ permissionsPolicy: ['camera'] }, 'ERR_INVALID_ARG_TYPE'],
    [{ permissionsPolicy: { Camera: [] } }, 'ERR_INVALID_ARG_VALUE'],
    [{ permissionsPolicy: { 'camera=(self), x': [] } }, 'ERR_INVALID_ARG_VALUE'],
    [{ permissionsPolicy: { camera: 'self' } }, 'ERR_INVALID_ARG_TYPE'],
    [{ permissionsPolicy: { camera: ["'self'"] } }, 'ERR_INVALID_ARG_VALUE'],
    [{ permissionsPolicy: { camera: ['https://a.example/'] } }, 'ERR_INVALID_ARG_VALUE'],
    [{ permissionsPolicy: { camera: ['*', 'self'] } }, 'ERR_INVALID_ARG_VALUE'],
    [{ referrerPolicy: 'never' }, 'ERR_INVALID_ARG_VALUE'],
    [{ referrerPolicy: '' }, 'ERR_INVALID_ARG_VALUE'],
    [{ referrerPolicy: ['no-referrer'] }, 'ERR_INVALID_ARG_TYPE'],
    [{ cacheControl: true }, 'ERR_INVALID_ARG_TYPE'],
    [{ cacheControl: 'no-store\r\nX: 1' }, 'ERR_INVALID_ARG_VALUE'],
    [{ cacheControl: '' }, 'ERR_INVALID_ARG_VALUE'],
  ];
  for (const [options, code] of wrong) {
    it(`refuse ${JSON.stringify(options).slice(0, 90)}`, () => {
      assert.throws(
        () => headers(options),
        (error) => error.code === code && !error.message.includes(SECRET),
      );
    });
  }

  it('take nothing from a polluted prototype', async () => {
    const polluted = { useDefaults: true, reportOnly: true, contentSecurityPolicy: false, value: 1, hsts: false };
    for (const [name, value] of Object.entries(polluted)) Object.prototype[name] = value;
    try {
      const given = await headersOf({ contentSecurityPolicy: {} }, readNonce);
      assert.equal(given[CSP].replace(NONCE, '').replaceAll(" ;", ';'), DEFAULT_POLICY);
      assert.equal(given['content-security-policy-report-only'], undefined);
    } finally {
      for (const name of Object.keys(polluted)) delete Object.prototype[name];
    }
  });
});

it('without helmet, headers() says what to install', async () => {
  const file = path.join(__dirname, '../../lib/http/headers.js');
  const { stdout } = await runNode(`
    const Module = require('node:module');
    const resolve = Module._resolveFilename;
    Module._resolveFilename = function (name, ...rest) {
      if (name === 'helmet') throw Object.assign(new Error('not there'), { code: 'MODULE_NOT_FOUND' });
      return resolve.call(this, name, ...rest);
    };
    try { require(${JSON.stringify(file)}).headers(); } catch (error) { console.log(error.code, error.message); }`);
  assert.match(stdout, /^ERR_PEER the package helmet is not installed\..* npm install helmet\n$/);
});
