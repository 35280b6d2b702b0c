'use strict';

/**
 * A panic in native code becomes ERR_INTERNAL, on the main thread and on another, and the process lives. The functions
 * that panic on purpose exist in development builds only.
 */

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { runNode } = require('./support/child.js');
const native = require('../lib/native.js');

const INTERNAL = {
  name: 'HoldfastError',
  code: 'ERR_INTERNAL',
  message: /^internal error at test_hooks\.rs:\d+: this is a bug in holdfast, please report it$/,
};

describe('a panic', () => {
  it('in a cold function', () => {
    for (let round = 0; round < 100; round++) assert.throws(() => native.testPanicCold(), INTERNAL);
  });

  it('in a hot function', () => {
    const [panicHot] = native.testPanicFunctions(() => {});
    for (let round = 0; round < 100; round++) assert.throws(() => panicHot(), INTERNAL);
  });

  it('on another thread', async () => {
    const heard = new Map();
    let all;
    const done = new Promise((resolve) => (all = resolve));
    const [, panicThread] = native.testPanicFunctions((job, error, value) => {
      heard.set(job, [error, value]);
      if (heard.size === 8) all();
    });
    for (let job = 0; job < 8; job++) panicThread(job);
    await done;
    for (const [error, value] of heard.values()) {
      assert.throws(() => {
        throw error;
      }, INTERNAL);
      assert.equal(value, undefined);
    }
  });

  it('leaves a process that works, prints nothing, and ends by itself', async () => {
    const { code, signal, stdout, stderr } = await runNode(`
      const { PasswordHasher, parseJson } = require(holdfast);
      const native = require(holdfast + '/lib/native.js');
      const codes = [];
      const attempt = (call) => { try { call(); } catch (error) { codes.push(error.code); } };
      const [panicHot, panicThread] = native.testPanicFunctions(async (job, error) => {
        codes.push(error.code);
        const hasher = new PasswordHasher({ argon2: { memoryKiB: 8, passes: 1 } });
        const { valid } = await hasher.verify(await hasher.hash('pw'), 'pw');
        console.log(JSON.stringify([codes, valid, parseJson('[1]')]));
      });
      attempt(native.testPanicCold);
      attempt(panicHot);
      panicThread(7);`);
    assert.deepEqual({ code, signal, stderr }, { code: 0, signal: null, stderr: '' });
    assert.deepEqual(JSON.parse(stdout), [['ERR_INTERNAL', 'ERR_INTERNAL', 'ERR_INTERNAL'], true, [1]]);
  });

  it('in a worker leaves the main thread and the worker alive', async () => {
    const { code, stderr, stdout } = await runNode(`
      const { Worker } = require('node:worker_threads');
      const source = \`
        const native = require(process.argv[1] + '/lib/native.js');
        const { parentPort } = require('node:worker_threads');
        const [panicHot, panicThread] = native.testPanicFunctions((job, error) => parentPort.postMessage(error.code));
        for (const call of [native.testPanicCold, panicHot]) try { call(); } catch (error) { parentPort.postMessage(error.code); }
        panicThread(1);
      \`;
      const worker = new Worker(\`process.argv[1] = \${JSON.stringify(holdfast)};\${source}\`, { eval: true });
      worker.on('message', (code) => console.log(code)).on('exit', (code) => console.log(code));`);
    assert.deepEqual({ code, stderr }, { code: 0, stderr: '' });
    assert.equal(stdout, `${'ERR_INTERNAL\n'.repeat(3)}0\n`);
  });
});
