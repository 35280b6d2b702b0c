'use strict';

/**
 * Keys are wiped: another process looks for them in the memory of one that has disposed of its key, or has lost it to the
 * garbage collector. The first bytes of an AES key schedule are the key itself, so that schedules are found too.
 */

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { spawn } = require('node:child_process');
const { createInterface } = require('node:readline');
const { describe, it } = require('node:test');
const { setTimeout: sleep } = require('node:timers/promises');
const { deriveKey } = require('./support/xaes.js');

const HOLDER = path.join(__dirname, 'support', 'key-holder.js');
const HOLDERS = [
  { name: 'Keyring', keeps: true },
  { name: 'Keyring.rotate', keeps: true },
  { name: 'AesGcmKey', keeps: true },
  { name: 'AesGcmKey of 16 bytes', keeps: true },
  { name: 'aesGcmEncrypt', keeps: false },
  { name: 'a Keyring that is collected', keeps: true },
];

/** How often `needle` stands in the writable memory of a process. */
function occurrences(pid, needle) {
  const memory = fs.openSync(`/proc/${pid}/mem`, 'r');
  let found = 0;
  try {
    for (const line of fs.readFileSync(`/proc/${pid}/maps`, 'utf8').split('\n')) {
      const [, start, end] = /^([0-9a-f]+)-([0-9a-f]+) rw/.exec(line) ?? [];
      if (start === undefined || line.includes('[vvar')) continue;
      found += inRange(memory, parseInt(start, 16), parseInt(end, 16), needle);
    }
  } finally {
    fs.closeSync(memory);
  }
  return found;
}

const PIECE = 4 << 20;

function inRange(memory, start, end, needle) {
  const piece = Buffer.alloc(PIECE);
  let found = 0;
  // Pieces overlap, so that what lies across their edges is found.
  for (let at = start; at < end; at += PIECE - needle.length) {
    let length;
    try {
      length = fs.readSync(memory, piece, 0, Math.min(PIECE, end - at), at);
    } catch (error) {
      // Reserved, without memory behind it.
      assert.ok(['EIO', 'EFAULT'].includes(error.code), error.code);
      continue;
    }
    for (let place = piece.subarray(0, length).indexOf(needle); place !== -1;) {
      found++;
      place = piece.subarray(0, length).indexOf(needle, place + 1);
    }
  }
  return found;
}

/** Why memory cannot be looked into, or false. */
function unreadable() {
  if (process.platform !== 'linux') return 'reads /proc, which only Linux has';
  try {
    fs.closeSync(fs.openSync(`/proc/${process.pid}/mem`, 'r'));
    return false;
  } catch (error) {
    return `/proc/self/mem cannot be opened here (${error.code})`;
  }
}

/** A process that holds a key, and what it answers. */
async function withHolder(name, body) {
  const child = spawn(process.execPath, ['--expose-gc', HOLDER, name], { stdio: ['pipe', 'pipe', 'inherit'] });
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const ask = async (line) => {
    child.stdin.write(`${line}\n`);
    return (await answers.next()).value;
  };
  try {
    await body(child.pid, ask);
  } finally {
    child.kill();
  }
}

describe('keys are wiped from memory', { skip: unreadable() }, () => {
  it('the key of a message, which was on the stack', { timeout: 60_000 }, async () => {
    await withHolder('the stack', async (pid, ask) => {
      const key = Buffer.from(await ask('hold'), 'hex').map((byte) => byte ^ 0xff);
      for (let round = 0; round < 3; round++) {
        const nonce = Buffer.from(await ask('seal'), 'hex').subarray(4, 28);
        assert.equal(await ask('open'), 'opened');
        await sleep(200);
        assert.equal(occurrences(pid, deriveKey(key, nonce)), 0, 'copies that are left');
        // Its second half is a round key by itself.
        assert.equal(occurrences(pid, deriveKey(key, nonce).subarray(16)), 0, 'copies of the second half');
        assert.equal(await ask(''), 'awake');
      }
    });
  });

  for (const { name, keeps } of HOLDERS) {
    it(name, { timeout: 60_000 }, async () => {
      await withHolder(name, async (pid, ask) => {
        const key = Buffer.from(await ask('hold'), 'hex').map((byte) => byte ^ 0xff);
        assert.equal(key.length, name.includes('16') ? 16 : 32);
        assert.ok(occurrences(pid, key) >= 1, 'the copy in JavaScript is found');
        assert.equal(await ask('forget'), 'forgotten');
        const held = occurrences(pid, key);
        assert.ok(keeps ? held >= 1 : held === 0, `${held} copies while it is held`);
        assert.equal(await ask('dispose'), 'disposed');
        assert.equal(occurrences(pid, key), 0, 'copies that are left');
      });
    });
  }
});
