'use strict';

// The worker pool when workers die, fail or cannot start.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');

const { Pool } = require('../lib/pool.js');
const { emptyTree } = require('./support/tree.js');

const WORKER = `
const { parentPort } = require('node:worker_threads');
parentPort.on('message', ({ source }) => {
  if (source === 'exit') process.exit(3);
  if (source === 'throw') setImmediate(() => { throw new Error('thrown'); });
  else if (source === 'memory') { const all = []; for (;;) all.push(new Array(1e6).fill(source)); }
  else if (source === 'fail') parentPort.postMessage({ failure: 'failed' });
  else parentPort.postMessage({ result: source });
});
parentPort.postMessage({ ready: true });
`;

/** @param {import('node:test').TestContext} t */
function poolOf(t, size, text) {
  const file = path.join(emptyTree(t), 'worker.js');
  fs.writeFileSync(file, text);
  const pool = new Pool(size, { file, heapMib: 32 });
  t.after(() => pool.close());
  return pool;
}

const pattern = (source) => ({ kind: 'pattern', source, flags: '', timeoutMs: 1 });

test('every task is answered, in whatever order, also when workers die of it', async (t) => {
  const pool = poolOf(t, 2, WORKER);
  const sources = ['a', 'exit', 'b', 'throw', 'c', 'fail', 'd', 'exit', 'e'];
  const answers = await Promise.race([Promise.all(sources.map((source) => pool.run(pattern(source)))), pool.broken]);
  assert.deepEqual(answers, [
    { result: 'a' }, { failure: 'the worker ended' }, { result: 'b' }, { failure: 'thrown' }, { result: 'c' },
    { failure: 'failed' }, { result: 'd' }, { failure: 'the worker ended' }, { result: 'e' },
  ]);
});

test('a worker that is out of memory is replaced', async (t) => {
  const pool = poolOf(t, 1, WORKER);
  const [first, second] = await Promise.all([pool.run(pattern('memory')), pool.run(pattern('after'))]);
  assert.match(first.failure, /memory/);
  assert.deepEqual(second, { result: 'after' });
});

test('a worker that cannot start ends the scan, with the reason', async (t) => {
  const thrown = poolOf(t, 2, "throw new Error('no parser');");
  await assert.rejects(Promise.race([thrown.run(pattern('a')), thrown.broken]), { message: 'no parser' });
  const port = "require('node:worker_threads').parentPort";
  const said = poolOf(t, 1, `${port}.postMessage({ unusable: 'no addon' }); setInterval(() => {}, 9);`);
  await assert.rejects(Promise.race([said.run(pattern('a')), said.broken]), { message: 'no addon' });
});
