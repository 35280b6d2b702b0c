// What users write, and what must not compile. Compiled by types.test.js, never run. Each expected error fails the
// compilation when the line below it has no error.

import {
  AesGcmKey,
  HoldfastError,
  HoldfastStore,
  HoldfastThrottlerStorage,
  JsonError,
  JsonGuard,
  Keyring,
  PasswordHasher,
  RedisRateLimiter,
  RateLimiter,
  SafeRegExp,
  aesGcmDecrypt,
  aesGcmEncrypt,
  analyzeRegExp,
  calibrate,
  createKeyring,
  createMerge,
  deriveKey,
  generateKey,
  hashPassword,
  ipKey,
  keyFromPassphrase,
  loadKeyring,
  merge,
  mergeJson,
  parseHash,
  parseJson,
  parseQuery,
  rotateKeyring,
  sanitize,
  scanJson,
  tryParseJson,
  verifyPassword,
} from 'holdfast';
import type {
  AeadOptions,
  Content,
  DeriveKeyOptions,
  ErrorCode,
  HoldfastStoreOptions,
  HoldfastThrottlerStorageOptions,
  JsonFinding,
  JsonOptions,
  KeyFileOptions,
  Limiter,
  MergeOptions,
  MergeJsonOptions,
  PassphraseKeyOptions,
  PasswordHasherOptions,
  QueryOptions,
  RateLimitResult,
  RedisRateLimiterOptions,
  RateLimiterOptions,
  RegExpAnalysis,
  SafeRegExpOptions,
  StreamOptions,
} from 'holdfast';
import { Cluster, Redis } from 'ioredis';
import { createClient, createClientPool, createCluster } from 'redis';

/** Compiles when both types are the same. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function assertType<_T extends true>(): void {}

declare const bytes: Uint8Array;
declare const buffer: Buffer;
declare const content: Content;

export function regularExpressions(): void {
  const re = new SafeRegExp('(?<year>\\d+)', 'g');
  const asRegExp: RegExp = re;
  new SafeRegExp(/a/g);
  new SafeRegExp(re);
  assertType<Same<ReturnType<typeof re.exec>, RegExpExecArray | null>>();
  assertType<Same<ReturnType<typeof re.test>, boolean>>();
  assertType<Same<typeof re.engine, string>>();
  'text'.replace(re, (all: string) => all).split(asRegExp);
  // @ts-expect-error no pattern
  new SafeRegExp();
  // @ts-expect-error a pattern is text or a RegExp
  new SafeRegExp(1);
  const limits: SafeRegExpOptions = { memoryLimit: 65_536, backreferences: { budget: 1000 } };
  new SafeRegExp('a', 'g', limits);
  new SafeRegExp('a', undefined, { backreferences: 'error' });
  // @ts-expect-error an unknown option
  new SafeRegExp('a', 'g', { memory: 1 });
  // @ts-expect-error a budget is needed
  new SafeRegExp('a', 'g', { backreferences: {} });
  // @ts-expect-error read-only
  re.engine = 'other';
  assertType<Same<ReturnType<typeof re.testBytes>, boolean>>();
  re.testBytes(bytes);
  const match = re.execBytes(buffer, 1);
  if (match !== null) assertType<Same<(typeof match.captures)[number], [number, number] | undefined>>();
  // @ts-expect-error bytes
  re.execBytes('text');
  assertType<Same<ReturnType<typeof SafeRegExp.escape>, string>>();
  const analysis: RegExpAnalysis = analyzeRegExp(/a+$/, 'u', { timeoutMs: 500 });
  assertType<Same<typeof analysis.degree, number | null>>();
  if (analysis.attack !== null) assertType<Same<typeof analysis.attack.pump, string>>();
  assertType<Same<ReturnType<typeof analysis.attackString>, string | null>>();
  // @ts-expect-error milliseconds are a number
  analyzeRegExp('a', '', { timeoutMs: '1' });
  // @ts-expect-error a pattern is text or a RegExp
  analyzeRegExp(1);
}

export function queries(): void {
  const query = parseQuery('a=1');
  assertType<Same<typeof query, Record<string, unknown>>>();
  const options: QueryOptions = {
    duplicates: 'array',
    arrays: ['a'] as const,
    nested: true,
    limits: { parameters: 1 },
  };
  parseQuery('?a=1', options);
  parseQuery('', { limits: { bytes: 1, depth: 2, arrayLength: 3 } });
  // @ts-expect-error no bytes
  parseQuery(bytes);
  // @ts-expect-error no URLSearchParams
  parseQuery(new URLSearchParams('a=1'));
  // @ts-expect-error an unknown policy
  parseQuery('', { duplicates: 'all' });
  // @ts-expect-error an unknown option
  parseQuery('', { separator: ';' });
  // @ts-expect-error the value has to be checked first
  query['a'].length;
}

export function cleanCopies(): void {
  const value = { a: [1], when: new Date() };
  assertType<Same<ReturnType<typeof sanitize<typeof value>>, { a: number[]; when: Date }>>();
  sanitize(parseJson('{}'), { protoKey: 'remove', limits: { depth: 1 } });
  // @ts-expect-error an unknown policy
  sanitize(value, { constructorKey: 'drop' });
}

export function json(): void {
  const value = parseJson('{}');
  assertType<Same<typeof value, unknown>>();
  parseJson(bytes, {});
  parseJson(buffer, { protoKey: 'remove', constructorKey: 'ignore', limits: { bytes: 1, depth: 2 } });
  parseJson(content);
  const options: JsonOptions = { limits: {} };
  parseJson('1', options);
  // @ts-expect-error the result has to be checked first
  value.a;
  // @ts-expect-error not text
  parseJson({});
  // @ts-expect-error not bytes
  parseJson(new ArrayBuffer(1));
  // @ts-expect-error an unknown policy
  parseJson('1', { protoKey: 'delete' });
  // @ts-expect-error an unknown option
  parseJson('1', { revive: () => 1 });
  // @ts-expect-error an unknown limit
  parseJson('1', { limits: { key: 1 } });
  parseJson('1', { reviver: (key, value) => (key === 'date' ? new Date(value) : value) });
  const everything: JsonOptions = {
    forbiddenKeys: ['password'] as const,
    operatorKeys: 'remove',
    duplicateKeys: 'error',
    numbers: 'error',
    limits: { keys: 1, keyLength: 1, stringLength: 1, arrayLength: 1 },
  };
  const guard = new JsonGuard(everything);
  assertType<Same<ReturnType<typeof guard.parse>, unknown>>();
  const tried = tryParseJson(content, everything);
  if (tried.ok) assertType<Same<typeof tried.value, unknown>>();
  else assertType<Same<typeof tried.error, JsonError>>();
  // @ts-expect-error only where it went wrong
  tried.error;
  const findings: JsonFinding[] = scanJson(content).concat(guard.scan(bytes));
  assertType<Same<(typeof findings)[0]['path'], (string | number)[]>>();
  guard.tryParse('1').ok;
  // @ts-expect-error a number
  parseJson('1', { limits: { depth: '1' } });
}

export function mergingTexts(): void {
  const text = mergeJson('{}', bytes);
  const binary = mergeJson(bytes, '{}', { mode: 'patch', limits: { depth: 3, bytes: 9 } });
  const either = mergeJson(content, content, { arrays: 'concat' });
  assertType<Same<typeof text, string>>();
  assertType<Same<typeof binary, Buffer>>();
  assertType<Same<typeof either, string | Buffer>>();
  const options: MergeJsonOptions = { mode: 'deep', arrays: 'replace', limits: {} };
  mergeJson(buffer, buffer, options);
  // @ts-expect-error two texts
  mergeJson('{}');
  // @ts-expect-error not text
  mergeJson({}, '{}');
  // @ts-expect-error not text
  mergeJson('{}', {});
  // @ts-expect-error an unknown mode
  mergeJson('{}', '{}', { mode: 'shallow' });
  // @ts-expect-error an unknown policy
  mergeJson('{}', '{}', { arrays: 'unique' });
  // @ts-expect-error an unknown option
  mergeJson('{}', '{}', { protoKey: 'ignore' });
}

export function merging(): void {
  const merged = merge({ a: 1 }, { b: 'x' });
  const { a, b }: { a: number; b: string } = merged;
  assertType<Same<typeof a, number>>();
  assertType<Same<typeof b, string>>();
  merge({}, {}, {}, {});
  merge({ a: 1 });
  // @ts-expect-error an object
  merge('a');
  // @ts-expect-error an object
  merge({}, null);
  // @ts-expect-error not there
  merged.c;
  const policy: MergeOptions = { arrays: 'unique', undefined: 'assign', maxDepth: 32, unsafeKeys: 'remove' };
  const own = createMerge(policy);
  assertType<Same<typeof own, typeof merge>>();
  const { c }: { c: number } = createMerge()({ c: 1 }, {});
  void c;
  // @ts-expect-error an unknown option
  createMerge({ array: 'concat' });
  // @ts-expect-error an unknown policy
  createMerge({ arrays: 'append' });
}

export async function passwords(): Promise<void> {
  const options: PasswordHasherOptions = {
    algorithm: 'argon2id',
    argon2: { memoryKiB: 1, passes: 1, lanes: 1, tagLength: 32, saltLength: 16 },
    bcrypt: { cost: 12 },
    bcryptLong: 'truncate',
    scrypt: { logN: 17, r: 8, p: 1 },
    pepper: { current: 'a', keys: { a: bytes } },
    normalize: 'NFKC',
    threads: 1,
    maxQueue: 1,
    limits: { memoryKiB: 1, passes: 1, lanes: 1, cost: 1, logN: 1 },
  };
  new PasswordHasher();
  new PasswordHasher({});
  const hasher = new PasswordHasher(options);
  const hash = await hasher.hash('text');
  assertType<Same<typeof hash, string>>();
  await hasher.hash(bytes);
  const verdict = await hasher.verify(hash, buffer);
  assertType<Same<typeof verdict, { valid: boolean; needsRehash: boolean }>>();
  await hasher.verify(null, 'x');
  await hasher.verify(undefined, 'x');
  assertType<Same<ReturnType<typeof hasher.needsRehash>, boolean>>();
  const { threads, running, queued, completed, rejected, arenaBytes } = hasher.stats();
  const sum: number = threads + running + queued + completed + rejected + arenaBytes;
  assertType<Same<ReturnType<typeof hasher.close>, Promise<void>>>();
  // @ts-expect-error a promise, which is always true
  if (hasher.verify(hash, 'x')) hasher.stats();
  const { signal } = new AbortController();
  await hasher.hash('x', { signal });
  await hasher.verify(hash, 'x', { signal });
  assertType<Same<ReturnType<typeof hashPassword>, Promise<string>>>();
  assertType<Same<ReturnType<typeof verifyPassword>, Promise<boolean>>>();
  const parsed = parseHash(hash);
  if (parsed.algorithm === 'bcrypt') assertType<Same<typeof parsed.params.cost, number>>();
  else if (parsed.algorithm === 'scrypt') assertType<Same<typeof parsed.params.logN, number>>();
  else assertType<Same<typeof parsed.keyId, string | undefined>>();
  const { memoryKiB, passes, lanes, measuredMs } = await calibrate({ targetMs: 100, maxMemoryKiB: 65536 });
  new PasswordHasher({ argon2: { memoryKiB, passes, lanes } });
  assertType<Same<typeof measuredMs, number>>();
  // @ts-expect-error there is no other form
  new PasswordHasher({ normalize: 'NFD' });
  // @ts-expect-error no signal
  await hasher.hash('x', signal);
  // @ts-expect-error cost is an option of bcrypt
  new PasswordHasher({ cost: 12 });
  // @ts-expect-error memoryKiB, not memoryCost
  new PasswordHasher({ argon2: { memoryCost: 19456 } });
  // @ts-expect-error a stored hash is text
  await hasher.verify(buffer, 'x');
  // @ts-expect-error no password
  await hasher.hash();
  // @ts-expect-error text or bytes
  await hasher.hash(sum);
}

export function encryption(): void {
  const key = new AesGcmKey(generateKey());
  const options: AeadOptions = { aad: 'x', into: bytes };
  assertType<Same<ReturnType<typeof key.encrypt>, Buffer>>();
  key.encrypt(bytes, 'text', options);
  key.decrypt(bytes, key.encrypt(buffer, bytes, { aad: bytes }), {});
  key.open(key.seal('text'), { into: buffer });
  assertType<Same<ReturnType<typeof deriveKey>, Buffer>>();
  new AesGcmKey(deriveKey(generateKey(), 'cookies', { salt: bytes, length: 16 } satisfies DeriveKeyOptions));
  const slow: PassphraseKeyOptions = { memoryKiB: 8, passes: 1, lanes: 1, length: 16, signal: AbortSignal.abort() };
  const derived: Promise<Buffer> = keyFromPassphrase('a passphrase', bytes, slow);
  // @ts-expect-error a secret is bytes
  deriveKey('a passphrase', 'cookies');
  // @ts-expect-error what it is for
  deriveKey(bytes);
  // @ts-expect-error not options of HKDF
  deriveKey(bytes, 'cookies', { passes: 1 });
  // @ts-expect-error a passphrase is text
  keyFromPassphrase(bytes, bytes);
  // @ts-expect-error no salt
  keyFromPassphrase('a passphrase');
  // @ts-expect-error a key of AES
  keyFromPassphrase('a passphrase', bytes, { length: 24 });
  // @ts-expect-error a promise
  new AesGcmKey(derived);
  // @ts-expect-error a key is bytes
  new AesGcmKey('a passphrase');
  // @ts-expect-error no nonce
  key.encrypt('text');
  // @ts-expect-error what is opened is bytes
  key.open('text');
  // @ts-expect-error an unknown option
  key.seal('text', { nonce: bytes });

  const ring = new Keyring({ primary: 'a', keys: { a: bytes, b: generateKey() } });
  ring.open(ring.seal('text', options), options);
  assertType<Same<ReturnType<typeof ring.openToken>, unknown>>();
  const token: string = ring.sealToken({ user: 7 }, { purpose: 'session', ttlMs: 1000 });
  ring.openToken(token, { purpose: 'session' });
  assertType<Same<ReturnType<typeof aesGcmEncrypt>, Buffer>>();
  aesGcmDecrypt(bytes, bytes, aesGcmEncrypt(bytes, bytes, 'text', options), { aad: 'x' });
  assertType<Same<ReturnType<typeof ring.inspect>, { keyId: string; stale: boolean }>>();
  const rotated: Keyring = ring.rotate('c', bytes);
  if (rotated.inspect(token).stale) rotated.reseal(ring.seal('text', options), options);
  const streamOptions: StreamOptions = { aad: bytes };
  process.stdin.pipe(ring.sealStream(streamOptions)).pipe(ring.openStream(streamOptions)).pipe(process.stdout);
  new ReadableStream<string>().pipeThrough(ring.sealWebStream()).pipeThrough(ring.openWebStream());
  const parts: AsyncGenerator<Buffer, void, undefined> = ring.openFile(ring.sealFile(['text', bytes]), streamOptions);
  assertType<Same<typeof parts, ReturnType<typeof ring.sealFile>>>();
  ring.dispose();
  key[Symbol.dispose]();
  // @ts-expect-error no nonce
  aesGcmEncrypt(bytes, 'text');
  // @ts-expect-error what is opened is bytes
  aesGcmDecrypt(bytes, bytes, 'text');
  // @ts-expect-error a new key has a name
  ring.rotate(bytes);
  // @ts-expect-error a token is not resealed
  ring.reseal(token);
  // @ts-expect-error what is opened is bytes
  ring.openFile(['text']);
  // @ts-expect-error a stream has no destination
  ring.sealStream({ into: bytes });
  // @ts-expect-error no keys
  new Keyring({ primary: 'a' });
  // @ts-expect-error a key is bytes
  new Keyring({ primary: 'a', keys: { a: 'secret' } });
  // @ts-expect-error no purpose
  ring.sealToken(1, { ttlMs: 1000 });
  // @ts-expect-error no purpose
  ring.openToken(token);
  // @ts-expect-error a lifetime is for sealing
  ring.openToken(token, { purpose: 'session', ttlMs: 1 });
  // @ts-expect-error what comes out of a token has to be checked first
  ring.openToken(token, { purpose: 'session' }).user;
}

export function keyFiles(): void {
  const options: KeyFileOptions = { id: 'k1' };
  assertType<Same<ReturnType<typeof createKeyring>, Keyring>>();
  assertType<Same<ReturnType<typeof loadKeyring>, Keyring>>();
  assertType<Same<ReturnType<typeof rotateKeyring>, Keyring>>();
  createKeyring('app.keys');
  createKeyring(new URL('file:///etc/app.keys'), options);
  loadKeyring('app.keys').open(rotateKeyring('app.keys', {}).seal('text'));
  loadKeyring(new URL('file:///etc/app.keys'));
  loadKeyring({ env: 'HOLDFAST_KEYS' });
  // @ts-expect-error the name of a variable goes into an object
  loadKeyring(process.env);
  // @ts-expect-error no name
  loadKeyring({});
  // @ts-expect-error a path is text
  loadKeyring(bytes);
  // @ts-expect-error an unknown option
  rotateKeyring('app.keys', { keep: 2 });
  // @ts-expect-error a variable cannot be rotated
  rotateKeyring({ env: 'HOLDFAST_KEYS' });
}

export async function sharedRates(limiter: RedisRateLimiter): Promise<void> {
  const rate = { limit: 100, windowMs: 60_000 };
  for (const client of [new Redis(), new Cluster([]), createClient(), createClientPool(), createCluster({ rootNodes: [] })]) {
    new RedisRateLimiter({ client, ...rate, burst: 200, prefix: 'login:', onStoreError: 'closed', fallback: false });
  }
  const options: RedisRateLimiterOptions = { client: new Redis(), ...rate };
  new RedisRateLimiter(options);
  assertType<Same<ReturnType<typeof limiter.consume>, Promise<RateLimitResult>>>();
  assertType<Same<ReturnType<typeof limiter.reset>, Promise<void>>>();
  const { allowed, retryAfterMs } = await limiter.consume('203.0.113.7', 2);
  const { away, lastFailure }: { away: boolean; lastFailure: string | null } = limiter.stats();
  void [allowed, retryAfterMs, away, lastFailure, await limiter.peek('a'), await limiter.refund('a')];
  // @ts-expect-error no client
  new RedisRateLimiter(rate);
  // @ts-expect-error no rate
  new RedisRateLimiter({ client: new Redis() });
  // @ts-expect-error a client is no address
  new RedisRateLimiter({ client: 'redis://127.0.0.1', ...rate });
  // @ts-expect-error an unknown policy
  new RedisRateLimiter({ client: new Redis(), ...rate, onStoreError: 'ignore' });
  // @ts-expect-error a fallback that allows everything is false
  new RedisRateLimiter({ client: new Redis(), ...rate, fallback: true });
  // @ts-expect-error an answer is a promise
  limiter.consume('a').allowed;
  // @ts-expect-error a key is text
  void limiter.consume(7);
}

export async function limits(): Promise<void> {
  const options: RateLimiterOptions = {
    limit: 5,
    windowMs: 1000,
    burst: 10,
    maxKeys: 10,
    ipv6Prefix: 64,
    now: Date.now,
  };
  const limiter = new RateLimiter(options);
  assertType<Same<ReturnType<typeof limiter.consume>, RateLimitResult>>();
  assertType<Same<ReturnType<typeof limiter.consumeMany>, RateLimitResult>>();
  assertType<Same<ReturnType<typeof limiter.peek>, RateLimitResult>>();
  const { allowed, limit, remaining, retryAfterMs, resetMs } = limiter.consume(ipKey('::1'), 2);
  if (allowed) limiter.refund('key', limit + remaining + retryAfterMs + resetMs);
  limiter.consumeMany(['a', ipKey('::1', 48)] as const, 2);
  limiter.reset('key');
  assertType<Same<ReturnType<typeof limiter.stats>, { keys: number; bytes: number; evictions: number }>>();
  // @ts-expect-error a rate has a limit
  new RateLimiter({ windowMs: 1000 });
  // @ts-expect-error a rate
  new RateLimiter();
  // @ts-expect-error an unknown option
  new RateLimiter({ ...options, points: 5 });
  // @ts-expect-error a clock returns a number
  new RateLimiter({ ...options, now: () => new Date() });
  // @ts-expect-error a key is text
  limiter.consume(7);
  // @ts-expect-error keys are a list
  limiter.consumeMany('a');
  // @ts-expect-error peek takes nothing
  limiter.peek('a', 2);
  // @ts-expect-error an address is text
  ipKey(undefined);

  const own: HoldfastStoreOptions = { limit: 5, burst: 5, maxKeys: 10, ipv6Prefix: 64 };
  const store = new HoldfastStore(own);
  store.init({ limit: async (request: object) => Object.keys(request).length, windowMs: 1000 });
  const { totalHits, resetTime }: { totalHits: number; resetTime: Date } = await store.increment('key');
  assertType<Same<Awaited<ReturnType<typeof store.get>>, { totalHits: number; resetTime: Date } | undefined>>();
  const later: Limiter = {
    consume: async (key) => limiter.consume(key),
    peek: async (key) => limiter.peek(key),
    refund: async (key) => limiter.refund(key),
    reset: async () => undefined,
  };
  for (const each of [limiter, later]) new HoldfastStore({ limiter: each });
  // @ts-expect-error not a limiter
  new HoldfastStore({ limiter: { consume: () => totalHits > resetTime.getTime() } });
  // @ts-expect-error an unknown option
  new HoldfastStore({ windowMs: 1000 });
  // @ts-expect-error read-only
  store.prefix = 'rl:';

  const ofStorage: HoldfastThrottlerStorageOptions = { maxKeys: 10, now: () => 0 };
  const storage = new HoldfastThrottlerStorage(ofStorage);
  const record = await storage.increment('key', 1000, 5, 1000, 'default');
  assertType<Same<typeof record.isBlocked, boolean>>();
  (record.totalHits + record.timeToExpire + record.timeToBlockExpire).toFixed();
  // @ts-expect-error no name
  void storage.increment('key', 1000, 5, 1000);
  // @ts-expect-error limits are those of throttlers
  new HoldfastThrottlerStorage({ limit: 5 });
}

export function errors(error: unknown): string {
  if (error instanceof JsonError) {
    const syntax: SyntaxError = error;
    assertType<Same<typeof error.status, 400 | 413>>();
    assertType<Same<typeof error.path, (string | number)[]>>();
    const { code, pointer, offset, line, column } = error;
    // @ts-expect-error parseJson never throws this one
    if (code === 'ERR_DECRYPT') return '';
    return `${syntax.name} ${code} ${pointer} ${offset + line + column}`;
  }
  if (error instanceof HoldfastError) {
    const code: ErrorCode = error.code;
    switch (error.code) {
      case 'ERR_QUEUE_FULL':
        return String(error.retryAfterMs?.toFixed());
      // @ts-expect-error there is no such code
      case 'ERR_NOTHING':
        return '';
      default:
        // @ts-expect-error there may be none
        error.status.toFixed();
        // @ts-expect-error read-only
        error.code = code;
        return code;
    }
  }
  // @ts-expect-error errors are made by holdfast
  throw new HoldfastError('ERR_DECRYPT', 'message');
}
