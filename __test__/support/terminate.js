'use strict';

/**
 * A program: starts workers and terminates each in the middle of what it does, and prints the memory on the way as
 * JSON. Arguments: how many workers, how many at a time, and `main` when the main thread uses holdfast too.
 */

const path = require('node:path');
const { Worker } = require('node:worker_threads');
const { Random } = require('./random.js');

const [count, atATime, mode] = process.argv.slice(2).map((argument) => Number(argument) || argument);
const KINDS = ['hash', 'regexp', 'seal', 'json', 'construct', 'close', 'limit'];
const random = new Random(count);
const rss = {};
/** What each worker that lives has come to, for when one does not end. */
const alive = new Map();
const counts = {};
let [started, ended] = [0, 0];
let inMain = 0;

/** One worker, terminated while it loads holdfast or at work; resolves when it is gone. */
function one() {
  // Another number than that of the kinds, so that each has its turn.
  const duringLoad = started % 8 === 0;
  const kind = KINDS[started % KINDS.length];
  started++;
  const label = duringLoad ? 'require' : kind;
  counts[label] = (counts[label] ?? 0) + 1;
  const number = started;
  const note = (what) => alive.set(number, `${alive.get(number) ?? label}, ${what}`);
  note('created');
  return new Promise((resolve, reject) => {
    const worker = new Worker(path.join(__dirname, 'worker.js'), { workerData: { kind } });
    worker.once('error', reject);
    worker.once('exit', () => {
      alive.delete(number);
      resolve(undefined);
    });
    const terminate = () => {
      note('terminated');
      worker.terminate();
    };
    worker.on('message', (message) => {
      note(message);
      if (message === (duringLoad ? 'started' : 'loaded')) setTimeout(terminate, random.below(4));
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

/** Ends the process when no worker has ended for 30 seconds, and says which ones are left. */
function watch() {
  let [seen, since] = [ended, Date.now()];
  const timer = setInterval(() => {
    if (ended > seen) [seen, since] = [ended, Date.now()];
    if (Date.now() - since < 30_000) return;
    console.error(`after ${ended} workers these do not end: ${JSON.stringify([...alive])}`);
    process.kill(process.pid, 'SIGKILL'); // process.exit would wait for them
  }, 1000);
  timer.unref();
}

async function main() {
  watch();
  const lanes = Array.from({ length: atATime }, lane);
  if (mode === 'main') lanes.push(hashing());
  await Promise.all(lanes);
  console.log(JSON.stringify({ ended, counts, rss, inMain }));
}

main();
