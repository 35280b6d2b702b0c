'use strict';

/**
 * A program: starts workers and terminates each in the middle of what it does, and prints the memory on the way as
 * JSON. Arguments: how many workers, how many at a time, and `main` when the main thread uses holdfast too.
 */

const path = require('node:path');
const { Worker } = require('node:worker_threads');
const { Random } = require('./random.js');

const [count, atATime, mode] = process.argv.slice(2).map((argument) => Number(argument) || argument);
const KINDS = ['hash', 'regexp', 'seal', 'json', 'construct', 'close'];
const random = new Random(count);
const rss = {};
const counts = {};
let [started, ended] = [0, 0];
let inMain = 0;

/** One worker, terminated while it loads holdfast or at work; resolves when it is gone. */
function one() {
  const duringLoad = started % 7 === 0;
  const kind = KINDS[started % KINDS.length];
  started++;
  const label = duringLoad ? 'require' : kind;
  counts[label] = (counts[label] ?? 0) + 1;
  return new Promise((resolve, reject) => {
    const worker = new Worker(path.join(__dirname, 'worker.js'), { workerData: { kind } });
    worker.once('error', reject);
    worker.once('exit', resolve);
    worker.on('message', (message) => {
      if (message === (duringLoad ? 'started' : 'loaded')) setTimeout(() => worker.terminate(), random.below(4));
    });
  });
}

async function lane() {
  while (started < count) {
    await one();
    ended++;
    if (ended % 200 === 0 || ended === count) rss[ended] = Math.round(process.memoryUsage.rss() / 2 ** 20);
  }
}

/** What the main thread does meanwhile. */
async function hashing() {
  const { PasswordHasher } = require('../..');
  const hasher = new PasswordHasher({ argon2: { memoryKiB: 1024, passes: 1 }, threads: 1 });
  while (ended < count) {
    await hasher.hash('password');
    inMain++;
  }
  await hasher.close();
}

async function main() {
  const lanes = Array.from({ length: atATime }, lane);
  if (mode === 'main') lanes.push(hashing());
  await Promise.all(lanes);
  console.log(JSON.stringify({ ended, counts, rss, inMain }));
}

main();
