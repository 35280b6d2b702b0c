'use strict';

/** A worker that loads holdfast, says so, and goes on with `workerData.kind` until it is terminated. */

const { parentPort, workerData } = require('node:worker_threads');

/** Each never ends by itself, `once` apart. */
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
  construct({ AesGcmKey, Keyring, SafeRegExp }) {
    for (let round = 0; ; round++) {
      new SafeRegExp(`${round}(a|b)*`);
      new AesGcmKey(Buffer.alloc(32, round));
      new Keyring({ primary: 'k1', keys: { k1: Buffer.alloc(32, round) } });
    }
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
