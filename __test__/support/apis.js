'use strict';

/** Every function that takes options: how to call it with them, and a set that it takes. */

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const {
  AesGcmKey,
  HoldfastStore,
  HoldfastThrottlerStorage,
  JsonGuard,
  Keyring,
  PasswordHasher,
  RateLimiter,
  RedisRateLimiter,
  SafeRegExp,
  SafeRegExpSet,
  aesGcmDecrypt,
  aesGcmEncrypt,
  analyzeRegExp,
  createKeyring,
  createMerge,
  deriveKey,
  mergeJson,
  parseJson,
  parseQuery,
  rotateKeyring,
  sanitize,
  scanJson,
  tryParseJson,
} = require('../..');
const { FakeIoredis } = require('./fake-redis.js');

const raw = Buffer.alloc(32, 1);
const key = new AesGcmKey(raw);
const ring = new Keyring({ primary: 'k1', keys: { k1: Buffer.alloc(32, 1) } });
const nonce = Buffer.alloc(12, 3);
const token = ring.sealToken(1, { purpose: 'session' });

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'holdfast-options-'));
process.once('exit', () => fs.rmSync(folder, { recursive: true, force: true }));
const keyFile = (name) => path.join(folder, name);
createKeyring(keyFile('old.keys'), { id: 'old' });

const reviver = (key, value) => value;
const JSON_LIMITS = { bytes: 100, depth: 10, keys: 10, keyLength: 10, stringLength: 10, arrayLength: 10 };
const jsonOptions = () => ({
  protoKey: 'error',
  constructorKey: 'error',
  forbiddenKeys: ['x'],
  operatorKeys: 'error',
  duplicateKeys: 'error',
  numbers: 'error',
  limits: { ...JSON_LIMITS },
  reviver,
});
const QUERY_OPTIONS = {
  duplicates: 'array',
  arrays: ['a'],
  nested: true,
  limits: { bytes: 1, parameters: 1, depth: 1, arrayLength: 1 },
};
const MERGE_JSON_OPTIONS = { mode: 'deep', arrays: 'concat', limits: JSON_LIMITS };
const HASHER_OPTIONS = {
  algorithm: 'argon2id',
  argon2: { memoryKiB: 8, passes: 1, lanes: 1, tagLength: 32, saltLength: 16 },
  bcrypt: { cost: 4 },
  bcryptLong: 'truncate',
  scrypt: { logN: 4, r: 8, p: 1 },
  normalize: 'NFC',
  threads: 1,
  maxQueue: 1,
  limits: { memoryKiB: 19456, passes: 2, lanes: 1, cost: 12, logN: 17 },
};

const REDIS_LIMITER_OPTIONS = {
  client: new FakeIoredis(),
  limit: 5,
  windowMs: 1000,
  burst: 10,
  prefix: 'x:',
  ipv6Prefix: 64,
  onStoreError: 'open',
  timeoutMs: 100,
  maxPending: 10,
  fallback: new RateLimiter({ limit: 5, windowMs: 1000 }),
};
const RATE_OPTIONS = { limit: 10, windowMs: 1000, burst: 20, maxKeys: 100, ipv6Prefix: 64, now: noon };
const STORE_OPTIONS = { limit: 10, burst: 20, maxKeys: 100, ipv6Prefix: 64 };
const limiter = new RateLimiter(RATE_OPTIONS);

const MERGE_OPTIONS = { arrays: 'concat', undefined: 'assign', maxDepth: 100, unsafeKeys: 'remove' };
const REGEXP_OPTIONS = { memoryLimit: 65_536, backreferences: { budget: 100 } };

/**
 * `isHot`: called so often that only enumerable names are looked at.
 *
 * @type {Record<string, { call: (options?: any) => unknown, good: () => any, required?: boolean, isHot?: boolean }>}
 */
const APIS = {
  parseJson: { call: (options) => parseJson('{"a":[1]}', options), good: jsonOptions },
  tryParseJson: { call: (options) => tryParseJson('{"a":1}', options), good: jsonOptions },
  scanJson: { call: (options) => scanJson('{"a":1}', options), good: jsonOptions },
  JsonGuard: { call: (options) => new JsonGuard(options), good: jsonOptions },
  parseQuery: { call: (options) => parseQuery('', options), good: () => structuredClone(QUERY_OPTIONS) },
  sanitize: {
    call: (options) => sanitize(1, options),
    good: jsonOptions,
  },
  createMerge: { call: (options) => createMerge(options)({ a: 1 }), good: () => ({ ...MERGE_OPTIONS }) },
  mergeJson: {
    call: (options) => mergeJson('{"a":1}', '{"b":[]}', options),
    good: () => structuredClone(MERGE_JSON_OPTIONS),
  },
  PasswordHasher: { call: (options) => new PasswordHasher(options), good: () => structuredClone(HASHER_OPTIONS) },
  RedisRateLimiter: {
    call: (options) => new RedisRateLimiter(options),
    good: () => ({ ...REDIS_LIMITER_OPTIONS }),
    required: true,
  },
  RateLimiter: {
    call: (options) => new RateLimiter(options).consume('a'),
    good: () => ({ ...RATE_OPTIONS }),
    required: true,
  },
  HoldfastStore: { call: (options) => new HoldfastStore(options), good: () => ({ ...STORE_OPTIONS }) },
  'HoldfastStore, limiter': { call: (options) => new HoldfastStore(options), good: () => ({ limiter }) },
  HoldfastThrottlerStorage: {
    call: (options) => new HoldfastThrottlerStorage(options),
    good: () => ({ maxKeys: 100, now: noon }),
  },
  SafeRegExp: { call: (options) => new SafeRegExp('a', '', options), good: () => structuredClone(REGEXP_OPTIONS) },
  SafeRegExpSet: {
    call: (options) => new SafeRegExpSet(['a'], '', options),
    good: () => structuredClone(REGEXP_OPTIONS),
  },
  analyzeRegExp: { call: (options) => analyzeRegExp('a+$', '', options), good: () => ({ timeoutMs: 2000 }) },
  aesGcmEncrypt: { call: (options) => aesGcmEncrypt(raw, nonce, 'x', options), good: call, isHot: true },
  aesGcmDecrypt: {
    call: (options) => aesGcmDecrypt(raw, nonce, key.encrypt(nonce, 'x'), options),
    good: call,
    isHot: true,
  },
  'AesGcmKey.encrypt': { call: (options) => key.encrypt(nonce, 'x', options), good: call, isHot: true },
  'AesGcmKey.decrypt': {
    call: (options) => key.decrypt(nonce, key.encrypt(nonce, 'x'), options),
    good: call,
    isHot: true,
  },
  'AesGcmKey.seal': { call: (options) => key.seal('x', options), good: call, isHot: true },
  'AesGcmKey.open': { call: (options) => key.open(key.seal('x'), options), good: call, isHot: true },
  'Keyring.seal': { call: (options) => ring.seal('x', options), good: call, isHot: true },
  'Keyring.open': { call: (options) => ring.open(ring.seal('x'), options), good: call, isHot: true },
  'Keyring.reseal': { call: (options) => ring.reseal(ring.seal('x'), options), good: call, isHot: true },
  'Keyring.sealStream': { call: (options) => ring.sealStream(options), good: () => ({ aad: 'x' }) },
  'Keyring.openStream': { call: (options) => ring.openStream(options), good: () => ({ aad: 'x' }) },
  'Keyring.sealWebStream': { call: (options) => ring.sealWebStream(options), good: () => ({ aad: 'x' }) },
  'Keyring.openWebStream': { call: (options) => ring.openWebStream(options), good: () => ({ aad: 'x' }) },
  'Keyring.sealFile': { call: (options) => ring.sealFile([], options), good: () => ({ aad: 'x' }) },
  'Keyring.openFile': { call: (options) => ring.openFile([], options), good: () => ({ aad: 'x' }) },
  Keyring: {
    call: (options) => new Keyring(options),
    good: () => ({ primary: 'a', keys: { a: Buffer.alloc(32) } }),
    required: true,
  },
  deriveKey: {
    call: (options) => deriveKey(Buffer.alloc(32, 1), 'cookies', options),
    good: () => ({ salt: Buffer.alloc(16, 2), length: 32 }),
  },
  createKeyring: {
    call(options) {
      fs.rmSync(keyFile('new.keys'), { force: true });
      return createKeyring(keyFile('new.keys'), options);
    },
    good: () => ({ id: 'new' }),
  },
  rotateKeyring: {
    call(options) {
      fs.copyFileSync(keyFile('old.keys'), keyFile('rotated.keys'));
      return rotateKeyring(keyFile('rotated.keys'), options);
    },
    good: () => ({ id: 'new' }),
  },
  sealToken: {
    call: (options) => ring.sealToken(1, options),
    good: () => ({ purpose: 'session', ttlMs: 1000 }),
    required: true,
    isHot: true,
  },
  openToken: {
    call: (options) => ring.openToken(token, options),
    good: () => ({ purpose: 'session' }),
    required: true,
    isHot: true,
  },
};

function noon() {
  return 43_200_000;
}

function call() {
  return { aad: '', into: Buffer.alloc(100) };
}

/** The option at `path` set in a copy of `options`, the objects on the way made where they are missing. */
function withOption(options, path, value) {
  const copy = { ...options };
  copy[path[0]] = path.length === 1 ? value : withOption(copy[path[0]] ?? {}, path.slice(1), value);
  return copy;
}

/** Every path in a set of options: `limits`, `limits.depth` and so on; not into what is a value. */
function paths(options, prefix = []) {
  return Object.keys(options).flatMap((name) => {
    const value = options[name];
    const path = [...prefix, name];
    const isSet = typeof value === 'object' && Object.getPrototypeOf(value) === Object.prototype && name !== 'keys';
    return isSet ? [path, ...paths(value, path)] : [path];
  });
}

module.exports = { APIS, paths, withOption };
