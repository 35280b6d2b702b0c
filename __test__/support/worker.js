'use strict';

/** A worker that loads holdfast, says so, and goes on with `workerData.kind` until it is terminated. */

const { parentPort, workerData } = require('node:worker_threads');

/** Each never ends by itself, `once` and `limitOnce` apart. */
const KINDS = {
  hash({ PasswordHasher }) {
    const hasher = new PasswordHasher({ argon2: { memoryKiB: 4096, passes: 2 }, threads: 2 });
    for (let job = 0; job < 4; job++) forEver(() => hasher.hash('password'));
  },
  close({ PasswordHasher }) {
    forEver(() => {
      const hasher = new PasswordHasher({ argon2: { memoryKiB: 64, passes: 1 }, threads: 1 });
      for (let job = 0; job < 4; job++) hasher.hash('password');
      return hasher.close();
    });
  },
  regexp({ SafeRegExp }) {
    const re = new SafeRegExp('(a|aa)+$');
    const text = 'a'.repeat(10_000);
    for (;;) re.exec(text);
  },
  seal({ Keyring, generateKey }) {
    const ring = new Keyring({ primary: 'k1', keys: { k1: generateKey() } });
    const content = Buffer.alloc(10_000);
    for (;;) ring.open(ring.seal(content));
  },
  stream({ Keyring, generateKey }) {
    const ring = new Keyring({ primary: 'k1', keys: { k1: generateKey() } });
    const { Readable, Writable } = require('node:stream');
    const { pipeline } = require('node:stream/promises');
    const block = Buffer.alloc(1_000_000, 5);
    forEver(() => {
      const sink = new Writable({ write: (chunk, encoding, callback) => setImmediate(callback) });
      const done = pipeline(Readable.from(Array(5).fill(block)), ring.sealStream(), ring.openStream(), sink);
      parentPort.postMessage('streaming');
      return done;
    });
  },
  json({ mergeJson, parseJson, scanJson }) {
    const text = Buffer.from(JSON.stringify(Array.from({ length: 1000 }, (_, id) => ({ id, name: `é ${id}` }))));
    for (;;) {
      parseJson(text);
      scanJson(text, { duplicateKeys: 'error' });
      mergeJson(text, text);
    }
  },
  limit({ RateLimiter }) {
    // With room for few keys, and for many: one table is full at once, the other one grows.
    const limiters = [100, 1_000_000].map((maxKeys) => new RateLimiter({ limit: 5, windowMs: 60_000, maxKeys }));
    for (let index = 0; ; index++) {
      for (const limiter of limiters) limiter.consumeMany([`address ${index}`, `account ${index % 1000}`]);
      if (index % 100_000 === 0) limiters[1] = new RateLimiter({ limit: 5, windowMs: 60_000 });
    }
  },
  construct({ AesGcmKey, Keyring, RateLimiter, SafeRegExp }) {
    for (let round = 0; ; round++) {
      new RateLimiter({ limit: 5, windowMs: 1000 + round }).consume('a');
      new SafeRegExp(`${round}(a|b)*`);
      new AesGcmKey(Buffer.alloc(32, round));
      new Keyring({ primary: 'k1', keys: { k1: Buffer.alloc(32, round) } });
    }
  },
  /** Hits that a thread is allowed under a key that all threads use. */
  limitOnce({ RateLimiter }) {
    const limiter = new RateLimiter({ limit: 5, windowMs: 3_600_000 });
    let allowed = 0;
    for (let hit = 0; hit < 1000; hit++) allowed += Number(limiter.consume('the same key').allowed);
    parentPort.postMessage(allowed);
  },
  async once({ PasswordHasher }) {
    const hasher = new PasswordHasher({ argon2: { memoryKiB: 64, passes: 1 } });
    const hashes = await Promise.all(Array.from({ length: workerData.jobs ?? 4 }, () => hasher.hash('password')));
    const verdicts = await Promise.all(hashes.map((hash) => hasher.verify(hash, 'password')));
    parentPort.postMessage(verdicts.filter(({ valid }) => valid).length);
  },
};

async function forEver(job) {
  for (;;) await job();
}

parentPort.postMessage('started');
const holdfast = require('../..');
parentPort.postMessage('loaded');
KINDS[workerData.kind](holdfast);
