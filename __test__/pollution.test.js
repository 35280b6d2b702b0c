'use strict';

/**
 * A polluted Object.prototype sets no option, changes no result and no error, and nothing here pollutes anything.
 * Every name that index.d.ts and lib/ use is tried, with values that would do harm as an option.
 */

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { describe, it } = require('node:test');
const {
  AesGcmKey,
  HoldfastError,
  HoldfastStore,
  HoldfastThrottlerStorage,
  JsonGuard,
  Keyring,
  PasswordHasher,
  RedisRateLimiter,
  RateLimiter,
  SafeRegExp,
  analyzeRegExp,
  createKeyring,
  createMerge,
  deriveKey,
  ipKey,
  keyFromPassphrase,
  loadKeyring,
  merge,
  parseJson,
  parseQuery,
  sanitize,
  scanJson,
  tryParseJson,
} = require('..');
const { createError } = require('../lib/errors.js');
const { runNode } = require('./support/child.js');
const { FakeIoredis } = require('./support/fake-redis.js');
const { writeKeys } = require('./support/key-files.js');
const { openMessage } = require('./support/xaes.js');

const root = path.join(__dirname, '..');
const SMALL = { memoryKiB: 8, passes: 1 };
const ARGON2 = '$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc';
const BCRYPT = '$2b$12$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW';

const key = Buffer.alloc(32, 1);
const [nonce, gcm, ring] = [Buffer.alloc(12, 2), new AesGcmKey(key), new Keyring({ primary: 'k1', keys: { k1: key } })];
const sealed = ring.seal('note');
const token = ring.sealToken({ user: 7 }, { purpose: 'session' });
const keyText = `k2 ${'A'.repeat(43)}= 2026-11-22T10:00:00Z\nk1 ${key.toString('base64')} 2026-11-22T10:00:00Z\n`;
const keyFile = writeKeys(keyText);
process.env.HOLDFAST_TEST_KEYS = keyText;

/** What a call came to, as far as its caller can see it: own fields of errors, nothing inherited. */
function outcome(call) {
  try {
    return { value: call() };
  } catch (error) {
    const fields = Object.fromEntries(
      Object.getOwnPropertyNames(error)
        .filter((name) => name !== 'stack')
        .map((name) => [name, error[name]]),
    );
    return { thrown: error.constructor.name, fields };
  }
}

/** One call or more for every option there is, each with the same outcome every time. */
/** Of an analysis all but its function, and a text of that. */
function told({ attackString, ...rest }) {
  return [attackString(2), Object.entries(rest)];
}

const CALLS = {
  'parseJson, __proto__': () => parseJson('{"__proto__":1}'),
  'parseJson, __proto__, {}': () => parseJson('{"__proto__":1}', {}),
  'parseJson, constructor': () => parseJson('{"constructor":{"prototype":1}}', { limits: {} }),
  'parseJson, remove': () => Object.keys(parseJson('{"__proto__":1,"a":[]}', { protoKey: 'remove' })),
  'parseJson, depth': () => parseJson(`${'['.repeat(128)}${']'.repeat(128)}`, { limits: { bytes: 1000 } }),
  'parseJson, too deep': () => parseJson(`${'['.repeat(129)}${']'.repeat(129)}`, { limits: {} }),
  'parseJson, bytes': () => parseJson(Buffer.from('{"a":"é"}'), { limits: { depth: 2 } }),
  'parseJson, too long': () => parseJson('"abc"', { limits: { bytes: 4 } }),
  'parseJson, malformed': () => parseJson('{"a":'),
  'parseJson, no input': () => parseJson(),
  'parseJson, small': () => [parseJson('{"a":[1]}'), parseJson(Buffer.from('"é"')), parseJson('"a_b\\n"')],
  'parseJson, lenient': () => parseJson('[{"$a":1,"b":1,"b":9007199254740993,"cc":[1,2]}]', { limits: { depth: 9 } }),
  'parseJson, strict': () => parseJson('{"a":1,"a":2}', { duplicateKeys: 'error' }),
  'parseJson, reviver': () => parseJson('{"a":1}', { reviver: (key, value) => (key === 'a' ? [value] : value) }),
  'parseJson, cut': () => parseJson('{"$a":{"b":1},"c":2}', { operatorKeys: 'remove' }),
  scanJson: () => [scanJson('{"__proto__":{"a":[1'), scanJson('1', {})],
  tryParseJson: () => [tryParseJson('[1]'), tryParseJson('[1', {}).ok],
  'JsonGuard, {}': () => new JsonGuard({}).parse('{"$a":1,"constructor":"Acme"}'),
  'JsonGuard, limits': () => new JsonGuard({ limits: { keys: 1 } }).tryParse('{"a":1,"b":2}').error.message,
  sanitize: () => sanitize({ a: [{ b: 1 }], $c: Infinity, d: new Date(0) }),
  'sanitize, {}': () => sanitize([{ a: { b: 'x' } }], {}),
  'sanitize, refused': () => sanitize({ a: JSON.parse('{"__proto__":1}') }, { limits: {} }),
  'sanitize, remove': () => sanitize({ a: JSON.parse('{"__proto__":1}') }, { protoKey: 'remove' }),
  parseQuery: () => Object.entries(parseQuery('a=1&b=2&a=3')),
  'parseQuery, {}': () => Object.entries(parseQuery('a[b]=1&c=', {})),
  'parseQuery, nested': () => parseQuery('a[b][]=1&a[b][]=2', { nested: true, limits: {} }).a.b,
  'parseQuery, refused': () => parseQuery('__proto__=1'),
  merge: () => merge({ a: { b: 1 } }, { a: { c: [2] }, d: null }),
  'merge, refused': () => merge({ a: JSON.parse('{"__proto__":1}') }),
  'merge, wrong': () => merge(1),
  'createMerge, defaults': () => createMerge()({ a: [1], b: undefined }, { a: [2] }),
  'createMerge, {}': () => createMerge({})({ a: [1] }, { a: [2, { x: undefined }] }),
  'createMerge, arrays': () => {
    const [first, second] = [{ a: [1, { b: 1 }] }, { a: [1, { c: [2] }, 3] }];
    return ['concat', 'unique', 'index'].map((arrays) => createMerge({ arrays })(first, second));
  },
  'createMerge, remove': () => {
    const hostile = JSON.parse('{"__proto__":1,"a":[{"constructor":{"prototype":1},"b":2}]}');
    return createMerge({ unsafeKeys: 'remove' })(hostile, { c: 1 });
  },
  'createMerge, wrong': () => createMerge({ array: 'concat' }),
  'hasher, argon2 defaults': () => new PasswordHasher().needsRehash(ARGON2),
  'hasher, {}': () => new PasswordHasher({ argon2: {}, bcrypt: {}, limits: {} }).needsRehash(ARGON2),
  'hasher, some given': () => new PasswordHasher({ argon2: { memoryKiB: 19456 } }).needsRehash(ARGON2),
  'hasher, bcrypt defaults': () => new PasswordHasher({ algorithm: 'bcrypt' }).needsRehash(BCRYPT),
  'hasher, limits': () => new PasswordHasher({ argon2: { passes: 17 } }),
  'hasher, bcrypt limits': () => new PasswordHasher({ algorithm: 'bcrypt', bcrypt: { cost: 17 } }),
  'hasher, stats': () => Object.entries(new PasswordHasher().stats()),
  'hasher, malformed': () => new PasswordHasher().needsRehash('x'),
  encrypt: () => gcm.encrypt(nonce, 'x').toString('hex'),
  'encrypt, {}': () => gcm.encrypt(nonce, 'x', {}).toString('hex'),
  decrypt: () => gcm.decrypt(nonce, gcm.encrypt(nonce, 'x', {}), {}).toString(),
  'seal, open': () => gcm.open(gcm.seal('x', {}), {}).toString(),
  'seal, its form': () => gcm.seal('x', { aad: 'y' }).length,
  'decrypt, damaged': () => gcm.decrypt(nonce, Buffer.alloc(20)),
  'ring.open': () => [ring.open(sealed).toString(), ring.open(sealed, {}).toString()],
  'ring.seal': () => openMessage(ring.seal('x', {}), key).toString(),
  'ring, no options': () => new Keyring(),
  'ring, {}': () => new Keyring({}),
  'ring, no keys': () => new Keyring({ primary: 'primary' }),
  'ring, keys inherited': () => new Keyring({ primary: 'primary', keys: {} }),
  'sealToken, for ever': () =>
    openMessage(Buffer.from(ring.sealToken(1, { purpose: 'p' }), 'base64url'), key, Buffer.from('p')).toString('hex'),
  'sealToken, no purpose': () => ring.sealToken(1, {}),
  openToken: () => ring.openToken(token, { purpose: 'session' }),
  'openToken, no purpose': () => ring.openToken(token, {}),
  deriveKey: () => deriveKey(key, 'cookies').toString('hex'),
  'deriveKey, {}': () => deriveKey(key, 'cookies', {}).toString('hex'),
  'deriveKey, short': () => deriveKey(Buffer.alloc(4), 'cookies'),
  loadKeyring: () => loadKeyring(keyFile).open(sealed).toString(),
  'loadKeyring, env': () => loadKeyring({ env: 'HOLDFAST_TEST_KEYS' }).open(sealed).toString(),
  'loadKeyring, {}': () => loadKeyring({}),
  'createKeyring, a wrong id': () => createKeyring(keyFile, { id: '' }),
  'limiter in Redis': () => Object.entries(new RedisRateLimiter(shared()).stats()),
  'limiter in Redis, no rate': () => new RedisRateLimiter({ client: new FakeIoredis() }),
  'limiter in Redis, no client': () => new RedisRateLimiter({ limit: 5, windowMs: 1000 }),
  'limiter, consume': () => {
    const limiter = new RateLimiter({ limit: 3, windowMs: 1000, now: () => 0 });
    const answers = [limiter.consume('2001:db8::1'), limiter.consume('2001:db8::2', 3), limiter.peek('2001:db8::3')];
    return [...answers, limiter.stats()].map((answer) => Object.entries(answer));
  },
  'limiter, consumeMany': () => {
    const limiter = new RateLimiter({ limit: 3, windowMs: 1000, now: () => 0 });
    return [limiter.consumeMany(['a', 'b']), limiter.consumeMany(['a', 'b', 'a'], 2)].map((answer) =>
      Object.entries(answer),
    );
  },
  'limiter, burst and now': () => new RateLimiter({ limit: 1e9, windowMs: 1 }).consume('a').remaining > 4,
  'limiter, no rate': () => new RateLimiter({}),
  'limiter, no window': () => new RateLimiter({ limit: 1 }),
  ipKey: () => [ipKey('2001:db8::1'), ipKey('::ffff:203.0.113.7'), ipKey('a key')],
  'store, no rate': () => new HoldfastStore({}).init({ limit: 5 }),
  'store, no limit': () => new HoldfastStore().init({ limit: () => 5, windowMs: 1000 }),
  'store, a rate': () => new HoldfastStore().init({ limit: 5, windowMs: 1000 }),
  'throttler, wrong': () => new HoldfastThrottlerStorage({ limit: 5 }),
  'regexp, test': () => new SafeRegExp('^(?<year>\\d{4})-(\\d\\d)$', 'd').test('2026-11'),
  'regexp, exec': () => [...new SafeRegExp('(a)|(b)').exec('b')],
  'redos, attack': () => told(analyzeRegExp('(a+)+$', '', { timeoutMs: 60_000 })),
  'redos, {}': () => told(analyzeRegExp(/a+$/, undefined, {})),
  'redos, none': () => told(analyzeRegExp(/^a+$/u)),
  'redos, unknown': () => told(analyzeRegExp(`${'('.repeat(201)}${')'.repeat(201)}`)),
  'regexp, refused': () => new SafeRegExp('(a)\\1'),
  'an error of each kind': () =>
    ['ERR_CLOSED', 'ERR_JSON_LIMIT', 'ERR_OUT_OF_RANGE', 'ERR_INVALID_ARG_TYPE', 'ERR_QUEUE_FULL'].map((code) => {
      const error = createError(code, 'text');
      return [error.constructor.name, Object.hasOwn(error, 'cause'), ...Object.entries(error)];
    }),
  'an error with details': () => {
    const error = new HoldfastError('ERR_BINDING', 'text', {});
    return [Object.hasOwn(error, 'cause'), ...Object.entries(error)];
  },
};

/** Options of a limiter whose store answers as it is told. */
function shared(answer) {
  return { client: new FakeIoredis(answer), limit: 5, windowMs: 3_600_000 };
}

/** Calls that answer later; they are made under pollution and awaited after it. */
const JOBS = {
  'hash, argon2': async () => (await new PasswordHasher({ argon2: SMALL }).hash('pw')).replace(/\$[^$]+\$[^$]+$/, ''),
  'hash, bcrypt': async () =>
    (await new PasswordHasher({ algorithm: 'bcrypt', bcrypt: { cost: 4 } }).hash('pw')).slice(0, 7),
  'verify, over the limit': () =>
    new PasswordHasher({ argon2: SMALL }).verify(ARGON2.replace('m=19456', 'm=262145'), 'pw'),
  'verify, no hash': () => new PasswordHasher({ argon2: SMALL }).verify(null, 'pw'),
  keyFromPassphrase: async () => (await keyFromPassphrase('pw', key, { ...SMALL, lanes: 1 })).toString('hex'),
  'keyFromPassphrase, too little': () => keyFromPassphrase('pw', key, { memoryKiB: 31 }),
  'limiter in Redis, allowed': () => new RedisRateLimiter(shared()).consume('a'),
  'limiter in Redis, refused': () => new RedisRateLimiter(shared(() => -1)).consume('a', 6),
  'limiter in Redis, away': async () => {
    const limiter = new RedisRateLimiter(shared(() => Promise.reject(new Error('LOADING'))));
    const results = [await limiter.consume('a', 6), await limiter.peek('a'), limiter.stats()];
    return results.map((result) => Object.entries(result));
  },
  'limiter in Redis, closed': () => {
    const store = shared(() => Promise.reject(new Error('LOADING')));
    return new RedisRateLimiter({ ...store, onStoreError: 'closed' }).consume('a');
  },
  'store, hits': async () => {
    const store = new HoldfastStore();
    store.init({ limit: 1, windowMs: 3_600_000 });
    const hits = [store.increment('a'), store.increment('a'), store.decrement('a'), store.get('a'), store.get('b')];
    return (await Promise.all(hits)).map((hit) => hit?.totalHits);
  },
  'throttler, hits': async () => {
    const storage = new HoldfastThrottlerStorage({ now: () => 0 });
    const hits = [1, 2, 3].map(() => storage.increment('a', 60_000, 2, 60_000, 'default'));
    return (await Promise.all(hits)).map((hit) => Object.entries(hit).flat().join());
  },
  'four at once': () => {
    const hasher = new PasswordHasher({ argon2: SMALL });
    return Promise.all([1, 2, 3, 4].map(async () => (await hasher.hash('pw')).length));
  },
};

/** Every name of an option, of a field and of anything else that is looked up by name. */
function names() {
  const found = new Set([
    'base',
    'cause',
    'retryAfterMs',
    'value',
    'enumerable',
    'writable',
    'configurable',
    'hasher',
    'engine',
    'lastIndex',
    'groups',
  ]);
  for (const [, name] of fs
    .readFileSync(path.join(root, 'index.d.ts'), 'utf8')
    .matchAll(/^ +(?:readonly )?(\w+)\??: /gm))
    found.add(name);
  // The folders of lib/ are what stands around HTTP; its tests pollute, too.
  for (const file of fs.readdirSync(path.join(root, 'lib')).filter((name) => name.endsWith('.js'))) {
    const source = fs.readFileSync(path.join(root, 'lib', file), 'utf8').replace(/\/\*[^]*?\*\/|\/\/.*/g, '');
    for (const [, name] of source.matchAll(/\.(\w+)|\b(?:const|let) \{ /g))
      if (name !== undefined && /^[a-z]/.test(name)) found.add(name);
    for (const [, list] of source.matchAll(/\{ ([\w, ]+) \}/g)) for (const name of list.split(', ')) found.add(name);
  }
  // These stand on Object.prototype already, or are methods of other built-ins that are found before it.
  return [...found].filter((name) => name !== '' && !(name in Object.prototype));
}

const HOSTILE = [
  4,
  0,
  -1,
  'ignore',
  'bcrypt',
  'type',
  '__proto__',
  true,
  null,
  { prototype: {} },
  Buffer.alloc(200),
  () => 1,
];

function polluted(name, value, body) {
  Object.defineProperty(Object.prototype, name, {
    __proto__: null,
    value,
    configurable: true,
    enumerable: true,
    writable: true,
  });
  try {
    return body();
  } finally {
    delete Object.prototype[name];
  }
}

describe('Object.prototype', () => {
  it('polluted with any name there is changes no result and no error', async (t) => {
    const expected = Object.fromEntries(Object.entries(CALLS).map(([name, call]) => [name, outcome(call)]));
    const tried = names();
    for (const name of tried) {
      for (const value of HOSTILE) {
        const label = (call) => `${call} with Object.prototype.${name} = ${String(value)}`;
        const results = polluted(name, value, () => Object.entries(CALLS).map(([call, run]) => [call, outcome(run)]));
        for (const [call, result] of results) assert.deepEqual(result, expected[call], label(call));
      }
    }
    t.diagnostic(`${tried.length} names, ${HOSTILE.length} values, ${Object.keys(CALLS).length} calls`);
    for (const name of [
      'cost',
      'memoryKiB',
      'protoKey',
      'aad',
      'into',
      'ttlMs',
      'purpose',
      'keys',
      'status',
      'base',
      'limit',
      'burst',
      'now',
    ])
      assert.ok(tried.includes(name), name);
  });

  it('nor what is answered later', async () => {
    const settle = async (jobs) =>
      (await Promise.allSettled(jobs)).map(({ status, value, reason }) => [
        status,
        value,
        reason?.code,
        reason?.message,
      ]);
    const expected = await settle(Object.values(JOBS).map((job) => job()));
    for (const name of names()) {
      // A `then` makes every object a promise, for the language itself.
      if (name === 'then') continue;
      for (const value of [4, 'bcrypt']) {
        const started = polluted(name, value, () => Object.values(JOBS).map((job) => job()));
        assert.deepEqual(await settle(started), expected, `Object.prototype.${name} = ${String(value)}`);
      }
    }
  });

  it('polluted before holdfast is loaded changes nothing either', async () => {
    const { code, stdout, stderr } = await runNode(`
      for (const [name, value] of Object.entries({ cost: 4, algorithm: 'bcrypt', memoryKiB: 8, passes: 1, status: 200, base: 'type',
        protoKey: 'ignore', constructorKey: 'remove', depth: 1, bytes: 1, aad: 'x', ttlMs: 1, threads: 1000, maxQueue: 0 })) {
        Object.defineProperty(Object.prototype, name, { value, configurable: true, writable: true, enumerable: false });
      }
      const { AesGcmKey, PasswordHasher, parseJson } = require(holdfast);
      const key = new AesGcmKey(Buffer.alloc(32));
      const seen = [key.encrypt(Buffer.alloc(12), 'x').toString('hex'), new PasswordHasher().needsRehash('${ARGON2}')];
      for (const call of [() => parseJson('{"__proto__":1}'), () => parseJson(1)]) {
        try { seen.push(call()); } catch (error) { seen.push(error.constructor.name, error.code, Object.hasOwn(error, 'status')); }
      }
      new PasswordHasher().hash('pw').then((hash) => console.log(JSON.stringify([...seen, parseJson('[[1]]'), hash.slice(0, 30)])));`);
    assert.deepEqual({ code, stderr }, { code: 0, stderr: '' });
    const encrypted = new AesGcmKey(Buffer.alloc(32)).encrypt(Buffer.alloc(12), 'x').toString('hex');
    const expected = [
      encrypted,
      false,
      'JsonError',
      'ERR_JSON_PROTO_KEY',
      true,
      'TypeError',
      'ERR_INVALID_ARG_TYPE',
      false,
      [[1]],
      '$argon2id$v=19$m=19456,t=2,p=1',
    ];
    assert.deepEqual(JSON.parse(stdout), expected);
  });
});

describe('nothing global', () => {
  /** Own keys and values of every built-in and of its prototype. */
  function snapshot() {
    const seen = new Map();
    for (const name of Object.getOwnPropertyNames(globalThis)) {
      const { value } = Object.getOwnPropertyDescriptor(globalThis, name);
      if (!/^[A-Z]/.test(name) || (typeof value !== 'function' && typeof value !== 'object')) continue;
      for (const holder of [value, value?.prototype]) {
        if (holder === null || holder === undefined) continue;
        const label = holder === value ? name : `${name}.prototype`;
        for (const own of Reflect.ownKeys(holder)) {
          const { value: member, get, set, writable, configurable } = Object.getOwnPropertyDescriptor(holder, own);
          // The static properties of the last match change whenever a RegExp is used, as the language has it.
          if (name === 'RegExp' && get !== undefined && holder === value) continue;
          seen.set(`${label}.${String(own)}`, [member, get, set, writable, configurable]);
        }
      }
    }
    return seen;
  }

  it('is changed by using everything', async () => {
    const [before, globals] = [snapshot(), Reflect.ownKeys(globalThis).length];
    for (const call of Object.values(CALLS)) outcome(call);
    await Promise.allSettled(Object.values(JOBS).map((job) => job()));
    for (const text of ['{"__proto__":{"admin":true}}', '{"constructor":{"prototype":{"admin":true}}}']) {
      for (const policy of ['error', 'remove', 'ignore'])
        outcome(() => merge({}, parseJson(text, { protoKey: policy, constructorKey: policy })));
      outcome(() => ring.sealToken(JSON.parse(text), { purpose: 'p' }));
    }
    const after = snapshot();
    assert.deepEqual([...after.keys()], [...before.keys()]);
    for (const [name, values] of before)
      after.get(name).forEach((value, at) => assert.ok(Object.is(value, values[at]), name));
    assert.equal(Reflect.ownKeys(globalThis).length, globals);
    assert.ok(before.size > 700);
  });
});
