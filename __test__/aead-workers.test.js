'use strict';

/** Encryption in several threads at once: what one seals, every other opens, and no two draw the same nonce. */

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { Worker } = require('node:worker_threads');
const { AesGcmKey, Keyring, generateKey } = require('..');

const WORKERS = 4;
const MESSAGES = 4000;

/** Seals as fast as it can, opens what the others sealed, and hands its own messages over. */
const SOURCE = `
const { parentPort, workerData } = require('node:worker_threads');
const { AesGcmKey, Keyring } = require(workerData.holdfast);
const { key, index, messages } = workerData;
const ring = new Keyring({ primary: 'k1', keys: { k1: key } });
const gcm = new AesGcmKey(key);
const own = [];
for (let at = 0; at < messages; at++) {
  own.push({ ring: ring.seal(index + ':' + at), gcm: gcm.seal(index + ':' + at) });
}
parentPort.postMessage(own);
parentPort.once('message', (others) => {
  const opened = others.map((other) => [ring.open(other.ring).toString(), gcm.open(other.gcm).toString()]);
  ring.dispose();
  gcm.dispose();
  parentPort.postMessage(opened);
});
`;

function next(worker) {
  return new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
}

describe('in several threads at once', () => {
  it('messages open everywhere, and every nonce is another one', { timeout: 60_000 }, async () => {
    const key = generateKey();
    const workers = Array.from({ length: WORKERS }, (_, index) => {
      const workerData = { holdfast: require.resolve('..'), key, index, messages: MESSAGES };
      return new Worker(SOURCE, { eval: true, workerData });
    });
    try {
      const sealed = await Promise.all(workers.map(next));
      const all = sealed.flat();
      assert.equal(all.length, WORKERS * MESSAGES);
      const nonces = (name, start, end) =>
        new Set(all.map((message) => Buffer.from(message[name]).toString('latin1', start, end)));
      assert.equal(nonces('ring', 4, 28).size, all.length);
      assert.equal(nonces('gcm', 0, 12).size, all.length);

      const [ring, gcm] = [new Keyring({ primary: 'k1', keys: { k1: key } }), new AesGcmKey(key)];
      sealed.forEach((messages, index) => {
        messages.forEach((message, at) => {
          assert.equal(ring.open(message.ring).toString(), `${index}:${at}`);
          assert.equal(gcm.open(message.gcm).toString(), `${index}:${at}`);
        });
      });

      // Each gets the messages of the next one.
      const answers = Promise.all(workers.map(next));
      workers.forEach((worker, index) => worker.postMessage(sealed[(index + 1) % WORKERS]));
      (await answers).forEach((opened, index) => {
        const from = (index + 1) % WORKERS;
        assert.deepEqual(
          opened,
          Array.from({ length: MESSAGES }, (_, at) => [`${from}:${at}`, `${from}:${at}`]),
        );
      });
    } finally {
      await Promise.all(workers.map((worker) => worker.terminate()));
    }
  });
});
