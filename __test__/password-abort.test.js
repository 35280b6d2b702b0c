'use strict';

/** AbortSignals of hash and verify: what waits is gone at once, what runs is stopped or forgotten, nothing is left behind. */

const assert = require('node:assert/strict');
const { getEventListeners } = require('node:events');
const { describe, it } = require('node:test');
const { setTimeout: after } = require('node:timers/promises');
const { PasswordHasher } = require('..');
const { runNode } = require('./support/child.js');

const SMALL = { argon2: { memoryKiB: 8, passes: 1 }, threads: 1 };
/** Runs until it is stopped: the work of hours. */
const ENDLESS = { algorithm: 'bcrypt', bcrypt: { cost: 31 }, limits: { cost: 31 }, threads: 1 };
const ABORTED = { name: 'AbortError', code: 'ABORT_ERR' };

async function until(condition) {
  for (let round = 0; round < 2000 && !condition(); round++) await after(5);
  assert.ok(condition());
}

describe('a signal', () => {
  it('that has fired begins nothing', async () => {
    const hasher = new PasswordHasher(SMALL);
    const reason = new Error('mine');
    for (const signal of [AbortSignal.abort(), AbortSignal.abort(reason), AbortSignal.abort(undefined)]) {
      for (const attempt of [() => hasher.hash('x', { signal }), () => hasher.verify(null, 'x', { signal })]) {
        await assert.rejects(attempt(), (error) => error.cause === signal.reason && error.code === 'ABORT_ERR');
      }
    }
    assert.deepEqual([hasher.stats().threads, hasher.stats().completed], [0, 0]);
    await hasher.close();
  });

  it('frees the place of a job that waits, at once', async () => {
    const hasher = new PasswordHasher({ ...ENDLESS, maxQueue: 2 });
    const [running, waiting] = [new AbortController(), new AbortController()];
    const jobs = [hasher.hash('a', { signal: running.signal })];
    await until(() => hasher.stats().running === 1);
    jobs.push(hasher.hash('b', { signal: waiting.signal }), hasher.hash('c', { signal: waiting.signal }));
    const settled = Promise.allSettled(jobs);
    await assert.rejects(hasher.hash('d'), { code: 'ERR_QUEUE_FULL' });
    assert.equal(hasher.stats().queued, 2);
    waiting.abort();
    assert.equal(hasher.stats().queued, 0);
    for (const job of jobs.slice(1)) await assert.rejects(job, ABORTED);
    running.abort();
    await assert.rejects(jobs[0], ABORTED);
    await settled;
    await hasher.close();
  });

  it('stops a bcrypt that runs', async () => {
    const hasher = new PasswordHasher(ENDLESS);
    for (let round = 0; round < 3; round++) {
      const controller = new AbortController();
      const job = hasher.verify(null, 'x', { signal: controller.signal });
      await until(() => hasher.stats().running === 1);
      controller.abort('enough');
      await assert.rejects(job, { ...ABORTED, cause: 'enough' });
      await until(() => hasher.stats().running === 0);
    }
    // The thread that was freed works on.
    await hasher.close();
    assert.equal(hasher.stats().threads, 0);
  });

  it('stops one of several that run together, and the others go on', async () => {
    const hasher = new PasswordHasher({ algorithm: 'bcrypt', bcrypt: { cost: 8 }, threads: 1 });
    const controller = new AbortController();
    const jobs = Array.from({ length: 9 }, (_, at) =>
      hasher.hash('x', at % 2 === 0 ? { signal: controller.signal } : undefined),
    );
    setImmediate(() => controller.abort());
    const outcomes = await Promise.allSettled(jobs);
    outcomes.forEach(({ status, reason, value }, at) => {
      if (at % 2 === 1) assert.match(value, /^\$2b\$08\$/);
      else if (status === 'rejected') assert.equal(reason.code, 'ABORT_ERR');
    });
    assert.ok(outcomes.some(({ status }) => status === 'rejected'));
    await hasher.close();
  });

  it('lets an argon2 that runs come to its end unheard', async () => {
    const hasher = new PasswordHasher({ argon2: { memoryKiB: 65_536, passes: 3 }, threads: 1 });
    const controller = new AbortController();
    const job = hasher.hash('x', { signal: controller.signal });
    await until(() => hasher.stats().running === 1);
    controller.abort();
    await assert.rejects(job, ABORTED);
    assert.match(await hasher.hash('y'), /^\$argon2id\$/);
    await hasher.close();
  });

  it('is left alone: its own handlers run, and no listener stays', async () => {
    const hasher = new PasswordHasher(SMALL);
    const controller = new AbortController();
    let heard = 0;
    controller.signal.onabort = () => heard++;
    const { onabort } = controller.signal;
    for (let round = 0; round < 20; round++) await hasher.hash('x', { signal: controller.signal });
    await assert.rejects(hasher.verify('x', 'x', { signal: controller.signal }), { code: 'ERR_HASH_MALFORMED' });
    assert.equal(getEventListeners(controller.signal, 'abort').length, 1);
    assert.equal(controller.signal.onabort, onabort);
    const job = hasher.hash('x', { signal: controller.signal });
    controller.abort();
    await assert.rejects(job, ABORTED);
    assert.equal(heard, 1);
    assert.equal(getEventListeners(controller.signal, 'abort').length, 1);
    controller.abort();
    await hasher.close();
  });

  it('that fires after the end changes nothing', async () => {
    const hasher = new PasswordHasher(SMALL);
    const controller = new AbortController();
    const stored = await hasher.hash('x', { signal: controller.signal });
    controller.abort();
    assert.equal((await hasher.verify(stored, 'x')).valid, true);
    await hasher.close();
  });

  it('is an AbortSignal', async () => {
    const hasher = new PasswordHasher(SMALL);
    for (const signal of [
      null,
      1,
      'x',
      {},
      [],
      () => 1,
      new EventTarget(),
      { aborted: false, addEventListener() {} },
    ]) {
      for (const attempt of [() => hasher.hash('x', { signal }), () => hasher.verify(null, 'x', { signal })]) {
        await assert.rejects(attempt(), { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' });
      }
    }
    for (const [options, code] of [
      [null, 'ERR_INVALID_ARG_TYPE'],
      [1, 'ERR_INVALID_ARG_TYPE'],
      // A signal in place of the options that hold it.
      [new AbortController().signal, 'ERR_INVALID_ARG_VALUE'],
      [{ signals: undefined }, 'ERR_INVALID_ARG_VALUE'],
    ]) {
      await assert.rejects(hasher.hash('x', options), { code });
      await assert.rejects(hasher.verify(null, 'x', options), { code });
    }
    await hasher.hash('x', { signal: undefined });
    await hasher.hash('x', {});
    await hasher.close();
  });
});

describe('a signal of many jobs', () => {
  it('is listened to once, and tells each of them', async () => {
    const { code, stdout, stderr } = await runNode(`
      const { PasswordHasher } = require(holdfast);
      const { getEventListeners } = require('node:events');
      const hasher = new PasswordHasher({ argon2: { memoryKiB: 8, passes: 1 } });
      const { signal } = new AbortController();
      const controller = new AbortController();
      (async () => {
        const jobs = Array.from({ length: 1000 }, () => hasher.hash('x', { signal }));
        console.log(getEventListeners(signal, 'abort').length);
        await Promise.all(jobs);
        console.log(getEventListeners(signal, 'abort').length);
        const slow = new PasswordHasher({ threads: 1 });
        const all = Promise.allSettled(Array.from({ length: 200 }, () => slow.hash('x', { signal: controller.signal })));
        controller.abort('why');
        console.log((await all).every(({ reason }) => reason.code === 'ABORT_ERR' && reason.cause === 'why'));
        console.log(slow.stats().queued);
      })();`);
    assert.deepEqual({ code, stdout, stderr }, { code: 0, stdout: '1\n0\ntrue\n0\n', stderr: '' });
  });
});

describe('the process', () => {
  it('ends by itself when all its jobs were aborted', async () => {
    const { code, stdout, stderr } = await runNode(`
      const { PasswordHasher } = require(holdfast);
      const hasher = new PasswordHasher({ algorithm: 'bcrypt', bcrypt: { cost: 31 }, limits: { cost: 31 }, threads: 2 });
      const controller = new AbortController();
      const jobs = Array.from({ length: 20 }, () => hasher.hash('x', { signal: controller.signal }));
      setTimeout(() => controller.abort(), 50);
      Promise.allSettled(jobs).then((all) => console.log(all.filter(({ reason }) => reason?.code === 'ABORT_ERR').length));`);
    assert.deepEqual({ code, stdout, stderr }, { code: 0, stdout: '20\n', stderr: '' });
  });

  it('is not kept by a bcrypt of hours when it is told to end', async () => {
    const { code, stderr } = await runNode(`
      const { PasswordHasher } = require(holdfast);
      const hasher = new PasswordHasher({ algorithm: 'bcrypt', bcrypt: { cost: 31 }, limits: { cost: 31 } });
      for (let job = 0; job < 20; job++) hasher.hash('x').catch(() => {});
      setTimeout(() => process.exit(3), 50);`);
    assert.deepEqual({ code, stderr }, { code: 3, stderr: '' });
  });

  it(
    'is rid of the threads of a worker that is terminated while they run',
    { skip: process.platform !== 'linux' },
    async () => {
      const { code, stdout, stderr } = await runNode(`
      const { Worker } = require('node:worker_threads');
      const fs = require('node:fs');
      const threads = () => fs.readdirSync('/proc/self/task').filter((task) => {
        try { return fs.readFileSync('/proc/self/task/' + task + '/comm', 'utf8').startsWith('holdfast'); } catch { return false; }
      }).length;
      const source = 'const { PasswordHasher } = require(' + JSON.stringify(holdfast) + ');' +
        'const hasher = new PasswordHasher({ algorithm: "bcrypt", bcrypt: { cost: 31 }, limits: { cost: 31 }, threads: 2 });' +
        'for (let job = 0; job < 20; job++) hasher.hash("x").catch(() => {});';
      (async () => {
        for (let round = 0; round < 5; round++) {
          const worker = new Worker(source, { eval: true });
          while (threads() < 2) await new Promise((resolve) => setTimeout(resolve, 5));
          await worker.terminate();
          for (let wait = 0; wait < 1000 && threads() > 0; wait++) await new Promise((resolve) => setTimeout(resolve, 5));
          console.log(threads());
        }
      })();`);
      assert.deepEqual({ code, stdout, stderr }, { code: 0, stdout: '0\n'.repeat(5), stderr: '' });
    },
  );

  it('can abort hundreds of thousands of jobs that wait, in time that grows with their number', async () => {
    const { code, stdout, stderr } = await runNode(`
      const { PasswordHasher } = require(holdfast);
      const options = { algorithm: 'bcrypt', bcrypt: { cost: 31 }, limits: { cost: 31 }, threads: 1, maxQueue: 2 ** 20 };
      const hasher = new PasswordHasher(options);
      (async () => {
        for (let round = 0; round < 3; round++) {
          const controllers = Array.from({ length: 50_000 }, () => new AbortController());
          const jobs = controllers.map(({ signal }) => hasher.hash('x', { signal }));
          const settled = Promise.allSettled(jobs);
          controllers.reverse().forEach((controller) => controller.abort());
          await settled;
          console.log(hasher.stats().queued);
        }
      })();`);
    assert.deepEqual({ code, stdout, stderr }, { code: 0, stdout: '0\n0\n0\n', stderr: '' });
  });
});
