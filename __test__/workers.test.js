'use strict';

/** Worker threads come and go, in the middle of calls, without a crash and without leaving memory behind. */

const assert = require('node:assert/strict');
const { execFile } = require('node:child_process');
const path = require('node:path');
const { describe, it } = require('node:test');
const { promisify } = require('node:util');
const { Worker } = require('node:worker_threads');
const { PasswordHasher, RateLimiter } = require('..');
const { runNode } = require('./support/child.js');

/** More with HOLDFAST_WORKERS, for a nightly run. */
const WORKERS = Math.max(1000, Number(process.env.HOLDFAST_WORKERS ?? 0));
/**
 * Mebibytes between the 200th worker and the last. Over such a run the memory of Node itself, without holdfast, goes
 * up and down by about 10; the argon2 memory of one hasher in a hundred (4 MiB each), kept, would pass the bound.
 */
const BOUND = 32;

async function terminate(count, atATime, mode) {
  const program = path.join(__dirname, 'support', 'terminate.js');
  const args = [program, String(count), String(atATime), mode];
  // It ends by itself when it gets nowhere; the time limit is for a main thread that is stuck.
  const run = promisify(execFile)(process.execPath, args, { timeout: 300_000, killSignal: 'SIGKILL' });
  const { stdout, stderr } = await run.catch(({ code, signal, stderr: told }) =>
    assert.fail(`${code ?? signal}: ${told}`),
  );
  assert.equal(stderr, '');
  return JSON.parse(stdout);
}

describe('workers', () => {
  it(`${WORKERS} in a row, each terminated in mid-call, where the main thread never loads holdfast`, async (t) => {
    const { ended, counts, rss } = await terminate(WORKERS, 2, 'workers');
    t.diagnostic(`ended ${ended}, ${JSON.stringify(counts)}, RSS in MiB after so many: ${JSON.stringify(rss)}`);
    assert.equal(ended, WORKERS);
    assert.ok(Math.min(...Object.values(counts)) > WORKERS / 10 && Object.keys(counts).length === 8);
    assert.ok(rss[WORKERS] - rss[200] < BOUND, JSON.stringify(rss));
  });

  it('300 more, one at a time, while the main thread hashes', async (t) => {
    const { ended, inMain, rss } = await terminate(300, 1, 'main');
    t.diagnostic(`ended ${ended}, ${inMain} hashes in the main thread, RSS in MiB ${JSON.stringify(rss)}`);
    assert.equal(ended, 300);
    assert.ok(inMain > 300);
    assert.ok(rss[300] - rss[200] < BOUND, JSON.stringify(rss));
  });

  it('eight at once that hash, beside the main thread', async () => {
    const hasher = new PasswordHasher({ argon2: { memoryKiB: 64, passes: 1 } });
    const ended = Array.from({ length: 8 }, () => {
      const worker = new Worker(path.join(__dirname, 'support', 'worker.js'), {
        workerData: { kind: 'once', jobs: 50 },
      });
      const messages = [];
      worker.on('message', (message) => messages.push(message));
      return new Promise((resolve, reject) => {
        worker.once('error', reject).once('exit', (code) => resolve({ code, messages }));
      });
    });
    const hashes = await Promise.all(Array.from({ length: 100 }, () => hasher.hash('password')));
    assert.equal(new Set(hashes).size, 100);
    const verdicts = await Promise.all(hashes.map((hash) => hasher.verify(hash, 'password')));
    assert.ok(verdicts.every(({ valid }) => valid));
    await hasher.close();
    for (const worker of await Promise.all(ended))
      assert.deepEqual(worker, { code: 0, messages: ['started', 'loaded', 50] });
  });

  it('have limiters of their own, four at once, terminated in the middle', async () => {
    const run = (kind, until) => {
      const worker = new Worker(path.join(__dirname, 'support', 'worker.js'), { workerData: { kind } });
      const messages = [];
      worker.on('message', (message) => {
        messages.push(message);
        if (message === until) setTimeout(() => worker.terminate(), 50);
      });
      return new Promise((resolve, reject) => {
        worker.once('error', reject).once('exit', () => resolve(messages));
      });
    };
    const limiter = new RateLimiter({ limit: 5, windowMs: 3_600_000 });
    for (let round = 0; round < 3; round++) {
      const terminated = Array.from({ length: 4 }, () => run('limit', 'loaded'));
      const counted = Array.from({ length: 2 }, () => run('limitOnce'));
      for (const messages of await Promise.all(counted)) assert.deepEqual(messages, ['started', 'loaded', 5]);
      assert.equal(limiter.consume('the same key').remaining, 4 - round, 'nor does the main thread share with them');
      for (const messages of await Promise.all(terminated)) assert.deepEqual(messages, ['started', 'loaded']);
    }
  });

  it('that end by process.exit or by an exception leave the others alone', async () => {
    const { code, stdout, stderr } = await runNode(`
      const { Worker, isMainThread } = require('node:worker_threads');
      const { PasswordHasher } = require(holdfast);
      const run = (end) => new Promise((resolve) => {
        const source = 'const { PasswordHasher } = require(' + JSON.stringify(holdfast) + ');' +
          'const hasher = new PasswordHasher(); for (let n = 0; n < 20; n++) hasher.hash("x").catch(() => {});' +
          'setImmediate(() => { ' + end + ' });';
        let message;
        const worker = new Worker(source, { eval: true });
        worker.on('error', (error) => (message = error.message)).on('exit', (code) => resolve([code, message]));
      });
      (async () => {
        const hasher = new PasswordHasher({ argon2: { memoryKiB: 64, passes: 1 } });
        const seen = await Promise.all([run('process.exit(5)'), run('throw new Error("mine")'), run('process.exit()')]);
        console.log(JSON.stringify([...seen, (await hasher.hash('x')).slice(0, 9)]));
      })();`);
    assert.deepEqual({ code, stderr }, { code: 0, stderr: '' });
    assert.deepEqual(JSON.parse(stdout), [[5, null], [1, 'mine'], [0, null], '$argon2id']);
  });
});

describe('process.exit', () => {
  it('in the middle of hashing, 20 times, ends with the code given', async () => {
    for (let round = 0; round < 20; round++) {
      const { code, signal, stderr } = await runNode(`
        const { PasswordHasher } = require(holdfast);
        const hasher = new PasswordHasher({ argon2: { memoryKiB: 8192, passes: 2 }, threads: 2 });
        for (let job = 0; job < 50; job++) hasher.hash('x');
        ${round % 2 === 0 ? `setTimeout(() => process.exit(${round}), ${round})` : `process.exit(${round})`};`);
      assert.deepEqual({ code, signal, stderr }, { code: round, signal: null, stderr: '' });
    }
  });
});
