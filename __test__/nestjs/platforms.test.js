'use strict';

/**
 * One application with everything in it, on Express and on Fastify, asked over HTTP: what is expected is the same.
 * More of it, request by request, is in http/matrix.test.js.
 */

const assert = require('node:assert/strict');
const http = require('node:http');
const net = require('node:net');
const { once } = require('node:events');
const { after, before, describe, it } = require('node:test');
const { PLATFORMS, common, controller, run, start } = require('../support/nest.js');
const { Keyring } = require('../..');
const { createError } = require('../../lib/errors.js');
const holdfast = require('../../lib/nestjs/index.js');

const { Body, Get, Header, HttpCode, Param, ParseIntPipe, Post, Query, Redirect, Req, Res, Session, Sse } = common;
const { All, StreamableFile, UseFilters, UseGuards } = common;
const { PatternPipe, Problem, RateLimit, RateLimitGuard, SafeJsonPipe, SafeQuery } = holdfast;

const HOUR = 3_600_000;
const keyring = new Keyring({ primary: 'k1', keys: { k1: Buffer.alloc(32, 1) } });

/** A guard's own words, and its own word for nothing. */
const forbidding = { canActivate: () => thrown(new common.ForbiddenException('members only')) };
const refusing = { canActivate: () => false };
const naming = {
  canActivate: (context) => {
    context.switchToHttp().getRequest().user = { name: 'ada' };
    return true;
  },
};

class Teapot extends Error {}
class TeapotFilter {
  catch(error, host) {
    const response = host.switchToHttp().getResponse();
    (response.code ?? response.status).call(response, 418);
    response.send({ teapot: true });
  }
}
common.Catch(Teapot)(TeapotFilter);

function thrown(error) {
  throw error;
}

const ERRORS = {
  list: () => new common.BadRequestException(['name must be text', 'age must be a number']),
  object: () => new common.HttpException({ secret: 'hunter2' }, 409),
  conflict: () => new common.ConflictException('the name is taken'),
  unauthorized: () => new common.UnauthorizedException(),
  unavailable: () => new common.ServiceUnavailableException('hunter2'),
  internal: () => new common.InternalServerErrorException('hunter2'),
  cause: () => new common.BadRequestException('mine', { cause: new Error('hunter2') }),
  strange: () => new common.HttpException('hunter2', 200),
  plain: () => new Error('hunter2'),
  syntax: () => new SyntaxError('hunter2'),
  problem: () => new Problem(418, 'short and stout', { code: 'TEAPOT', headers: { 'x-teapot': 'yes' } }),
  limit: () => createError('ERR_QUEUE_FULL', 'the queue is full'),
};

const routes = controller({
  health: [Get('health'), run(() => ({ ok: true }))],
  echo: [All('echo'), HttpCode(200), run((body) => ({ body: body ?? null })), Body()],
  request: [Post('request'), HttpCode(200), run((req) => ({ body: req.body ?? null, query: req.safe.query })), Req()],
  query: [Get('query'), run((query) => ({ query, isBare: Object.getPrototypeOf(query) === null })), SafeQuery()],
  page: [Get('page'), run((page, size) => ({ page, size })), SafeQuery('page'), SafeQuery('size', ParseIntPipe)],
  own: [Get('own'), run((query) => ({ query, isBare: Object.getPrototypeOf(query) === null })), Query()],
  begin: [
    Post('session'),
    HttpCode(200),
    run((session, { user }) => {
      session.user = user;
      return { id: session.id };
    }),
    Session(),
    Body(),
  ],
  session: [
    Get('session'),
    run((session, req) => ({ user: session.user ?? null, isSame: session === req.session })),
    Session(),
    Req(),
  ],
  end: [
    Post('end'),
    HttpCode(204),
    run((req) => {
      req.session = null;
    }),
    Req(),
  ],
  token: [Get('token'), run((req) => ({ token: req.csrfToken() })), Req()],
  nonce: [
    Get('nonce'),
    Header('content-type', 'text/html; charset=utf-8'),
    run((res) => `nonce ${(res.raw ?? res).locals.cspNonce}`),
    Res({ passthrough: true }),
  ],
  file: [
    Get('file'),
    run((session) => {
      session.seen = true;
      return new StreamableFile(Buffer.from('a file'));
    }),
    Session(),
  ],
  elsewhere: [Get('elsewhere'), Redirect('/health', 302), run(() => undefined)],
  events: [Sse('events'), run(() => require('rxjs').of({ data: 'one' }, { data: 'two' }))],
  fail: [Get('fail/:kind'), run((kind) => thrown(ERRORS[kind]())), Param('kind')],
  failing: [
    Post('failing'),
    Header('etag', '"1"'),
    run((session, res) => {
      session.user = 'ada';
      (res.raw ?? res).setHeader('x-kept', 'yes');
      throw new common.ConflictException('not now');
    }),
    Session(),
    Res({ passthrough: true }),
  ],
  cut: [
    Get('cut'),
    run((res) => {
      const raw = res.raw ?? res;
      raw.write('half');
      throw new Error('in the middle');
    }),
    Res(),
  ],
  teapot: [Get('teapot'), UseFilters(TeapotFilter), run(() => thrown(new Teapot()))],
  members: [Get('members'), UseGuards(forbidding), run(() => 'in')],
  nobody: [Get('nobody'), UseGuards(refusing), run(() => 'in')],
  item: [Get('items/:id'), run((id) => ({ id })), Param('id', PatternPipe.of(/^[a-z0-9]{1,20}$/))],
  filter: [
    Get('filter'),
    run((filter) => ({ filter })),
    SafeQuery('filter', new SafeJsonPipe({ limits: { depth: 2 } })),
  ],
  clean: [
    Post('clean'),
    HttpCode(200),
    run((body) => ({ body: body ?? null })),
    Body(new SafeJsonPipe({ operatorKeys: 'error' })),
  ],
});

const limited = controller(
  {
    few: [Get('few'), RateLimit('few'), run(() => 'fine')],
    others: [Get('others'), RateLimit('few'), run(() => 'fine')],
    own: [Get('own-limit'), RateLimit('own', { limit: 1, windowMs: HOUR }), run(() => 'fine')],
    again: [Get('own-again'), RateLimit('own'), run(() => 'fine')],
    two: [
      Get('two'),
      RateLimit('first', { limit: 2, windowMs: HOUR, key: () => 'all' }),
      RateLimit('second', { limit: 5, windowMs: HOUR, name: 'shown' }),
      run(() => 'fine'),
    ],
    login: [
      Post('login'),
      HttpCode(200),
      RateLimit('login'),
      run(({ password }) => (password === 'right' ? 'in' : thrown(new common.UnauthorizedException('wrong')))),
      Body(),
    ],
    quiet: [Get('quiet'), RateLimit('quiet', { limit: 1, windowMs: HOUR, headers: false }), run(() => 'fine')],
    skipped: [
      Get('skipped'),
      RateLimit('skipped', { limit: 1, windowMs: HOUR, skip: (req) => req.query.skip === 'yes' }),
      run(() => 'fine'),
    ],
    costly: [
      Get('costly'),
      RateLimit('costly', { limit: 10, windowMs: HOUR, cost: (req) => Number(req.query.cost) }),
      run(() => 'fine'),
    ],
  },
  UseGuards(RateLimitGuard),
);
/** Two guards of the same kind, after one that says who it is. */
const guarded = controller(
  {
    account: [
      Post('accounts/:kind'),
      HttpCode(200),
      UseGuards(RateLimitGuard),
      RateLimit('account', {
        limit: 2,
        windowMs: HOUR,
        key: ({ user, body, params }) => [user.name, body.name, params.kind].join(),
      }),
      run(() => 'fine'),
    ],
  },
  UseGuards(naming, RateLimitGuard),
);
const whole = controller(
  { a: [Get('whole/a'), run(() => 'a')], b: [Get('whole/b'), RateLimit('few'), run(() => 'b')] },
  UseGuards(RateLimitGuard),
  RateLimit('whole', { limit: 3, windowMs: HOUR }),
);

/** What the log was told, of one application at a time. */
let logged = [];

const HOW = {
  options: {
    keyring,
    cors: { origins: ['https://app.example'], credentials: true },
    rateLimit: { limit: 1_000_000 },
    limits: {
      few: { limit: 2, windowMs: HOUR },
      login: { limit: 2, windowMs: HOUR, skipSuccessful: true },
    },
    problems: { log: (entry, error, req) => logged.push({ entry, error, req }) },
  },
  module: { controllers: [routes, limited, guarded, whole] },
  create: { rawBody: true },
  configure: (app) => {
    app.use('/mine', (req, res, next) => {
      res.setHeader('x-mine', `${typeof req.session} ${typeof req.safe} ${typeof req.body}`);
      next(req.url.includes('fail') ? new Error('hunter2') : undefined);
    });
  },
  middleware: (consumer) => {
    consumer
      .apply((req, res, next) => {
        if (req.headers['x-fail'] === 'late') throw new common.ForbiddenException('by middleware');
        next();
      })
      .forRoutes('health');
  },
};

function assertProblem({ status, headers, json, text }, expected, code) {
  assert.equal(status, expected, text);
  assert.equal(headers['content-type'], 'application/problem+json');
  assert.equal(json.status, status);
  assert.equal(json.title, http.STATUS_CODES[status]);
  assert.equal(json.code, code);
  assert.match(json.errorId, /^[0-9a-f-]{36}$/);
  assert.ok(!text.includes('hunter2'));
}

let addresses = 0;
/** A client of its own, for a limit. */
function newAddress() {
  addresses++;
  return { 'x-forwarded-for': `198.51.100.${addresses}` };
}

/** @type {Record<string, (client: any, platform: string) => unknown>} */
const SCENARIOS = {
  async 'answers have the headers'({ get }) {
    const { status, headers, json } = await get('/health');
    assert.equal(status, 200);
    assert.deepEqual(json, { ok: true });
    assert.match(headers['content-security-policy'], /^default-src 'self'/);
    assert.equal(headers['x-content-type-options'], 'nosniff');
    assert.equal(headers['x-powered-by'], undefined);
    assert.match(headers['ratelimit-policy'], /^"default";q=1000000;w=60$/);
    assert.match(headers['cache-control'], /no-store/);
  },

  async 'so have errors, and what is not there'({ get }) {
    for (const path of ['/nothing', '/fail/plain', '/items/UPPER']) {
      const { headers } = await get(path);
      assert.match(headers['content-security-policy'], /^default-src 'self'/, path);
      assert.match(headers['ratelimit'], /^"default";r=\d+/, path);
    }
  },

  async 'a page has its nonce'({ get }) {
    const [one, two] = [await get('/nonce'), await get('/nonce')];
    for (const { headers, text } of [one, two]) {
      const [, nonce] = /^nonce (\S+)$/.exec(text);
      assert.ok(headers['content-security-policy'].includes(`'nonce-${nonce}'`));
    }
    assert.notEqual(one.text, two.text);
  },

  async 'JSON is read by safeJson, and is plain'({ post }) {
    const { json } = await post('/echo', { a: [1, { b: null }] });
    assert.deepEqual(json, { body: { a: [1, { b: null }] } });
    assertProblem(await post('/echo', { constructor: { prototype: {} } }), 400, 'ERR_JSON_CONSTRUCTOR_KEY');
  },

  async 'a handler that takes the request has the same'({ send }) {
    const { json } = await send('POST', '/request?a=1', { json: { b: 2 } });
    assert.deepEqual(json, { body: { b: 2 }, query: { a: '1' } });
  },

  async 'forms are read, too'({ send }) {
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    assert.deepEqual((await send('POST', '/echo', { body: 'a=1&b=x+y', headers })).json, {
      body: { a: '1', b: 'x y' },
    });
    assertProblem(await send('POST', '/echo', { body: 'a=1&a=2', headers }), 400, 'ERR_QUERY_DUPLICATE');
  },

  async 'a body with GET is read as any other'({ port }) {
    const head = 'GET /echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nConnection: close\r\n';
    const ask = (body) => raw(port, `${head}Content-Length: ${body.length}\r\n\r\n${body}`);
    assert.match(await ask('{"a":1}'), /\{"body":\{"a":1\}\}$/);
    assert.match(await ask('{"__proto__":1}'), /^HTTP\/1\.1 400 .*ERR_JSON_PROTO_KEY/s);
  },

  async 'an empty body is none'({ send }) {
    const headers = { 'content-type': 'application/json' };
    assert.deepEqual((await send('POST', '/echo', { headers, body: '' })).json, { body: null });
    assert.deepEqual((await send('POST', '/echo')).json, { body: null });
  },

  async 'a body over the limit is 413'({ send, post }) {
    assertProblem(await post('/echo', 'x'.repeat(10_240)), 413, 'ERR_BODY_LIMIT');
    const headers = { 'content-type': 'text/x-unknown' };
    assertProblem(await send('POST', '/echo', { headers, body: 'x'.repeat(2 ** 20 + 1) }), 413, 'ERR_BODY_LIMIT');
  },

  async 'a body of pieces over the limit is 413'({ port }) {
    const head =
      'POST /echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n';
    const answer = await raw(port, `${head}2ee0\r\n${'1'.repeat(12_000)}\r\n0\r\n\r\n`);
    assert.match(answer, /^HTTP\/1\.1 413 .*ERR_BODY_LIMIT/s);
  },

  async 'a depth over the limit is 413, and no JSON 400'({ send }) {
    const headers = { 'content-type': 'application/json' };
    assertProblem(
      await send('POST', '/echo', { headers, body: '['.repeat(33) + ']'.repeat(33) }),
      413,
      'ERR_JSON_LIMIT',
    );
    assertProblem(await send('POST', '/echo', { headers, body: '{"a":' }), 400, 'ERR_JSON_SYNTAX');
  },

  async 'another charset, and a body that is compressed, are 415'({ send }) {
    for (const headers of [
      { 'content-type': 'application/json; charset=utf-16' },
      { 'content-type': 'application/json', 'content-encoding': 'gzip' },
    ]) {
      assertProblem(await send('POST', '/echo', { headers, body: '{}' }), 415, 'ERR_BODY_TYPE');
    }
  },

  async 'a body that nobody reads is undefined on Express, and 415 on Fastify'({ send }, platform) {
    const answer = await send('POST', '/echo', { headers: { 'content-type': 'text/x-unknown' }, body: 'x' });
    if (platform === 'Fastify') assertProblem(answer, 415);
    else assert.deepEqual(answer.json, { body: null });
  },

  async 'what is not there is 404, also by POST, without the path'({ get, post }) {
    for (const answer of [await get('/no/hunter2'), await post('/no/hunter2', {})]) {
      assertProblem(answer, 404);
      assert.equal(answer.json.detail, 'there is nothing at this address');
    }
    assertProblem(await post('/no', { constructor: { prototype: 1 } }), 400, 'ERR_JSON_CONSTRUCTOR_KEY');
  },

  async 'a path that cannot be decoded is 400'({ get }) {
    const answer = await get('/items/%E0%A4');
    assertProblem(answer, 400);
    assert.equal(answer.json.detail, undefined);
    assert.match(answer.headers['content-security-policy'], /^default-src/);
  },

  async 'a parameter that is too long for Fastify is 414 there'({ get }, platform) {
    const answer = await get(`/items/${'a'.repeat(300)}`);
    assertProblem(answer, platform === 'Fastify' ? 414 : 400, platform === 'Fastify' ? undefined : 'ERR_PATTERN');
    assert.ok(!answer.text.includes('aaa'));
  },

  async 'an HttpException tells its message when the client is wrong'({ get }) {
    const answer = await get('/fail/conflict');
    assertProblem(answer, 409);
    assert.equal(answer.json.detail, 'the name is taken');
  },

  async 'several messages are one detail'({ get }) {
    const answer = await get('/fail/list');
    assertProblem(answer, 400);
    assert.equal(answer.json.detail, 'name must be text; age must be a number');
  },

  async 'a message that is the title is left out'({ get }) {
    const answer = await get('/fail/unauthorized');
    assertProblem(answer, 401);
    assert.equal(answer.json.detail, undefined);
  },

  async 'an object without a message tells nothing'({ get }) {
    const answer = await get('/fail/object');
    assertProblem(answer, 409);
    assert.equal(answer.json.detail, undefined);
  },

  async 'an HttpException of the server keeps its status and nothing else'({ get }) {
    for (const [kind, status] of [
      ['unavailable', 503],
      ['internal', 500],
      ['strange', 500],
    ]) {
      const answer = await get(`/fail/${kind}`);
      assertProblem(answer, status);
      assert.equal(answer.json.detail, undefined);
    }
  },

  async 'its cause is not told'({ get }) {
    const answer = await get('/fail/cause');
    assertProblem(answer, 400);
    assert.equal(answer.json.detail, 'mine');
  },

  async 'other errors are 500'({ get }) {
    for (const kind of ['plain', 'syntax']) assertProblem(await get(`/fail/${kind}`), 500);
  },

  async 'a Problem and an error of Holdfast speak for themselves'({ get }) {
    const answer = await get('/fail/problem');
    assertProblem(answer, 418, 'TEAPOT');
    assert.equal(answer.json.detail, 'short and stout');
    assert.equal(answer.headers['x-teapot'], 'yes');
    assertProblem(await get('/fail/limit'), 503, 'ERR_QUEUE_FULL');
  },

  async "the log gets what was thrown, and the framework's request"({ get }) {
    logged = [];
    const { json } = await get('/fail/conflict');
    const [{ entry, error, req }] = logged;
    assert.equal(entry.errorId, json.errorId);
    assert.equal(entry.level, 'info');
    assert.equal(entry.route, '/fail/:kind');
    assert.ok(error instanceof common.ConflictException);
    assert.deepEqual({ ...req.params }, { kind: 'conflict' });
  },

  async 'guards are heard'({ get }) {
    const answer = await get('/members');
    assertProblem(answer, 403);
    assert.equal(answer.json.detail, 'members only');
    assertProblem(await get('/nobody'), 403);
  },

  async 'a filter of a route comes first'({ get }) {
    const { status, json } = await get('/teapot');
    assert.equal(status, 418);
    assert.deepEqual(json, { teapot: true });
  },

  async 'an error in middleware is a problem'({ get }) {
    assertProblem(await get('/mine/fail'), 500);
    const answer = await get('/health', { 'x-fail': 'late' });
    assertProblem(answer, 403);
    assert.equal(answer.json.detail, 'by middleware');
  },

  async 'middleware comes after the pieces'({ get, post }, platform) {
    const { headers } = await get('/mine/own');
    // Fastify reads bodies and queries after all middleware.
    assert.equal(headers['x-mine'], platform === 'Fastify' ? 'object undefined undefined' : 'object object undefined');
    const answer = await post('/mine/own', { a: 1 }, { 'sec-fetch-site': 'cross-site' });
    assertProblem(answer, 403, 'ERR_CSRF');
  },

  async 'headers that were set stay with an error, and those of content go'({ post }) {
    const answer = await post('/failing', {}, { 'sec-fetch-site': 'same-origin' });
    assertProblem(answer, 409);
    assert.equal(answer.headers['x-kept'], 'yes');
    assert.equal(answer.headers.etag, undefined);
    assert.match(answer.cookies[0], /^session=/);
  },

  async 'an answer that has begun is cut'({ get }) {
    await assert.rejects(get('/cut'));
  },

  async 'a query is an object without a prototype'({ get }) {
    assert.deepEqual((await get('/query?a=1&b=x%20y')).json, { query: { a: '1', b: 'x y' }, isBare: true });
    assertProblem(await get('/query?a=1&a=2'), 400, 'ERR_QUERY_DUPLICATE');
    assertProblem(await get('/query?__proto__=1'), 400, 'ERR_QUERY_KEY');
  },

  async 'a parameter of the query goes through pipes'({ get }) {
    assert.deepEqual((await get('/page?page=2&size=10')).json, { page: '2', size: 10 });
    assert.deepEqual((await get('/page?size=10')).json, { size: 10 });
    assertProblem(await get('/page?size=ten'), 400);
    assert.deepEqual((await get('/page?size=1&toString=x')).json, { size: 1 });
  },

  async "Nest's own @Query is the same"({ get }) {
    assert.deepEqual((await get('/own?a=1&b[c]=2')).json, { query: { a: '1', 'b[c]': '2' }, isBare: true });
    assert.deepEqual((await get('/own')).json, { query: {}, isBare: true });
  },

  async 'a session begins, goes on and ends'({ post, get }) {
    const begun = await post('/session', { user: 'ada' }, { 'sec-fetch-site': 'same-origin' });
    assert.equal(begun.status, 200);
    const [cookie] = begun.cookies[0].split(';');
    assert.match(begun.cookies[0], /; HttpOnly/i);
    assert.deepEqual((await get('/session', { cookie })).json, { user: 'ada', isSame: true });
    assert.deepEqual((await get('/session')).json, { user: null, isSame: true });
    const ended = await post('/end', {}, { cookie, 'sec-fetch-site': 'same-origin' });
    assert.equal(ended.status, 204);
    assert.match(ended.cookies[0], /^session=;/);
  },

  async 'a session is sent with streams, and over TLS with its prefix'({ get }) {
    const { text, cookies } = await get('/file', { 'x-forwarded-proto': 'https' });
    assert.equal(text, 'a file');
    assert.match(cookies[0], /^__Host-session=/);
  },

  async 'redirects and server-sent events work'({ get }) {
    const moved = await get('/elsewhere');
    assert.equal(moved.status, 302);
    assert.equal(moved.headers.location, '/health');
    const { text, headers } = await get('/events');
    assert.match(text, /data: one\n[^]*data: two\n/);
    assert.match(headers['content-security-policy'], /^default-src/);
  },

  async 'requests from other sites are refused, unless they have a token'({ get, post, send }) {
    assertProblem(await post('/echo', {}, { 'sec-fetch-site': 'cross-site' }), 403, 'ERR_CSRF');
    const { json, cookies } = await get('/token');
    const cookie = cookies.map((one) => one.split(';')[0]).join('; ');
    assertProblem(await post('/echo', {}, { cookie }), 403, 'ERR_CSRF');
    assert.equal((await post('/echo', {}, { cookie, 'x-csrf-token': json.token })).status, 200);
    const form = { cookie, 'content-type': 'application/x-www-form-urlencoded' };
    assert.equal((await send('POST', '/echo', { headers: form, body: `_csrf=${json.token}` })).status, 200);
  },

  async 'other origins read when they are listed'({ get, send }) {
    const { headers } = await get('/nothing', { origin: 'https://app.example' });
    assert.equal(headers['access-control-allow-origin'], 'https://app.example');
    const other = await get('/health', { origin: 'https://evil.example' });
    assert.equal(other.headers['access-control-allow-origin'], undefined);
    const preflight = { origin: 'https://app.example', 'access-control-request-method': 'POST' };
    const { status, headers: allowed } = await send('OPTIONS', '/echo', { headers: preflight });
    assert.equal(status, 204);
    assert.match(allowed['access-control-allow-methods'], /POST/);
  },

  async 'a named limit refuses, and says when to come again'({ get }) {
    const from = newAddress();
    const answers = [await get('/few', from), await get('/few', from), await get('/few', from)];
    assert.deepEqual(
      answers.map(({ status }) => status),
      [200, 200, 429],
    );
    assert.match(answers[0].headers.ratelimit, /^"default";r=\d+(;t=\d+)?, "few";r=1;t=\d+$/);
    assertProblem(answers[2], 429, 'ERR_RATE_LIMITED');
    assert.match(answers[2].headers['retry-after'], /^[1-9]\d*$/);
    assert.equal((await get('/few', newAddress())).status, 200);
  },

  async 'a name is one limit at all its routes'({ get }) {
    const from = newAddress();
    assert.equal((await get('/few', from)).status, 200);
    assert.equal((await get('/others', from)).status, 200);
    assert.equal((await get('/few', from)).status, 429);
    assert.equal((await get('/others', from)).status, 429);
  },

  async 'a limit can be declared where it stands'({ get }) {
    const from = newAddress();
    assert.equal((await get('/own-limit', from)).status, 200);
    assert.equal((await get('/own-again', from)).status, 429);
  },

  async 'a route can have several'({ get }) {
    const answers = [await get('/two', newAddress()), await get('/two', newAddress()), await get('/two', newAddress())];
    assert.deepEqual(
      answers.map(({ status }) => status),
      [200, 200, 429],
    );
    assert.match(answers[0].headers.ratelimit, /"first";r=1;t=\d+, "shown";r=4;t=\d+$/);
    assert.ok(!answers[2].headers.ratelimit.includes('shown'), 'the one that stands first is asked first');
  },

  async 'a class can have one, for all of its routes'({ get }) {
    const from = newAddress();
    assert.equal((await get('/whole/a', from)).status, 200);
    const both = await get('/whole/b', from);
    assert.match(both.headers.ratelimit, /"whole";r=1;t=\d+, "few";r=1;t=\d+$/);
    assert.equal((await get('/whole/a', from)).status, 200);
    assert.equal((await get('/whole/b', from)).status, 429);
  },

  async 'a key can be what the body says, and what a guard has found'({ post }) {
    const statuses = [];
    for (const name of ['one', 'one', 'one', 'two']) statuses.push((await post('/accounts/x', { name })).status);
    assert.deepEqual(statuses, [200, 200, 429, 200], 'counted once by both guards');
    assert.equal((await post('/accounts/y', { name: 'one' })).status, 200);
  },

  async 'only failures count, where that is said'({ post }) {
    const from = newAddress();
    const statuses = [];
    for (const password of ['right', 'right', 'right', 'wrong', 'right', 'wrong', 'right']) {
      statuses.push((await post('/login', { password }, from)).status);
    }
    assert.deepEqual(statuses, [200, 200, 200, 401, 200, 401, 429]);
  },

  async 'a limit can be silent, skipped, or cost more'({ get }) {
    const from = newAddress();
    assert.ok(!(await get('/quiet', from)).headers.ratelimit.includes('quiet'));
    assert.equal((await get('/quiet', from)).status, 429);
    for (let count = 0; count < 3; count++) assert.equal((await get('/skipped?skip=yes', from)).status, 200);
    assert.equal((await get('/skipped', from)).status, 200);
    assert.equal((await get('/skipped', from)).status, 429);
    assert.equal((await get('/costly?cost=8', from)).status, 200);
    assert.equal((await get('/costly?cost=3', from)).status, 429);
    assert.equal((await get('/costly?cost=2', from)).status, 200);
  },

  async 'an id matches its pattern, or is refused'({ get }) {
    assert.deepEqual((await get('/items/abc1')).json, { id: 'abc1' });
    const answer = await get('/items/hunter2%0A');
    assertProblem(answer, 400, 'ERR_PATTERN');
    assert.equal(answer.json.detail, "'id' must be a text that matches its pattern");
  },

  async 'JSON inside of a query, and a body, are looked at by a pipe'({ get, post }) {
    assert.deepEqual((await get('/filter?filter=%7B%22a%22%3A%5B1%5D%7D')).json, { filter: { a: [1] } });
    assert.deepEqual((await get('/filter')).json, {});
    assertProblem(await get('/filter?filter=%5B%5B%5B1%5D%5D%5D'), 413, 'ERR_JSON_LIMIT');
    assertProblem(await get('/filter?filter=%7B'), 400, 'ERR_JSON_SYNTAX');
    assert.deepEqual((await post('/clean', { a: 1 })).json, { body: { a: 1 } });
    assertProblem(await post('/clean', { a: { $gt: '' } }), 400, 'ERR_JSON_FORBIDDEN_KEY');
  },

  async 'HEAD has the headers, and no body'({ send }) {
    for (const [path, status] of [
      ['/health', 200],
      ['/nothing', 404],
      ['/fail/plain', 500],
    ]) {
      const answer = await send('HEAD', path);
      assert.equal(answer.status, status);
      assert.equal(answer.text, '');
      assert.match(answer.headers['content-security-policy'], /^default-src/);
    }
  },

  async 'requests on one connection follow each other'({ port }) {
    const one = 'POST /echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}';
    const bad = one.replace('{}', '{x').replace('Host: x', 'Host: x\r\nX-A: b');
    const last = 'GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n';
    const answer = await raw(port, one + bad + one + last);
    assert.deepEqual(answer.match(/HTTP\/1\.1 \d+/g), ['HTTP/1.1 200', 'HTTP/1.1 400', 'HTTP/1.1 200', 'HTTP/1.1 200']);
  },

  async 'a client that goes away in the middle of its body does no harm'({ port, get }) {
    for (let count = 0; count < 5; count++) {
      const socket = net.connect(port, '127.0.0.1');
      await once(socket, 'connect');
      socket.write(
        'POST /echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"a":',
      );
      await new Promise((resolve) => setTimeout(resolve, 5));
      socket.destroy();
    }
    assert.equal((await get('/health')).status, 200);
  },

  async 'a polluted Object.prototype changes nothing'({ port }) {
    const names = [
      'raw',
      'status',
      'statusCode',
      'expose',
      'safe',
      'session',
      'skip',
      'limiter',
      'detail',
      'rawBody',
      'errorCode',
    ];
    const ask = (method, path, body = '') => {
      const head = [`${method} ${path} HTTP/1.1`, 'Host: x', 'Connection: close', `Content-Length: ${body.length}`];
      return raw(port, [...head, 'Content-Type: application/json', '', body].join('\r\n'));
    };
    try {
      for (const name of names) {
        const value = { headers: {}, query: {}, setHeader() {} };
        Object.defineProperty(Object.prototype, name, { __proto__: null, value, configurable: true, writable: true });
      }
      assert.match(await ask('GET', '/items/abc'), /^HTTP\/1.1 200/);
      assert.match(await ask('GET', '/fail/plain'), /^HTTP\/1.1 500 [^]*problem/);
      assert.match(await ask('GET', '/fail/conflict'), /^HTTP\/1.1 409 [^]*taken/);
      assert.match(await ask('GET', '/items/A'), /^HTTP\/1.1 400 [^]*ERR_PATTERN/);
      assert.match(await ask('GET', '/query?a=1'), /"query":\{"a":"1"\}/);
      assert.match(await ask('POST', '/echo', '{"a":1}'), /\{"body":\{"a":1\}\}$/);
      assert.match(await ask('POST', '/echo', '{"__proto__":1}'), /ERR_JSON_PROTO_KEY/);
      assert.match(await ask('GET', '/few'), /^HTTP\/1.1 200/);
    } finally {
      for (const name of names) delete Object.prototype[name];
    }
  },
};

/** All that is answered until the server closes. */
async function raw(port, text) {
  const socket = net.connect(port, '127.0.0.1');
  socket.setTimeout(10_000, () => socket.destroy(new Error('no end')));
  let answer = '';
  socket.setEncoding('utf8').on('data', (chunk) => (answer += chunk));
  socket.write(text);
  await once(socket, 'close');
  return answer.replace(/\r\n/g, '\n');
}

for (const platform of Object.keys(PLATFORMS)) {
  describe(`Nest on ${platform}`, () => {
    let client;
    before(async () => {
      client = await start(platform, HOW);
    });
    after(() => client?.close());
    for (const [name, scenario] of Object.entries(SCENARIOS)) it(name, () => scenario(client, platform));
  });
}
