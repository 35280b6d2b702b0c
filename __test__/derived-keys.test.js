'use strict';

/** deriveKey and keyFromPassphrase: the keys that the RFCs define, arguments, threads, memory, AbortSignals. */

const assert = require('node:assert/strict');
const { createHmac, hkdfSync, randomBytes } = require('node:crypto');
const { getEventListeners } = require('node:events');
const os = require('node:os');
const { describe, it } = require('node:test');
const vm = require('node:vm');
const { Worker } = require('node:worker_threads');
const { Keyring, PasswordHasher, deriveKey, generateKey, keyFromPassphrase, parseHash } = require('..');
const native = require('../lib/native.js');
const { root, runNode } = require('./support/child.js');
const { Random } = require('./support/random.js');
const cases = require('./derived-keys.cases.json');
const { argon2: hashes } = require('./password.cases.json');
const peers = require('./password-peers.cases.json');

const SECRET = Buffer.alloc(32, 1);
const SALT = Buffer.alloc(16, 2);
const SMALL = { memoryKiB: 64, passes: 1, lanes: 1 };
/** Runs for hours. Only in processes of their own: it cannot be stopped. */
const ENDLESS = '{ passes: 2 ** 20 }';
const THREADS = Math.min(2, os.availableParallelism());
const QUEUE = 128;

const ABORTED = { name: 'AbortError', code: 'ABORT_ERR' };
const TYPE = { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' };
const VALUE = { name: 'TypeError', code: 'ERR_INVALID_ARG_VALUE' };
const RANGE = { name: 'RangeError', code: 'ERR_OUT_OF_RANGE' };

const hex = (bytes) => Buffer.from(bytes).toString('hex');
/** Nothing but the key lies in its memory. */
const isAlone = (key) => Buffer.isBuffer(key) && key.byteOffset === 0 && key.buffer.byteLength === key.length;

/** A string that PasswordHasher verifies. */
function phc(key, salt, { memoryKiB, passes, lanes }) {
  const base64 = (bytes) => Buffer.from(bytes).toString('base64').replaceAll('=', '');
  return `$argon2id$v=19$m=${memoryKiB},t=${passes},p=${lanes}$${base64(salt)}$${base64(key)}`;
}

/** RFC 5869 over node:crypto, which itself takes no long info. */
function hkdf(secret, salt, info, length) {
  const pseudorandomKey = createHmac('sha256', salt).update(secret).digest();
  let block = Buffer.alloc(0);
  const blocks = [];
  for (let counter = 1; counter <= Math.ceil(length / 32); counter++) {
    block = createHmac('sha256', pseudorandomKey).update(block).update(info).update(Buffer.of(counter)).digest();
    blocks.push(block);
  }
  return Buffer.concat(blocks).subarray(0, length);
}

describe('deriveKey', () => {
  it('gives what RFC 5869 gives in A.1 to A.3, natively, where info is bytes', () => {
    const derive = native.keyDerivation();
    assert.equal(cases.hkdf.length, 3);
    for (const { secret, salt, info, key } of cases.hkdf) {
      const destination = Buffer.alloc(key.length / 2);
      derive(Buffer.from(secret, 'hex'), Buffer.from(salt, 'hex'), Buffer.from(info, 'hex'), destination);
      assert.equal(hex(destination), key);
    }
  });

  it('gives what node:crypto gives', () => {
    const random = new Random(5869);
    const characters = ['a', 'Z', ' ', '\0', 'é', '€', '𝒳', '🔑'];
    for (let round = 0; round < 500; round++) {
      const secret = randomBytes(16 + random.below(100));
      const salt = randomBytes(random.below(random.pick([2, 70, 1025])));
      const info = `${round}${random.list(100, () => random.pick(characters)).join('')}`;
      const length = 1 + random.below(random.pick([40, 8160]));
      const expected = hex(hkdfSync('sha256', secret, salt, info, length));
      assert.equal(hex(deriveKey(secret, info, { salt, length })), expected, `round ${round}`);
    }
  });

  it('takes the longest of everything', () => {
    const [secret, salt] = [randomBytes(65_536), randomBytes(1024)];
    for (const info of ['x'.repeat(65_536), 'é'.repeat(32_768), '🔑'.repeat(16_384)]) {
      const expected = hkdf(secret, salt, info, 8160);
      assert.deepEqual(deriveKey(secret, info, { salt, length: 8160 }), expected);
    }
  });

  it('has 32 bytes and no salt unless it is told', () => {
    const expected = hex(hkdfSync('sha256', SECRET, '', 'cookies', 32));
    for (const options of [
      undefined,
      {},
      { salt: undefined, length: undefined },
      { salt: Buffer.alloc(0), length: 32 },
    ]) {
      assert.equal(hex(deriveKey(SECRET, 'cookies', options)), expected);
    }
    const others = [
      deriveKey(SECRET, 'cookie'),
      deriveKey(SECRET, 'cookies', { salt: SALT }),
      deriveKey(Buffer.alloc(33, 1), 'cookies'),
    ];
    assert.equal(new Set([expected, ...others.map(hex)]).size, 4);
    assert.equal(hex(deriveKey(SECRET, 'cookies', { length: 20 })), expected.slice(0, 40));
  });

  it('gives keys with memory of their own, which a Keyring takes', () => {
    for (let round = 0; round < 100; round++) {
      for (const length of [1, 16, 32, 8160]) assert.ok(isAlone(deriveKey(SECRET, 'cookies', { length })));
    }
    const [first, second] = [deriveKey(SECRET, 'cookies'), deriveKey(SECRET, 'cookies')];
    const ring = new Keyring({ primary: 'k1', keys: { k1: first } });
    first.fill(0);
    assert.notDeepEqual(second, first);
    assert.equal(new Keyring({ primary: 'k1', keys: { k1: second } }).open(ring.seal('a note')).toString(), 'a note');
  });

  it('takes parts, shared memory, and bytes of another realm', () => {
    const expected = deriveKey(SECRET, 'cookies', { salt: SALT });
    const part = Buffer.concat([Buffer.alloc(3), SECRET, Buffer.alloc(3)]).subarray(3, 35);
    const shared = new Uint8Array(new SharedArrayBuffer(32)).fill(1);
    const foreign = vm.runInNewContext('new Uint8Array(32).fill(1)');
    for (const secret of [part, shared, foreign]) {
      assert.deepEqual(deriveKey(secret, 'cookies', { salt: SALT }), expected);
    }
    const sharedSalt = new Uint8Array(new SharedArrayBuffer(16)).fill(2);
    assert.deepEqual(deriveKey(SECRET, 'cookies', { salt: sharedSalt }), expected);
  });

  it('refuses what is no secret', () => {
    for (const secret of [undefined, null, 1, {}, [], [...SECRET], SECRET.buffer, new Uint16Array(32), () => SECRET]) {
      assert.throws(() => deriveKey(secret, 'cookies'), TYPE);
    }
    for (const text of ['', 'a passphrase that is longer than sixteen bytes', SECRET.toString('hex')]) {
      assert.throws(() => deriveKey(text, 'cookies'), { ...TYPE, message: /\bkeyFromPassphrase\b/ });
    }
    for (const length of [0, 1, 15]) {
      const short = { ...VALUE, message: /^secret must be at least 16 .*\bkeyFromPassphrase\b/ };
      assert.throws(() => deriveKey(SECRET.subarray(0, length), 'cookies'), short);
    }
    assert.equal(deriveKey(SECRET.subarray(0, 16), 'cookies').length, 32);
    assert.throws(() => deriveKey(Buffer.alloc(65_537), 'cookies'), RANGE);
    const detached = new Uint8Array(32);
    structuredClone(detached, { transfer: [detached.buffer] });
    assert.throws(() => deriveKey(detached, 'cookies'), VALUE);
  });

  it('refuses what is no info', () => {
    for (const info of [undefined, null, 1, {}, Buffer.from('cookies'), ['cookies'], Symbol('cookies')]) {
      assert.throws(() => deriveKey(SECRET, info), TYPE);
    }
    for (const info of ['', '\ud800', 'cookies\udc00', '\udc00\ud800']) {
      assert.throws(() => deriveKey(SECRET, info), VALUE);
    }
    for (const info of ['x'.repeat(65_537), `${'é'.repeat(32_768)}x`, 'x'.repeat(2 ** 20)]) {
      assert.throws(() => deriveKey(SECRET, info), RANGE);
    }
  });

  it('refuses a salt that is too long; see options.test.js for the rest', () => {
    assert.throws(() => deriveKey(SECRET, 'cookies', { salt: Buffer.alloc(1025) }), RANGE);
    assert.throws(() => deriveKey(SECRET, 'cookies', { salt: 'salt' }), TYPE);
  });
});

describe('keyFromPassphrase', () => {
  for (const { passphrase, salt, options, key } of cases.argon2id) {
    it(`gives what RustCrypto gives, ${JSON.stringify(options)}`, async () => {
      assert.equal(hex(await keyFromPassphrase(passphrase, Buffer.from(salt, 'hex'), options)), key);
    });
  }

  it('gives the tags that other implementations have stored, the reference C library among them', async () => {
    let found = 0;
    let withDefaults = 0;
    for (const { password, stored, secret } of [...hashes, ...Object.values(peers).flat()]) {
      if (typeof stored !== 'string' || secret !== undefined || password === '') continue;
      if (!/^\$argon2id\$v=19\$[mtp=,\d]+\$/.test(stored)) continue;
      const { params, salt, digestLength } = parseHash(stored);
      if (salt.length < 16 || (digestLength !== 16 && digestLength !== 32)) continue;
      const key = await keyFromPassphrase(password, salt, { ...params, length: digestLength });
      assert.equal(key.toString('base64').replaceAll('=', ''), stored.split('$')[5], stored);
      found++;
      if (params.memoryKiB === 65_536 && params.passes === 3 && params.lanes === 4) {
        assert.deepEqual(await keyFromPassphrase(password, salt), key, 'the defaults are those of RFC 9106');
        withDefaults++;
      }
    }
    assert.ok(found >= 8 && withDefaults >= 1, `${found} hashes`);
  });

  it('gives what PasswordHasher hashes', async () => {
    for (const tagLength of [16, 32]) {
      for (const [lanes, saltLength] of [
        [1, 16],
        [2, 24],
        [4, 64],
      ]) {
        const argon2 = { memoryKiB: 128, passes: 2, lanes, tagLength, saltLength };
        const hasher = new PasswordHasher({ argon2, threads: 1 });
        const stored = await hasher.hash('pässwörd');
        const { salt, params } = parseHash(stored);
        const key = await keyFromPassphrase('pässwörd', salt, { ...params, length: tagLength });
        assert.equal(phc(key, salt, params), stored);
        await hasher.close();
      }
    }
  });

  it('differs with every argument', async () => {
    const keys = await Promise.all([
      keyFromPassphrase('x', SALT, SMALL),
      keyFromPassphrase('X', SALT, SMALL),
      keyFromPassphrase('x', Buffer.alloc(16, 3), SMALL),
      keyFromPassphrase('x', Buffer.alloc(17, 2), SMALL),
      keyFromPassphrase('x', SALT, { ...SMALL, memoryKiB: 65 }),
      keyFromPassphrase('x', SALT, { ...SMALL, passes: 2 }),
      keyFromPassphrase('x', SALT, { ...SMALL, lanes: 2 }),
      keyFromPassphrase('x', SALT, { ...SMALL, length: 16 }),
    ]);
    assert.equal(new Set(keys.map((key) => hex(key).slice(0, 32))).size, keys.length);
    assert.deepEqual(await keyFromPassphrase('x', SALT, SMALL), keys[0]);
  });

  it('makes many at once, each its own, with as many settings', async () => {
    const random = new Random(9106);
    const hasher = new PasswordHasher({ limits: { lanes: 8 } });
    const jobs = Array.from({ length: QUEUE }, async (_, at) => {
      const salt = randomBytes(16 + random.below(49));
      const lanes = 1 + random.below(8);
      const params = { memoryKiB: 8 * lanes + random.below(200), passes: 1 + random.below(3), lanes };
      const length = random.pick([16, 32]);
      const key = await keyFromPassphrase(`passphrase ${at}`, salt, { ...params, length });
      assert.ok(isAlone(key) && key.length === length);
      assert.equal((await hasher.verify(phc(key, salt, params), `passphrase ${at}`)).valid, true);
      return hex(key);
    });
    assert.equal(new Set(await Promise.all(jobs)).size, QUEUE);
    await hasher.close();
  });

  it('reads the salt at the call', async () => {
    const salt = Buffer.from(SALT);
    const key = keyFromPassphrase('x', salt, SMALL);
    salt.fill(9);
    assert.deepEqual(await key, await keyFromPassphrase('x', SALT, SMALL));
    const shared = new Uint8Array(new SharedArrayBuffer(16)).fill(2);
    assert.deepEqual(await keyFromPassphrase('x', shared, SMALL), await key);
  });

  it('makes keys that a Keyring and deriveKey take', async () => {
    const key = await keyFromPassphrase('correct horse', SALT, SMALL);
    const ring = new Keyring({ primary: 'k1', keys: { k1: key } });
    assert.equal(ring.open(ring.seal('a note')).toString(), 'a note');
    assert.equal(deriveKey(key, 'files').length, 32);
  });

  it('rejects what is no passphrase', async () => {
    for (const passphrase of [undefined, null, 1, {}, generateKey(), ['x'], Symbol('x'), new String('x')]) {
      await assert.rejects(keyFromPassphrase(passphrase, SALT, SMALL), TYPE);
    }
    await assert.rejects(keyFromPassphrase(generateKey(), SALT), { ...TYPE, message: /\bderiveKey\b/ });
    await assert.rejects(keyFromPassphrase('', SALT, SMALL), VALUE);
    for (const passphrase of ['\ud800', 'x\udc00', '\udc00\ud800', `${'x'.repeat(1000)}\ud83d`]) {
      await assert.rejects(keyFromPassphrase(passphrase, SALT, SMALL), { code: 'ERR_PASSWORD_ENCODING', status: 400 });
    }
    for (const passphrase of ['x'.repeat(65_537), 'é'.repeat(32_769), '🔑'.repeat(16_385), '\ud800'.repeat(65_537)]) {
      await assert.rejects(keyFromPassphrase(passphrase, SALT, SMALL), { code: 'ERR_PASSWORD_TOO_LONG', status: 400 });
    }
    for (const passphrase of ['x'.repeat(65_536), 'é'.repeat(32_768), '🔑'.repeat(16_384)]) {
      assert.equal((await keyFromPassphrase(passphrase, SALT, SMALL)).length, 32);
    }
  });

  it('rejects what is no salt', async () => {
    for (const salt of [undefined, null, '0123456789abcdef', 16, {}, [...SALT], SALT.buffer, new Uint32Array(16)]) {
      await assert.rejects(keyFromPassphrase('x', salt, SMALL), TYPE);
    }
    for (const length of [0, 15, 65, 1000]) {
      await assert.rejects(keyFromPassphrase('x', Buffer.alloc(length), SMALL), RANGE);
    }
    const salt = Buffer.from(new ArrayBuffer(16));
    const detaching = {
      ...SMALL,
      get length() {
        structuredClone(salt, { transfer: [salt.buffer] });
        return 32;
      },
    };
    await assert.rejects(keyFromPassphrase('x', salt, detaching), RANGE, 'gone when it is needed');
  });

  it('takes its options as all do', async () => {
    const attempt = (options) => keyFromPassphrase('x', SALT, options);
    for (const options of [null, 0, 'x', true, [], () => ({})]) await assert.rejects(attempt(options), TYPE);
    for (const name of ['memory', 'tagLength', 'salt', 'toString', '__proto__']) {
      const unknown = Object.defineProperty({ ...SMALL }, name, { value: undefined, enumerable: true });
      await assert.rejects(attempt(unknown), { ...VALUE, message: new RegExp(`'${name}'`) });
    }
    // What is in range and would take for ever is not begun: the signal is looked at last.
    const signal = AbortSignal.abort();
    for (const [name, low, high] of [
      ['memoryKiB', 8, 2 ** 22],
      ['passes', 1, 2 ** 20],
      ['lanes', 1, 255],
    ]) {
      const others = name === 'memoryKiB' ? { lanes: 1 } : {};
      for (const value of [low, low + 1, high]) {
        await assert.rejects(attempt({ ...others, [name]: value, signal }), ABORTED, `${name} = ${value}`);
      }
      for (const value of [low - 1, high + 1, low + 0.5, -1, NaN, Infinity, 2 ** 53]) {
        await assert.rejects(attempt({ ...others, [name]: value, signal }), RANGE, `${name} = ${value}`);
      }
      for (const value of [null, String(low), true, BigInt(low), [low]]) {
        await assert.rejects(attempt({ ...others, [name]: value, signal }), TYPE, `${name} = ${String(value)}`);
      }
    }
    for (const value of [0, 8, 15, 17, 24, 31, 33, 64, 16.5, NaN]) {
      await assert.rejects(attempt({ ...SMALL, length: value }), VALUE, `length = ${value}`);
    }
    for (const value of [null, '32', 32n, [32]]) await assert.rejects(attempt({ ...SMALL, length: value }), TYPE);
    for (const value of [null, {}, true, new AbortController(), new EventTarget()]) {
      await assert.rejects(attempt({ ...SMALL, signal: value }), TYPE);
    }
    for (const [memoryKiB, lanes] of [
      [8, 2],
      [31, undefined],
      [2039, 255],
    ]) {
      await assert.rejects(attempt({ memoryKiB, lanes }), { ...RANGE, message: /memoryKiB/ });
    }
    for (const [memoryKiB, lanes] of [
      [16, 2],
      [32, undefined],
      [2040, 255],
    ]) {
      assert.equal((await attempt({ memoryKiB, lanes, passes: 1 })).length, 32);
    }
    const inherited = Object.create({ memoryKiB: 1, unknown: 1 }, Object.getOwnPropertyDescriptors(SMALL));
    assert.deepEqual(await attempt(inherited), await attempt(SMALL));
  });
});

describe('a signal of keyFromPassphrase', () => {
  it('that has fired begins nothing', async () => {
    const reason = new Error('mine');
    for (const signal of [AbortSignal.abort(), AbortSignal.abort(reason), AbortSignal.abort(undefined)]) {
      await assert.rejects(
        keyFromPassphrase('x', SALT, { ...SMALL, signal }),
        (error) => error.code === 'ABORT_ERR' && error.cause === signal.reason,
      );
    }
  });

  it('rejects what runs and what waits at once, and the threads go on', async () => {
    const controller = new AbortController();
    const { signal } = controller;
    const jobs = Array.from({ length: 20 }, () => keyFromPassphrase('x', SALT, { passes: 100, signal }));
    setTimeout(() => controller.abort('enough'), 20);
    for (const { reason } of await Promise.allSettled(jobs)) {
      assert.deepEqual([reason?.code, reason?.cause], ['ABORT_ERR', 'enough']);
    }
    assert.equal(getEventListeners(signal, 'abort').length, 0);
    assert.equal((await keyFromPassphrase('y', SALT, SMALL)).length, 32);
  });

  it('that fires after the end changes nothing, and nothing listens any more', async () => {
    const controller = new AbortController();
    const { signal } = controller;
    const key = await keyFromPassphrase('x', SALT, { ...SMALL, signal });
    await assert.rejects(keyFromPassphrase('x', SALT, { memoryKiB: 8, signal }), RANGE);
    assert.equal(getEventListeners(signal, 'abort').length, 0);
    controller.abort();
    assert.deepEqual(await keyFromPassphrase('x', SALT, SMALL), key);
  });
});

describe('the threads of keyFromPassphrase', () => {
  it('have a queue with an end, in which an abort frees places', async () => {
    const { code, stdout, stderr } = await runNode(`
      const { keyFromPassphrase } = require(holdfast);
      const salt = Buffer.alloc(16);
      const controller = new AbortController();
      const waiting = { passes: 1, signal: controller.signal };
      (async () => {
        for (let job = 0; job < ${THREADS}; job++) keyFromPassphrase('x', salt, ${ENDLESS});
        const jobs = Array.from({ length: ${QUEUE} }, () => keyFromPassphrase('x', salt, waiting));
        const settled = Promise.allSettled(jobs);
        const refused = await keyFromPassphrase('x', salt).catch((error) => error);
        controller.abort();
        const reasons = new Set((await settled).map(({ reason }) => reason?.code));
        const later = await Promise.race([
          Promise.all(jobs.map(() => keyFromPassphrase('x', salt))).catch((error) => error.code),
          new Promise((resolve) => setTimeout(resolve, 50, 'waits')),
        ]);
        const { code, status, retryAfterMs, message } = refused;
        console.log(JSON.stringify([code, status, retryAfterMs > 0, message.includes('passphrase'), ...reasons, later]));
        process.exit();
      })();`);
    assert.deepEqual({ code, stderr }, { code: 0, stderr: '' });
    assert.deepEqual(JSON.parse(stdout), ['ERR_QUEUE_FULL', 503, true, true, 'ABORT_ERR', 'waits']);
  });

  it('are not those of libuv, and do not hold up the end of the process', async () => {
    const source = `
      const { keyFromPassphrase } = require(holdfast);
      for (let job = 0; job < 20; job++) keyFromPassphrase('x', Buffer.alloc(16), ${ENDLESS});
      require('node:fs').readFile(holdfast + '/package.json', 'utf8', (error, text) => {
        console.log(JSON.parse(text).name);
        process.exit(7);
      });`;
    const { code, signal, stdout, stderr } = await runNode(source, { env: { UV_THREADPOOL_SIZE: '1' } });
    assert.deepEqual({ code, signal, stdout, stderr }, { code: 7, signal: null, stdout: 'holdfast\n', stderr: '' });
  });

  it('let a process end that has its key, and wait for one that has not', async () => {
    const { code, stdout, stderr } = await runNode(`
      const { keyFromPassphrase } = require(holdfast);
      keyFromPassphrase('x', Buffer.alloc(16)).then((key) => console.log(key.length));`);
    assert.deepEqual({ code, stdout, stderr }, { code: 0, stdout: '32\n', stderr: '' });
  });

  it('are as few as ever after many settings', { skip: process.platform !== 'linux' && 'it takes /proc' }, async () => {
    const { code, stdout, stderr } = await runNode(`
      const fs = require('node:fs');
      const { keyFromPassphrase } = require(holdfast);
      const name = (task) => {
        try { return fs.readFileSync('/proc/self/task/' + task + '/comm', 'utf8'); } catch { return 'gone'; }
      };
      const names = () => fs.readdirSync('/proc/self/task').map(name);
      (async () => {
        const before = names().length;
        const jobs = (passes) => Array.from({ length: 100 }, (_, at) =>
          keyFromPassphrase('x', Buffer.alloc(16), { memoryKiB: 64 + at, passes, lanes: 1 + (at % 4) }));
        for (let passes = 1; passes < 4; passes++) await Promise.all(jobs(passes));
        // The system lists threads, as those that helped with the lanes, for some time after their end.
        const seen = () => [names().filter((name) => name.startsWith('holdfast')).length, names().length - before];
        for (let round = 0; round < 500 && Math.max(...seen()) > ${THREADS}; round++) {
          await new Promise((resolve) => setTimeout(resolve, 10));
        }
        console.log(JSON.stringify(seen()));
      })();`);
    assert.deepEqual({ code, stderr }, { code: 0, stderr: '' });
    const [ours, more] = JSON.parse(stdout);
    assert.ok(ours === THREADS && more <= THREADS, stdout);
  });

  it('give the memory back', { skip: process.platform === 'win32' && 'the RSS differs' }, async () => {
    const { code, stdout, stderr } = await runNode(`
      const { keyFromPassphrase } = require(holdfast);
      const rss = () => process.memoryUsage().rss / 2 ** 20;
      (async () => {
        await keyFromPassphrase('x', Buffer.alloc(16), { memoryKiB: 8, passes: 1, lanes: 1 });
        const before = rss();
        let most = before;
        const timer = setInterval(() => { most = Math.max(most, rss()); }, 1);
        const large = { memoryKiB: 262144, passes: 2 };
        await Promise.all([0, 1, 2, 3].map(() => keyFromPassphrase('x', Buffer.alloc(16), large)));
        clearInterval(timer);
        console.log(most - before > 200, rss() - before < 64);
      })();`);
    assert.deepEqual({ code, stdout, stderr }, { code: 0, stdout: 'true true\n', stderr: '' });
  });

  it('serve worker threads, also those that end in the middle', async () => {
    const run = (body) =>
      new Promise((resolve, reject) => {
        const source = `
          const { parentPort } = require('node:worker_threads');
          const { keyFromPassphrase } = require(${JSON.stringify(root)});
          ${body}`;
        const worker = new Worker(source, { eval: true });
        let told;
        worker.on('message', (message) => {
          if (message === 'end me') worker.terminate();
          else told = message;
        });
        worker.once('error', reject).once('exit', (code) => resolve([code, told]));
      });
    const small = JSON.stringify(SMALL);
    const making = `keyFromPassphrase('x', Buffer.alloc(16, 2), ${small})
      .then((key) => parentPort.postMessage(key.toString('hex')));`;
    const dying = `for (let job = 0; job < 20; job++) keyFromPassphrase('x', Buffer.alloc(16), { passes: 2 });
      parentPort.postMessage('end me');`;
    const ended = Promise.all([making, dying, making, dying, making, dying].map(run));
    const key = hex(await keyFromPassphrase('x', SALT, SMALL));
    const [made, died] = [
      [0, key],
      [1, undefined],
    ];
    assert.deepEqual(await ended, [made, died, made, died, made, died]);
  });
});
