'use strict';

/**
 * A process that holds one key, for key-memory.test.js to look into: run with the name of a holder. Answers each line of
 * input with a line. The key is told with every bit flipped, so that telling it leaves no copy.
 */

const fs = require('node:fs');
const { createInterface } = require('node:readline');
const { AesGcmKey, Keyring, aesGcmEncrypt, generateKey } = require('../..');

const AAD = { aad: 'x' };

const HOLDERS = {
  Keyring(key) {
    const ring = new Keyring({ primary: 'k1', keys: { k1: key } });
    ring.open(ring.seal('message', AAD), AAD);
    ring.openToken(ring.sealToken({ user: 7 }, { purpose: 'p' }), { purpose: 'p' });
    const stream = ring.sealStream();
    stream.destroy();
    return () => ring.dispose();
  },
  'Keyring.rotate'(key) {
    const old = new Keyring({ primary: 'k1', keys: { k1: generateKey() } });
    const ring = old.rotate('k2', key);
    ring.open(ring.reseal(old.seal('message')));
    return () => ring.dispose();
  },
  AesGcmKey(key) {
    const gcm = new AesGcmKey(key);
    gcm.open(gcm.seal('message'));
    return () => gcm.dispose();
  },
  'AesGcmKey of 16 bytes'(key) {
    const gcm = new AesGcmKey(key);
    gcm.open(gcm.seal('message'));
    return () => gcm.dispose();
  },
  /** Holds nothing: there is nothing to find after the call. */
  aesGcmEncrypt(key) {
    aesGcmEncrypt(key, Buffer.alloc(12), 'message');
    return () => {};
  },
  /** For the key of one message, which no object holds. */
  'the stack'(key) {
    const ring = new Keyring({ primary: 'k1', keys: { k1: key } });
    messages = ring;
    return () => ring.dispose();
  },
  /** Collected, without being disposed of. */
  'a Keyring that is collected'(key) {
    let ring = new Keyring({ primary: 'k1', keys: { k1: key } });
    ring.open(ring.seal('message'));
    return () => {
      ring = undefined;
      return collect();
    };
  },
};

async function collect() {
  for (let round = 0; round < 5; round++) {
    globalThis.gc();
    await new Promise(setImmediate);
  }
}

/** In memory of its own from the start: what is as short as this would first be written into V8's heap, which moves. */
function secret(length) {
  const whole = generateKey();
  const key = new Uint8Array(new ArrayBuffer(4096), 0, length);
  key.set(whole.subarray(0, length));
  whole.fill(0);
  return key;
}

const name = process.argv[2];
const key = secret(name.includes('16') ? 16 : 32);
let dispose;

/** A ring whose messages are asked for, and the last one. */
let messages;
let message;

const STEPS = {
  seal() {
    message = messages.seal('message');
    return message.toString('hex');
  },
  /** Says so, opens, and then does nothing at all for a while: what is on the stack stays there. */
  open() {
    const nothing = new Int32Array(new SharedArrayBuffer(4));
    fs.writeSync(1, 'opened\n');
    messages.open(message);
    Atomics.wait(nothing, 0, 0, 2000);
    return 'awake';
  },
  hold() {
    dispose = HOLDERS[name](key);
    return Buffer.from(key.map((byte) => byte ^ 0xff)).toString('hex');
  },
  forget() {
    key.fill(0);
    return 'forgotten';
  },
  async dispose() {
    await dispose();
    return 'disposed';
  },
};

createInterface({ input: process.stdin }).on('line', async (line) => {
  // An empty line asks for nothing but the answer that is late.
  if (line !== '') process.stdout.write(`${await STEPS[line]()}\n`);
});
