'use strict';

/**
 * HoldfastModule: its options, what it provides, when it hardens, and how it ends. On both platforms where that
 * matters.
 */

const assert = require('node:assert/strict');
const crypto = require('node:crypto');
const { once } = require('node:events');
const http2 = require('node:http2');
const net = require('node:net');
const { describe, it } = require('node:test');
const { PLATFORMS, clientOf, common, controller, decorate, run, start } = require('../support/nest.js');
const { APP_FILTER, APP_GUARD, NestFactory } = require('@nestjs/core');
const { Keyring, PasswordHasher, RateLimiter } = require('../..');
const holdfast = require('../../lib/nestjs/index.js');

const { Body, Get, HttpCode, Module, Post, Req, Version, VersioningType } = common;
const { HoldfastModule, ProblemFilter, RateLimit, RateLimitGuard, rateLimiterToken } = holdfast;

const HOUR = 3_600_000;
const quiet = { problems: { log() {} } };

function keyring() {
  return new Keyring({ primary: 'k1', keys: { k1: crypto.randomBytes(32) } });
}

const hello = controller({
  hello: [Get('hello'), run(() => 'hello')],
  echo: [Post('echo'), HttpCode(200), run((body) => ({ body: body ?? null })), Body()],
  fail: [Get('fail'), run(() => Promise.reject(new common.ConflictException('taken')))],
});

/** What a provider is given that asks for these tokens, in an application that has no HTTP. */
async function injected(imported, ...tokens) {
  class Asking {
    constructor(...given) {
      this.given = given;
    }
  }
  decorate(Asking, common.Injectable());
  for (const [index, token] of tokens.entries()) common.Inject(token)(Asking, undefined, index);
  const App = decorate(class App {}, Module({ imports: [imported], providers: [Asking] }));
  const context = await NestFactory.createApplicationContext(App, { logger: false, abortOnError: false });
  return { given: context.get(Asking).given, close: () => context.close() };
}

/** Runs `test` for both platforms. */
function onBoth(name, test) {
  for (const platform of Object.keys(PLATFORMS)) it(`${name} (${platform})`, () => test(platform));
}

/** Starts, runs, and closes whatever happens. */
async function using(started, test) {
  const client = await started;
  try {
    return await test(client);
  } finally {
    await client.close();
  }
}

describe('what HoldfastModule provides', () => {
  it('a PasswordHasher with its options, a Keyring, limiters', async () => {
    const ring = keyring();
    const limiter = new RateLimiter({ limit: 5, windowMs: 1000 });
    const imported = HoldfastModule.forRoot({
      keyring: ring,
      passwords: { algorithm: 'scrypt' },
      rateLimit: { limit: 7, windowMs: 1000 },
      limits: { login: { limit: 3, windowMs: 1000 }, search: { limiter } },
    });
    const tokens = [PasswordHasher, Keyring, RateLimiter, rateLimiterToken('login'), rateLimiterToken('search')];
    const { given, close } = await injected(imported, ...tokens);
    const [hasher, sameRing, general, login, search] = given;
    assert.match(await hasher.hash('a password'), /^\$scrypt\$|^\$s0\$|scrypt/);
    assert.equal(sameRing, ring);
    assert.equal(general.peek('x').limit, 7);
    assert.equal(login.peek('x').limit, 3);
    assert.equal(search, limiter);
    await close();
    await assert.rejects(hasher.hash('a password'), { code: 'ERR_CLOSED' });
    assert.equal(typeof ring.sealToken(1, { purpose: 'x' }), 'string', "the ring stays its owner's");
  });

  it('the same, when the options come later', async () => {
    class Settings {
      async createHoldfastOptions() {
        return { keyring: keyring(), limits: { login: { limit: 3, windowMs: 1000 } } };
      }
    }
    decorate(Settings, common.Injectable());
    const Source = decorate(
      class Source {},
      Module({ providers: [Settings, { provide: 'limit', useValue: 4 }], exports: [Settings, 'limit'] }),
    );
    for (const how of [
      { useClass: Settings },
      { imports: [Source], useExisting: Settings },
      {
        imports: [Source],
        inject: ['limit'],
        useFactory: async (limit) => ({ keyring: keyring(), limits: { login: { limit, windowMs: 1000 } } }),
      },
      { useFactory: () => new Settings().createHoldfastOptions() },
    ]) {
      const imported = HoldfastModule.forRootAsync({ ...how, limitNames: ['login'] });
      const { given, close } = await injected(
        imported,
        Keyring,
        rateLimiterToken('login'),
        PasswordHasher,
        RateLimiter,
      );
      assert.ok(given[0] instanceof Keyring);
      assert.equal(given[1].peek('x').limit, how.inject ? 4 : 3);
      assert.ok(given[2] instanceof PasswordHasher);
      assert.equal(given[3].peek('x').limit, 600);
      await close();
    }
  });

  it('nothing that there is not: who asks for it is told at the start', async () => {
    for (const token of [Keyring, RateLimiter, rateLimiterToken('login')]) {
      await assert.rejects(injected(HoldfastModule.forRoot({ rateLimit: false }), token), /resolve dependencies/);
    }
    const imported = HoldfastModule.forRootAsync({ useFactory: () => ({}), limitNames: ['login'] });
    await assert.rejects(injected(imported, rateLimiterToken('login')), {
      code: 'ERR_INVALID_ARG_VALUE',
      message: /no limit 'login'/,
    });
  });

  it('what was injected is what the routes use', async () => {
    const imported = HoldfastModule.forRoot({ ...quiet, rateLimit: { limit: 2, windowMs: HOUR } });
    await using(start('Express', { imported, module: { controllers: [hello] } }), async ({ app, get }) => {
      const limiter = app.get(RateLimiter, { strict: false });
      assert.deepEqual(
        [(await get('/hello')).status, (await get('/hello')).status, (await get('/hello')).status],
        [200, 200, 429],
      );
      limiter.reset('127.0.0.1');
      assert.equal((await get('/hello')).status, 200);
    });
  });
});

describe('options of HoldfastModule', () => {
  for (const [name, options, error] of [
    ['an unknown name', { helmet: true }, { code: 'ERR_INVALID_ARG_VALUE', message: /'helmet'/ }],
    ['no object', 1, { code: 'ERR_INVALID_ARG_TYPE' }],
    ['a keyring that is none', { keyring: {} }, { code: 'ERR_INVALID_ARG_TYPE', message: /options\.keyring/ }],
    ['true for a piece', { headers: true }, { code: 'ERR_INVALID_ARG_TYPE', message: /options\.headers/ }],
    ['limits that are a list', { limits: [] }, { code: 'ERR_INVALID_ARG_TYPE' }],
    ['a limit with a wrong name', { limits: { 'a b': {} } }, { code: 'ERR_INVALID_ARG_VALUE' }],
    ['a limit that is no object', { limits: { a: 5 } }, { code: 'ERR_INVALID_ARG_TYPE', message: /limits\.a/ }],
  ]) {
    it(`refuses ${name}, where it is written`, () => assert.throws(() => HoldfastModule.forRoot(options), error));
  }

  for (const [name, options, error] of [
    [
      'a wrong option of a piece',
      { json: { limits: { depht: 1 } } },
      { code: 'ERR_INVALID_ARG_VALUE', message: /options\.json/ },
    ],
    ['a session without a keyring', { session: {} }, { code: 'ERR_INVALID_ARG_VALUE', message: /options\.keyring/ }],
    ['a keyring of csrf alone', { csrf: { keyring: 1 } }, { code: 'ERR_INVALID_ARG_VALUE', message: /options\.csrf/ }],
    [
      'a limit of zero',
      { limits: { a: { limit: 0 } } },
      { code: 'ERR_OUT_OF_RANGE', message: /options\.limits\.a\.limit/ },
    ],
    [
      'a limiter with a limit',
      { rateLimit: { limit: 1, limiter: new RateLimiter({ limit: 1, windowMs: 1 }) } },
      { code: 'ERR_INVALID_ARG_VALUE' },
    ],
    ['a key that is no function', { limits: { a: { key: 'ip' } } }, { code: 'ERR_INVALID_ARG_TYPE' }],
    ['an option of passwords', { passwords: { rounds: 1 } }, { code: 'ERR_INVALID_ARG_VALUE' }],
    ['an option of problems', { problems: { logger: 1 } }, { code: 'ERR_INVALID_ARG_VALUE' }],
  ]) {
    it(`refuses ${name}, at the start`, async () => {
      await assert.rejects(injected(HoldfastModule.forRoot(options)), error);
      await assert.rejects(injected(HoldfastModule.forRootAsync({ useFactory: async () => options })), error);
    });
  }

  it('refuses unknown names of forRootAsync', () => {
    assert.throws(() => HoldfastModule.forRootAsync({ useFactory: () => ({}), isGlobal: true }), {
      code: 'ERR_INVALID_ARG_VALUE',
    });
    assert.throws(() => HoldfastModule.forRootAsync({ useFactory: () => ({}), limitNames: 'a' }), {
      code: 'ERR_INVALID_ARG_TYPE',
    });
    assert.throws(() => rateLimiterToken('a b'), { code: 'ERR_INVALID_ARG_VALUE' });
    assert.throws(() => RateLimit(1), { code: 'ERR_INVALID_ARG_TYPE' });
    assert.throws(() => RateLimit('a', 1), { code: 'ERR_INVALID_ARG_TYPE' });
  });
});

describe('limits by name', () => {
  const withLimits = (options, ...decorators) => {
    const routes = {
      one: [Get('one'), ...decorators, run(() => 'fine')],
      two: [Get('two'), RateLimit('a', { limit: 1, windowMs: HOUR }), run(() => '')],
    };
    return start('Express', {
      options,
      module: { controllers: [controller(routes, common.UseGuards(RateLimitGuard))] },
    });
  };

  it('a name that nobody declared is an error at the start', async () => {
    await assert.rejects(withLimits({}, RateLimit('logn')), {
      code: 'ERR_INVALID_ARG_VALUE',
      message: /no limit 'logn'/,
    });
  });

  it('so is a name with two sets of options', async () => {
    await assert.rejects(withLimits({}, RateLimit('a', { limit: 2 })), {
      code: 'ERR_INVALID_ARG_VALUE',
      message: /'a'/,
    });
    await assert.rejects(withLimits({ limits: { a: { limit: 2 } } }), {
      code: 'ERR_INVALID_ARG_VALUE',
      message: /'a'/,
    });
  });

  it('equal options are one limit', async () => {
    await using(
      withLimits({ limits: { a: { windowMs: HOUR, limit: 1 } } }, RateLimit('a', { limit: 1, windowMs: HOUR })),
      async ({ get }) => {
        assert.equal((await get('/one')).status, 200);
        assert.equal((await get('/two')).status, 429);
      },
    );
  });

  it('wrong options of a decorator are an error at the start', async () => {
    await assert.rejects(withLimits({}, RateLimit('b', { limit: 0 })), { code: 'ERR_OUT_OF_RANGE' });
    await assert.rejects(withLimits({}, RateLimit('b', { max: 1 })), {
      code: 'ERR_INVALID_ARG_VALUE',
      message: /'max'/,
    });
  });

  it('methods that a controller inherits have theirs, and those of their class', async () => {
    const Base = controller({ one: [Get('one'), RateLimit('few'), run(() => 'one')] }, RateLimit('many'));
    class Derived extends Base {
      two() {
        return 'two';
      }
    }
    Get('two')(Derived.prototype, 'two', Object.getOwnPropertyDescriptor(Derived.prototype, 'two'));
    decorate(Derived, common.Controller('derived'));
    const options = { limits: { few: { limit: 1, windowMs: HOUR }, many: { limit: 3, windowMs: HOUR } } };
    const module = { controllers: [Derived], providers: [{ provide: APP_GUARD, useClass: RateLimitGuard }] };
    await using(start('Express', { options, module }), async ({ get }) => {
      assert.equal((await get('/derived/one')).status, 200);
      assert.equal((await get('/derived/one')).status, 429);
      assert.equal((await get('/derived/two')).status, 200);
      assert.equal((await get('/derived/two')).status, 429);
    });
  });

  it('the guard lets handlers without a limit pass, and has none for what is not HTTP', () => {
    const guard = new RateLimitGuard(new (require('../../lib/nestjs/rate-limits.js').RateLimits)({ a: {} }));
    const Routes = controller({ one: [RateLimit('a'), run(() => '')], two: [run(() => '')] });
    const contextOf = (name, type) => ({
      getClass: () => Routes,
      getHandler: () => Routes.prototype[name],
      getType: () => type,
    });
    for (const type of ['rpc', 'ws', 'graphql']) {
      assert.equal(guard.canActivate(contextOf('two', type)), true);
      assert.throws(() => guard.canActivate(contextOf('one', type)), {
        code: 'ERR_INVALID_ARG_VALUE',
        message: new RegExp(type),
      });
    }
  });
});

describe('an application with HoldfastModule', () => {
  onBoth('is hardened with options that come later', async (platform) => {
    const imported = HoldfastModule.forRootAsync({
      useFactory: async () => {
        await new Promise((resolve) => setTimeout(resolve, 20));
        return { ...quiet, json: { limits: { bytes: 20 } } };
      },
    });
    await using(start(platform, { imported, module: { controllers: [hello] } }), async ({ get, post }) => {
      assert.match((await get('/hello')).headers['content-security-policy'], /default-src/);
      assert.equal((await post('/echo', 'x'.repeat(20))).json.code, 'ERR_BODY_LIMIT');
      assert.equal((await get('/fail')).json.detail, 'taken');
    });
  });

  onBoth('cannot have it twice, unless it is the same', async (platform) => {
    const imports = [HoldfastModule.forRoot({})];
    await assert.rejects(start(platform, { module: { imports } }), { code: 'ERR_INVALID_ARG_VALUE', message: /once/ });
    const imported = HoldfastModule.forRoot({});
    const Other = decorate(class Other {}, Module({ imports: [imported] }));
    await using(start(platform, { imported, module: { imports: [Other], controllers: [hello] } }), async ({ get }) => {
      assert.equal((await get('/hello')).status, 200);
    });
  });

  onBoth('shares nothing with another in the process', async (platform) => {
    const limits = { options: { rateLimit: { limit: 1, windowMs: HOUR } }, module: { controllers: [hello] } };
    await using(start(platform, limits), async (one) => {
      await using(start(platform, limits), async (two) => {
        assert.deepEqual([(await one.get('/hello')).status, (await one.get('/hello')).status], [200, 429]);
        assert.equal((await two.get('/hello')).status, 200);
      });
    });
  });

  onBoth('can have its pieces off', async (platform) => {
    const off = {
      headers: false,
      body: false,
      json: false,
      query: false,
      rateLimit: false,
      session: false,
      csrf: false,
    };
    await using(
      start(platform, { options: { keyring: keyring(), ...off }, module: { controllers: [hello] } }),
      async ({ get, post, send }) => {
        const { headers } = await get('/hello?a=1&a=2', { 'sec-fetch-site': 'cross-site' });
        assert.equal(headers['content-security-policy'], undefined);
        assert.equal(headers.ratelimit, undefined);
        assert.deepEqual((await post('/echo', { a: 1 })).json, { body: { a: 1 } }, "Nest's own parsers");
        const form = { 'content-type': 'application/x-www-form-urlencoded' };
        assert.deepEqual((await send('POST', '/echo', { headers: form, body: 'a=1' })).json, { body: { a: '1' } });
        assert.equal((await get('/fail')).json.detail, 'taken');
      },
    );
  });

  onBoth("asks functions with the framework's request", async (platform) => {
    const seen = {};
    const see = (name, answer) => (req) => {
      seen[name] = platform === 'Express' ? req.path : `${req.originalUrl}`;
      assert.equal(typeof (platform === 'Express' ? req.get : req.raw?.on), 'function', name);
      return answer;
    };
    const options = {
      keyring: keyring(),
      rateLimit: { key: see('rateLimit.key', 'x'), skip: see('rateLimit.skip', false), cost: see('rateLimit.cost', 1) },
      slowDown: { key: see('slowDown.key', 'x'), skip: see('slowDown.skip', false) },
      body: { maxBytes: see('body.maxBytes', 5) },
      csrf: { skip: see('csrf.skip', true) },
      session: { validate: (session, req) => typeof session.id === 'string' && see('session.validate', true)(req) },
    };
    const begin = controller({
      begin: [Get('begin'), run((session) => ((session.user = 'ada'), session.id)), common.Session()],
    });
    await using(start(platform, { options, module: { controllers: [hello, begin] } }), async ({ get, post, send }) => {
      const [cookie] = (await get('/begin')).cookies[0].split(';');
      assert.equal((await post('/echo', { a: 1 }, { cookie, 'sec-fetch-site': 'cross-site' })).status, 200);
      assert.deepEqual(seen, {
        'rateLimit.key': '/echo',
        'rateLimit.skip': '/echo',
        'rateLimit.cost': '/echo',
        'slowDown.key': '/echo',
        'slowDown.skip': '/echo',
        'csrf.skip': '/echo',
        'session.validate': '/echo',
      });
      const headers = { 'content-type': 'text/x-mine' };
      assert.equal((await send('POST', '/echo', { headers, body: '123456' })).json.code, 'ERR_BODY_LIMIT');
      assert.equal(seen['body.maxBytes'], '/echo');
    });
  });

  onBoth('without problem documents answers as Nest does', async (platform) => {
    const options = { problems: false, rateLimit: { limit: 8, windowMs: HOUR } };
    for (const imported of [
      HoldfastModule.forRoot(options),
      HoldfastModule.forRootAsync({ useFactory: () => options }),
    ]) {
      await using(start(platform, { imported, module: { controllers: [hello] } }), async ({ get, post, send }) => {
        const headers = { 'content-type': 'application/json' };
        const deep = await send('POST', '/echo', { headers, body: '['.repeat(40) + ']'.repeat(40) });
        assert.equal(deep.status, 413);
        assert.equal(deep.json.code, 'ERR_JSON_LIMIT');
        assert.equal((await send('POST', '/echo', { headers, body: '{' })).json.statusCode, 400);
        assert.equal((await post('/echo', {}, { 'sec-fetch-site': 'cross-site' })).json.statusCode, 403);
        assert.deepEqual((await get('/fail')).json, { message: 'taken', error: 'Conflict', statusCode: 409 });
        assert.equal((await get('/nothing')).json.statusCode, 404);
        for (let count = 0; count < 3; count++) await get('/hello');
        const refused = await get('/hello');
        assert.equal(refused.status, 429);
        assert.match(refused.headers['retry-after'], /^\d+$/);
      });
    }
  });

  onBoth('with a prefix has problems outside of it, too', async (platform) => {
    const options = { rateLimit: { limit: 4, windowMs: HOUR } };
    const configure = (app) => app.setGlobalPrefix('api');
    await using(start(platform, { options, configure, module: { controllers: [hello] } }), async ({ get }) => {
      assert.equal((await get('/api/hello')).text, 'hello');
      for (const path of ['/api/nothing', '/nothing']) {
        const { status, headers } = await get(path);
        assert.equal(status, 404, path);
        assert.equal(headers['content-type'], 'application/problem+json', path);
      }
      assert.equal((await get('/hello')).status, 404);
      assert.equal((await get('/hello')).json.code, 'ERR_RATE_LIMITED');
    });
  });

  onBoth('has versions', async (platform) => {
    const Versions = controller(
      {
        one: [Version('1'), Get('versions'), run(() => 'one')],
        two: [Version('2'), Get('versions'), RateLimit('few'), run(() => 'two')],
      },
      common.UseGuards(RateLimitGuard),
    );
    for (const [type, path, headers] of [
      [{ type: VersioningType.URI }, '/v2/versions', {}],
      [{ type: VersioningType.HEADER, header: 'x-version' }, '/versions', { 'x-version': '2' }],
    ]) {
      const options = { limits: { few: { limit: 1, windowMs: HOUR } } };
      const configure = (app) => app.enableVersioning(type);
      await using(start(platform, { options, configure, module: { controllers: [Versions] } }), async ({ get }) => {
        assert.equal((await get(path, headers)).text, 'two');
        assert.equal((await get(path, headers)).json.code, 'ERR_RATE_LIMITED');
      });
    }
  });

  onBoth('keeps the bytes of bodies where Nest would', async (platform) => {
    const Raw = controller({
      raw: [
        Post('raw'),
        HttpCode(200),
        run((req) => ({ raw: req.rawBody?.toString() ?? null, body: req.body ?? null })),
        Req(),
      ],
    });
    const headers = { 'content-type': 'application/json' };
    await using(start(platform, { create: { rawBody: true }, module: { controllers: [Raw] } }), async ({ send }) => {
      assert.deepEqual((await send('POST', '/raw', { headers, body: ' {"a" : "ü"}' })).json, {
        raw: ' {"a" : "ü"}',
        body: { a: 'ü' },
      });
      assert.deepEqual((await send('POST', '/raw')).json, { raw: null, body: null });
      assert.equal((await send('POST', '/raw', { headers, body: ' '.repeat(20_000) })).status, 413);
    });
    await using(start(platform, { module: { controllers: [Raw] } }), async ({ send }) => {
      assert.deepEqual((await send('POST', '/raw', { headers, body: '1' })).json, { raw: null, body: 1 });
    });
  });

  onBoth("without Nest's body parsers reads bodies all the same", async (platform) => {
    await using(
      start(platform, { create: { bodyParser: false }, module: { controllers: [hello] } }),
      async ({ post }) => {
        assert.deepEqual((await post('/echo', { a: 1 })).json, { body: { a: 1 } });
        assert.equal((await post('/echo', { constructor: { prototype: 1 } })).json.code, 'ERR_JSON_CONSTRUCTOR_KEY');
      },
    );
  });

  onBoth('refuses parsers for the bodies that it reads, and takes others', async (platform) => {
    const [json, text] = platform === 'Express' ? ['json', 'text'] : ['application/json', 'text/x-mine'];
    const code = platform === 'Express' ? 'ERR_INVALID_ARG_VALUE' : 'FST_ERR_CTP_ALREADY_PRESENT';
    await assert.rejects(start(platform, { configure: (app) => app.useBodyParser(json, { limit: '50mb' }) }), { code });
    const options = platform === 'Express' ? { type: 'text/x-mine' } : {};
    const configure = (app) => app.useBodyParser(text, options, (req, body, done) => done(null, String(body)));
    await using(start(platform, { configure, module: { controllers: [hello] } }), async ({ send }) => {
      const { json: answer } = await send('POST', '/echo', {
        headers: { 'content-type': 'text/x-mine' },
        body: 'mine',
      });
      assert.deepEqual(answer, { body: 'mine' });
    });
  });

  it('does not cut an answer that is under way when its middleware calls next(), on Express', async () => {
    const entries = [];
    const options = { problems: { log: (entry) => entries.push(entry) } };
    for (const prefix of ['', 'api']) {
      const configure = (app) => {
        if (prefix) app.setGlobalPrefix(prefix);
        app.use('/early', (req, res, next) => {
          res.write('begun, ');
          setTimeout(() => res.end('and ended'), 20);
          next();
        });
      };
      await using(start('Express', { options, configure, module: { controllers: [hello] } }), async ({ get }) => {
        assert.equal((await get('/early')).text, 'begun, and ended');
        assert.deepEqual(entries, []);
      });
    }
  });

  it('comes before hooks and middleware of the application, also on Fastify', async () => {
    const seen = [];
    const adapter = PLATFORMS.Fastify();
    adapter.setOnRequestHook((request, reply, done) => {
      seen.push(['before create', reply.raw.hasHeader('content-security-policy')]);
      done();
    });
    const App = decorate(class App {}, Module({ imports: [HoldfastModule.forRoot(quiet)], controllers: [hello] }));
    const make = () => NestFactory.create(App, adapter, { logger: false, abortOnError: false });
    const app = await make();
    app.use((req, res, next) => {
      seen.push(['middleware', res.hasHeader('content-security-policy')]);
      next();
    });
    await app.listen(0, '127.0.0.1');
    await using(clientOf(app), async ({ get, post }) => {
      assert.equal((await get('/hello')).text, 'hello');
      assert.deepEqual(seen, [
        ['before create', true],
        ['middleware', true],
      ]);
      for (const [hook, status] of [
        [async () => void seen.push('promise'), 200],
        [(request, reply, done) => done(), 200],
        [async () => Promise.reject(new common.ForbiddenException('by hook')), 403],
        [() => assert.fail('thrown'), 500],
      ]) {
        adapter.setOnRequestHook(hook);
        assert.equal((await get('/hello')).status, status);
      }
      assert.equal((await post('/echo', { a: 1 }, { 'sec-fetch-site': 'cross-site' })).status, 500);
    });
  });

  it('does the same over HTTP/2, on Fastify', async () => {
    const routes = controller({
      begin: [
        Post('begin'),
        HttpCode(200),
        run((body, session) => {
          session.user = body.user;
          return { body };
        }),
        Body(),
        common.Session(),
      ],
    });
    const options = { keyring: keyring() };
    const running = start('Fastify', { options, adapter: { http2: true }, module: { controllers: [hello, routes] } });
    await using(running, async ({ origin }) => {
      const client = http2.connect(origin);
      const ask = async (path, body) => {
        const method = body === undefined ? 'GET' : 'POST';
        const stream = client.request({ ':path': path, ':method': method, 'content-type': 'application/json' });
        stream.end(body);
        const [head] = await once(stream, 'response');
        let text = '';
        for await (const chunk of stream.setEncoding('utf8')) text += chunk;
        assert.match(head['content-security-policy'], /default-src/, path);
        return { status: head[':status'], cookies: head['set-cookie'], json: JSON.parse(text) };
      };
      const begun = await ask('/begin', '{"user":"ada"}');
      assert.deepEqual(begun.json, { body: { user: 'ada' } });
      assert.match(begun.cookies[0], /^session=/);
      assert.equal((await ask('/begin', '{"__proto__":1}')).json.code, 'ERR_JSON_PROTO_KEY');
      assert.equal((await ask('/begin', 'x'.repeat(20_000))).json.code, 'ERR_BODY_LIMIT');
      assert.equal((await ask('/fail')).json.detail, 'taken');
      assert.equal((await ask('/%zz')).status, 400);
      client.close();
    });
  });

  it("has headers on what Fastify's adapter answers by itself", async () => {
    await using(start('Fastify', { module: { controllers: [hello] } }), async ({ port }) => {
      const answer = await new Promise((resolve, reject) => {
        const socket = net.connect(port, '127.0.0.1');
        let text = '';
        socket
          .on('data', (chunk) => (text += chunk))
          .on('close', () => resolve(text))
          .on('error', reject);
        socket.write('OPTIONS * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
      });
      assert.match(answer, /^HTTP\/1\.1 404 [^]*content-security-policy: [^]*application\/problem\+json/i);
    });
  });

  onBoth('can be overridden, as tests do', async (platform) => {
    const imported = HoldfastModule.forRoot(quiet);
    const at = imported.providers.findIndex(({ provide }) => provide === PasswordHasher);
    imported.providers[at] = { provide: PasswordHasher, useValue: { hash: () => 'fake' } };
    await using(start(platform, { imported, module: { controllers: [hello] } }), async ({ get, app }) => {
      assert.equal((await get('/hello')).status, 200);
      assert.equal(app.get(PasswordHasher).hash(), 'fake');
    });
  });

  onBoth('answers with what a handler had set, even if it is no header', async (platform) => {
    const Odd = controller({
      odd: [
        Get('odd'),
        run((res) => {
          if (res.raw !== undefined) res.header('x-odd', 'a\nb');
          throw new common.ConflictException('taken');
        }),
        common.Res({ passthrough: true }),
      ],
    });
    await using(start(platform, { module: { controllers: [Odd] } }), async ({ get }) => {
      assert.equal((await get('/odd')).json.detail, 'taken');
    });
  });

  onBoth('reads the types that it is told, and no others', async (platform) => {
    const options = {
      json: { types: ['application/vnd.a+json', 'application/x-*+json'].slice(0, 1), urlencoded: false },
    };
    await using(start(platform, { options, module: { controllers: [hello] } }), async ({ send }) => {
      const as = (type) => send('POST', '/echo', { headers: { 'content-type': type }, body: '{"a":1}' });
      assert.deepEqual((await as('application/vnd.a+json')).json, { body: { a: 1 } });
      assert.deepEqual((await as('Application/Vnd.A+JSON; charset=utf-8')).json, { body: { a: 1 } });
      for (const type of ['application/json', 'application/x-www-form-urlencoded']) {
        const { status, json } = await as(type);
        if (platform === 'Fastify') assert.equal(status, 415, type);
        else assert.deepEqual(json, { body: null }, type);
      }
    });
  });

  onBoth('lets filters of its own come first, wherever they are', async (platform) => {
    class Mine {
      catch(error, host) {
        const response = host.switchToHttp().getResponse();
        (response.code ?? response.status).call(response, 409);
        response.send('mine');
      }
    }
    common.Catch(common.ConflictException)(Mine);
    for (const how of [
      { module: { controllers: [hello], providers: [{ provide: APP_FILTER, useClass: Mine }] } },
      { module: { controllers: [hello] }, configure: (app) => app.useGlobalFilters(new Mine()) },
    ]) {
      await using(start(platform, how), async ({ get }) => {
        assert.equal((await get('/fail')).text, 'mine');
        assert.equal((await get('/nothing')).headers['content-type'], 'application/problem+json');
      });
    }
  });

  onBoth('tells what its routes may not be', async (platform) => {
    const adapter = PLATFORMS[platform]();
    const instance = adapter.getInstance();
    if (platform === 'Express') instance.get('/early', () => {});
    else instance.decorateRequest('session', null);
    const App = decorate(class App {}, Module({ imports: [HoldfastModule.forRoot({ keyring: keyring() })] }));
    await assert.rejects(NestFactory.create(App, adapter, { logger: false, abortOnError: false }), {
      code: 'ERR_INVALID_ARG_VALUE',
    });
  });

  it('on another platform is an error', async () => {
    const adapter = PLATFORMS.Express();
    adapter.getType = () => 'koa';
    const App = decorate(class App {}, Module({ imports: [HoldfastModule.forRoot()] }));
    await assert.rejects(NestFactory.create(App, adapter, { logger: false, abortOnError: false }), {
      code: 'ERR_INVALID_ARG_VALUE',
      message: /Express or for Fastify/,
    });
  });

  onBoth('can be made as @nestjs/testing makes it: modules first, then the adapter', async (platform) => {
    const App = decorate(class App {}, Module({ imports: [HoldfastModule.forRoot(quiet)], controllers: [hello] }));
    const app = await testing(App, PLATFORMS[platform]());
    await app.listen(0, '127.0.0.1');
    await using(clientOf(app), async ({ get, post }) => {
      assert.match((await get('/hello')).headers['content-security-policy'], /default-src/);
      assert.equal((await post('/echo', { constructor: { prototype: 1 } })).json.code, 'ERR_JSON_CONSTRUCTOR_KEY');
      assert.equal((await get('/fail')).json.detail, 'taken');
    });
  });
});

/** What Test.createTestingModule(…).compile() and createNestApplication(adapter) do. */
async function testing(App, adapter) {
  const { ApplicationConfig, GraphInspector, NestApplication, NestContainer } = require('@nestjs/core');
  const { DependenciesScanner, InstanceLoader, MetadataScanner, Injector } = coreInternals();
  const config = new ApplicationConfig();
  const container = new NestContainer(config);
  const inspector = new GraphInspector(container);
  const scanner = new DependenciesScanner(container, new MetadataScanner(), inspector, config);
  await scanner.scan(App);
  await new InstanceLoader(container, new Injector(), inspector).createInstancesOfDependencies();
  scanner.applyApplicationProviders();
  container.setHttpAdapter(adapter);
  return new NestApplication(container, adapter, config, inspector, {});
}

function coreInternals() {
  const { MetadataScanner } = require('@nestjs/core');
  return { MetadataScanner, ...require('@nestjs/core/internal') };
}

describe('ProblemFilter', () => {
  it("without a log tells Nest's Logger what is the server's fault, and no more", async () => {
    const lines = [];
    const logger = Object.fromEntries(
      ['log', 'warn', 'debug', 'verbose', 'fatal', 'error'].map((level) => [
        level,
        (...given) => lines.push([level, ...given]),
      ]),
    );
    const broken = controller({ broken: [Get('broken'), run(() => Promise.reject(new Error('hunter2')))] });
    const imported = HoldfastModule.forRoot();
    await using(
      start('Express', { imported, create: { logger }, module: { controllers: [hello, broken] } }),
      async ({ get }) => {
        lines.length = 0;
        await get('/fail');
        await get('/nothing');
        assert.deepEqual(lines, []);
        const { json } = await get('/broken');
        const [[level, entry, , context]] = lines;
        assert.equal(level, 'error');
        assert.equal(context, 'Problem');
        assert.equal(entry.errorId, json.errorId);
        assert.match(entry.error, /^Error: hunter2\n +at /);
      },
    );
    common.Logger.overrideLogger(false);
  });

  it('leaves to others what is not HTTP', () => {
    const filter = new ProblemFilter();
    const error = new Error('mine');
    const host = { getType: () => 'graphql', getArgs: () => [], getArgByIndex: () => undefined };
    assert.throws(() => filter.catch(error, host), error);
  });

  onBoth('answers alone, for an application without the module', async (platform) => {
    const entries = [];
    const configure = (app) => app.useGlobalFilters(new ProblemFilter({ log: (entry) => entries.push(entry) }));
    await using(
      start(platform, { options: false, configure, module: { controllers: [hello] } }),
      async ({ get, send }) => {
        assert.equal((await get('/fail')).json.detail, 'taken');
        assert.equal((await get('/nothing')).headers['content-type'], 'application/problem+json');
        const headers = { 'content-type': 'application/json' };
        const broken = await send('POST', '/echo', { headers, body: '{"hunter2"' });
        assert.equal(broken.status, 400);
        assert.equal(broken.headers['content-type'], 'application/problem+json');
        assert.ok(!broken.text.includes('hunter2'));
        assert.deepEqual(
          entries.map(({ status }) => status),
          [409, 404, 400],
        );
      },
    );
  });
});
