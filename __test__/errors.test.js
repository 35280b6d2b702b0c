'use strict';

/** The closed set of error codes: the same in lib/errors.js, index.d.ts and the native part, and each one provoked. */

const assert = require('node:assert/strict');
const fs = require('node:fs');
const http = require('node:http');
const os = require('node:os');
const path = require('node:path');
const { Readable } = require('node:stream');
const { after, describe, it } = require('node:test');
const {
  AesGcmKey,
  HoldfastError,
  HoldfastStore,
  HoldfastThrottlerStorage,
  JsonError,
  Keyring,
  PasswordHasher,
  RedisRateLimiter,
  RateLimiter,
  SafeRegExp,
  aesGcmDecrypt,
  createKeyring,
  createMerge,
  deriveKey,
  ipKey,
  keyFromPassphrase,
  loadKeyring,
  merge,
  mergeJson,
  parseJson,
  parseQuery,
  rotateKeyring,
  sanitize,
} = require('..');
const { AbortError, CODES, createError } = require('../lib/errors.js');
const native = require('../lib/native.js');
const { loadPeer } = require('../lib/http/peers.js');
const { csrf } = require('../lib/http/csrf.js');
const { limitBody } = require('../lib/http/limit-body.js');
const { rateLimit } = require('../lib/http/rate-limit.js');
const { requireEnv } = require('../lib/http/require-env.js');
const { safeJson } = require('../lib/http/safe-json.js');
const { FakeIoredis } = require('./support/fake-redis.js');

const root = path.join(__dirname, '..');
const read = (file) => fs.readFileSync(path.join(root, file), 'utf8');

/** In every rejected input below, and therefore in no message. */
const MARKER = 'hunter2';
const SMALL = { argon2: { memoryKiB: 8, passes: 1 }, threads: 1 };
const SALT = Buffer.alloc(16, 2);
const limiter = new RateLimiter({ limit: 1, windowMs: 1000 });
const ring = new Keyring({ primary: 'k1', keys: { k1: Buffer.alloc(32, 1) } });

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'holdfast-errors-'));
after(() => fs.rmSync(folder, { recursive: true }));
process.env.HOLDFAST_TEST_KEYS = MARKER;

/** A path with the marker in it, of a file with this text. */
function keyFile(name, text, mode = 0o600) {
  const file = path.join(folder, `${MARKER}-${name}`);
  fs.writeFileSync(file, text, { mode });
  return file;
}

/** Standard Schemas of our own. */
const schema = (validate) => ({ '~standard': { version: 1, vendor: 'test', validate } });
const AN_INTEGER = schema((value) => (/^\d+$/.test(value) ? { value } : { issues: [{ message: `not ${value}` }] }));
const ANYTHING = schema((value) => ({ value }));

async function drained(parts) {
  const found = [];
  for await (const part of parts) found.push(part);
  return Buffer.concat(found);
}

async function truncated() {
  const sealed = await drained(ring.sealFile([MARKER]));
  return drained(ring.openFile([sealed.subarray(0, sealed.length - 1)]));
}

function disposed() {
  const keys = new Keyring({ primary: MARKER, keys: { [MARKER]: Buffer.alloc(32) } });
  keys.dispose();
  return keys.seal(MARKER);
}

async function expired() {
  const token = ring.sealToken(MARKER, { purpose: MARKER, ttlMs: 1 });
  await new Promise((resolve) => setTimeout(resolve, 5));
  return ring.openToken(token, { purpose: MARKER });
}

async function queueFull() {
  const hasher = new PasswordHasher({ ...SMALL, argon2: { memoryKiB: 4096, passes: 2 }, maxQueue: 0 });
  const jobs = await Promise.allSettled(Array.from({ length: 8 }, () => hasher.hash(MARKER)));
  await hasher.close();
  throw jobs.find((job) => job.status === 'rejected')?.reason;
}

async function keysQueueFull() {
  const jobs = Array.from({ length: 200 }, () => keyFromPassphrase(MARKER, SALT, { memoryKiB: 4096, lanes: 1 }));
  throw (await Promise.allSettled(jobs)).find((job) => job.status === 'rejected')?.reason;
}

async function closed() {
  const hasher = new PasswordHasher(SMALL);
  await hasher.close();
  return hasher.hash(MARKER);
}

function storeFailed() {
  const client = new FakeIoredis(() => {
    throw Object.assign(new Error(`READONLY ${MARKER}`), { command: MARKER });
  });
  return new RedisRateLimiter({ client, limit: 1, windowMs: 1, onStoreError: 'closed' });
}

/** Code → what provokes it. Called in turn; each throws or rejects. */
const PROVOKED = {
  ERR_INVALID_ARG_TYPE: [
    () => parseJson([MARKER]),
    () => merge(MARKER),
    () => new AesGcmKey(MARKER),
    () => deriveKey(MARKER.repeat(5), MARKER),
    () => keyFromPassphrase(Buffer.from(MARKER), SALT),
    () => new PasswordHasher(MARKER),
    () => new PasswordHasher().hash([MARKER]),
    () => mergeJson([MARKER], '1'),
    () => parseQuery([MARKER]),
    () => parseQuery(MARKER, { arrays: MARKER }),
    () => sanitize(MARKER, { forbiddenKeys: [MARKER, 7777] }),
    () => loadKeyring(Buffer.from(MARKER)),
    () => createKeyring([MARKER]),
    () => loadKeyring({ env: [MARKER] }),
    () => new RedisRateLimiter({ client: MARKER, limit: 1, windowMs: 1 }),
    () => storeFailed().consume([MARKER]),
    () => limiter.consume([MARKER]),
    () => limiter.consume(MARKER, MARKER),
    () => limiter.consumeMany([MARKER, [MARKER]]),
    () => ipKey({ [MARKER]: MARKER }),
    () => new RateLimiter({ limit: MARKER, windowMs: 7777 }),
    () => new HoldfastStore({ limiter: MARKER }),
    () => new HoldfastThrottlerStorage().increment(MARKER, 7777, MARKER, 7777, MARKER),
  ],
  ERR_INVALID_ARG_VALUE: [
    () => parseJson('1', { protoKey: MARKER }),
    () => createMerge({ arrays: MARKER }),
    () => new AesGcmKey(Buffer.from(MARKER)),
    () => deriveKey(Buffer.from(MARKER), MARKER),
    () => keyFromPassphrase(MARKER, SALT, { length: 7777 }),
    () => ring.seal(`${MARKER}\ud800`),
    () => mergeJson('1', '1', { mode: MARKER }),
    () => createKeyring(keyFile('id', ''), { id: `${MARKER} ` }),
    () => rotateKeyring(keyFile('same', `${MARKER} ${'A'.repeat(43)}= 2026-11-22T10:00:00Z`), { id: MARKER }),
    () => loadKeyring(new URL(`https://${MARKER}/`)),
    () => loadKeyring(`${MARKER}\0`),
    () => loadKeyring({ env: `${MARKER}=` }),
    () => new RedisRateLimiter({ client: new FakeIoredis(), limit: 1, windowMs: 1, prefix: `${MARKER}é` }),
    () => new HoldfastStore({ limiter, limit: 7777 }),
    () => new HoldfastStore().init({ limit: () => 7777, windowMs: 7777 }),
    () => new HoldfastStore().increment(MARKER),
  ],
  ERR_OUT_OF_RANGE: [
    () => parseJson('1', { limits: { depth: -7777 } }),
    () => parseQuery(MARKER, { limits: { parameters: -7777 } }),
    () => createMerge({ maxDepth: -7777 }),
    () => ring.seal(MARKER, { into: Buffer.alloc(1) }),
    () => deriveKey(SALT, MARKER.repeat(10_000)),
    () => keyFromPassphrase(MARKER, Buffer.from(MARKER)),
    () => storeFailed().consume(MARKER.repeat(10_000)),
    () => storeFailed().refund(MARKER, -7777),
    () => limiter.consume(MARKER.repeat(10_000)),
    () => limiter.consume(MARKER, -7777),
    () => limiter.consumeMany(Array(77).fill(MARKER)),
    () => new RateLimiter({ limit: -7777, windowMs: 7777 }),
    () => new RateLimiter({ limit: 1, windowMs: 31_622_400_000, burst: 777_700 }),
    () => new RateLimiter({ limit: 1, windowMs: 1, now: () => -7777 }).consume(MARKER),
    () => new HoldfastThrottlerStorage().increment(MARKER, Infinity, 7777, 7777, MARKER),
  ],
  ERR_INTERNAL: [() => native.testPanicCold(), () => native.testPanicFunctions(() => {})[0]()],
  ERR_REGEXP_BACKREFERENCE: [() => new SafeRegExp(`(${MARKER})\\1`)],
  ERR_REGEXP_BUDGET: [
    () => new SafeRegExp('(.*)*\\1!', '', { backreferences: { budget: 1000 } }).test(MARKER.repeat(20)),
  ],
  ERR_REGEXP_MEMORY: [
    () => new SafeRegExp('(?:(h)|(hu)|.)*!', '', { memoryLimit: 65_536 }).exec(MARKER.repeat(100_000)),
  ],
  ERR_REGEXP_TOO_LARGE: [() => new SafeRegExp(`(?:${MARKER}){100000}`)],
  // The class provides what V8 says about characters first.
  ERR_REGEXP_UNSUPPORTED: [() => native.regexpCompile(`${MARKER}\\p{Script=Grek}`, 'u', 65_536)],
  ERR_JSON_SYNTAX: [
    () => parseJson(MARKER),
    () => parseJson(`"${MARKER}`),
    () => mergeJson('{}', MARKER),
  ],
  ERR_JSON_ENCODING: [
    () => parseJson(Buffer.concat([Buffer.from(MARKER), Buffer.from([0xff])])),
    () => mergeJson(Buffer.concat([Buffer.from(MARKER), Buffer.from([0xff])]), '1'),
  ],
  ERR_JSON_PROTO_KEY: [
    () => parseJson(`{"__proto__":"${MARKER}"}`),
    () => merge(JSON.parse(`{"__proto__":"${MARKER}"}`)),
    () => mergeJson('{}', `{"__proto__":"${MARKER}"}`),
    () => sanitize(JSON.parse(`[{"__proto__":"${MARKER}"}]`)),
    () => sanitize({ __proto__: { admin: MARKER } }),
  ],
  ERR_JSON_CONSTRUCTOR_KEY: [
    () => parseJson(`{"constructor":{"prototype":"${MARKER}"}}`),
    () => merge({ constructor: { prototype: MARKER } }),
    () => mergeJson(`{"constructor":{"prototype":"${MARKER}"}}`, '{}'),
    () => sanitize({ constructor: { prototype: MARKER } }),
  ],
  ERR_JSON_FORBIDDEN_KEY: [
    () => parseJson(`{"x":"${MARKER}"}`, { forbiddenKeys: ['x'] }),
    () => parseJson(`{"$x":"${MARKER}"}`, { operatorKeys: 'error' }),
    () => sanitize({ [MARKER]: MARKER }, { forbiddenKeys: [MARKER] }),
    () => sanitize([{ $where: MARKER }], { operatorKeys: 'error' }),
  ],
  ERR_JSON_DUPLICATE_KEY: [() => parseJson(`{"x":"${MARKER}","x":1}`, { duplicateKeys: 'error' })],
  ERR_JSON_NUMBER: [
    () => parseJson(`["${MARKER}",7777777777777777777]`, { numbers: 'error' }),
    () => sanitize({ [MARKER]: Infinity }, { numbers: 'error' }),
    () => sanitize(777_700_000_000_000_000, { numbers: 'error' }),
  ],
  ERR_JSON_LIMIT: [
    () => parseJson(`["${MARKER}"]`, { limits: { depth: 0 } }),
    () => parseJson(`"${MARKER}"`, { limits: { bytes: 1 } }),
    () => parseJson(`{"a":"${MARKER}"}`, { limits: { keys: 0 } }),
    () => parseJson(`{"${MARKER}":1}`, { limits: { keyLength: 1 } }),
    () => parseJson(`["${MARKER}"]`, { limits: { stringLength: 1 } }),
    () => parseJson(`["${MARKER}"]`, { limits: { arrayLength: 0 } }),
    () => mergeJson('{}', `["${MARKER}"]`, { limits: { depth: 0 } }),
    () => createMerge({ maxDepth: 1 })({ [MARKER]: {} }),
    () => sanitize([[MARKER]], { limits: { depth: 1 } }),
    () => sanitize({ [MARKER]: MARKER }, { limits: { keyLength: 6 } }),
  ],
  ERR_QUERY_ENCODING: [() => parseQuery(`${MARKER}=${MARKER}%C0%80`), () => parseQuery(`${MARKER}\ud800`)],
  ERR_QUERY_KEY: [
    () => parseQuery(`a=1&%5F_proto__=${MARKER}`),
    () => parseQuery(`${MARKER}[=${MARKER}`, { nested: true }),
    () => parseQuery(`${MARKER}=1&${MARKER}[${MARKER}]=2`, { nested: true }),
  ],
  ERR_QUERY_DUPLICATE: [() => parseQuery(`${MARKER}=1&${MARKER}=${MARKER}`, { duplicates: 'error' })],
  ERR_QUERY_LIMIT: [
    () => parseQuery(MARKER, { limits: { bytes: 6 } }),
    () => parseQuery(`a=1&${MARKER}=2`, { limits: { parameters: 1 } }),
    () => parseQuery(`${MARKER}[a][b]=${MARKER}`, { nested: true, limits: { depth: 1 } }),
    () => parseQuery(`${MARKER}[]=${MARKER}`, { nested: true, limits: { arrayLength: 0 } }),
  ],
  ERR_PASSWORD_TOO_LONG: [
    () => new PasswordHasher(SMALL).hash(MARKER.repeat(10_000)),
    () => keyFromPassphrase(MARKER.repeat(10_000), SALT),
    () => new PasswordHasher({ algorithm: 'bcrypt', bcrypt: { cost: 4 } }).hash(MARKER.repeat(11)),
  ],
  ERR_PASSWORD_ENCODING: [
    () => new PasswordHasher(SMALL).hash(`${MARKER}\ud800`),
    () => keyFromPassphrase(`${MARKER}\ud800`, SALT),
  ],
  ERR_HASH_MALFORMED: [
    () => new PasswordHasher(SMALL).verify(MARKER, MARKER),
    () => new PasswordHasher(SMALL).needsRehash(MARKER),
  ],
  ERR_HASH_LIMIT: [
    () =>
      new PasswordHasher(SMALL).verify(
        '$argon2id$v=19$m=7777777,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc',
        MARKER,
      ),
  ],
  ERR_QUEUE_FULL: [queueFull, keysQueueFull],
  ERR_CLOSED: [closed, disposed],
  ERR_DECRYPT: [
    () => ring.open(Buffer.from(MARKER)),
    () => ring.openToken(MARKER, { purpose: MARKER }),
    () => ring.inspect(MARKER),
    () => ring.reseal(Buffer.from(MARKER)),
    () => aesGcmDecrypt(Buffer.alloc(32), Buffer.alloc(12), Buffer.alloc(40, MARKER)),
    () => drained(ring.openFile([Buffer.alloc(200, MARKER)])),
    () => new AesGcmKey(Buffer.alloc(16)).open(Buffer.alloc(40, MARKER)),
  ],
  ERR_UNKNOWN_KEY: [
    () =>
      new Keyring({ primary: 'k2', keys: { k2: Buffer.alloc(32, 2) } }).open(
        new Keyring({ primary: MARKER, keys: { [MARKER]: Buffer.alloc(32) } }).seal(MARKER),
      ),
  ],
  ERR_KEY_FILE: [
    () => loadKeyring(keyFile('malformed', MARKER)),
    () => loadKeyring(keyFile('base64', `${MARKER} ${MARKER} ${MARKER}`)),
    () => loadKeyring(keyFile('empty', '')),
    () => loadKeyring(keyFile('utf16', Buffer.from(`\ufeff${MARKER}`, 'utf16le'))),
    () => loadKeyring(keyFile('huge', `#${MARKER.repeat(200_000)}`)),
    () => loadKeyring(folder),
    () => loadKeyring({ env: 'HOLDFAST_TEST_KEYS' }),
    () => loadKeyring({ env: MARKER }),
    () => rotateKeyring(keyFile('rotated', MARKER)),
    () => {
      keyFile('locked.lock', MARKER);
      return rotateKeyring(keyFile('locked', MARKER));
    },
  ],
  ERR_TOKEN_EXPIRED: [expired],
  ERR_STREAM_TRUNCATED: [truncated],
  ERR_RATE_STORE: [() => storeFailed().consume(MARKER), () => storeFailed().reset(MARKER)],
  ERR_RATE_LIMITED: [
    async () => {
      const limit = rateLimit({ limit: 1, windowMs: 7777 });
      await passedOn(limit, post({}));
      await passedOn(limit, post({}));
    },
  ],
  ERR_BODY_LIMIT: [
    () => passedOn(limitBody({ maxBytes: 1 }), post({ 'content-length': '77777' })),
    () => passedOn(safeJson({ limits: { bytes: 1 } }), post(JSON_BODY)),
  ],
  ERR_BODY_LENGTH: [() => passedOn(limitBody(), post({ 'transfer-encoding': 'chunked', 'content-type': MARKER }))],
  ERR_BODY_TYPE: [
    () => passedOn(safeJson(), post({ ...JSON_BODY, 'content-encoding': MARKER })),
    () => passedOn(safeJson(), post({ ...JSON_BODY, 'content-type': `application/json; charset=${MARKER}` })),
  ],
  ERR_BODY_ABORTED: [() => passedOn(safeJson(), post({ ...JSON_BODY, 'content-length': '9' }))],
  ERR_CSRF: [
    () => passedOn(csrf(), post({ origin: `https://${MARKER}.example` })),
    () => passedOn(csrf({ keyring: ring }), post({ cookie: MARKER, 'x-csrf-token': MARKER })),
  ],
  ERR_ENVIRONMENT: [
    () => requireEnv({ [MARKER.toUpperCase()]: AN_INTEGER }, { env: {} }),
    () => requireEnv({ PORT: AN_INTEGER }, { env: { PORT: MARKER } }),
    () => requireEnv({ KEY: ANYTHING }, { env: { KEY: MARKER }, secrets: ['KEY'] }),
  ],
  ERR_PEER: [() => loadPeer('a-package-that-nobody-has', 'It is needed for a test.')],
  ABORT_ERR: [
    () => new PasswordHasher(SMALL).hash(MARKER, { signal: AbortSignal.abort() }),
    () => new PasswordHasher(SMALL).verify(null, MARKER, { signal: AbortSignal.abort(0) }),
    () => keyFromPassphrase(MARKER, SALT, { signal: AbortSignal.abort() }),
  ],
};

/** Codes that cannot be provoked here, and the test that does. */
const ELSEWHERE = {
  // When the head of an answer is written.
  ERR_SESSION_LIMIT: ['__test__/http/sealed-session-limits.test.js', /'ERR_SESSION_LIMIT'/],
  // It takes @nestjs/common.
  ERR_PATTERN: ['__test__/nestjs/pipes.test.js', /'ERR_PATTERN'/],
  // It takes 2³² messages; the Rust test sets the counter.
  ERR_KEY_EXHAUSTED: ['crates/aead/src/gcm.rs', /Err\(Error::KeyExhausted\)\);/],
  // It takes another platform, or a missing file.
  ERR_BINDING: ['__test__/binding.test.js', /assert\.equal\(answer\.code, 'ERR_BINDING'/],
};

/** What a middleware passes on, for a request of these parts. */
function passedOn(middleware, { body = MARKER, ...parts }) {
  const req = Object.assign(Readable.from(body === undefined ? [] : [Buffer.from(body)]), { url: `/${MARKER}`, ...parts });
  req.socket = { remoteAddress: MARKER };
  const res = new http.ServerResponse({ method: 'POST' });
  return new Promise((resolve, reject) => {
    middleware(req, res, (error) => (error === undefined ? resolve() : reject(error)));
  });
}

const post = (headers, body) => ({ method: 'POST', headers, body });
const JSON_BODY = { 'content-type': 'application/json', 'content-length': String(MARKER.length) };

async function provoke(attempt) {
  try {
    await attempt();
  } catch (error) {
    return error;
  }
  return assert.fail('nothing was thrown');
}

describe('the codes', () => {
  it('are the same in lib/errors.js and in index.d.ts', () => {
    const [, union] = /export type ErrorCode =([^;]+);/.exec(read('index.d.ts'));
    assert.deepEqual([...union.matchAll(/'(\w+)'/g)].map(([, code]) => code).sort(), Object.keys(CODES).sort());
  });

  it('of JsonError are those that parseJson throws', () => {
    const [, declared] = /export type JsonErrorCode =([^;]+);/.exec(read('index.d.ts'));
    const json = Object.keys(CODES).filter((code) => CODES[code].base === 'json');
    assert.deepEqual([...declared.matchAll(/'(\w+)'/g)].map(([, code]) => code).sort(), json.sort());
  });

  it('of the native part are in the table', () => {
    const codes = native.errorCodes();
    assert.ok(codes.length > 10);
    assert.equal(new Set(codes).size, codes.length);
    for (const code of codes) assert.ok(CODES[code] !== undefined, code);
  });

  it('are each provoked, here or in the test that is named', () => {
    assert.deepEqual([...Object.keys(PROVOKED), ...Object.keys(ELSEWHERE)].sort(), Object.keys(CODES).sort());
    for (const [file, proof] of Object.values(ELSEWHERE)) assert.match(read(file), proof);
  });

  it('cannot be changed', () => {
    assert.throws(() => (CODES.ERR_NEW = {}), TypeError);
    assert.equal(Object.getPrototypeOf(CODES), null);
    assert.equal(CODES.toString, undefined);
  });
});

describe('errors', () => {
  const BASES = { type: [TypeError, 'TypeError'], range: [RangeError, 'RangeError'], json: [JsonError, 'JsonError'], abort: [AbortError, 'AbortError'] };

  for (const [code, attempts] of Object.entries(PROVOKED)) {
    it(`with ${code}`, async () => {
      for (const attempt of attempts) {
        const error = await provoke(attempt);
        const { base, status } = CODES[code];
        assert.equal(error.code, code, error.stack);
        // What merge refuses has no place in a text: it is a HoldfastError under the code of JSON.
        const [expected, name] =
          base === undefined || (base === 'json' && !(error instanceof JsonError))
            ? [HoldfastError, 'HoldfastError']
            : BASES[base];
        assert.ok(error instanceof expected && error instanceof Error);
        assert.equal(error.name, name);
        assert.equal(Object.getPrototypeOf(error), expected.prototype);
        assert.deepEqual([error.status, error.expose], status === undefined ? [undefined, undefined] : [status, true]);
        assert.equal('retryAfterMs' in error, ['ERR_QUEUE_FULL', 'ERR_RATE_LIMITED', 'ERR_RATE_STORE'].includes(code));
        assert.equal(error.statusCode, status);
        assert.ok(error.stack.includes(error.message) && !Object.keys(error).includes('name'));
        assert.match(error.message, /^\S.{8,}[^.\s]$/su, 'a sentence, without a full stop');
        for (const rejected of [MARKER, '7777'])
          assert.ok(!`${error.message}${error.stack}`.includes(rejected), error.message);
        assert.ok(
          !JSON.stringify(error).includes(MARKER) || code.startsWith('ERR_JSON'),
          'nor in a field, the path of JSON apart',
        );
        assert.equal('cause' in error, ['ABORT_ERR', 'ERR_RATE_STORE'].includes(code));
      }
    });
  }

  it('have the statuses that index.d.ts declares', () => {
    const statuses = new Set(
      Object.values(CODES)
        .map(({ status }) => status)
        .filter(Boolean),
    );
    const declared = [...statuses].sort().join(' | ');
    for (const name of ['status', 'statusCode']) assert.ok(read('index.d.ts').includes(`readonly ${name}?: ${declared};`));
  });

  it('from native code are made by lib/errors.js, with its classes', async () => {
    const cold = await provoke(() => native.testPanicCold());
    const hot = await provoke(() => native.jsonGuard(0, [], [])[0]());
    assert.deepEqual([cold.constructor, hot.constructor], [HoldfastError, TypeError]);
    assert.equal(hot.code, 'ERR_INVALID_ARG_TYPE');
  });

  it('are plain about what they are', () => {
    const error = createError('ERR_DECRYPT', 'decryption failed');
    assert.equal(String(error), 'HoldfastError: decryption failed');
    assert.deepEqual(Object.keys(error), ['code']);
    assert.equal(HoldfastError.name, 'HoldfastError');
    assert.equal(JsonError.name, 'JsonError');
  });
});
